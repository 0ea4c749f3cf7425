"""Users and their tokens, made and ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from accord.server.accounts import tokens
from accord.server.accounts.tokens import Restriction
from accord.server.database import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.database import Writing

__all__ = ["add_token", "add_user", "any_user"]


def any_user(connection: Connection) -> bool:
    return connection.execute(select(tables.user.c.id).limit(1)).first() is not None


def add_user(writing: Writing, name: str, *, admin: bool = False) -> int:
    """The new user's number."""
    created: int = writing.connection.execute(
        insert(tables.user).values(name=name, admin=admin, created=writing.at).returning(tables.user.c.id)
    ).scalar_one()
    return created


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
    writing.connection.execute(
        insert(tables.token).values(
            public_id=public_id,
            user_id=user_id,
            name=name,
            key=key,
            restrictions=(restriction or Restriction()).as_dict(),
            created=writing.at,
            expires=expires,
        )
    )
    return tokens.mint(key, public_id)
