"""Running the checks over a subject: in the order of the table, those that were selected, none silently left out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from accord.checks.model import ADVICE, ERROR, WARNING, Check, Finding, Found, Skipped
from accord.checks.table import CHECKS
from accord_core.errors import ArchiveError, Where

if TYPE_CHECKING:
    from accord.checks.subjects import Pair, Subject

__all__ = ["Report", "choose", "run_checks"]


@dataclass(frozen=True, slots=True)
class Report:
    """What the checks say about one subject.  ``unshown`` counts findings beyond the limit, by code."""

    path: str
    kind: str
    ran: int
    found: tuple[Found, ...]
    skipped: tuple[Skipped, ...]
    unshown: tuple[tuple[str, int], ...] = ()

    def count(self, severity: str) -> int:
        shown = sum(one.check.severity == severity for one in self.found)
        codes = {one.check.code for one in self.found if one.check.severity == severity}
        return shown + sum(number for code, number in self.unshown if code in codes)

    @property
    def errors(self) -> int:
        return self.count(ERROR)

    @property
    def warnings(self) -> int:
        return self.count(WARNING)

    @property
    def advice(self) -> int:
        return self.count(ADVICE)


def choose(select: Collection[str], ignore: Collection[str]) -> tuple[Check, ...]:
    """The checks of the table that are selected (all, where nothing is) and not ignored."""
    return tuple(one for one in CHECKS if (not select or one.code in select) and one.code not in ignore)


def run_checks(subject: Subject | Pair, checks: Sequence[Check] = CHECKS) -> Report:
    """Run those of ``checks`` that are for subjects of this kind."""
    mine = [one for one in checks if subject.kind in one.kinds]
    found: list[Found] = []
    skipped: list[Skipped] = []
    unshown: list[tuple[str, int]] = []
    if subject.fault is not None:
        mine = [one for one in mine if one.code == "archive-refused"]
    mine = [one for one in mine if one.concerns is None or one.concerns(subject)]
    for check in mine:
        missing = tuple(need for need in check.needs if find_spec(need) is None)
        if missing:
            skipped.append(Skipped(check, missing))
            continue
        findings = _findings(check, subject)
        most = subject.limits.findings
        found += [Found(check, finding) for finding in findings[:most]]
        if len(findings) > most:
            unshown.append((check.code, len(findings) - most))
        if findings and check.code == "wheel-record":
            break  # whatever reads a damaged file would say the same again
    return Report(
        subject.path, subject.kind, len(mine) - len(skipped), tuple(found), tuple(skipped), tuple(unshown)
    )


def _findings(check: Check, subject: Subject | Pair) -> list[Finding]:
    """A member of an archive that turns out to be damaged while a check reads it is a finding of that check."""
    try:
        return list(check.function(subject))
    except ArchiveError as fault:
        where = fault.where or Where(subject.path)
        return [Finding(f"it cannot be read: {fault.message} ({fault.code})", where, fault.hint)]
