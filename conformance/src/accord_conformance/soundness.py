"""Whether a choice of versions is one: complete, and at one with itself, in an environment, by what a world says.

The suite's own oracle, which knows no tool and no preference: any choice that keeps every requirement is sound.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from accord_conformance.markers import evaluate
from accord_conformance.names import normal
from accord_conformance.versions import admits, version_key

__all__ = ["faults"]

_REQUIREMENT = re.compile(
    r"\s*(?P<name>[A-Za-z0-9._-]+)\s*(?:\[(?P<extras>[^\]]*)\])?\s*(?:@\s*(?P<url>\S+)|(?P<specifier>[^;]*?))\s*(?:;(?P<marker>.*))?",
    re.DOTALL,
)


def faults(
    world: Mapping[str, Any],
    requirements: Iterable[str],
    chosen: Mapping[str, str],
    environment: Mapping[str, Any],
) -> list[str]:
    """What is wrong with ``chosen`` (normalised name: version) as an answer to the requirements; empty when it is sound."""
    releases = {_release(title): each for title, each in world.items()}
    asked: dict[str, set[str]] = {}
    found: dict[str, None] = {}
    waiting = [("what is asked", requirement, frozenset[str]()) for requirement in requirements]
    while waiting:
        who, text, extras = waiting.pop()
        parts = _REQUIREMENT.fullmatch(text)
        if parts is None:
            raise ValueError(f"no requirement: {text}")
        marker = parts["marker"]
        if marker and not evaluate(marker, {**environment, "extra": sorted(extras)}):
            continue
        name = normal(parts["name"].strip())
        if name not in chosen:
            found[f"{who} needs {name}, which is not chosen"] = None
            continue
        version = chosen[name]
        specifier = (parts["specifier"] or "").strip().removeprefix("(").removesuffix(")")
        if not admits(specifier, version):
            found[f"{who} needs {name}{specifier}, chosen is {version}"] = None
        wanted = {normal(each.strip()) for each in (parts["extras"] or "").split(",") if each.strip()}
        new = name not in asked or not wanted <= asked[name]
        asked.setdefault(name, set()).update(wanted)
        if new:
            waiting += _needs(releases, name, version, asked[name], environment, found)
    return list(found)


def _needs(
    releases: Mapping[tuple[str, Any], Any],
    name: str,
    version: str,
    extras: set[str],
    environment: Mapping[str, Any],
    found: dict[str, None],
) -> list[tuple[str, str, frozenset[str]]]:
    release = releases.get((name, version_key(version)))
    if release is None:
        found[f"{name} {version} is not on the index"] = None
        return []
    table = release if isinstance(release, Mapping) else {"requires": release}
    if not admits(table.get("requires_python", ""), str(environment["python_full_version"])):
        found[f"{name} {version} is for Python {table['requires_python']}"] = None
    return [(f"{name} {version}", each, frozenset(extras)) for each in table.get("requires", [])]


def _release(title: str) -> tuple[str, Any]:
    name, _, version = title.partition(" ")
    return normal(name.strip()), version_key(version)
