"""Indexes: the named places a server has, and what each builds on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from accord.server.database import tables
from accord.server.errors import Refused, no_such_index

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.database import Writing

__all__ = ["IndexRow", "add_index", "find_index", "index_named", "indexes", "reading_order"]

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?\Z")
# First segments of paths that mean something by themselves.
_RESERVED = """account admin api changes files health integrity legacy livez login logout metrics namespace namespaces
    openapi.json packages project pypi readyz robots.txt rss search simple stage static token upload user"""
RESERVED = frozenset(_RESERVED.split())


@dataclass(frozen=True, slots=True)
class IndexRow:
    id: int
    name: str
    title: str
    kind: str
    public: bool
    upstream_url: str | None
    settings: dict[str, Any]
    serial: int


_COLUMNS = [getattr(tables.index.c, name) for name in IndexRow.__slots__]


def indexes(connection: Connection) -> tuple[IndexRow, ...]:
    """Every index, by name."""
    return tuple(
        IndexRow(*row) for row in connection.execute(select(*_COLUMNS).order_by(tables.index.c.name))
    )


def find_index(connection: Connection, name: str) -> IndexRow | None:
    row = connection.execute(select(*_COLUMNS).where(tables.index.c.name == name)).first()
    return None if row is None else IndexRow(*row)


def index_named(connection: Connection, name: str) -> IndexRow:
    """Raises ``Refused("no-such-index")`` (404)."""
    found = find_index(connection, name)
    if found is None:
        raise no_such_index(name)
    return found


def reading_order(connection: Connection, index: IndexRow) -> tuple[IndexRow, ...]:
    """The index and what it builds on, depth first, each once: who is asked for a name, in order."""
    found: dict[int, IndexRow] = {}
    waiting = [index]
    while waiting:
        here = waiting.pop()
        if here.id in found:
            continue
        found[here.id] = here
        bases = connection.execute(
            select(*_COLUMNS)
            .join(tables.index_base, tables.index_base.c.base_id == tables.index.c.id)
            .where(tables.index_base.c.index_id == here.id)
            .order_by(tables.index_base.c.position.desc())
        )
        waiting.extend(IndexRow(*row) for row in bases)
    return tuple(found.values())


def add_index(
    writing: Writing,
    name: str,
    *,
    title: str = "",
    kind: str = "hosted",
    public: bool = True,
    upstream_url: str | None = None,
    bases: tuple[IndexRow, ...] = (),
    settings: dict[str, Any] | None = None,
) -> IndexRow:
    """Make an index.  Raises ``Refused``: ``index-name`` (400), ``index-exists`` (409)."""
    if not _NAME.match(name) or name in RESERVED:
        raise Refused(
            400,
            "index-name",
            f"{name!r} is no name for an index",
            hint="lower-case letters, digits, dots, dashes",
        )
    if find_index(writing.connection, name) is not None:
        raise Refused(409, "index-exists", f"there is an index {name!r} already")
    row = {
        "name": name,
        "title": title,
        "kind": kind,
        "public": public,
        "upstream_url": upstream_url,
        "settings": settings or {},
        "created": writing.at,
        "serial": 0,
    }
    identity = writing.connection.execute(
        insert(tables.index).values(row).returning(tables.index.c.id)
    ).scalar_one()
    for position, base in enumerate(bases):
        writing.connection.execute(
            insert(tables.index_base).values(index_id=identity, position=position, base_id=base.id)
        )
    writing.changed(identity, "create-index", bases=[base.name for base in bases])
    return index_named(writing.connection, name)
