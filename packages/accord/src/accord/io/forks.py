"""Copies of this process that compute while it goes on: a second processor for work that holds the interpreter lock.

A *fork* knows whatever its parent knew when :meth:`Forks.start` was called, so that a job need carry only what came
since.  Copying a process is safe only while it has one thread, and is done on Linux only; everywhere else, and
whenever a copy fails, :meth:`Forks.call` answers None and the caller does the work itself.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, NamedTuple

from accord.io.parallel import processors
from accord.io.pipes import read_value, write_value

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Forks"]

_MOST = 4  # one index keeps no more busy


class _Copy(NamedTuple):
    process: int
    jobs: int  # an open pipe to it
    answers: int  # and one from it


class Forks:
    """``work`` is called in a copy of this process with a value that ``marshal`` knows, and returns one.

    ``width``: how many copies; by default as many as there are processors, at most four, and none where there is one.
    ``prepare`` is called in each copy before its first job, for imports.
    """

    def __init__(
        self,
        work: Callable[..., object],
        *,
        prepare: Callable[[], object] | None = None,
        width: int | None = None,
    ) -> None:
        self._work = work
        self._prepare = prepare
        self._width = min(_MOST, processors()) if width is None else width
        self._copies: list[_Copy] = []
        self._idle: list[_Copy] = []
        self._alive = 0
        self._changed = threading.Condition(threading.Lock())

    def start(self) -> None:
        """Make the copies, where this process may be copied and there is more than one processor for them."""
        if self._width < 2 or not _may_fork():
            return
        for _ in range(self._width):
            try:
                self._copies.append(self._copy())
            except OSError:  # no process or no handle left: fewer copies, or none
                break
        self._idle = list(self._copies)
        self._alive = len(self._copies)

    def call(self, *job: object) -> object:
        """What ``work`` makes of ``job``, in the next copy that is idle; safe from any thread.

        None where there is no copy, or where it failed: then the caller does the work, and meets the failure itself.
        """
        with self._changed:
            while not self._idle:
                if not self._alive:
                    return None
                self._changed.wait()
            copy = self._idle.pop()
        answer = None
        try:
            write_value(copy.jobs, job)
            answer = read_value(copy.answers)
        except OSError:
            pass  # it died, perhaps for want of memory
        with self._changed:
            if isinstance(answer, tuple):
                self._idle.append(copy)
                self._changed.notify()
            else:
                self._alive -= 1
                self._changed.notify_all()
        return answer[0] if isinstance(answer, tuple) and answer else None

    def kill(self) -> None:
        """End the copies now; what they were at is answered with None.  :meth:`close` is still to be called."""
        for copy in self._copies:
            os.kill(copy.process, signal.SIGKILL)

    def close(self, *, at_once: bool = False) -> None:
        """End the copies: when they are done with what they do, or ``at_once``.  No call may be under way but from
        threads nobody waits for."""
        if at_once:
            self.kill()
        copies, self._copies = self._copies, []
        for copy in copies:
            os.close(copy.jobs)
        for copy in copies:
            os.waitpid(copy.process, 0)
            os.close(copy.answers)

    def _copy(self) -> _Copy:
        jobs, jobs_in = os.pipe()
        answers, answers_in = os.pipe()
        try:
            process = os.fork()
        except OSError:
            for handle in (jobs, jobs_in, answers, answers_in):
                os.close(handle)
            raise
        if process:
            os.close(jobs)
            os.close(answers_in)
            return _Copy(process, jobs_in, answers)
        try:
            # An end that a sister holds open too would never be seen to close.
            for handle in (jobs_in, answers, *(end for sister in self._copies for end in sister[1:])):
                os.close(handle)
            self._serve(jobs, answers_in)
        finally:
            os._exit(0)  # nothing of the parent's is this process's to write or tidy

    def _serve(self, jobs: int, answers: int) -> None:
        """Work until the pipe ends, which it also does when the parent is killed."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to deal with
        if self._prepare is not None:
            self._prepare()
        while True:
            job = read_value(jobs)
            if not isinstance(job, tuple):
                return
            try:
                answer: tuple[object, ...] = (self._work(*job),)
            except Exception:
                answer = ()
            write_value(answers, answer)


def _may_fork() -> bool:
    """Whether this process is one that can be copied safely: with a single thread, on Linux."""
    if sys.platform != "linux":
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return threading.active_count() == 1
