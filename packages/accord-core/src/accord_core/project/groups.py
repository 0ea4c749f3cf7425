"""Dependency groups (PEP 735): named lists of requirements that may include each other.

Names are compared in normal form.  A group is valid by itself: a cycle or an include of what does not exist is a
fault of the file, found whether or not somebody asks for that group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from accord_core.errors import UsageError
from accord_core.names import normalise, valid
from accord_core.project.declared import Declared, read_declared
from accord_core.project.faults import DEFAULT_LIMITS, Faults, Limits, near
from accord_core.project.positions import KeyPath

__all__ = ["Groups", "Include", "read_groups", "resolve_groups"]

_TABLE = "dependency-groups"


@dataclass(frozen=True, slots=True)
class Include:
    """``{include-group = "…"}``, the name in normal form."""

    group: str


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of a project by normal name, members in order; ``spelt`` gives each name as written."""

    members: Mapping[str, tuple[Declared | Include, ...]] = field(default_factory=dict)
    spelt: Mapping[str, str] = field(default_factory=dict)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and normalise(name) in self.members

    def __iter__(self) -> Any:
        return iter(self.members)


def read_groups(data: Mapping[str, Any], faults: Faults) -> Groups:
    """The ``[dependency-groups]`` table of ``data``, a whole ``pyproject.toml``; what is wrong goes to ``faults``."""
    table = data.get(_TABLE)
    if table is None:
        return Groups()
    if not isinstance(table, dict):
        faults.wrong_type(table, "a table", (_TABLE,))
        return Groups()
    members: dict[str, tuple[Declared | Include, ...]] = {}
    spelt: dict[str, str] = {}
    for raw, entries in table.items():
        at: KeyPath = (_TABLE, raw)
        name = normalise(raw)
        if not valid(raw):
            faults.add("invalid-name", f"{raw!r} cannot name a dependency group", at)
        elif name in spelt:
            # "Tools MUST … SHOULD reject … if duplicate normalized names are encountered"
            faults.add("duplicate-name", f"the groups {spelt[name]!r} and {raw!r} have the same name", at)
        elif not isinstance(entries, list):
            faults.wrong_type(entries, "an array", at)
        else:
            spelt[name] = raw
            found = [_member(entry, (*at, i), faults) for i, entry in enumerate(entries)]
            members[name] = tuple([one for one in found if one is not None])
    groups = Groups(members, spelt)
    _check_includes(groups, faults)
    return groups


def _member(entry: object, at: KeyPath, faults: Faults) -> Declared | Include | None:
    if isinstance(entry, str):
        return read_declared(entry, at, faults)
    if not isinstance(entry, dict):
        faults.wrong_type(entry, "a string or a table", at)
        return None
    included = entry.get("include-group")
    if set(entry) != {"include-group"} or not isinstance(included, str):
        # "Dependency Object Specifiers" other than this one are reserved
        faults.add(
            "invalid-group-entry", 'a table in a group is { include-group = "name" } and nothing else', at
        )
        return None
    return Include(normalise(included))


def _check_includes(groups: Groups, faults: Faults) -> None:
    done: set[str] = set()
    for start in groups.members:
        _walk(groups, start, (), done, faults)


def _walk(groups: Groups, name: str, above: tuple[str, ...], done: set[str], faults: Faults) -> None:
    """Depth first; a group found on the way to itself closes a cycle, reported once where it closes."""
    if name in done:
        return
    if len(above) >= faults.limits.group_depth:
        faults.add("group-too-large", f"includes lead {len(above)} groups deep", (_TABLE, groups.spelt[name]))
        return
    for i, member in enumerate(groups.members[name]):
        if not isinstance(member, Include):
            continue
        at: KeyPath = (_TABLE, groups.spelt[name], i)
        path = (*above, name)
        if member.group in path:
            circle = " → ".join([*path[path.index(member.group) :], member.group])
            faults.add("group-cycle", f"dependency groups include each other in a circle: {circle}", at)
        elif member.group not in groups.members:
            hint = near(member.group, tuple(groups.members))
            faults.add("unknown-group", f"there is no dependency group {member.group!r}", at, hint=hint)
        else:
            _walk(groups, member.group, path, done, faults)
    done.add(name)


def resolve_groups(
    groups: Groups, names: tuple[str, ...], *, path: str = "pyproject.toml", limits: Limits = DEFAULT_LIMITS
) -> tuple[Declared, ...]:
    """The requirements of ``names``, includes expanded in place, in the order written (PEP 735 "Include").

    Raises ``UsageError`` (``unknown-group``) for a name that is no group, (``group-too-large``) beyond the limit.
    """
    found: list[Declared] = []
    steps = 0
    for name in names:
        if normalise(name) not in groups.members:
            hint = (
                near(name, tuple(groups.members))
                or f"it has: {', '.join(sorted(groups.spelt.values())) or 'none'}"
            )
            raise UsageError("unknown-group", f"{path} has no dependency group {name!r}", hint=hint)
        waiting: list[Declared | Include] = [Include(normalise(name))]
        while waiting:
            steps += 1
            if steps > limits.group_includes:
                raise UsageError(
                    "group-too-large",
                    f"the dependency group {name!r} expands to more than {limits.group_includes:,} entries",
                    hint="groups that include groups multiply: look for one included again and again",
                )
            member = waiting.pop()
            if isinstance(member, Include):
                waiting += reversed(groups.members[member.group])
            else:
                found.append(member)
    return tuple(found)
