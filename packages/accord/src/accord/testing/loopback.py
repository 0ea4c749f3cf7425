"""A server on this machine that says exactly what a test tells it to, byte by byte.

Real sockets, no mocks: a client cannot tell it from any other server.  It knows HTTP just well enough to find the end
of a request; the whole answer, status line included, is the test's.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

__all__ = ["Asked", "Loopback", "reply"]


@dataclass(frozen=True)
class Asked:
    """A request: ``headers`` have lower-case names; ``connection`` counts connections from 1; a ``body`` is what its
    Content-Length says."""

    method: str
    target: str
    headers: Mapping[str, str]
    connection: int
    body: bytes = b""


def reply(
    body: bytes = b"",
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    length: int | None = None,
) -> bytes:
    """A whole answer.  ``length`` replaces the true Content-Length; a ``Connection: close`` header is obeyed."""
    fields = {"Content-Length": str(len(body) if length is None else length), **(headers or {})}
    head = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


class Loopback:
    """``answer(asked)`` gives the bytes to send; None closes the connection without a word.

    An answer whose head says ``Connection: close`` is followed by the end of the connection, so a body shorter than
    its announced length is a truncated one.  ``asked`` collects the requests, in order.
    """

    def __init__(self, answer: Callable[[Asked], bytes | None], *, tls: ssl.SSLContext | None = None) -> None:
        self._answer = answer
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]
        self.asked: list[Asked] = []
        self.connections = 0

    @property
    def url(self) -> str:
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            # shutdown wakes the thread in accept() and those in recv(); close alone would not
            for sock in (self._listener, *self._open):
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self._start(self._serve, sock, self.connections)

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
            with self._lock:
                self._open.add(sock)
            for asked in _requests(sock, number):
                with self._lock:
                    self.asked.append(asked)
                answer = self._answer(asked)
                if answer is None:
                    return
                sock.sendall(answer)
                if b"connection: close" in answer.partition(b"\r\n\r\n")[0].lower():
                    return
        except OSError:
            pass  # the client went away, which is its right
        finally:
            with self._lock:
                self._open.discard(sock)
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()


def _requests(sock: socket.socket, number: int) -> Iterator[Asked]:
    buffer = b""
    while True:
        while b"\r\n\r\n" not in buffer:
            data = sock.recv(65536)
            if not data:
                return
            buffer += data
        head, _, buffer = buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", "0"))
        while len(buffer) < length:
            data = sock.recv(65536)
            if not data:
                return
            buffer += data
        body, buffer = buffer[:length], buffer[length:]
        yield Asked(method, target, headers, number, body)
