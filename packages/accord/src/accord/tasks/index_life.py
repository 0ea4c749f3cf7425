"""The life of releases, stacks of indexes and namespaces, for ``accord index``: each function is one thing an operator does.

What is answered are the records of the JSON API, so that a script may use either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accord.tasks.index_folder import operator
from accord_core.errors import UsageError
from accord_core.names import normalise

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.catalogue.life import Part
    from accord.tasks.index_folder import Place

__all__ = [
    "journal", "namespaces", "promote", "release_namespace", "reserve_namespace", "restore", "set_stack", "set_status",
    "unyank", "withdraw", "yank",
]  # fmt: skip

Record = dict[str, Any]


def yank(place: Place, where: str, version: str | None, filename: str | None, reason: str) -> Record:
    """``where`` is ``INDEX/PROJECT``, here and below."""
    from accord.server.catalogue import life

    with place.opened() as parts, parts.database.write(operator()) as writing:
        part = _part(writing.connection, where, version, filename)
        return _told(part, life.yank(writing, part, reason, parts.settings.limits))


def unyank(place: Place, where: str, version: str | None, filename: str | None) -> Record:
    from accord.server.catalogue import life

    with place.opened() as parts, parts.database.write(operator()) as writing:
        part = _part(writing.connection, where, version, filename)
        return _told(part, life.unyank(writing, part))


def set_status(place: Place, where: str, status: str, version: str | None, reason: str) -> Record:
    from accord.server.catalogue import life

    with place.opened() as parts, parts.database.write(operator()) as writing:
        part = _part(writing.connection, where, version, None, whole=True)
        found = life.set_status(writing, part, status, reason, parts.settings.limits, admin=True)
        return {"index": part.index.name, **found}


def withdraw(
    place: Place,
    where: str,
    version: str | None,
    filename: str | None,
    *,
    cause: str,
    reason: str,
    whole: bool,
) -> Record:
    from accord.server.catalogue import life

    with place.opened() as parts:
        limits = parts.settings.limits
        with parts.database.write(operator()) as writing:
            part = _part(writing.connection, where, version, filename, whole=whole)
            files = life.withdraw(writing, part, cause, reason, limits, admin=True)
        life.sweep(parts.database, parts.storage, limits)
        return _told(part, files)


def restore(
    place: Place, where: str, version: str | None, filename: str | None, *, reason: str, whole: bool
) -> Record:
    from accord.server.catalogue import life

    with place.opened() as parts, parts.database.write(operator()) as writing:
        part = _part(writing.connection, where, version, filename, whole=whole)
        limits = parts.settings.limits
        return _told(part, life.restore(writing, parts.storage, part, reason, limits, admin=True))


def promote(place: Place, project: str, version: str, *, source: str, target: str) -> Record:
    from accord.server.catalogue import promotion
    from accord.server.catalogue.indexes import index_named

    with place.opened() as parts, parts.database.write(operator()) as writing:
        one, other = index_named(writing.connection, source), index_named(writing.connection, target)
        limits = parts.settings.limits
        return promotion.promote(writing, parts.storage, one, other, normalise(project), version, limits)


def journal(place: Place, where: str, *, limit: int) -> list[Record]:
    """The newest first.  Raises ``Refused("no-such-project")``."""
    from accord.server.catalogue import journal, reading
    from accord.server.errors import no_such_project

    with place.opened() as parts, parts.database.read() as connection:
        part = _part(connection, where, None, None, whole=True)
        if reading.find_project(connection, part.index, part.project) is None:
            raise no_such_project(part.index.name, part.project)
        return [
            entry.as_dict() for entry in journal.entries(connection, part.index, part.project, limit=limit)
        ]


def set_stack(
    place: Place, name: str, *, bases: tuple[str, ...] | None, mix: tuple[str, ...] | None
) -> Record:
    """What is ``None`` stays as it is."""
    from accord.server.catalogue import access, indexes

    with place.opened() as parts, parts.database.write(operator()) as writing:
        connection = writing.connection
        index = indexes.index_named(connection, name)
        rows = None if bases is None else tuple(indexes.index_named(connection, base) for base in bases)
        names = None if mix is None else tuple(map(normalise, mix))
        indexes.set_stack(writing, index, parts.settings.limits, bases=rows, mix=names)
        return access.describe(connection, indexes.index_named(connection, name))


def namespaces(place: Place, index: str) -> list[Record]:
    from accord.server.catalogue import namespaces
    from accord.server.catalogue.indexes import index_named

    with place.opened() as parts, parts.database.read() as connection:
        return namespaces.reserved(connection, index_named(connection, index))


def reserve_namespace(place: Place, index: str, prefix: str, owner: str, *, shared: bool) -> Record:
    from accord.server.accounts import people
    from accord.server.catalogue import namespaces
    from accord.server.catalogue.indexes import index_named

    with place.opened() as parts, parts.database.write(operator()) as writing:
        row, user = index_named(writing.connection, index), people.user_named(writing.connection, owner)
        return namespaces.reserve(writing, row, prefix, user, parts.settings.limits, shared=shared)


def release_namespace(place: Place, index: str, prefix: str) -> Record:
    from accord.server.catalogue import namespaces
    from accord.server.catalogue.indexes import index_named

    with place.opened() as parts, parts.database.write(operator()) as writing:
        namespaces.set_free(writing, index_named(writing.connection, index), prefix)
    return {"index": index, "namespace": normalise(prefix), "owner": None}


def _part(
    connection: Connection, where: str, version: str | None, filename: str | None, *, whole: bool = False
) -> Part:
    from accord.server.catalogue.indexes import index_named
    from accord.server.catalogue.life import Part

    index, _, project = where.partition("/")
    if not project:
        raise UsageError("usage", f"a project is INDEX/PROJECT, not {where!r}")
    if version is None and filename is None and not whole:
        raise UsageError("usage", "neither a version nor a file is named", hint="VERSION or --file FILENAME")
    return Part(index_named(connection, index), normalise(project), version, filename)


def _told(part: Part, files: list[str]) -> Record:
    return {"index": part.index.name, "project": part.project, "files": files}
