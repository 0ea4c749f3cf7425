"""``/api/indexes/…``: what becomes of releases, of what an index is built, which namespaces are whose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from accord.server.accounts import people, principals
from accord.server.admin.asking import Asked, Body, changing, reading, whole_number
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

__all__ = ["routes"]

_Name = Annotated[str, msgspec.Meta(max_length=DEFAULT.name_bytes)]
_Filename = Annotated[str, msgspec.Meta(max_length=DEFAULT.filename_bytes)]
_Reason = Annotated[str, msgspec.Meta(max_length=DEFAULT.reason_bytes)]


class Yank(Body, frozen=True):
    """One of ``version`` and ``filename``."""

    version: _Name | None = None
    filename: _Filename | None = None
    reason: _Reason = ""


class Status(Body, frozen=True):
    """Of a release where ``version`` names one, else of the project."""

    status: _Name
    reason: _Reason = ""
    version: _Name | None = None


class Withdrawal(Body, frozen=True):
    """``whole``: every file of the project, where neither ``version`` nor ``filename`` is given."""

    cause: _Name
    reason: _Reason
    version: _Name | None = None
    filename: _Filename | None = None
    whole: bool = False


class Restoration(Body, frozen=True):
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
    of_index, of_project = "/api/indexes/{index}", "/api/indexes/{index}/projects/{project}"
    spaces = of_index + "/namespaces"
    return [
        changing(parts, "POST", of_project + "/yank", yank, action="yank", body=Yank),
        changing(parts, "POST", of_project + "/unyank", unyank, action="yank", body=Yank),
        changing(parts, "PUT", of_project + "/status", set_status, action="status", body=Status),
        changing(parts, "POST", of_project + "/withdraw", withdraw, action="withdraw", body=Withdrawal),
        changing(parts, "POST", of_project + "/restore", restore, action="withdraw", body=Restoration),
        # A new project is made by it, which is allowed as making one by an upload is.
        changing(parts, "POST", of_project + "/promote", promote, action="upload", body=Promotion),
        reading(parts, of_project + "/journal", show_journal, action="roles"),
        changing(parts, "PUT", of_index + "/stack", set_stack, action="admin", body=Stack),
        reading(parts, spaces, list_namespaces, action="read"),
        changing(parts, "PUT", spaces + "/{prefix}", reserve_namespace, action="admin", body=Grant),
        changing(parts, "DELETE", spaces + "/{prefix}", release_namespace, action="admin"),
    ]


def yank(asked: Asked[Yank]) -> object:
    with asked.writing() as writing:
        files = life.yank(writing, _part(asked), asked.body.reason, asked.parts.settings.limits)
    return _told(asked, files)


def unyank(asked: Asked[Yank]) -> object:
    with asked.writing() as writing:
        files = life.unyank(writing, _part(asked))
    return _told(asked, files)


def set_status(asked: Asked[Status]) -> object:
    body = asked.body
    assert asked.project is not None
    part = Part(asked.here, asked.project, body.version)
    with asked.writing() as writing:
        admin = _is_admin(asked, writing)
        limits = asked.parts.settings.limits
        return life.set_status(writing, part, body.status, body.reason, limits, admin=admin)


def withdraw(asked: Asked[Withdrawal]) -> object:
    body, parts = asked.body, asked.parts
    part = _part(asked, whole=body.whole)
    with asked.writing() as writing:
        admin = _is_admin(asked, writing)
        files = life.withdraw(writing, part, body.cause, body.reason, parts.settings.limits, admin=admin)
    life.sweep(parts.database, parts.storage, parts.settings.limits)
    return _told(asked, files)


def restore(asked: Asked[Restoration]) -> object:
    body, parts = asked.body, asked.parts
    part = _part(asked, whole=body.whole)
    with asked.writing() as writing:
        admin = _is_admin(asked, writing)
        files = life.restore(writing, parts.storage, part, body.reason, parts.settings.limits, admin=admin)
    return _told(asked, files)


def promote(asked: Asked[Promotion]) -> object:
    assert asked.project is not None
    with asked.writing() as writing:
        connection = writing.connection
        source = visible.index_for(connection, asked.who, asked.body.source)
        principals.demand(connection, asked.who, "read", source, asked.project, asked.at)
        if find_project(connection, asked.here, asked.project) is not None:
            principals.demand(connection, asked.who, "promote", asked.here, asked.project, asked.at)
        return promotion.promote(
            writing, asked.parts.storage, source, asked.here, asked.project, asked.body.version
        )


def show_journal(asked: Asked[None]) -> object:
    """The newest first; ``before`` is a serial to go on below."""
    assert asked.project is not None
    most = asked.parts.settings.limits.list_entries
    limit = whole_number(asked.query("limit"), "limit", default=100, most=most)
    before = asked.query("before")
    below = None if before is None else whole_number(before, "before", default=1, most=2**62)
    with asked.reading() as connection:
        found = journal.entries(connection, asked.here, asked.project, limit=limit, before=below)
    return {"journal": [entry.as_dict() for entry in found]}


def set_stack(asked: Asked[Stack]) -> object:
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
        return access.describe(writing.connection, indexes.index_named(writing.connection, asked.here.name))


def list_namespaces(asked: Asked[None]) -> object:
    with asked.reading() as connection:
        return {"namespaces": namespaces.reserved(connection, asked.here)}


def reserve_namespace(asked: Asked[Grant]) -> object:
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
