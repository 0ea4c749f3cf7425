"""The quick way in: pages and files that lie on the shelf are answered here, everything else goes on to the application.

Most requests of an index ask for the page of a project or a file it has sent before.  Here they cost two look-ups and no
thread, no database, no routing.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

from accord.server.api.answers import format_asked, matches, pick
from accord.server.api.visitors import PREFLIGHT, is_read
from accord.server.catalogue.search import KeepingUp
from accord.server.database.listening import Listening
from accord.server.jobs import Runner
from accord.server.pages.watch import Watch
from accord.server.parts import open_parts
from accord.server.settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from accord.server.parts import Parts

__all__ = ["SETTINGS_VARIABLE", "Front", "make"]

SETTINGS_VARIABLE = "ACCORD_SERVER_SETTINGS"
_LOOK, _PATIENCE = 1.0, 10.0  # seconds
_COUNTED_TOGETHER = 64  # counting costs a twentieth of an answer


class Front:
    """An ASGI application in front of another."""

    def __init__(self, parts: Parts, behind: ASGIApp) -> None:
        self._shelf = parts.shelf
        self._behind = behind
        self._metrics = parts.metrics
        self._answered = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and self._shelf.current():
            page = self._shelf.find(scope["path"])
            if page is not None:
                accept = accept_encoding = if_none_match = None
                known = ranged = False
                for name, value in scope["headers"]:
                    if name == b"accept":
                        accept = value.decode("latin-1")
                    elif name == b"accept-encoding":
                        accept_encoding = value.decode("latin-1")
                    elif name == b"if-none-match":
                        if_none_match = value.decode("latin-1")
                    elif name in (b"authorization", b"cookie"):
                        known = True
                    elif name == b"range":
                        ranged = True
                found = None
                # Who says who he is may see more of it; and parts of it are made behind.
                if not ((known and page.partial) or (ranged and page.ranged)):
                    found = pick(page, accept, accept_encoding, format_asked(scope["query_string"]))
                if found is not None:
                    self._answered += 1
                    if self._answered == _COUNTED_TOGETHER:
                        self._metrics.from_shelf.inc(_COUNTED_TOGETHER)
                        self._answered = 0
                    unchanged = matches(if_none_match, found.etag.decode())
                    await send(
                        {
                            "type": "http.response.start",
                            "status": 304 if unchanged else 200,
                            "headers": found.unchanged if unchanged else found.found,
                        }
                    )
                    if unchanged or scope["method"] == "HEAD":
                        await send({"type": "http.response.body", "body": b""})
                    elif found.path is not None:
                        await send({"type": "http.response.pathsend", "path": found.path})
                    else:
                        await send({"type": "http.response.body", "body": found.body})
                    return
        elif scope["type"] == "http" and scope["method"] == "OPTIONS" and is_read(scope["path"]):
            await send({"type": "http.response.start", "status": 204, "headers": PREFLIGHT})
            await send({"type": "http.response.body", "body": b""})
            return
        await self._behind(scope, receive, send)


def make() -> ASGIApp:
    """The application of one serving process; its settings are in the variable the starting process set."""
    from accord.server import logs
    from accord.server.app import application
    from accord.server.mirror.following import Following
    from accord.server.observe import Noted, Observed

    settings = Settings.load(os.environ[SETTINGS_VARIABLE])
    logs.set_up(settings.log_format)
    parts = open_parts(settings)
    logs.LOG.info("a process serves", extra={"fields": {"process": os.getpid()}})
    routes = application(parts)  # and with it every room, which says what work it has
    behind = Observed(routes, parts.metrics, proxies=settings.trusted_proxies)
    listening = Listening(parts.database)
    if not parts.database.is_sqlite:
        listening.start()
    Watch(parts.database, hears=listening.hears).start()
    Following(parts).start()
    Runner(parts).start()
    Runner(parts, long=True).start()
    KeepingUp(parts.search, parts.database.counter.value).start()
    threading.Thread(target=_end_with, args=(os.getppid(),), name="accord-parent", daemon=True).start()
    front = Front(parts, behind)
    return Noted(front, proxies=settings.trusted_proxies) if settings.access_log else front


def _end_with(parent: int) -> None:
    """A process whose starter was killed would serve on, and keep the folder from the next server."""
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_PATIENCE)
    os._exit(1)
