"""Editing the text of a ``pyproject.toml`` so that only the lines that must change do.

Text in, text out; comments, order and formatting stay, because a person's file is edited here (``tomlkit``; every
other reader uses ``tomllib``).  What comes out is parsed again and compared with what was meant before anybody sees
it.  Names of extras and groups are matched in normal form (PEP 685, PEP 735) and written as they stand.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import tomlkit
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from tomlkit.items import AbstractTable, Array

from accord_core.errors import DocumentError, UsageError, Where
from accord_core.project.faults import load_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tomlkit import TOMLDocument

__all__ = ["Place", "add_requirement", "lists", "remove_requirement", "requirement_names", "set_source"]


class Place:
    """Which list of a project: its dependencies, an extra (``optional``) or a dependency group (``group``)."""

    __slots__ = ("group", "optional")

    def __init__(self, *, optional: str | None = None, group: str | None = None) -> None:
        if optional is not None and group is not None:
            raise UsageError(
                "usage", "--group and --optional exclude each other", hint="leave one of them out"
            )
        self.optional = optional
        self.group = group

    def __str__(self) -> str:
        if self.optional is not None:
            return f"extra {self.optional}"
        return f"group {self.group}" if self.group is not None else "the project's dependencies"

    def path(self, data: Mapping[str, Any]) -> tuple[str, ...]:
        """The keys that lead to the list, with the spelling the document uses already."""
        if self.optional is not None:
            table = data.get("project", {}).get("optional-dependencies", {})
            return ("project", "optional-dependencies", _spelling(self.optional, table))
        if self.group is not None:
            return ("dependency-groups", _spelling(self.group, data.get("dependency-groups", {})))
        return ("project", "dependencies")


def _spelling(name: str, table: Mapping[str, Any]) -> str:
    return next((key for key in table if canonicalize_name(key) == canonicalize_name(name)), name)


def add_requirement(text: str, requirement: str, place: Place, path: str) -> str:
    """``text`` with ``requirement`` in ``place``, instead of the one of the same name if there is one.

    Several of the same name differ in their markers: the one with the same marker is replaced, else the new one
    is added.  A list in order of names stays in order.  ``path`` is for messages.
    """
    wanted = Requirement(requirement)

    def change(entries: list[Any]) -> list[tuple[str, int]]:
        same = [
            index for index, entry in enumerate(entries) if _name(entry) == canonicalize_name(wanted.name)
        ]
        exact = [index for index in same if str(Requirement(entries[index]).marker) == str(wanted.marker)]
        if exact or (len(same) == 1 and wanted.marker is None):
            return [("replace", (exact or same)[0])]
        if same and wanted.marker is None:
            raise UsageError(
                "ambiguous-dependency",
                f"{path} asks for {wanted.name} {len(same)} times, with different markers",
                hint="name the one to change with --marker, or edit the file",
            )
        return [("insert", _position(entries, canonicalize_name(wanted.name)))]

    return _edit(text, place, path, requirement, change)


def remove_requirement(text: str, name: str, place: Place, path: str) -> tuple[str, tuple[str, ...]]:
    """``text`` without ``name`` (normal form) in ``place``, and the requirements that were taken out."""
    gone: list[str] = []

    def change(entries: list[Any]) -> list[tuple[str, int]]:
        found = [index for index, entry in enumerate(entries) if _name(entry) == name]
        gone.extend(str(entries[index]) for index in found)
        return [("remove", index) for index in reversed(found)]

    return _edit(text, place, path, "", change), tuple(gone)


def lists(text: str, path: str = "pyproject.toml") -> dict[str, tuple[str, ...]]:
    """Every list of requirements in a project by its name for people, with the normal names in it."""
    data = load_toml(text, path, code="toml-invalid")
    project = data.get("project", {})
    found = {str(Place()): requirement_names(project.get("dependencies", ()))}
    for extra, entries in project.get("optional-dependencies", {}).items():
        found[str(Place(optional=extra))] = requirement_names(entries)
    for group, entries in data.get("dependency-groups", {}).items():
        found[str(Place(group=group))] = requirement_names(entries)
    return found


def requirement_names(entries: Sequence[Any]) -> tuple[str, ...]:
    """The normal names in a list of requirements; includes of other groups have none."""
    return tuple(name for name in map(_name, entries) if name is not None)


def set_source(text: str, name: str, source: Mapping[str, Any] | None, path: str) -> str:
    """``text`` with ``[tool.accord.sources]`` saying where ``name`` comes from, or (``None``) no longer saying it."""
    document = _parse(text, path)
    data = tomllib.loads(text)
    sources = data.get("tool", {}).get("accord", {}).get("sources", {})
    key = _spelling(name, sources)
    if source is None:
        if key not in sources:
            return text
        holder = _table(document, ("tool", "accord"), path)
        if len(sources) == 1:
            holder.remove("sources")
        else:
            _table(document, ("tool", "accord", "sources"), path).remove(key)
        return _ended(document, text)
    entry = tomlkit.inline_table()
    entry.update(source)
    _table(document, ("tool", "accord", "sources"), path)[key] = entry
    return _ended(document, text)


def _name(entry: Any) -> str | None:
    if not isinstance(entry, str):
        return None
    try:
        return canonicalize_name(Requirement(entry).name)
    except InvalidRequirement:
        return None


def _position(entries: Sequence[Any], name: str) -> int:
    """Where ``name`` goes: in order if the list is in order, else at the end."""
    names = [_name(entry) for entry in entries]
    if not names or None in names or names != sorted(names, key=str):
        return len(entries)
    return sum(1 for other in names if str(other) < name)


def _edit(
    text: str,
    place: Place,
    path: str,
    requirement: str,
    change: Callable[[list[Any]], list[tuple[str, int]]],
) -> str:
    _parse(text, path)
    keys = place.path(tomllib.loads(text))
    entries = _lookup(tomllib.loads(text), keys)
    if not isinstance(entries, list):
        where = Where(path, table=".".join(keys[:-1]), key=keys[-1])
        raise DocumentError("wrong-type", f"{'.'.join(keys)} must be an array", where=where)
    steps = change(list(entries))
    if not steps:
        return text
    if steps[0][0] != "insert":
        attempts = [steps]
    else:
        # tomlkit writes an item into the comment that ends a line of several items; one place earlier is as good.
        attempts = [[("insert", index)] for index in (steps[0][1], steps[0][1] - 1) if index >= 0]
    for attempt in attempts:
        changed = _apply(text, keys, attempt, requirement, path)
        if _lookup(tomllib.loads(changed), keys) == _applied(entries, attempt, requirement):
            return changed
    raise DocumentError(
        "project-not-editable",
        f"{path} is written in a way that cannot be edited safely",
        where=Where(path, table=".".join(keys[:-1]), key=keys[-1]),
        hint=f"write {requirement or 'the change'} into the file by hand, then run accord lock",
    )


def _applied(entries: list[Any], steps: list[tuple[str, int]], requirement: str) -> list[Any]:
    """What the list must hold afterwards."""
    found = list(entries)
    for action, index in steps:
        if action == "insert":
            found.insert(index, requirement)
        else:
            found[index : index + 1] = [requirement] if action == "replace" else []
    return found


def _apply(
    text: str, keys: tuple[str, ...], steps: list[tuple[str, int]], requirement: str, path: str
) -> str:
    document = _parse(text, path)
    holder = _table(document, keys[:-1], path)
    if keys[-1] not in holder:
        holder[keys[-1]] = tomlkit.array()
    array = holder[keys[-1]]
    assert isinstance(array, Array)
    if not array:
        array.multiline(True)
    for action, index in steps:
        if action == "remove":
            del array[index]
        elif action == "replace":
            array[index] = requirement
        else:
            array.insert(index, requirement)
    return _ended(document, text)


def _parse(text: str, path: str) -> TOMLDocument:
    load_toml(text, path, code="toml-invalid")
    return tomlkit.parse(text.replace("\r\n", "\n"))


def _ended(document: TOMLDocument, before: str) -> str:
    """The document as text, with the line ends the file had."""
    text = tomlkit.dumps(document)
    return text.replace("\n", "\r\n") if "\r\n" in before else text


def _lookup(data: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    here: Any = data
    for key in keys:
        if not isinstance(here, dict) or key not in here:
            return []
        here = here[key]
    return here


def _table(document: TOMLDocument, keys: tuple[str, ...], path: str) -> AbstractTable:
    """The table ``keys`` leads to, made where it is not there yet."""
    here: Any = document
    for depth, key in enumerate(keys, 1):
        if key not in here:
            # Only the innermost table needs a header of its own: [tool.accord.sources], not [tool] [tool.accord] too.
            here[key] = tomlkit.table(is_super_table=depth < len(keys))
        here = here[key]
        if not isinstance(here, (AbstractTable, dict)):
            raise DocumentError(
                "wrong-type",
                f"{'.'.join(keys[:depth])} must be a table",
                where=Where(path, table=".".join(keys[: depth - 1]) or None, key=key),
            )
    found: AbstractTable = here
    return found
