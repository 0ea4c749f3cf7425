"""A static package index over a snapshot folder, fast enough not to be what is measured.

``python benchmarks/server.py [--snapshot DIR] [--port N]`` prints the address of its Simple API on the first line of
standard output and serves until it is terminated.  It answers as the public index does: content negotiation
(PEP 691), ``ETag`` and ``Cache-Control: max-age=600`` on pages, a year-long immutable life on files, 304 to
``If-None-Match``, gzip pages, byte ranges, keep-alive and pipelined HTTP/1.1.  Everything is prepared before the first
request; an answer to a request seen before is one dictionary look-up, and large files leave by ``sendfile``.
Anything not in the snapshot is 404.  ``GET /-/stats`` tells how many requests were answered and which were missed.

It knows HTTP and the snapshot's folder, and nothing of the tools that ask it.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import re
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import unquote

if not __package__:  # started by path: the folder above holds the package `benchmarks`
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from benchmarks.pages import HTML, JSON, Form, Forms

__all__ = ["Limits", "Server", "Snapshot", "serve"]

PAGE_LIFE = "max-age=600, public"
FILE_LIFE = "max-age=365000000, immutable, public"
_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


@dataclass(frozen=True, slots=True)
class Limits:
    head: int = 32 * 1024  # bytes of one request head: ten times what pip sends
    answers: int = 20_000  # remembered answers; 158 + 690 projects with their metadata need about 4,000
    whole: int = 256 * 1024  # files up to this size are written from memory, larger ones by sendfile


class Snapshot:
    """The folder: ``served/NAME.{json,html}.gz`` with ``served/etags.json``, and ``files/<origin>/<path>``."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.files = os.path.join(folder, "files")
        self._pages: dict[str, Forms] = {}

    def load(self) -> None:
        """Read every sealed page.  Raises ``FileNotFoundError`` where the snapshot was not sealed."""
        served = os.path.join(self.folder, "served")
        with open(os.path.join(served, "etags.json"), "rb") as stream:
            etags: dict[str, list[str]] = json.load(stream)
        for name, (json_tag, html_tag) in etags.items():
            with open(os.path.join(served, f"{name}.json.gz"), "rb") as stream:
                as_json = stream.read()
            with open(os.path.join(served, f"{name}.html.gz"), "rb") as stream:
                as_html = stream.read()
            self._pages[name] = Forms(Form(as_json, JSON, json_tag), Form(as_html, HTML, html_tag))

    def add(self, name: str, forms: Forms) -> None:
        self._pages[name] = forms

    def page(self, name: str) -> Forms | None:
        return self._pages.get(name)

    def file(self, path: str) -> str | None:
        """The place on disk of ``<origin>/<path>``, or None; a path that climbs out is not there."""
        place = os.path.normpath(os.path.join(self.files, path))
        return place if place.startswith(self.files + os.sep) and os.path.isfile(place) else None


Miss = Callable[[str], Awaitable[bool]]


async def _absent(_path: str) -> bool:
    return False


class Server:
    """Answers over a snapshot.  ``miss(path)`` is asked about a path that is not there and may bring it (recording)."""

    def __init__(self, snapshot: Snapshot, miss: Miss = _absent, limits: Limits = Limits()) -> None:
        self.snapshot = snapshot
        self.miss = miss
        self.limits = limits
        self.requests = 0
        self.open: set[asyncio.Transport] = set()
        self.most_open = 0
        self.missed: set[str] = set()
        self.answers: dict[bytes, tuple[bytes, bytes]] = {}
        self._date = (0, b"")

    def send(self, transport: asyncio.Transport, answer: tuple[bytes, bytes]) -> None:
        """Write an answer from :func:`_head` with the hour of now between its two parts.

        Caches reckon freshness from ``Date`` (RFC 9111, 4.2.3), and pip keeps nothing without it.
        """
        now = int(time.time())
        if self._date[0] != now:
            self._date = (now, formatdate(now, usegmt=True).encode())
        transport.write(b"".join((answer[0], self._date[1], answer[1])))

    async def hang_up(self) -> None:
        """End every connection: clients that keep theirs alive would otherwise outlive the listener."""
        for transport in tuple(self.open):
            transport.close()
        while self.open:
            await asyncio.sleep(0)

    async def answer(self, head: bytes, transport: asyncio.Transport) -> bool:
        """Write the answer to one request head; False when the connection is to be closed after it."""
        method, path, headers = _parse(head)
        if method not in ("GET", "HEAD"):
            self.send(transport, _head(405, {"Allow": "GET, HEAD"}, 0))
            return False
        body = method == "GET"
        if path == "/-/stats":
            self.requests -= 1  # asking for the count does not change it
            told = {"requests": self.requests, "missed": sorted(self.missed)}
            text = json.dumps(told).encode()
            self.send(transport, _head(200, {"Content-Type": "application/json"}, len(text), text))
        elif path.startswith("/files/"):
            await self._file(head, path, headers, transport, body)
        elif path.startswith("/simple/") and path.endswith("/"):
            await self._page(head, path, headers, transport, body)
        elif path.startswith("/simple/"):
            self.send(transport, _head(301, {"Location": path + "/"}, 0))
        else:
            self._not_found(path, transport)
        return headers.get("connection", "").lower() != "close"

    def _not_found(self, path: str, transport: asyncio.Transport) -> None:
        self.missed.add(path)
        self.send(transport, _head(404, {"Content-Type": "text/plain"}, 0))

    def _remember(self, head: bytes, answer: tuple[bytes, bytes], transport: asyncio.Transport) -> None:
        if len(self.answers) < self.limits.answers:
            self.answers[head] = answer
        self.send(transport, answer)

    async def _page(
        self, head: bytes, path: str, headers: dict[str, str], transport: asyncio.Transport, body: bool
    ) -> None:
        name = path[len("/simple/") : -1]
        forms = self.snapshot.page(name)
        if forms is None and await self.miss(path):
            forms = self.snapshot.page(name)
        if forms is None:
            self._not_found(path, transport)
            return
        form = forms.json if _wants_json(headers.get("accept", "")) else forms.html
        told = {"ETag": form.etag, "Cache-Control": PAGE_LIFE, "Vary": "Accept, Accept-Encoding"}
        if form.etag in headers.get("if-none-match", ""):
            self._remember(head, _head(304, told, None), transport)
            return
        told["Content-Type"] = form.content_type
        content = form.body_gz
        if "gzip" in headers.get("accept-encoding", ""):
            told["Content-Encoding"] = "gzip"
        else:
            content = gzip.decompress(content)
        answer = _head(200, told, len(content), content if body else b"")
        self._remember(head, answer, transport)

    async def _file(
        self, head: bytes, path: str, headers: dict[str, str], transport: asyncio.Transport, body: bool
    ) -> None:
        inside = unquote(path[len("/files/") :])
        place = self.snapshot.file(inside)
        if place is None and await self.miss(path):
            place = self.snapshot.file(inside)
        if place is None:
            self._not_found(path, transport)
            return
        size = os.path.getsize(place)
        told = {
            "ETag": f'"{size:x}-{os.path.basename(place)}"',  # a file of the index never changes
            "Cache-Control": FILE_LIFE,
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
        }
        if told["ETag"] in headers.get("if-none-match", ""):
            self.send(transport, _head(304, told, None))
            return
        status, start, length = _range(headers.get("range"), size)
        if status == 206:
            told["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
        elif status == 416:
            told["Content-Range"] = f"bytes */{size}"
        if not body or not length:
            self.send(transport, _head(status, told, length))
        elif length <= self.limits.whole:
            with open(place, "rb") as stream:
                stream.seek(start)
                self._remember(head, _head(status, told, length, stream.read(length)), transport)
        else:
            self.send(transport, _head(status, told, length))
            with open(place, "rb") as stream:
                await asyncio.get_running_loop().sendfile(transport, stream, start, length)


def _wants_json(accept: str) -> bool:
    """The media type with the higher ``q`` wins, JSON where both are equal (PEP 691, "Version + Format Selection")."""
    best = {"json": 0.0, "html": 0.0}
    for part in accept.lower().split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                quality = float(parameter[2:])
        if media in (JSON, "application/vnd.pypi.simple.latest+json"):
            best["json"] = max(best["json"], quality)
        elif "html" in media or media in ("*/*", ""):
            best["html"] = max(best["html"], quality)
    return best["json"] >= best["html"] and best["json"] > 0


def _range(asked: str | None, size: int) -> tuple[int, int, int]:
    """``(status, start, length)`` for one byte range (RFC 9110, 14.1.2); several ranges get the whole file."""
    found = _RANGE.match(asked) if asked else None
    if found is None or found.groups() == ("", ""):
        return 200, 0, size
    first, last = found.groups()
    start = max(0, size - int(last)) if not first else int(first)
    end = size - 1 if not first or not last else min(int(last), size - 1)
    return (206, start, end - start + 1) if start <= end else (416, 0, 0)


_REASONS = {
    200: "OK",
    206: "Partial Content",
    301: "Moved Permanently",
    304: "Not Modified",
    404: "Not Found",
    405: "Method Not Allowed",
    416: "Range Not Satisfiable",
    431: "Request Header Fields Too Large",
}


def _head(status: int, headers: dict[str, str], length: int | None, body: bytes = b"") -> tuple[bytes, bytes]:
    """An answer in two parts: up to the value of ``Date``, and from there on."""
    lines = ["", *(f"{key}: {value}" for key, value in headers.items())]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    opening = f"HTTP/1.1 {status} {_REASONS[status]}\r\nDate: "
    return opening.encode(), ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def _parse(head: bytes) -> tuple[str, str, dict[str, str]]:
    first, *rest = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, _, tail = first.partition(" ")
    headers = {}
    for line in rest:
        key, _, value = line.partition(":")
        headers[key.strip().lower()] = value.strip()
    return method, tail.partition(" ")[0].partition("?")[0], headers


class _Connection(asyncio.Protocol):
    """One kept-alive connection: heads are answered one after the other, in order."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.waiting = b""
        self.busy: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        server = self.server
        server.open.add(transport)
        server.most_open = max(server.most_open, len(server.open))

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        if self.busy is None:
            self._advance()

    def connection_lost(self, _error: Exception | None) -> None:
        self.server.open.discard(self.transport)
        if self.busy is not None:
            self.busy.cancel()

    def _advance(self) -> None:
        server = self.server
        while True:
            end = self.waiting.find(b"\r\n\r\n") + 4
            if (end if end > 3 else len(self.waiting)) > server.limits.head:
                server.send(self.transport, _head(431, {}, 0))
                self.transport.close()
                return
            if end == 3:
                return
            head, self.waiting = self.waiting[:end], self.waiting[end:]
            server.requests += 1
            known = server.answers.get(head)
            if known is None:
                self.busy = asyncio.get_running_loop().create_task(self._slow(head))
                return
            server.send(self.transport, known)

    async def _slow(self, head: bytes) -> None:
        keep = (
            False  # whatever goes wrong ends the connection: a client must never wait for an answer in vain
        )
        try:
            keep = await self.server.answer(head, self.transport)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client left in the middle of a file
        finally:
            self.busy = None
            if keep:
                self._advance()
            else:
                self.transport.close()


async def serve(server: Server, host: str, port: int) -> tuple[asyncio.Server, str]:
    """Listen, and return the listener with the address of the Simple API (``http://HOST:PORT/simple/``)."""
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: _Connection(server), host, port, backlog=256)
    bound = listener.sockets[0].getsockname()[1]
    return listener, f"http://{host}:{bound}/simple/"


async def _main(folder: str, host: str, port: int) -> None:
    snapshot = Snapshot(folder)
    snapshot.load()
    listener, url = await serve(Server(snapshot), host, port)
    print(url, flush=True)
    async with listener:
        await listener.serve_forever()


def main() -> int:
    parser = argparse.ArgumentParser(description="Serve a snapshot of a package index.")
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--snapshot", default=os.path.join(here, "snapshot"))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    try:
        asyncio.run(_main(os.path.abspath(options.snapshot), options.host, options.port))
    except FileNotFoundError as fault:
        print(
            f"no sealed snapshot ({fault.filename}); make it with: python benchmarks/snapshot.py",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
