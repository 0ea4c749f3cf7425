"""The files themselves, their core metadata and provenance, by predictable URLs: ``/files/PROJECT/FILENAME``.

Where the storage has a path the web server sends the file itself (ASGI ``http.response.pathsend``); ranges are answered
from the path or the stream.  Files never change, so caches may keep them for ever.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.concurrency import iterate_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from accord.server.accounts import principals
from accord.server.api.places import everywhere, index_of
from accord.server.api.simple import matches
from accord.server.catalogue import reading, visible
from accord.server.errors import Refused, no_such_project
from accord_core.names import normalise

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.types import Receive, Scope, Send

    from accord.server.parts import Parts

__all__ = ["routes"]

_FOREVER = "max-age=31536000, immutable"
_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z")
_TYPES = {".whl": "application/zip", ".gz": "application/gzip", ".metadata": "text/plain; charset=utf-8"}


class _PathAnswer(Response):
    """A whole file, sent by the web server from its path."""

    def __init__(self, path: str, headers: dict[str, str]) -> None:
        super().__init__(None, 200, headers)
        del self.headers["content-length"]
        self.headers.update(headers)
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
        else:
            await send({"type": "http.response.pathsend", "path": self._path})


def routes(parts: Parts) -> list[BaseRoute]:
    """``/files/PROJECT/FILENAME`` (also ``.metadata``) of each index."""

    def file(request: Request) -> Response:
        filename = request.path_params["filename"]
        project = normalise(request.path_params["project"])
        at = parts.now()
        with parts.database.read() as connection:
            index = index_of(connection, request)
            who = principals.authenticate(connection, request.headers.get("authorization"), at)
            principals.demand(connection, who, "read", index, project, at)
            plain = filename.removesuffix(".metadata")
            sources = visible.sources_for(connection, who, index, project, at)
            found = ((source, reading.file_named(connection, source, plain, project)) for source in sources)
            source, row = next((pair for pair in found if pair[1] is not None), (index, None))
            if row is None and not any(reading.find_project(connection, one, project) for one in sources):
                raise no_such_project(index.name, project)
            public = all(
                principals.may(connection, principals.ANYBODY, "read", one, project, at)
                for one in (index, source)
            )
        digest = None if row is None else row.sha256 if plain == filename else row.metadata_sha256
        if digest is None:
            raise Refused(404, "no-such-file", f"{index.name} has no file {filename}")
        return _send(parts, request, digest, filename, public=public)

    return everywhere([Route("/files/{project}/{filename}", file, name="file")])


def _send(parts: Parts, request: Request, sha256: str, filename: str, *, public: bool) -> Response:
    size = parts.storage.size(sha256)
    if size is None:
        raise Refused(
            500,
            "blob-missing",
            f"the bytes of {filename} are missing",
            hint="tell the operator of this index",
        )
    etag = f'"{sha256}"'
    headers = {
        "etag": etag,
        "cache-control": f"{_FOREVER}, {'public' if public else 'private'}",
        "accept-ranges": "bytes",
        "content-type": _TYPES.get("." + filename.rpartition(".")[2], "application/octet-stream"),
        "x-content-type-options": "nosniff",
    }
    if matches(request.headers.get("if-none-match"), etag):
        return Response(b"", 304, headers)
    asked = request.headers.get("range")
    if asked and request.headers.get("if-range", etag) == etag:
        span = _span(asked, size)
        if span == ():
            return Response(b"", 416, {"content-range": f"bytes */{size}"})
        if span:
            start, stop = span
            headers["content-range"] = f"bytes {start}-{stop - 1}/{size}"
            headers["content-length"] = str(stop - start)
            body = iterate_in_threadpool(parts.storage.stream(sha256, start=start, stop=stop))
            return StreamingResponse(body, 206, headers)
    headers["content-length"] = str(size)
    path = parts.storage.path(sha256)
    if path is not None and "http.response.pathsend" in request.scope.get("extensions", {}):
        return _PathAnswer(path, headers)
    return StreamingResponse(iterate_in_threadpool(parts.storage.stream(sha256)), 200, headers)


def _span(asked: str, size: int) -> tuple[int, int] | tuple[()] | None:
    """``(start, stop)`` of a single range; ``()`` where it cannot be satisfied, ``None`` where it is not understood, which
    is answered with the whole (RFC 9110 section 14.2)."""
    match = _RANGE.match(asked)
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        length = min(int(match[2]), size)
        return (size - length, size) if length else ()
    start = int(match[1])
    stop = min(int(match[2]) + 1, size) if match[2] else size
    return (start, stop) if start < size and start < stop else ()
