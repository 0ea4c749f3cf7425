"""Wrong runners of scripts, each with one seeded fault: the suite finds every one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from accord_conformance.protocol import Answer, Request
from accord_conformance.testing import Damage, cases_like, failures, tool_here


def refusing(request: Request, answer: Answer) -> Answer:
    return replace(answer, outcome="refused", value=None, message="")


def printing(text: str) -> Damage:
    """The script ran, and its last line was this."""
    return lambda request, answer: replace(answer, outcome="done", value=text, message=text)


def reading_as_the_locale_says(request: Request, answer: Answer) -> Answer:
    """As a tool written in Python: in the C locale it reads UTF-8 all the same, unless that is turned off."""
    return refusing(request, answer) if request.environment.get("PYTHONUTF8") == "0" else answer


FAULTS: dict[str, tuple[str, Damage]] = {
    "runs nothing": ("runner/scripts/plain", printing("")),
    "forgets the specifier": ("runner/scripts/version", printing("ran 2.0")),
    "takes a marker for true": ("runner/scripts/marker-false", refusing),
    "runs without a dependency": ("runner/scripts/dependency-missing", printing("ran")),
    "runs with another version": ("runner/scripts/dependency-version-missing", printing("ran")),
    "runs whatever the Python": ("runner/scripts/requires-python-unfit", printing("ran")),
    "takes one of two blocks": ("runner/scripts/two-blocks", printing("ran")),
    "tells of two blocks, and runs all the same": (
        "runner/scripts/two-same-blocks",
        lambda request, answer: replace(answer, message="error: two blocks\nran"),
    ),
    "reads blocks of other types": ("runner/scripts/other-type", refusing),
    "reads blocks of other types beside the script's": ("runner/scripts/other-type-beside", refusing),
    "reads unclosed blocks": ("runner/scripts/unclosed", refusing),
    "takes two spaces for one": ("runner/scripts/two-spaces", refusing),
    "reads indented blocks": ("runner/scripts/indented", refusing),
    "takes a type that begins with script for it": ("runner/scripts/type-with-underscore", refusing),
    "ends a block at its first end": ("runner/scripts/precedence-of-end", refusing),
    "reads the file in the locale's encoding": (
        "runner/scripts/utf-8-in-c-locale",
        reading_as_the_locale_says,
    ),
    "wants to know every tool": ("runner/scripts/tool-table", refusing),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_found(name: str) -> None:
    pattern, damage = FAULTS[name]
    cases = cases_like(pattern)
    tool = tool_here("accord")

    assert not failures(tool, cases), "the honest tool passes"
    assert failures(tool, cases, damage)
