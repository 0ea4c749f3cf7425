"""Accord, as it is installed beside these tests, fails no sentence with MUST in any role it plays.

A SHOULD it does not follow stands in ``REASONS`` with its decision record, and must fail: an entry that passes again is taken out.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest

from accord_conformance.adapters import read_adapters
from accord_conformance.cases import Case, read_cases
from accord_conformance.results import Played
from accord_conformance.running import play_all
from accord_conformance.standards import read_standards
from accord_conformance.testing import tool_here

ROOT = Path(__file__).parents[2]
# The case of a SHOULD that Accord does not follow: the record that says why.
REASONS: dict[str, str] = {
    "client/versions/json-newer-minor-warning": "0048",
    "client/versions/html-newer-minor-warning": "0048",
    "installer/unpack/newer-minor-warned": "0048",
    "installer/uninstall/shown-name": "0048",
}

ROLES = read_adapters()["accord"].parts
CASES = [case for case in read_cases(read_standards()) if case.role in ROLES]
FILES = {file: list(cases) for file, cases in groupby(CASES, key=lambda case: case.id.rpartition("/")[0])}


def told(played: Played) -> str:
    """A failure in words."""
    wrong = [finding for step in played.steps for finding in step.findings if not finding.ok]
    words = [f"{finding.what}: expected {finding.expected}, found {finding.found}" for finding in wrong]
    return "\n    ".join([f"{played.case}: {played.verdict} {played.error}", *words])


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_accord_follows_the_sentences(file: str) -> None:
    cases: dict[str, Case] = {case.id: case for case in FILES[file]}
    results = play_all([tool_here("accord")], list(cases.values()), 1, lambda played: None)

    assert not [told(each) for each in results if each.verdict == "error"]
    failed = {each.case: told(each) for each in results if each.verdict == "fail"}
    assert not [words for name, words in failed.items() if cases[name].level == "MUST"]
    assert {name for name in failed if cases[name].level != "MUST"} == set(REASONS) & set(cases)


def test_every_reason_is_a_decision_record() -> None:
    for record in REASONS.values():
        assert list((ROOT / "docs" / "decisions").glob(f"{record}-*.md"))
