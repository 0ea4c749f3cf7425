"""Counts of a run: by tool and standard, by tool and role.  What is counted is in one place, so that no page counts otherwise.

Only cases of kind verdict count that no reader contests, and of these only pass and fail: what a tool has no function for says nothing about the standard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from accord_conformance.cases import Case
from accord_conformance.judging import Finding
from accord_conformance.results import Played, Run
from accord_conformance.reviews import Review
from accord_conformance.standards import LEVELS, ROLES, STANDINGS, Rule, Standard, Standards

__all__ = ["Book", "Share", "asked", "called", "reproduce", "sentence", "shortened", "wrong"]

_LONGEST = 120  # characters of what was expected or found
_FEW_WORDS = 3


@dataclass(frozen=True, slots=True)
class Share:
    """Passed out of counted, for one level."""

    passed: int
    counted: int

    def __str__(self) -> str:
        return f"{self.passed}/{self.counted}"

    @property
    def whole(self) -> bool:
        return self.passed == self.counted


@dataclass(slots=True)
class Book:
    """A run beside the rules and cases it was made of, with the ways to look things up in it."""

    run: Run
    standards: Standards
    cases: Mapping[str, Case]
    reviews: Mapping[str, Review]
    played: dict[str, dict[str, Played]] = field(default_factory=dict)  # by case, by tool
    _standings: dict[str, str] = field(init=False)  # by document, "" for a standard

    def __post_init__(self) -> None:
        self._standings = {
            each.id: "" if each.standing == STANDINGS[0] else each.standing
            for each in self.standards.standards
        }
        # A case that was renamed since the run has nothing to stand beside.
        for each in self.run.results:
            if each.case in self.cases:
                self.played.setdefault(each.case, {})[each.tool] = each

    def tools(self) -> Sequence[str]:
        """The tools that played anything, Accord's own last of all so that nobody reads it first."""
        asked = {each.tool for each in self.run.results}
        return sorted(
            (name for name in self.run.tools if name in asked), key=lambda name: (name == "accord", name)
        )

    def unknown(self) -> int:
        """How many results are of cases that this suite does not have."""
        return sum(each.case not in self.cases for each in self.run.results)

    def title(self, tool: str) -> str:
        return str(self.run.tools[tool]["title"])

    def roles(self, tool: str) -> list[str]:
        """The roles the tool played."""
        found = {
            self.cases[each.case].role
            for each in self.run.results
            if each.tool == tool and each.case in self.cases
        }
        return [name for name in ROLES if name in found]

    def cases_of(self, rule: Rule) -> list[Case]:
        return [case for case in self.cases.values() if rule.id in case.rules]

    def of_standard(self, standard: Standard) -> list[Case]:
        """The cases that name a rule of the standard."""
        ids = {rule.id for rule in standard.rules}
        return [case for case in self.cases.values() if ids & set(case.rules)]

    def of_standards(self, cases: Iterable[Case]) -> list[Case]:
        """Those of the cases that a total counts: what rests on a draft, or on no standard, is shown and not added up."""
        rules = self.standards.rules
        return [case for case in cases if not all(self.standing(rules[rule]) for rule in case.rules)]

    def standing(self, rule: Rule) -> str:
        """What its document is, where that is no standard: "draft" and the like."""
        return self._standings[rule.standard]

    def of_role(self, role: str) -> list[Case]:
        return [case for case in self.cases.values() if case.role == role]

    def share(self, tool: str, cases: Iterable[Case], level: str) -> Share:
        """What the tool passed of the cases of a level that count."""
        verdicts = [
            self.played[case.id][tool].verdict
            for case in cases
            if case.level == level and tool in self.played.get(case.id, {}) and not self.contested(case)
        ]
        passed = verdicts.count("pass")
        return Share(passed, passed + verdicts.count("fail"))

    def contested(self, case: Case) -> bool:
        """Whether one of two readers was not convinced of the case, and no third has settled it."""
        review = self.reviews.get(case.id)
        return review is not None and review.contested

    def failures(self, tool: str) -> list[tuple[Case, Played]]:
        """What the tool failed, MUST first."""
        found = [
            (case, self.played[case.id][tool])
            for case in self.cases.values()
            if tool in self.played.get(case.id, {})
            and self.played[case.id][tool].verdict == "fail"
            and not self.contested(case)
        ]
        return sorted(found, key=lambda pair: (LEVELS.index(pair[0].level), pair[0].id))

    def sentence(self, case: Case) -> Rule:
        """The rule a failure is told by: the first of the case's strongest."""
        rules = [self.standards.rules[name] for name in case.rules]
        return min(rules, key=lambda rule: LEVELS.index(rule.level))


def reproduce(book: Book, case: Case, tool: str) -> str:
    """The one command that shows a result again."""
    place = book.run.tools[tool].get("use")
    use = f" --use {tool}={place}" if place else ""
    return f"accord-conformance run --tool {tool}{use} --case {case.id} -v"


def wrong(played: Played) -> Finding | None:
    """What a failure is told by: the first thing that was not so in the last step."""
    return next((found for step in reversed(played.steps) for found in step.findings if not found.ok), None)


def called(standard: Standard, name: str) -> str:
    """The name of a document, with what it is where that is no standard."""
    return name if standard.standing == STANDINGS[0] else f"{name} ({standard.standing})"


def sentence(rule: Rule) -> str:
    """The words a rule is told by; where few of them are quoted, with what they mean."""
    quoted = f'"{rule.quote}"'
    return quoted if len(rule.quote.split()) > _FEW_WORDS else f"{rule.says.rstrip('.')} ({quoted})"


def shortened(text: str) -> str:
    """One line, cut between words where it is long."""
    line = " ".join(text.split())
    if len(line) <= _LONGEST:
        return line
    return (line[:_LONGEST].rpartition(" ")[0] or line[:_LONGEST]) + " …"


def asked(book: Book) -> str:
    """What the run is, in one sentence: how much of the suite was played, with whom, when."""
    counted = sum(book.cases[name].kind == "verdict" for name in book.played)
    part = "" if len(book.played) == len(book.cases) else f" (of {len(book.cases)} that the suite has)"
    rules = len({rule for name in book.played for rule in book.cases[name].rules})
    tools = len(book.tools())
    return (
        f"{len(book.played)} cases{part} about {rules} rules, {counted} of them decided by a sentence, asked of {tools} tool{'s' if tools != 1 else ''} "
        f"on {book.run.when[:10]} with Python {book.run.python}, {book.run.platform}."
    )
