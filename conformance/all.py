"""What ``make conformance`` runs: prepares every tool, asks them all, and writes the report.

    python conformance/all.py [--write] [options of accord-conformance run]

Accord is asked as it is installed beside this Python.  Runs are kept in conformance/results, the site is made in conformance/site, with what changed since
the last of the verdicts that conformance/history keeps.  ``--write`` also writes docs/reference/conformance.md and conformance-failures.md, and keeps the
verdicts in the history.  With ``--tool`` only these are prepared.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from accord_conformance.adapters import read_adapters
from accord_conformance.cli import main

HERE = Path(__file__).parent
RESULTS = HERE / "results"
HISTORY = HERE / "history"


def run(arguments: list[str]) -> int:
    """Prepares, runs, reports; the exit code of the run."""
    write = "--write" in arguments
    options = [each for each in arguments if each != "--write"]
    use = ["--use", f"accord={sys.prefix}", "--use", f"accord-backend={sys.prefix}"]
    if "--tool" not in options:
        prepared = main(["prepare", *use, *read_adapters()])
        if prepared:
            print("conformance: those that could not be prepared are left out", file=sys.stderr)
    when = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    RESULTS.mkdir(exist_ok=True)
    code = main(["run", *use, "--gate", "accord", "--json", str(RESULTS / f"{when}.json"), *options])
    if code in (0, 1):
        docs = ["--markdown", str(HERE.parent / "docs" / "reference"), "--command", "`make conformance`"]
        docs += ["--keep", str(HISTORY / f"{when}.json.xz")]
        main(
            [
                "report",
                *map(str, (*HISTORY.glob("*.json.xz"), *RESULTS.glob("*.json"))),
                "--out",
                str(HERE / "site"),
                *(docs if write else []),
            ]
        )
    return code


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
