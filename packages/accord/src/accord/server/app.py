"""All routes in one application, and the one place where failures become answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Match, Route

from accord.server.admin import life, people, places, quarantine, tokens, work
from accord.server.api import changes, files, health, openapi, pypi, simple, snapshots, visitors
from accord.server.api.watch import Watched
from accord.server.errors import Refused, disk_fault, is_full, server_fault
from accord.server.mirror import refreshing  # noqa: F401 - says what is done again and again
from accord.server.mirror.through import Through
from accord.server.upkeep import regular, scanning  # noqa: F401 - as above
from accord.server.upload import legacy, sessions, staged
from accord.server.web import rooms as pages
from accord.server.web.faults import fault_page, wants_page

if TYPE_CHECKING:
    from starlette.requests import Request

    from accord.server.parts import Parts

__all__ = ["application"]

# Where two routes fit one path the first has it.
_ROOMS = (
    *(snapshots, simple, files, pypi, changes, legacy, sessions, staged, visitors, health),
    *(people, tokens, places, life, quarantine, work, pages),
)


def application(parts: Parts) -> Starlette:
    """The application behind ``front``."""

    @asynccontextmanager
    async def living(_app: Starlette) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(
            parts.guard.close
        )  # a server that stops in peace leaves nothing to be entered

    return Starlette(
        lifespan=living,
        routes=[
            # A room that answers JSON describes itself beside its routes.
            openapi.route([room.openapi for room in _ROOMS if hasattr(room, "openapi")]),
            *(route for room in _ROOMS for route in room.routes(parts)),
        ],
        middleware=[Middleware(Watched, parts=parts, refuse=_problem), Middleware(Through, parts=parts)],
        exception_handlers={
            Refused: partial(_refused, parts),
            HTTPException: partial(_no_route, parts),
            OSError: partial(_disk, parts),
            Exception: partial(_fault, parts),
        },
    )


def _refused(parts: Parts, request: Request, fault: Exception) -> Response:
    assert isinstance(fault, Refused)
    return fault_page(parts, request, fault) if wants_page(request) else _problem(fault)


def _disk(parts: Parts, request: Request, fault: Exception) -> Response:
    """A full disk under the uploads being received; any other failure of the system is a fault of ours."""
    assert isinstance(fault, OSError)
    if not is_full(fault):
        raise fault
    return _refused(parts, request, disk_fault(fault))


def _fault(parts: Parts, request: Request, _fault: Exception) -> Response:
    """What the outside is told of a fault of ours; it goes on to ``observe``, which writes it down."""
    return _refused(parts, request, server_fault())


def _no_route(parts: Parts, request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    headers = dict(fault.headers or {})
    if fault.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # Each method of a path is a route of its own: the answer names those of all of them.
        methods: set[str] = set()
        for route in request.app.routes:
            if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
                methods |= route.methods or set()
        headers["Allow"] = ", ".join(sorted(methods))
    return _refused(
        parts, request, Refused(fault.status_code, "no-such-page", str(fault.detail), headers=headers)
    )


def _problem(fault: Refused) -> Response:
    return Response(
        json.dumps(fault.problem(), ensure_ascii=False).encode(),
        fault.status,
        {**fault.headers, "cache-control": "no-store"},
        media_type="application/problem+json",
    )
