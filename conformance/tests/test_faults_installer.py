"""Wrong installers, each with one seeded fault: the suite finds every one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from accord_conformance.protocol import Answer, Request
from accord_conformance.testing import Damage, agreeing, cases_like, failures, tool_here


def in_dist_info(name: str, change: Callable[[Path], None]) -> Damage:
    """Changes a file of the metadata folder after an honest installation."""

    def damage(request: Request, answer: Answer) -> Answer:
        if request.do == "install" and answer.outcome == "done":
            for path in Path(request.values["purelib"]).glob(f"*.dist-info/{name}"):
                change(path)
        return answer

    return damage


# Name: (the cases that must find it: an id or a rule, damage).
FAULTS: dict[str, tuple[str, Damage]] = {
    "takes a wheel with a wrong hash": ("installer/wheels/wrong-hash", agreeing),
    "writes no RECORD": ("installer/wheels/plain", in_dist_info("RECORD", Path.unlink)),
    "says nothing was done": (
        "installer/wheels/plain",
        lambda request, answer: replace(answer, outcome="refused"),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_found(name: str) -> None:
    pattern, damage = FAULTS[name]
    cases = [case for case in cases_like(pattern) if case.role == "installer"]
    tool = tool_here("accord")

    assert not failures(tool, cases), "the honest tool passes"
    assert failures(tool, cases, damage)
