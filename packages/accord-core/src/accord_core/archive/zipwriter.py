"""Writing a zip archive whose bytes depend on what is in it and nothing else (PKWARE APPNOTE 4.3).

The counterpart of ``zipreader``: members in the order given, one moment for all of them, modes 0644 or 0755, no
descriptors and no comment, zip64 where a number needs it and nowhere else.  Packing is done by ``zlib`` and never by
ISA-L, whose output differs.  It writes into an open file it is handed and knows neither wheels nor the clock.
"""

from __future__ import annotations

import zlib
from struct import pack

from ..errors import ArchiveError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from .central import Member, Stamp

__all__ = ["EPOCH", "ZipWriter", "source_date"]

EPOCH = 315532800  # 1980-01-01, the first moment a zip can name
_LAST = 4354819198  # 2107-12-31 23:59:58
_FULL16 = 0xFFFF
_FULL32 = 0xFFFFFFFF
_WHOLE = 64 << 20  # members up to this size are packed in memory, and stored where packing does not help
_LARGE = 0xFFF00000  # above this, packing could pass 4 GiB even where the data do not
_UTF8 = 0x0800
_LEVEL = 6
_KIND_FILE = 0o100000


def source_date(text: str | None) -> int:
    """Seconds since 1970 for every time stamp: ``SOURCE_DATE_EPOCH`` within what zip can name, else 1980.

    Raises ``UsageError`` ``source-date-invalid``.
    """
    if not text:
        return EPOCH
    # int() alone would take "1_0" and signs of other scripts.
    digits = text.strip().removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):
        raise UsageError(
            "source-date-invalid",
            f"SOURCE_DATE_EPOCH is {text!r}, not a whole number of seconds",
            hint="unset it, or set it to the time of the last commit: git log -1 --format=%ct",
        )
    return min(max(int(text), EPOCH), _LAST)


def _dos(when: int) -> tuple[int, int]:
    """``(date, time)`` as a zip spells a moment."""
    from datetime import UTC, datetime

    moment = datetime.fromtimestamp(when, UTC)
    date = (moment.year - 1980) << 9 | moment.month << 5 | moment.day
    return date, moment.hour << 11 | moment.minute << 5 | moment.second // 2


class ZipWriter:
    """Writes into ``file``, which can be read again once :meth:`close` was called and stays open.

    ``file`` must be seekable and empty; ``when`` is the moment of the members of :meth:`add` and :meth:`add_stream`.
    """

    def __init__(self, file: BinaryIO, when: int = EPOCH) -> None:
        self._file = file
        self._date, self._time = _dos(when)
        self._directory: list[bytes] = []
        self._offset = 0

    def add(self, name: str, data: bytes, *, executable: bool = False) -> None:
        """A file whose bytes are at hand; stored where deflate makes it no smaller."""
        worker = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15)
        packed = worker.compress(data) + worker.flush()
        method = 8
        if len(packed) >= len(data):
            packed, method = data, 0
        sizes = (zlib.crc32(data), len(packed), len(data))
        self._write(name, method, sizes, (packed,), self._moment(executable))

    def add_stream(self, name: str, pieces: Iterable[bytes], size: int, *, executable: bool = False) -> None:
        """A file of ``size`` bytes, read piece by piece where it is large.

        Raises ``ArchiveError`` ``archive-size-wrong`` where it is not that long.
        """
        if size <= _WHOLE:
            data = b"".join(pieces)
            _check_size(name, len(data), size)
            self.add(name, data, executable=executable)
            return
        start = self._offset
        large = size > _LARGE
        raw = name.encode()
        head = 30 + len(raw) + (20 if large else 0)
        self._file.seek(start + head)
        worker = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15)
        crc = packed = seen = 0
        for piece in pieces:
            crc = zlib.crc32(piece, crc)
            seen += len(piece)
            packed += self._file.write(worker.compress(piece))
        packed += self._file.write(worker.flush())
        _check_size(name, seen, size)
        self._file.seek(start)
        self._write(name, 8, (crc, packed, size), (), self._moment(executable), large=large)
        self._file.seek(start + head + packed)
        self._offset = start + head + packed

    def copy(self, member: Member, packed: Iterable[bytes], stamp: Stamp) -> None:
        """A member of another archive with its packed bytes, mode and time as they are there."""
        self._write(member.name, member.method, (member.crc, member.packed, member.size), packed, stamp)

    def add_stamped(self, name: str, data: bytes, stamp: Stamp) -> None:
        """As :meth:`add`, with the mode and time of ``stamp``."""
        worker = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15)
        packed = worker.compress(data) + worker.flush()
        self._write(name, 8, (zlib.crc32(data), len(packed), len(data)), (packed,), stamp)

    def close(self) -> None:
        """Write the directory and its end records."""
        directory = b"".join(self._directory)
        count, size, offset = len(self._directory), len(directory), self._offset
        self._file.write(directory)
        if count >= _FULL16 or offset >= _FULL32 or size >= _FULL32:
            self._file.write(
                b"PK\x06\x06" + pack("<QHHLLQQQQ", 44, 0x032D, 45, 0, 0, count, count, size, offset)
            )
            self._file.write(b"PK\x06\x07" + pack("<LQL", 0, offset + size, 1))
        few = min(count, _FULL16)
        self._file.write(
            b"PK\x05\x06" + pack("<HHHHLLH", 0, 0, few, few, min(size, _FULL32), min(offset, _FULL32), 0)
        )

    def _moment(self, executable: bool) -> tuple[int, int, int]:
        return (0o755 if executable else 0o644), self._date, self._time

    def _write(
        self,
        name: str,
        method: int,
        sizes: tuple[int, int, int],
        pieces: Iterable[bytes],
        stamp: Stamp | tuple[int, int, int],
        *,
        large: bool = False,
    ) -> None:
        """One local header, its data, and the entry of the directory."""
        mode, date, time = stamp if isinstance(stamp, tuple) else (stamp.mode, stamp.date, stamp.time)
        crc, packed, size = sizes
        raw = name.encode()
        large = large or packed >= _FULL32 or size >= _FULL32
        far = self._offset >= _FULL32
        shown = (_FULL32, _FULL32) if large else (packed, size)
        longs = pack("<QQ", size, packed) if large else b""
        extra = pack("<HH", 1, 16) + longs if large else b""
        version = 45 if large or far else 20
        flags = 0 if name.isascii() else _UTF8
        fields = pack("<HHHHHLLLH", version, flags, method, time, date, crc, *shown, len(raw))
        self._file.write(b"PK\x03\x04" + fields + pack("<H", len(extra)) + raw + extra)
        written = sum(self._file.write(piece) for piece in pieces)
        if far:
            longs += pack("<Q", self._offset)
        central = pack("<HH", 1, len(longs)) + longs if longs else b""
        rest = pack("<HHHHLL", len(central), 0, 0, 0, (_KIND_FILE | mode) << 16, min(self._offset, _FULL32))
        self._directory.append(b"PK\x01\x02" + pack("<BB", version, 3) + fields + rest + raw + central)
        self._offset += 30 + len(raw) + len(extra) + written


def _check_size(name: str, seen: int, size: int) -> None:
    if seen != size:
        raise ArchiveError("archive-size-wrong", f"{name!r} has {seen} bytes, not the {size} it should have")
