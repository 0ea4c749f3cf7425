"""Accord, as it is installed beside these tests, fails no sentence in any role it plays, but for those written down here.

Each sentence is asked once in each role: cases enough to name every rule.  ``CONFORMANCE=all`` plays all cases, as ``make conformance`` does.
A SHOULD it does not follow stands in ``REASONS`` with its decision record; what passes again is taken out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import pytest

from accord_conformance.adapters import read_adapters
from accord_conformance.cases import Case
from accord_conformance.results import Played
from accord_conformance.running import play_all
from accord_conformance.testing import every_case, tool_here

ROOT = Path(__file__).parents[2]
# The case of a SHOULD that Accord does not follow: the record that says why.
REASONS: dict[str, str] = {
    "client/versions/json-newer-minor-warning": "0048",
    "client/versions/html-newer-minor-warning": "0048",
    "installer/unpack/newer-minor-warned": "0048",
    "installer/metadata/newer-minor-warned": "0048",
    "installer/uninstall/shown-name": "0048",
    "locker/install/later-minor-unknown-key": "0048",
    "installer/metadata/overlapping-import-names": "0049",
    "frontend/bills/origin": "0049",
    "index/negotiation/same-version": "0049",
    "resolver/choose/pre-only-fits": "0049",
    "resolver/choose/pre-only-fits-deep": "0049",
    "resolver/choose/pre-prefix": "0049",
    "resolver/needs/group-others-unread": "0049",
}
OURS = ("accord", "accord-backend")


def enough(cases: Iterable[Case]) -> list[Case]:
    """Cases that name every rule the given ones name, in their order; of what decides nothing only what another comes after."""
    known = list(cases)
    deciding = [case for case in known if case.kind == "verdict"]
    if os.environ.get("CONFORMANCE") == "all":
        after = {case.after for case in deciding}
        return [case for case in known if case.kind == "verdict" or case.id in after]
    named: set[str] = set()
    chosen = set(REASONS)
    for case in sorted(deciding, key=lambda case: -len(case.rules)):
        if not named.issuperset(case.rules):
            named.update(case.rules)
            chosen |= {case.id, case.twin, case.after}
    return [case for case in known if case.id in chosen]


def played_by(tool: str) -> Iterator[tuple[str, Case]]:
    """What a tool of ours is asked."""
    for role in read_adapters()[tool].parts:
        for case in enough(case for case in every_case() if case.role == role):
            yield tool, case


CASES = [pair for tool in OURS for pair in played_by(tool)]
FILES = {
    key: [case for _, case in group]
    for key, group in groupby(CASES, key=lambda pair: (pair[0], pair[1].id.rpartition("/")[0]))
}


def told(played: Played) -> str:
    """A failure in words."""
    wrong = [finding for step in played.steps for finding in step.findings if not finding.ok]
    words = [f"{finding.what}: expected {finding.expected}, found {finding.found}" for finding in wrong]
    return "\n    ".join([f"{played.case}: {played.verdict} {played.error}", *words])


@pytest.mark.slow
@pytest.mark.parametrize(("tool", "file"), FILES)
def test_ours_follows_the_sentences(tool: str, file: str) -> None:
    cases: dict[str, Case] = {case.id: case for case in FILES[tool, file]}
    results = play_all([tool_here(tool)], list(cases.values()), 1, lambda played: None)

    assert not [told(each) for each in results if each.verdict == "error"]
    failed = {each.case: told(each) for each in results if each.verdict == "fail"}
    known = {name for name in REASONS if name in cases}
    assert not [words for name, words in failed.items() if name not in known]
    assert known <= set(failed), "what passes now is no longer owed"


def test_every_reason_is_a_decision_record() -> None:
    for record in REASONS.values():
        assert list((ROOT / "docs" / "decisions").glob(f"{record}-*.md"))
