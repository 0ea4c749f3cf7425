"""A release goes from one index to another, whole, in one change: from ``dev`` to ``prod``.

No byte is copied: both indexes name the same blobs.  The files keep their names and digests, and their names are used up in
the target as by an upload.  What the target asks of files (``policy``) it asks of these as well, and where its new files wait in
quarantine so do they.  Its journal says of each where it came from; of an index that not everybody may read only the audit does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version
from sqlalchemy import insert, select, update

from accord.server.accounts import audit
from accord.server.archives.filenames import read_filename
from accord.server.catalogue import blobs, policy, quarantine, reading
from accord.server.catalogue.publishing import name_fault, open_project, project_turn
from accord.server.database import tables
from accord.server.errors import Refused, no_such_project

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.catalogue.reading import FileRow, ProjectRow
    from accord.server.database import Writing
    from accord.server.limits import Limits
    from accord.server.storage import BlobStore

__all__ = ["promote"]

_COPIED = tuple(
    column.name
    for column in tables.file.c
    if column.name
    not in (
        "id",
        "index_id",
        "project_id",
        "release_id",
        "uploaded",
        "uploader",
        "added_serial",
        "removed_serial",
        "session_id",
        # What of these is here is looked at; nothing is announced of an index that takes uploads that is not.
        "metadata_sha256",
        "metadata_announced",
        "provenance_sha256",
        "provenance_announced",
    )
)


def promote(
    writing: Writing,
    storage: BlobStore,
    source: IndexRow,
    target: IndexRow,
    project: str,
    version: str,
    limits: Limits,
) -> dict[str, object]:
    """Add what the target does not have yet; a release that is there already, with the same bytes, is no change.

    Raises ``Refused``: ``no-such-project``, ``no-such-release`` (404), ``promote-same-index``, ``file-exists``,
    ``file-name-reserved`` (409), and what making a project and ``policy`` raise.
    """
    if source.id == target.id:
        raise Refused(409, "promote-same-index", f"{source.name} is promoted to itself")
    connection = writing.connection
    for index in sorted(
        (source, target), key=lambda one: one.id
    ):  # in one order, or two would wait for each other
        writing.turn(project_turn(index, project))
    row = reading.find_project(connection, source, project)
    if row is None:
        raise no_such_project(source.name, project)
    release = _release(connection, row, version)
    there = [file for file in reading.files_of(connection, row) if file.version == release.version]
    if not there:
        raise Refused(404, "no-such-release", f"{source.name} has no files of {project} {version[:100]}")
    new = [file for file in there if _is_new(connection, target, file)]
    waits = False
    if new:
        blobs.keep(writing, storage, *(file.sha256 for file in new))
        beside = {
            digest for file in new for digest in (file.metadata_sha256, file.provenance_sha256) if digest
        }
        # Of an index with an upstream not everything it announces is here, and what is not stays there.
        here = frozenset(digest for digest in beside if storage.size(digest) is not None)
        target_project = open_project(writing, target, project, row.display)
        _keep_private(writing, row, target_project)
        waits = quarantine.waits(writing, target, target_project)
        target_release = _enter_release(writing, target_project, release, seen=not waits)
        _demand(writing, target, project, target_release, release, new)
        told = source.name if (source.public and not row.private) or not target.public else None
        origin: dict[str, Any] = {"from": told, "serial": source.serial} if told else {}
        for file in new:
            _enter(writing, target, project, file, target_project, target_release, told, here, waits=waits)
        policy.demand_room(connection, target, project, 0, limits.project_bytes)
        if not waits:
            writing.changed(
                target.id,
                "promote",
                project=project,
                version=release.version,
                files=[file.filename for file in new],
                **origin,
            )
        audit.record(
            writing,
            "promote",
            f"{target.name}/{project}",
            version=release.version,
            source=source.name,
            files=[file.filename for file in new],
        )
    return {
        "index": target.name,
        "project": project,
        "version": release.version,
        "from": source.name,
        "files": [file.filename for file in there],
        "new": [file.filename for file in new],
        "waits": waits,
    }


def _demand(
    writing: Writing, target: IndexRow, project: str, release_id: int, release: Any, new: list[FileRow]
) -> None:
    """What the target asks of files.  Raises as ``policy`` does."""
    policy.demand_requirements(target, f"{project} {release.version}", release.about.get("Requires-Dist", ()))
    for file in new:
        policy.demand_name(target, read_filename(file.filename))
        if file.kind == "sdist":
            policy.demand_one_sdist(writing, release_id, file.filename)


def _release(connection: Connection, project: ProjectRow, version: str) -> Any:
    try:
        asked = str(Version(version))
    except InvalidVersion:
        asked = ""
    found = connection.execute(
        select(tables.release).where(
            tables.release.c.project_id == project.id, tables.release.c.version == asked
        )
    ).first()
    if found is None:
        raise Refused(404, "no-such-release", f"{project.name} has no release {version[:100]}")
    return found


def _is_new(connection: Connection, target: IndexRow, file: FileRow) -> bool:
    """Whether the file is to be added; raises where its name is used for something else."""
    fault = name_fault(connection, target, file.filename, file.sha256)
    if fault is not None:
        raise fault
    return reading.file_named(connection, target, file.filename) is None


def _keep_private(writing: Writing, source: ProjectRow, target_project: int) -> None:
    """A project that few may see does not become everybody's by being promoted for the first time."""
    files = tables.file.c
    if (
        source.private
        and not writing.connection.execute(
            select(files.id).where(files.project_id == target_project).limit(1)
        ).first()
    ):
        writing.connection.execute(
            tables.project.update().where(tables.project.c.id == target_project).values(private=True)
        )


def _enter_release(writing: Writing, project_id: int, release: Any, *, seen: bool) -> int:
    connection = writing.connection
    columns = tables.release.c
    found = connection.execute(
        select(columns.id, columns.published).where(
            columns.project_id == project_id, columns.version == release.version
        )
    ).first()
    made: int
    if found is not None:
        made = found.id
    else:
        made = connection.execute(
            insert(tables.release)
            .values(project_id=project_id, version=release.version, created=writing.at, about={})
            .returning(columns.id)
        ).scalar_one()
    if seen and (found is None or found.published is None):
        connection.execute(
            update(tables.release)
            .where(columns.id == made)
            .values(
                published=writing.at,
                summary=release.summary,
                about=release.about,
                readme_html=release.readme_html,
            )
        )
        needs = tables.dependency.c
        rows = connection.execute(
            select(needs.position, needs.name, needs.requirement).where(needs.release_id == release.id)
        ).all()
        if rows:
            connection.execute(
                insert(tables.dependency), [{"release_id": made, **dict(row._mapping)} for row in rows]
            )
    return made


def _enter(
    writing: Writing,
    target: IndexRow,
    project: str,
    file: FileRow,
    project_id: int,
    release_id: int,
    told: str | None,
    here: frozenset[str],
    *,
    waits: bool,
) -> None:
    origin: dict[str, Any] = {"from": told} if told else {}
    connection = writing.connection
    connection.execute(
        insert(tables.file_name).values(
            index_id=target.id, filename=file.filename, sha256=file.sha256, used=writing.at
        )
    )
    copied = connection.execute(
        select(*(tables.file.c[name] for name in _COPIED)).where(tables.file.c.id == file.id)
    ).one()
    file_id = connection.execute(
        insert(tables.file)
        .values(
            **{**copied._mapping, **({"state": "quarantined"} if waits else {})},
            metadata_sha256=file.metadata_sha256 if file.metadata_sha256 in here else None,
            provenance_sha256=file.provenance_sha256 if file.provenance_sha256 in here else None,
            index_id=target.id,
            project_id=project_id,
            release_id=release_id,
            uploaded=writing.at,
            uploader=writing.actor,
        )
        .returning(tables.file.c.id)
    ).scalar_one()
    if waits:
        quarantine.enter(writing, target, project, file.filename)
        return
    writing.file_added(file_id)
    writing.changed(
        target.id,
        "add-file",
        project=project,
        version=file.version,
        filename=file.filename,
        sha256=file.sha256,
        **origin,
    )
