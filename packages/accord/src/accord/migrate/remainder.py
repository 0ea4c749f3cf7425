"""What stays of an existing ``pyproject.toml``: the tables of other tools, letter by letter."""

from __future__ import annotations

import re
import tomllib

from accord_core.errors import DocumentError, Where

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from accord.migrate.tree import Tree

__all__ = ["only", "remainder"]

_HEADER = re.compile(r"\s*\[\[?\s*(?P<name>[^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")


def remainder(tree: Tree, gone: tuple[str, ...]) -> str:
    """The text of ``pyproject.toml`` without the tables ``gone`` and those below them; empty where nothing is left.

    DocumentError ``migrate-not-separable`` where the file cannot be taken apart by its tables.
    """
    text = tree.read("pyproject.toml")
    if text is None:
        return ""
    kept: list[str] = []
    for name, lines in _pieces(text):
        if not any(name == table or name.startswith(f"{table}.") for table in gone):
            kept += lines
    found = "\n".join(kept).strip("\n")
    meant = _without(tomllib.loads(text), gone)
    try:
        same = _pruned(tomllib.loads(found)) == _pruned(meant)
    except (tomllib.TOMLDecodeError, RecursionError):
        same = False
    if not same:
        raise DocumentError(
            "migrate-not-separable",
            "pyproject.toml is written so that its tables cannot be taken apart",
            where=Where("pyproject.toml"),
            hint="give each [tool.…] table a header of its own, and run again",
        )
    return f"{found}\n" if found.strip() else ""


def only(text: str, tables: tuple[str, ...]) -> str:
    """The text of the tables ``tables`` and those below them alone."""
    kept: list[str] = []
    for name, lines in _pieces(text):
        if any(name == table or name.startswith(f"{table}.") for table in tables):
            kept += lines
    return "\n".join(kept).strip("\n")


def _pieces(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each table with its lines, the comments right above its header with it."""
    name, lines = "", list[str]()
    pending: list[str] = []
    inside: str | None = None
    depth = 0
    for line in text.split("\n"):
        head = _HEADER.fullmatch(line) if inside is None and depth <= 0 else None
        if head is not None:
            yield name, lines
            name = ".".join(
                part.strip().strip("\"'")
                for part in re.split(r"\.(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", head["name"])
            )
            lines, pending = [*pending, line], []
            continue
        if inside is None and depth <= 0 and (not line.strip() or line.lstrip().startswith("#")):
            pending.append(line)
            continue
        lines += [*pending, line]
        pending = []
        inside, depth = _state(line, inside, depth)
    lines += pending
    yield name, lines


def _state(line: str, inside: str | None, depth: int) -> tuple[str | None, int]:
    """Whether the next line begins inside a string of several lines, and how many brackets are open."""
    at = 0
    while at < len(line):
        three = line[at : at + 3]
        if inside is not None:
            if inside == '"""' and line[at] == "\\":
                at += 2
                continue
            if three == inside:
                inside = None
                at += 3
                continue
            at += 1
            continue
        sign = line[at]
        if three in ('"""', "'''"):
            inside = three
            at += 3
            continue
        if sign in "\"'":
            end = at + 1
            while end < len(line) and line[end] != sign:
                end += 2 if sign == '"' and line[end] == "\\" else 1
            at = end + 1
            continue
        if sign == "#":
            break
        depth += (sign in "[{") - (sign in "]}")
        at += 1
    return inside, depth


def _without(data: dict[str, Any], gone: tuple[str, ...]) -> dict[str, Any]:
    for table in gone:
        here: Any = data
        *above, last = table.split(".")
        for part in above:
            here = here.get(part, {}) if isinstance(here, dict) else {}
        if isinstance(here, dict):
            here.pop(last, None)
    return data


def _pruned(data: Any) -> Any:
    """Without empty tables, which leave no trace in a text."""
    if not isinstance(data, dict):
        return data
    inner = {key: _pruned(value) for key, value in data.items()}
    return {key: value for key, value in inner.items() if value != {}}
