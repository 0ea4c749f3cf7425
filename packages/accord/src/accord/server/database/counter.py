"""The serial of the last change, shared by all processes of one machine: eight bytes in a mapped file.  Eight more count
how often a server on it began to end, so that whoever waits in one of its processes lets go.

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
_SIZE = 2 * _NUMBER.size


class Counter:
    def __init__(self, path: str) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.fstat(self._handle).st_size < _SIZE:
            os.ftruncate(self._handle, _SIZE)
        self._map = mmap.mmap(self._handle, _SIZE)
        self._ends = self._ended()

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

    def _ended(self) -> int:
        found: int = _NUMBER.unpack_from(self._map, _NUMBER.size)[0]
        return found

    def ending(self) -> bool:
        """Whether the server ends whose process opened this, or another on the same folder."""
        return self._ended() != self._ends

    def end(self) -> None:
        """Tell those who wait that the server ends."""
        _NUMBER.pack_into(self._map, _NUMBER.size, self._ended() + 1)

    def close(self) -> None:
        self._map.close()
        os.close(self._handle)
