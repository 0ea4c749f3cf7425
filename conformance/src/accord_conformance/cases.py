"""Cases as data: what is given, what is done, what must come of it.

One file a topic in ``cases/<folder>/``; all cases of a file are of one role.  A case names the rules it asks about.  Its *kind*:

verdict   the standard decides: pass or fail
disputed  the sentence can be read in two ways: both readings are written down, which one a tool follows is shown, nothing is counted
survey    the standard is silent: what tools do is shown, nothing is counted

What may stand in ``given``, in a step and in ``expect`` is for the role to say (``roles``), which refuses what it does not know.  ``where`` in a step's ``expect`` is
a condition in the same words: a tool of which it does not hold has no such function (a server that lengthens no session), and is not asked on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accord_conformance.errors import SuiteError
from accord_conformance.reading import DATA, Table, read_toml
from accord_conformance.standards import LEVELS, ROLES, Standards

__all__ = ["KINDS", "Case", "Reading", "Step", "read_cases"]

KINDS = ("verdict", "disputed", "survey")
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Step:
    """One request to the tool, and what must come of it."""

    do: str  # a verb of the role
    arguments: Mapping[str, Any]
    expect: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a disputed sentence: in words, and what a tool that reads so would do in the last step."""

    says: str
    expect: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """A question to a tool of one role."""

    id: str  # folder/file/name
    role: str
    title: str
    rules: tuple[str, ...]
    level: str  # the strongest of its rules'
    kind: str
    given: Mapping[str, Any]
    steps: tuple[Step, ...]
    readings: tuple[Reading, ...]
    twin: str  # the id of the honest case that makes a refusal mean something
    why: str  # for a reader who doubts: how the sentence leads to the expectation
    after: str = ""  # the id of the earlier case of the file that must end as expected for a failure of this one to count: one cause is counted once

    @property
    def refused(self) -> bool:
        """Whether the tool must refuse something."""
        return any(step.expect.get("outcome") == "refused" for step in self.steps)


def read_cases(standards: Standards, folder: Path = DATA / "cases") -> tuple[Case, ...]:
    """Every case below ``folder``, in the order of the files; SuiteError for one out of form or with an unknown rule."""
    cases: dict[str, Case] = {}
    for path in sorted(folder.glob("*/*.toml")):
        document = Table(f"{path.parent.name}/{path.name}", read_toml(path))
        role = document.one_of("role", ROLES)
        given, twin = document.take("given", dict, {}), document.take("twin", str, "")
        for values in document.take("case", list):
            case = _case(f"{path.parent.name}/{path.stem}", role, given, twin, values, standards)
            if case.id in cases:
                raise SuiteError(case.id, "two cases have this id")
            if case.after and (
                case.after not in cases or case.after.rpartition("/")[0] != case.id.rpartition("/")[0]
            ):
                raise SuiteError(case.id, f"{case.after} is no earlier case of this file")
            cases[case.id] = case
        document.done()
    for case in cases.values():
        _check_twin(case, cases)
    return tuple(cases.values())


def _check_twin(case: Case, cases: Mapping[str, Case]) -> None:
    """A refusal needs an honest twin: a tool that refuses everything follows no standard.

    Libraries are asked so many small things that they need none.
    """
    if case.twin and case.twin not in cases:
        raise SuiteError(
            case.id, f"there is no case {case.twin}, its twin: an honest case of this file, or FOLDER/FILE/ID"
        )
    if case.twin and cases[case.twin].role != case.role:
        raise SuiteError(case.id, f"its twin {case.twin} is a case of another role")
    if case.refused and not case.twin and case.kind == "verdict" and case.role != "version-library":
        raise SuiteError(case.id, "a case that must be refused names its honest twin")


def _case(
    file: str, role: str, common: Mapping[str, Any], twin: str, values: object, standards: Standards
) -> Case:
    table = Table(f"{file} [[case]]", values)
    name = table.take("id", str)
    table.where = f"{file}/{name}"
    if not _ID.fullmatch(name):
        raise SuiteError(table.where, "a case's id is lower-case words joined by hyphens")
    rules = table.texts("rules")
    if not rules:
        raise SuiteError(table.where, "a case names the rules it asks about")
    for rule in rules:
        if rule not in standards.rules:
            raise SuiteError(table.where, f"there is no rule {rule}")
    kind = table.one_of("kind", KINDS, "verdict")
    case = Case(
        f"{file}/{name}",
        role,
        table.take("title", str),
        rules,
        min((standards.rules[rule].level for rule in rules), key=LEVELS.index),
        kind,
        _together(common, table.take("given", dict, {})),
        _steps(table),
        tuple(_reading(table.where, each) for each in table.take("reading", list, [])),
        _other(file, name, table.take("twin", str, twin)),
        table.take("why", str, ""),
        _other(file, name, table.take("after", str, "")),
    )
    table.done()
    if (kind == "disputed") != (len(case.readings) >= 2):
        raise SuiteError(table.where, "a disputed case, and no other, has two readings or more")
    if kind == "verdict" and not any(step.expect for step in case.steps):
        raise SuiteError(table.where, "nothing is expected of this case")
    return case


def _together(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """What a file gives to all its cases, and what a case adds: two tables of one name are one, but for a world, which is whole."""
    return {
        word: {**common[word], **own[word]}
        if word != "world" and isinstance(common.get(word), dict) and isinstance(own.get(word), dict)
        else own.get(word, common.get(word))
        for word in {**common, **own}
    }


def _other(file: str, name: str, said: str) -> str:
    """The whole id of a case that another names; a case is not its own twin."""
    whole = said if "/" in said else f"{file}/{said}"
    return whole if said and whole != f"{file}/{name}" else ""


def _steps(table: Table) -> tuple[Step, ...]:
    """The steps; a case of one step may write ``do``, ``with`` and ``expect`` at its top."""
    steps: Sequence[object] = table.take("step", list, [])
    if steps:
        return tuple(_step(table.where, each) for each in steps)
    return (Step(table.take("do", str), table.take("with", dict, {}), table.take("expect", dict, {})),)


def _step(where: str, values: object) -> Step:
    table = Table(f"{where} [[step]]", values)
    step = Step(table.take("do", str), table.take("with", dict, {}), table.take("expect", dict, {}))
    table.done()
    return step


def _reading(where: str, values: object) -> Reading:
    table = Table(f"{where} [[reading]]", values)
    reading = Reading(table.take("says", str), table.take("expect", dict))
    table.done()
    return reading
