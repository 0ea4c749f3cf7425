"""Who asks: from an ``Authorization`` header to a :class:`Principal`, and from there to yes or no.

Everything fails closed: an unknown token, a wrong signature, a disabled user, a restriction that is not understood are
the same 401, said in the same words.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from accord.server.accounts import tokens
from accord.server.accounts.tokens import Restriction
from accord.server.database import tables
from accord.server.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.catalogue.indexes import IndexRow

__all__ = ["ACTIONS", "ANYBODY", "Principal", "authenticate", "credential", "demand", "may"]

ACTIONS = ("read", "upload", "yank", "status", "withdraw", "promote", "roles", "admin", "account")
"""What a token can be restricted to.  ``admin`` is the administration of indexes and of the server, ``account`` what one may
do with one's own account: tokens, password."""

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="accord"'}

# What each role may do in its project or, where it is held in a whole index, in all of them.
_ROLES = {
    "reader": frozenset(("read",)),
    "maintainer": frozenset(("read", "upload", "yank")),
    "owner": frozenset(("read", "upload", "yank", "status", "withdraw", "promote", "roles")),
    "uploader": frozenset(("read", "upload", "yank")),
    "admin": frozenset(ACTIONS),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """``actor`` stands in journals.  ``user_id`` is ``None`` for anybody.  All ``restrictions`` must hold."""

    actor: str
    user_id: int | None = None
    admin: bool = False
    restrictions: tuple[Restriction, ...] = ()
    token_id: int | None = None


ANYBODY = Principal("anybody")


def credential(header: str | None) -> str | None:
    """The token in an ``Authorization`` header: ``Bearer TOKEN``, or Basic with any name and the token as password."""
    if not header:
        return None
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return None
    try:
        _, _, password = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return password


def authenticate(connection: Connection, header: str | None, at: int) -> Principal:
    """Who sends this header.  Raises ``Refused("not-authenticated")`` (401) where there is one that is not good."""
    if not header:
        return ANYBODY
    text = credential(header)
    token = None if text is None else tokens.parse(text)
    if token is None:
        raise _unauthenticated()
    row = connection.execute(
        select(
            tables.token, tables.user.c.name.label("user_name"), tables.user.c.admin, tables.user.c.disabled
        )
        .join(tables.user, tables.user.c.id == tables.token.c.user_id)
        .where(tables.token.c.public_id == token.public_id)
    ).first()
    if (
        row is None
        or row.revoked is not None
        or row.disabled
        or (row.expires is not None and at >= row.expires)
    ):
        raise _unauthenticated()
    added = tokens.verify(token, row.key)
    made = Restriction.of(row.restrictions)
    if added is None or made is None:
        raise _unauthenticated()
    return Principal(f"user:{row.user_name}", row.user_id, row.admin, (made, *added), row.id)


def may(
    connection: Connection, who: Principal, action: str, index: IndexRow | None, project: str | None, at: int
) -> bool:
    """Whether ``who`` may do ``action`` in ``index`` (``None``: in the server as a whole), in ``project`` if one is named."""
    name = None if index is None else index.name
    if not all(restriction.allows(action, name, project, at) for restriction in who.restrictions):
        return False
    if who.admin:
        return True
    if index is None:
        return action == "account" and who.user_id is not None
    if action == "read" and index.public:
        return True
    if who.user_id is None:
        return False
    roles = connection.execute(
        select(tables.role.c.role, tables.project.c.name)
        .outerjoin(tables.project, tables.project.c.id == tables.role.c.project_id)
        .where(tables.role.c.index_id == index.id, tables.role.c.user_id == who.user_id)
    )
    return any(of in (None, project) and action in _ROLES.get(role, ()) for role, of in roles)


def demand(
    connection: Connection, who: Principal, action: str, index: IndexRow | None, project: str | None, at: int
) -> None:
    """Raises ``Refused``: ``not-authenticated`` (401) for anybody, ``not-allowed`` (403) for who is known."""
    if may(connection, who, action, index, project, at):
        return
    if who.user_id is None:
        raise _unauthenticated()
    what = "this server" if index is None else index.name if project is None else f"{project} in {index.name}"
    raise Refused(403, "not-allowed", f"{who.actor} may not {action} {what}")


def _unauthenticated() -> Refused:
    return Refused(
        401,
        "not-authenticated",
        "this needs a token that is good here",
        hint="user name __token__, the token as password",
        headers=_CHALLENGE,
    )
