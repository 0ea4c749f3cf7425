"""What an operator looks at first: how much there is, what waits, how far behind upstream, what failed, who did what."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select
from starlette.responses import RedirectResponse, Response

from accord.server import jobs
from accord.server.accounts import audit, principals
from accord.server.catalogue import indexes
from accord.server.database import tables
from accord.server.web.visits import Visit
from accord.server.web.visits import reading as page

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.routing import BaseRoute

    from accord.server.parts import Parts

__all__ = ["routes"]

_SHOWN = 50
_FAULTS = ("failed", "denied", "limited")


@dataclass(frozen=True, slots=True)
class Storage:
    """``free`` and ``total`` are of the disk the server's folder lies on."""

    files: int
    size: int
    free: int
    total: int


def routes(parts: Parts) -> list[BaseRoute]:
    return [page(parts, "/admin/", operator)]


def operator(visit: Visit) -> Response:
    if visit.session is None:
        return RedirectResponse(f"{visit.root}login?next=/admin/", 303)
    with visit.parts.database.read() as connection:
        principals.demand(connection, visit.who, "admin", None, None, visit.at)
        files, size = connection.execute(
            select(func.count(), func.coalesce(func.sum(tables.file.c.size), 0)).where(
                tables.file.c.removed_serial.is_(None)
            )
        ).one()
        disk = shutil.disk_usage(os.path.abspath(visit.parts.settings.data))
        return visit.show(
            "operator.html",
            storage=Storage(files, size, disk.free, disk.total),
            serial=connection.execute(select(tables.serial.c.value)).scalar_one(),
            indexes=_indexes(connection),
            queues=_queues(connection, visit.at),
            upstreams=_upstreams(connection, visit.at),
            jobs=[one for one in jobs.listed(connection, visit.at) if one.every is not None],
            filling=visit.parts.search.progress(connection),
            failures=_failures(connection),
            entries=audit.entries(connection, limit=_SHOWN),
        )


def _indexes(connection: Connection) -> list[dict[str, Any]]:
    counts: dict[int, int] = dict(
        connection.execute(
            select(tables.project.c.index_id, func.count()).group_by(tables.project.c.index_id)
        ).all()
    )
    return [
        {
            "name": one.name,
            "kind": one.kind,
            "public": one.public,
            "serial": one.serial,
            "projects": counts.get(one.id, 0),
        }
        for one in indexes.indexes(connection)
    ]


def _queues(connection: Connection, at: int) -> list[tuple[str, int]]:
    """What waits, by what it waits for."""
    job, file = tables.job.c, tables.file.c
    # What is done again and again waits by nature; the table of jobs shows it.
    found = [
        (f"job: {kind}", count)
        for kind, count in connection.execute(
            select(job.kind, func.count())
            .where(job.done.is_(None), job.every.is_(None))
            .group_by(job.kind)
            .order_by(job.kind)
        )
    ]
    held = connection.execute(
        select(func.count()).where(file.state == "quarantined", file.removed_serial.is_(None))
    ).scalar_one()
    session = tables.upload_session.c
    opened = connection.execute(
        select(func.count()).where(session.state.in_(("open", "processing")), session.expires > at)
    ).scalar_one()
    return [*found, ("files in quarantine", held), ("open upload sessions", opened)]


def _upstreams(connection: Connection, at: int) -> list[dict[str, Any]]:
    """How old the oldest and newest page of each upstream index is, and how many are past their time."""
    page_ = tables.upstream_page.c
    rows = {
        row.index_id: row
        for row in connection.execute(
            select(
                page_.index_id,
                func.count().label("pages"),
                func.min(page_.fetched).label("oldest"),
                func.max(page_.fetched).label("newest"),
                func.sum(case((page_.expires <= at, 1), else_=0)).label("expired"),
            ).group_by(page_.index_id)
        )
    }
    return [
        {
            "name": one.name,
            "pages": rows[one.id].pages if one.id in rows else 0,
            "oldest": rows[one.id].oldest if one.id in rows else None,
            "newest": rows[one.id].newest if one.id in rows else None,
            "expired": rows[one.id].expired if one.id in rows else 0,
        }
        for one in indexes.indexes(connection)
        if one.kind == "upstream"
    ]


def _failures(connection: Connection) -> list[tuple[int | None, str, str]]:
    """``(when, what, words)``: jobs that failed, then credentials and actions that were refused."""
    job, entry = tables.job.c, tables.audit.c
    failed = [
        (row.ran, f"job: {row.kind}" + (", given up" if row.done else ""), row.failure)
        for row in connection.execute(
            select(job.ran, job.kind, job.failure, job.done)
            .where(job.failure.is_not(None))
            .order_by(job.id.desc())
            .limit(_SHOWN)
        )
    ]
    refused = [
        (row.at, f"{row.action}: {row.outcome}", f"{row.actor} {row.subject} {row.address}")
        for row in connection.execute(
            select(entry.at, entry.action, entry.outcome, entry.actor, entry.subject, entry.address)
            .where(entry.outcome.in_(_FAULTS))
            .order_by(entry.id.desc())
            .limit(_SHOWN // 2)
        )
    ]
    return failed + refused
