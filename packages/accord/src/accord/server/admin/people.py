"""``/api/whoami``, ``/api/users``, ``/api/audit``: who there is, and what they did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from accord.server.accounts import audit, people
from accord.server.admin import shapes
from accord.server.admin.asking import MOST_ENTRY, Asked, Body, Operation, describe, whole_number
from accord.server.errors import Refused
from accord.server.limits import DEFAULT

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from accord.server.parts import Parts

__all__ = ["openapi", "routes"]

_Words = Annotated[str, msgspec.Meta(max_length=DEFAULT.token_name_bytes)]
_Secret = Annotated[
    str,
    msgspec.Meta(max_length=DEFAULT.password_most, extra_json_schema={"minLength": DEFAULT.password_least}),
]
# What names look like is refused in its own words; the description tells it beforehand.
_UserName = Annotated[
    str,
    msgspec.Meta(
        max_length=DEFAULT.token_name_bytes,
        extra_json_schema={"pattern": "^[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?$"},
    ),
]


class NewUser(Body, frozen=True):
    """``password`` left away: tokens only."""

    name: _UserName
    display: _Words = ""
    email: _Words = ""
    password: _Secret | None = None
    admin: bool = False


class UserChange(Body, frozen=True):
    """What is left away stays as it is."""

    display: _Words | None = None
    email: _Words | None = None
    password: _Secret | None = None
    admin: bool | None = None
    disabled: bool | None = None


class OwnPassword(Body, frozen=True):
    """The new one; the old one comes as a credential, because a token that was stolen must not become a password."""

    password: _Secret


def routes(parts: Parts) -> list[BaseRoute]:
    return [one.route(parts) for one in _OPERATIONS]


def openapi(paths: dict[str, Any]) -> None:
    describe(_OPERATIONS, paths)


def whoami(asked: Asked[None]) -> object:
    """The user, and what the token that asks is restricted to."""
    with asked.reading() as connection:
        row = people.user_named(connection, asked.who.actor.removeprefix("user:"))
    restrictions = [one.as_dict() for one in asked.who.restrictions]
    return {**row.as_dict(), "restrictions": [one for one in restrictions if one]}


def own_password(asked: Asked[OwnPassword]) -> None:
    if asked.who.token:
        raise Refused(
            403,
            "password-needed",
            "a new password takes the old one",
            hint="send it with the user's name (Basic)",
        )
    hashed = asked.parts.passwords.hash(asked.body.password)
    with asked.writing() as writing:
        row = people.user_named(writing.connection, asked.who.actor.removeprefix("user:"))
        people.set_password(writing, row, hashed)


def users(asked: Asked[None]) -> object:
    most = asked.parts.settings.limits.list_entries
    limit = whole_number(asked.query("limit"), "limit", default=most, most=most)
    with asked.reading() as connection:
        rows = people.users(connection, after=asked.query("after") or "", limit=limit)
    return {"users": [row.as_dict() for row in rows], "next": rows[-1].name if len(rows) == limit else None}


def user(asked: Asked[None]) -> object:
    with asked.reading() as connection:
        return people.user_named(connection, asked.path("user")).as_dict()


def add_user(asked: Asked[NewUser]) -> object:
    body = asked.body
    hashed = None if body.password is None else asked.parts.passwords.hash(body.password)
    with asked.writing() as writing:
        people.add_user(
            writing,
            body.name,
            display=body.display,
            email=body.email,
            password_hash=hashed,
            admin=body.admin,
        )
        return people.user_named(writing.connection, body.name).as_dict()


def change_user(asked: Asked[UserChange]) -> object:
    body = asked.body
    hashed = None if body.password is None else asked.parts.passwords.hash(body.password)
    with asked.writing() as writing:
        row = people.user_named(writing.connection, asked.path("user"))
        if row.id == asked.who.user_id and (body.disabled or body.admin is False):
            raise Refused(
                409, "own-account", "nobody locks himself out", hint="another administrator can do it"
            )
        row = people.change_user(
            writing,
            row,
            display=body.display,
            email=body.email,
            admin=body.admin,
            disabled=body.disabled,
        )
        if hashed is not None:
            people.set_password(writing, row, hashed)
        return people.user_named(writing.connection, row.name).as_dict()


def entries(asked: Asked[None]) -> object:
    """The newest first; ``?before=`` goes on below an entry, ``?actor=`` and ``?action=`` choose."""
    most = asked.parts.settings.limits.list_entries
    limit = whole_number(asked.query("limit"), "limit", default=100, most=most)
    before = whole_number(asked.query("before"), "before", default=0, most=MOST_ENTRY) or None
    with asked.reading() as connection:
        rows = audit.entries(
            connection,
            before=before,
            limit=limit,
            actor=asked.query("actor"),
            action=asked.query("action"),
        )
    return {"entries": [row.as_dict() for row in rows], "next": rows[-1].id if len(rows) == limit else None}


_OPERATIONS = (
    Operation("GET", "/api/whoami", whoami, "account", passwords=True, answer=shapes.SELF),
    Operation("PUT", "/api/account/password", own_password, "account", OwnPassword, passwords=True),
    Operation(
        "GET",
        "/api/users",
        users,
        "admin",
        query=("after", "limit"),
        answer=shapes.listed("users", shapes.USER, shapes.TEXT),
    ),
    Operation("POST", "/api/users", add_user, "admin", NewUser, answer=shapes.USER),
    Operation("GET", "/api/users/{user}", user, "admin", answer=shapes.USER),
    Operation("PATCH", "/api/users/{user}", change_user, "admin", UserChange, answer=shapes.USER),
    Operation(
        "GET",
        "/api/audit",
        entries,
        "admin",
        query=("before", "limit", "actor", "action"),
        answer=shapes.listed("entries", shapes.ENTRY, shapes.NUMBER),
    ),
)
