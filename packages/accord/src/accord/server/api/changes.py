"""``/changes?since=SERIAL``: everything that happened to an index, in order, for servers that follow it.

An answer has at most ``limit`` entries and says under ``next`` where to go on.  Who has read it all may wait for more
(``wait``, in seconds): no thread sleeps meanwhile.  Entries about what a reader may not read are left out; their serials
are passed over, so that ``next`` tells nothing but that something happened.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from accord.server.accounts import principals
from accord.server.api.answers import demand_reading
from accord.server.api.openapi import json_answer, operation, parameter
from accord.server.api.places import everywhere, index_of
from accord.server.clock import iso
from accord.server.database import tables
from accord.server.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from accord.server.accounts.principals import Principal
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.database import Database
    from accord.server.parts import Parts

__all__ = ["openapi", "routes"]

_TICK = 0.05  # seconds between two looks at the counter, however many wait
_ASK_DATABASE = 20  # ticks between two questions to the database, for what other machines wrote
_LARGEST = 2**63 - 1


class _Waiting:
    """Those who wait for the counter to move, all woken by one task that looks at it while there is anybody."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._moved: asyncio.Event | None = None
        self._looking: asyncio.Task[None] | None = None
        self.count = 0

    async def beyond(self, serial: int, seconds: float) -> None:
        """Return when the serial is larger than ``serial``, or the time is over, or the server ends."""
        self.count += 1
        try:
            async with asyncio.timeout(seconds):
                while self._database.counter.value() <= serial and not self._database.counter.ending():
                    if self._moved is None or self._looking is None or self._looking.done():
                        self._moved = asyncio.Event()
                        self._looking = asyncio.create_task(self._look(self._moved))
                    await self._moved.wait()
        except TimeoutError:
            return
        finally:
            self.count -= 1

    async def _look(self, moved: asyncio.Event) -> None:
        """Set ``moved`` at the next change; end as well when nobody waits any more."""
        counter = self._database.counter
        before = counter.value()
        tick = 0
        while self.count and counter.value() == before and not counter.ending():
            await asyncio.sleep(_TICK)
            tick += 1
            if tick % _ASK_DATABASE == 0:
                with suppress(
                    SQLAlchemyError
                ):  # it is away; whoever waits asks it again when the time is over
                    counter.raise_to(await run_in_threadpool(self._database.serial))
        moved.set()


def routes(parts: Parts) -> list[BaseRoute]:
    """``/changes`` of each index."""
    waiting = _Waiting(parts.database)
    limits = parts.settings.limits

    async def changes(request: Request) -> Response:
        since = _number(request, "since", 0, _LARGEST)
        limit = _number(request, "limit", limits.changes_per_answer, limits.changes_per_answer)
        wait = _number(request, "wait", 0, int(limits.long_poll_seconds))
        found = await run_in_threadpool(_read, parts, request, since, limit)
        if not found["changes"] and not found["more"] and wait and waiting.count < limits.long_polls:
            deadline = asyncio.get_running_loop().time() + wait
            while (
                not found["changes"]
                and (left := deadline - asyncio.get_running_loop().time()) > 0
                and not parts.database.counter.ending()
            ):
                await waiting.beyond(found["serial"], left)
                found = await run_in_threadpool(_read, parts, request, found["next"], limit)
        return _answer(request, found)

    return everywhere([Route("/changes", changes, name="changes")])


def _answer(request: Request, found: dict[str, Any]) -> Response:
    public = found.pop("public")
    serial = found.pop("serial")
    found["meta"] = {"api-version": "1.0", "_last-serial": serial}
    headers = {
        "cache-control": "no-cache, public" if public else "private, no-store",
        "x-pypi-last-serial": str(serial),
    }
    if public:
        headers["access-control-allow-origin"] = "*"
    body = b"" if request.method == "HEAD" else json.dumps(found, ensure_ascii=False).encode()
    return Response(body, media_type="application/json", headers=headers)


def _number(request: Request, name: str, default: int, most: int) -> int:
    """A parameter; values above ``most`` count as ``most``.  Raises ``Refused("changes-parameter")``."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= _LARGEST):
        raise Refused(400, "changes-parameter", f"{name} is a number up to {_LARGEST}, not {text[:40]!r}")
    return min(int(text), most)


def _read(parts: Parts, request: Request, since: int, limit: int) -> dict[str, Any]:
    """The entries after ``since``, as far as the sender may read them."""
    at = parts.now()
    with parts.database.read() as connection:
        index = index_of(connection, request)
        who = demand_reading(parts, connection, request, index, None)
        serial: int = connection.execute(select(tables.serial.c.value)).scalar_one()
        change = tables.change.c
        rows = connection.execute(
            select(tables.change)
            .where(change.index_id == index.id, change.serial > since, change.serial <= serial)
            .order_by(change.serial)
            .limit(limit + 1)
        ).all()
        more = len(rows) > limit
        rows = rows[:limit]
        hidden = _hidden(connection, who, index, {row.project for row in rows if row.project}, at)
        public = index.public and who.user_id is None
    # With nothing left to read, what other indexes did meanwhile is passed over as well.
    following = rows[-1].serial if more and rows else max(serial, since)
    return {
        "index": index.name,
        "changes": [_entry(row) for row in rows if row.project not in hidden],
        "next": following,
        "more": more,
        "serial": serial,
        "public": public,
    }


def _hidden(
    connection: Connection, who: Principal, index: IndexRow, projects: set[str], at: int
) -> frozenset[str]:
    """Which of the projects are private and not the reader's."""
    if not projects:
        return frozenset()
    private = connection.execute(
        select(tables.project.c.name).where(
            tables.project.c.index_id == index.id,
            tables.project.c.private.is_(True),
            tables.project.c.name.in_(projects),
        )
    ).scalars()
    return frozenset(
        name
        for name in private.all()
        if who.user_id is None or not principals.may(connection, who, "read", index, name, at)
    )


def _entry(row: Any) -> dict[str, Any]:
    """One change.  Who did it is the operators' business (``audit``), not a mirror's."""
    entry: dict[str, Any] = {"serial": row.serial, "action": row.action, "at": iso(row.at)}
    for key in ("project", "version", "filename"):
        value = getattr(row, key)
        if value is not None:
            entry[key] = value
    if row.detail:
        entry["detail"] = row.detail
    return entry


def openapi(paths: dict[str, Any]) -> None:
    """The feed; the index's name may stand in front of its path."""
    number = {"type": "integer", "minimum": 0, "maximum": _LARGEST}
    entry = {
        "type": "object",
        "required": ["serial", "action", "at"],
        "properties": {
            "serial": {"type": "integer"},
            "action": {"type": "string"},
            "at": {"type": "string", "format": "date-time"},
            "project": {"type": "string"},
            "version": {"type": "string"},
            "filename": {"type": "string"},
            "detail": {"type": "object"},
        },
    }
    schema = {
        "type": "object",
        "required": ["meta", "index", "changes", "next", "more"],
        "properties": {
            "meta": {"type": "object"},
            "index": {"type": "string"},
            "changes": {"type": "array", "items": entry},
            "next": {"type": "integer", "description": "the next request's `since`"},
            "more": {"type": "boolean", "description": "whether there is more to read now"},
        },
    }
    paths["/changes"] = {
        "get": operation(
            "what happened to the index, in order",
            [
                parameter("since", "only what has a larger serial", where="query", schema=number),
                parameter("wait", "seconds to wait where there is nothing yet", where="query", schema=number),
                parameter("limit", "the most entries of the answer", where="query", schema=number),
            ],
            {"200": json_answer("changes", schema)},
            problems=(400, 401, 403),
        )
    }
