"""Compressed bodies, opened within a limit (RFC 9110 section 8.4.1).

A small answer may not become an endless one: the size and the ratio are bounded.  ``isal`` does it two to three times
as fast as ``zlib`` where it is installed.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from accord.io.http.wire import ProtocolError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from accord.io.http.options import HttpLimits

__all__ = ["ACCEPT_ENCODING", "decode", "gunzip"]

ACCEPT_ENCODING = "gzip"
_AGAIN = 1 << 30  # opened once within the limits of then


def decode(body: bytes, encoding: str, limits: HttpLimits, most: int) -> bytes:
    """The body without its ``Content-Encoding``, at most ``most`` bytes.

    Raises TooLargeError beyond ``most`` or the ratio, ProtocolError for damage or an encoding nobody asked for.
    """
    for coding in reversed([part.strip().lower() for part in encoding.split(",")]):
        if coding in {"", "identity"}:
            continue
        if coding not in {"gzip", "x-gzip"}:
            raise ProtocolError(f"the answer is encoded as {coding[:40]!r}, which was not asked for")
        body = _gunzip(body, limits.opened(len(body), most))
    return body


def gunzip(body: bytes, most: int = 0) -> bytes:
    """A body in gzip, opened: at most ``most`` bytes, or 0 for one that was opened within its limits before.

    Raises TooLargeError, and ProtocolError for damage.
    """
    return _gunzip(body, most or _AGAIN)


def _gunzip(body: bytes, most: int) -> bytes:
    make, failure = _decompressor()
    chunks: list[bytes] = []
    total = 0
    try:
        while body:
            stream = make(wbits=31)
            chunk = stream.decompress(body, most - total + 1)
            total += len(chunk)
            if total > most:
                raise TooLargeError(most)
            chunks.append(chunk)
            if not stream.eof:
                raise ProtocolError("the compressed answer ends too soon")
            body = stream.unused_data  # a gzip file may have several members (RFC 1952 section 2.2)
    except failure as error:
        raise ProtocolError(f"the compressed answer is damaged: {error}") from error
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _decompressor() -> tuple[Callable[..., Any], type[Exception]]:
    try:
        from isal import igzip_lib, isal_zlib
    except ImportError:
        return zlib.decompressobj, zlib.error
    failure: Any = igzip_lib.IsalError  # its stub says it is an instance
    return isal_zlib.decompressobj, failure
