"""Deflate with an exact size and checksum: the one place where packed bytes become larger.

Output is asked for up to one byte past the declared size and no further, so a member that lies about its size
costs at most what it declared.  ISA-L does the work where it is installed (about twice zlib's speed on large
files, ten times on checksums), zlib otherwise; both release the GIL while they run.
"""

from __future__ import annotations

from ..errors import ArchiveError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    engine: Any
try:
    from isal import isal_zlib as engine
except ImportError:
    import zlib as engine

__all__ = ["DEFLATED", "STORED", "crc32", "inflate", "inflate_stream"]

STORED = 0
DEFLATED = 8
_RAW = -15  # raw deflate with the full window (RFC 1951)

crc32 = engine.crc32
_decompressor = engine.decompressobj
_BROKEN: type[Exception] = engine.error


def inflate(packed: bytes | memoryview, method: int, size: int, crc: int) -> bytes:
    """The member's bytes: exactly ``size`` of them with checksum ``crc``.

    ``method`` is 0 (stored) or 8 (deflated).  Raises ``ArchiveError``: ``archive-data-broken``,
    ``archive-size-wrong``, ``archive-crc-wrong``.
    """
    if method == STORED:
        data = bytes(packed)
        if len(data) != size:
            raise _wrong_size(size)
    else:
        worker = _decompressor(_RAW)
        try:
            data = worker.decompress(packed, size + 1)
        except _BROKEN as fault:
            raise _broken(str(fault)) from None
        if len(data) != size:
            if len(data) < size and not worker.eof:
                raise _broken("the data end early")
            raise _wrong_size(size)
        if not worker.eof or worker.unused_data:
            raise _broken("the data do not end where the directory says")
    if crc32(data) != crc:
        raise _wrong_sum()
    return data


def inflate_stream(
    pieces: Iterable[bytes], method: int, size: int, crc: int, *, chunk: int = 1 << 20
) -> Iterator[bytes]:
    """The same for a large member, in chunks of up to ``chunk`` bytes.

    What was yielded counts only once the iterator is exhausted: the checksum is known at the end.  Raises as
    :func:`inflate` does.
    """
    seen = 0
    sum_so_far = 0
    for data in _stored(pieces, chunk) if method == STORED else _deflated(pieces, chunk, size):
        seen += len(data)
        if seen > size:
            raise _wrong_size(size)
        sum_so_far = crc32(data, sum_so_far)
        yield data
    if seen != size:
        raise _wrong_size(size)
    if sum_so_far != crc:
        raise _wrong_sum()


def _stored(pieces: Iterable[bytes], chunk: int) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), chunk):
            yield piece[start : start + chunk]


def _deflated(pieces: Iterable[bytes], chunk: int, size: int) -> Iterator[bytes]:
    worker = _decompressor(_RAW)
    left = size + 1
    for piece in pieces:
        if worker.eof:
            raise _broken("the data do not end where the directory says")
        pending = piece
        while pending and not worker.eof:
            try:
                data = worker.decompress(pending, max(1, min(chunk, left)))
            except _BROKEN as fault:
                raise _broken(str(fault)) from None
            pending = worker.unconsumed_tail
            left -= len(data)
            if data:
                yield data
    while not worker.eof:
        # Output that did not fit the last call is still inside the engine.
        data = worker.decompress(b"", max(1, min(chunk, left)))
        if not data:
            raise _broken("the data end early")
        left -= len(data)
        yield data
    if worker.unused_data:
        raise _broken("the data do not end where the directory says")


def _broken(why: str) -> ArchiveError:
    return ArchiveError("archive-data-broken", f"the packed data are damaged: {why}")


def _wrong_size(size: int) -> ArchiveError:
    return ArchiveError("archive-size-wrong", f"the file does not unpack to the {size} bytes it declares")


def _wrong_sum() -> ArchiveError:
    return ArchiveError("archive-crc-wrong", "the checksum (CRC-32) does not match")
