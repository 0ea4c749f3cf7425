"""Users: added, changed, locked out.

Names are lower case with single dashes, so that nobody is ``Ada_L`` beside ``ada-l``; ``display`` is what was written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from accord.server.accounts import audit, sealing, tokens
from accord.server.accounts.tokens import Restriction
from accord.server.clock import iso
from accord.server.database import tables
from accord.server.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.database import Writing

__all__ = [
    "UserRow",
    "add_token",
    "add_user",
    "any_user",
    "change_user",
    "find_user",
    "is_actor",
    "normalise_user",
    "set_password",
    "user_named",
    "users",
]

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?\Z")


@dataclass(frozen=True, slots=True)
class UserRow:
    """``has_password`` is all that is told of a password."""

    id: int
    name: str
    display: str
    email: str
    admin: bool
    disabled: bool
    created: int
    has_password: bool

    def as_dict(self) -> dict[str, object]:
        return {
            "name": self.name,
            "display": self.display,
            "email": self.email,
            "admin": self.admin,
            "disabled": self.disabled,
            "created": iso(self.created),
            "password": self.has_password,
        }


_COLUMNS = [
    tables.user.c.password.is_not(None) if name == "has_password" else getattr(tables.user.c, name)
    for name in UserRow.__slots__
]


def normalise_user(name: str) -> str:
    """Raises ``Refused("user-name")`` (400)."""
    found = re.sub(r"[-_.]+", "-", name.strip()).lower()
    if not name.isascii() or not _NAME.match(found):
        raise Refused(
            400,
            "user-name",
            f"{name!r} is no name for a user",
            hint="at most 64 letters of a to z, digits, dashes",
        )
    return found


def is_actor(actor: str, name: str) -> bool:
    """Whether a name, however it is written, is that of the user who acts."""
    try:
        return actor == f"user:{normalise_user(name)}"
    except Refused:
        return False


def any_user(connection: Connection) -> bool:
    return connection.execute(select(tables.user.c.id).limit(1)).first() is not None


def users(connection: Connection, *, after: str = "", limit: int = 1000) -> tuple[UserRow, ...]:
    """By name, those that come after ``after``."""
    query = select(*_COLUMNS).where(tables.user.c.name > after).order_by(tables.user.c.name).limit(limit)
    return tuple(UserRow(*row) for row in connection.execute(query))


def find_user(connection: Connection, name: str) -> UserRow | None:
    row = connection.execute(select(*_COLUMNS).where(tables.user.c.name == name)).first()
    return None if row is None else UserRow(*row)


def user_named(connection: Connection, name: str) -> UserRow:
    """Raises ``Refused("no-such-user")`` (404)."""
    try:
        found = find_user(connection, normalise_user(name))
    except Refused:
        found = None  # no name a user can have
    if found is None:
        raise Refused(404, "no-such-user", f"this server has no user {name!r}")
    return found


def add_user(
    writing: Writing,
    name: str,
    *,
    display: str = "",
    email: str = "",
    password_hash: str | None = None,
    admin: bool = False,
) -> int:
    """The new user's number.  Raises ``Refused``: ``user-name`` (400), ``user-exists`` (409)."""
    normal = normalise_user(name)
    if find_user(writing.connection, normal) is not None:
        raise Refused(409, "user-exists", f"there is a user {normal!r} already")
    created: int = writing.connection.execute(
        insert(tables.user)
        .values(
            name=normal,
            display=display or name.strip(),
            email=email,
            password=password_hash,
            admin=admin,
            created=writing.at,
        )
        .returning(tables.user.c.id)
    ).scalar_one()
    audit.record(writing, "add-user", f"user:{normal}", admin=admin, password=password_hash is not None)
    return created


def change_user(
    writing: Writing,
    user: UserRow,
    *,
    display: str | None = None,
    email: str | None = None,
    admin: bool | None = None,
    disabled: bool | None = None,
) -> UserRow:
    """Change what is given.  Who is locked out is signed out everywhere; tokens of a locked-out user do nothing."""
    changes: dict[str, Any] = {
        key: value
        for key, value in (("display", display), ("email", email), ("admin", admin), ("disabled", disabled))
        if value is not None
    }
    if changes:
        writing.connection.execute(update(tables.user).where(tables.user.c.id == user.id).values(changes))
        if disabled:
            end_sessions(writing, user.id)
        audit.record(
            writing,
            "disable-user" if disabled else "change-user",
            f"user:{user.name}",
            **{key: value for key, value in changes.items() if key in ("admin", "disabled")},
        )
    return user_named(writing.connection, user.name)


def set_password(writing: Writing, user: UserRow, password_hash: str | None) -> None:
    """``None``: this user has tokens only.  Whoever is signed in with the old password is signed out."""
    writing.connection.execute(
        update(tables.user).where(tables.user.c.id == user.id).values(password=password_hash)
    )
    end_sessions(writing, user.id)
    audit.record(writing, "set-password", f"user:{user.name}", password=password_hash is not None)


def end_sessions(writing: Writing, user_id: int) -> None:
    writing.connection.execute(delete(tables.web_session).where(tables.web_session.c.user_id == user_id))


def add_token(
    writing: Writing,
    user_id: int,
    name: str,
    *,
    restriction: Restriction | None = None,
    expires: int | None = None,
) -> str:
    """A new token, as text: it is shown once and cannot be read from the database again."""
    public_id, key = tokens.new_key()
    made = (restriction or Restriction()).as_dict()
    writing.connection.execute(
        insert(tables.token).values(
            public_id=public_id,
            user_id=user_id,
            name=name,
            key=sealing.seal_new(writing, public_id, key),
            restrictions=made,
            created=writing.at,
            expires=expires,
        )
    )
    owner = writing.connection.execute(select(tables.user.c.name).where(tables.user.c.id == user_id)).scalar()
    audit.record(
        writing,
        "create-token",
        f"token:{public_id}",
        user=owner,
        restrictions=made,
        expires=None if expires is None else iso(expires),
    )
    return tokens.mint(key, public_id)
