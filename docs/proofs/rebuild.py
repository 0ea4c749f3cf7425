# ruff: noqa: T201 - a script that says what it does
"""Build other people's sdists with their own backends through ``accord build``, and hold what comes out against the wheels
their makers published.

``python docs/proofs/rebuild.py`` reads ``rebuilds.txt``, fetches what is missing into an ignored folder, builds each sdist
for CPython 3.12 and writes ``docs/reference/rebuilds.md``.  Named projects are built alone; what differs is then printed
member by member and no page is written.  What is no difference: times, modes, order and packing of members, RECORD, the
builder's own name and metadata version, and how a requirement is spelled.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tarfile
import time
import tomllib
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from published import fetch, read_list

from accord.tasks.session import Session
from accord.tasks.settings import ResolveSettings
from accord.wheels.compare import LOOSE, compare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from published import Release

    from accord.wheels.compare import Comparison
    from accord.wheels.documents import FieldChange

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PAGE = os.path.join(ROOT, "docs", "reference", "rebuilds.md")
LIST = os.path.join(HERE, "rebuilds.txt")
WORK = os.path.join(ROOT, "benchmarks", "results", "rebuilds")
PYTHON = "3.12"
_BINARY = (".so", ".pyd", ".dylib", ".a", ".o")

# Why a difference is none of ours, by what it says.  Looked at one by one; what no line explains is shown as it is.
REASONS = (
    (r"dist-info/(licenses/|LICEN[CS]E|COPYING|AUTHORS|NOTICE)", "newer"),
    (r"METADATA License(-Expression|-File)?:", "newer"),
    (r"only published: \S+\.so$", "compiled"),
    (r"only published: \S+\.libs/", "repaired"),
    (r"content differs: \S+\.(c|cpp)$", "generated"),
    (r"content differs: \S+/(_build_config|version)\.py$", "recorded"),
    (r"content differs: \S+\.cmake$", "recorded"),
    (r"METADATA Classifier: nothing -> Programming Language", "newer"),
    (r"content differs: psutil/__init__\.py$", "sdist"),
    (r"WHEEL Tag: py2-none-any -> nothing", "universal"),
    (r"WHEEL Root-Is-Purelib|WHEEL Tag", "compiled"),
)
WORDS = {
    "newer": "A newer version of the backend writes newer metadata: the licence as PEP 639 says (other fields, another "
    "folder), a classifier of a newer Python.",
    "recorded": "A file records the commit, the machine or the version of the tool that wrote it.",
    "sdist": "The sdist and the wheel on the index differ in this file already.",
    "compiled": "The makers compile the modules for their wheels with a setting of their own (mypyc, Cython); the sdist "
    "builds without unless told so.",
    "universal": "The makers asked for a wheel of Python 2 as well, on their command line.",
    "repaired": "The makers put libraries of the system into their wheel afterwards (auditwheel).",
    "generated": "C sources that a newer Cython wrote travel in the wheel.",
}


@dataclass(slots=True)
class Row:
    """What became of one release: its backend, the seconds, where it was built, and what differs."""

    name: str
    version: str
    backend: str = ""
    seconds: float = 0.0
    place: str = ""
    files: int = 0
    binaries: int = 0
    wheel: str = ""
    failed: str = ""
    differences: list[str] = field(default_factory=list)

    @property
    def same(self) -> bool:
        return not self.failed and not self.differences


def build(release: Release, folder: str, extra: Sequence[str]) -> Row:
    """Build the sdist of ``release`` into ``folder`` and compare."""
    row = Row(release.name, release.version, backend_of(release.sdist))
    into = os.path.join(folder, "built", f"{release.name}-{release.version}")
    begun = time.monotonic()
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "accord",
            "build",
            release.sdist,
            "--wheel",
            "-o",
            into,
            "-p",
            PYTHON,
            "--json",
            *extra,
        ],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    row.seconds = time.monotonic() - begun
    answer: dict[str, Any] = json.loads(done.stdout) if done.stdout.strip() else {}
    if done.returncode:
        error = answer.get("error", {"code": "no-answer", "message": done.stderr[-2000:]})
        row.failed = f"{error['code']}: {error['message']}"
        print(done.stderr, file=sys.stderr)
        return row
    built = answer["built"][0]["files"][-1]
    row.place = "sandbox" if built["sandbox"] else "open"
    row.wheel = os.path.basename(built["path"])
    if release.wheel is None:
        row.differences.append("no wheel was published for this Python and platform")
        return row
    comparison = compare(release.wheel, built["path"], ignoring=LOOSE)
    row.differences = told(comparison, row)
    return row


def told(comparison: Comparison, row: Row) -> list[str]:
    """The differences in words; counts the files of both and the compiled ones among them."""
    from accord.wheels.contents import open_contents

    with open_contents(comparison.new) as contents:
        row.files = len(contents.files)
        row.binaries = sum(file.path.endswith(_BINARY) for file in contents.files)
    words = []
    for title, changes in (("only published", comparison.removed), ("only built", comparison.added)):
        words += [f"{title}: {change.path}" for change in changes]
    words += [
        f"{'/'.join(change.what)} differs: {change.path}"
        for change in comparison.changed
        if not change.path.endswith(_BINARY)
    ]
    for change in comparison.metadata:
        if not _only_platform(change):
            removed, added = ", ".join(change.removed) or "nothing", ", ".join(change.added) or "nothing"
            words.append(f"{change.document} {change.field}: {removed[:300]} -> {added[:300]}")
    return words


def _only_platform(change: FieldChange) -> bool:
    """Tags that differ as ``linux`` and ``manylinux`` do: what was built here was not repaired for other systems."""
    if (change.document, change.field) != ("WHEEL", "Tag"):
        return False
    return {tag.rpartition("-")[0] for tag in change.removed} == {
        tag.rpartition("-")[0] for tag in change.added
    }


def backend_of(sdist: str) -> str:
    """What the sdist's pyproject.toml names as its backend."""
    with tarfile.open(sdist) as archive:
        for member in archive:
            if member.name.count("/") == 1 and member.name.endswith("/pyproject.toml"):
                stream = archive.extractfile(member)
                assert stream is not None
                table = tomllib.loads(stream.read().decode()).get("build-system", {})
                return str(table.get("build-backend", "setuptools (none named)"))
    return "setuptools (no pyproject.toml)"


def page(rows: Sequence[Row]) -> str:
    """The whole page ``docs/reference/rebuilds.md``."""
    used: list[str] = []
    lines = []
    for row in rows:
        if row.failed:
            result = row.failed
        elif row.same:
            result = "same"
        else:
            result = _explained(row, used)
        compiled = str(row.binaries) if row.binaries else ""
        lines.append(
            f"| {row.name} {row.version} | {row.backend} | {row.files} | {compiled} | {row.place} | {result} |"
        )
    same = sum(row.same for row in rows)
    told = sum(not row.same and not row.failed for row in rows)
    reasons = [f"* *{word}*: {WORDS[word]}" for word in used]
    return "\n".join((*_preface(len(rows), same, told), *lines, "", "## What differs", "", *reasons)) + "\n"


def _explained(row: Row, used: list[str]) -> str:
    found: list[str] = []
    for line in row.differences:
        reason = next((word for pattern, word in REASONS if re.search(pattern, line)), None)
        if reason is not None and reason not in used:
            used.append(reason)
        said = f"*{reason}*" if reason is not None else f"`{line}`"
        if said not in found:
            found.append(said)
    return ", ".join(found)


def _preface(total: int, same: int, told: int) -> tuple[str, ...]:
    return (
        "# Sdists built again",
        "",
        f"Written by `python docs/proofs/rebuild.py`: {total} sdists from the public index, each built with its own backend by",
        f"`accord build SDIST --wheel -p {PYTHON}` and held against the wheel its makers published, file by file and field by",
        f"field. {same} are the same, {told} differ for the reasons given. Compiled modules are compared by name, not by bytes,",
        "and `linux` stands for `manylinux`; times, modes, order and packing of members, RECORD, the builder's own name and",
        "the metadata version do not count.",
        "",
        "| sdist | backend | files | compiled | built in | beside the published wheel |",
        "| --- | --- | ---: | ---: | --- | --- |",
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", help="only these projects")
    parser.add_argument("--work", default=WORK, help="the folder for what is fetched and built")
    parser.add_argument("--option", action="append", default=[], help="one more option of accord build")
    options = parser.parse_args()
    wanted = [words for words in read_list(LIST) if not options.names or words[0] in options.names]
    rows = []
    wrong = 0
    with Session(ResolveSettings(), python=PYTHON) as session:
        for name, version, *expected in wanted:
            release = fetch(session, name, version, os.path.join(options.work, "published"))
            row = build(release, options.work, options.option)
            rows.append(row)
            wrong += row.failed.partition(":")[0] not in (expected or [""])
            with open(os.path.join(options.work, "rows.jsonl"), "a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(row)) + "\n")
            result = row.failed or ("same" if row.same else f"{len(row.differences)} differences")
            print(f"{name} {version} ({row.backend}): {result}, {row.seconds:.1f} s", flush=True)
            if options.names:
                print("\n".join(f"  {line}" for line in row.differences))
    if not options.names:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(page(rows))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
