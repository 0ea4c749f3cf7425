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


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", help="only these projects")
    parser.add_argument("--work", default=WORK, help="the folder for what is fetched and built")
    parser.add_argument("--option", action="append", default=[], help="one more option of accord build")
    options = parser.parse_args()
    wanted = [words for words in read_list(LIST) if not options.names or words[0] in options.names]
    rows = []
    with Session(ResolveSettings(), python=PYTHON) as session:
        for name, version in wanted:
            release = fetch(session, name, version, os.path.join(options.work, "published"))
            row = build(release, options.work, options.option)
            rows.append(row)
            with open(os.path.join(options.work, "rows.jsonl"), "a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(row)) + "\n")
            result = row.failed or ("same" if row.same else f"{len(row.differences)} differences")
            print(f"{name} {version} ({row.backend}): {result}, {row.seconds:.1f} s", flush=True)
            if options.names:
                print("\n".join(f"  {line}" for line in row.differences))
    return 1 if any(row.failed for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
