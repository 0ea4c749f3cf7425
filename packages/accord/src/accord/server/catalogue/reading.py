"""What an index says of a project, now or at an earlier serial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select

from accord.server.database import tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from accord.server.catalogue.indexes import IndexRow

__all__ = ["FileRow", "ProjectRow", "file_named", "files_of", "find_project", "project_names"]


@dataclass(frozen=True, slots=True)
class ProjectRow:
    id: int
    index_id: int
    name: str
    display: str
    status: str
    status_reason: str | None
    serial: int
    private: bool


@dataclass(frozen=True, slots=True)
class FileRow:
    id: int
    filename: str
    version: str
    kind: str
    size: int
    sha256: str
    blake2b_256: str
    md5: str
    requires_python: str | None
    metadata_sha256: str | None
    provenance_sha256: str | None
    tags: str
    uploaded: int
    yanked: bool
    yank_reason: str | None


_PROJECT = [getattr(tables.project.c, name) for name in ProjectRow.__slots__]
_FILE = [
    tables.release.c.version if name == "version" else getattr(tables.file.c, name)
    for name in FileRow.__slots__
]


def find_project(connection: Connection, index: IndexRow, name: str) -> ProjectRow | None:
    row = connection.execute(
        select(*_PROJECT).where(tables.project.c.index_id == index.id, tables.project.c.name == name)
    ).first()
    return None if row is None else ProjectRow(*row)


def _visible(at: int | None) -> list[object]:
    """Live now; or added by then and not yet removed then (what was withdrawn is gone from the past, too)."""
    column = tables.file.c
    if at is None:
        return [column.state == "live", column.removed_serial.is_(None), column.added_serial.is_not(None)]
    return [
        column.state == "live",
        column.added_serial <= at,
        or_(column.removed_serial.is_(None), column.removed_serial > at),
    ]


def files_of(connection: Connection, project: ProjectRow, *, at: int | None = None) -> tuple[FileRow, ...]:
    """The files people may have, in the order they came."""
    rows = connection.execute(
        select(*_FILE)
        .join(tables.release, tables.release.c.id == tables.file.c.release_id)
        .where(tables.file.c.project_id == project.id, and_(*_visible(at)))  # type: ignore[arg-type]
        .order_by(tables.file.c.id)
    )
    return tuple(FileRow(*row) for row in rows)


def file_named(
    connection: Connection, index: IndexRow, filename: str, project: str | None = None
) -> FileRow | None:
    """The file of that name people may have, if it is of that project; without one, of any that is not private."""
    of = tables.project.c.private.is_(False) if project is None else tables.project.c.name == project
    row = connection.execute(
        select(*_FILE)
        .join(tables.release, tables.release.c.id == tables.file.c.release_id)
        .join(tables.project, tables.project.c.id == tables.file.c.project_id)
        .where(
            tables.file.c.index_id == index.id,
            tables.file.c.filename == filename,
            of,
            and_(*_visible(None)),  # type: ignore[arg-type]
        )
    ).first()
    return None if row is None else FileRow(*row)


def project_names(
    connection: Connection, index: IndexRow, hidden: frozenset[str] | None = None
) -> Iterator[tuple[str, int]]:
    """``(name, serial)`` of every project but the ``hidden`` ones (``visible.hidden_projects``), by name; without a word
    on what is hidden, everything private is."""
    columns = tables.project.c
    query = (
        select(columns.display, columns.serial, columns.name)
        .where(columns.index_id == index.id)
        .order_by(columns.name)
    )
    if hidden is None:
        query = query.where(columns.private.is_(False))
    for display, serial, name in connection.execute(query):
        if not hidden or name not in hidden:
            yield display, serial
