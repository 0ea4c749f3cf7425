# ruff: noqa: T201 - a script that says what it does
"""Build other people's pure projects with ``accord-backend`` and no settings, and hold the files against the wheel their
makers published: whether what a project ships is found without being told.

``python docs/proofs/unconfigured.py`` reads ``unconfigured.txt``, fetches what is missing into an ignored folder, leaves of
each unpacked sdist's ``pyproject.toml`` the ``[project]`` table alone, calls ``build_wheel`` in a process of its own, and
writes ``docs/reference/unconfigured.md``.  Named projects are built alone, and no page is written.  A field that a project
leaves to its backend (``dynamic``) is written out as the sdist's ``PKG-INFO`` has it; what the standards do not let stand in
the table goes.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass, field
from email import message_from_string
from typing import TYPE_CHECKING, Any

import tomlkit
from published import fetch, read_list

from accord.tasks.session import Session
from accord.tasks.settings import ResolveSettings
from accord.wheels.compare import LOOSE, compare
from accord.wheels.contents import open_contents
from accord_core.archive.sdist import extract

if TYPE_CHECKING:
    from collections.abc import Sequence
    from email.message import Message

    from published import Release

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PAGE = os.path.join(ROOT, "docs", "reference", "unconfigured.md")
LIST = os.path.join(HERE, "unconfigured.txt")
WORK = os.path.join(ROOT, "benchmarks", "results", "unconfigured")
BACKEND = os.path.join(ROOT, "packages", "accord-backend", "src")
PYTHON = "3.12"
HOOK = "import sys, accord_backend; print(accord_backend.build_wheel(sys.argv[1]))"
OURS = {"requires": ["accord-backend"], "build-backend": "accord_backend"}
_STANDARD = frozenset(
    """name version description readme requires-python license license-files authors maintainers keywords classifiers urls
    scripts gui-scripts entry-points dependencies optional-dependencies dynamic import-names import-namespaces""".split()  # noqa: SIM905 - read as words
)
# What a wheel holds that no project ships: its own papers.
_PAPERS = re.compile(r"[^/]+\.dist-info/")


@dataclass(slots=True)
class Row:
    """What became of one release: its own backend, what was changed in its table, and the files only one of the two has."""

    name: str
    version: str
    backend: str = ""
    changed: list[str] = field(default_factory=list)
    files: int = 0
    missing: list[str] = field(default_factory=list)
    surplus: list[str] = field(default_factory=list)
    failed: str = ""

    @property
    def same(self) -> bool:
        return not (self.failed or self.missing or self.surplus)


def build(release: Release, folder: str) -> Row:
    """Build the wheel of ``release`` below ``folder``, which is made anew, and compare."""
    row = Row(release.name, release.version)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    tree = extract(release.sdist, folder)
    row.backend, row.changed = bare(tree)
    done = subprocess.run(
        [sys.executable, "-c", HOOK, folder],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": BACKEND},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        faults = [line[4:] for line in done.stderr.splitlines() if line.startswith("  - ")]
        row.failed = "; ".join(faults) or done.stderr.strip()[-300:]
        return row
    if release.wheel is None:
        row.failed = "no wheel was published for every Python"
        return row
    wheel = os.path.join(folder, done.stdout.split()[-1])
    comparison = compare(release.wheel, wheel, ignoring=LOOSE)
    row.missing = [change.path for change in comparison.removed if not _PAPERS.match(change.path)]
    row.surplus = [change.path for change in comparison.added if not _PAPERS.match(change.path)]
    with open_contents(wheel) as contents:
        row.files = sum(not _PAPERS.match(file.path) for file in contents.files)
    return row


def bare(tree: str) -> tuple[str, list[str]]:
    """Leave of ``pyproject.toml`` what the standards describe, for our backend: its own backend, what was changed."""
    path = os.path.join(tree, "pyproject.toml")
    with open(path, "rb") as file:
        document = tomllib.load(file)
    with open(os.path.join(tree, "PKG-INFO"), encoding="utf-8") as file:
        told = message_from_string(file.read())
    project: dict[str, Any] = document.get("project", {})
    if not project:
        raise SystemExit(f"{told['Name']} has no [project] table")
    changed = [name for name in project.pop("dynamic", ()) if name not in project]
    project.update({name: _static(name, told) for name in changed})
    for name in set(project) - _STANDARD:
        changed.append(f"no `{name}`")
        del project[name]
    kept = [one for one in project.get("classifiers", ()) if not one.startswith("License ::")]
    if isinstance(project.get("license"), str) and kept != project.get("classifiers", []):
        changed.append("no licence classifier")  # beside an expression PEP 639 does not let it stand
        project["classifiers"] = kept
    with open(path, "w", encoding="utf-8") as file:
        tomlkit.dump({"build-system": OURS, "project": project}, file)
    return document.get("build-system", {}).get("build-backend", "setuptools"), sorted(changed)


def _static(name: str, told: Message) -> object:
    """The value of a field of ``[project]`` from core metadata."""
    if name == "version":
        return told["Version"]
    if name == "description":
        return told["Summary"]
    if name == "classifiers":
        return told.get_all("Classifier", [])
    if name == "dependencies":
        return [one for one in told.get_all("Requires-Dist", []) if "extra ==" not in one]
    if name == "readme":
        text = str(told.get_payload()) or str(told["Description"])
        return {"text": text, "content-type": told["Description-Content-Type"] or "text/x-rst"}
    raise SystemExit(f"{told['Name']} leaves {name} to its backend, which is not read here")


def page(rows: Sequence[Row], seconds: float) -> str:
    """The whole page ``docs/reference/unconfigured.md``."""
    same = sum(row.same for row in rows)
    words = [
        "# Other projects without settings",
        "",
        f"Written by `python docs/proofs/unconfigured.py` in {seconds:.0f} s: the sdists of {len(rows)} pure projects from the public",
        "index, of which the `[project]` table alone is kept, built by `accord-backend`. No `[tool]` table is left and nothing tells",
        "where the code is. Held against the wheel that the makers published is the list of files, but for `.dist-info`.",
        f"**{same} of {len(rows)} are the same.** Metadata are not compared: what a project leaves to its backend is written out from the",
        "sdist's `PKG-INFO`, and what the standards do not let stand in the table goes; both are named in the third column.",
        "",
        "| sdist | its own backend | written out, left out | files | beside the published wheel |",
        "| --- | --- | --- | ---: | --- |",
    ]
    for row in rows:
        changed = ", ".join(row.changed)
        words.append(
            f"| {row.name} {row.version} | {row.backend} | {changed} | {row.files} | {_result(row)} |"
        )
    return "\n".join(words) + "\n"


def _result(row: Row) -> str:
    if row.same:
        return "same"
    if row.failed:
        return f"refused: {' '.join(row.failed.split())}"
    parts = []
    for title, paths in (("not found", row.missing), ("more", row.surplus)):
        if paths:
            shown = ", ".join(f"`{path}`" for path in paths[:3])
            parts.append(f"{title}: {shown}" + (f" and {len(paths) - 3} others" if len(paths) > 3 else ""))
    return "; ".join(parts)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", help="only these projects")
    parser.add_argument("--work", default=WORK, help="the folder for what is fetched and built")
    options = parser.parse_args()
    wanted = [words for words in read_list(LIST) if not options.names or words[0] in options.names]
    begun, rows, wrong = time.monotonic(), [], 0
    with Session(ResolveSettings(), python=PYTHON) as session:
        for name, version, *expected in wanted:
            release = fetch(session, name, version, os.path.join(options.work, "published"))
            row = build(release, os.path.join(options.work, "built", f"{name}-{version}"))
            rows.append(row)
            wrong += row.same is (expected == ["differs"])
            print(f"{name} {version} ({row.backend}): {_result(row)}", flush=True)
    if not options.names:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(page(rows, time.monotonic() - begun))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
