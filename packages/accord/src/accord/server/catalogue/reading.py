"""What an index says of a project, now or at an earlier serial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from packaging.version import Version
from sqlalchemy import and_, or_, select

from accord.server.database import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import ColumnElement, Connection

    from accord.server.catalogue.indexes import IndexRow

__all__ = [
    "FileRow",
    "ProjectRow",
    "announces_provenance",
    "file_named",
    "files_of",
    "find_project",
    "holds_back",
    "in_order",
    "project_names",
    "projects_among",
    "quarantine_of",
    "versions_of",
    "visible_files",
]


_AT_ONCE = 500  # parameters of one statement


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
    metadata_announced: bool
    provenance_announced: bool
    tags: str
    uploaded: int
    yanked: bool
    yank_reason: str | None
    state: str

    @property
    def has_provenance(self) -> bool:
        return self.provenance_sha256 is not None or self.provenance_announced


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
    """Live now; or added by then and not yet removed then (what was withdrawn is gone from the past, too).  A project or
    a release in quarantine offers nothing (PEP 792: "MUST NOT offer any distributions of the project for download")."""
    column = tables.file.c
    safe = [tables.project.c.status != "quarantined", tables.release.c.status != "quarantined"]
    if at is None:
        return [
            *safe,
            column.state == "live",
            column.removed_serial.is_(None),
            column.added_serial.is_not(None),
        ]
    return [
        *safe,
        column.state.in_(("live", "gone")),  # whether it was gone by then, the journal says
        column.added_serial <= at,
        or_(column.removed_serial.is_(None), column.removed_serial > at),
    ]


_FROM = tables.file.join(tables.release, tables.release.c.id == tables.file.c.release_id).join(
    tables.project, tables.project.c.id == tables.file.c.project_id
)


def visible_files() -> list[ColumnElement[bool]]:
    """The conditions under which people may have a file now, for questions of other rooms."""
    return cast("list[ColumnElement[bool]]", _visible(None))


def files_of(connection: Connection, project: ProjectRow, *, at: int | None = None) -> tuple[FileRow, ...]:
    """The files people may have, in the order they came."""
    rows = connection.execute(
        select(*_FILE)
        .select_from(_FROM)
        .where(tables.file.c.project_id == project.id, and_(*_visible(at)))  # type: ignore[arg-type]
        .order_by(tables.file.c.id)
    )
    return tuple(FileRow(*row) for row in rows)


def projects_among(connection: Connection, index: IndexRow, names: set[str]) -> list[tuple[str, bool]]:
    """``(name, private)`` of those of the names that are projects of the index."""
    columns, found = tables.project.c, []
    every = sorted(names)
    for start in range(0, len(every), _AT_ONCE):
        some = every[start : start + _AT_ONCE]
        rows = connection.execute(
            select(columns.name, columns.private).where(columns.index_id == index.id, columns.name.in_(some))
        )
        found += [(row.name, row.private) for row in rows]
    return found


def versions_of(connection: Connection, project: ProjectRow) -> tuple[str, ...]:
    """Every version that was published, also those whose files are gone (PEP 700), oldest first."""
    rows = connection.execute(
        select(tables.release.c.version).where(
            tables.release.c.project_id == project.id, tables.release.c.published.is_not(None)
        )
    )
    return in_order(row[0] for row in rows)


def in_order(versions: Iterable[str]) -> tuple[str, ...]:
    """Each once, oldest first."""
    return tuple(sorted(set(versions), key=Version))


def announces_provenance(connection: Connection, project: ProjectRow) -> bool:
    """Whether the project's page names absolute URLs (PEP 740 wants those of provenance to be)."""
    found = connection.execute(
        select(tables.file.c.id)
        .where(
            tables.file.c.project_id == project.id,
            or_(tables.file.c.provenance_sha256.is_not(None), tables.file.c.provenance_announced),
        )
        .limit(1)
    ).first()
    return found is not None


def file_named(
    connection: Connection, index: IndexRow | int, filename: str, *, project: str | None = None
) -> FileRow | None:
    """The file of that name people may have; with ``project``, only if it is that project's."""
    index_id = index if isinstance(index, int) else index.id
    asked = [tables.file.c.index_id == index_id, tables.file.c.filename == filename]
    if project is not None:
        asked.append(tables.project.c.name == project)
    row = connection.execute(
        select(*_FILE).select_from(_FROM).where(*asked, and_(*_visible(None)))  # type: ignore[arg-type]
    ).first()
    return None if row is None else FileRow(*row)


def quarantine_of(connection: Connection, project: ProjectRow, filename: str) -> str | None:
    """Why nobody may have a file that is there: the reason of the quarantine of its project or release, empty where none was
    given; ``None`` where it is in none."""
    row = connection.execute(
        select(
            tables.project.c.status,
            tables.project.c.status_reason,
            tables.release.c.status,
            tables.release.c.status_reason,
        )
        .select_from(_FROM)
        .where(
            tables.file.c.project_id == project.id,
            tables.file.c.filename == filename,
            tables.file.c.state == "live",
            tables.file.c.added_serial.is_not(None),
            tables.file.c.removed_serial.is_(None),
        )
    ).first()
    if row is None:
        return None
    for status, reason in (row[:2], row[2:]):
        if status == "quarantined":
            return reason or ""
    return None


def holds_back(connection: Connection, project: ProjectRow) -> bool:
    """Whether a file of the project is not offered that may be offered again: in quarantine, or withdrawn and still kept."""
    held = or_(
        tables.project.c.status == "quarantined",
        tables.release.c.status == "quarantined",
        tables.file.c.state.in_(("quarantined", "withdrawn")),
    )
    found = connection.execute(
        select(tables.file.c.id)
        .select_from(_FROM)
        .where(tables.file.c.project_id == project.id, held)
        .limit(1)
    ).first()
    return found is not None


def project_names(
    connection: Connection, index: IndexRow, hidden: frozenset[str] | None = None
) -> Iterator[tuple[str, str, int]]:
    """``(name, display, serial)`` of every project but the ``hidden`` ones (``visible.hidden_projects``), by name; without
    a word on what is hidden, everything private is."""
    columns = tables.project.c
    query = (
        select(columns.name, columns.display, columns.serial)
        .where(columns.index_id == index.id)
        .order_by(columns.name)
    )
    if hidden is None:
        query = query.where(columns.private.is_(False))
    for name, display, serial in connection.execute(query):
        if not hidden or name not in hidden:
            yield name, display, serial
