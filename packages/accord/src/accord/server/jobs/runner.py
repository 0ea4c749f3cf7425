"""Two threads for each serving process, which take jobs and do them, one after another."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from accord.server.beside import Beside
from accord.server.errors import Refused
from accord.server.jobs import queue
from accord.server.jobs.kinds import known
from accord_core.errors import AccordError

if TYPE_CHECKING:
    from accord.server.database import Database
    from accord.server.jobs.kinds import Kind
    from accord.server.jobs.queue import Taken
    from accord.server.parts import Parts

__all__ = ["Runner"]

_PAUSE = 1.0  # seconds between two looks at an empty queue
_ACTOR = "system"


class Runner(Beside):
    """``start`` it once; ``stop`` waits for the job that is being done.  ``long``: it does what may take hours, and nothing
    else."""

    def __init__(self, parts: Parts, *, long: bool = False, pause: float = _PAUSE) -> None:
        super().__init__("accord-long-jobs" if long else "accord-jobs", pause)
        self._parts = parts
        self._long = long

    def _kinds(self) -> dict[str, Kind]:
        return {name: kind for name, kind in known().items() if kind.long == self._long}

    def _run(self) -> None:
        planned = False
        bell = self._parts.database.bell
        while not self._ended.is_set():
            rung = bell.rung()
            try:
                if not planned:
                    self.plan()
                    planned = True
                if self.one():
                    continue
            except Refused:
                pass  # no database now, or nothing may be written: the job waits
            if not self._ended.is_set():
                bell.wait(rung, self._pause)

    def stop(self) -> None:
        self._ended.set()
        self._parts.database.bell.ring()
        super().stop()

    def plan(self) -> None:
        """See to what is done again and again."""
        with self._parts.database.write(_ACTOR) as writing:
            queue.plan(writing, self._kinds().values())

    def one(self) -> bool:
        """Do one job; whether there was one.  Raises ``Refused`` where the database does not answer."""
        database = self._parts.database
        kinds = self._kinds()
        with database.read() as connection:
            if not queue.waiting(connection, self._parts.now(), kinds):
                return False
        with database.write(_ACTOR) as writing:
            job = queue.take(writing, kinds)
        if job is None:
            return False
        failure = self._do(job, kinds[job.kind])
        with database.write(_ACTOR) as writing:
            if failure is None:
                queue.ended(writing, job)
            else:
                queue.failed(writing, job, kinds[job.kind], failure)
        return True

    def _do(self, job: Taken, kind: Kind) -> str | None:
        """What went wrong, for operators; ``None``: nothing."""
        keeping = _Keeping(self._parts.database, job, kind)
        keeping.start()
        try:
            kind.function(self._parts, job.arguments)
        except AccordError as fault:
            return f"{fault.code}: {fault.message}" + "".join(f"; {line}" for line in fault.context)
        except Exception as fault:  # a stranger's code, or a stranger's data: the runner goes on
            return "".join(traceback.format_exception_only(fault)).strip()
        finally:
            keeping.stop()
        return None


class _Keeping(Beside):
    """While a job is being done its lease is made longer, so that no other process takes it."""

    def __init__(self, database: Database, job: Taken, kind: Kind) -> None:
        super().__init__(f"accord-job-{job.id}", kind.lease / 3)
        self._database = database
        self._job = job
        self._kind = kind

    def _run(self) -> None:
        while not self._ended.wait(self._pause):
            try:
                with self._database.write(_ACTOR) as writing:
                    queue.keep(writing, self._job, self._kind)
            except Refused:
                continue  # the database is away: there is another time before the lease ends
