"""Who asks: from an ``Authorization`` header to a :class:`Principal`, and from there to yes or no.

Everything fails closed: an unknown token, a wrong signature, a disabled user, a restriction that is not understood are
the same 401, said in the same words.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from accord.server.accounts import attempts, sealing, tokens
from accord.server.accounts.tokens import Restriction, Token
from accord.server.database import tables
from accord.server.errors import Refused, no_such_index, no_such_project, unauthenticated

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from accord.server.catalogue.indexes import IndexRow

__all__ = [
    "ACTIONS",
    "ANYBODY",
    "Principal",
    "authenticate",
    "credential",
    "demand",
    "may",
    "name_and_password",
]

ACTIONS = (
    "read",
    "upload",
    "yank",
    "status",
    "withdraw",
    "promote",
    "roles",
    "quarantine",
    "admin",
    "account",
)
"""What a token can be restricted to.  ``quarantine`` is to see new files that wait and to let them pass or not (a scanner),
``admin`` the administration of indexes and of the server, ``account`` what one may do with one's own account."""

# What a role lets do: in a whole index, in one project.
_IN_INDEX = {
    "reader": frozenset(("read",)),
    "uploader": frozenset(("read", "upload", "yank")),
    "admin": frozenset(ACTIONS),
}
_IN_PROJECT = {
    "reader": frozenset(("read",)),
    "maintainer": frozenset(("read", "upload", "yank")),
    "owner": frozenset(("read", "upload", "yank", "status", "withdraw", "promote", "roles")),
}


_TOKEN = (
    select(tables.token, tables.user.c.name.label("user_name"), tables.user.c.admin, tables.user.c.disabled)
    .join(tables.user, tables.user.c.id == tables.token.c.user_id)
    .where(tables.token.c.public_id == bindparam("public_id"))
)
_ROLES = select(tables.role.c.role, tables.role.c.project_id).where(
    tables.role.c.index_id == bindparam("index_id"), tables.role.c.user_id == bindparam("user_id")
)
_PROJECT = select(tables.project.c.id, tables.project.c.private).where(
    tables.project.c.index_id == bindparam("index_id"), tables.project.c.name == bindparam("name")
)


@dataclass(frozen=True, slots=True)
class Principal:
    """``actor`` stands in journals.  ``user_id`` is ``None`` for anybody.  All ``restrictions`` must hold.
    ``token`` is the public identifier of the one that was shown."""

    actor: str
    user_id: int | None = None
    admin: bool = False
    restrictions: tuple[Restriction, ...] = ()
    token_id: int | None = None
    token: str = ""


ANYBODY = Principal("anybody")


def credential(header: str | None) -> str | None:
    """The token in an ``Authorization`` header: ``Bearer TOKEN``, or Basic with any name and the token as password."""
    if not header:
        return None
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    found = _basic(header)
    return None if found is None else found[1]


def name_and_password(header: str | None) -> tuple[str, str] | None:
    """Of Basic credentials that are no token."""
    found = None if not header else _basic(header)
    if found is None or found[0] == "__token__" or found[1].startswith(tokens.PREFIX):
        return None
    return found


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return name, password


def authenticate(connection: Connection, header: str | None, at: int) -> Principal:
    """Who sends this header.  Raises ``Refused("not-authenticated")`` (401) where there is one that is not good."""
    text = credential(header)
    if not header or text == "":
        # pip and uv show a user name alone before they ask the keyring for what belongs to it: nothing has failed.
        return ANYBODY
    token = None if text is None else tokens.parse(text)
    claimed = "" if token is None else f"token:{token.public_id[:32]}"
    watched = attempts.attempt.get()
    if watched is not None:
        watched.guard.before(watched, claimed)
    found = None if token is None else _bearer(connection, token, at)
    if found is None:
        if watched is not None:
            watched.guard.failed(watched, claimed)
        raise unauthenticated()
    return found


def _bearer(connection: Connection, token: Token, at: int) -> Principal | None:
    """Who holds a token, ``None`` where it is not good, for whatever reason."""
    row = connection.execute(_TOKEN, {"public_id": token.public_id}).first()
    if (
        row is None
        or row.revoked is not None
        or row.disabled
        or (row.expires is not None and at >= row.expires)
    ):
        return None
    key = sealing.secrets_of(connection).open(row.public_id, row.key)
    added = None if key is None else tokens.verify(token, key)
    made = Restriction.of(row.restrictions)
    if added is None or made is None:
        return None
    restrictions = (made, *added)
    if any(one.expires is not None and at >= one.expires for one in restrictions):
        return None
    return Principal(f"user:{row.user_name}", row.user_id, row.admin, restrictions, row.id, token.public_id)


def may(
    connection: Connection, who: Principal, action: str, index: IndexRow | None, project: str | None, at: int
) -> bool:
    """Whether ``who`` may do ``action`` in ``index`` (``None``: in the server as a whole), in ``project`` if one is named.

    To upload to a project that is not there is to make it, which the index has its own word on (``creators``).
    """
    name = None if index is None else index.name
    if not all(restriction.allows(action, name, project, at) for restriction in who.restrictions):
        # What anybody may read is read with a narrowed token, too.
        return action == "read" and _permitted(connection, ANYBODY, action, index, project)
    return _permitted(connection, who, action, index, project)


def demand(
    connection: Connection, who: Principal, action: str, index: IndexRow | None, project: str | None, at: int
) -> None:
    """Raises ``Refused``: ``not-authenticated`` (401) for anybody; for who is known ``not-allowed`` (403), or where even
    reading is not allowed ``no-such-index``, ``no-such-project`` (404), as if there were none."""
    allowed = may(connection, who, action, index, project, at)
    watched = attempts.attempt.get()
    if watched is not None and who.user_id is not None:
        place = "" if index is None else index.name if project is None else f"{index.name}/{project}"
        watched.guard.used(watched, who, action, place, allowed=allowed)
    if not allowed:
        raise _refusal(connection, who, action, index, project, at)


def _permitted(
    connection: Connection, who: Principal, action: str, index: IndexRow | None, project: str | None
) -> bool:
    """What roles say, whatever a token is restricted to."""
    if who.admin:
        return True
    if index is None:
        return action == "account" and who.user_id is not None
    row = None if project is None else _project(connection, index, project)
    private = row is not None and row.private
    if action == "read" and index.public and not private:
        return True
    if who.user_id is None:
        return False
    held = connection.execute(_ROLES, {"index_id": index.id, "user_id": who.user_id}).all()
    in_index = {role for role, of in held if of is None}
    if action == "upload" and project is not None and row is None:
        return _creates(index, in_index)
    if private:
        in_index &= {"admin"}  # a private project is its own readers' and the administrators'
    in_project = {role for role, of in held if row is not None and of == row.id}
    return any(action in _IN_INDEX.get(role, ()) for role in in_index) or any(
        action in _IN_PROJECT.get(role, ()) for role in in_project
    )


def _creates(index: IndexRow, in_index: set[str]) -> bool:
    creators = index.settings.get("creators", "uploaders")
    if creators == "users":
        return index.public or bool(in_index)
    return bool(in_index & ({"admin", "uploader"} if creators == "uploaders" else {"admin"}))


def _project(connection: Connection, index: IndexRow, name: str) -> Row[Any, Any] | None:
    return connection.execute(_PROJECT, {"index_id": index.id, "name": name}).first()


def _refusal(
    connection: Connection, who: Principal, action: str, index: IndexRow | None, project: str | None, at: int
) -> Refused:
    """What is told depends on what the asker, with this token, may read."""
    if index is not None and (who.user_id is not None or (action == "read" and index.public)):
        readable = project is not None and may(connection, who, "read", index, project, at)
        if not readable and not may(connection, who, "read", index, None, at):
            return no_such_index(index.name)
        missing = project is not None and action != "upload" and _project(connection, index, project) is None
        if project is not None and (missing or not readable):
            return no_such_project(index.name, project)
    if who.user_id is None:
        return unauthenticated()
    what = "this server" if index is None else index.name if project is None else f"{project} in {index.name}"
    narrowed = _permitted(connection, who, action, index, project)
    return Refused(
        403,
        "not-allowed",
        f"{who.actor} may not {action} {what}" + (" with this token, which is narrowed" if narrowed else ""),
    )
