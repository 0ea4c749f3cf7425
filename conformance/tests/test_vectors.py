"""Vectors of others: a library with a wrong order is found by them, an honest one passes, and what is not asked is no pass."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from accord_conformance.adapters import player
from accord_conformance.protocol import Answer, Request
from accord_conformance.running import play_case
from accord_conformance.testing import Faulty, tool_here
from accord_conformance.vectors import Ranges, purl_vectors, vector_cases, vers_vectors

RANGES = [
    ("containment", {"vers": "vers:pypi/<=1.3.0|3.0.0", "version": "1.0.0"}, True),
    ("containment", {"vers": "vers:pypi/>=1.0|<=2.0", "version": "2.0.post1"}, False),
    ("containment", {"vers": "vers:pypi/>=2.0|!=2.3", "version": "2.3"}, False),
    ("containment", {"vers": "vers:pypi/>=1.0|<=2.0", "version": "1.0rc1"}, False),
    ("containment", {"vers": "vers:pypi/<1.0|>=2.0", "version": "3.0"}, True),
    ("containment", {"vers": "vers:pypi/!=2.3", "version": "2.4"}, True),
    ("containment", {"vers": "vers:pypi/*", "version": "2.4"}, True),
    ("roundtrip", {"vers": "vers:pypi/<2.10|0.9|>2.9"}, "vers:pypi/0.9|>2.9|<2.10"),
    ("from_native", {"native_range": ">= 1.0", "scheme": "pypi"}, "vers:pypi/>=1.0"),
]
ACCORD = tool_here("accord")


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Vectors in the form and the place in which others keep them."""
    root = tmp_path_factory.mktemp("sdist")
    folder = root / "tests" / "data" / "schema" / "range"
    folder.mkdir(parents=True)
    tests = [{"test_type": kind, "input": given, "expected_output": out} for kind, given, out in RANGES]
    (folder / "pypi_range_all.json").write_text(json.dumps(tests), encoding="utf-8")
    return root


def verdicts(root: Path, damage: Callable[[Request, Answer], Answer]) -> list[str]:
    asked = Ranges(Faulty(player(ACCORD.adapter, "version-library", ACCORD.bin), damage))
    try:
        return [play_case(ACCORD, case, asked).verdict for case in vector_cases("vers", vers_vectors(root))]
    finally:
        asked.close()


def test_a_library_that_orders_versions_rightly_passes_and_what_it_lacks_is_no_pass(sdist: Path) -> None:
    assert verdicts(sdist, lambda request, answer: answer) == ["pass"] * 8 + ["unsupported"]


@pytest.mark.parametrize(
    "found",
    [
        lambda left, right: "=",
        lambda left, right: "<" if left < right else ">" if left > right else "=",  # as texts
        lambda left, right: "<" if left.partition("rc")[0] < right.partition("post")[0] else "=",
        lambda left, right: None,
    ],
)
def test_a_library_that_orders_them_wrongly_is_found(
    sdist: Path, found: Callable[[str, str], str | None]
) -> None:
    def damage(request: Request, answer: Answer) -> Answer:
        if request.do != "compare-versions":
            return answer
        return replace(answer, value=found(request.values["left"], request.values["right"]))

    assert "fail" in verdicts(sdist, damage)


def test_both_forms_of_the_vectors_of_purl_are_read(tmp_path: Path) -> None:
    older, newer = tmp_path / "older", tmp_path / "newer"
    parts = dict.fromkeys(("type", "namespace", "name", "version", "qualifiers", "subpath"))
    (older / "tests" / "data").mkdir(parents=True)
    each = {"description": "d", "purl": "pkg:pypi/A_b", "canonical_purl": "pkg:pypi/a-b", **parts}
    wrong = {**each, "purl": "pkg:", "is_invalid": True}
    (older / "tests/data/test-suite-data.json").write_text(json.dumps([{**each, "is_invalid": False}, wrong]))
    for folder, name in (("spec", "specification-test.json"), ("types", "pypi-test.json")):
        (newer / "tests" / folder).mkdir(parents=True)
        test = {"description": "d", "test_type": "parse", "input": "pkg:", "expected_failure": True}
        (newer / "tests" / folder / name).write_text(json.dumps({"tests": [test]}))

    assert [(verb, wanted) for _, verb, _, wanted in purl_vectors(older)] == [
        ("purl-normalise", {"value": "pkg:pypi/a-b"}),
        ("purl-build", {"value": "pkg:pypi/a-b"}),
        ("purl-normalise", {"outcome": "refused"}),
    ]
    assert [(verb, wanted) for _, verb, _, wanted in purl_vectors(newer)] == [
        ("purl-parse", {"outcome": "refused"})
    ] * 2
