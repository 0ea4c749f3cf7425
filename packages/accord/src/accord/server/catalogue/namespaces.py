"""Namespaces are reserved and given back (PEP 752); ``grants`` reads them.

A reserved namespace ``acme`` keeps the names ``acme`` and ``acme-*`` for its owner: nobody else makes a project of such a
name.  Projects that are there already stay whose they are.  Nested namespaces are one owner's only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, or_, select

from accord.server.accounts import audit
from accord.server.catalogue.grants import prefixes
from accord.server.database import tables
from accord.server.errors import Refused
from accord_core.names import normalise

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.accounts.people import UserRow
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.database import Writing
    from accord.server.limits import Limits

__all__ = ["demand", "reserve", "reserved", "set_free"]

# No deeper than four hyphens (PEP 752, "Semantics": "a depth limit on the number of hyphens in a namespace").
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+){0,4}\Z")
_CLOSED = (
    select(tables.namespace.c.prefix, tables.user.c.name)
    .join(tables.user, tables.user.c.id == tables.namespace.c.owner_id)
    .where(
        tables.namespace.c.index_id == bindparam("index_id"),
        tables.namespace.c.prefix.in_(bindparam("prefixes", expanding=True)),
        tables.namespace.c.open.is_(False),
    )
    .order_by(tables.namespace.c.prefix)
)


def reserve(
    writing: Writing, index: IndexRow, prefix: str, owner: UserRow, limits: Limits, *, shared: bool = False
) -> dict[str, object]:
    """Keep a namespace for ``owner``; ``shared``: others may make projects in it all the same ("open" in the standard).

    Raises ``Refused``: ``namespace-name`` (400), ``namespace-overlaps`` (409).
    """
    name = normalise(prefix)
    if len(name) > limits.name_bytes or not _NAME.match(name):
        raise Refused(
            400,
            "namespace-name",
            f"{prefix[:100]!r} is no namespace",
            hint="the beginning of names, without the dash after it, and with four in it at most: acme",
        )
    writing.turn(f"namespaces {index.id}")
    space = tables.namespace.c
    others = writing.connection.execute(
        select(space.prefix, space.owner_id)
        .where(
            space.index_id == index.id,
            or_(space.prefix.in_(prefixes(name)), space.prefix.startswith(f"{name}-", autoescape=True)),
        )
        .order_by(space.prefix)
    ).all()
    for row in others:
        if row.prefix == name or row.owner_id != owner.id:
            raise Refused(
                409, "namespace-overlaps", f"{name} overlaps {row.prefix}, which is reserved already"
            )
    writing.connection.execute(
        insert(tables.namespace).values(
            index_id=index.id, prefix=name, owner_id=owner.id, open=shared, created=writing.at
        )
    )
    writing.changed(index.id, "reserve-namespace", namespace=name)
    audit.record(writing, "reserve-namespace", f"{index.name}/{name}", owner=owner.name, open=shared)
    return {"index": index.name, "namespace": name, "owner": owner.name, "open": shared}


def set_free(writing: Writing, index: IndexRow, prefix: str) -> None:
    """Raises ``Refused("no-such-namespace")`` (404)."""
    name = normalise(prefix)
    writing.turn(f"namespaces {index.id}")
    space = tables.namespace.c
    where = (space.index_id == index.id, space.prefix == name)
    if writing.connection.execute(select(space.id).where(*where)).first() is None:
        raise Refused(404, "no-such-namespace", f"{index.name} has no namespace {name}")
    writing.connection.execute(delete(tables.namespace).where(*where))
    writing.changed(index.id, "release-namespace", namespace=name)
    audit.record(writing, "release-namespace", f"{index.name}/{name}")


def reserved(connection: Connection, index: IndexRow) -> list[dict[str, object]]:
    """Every namespace of an index with its owner, by name."""
    space = tables.namespace.c
    rows = connection.execute(
        select(space.prefix, tables.user.c.name, space.open)
        .join(tables.user, tables.user.c.id == space.owner_id)
        .where(space.index_id == index.id)
        .order_by(space.prefix)
    )
    return [
        {"index": index.name, "namespace": prefix, "owner": owner, "open": bool(shared)}
        for prefix, owner, shared in rows
    ]


def demand(connection: Connection, index: IndexRow, project: str, actor: str) -> None:
    """Whether ``actor`` may make a project of that name.  Users are asked; what the server or its operator does by itself
    comes from no stranger.

    Raises ``Refused("namespace-reserved")`` (409: PEP 752, "Uploads").
    """
    if not actor.startswith("user:"):
        return
    rows = connection.execute(_CLOSED, {"index_id": index.id, "prefixes": prefixes(project)})
    for prefix, owner in rows:
        if owner != actor.removeprefix("user:"):
            raise Refused(
                409,
                "namespace-reserved",
                f"{project} is in the namespace {prefix} of {index.name}, which is reserved",
                hint="ask its owner to make the project and to give you a role in it",
            )
