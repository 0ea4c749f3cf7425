"""The vectors of purl and vers: what goes in and what comes out, as JSON that others keep for every language.

A vector is played as a case is, with a case's report of what was expected and found; it names no rule of ours, so it counts in no share.  Who reads or writes
purls and vers has a program of its own (conformance/programs).  A vers range is but constraints on versions: a version library that compares them is asked for
the comparisons, and the rest is the algorithm of the vers specification ("Checking if a version is contained within a range"), here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cmp_to_key
from itertools import pairwise
from pathlib import Path
from typing import Any

from accord_conformance.cases import Case, Step
from accord_conformance.errors import SuiteError
from accord_conformance.protocol import Answer, Player, Request

__all__ = ["Ranges", "Vector", "purl_vectors", "vector_cases", "vers_vectors"]

_ROLE = "version-library"
_PARTS = ("type", "namespace", "name", "version", "qualifiers", "subpath")
_COMPARATORS = (">=", "<=", "!=", "<", ">", "=")
Vector = tuple[str, str, Mapping[str, Any], Mapping[str, Any]]  # name, verb, arguments, what is expected


def purl_vectors(root: Path) -> Iterator[Vector]:
    """Of a checkout of purl-spec (pypi and what holds for all types), or of the sdist of packageurl-python, which carries the older single file."""
    older = root / "tests" / "data" / "test-suite-data.json"
    if older.is_file():
        for number, test in enumerate(json.loads(older.read_text("utf-8")), 1):
            name, refused = f"{number} {test['description']}", {"outcome": "refused"}
            wanted = refused if test["is_invalid"] else {"value": test["canonical_purl"]}
            yield name, "purl-normalise", {"purl": test["purl"]}, wanted
            # Of parts that are wrong the library's own test asks nothing.
            if not test["is_invalid"]:
                yield name, "purl-build", {"parts": {key: test[key] for key in _PARTS}}, wanted
        return
    for file in ("tests/spec/specification-test.json", "tests/types/pypi-test.json"):
        for number, test in enumerate(_tests(root / file), 1):
            given = test["input"]
            verb = {"parse": "purl-parse", "build": "purl-build"}.get(test["test_type"], "purl-normalise")
            arguments = {"parts": given} if isinstance(given, dict) else {"purl": given}
            yield f"{Path(file).stem} {number} {test['description']}", verb, arguments, _wanted(test)


def vers_vectors(root: Path) -> Iterator[Vector]:
    """Of pypi, in a checkout of vers-spec or in the sdist of univers."""
    inside = root / "tests" / "data" / "schema" / "range"
    for path in sorted((inside if inside.is_dir() else root / "tests").glob("pypi_range_*.json")):
        for number, test in enumerate(_tests(path), 1):
            given = test["input"]
            if test["test_type"] == "containment":
                verb, arguments = "vers-contains", dict(given)
            elif test["test_type"] == "from_native":
                verb, arguments = "vers-from-native", {"specifier": given["native_range"]}
            else:
                verb, arguments = (
                    "vers-normalise",
                    {"vers": given if isinstance(given, str) else given["vers"]},
                )
            yield f"{path.stem} {number} {json.dumps(given)}", verb, arguments, _wanted(test)


def _tests(path: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SuiteError(str(path), error.strerror or str(error)) from error
    tests: list[dict[str, Any]] = found["tests"] if isinstance(found, dict) else found
    return tests


def _wanted(test: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"outcome": "refused"} if test.get("expected_failure") else {"value": test["expected_output"]}


def vector_cases(name: str, vectors: Iterator[Vector]) -> list[Case]:
    """The vectors as cases."""
    return [
        Case(
            f"{name}/{title}",
            _ROLE,
            title,
            (),
            "MUST",
            "verdict",
            {},
            (Step(verb, arguments, wanted),),
            (),
            "",
            "",
        )
        for title, verb, arguments, wanted in vectors
    ]


class Ranges:
    """A player that answers for vers ranges with the comparisons of a version library; what is not of ranges, it passes on."""

    def __init__(self, library: Player) -> None:
        self._library = library

    def ask(self, request: Request) -> Answer:
        compare = _Comparing(self._library, request)
        try:
            if request.do == "vers-contains":
                return Answer("done", _contains(request.values["vers"], request.values["version"], compare))
            if request.do == "vers-normalise":
                return Answer("done", _normalised(request.values["vers"], compare))
        except _NoComparison as error:
            return error.answer
        return self._library.ask(request)

    def close(self) -> None:
        self._library.close()


class _NoComparison(Exception):
    """The library gave no order."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.message)
        self.answer = answer


class _Comparing:
    """How the library orders two versions: below 0, 0, above 0."""

    def __init__(self, library: Player, request: Request) -> None:
        self._library = library
        self._request = request

    def __call__(self, left: str, right: str) -> int:
        values = {**self._request.values, "left": left, "right": right}
        answer = self._library.ask(replace(self._request, do="compare-versions", values=values))
        if answer.outcome != "done" or answer.value not in ("<", "=", ">"):
            raise _NoComparison(answer)
        return "<=>".index(answer.value) - 1


Compare = Callable[[str, str], int]


def _constraints(vers: str) -> list[tuple[str, str]]:
    found = []
    for text in vers.partition("/")[2].split("|"):
        comparator = next((each for each in _COMPARATORS if text.startswith(each)), "")
        found.append((comparator or "=", text[len(comparator) :]))
    return found


def _normalised(vers: str, compare: Compare) -> str:
    """The constraints in the order of their versions."""
    head, _, constraints = vers.partition("/")
    if constraints == "*":
        return vers

    def by_version(one: tuple[str, str], two: tuple[str, str]) -> int:
        return compare(one[1], two[1])

    ordered = sorted(_constraints(vers), key=cmp_to_key(by_version))
    return f"{head}/" + "|".join(version if sign == "=" else sign + version for sign, version in ordered)


def _contains(vers: str, version: str, compare: Compare) -> bool:
    if vers.endswith("/*"):
        return True
    signs = {sign for sign, each in _constraints(vers) if compare(version, each) == 0}
    if signs:
        return bool(signs & {"=", "<=", ">="})
    bounds = [each for each in _constraints(_normalised(vers, compare)) if each[0] not in ("=", "!=")]
    if not bounds:
        return all(sign == "!=" for sign, _ in _constraints(vers))
    (first, lowest), (last, highest) = bounds[0], bounds[-1]
    if first.startswith("<") and compare(version, lowest) < 0:
        return True
    if last.startswith(">") and compare(version, highest) > 0:
        return True
    return any(
        below[0].startswith(">")
        and above[0].startswith("<")
        and compare(version, below[1]) > 0 > compare(version, above[1])
        for below, above in pairwise(bounds)
    )
