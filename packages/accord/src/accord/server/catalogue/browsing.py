"""What people look at: releases in order, what is new, who needs whom.  Reads only; who may see what is the caller's to ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.version import Version
from sqlalchemy import and_, case, func, select

from accord.server.catalogue.reading import visible_files
from accord.server.database import tables
from accord.server.database.plans import of_indexes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from accord.server.catalogue.reading import ProjectRow

__all__ = [
    "Newest",
    "ReleaseRow",
    "about",
    "changes_of",
    "newest",
    "preferred",
    "project_count",
    "releases_of",
    "requirements",
    "users_of",
]

_LOOKED_AT = 400  # changes, for the newest releases


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """``files`` and ``size`` are of what people may have; ``yanked`` says that all of them are.  Where there are none, because
    they were withdrawn or are in quarantine, nothing is repeated of what they said."""

    id: int
    version: str
    published: int
    summary: str
    status: str
    status_reason: str | None
    files: int
    size: int
    yanked: bool
    yank_reason: str | None
    requires_python: str | None

    @property
    def prerelease(self) -> bool:
        return Version(self.version).is_prerelease


@dataclass(frozen=True, slots=True)
class Newest:
    index_id: int
    name: str
    display: str
    version: str
    summary: str
    published: int
    private: bool


def releases_of(connection: Connection, project: ProjectRow) -> tuple[ReleaseRow, ...]:
    """Every published release, the newest version first."""
    release, file = tables.release.c, tables.file.c
    rows = connection.execute(
        select(
            release.id,
            release.version,
            release.published,
            release.summary,
            release.status,
            release.status_reason,
            func.count(file.id),
            func.coalesce(func.sum(file.size), 0),
            func.sum(case((file.yanked, 1), else_=0)),
            func.max(file.yank_reason),
            func.max(file.requires_python),
        )
        .join(tables.project, tables.project.c.id == release.project_id)
        .outerjoin(tables.file, and_(file.release_id == release.id, *visible_files()))
        .where(release.project_id == project.id, release.published.is_not(None))
        .group_by(
            release.id,
            release.version,
            release.published,
            release.summary,
            release.status,
            release.status_reason,
        )
    )
    found = [
        ReleaseRow(
            id=row[0],
            version=row[1],
            published=row[2],
            summary=row[3] if row[6] else "",
            status=row[4],
            status_reason=row[5],
            files=row[6],
            size=row[7],
            yanked=bool(row[6]) and row[8] == row[6],
            yank_reason=row[9],
            requires_python=row[10],
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda one: Version(one.version), reverse=True))


def preferred(releases: Sequence[ReleaseRow]) -> ReleaseRow | None:
    """The release a project's page shows: the newest that has files, is not yanked and no pre-release, if there is one."""
    for good in (
        lambda one: one.files and not one.yanked and not one.prerelease,
        lambda one: one.files and not one.yanked,
        lambda one: one.files,
    ):
        found = next(filter(good, releases), None)
        if found is not None:
            return found
    return releases[0] if releases else None


def about(connection: Connection, release_id: int) -> dict[str, list[str]]:
    """The metadata of a release, by field."""
    found: dict[str, list[str]] = connection.execute(
        select(tables.release.c.about).where(tables.release.c.id == release_id)
    ).scalar_one()
    return found


def newest(connection: Connection, index_ids: Sequence[int], most: int) -> tuple[Newest, ...]:
    """The projects with the releases that came last, private ones as well, the newest first; each project once."""
    change, project, release = tables.change.c, tables.project.c, tables.release.c
    rows = connection.execute(
        select(change.index_id, change.project, change.version)
        .where(change.action == "add-file", of_indexes(connection, change.index_id, index_ids))
        .order_by(change.serial.desc())
        .limit(_LOOKED_AT)
    )
    found: list[Newest] = []
    told: set[tuple[int, str]] = set()
    for index_id, name, version in dict.fromkeys(tuple(row) for row in rows):
        if (index_id, name) in told:
            continue
        row = connection.execute(
            select(project.display, release.summary, release.published, project.private)
            .join(tables.release, release.project_id == project.id)
            .where(
                project.index_id == index_id,
                project.name == name,
                project.status != "quarantined",
                release.version == version,
                release.published.is_not(None),
                select(tables.file.c.id)
                .where(tables.file.c.release_id == release.id, *visible_files())
                .exists(),
            )
        ).first()
        if row is not None:
            told.add((index_id, name))
            found.append(Newest(index_id, name, row[0], version, row[1], row[2], row[3]))
            if len(found) == most:
                break
    return tuple(found)


def project_count(connection: Connection, index_ids: Sequence[int]) -> int:
    """Names that are not private."""
    columns = tables.project.c
    # Within one index each name is there once; telling different ones apart costs more than counting.
    count = func.count() if len(index_ids) == 1 else func.count(columns.name.distinct())
    return connection.execute(
        select(count).where(of_indexes(connection, columns.index_id, index_ids), columns.private.is_(False))
    ).scalar_one()


def requirements(connection: Connection, release_id: int) -> tuple[tuple[str, str], ...]:
    """``(name, requirement)`` in the order the metadata have them."""
    columns = tables.dependency.c
    rows = connection.execute(
        select(columns.name, columns.requirement)
        .where(columns.release_id == release_id)
        .order_by(columns.position)
    )
    return tuple((row[0], row[1]) for row in rows)


def users_of(
    connection: Connection, index_ids: Sequence[int], name: str, most: int
) -> tuple[tuple[int, str, str, bool], ...]:
    """``(index id, name, display, private)`` of projects one of whose releases needs ``name``, by name."""
    project = tables.project.c
    some = (
        select(tables.release.c.project_id)
        .join(tables.dependency, tables.dependency.c.release_id == tables.release.c.id)
        .where(tables.dependency.c.name == name, tables.release.c.published.is_not(None))
        .limit(most * 50)
    )
    rows = connection.execute(
        select(project.index_id, project.name, project.display, project.private)
        .where(project.id.in_(some), project.index_id.in_(index_ids), project.name != name)
        .order_by(project.name)
        .limit(most)
    )
    return tuple((row[0], row[1], row[2], row[3]) for row in rows)


def changes_of(connection: Connection, index_id: int, name: str | None, most: int) -> list[dict[str, Any]]:
    """The last entries of the journal, of a project or of the whole index."""
    columns = tables.change.c
    query = select(
        columns.serial,
        columns.at,
        columns.actor,
        columns.action,
        columns.project,
        columns.version,
        columns.filename,
    ).where(columns.index_id == index_id)
    if name is not None:
        query = query.where(columns.project == name)
    return [row._asdict() for row in connection.execute(query.order_by(columns.serial.desc()).limit(most))]
