"""What those who run a server ask of it: does it live, can it work, what has it done.

``/livez`` says that the process answers; ``/readyz`` that its database and its storage do, too.  ``/metrics`` is for
operators (a token that may ``admin``), unless the settings say that anybody may see it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from accord.server.accounts import principals
from accord.server.database import tables
from accord.server.errors import Refused

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
            state = _state(connection)
        return Response(parts.metrics.text(state), 200, _UNCACHED, "text/plain; version=0.0.4; charset=utf-8")

    return [
        Route("/livez", alive, name="livez"),
        Route("/readyz", ready, name="readyz"),
        Route("/metrics", metrics, name="metrics"),
    ]


def _state(connection: Connection) -> list[tuple[str, str, float]]:
    """Names, words and values that the database tells."""

    def count(query: object) -> float:
        return float(connection.execute(query).scalar() or 0)  # type: ignore[call-overload]

    file = tables.file.c
    waiting = select(func.count()).select_from(tables.job).where(tables.job.c.done.is_(None))
    held = select(func.count()).select_from(tables.file).where(file.state == "quarantined")
    return [
        ("accord_serial", "the last change", count(select(tables.serial.c.value))),
        ("accord_jobs_waiting", "jobs that are still to be done", count(waiting)),
        ("accord_files_quarantined", "files that wait for a verdict", count(held)),
    ]
