"""Counts of a run: by tool and standard, by tool and role.  What is counted is in one place, so that no page counts otherwise.

Only cases of kind verdict count that no reader contests, and of these only pass and fail: what a tool has no function for says nothing about the standard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from accord_conformance.cases import Case
from accord_conformance.results import Played, Run
from accord_conformance.reviews import Review
from accord_conformance.standards import LEVELS, ROLES, Rule, Standard, Standards

__all__ = ["Book", "Share", "reproduce"]


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

    def __post_init__(self) -> None:
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


def reproduce(case: Case, tool: str) -> str:
    """The one command that shows a result again."""
    return f"accord-conformance run --tool {tool} --case {case.id} -v"
