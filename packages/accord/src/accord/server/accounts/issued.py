"""The tokens there are: listed and ended.  Their secrets cannot be read again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from accord.server.accounts import audit
from accord.server.clock import iso
from accord.server.database import tables
from accord.server.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.database import Writing

__all__ = ["TokenRow", "revoke", "token_with", "tokens_of"]


@dataclass(frozen=True, slots=True)
class TokenRow:
    """``public_id`` names a token; knowing it opens nothing."""

    public_id: str
    user: str
    name: str
    restrictions: dict[str, Any]
    created: int
    expires: int | None
    last_used: int | None
    revoked: int | None

    def as_dict(self) -> dict[str, object]:
        times = ("created", "expires", "last_used", "revoked")
        instants = {key: getattr(self, key) for key in times}
        return {
            "id": self.public_id,
            "user": self.user,
            "name": self.name,
            "restrictions": dict(self.restrictions),
            **{key: None if value is None else iso(value) for key, value in instants.items()},
        }


_COLUMNS = [
    tables.user.c.name.label("user") if name == "user" else getattr(tables.token.c, name)
    for name in TokenRow.__slots__
]


def tokens_of(connection: Connection, user_id: int | None) -> tuple[TokenRow, ...]:
    """A user's tokens, everybody's with ``None``; the newest first."""
    query = select(*_COLUMNS).join(tables.user).order_by(tables.token.c.id.desc())
    if user_id is not None:
        query = query.where(tables.token.c.user_id == user_id)
    return tuple(TokenRow(*row) for row in connection.execute(query))


def token_with(connection: Connection, public_id: str, *, of: int | None) -> TokenRow:
    """The token with this identifier if it is ``of`` that user (``None``: of anybody).

    Raises ``Refused("no-such-token")`` (404), in the same words for another's token as for none at all.
    """
    query = select(*_COLUMNS).join(tables.user).where(tables.token.c.public_id == public_id)
    if of is not None:
        query = query.where(tables.token.c.user_id == of)
    row = connection.execute(query).first()
    if row is None:
        raise Refused(
            404, "no-such-token", f"there is no token {public_id!r}" + (" of yours" if of is not None else "")
        )
    return TokenRow(*row)


def revoke(writing: Writing, token: TokenRow) -> None:
    """End a token and all that were narrowed from it.  What is ended already stays as it is."""
    if token.revoked is not None:
        return
    writing.connection.execute(
        update(tables.token).where(tables.token.c.public_id == token.public_id).values(revoked=writing.at)
    )
    audit.record(writing, "revoke-token", f"token:{token.public_id}", user=token.user)
