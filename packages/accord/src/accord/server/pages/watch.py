"""Changes made where this machine's counter does not reach: by another machine, or by a process that was killed between
its commit and its telling.  One thread for each serving process asks the database for its serial, four times a second.

So a page that another machine changed is served from here for a quarter of a second at the most.  Where the database tells
of changes by itself (``database.listening``) it is asked once a second, in case that nothing was heard: a connection may be
dead and not know it, or lead through something that passes no notices on.  A database that does not answer is asked again;
meanwhile what lies on the shelf is served.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accord.server.beside import Beside
from accord.server.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from accord.server.database import Database

__all__ = ["HEARD", "INTERVAL", "Watch"]

INTERVAL = 0.25
"""Seconds between two questions."""
HEARD = 1.0
"""The same while the database tells by itself."""


class Watch(Beside):
    """``start`` it once; ``stop`` ends it before the database is closed."""

    def __init__(
        self, database: Database, *, interval: float = INTERVAL, hears: Callable[[], bool] = lambda: False
    ) -> None:
        super().__init__("accord-watch", interval)
        self._database = database
        self._hears = hears

    def _run(self) -> None:
        while not self._ended.wait(HEARD if self._hears() else self._pause):
            try:
                self._database.counter.raise_to(self._database.serial())
            except Refused:
                continue
