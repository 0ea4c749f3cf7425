"""One thread for each serving process, which takes jobs and does them, one after another."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from accord.server.beside import Beside
from accord.server.errors import Refused
from accord.server.jobs import queue
from accord.server.jobs.kinds import known

if TYPE_CHECKING:
    from accord.server.jobs.queue import Taken
    from accord.server.parts import Parts

__all__ = ["Runner"]

_PAUSE = 1.0  # seconds between two looks at an empty queue
_ACTOR = "system"


class Runner(Beside):
    """``start`` it once; ``stop`` waits for the job that is being done."""

    def __init__(self, parts: Parts, *, pause: float = _PAUSE) -> None:
        super().__init__("accord-jobs", pause)
        self._parts = parts

    def _run(self) -> None:
        planned = False
        while not self._ended.is_set():
            try:
                if not planned:
                    self.plan()
                    planned = True
                if self.one():
                    continue
            except Refused:
                pass  # no database now, or nothing may be written: the job waits
            self._ended.wait(self._pause)

    def plan(self) -> None:
        """See to what is done again and again."""
        with self._parts.database.write(_ACTOR) as writing:
            queue.plan(writing, known().values())

    def one(self) -> bool:
        """Do one job; whether there was one.  Raises ``Refused`` where the database does not answer."""
        database = self._parts.database
        with database.read() as connection:
            if not queue.waiting(connection, self._parts.now()):
                return False
        kinds = known()
        with database.write(_ACTOR) as writing:
            job = queue.take(writing, kinds)
        if job is None:
            return False
        failure = self._do(job)
        with database.write(_ACTOR) as writing:
            if failure is None:
                queue.ended(writing, job, kinds[job.kind])
            else:
                queue.failed(writing, job, kinds[job.kind], failure)
        return True

    def _do(self, job: Taken) -> str | None:
        """What went wrong, for operators; ``None``: nothing."""
        try:
            known()[job.kind].function(self._parts, job.arguments)
        except Exception as fault:  # a stranger's code, or a stranger's data: the runner goes on
            return "".join(traceback.format_exception_only(fault)).strip()
        return None
