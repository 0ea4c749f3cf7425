"""Conditions by which no index is chosen.

Where the newest rows of an index are asked for, the order of the primary key finds them at once; where most rows are, reading
the table from one end to the other is quicker than fetching each.  SQLite keeps no statistics of what lies in a table: it
would go through the index, which may be all there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Column, ColumnElement

__all__ = ["unindexed"]


def unindexed(column: Column[int]) -> ColumnElement[int]:
    """The column, for a condition that is to be looked at row by row."""
    return column + 0
