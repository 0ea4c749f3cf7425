"""Runs test suites and vectors that others wrote, and writes down how much of them passed.

    python conformance/suites.py FILE [NAME ...] [--from NAME=FOLDER] [--markdown PAGE]

Tests of a tool's own cannot be asked of another tool; vectors are asked of whoever reads or writes what they are about (``programs``; the version libraries
of the matrix), Accord as it is installed beside this Python among them.  Either stands beside the matrix, and counts in no share.  The sdists that carry them, and what they need, are fetched by pip from the index that
is configured; ``--from`` takes a suite from a checkout instead, which those that lie in no index need.  A tool is the released one, as in the matrix.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.etree import ElementTree

from accord_conformance.adapters import player, read_adapter, read_adapters
from accord_conformance.protocol import Player
from accord_conformance.results import Played
from accord_conformance.running import play_case
from accord_conformance.tools import Tool, Tools, default_folder
from accord_conformance.vectors import Ranges, Vector, purl_vectors, vector_cases, vers_vectors

HERE = Path(__file__).parent
SECONDS = 1800  # for one suite
ROLE = "version-library"


@dataclass(frozen=True, slots=True)
class Suite:
    """Tests that lie in a tool's own sdist."""

    tool: str
    release: str  # of the sdist, and of the tool that is tested
    licence: str
    needs: tuple[str, ...]
    arguments: tuple[str, ...]  # for pytest, in the unpacked sdist


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors, and who is asked."""

    release: str  # the sdist that carries them; empty: in a checkout alone
    licence: str
    read: Callable[[Path], Iterator[Vector]]
    tools: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a suite went with a tool."""

    suite: str
    source: str
    licence: str
    tool: str  # with its version
    passed: int
    failed: int
    skipped: int  # tests that skipped themselves, vectors the tool has no function for
    seconds: float
    failures: tuple[str, ...]  # what failed, and how


_LIBRARIES = ("accord", "distlib", "packaging", "poetry-core", "uv")
SUITES: dict[str, Suite | Vectors] = {
    "packaging-properties": Suite(
        "packaging",
        "packaging==26.3",
        "Apache-2.0 OR BSD-2-Clause",
        ("pytest", "pytest-xdist", "hypothesis", "pretend", "tomli-w"),
        ("-m", "property", "-n", "2", "tests/property"),
    ),
    "purl": Vectors("packageurl-python==0.17.6", "MIT", purl_vectors, ("packageurl", "accord-purl")),
    "purl-spec": Vectors("", "MIT", purl_vectors, ("packageurl", "accord-purl")),
    "vers": Vectors(
        "univers==32.0.1", "Apache-2.0 AND BSD-3-Clause AND MIT", vers_vectors, ("univers", *_LIBRARIES)
    ),
    "vers-spec": Vectors("", "MIT", vers_vectors, ("univers", *_LIBRARIES)),
}


def unpacked(release: str, folder: Path, python: str = sys.executable) -> Path:
    """The tree of a release's sdist, fetched into the empty ``folder``; CalledProcessError with pip's words on the way out when there is none."""
    project = release.partition("==")[0]
    pip = [python, "-m", "pip", "--disable-pip-version-check", "-q", "download"]
    subprocess.run([*pip, "--no-deps", "--no-binary", project, "-d", str(folder), release], check=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder / "sdist", filter="data")
    return next((folder / "sdist").iterdir())


def run_tests(name: str, suite: Suite, folder: Path) -> Outcome:
    """Fetches the suite into an empty folder and runs it; CalledProcessError where pip or pytest itself goes wrong."""
    environment, python = folder / "environment", folder / "environment" / "bin" / "python"
    venv.create(environment, with_pip=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "-q", "install"]
    subprocess.run([*pip, suite.release, *suite.needs], check=True)
    root, report = unpacked(suite.release, folder, str(python)), folder / "report.xml"
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *suite.arguments]
    begun = time.monotonic()
    done = subprocess.run(
        [str(python), *arguments, f"--junitxml={report}"], cwd=root, timeout=SECONDS, check=False
    )
    if done.returncode not in (0, 1):  # 1: some test failed
        raise subprocess.CalledProcessError(done.returncode, arguments)
    return counted(name, suite, report, round(time.monotonic() - begun, 1))


def counted(name: str, suite: Suite, report: Path, seconds: float) -> Outcome:
    """The outcome, from pytest's own report."""
    cases = list(ElementTree.parse(report).iter("testcase"))  # noqa: S314 - pytest wrote it just now
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = sum(case.find("skipped") is not None for case in cases)
    names = tuple(f"{case.get('classname')}.{case.get('name')}" for case in failed)
    passed = len(cases) - len(failed) - skipped
    tool = suite.release.replace("==", " ")
    return Outcome(
        name, f"sdist of {tool}", suite.licence, tool, passed, len(failed), skipped, seconds, names
    )


def run_vectors(name: str, suite: Vectors, root: Path, source: str, tools: Tools) -> Iterator[Outcome]:
    """Asks each tool every vector in the tree at ``root``."""
    for each in suite.tools:
        tool = tools.prepare(each)
        begun = time.monotonic()
        played = asked(tool, name, suite.read(root))
        failed = [one for one in played if one.verdict in ("fail", "error")]
        skipped = sum(one.verdict == "unsupported" for one in played)
        yield Outcome(
            name,
            source,
            suite.licence,
            f"{tool.adapter.title} {tool.version}",
            len(played) - len(failed) - skipped,
            len(failed),
            skipped,
            round(time.monotonic() - begun, 1),
            tuple(map(_failure, failed)),
        )


def asked(tool: Tool, name: str, vectors: Iterator[Vector]) -> list[Played]:
    """What came of the vectors with a tool."""
    found: Player = player(tool.adapter, ROLE, tool.bin)
    # Those who know ranges are asked for them; of the others, what they know of versions.
    if tool.adapter.folder != HERE / "programs":
        found = Ranges(found)
    try:
        return [play_case(tool, case, found) for case in vector_cases(name, vectors)]
    finally:
        found.close()


def _failure(played: Played) -> str:
    bad = [finding for step in played.steps for finding in step.findings if not finding.ok]
    words = "; ".join(f"expected {finding.expected}, found {finding.found}" for finding in bad)
    return f"{played.case.partition('/')[2]}: {words or played.error}"


def page(outcomes: Sequence[Outcome]) -> str:
    """The outcomes as a page in Markdown."""
    lines = [
        "# Suites that others wrote",
        "",
        "Made by `python conformance/suites.py`; beside [the matrix](conformance.md), and counted in none of its shares. *Not asked*: tests that skip themselves, vectors the tool has no function for.",
        "",
        "| suite | from | licence | asked of | passed | failed | not asked |",
        "| --- | --- | --- | --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {one.suite} | {one.source} | {one.licence} | {one.tool} | {one.passed} | {one.failed} | {one.skipped} |"
        for one in outcomes
    ]
    for one in outcomes:
        if one.failures:
            lines += ["", f"## {one.suite}, {one.tool}", "", *(f"* `{each}`" for each in one.failures)]
    return "\n".join(lines) + "\n"


def _tools() -> Tools:
    adapters = read_adapters()
    for path in sorted((HERE / "programs").glob("*.toml")):
        adapter = read_adapter(path)
        adapters[adapter.name] = adapter
    here = Path(sys.prefix)
    return Tools(adapters, default_folder(), {"accord": here, "accord-purl": here})


def outcomes_of(name: str, checkout: Path | None) -> Iterator[Outcome]:
    """How the suite of that name goes."""
    suite = SUITES[name]
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(suite, Suite):
            yield run_tests(name, suite, Path(folder))
            return
        root = checkout or unpacked(suite.release, Path(folder))
        source = f"checkout {checkout.name}" if checkout else "sdist of " + suite.release.replace("==", " ")
        yield from run_vectors(name, suite, root, source, _tools())


def main(arguments: list[str]) -> int:
    """Writes the outcomes of the suites that are named, or of all that can be fetched."""
    parser = argparse.ArgumentParser(prog="suites.py", description="Runs suites that others wrote.")
    parser.add_argument("out", type=Path, metavar="FILE")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SUITES))
    parser.add_argument("--from", dest="checkouts", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--markdown", type=Path, metavar="PAGE")
    options = parser.parse_args(arguments)
    checkouts = {
        name: Path(folder) for name, _, folder in (each.partition("=") for each in options.checkouts)
    }
    names = options.names or [name for name, suite in SUITES.items() if suite.release or name in checkouts]
    outcomes = []
    for name in names:
        for one in outcomes_of(name, checkouts.get(name)):
            sys.stdout.write(
                f"{name}, {one.tool}: {one.passed} passed, {one.failed} failed, {one.skipped} not asked\n"
            )
            outcomes.append(one)
    options.out.write_text(json.dumps({"suites": list(map(asdict, outcomes))}, indent=1) + "\n", "utf-8")
    if options.markdown:
        options.markdown.write_text(page(outcomes), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
