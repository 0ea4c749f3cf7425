"""Wrong version libraries, each with one seeded fault: the suite finds every one."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from accord_conformance.adapters import player
from accord_conformance.protocol import Answer, Request
from accord_conformance.running import play_case
from accord_conformance.testing import Damage, Faulty, agreeing, cases_like, failures, tool_here

OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
}


def says(change: Callable[[Mapping[str, Any], Any], Any]) -> Damage:
    """Says something else: of what was asked, and what is right."""

    def damage(request: Request, answer: Answer) -> Answer:
        if answer.outcome != "done":
            return answer
        return replace(answer, value=change(request.values, answer.value))

    return damage


def always(value: Any) -> Damage:
    return says(lambda asked, right: value)


def with_part(name: str, value: Any) -> Damage:
    """Changes a part of what was read."""
    return says(lambda asked, right: {**right, name: value})


def ordered(one: Any, two: Any) -> str:
    return "<" if one < two else ">" if one > two else "="


def as_text(asked: Mapping[str, Any], right: Any) -> Any:
    return ordered(asked["left"], asked["right"])


def without_epochs(asked: Mapping[str, Any], right: Any) -> Any:
    return ordered(*(asked[side].rpartition("!")[2] for side in ("left", "right")))


def dev_is_newest(asked: Mapping[str, Any], right: Any) -> Any:
    return ordered("dev" in asked["left"], "dev" in asked["right"])


def marker_as_text(asked: Mapping[str, Any], right: Any) -> Any:
    """Compares the value of a field as text."""
    found = re.fullmatch('(\\w+) (\\S+) "(.*)"', asked["marker"])
    return OPERATORS[found[2]](asked["environment"][found[1]], found[3]) if found else right


def false_where_unknown(request: Request, answer: Answer) -> Answer:
    return replace(answer, outcome="done", value=False)


def refusing(request: Request, answer: Answer) -> Answer:
    return replace(answer, outcome="refused")


def name_up_to_a_separator(asked: Mapping[str, Any], right: Any) -> Any:
    return {**right, "name": re.split("[-_.]", right["name"])[0]}


def own_python_only(asked: Mapping[str, Any], right: Any) -> Any:
    return right and asked["tag"].startswith("cp" + asked["system"]["python"].replace(".", ""))


def not_of_its_major(asked: Mapping[str, Any], right: Any) -> Any:
    major, _, minor = asked["system"]["version"].partition(".")
    return right and (minor == "0" or f"_{major}_" not in asked["tag"])


FAULTS: dict[str, tuple[str, Damage]] = {
    "reads a description without its empty lines": (
        "metadata/read/plain",
        says(lambda asked, right: {**right, "description": right["description"].replace("\n\n", "\n")}),
    ),
    "reads no more than a megabyte of a description": (
        "metadata/read/large-description",
        says(lambda asked, right: min(right, 1 << 20)),
    ),
    "leaves versions as they are": (
        "versions/normal-form/case",
        says(lambda asked, right: asked["version"]),
    ),
    "leaves the v": ("versions/normal-form/v-normal", says(lambda asked, right: asked["version"])),
    "compares versions as text": ("versions/scheme/numbers-not-text", says(as_text)),
    "takes a developmental release for the newest": ("versions/order/dev", says(dev_is_newest)),
    "knows no epochs": ("versions/order/epoch", says(without_epochs)),
    "finds padding to matter": ("versions/order/padding", says(as_text)),
    "takes any word for a version": ("versions/scheme/words-2", agreeing),
    "takes digits of any script": ("versions/scheme/other-digits-1", agreeing),
    "takes an empty label": ("versions/local/empty-1", agreeing),
    "reads ~= as >=": ("specifiers/compatible/upper", always(True)),
    "takes ~= with one number": ("specifiers/compatible/single-segment-1", agreeing),
    "matches prefixes as text": (
        "specifiers/equal/prefix-components",
        says(lambda asked, right: asked["version"].startswith(asked["specifier"][2:-2])),
    ),
    "compares the label of a candidate": (
        "specifiers/equal/public-ignores-label",
        says(lambda asked, right: right and "+" not in asked["version"]),
    ),
    "takes a prefix of a developmental release": ("specifiers/equal/prefix-dev-1", agreeing),
    "excludes nothing": ("specifiers/exclude/exact", always(True)),
    "admits post-releases above": ("specifiers/exclusive/no-post", always(True)),
    "admits pre-releases below": ("specifiers/exclusive/no-pre", always(True)),
    "pads for ===": ("specifiers/arbitrary/string", always(True)),
    "matches prefixes with ===": ("specifiers/arbitrary/no-prefix", always(True)),
    "loses the clause after a comma with blanks": ("specifiers/clauses/space-around-commas", always(True)),
    "orders c before rc": ("versions/order/c", says(as_text)),
    "takes c1 for another version than rc1": ("versions/order/c-same-number", says(as_text)),
    "refuses zeros": ("versions/scheme/zeros", refusing),
    "takes a group reached twice for a cycle": ("versions/groups/include-diamond", refusing),
    "leaves an include of an include unread": (
        "versions/groups/include-deep",
        says(lambda asked, right: [each for each in right if each != "three"]),
    ),
    "ends a cycle that shows in normal form without an error": ("versions/groups/cycle-by-form", agreeing),
    "leaves out a table that is no include": ("versions/groups/unknown-table", agreeing),
    "loses extras": ("dependencies/form/extras", with_part("extras", [])),
    "loses markers": ("dependencies/form/marker", with_part("marker", False)),
    "ends a name at a separator": ("dependencies/form/names", says(name_up_to_a_separator)),
    "loses the URL": ("dependencies/urls/url", with_part("url", None)),
    "finds every marker true": ("markers/grammar/true-and-false", always(True)),
    "lets or bind closer than and": (
        "markers/grammar/precedence",
        says(lambda asked, right: "nt" not in asked["marker"].partition(" and ")[2]),
    ),
    "reads no quote marks in a string": (
        "markers/grammar/quote-in-string",
        says(lambda asked, right: right and '"' not in asked["environment"]["os_name"]),
    ),
    "finds what it does not know true": ("markers/fields/all", always(True)),
    "finds no string that looks like a version": ("markers/strings/looks-like-version", always(False)),
    "compares versions of Python as text": ("markers/versions/order", says(marker_as_text)),
    "orders strings": ("markers/strings/ordered", says(marker_as_text)),
    "finds an unknown field false": ("markers/fields/unknown-1", false_where_unknown),
    "replaces each separator alone": (
        "names/names/runs",
        says(lambda asked, right: re.sub("[-_.]", "-", asked["name"]).lower()),
    ),
    "leaves capital letters": ("names/names/lower", says(lambda asked, right: asked["name"])),
    "takes a name that starts with a separator": ("names/names/start-1", agreeing),
    "loses build tags": ("names/wheels/build", with_part("build", "")),
    "does not expand tags": ("names/wheels/compressed", with_part("tags", [])),
    "compares build tags as text": ("names/wheels/build-order", says(as_text)),
    "takes any file for an sdist": ("names/sdists/extension-1", agreeing),
    "asks nothing of glibc": ("tags/fits/glibc-older", always(True)),
    "wants generic Python of its own version": ("tags/fits/older", says(own_python_only)),
    "takes what is for a later Python": (
        "tags/fits/any",
        says(lambda asked, right: asked["tag"] != "py2-none-any"),
    ),
    "takes any major version": ("tags/fits/major", always(True)),
    "asks nothing of glibc for manylinux1": ("tags/fits/manylinux1", always(True)),
    "has the tag of its minor version of macOS alone": ("tags/fits/macos", says(not_of_its_major)),
    "asks nothing of macOS for two architectures": ("tags/fits/universal2-x86", always(True)),
    "takes the stable ABI of a later version": ("tags/fits/abi3-own", always(True)),
    "takes what is compiled for another Python": ("tags/fits/cpython", always(True)),
    "leaves pre-releases in": (
        "specifiers/prereleases/left-out",
        says(lambda asked, right: asked["versions"]),
    ),
    "leaves developmental releases in": (
        "specifiers/prereleases/dev-left-out",
        says(lambda asked, right: asked["versions"]),
    ),
    "leaves licences as they are": (
        "licences/expressions/case",
        says(lambda asked, right: asked["expression"]),
    ),
    "takes a licence that is not listed": ("licences/expressions/unlisted-1", agreeing),
    "knows the best place of its list alone": (
        "tags/best/example",
        says(lambda asked, right: right if right.startswith("cp312-cp312") else asked["tags"][0]),
    ),
    "takes the last, fit or not": ("tags/best/not-supported", says(lambda asked, right: asked["tags"][-1])),
    "chooses the last": ("tags/best/own-abi", says(lambda asked, right: asked["tags"][-1])),
}

# What Accord leaves to others is asked of packaging.
OF_PACKAGING = ("specifiers/prereleases/", "versions/groups/", "licences/", "metadata/")


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_found(name: str) -> None:
    case, damage = FAULTS[name]
    cases = cases_like(case)
    tool = tool_here("packaging" if case.startswith(OF_PACKAGING) else "accord")

    assert len(cases) == 1
    assert not failures(tool, cases), "the honest tool passes"
    assert failures(tool, cases, damage)


# What a library does with what is none of the language is disputed: which reading it follows is seen.
@pytest.mark.parametrize(
    "case_id",
    [
        "dependencies/form/more-1",  # does not read to the end
        "dependencies/form/empty-marker-1",
        "markers/grammar/line-break",  # takes it for white space
        "markers/grammar/no-comparison-1",  # takes a field for a marker
    ],
)
def test_who_takes_what_is_no_dependency_is_seen(case_id: str) -> None:
    (case,) = cases_like(case_id)
    tool = tool_here("accord")
    honest = player(tool.adapter, case.role, tool.bin)
    try:
        assert play_case(tool, case, honest).verdict == "reading-1"
        assert play_case(tool, case, Faulty(honest, agreeing)).verdict == "reading-2"
    finally:
        honest.close()
