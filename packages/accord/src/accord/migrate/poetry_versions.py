"""Poetry's version constraints in the words of the standard: carets, tildes, wildcards and alternatives.

``^1.2`` becomes ``>=1.2,<2.0``, with as many numbers as were written; alternatives (``||``) become one specifier with
the gaps left out where the gaps are whole minor versions, and are refused otherwise.
"""

from __future__ import annotations

import re
from itertools import pairwise

from packaging.specifiers import InvalidSpecifier, SpecifierSet

__all__ = ["marker_of", "specifier_of"]

_CLAUSE = re.compile(
    r"(\^|~=|~|===|==|!=|<=|>=|<|>|=)?\s*v?([0-9][0-9A-Za-z!+_-]*(?:\.[0-9A-Za-z!+_-]+)*(?:\.\*)?|\*)"
)
_RELEASE = re.compile(r"(?:\d+!)?(\d+(?:\.\d+)*)")


def specifier_of(text: str) -> str:
    """A constraint as a specifier (PEP 440), ``""`` for any version.  ValueError where there is none."""
    alternatives = [_clauses(each) for each in re.split(r"\s*\|\|?\s*", text.strip()) if each.strip()]
    if not alternatives or any(not each for each in alternatives):
        return ""
    if len(alternatives) == 1:
        return _checked(",".join(alternatives[0]))
    return _checked(_united(alternatives, text))


def _checked(specifier: str) -> str:
    try:
        SpecifierSet(specifier)
    except InvalidSpecifier as error:
        raise ValueError(str(error)) from error
    return specifier


def _clauses(text: str) -> list[str]:
    """One alternative as clauses; empty for any version."""
    found: list[str] = []
    at = 0
    text = text.strip().strip(",")
    while at < len(text):
        match = _CLAUSE.match(text, at)
        if match is None:
            raise ValueError(f"{text!r} is no constraint of Poetry's")
        found += _clause(match[1] or "", match[2])
        at = match.end()
        while at < len(text) and text[at] in " ,":
            at += 1
    return found


def _clause(sign: str, version: str) -> list[str]:
    if version == "*":
        return []
    if version.endswith(".*"):
        return [f"{'!=' if sign == '!=' else '=='}{version}"]
    if sign == "^":
        return [f">={version}", f"<{_next(version, caret=True)}"]
    if sign == "~":
        return [f">={version}", f"<{_next(version, caret=False)}"]
    return [f"{sign if sign not in ('', '=') else '=='}{version}"]


def _next(version: str, *, caret: bool) -> str:
    """The first version that is out of reach, with the numbers as written."""
    match = _RELEASE.match(version)
    if match is None:
        raise ValueError(f"{version!r} is no version")
    numbers = [int(part) for part in match[1].split(".")]
    if caret:
        place = next((at for at, number in enumerate(numbers) if number), len(numbers) - 1)
    else:
        place = min(1, len(numbers) - 1)
    return ".".join(
        str(number + 1 if at == place else number if at < place else 0) for at, number in enumerate(numbers)
    )


def _united(alternatives: list[list[str]], text: str) -> str:
    """Ranges ``>=a,<b`` one after the other, as one with ``!=x.y.*`` for the minor versions between them."""
    ranges: list[tuple[tuple[int, int], tuple[int, int] | None, str, str | None]] = []
    for clauses in alternatives:
        low = next((each[2:] for each in clauses if each.startswith(">=")), None)
        high = next(
            (each[1:] for each in clauses if each.startswith("<") and not each.startswith("<=")), None
        )
        if low is None or len(clauses) != (2 if high else 1):
            raise ValueError(f"{text!r} has alternatives that one specifier cannot hold")
        ranges.append((_minor(low), _minor(high) if high else None, low, high))
    ranges.sort(key=lambda each: each[0])
    found = [f">={ranges[0][2]}"]
    for before, after in pairwise(ranges):
        if before[1] is None or before[1] > after[0]:
            raise ValueError(f"{text!r} has alternatives that overlap")
        major, minor = before[1]
        if after[0][0] == major + 1 and before[0][0] == major:
            major, minor = (
                after[0][0],
                0,
            )  # nothing was released between the last of one major version and the next
        if major != after[0][0]:
            raise ValueError(f"{text!r} leaves out more than minor versions")
        found += [f"!={major}.{each}.*" for each in range(minor, after[0][1])]
    # Poetry writes no upper end of such a union into metadata either where it is the next major version of Python.
    high = ranges[-1][3]
    return ",".join([*found, *([f"<{high}"] if high and high != "4.0" else [])])


def _minor(version: str) -> tuple[int, int]:
    numbers = [int(part) for part in re.findall(r"\d+", version)[:2]]
    return numbers[0], numbers[1] if len(numbers) > 1 else 0


def _is_one_minor(low: str, high: str) -> bool:
    """``>=3.6,<3.7``, which ``python_version`` says as ``== "3.6"``."""
    start, end = re.fullmatch(r">=(\d+)\.(\d+)", low), re.fullmatch(r"<(\d+)\.(\d+)", high)
    return bool(start and end and start[1] == end[1] and int(start[2]) + 1 == int(end[2]))


def marker_of(text: str) -> str:
    """A constraint on the Python as a marker, ``""`` for any.  ValueError where there is none."""
    parts: list[str] = []
    for alternative in re.split(r"\s*\|\|?\s*", text.strip()):
        clauses = _clauses(alternative)
        if not clauses:
            return ""
        words = []
        if len(clauses) == 2 and _is_one_minor(*clauses):
            clauses = [f"=={clauses[0][2:]}"]
        for clause in clauses:
            match = re.fullmatch(r"(~=|===|==|!=|<=|>=|<|>)(.*)", clause)
            assert match is not None
            numbers = match[2].removesuffix(".*").split(".")
            # python_version of 3.7.5 is 3.7, which is not more than 3.7: such an end needs all three numbers.
            ends = match[1] in (">", "<=") and len(numbers) < 3
            version = ".".join([*numbers, "0", "0"][:3]) if ends else match[2]
            full = ends or len(numbers) > 2
            words.append(f'python_{"full_" if full else ""}version {match[1]} "{version}"')
        parts.append(" and ".join(words))
    return (
        parts[0]
        if len(parts) == 1
        else " or ".join(f"({each})" if " and " in each else each for each in parts)
    )
