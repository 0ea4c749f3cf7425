"""The table of jobs: entered, taken, ended.

A row whose ``done`` is empty waits for ``run_after``, or is being done until ``taken_until``.  What succeeded is deleted,
what has ``every`` gets its next time, what failed for good keeps its row with ``done`` and ``failure``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, or_, select, update

from accord.server.clock import iso
from accord.server.database import tables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy import ColumnElement, Connection

    from accord.server.database import Writing
    from accord.server.jobs.kinds import Kind

__all__ = [
    "Job",
    "Taken",
    "again",
    "ended",
    "enqueue",
    "failed",
    "forget",
    "keep",
    "listed",
    "plan",
    "take",
    "waiting",
]

_SECOND = 1_000_000
_FIRST_PAUSE = 10.0
_LONGEST_PAUSE = 3600.0
_FAILURE_LETTERS = 2_000
_job = tables.job.c


@dataclass(frozen=True, slots=True)
class Taken:
    """``attempts``: this one counted; ``began``: when it was taken; ``every`` in microseconds."""

    id: int
    kind: str
    arguments: dict[str, Any]
    attempts: int
    every: int | None
    began: int


@dataclass(frozen=True, slots=True)
class Job:
    """A row as people see it.  ``state`` is ``waits``, ``runs`` or ``given up``; ``ran`` is when the last attempt ended,
    ``took`` how long it was (microseconds), ``failure`` what it came to, ``None`` where nothing was wrong."""

    id: int
    kind: str
    arguments: dict[str, Any]
    state: str
    next: int | None
    every: int | None
    attempts: int
    ran: int | None
    took: int | None
    failure: str | None

    def as_dict(self) -> dict[str, object]:
        return {
            "id": self.id,
            "kind": self.kind,
            "arguments": self.arguments,
            "state": self.state,
            "next": None if self.next is None else iso(self.next),
            "every": None if self.every is None else self.every / _SECOND,
            "attempts": self.attempts,
            "ran": None if self.ran is None else iso(self.ran),
            "took": None if self.took is None else self.took / _SECOND,
            "failure": self.failure,
        }


def listed(connection: Connection, at: int, *, most: int = 1_000) -> tuple[Job, ...]:
    """What is done again and again first, then what is to be done once, then what was given up; each by its time."""
    rows = connection.execute(
        select(tables.job)
        .order_by(_job.done.is_not(None), _job.every.is_(None), _job.run_after, _job.id)
        .limit(most)
    )
    return tuple(_shown(row, at) for row in rows)


def _shown(row: Any, at: int) -> Job:
    state = "given up" if row.done is not None else "runs" if (row.taken_until or 0) > at else "waits"
    following = row.run_after if state == "waits" else None
    return Job(
        row.id,
        row.kind,
        row.arguments,
        state,
        following,
        row.every,
        row.attempts,
        row.ran,
        row.took,
        row.failure,
    )


def enqueue(writing: Writing, kind: str, *, after: float = 0.0, once: bool = False, **arguments: Any) -> None:
    """There is work of this kind to be done, ``after`` seconds from now at the earliest, if the block succeeds.

    ``once``: not if the same work waits already.
    """
    if once:
        writing.turn(f"job {kind}")
        same = writing.connection.execute(
            select(_job.arguments).where(_job.kind == kind, _job.done.is_(None), _job.taken_until.is_(None))
        )
        if any(row.arguments == arguments for row in same):
            return
    _enter(writing, kind, arguments, after)
    if not after:
        writing.ring()


def _enter(
    writing: Writing, kind: str, arguments: dict[str, Any], after: float, every: float | None = None
) -> None:
    writing.connection.execute(
        insert(tables.job).values(
            kind=kind,
            arguments=arguments,
            run_after=writing.at + int(after * _SECOND),
            every=None if every is None else int(every * _SECOND),
        )
    )


def plan(writing: Writing, kinds: Iterable[Kind]) -> None:
    """See that what is done again and again waits for its time, once for all processes, and nothing else does."""
    writing.turn("job plan")
    for kind in kinds:
        if kind.rows is not None:
            _plan(writing, kind, list(kind.rows(writing.connection)), after=0.0)
        elif kind.every is not None:
            _plan(writing, kind, [({}, kind.every)], after=kind.every)


def _plan(writing: Writing, kind: Kind, wanted: list[tuple[dict[str, Any], float]], *, after: float) -> None:
    connection = writing.connection
    there = connection.execute(
        select(_job.id, _job.arguments, _job.every).where(_job.kind == kind.name, _job.done.is_(None))
    ).all()
    for row in there:
        every = next((every for arguments, every in wanted if arguments == row.arguments), None)
        if every is None:
            connection.execute(delete(tables.job).where(_job.id == row.id))
        elif row.every != int(every * _SECOND):
            connection.execute(
                update(tables.job)
                .where(_job.id == row.id)
                .values(every=int(every * _SECOND), run_after=writing.at + int(after * _SECOND))
            )
    known = [row.arguments for row in there]
    for arguments, every in wanted:
        if arguments not in known:
            _enter(writing, kind.name, arguments, after, every)


def _due(at: int, kinds: Collection[str]) -> list[ColumnElement[bool]]:
    return [
        _job.done.is_(None),
        # A time that is farther off than its own period was written by a clock that was wrong.
        or_(_job.run_after <= at, _job.run_after - _job.every > at),
        or_(_job.taken_until.is_(None), _job.taken_until < at),
        _job.kind.in_(kinds),
    ]


def waiting(connection: Connection, at: int, kinds: Collection[str]) -> bool:
    """Whether there is something of these kinds to do now."""
    return connection.execute(select(_job.id).where(*_due(at, kinds)).limit(1)).first() is not None


def take(writing: Writing, kinds: Mapping[str, Kind]) -> Taken | None:
    """The job that has waited longest, of the kinds given; nobody else takes it while its lease lasts."""
    row = writing.connection.execute(
        select(_job.id, _job.kind, _job.arguments, _job.attempts, _job.every)
        .where(*_due(writing.at, kinds))
        .order_by(_job.run_after, _job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    job = Taken(row.id, row.kind, row.arguments, row.attempts + 1, row.every, writing.at)
    writing.connection.execute(
        update(tables.job)
        .where(_job.id == job.id)
        .values(taken_until=_lease(writing, kinds[row.kind]), attempts=job.attempts)
    )
    return job


def _lease(writing: Writing, kind: Kind) -> int:
    return writing.at + int(kind.lease * _SECOND)


def keep(writing: Writing, job: Taken, kind: Kind) -> None:
    """It is still being done."""
    writing.connection.execute(
        update(tables.job).where(*_ours(job)).values(taken_until=_lease(writing, kind))
    )


def _ours(job: Taken) -> list[ColumnElement[bool]]:
    """Whoever was away so long that another took the job has no more word in it."""
    return [_job.id == job.id, _job.attempts == job.attempts, _job.taken_until.is_not(None)]


def ended(writing: Writing, job: Taken) -> None:
    """It is done."""
    if job.every is None:
        writing.connection.execute(delete(tables.job).where(*_ours(job)))
        return
    _wait(writing, job, job.every, attempts=0, failure=None)


def failed(writing: Writing, job: Taken, kind: Kind, words: str) -> None:
    """It is tried again after a pause that doubles, or never."""
    longest = _LONGEST_PAUSE if job.every is None else min(job.every / _SECOND, _LONGEST_PAUSE)
    pause = int(min(_FIRST_PAUSE * 2 ** min(job.attempts - 1, 20), longest) * _SECOND)
    failure = words[:_FAILURE_LETTERS].replace("\0", "")
    if job.every is None and job.attempts >= kind.attempts:
        writing.connection.execute(
            update(tables.job)
            .where(*_ours(job))
            .values(done=writing.at, taken_until=None, failure=failure, **_attempt(writing, job))
        )
        return
    _wait(writing, job, pause, attempts=job.attempts, failure=failure)


def _wait(writing: Writing, job: Taken, pause: int, *, attempts: int, failure: str | None) -> None:
    writing.connection.execute(
        update(tables.job)
        .where(*_ours(job))
        .values(
            run_after=writing.at + pause,
            taken_until=None,
            attempts=attempts,
            failure=failure,
            **_attempt(writing, job),
        )
    )


def _attempt(writing: Writing, job: Taken) -> dict[str, int]:
    return {"ran": writing.at, "took": max(0, writing.at - job.began)}


def again(writing: Writing, number: int) -> str | None:
    """Do it now, as if it had never been tried, unless it is being done; its kind, ``None`` where there is no such job."""
    return writing.connection.execute(
        update(tables.job)
        .where(_job.id == number, or_(_job.taken_until.is_(None), _job.taken_until < writing.at))
        .values(run_after=writing.at, attempts=0, done=None, taken_until=None)
        .returning(_job.kind)
    ).scalar()


def forget(writing: Writing, number: int) -> str | None:
    """Take away what was given up; its kind, ``None`` where there is no such job."""
    return writing.connection.execute(
        delete(tables.job).where(_job.id == number, _job.done.is_not(None)).returning(_job.kind)
    ).scalar()
