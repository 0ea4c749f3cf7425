"""A file becomes part of an index.

The order of the checks is the order of what they cost others: who may is asked before this room is called; then the name
of the file (once used, for ever), then the project, the release, the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from sqlalchemy import insert, select, update

from accord.server.accounts import roles
from accord.server.catalogue.names import look_alike
from accord.server.database import tables
from accord.server.errors import Refused
from accord_core.names import normalise

if TYPE_CHECKING:
    from accord.server.archives.examine import Examined
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.database import Writing

__all__ = ["Published", "publish_file"]


@dataclass(frozen=True, slots=True)
class Published:
    """``new`` is False where the same bytes lay there already (a repeated upload is no error and no change)."""

    file_id: int
    project_id: int
    new: bool


def publish_file(
    writing: Writing, index: IndexRow, examined: Examined, *, provenance_sha256: str | None = None
) -> Published:
    """Enter an examined file, whose blobs are stored already.

    Raises ``Refused`` (409): ``file-exists`` (other bytes under a name that is used or was), ``file-name-reserved`` (by an
    open upload session), ``project-look-alike``; (403) ``project-closed`` (archived or quarantined: PEP 792).
    """
    connection = writing.connection
    same = _use_name(writing, index, examined)
    if same is not None:
        return same
    project_id = _project(writing, index, examined)
    release_id = _release(writing, project_id, examined)
    file_id = connection.execute(
        insert(tables.file)
        .values(
            index_id=index.id,
            project_id=project_id,
            release_id=release_id,
            filename=examined.filename,
            kind=examined.kind,
            size=examined.size,
            sha256=examined.sha256,
            blake2b_256=examined.blake2b_256,
            md5=examined.md5,
            requires_python=examined.requires_python,
            metadata_sha256=examined.metadata_sha256 if examined.serves_metadata else None,
            provenance_sha256=provenance_sha256,
            tags=examined.tags,
            uploaded=writing.at,
            uploader=writing.actor,
            state="live",
        )
        .returning(tables.file.c.id)
    ).scalar_one()
    writing.file_added(file_id)
    writing.changed(
        index.id,
        "add-file",
        project=examined.name,
        version=examined.version,
        filename=examined.filename,
        sha256=examined.sha256,
    )
    return Published(file_id, project_id, new=True)


def _use_name(writing: Writing, index: IndexRow, examined: Examined) -> Published | None:
    """Burn the name; the file that has it already, if it has the same bytes and is there."""
    connection = writing.connection
    names = tables.file_name
    used = connection.execute(
        select(names.c.sha256, names.c.session_id).where(
            names.c.index_id == index.id, names.c.filename == examined.filename
        )
    ).first()
    if used is None:
        connection.execute(
            insert(names).values(
                index_id=index.id, filename=examined.filename, sha256=examined.sha256, used=writing.at
            )
        )
        return None
    if used.sha256 is None:
        raise Refused(409, "file-name-reserved", f"an open upload session has reserved {examined.filename}")
    there = connection.execute(
        select(tables.file.c.id, tables.file.c.project_id, tables.file.c.state).where(
            tables.file.c.index_id == index.id,
            tables.file.c.filename == examined.filename,
            tables.file.c.removed_serial.is_(None),
        )
    ).first()
    if there is not None and used.sha256 == examined.sha256:
        return Published(there.id, there.project_id, new=False)
    raise Refused(
        409,
        "file-exists",
        f"the name {examined.filename} was used before, for other bytes"
        if there is not None
        else f"the name {examined.filename} was used before, and its file was removed",
        hint="a name once used stays used: publish a new version, or a wheel with another build number",
    )


def _project(writing: Writing, index: IndexRow, examined: Examined) -> int:
    connection = writing.connection
    found = connection.execute(
        select(tables.project.c.id, tables.project.c.status).where(
            tables.project.c.index_id == index.id, tables.project.c.name == examined.name
        )
    ).first()
    if found is not None:
        if found.status in ("archived", "quarantined"):
            raise Refused(
                403, "project-closed", f"{examined.name} is {found.status}: it takes no new files (PEP 792)"
            )
        return int(found.id)
    alike = look_alike(examined.name)
    other = connection.execute(
        select(tables.project.c.name).where(
            tables.project.c.index_id == index.id, tables.project.c.look_alike == alike
        )
    ).scalar()
    if other is not None:
        raise Refused(
            409, "project-look-alike", f"{examined.name} looks like {other}, which is there already"
        )
    created: int = connection.execute(
        insert(tables.project)
        .values(
            index_id=index.id,
            name=examined.name,
            display=examined.display,
            look_alike=alike,
            created=writing.at,
            serial=0,
        )
        .returning(tables.project.c.id)
    ).scalar_one()
    roles.own(writing, index, created, examined.name)
    writing.changed(index.id, "create-project", project=examined.name)
    return created


def _release(writing: Writing, project_id: int, examined: Examined) -> int:
    connection = writing.connection
    found = connection.execute(
        select(tables.release.c.id, tables.release.c.published).where(
            tables.release.c.project_id == project_id, tables.release.c.version == examined.version
        )
    ).first()
    if found is not None:
        if found.published is None:
            connection.execute(
                update(tables.release).where(tables.release.c.id == found.id).values(published=writing.at)
            )
        return int(found.id)
    release_id: int = connection.execute(
        insert(tables.release)
        .values(
            project_id=project_id,
            version=examined.version,
            created=writing.at,
            published=writing.at,
            summary=examined.fields.first("Summary"),
            about=_about(examined),
        )
        .returning(tables.release.c.id)
    ).scalar_one()
    requirements = examined.fields.all("Requires-Dist")
    rows = [
        {"release_id": release_id, "position": position, "name": name, "requirement": text}
        for position, text in enumerate(requirements)
        if (name := _required_name(text)) is not None
    ]
    if rows:
        connection.execute(insert(tables.dependency), rows)
    return release_id


def _about(examined: Examined) -> dict[str, list[str]]:
    """The fields of the metadata that pages show, but for the long description."""
    return {key: values for key, values in examined.fields.grouped().items() if key != "Description"}


def _required_name(text: str) -> str | None:
    try:
        return normalise(Requirement(text).name)
    except InvalidRequirement:
        return None
