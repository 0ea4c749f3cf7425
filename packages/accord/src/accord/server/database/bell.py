"""Something to do, or something changed: whoever waits in this process is woken, and looks."""

from __future__ import annotations

import threading

__all__ = ["Bell"]


class Bell:
    """Safe to use from many threads.  Who waits says how often it had rung when he looked last, so no ringing is missed."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rung = 0

    def rung(self) -> int:
        """How often so far."""
        return self._rung

    def ring(self) -> None:
        with self._condition:
            self._rung += 1
            self._condition.notify_all()

    def wait(self, rung: int, seconds: float) -> None:
        """Until it has rung more often than ``rung`` times, or the time is over."""
        with self._condition:
            self._condition.wait_for(lambda: self._rung > rung, seconds)
