"""Safe changes of ``pyproject.toml``: the edits findings bring along, made in the text with comments and order kept."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from accord.checks.model import Edit
from accord_core.project.positions import scan

if TYPE_CHECKING:
    from accord_core.project.positions import KeyPath

__all__ = ["apply_edits", "difference"]


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """``text`` with every edit made that can be made without changing anything else.

    Each is held against what it would make of the bare data; one whose place has gone meanwhile, or that cannot be made
    in the way this document is written, is left out.
    """
    for edit in edits:
        wanted = tomllib.loads(text)
        _apply(wanted, edit)
        changed = _renamed(text, edit) if edit.action == "rename" else _edited(text, edit)
        try:
            if tomllib.loads(changed) == wanted:
                text = changed
        except tomllib.TOMLDecodeError:
            continue
    return text


def _edited(text: str, edit: Edit) -> str:
    import tomlkit

    document = tomlkit.parse(text)
    _apply(document, edit)
    return tomlkit.dumps(document)


def _renamed(text: str, edit: Edit) -> str:
    """The key written otherwise on its line: comments of a table belong to no key, so that taking it apart would move them."""
    number = scan(text).get(edit.at)
    if number is None:
        return text
    lines = text.splitlines(keepends=True)
    old = re.escape(str(edit.at[-1]))
    pattern = re.compile(rf"""(?<![\w-])(?:"{old}"|'{old}'|{old})(?![\w-])""")
    lines[number - 1] = pattern.sub(lambda _: str(edit.value), lines[number - 1], count=1)
    return "".join(lines)


def _container(document: Any, at: KeyPath) -> Any:
    for key in at[:-1]:
        if key not in document:
            return None
        document = document[key]
    return document


def _apply(document: Any, edit: Edit) -> None:
    """Make the edit in a document, be it of tomlkit or bare data."""
    container, key = _container(document, edit.at), edit.at[-1]
    if container is None:
        return
    if edit.action == "set":
        container[key] = edit.value
    elif edit.action == "remove":
        container.pop(key, None)
    elif edit.action == "rename":
        if key in container and edit.value not in container:
            container[edit.value] = container.pop(key)
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


def difference(before: str, after: str, path: str) -> str:
    """A unified diff, empty where nothing changed."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), path, path, n=2
    )
    return "".join(line if line.endswith("\n") else line + "\n" for line in lines)
