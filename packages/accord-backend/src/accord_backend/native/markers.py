"""Environment markers (PEP 508, "Environment Markers"): checking and evaluating them without ``packaging``.

Values in, values out, but for :func:`environment`, which describes the running interpreter.  Versions are compared as
PEP 440 orders them (local parts aside), other values
are equal or not.  The tests ask ``packaging`` for the same answers.
"""

from __future__ import annotations

import re

from .. import rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping

__all__ = ["NAMES", "environment", "evaluate", "problem"]

NAMES = (
    "os_name", "sys_platform", "platform_machine", "platform_python_implementation", "platform_release",
    "platform_system", "platform_version", "python_version", "python_full_version", "implementation_name",
    "implementation_version",
)  # fmt: skip
_VERSIONS = ("implementation_version", "python_full_version", "python_version")
_DEEPEST = 32  # brackets inside brackets; nobody writes more than two
_TOKEN = re.compile(
    r"\s*(?:(?P<sign>[()])|(?P<op>===|~=|==|!=|<=|>=|<|>)|(?P<text>'[^']*'|\"[^\"]*\")|(?P<word>[a-z_]+))"
)
_COMPARED = {
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip


class _Fault(Exception):
    pass


def environment() -> dict[str, str]:
    """The markers of the interpreter that runs."""
    import os
    import platform
    import sys

    version = sys.implementation.version
    number = f"{version.major}.{version.minor}.{version.micro}"
    if version.releaselevel != "final":
        number += version.releaselevel[0].replace("c", "rc") + str(version.serial)
    return {
        "os_name": os.name,
        "sys_platform": sys.platform,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "python_full_version": platform.python_version(),
        "implementation_name": sys.implementation.name,
        "implementation_version": number,
    }


def problem(marker: str) -> str | None:
    """What is wrong with a marker, in words, or ``None``."""
    try:
        _Parser(marker, dict.fromkeys(NAMES, "0")).whole()
    except _Fault as fault:
        return str(fault)
    return None


def evaluate(marker: str, values: Mapping[str, str]) -> bool:
    """Whether the marker holds.  It must be one that :func:`problem` has nothing against."""
    return _Parser(marker, values).whole()


class _Parser:
    """Reads and decides at once; every part is read, so that a fault behind a decided part is found."""

    def __init__(self, marker: str, values: Mapping[str, str]) -> None:
        self.values = values
        self.tokens = list(_tokens(marker))
        self.place = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.place] if self.place < len(self.tokens) else ("end", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.place += 1
        return token

    def whole(self) -> bool:
        result = self.either(0)
        if self.peek()[0] != "end":
            raise _Fault(f"{self.peek()[1]!r} is not expected")
        return result

    def either(self, depth: int) -> bool:
        result = self.both(depth)
        while self.peek() == ("word", "or"):
            self.take()
            result = self.both(depth) or result
        return result

    def both(self, depth: int) -> bool:
        result = self.one(depth)
        while self.peek() == ("word", "and"):
            self.take()
            result = self.one(depth) and result
        return result

    def one(self, depth: int) -> bool:
        if self.peek() == ("sign", "("):
            if depth >= _DEEPEST:
                raise _Fault(f"more than {_DEEPEST} brackets inside each other")
            self.take()
            result = self.either(depth + 1)
            if self.take() != ("sign", ")"):
                raise _Fault("a ')' is missing")
            return result
        left, left_name = self.value()
        operator = self.operator()
        right, right_name = self.value()
        if left_name is None and right_name is None:
            raise _Fault("one side of a comparison must be a marker name")
        return _compare(left, operator, right, left_name or right_name or "")

    def value(self) -> tuple[str, str | None]:
        kind, text = self.take()
        if kind == "text":
            return text[1:-1], None
        if kind == "word" and text in self.values:
            return self.values[text], text
        raise _Fault(f"{text!r} is no marker name and no quoted text" if text else "it ends too early")

    def operator(self) -> str:
        kind, text = self.take()
        if kind == "op" or (kind, text) == ("word", "in"):
            return text
        if (kind, text) == ("word", "not") and self.take() == ("word", "in"):
            return "not in"
        raise _Fault(f"{text!r} is not a comparison" if text else "it ends too early")


def _tokens(marker: str) -> Any:
    place = 0
    marker = marker.rstrip()
    while place < len(marker):
        match = _TOKEN.match(marker, place)
        if match is None:
            raise _Fault(f"{marker[place:].strip()[:20]!r} is not understood")
        place = match.end()
        yield match.lastgroup, match[match.lastgroup or 0]


def _compare(left: str, operator: str, right: str, name: str) -> bool:
    if operator == "in":
        return left in right
    if operator == "not in":
        return left not in right
    if operator == "===":
        return left == right
    if name in _VERSIONS:
        wild = right.endswith(".*") and operator in ("==", "!=")
        one, other = _key(left), _key(right[:-2] if wild else right)
        if one is not None and other is not None:
            depth = len(other[1])
            one, other = _level(one, other), _level(other, one)
            if wild:
                return (one[1][:depth] == other[1][:depth]) is (operator == "==")
            if operator == "~=":
                return bool(one >= other) and one[1][: depth - 1] == other[1][: depth - 1]
            return bool(_COMPARED[operator](one, other))
    # Text has no order: what asks for one holds where both are the same or nowhere, as in packaging.
    return (left != right) if operator == "!=" else left == right and operator not in ("<", ">")


def _key(text: str) -> Any:
    """A sortable form of a version without its local part: (epoch, release, what follows)."""
    normal = rules.normal_version(text)
    if normal is None:
        return None
    match = re.match(
        r"(?:(\d+)!)?([\d.]+?)(?:(a|b|rc)(\d+))?(?:\.post(\d+))?(?:\.dev(\d+))?(?:\+.*)?$", normal
    )
    assert match is not None
    epoch, release, letter, number, post, dev = match.groups()
    before = (letter, int(number)) if letter else ("", 0) if dev and not post else ("z", 0)
    return (
        int(epoch or 0), tuple(map(int, release.split("."))),
        (before, -1 if post is None else int(post), float("inf") if dev is None else int(dev)),
    )  # fmt: skip


def _level(one: Any, other: Any) -> Any:
    """``one`` with zeros to the length of ``other``: 3.9 and 3.9.0 are equal (PEP 440, "Final releases")."""
    return (one[0], one[1] + (0,) * (len(other[1]) - len(one[1])), one[2])
