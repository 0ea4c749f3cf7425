"""Signing in with a password, and what a browser shows afterwards: a key, of which only the digest is kept.

A session is made by :func:`sign_in` and by nothing else: a key that a browser brings along and the server did not make is no
session, and signing in always makes a new one and ends the one before (no fixation).  Each has a secret of its own for
forms (``csrf``).  It ends after ``session_seconds``, when its user signs out, is locked out or gets another password.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from accord.server.accounts import attempts, audit
from accord.server.accounts.people import normalise_user
from accord.server.accounts.principals import Principal
from accord.server.database import tables
from accord.server.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.accounts.passwords import Passwords
    from accord.server.database import Database, Writing
    from accord.server.limits import Limits

__all__ = ["Session", "check_password", "csrf_fits", "find_session", "sign_in", "sign_out"]


@dataclass(frozen=True, slots=True)
class Session:
    """``who`` may do what its user may.  ``csrf`` stands in each form of the session and is compared with
    :func:`csrf_fits`."""

    who: Principal
    csrf: str
    expires: int


def check_password(database: Database, passwords: Passwords, name: str, password: str) -> Principal:
    """Whose password this is.

    Raises ``Refused``: ``sign-in-failed`` (401), the same and after the same time for an unknown user, one who is locked out,
    one without a password, and a wrong password; ``rate-limited`` (429); ``audit-unavailable``, ``password-busy`` (503).
    """
    try:
        name = normalise_user(name)
    except Refused:
        name = ""
    watched = attempts.attempt.get()
    if watched is not None:
        watched.guard.before(watched, f"user:{name}")
    columns = tables.user.c
    with database.read() as connection:
        row = connection.execute(
            select(columns.id, columns.password, columns.admin, columns.disabled).where(columns.name == name)
        ).first()
    fits = passwords.fits(None if row is None else row.password, password)
    if row is None or not fits or row.disabled:
        if watched is not None:
            watched.guard.failed(watched, f"user:{name}")
        raise Refused(401, "sign-in-failed", "no user has this name and this password")
    if watched is not None:
        watched.guard.signed_in(watched, f"user:{name}")
    if passwords.outdated(row.password):
        renewed = passwords.hash_again(password)
        with database.write("system") as writing:
            # Only if nobody gave another password meanwhile.
            writing.connection.execute(
                update(tables.user)
                .where(columns.id == row.id, columns.password == row.password)
                .values(password=renewed)
            )
    return Principal(f"user:{name}", row.id, row.admin)


def sign_in(
    database: Database,
    passwords: Passwords,
    limits: Limits,
    name: str,
    password: str,
    *,
    before: str | None = None,
) -> tuple[str, Session]:
    """``(key, session)``: the key goes into the cookie.  ``before`` is the cookie the browser sent, whose session ends.

    Raises what :func:`check_password` raises.
    """
    who = check_password(database, passwords, name, password)
    key, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    with database.write(who.actor) as writing:
        sessions = tables.web_session
        writing.connection.execute(
            delete(sessions).where(
                (sessions.c.expires <= writing.at) | (sessions.c.key_sha256 == _digest(before or ""))
            )
        )
        expires = writing.at + int(limits.session_seconds * 1_000_000)
        writing.connection.execute(
            insert(sessions).values(
                key_sha256=_digest(key),
                user_id=who.user_id,
                csrf=csrf,
                created=writing.at,
                expires=expires,
            )
        )
        audit.record(writing, "begin-session", who.actor)
    return key, Session(who, csrf, expires)


def find_session(connection: Connection, key: str | None, at: int) -> Session | None:
    """The session of a cookie, ``None`` for whatever is none (any more)."""
    if not key:
        return None
    sessions, users = tables.web_session.c, tables.user.c
    row = connection.execute(
        select(sessions.csrf, sessions.expires, users.id, users.name, users.admin)
        .join(tables.user, users.id == sessions.user_id)
        .where(sessions.key_sha256 == _digest(key), sessions.expires > at, users.disabled.is_(False))
    ).first()
    if row is None:
        return None
    return Session(Principal(f"user:{row.name}", row.id, row.admin), row.csrf, row.expires)


def sign_out(writing: Writing, key: str) -> None:
    """End a session; no error where there is none."""
    writing.connection.execute(
        delete(tables.web_session).where(tables.web_session.c.key_sha256 == _digest(key))
    )
    audit.record(writing, "end-session", writing.actor)


def csrf_fits(session: Session, shown: str | None) -> bool:
    """Whether a form was made by us for this session."""
    return hmac.compare_digest(session.csrf.encode(), (shown or "").encode())


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
