"""In front of the routes: before a project is answered, upstream is asked for it, if it is its to answer.

One function says who is asked: :func:`askable`.  A name that an index of the stack has itself, or that lies in a namespace
somebody has there, is asked of no upstream: else whoever has it there could answer for it (dependency confusion), and
would learn of it.  The one exception is a name the asked index lists under ``mix``.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

import anyio
import anyio.to_thread
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from accord.server.accounts import principals
from accord.server.api.answers import demand_reading, matches
from accord.server.api.places import index_of
from accord.server.api.simple import find_readable
from accord.server.catalogue import history, indexes, reading
from accord.server.database import tables
from accord.server.errors import Refused
from accord.server.mirror import facts
from accord.server.mirror.asking import Upstreams
from accord.server.mirror.fetching import Fetches
from accord.server.mirror.leaving import forbids
from accord_core.names import normalise

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from accord.server.accounts.principals import Principal
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.mirror.facts import Kept
    from accord.server.parts import Parts

__all__ = ["Through", "askable", "upstream_project"]

_PATH = re.compile(
    r"(?:/(?P<index>[^/@][^/]*))?(?:/@(?P<when>[^/]+))?/"  # a snapshot's files may not be here yet, either
    r"(?:simple/(?P<simple>[^/]+)/|project/(?P<web>[^/]+)/?|pypi/(?P<pypi>[^/]+)/(?:[^/]+/)?json"
    r"|files/(?P<files>[^/]+)/(?P<file>[^/]+)"
    r"|integrity/(?P<proven>[^/]+)/[^/]+/(?P<evidence>[^/]+)/provenance)\Z"
)
_PACKAGE = re.compile(r"/packages/(?P<index>[^/]+)/(?P<files>[^/]+)/(?P<file>[^/]+)\Z")
_FOREVER = "max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a request when upstream has been asked.  ``until``: a page of it is true so long; ``stale``: the
    seconds by which it is overdue.  ``fetch``: the index and the file that must be fetched first."""

    until: int | None = None
    stale: int | None = None
    fetch: tuple[IndexRow, str, Kept] | None = None
    public: bool = False


@dataclass(frozen=True, slots=True)
class _Wanted:
    """``filename``: a file is asked for, or its ``provenance``; ``when``: as it was once."""

    filename: str | None
    provenance: bool = False
    when: str | None = None


_NOTHING = _Known()


class Through:
    """An ASGI application around another."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self._app = app
        self._parts = parts
        self._upstreams = Upstreams(parts)
        self._fetches = Fetches(parts, self._upstreams)
        parts.at_end.extend((self._fetches.close, self._upstreams.close))
        # A slow upstream takes threads from nobody but those who ask it.
        self._threads = anyio.CapacityLimiter(parts.settings.limits.upstream_threads)
        self._none_at = -1  # the serial at which there was no upstream index

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = None
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            found = _PATH.match(scope["path"]) or _PACKAGE.match(scope["path"])
        if found is None or self._none_at == self._parts.database.counter.value():
            await self._app(scope, receive, send)
            return
        words = found.groupdict()
        project = next(filter(None, map(words.get, ("files", "simple", "pypi", "web", "proven"))), "")
        wanted = _Wanted(
            words.get("file") or words.get("evidence"), bool(words.get("evidence")), words.get("when")
        )
        known = await self._thread(self._learn, scope, words["index"], project, wanted)
        if known.fetch is not None:
            await self._give(known, scope, receive, send)
            return
        scope["accord.until"] = known.until
        await self._app(scope, receive, send if known.stale is None else _saying(send, known.stale))

    async def _thread(self, function: object, *arguments: object) -> _Known:
        return await anyio.to_thread.run_sync(function, *arguments, limiter=self._threads)  # type: ignore[arg-type]

    def _learn(self, scope: Scope, name: str | None, project: str, wanted: _Wanted) -> _Known:
        """Ask who is to be asked.  Raises ``Refused`` as the routes would, before anybody is asked."""
        if normalise(project) != project:
            return _NOTHING  # a redirect
        parts = self._parts
        serial = parts.database.counter.value()
        request = Request({**scope, "path_params": {"index": name} if name else {}})
        with parts.database.read() as connection:
            upstream = tables.index.c.kind == "upstream"
            if connection.execute(select(tables.index.c.id).where(upstream).limit(1)).first() is None:
                self._none_at = serial
                return _NOTHING
            index = index_of(connection, request)
            if all(source.kind != "upstream" for source in indexes.reading_order(connection, index)):
                return _NOTHING
            who = demand_reading(parts, connection, request, index, project)
        known, owner = upstream_project(parts, self._upstreams, who, index, project)
        if owner is None or wanted.filename is None:
            return known
        return self._file(request, index, owner, project, wanted) or known

    def _file(
        self, request: Request, index: IndexRow, owner: IndexRow, project: str, wanted: _Wanted
    ) -> _Known | None:
        """What a request for a file needs; ``None``: nothing, the bytes are here, or nobody may have it."""
        assert wanted.filename is not None
        filename = unquote(wanted.filename)
        plain = filename.removesuffix(".metadata")
        with self._parts.database.read() as connection:
            file = facts.find_file(connection, owner.id, project, plain)
            if file is None:
                return None
            # What is only gone is still to be had from the past, where it was.
            if file.blocked is not None and (wanted.when is None or forbids(file.blocked)):
                raise Refused(410, "file-blocked", f"{plain} is not served here: {file.blocked}")
            told, public = find_readable(self._parts, connection, request, index, project)
            if any(reading.quarantine_of(connection, row, plain) is not None for row in told.rows):
                return None
            if wanted.when is not None and not self._was_there(
                connection, request, index, project, plain, wanted.when
            ):
                return None
        if wanted.provenance:
            if self._fetches.wants_provenance(file):
                self._fetches.provenance(owner, project, file)
            return None
        if plain != filename:
            stored = file.metadata_sha256 and self._parts.storage.size(file.metadata_sha256) is not None
            if file.has_metadata and not stored:
                self._fetches.metadata(owner, project, file)
            return None
        if file.stored and self._parts.storage.size(file.sha256) is not None:
            return None
        if request.headers.get("range"):
            self._fetches.whole(owner, project, file)
            return None
        return _Known(fetch=(owner, project, file), public=bool(public))

    def _was_there(
        self,
        connection: Connection,
        request: Request,
        index: IndexRow,
        project: str,
        filename: str,
        when: str,
    ) -> bool:
        at = self._parts.now()
        who = demand_reading(self._parts, connection, request, index, project)
        serial = history.moment(connection, when, at).serial
        then = history.tell_then(connection, who, index, project, serial, at)
        return then is not None and any(row.filename == filename for row in then.files)

    async def _give(self, known: _Known, scope: Scope, receive: Receive, send: Send) -> None:
        """A file, while it is fetched."""
        assert known.fetch is not None
        owner, project, file = known.fetch
        etag = f'"{file.sha256}"'
        headers = {
            "etag": etag,
            "cache-control": f"{_FOREVER}, {'public' if known.public else 'private'}",
            "accept-ranges": "bytes",
            "content-type": "application/octet-stream",
            "x-content-type-options": "nosniff",
        }
        if file.size is not None:
            headers["content-length"] = str(file.size)
        if matches(Request(scope).headers.get("if-none-match"), etag):
            headers.pop("content-length", None)
            await Response(None, 304, headers)(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            await Response(None, 200, headers)(scope, receive, send)
            return
        pieces = self._fetches.stream(owner, project, file)
        first = await anyio.to_thread.run_sync(_next, pieces, limiter=self._threads)
        await StreamingResponse(self._pieces(first, pieces), 200, headers)(scope, receive, send)

    async def _pieces(self, first: bytes | None, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
        piece = first
        while piece is not None:
            yield piece
            piece = await anyio.to_thread.run_sync(_next, pieces, limiter=self._threads)


def upstream_project(
    parts: Parts, upstreams: Upstreams, who: Principal, index: IndexRow, project: str
) -> tuple[_Known, IndexRow | None]:
    """Ask the upstreams of a stack for a project, in order; and the upstream index whose it is, if it is one's."""
    with parts.database.read() as connection:
        asked = askable(connection, index, project)
        asked = tuple(
            one for one in asked if principals.may(connection, who, "read", one, project, parts.now())
        )
    until: int | None = None
    stale: int | None = None
    for source in asked:
        found = upstreams.ensure(source, project)
        until = found.until if until is None else min(until, found.until)
        if found.stale is not None:
            stale = max(stale or 0, found.stale)
        if found.here:
            return _Known(until, stale), source
    return _Known(until, stale), None


def askable(connection: Connection, index: IndexRow, project: str) -> tuple[IndexRow, ...]:
    """The upstream indexes that may be asked for a project, in order: none, if it is somebody's in the stack."""
    order = indexes.reading_order(connection, index)
    asked = tuple(source for source in order if source.kind == "upstream")
    if project in index.settings.get("mix", ()):
        return asked
    own = [source for source in order if source.kind != "upstream"]
    if any(reading.find_project(connection, source, project) is not None for source in own):
        return ()
    prefixes = connection.execute(
        select(tables.namespace.c.prefix).where(
            tables.namespace.c.index_id.in_([source.id for source in own])
        )
    ).scalars()
    if any(project == prefix or project.startswith(prefix + "-") for prefix in prefixes):
        return ()
    return asked


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)


def _saying(send: Send, stale: int) -> Send:
    """The answer says by how many seconds it is overdue, and goes into no cache."""

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [
                (name, value)
                for name, value in message.get("headers", ())
                if name.lower() != b"cache-control"
            ]
            message["headers"] = [
                *kept,
                (b"cache-control", b"no-cache"),
                (b"x-accord-stale", str(stale).encode()),
                (b"warning", b'110 - "Response is Stale"'),
            ]
        await send(message)

    return answer
