"""Writing a zip file whose bytes depend on its contents only.

The format is small enough (PKWARE APPNOTE 4.3) to write outright, and doing so keeps ``zipfile`` and the ten
modules behind it out of a process that lives for a tenth of a second.  One time stamp for all members, modes
0644 or 0755, no extra fields, no data descriptors.  Not for archives beyond the limits of plain zip, which are
refused.
"""

from __future__ import annotations

import binascii
import os
import struct
import time

from . import packing
from .errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from .packing import Members, Packed

__all__ = ["EPOCH", "Appearing", "ZipWriter", "source_date", "utf8_name"]

EPOCH = 315532800  # 1980-01-01, the first moment a zip can name
_LAST = 4354819198  # 2107-12-31 23:59:58
_MEMBERS = 0xFFFF - 1
_BYTES = 0xFFFFFFFF - 1
_UTF8 = 0x800
_COMMON = struct.Struct("<HHHHHLLLHH")
_CENTRAL = struct.Struct("<HHHLL")
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
# A line of RECORD cannot say a line break; a backslash is a folder to some readers and a letter to others.
_UNUSABLE = frozenset("\\\x7f").union(map(chr, range(32)))


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


def utf8_name(name: str) -> bytes:
    """A file name as archives spell it.  Raises ``BackendError`` ``file-name-unusable`` for what is not UTF-8.

    A Python whose file system encoding is ASCII (PyPy in the C locale) hands names over escaped: they are the same.
    """
    raw = name.encode("utf-8", "surrogateescape")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BackendError(
            "file-name-unusable", f"the file name {name!r} is not UTF-8", hint="rename it"
        ) from None
    return raw


def _portable_name(name: str) -> bytes:
    if not _UNUSABLE.isdisjoint(name):
        raise BackendError(
            "file-name-unusable",
            f"the file name {name!r} holds a backslash or a control character",
            hint="rename it",
        )
    return utf8_name(name)


class Appearing:
    """``with Appearing(folder, name) as file``: a file that has its name only once it is whole."""

    def __init__(self, folder: str, name: str) -> None:
        self._target = os.path.join(folder, name)
        self._unfinished = f"{self._target}.{os.getpid()}.tmp"

    def __enter__(self) -> BinaryIO:
        self._file = open(self._unfinished, "wb")
        return self._file

    def __exit__(self, kind: object, *_: object) -> None:
        self._file.close()
        if kind is None:
            os.replace(self._unfinished, self._target)
        else:
            os.unlink(self._unfinished)


class ZipWriter:
    """Writes members in the order given; ``close`` adds the central directory."""

    def __init__(self, file: BinaryIO, when: int) -> None:
        self._file = file
        self._directory: list[bytes] = []
        self._names: set[str] = set()
        self._offset = 0
        year, month, day, hour, minute, second = time.gmtime(when)[:6]
        self._date = (year - 1980) << 9 | month << 5 | day
        self._time = hour << 11 | minute << 5 | second // 2

    def add_all(self, members: Members) -> list[str]:
        """Add every member; returns their lines of ``RECORD``."""
        rows = []
        for packed in packing.pack_all(members):
            self._write(packed)
            digest = binascii.b2a_base64(packed.digest, newline=False).translate(_URL_SAFE, b"=").decode()
            name = packed.name
            cell = '"' + name.replace('"', '""') + '"' if "," in name or '"' in name else name
            rows.append(f"{cell},sha256={digest},{packed.size}\n")
        return rows

    def add(self, name: str, data: bytes, *, executable: bool = False) -> None:
        """Add one file.  Raises ``BackendError``: ``wheel-too-large`` beyond plain zip's limits,
        ``file-name-unusable``, ``target-twice``."""
        self._write(packing.Packed(name, data, executable))

    def _write(self, member: Packed) -> None:
        name = member.name
        raw = _portable_name(name)
        if name in self._names:
            raise BackendError(
                "target-twice", f"two files would both be {name} in the wheel", hint="rename or leave out one"
            )
        self._names.add(name)
        if self._offset + len(member.data) + len(raw) + 1024 > _BYTES or len(self._directory) >= _MEMBERS:
            raise BackendError(
                "wheel-too-large",
                "the wheel would pass 4 GiB or 65,534 files",
                hint="move data files out of the package",
            )
        flags = 0 if name.isascii() else _UTF8
        method = 8 if member.deflated else 0
        sizes = (member.crc, len(member.data), member.size, len(raw), 0)
        common = _COMMON.pack(20, flags, method, self._time, self._date, *sizes)
        mode = 0o100755 if member.executable else 0o100644
        self._directory.append(
            b"PK\x01\x02\x14\x03" + common + _CENTRAL.pack(0, 0, 0, mode << 16, self._offset) + raw
        )
        header = b"PK\x03\x04" + common + raw
        self._file.write(header)
        self._file.write(member.data)
        self._offset += len(header) + len(member.data)

    def close(self) -> None:
        """Write the central directory and its end record; the file itself stays open."""
        directory = b"".join(self._directory)
        count = len(self._directory)
        self._file.write(directory)
        self._file.write(
            b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, count, count, len(directory), self._offset, 0)
        )
