"""Upload sessions and their states (PEP 694, draft of 2026-07-29, "Publishing Session States"): rows, no HTTP.

    (none) -> open -> published            publishing is one writing block: it happens whole, or the session stays open
              open -> canceled             asked for, or its time is over

``processing`` and ``error`` are states of servers that publish later; they are honoured where a row has them and never
entered here.  The files of a session are in ``session_files``.  What is staged is in the storage and in the two tables of
sessions alone: no project, release or file stands anywhere before the session is published, so no reader can see half.

A session whose time is over *is* canceled, from that instant on, whoever looks; :func:`end_expired` only tidies up.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, insert, or_, select, update

from accord.server.catalogue.publishing import demand_project, open_project, project_turn
from accord.server.database import tables
from accord.server.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.database import Writing
    from accord.server.limits import Limits

__all__ = [
    "LIVE",
    "Session",
    "cancel",
    "demand_live",
    "end_expired",
    "extend",
    "find_preview",
    "find_session",
    "forget_old",
    "notice",
    "open_session",
]

LIVE = ("open", "processing", "error")
_SECOND = 1_000_000
_AT_ONCE = 500  # tidied up in one block, because everybody else waits for it
_EXPIRED = "the session expired: nothing of it was published"


@dataclass(frozen=True, slots=True)
class Session:
    """``project`` is normalised, ``display`` as the client wrote it; ``preview`` is the session token."""

    id: int
    public_id: str
    preview: str
    index_id: int
    project: str
    display: str
    version: str
    state: str
    actor: str
    created: int
    expires: int
    notices: tuple[str, ...]

    @property
    def live(self) -> bool:
        """Neither published nor canceled."""
        return self.state in LIVE


_COLUMNS = [getattr(tables.upload_session.c, name) for name in Session.__slots__]


def _session(row: Any, at: int) -> Session:
    found = Session(**{**row._mapping, "notices": tuple(row.notices)})
    if found.live and found.expires <= at:
        return replace(found, state="canceled", notices=(*found.notices, _EXPIRED))
    return found


def find_session(connection: Connection, index: IndexRow, public_id: str, at: int) -> Session | None:
    column = tables.upload_session.c
    row = connection.execute(
        select(*_COLUMNS).where(column.index_id == index.id, column.public_id == public_id)
    ).first()
    return None if row is None else _session(row, at)


def find_preview(connection: Connection, index: IndexRow, token: str, at: int) -> Session | None:
    """The live session with that token."""
    column = tables.upload_session.c
    row = connection.execute(
        select(*_COLUMNS).where(column.index_id == index.id, column.preview == token)
    ).first()
    found = None if row is None else _session(row, at)
    return found if found is not None and found.live else None


def open_session(
    writing: Writing,
    index: IndexRow,
    project: str,
    display: str,
    version: str,
    limits: Limits,
    *,
    joining: bool = False,
) -> tuple[Session, bool]:
    """A new session, or the live one of that project and version; and whether it is new.

    Raises as ``publishing.demand_project``, and ``Refused("too-many-sessions")`` (409).
    """
    connection = writing.connection
    writing.turn(project_turn(index, project))
    demand_project(connection, index, project, writing.actor, writing.at, joining=joining)
    column = tables.upload_session.c
    mine = and_(column.index_id == index.id, column.state.in_(LIVE), column.expires > writing.at)
    row = connection.execute(
        select(*_COLUMNS).where(mine, column.project == project, column.version == version)
    ).first()
    if row is not None:
        return _session(row, writing.at), False
    count = connection.execute(
        select(func.count()).select_from(tables.upload_session).where(mine, column.actor == writing.actor)
    ).scalar_one()
    if count >= limits.upload_sessions_open:
        raise Refused(
            409,
            "too-many-sessions",
            f"{writing.actor} has {count} upload sessions open in {index.name}, which is the most there may be",
            hint="publish or cancel some of them",
        )
    # Whole seconds, as they are shown.
    created = -(-writing.at // _SECOND) * _SECOND
    values = {
        "public_id": secrets.token_urlsafe(16),
        "preview": secrets.token_urlsafe(32),
        "index_id": index.id,
        "project": project,
        "display": display,
        "version": version,
        "state": "open",
        "actor": writing.actor,
        "created": created,
        "expires": created + limits.upload_session_seconds * _SECOND,
        "notices": [],
    }
    row = connection.execute(insert(tables.upload_session).values(values).returning(*_COLUMNS)).one()
    return _session(row, writing.at), True


def demand_live(session: Session) -> None:
    """Raises ``Refused("session-closed")`` (409) for a session nothing can be done with any more."""
    if session.state not in ("open", "error"):
        raise Refused(
            409,
            "session-closed",
            f"the upload session of {session.project} {session.version} is {session.state}",
            context=session.notices,
            hint="wait for its end" if session.state == "processing" else "open a new session",
        )


def extend(writing: Writing, session: Session, seconds: int, limits: Limits) -> Session:
    """Let it live longer, if and as long as the limits let it; never shorter."""
    demand_live(session)
    latest = session.created + limits.upload_session_longest_seconds * _SECOND
    expires = max(session.expires, min(session.expires + seconds * _SECOND, latest))
    writing.connection.execute(
        update(tables.upload_session).where(tables.upload_session.c.id == session.id).values(expires=expires)
    )
    return replace(session, expires=expires)


def cancel(writing: Writing, session: Session, limits: Limits) -> None:
    """End it with nothing published; canceled sessions stay so.  Raises ``Refused("session-closed")`` (409)."""
    if session.state != "canceled":
        demand_live(session)
        end(writing, session, "canceled", limits)


def end(writing: Writing, session: Session, state: str, limits: Limits) -> None:
    """The session reaches its end; its outcome can be asked for a while longer."""
    connection = writing.connection
    connection.execute(
        update(tables.upload_session)
        .where(tables.upload_session.c.id == session.id)
        .values(
            state=state,
            expires=max(session.expires, writing.at + limits.upload_session_kept_seconds * _SECOND),
        )
    )
    if state == "canceled":
        connection.execute(
            update(tables.upload_file)
            .where(tables.upload_file.c.session_id == session.id)
            .values(state="canceled")
        )
        # A name that was reserved for publishing is anybody's again.
        connection.execute(
            delete(tables.file_name).where(
                tables.file_name.c.session_id == session.id, tables.file_name.c.sha256.is_(None)
            )
        )


def notice(writing: Writing, session: Session, text: str) -> None:
    """Something its people should know."""
    writing.connection.execute(
        update(tables.upload_session)
        .where(tables.upload_session.c.id == session.id)
        .values(notices=[*session.notices, text])
    )


def register(writing: Writing, index: IndexRow, session: Session) -> None:
    """A session without files registers the name of its project."""
    open_project(writing, index, session.project, session.display, session_id=session.id)


def end_expired(writing: Writing, limits: Limits) -> int:
    """Enter as canceled what is, some at a time; how many sessions that were."""
    column = tables.upload_session.c
    rows = writing.connection.execute(
        select(*_COLUMNS).where(column.state.in_(LIVE), column.expires <= writing.at).limit(_AT_ONCE)
    ).all()
    for row in rows:
        session = _session(row, writing.at)
        end(writing, session, "canceled", limits)
        writing.connection.execute(
            update(tables.upload_session).where(column.id == session.id).values(notices=list(session.notices))
        )
    return len(rows)


def forget_old(writing: Writing) -> None:
    """Forget ended sessions nobody needs to ask about any more; those that still hold bytes stay until they are released."""
    column = tables.upload_session.c
    old = select(column.id).where(column.state.in_(("published", "canceled")), column.expires <= writing.at)
    holds = tables.upload_file.c
    rows = writing.connection.execute(
        old.where(
            ~select(holds.id)
            .where(
                holds.session_id == column.id,
                or_(holds.sha256.is_not(None), holds.metadata_sha256.is_not(None)),
            )
            .exists()
        ).limit(_AT_ONCE)
    ).scalars()
    gone = list(rows)
    if gone:
        connection = writing.connection
        connection.execute(delete(tables.upload_file).where(holds.session_id.in_(gone)))
        connection.execute(delete(tables.upload_session).where(column.id.in_(gone)))
