"""Migrate real projects from the configured index, build them before and after, and write what differed.

    python docs/proofs/migrate.py [--backend FOLDER] [--only NAME ...] [--python VERSION]

Reads ``migrations.txt`` beside it, and ``formats.txt`` for other tools' files (``formats.py``); writes
``docs/reference/migrations.md``.  ``--backend`` is the folder of the
accord-backend that builds the new wheels (default: this repository's).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from formats import Row, format_rows, format_table
from published import find_sdist, read_list

from accord.tasks.fetching import fetch_sdist
from accord.tasks.migrating import Migrated, Options, migrate
from accord.tasks.session import Session
from accord.tasks.settings import ResolveSettings
from accord_core.errors import AccordError

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
_AT_ONCE = 2
PAGE = os.path.join(ROOT, "docs", "reference", "migrations.md")


@dataclass(frozen=True)
class Case:
    name: str
    version: str
    kind: str
    limits: tuple[str, ...]
    backend: str | None


@dataclass(frozen=True)
class Result:
    case: Case
    outcome: Migrated | None
    error: str | None
    seconds: float


def cases(only: list[str]) -> list[Case]:
    found = []
    for name, version, kind, *rest in read_list(os.path.join(HERE, "migrations.txt")):
        if not only or name in only:
            limits = tuple(word for word in rest if "backend=" not in word)
            backend = next((word[8:] for word in rest if word.startswith("backend=")), None)
            found.append(Case(name, version, kind, limits, backend))
    return found


def migrated(case: Case, scratch: str, links: str, python: str | None) -> Result:
    begun = time.monotonic()
    os.mkdir(scratch)
    limits = os.path.join(scratch, "limits.txt")
    with open(limits, "w", encoding="utf-8") as file:
        file.writelines(f"{text}\n" for text in case.limits)
    # The new build has the limits that are not about the old backend itself.
    later = os.path.join(scratch, "later.txt")
    with open(later, "w", encoding="utf-8") as file:
        file.writelines(f"{text}\n" for text in case.limits if not text.startswith("setuptools"))
    old = ResolveSettings(build_constraints=(limits,))
    new = ResolveSettings(find_links=(links,), build_constraints=(later,))
    try:
        with Session(old, python=python) as session, Session(new, python=python) as new_session:
            sdist = fetch_sdist(session, None, find_sdist(session, case.name, case.version))
            folder = sdist.tree(os.path.join(scratch, "tree"))
            options = Options(backend=case.backend, check=True, run_setup=False)
            outcome = migrate(folder, options, session, new_session=new_session)
    except LookupError as error:
        return Result(case, None, str(error), time.monotonic() - begun)
    except AccordError as error:
        words = "; ".join((f"{error.code}: {error.message}", *error.context[-2:]))
        return Result(case, None, words, time.monotonic() - begun)
    return Result(case, outcome, None, time.monotonic() - begun)


def page(results: list[Result], rows: list[Row], python: str) -> str:
    lines = [
        "# Migrated projects",
        "",
        "Written by `python docs/proofs/migrate.py`. Each project is an sdist from the public index: built as it is,",
        "migrated by `accord migrate` without running its `setup.py`, built again without its old files, and the two",
        "wheels compared: every file by its content, every field of the metadata by its meaning. *Same* says that",
        "nothing differs but for the reasons under the table; a difference without a reason would be a fault.",
        f"CPython {python}.",
        "",
        "| project | from | built by | files | metadata | meant | left over |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    reasons: dict[str, int] = {}
    for result in results:
        name = f"{result.case.name} {result.case.version}"
        if result.outcome is None:
            lines.append(f"| {name} | {result.case.kind} | - | **failed** | **failed** | - | - |")
            continue
        differences = result.outcome.differences or ()
        files: list[str] = []
        fields: list[str] = []
        for each in differences:
            if each.reason is None:
                (files if "/" in each.what or "." in each.what else fields).append(each.what)
            else:
                reasons.setdefault(each.reason, len(reasons) + 1)
        meant = sorted({reasons[each.reason] for each in differences if each.reason is not None})
        lines.append(
            f"| {name} | {result.case.kind} | {result.outcome.backend} | {_verdict(files)} | {_verdict(fields)} | "
            f"{', '.join(map(str, meant)) or '-'} | {len(result.outcome.leftovers)} |"
        )
    lines += ["", "## What differs on purpose", ""]
    lines += [f"{number}. {reason[:1].upper()}{reason[1:]}." for reason, number in reasons.items()]
    lines += ["", "## Why not built by accord", ""]
    for result in results:
        if result.outcome is not None and result.outcome.backend != "accord":
            why = "; ".join(result.outcome.reasons) or "asked for in migrations.txt"
            lines.append(f"* {result.case.name} {result.case.version}: {why}")
    lines += ["", "## What could not be carried over", ""]
    for result in results:
        if result.outcome is not None and result.outcome.leftovers:
            lines.append(f"* {result.case.name} {result.case.version}")
            lines += [
                f"    * `{left.where}`: {_code(left.what)}: {left.why}" for left in result.outcome.leftovers
            ]
        elif result.error is not None:
            lines.append(f"* {result.case.name} {result.case.version} failed: {result.error}")
    lines += format_table(rows)
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    return f"`{text.replace('`', chr(39))}`"


def _verdict(names: list[str]) -> str:
    return "same" if not names else "**" + ", ".join(names[:4]) + "**"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--backend", default=os.path.join(ROOT, "packages", "accord-backend"))
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--python")
    parser.add_argument("-o", "--output", default=PAGE)
    args = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory(prefix="migrations-") as scratch:
        links = os.path.join(scratch, "links")
        os.mkdir(links)
        code = f"import accord_backend; accord_backend.build_wheel({links!r})"
        environ = {**os.environ, "PYTHONPATH": os.path.join(args.backend, "src")}
        subprocess.run([sys.executable, "-c", code], cwd=args.backend, env=environ, check=True)
        chosen = cases(args.only)
        places = [os.path.join(scratch, str(number)) for number in range(len(chosen))]
        with ProcessPoolExecutor(_AT_ONCE, mp_context=get_context("spawn")) as pool:
            several = len(chosen)
            for result in pool.map(migrated, chosen, places, [links] * several, [args.python] * several):
                results.append(result)
                sys.stdout.write(_line(result))
                sys.stdout.flush()
        rows = format_rows(args.only, links, args.python)
        for row in rows:
            sys.stdout.write(
                f"{row.kind} {row.name}: {'; '.join(row.told) if row.fault else row.wheel} ({row.seconds:.1f} s)\n"
            )
    version = args.python or ".".join(map(str, sys.version_info[:3]))
    with open(args.output, "w", encoding="utf-8") as file:
        file.write(page(results, rows, version))
    return int(
        any(row.fault for row in rows) or any(result.error or _faulty(result.outcome) for result in results)
    )


def _line(result: Result) -> str:
    differences = result.outcome.differences or () if result.outcome is not None else ()
    faults = [each.what for each in differences if each.reason is None]
    state = result.error or ("same" if not faults else f"differs: {', '.join(faults)}")
    return f"{result.case.name} {result.case.version}: {state} ({result.seconds:.1f} s)\n"


def _faulty(outcome: Migrated | None) -> bool:
    return outcome is None or any(each.reason is None for each in outcome.differences or ())


if __name__ == "__main__":
    sys.exit(main())
