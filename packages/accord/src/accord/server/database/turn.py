"""The one writer SQLite has: whoever wants to be it waits here, in this process and in the others, and is woken.

SQLite itself makes waiting processes sleep and look again, up to a tenth of a second at a time, and the one that looks at
the right moment is next.
"""

from __future__ import annotations

import fcntl
import os
import threading

__all__ = ["Turn"]


class Turn:
    """Threads of a process queue for a lock; the first of them queues for the file with those of other processes."""

    def __init__(self, path: str) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self._lock = threading.Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def acquire(self) -> None:
        self._lock.acquire()
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except BaseException:
            self._lock.release()
            raise

    def release(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._lock.release()

    def close(self) -> None:
        os.close(self._file)
