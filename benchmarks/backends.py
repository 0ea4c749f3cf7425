"""Build backends side by side: Accord's beside flit_core, hatchling and uv_build, hook by hook.

    python benchmarks/backends.py [--runs N] [--json] [--only small many large]

Each figure is the wall clock of a fresh, isolated interpreter (``python -I -c …``) that imports the backend, calls
``build_wheel`` once and ends: what every frontend pays.  The contenders take turns, run by run, and the median is
told.  The projects are made here from the standard library's own sources, so that they are what Python code is like:
*small* has 14 modules, data files, a readme and a licence; *many* has 10,000 modules of up to 8 KB; *tiny* as many of
a few lines.  ``uv build`` is uv's own copy of uv_build, which starts no Python; it is there to compare, not to beat.
The peers come from the index this machine is configured for, into ``benchmarks/results/backends`` (not kept by git).
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
from dataclasses import dataclass
from importlib import metadata

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PEERS = os.path.join(ROOT, "benchmarks", "results", "backends")
OURS = "accord-backend"


@dataclass(frozen=True, slots=True)
class Contender:
    """``label`` as told; ``requirement`` what is installed for it; ``module`` the backend, ``None`` for ``uv build``."""

    label: str
    requirement: str
    module: str | None


@dataclass(frozen=True, slots=True)
class Goal:
    """Ours is to take at most ``factor`` times what ``peer`` takes on ``project``."""

    project: str
    peer: str
    factor: float


CONTENDERS = (
    Contender(OURS, "", "accord_backend"),
    Contender("flit_core", "flit_core", "flit_core.buildapi"),
    Contender("hatchling", "hatchling", "hatchling.build"),
    Contender("uv_build", "uv_build", "uv_build"),
    Contender("uv build", "uv", None),
)
PROJECTS = {"small": 14, "many": 10_000, "tiny": 10_000}
SKIPPED = {
    "many": {"flit_core", "hatchling"},
    "tiny": {"flit_core", "hatchling"},
}  # slower by far, and no goal
GOALS = (Goal("small", "flit_core", 0.8), Goal("many", "uv_build", 1.2), Goal("tiny", "uv_build", 1.2))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=11, help="counted runs of each contender (default 11)")
    parser.add_argument("--only", nargs="*", choices=list(PROJECTS), default=list(PROJECTS))
    parser.add_argument("--json", action="store_true", help="the record instead of the table")
    options = parser.parse_args()
    for contender in CONTENDERS:
        _install(contender)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for project in options.only:
            runs = options.runs if project == "small" else max(7, options.runs // 3)
            found[project] = _measure(project, runs, os.path.join(folder, project))
    goals = [_held(goal, found[goal.project]) for goal in GOALS if goal.project in found]
    record = {
        "python": sys.version.split()[0],
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
        "runs": options.runs,
        "versions": [version for contender in CONTENDERS if (version := _version(contender))],
        "milliseconds": found,
        "goals": goals,
    }
    print(json.dumps(record, indent=2) if options.json else _table(record))
    return 0 if all(goal["held"] for goal in goals) else 1


def _install(contender: Contender) -> None:
    target = os.path.join(PEERS, contender.label.replace(" ", "-"))
    if contender.requirement and not os.path.isdir(target):
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]
        subprocess.run([*pip, target, contender.requirement], check=True)


def _version(contender: Contender) -> str:
    """Name and version of what was installed for it; empty for ours."""
    if not contender.requirement:
        return ""
    place = [os.path.join(PEERS, contender.label.replace(" ", "-"))]
    (found,) = metadata.distributions(name=contender.requirement, path=place)
    return f"{contender.requirement} {found.version}"


def _sources() -> list[bytes]:
    folder = os.path.dirname(os.__file__)
    found = []
    for place, _, names in sorted(os.walk(folder)):
        if "site-packages" in place or "test" in place:
            continue
        for name in sorted(names):
            if name.endswith(".py") and os.path.getsize(os.path.join(place, name)) > 200:
                with open(os.path.join(place, name), "rb") as file:
                    found.append(file.read(8000))
    return found


def _make(project: str, contender: Contender, root: str) -> None:
    name = contender.requirement or OURS
    package = os.path.join(root, "src", "spam")
    os.makedirs(os.path.join(package, "data"))
    texts = {
        "pyproject.toml": f'[build-system]\nrequires = ["{"uv_build" if name == "uv" else name}"]\n'
        f'build-backend = "{contender.module or "uv_build"}"\n\n'
        '[project]\nname = "spam"\nversion = "1.0"\ndescription = "A benchmark"\nreadme = "README.md"\n'
        'requires-python = ">=3.8"\nlicense = "MIT"\nlicense-files = ["LICENSE"]\n',
        "README.md": "# Spam\n\nWords.\n" * 50,
        "LICENSE": "The words of a licence.\n" * 40,
        "src/spam/__init__.py": '"""Spam."""\n\n__version__ = "1.0"\n',
        **{f"src/spam/data/table{number}.csv": "1,2,3\n" * 100 for number in range(3)},
    }
    for path, text in texts.items():
        with open(os.path.join(root, path), "w", encoding="utf-8") as file:
            file.write(text)
    sources = _sources()
    for number in range(PROJECTS[project]):
        folder = os.path.join(package, f"part{number // 100}")
        os.makedirs(folder, exist_ok=True)
        data = sources[number % len(sources)]
        with open(os.path.join(folder, f"module{number}.py"), "wb") as binary:
            binary.write(data[:600] if project == "tiny" else data)


def _measure(project: str, runs: int, folder: str) -> dict[str, dict[str, float]]:
    contenders = [one for one in CONTENDERS if one.label not in SKIPPED.get(project, ())]
    for contender in contenders:
        _make(project, contender, os.path.join(folder, contender.label))
    walls: dict[str, list[float]] = {contender.label: [] for contender in contenders}
    sizes: dict[str, int] = {}
    for run in range(runs + 1):
        for place in range(len(contenders)):
            contender = contenders[(place + run) % len(contenders)]
            wall, size = _build(contender, os.path.join(folder, contender.label))
            sizes[contender.label] = size
            if run:
                walls[contender.label].append(wall)
    return {
        label: {
            "median": round(statistics.median(taken) * 1000, 1),
            "least": round(min(taken) * 1000, 1),
            "wheel": sizes[label],
        }
        for label, taken in walls.items()
    }


def _build(contender: Contender, root: str) -> tuple[float, int]:
    """``(seconds, bytes of the wheel)`` of one build into an empty folder."""
    out = os.path.join(root, "out")
    shutil.rmtree(out, ignore_errors=True)
    os.mkdir(out)
    if contender.module is None:
        command = [os.path.join(PEERS, "uv-build", "bin", "uv"), "build", "--wheel", "-q", "--no-config"]
        command += [
            "--python",
            sys.executable,
            "-o",
            out,
        ]  # so that looking for a Python is no part of the figure
    else:
        place = os.path.join(PEERS, contender.label)
        if not contender.requirement:
            place = os.path.join(ROOT, "packages", OURS, "src")
        script = f"import sys; sys.path.insert(0, {place!r}); import {contender.module} as b; b.build_wheel({out!r})"
        command = [sys.executable, "-I", "-c", script]
    path = os.pathsep.join((os.path.join(PEERS, "uv_build", "bin"), os.environ.get("PATH", "")))
    os.sync()
    before = time.perf_counter()
    subprocess.run(command, cwd=root, env={**os.environ, "PATH": path}, check=True, capture_output=True)
    wall = time.perf_counter() - before
    (wheel,) = (name for name in os.listdir(out) if name.endswith(".whl"))
    return wall, os.path.getsize(os.path.join(out, wheel))


def _held(goal: Goal, found: dict[str, dict[str, float]]) -> dict[str, object]:
    factor = found[OURS]["median"] / found[goal.peer]["median"]
    return {
        "project": goal.project,
        "peer": goal.peer,
        "at most": goal.factor,
        "is": round(factor, 2),
        "held": factor <= goal.factor,
    }


def _table(record: dict[str, object]) -> str:
    lines = [f"Python {record['python']}, {record['cores']} cores, load {record['load']}", ""]
    lines += [
        "| project | backend | median ms | least ms | wheel, bytes |",
        "| --- | --- | --: | --: | --: |",
    ]
    found = record["milliseconds"]
    assert isinstance(found, dict)
    for project, rows in found.items():
        for label, row in rows.items():
            lines.append(f"| {project} | {label} | {row['median']} | {row['least']} | {row['wheel']:,} |")
    goals = record["goals"]
    assert isinstance(goals, list)
    lines.append("")
    for goal in goals:
        verdict = "held" if goal["held"] else "MISSED"
        lines.append(
            f"{goal['project']}: {goal['is']} x {goal['peer']}, at most {goal['at most']} is asked: {verdict}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
