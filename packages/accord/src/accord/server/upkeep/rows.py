"""Tables from one database to another, until both say the same: by their primary keys, in order, row by row.

The same walk copies into an empty database, brings one up to date that was copied before, and says whether two differ.
So what was interrupted is simply begun again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, and_, bindparam, delete, func, insert, select, text, update

from accord.server.catalogue.search_rows import FILLED, STATE
from accord.server.database import READ_ONLY, tables

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Insert, Row, Table

__all__ = ["MOVING", "differences", "entering", "ordered", "raise_sequences", "sync"]

MOVING = "moving"
"""The key of ``state`` that a database has while an index is being moved into it."""

_OWN = (READ_ONLY, MOVING, STATE, FILLED)  # of a database itself and what is derived in it, not of the index
_AT_ONCE = 500
_Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    """One key: in the source, in the target, or in both with what differs."""

    key: _Key
    source: Row[Any] | None
    target: Row[Any] | None


def _keys(table: Table, *, text_order: bool) -> list[Any]:
    # Bytes of UTF-8 are the one order every database and Python have.
    return [
        column.collate("C") if text_order and column.type.python_type is str else column
        for column in table.primary_key.columns
    ]


def ordered(connection: Connection, table: Table, *, keys_only: bool = False) -> Iterator[Row[Any]]:
    """The rows of a table by primary key, without those a database has for itself."""
    postgres = connection.dialect.name == "postgresql"
    columns: Sequence[Column[Any]] = list(table.primary_key.columns) if keys_only else list(table.columns)
    query = select(*columns).order_by(*_keys(table, text_order=postgres))
    if table is tables.state:
        query = query.where(tables.state.c.key.not_in(_OWN))
    with connection.execute(query, execution_options={"yield_per": 1000}) as found:
        yield from found


def _walk(
    source: Connection, target: Connection, table: Table, *, keys_only: bool = False
) -> Iterator[_Step]:
    """What differs, in the order of the keys."""
    places = [list(table.columns).index(column) for column in table.primary_key.columns]
    if keys_only:
        places = list(range(len(places)))

    def key(row: Row[Any]) -> _Key:
        return tuple(row[place] for place in places)

    ours, theirs = ordered(source, table, keys_only=keys_only), ordered(target, table, keys_only=keys_only)
    one, other = next(ours, None), next(theirs, None)
    while one is not None or other is not None:
        if other is None or (one is not None and key(one) < key(other)):
            assert one is not None
            yield _Step(key(one), one, None)
            one = next(ours, None)
        elif one is None or key(one) > key(other):
            yield _Step(key(other), None, other)
            other = next(theirs, None)
        else:
            if tuple(one) != tuple(other):
                yield _Step(key(one), one, other)
            one, other = next(ours, None), next(theirs, None)


def entering(table: Table) -> Insert:
    """The statement for whole rows: what was NULL is NULL again, in JSON columns too."""
    return insert(table).values(
        {column.name: bindparam(column.name, type_=_type(column)) for column in table.c}
    )


def _type(column: Column[Any]) -> Any:
    return JSON(none_as_null=True) if isinstance(column.type, JSON) and column.nullable else column.type


def sync(
    source: Connection, look: Connection, write: Connection, tell: Callable[[str], None] = lambda _: None
) -> None:
    """Make the target what the source is.  ``look`` and ``write`` are two connections to the target, the first of which
    sees it as it was."""
    for table in reversed(tables.metadata.sorted_tables):
        _delete(source, look, write, table)
    for table in tables.metadata.sorted_tables:
        tell(table.name)
        _enter(source, look, write, table)
    if write.dialect.name == "postgresql":
        raise_sequences(write)


def _delete(source: Connection, look: Connection, write: Connection, table: Table) -> None:
    gone = [step.key for step in _walk(source, look, table, keys_only=True) if step.source is None]
    for start in range(0, len(gone), _AT_ONCE):
        some = gone[start : start + _AT_ONCE]
        if list(table.primary_key.columns.keys()) == ["id"]:
            identities = [key[0] for key in some]
            for other in tables.metadata.sorted_tables:
                for column in other.c:
                    if column.nullable and column.references(table.c.id):
                        # Their own rows say something else by now, and are brought up to date afterwards.
                        write.execute(update(other).where(column.in_(identities)).values({column.name: None}))
        for key in some:
            write.execute(delete(table).where(_is(table, key)))


def _is(table: Table, key: _Key) -> Any:
    return and_(*(column == value for column, value in zip(table.primary_key.columns, key, strict=True)))


def _enter(source: Connection, look: Connection, write: Connection, table: Table) -> None:
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    keys = [column.name for column in table.primary_key.columns]
    other = [column.name for column in table.columns if column.name not in keys]
    renew = update(table).where(and_(*(table.c[name] == bindparam(f"key_{name}") for name in keys)))
    renew = renew.values({name: bindparam(f"to_{name}", type_=_type(table.c[name])) for name in other})
    for step in _walk(source, look, table):
        if step.source is None:
            continue
        row = step.source._mapping
        if step.target is None:
            new.append(dict(row))
        else:
            changed.append(
                {f"key_{name}": row[name] for name in keys} | {f"to_{name}": row[name] for name in other}
            )
        if len(new) >= _AT_ONCE:
            write.execute(entering(table), new)
            new.clear()
    if new:
        write.execute(entering(table), new)
    if changed:
        write.execute(renew, changed)


def raise_sequences(connection: Connection) -> None:
    """PostgreSQL counts on where the rows end."""
    for table in tables.metadata.sorted_tables:
        if "id" in table.c and table.c.id.autoincrement is True:
            last = connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()
            connection.execute(
                text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last, :used)"),
                {"name": f'"{table.name}"', "last": max(last, 1), "used": last > 0},
            )


def differences(source: Connection, target: Connection) -> dict[str, tuple[int, int]]:
    """``(rows, rows that differ)`` of each table."""
    found = {}
    for table in tables.metadata.sorted_tables:
        count = sum(1 for _ in ordered(source, table, keys_only=True))
        found[table.name] = (count, sum(1 for _ in _walk(source, target, table)))
    return found
