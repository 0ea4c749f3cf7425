"""What other machines do, heard at once: PostgreSQL tells each process over one connection of its own.

A writing block says its serial, and that there is a job, inside its transaction (``NOTIFY``), so that both are told with the
commit and neither without, also if the process dies right after it.  Here they are heard: the counter of this machine is
raised, and with it everybody who looks at it wakes; the bell of jobs is rung.  Nothing rests on it: ``pages.watch`` and the
runners of jobs go on asking, only more seldom while somebody listens.  A connection that is lost is made anew, and what was
said meanwhile is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accord.server.beside import Beside
from accord.server.database.engine import CHANGED, JOBS
from accord.server.errors import Refused

if TYPE_CHECKING:
    from accord.server.database.engine import Database

__all__ = ["NAME", "Listening"]

NAME = "accord-listening"
"""What the connection is called in ``pg_stat_activity``."""
_PAUSE = 2.0  # seconds until a lost connection is made anew
_LOOK = 1.0  # seconds between two looks whether to end


class Listening(Beside):
    """``start`` it once in each serving process whose database is PostgreSQL."""

    def __init__(self, database: Database) -> None:
        super().__init__(NAME, _PAUSE)
        self._database = database
        self._hears = False

    def hears(self) -> bool:
        """Whether there is a connection now, as far as anybody knows."""
        return self._hears

    def _run(self) -> None:
        import psycopg

        while not self._ended.is_set():
            try:
                self._listen()
            except (psycopg.Error, OSError, Refused):
                pass  # the database is away, or was restarted
            finally:
                self._hears = False
            self._ended.wait(self._pause)

    def _listen(self) -> None:
        database = self._database
        with self._connect() as connection:
            connection.execute(f"LISTEN {CHANGED}")
            connection.execute(f"LISTEN {JOBS}")
            # What was said before anybody listened.
            database.counter.raise_to(database.serial())
            database.bell.ring()
            self._hears = True
            while not self._ended.is_set():
                for told in connection.notifies(timeout=_LOOK):
                    if told.channel == JOBS:
                        database.bell.ring()
                    elif told.payload.isdigit():
                        database.counter.raise_to(int(told.payload))

    def _connect(self) -> Any:
        import psycopg

        engine = self._database.engine
        _, options = engine.dialect.create_connect_args(engine.url)
        # A peer that vanished without a word is noticed within half a minute.
        alive = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
        return psycopg.connect(
            **{**options, **alive, "connect_timeout": 5, "application_name": NAME}, autocommit=True
        )
