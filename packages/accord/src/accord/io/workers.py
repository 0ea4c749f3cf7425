"""A few threads with a queue before them, and what becomes of each piece of work.

What ``concurrent.futures`` does, for a command that waits for an index: that module imports ``logging``, and with it the
readers of tracebacks and templates, 8 of the 300 ms of a cold resolve, and guards each piece of work by a condition
variable.  Threads are started when there is more to do than there are idle ones.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Task", "Workers"]

P = ParamSpec("P")
T = TypeVar("T")


class Task(Generic[T]):
    """One piece of work.  ``done``: whether it ended, well or not; never for one that was dropped before it began."""

    __slots__ = ("_error", "_gate", "_value", "_work", "done")

    def __init__(self, work: Callable[[], T]) -> None:
        self._work: Callable[[], T] | None = work
        self._gate = threading.Lock()
        self._gate.acquire()
        self._value: T | None = None
        self._error: BaseException | None = None
        self.done = False

    def run(self) -> None:
        """Do it, in the thread that calls this."""
        work, self._work = self._work, None
        assert work is not None, "done once"
        try:
            self._value = work()
        except BaseException as error:
            self._error = error
        self.done = True
        self._gate.release()

    def drop(self) -> None:
        """It will not be done: whoever waits for it gets a RuntimeError."""
        self._error = RuntimeError("the work was dropped")
        self._gate.release()

    def result(self) -> T:
        """Wait for it; what it returned, or raise what it raised."""
        with self._gate:
            pass
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]

    @property
    def failed(self) -> bool:
        return self._error is not None


class Workers:
    """Up to ``most`` threads."""

    def __init__(self, most: int, name: str) -> None:
        self._most = most
        self._name = name
        self._queue: SimpleQueue[Task[object] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._guard = threading.Lock()
        self._closed = False

    def submit(self, work: Callable[P, T], *args: P.args, **more: P.kwargs) -> Task[T]:
        """Have ``work`` done.  Raises RuntimeError once closed."""
        task = Task(lambda: work(*args, **more))
        with self._guard:
            if self._closed:
                raise RuntimeError("no more work is taken")
            self._queue.put(task)  # type: ignore[arg-type]
            self._idle -= 1
            if self._idle < 0 and len(self._threads) < self._most:
                self._idle += 1
                thread = threading.Thread(
                    target=self._serve, name=f"{self._name}-{len(self._threads)}", daemon=True
                )
                self._threads.append(thread)
                thread.start()
        return task

    def close(self, *, wait: bool = True) -> None:
        """Take no more work, drop what was not begun and, with ``wait``, wait for the rest."""
        with self._guard:
            self._closed = True
            while not self._queue.empty():
                task = self._queue.get_nowait()
                if task is not None:
                    task.drop()
            for _ in self._threads:
                self._queue.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def _serve(self) -> None:
        while (task := self._queue.get()) is not None:
            task.run()
            with self._guard:
                self._idle += 1
