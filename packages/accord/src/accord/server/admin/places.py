"""``/api/indexes``: the indexes, who may do what in them and in their projects, and what only some may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from accord.server.accounts import people, principals, roles
from accord.server.admin import shapes
from accord.server.admin.asking import Asked, Body, Operation, describe
from accord.server.catalogue import access, indexes
from accord.server.limits import DEFAULT

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.routing import BaseRoute

    from accord.server.parts import Parts

__all__ = ["openapi", "routes", "shown"]

_Words = Annotated[str, msgspec.Meta(max_length=DEFAULT.token_name_bytes)]
_IndexName = Annotated[
    str,
    msgspec.Meta(
        max_length=DEFAULT.token_name_bytes,
        extra_json_schema={
            "pattern": "^[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?$",
            "not": {"enum": sorted(indexes.RESERVED)},
        },
    ),
]
_Creators = Literal["admins", "uploaders", "users"]
_NewProjects = Literal["public", "private"]


class NewIndex(Body, frozen=True):
    """``bases`` are names of indexes it builds on, in order; ``creators`` may make projects in it, which are
    ``new_projects`` from their first file on."""

    name: _IndexName
    title: _Words = ""
    public: bool = True
    bases: Annotated[list[_Words], msgspec.Meta(max_length=DEFAULT.token_names)] = []
    creators: _Creators = "uploaders"
    new_projects: _NewProjects = "public"


class IndexChange(Body, frozen=True):
    title: _Words | None = None
    public: bool | None = None
    creators: _Creators | None = None
    new_projects: _NewProjects | None = None


class ProjectChange(Body, frozen=True):
    private: bool


class Grant(Body, frozen=True):
    role: Annotated[_Words, msgspec.Meta(extra_json_schema={"enum": list(roles.INDEX_ROLES)})]


class ProjectGrant(Body, frozen=True):
    role: Annotated[_Words, msgspec.Meta(extra_json_schema={"enum": list(roles.PROJECT_ROLES)})]


class NewOwner(Body, frozen=True):
    """Every other role ends but those of the users in ``keep``."""

    user: _Words
    keep: Annotated[list[_Words], msgspec.Meta(max_length=DEFAULT.token_names)] = []


def routes(parts: Parts) -> list[BaseRoute]:
    return [one.route(parts) for one in _OPERATIONS]


def openapi(paths: dict[str, Any]) -> None:
    describe(_OPERATIONS, paths)


def list_indexes(asked: Asked[None]) -> object:
    """Those the asker may read."""
    with asked.reading() as connection:
        seen = shown(asked, connection)
        every = indexes.indexes(connection)
        found = [access.describe(connection, index, seen) for index in every if index.name in seen]
    return {"indexes": found}


def shown(asked: Asked[Any], connection: Connection) -> frozenset[str]:
    """The names of the indexes the asker may read: of no other is it told, not even as a base."""
    return frozenset(
        index.name
        for index in indexes.indexes(connection)
        if principals.may(connection, asked.who, "read", index, None, asked.at)
    )


def show_index(asked: Asked[None]) -> object:
    with asked.reading() as connection:
        return access.describe(connection, asked.here, shown(asked, connection))


def create_index(asked: Asked[NewIndex]) -> object:
    body = asked.body
    with asked.writing() as writing:
        made = access.create_index(
            writing,
            body.name,
            title=body.title,
            public=body.public,
            bases=tuple(body.bases),
            creators=body.creators,
            new_projects=body.new_projects,
        )
        return access.describe(writing.connection, made)


def change_index(asked: Asked[IndexChange]) -> object:
    body = asked.body
    with asked.writing() as writing:
        changed = access.change_index(
            writing,
            asked.here,
            title=body.title,
            public=body.public,
            creators=body.creators,
            new_projects=body.new_projects,
        )
        return access.describe(writing.connection, changed, shown(asked, writing.connection))


def change_project(asked: Asked[ProjectChange]) -> object:
    assert asked.project is not None
    with asked.writing() as writing:
        access.set_private(writing, asked.here, asked.project, private=asked.body.private)
    return {"index": asked.here.name, "project": asked.project, "private": asked.body.private}


def list_roles(asked: Asked[None]) -> object:
    with asked.reading() as connection:
        rows = roles.roles_in(connection, asked.here, asked.project)
    return {"roles": [row.as_dict() for row in rows]}


def grant_role(asked: Asked[Grant | ProjectGrant]) -> object:
    with asked.writing() as writing:
        user = people.user_named(writing.connection, asked.path("user"))
        roles.grant(writing, asked.here, asked.project, user, asked.body.role)
        return {"user": user.name, "role": asked.body.role, "project": asked.project}


def revoke_role(asked: Asked[None]) -> None:
    with asked.writing() as writing:
        user = people.user_named(writing.connection, asked.path("user"))
        roles.revoke(writing, asked.here, asked.project, user)


def transfer_project(asked: Asked[NewOwner]) -> object:
    assert asked.project is not None
    with asked.writing() as writing:
        user = people.user_named(writing.connection, asked.body.user)
        roles.transfer(writing, asked.here, asked.project, user, keep=frozenset(asked.body.keep))
        return {"index": asked.here.name, "project": asked.project, "owner": user.name}


_INDEX, _PROJECT = "/api/indexes/{index}", "/api/indexes/{index}/projects/{project}"
_OPERATIONS = (
    Operation("GET", "/api/indexes", list_indexes, "account", answer=shapes.listed("indexes", shapes.INDEX)),
    Operation("POST", "/api/indexes", create_index, "admin", NewIndex, answer=shapes.INDEX),
    Operation("GET", _INDEX, show_index, "read", answer=shapes.INDEX),
    Operation("PATCH", _INDEX, change_index, "admin", IndexChange, answer=shapes.INDEX),
    Operation("GET", _INDEX + "/roles", list_roles, "admin", answer=shapes.listed("roles", shapes.ROLE)),
    Operation("PUT", _INDEX + "/roles/{user}", grant_role, "admin", Grant, answer=shapes.ROLE_GIVEN),
    Operation("DELETE", _INDEX + "/roles/{user}", revoke_role, "admin"),
    Operation("PATCH", _PROJECT, change_project, "roles", ProjectChange, answer=shapes.PRIVACY),
    Operation("GET", _PROJECT + "/roles", list_roles, "roles", answer=shapes.listed("roles", shapes.ROLE)),
    Operation("PUT", _PROJECT + "/roles/{user}", grant_role, "roles", ProjectGrant, answer=shapes.ROLE_GIVEN),
    Operation("DELETE", _PROJECT + "/roles/{user}", revoke_role, "roles"),
    Operation("POST", _PROJECT + "/transfer", transfer_project, "roles", NewOwner, answer=shapes.OWNER),
)
