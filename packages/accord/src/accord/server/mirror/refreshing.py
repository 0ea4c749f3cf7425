"""A mirror brought up to its upstream again and again: a job of its own for each that has an interval.

The job's row is made of the index's settings, in the block that changes them, so there is one for all processes and
machines, and one process at a time does it.  What could not be fetched makes the job fail, with the first reasons; it is
tried again soon, and what is there already is not fetched again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from accord.server import jobs
from accord.server.catalogue import indexes
from accord.server.database import tables
from accord.server.errors import Refused
from accord.server.mirror.syncing import sync
from accord_core.errors import AccordError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.database import Writing
    from accord.server.limits import Limits
    from accord.server.parts import Parts

__all__ = ["REFRESH", "set_interval"]

REFRESH = "refresh-mirror"
_SETTING = "refresh_seconds"
_CONNECTIONS = 4
_TOLD = 5  # reasons


def set_interval(writing: Writing, index: IndexRow, seconds: int | None, limits: Limits) -> None:
    """Bring it up to its upstream now and every so many seconds; ``None``: when somebody says so.

    Raises ``Refused``: ``index-not-upstream``, ``mirror-interval`` (400).
    """
    if index.kind != "upstream":
        raise Refused(400, "index-not-upstream", f"{index.name} has no upstream")
    if seconds is not None and not limits.mirror_least_seconds <= seconds <= 366 * 86_400:
        raise Refused(
            400,
            "mirror-interval",
            f"a mirror is refreshed every {limits.mirror_least_seconds} seconds at most, and once a year at least",
        )
    settings = {key: value for key, value in index.settings.items() if key != _SETTING}
    if seconds is not None:
        settings[_SETTING] = seconds
    if settings == index.settings:
        return
    writing.connection.execute(
        update(tables.index).where(tables.index.c.id == index.id).values(settings=settings)
    )
    writing.changed(index.id, "change-index")
    jobs.plan(writing, [_KIND])


def _rows(connection: Connection) -> Iterator[tuple[dict[str, Any], float]]:
    for index in indexes.indexes(connection):
        seconds = index.settings.get(_SETTING)
        if index.kind == "upstream" and seconds:
            yield {"index": index.name}, float(seconds)


def _refresh(parts: Parts, arguments: dict[str, Any]) -> None:
    with parts.database.read() as connection:
        index = indexes.index_named(connection, arguments["index"])
    found = sync(parts, index, connections=_CONNECTIONS, report=lambda _: None)
    if found["failed"]:
        some = [f"{what}: {why}" for what, why in sorted(found["failed"].items())[:_TOLD]]
        raise AccordError(
            "mirror-incomplete",
            f"{len(found['failed'])} things of {index.name} could not be fetched",
            context=tuple(some),
        )


_KIND = jobs.register(REFRESH, _refresh, long=True, rows=_rows)
