"""Records ``docs/assets/first-light.svg``: what a person sees who begins a project, as in the tutorial.

    python docs/record.py        runs the commands for real, in a scratch folder, from the configured index

Nothing is touched up but the fonts: the picture asks nobody for one.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "assets" / "first-light.svg"
COMMANDS = ("init", "add starlette uvicorn", "sync", "why anyio", "add humanize", "undo", "history")
COLUMNS = 84
THEME = TerminalTheme(
    (28, 30, 36),
    (222, 224, 228),
    [
        (28, 30, 36),
        (240, 113, 120),
        (139, 205, 131),
        (235, 203, 120),
        (122, 170, 247),
        (199, 146, 234),
        (110, 205, 214),
        (200, 204, 212),
    ],
)


def record(project: Path, cache: Path) -> str:
    """Run the commands in ``project`` and return the picture of what they said."""
    with Path(os.devnull).open("w") as unseen:
        console = Console(record=True, width=COLUMNS, file=unseen, force_terminal=True)
        for command in COMMANDS:
            console.print(Text.assemble(("$ ", "dim"), (f"accord {command}", "bold")))
            console.print(Text.from_ansi(_said(command.split(), project, cache)))
        console.print()
        return console.export_svg(
            title="accord", theme=THEME, code_format=_without_fonts(), unique_id="accord"
        )


def _said(words: list[str], project: Path, cache: Path) -> str:
    environ = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "VIRTUAL_ENV")}
    done = subprocess.run(
        [sys.executable, "-m", "accord", *words],
        cwd=project,
        env={**environ, "ACCORD_CACHE_DIR": str(cache), "FORCE_COLOR": "1", "COLUMNS": str(COLUMNS)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return done.stdout.rstrip()


def _without_fonts() -> str:
    """Rich's frame of the picture, with the fonts of the reader instead of somebody's server."""
    plain = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return plain.replace("Fira Code", "ui-monospace, Menlo, Consolas")


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch) / "shop"
        project.mkdir()
        picture = record(project, Path(scratch) / "cache")
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text("\n".join(line.rstrip() for line in picture.splitlines()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
