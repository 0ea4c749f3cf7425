"""What those who run a server ask of it: does it live, can it work, what has it done.

``/livez`` says that the process answers; ``/readyz`` that its database and its storage do, too.  ``/metrics`` is for
operators (a token that may ``admin``), unless the settings say that anybody may see it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from accord.server import jobs
from accord.server.accounts import principals
from accord.server.database import tables
from accord.server.errors import Refused
from accord.server.metrics import Gauge

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from accord.server.parts import Parts

__all__ = ["routes"]

_UNCACHED = {"cache-control": "no-store"}
_NO_BLOB = "0" * 64


def routes(parts: Parts) -> list[BaseRoute]:
    """``/livez``, ``/readyz``, ``/metrics``."""

    async def alive(_request: Request) -> Response:
        return PlainTextResponse("alive\n", headers=_UNCACHED)

    def ready(_request: Request) -> Response:
        try:
            parts.database.serial()
            parts.storage.size(_NO_BLOB)
        except Exception as fault:
            raise Refused(
                503,
                "server-not-ready",
                "the database or the storage does not answer",
                headers={"Retry-After": "5"},
            ) from fault
        return PlainTextResponse("ready\n", headers=_UNCACHED)

    def metrics(request: Request) -> Response:
        with parts.database.read() as connection:
            if not parts.settings.public_metrics:
                who = principals.authenticate(connection, request.headers.get("authorization"), parts.now())
                principals.demand(connection, who, "admin", None, None, parts.now())
            state = _state(connection, parts.now())
            filling = parts.search.progress(connection)
        state.append(
            Gauge(
                "accord_search_filled_ratio",
                "how much of the projects the search knows",
                1.0 if filling is None else filling.share,
            )
        )
        return Response(parts.metrics.text(state), 200, _UNCACHED, "text/plain; version=0.0.4; charset=utf-8")

    return [
        Route("/livez", alive, name="livez"),
        Route("/readyz", ready, name="readyz"),
        Route("/metrics", metrics, name="metrics"),
    ]


def _state(connection: Connection, at: int) -> list[Gauge]:
    """What the database tells."""

    def count(query: object) -> float:
        return float(connection.execute(query).scalar() or 0)  # type: ignore[call-overload]

    file = tables.file.c
    held = select(func.count()).select_from(tables.file).where(file.state == "quarantined")
    return [
        Gauge("accord_serial", "the last change", count(select(tables.serial.c.value))),
        Gauge("accord_files_quarantined", "files that wait for a verdict", count(held)),
        *_jobs(connection, at),
    ]


def _jobs(connection: Connection, at: int) -> list[Gauge]:
    job = tables.job.c
    waiting = select(func.count()).select_from(tables.job).where(job.done.is_(None))
    given_up = select(func.count()).select_from(tables.job).where(job.done.is_not(None))
    found = [
        Gauge(
            "accord_jobs_waiting", "jobs that are still to be done", connection.execute(waiting).scalar_one()
        ),
        Gauge("accord_jobs_given_up", "jobs that failed for good", connection.execute(given_up).scalar_one()),
    ]
    for one in jobs.listed(connection, at):
        if one.every is None:
            continue
        # Other jobs come and go; of these there are as many as there are kinds, and mirrors.
        labels = {"kind": one.kind, **{name: str(value) for name, value in one.arguments.items()}}
        for name, words, value in (
            ("accord_job_next_timestamp_seconds", "when it is done next", one.next),
            ("accord_job_ran_timestamp_seconds", "when it was done last", one.ran),
            ("accord_job_took_seconds", "how long that took", one.took),
        ):
            if value is not None:
                found.append(Gauge(name, words, value / 1_000_000, labels))
        failed = float(one.failure is not None)
        found.append(Gauge("accord_job_failed", "whether the last attempt failed", failed, labels))
    return found
