"""What operators may read of who did what: entries made in the block of what they tell of.

An entry stands or falls with its change: one transaction holds both, so that nothing is done without its entry and no
entry tells of what was not done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, insert, or_, select

from accord.server.accounts import attempts
from accord.server.clock import iso
from accord.server.database import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.database import Writing

__all__ = ["Entry", "entries", "record"]


@dataclass(frozen=True, slots=True)
class Entry:
    id: int
    at: int
    actor: str
    address: str
    action: str
    subject: str
    outcome: str
    detail: dict[str, Any]

    def as_dict(self) -> dict[str, object]:
        return {
            "id": self.id,
            "at": iso(self.at),
            "actor": self.actor,
            "address": self.address,
            "action": self.action,
            "subject": self.subject,
            "outcome": self.outcome,
            "detail": self.detail,
        }


_COLUMNS = [getattr(tables.audit.c, name) for name in Entry.__slots__]
_ENTER = insert(tables.audit)


def record(writing: Writing, action: str, subject: str, *, outcome: str = "done", **detail: Any) -> None:
    """Enter what the block does, by its actor, from the address that asks."""
    writing.connection.execute(
        _ENTER,
        {
            "at": writing.at,
            "actor": writing.actor,
            "address": attempts.address(),
            "action": action,
            "subject": subject,
            "outcome": outcome,
            "detail": detail,
        },
    )


def entries(
    connection: Connection,
    *,
    before: int | None = None,
    limit: int = 100,
    actor: str | None = None,
    action: str | None = None,
) -> tuple[Entry, ...]:
    """The newest first; ``before`` is the number of an entry to go on below."""
    columns = tables.audit.c
    # By instant: what waited for its batch is entered later than it happened.
    query = select(*_COLUMNS).order_by(columns.at.desc(), columns.id.desc()).limit(limit)
    if before is not None:
        at = select(columns.at).where(columns.id == before).scalar_subquery()
        query = query.where(or_(columns.at < at, and_(columns.at == at, columns.id < before)))
    if actor is not None:
        query = query.where(columns.actor == actor)
    if action is not None:
        query = query.where(columns.action == action)
    return tuple(Entry(*row) for row in connection.execute(query))
