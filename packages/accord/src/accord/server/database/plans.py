"""How rows of one index are found: by the number of the index, or by looking at each row.

Where most rows belong to the index, reading a table from one end to the other is quicker than fetching each, and its
newest rows are found at once from the end.  SQLite keeps no statistics of what lies in a table and would always go by the
number; PostgreSQL knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from accord.server.database import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Column, ColumnElement, Connection

__all__ = ["of_indexes"]

_SHARE = 4
_FEW = 1_000


def of_indexes(connection: Connection, column: Column[int], index_ids: Sequence[int]) -> ColumnElement[bool]:
    """The condition that a row is of one of these indexes; ``column`` has the number of its index.  Said so that no index of
    the database is used where a quarter of all projects or more are theirs."""
    if connection.dialect.name == "sqlite" and _are_many(connection, index_ids):
        return (column + 0).in_(index_ids)
    return column.in_(index_ids)


def _are_many(connection: Connection, index_ids: Sequence[int]) -> bool:
    project = tables.project.c
    all_of_them = connection.execute(select(func.max(project.id))).scalar() or 0
    if all_of_them < _FEW:
        return False
    # Counted in the table's index of names: a few milliseconds for a hundred thousand.
    own = connection.execute(
        select(func.count()).select_from(tables.project).where(project.index_id.in_(index_ids))
    ).scalar_one()
    return own * _SHARE >= all_of_them
