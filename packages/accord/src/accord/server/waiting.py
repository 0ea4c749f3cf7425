"""Waiting for a storage, but not for ever: threads of their own ask it, and whoever wanted to know goes on after a while.

The threads that answer requests are few; a storage that hangs would hold each of them that asks it.  Here it holds those of
this room alone: when all of them wait, and as many again want to, the next are told at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

from accord.server.errors import Refused

__all__ = ["Waiting"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Waiting:
    """One per process."""

    def __init__(self, threads: int = 8) -> None:
        self._pool = ThreadPoolExecutor(threads, "accord-storage")
        self._places = threading.BoundedSemaphore(2 * threads)

    def run(self, function: Callable[[*Ts], T], *arguments: *Ts, seconds: float) -> T:
        """What ``function`` returns.  Raises what it raises, and ``Refused("server-storage-unavailable")`` (503) where that
        takes longer than ``seconds``."""
        if not self._places.acquire(blocking=False):
            raise _slow()
        work: Future[T] = self._pool.submit(function, *arguments)
        work.add_done_callback(lambda _: self._places.release())
        try:
            return work.result(seconds)
        except TimeoutError as fault:
            work.cancel()  # where it has not begun
            raise _slow() from fault


def _slow() -> Refused:
    return Refused(
        503,
        "server-storage-unavailable",
        "the server's storage does not answer in time",
        hint="try again later",
        headers={"Retry-After": "10"},
    )
