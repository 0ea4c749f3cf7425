"""What upload sessions leave behind is taken away: expired sessions, bytes nobody publishes, halves of uploads.

Done when a session ends, now and then when one is opened, and every ten minutes by whichever process is free.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from accord.server import jobs
from accord.server.catalogue import blobs, life, session_files, sessions

if TYPE_CHECKING:
    from accord.server.parts import Parts

__all__ = ["Tidying", "tidy"]

_SECOND = 1_000_000
_EVERY = 60 * _SECOND


class Tidying:
    """One per process."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._last = 0
        self._lock = threading.Lock()

    def now_and_then(self) -> None:
        """Everything, once a minute at most."""
        with self._lock:
            at = self._parts.now()
            if at < self._last + _EVERY:
                return
            self._last = at
        tidy(self._parts)

    def release(self) -> None:
        """Give up the bytes of what was ended just now."""
        _release(self._parts)


def tidy(parts: Parts) -> None:
    """End what has expired, release its bytes, forget what is long over, remove halves of uploads."""
    with parts.database.write("system") as writing:
        sessions.end_expired(writing, parts.settings.limits)
    _release(parts)
    with parts.database.write("system") as writing:
        sessions.forget_old(writing)
    life.sweep(parts.database, parts.storage, parts.settings.limits)
    parts.incoming.clean()


def _job(parts: Parts, _arguments: dict[str, Any]) -> None:
    tidy(parts)


jobs.register("tidy-uploads", _job, every=600)


def _release(parts: Parts) -> None:
    with parts.database.read() as connection:
        if not session_files.releasable(connection, 1):
            return
    with parts.database.write("system") as writing:
        rows = session_files.releasable(writing.connection)
        session_files.released(writing, [row for row, _ in rows])
        digests = {sha256 for _, held in rows for sha256 in held}
        blobs.release(writing, parts.storage, digests)
