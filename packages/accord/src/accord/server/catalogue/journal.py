"""The journal of a project as its owners read it: what happened, when, by whom.  Mirrors read ``api.changes``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from accord.server.clock import iso
from accord.server.database import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.catalogue.indexes import IndexRow

__all__ = ["JournalEntry", "entries"]


@dataclass(frozen=True, slots=True)
class JournalEntry:
    serial: int
    at: int
    actor: str
    action: str
    version: str | None
    filename: str | None
    detail: dict[str, Any]

    def as_dict(self) -> dict[str, object]:
        return {
            "serial": self.serial,
            "at": iso(self.at),
            "actor": self.actor,
            "action": self.action,
            "version": self.version,
            "filename": self.filename,
            "detail": self.detail,
        }


_COLUMNS = [getattr(tables.change.c, name) for name in JournalEntry.__slots__]


def entries(
    connection: Connection, index: IndexRow, project: str, *, limit: int, before: int | None = None
) -> tuple[JournalEntry, ...]:
    """The newest first."""
    change = tables.change.c
    query = (
        select(*_COLUMNS)
        .where(change.index_id == index.id, change.project == project)
        .order_by(change.serial.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(change.serial < before)
    return tuple(JournalEntry(*row) for row in connection.execute(query))
