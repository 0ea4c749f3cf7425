"""Files of other tools in real sdists: what ``accord migrate`` reads of them, carries over and tells.

The second table of ``docs/reference/migrations.md``, written by ``migrate.py`` beside this module; the projects stand in
``formats.txt``.  Each is migrated without running its code; ``accord check`` looks at the result; a lock is made where
the list says so; and where the project builds today, the wheels before and after are compared.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
import tomllib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

from published import find_sdist, read_list

from accord.io.reporting import SILENT
from accord.tasks.checking import check_paths
from accord.tasks.fetching import fetch_sdist
from accord.tasks.lock import lock_project
from accord.tasks.migrating import Migrated, Options, migrate
from accord.tasks.session import Session
from accord.tasks.settings import ResolveSettings
from accord_core.errors import AccordError

__all__ = ["Row", "format_rows", "format_table"]

HERE = os.path.dirname(os.path.abspath(__file__))
_AT_ONCE = 2


@dataclass(frozen=True)
class Case:
    kind: str
    name: str
    version: str
    folder: str
    only: str | None
    build: bool
    lock: str
    limits: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One project: what was read and came of it, in words; ``told`` are the lines of the report, ``fault`` is True where
    something went wrong that no other column explains."""

    kind: str
    name: str
    read: str
    carried: str
    built_by: str
    told: tuple[str, ...]
    check: str
    lock: str
    wheel: str
    fault: bool
    seconds: float


def format_cases(only: list[str]) -> list[Case]:
    found = []
    for kind, name, version, *rest in read_list(os.path.join(HERE, "formats.txt")):
        if only and name not in only:
            continue
        words = dict(word.partition("=")[::2] for word in rest if word.startswith(("in=", "from=", "lock=")))
        limits = tuple(
            word for word in rest if word != "build" and not word.startswith(("in=", "from=", "lock="))
        )
        found.append(
            Case(kind, name, version, words.get("in", ""), words.get("from"), "build" in rest, words.get("lock", ""), limits)
        )  # fmt: skip
    return found


def format_rows(only: list[str], links: str, python: str | None) -> list[Row]:
    """Every row, two projects at a time, in the order of the list."""
    cases = format_cases(only)
    with ProcessPoolExecutor(_AT_ONCE, mp_context=get_context("spawn")) as pool:
        return list(pool.map(_row, cases, [links] * len(cases), [python] * len(cases)))


def _row(case: Case, links: str, python: str | None) -> Row:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="formats-") as scratch:
        limits = os.path.join(scratch, "limits.txt")
        with open(limits, "w", encoding="utf-8") as file:
            file.writelines(f"{text}\n" for text in case.limits)
        old, new = ResolveSettings(build_constraints=(limits,)), ResolveSettings(find_links=(links,))
        name = f"{case.name} {case.version}"
        try:
            with Session(old, python=python) as session, Session(new, python=python) as new_session:
                sdist = fetch_sdist(session, None, find_sdist(session, case.name, case.version))
                folder = os.path.join(sdist.tree(os.path.join(scratch, "tree")), case.folder)
                outcome, lock = _migrated(case, folder, session, new_session)
                check = _checked(folder, session)
        except (LookupError, AccordError) as error:
            words = f"{error.code}: {error.message}" if isinstance(error, AccordError) else str(error)
            return Row(
                case.kind, name, "-", "-", "-", (words,), "-", "-", "-", True, time.monotonic() - begun
            )
    told = [f"`{left.where}`: {_code(_hostless(left.what))}: {left.why}" for left in outcome.leftovers]
    told += [f"lock: {note}" for note in outcome.notes]
    wheel = _compared(outcome)
    return Row(
        case.kind, name, _short(", ".join(outcome.kept) or "pyproject.toml"), _carried(outcome), outcome.backend,
        tuple(told), check, lock, wheel, "**" in wheel, time.monotonic() - begun,
    )  # fmt: skip


def _migrated(case: Case, folder: str, session: Session, new_session: Session) -> tuple[Migrated, str]:
    """The migration, and what became of its lock: the number of its packages, or the code of what stopped it."""
    options = Options(kind=case.only, check=case.build, run_setup=False)
    stopped = ""
    if case.lock == "old":
        try:
            outcome = migrate(folder, replace(options, lock=True), session, new_session=new_session)
            return outcome, _packages(folder)
        except AccordError as error:
            stopped = f"`{error.code}`"
    outcome = migrate(folder, options, session, new_session=new_session)
    if case.lock != "new":
        return outcome, stopped or "-"
    try:
        lock_project(folder, settings=ResolveSettings())
    except AccordError as error:
        return outcome, f"`{error.code}`"
    return outcome, _packages(folder)


def _packages(folder: str) -> str:
    with open(os.path.join(folder, "pylock.toml"), "rb") as file:
        return f"{len(tomllib.load(file)['packages'])} packages"


def _compared(outcome: Migrated) -> str:
    if outcome.differences is None:
        return "-"
    faults = [each.what for each in outcome.differences if each.reason is None]
    return "same" if not faults else f"**{', '.join(faults[:4])}**"


def _checked(folder: str, session: Session) -> str:
    """What ``accord check`` finds wrong in the migrated description: codes, those of the project's own matters too."""
    (report,) = check_paths([folder], cache_dir=session.cache_dir, reporter=SILENT).reports
    errors = sorted({one.check.code for one in report.found if one.check.severity == "error"})
    return ", ".join(errors) or "accepted"


def _carried(outcome: Migrated) -> str:
    """What stands in the new files, in numbers."""
    data = tomllib.loads(outcome.written["pyproject.toml"])
    project, accord = data.get("project", {}), data.get("tool", {}).get("accord", {})
    groups = data.get("dependency-groups", {})
    counts = [
        (len(project.get("dependencies", ())), "dependencies"),
        (sum(map(len, project.get("optional-dependencies", {}).values())), "of extras"),
        (sum(map(len, groups.values())), f"in groups ({_short(', '.join(groups))})"),
        (len(accord.get("constraints", ())), "constraints"),
        (len(accord.get("sources", ())), "sources"),
        (len(accord.get("index", ())), "indexes"),
        (len(accord.get("workspace", {}).get("members", ())), "workspace globs"),
        (len(accord.get("extension", ())), "extensions"),
    ]
    return "; ".join(f"{number} {what}" for number, what in counts if number) or "the description"


def _short(text: str) -> str:
    words = text.split(", ")
    return text if len(words) <= 4 else f"{', '.join(words[:3])} and {len(words) - 3} more"


def _hostless(text: str) -> str:
    """URLs without their hosts, which are nobody's business here."""
    return re.sub(r"://[^/\s]+", "://…", text)


def _code(text: str) -> str:
    return f"`{text.replace('`', chr(39))}`"


def format_table(rows: list[Row]) -> list[str]:
    """The second table and its report, as lines of the page."""
    lines = [
        "",
        "# Other tools' files in real projects",
        "",
        "Each project is an sdist from the public index that ships such a file. *Carried* counts what stands in the new",
        "`pyproject.toml`; *told* are the lines of the report below; *check* is what `accord check` calls an error in",
        "the migrated folder; *lock* the packages of the new lock (`--lock`: the old versions, the old digests held",
        "against the index), *wheel* the comparison of the first table, where the project builds today.",
        "",
        "Few sdists ship a `poetry.lock` or a `Pipfile`: among some 330 looked at there were two projects with the one, and",
        "Plette and the example in Pipenv's own with the other. `bento.info` is only in SciPy's and Bento's own.",
        "",
        "| file | project | read | carried | built by | told | check | lock | wheel |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        name = f"**{row.name}**" if row.fault else row.name
        lines.append(
            f"| {row.kind} | {name} | {row.read} | {row.carried} | {row.built_by} | {len(row.told)} | {row.check} | "
            f"{row.lock} | {row.wheel} |"
        )
    lines += ["", "## What was told", ""]
    for row in rows:
        if row.told:
            lines += [f"* {row.name}", *(f"    * {line}" for line in row.told)]
    return lines
