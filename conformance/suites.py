"""Runs test suites that others wrote for their own tool, and writes down how many tests passed.

    python conformance/suites.py FILE [NAME ...]

What such a suite asks cannot be asked of another tool: it stands beside the matrix, and counts in no share.  The sdist with the tests and what it needs are
fetched by pip from the index that is configured; the tool is the released one, as in the matrix.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.etree import ElementTree

SECONDS = 1800  # for one suite


@dataclass(frozen=True, slots=True)
class Suite:
    """Tests that lie in a tool's own sdist."""

    tool: str
    release: str  # of the sdist, and of the tool that is tested
    licence: str
    needs: tuple[str, ...]
    arguments: tuple[str, ...]  # for pytest, in the unpacked sdist


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a suite went."""

    suite: str
    tool: str
    release: str
    command: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    failures: tuple[str, ...]  # names of tests


SUITES = {
    "packaging-properties": Suite(
        "packaging",
        "packaging==26.3",
        "Apache-2.0 OR BSD-2-Clause",
        ("pytest", "hypothesis", "pretend", "tomli-w"),
        ("-m", "property", "tests/property"),
    ),
}


def run(name: str, suite: Suite, folder: Path) -> Outcome:
    """Fetches the suite into an empty folder and runs it; CalledProcessError where pip or pytest itself goes wrong."""
    environment, python = folder / "environment", folder / "environment" / "bin" / "python"
    venv.create(environment, with_pip=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "install", suite.release, *suite.needs], check=True)
    fetch = [*pip, "download", "--no-deps", "--no-binary", suite.tool, "-d", str(folder), suite.release]
    subprocess.run(fetch, check=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder / "sdist", filter="data")
    root = next((folder / "sdist").iterdir())
    report = folder / "report.xml"
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *suite.arguments]
    begun = time.monotonic()
    done = subprocess.run(
        [str(python), *arguments, f"--junitxml={report}"], cwd=root, timeout=SECONDS, check=False
    )
    if done.returncode not in (0, 1):  # 1: some test failed
        raise subprocess.CalledProcessError(done.returncode, arguments)
    seconds = round(time.monotonic() - begun, 1)
    return counted(name, suite, "python " + " ".join(arguments), report, seconds)


def counted(name: str, suite: Suite, command: str, report: Path, seconds: float) -> Outcome:
    """The outcome, from pytest's own report."""
    cases = list(ElementTree.parse(report).iter("testcase"))  # noqa: S314 - pytest wrote it just now
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = sum(case.find("skipped") is not None for case in cases)
    names = tuple(f"{case.get('classname')}.{case.get('name')}" for case in failed)
    passed = len(cases) - len(failed) - skipped
    return Outcome(name, suite.tool, suite.release, command, passed, len(failed), skipped, seconds, names)


def main(arguments: list[str]) -> int:
    """Writes the outcomes of the suites that are named, or of all."""
    out, names = Path(arguments[0]), arguments[1:] or list(SUITES)
    outcomes = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(run(name, SUITES[name], Path(folder)))
        last = outcomes[-1]
        sys.stdout.write(f"{name}: {last.passed} passed, {last.failed} failed\n")
    out.write_text(json.dumps({"suites": [asdict(each) for each in outcomes]}, indent=1) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
