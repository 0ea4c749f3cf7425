"""Writing a zip file whose bytes depend on its contents only.

The format is small enough (PKWARE APPNOTE 4.3) to write outright, and doing so keeps ``zipfile`` and the ten
modules behind it out of a process that lives for a tenth of a second.  One time stamp for all members, modes
0644 or 0755, no extra fields, no data descriptors.  Not for archives beyond the limits of plain zip, which are
refused.
"""

from __future__ import annotations

import struct
import time
import zlib

from .errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

__all__ = ["EPOCH", "ZipWriter", "source_date"]

EPOCH = 315532800  # 1980-01-01, the first moment a zip can name
_LAST = 4354819198  # 2107-12-31 23:59:58
_MEMBERS = 0xFFFF - 1
_BYTES = 0xFFFFFFFF - 1
_UTF8 = 0x800


def source_date(environment_value: str | None) -> int:
    """Seconds since 1970 for every time stamp: ``SOURCE_DATE_EPOCH`` within what zip can name, else 1980.

    Raises ``BackendError`` ``source-date-invalid``.
    """
    if not environment_value:
        return EPOCH
    try:
        return min(max(int(environment_value), EPOCH), _LAST)
    except ValueError:
        raise BackendError(
            "source-date-invalid",
            f"SOURCE_DATE_EPOCH is {environment_value!r}, not a whole number of seconds",
            hint="unset it, or set it to the time of the last commit: git log -1 --format=%ct",
        ) from None


class ZipWriter:
    """Writes members in the order given; ``close`` adds the central directory."""

    def __init__(self, file: BinaryIO, when: int) -> None:
        self._file = file
        self._directory: list[bytes] = []
        self._offset = 0
        year, month, day, hour, minute, second = time.gmtime(when)[:6]
        self._date = (year - 1980) << 9 | month << 5 | day
        self._time = hour << 11 | minute << 5 | second // 2

    def add(self, name: str, data: bytes, *, executable: bool = False) -> None:
        """Add one file.  Raises ``BackendError`` ``wheel-too-large`` beyond plain zip's limits."""
        raw = name.encode("utf-8")
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = packer.compress(data) + packer.flush()
        method = 8
        if len(packed) >= len(data):
            packed, method = data, 0
        if self._offset + len(packed) + len(raw) + 1024 > _BYTES or len(self._directory) >= _MEMBERS:
            raise BackendError(
                "wheel-too-large",
                "the wheel would pass 4 GiB or 65,534 files",
                hint="move data files out of the package",
            )
        flags = 0 if name.isascii() else _UTF8
        sizes = (zlib.crc32(data), len(packed), len(data), len(raw), 0)
        common = struct.pack("<HHHHHLLLHH", 20, flags, method, self._time, self._date, *sizes)
        mode = 0o100755 if executable else 0o100644
        self._directory.append(
            b"PK\x01\x02" + struct.pack("<BB", 20, 3) + common
            + struct.pack("<HHHLL", 0, 0, 0, mode << 16, self._offset) + raw
        )  # fmt: skip
        header = b"PK\x03\x04" + common + raw
        self._file.write(header)
        self._file.write(packed)
        self._offset += len(header) + len(packed)

    def close(self) -> None:
        """Write the central directory and its end record; the file itself stays open."""
        directory = b"".join(self._directory)
        count = len(self._directory)
        self._file.write(directory)
        self._file.write(
            b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, count, count, len(directory), self._offset, 0)
        )
