"""Work spread over a few threads without the ``threading`` module (hot).

For work that spends its time in system calls, which release the interpreter lock: linking 26,000 files takes two
thirds of the time on two threads.  Started with ``_thread`` because importing ``threading`` costs as much as
linking a hundred files.
"""

from __future__ import annotations

import _thread
import os

__all__ = ["default_width", "processors", "spread"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    T = TypeVar("T")


def processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def default_width() -> int:
    """How many threads pay: the processors, up to four (measured; more fight for folders)."""
    return min(4, processors())


def spread(work: Callable[[T], None], items: Sequence[T], width: int) -> None:
    """Call ``work`` with every item, on up to ``width`` threads, in order of ``items``; return when all are done.

    The first exception stops the taking of further items and is raised here.
    """
    width = min(width, len(items))
    if width <= 1:
        for item in items:
            work(item)
        return
    queue = iter(items)
    faults: list[BaseException] = []

    def run() -> None:
        # next() on one iterator from several threads is safe: the interpreter lock makes it one step.
        for item in queue:
            if faults:
                return
            try:
                work(item)
            except BaseException as fault:
                faults.append(fault)
                return

    gates = []
    for _ in range(width - 1):
        gate = _thread.allocate_lock()
        gate.acquire()
        gates.append(gate)
        _thread.start_new_thread(_run_and_open, (run, gate))
    run()
    for gate in gates:
        gate.acquire()
    if faults:
        raise faults[0]


def _run_and_open(run: Callable[[], None], gate: _thread.LockType) -> None:
    try:
        run()
    finally:
        gate.release()
