"""The files themselves, their core metadata and provenance, by predictable URLs: ``/files/PROJECT/FILENAME``.

The same files are at ``/packages/INDEX/PROJECT/FILENAME``, because mirrors take no other URLs than those that begin so.
Where the storage has a path the web server sends the file itself (ASGI ``http.response.pathsend``), or the one in front
does (``X-Accel-Redirect``, if the settings say so); ranges are answered from the path or the stream.  Files never change, so clients may keep them for ever; caches that many share ask again after
ten minutes, because a file may be withdrawn, or become private.
"""

from __future__ import annotations

import hashlib
import os
import re
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from accord.server.api.answers import matches
from accord.server.api.bulk import in_bulk, pieces_of
from accord.server.api.places import everywhere, index_of
from accord.server.api.simple import find_readable
from accord.server.catalogue import life, reading, stacks
from accord.server.errors import Refused
from accord.server.pages.shelf import finish_file
from accord_core.index.negotiate import choose
from accord_core.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.types import Receive, Scope, Send

    from accord.server.catalogue.reading import FileRow, ProjectRow
    from accord.server.catalogue.stacks import Told
    from accord.server.parts import Parts

__all__ = ["gone", "routes", "send", "send_provenance"]

_FOREVER = "max-age=31536000, immutable"
_SHARED = "public, s-maxage=600"
_KEPT = 32 << 10  # bytes of a file that lies on the shelf itself: opening it would cost more
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z", re.IGNORECASE)
_PROVENANCE = "application/vnd.pypi.integrity.v1+json"
_PROVENANCE_AGE = "max-age=600"  # attestations may be added (PEP 740 "Changes to provenance objects")
_TYPES = {".whl": "application/zip", ".gz": "application/gzip", ".metadata": "text/plain; charset=utf-8"}


class _PathAnswer(Response):
    """A whole file, sent by the web server from its path."""

    def __init__(self, path: str, headers: dict[str, str]) -> None:
        super().__init__(None, 200, headers)
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.pathsend", "path": self._path})


def routes(parts: Parts) -> list[BaseRoute]:
    """``/files/PROJECT/FILENAME`` (also ``.metadata``) and ``/integrity/PROJECT/VERSION/FILENAME/provenance`` of each index."""

    def file(request: Request) -> Response:
        filename = request.path_params["filename"]
        plain = filename.removesuffix(".metadata")
        serial = parts.shelf.catch_up()
        told, row, public = _find(parts, request, plain)
        digest = row.sha256 if plain == filename else row.metadata_sha256
        if digest is None:
            raise Refused(404, "no-such-file", f"{filename} is not announced")
        size = row.size if plain == filename else None
        answer = send(parts, request, digest, filename, size=size, public=public)
        if public and request.path_params["project"] == told.row.name:
            _keep(parts, request, told, digest, filename, serial)
        return answer

    def provenance(request: Request) -> Response:
        _, row, public = _find(parts, request, request.path_params["filename"])
        return send_provenance(parts, request, row, public=public)

    sent = in_bulk(file)
    return [
        *everywhere(
            [
                Route("/files/{project}/{filename}", sent, name="file"),
                Route(
                    "/integrity/{project}/{version}/{filename}/provenance",
                    in_bulk(provenance),
                    name="provenance",
                ),
            ]
        ),
        Route("/packages/{index}/{project}/{filename}", sent, name="package"),
    ]


def _find(parts: Parts, request: Request, filename: str) -> tuple[Told, FileRow, bool]:
    """The project in the path, if the sender may read that; the file, if it is one of it; and whether anybody may have it."""
    project = normalise(request.path_params["project"])
    with parts.database.read() as connection:
        index = index_of(connection, request)
        told, public = find_readable(parts, connection, request, index, project)
        found = stacks.file_of(connection, told, filename)
        if found is None:
            gone(connection, told.rows, filename)
            raise Refused(404, "no-such-file", f"{index.name} has no file {filename} of {project}")
    return told, found, public


def _keep(parts: Parts, request: Request, told: Told, sha256: str, filename: str, serial: int) -> None:
    """Put a file anybody may have on the shelf, as it was found at ``serial``: where it lies, and a small one itself, if its
    bytes are those of its name.  Not where it is the store that sends it.  Raises ``Refused("blob-missing")``."""
    path = parts.storage.path(sha256)
    size = parts.storage.size(sha256)
    if path is None or size is None or not _sends_paths(request):
        return
    headers = _headers(sha256, filename, public=True)
    place = _place(parts, sha256, size)
    if size <= _KEPT:
        body = b"".join(_whole(parts.storage.stream(sha256), sha256))
        page = finish_file(headers, told.of, size=size, body=body)
    elif place is not None:
        page = finish_file(headers, told.of, size=size, place=place)
    else:
        page = finish_file(headers, told.of, size=size, path=path)
    parts.shelf.put(request.scope["path"], page, serial, until=request.scope.get("accord.until"))


def _place(parts: Parts, sha256: str, size: int) -> str | None:
    """Where the web server in front has a file on this machine.  A small one is not worth asking it."""
    path = parts.storage.path(sha256) if parts.settings.accel and size > _KEPT else None
    if path is None:
        return None
    return parts.settings.accel + os.path.relpath(path, unquote(urlsplit(parts.settings.storage_url).path))


def _sends_paths(request: Request) -> bool:
    return "http.response.pathsend" in request.scope.get("extensions", {})


def gone(connection: Connection, rows: Sequence[ProjectRow], filename: str) -> None:
    """Tell why a file is not there that was: withdrawn (410), or in quarantine (403), with the reason somebody gave."""
    for row in rows:
        grave = life.tombstone(connection, row.index_id, row.name, filename)
        if grave is not None:
            raise grave.refusal()
        held = reading.quarantine_of(connection, row, filename)
        if held is not None:
            raise Refused(
                403, "file-quarantined", f"{filename} is in quarantine" + (f": {held}" if held else "")
            )


def send_provenance(parts: Parts, request: Request, row: FileRow, *, public: bool) -> Response:
    """The provenance of a file, whose version stands in the path."""
    if row.provenance_sha256 is None or row.version != request.path_params["version"]:
        raise Refused(404, "no-such-file", f"{row.filename} has no provenance here")
    if choose(request.headers.get("accept"), (_PROVENANCE, "application/json")) is None:
        raise Refused(406, "not-acceptable", f"provenance is there as {_PROVENANCE}")
    return send(
        parts, request, row.provenance_sha256, "", public=public, kind=_PROVENANCE, age=_PROVENANCE_AGE
    )


def send(
    parts: Parts,
    request: Request,
    sha256: str,
    filename: str,
    *,
    size: int | None = None,
    public: bool,
    kind: str = "",
    age: str = _FOREVER,
) -> Response:
    """The blob as the file of that name, or as of that ``kind`` of content, which is ``size`` long.  Who may have it was asked
    before.  Answers are kept for ever by caches, so a blob that is damaged is none: by its size, and where its bytes pass
    through here by its digest."""
    link = parts.storage.link(sha256) if request.method == "GET" else None
    if link is not None:
        return RedirectResponse(link, 302, {"cache-control": "no-store"})
    there = parts.storage.size(sha256)
    if there is None or there != (there if size is None else size):
        raise _missing()
    size = there
    headers = _headers(sha256, filename, public=public, kind=kind, age=age)
    etag = headers["etag"]
    if matches(request.headers.get("if-none-match"), etag):
        return Response(None, 304, headers)
    if request.method == "HEAD":
        return Response(None, 200, {**headers, "content-length": str(size)})
    asked = request.headers.get("range")
    if asked and request.headers.get("if-range", etag) == etag:
        span = _span(asked, size)
        if span == ():
            return Response(None, 416, {**headers, "content-range": f"bytes */{size}"})
        if span:
            start, stop = span
            headers["content-range"] = f"bytes {start}-{stop - 1}/{size}"
            headers["content-length"] = str(stop - start)
            return _streamed(request, parts.storage.stream(sha256, start=start, stop=stop), 206, headers)
    place = _place(parts, sha256, size)
    if place is not None:
        return Response(None, 200, {**headers, "x-accel-redirect": place})
    headers["content-length"] = str(size)
    path = parts.storage.path(sha256)
    if path is not None and _sends_paths(request):
        return _PathAnswer(path, headers)
    return _streamed(request, _whole(parts.storage.stream(sha256), sha256), 200, headers)


def _missing() -> Refused:
    return Refused(
        500, "blob-missing", "the bytes are missing, or damaged", hint="tell the operator of this index"
    )


def _streamed(
    request: Request, pieces: Iterator[bytes], status: int, headers: dict[str, str]
) -> StreamingResponse:
    """What fails at its beginning is refused; later an answer can only break off, which its length shows."""
    first = next(pieces, b"")
    return StreamingResponse(pieces_of(request, chain((first,), pieces)), status, headers)


def _whole(pieces: Iterator[bytes], sha256: str) -> Iterator[bytes]:
    """The last piece goes out when all of them together are what the digest says.  Raises ``Refused("blob-missing")``."""
    running, held = hashlib.sha256(), b""
    for piece in pieces:
        running.update(piece)
        if held:
            yield held
        held = piece
    if running.hexdigest() != sha256:
        raise _missing()
    yield held


def _headers(
    sha256: str, filename: str, *, public: bool, kind: str = "", age: str = _FOREVER
) -> dict[str, str]:
    headers = {
        "etag": f'"{sha256}"',
        "cache-control": f"{age}, {_SHARED if public else 'private'}",
        "accept-ranges": "bytes",
        "content-type": kind or _TYPES.get("." + filename.rpartition(".")[2], "application/octet-stream"),
        "x-content-type-options": "nosniff",
    }
    if public:
        headers["access-control-allow-origin"] = "*"
        headers["access-control-expose-headers"] = "ETag, Content-Range, Accept-Ranges"
    return headers


def _span(asked: str, size: int) -> tuple[int, int] | tuple[()] | None:
    """``(start, stop)`` of a single range; ``()`` where it cannot be satisfied, ``None`` where it is not understood, which
    is answered with the whole (RFC 9110 section 14.2)."""
    match = _RANGE.match(asked.strip())
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        length = min(int(match[2]), size)
        return (size - length, size) if length else ()
    start = int(match[1])
    last = int(match[2]) if match[2] else size - 1
    if match[2] and last < start:
        return None
    return (start, min(last + 1, size)) if start < size else ()
