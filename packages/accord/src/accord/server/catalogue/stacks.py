"""What a stack of indexes says: an index, and those it builds on (``team`` on ``company`` on ``upstream``).

A name belongs to the first index in the reading order that has it, whole: its files never mix with those of the same name
further down, and it stays that index's when its files are withdrawn, or hidden from whoever asks.  The one exception is a
name the *asked* index lists in its settings (``mix``): then the files of every index count, the first that has a file
name first.  Building on an index gives nobody a right to read it (record 37).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.server.accounts import principals
from accord.server.catalogue import indexes, reading, visible
from accord.server.errors import no_such_project, unauthenticated

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.accounts.principals import Principal
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.catalogue.reading import FileRow, ProjectRow
    from accord.server.errors import Refused

__all__ = [
    "Layer",
    "Told",
    "file_of",
    "files_of",
    "layers",
    "missing",
    "names",
    "present",
    "tell",
    "versions_of",
]


@dataclass(frozen=True, slots=True)
class Told:
    """A project: ``rows`` as the indexes have it that answer, first the one whose name it is.  ``of``: what a page of it is
    made of, which includes the indexes that do not have it, because they may get it."""

    rows: tuple[ProjectRow, ...]
    of: frozenset[tuple[int, str | None]]

    @property
    def row(self) -> ProjectRow:
        return self.rows[0]

    @property
    def serial(self) -> int:
        return max(row.serial for row in self.rows)


@dataclass(frozen=True, slots=True)
class Layer:
    """One index of a stack, and the names a list does not show of it."""

    index: IndexRow
    hidden: frozenset[str]


def tell(connection: Connection, who: Principal, index: IndexRow, name: str, at: int) -> Told | None:
    """The project of that normalised name as ``who`` sees it, who may read ``index``."""
    mixed = name in index.settings.get("mix", ())
    rows: list[ProjectRow] = []
    for source in visible.sources_for(connection, who, index, name, at):
        row = reading.find_project(connection, source, name)
        if row is not None:
            rows.append(row)
            if not mixed:
                break
    if not rows:
        return None
    order = indexes.reading_order(connection, index)
    return Told(tuple(rows), frozenset((source.id, name) for source in order))


def present(
    connection: Connection, who: Principal, index: IndexRow, names: set[str], at: int
) -> frozenset[str]:
    """Those of the names that :func:`tell` tells ``who`` something of."""
    left, found = set(names), set()
    for source in indexes.reading_order(connection, index):
        open_to = principals.may(connection, who, "read", source, None, at)
        for name, private in reading.projects_among(connection, source, left):
            left.discard(name)  # whoever may see it or not: it is this index's
            if (open_to and not private) or principals.may(connection, who, "read", source, name, at):
                found.add(name)
    return frozenset(found)


def missing(connection: Connection, who: Principal, index: IndexRow, name: str, at: int) -> Refused:
    """What is told where :func:`tell` tells nothing.  Anybody is asked who he is where the stack has an index that not
    everybody reads, whether it has the name or not: so clients send what they have, and nobody learns which names there are."""
    if who.user_id is None:
        order = indexes.reading_order(connection, index)
        if not all(principals.may(connection, who, "read", source, None, at) for source in order):
            return unauthenticated()
    return no_such_project(index.name, name)


def files_of(connection: Connection, told: Told) -> tuple[FileRow, ...]:
    """Of a file name that several have, the first index's file."""
    found: dict[str, FileRow] = {}
    for row in told.rows:
        for file in reading.files_of(connection, row):
            found.setdefault(file.filename, file)
    return tuple(found.values())


def file_of(connection: Connection, told: Told, filename: str) -> FileRow | None:
    for row in told.rows:
        file = reading.file_named(connection, row.index_id, filename, project=row.name)
        if file is not None:
            return file
    return None


def versions_of(connection: Connection, told: Told) -> tuple[str, ...]:
    """Oldest first."""
    if len(told.rows) == 1:
        return reading.versions_of(connection, told.row)
    every = (version for row in told.rows for version in reading.versions_of(connection, row))
    return reading.in_order(every)


def layers(connection: Connection, who: Principal, index: IndexRow, at: int) -> tuple[Layer, ...]:
    """The stack as a list of names shows it to ``who``.  Of an index that ``who`` may not read every name is hidden, and
    stays hidden where an index further down has it, too: as its page is."""
    found = []
    for source in indexes.reading_order(connection, index):
        if principals.may(connection, who, "read", source, None, at):
            hidden = visible.hidden_projects(connection, who, source, at)
        else:
            every = reading.project_names(connection, source, frozenset())
            hidden = frozenset(name for name, _, _ in every)
        found.append(Layer(source, hidden))
    return tuple(found)


def names(connection: Connection, stack: tuple[Layer, ...]) -> list[tuple[str, int]]:
    """``(display, serial)`` of every project, by name."""
    if len(stack) == 1:
        rows = reading.project_names(connection, stack[0].index, stack[0].hidden)
        return [(display, serial) for _, display, serial in rows]
    found: dict[str, tuple[str, int] | None] = {}
    for layer in stack:
        for name, display, serial in reading.project_names(connection, layer.index, frozenset()):
            found.setdefault(name, None if name in layer.hidden else (display, serial))
    return [told for _, told in sorted(found.items()) if told is not None]
