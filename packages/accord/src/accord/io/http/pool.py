"""Connections kept open, by where they lead; at most so many to one place.

Thread-safe.  Knows sockets, TLS and proxies; nothing of what is asked over them.
"""

from __future__ import annotations

import socket
import threading
from base64 import b64encode
from contextlib import contextmanager
from typing import TYPE_CHECKING

from accord.io.http.proxies import proxy_for
from accord.io.http.wire import Connection, ProtocolError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping

    from accord.io.http.options import HttpLimits, HttpOptions
    from accord.io.urls import Url

__all__ = ["Pool", "ProxyRefusedError", "ProxyUnreachableError", "basic"]


class ProxyRefusedError(Exception):
    """A proxy would not open a tunnel; ``status`` is its answer."""

    def __init__(self, proxy: str, status: int) -> None:
        super().__init__(f"the proxy {proxy} answered {status}")
        self.status = status


class ProxyUnreachableError(OSError):
    """There is no connection to ``proxy``; the cause says why."""

    def __init__(self, proxy: str, cause: OSError) -> None:
        super().__init__(cause.errno, cause.strerror or str(cause))
        self.proxy = proxy


class _Place:
    """Idle connections to one origin, newest last, and the number of places left."""

    __slots__ = ("free", "idle")

    def __init__(self, most: int) -> None:
        self.idle: list[Connection] = []
        self.free = threading.BoundedSemaphore(most)


class Pool:
    def __init__(self, options: HttpOptions, limits: HttpLimits, environ: Mapping[str, str]) -> None:
        self._options = options
        self._limits = limits
        self._environ = environ
        self._lock = threading.Lock()
        self._places: dict[tuple[str, str, int], _Place] = {}
        self._contexts: dict[bool, ssl.SSLContext] = {}
        self._proxies: dict[tuple[str, str, int], Url | None] = {}

    @contextmanager
    def connection(self, url: Url, *, fresh: bool = False) -> Iterator[Connection]:
        """A connection to ``url``'s origin, waiting for a place if all are taken; kept afterwards if reusable."""
        place = self._place(url)
        with place.free:
            connection = None if fresh else self._idle(place)
            if connection is None:
                connection = self._open(url)
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            if connection.reusable:
                with self._lock:
                    place.idle.append(connection)
            else:
                connection.close()

    def close(self) -> None:
        with self._lock:
            places, self._places = self._places, {}
        for place in places.values():
            for connection in place.idle:
                connection.close()

    def through(self, url: Url) -> Url | None:
        """The proxy for ``url``'s origin; looked up once."""
        origin = url.origin
        if origin not in self._proxies:
            self._proxies[origin] = proxy_for(url, self._environ, self._options.proxy)
        return self._proxies[origin]

    def _place(self, url: Url) -> _Place:
        with self._lock:
            place = self._places.get(url.origin)
            if place is None:
                place = self._places[url.origin] = _Place(self._options.connections)
        return place

    def _idle(self, place: _Place) -> Connection | None:
        while True:
            with self._lock:
                if not place.idle:
                    return None
                connection = place.idle.pop()
            if not connection.stale():
                return connection
            connection.close()

    def _open(self, url: Url) -> Connection:
        proxy = self.through(url)
        first = proxy or url
        # As bytes where that is possible, since Python loads its IDNA tables for any host given as text.
        host = first.host.encode("ascii") if first.host.isascii() else first.host
        try:
            sock = socket.create_connection((host, first.port), self._options.timeout)  # type: ignore[arg-type]
        except OSError as error:
            if proxy is None:
                raise
            raise ProxyUnreachableError(proxy.netloc, error) from error
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if first.scheme == "https":
                sock = self._wrap(sock, first)
            if proxy is not None and url.scheme == "https":
                self._tunnel(sock, proxy, url)
                sock = self._wrap(sock, url)
        except BaseException:
            sock.close()
            raise
        return Connection(sock, self._limits, self._options.timeout)

    def _tunnel(self, sock: socket.socket, proxy: Url, url: Url) -> None:
        """RFC 9110 section 9.3.6."""
        where = f"[{url.host}]:{url.port}" if ":" in url.host else f"{url.host}:{url.port}"
        headers = [("Host", where)]
        if proxy.auth is not None:
            headers.append(("Proxy-Authorization", basic(proxy.auth)))
        connection = Connection(sock, self._limits, self._options.timeout)
        connection.send("CONNECT", where, headers)
        head = connection.head()
        if not 200 <= head.status < 300:
            raise ProxyRefusedError(proxy.netloc, head.status)
        if connection.buffered:
            raise ProtocolError("the proxy spoke before the tunnel was used")

    def _wrap(self, sock: socket.socket, url: Url) -> socket.socket:
        from accord.io.http import tls

        verify = not tls.is_trusted(self._options, url)
        with self._lock:
            context = self._contexts.get(verify)
            if context is None:
                context = self._contexts[verify] = tls.make_context(self._options, verify=verify)
        return context.wrap_socket(sock, server_hostname=url.host)


def basic(auth: tuple[str, str]) -> str:
    """The value of an ``Authorization`` header (RFC 7617; UTF-8)."""
    return "Basic " + b64encode(":".join(auth).encode()).decode("ascii")
