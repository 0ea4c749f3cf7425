"""The table of jobs: entered, taken, ended.

A row whose ``done`` is empty waits for ``run_after``, or is being done until ``taken_until``.  What succeeded is deleted,
what is done again and again gets its next time, what failed for good keeps its row with ``done`` and ``failure``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, or_, select, update

from accord.server.database import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import ColumnElement, Connection

    from accord.server.database import Writing
    from accord.server.jobs.kinds import Kind

__all__ = ["Taken", "ended", "enqueue", "failed", "plan", "take", "waiting"]

_SECOND = 1_000_000
_FIRST_PAUSE = 10.0
_LONGEST_PAUSE = 3600.0
_FAILURE_LETTERS = 2_000
_job = tables.job.c


@dataclass(frozen=True, slots=True)
class Taken:
    id: int
    kind: str
    arguments: dict[str, Any]
    attempts: int  # this one counted


def enqueue(writing: Writing, kind: str, *, after: float = 0.0, once: bool = False, **arguments: Any) -> None:
    """There is work of this kind to be done, ``after`` seconds from now at the earliest, if the block succeeds.

    ``once``: not if the same work waits already.
    """
    connection = writing.connection
    if once:
        writing.turn(f"job {kind}")
        same = connection.execute(
            select(_job.arguments).where(_job.kind == kind, _job.done.is_(None), _job.taken_until.is_(None))
        )
        if any(row.arguments == arguments for row in same):
            return
    connection.execute(
        insert(tables.job).values(kind=kind, arguments=arguments, run_after=writing.at + int(after * _SECOND))
    )


def plan(writing: Writing, kinds: Iterable[Kind]) -> None:
    """See that what is done again and again waits for its time, once for all processes."""
    writing.turn("job plan")
    there = set(writing.connection.execute(select(_job.kind).where(_job.done.is_(None)).distinct()).scalars())
    for kind in kinds:
        if kind.every is not None and kind.name not in there:
            enqueue(writing, kind.name, after=kind.every)


def _due(at: int) -> list[ColumnElement[bool]]:
    return [_job.done.is_(None), _job.run_after <= at, or_(_job.taken_until.is_(None), _job.taken_until < at)]


def waiting(connection: Connection, at: int) -> bool:
    """Whether there is something to do now."""
    return connection.execute(select(_job.id).where(*_due(at)).limit(1)).first() is not None


def take(writing: Writing, kinds: Mapping[str, Kind]) -> Taken | None:
    """The job that has waited longest, of the kinds given; nobody else takes it while its lease lasts."""
    row = writing.connection.execute(
        select(_job.id, _job.kind, _job.arguments, _job.attempts)
        .where(*_due(writing.at), _job.kind.in_(kinds))
        .order_by(_job.run_after, _job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    until = writing.at + int(kinds[row.kind].lease * _SECOND)
    writing.connection.execute(
        update(tables.job).where(_job.id == row.id).values(taken_until=until, attempts=row.attempts + 1)
    )
    return Taken(row.id, row.kind, row.arguments, row.attempts + 1)


def ended(writing: Writing, job: Taken, kind: Kind) -> None:
    """It is done."""
    if kind.every is None:
        writing.connection.execute(delete(tables.job).where(_job.id == job.id))
        return
    _again(writing, job, kind.every, attempts=0, failure=None)


def failed(writing: Writing, job: Taken, kind: Kind, words: str) -> None:
    """It is tried again after a pause that doubles, or never."""
    pause = min(_FIRST_PAUSE * 2 ** (job.attempts - 1), kind.every or _LONGEST_PAUSE, _LONGEST_PAUSE)
    failure = words[:_FAILURE_LETTERS].replace("\0", "")
    if kind.every is None and job.attempts >= kind.attempts:
        writing.connection.execute(
            update(tables.job)
            .where(_job.id == job.id)
            .values(done=writing.at, failure=failure, taken_until=None)
        )
        return
    _again(writing, job, pause, attempts=job.attempts, failure=failure)


def _again(writing: Writing, job: Taken, pause: float, *, attempts: int, failure: str | None) -> None:
    writing.connection.execute(
        update(tables.job)
        .where(_job.id == job.id)
        .values(
            run_after=writing.at + int(pause * _SECOND),
            taken_until=None,
            attempts=attempts,
            failure=failure,
        )
    )
