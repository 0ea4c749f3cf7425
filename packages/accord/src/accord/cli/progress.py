"""Progress bars on a terminal.  Who gets them is decided in :mod:`accord.cli.lines`.

``rich`` costs 55 ms, so it is loaded by a timer, 200 ms after the first task began: most commands are done by
then and never pay for it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from accord.cli.paint import reveal

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from accord.cli.context import Context

__all__ = ["PATIENCE", "Bars"]

PATIENCE = 0.2  # seconds of work before anything is drawn


class Bars:
    """Progress bars on standard error, drawn from the moment the work has taken :data:`PATIENCE` seconds."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        self._progress: Progress | None = None
        self._closed = False
        self._tasks: dict[int, list[object]] = {}  # number -> [words, total, unit, done, id of the bar]
        self._next = 0

    def start(self, task: str, total: int | None, unit: str) -> int:
        with self._lock:
            self._next += 1
            self._tasks[self._next] = [task, total, unit, 0, None]
            if self._progress is not None:
                self._show(self._next)
            elif self._timer is None:
                self._timer = threading.Timer(PATIENCE, self._draw)
                self._timer.daemon = True
                self._timer.start()
            return self._next

    def advance(self, number: int, amount: int) -> None:
        with self._lock:
            task = self._tasks.get(number)
            if task is None:
                return
            task[3] = int(str(task[3])) + amount
            if self._progress is not None and task[4] is not None:
                self._progress.advance(_bar(task[4]), amount)

    def finish(self, number: int) -> None:
        with self._lock:
            task = self._tasks.pop(number, None)
            if task is not None and self._progress is not None and task[4] is not None:
                self._progress.remove_task(_bar(task[4]))

    def note(self, text: str) -> None:
        """Bars are only drawn without ``--verbose``."""

    def warn(self, text: str) -> None:
        with self._lock:
            if self._progress is not None:
                self._progress.console.print(f"warning: {reveal(text)}", markup=False, highlight=False)
            else:
                self._context.warn(text)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
            if self._progress is not None:
                self._progress.stop()
                self._progress = None

    def _draw(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        with self._lock:
            if self._closed:
                return
            self._progress = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[amount]}", markup=False),
                console=Console(file=self._context.stderr, no_color=not self._context.paint_error.on),
                transient=True,
            )
            for number in self._tasks:
                self._show(number)
            self._progress.start()

    def _show(self, number: int) -> None:
        assert self._progress is not None
        task = self._tasks[number]
        words, total, unit, done, _ = task
        task[4] = self._progress.add_task(
            reveal(str(words)),
            total=None if total is None else float(str(total)),
            completed=int(str(done)),
            amount=str(unit),
        )


def _bar(number: object) -> TaskID:
    from rich.progress import TaskID

    assert isinstance(number, int)
    return TaskID(number)
