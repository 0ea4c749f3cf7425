"""A file becomes part of an index.

The order of the checks is the order of what they cost others: who may is asked before this room is called; then the name
of the file (once used, for ever), then the project, the release, the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from accord.server.accounts import roles
from accord.server.catalogue import namespaces, policy, quarantine, releases
from accord.server.catalogue.names import look_alike
from accord.server.database import tables
from accord.server.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from accord.server.archives.examine import Examined
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.database import Writing

__all__ = ["Published", "demand_project", "name_fault", "open_project", "project_turn", "publish_file"]


_ENTER = insert(tables.file).returning(tables.file.c.id)
_BURN = insert(tables.file_name)
_MAKE = insert(tables.project).returning(tables.project.c.id)
_BEGIN = insert(tables.release).returning(tables.release.c.id)
_OTHERS = (
    select(tables.file.c.yanked, tables.file.c.yank_reason)
    .where(
        tables.file.c.release_id == bindparam("release_id"),
        tables.file.c.id != bindparam("file_id"),
        tables.file.c.state == "live",
        tables.file.c.removed_serial.is_(None),
    )
    .order_by(tables.file.c.id.desc())
)
_USED = select(tables.file_name.c.sha256, tables.file_name.c.session_id).where(
    tables.file_name.c.index_id == bindparam("index_id"), tables.file_name.c.filename == bindparam("filename")
)
_LIVE = select(tables.file.c.id, tables.file.c.project_id).where(
    tables.file.c.index_id == bindparam("index_id"),
    tables.file.c.filename == bindparam("filename"),
    tables.file.c.removed_serial.is_(None),
    tables.file.c.state.not_in(("withdrawn", "erased")),
)
_PROJECT = select(tables.project.c.id, tables.project.c.status).where(
    tables.project.c.index_id == bindparam("index_id"), tables.project.c.name == bindparam("name")
)
_ALIKE = select(tables.project.c.name, tables.project.c.private).where(
    tables.project.c.index_id == bindparam("index_id"), tables.project.c.look_alike == bindparam("look_alike")
)
_SESSIONS = (
    select(tables.upload_session.c.project, tables.upload_session.c.actor, tables.upload_session.c.id)
    .where(
        tables.upload_session.c.index_id == bindparam("index_id"),
        tables.upload_session.c.state.in_(("open", "processing", "error")),
        tables.upload_session.c.expires > bindparam("at"),
    )
    .order_by(tables.upload_session.c.id)
)
_RELEASE = select(tables.release.c.id, tables.release.c.published).where(
    tables.release.c.project_id == bindparam("project_id"), tables.release.c.version == bindparam("version")
)


@dataclass(frozen=True, slots=True)
class Published:
    """``new`` is False where the same bytes lay there already (a repeated upload is no error and no change).  ``waits``:
    it is in quarantine, and nobody sees it yet."""

    file_id: int
    project_id: int
    new: bool
    waits: bool = False


def publish_file(
    writing: Writing,
    index: IndexRow,
    examined: Examined,
    *,
    provenance_sha256: str | None = None,
    session_id: int | None = None,
) -> Published:
    """Enter an examined file, whose blobs are stored already; ``session_id`` names the upload session it comes from.

    Raises ``Refused`` (409): ``file-exists`` (other bytes under a name that is used or was), ``file-name-reserved`` (by an
    upload session that is being published), ``project-look-alike``; (403) ``index-takes-no-files``, ``project-closed`` (archived
    or quarantined: PEP 792), ``project-name-reserved`` (by an upload session of somebody else), and as ``catalogue.policy``
    does.
    """
    policy.demand_hosted(index)
    connection = writing.connection
    writing.turn(project_turn(index, examined.name))
    same = _use_name(writing, index, examined, session_id)
    if same is not None:
        return same
    project_id = open_project(writing, index, examined.name, examined.display, session_id=session_id)
    waits = quarantine.waits(writing, index, project_id)
    release_id = _release(writing, project_id, examined, seen=not waits)
    if examined.kind == "sdist":
        policy.demand_one_sdist(writing, release_id, examined.filename)
    file_id = connection.execute(
        _ENTER,
        {
            "index_id": index.id,
            "project_id": project_id,
            "release_id": release_id,
            "filename": examined.filename,
            "kind": examined.kind,
            "size": examined.size,
            "sha256": examined.sha256,
            "blake2b_256": examined.blake2b_256,
            "md5": examined.md5,
            "requires_python": examined.requires_python,
            "metadata_sha256": examined.metadata_sha256 if examined.serves_metadata else None,
            "provenance_sha256": provenance_sha256,
            "tags": examined.tags,
            "uploaded": writing.at,
            "uploader": writing.actor,
            "state": "quarantined" if waits else "live",
        },
    ).scalar_one()
    if waits:
        quarantine.enter(writing, index, examined.name, examined.filename)
        return Published(file_id, project_id, new=True, waits=True)
    writing.file_added(file_id)
    writing.changed(
        index.id,
        "add-file",
        project=examined.name,
        version=examined.version,
        filename=examined.filename,
        sha256=examined.sha256,
    )
    _yank_with_its_release(writing, index, examined, file_id, release_id)
    return Published(file_id, project_id, new=True)


def _yank_with_its_release(
    writing: Writing, index: IndexRow, examined: Examined, file_id: int, release_id: int
) -> None:
    """A file that joins a release all of whose files are yanked is yanked as they are: else adding one would unyank it."""
    others = writing.connection.execute(_OTHERS, {"release_id": release_id, "file_id": file_id}).all()
    if not others or not all(row.yanked for row in others):
        return
    reason = others[0].yank_reason
    writing.connection.execute(
        update(tables.file).where(tables.file.c.id == file_id).values(yanked=True, yank_reason=reason)
    )
    writing.changed(
        index.id,
        "yank",
        project=examined.name,
        version=examined.version,
        filename=examined.filename,
        reason=reason,
        before={"yanked": False, "reason": None},
    )


def project_turn(index: IndexRow, project: str) -> str:
    """What writers of one project wait for (:meth:`Writing.turn`)."""
    return f"project {index.id} {project}"


def name_fault(
    connection: Connection, index: IndexRow, filename: str, sha256: str | None, session_id: int | None = None
) -> Refused | None:
    """Why a file of that name cannot be published, ``None`` where it can; ``sha256`` of its bytes if they are known:
    the same bytes again are no fault."""
    used = connection.execute(_USED, {"index_id": index.id, "filename": filename}).first()
    if used is None:
        return None
    if used.sha256 is None:
        return None if session_id is not None and used.session_id == session_id else _reserved(filename)
    there = _live(connection, index, filename) is not None
    return None if there and used.sha256 == sha256 else _used(filename, there=there)


def _live(connection: Connection, index: IndexRow, filename: str) -> Row[Any, Any] | None:
    return connection.execute(_LIVE, {"index_id": index.id, "filename": filename}).first()


def _reserved(filename: str) -> Refused:
    return Refused(
        409,
        "file-name-reserved",
        f"an upload session that is being published has reserved {filename}",
        hint="try again when it has ended",
    )


def _used(filename: str, *, there: bool) -> Refused:
    return Refused(
        409,
        "file-exists",
        f"the name {filename} was used before, for other bytes"
        if there
        else f"the name {filename} was used before, and its file was removed",
        hint="a name once used stays used: publish a new version, or a wheel with another build number",
    )


def _use_name(
    writing: Writing, index: IndexRow, examined: Examined, session_id: int | None
) -> Published | None:
    """Burn the name; the file that has it already, if it has the same bytes and is there."""
    connection = writing.connection
    names = tables.file_name
    used = connection.execute(_USED, {"index_id": index.id, "filename": examined.filename}).first()
    if used is None:
        connection.execute(
            _BURN,
            {
                "index_id": index.id,
                "filename": examined.filename,
                "sha256": examined.sha256,
                "used": writing.at,
            },
        )
        return None
    if used.sha256 is None:
        if session_id is None or used.session_id != session_id:
            raise _reserved(examined.filename)
        connection.execute(
            update(names)
            .where(names.c.index_id == index.id, names.c.filename == examined.filename)
            .values(sha256=examined.sha256, session_id=None, used=writing.at)
        )
        return None
    there = _live(connection, index, examined.filename)
    if there is not None and used.sha256 == examined.sha256:
        return Published(there.id, there.project_id, new=False)
    raise _used(examined.filename, there=there is not None)


def open_project(
    writing: Writing, index: IndexRow, name: str, display: str, *, session_id: int | None = None
) -> int:
    """The project of that name, which is made where there is none, so that files may be added.

    Raises ``Refused``: ``project-closed``, ``project-name-reserved``, ``project-name-not-usable`` (403),
    ``project-look-alike`` (409).
    """
    found = demand_project(writing.connection, index, name, writing.actor, writing.at, session_id=session_id)
    if found is not None:
        return found
    created: int = writing.connection.execute(
        _MAKE,
        {
            "index_id": index.id,
            "name": name,
            "display": display,
            "look_alike": look_alike(name),
            "private": index.settings.get("new_projects") == "private",
            "created": writing.at,
            "serial": 0,
        },
    ).scalar_one()
    roles.own(writing, index, created, name, actor=_opener(writing, session_id))
    writing.changed(index.id, "create-project", project=name)
    return created


def _opener(writing: Writing, session_id: int | None) -> str | None:
    """Who opened the upload session: a new project is theirs, whoever publishes it."""
    sessions = tables.upload_session.c
    if session_id is None:
        return None
    return writing.connection.execute(select(sessions.actor).where(sessions.id == session_id)).scalar()


def demand_project(
    connection: Connection,
    index: IndexRow,
    name: str,
    actor: str,
    at: int,
    *,
    session_id: int | None = None,
    joining: bool = False,
) -> int | None:
    """The project files may be added to, ``None`` where it is still to be made; raises as :func:`open_project`.

    A name nobody has published under is kept for whoever opened an upload session for it first, as long as that
    lives (PEP 694, "Create a Publishing Session"); ``joining``: for an administrator as well.
    """
    found = connection.execute(_PROJECT, {"index_id": index.id, "name": name}).first()
    if found is not None:
        if found.status in ("archived", "quarantined"):
            raise Refused(403, "project-closed", f"{name} is {found.status}: it takes no new files (PEP 792)")
        return int(found.id)
    policy.demand_new_project(index, name)
    alike = look_alike(name)
    there = connection.execute(_ALIKE, {"index_id": index.id, "look_alike": alike}).first()
    # Names that not everybody may know are not told to whoever guesses well.
    other = None if there is None else "a name" if there.private else str(there.name)
    reserved = connection.execute(_SESSIONS, {"index_id": index.id, "at": at})
    for row in reserved:
        if row.id == session_id:
            break  # whoever was first is not refused for those who came after
        if row.project == name and row.actor != actor and not joining:
            raise Refused(
                403,
                "project-name-reserved",
                f"the new name {name} is reserved by somebody else's upload session",
                hint="it is free again when that session is canceled or has expired",
            )
        if row.project != name and other is None and look_alike(row.project) == alike:
            other = "a name"
    if other is not None:
        raise Refused(409, "project-look-alike", f"{name} looks like {other}, which is there already")
    namespaces.demand(connection, index, name, actor)
    return None


def _release(writing: Writing, project_id: int, examined: Examined, *, seen: bool) -> int:
    """The release of the file, which is made where there is none.  It is published, and says what its first file says, from
    the first one that is ``seen``: nothing is told of what only waits in quarantine."""
    connection = writing.connection
    found = connection.execute(_RELEASE, {"project_id": project_id, "version": examined.version}).first()
    if found is not None:
        if found.published is None and seen:
            releases.publish(writing, int(found.id), examined.fields)
        return int(found.id)
    release_id: int = connection.execute(
        _BEGIN, {"project_id": project_id, "version": examined.version, "created": writing.at, "about": {}}
    ).scalar_one()
    if seen:
        releases.publish(writing, release_id, examined.fields)
    return release_id
