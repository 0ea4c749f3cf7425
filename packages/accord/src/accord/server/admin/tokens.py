"""``/api/tokens``: one's own, and for administrators everybody's.  Who has a password may use it here, to get a first token.

A token makes no token that may more than itself: only one that is not narrowed to indexes, projects or actions may make any,
and what it makes ends with it at the latest.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from accord.server.accounts import issued, people, principals
from accord.server.accounts.tokens import Restriction
from accord.server.admin import shapes
from accord.server.admin.asking import Asked, Body, Operation, describe
from accord.server.errors import Refused
from accord.server.limits import DEFAULT
from accord_core.names import normalise

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from accord.server.parts import Parts

__all__ = ["openapi", "routes"]

_Words = Annotated[str, msgspec.Meta(min_length=1, max_length=DEFAULT.token_name_bytes)]
_Names = Annotated[list[_Words], msgspec.Meta(min_length=1, max_length=DEFAULT.token_names)]
_Actions = Annotated[
    list[Annotated[_Words, msgspec.Meta(extra_json_schema={"enum": list(principals.ACTIONS)})]],
    msgspec.Meta(min_length=1, max_length=DEFAULT.token_names),
]
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class NewToken(Body, frozen=True):
    """``user``: whose it is, one's own where it is left away.  A restriction left away restricts nothing."""

    name: _Words
    user: _Words | None = None
    indexes: _Names | None = None
    projects: _Names | None = None
    actions: _Actions | None = None
    expires: _Instant | None = None


def routes(parts: Parts) -> list[BaseRoute]:
    return [one.route(parts) for one in _OPERATIONS]


def openapi(paths: dict[str, Any]) -> None:
    describe(_OPERATIONS, paths)


def tokens(asked: Asked[None]) -> object:
    """One's own; with ``?user=`` (administrators) another's, ``?user=*`` everybody's."""
    whose = asked.query("user")
    with asked.reading() as connection:
        of = asked.who.user_id
        if whose is not None:
            principals.demand(connection, asked.who, "admin", None, None, asked.at)
            of = None if whose == "*" else people.user_named(connection, whose).id
        rows = issued.tokens_of(connection, of)
    return {"tokens": [row.as_dict() for row in rows]}


def create_token(asked: Asked[NewToken]) -> object:
    body = asked.body
    _whole(asked.who)
    expires = None if body.expires is None else int(body.expires.timestamp() * 1_000_000)
    restriction = restriction_of(body.indexes, body.projects, body.actions)
    expires = _within(asked.who, expires, asked.at)
    with asked.writing() as writing:
        owner = asked.who.user_id
        if body.user is not None and not people.is_actor(asked.who.actor, body.user):
            # Before anybody is looked for: who may not is not told who there is.
            principals.demand(writing.connection, asked.who, "admin", None, None, asked.at)
            owner = people.user_named(writing.connection, body.user).id
        assert owner is not None
        secret = people.add_token(writing, owner, body.name, restriction=restriction, expires=expires)
        made = issued.tokens_of(writing.connection, owner)[0]
    return {**made.as_dict(), "secret": secret}


def revoke_token(asked: Asked[None]) -> None:
    with asked.writing() as writing:
        operator = principals.may(writing.connection, asked.who, "admin", None, None, asked.at)
        of = None if operator else asked.who.user_id
        issued.revoke(writing, issued.token_with(writing.connection, asked.path("token"), of=of))


def restriction_of(
    indexes: list[str] | None, projects: list[str] | None, actions: list[str] | None
) -> Restriction:
    """Raises ``Refused("action-unknown")`` (400)."""
    for action in actions or ():
        if action not in principals.ACTIONS:
            raise Refused(
                400,
                "action-unknown",
                f"there is no action {action!r}",
                hint=f"there are {', '.join(principals.ACTIONS)}",
            )
    return Restriction(
        None if indexes is None else frozenset(indexes),
        None if projects is None else frozenset(map(normalise, projects)),
        None if actions is None else frozenset(actions),
    )


def _whole(who: principals.Principal) -> None:
    """What is narrowed makes nothing: not even a token that may manage tokens and no more."""
    for one in who.restrictions:
        if one.indexes is not None or one.projects is not None or one.actions is not None:
            raise Refused(
                403,
                "token-narrowed",
                "a token that is narrowed makes no other",
                hint="whoever holds it can narrow it further without asking: accord index token narrow",
            )


def _within(who: principals.Principal, expires: int | None, at: int) -> int | None:
    """The end of a new token: what is asked for, the asking token's own at the latest."""
    if expires is not None and expires <= at:
        raise Refused(409, "token-expired", "the token would have expired already")
    own = min((one.expires for one in who.restrictions if one.expires is not None), default=None)
    if own is None or (expires is not None and expires <= own):
        return expires
    if expires is None:
        return own
    raise Refused(403, "token-outlives", "a token makes none that lives longer than itself")


_OPERATIONS = (
    Operation(
        "GET",
        "/api/tokens",
        tokens,
        "account",
        passwords=True,
        query=("user",),
        answer=shapes.listed("tokens", shapes.TOKEN),
    ),
    Operation(
        "POST", "/api/tokens", create_token, "account", NewToken, passwords=True, answer=shapes.NEW_TOKEN
    ),
    Operation("DELETE", "/api/tokens/{token}", revoke_token, "account", passwords=True),
)
