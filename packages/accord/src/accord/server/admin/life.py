"""``/api/indexes/…``: what becomes of releases, of what an index is built, which namespaces are whose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from accord.server.accounts import people, principals
from accord.server.admin import shapes
from accord.server.admin.asking import MOST_ENTRY, Asked, Body, Operation, describe, whole_number
from accord.server.admin.places import shown
from accord.server.catalogue import access, indexes, journal, life, namespaces, promotion, visible
from accord.server.catalogue.life import Part
from accord.server.catalogue.reading import find_project
from accord.server.errors import Refused
from accord.server.limits import DEFAULT
from accord_core.names import normalise

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from accord.server.database import Writing
    from accord.server.parts import Parts

__all__ = ["openapi", "routes"]

_Name = Annotated[str, msgspec.Meta(max_length=DEFAULT.name_bytes)]
_Filename = Annotated[str, msgspec.Meta(max_length=DEFAULT.filename_bytes)]
_Reason = Annotated[str, msgspec.Meta(max_length=DEFAULT.reason_bytes)]


class Yank(Body, frozen=True):
    """One of ``version`` and ``filename``."""

    rule: ClassVar[dict[str, Any]] = shapes.given("version", "filename")

    version: _Name | None = None
    filename: _Filename | None = None
    reason: _Reason = ""


class Status(Body, frozen=True):
    """Of a release where ``version`` names one, else of the project."""

    # A release has fewer of them than a project.
    rule: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"properties": {"version": {"type": "null"}}},
            {"properties": {"status": {"enum": list(life.RELEASE_STATUSES)}}},
        ]
    }

    status: Annotated[_Name, msgspec.Meta(extra_json_schema={"enum": list(life.PROJECT_STATUSES)})]
    reason: _Reason = ""
    version: _Name | None = None


class Withdrawal(Body, frozen=True):
    """``whole``: every file of the project, where neither ``version`` nor ``filename`` is given."""

    rule: ClassVar[dict[str, Any]] = shapes.given("version", "filename", whole=True)

    cause: Annotated[_Name, msgspec.Meta(extra_json_schema={"enum": list(life.CAUSES)})]
    reason: Annotated[_Reason, msgspec.Meta(extra_json_schema={"minLength": 1, "pattern": r"\S"})]
    version: _Name | None = None
    filename: _Filename | None = None
    whole: bool = False


class Restoration(Body, frozen=True):
    rule: ClassVar[dict[str, Any]] = shapes.given("version", "filename", whole=True)

    version: _Name | None = None
    filename: _Filename | None = None
    whole: bool = False
    reason: _Reason = ""


class Promotion(Body, frozen=True, rename={"source": "from"}):
    source: _Name
    version: _Name


class Stack(Body, frozen=True):
    """Names of indexes, and of projects; what is left away stays as it is."""

    bases: Annotated[list[_Name], msgspec.Meta(max_length=DEFAULT.stack_indexes)] | None = None
    mix: Annotated[list[_Name], msgspec.Meta(max_length=DEFAULT.mixed_names)] | None = None


class Grant(Body, frozen=True):
    owner: _Name
    open: bool = False


def routes(parts: Parts) -> list[BaseRoute]:
    return [one.route(parts) for one in _OPERATIONS]


def openapi(paths: dict[str, Any]) -> None:
    describe(_OPERATIONS, paths)


def yank(asked: Asked[Yank]) -> object:
    """Mark a release or a file as not to be chosen any more (PEP 592)."""
    with asked.writing() as writing:
        files = life.yank(writing, _part(asked), asked.body.reason, asked.parts.settings.limits)
    return _told(asked, files)


def unyank(asked: Asked[Yank]) -> object:
    """Take a yank back."""
    with asked.writing() as writing:
        files = life.unyank(writing, _part(asked))
    return _told(asked, files)


def set_status(asked: Asked[Status]) -> object:
    """Give a project, or a release of it, a status (PEP 792)."""
    body = asked.body
    assert asked.project is not None
    part = Part(asked.here, asked.project, body.version)
    with asked.writing() as writing:
        admin = _is_admin(asked, writing)
        limits = asked.parts.settings.limits
        return life.set_status(writing, part, body.status, body.reason, limits, admin=admin)


def withdraw(asked: Asked[Withdrawal]) -> object:
    """Take files away, for legal reasons or for safety."""
    body, parts = asked.body, asked.parts
    part = _part(asked, whole=body.whole)
    with asked.writing() as writing:
        admin = _is_admin(asked, writing)
        files = life.withdraw(writing, part, body.cause, body.reason, parts.settings.limits, admin=admin)
    life.sweep(parts.database, parts.storage, parts.settings.limits)
    return _told(asked, files)


def restore(asked: Asked[Restoration]) -> object:
    """Bring withdrawn files back."""
    body, parts = asked.body, asked.parts
    part = _part(asked, whole=body.whole)
    with asked.writing() as writing:
        admin = _is_admin(asked, writing)
        files = life.restore(writing, parts.storage, part, body.reason, parts.settings.limits, admin=admin)
    return _told(asked, files)


def promote(asked: Asked[Promotion]) -> object:
    """Let a release of another index be one of this index as well."""
    assert asked.project is not None
    with asked.writing() as writing:
        connection = writing.connection
        source = visible.index_for(connection, asked.who, asked.body.source)
        principals.demand(connection, asked.who, "read", source, asked.project, asked.at)
        if find_project(connection, asked.here, asked.project) is not None:
            principals.demand(connection, asked.who, "promote", asked.here, asked.project, asked.at)
        parts, limits = asked.parts, asked.parts.settings.limits
        return promotion.promote(
            writing, parts.storage, source, asked.here, asked.project, asked.body.version, limits
        )


def show_journal(asked: Asked[None]) -> object:
    """What happened to a project, the newest first; ``before`` is a serial to go on below."""
    assert asked.project is not None
    most = asked.parts.settings.limits.list_entries
    limit = whole_number(asked.query("limit"), "limit", default=100, most=most)
    before = asked.query("before")
    below = None if before is None else whole_number(before, "before", default=1, most=MOST_ENTRY)
    with asked.reading() as connection:
        found = journal.entries(connection, asked.here, asked.project, limit=limit, before=below)
    return {"journal": [entry.as_dict() for entry in found]}


def set_stack(asked: Asked[Stack]) -> object:
    """Say on what the index builds, and which names it mixes."""
    body = asked.body
    with asked.writing() as writing:
        bases = None
        if body.bases is not None:
            found = []
            for name in body.bases:
                base = visible.index_for(writing.connection, asked.who, name)
                principals.demand(writing.connection, asked.who, "read", base, None, asked.at)
                found.append(base)
            bases = tuple(found)
        mix = None if body.mix is None else tuple(map(normalise, body.mix))
        indexes.set_stack(writing, asked.here, asked.parts.settings.limits, bases=bases, mix=mix)
        changed = indexes.index_named(writing.connection, asked.here.name)
        return access.describe(writing.connection, changed, shown(asked, writing.connection))


def list_namespaces(asked: Asked[None]) -> object:
    """Every reserved namespace, with its owner (PEP 752)."""
    with asked.reading() as connection:
        return {"namespaces": namespaces.reserved(connection, asked.here)}


def reserve_namespace(asked: Asked[Grant]) -> object:
    """Keep the names that begin alike for one owner."""
    with asked.writing() as writing:
        owner = people.user_named(writing.connection, asked.body.owner)
        return namespaces.reserve(
            writing,
            asked.here,
            asked.path("prefix"),
            owner,
            asked.parts.settings.limits,
            shared=asked.body.open,
        )


def release_namespace(asked: Asked[None]) -> None:
    """Give a namespace back."""
    with asked.writing() as writing:
        namespaces.set_free(writing, asked.here, asked.path("prefix"))


def _part(asked: Asked[Any], *, whole: bool = False) -> Part:
    body = asked.body
    assert asked.project is not None
    if body.version is None and body.filename is None and not whole:
        raise Refused(
            400, "part-needed", "neither a release nor a file is named", hint='"version" or "filename"'
        )
    return Part(asked.here, asked.project, body.version, body.filename)


def _told(asked: Asked[Any], files: list[str]) -> dict[str, object]:
    return {"index": asked.here.name, "project": asked.project, "files": files}


def _is_admin(asked: Asked[Any], writing: Writing) -> bool:
    return principals.may(writing.connection, asked.who, "admin", asked.here, None, asked.at)


_INDEX, _PROJECT = "/api/indexes/{index}", "/api/indexes/{index}/projects/{project}"
_OPERATIONS = (
    Operation("POST", _PROJECT + "/yank", yank, "yank", Yank, answer=shapes.FILES),
    Operation("POST", _PROJECT + "/unyank", unyank, "yank", Yank, answer=shapes.FILES),
    Operation("PUT", _PROJECT + "/status", set_status, "status", Status, answer=shapes.STATUS),
    Operation("POST", _PROJECT + "/withdraw", withdraw, "withdraw", Withdrawal, answer=shapes.FILES),
    Operation("POST", _PROJECT + "/restore", restore, "withdraw", Restoration, answer=shapes.FILES),
    # A new project is made by it, which is allowed as making one by an upload is.
    Operation("POST", _PROJECT + "/promote", promote, "upload", Promotion, answer=shapes.PROMOTED),
    Operation(
        "GET",
        _PROJECT + "/journal",
        show_journal,
        "roles",
        query=("limit", "before"),
        answer=shapes.listed("journal", shapes.CHANGE),
    ),
    Operation("PUT", _INDEX + "/stack", set_stack, "admin", Stack, answer=shapes.INDEX),
    Operation(
        "GET",
        _INDEX + "/namespaces",
        list_namespaces,
        "read",
        answer=shapes.listed("namespaces", shapes.NAMESPACE),
    ),
    Operation(
        "PUT", _INDEX + "/namespaces/{prefix}", reserve_namespace, "admin", Grant, answer=shapes.NAMESPACE
    ),
    Operation("DELETE", _INDEX + "/namespaces/{prefix}", release_namespace, "admin"),
)
