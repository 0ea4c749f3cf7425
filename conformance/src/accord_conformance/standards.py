"""Rules: the testable sentences of the packaging standards, each with an id that never changes its meaning.

One file a standard in ``rules/``.  This room knows the form of a rule and that ids are unique; cases name rules, and
``without_case`` is how the suite says which sentences it does not ask about yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from accord_conformance.errors import SuiteError
from accord_conformance.reading import DATA, Table, read_toml

__all__ = ["LEVELS", "ROLES", "STANDINGS", "Rule", "Standard", "Standards", "read_standards"]

LEVELS = ("MUST", "SHOULD", "MAY")
# What a document is.  Who does as a draft says, or as there is no standard for, is told of it; no total of theirs has it.
STANDINGS = ("standard", "draft", "no standard", "rejected")
ROLES = (
    "installer",
    "locker",
    "version-library",
    "resolver",
    "backend",
    "frontend",
    "uploader",
    "index",
    "mirror",
    "environment-maker",
    "script-runner",
)
_ID = re.compile(r"[A-Z][A-Z0-9]*(?:\.[A-Z][A-Z0-9-]*)?\.[1-9][0-9]*")
_QUOTED_WORDS = 15


@dataclass(frozen=True, slots=True)
class Rule:
    """One testable sentence."""

    id: str
    standard: str
    level: str  # of LEVELS
    section: str  # the heading it stands under
    roles: tuple[str, ...]  # who can be asked
    says: str  # in our own words
    quote: str  # a few of the sentence's words
    unasked: str = ""  # why no case asks about it


@dataclass(frozen=True, slots=True)
class Standard:
    """A document of rules."""

    id: str
    title: str
    source: str
    peps: tuple[int, ...]
    read: date
    rules: tuple[Rule, ...]
    standing: str = STANDINGS[0]


@dataclass(frozen=True, slots=True)
class Standards:
    """All documents; ``rules`` by id."""

    standards: tuple[Standard, ...]
    rules: Mapping[str, Rule]

    def without_case(self, named: Iterable[str]) -> list[Rule]:
        """The rules that none of the ``named`` ids is."""
        asked = set(named)
        return [rule for rule in self.rules.values() if rule.id not in asked]


def read_standards(folder: Path = DATA / "rules") -> Standards:
    """Every ``*.toml`` in ``folder``; SuiteError for a rule out of form or an id used twice."""
    standards = tuple(_standard(path) for path in sorted(folder.glob("*.toml")))
    rules: dict[str, Rule] = {}
    for standard in standards:
        for rule in standard.rules:
            if rule.id in rules:
                raise SuiteError(rule.id, "two rules have this id")
            rules[rule.id] = rule
    return Standards(standards, rules)


def _standard(path: Path) -> Standard:
    document = Table(path.name, read_toml(path))
    head = Table(f"{path.name} [standard]", document.take("standard", dict))
    name = head.take("id", str)
    standard = Standard(
        name,
        head.take("title", str),
        head.take("source", str),
        tuple(head.take("peps", list, [])),
        head.take("read", date),
        tuple(_rule(path.name, name, each) for each in document.take("rule", list, [])),
        head.one_of("standing", STANDINGS, STANDINGS[0]),
    )
    head.done()
    document.done()
    return standard


def _rule(file: str, standard: str, values: object) -> Rule:
    table = Table(f"{file} [[rule]]", values)
    name = table.take("id", str)
    table.where = f"{file} {name}"
    if not _ID.fullmatch(name) or name.split(".")[0] != standard:
        raise SuiteError(table.where, f"an id is {standard}.NUMBER or {standard}.PART.NUMBER")
    rule = Rule(
        name,
        standard,
        table.one_of("level", LEVELS),
        table.take("section", str),
        table.texts("roles"),
        table.take("says", str),
        table.take("quote", str),
        table.take("unasked", str, ""),
    )
    table.done()
    for role in rule.roles:
        if role not in ROLES:
            raise SuiteError(table.where, f"{role!r} is no role: {', '.join(ROLES)}")
    if len(rule.quote.split()) > _QUOTED_WORDS:
        raise SuiteError(table.where, f"the quote is longer than {_QUOTED_WORDS} words")
    return rule
