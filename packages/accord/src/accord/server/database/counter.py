"""The serial of the last change, shared by all processes of one machine: eight bytes in a mapped file.

Reading it costs less than a system call, so that every request can ask whether what it remembers is still true.  It may
lag behind the database (a process was killed between its commit and this line; another machine wrote): whoever serves
compares it with the database once in a while (``pages.watch``).  It never runs ahead.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct

__all__ = ["Counter"]

_NUMBER = struct.Struct("=Q")


class Counter:
    def __init__(self, path: str) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.fstat(self._handle).st_size < _NUMBER.size:
            os.ftruncate(self._handle, _NUMBER.size)
        self._map = mmap.mmap(self._handle, _NUMBER.size)

    def value(self) -> int:
        """The serial, as far as this machine knows."""
        found: int = _NUMBER.unpack_from(self._map)[0]
        return found

    def raise_to(self, serial: int) -> None:
        """Tell every process of this machine."""
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        try:
            if serial > self.value():
                _NUMBER.pack_into(self._map, 0, serial)
        finally:
            fcntl.flock(self._handle, fcntl.LOCK_UN)

    def close(self) -> None:
        self._map.close()
        os.close(self._handle)
