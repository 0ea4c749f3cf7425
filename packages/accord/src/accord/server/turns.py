"""Work that strangers can make long or much: few do it at a time, few wait for it, and nobody waits for long.

The threads that answer requests are few.  Whoever waited here without an end would have them all, and with them the server.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Turns"]


class Turns:
    """``at_once`` work, ``waiting`` more wait, each for ``seconds`` at most."""

    def __init__(self, at_once: int, waiting: int, seconds: float) -> None:
        self._here = threading.BoundedSemaphore(at_once + waiting)
        self._turn = threading.BoundedSemaphore(at_once)
        self._seconds = seconds

    @contextmanager
    def take(self) -> Iterator[bool]:
        """Whether it is the caller's turn; until the block ends nobody else's, if it is."""
        if not self._here.acquire(blocking=False):
            yield False
            return
        try:
            mine = self._turn.acquire(timeout=self._seconds)
            try:
                yield mine
            finally:
                if mine:
                    self._turn.release()
        finally:
            self._here.release()
