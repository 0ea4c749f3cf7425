"""The files of an upload session and their states (PEP 694, "File Upload Session States").

    (none) -> pending -> completed         its bytes came, and are a file of this project and version
              pending -> error             completing failed: the file is deleted and begun anew
              any     -> canceled          deleted, replaced, or the session was canceled

What bytes are is found out once, when they come (:func:`received`), and acted on when they are completed.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, or_, select, update

from accord.server.archives.attestations import disagree
from accord.server.archives.examine import Examined
from accord.server.catalogue import policy, sessions
from accord.server.catalogue.publishing import name_fault, project_turn, publish_file
from accord.server.database import tables
from accord.server.errors import Refused
from accord.wheels.fields import read_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.catalogue.sessions import Session
    from accord.server.database import Writing
    from accord.server.limits import Limits

__all__ = [
    "SessionFile",
    "add_file",
    "attested",
    "complete",
    "discard",
    "examined_of",
    "files_of",
    "find_file",
    "find_upload",
    "publish_session",
    "received",
    "releasable",
    "released",
]

_WAITS = "waits in quarantine, and is visible when it is released"
_NOT_STORED = frozenset(("metadata", "fields"))


@dataclass(frozen=True, slots=True)
class SessionFile:
    id: int
    public_id: str
    session_id: int
    filename: str
    size: int
    hashes: dict[str, str]
    mechanism: str
    state: str
    notices: list[str]
    sha256: str | None
    metadata_sha256: str | None
    provenance_sha256: str | None
    attested: str | None
    examined: dict[str, Any] | None
    created: int

    @property
    def found(self) -> dict[str, Any]:
        """What a completed file was found to be, but for its metadata, which are a blob."""
        assert self.examined is not None
        found: dict[str, Any] = self.examined["found"]
        return found

    @property
    def requires_python(self) -> str | None:
        """Of a completed file."""
        assert self.examined is not None
        asked: str | None = self.examined["requires_python"]
        return asked


_COLUMNS = [getattr(tables.upload_file.c, name) for name in SessionFile.__slots__]


def files_of(connection: Connection, session: Session) -> tuple[SessionFile, ...]:
    """The files that are part of it, in the order they were begun."""
    column = tables.upload_file.c
    rows = connection.execute(
        select(*_COLUMNS)
        .where(column.session_id == session.id, column.state != "canceled")
        .order_by(column.id)
    )
    return tuple(SessionFile(*row) for row in rows)


def find_file(connection: Connection, session: Session, filename: str) -> SessionFile | None:
    """The one of that name that is part of it."""
    column = tables.upload_file.c
    row = connection.execute(
        select(*_COLUMNS).where(
            column.session_id == session.id, column.state != "canceled", column.filename == filename
        )
    ).first()
    return None if row is None else SessionFile(*row)


def find_upload(connection: Connection, session: Session, public_id: str) -> SessionFile | None:
    """The file upload session of that name, canceled ones as well."""
    column = tables.upload_file.c
    row = connection.execute(
        select(*_COLUMNS).where(column.session_id == session.id, column.public_id == public_id)
    ).first()
    return None if row is None else SessionFile(*row)


def add_file(
    writing: Writing,
    index: IndexRow,
    session: Session,
    filename: str,
    size: int,
    hashes: Mapping[str, str],
    mechanism: str,
    limits: Limits,
) -> SessionFile:
    """Begin a file.  One of that name which was completed is replaced.

    Raises ``Refused`` (409): ``session-closed``, ``file-exists``, ``file-name-reserved``, ``file-there-already`` (the same
    bytes are published), ``file-in-progress``, ``upload-too-large``, ``session-too-many-files``, ``staged-too-much``.
    """
    connection = writing.connection
    sessions.demand_live(session)
    writing.turn(project_turn(index, session.project))
    fault = name_fault(connection, index, filename, hashes.get("sha256"))
    if fault is not None:
        raise fault
    if "sha256" in hashes and _published(connection, index, filename):
        raise Refused(409, "file-there-already", f"the same {filename} is published already")
    same = find_file(connection, session, filename)
    if same is not None:
        if same.state != "completed":
            raise Refused(
                409,
                "file-in-progress",
                f"the upload of {filename} is {same.state}",
                hint="delete it first, or complete it",
            )
        _set(writing, same, state="canceled")
    _demand_room(connection, index, session, filename, size, limits)
    _demand_staged(writing, session, size, limits)
    row = connection.execute(
        insert(tables.upload_file)
        .values(
            public_id=secrets.token_urlsafe(16),
            session_id=session.id,
            filename=filename,
            size=size,
            hashes=dict(hashes),
            mechanism=mechanism,
            state="pending",
            notices=[],
            created=writing.at,
        )
        .returning(*_COLUMNS)
    ).one()
    return SessionFile(*row)


def _demand_room(
    connection: Connection, index: IndexRow, session: Session, filename: str, size: int, limits: Limits
) -> None:
    """Raises ``Refused`` (409): ``session-too-many-files``, ``upload-too-large``."""
    column = tables.upload_file.c
    count, staged = connection.execute(
        select(func.count(), func.coalesce(func.sum(column.size), 0)).where(
            column.session_id == session.id, column.state != "canceled"
        )
    ).one()
    if count >= limits.upload_session_files:
        raise Refused(
            409,
            "session-too-many-files",
            f"a session may have {limits.upload_session_files} files",
            hint="publish these, then open another session for the rest",
        )
    if size > limits.file_bytes:
        raise Refused(409, "upload-too-large", f"{filename} is larger than {limits.file_bytes} bytes")
    published = connection.execute(
        select(func.coalesce(func.sum(tables.file.c.size), 0))
        .join(tables.project, tables.project.c.id == tables.file.c.project_id)
        .where(
            tables.project.c.index_id == index.id,
            tables.project.c.name == session.project,
            tables.file.c.removed_serial.is_(None),
        )
    ).scalar_one()
    most = policy.policy_of(index).project_bytes or limits.project_bytes
    if published + staged + size > most:
        raise Refused(
            409,
            "upload-too-large",
            f"all files of {session.project} together would be larger than {most} bytes",
        )


def _demand_staged(writing: Writing, session: Session, size: int, limits: Limits) -> None:
    """What somebody's sessions hold together.  Raises ``Refused("staged-too-much")`` (409)."""
    writing.turn(f"staged {session.actor}")  # or sessions side by side would each find room
    column, other = tables.upload_file.c, tables.upload_session.c
    staged = writing.connection.execute(
        select(func.coalesce(func.sum(column.size), 0))
        .join(tables.upload_session, other.id == column.session_id)
        .where(
            other.actor == session.actor,
            other.state.in_(sessions.LIVE),
            other.expires > writing.at,
            column.state != "canceled",
        )
    ).scalar_one()
    if staged + size > limits.staged_bytes:
        raise Refused(
            409,
            "staged-too-much",
            f"all upload sessions of {session.actor} together may hold {limits.staged_bytes} bytes",
            hint="publish or cancel some of them",
        )


def _published(connection: Connection, index: IndexRow, filename: str) -> bool:
    names = tables.file_name.c
    return (
        connection.execute(
            select(names.sha256).where(names.index_id == index.id, names.filename == filename)
        ).first()
        is not None
    )


def _set(writing: Writing, file: SessionFile, **values: Any) -> None:
    writing.connection.execute(
        update(tables.upload_file).where(tables.upload_file.c.id == file.id).values(**values)
    )


def received(writing: Writing, file: SessionFile, found: Examined | Refused) -> None:
    """Its bytes have come, whose blobs are stored already, or are none an index can serve."""
    if isinstance(found, Refused):
        why = {name: getattr(found, name) for name in ("status", "code", "message", "hint")}
        why["context"] = list(found.context)
        _set(writing, file, examined={"refused": why}, sha256=None, metadata_sha256=None)
        return
    facts = {
        field.name: getattr(found, field.name) for field in fields(found) if field.name not in _NOT_STORED
    }
    _set(
        writing,
        file,
        examined={"found": facts, "requires_python": found.requires_python},
        sha256=found.sha256,
        metadata_sha256=found.metadata_sha256,
    )


def attested(writing: Writing, file: SessionFile, provenance_sha256: str, sha256: str) -> None:
    """Its attestations have come, as a provenance object that is stored already; they are about bytes of that SHA-256."""
    _set(writing, file, provenance_sha256=provenance_sha256, attested=sha256)


def complete(writing: Writing, session: Session, file: SessionFile) -> Refused | None:
    """Accept the file into its session; ``None`` if it was, else why not: then it is in the state ``error``.

    Raises ``Refused`` (409): ``session-closed``, ``file-closed``.
    """
    sessions.demand_live(session)
    if file.state == "completed":
        return None
    if file.state != "pending":
        raise Refused(
            409,
            "file-closed",
            f"the upload of {file.filename} is {file.state}",
            context=tuple(file.notices),
            hint="delete it, and begin it anew",
        )
    fault = _fault(session, file)
    if fault is None:
        _set(writing, file, state="completed")
    else:
        _set(writing, file, state="error", notices=[fault.message, *fault.context])
    return fault


def _fault(session: Session, file: SessionFile) -> Refused | None:
    if file.examined is None:
        return Refused(400, "upload-incomplete", f"no bytes of {file.filename} have come")
    why = file.examined.get("refused")
    if why is not None:
        return Refused(
            why["status"], why["code"], why["message"], context=tuple(why["context"]), hint=why["hint"]
        )
    name, version = file.found["name"], file.found["version"]
    if (name, version) != (session.project, session.version):
        return Refused(
            400,
            "session-disagrees",
            f"{file.filename} is of {name} {version}, the session of {session.project} {session.version}",
        )
    if file.attested not in (None, file.sha256):
        return disagree(file.filename)
    return None


def discard(writing: Writing, session: Session, file: SessionFile) -> None:
    """Cancel or delete it.  Raises ``Refused`` (409): ``session-closed``, ``file-closed`` while it is being processed."""
    if file.state == "canceled":
        return
    sessions.demand_live(session)
    if file.state == "processing":
        raise Refused(
            409,
            "file-closed",
            f"{file.filename} is being processed",
            hint="wait until it is completed or failed, then delete it",
        )
    _set(writing, file, state="canceled")


def publish_session(
    writing: Writing, index: IndexRow, session: Session, read: Callable[[str], bytes], limits: Limits
) -> None:
    """All its files become visible, with serials that follow each other, or none and the session stays as it is.
    ``read`` gives the bytes of a metadata blob, and should have read them before.

    Raises ``Refused``: ``session-closed``, ``session-unfinished``, ``file-exists`` (409), ``project-too-large`` (413), and as
    ``publish_file``.
    """
    connection = writing.connection
    sessions.demand_live(session)
    writing.turn(project_turn(index, session.project))
    files = files_of(connection, session)
    unfinished = [file for file in files if file.state != "completed"]
    if unfinished:
        raise Refused(
            409,
            "session-unfinished",
            f"{len(unfinished)} of the session's files are not completed",
            context=tuple(f"{file.filename} is {file.state}" for file in unfinished),
            hint="complete or delete them",
        )
    faults = [
        fault
        for file in files
        if (fault := name_fault(connection, index, file.filename, file.sha256, session.id)) is not None
    ]
    if faults:
        first = faults[0]
        raise Refused(
            409,
            first.code,
            first.message if len(faults) == 1 else f"{len(faults)} of the session's file names are used",
            context=tuple(fault.message for fault in faults) if len(faults) > 1 else (),
            hint="delete them from the session; " + (first.hint or ""),
        )
    if not files:
        sessions.register(writing, index, session)
    waiting = new = False
    for file in files:
        published = publish_file(
            writing,
            index,
            examined_of(file, read),
            provenance_sha256=file.provenance_sha256,
            session_id=session.id,
        )
        waiting, new = waiting or published.waits, new or published.new
        notices = [_WAITS] if published.waits else []
        _set(writing, file, file_id=published.file_id, examined=None, notices=notices)
    if new:  # sessions side by side are each looked at alone until now
        policy.demand_room(connection, index, session.project, 0, limits.project_bytes)
    if waiting:
        sessions.notice(writing, session, _WAITS)
    sessions.end(writing, session, "published", limits)


def examined_of(file: SessionFile, read: Callable[[str], bytes]) -> Examined:
    """What :func:`received` was given."""
    assert file.metadata_sha256 is not None
    metadata = read(file.metadata_sha256)
    found = {
        field.name: file.found[field.name] for field in fields(Examined) if field.name not in _NOT_STORED
    }
    return Examined(**found, metadata=metadata, fields=read_fields(metadata))


def releasable(connection: Connection, most: int = 1_000) -> list[tuple[int, tuple[str, ...]]]:
    """``(row, digests)`` of files that are not part of a session any more, or whose session has ended, and
    still hold their blobs."""
    column, session = tables.upload_file.c, tables.upload_session.c
    held = (column.sha256, column.metadata_sha256, column.provenance_sha256)
    return [
        (row[0], tuple(digest for digest in row[1:] if digest is not None))
        for row in connection.execute(
            select(column.id, *held)
            .join(tables.upload_session, session.id == column.session_id)
            .where(
                (column.state == "canceled") | session.state.in_(("published", "canceled")),
                or_(*(each.is_not(None) for each in held)),
            )
            .limit(most)
        )
    ]


def released(writing: Writing, rows: list[int]) -> None:
    """They hold nothing any more."""
    writing.connection.execute(
        update(tables.upload_file)
        .where(tables.upload_file.c.id.in_(rows))
        .values(sha256=None, metadata_sha256=None, provenance_sha256=None)
    )
