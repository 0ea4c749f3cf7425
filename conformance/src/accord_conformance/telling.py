"""What a person sees of a run, and what is kept of it, while it runs."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Sequence

from accord_conformance.cases import Case
from accord_conformance.errors import SuiteError
from accord_conformance.journal import Journal
from accord_conformance.results import Played, Run
from accord_conformance.running import is_late
from accord_conformance.standards import LEVELS

__all__ = ["Teller", "print_totals"]


class Teller:
    """Says what came of each case: failures always, all of it when asked; a running count on a terminal."""

    def __init__(
        self, cases: dict[str, Case], number: int, verbose: bool, journals: Sequence[Journal]
    ) -> None:
        self.all = number
        self.played: dict[tuple[str, str], Played] = {}
        self._late: set[tuple[str, str]] = set()
        self._journals = list(journals)
        self._cases = cases
        self._verbose = verbose
        self._lock = threading.Lock()

    def told(self, played: Played) -> None:
        """One more result; from any thread."""
        case = self._cases[played.case]
        with self._lock:
            key = (played.case, played.tool)
            if is_late(played) and key not in self._late:
                self._late.add(key)  # it says nothing until it is asked again
                self._clear()
                print(f"{'hung':<14} {played.tool:<12} {played.case}  (is asked again at the end, alone)")
                return
            self.played[key] = played
            self._keep(played)
            if self._verbose or played.verdict in ("fail", "error"):
                self._clear()
                print(f"{_word(played, case):<14} {played.tool:<12} {played.case}  ({', '.join(case.rules)})")
                _details(played, case, self._verbose)
            if sys.stderr.isatty():
                print(f"\r{len(self.played)} of {self.all} played ", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """All is said: the count goes."""
        self._clear()

    def _keep(self, played: Played) -> None:
        for journal in list(self._journals):
            try:
                journal.add(played)
            except SuiteError as error:  # the run may still end well
                self._journals.remove(journal)
                self._clear()
                print(f"accord-conformance: {error}; if the run is killed, it is lost", file=sys.stderr)

    def _clear(self) -> None:
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _word(played: Played, case: Case) -> str:
    return f"{played.verdict} {case.level}" if played.verdict == "fail" else played.verdict


def _details(played: Played, case: Case, verbose: bool) -> None:
    print(f"    {case.title}")
    if played.error:
        print(f"    {played.error}")
    for step in played.steps:
        if verbose:
            for command in step.commands:
                print(f"    $ {' '.join(command)}")
            value = "" if step.value is None else f": {step.value!r}"
            print(f"    {step.do}: {step.outcome}{value}")
            for line in step.message.splitlines()[-12:]:
                print(f"      {line}")
        for finding in step.findings:
            if verbose or not finding.ok:
                mark = "ok " if finding.ok else "BAD"
                print(f"    {mark} {finding.what}: expected {finding.expected!r}, found {finding.found!r}")


def print_totals(run: Run, cases: dict[str, Case]) -> None:
    """A line for each tool."""
    for tool, facts in run.tools.items():
        counts: Counter[str] = Counter()
        for played in run.results:
            if played.tool == tool:
                failed = played.verdict == "fail"
                counts[f"failed {cases[played.case].level}" if failed else _counted(played.verdict)] += 1
        said = (
            ", ".join(f"{number} {word}" for word, number in sorted(counts.items(), key=_first))
            or "nothing was played"
        )
        print(f"{facts['title']} {facts['version']}: {said}")


def _first(counted: tuple[str, int]) -> tuple[int, str]:
    """What went wrong is told first, MUST before SHOULD."""
    word = counted[0]
    wrong = ["errors of the suite", *(f"failed {level}" for level in LEVELS), "passed"]
    return (wrong.index(word) if word in wrong else len(wrong), word)


def _counted(verdict: str) -> str:
    names = {
        "pass": "passed",
        "seen": "survey",
        "unsupported": "unsupported",
        "void": "void",
        "error": "errors of the suite",
    }
    return names.get(verdict, "disputed")
