"""Writing a ``.tar.gz`` whose bytes depend on its contents only.

The pax format (POSIX.1-2001; PEP 517 asks for it) in the little an sdist needs: regular files, one time stamp, modes
0644 or 0755, no owner.  What does not fit the old header, a long or non-ASCII name or eight gigabytes, goes into a
pax header before it.  ``tarfile`` and ``gzip`` bring a dozen modules and their own ideas of a header into a process
that lives for a tenth of a second; in the tests ``tarfile`` reads what is written here.
"""

from __future__ import annotations

import struct
import zlib

from .zips import utf8_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ["TarWriter"]

_BLOCK = 512
_RECORD = 20 * _BLOCK  # an archive is filled up to whole records
_OCTAL = 8**11  # the first size the old header cannot name
_LEVEL = 6


class TarWriter:
    """Writes members in the order given; ``close`` ends archive and compression, the file itself stays open."""

    def __init__(self, file: BinaryIO, when: int) -> None:
        self._file = file
        self._when = when
        self._packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15)
        self._sum = 0
        self._size = 0
        # RFC 1952: no name, the time, neither best nor fastest compression, and no operating system.
        file.write(b"\x1f\x8b\x08\x00" + struct.pack("<L", min(when, 0xFFFFFFFF)) + b"\x00\xff")

    def add(self, name: str, data: bytes, *, executable: bool = False) -> None:
        """Add one file.  Raises ``BackendError`` ``file-name-unusable`` for a name that is not UTF-8."""
        raw = utf8_name(name)
        records = b""
        split = _split(raw)
        if split is None:
            records += _pax_record(b"path", raw)
            split = b"", raw[:100]
        if len(data) >= _OCTAL:
            records += _pax_record(b"size", str(len(data)).encode())
        if records:
            self._member(b"", b"PaxHeaders/" + raw.rpartition(b"/")[2][:80], records, b"x", 0o644)
        self._member(*split, data, b"0", 0o755 if executable else 0o644)

    def _member(self, prefix: bytes, name: bytes, data: bytes, kind: bytes, mode: int) -> None:
        fields = b"".join((
            name.ljust(100, b"\0"),
            b"%07o\0%07o\0%07o\0" % (mode, 0, 0),
            b"%011o\0" % (len(data) if len(data) < _OCTAL else 0),
            b"%011o\0" % self._when,
            b" " * 8,
            kind,
            b"\0" * 100,
            b"ustar\00000",
            b"\0" * 64,
            b"%07o\0%07o\0" % (0, 0),
            prefix.ljust(155, b"\0"),
            b"\0" * 12,
        ))  # fmt: skip
        self._write(fields[:148] + b"%06o\0 " % sum(fields) + fields[156:])
        self._write(data)
        self._write(b"\0" * (-len(data) % _BLOCK))

    def _write(self, data: bytes) -> None:
        self._sum = zlib.crc32(data, self._sum)
        self._size += len(data)
        self._file.write(self._packer.compress(data))

    def close(self) -> None:
        """Two empty blocks, filled up to a record; then the checksum of gzip."""
        self._write(b"\0" * (2 * _BLOCK))
        self._write(b"\0" * (-self._size % _RECORD))
        self._file.write(self._packer.flush() + struct.pack("<LL", self._sum, self._size & 0xFFFFFFFF))


def _split(raw: bytes) -> tuple[bytes, bytes] | None:
    """``(prefix, name)`` as the old header holds them, or ``None`` where it cannot."""
    if not raw.isascii():
        return None
    if len(raw) <= 100:
        return b"", raw
    place = raw.find(b"/", len(raw) - 101)
    return (raw[:place], raw[place + 1 :]) if 0 < place <= 155 and place < len(raw) - 1 else None


def _pax_record(key: bytes, value: bytes) -> bytes:
    # "length key=value\n", where the length counts its own digits.
    rest = len(key) + len(value) + 3
    size = rest + len(str(rest))
    size = rest + len(str(size))
    return b"%d %s=%s\n" % (size, key, value)
