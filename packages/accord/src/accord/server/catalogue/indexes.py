"""Indexes: the named places a server has, and what each builds on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update

from accord.server.database import tables
from accord.server.errors import Refused, no_such_index
from accord.server.limits import DEFAULT, Limits

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.database import Writing

__all__ = [
    "IndexRow",
    "add_index",
    "bases_of",
    "find_index",
    "index_named",
    "index_numbered",
    "indexes",
    "reading_order",
    "set_stack",
]

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
_NAMED = select(*_COLUMNS).where(tables.index.c.name == bindparam("name"))


def indexes(connection: Connection) -> tuple[IndexRow, ...]:
    """Every index, by name."""
    return tuple(
        IndexRow(*row) for row in connection.execute(select(*_COLUMNS).order_by(tables.index.c.name))
    )


def find_index(connection: Connection, name: str) -> IndexRow | None:
    row = connection.execute(_NAMED, {"name": name}).first()
    return None if row is None else IndexRow(*row)


def index_named(connection: Connection, name: str) -> IndexRow:
    """Raises ``Refused("no-such-index")`` (404)."""
    found = find_index(connection, name)
    if found is None:
        raise no_such_index(name)
    return found


def index_numbered(connection: Connection, number: int) -> IndexRow:
    """The journal names indexes by number: a name may be one that not everybody knows of."""
    return IndexRow(*connection.execute(select(*_COLUMNS).where(tables.index.c.id == number)).one())


def reading_order(connection: Connection, index: IndexRow) -> tuple[IndexRow, ...]:
    """The index and what it builds on, depth first, each once: who is asked for a name, in order."""
    found: dict[int, IndexRow] = {}
    waiting = [index]
    while waiting:
        here = waiting.pop()
        if here.id in found:
            continue
        found[here.id] = here
        waiting.extend(reversed(bases_of(connection, here)))
    return tuple(found.values())


def bases_of(connection: Connection, index: IndexRow) -> tuple[IndexRow, ...]:
    """What an index builds on directly, in order."""
    rows = connection.execute(
        select(*_COLUMNS)
        .join(tables.index_base, tables.index_base.c.base_id == tables.index.c.id)
        .where(tables.index_base.c.index_id == index.id)
        .order_by(tables.index_base.c.position)
    )
    return tuple(IndexRow(*row) for row in rows)


def set_stack(
    writing: Writing,
    index: IndexRow,
    limits: Limits,
    *,
    bases: tuple[IndexRow, ...] | None = None,
    mix: tuple[str, ...] | None = None,
) -> None:
    """What an index builds on, in order, and which names (normalised) it mixes; what is ``None`` stays.

    Raises ``Refused``: ``index-cycle``, ``stack-too-deep``, ``too-many-mixed`` (409).
    """
    connection = writing.connection
    writing.turn("stacks")  # or two changes, each without a cycle, make one together
    index = index_named(connection, index.name)
    had = bases_of(connection, index)
    before = {"bases": [base.id for base in had], "mix": index.settings.get("mix", [])}
    after = dict(before)
    if bases is not None:
        bases = _each_once(bases)
        _set_bases(writing, index, bases, limits)
        after["bases"] = [base.id for base in bases]
    if mix is not None:
        if len(mix) > limits.mixed_names:
            raise Refused(409, "too-many-mixed", f"an index mixes {limits.mixed_names} names at most")
        after["mix"] = sorted(set(mix))
        settings = {**index.settings, "mix": after["mix"]}
        connection.execute(
            update(tables.index).where(tables.index.c.id == index.id).values(settings=settings)
        )
    if after != before:
        writing.changed(index.id, "change-stack", before=before, **after)


def _set_bases(writing: Writing, index: IndexRow, bases: tuple[IndexRow, ...], limits: Limits) -> None:
    connection = writing.connection
    for base in bases:
        if any(source.id == index.id for source in reading_order(connection, base)):
            raise Refused(409, "index-cycle", f"{base.name} builds on {index.name} already")
    connection.execute(delete(tables.index_base).where(tables.index_base.c.index_id == index.id))
    for position, base in enumerate(bases):
        connection.execute(
            insert(tables.index_base).values(index_id=index.id, position=position, base_id=base.id)
        )
    if any(len(reading_order(connection, each)) > limits.stack_indexes for each in indexes(connection)):
        raise _too_deep(limits)


def _too_deep(limits: Limits) -> Refused:
    return Refused(409, "stack-too-deep", f"a stack has {limits.stack_indexes} indexes at most")


def _each_once(bases: tuple[IndexRow, ...]) -> tuple[IndexRow, ...]:
    return tuple({base.id: base for base in bases}.values())


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
    limits: Limits = DEFAULT,
) -> IndexRow:
    """Make an index.  Raises ``Refused``: ``index-name`` (400), ``index-exists``, ``stack-too-deep`` (409)."""
    if name in RESERVED:
        raise Refused(
            400, "index-name", f"{name!r} stands in addresses of the server itself", hint="take another name"
        )
    if not _NAME.match(name):
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
    for position, base in enumerate(_each_once(bases)):
        writing.connection.execute(
            insert(tables.index_base).values(index_id=identity, position=position, base_id=base.id)
        )
    if len(reading_order(writing.connection, index_named(writing.connection, name))) > limits.stack_indexes:
        raise _too_deep(limits)
    writing.changed(identity, "create-index", bases=[base.id for base in bases])
    return index_named(writing.connection, name)
