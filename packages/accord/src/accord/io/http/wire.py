"""HTTP/1.1 on one connection (RFC 9112): a request out, an answer in, nothing else.

Why not a library: see ``docs/decisions/0007-http-client.md``; in short, a cold resolve asks some four hundred small
questions, and here one costs 25 µs of Python instead of 350.  This module knows sockets and message syntax; it knows
nothing of pools, retries, redirects or credentials.  What breaks the syntax is a :class:`ProtocolError`: a client
that guesses can be led to read one server's answer as another's.
"""

from __future__ import annotations

import socket
import struct
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from accord.io.http.options import HttpLimits

__all__ = ["Connection", "Head", "ProtocolError", "TooLargeError", "TruncatedError"]

_CHUNK = 256 * 1024
_PIECE = 16 * 1024 * 1024  # no length a server claims is allocated at once beyond this
_NO_BODY = frozenset((204, 304))
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
_HEX = frozenset(b"0123456789abcdefABCDEF")


class ProtocolError(Exception):
    """The answer is not HTTP/1.1, or contradicts itself."""


class TruncatedError(Exception):
    """The connection ended before the answer did; ``received`` body bytes had come."""

    def __init__(self, received: int, head: bool = False) -> None:
        super().__init__(f"the connection was closed after {received:,} bytes")
        self.received = received
        self.before_head = head


class TooLargeError(Exception):
    """The answer is beyond a limit; ``limit`` in bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the answer is larger than {limit:,} bytes")
        self.limit = limit


class Head:
    """Status line and headers: names lower-case, repeated fields joined with ``", "`` (RFC 9110 section 5.2)."""

    __slots__ = ("headers", "reason", "status", "version")

    def __init__(self, status: int, reason: str, version: str, headers: dict[str, str]) -> None:
        self.status = status
        self.reason = reason
        self.version = version
        self.headers = headers


class Connection:
    """One connection, used by one thread at a time.

    The order is :meth:`send`, :meth:`send_body` where there is one, :meth:`head`, then exactly one of :meth:`read` or :meth:`stream`; after that
    ``reusable`` says whether the next request may follow.  Errors of the socket come out as they are.
    """

    __slots__ = (
        "_buffer",
        "_limits",
        "_method",
        "_scratch",
        "_socket",
        "_timeout",
        "_whole",
        "reusable",
        "used",
    )

    def __init__(self, sock: socket.socket, limits: HttpLimits, timeout: float) -> None:
        self._socket = sock
        # Python's own timeouts make a socket non-blocking and cost a poll() before every piece.  Where the kernel
        # keeps the time, one call waits for a whole body: half the time of a page of 300 kB.
        self._whole = 0 if hasattr(sock, "pending") else _let_kernel_wait(sock, timeout)
        self._limits = limits
        self._timeout = timeout
        self._buffer = b""
        self._method = ""
        self._scratch: memoryview | None = None
        self.reusable = False
        self.used = False

    def close(self) -> None:
        self.reusable = False
        try:
            self._socket.close()
        except OSError:
            pass  # it is gone either way

    def stale(self) -> bool:
        """Whether an idle connection was closed by the other side, or has something to say nobody asked for."""
        try:
            if not _readable(self._socket):
                return False
            if not hasattr(self._socket, "pending"):
                return True
            return not self._only_tls_records()
        except (OSError, ValueError):
            return True

    def _only_tls_records(self) -> bool:
        """Whether what can be read is TLS's own business (session tickets), not the end and not an answer."""
        import ssl

        self._socket.settimeout(0)
        try:
            self._socket.recv(1)
        except ssl.SSLWantReadError:
            return True
        finally:
            self._socket.settimeout(self._timeout)
        return False

    @property
    def buffered(self) -> bool:
        """Whether bytes beyond the last answer have come."""
        return bool(self._buffer)

    def send(self, method: str, target: str, headers: Iterable[tuple[str, str]]) -> None:
        """Write a request but for its body.  Names and values must hold no line ends; the caller made them."""
        lines = [f"{method} {target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers]
        text = "\r\n".join(lines)
        if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
            raise ProtocolError("a request header holds a line end")
        self._method = method
        self.reusable = False
        try:
            self._socket.sendall((text + "\r\n\r\n").encode("latin-1"))
        except BlockingIOError as error:
            raise TimeoutError("the request could not be sent in time") from error

    def send_body(self, pieces: Iterable[bytes]) -> None:
        """Write the body of the request that was sent, whose headers told its length."""
        try:
            for piece in pieces:
                self._socket.sendall(piece)
        except BlockingIOError as error:
            raise TimeoutError("the request could not be sent in time") from error

    def head(self) -> Head:
        """The head of the final answer; interim ones (1xx) are read over."""
        for _ in range(8):
            found = self._one_head()
            if found.status >= 200:
                self.used = True
                return found
        raise ProtocolError("too many interim answers")

    def read(self, head: Head, limit: int) -> bytes:
        """The whole body.  Raises TooLargeError beyond ``limit`` bytes."""
        length = self._length(head)
        if length is not None and length >= 0:
            return self._fixed(head, length, limit)
        chunks: list[bytes] = []
        self.stream(head, lambda view: chunks.append(bytes(view)), limit)
        return b"".join(chunks)

    def stream(self, head: Head, sink: Callable[[memoryview], object], limit: int) -> int:
        """The body in pieces, as they come; returns its length.  ``sink`` must not keep the view."""
        length = self._length(head)
        if length == -1:
            received = self._chunked(sink, limit)
        elif length is None:
            received = self._copy(sink, None, limit)
        else:
            if length > limit:
                raise TooLargeError(limit)
            received = self._copy(sink, length, limit)
        self.reusable = length is not None and _keeps_alive(head) and not self._buffer
        return received

    def _fixed(self, head: Head, length: int, limit: int) -> bytes:
        if length > limit:
            raise TooLargeError(limit)
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        received, started = len(body), time.monotonic()
        pieces: list[bytes | memoryview] = [body]
        while received < length:
            rest = length - received
            if rest <= _CHUNK and len(pieces) == 1:
                # Into memory that is warm already: fresh pages cost more than copying from old ones.
                view = self._room()[:rest]
                piece: bytes | memoryview = view[: self._receive_into(view)]
            else:
                piece = self._receive(min(rest, _PIECE))
            if not piece:
                raise TruncatedError(received)
            received += len(piece)
            if received < length:
                self._not_too_slow(received, started)
                piece = bytes(piece)
            pieces.append(piece)
        self.reusable = _keeps_alive(head) and not self._buffer
        return body if len(pieces) == 1 else b"".join(pieces)

    def _room(self) -> memoryview:
        if self._scratch is None:
            self._scratch = memoryview(bytearray(_CHUNK))
        return self._scratch

    def _copy(self, sink: Callable[[memoryview], object], length: int | None, limit: int) -> int:
        """``length`` bytes, or everything until the connection ends."""
        received, started = 0, time.monotonic()
        scratch = self._room()
        if self._buffer:
            view = memoryview(self._buffer)[:length]
            self._buffer = self._buffer[len(view) :]
            received = len(view)
            if received > limit:
                raise TooLargeError(limit)
            sink(view)
        while length is None or received < length:
            room = scratch if length is None else scratch[: length - received]
            count = self._receive_into(room)
            if not count:
                if length is None:
                    break
                raise TruncatedError(received)
            received += count
            if received > limit:
                raise TooLargeError(limit)
            sink(scratch[:count])
            self._not_too_slow(received, started)
        return received

    def _chunked(self, sink: Callable[[memoryview], object], limit: int) -> int:
        """RFC 9112 section 7.1; trailers are read over."""
        received = 0
        while True:
            line = self._line(received).partition(b";")[0].strip(b" \t")
            if not line or len(line) > 15 or not _HEX.issuperset(line):
                raise ProtocolError("a chunk has no size")
            size = int(line, 16)
            if size == 0:
                break
            if received + size > limit:
                raise TooLargeError(limit)
            try:
                self._copy(sink, size, size)
            except TruncatedError as error:
                raise TruncatedError(received + error.received) from error
            received += size
            if self._line(received):
                raise ProtocolError("a chunk is longer than its size")
        trailers = 0
        while line := self._line(received):
            trailers += len(line)
            if trailers > self._limits.head:
                raise ProtocolError("the trailers are too long")
        return received

    def _receive(self, most: int, *, whole: bool = True) -> bytes:
        try:
            return self._socket.recv(most, self._whole) if whole and self._whole else self._socket.recv(most)
        except BlockingIOError as error:
            raise TimeoutError("no data came in time") from error

    def _receive_into(self, room: memoryview) -> int:
        try:
            return self._socket.recv_into(room, 0, self._whole)
        except BlockingIOError as error:
            raise TimeoutError("no data came in time") from error

    def _line(self, received: int) -> bytes:
        while b"\n" not in self._buffer:
            if len(self._buffer) > 8192:
                raise ProtocolError("a line is too long")
            data = self._receive(16384, whole=False)
            if not data:
                raise TruncatedError(received)
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.removesuffix(b"\r")

    def _one_head(self) -> Head:
        buffer = self._buffer
        scanned, started = 0, time.monotonic()
        while (end := buffer.find(b"\r\n\r\n", max(0, scanned - 3))) < 0:
            scanned = len(buffer)
            if scanned > self._limits.head:
                raise ProtocolError("the head of the answer is too long")
            data = self._receive(65536, whole=False)
            if not data:
                raise TruncatedError(0, head=not buffer)
            buffer += data
            if not buffer.startswith(b"HTTP/1."[: len(buffer)]):
                raise ProtocolError("the answer does not begin with HTTP/1.")
            self._not_too_slow(len(buffer), started)
        if end > self._limits.head:
            raise ProtocolError("the head of the answer is too long")
        self._buffer = buffer[end + 4 :]
        return _parse_head(buffer[:end].decode("latin-1"))

    def _length(self, head: Head) -> int | None:
        """Body length; -1 for chunked, None for "until the connection ends" (RFC 9112 section 6.3)."""
        if self._method == "HEAD" or head.status in _NO_BODY:
            return 0
        coding = head.headers.get("transfer-encoding")
        if coding is not None:
            if coding.strip().lower() != "chunked" or "content-length" in head.headers:
                raise ProtocolError("the answer's framing is ambiguous")
            return -1
        length = head.headers.get("content-length")
        if length is None:
            return None
        values = {part.strip() for part in length.split(",")}
        value = values.pop()
        if values or not (value.isascii() and value.isdigit()) or len(value) > 18:
            raise ProtocolError("the answer's length is not a number")
        return int(value)

    def _not_too_slow(self, received: int, started: float) -> None:
        elapsed = time.monotonic() - started
        if elapsed > self._timeout and received < elapsed * self._limits.slowest:
            raise TimeoutError(f"only {received:,} bytes came in {elapsed:.0f} s")


def _let_kernel_wait(sock: socket.socket, timeout: float) -> int:
    """Make a plain socket blocking with the kernel's own timeouts; the flag for "wait for all of it", or 0."""
    if not sys.platform.startswith("linux"):
        return 0
    seconds = struct.pack("@ll", int(timeout), int(timeout % 1 * 1_000_000))
    sock.settimeout(None)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, seconds)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, seconds)
    return socket.MSG_WAITALL


def _readable(sock: socket.socket) -> bool:
    import select

    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([sock], [], [], 0)[0])


def _parse_head(text: str) -> Head:
    lines = text.split("\r\n")
    version, _, rest = lines[0].partition(" ")
    code, _, reason = rest.partition(" ")
    if version not in {"HTTP/1.1", "HTTP/1.0"} or len(code) != 3 or not (code.isascii() and code.isdigit()):
        raise ProtocolError("the status line cannot be read")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        name = name.lower()
        # No folding and no space before the colon: both have been used to smuggle (RFC 9112 sections 5.1, 5.2).
        if not colon or not name or not _TOKEN.issuperset(name):
            raise ProtocolError("a header line cannot be read")
        value = value.strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Head(int(code), reason, version, headers)


def _keeps_alive(head: Head) -> bool:
    said = head.headers.get("connection", "").lower()
    if head.version == "HTTP/1.0":
        return "keep-alive" in said
    return "close" not in said
