"""Wrong resolvers, each with one seeded fault: the suite finds every one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from accord_conformance.protocol import Answer, Request
from accord_conformance.testing import Damage, agreeing, cases_like, failures, tool_here


def choosing(name: str, version: str) -> Damage:
    """Chooses another version of a project, or a project besides."""
    return lambda request, answer: replace(answer, value={**(answer.value or {}), name: version})


def without(name: str) -> Damage:
    """Forgets a project."""
    return lambda request, answer: replace(
        answer, value={key: each for key, each in (answer.value or {}).items() if key != name}
    )


def refusing(request: Request, answer: Answer) -> Answer:
    return replace(answer, outcome="refused", value=None)


FAULTS: dict[str, tuple[str, Damage]] = {
    "takes an earlier version": ("resolver/choose/plain", choosing("demo", "1.1")),
    "takes a pre-release": ("resolver/choose/pre-left-out", choosing("demo", "2.0b1")),
    "takes a developmental release": ("resolver/choose/dev-left-out", choosing("demo", "2.0.dev3")),
    "takes no pre-release ever": ("resolver/choose/pre-exact", refusing),
    "passes over a clause": ("resolver/choose/all-clauses", choosing("demo", "1.2")),
    "sorts versions as words": ("resolver/choose/latest-by-order", choosing("demo", "1.9")),
    "knows no epochs": ("resolver/choose/epoch", choosing("demo", "2024.1")),
    "passes over local labels": ("resolver/choose/local-same", choosing("demo", "1.0+two")),
    "has an answer to everything": ("resolver/choose/contradiction", agreeing),
    "forgets dependencies": ("resolver/needs/plain", without("lib")),
    "passes over what is not there": ("resolver/choose/not-there", agreeing),
    "takes no post-release": ("resolver/choose/post", choosing("demo", "0.9")),
    "finds nothing where pre-releases are forbidden": ("resolver/choose/pre-forbidden", refusing),
    "takes another file than the URL's": ("resolver/needs/url", choosing("demo", "2.0")),
    "believes an sdist what is Dynamic": ("resolver/needs/sdist-dynamic", without("more")),
    "resolves every group": ("resolver/needs/group", choosing("more", "1.0")),
    "takes two versions apart": ("resolver/needs/step-back", choosing("lib", "2.0")),
    "forgets the extra": ("resolver/needs/extra", without("more")),
    "takes every extra": ("resolver/needs/extra-not-asked", choosing("more", "1.0")),
    "takes markers for true": ("resolver/needs/marker-false", choosing("lib", "1.0")),
    "takes markers for false": ("resolver/needs/marker-true", without("lib")),
    "passes over Requires-Python": ("resolver/needs/python-page", choosing("demo", "2.0")),
    "takes what is yanked": ("resolver/needs/yanked", choosing("demo", "2.0")),
    "expands no includes": ("resolver/needs/group-include", without("more")),
    "is content with a cycle": ("resolver/needs/group-cycle", agreeing),
    "chooses what does not go together": (
        "packse/incompatible-versions/direct-incompatible-versions",
        lambda request, answer: replace(answer, outcome="done", value={"a": "1.0.0", "b": "1.0.0"}),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_found(name: str) -> None:
    pattern, damage = FAULTS[name]
    cases = cases_like(pattern)
    tool = tool_here("accord")

    assert not failures(tool, cases), "the honest tool passes"
    assert failures(tool, cases, damage)
