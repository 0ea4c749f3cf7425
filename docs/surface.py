"""Writes ``docs/reference/surface.md``: the names other people may build on, as the sources declare them.

    python docs/surface.py            write it
    python docs/surface.py --check    only say whether it is up to date (status 1 if not)

A name is public when it stands in the ``__all__`` of a module listed here and of no module whose own name begins with
an underscore.  Sources are read, not imported.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "surface.md"
PARTS = (
    ("The build backend", "What a build frontend calls (PEP 517, PEP 660).", ("accord_backend",)),
    ("The core", "An embeddable library: values and bytes in, values and bytes out.", ("accord_core.",)),
    (
        "Ports of the tool",
        "What to implement to put another part in the place of ours.",
        ("accord.build.ports", "accord.io.reporting", "accord.repositories.port"),
    ),
    (
        "Tasks",
        "One function for each use case, with the records they take and hand back: what `accord` itself calls.",
        (
            "accord.tasks.install",
            "accord.tasks.lock",
            "accord.tasks.outcomes",
            "accord.tasks.overlay",
            "accord.tasks.settings",
            "accord.tasks.sync",
        ),
    ),
    ("Fakes for tests", "Small worlds to try such parts in.", ("accord.testing.",)),
)


def surface() -> str:
    """The page as it should be."""
    modules = _modules()
    lines = [
        "# The public surface",
        "",
        "<!-- Made by docs/surface.py; change the source, not this page. -->",
        "",
    ]
    lines += [
        "Everything else may change without a word. What is here changes with an entry in the changelog."
    ]
    for title, what, chosen in PARTS:
        lines += ["", f"## {title}", "", what, "", "| module | names |", "| --- | --- |"]
        for name, public in modules.items():
            if public and any(name == one or (one.endswith(".") and name.startswith(one)) for one in chosen):
                lines.append(f"| `{name}` | {', '.join(f'`{one}`' for one in sorted(public))} |")
    return "\n".join(lines) + "\n"


def _modules() -> dict[str, tuple[str, ...]]:
    """``__all__`` of every module without an underscore, by dotted name."""
    found = {}
    for source in sorted(ROOT.glob("packages/*/src")):
        for path in sorted(source.rglob("*.py")):
            parts = path.relative_to(source).with_suffix("").parts
            if parts[-1] == "__init__":
                parts = parts[:-1]
            if not any(part.startswith("_") for part in parts):
                found[".".join(parts)] = _declared(path)
    return found


def _declared(path: Path) -> tuple[str, ...]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            return tuple(ast.literal_eval(node.value))
    return ()


def main() -> int:
    page = surface()
    if "--check" not in sys.argv[1:]:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page, encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page:
        return 0
    sys.stderr.write("docs/reference/surface.md is not what the sources declare; run make docs\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
