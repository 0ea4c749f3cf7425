"""What an environment marker says of an environment, with the extras and groups of lock files (dependency specifiers specification).

For the suite's own oracles: which packages of a written lock would be installed where.  An environment is a table of the
marker fields; ``extras`` and ``dependency_groups`` are lists.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

from accord_conformance.names import normal
from accord_conformance.versions import admits, is_version

__all__ = ["ENVIRONMENTS", "MarkerError", "evaluate", "fields", "here"]

_TOKEN = re.compile(
    r"""\s*(?:(?P<sign>\(|\))|(?P<text>"[^"]*"|'[^']*')|(?P<operator>===|==|~=|!=|<=|>=|<|>|not\s+in\b|in\b)|(?P<word>[a-z_]+))\s*"""
)
_VERSIONS = ("python_version", "python_full_version", "implementation_version")
_SETS = ("extras", "dependency_groups")
FIELDS = (
    "os_name",
    "sys_platform",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "python_version",
    "python_full_version",
    "implementation_name",
    "implementation_version",
)


class MarkerError(ValueError):
    """No marker, or a field that the environment does not have."""


def _environment(python: str, platform: str, system: str, name: str, machine: str) -> dict[str, Any]:
    return {
        "os_name": name,
        "sys_platform": platform,
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": system,
        "platform_version": "",
        "python_version": python,
        "python_full_version": f"{python}.7",
        "implementation_name": "cpython",
        "implementation_version": f"{python}.7",
    }


def here() -> dict[str, Any]:
    """The environment of the suite's own Python, on Linux."""
    major, minor, micro = sys.version_info[:3]
    found = _environment(f"{major}.{minor}", "linux", "Linux", "posix", "x86_64")
    full = f"{major}.{minor}.{micro}"
    return {**found, "python_full_version": full, "implementation_version": full}


# By a name a case can use.
ENVIRONMENTS: dict[str, dict[str, Any]] = {
    f"{label}-{python}": _environment(python, *rest)
    for python in ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
    for label, rest in {
        "linux": ("linux", "Linux", "posix", "x86_64"),
        "windows": ("win32", "Windows", "nt", "AMD64"),
        "macos": ("darwin", "Darwin", "posix", "arm64"),
    }.items()
}


def fields(marker: str) -> set[str]:
    """The names of the fields a marker speaks of."""
    return {token[1] for token in _tokens(marker) if token[0] == "word" and token[1] not in ("and", "or")}


def evaluate(marker: str, environment: Mapping[str, Any]) -> bool:
    """Whether the marker is true there; MarkerError for one that cannot be read."""
    tokens = [*_tokens(marker), ("end", "")]
    value = _either(tokens, environment)
    if tokens[0][0] != "end":
        raise MarkerError(marker)
    return value


def _tokens(marker: str) -> list[tuple[str, str]]:
    tokens = []
    position = 0
    while position < len(marker):
        found = _TOKEN.match(marker, position)
        if found is None or found.lastgroup is None:
            raise MarkerError(marker)
        tokens.append((found.lastgroup, re.sub(r"\s+", " ", found[found.lastgroup])))
        position = found.end()
    return tokens


def _either(tokens: list[tuple[str, str]], environment: Mapping[str, Any]) -> bool:
    value = _both(tokens, environment)
    while tokens[0] == ("word", "or"):
        tokens.pop(0)
        value = _both(tokens, environment) or value
    return value


def _both(tokens: list[tuple[str, str]], environment: Mapping[str, Any]) -> bool:
    value = _one(tokens, environment)
    while tokens[0] == ("word", "and"):
        tokens.pop(0)
        value = _one(tokens, environment) and value
    return value


def _one(tokens: list[tuple[str, str]], environment: Mapping[str, Any]) -> bool:
    if tokens[0] == ("sign", "("):
        tokens.pop(0)
        value = _either(tokens, environment)
        if tokens.pop(0) != ("sign", ")"):
            raise MarkerError("a parenthesis is not closed")
        return value
    left, operator, right = (tokens.pop(0) if tokens else ("end", "") for _ in range(3))
    if operator[0] != "operator":
        raise MarkerError(f"no operator: {operator[1]!r}")
    return _compare(left, operator[1], right, environment)


def _compare(
    left: tuple[str, str], operator: str, right: tuple[str, str], environment: Mapping[str, Any]
) -> bool:
    one, other = _value(left, environment), _value(right, environment)
    if right[1] in _SETS:
        return (normal(str(one)) in map(normal, other)) is (operator == "in")
    if operator in ("in", "not in"):
        return (str(one) in str(other)) is (operator == "in")
    if left[1] == "extra":
        return (normal(str(other)) in map(normal, one)) is (operator == "==")
    versions = left[1] in _VERSIONS or right[1] in _VERSIONS
    if versions and is_version(str(one)) and is_version(str(other).removesuffix(".*")):
        if left[0] == "text":  # "3.8" <= python_version
            turned = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(operator, operator)
            return admits(f"{turned}{one}", str(other))
        return admits(f"{operator}{other}", str(one))
    if operator not in ("==", "!="):
        return False
    return (one == other) is (operator == "==")


def _value(token: tuple[str, str], environment: Mapping[str, Any]) -> Any:
    kind, text = token
    if kind == "text":
        return text[1:-1]
    if kind != "word":
        raise MarkerError(f"no value: {text!r}")
    if text == "extra":
        return environment.get("extra", [])
    if text in _SETS:
        return environment.get(text, [])
    if text not in environment:
        raise MarkerError(f"no field {text!r}")
    return environment[text]
