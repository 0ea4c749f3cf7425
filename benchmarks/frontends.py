"""A small pure project built by several frontends, side by side: the whole command, isolated, warm, without a network.

    python benchmarks/frontends.py [--runs N] [--json] [--links DIR] [--only WORD]

Contenders that are not installed are left out, and said so.  ``accord`` is the one beside this Python; the wheel of
``accord-backend`` is built from this repository first.  Runs are interleaved in turning order; figures are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.path.dirname(sys.executable)
PROJECT = '[project]\nname = "spam"\nversion = "1.0"\ndescription = "spam"\n[build-system]\nrequires = ["{requires}"]\nbuild-backend = "{backend}"\n'
MODULES = 14


@dataclass(slots=True)
class Contender:
    label: str
    command: list[str]
    folder: str
    environ: dict[str, str]
    times: list[float] = field(default_factory=list)
    failure: str | None = None

    def run(self) -> float:
        """One run in seconds; a failing one ends the contender."""
        shutil.rmtree(os.path.join(self.folder, "dist"), ignore_errors=True)
        began = time.perf_counter()
        done = subprocess.run(
            self.command, cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - began
        if done.returncode or not any(
            name.endswith(".whl") for name in os.listdir(os.path.join(self.folder, "dist"))
        ):
            self.failure = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        return seconds


def project(root: str, name: str, requires: str, backend: str) -> str:
    """A project of 14 modules and a data file."""
    package = os.path.join(root, name, "src", "spam")
    os.makedirs(package)
    with open(os.path.join(root, name, "pyproject.toml"), "w", encoding="utf-8") as file:
        file.write(PROJECT.format(requires=requires, backend=backend))
    for number in range(MODULES):
        module = "__init__" if number == 0 else f"module{number}"
        with open(os.path.join(package, f"{module}.py"), "w", encoding="utf-8") as file:
            file.write('"""Spam."""\n' + "".join(f"value{i} = {i}\n" for i in range(100)))
    with open(os.path.join(package, "data.json"), "w", encoding="utf-8") as file:
        file.write("{}\n")
    return os.path.join(root, name)


def contenders(root: str, links: str | None) -> tuple[list[Contender], list[str]]:
    """Everybody who can take part, and who cannot."""
    # A warm run has its modules compiled, whatever the shell around says.
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ = {**usual, "UV_CACHE_DIR": f"{root}/uv", "ACCORD_CACHE_DIR": f"{root}/cache"}
    ours = project(root, "ours", "accord-backend", "accord_backend")
    accord = os.path.join(BIN, "accord")
    if links is None:
        links = f"{root}/links"
        backend = os.path.join(ROOT, "packages", "accord-backend")
        command = [accord, "build", "--wheel", "--no-build-isolation", "-q", "-o", links, backend]
        subprocess.run(command, check=True, env=environ, stdout=subprocess.DEVNULL)
    build = [accord, "build", "--wheel", "-q", "-f", links]
    found = [
        Contender("accord, sandbox off", [*build, "--sandbox", "off"], ours, environ),
        Contender("accord, sandbox on", [*build, "--sandbox", "require"], ours, environ),
    ]
    missing: list[str] = []
    flit = project(root, "flit", "flit_core>=3.11", "flit_core.buildapi")
    uv = os.path.join(BIN, "uv") if os.path.exists(os.path.join(BIN, "uv")) else shutil.which("uv")
    if uv is None:
        missing.append("uv")
    else:
        wheel = [uv, "build", "--wheel", "-q", "--python", sys.executable]
        native = project(root, "native", "uv_build", "uv_build")
        warm = {**environ, "UV_OFFLINE": "1"}
        subprocess.run(wheel, cwd=flit, env=environ, check=False, capture_output=True)  # fetches flit_core
        found += [
            Contender("uv, flit_core", wheel, flit, warm),
            Contender("uv, uv_build (native)", wheel, native, warm),
        ]
    found.append(Contender("accord, flit_core, sandbox on", [*build, "--sandbox", "require"], flit, environ))
    if subprocess.run([sys.executable, "-c", "import build"], capture_output=True, check=False).returncode:
        missing.append("build (python -m build)")
    else:
        found.append(
            Contender("python -m build, flit_core", [sys.executable, "-m", "build", "-w"], flit, environ)
        )
    return found, missing


def measure(group: list[Contender], runs: int, say: Callable[[str], None]) -> None:
    """Two runs of everybody to be warm, then ``runs`` rounds in turning order."""
    for one in group:
        for _ in range(2):
            if one.failure is None:
                one.run()
        if one.failure is not None:
            say(f"{one.label} failed: {one.failure}")
    standing = [one for one in group if one.failure is None]
    for number in range(runs):
        turn = number % len(standing)
        for one in standing[turn:] + standing[:turn]:
            one.times.append(one.run())


def versions() -> list[str]:
    """What the commands say they are."""
    found = []
    for name in ("accord", "uv"):
        program = os.path.join(BIN, name) if os.path.exists(os.path.join(BIN, name)) else shutil.which(name)
        if program is not None:
            told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
            found.append(" ".join(told.stdout.split()[:2]))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Frontends beside each other on a small pure project.")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--links", help="a folder with a wheel of accord-backend")
    parser.add_argument("--only", action="append", default=[], help="contenders with this in their name")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="frontends-") as root:
        group, missing = contenders(root, args.links)
        group = [one for one in group if not args.only or any(word in one.label for word in args.only)]
        measure(group, args.runs, lambda text: print(text, file=sys.stderr))
    rows = {
        one.label: {
            "median_ms": round(statistics.median(one.times) * 1000, 1),
            "best_ms": round(min(one.times) * 1000, 1),
        }
        for one in group
        if one.times
    }
    if args.json:
        record = {"runs": args.runs, "versions": versions(), "missing": missing, "contenders": rows}
        print(json.dumps(record, indent=2))
        return 0
    for label, row in rows.items():
        print(f"{label:32} {row['median_ms']:8.1f} ms   best {row['best_ms']:8.1f} ms")
    for name in missing:
        print(f"{name}: not installed, left out")
    return 0


if __name__ == "__main__":
    sys.exit(main())
