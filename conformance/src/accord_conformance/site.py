"""The suite's own small server: serves what a case says, keeps what was asked, and can misbehave on purpose.

A *reply* as a case writes it down: ``status`` (200), ``type``, ``body`` (text), ``base64``, ``headers`` (table), ``cut`` (that many bytes of the promised
length never come), ``endless`` (it never ends, up to a limit of ours), ``wait`` (seconds before the answer), ``moved`` (302 to there), ``once`` (a reply given the first
time only, after which ``then`` is given).  It binds to loopback, on a free port.  In bodies and headers ``{site}`` is its address, ``{host}`` that without
the scheme, ``{elsewhere}`` the same server under another host's name.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from accord_conformance.reading import Table

__all__ = ["HTML", "JSON", "Reply", "Request", "Routes", "Site", "reply"]

_ENDLESS_BYTES = 200_000_000
_REQUEST_BYTES = 50_000_000
JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a route answers."""

    status: int
    type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0
    endless: bool = False
    wait: float = 0.0
    then: Reply | None = None  # from the second time on
    other: Reply | None = None  # the same page as JSON, for those who accept that
    negotiable: bool = False

    def negotiated(self, other: Reply | None) -> Reply:
        """This page for those who want HTML, ``other`` for those who want JSON."""
        return replace(self, other=other, negotiable=True)


Routes = dict[str, Reply]


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked."""

    method: str
    path: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes


def reply(where: str, values: object) -> Reply:
    """The reply a case describes."""
    table = Table(where, values)
    moved = table.take("moved", str, "")
    then = table.take("then", dict, None)
    headers = {**({"Location": moved} if moved else {}), **table.take("headers", dict, {})}
    made = Reply(
        table.take("status", int, 302 if moved else 200),
        table.take("type", str, "text/plain"),
        base64.b64decode(table.take("base64", str, "")) + table.take("body", str, "").encode(),
        headers,
        table.take("cut", int, 0),
        table.take("endless", bool, False),
        float(table.take("wait", (int, float), 0)),
        reply(f"{where} then", then) if then is not None else None,
    )
    table.done()
    return made


class Site:
    """A server with ``routes`` that may be changed while it runs; ``requests`` holds what came, in order."""

    def __init__(self, routes: Routes) -> None:
        self.routes = routes
        self.requests: list[Request] = []
        # Asked before the routes: parts of a server that remember what was done.
        self.services: list[Callable[[Request], Reply | None]] = []
        self._seen: dict[str, int] = {}
        self._lock = threading.Lock()
        site = self

        class Handler(_Handler):
            home = site

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.elsewhere = self.url.replace("127.0.0.1", "localhost")
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def placed(self, text: bytes) -> bytes:
        """``text`` with the addresses it speaks of filled in."""
        places = {b"{site}": self.url, b"{elsewhere}": self.elsewhere, b"{host}": self.url.partition("//")[2]}
        for name, address in places.items():
            text = text.replace(name, address.encode())
        return text

    def take(self, request: Request) -> Reply:
        """Keeps the request, and says what to answer."""
        path = request.path.partition("?")[0]
        with self._lock:
            self.requests.append(request)
            times = self._seen[path] = self._seen.get(path, 0) + 1
            for service in self.services:
                answered = service(request)
                if answered is not None:
                    return answered
        # Clients may escape what need not be: + and ! of versions.
        found = self.routes.get(path) or self.routes.get(unquote(path))
        if found is None:
            return Reply(404, "text/plain", b"nothing is here\n")
        if found.then is not None and times > 1:
            found = found.then
        return _chosen(found, request.headers.get("accept", ""))


def _chosen(found: Reply, accept: str) -> Reply:
    """Content negotiation as the Simple API has it: by quality, HTML for those who say nothing."""
    if not found.negotiable:
        return found
    wanted = _qualities(accept or "*/*")
    offers = [(HTML, found), ("text/html", replace(found, type="text/html"))]
    if found.other is not None:
        offers.append((JSON, found.other))

    def quality(kind: str) -> float:
        group = kind.partition("/")[0] + "/*"
        return wanted.get(kind, wanted.get(group, wanted.get("*/*", -1.0)))

    best = max(offers, key=lambda offer: quality(offer[0]))
    if quality(best[0]) <= 0:
        return Reply(406, "text/plain", b"no such form\n")
    if best[0] == HTML and HTML not in wanted and quality("text/html") > 0:
        return replace(found, type="text/html")
    return replace(best[1], headers={**best[1].headers, "Vary": "Accept"})


def _qualities(accept: str) -> dict[str, float]:
    found = {}
    for part in accept.split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for each in parameters:
            if each.startswith("q="):
                quality = float(each[2:])
        found[kind.replace("latest", "v1") if "pypi.simple" in kind else kind] = quality
    return found


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Silent: a tool that hangs up in the middle is looked at by what it did, not here."""


class _Handler(BaseHTTPRequestHandler):
    home: Site
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.home.take(Request(self.command, self.path, headers, body))
        if answer.wait:
            time.sleep(answer.wait)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.type)
        for name, value in answer.headers.items():
            self.send_header(name, self.home.placed(value.encode()).decode())
        if answer.endless:
            self.close_connection = True
            self.end_headers()
            self._go_on()
            return
        body = self.home.placed(answer.body)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) - answer.cut])
        if answer.cut:
            self.close_connection = True

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _REQUEST_BYTES))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(min(size, _REQUEST_BYTES))
            self.rfile.readline()
        while self.rfile.readline().strip():
            continue
        return body

    def _go_on(self) -> None:
        block = b" " * 65536
        for _ in range(_ENDLESS_BYTES // len(block)):
            try:
                self.wfile.write(block)
            except OSError:
                return

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

    def log_message(self, *args: Any) -> None:
        """Silent: the requests are kept instead."""
