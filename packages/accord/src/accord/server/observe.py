"""Around the application: a name for each request, its time and outcome counted, and no fault that is not written down.

A fault of ours is answered with a problem that names the request; the log has the rest under the same name.  Clients may
name their requests themselves (``X-Request-ID``), so that proxies and servers speak of the same one.
"""

from __future__ import annotations

import ipaddress
import json
import re
import secrets
import time
from typing import TYPE_CHECKING

from accord.server.api.watch import client_address
from accord.server.errors import server_fault
from accord.server.headers import HARDENED
from accord.server.logs import LOG

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from accord.server.metrics import Metrics

__all__ = ["Noted", "Observed"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_HEADER = b"x-request-id"
_NAME = re.compile(rb"[A-Za-z0-9._-]{1,64}\Z")
_TOKEN = re.compile(r"((?:/stage/|/upload/session/[^/]+/)[^/]{4})[^/]+(?=/)")


class Observed:
    """An ASGI application around another.  ``proxies`` are the addresses and networks that are believed when they say for whom
    they ask.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, *, proxies: tuple[str, ...] = ()) -> None:
        self._app = app
        self._metrics = metrics
        self._proxies = [ipaddress.ip_network(text) for text in proxies]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = _name_of(scope)
        began = time.perf_counter()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _hardened(message.get("headers", ()), name)
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception:
            self._metrics.faults.inc()
            fields = _fields(scope, name, 500, began, self._proxies)
            LOG.exception("a request ended in a fault", extra={"fields": fields})
            if not status:
                await _broken(answer, name)
        self._count(scope, status, time.perf_counter() - began)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        found = scope.get("route")
        route = getattr(found, "path", None) or "none"
        self._metrics.requests.labels(scope["method"], route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)


class Noted:
    """A line for every request, whoever answers it: around everything else, and only where such lines are wanted, because the
    pages on the shelf are answered before anybody observes them."""

    def __init__(self, app: ASGIApp, *, proxies: tuple[str, ...] = ()) -> None:
        self._app = app
        self._proxies = [ipaddress.ip_network(text) for text in proxies]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        name, status = "", 0

        async def answer(message: Message) -> None:
            nonlocal name, status
            if message["type"] == "http.response.start":
                status = message["status"]
                name = next((value.decode() for key, value in message["headers"] if key == _HEADER), "")
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            fields = _fields(scope, name or _name_of(scope), status, began, self._proxies)
            LOG.info("request", extra={"fields": fields})


def _fields(scope: Scope, name: str, status: int, began: float, proxies: list[Network]) -> dict[str, object]:
    """Neither headers nor the query: both may hold secrets; nor the token of an upload session, which stands in paths."""
    return {
        "request": name,
        "method": scope["method"],
        "path": _TOKEN.sub(r"\1…", scope["path"]),
        "status": status,
        "client": client_address(scope, proxies),
        "ms": round((time.perf_counter() - began) * 1000, 1),
    }


def _name_of(scope: Scope) -> str:
    for key, value in scope["headers"]:
        if key == _HEADER and _NAME.match(value):
            found: str = value.decode("ascii")
            return found
    return secrets.token_hex(8)


def _hardened(headers: object, name: str) -> list[tuple[bytes, bytes]]:
    found = [(key.lower(), value) for key, value in headers]  # type: ignore[attr-defined]
    there = {key for key, _ in found}
    found += [pair for pair in HARDENED if pair[0] not in there]
    found.append((_HEADER, name.encode()))
    return found


async def _broken(send: Send, name: str) -> None:
    fault = server_fault({"request": name})
    headers = [(b"content-type", b"application/problem+json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(fault.problem()).encode()})
