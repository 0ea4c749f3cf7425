"""The suite's own data: in form, and at one with itself."""

from __future__ import annotations

import pytest

from accord_conformance.adapters import read_adapters
from accord_conformance.cases import read_cases
from accord_conformance.roles import check, role
from accord_conformance.standards import read_standards


def test_every_rule_and_case_is_in_form() -> None:
    for case in read_cases(read_standards()):
        check(case)


def test_of_a_rule_that_no_case_asks_about_is_said_why() -> None:
    standards = read_standards()
    asked = {rule for case in read_cases(standards) for rule in case.rules}

    assert [rule.id for rule in standards.rules.values() if bool(rule.unasked) == (rule.id in asked)] == []


# A mirror is an index to those who read it, and a client of the one above it.
ALSO = {"mirror": {"index", "installer"}}


def test_what_decides_a_case_binds_its_role() -> None:
    rules = read_standards().rules
    strange = [
        case.id
        for case in read_cases(read_standards())
        if case.kind == "verdict"
        and not any({case.role, *ALSO.get(case.role, ())} & set(rules[rule].roles) for rule in case.rules)
    ]

    assert strange == []


@pytest.mark.parametrize("name", read_adapters())
def test_an_adapter_names_only_verbs_that_its_roles_have(name: str) -> None:
    for played, part in read_adapters()[name].parts.items():
        assert set(part.verbs) <= set(role(played).verbs), played
        if part.program:
            assert (read_adapters()[name].folder / part.program).exists()
