"""Safe changes of ``pyproject.toml``: the edits findings bring along, made in the text with comments and order kept."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from accord.checks.model import Edit

if TYPE_CHECKING:
    from accord_core.project.positions import KeyPath

__all__ = ["apply_edits", "difference"]


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """``text`` with every edit made; one whose place has gone meanwhile changes nothing."""
    import tomlkit

    document = tomlkit.parse(text)
    for edit in edits:
        container = _container(document, edit.at)
        if container is not None:
            _apply(container, edit)
    return tomlkit.dumps(document)


def _container(document: Any, at: KeyPath) -> Any:
    for key in at[:-1]:
        if key not in document:
            return None
        document = document[key]
    return document


def _apply(container: Any, edit: Edit) -> None:
    key = edit.at[-1]
    if edit.action == "set":
        container[key] = edit.value
    elif edit.action == "remove":
        container.pop(key, None)
    elif edit.action == "rename":
        _rename(container, str(key), edit.value)
    elif key in container:
        array = container[key]
        if edit.action == "add-item":
            if edit.value not in array:
                array.append(edit.value)
        elif edit.item in array:
            place = array.index(edit.item)
            if edit.action == "remove-item" or edit.value in array:
                del array[place]
            else:
                array[place] = edit.value


def _rename(container: Any, old: str, new: str) -> None:
    """The order of the others stays; tomlkit has no rename of its own that keeps it in every kind of table."""
    if old not in container or new in container:
        return
    items = [(key, container[key]) for key in container]
    for key, _ in items:
        del container[key]
    for key, value in items:
        container[new if key == old else key] = value


def difference(before: str, after: str, path: str) -> str:
    """A unified diff, empty where nothing changed."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), path, path, n=2
    )
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)
