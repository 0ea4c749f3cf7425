"""Checking projects, sdists and wheels before they are published, and putting right what is safe to put right.

Reads what was named, runs the checks of ``accord.checks`` over it, and with ``fix`` changes ``pyproject.toml``; it
builds nothing and asks no index.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.checks.edits import apply_edits, difference
from accord.checks.model import Check, Edit
from accord.checks.run import Report, choose, run_checks
from accord.checks.subjects import Pair, ProjectSubject, SdistSubject, Subject, WheelSubject, open_subject
from accord.checks.table import CHECKS, find
from accord.io.scratch import scratch_folder
from accord_core.errors import UsageError

if TYPE_CHECKING:
    from accord.io.reporting import Reporter
    from accord.tasks.settings import ResolveSettings

__all__ = ["Checked", "all_checks", "check_paths", "nearest"]


@dataclass(frozen=True, slots=True)
class Checked:
    """One report for each subject, pairs last; ``diff`` is what ``--fix`` changed or would change, per document."""

    reports: tuple[Report, ...]
    diffs: tuple[tuple[str, str], ...] = ()
    written: bool = False

    def passes(self, *, strict: bool) -> bool:
        """Whether nothing was found that fails: errors, and with ``strict`` warnings and checks that could not be run."""
        if any(one.errors for one in self.reports):
            return False
        return not strict or not any(one.warnings or one.skipped for one in self.reports)


def all_checks() -> tuple[Check, ...]:
    """The table."""
    return CHECKS


def nearest(project: str | None) -> str:
    """The project to check where none is named: the one here, also without a ``pyproject.toml``, else the nearest upwards.

    Raises UsageError ``no-project``.
    """
    from accord.tasks.folders import find_project

    if project is None and any(os.path.exists(name) for name in ("setup.py", "setup.cfg", "pyproject.toml")):
        return "."
    return find_project(project)


def check_paths(
    paths: Sequence[str],
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    fix: bool = False,
    dry_run: bool = False,
    imports: ResolveSettings | None = None,
    python: str | None = None,
    cache_dir: str,
    reporter: Reporter,
) -> Checked:
    """Check every path; an sdist and a wheel of one name and version are compared as well.

    With ``imports`` each wheel is installed, from the indexes it names, and imported by ``python``.

    Raises UsageError ``check-unknown``, ``check-no-subject``; DocumentError ``check-too-many-files``,
    ``document-too-large``, ``project-changed``.
    """
    _known((*select, *ignore))
    subjects: list[Subject] = []
    diffs: list[tuple[str, str]] = []
    with scratch_folder("accord-check-") as scratch:
        try:
            for path in paths:
                subject = open_subject(path, scratch)
                subject.cache_dir = cache_dir
                if fix and isinstance(subject, ProjectSubject) and subject.text:
                    report = run_checks(subject, _chosen(subject, select, ignore))
                    diff = _fix(subject, report, dry_run=dry_run, cache_dir=cache_dir, reporter=reporter)
                    if diff:
                        diffs.append((subject.document, diff))
                        subject = subject if dry_run else open_subject(path, scratch)
                        subject.cache_dir = cache_dir
                subjects.append(subject)
            if imports is not None:
                _import(subjects, python=python, settings=imports, reporter=reporter)
            reports = [run_checks(one, _chosen(one, select, ignore)) for one in subjects]
            reports += [run_checks(pair, choose(select, ignore)) for pair in _pairs(subjects)]
        finally:
            for one in subjects:
                if isinstance(one, WheelSubject) and one.wheel is not None:
                    one.wheel.close()
    return Checked(tuple(reports), tuple(diffs), fix and not dry_run)


def _import(
    subjects: Sequence[Subject], *, python: str | None, settings: ResolveSettings, reporter: Reporter
) -> None:
    from accord.tasks.importing import import_modules

    wheels = [one for one in subjects if isinstance(one, WheelSubject) and one.fault is None]
    if not wheels:
        raise UsageError(
            "usage",
            "--import needs a wheel",
            hint="accord build makes one; then accord check --import dist/*",
        )
    for wheel in wheels:
        wheel.imported = import_modules(wheel, python=python, settings=settings, reporter=reporter)


def _known(codes: Sequence[str], place: str = "") -> None:
    from accord_core.project.faults import near

    for code in codes:
        if find(code) is None:
            hint = (
                near(code, tuple(check.code for check in CHECKS)) or "accord check --list shows all of them"
            )
            raise UsageError("check-unknown", f"there is no check {code!r}{place}", hint=hint)


def _chosen(subject: Subject, select: Sequence[str], ignore: Sequence[str]) -> tuple[Check, ...]:
    """Those asked for, without those the project leaves out; a check that was selected by name is run all the same."""
    left_out: tuple[str, ...] = ()
    if isinstance(subject, ProjectSubject):
        said = subject.table("tool", "accord", "check").get("ignore")
        left_out = tuple(code for code in said if isinstance(code, str)) if isinstance(said, list) else ()
        _known(left_out, f" ([tool.accord.check] of {subject.document})")
    return choose(select, (*ignore, *(code for code in left_out if code not in select)))


def _pairs(subjects: Sequence[Subject]) -> Iterator[Pair]:
    """An sdist and each wheel of its release; where one of the two is alone, the other kind of another version, which
    then is a slip."""
    sdists = [one for one in subjects if isinstance(one, SdistSubject) and _release(one)]
    wheels = [one for one in subjects if isinstance(one, WheelSubject) and _release(one)]
    alone = {_release(one) for one in sdists} ^ {_release(one) for one in wheels}
    for sdist in sdists:
        for wheel in wheels:
            one, other = _release(sdist), _release(wheel)
            if one == other or (one[0] == other[0] and one in alone and other in alone):
                yield Pair(sdist, wheel)


def _release(subject: Subject) -> tuple[str, ...]:
    """Name and version in normal form; empty where they are not known."""
    from accord_core.names import normalise
    from accord_core.project.versions import normal

    facts = subject.facts
    if subject.fault is not None or facts is None or not facts.name or not facts.version:
        return ()
    try:
        return normalise(facts.name), normal(facts.version)
    except ValueError:
        return ()


def _fix(
    subject: ProjectSubject, report: Report, *, dry_run: bool, cache_dir: str, reporter: Reporter
) -> str:
    """Make the edits of all findings; the difference, empty where there is nothing to do."""
    from accord.tasks.project_document import read_document, rewrite
    from accord.tasks.restoring import Restored
    from accord.tasks.turns import Turn

    edits: list[Edit] = [edit for one in report.found for edit in one.finding.edits]
    if not edits:
        return ""
    if dry_run:
        return difference(subject.text, apply_edits(subject.text, edits), subject.document)
    with Turn(subject.path, cache_dir, reporter), Restored(subject.document) as restored:
        before = read_document(subject.document)[0]
        rewrite(subject.document, lambda text: apply_edits(text, edits), restored)
        return difference(before, read_document(subject.document)[0], os.path.relpath(subject.document))
