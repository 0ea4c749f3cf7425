"""Running contenders side by side and keeping what the kernel says about them.

A *group* has two or more contenders doing the same job.  Each round runs every contender once, in an order that turns
from round to round, so that a slow minute of the machine falls on all of them.  Before a timed part dirty pages are
written out; after it the result is checked, untimed, and a run whose result is wrong does not count: the contender is
marked failed, with the reason, and takes no further part.  Knows processes and clocks, and no tool by name.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.jobs import Job

__all__ = ["Contender", "Fault", "Group", "Limits", "Sample", "run_group", "run_job"]


@dataclass(frozen=True, slots=True)
class Limits:
    process: float = 900.0  # seconds one process may take; the slowest (pip, cold) needs about 120
    quoted: int = 1500  # characters of a failed tool's error output that are shown


class Fault(Exception):
    """A run that must not be counted, and why."""


@dataclass(frozen=True, slots=True)
class Sample:
    """``wall`` and ``cpu`` in seconds (``cpu``: user and system, children included), ``rss`` the peak in MiB of the
    largest process, ``requests`` how many the index answered meanwhile."""

    wall: float
    cpu: float
    rss: float
    requests: int = 0


@dataclass(slots=True)
class Contender:
    """One tool in a group.  ``prepare`` and ``check`` are untimed; ``jobs`` gives the processes whose walls are added.

    ``most`` bounds the rounds it takes part in (pip is slow).  ``check`` raises :class:`Fault`.
    """

    label: str
    settings: str
    jobs: Callable[[], list[Job]]
    prepare: Callable[[], None] = lambda: None
    check: Callable[[], None] = lambda: None
    setup: Callable[[], None] = lambda: None
    most: int = 1000
    samples: list[Sample] = field(default_factory=list)
    failure: str | None = None

    def median(self, what: str = "wall") -> float | None:
        values = [getattr(sample, what) for sample in self.samples]
        return statistics.median(values) if values else None


@dataclass(frozen=True, slots=True)
class Group:
    """``timed`` says in words what lies between start and stop; it is printed with the figures."""

    name: str
    title: str
    timed: str
    rounds: int
    contenders: list[Contender]


def run_job(job: Job, cwd: str, limits: Limits = Limits()) -> Sample:
    """Run one process to its end.  Raises :class:`Fault` for an exit status other than 0 and for a time-out."""
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            job.command,
            env=job.environ,
            cwd=job.cwd or cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        killer = _deadline(process, limits.process)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        killer()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip()
            raise Fault(f"{job.name}: exit status {process.returncode}: {said[-limits.quoted :]}")
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _deadline(process: subprocess.Popen[bytes], seconds: float) -> Callable[[], None]:
    import threading

    timer = threading.Timer(seconds, process.kill)
    timer.daemon = True
    timer.start()
    return timer.cancel


def run_group(
    group: Group, rounds: int | None, cwd: str, requests: Callable[[], int], say: Callable[[str], None]
) -> None:
    """Run ``group``, leaving samples and failures in its contenders.  ``requests`` reads the index's counter."""
    standing = [contender for contender in group.contenders if _tried(contender, contender.setup, say)]
    for number in range(rounds or group.rounds):
        turn = number % len(standing) if standing else 0
        for contender in standing[turn:] + standing[:turn]:
            if contender.failure is None and number < contender.most:
                _tried(contender, lambda c=contender: _once(c, cwd, requests), say)  # type: ignore[misc]
        standing = [contender for contender in standing if contender.failure is None]


def _tried(contender: Contender, action: Callable[[], None], say: Callable[[str], None]) -> bool:
    try:
        action()
    except (Fault, OSError, RuntimeError) as fault:
        contender.failure = str(fault)
        say(f"  {contender.label} failed: {fault}")
        return False
    return True


def _once(contender: Contender, cwd: str, requests: Callable[[], int]) -> None:
    contender.prepare()
    os.sync()
    jobs = contender.jobs()
    before = requests()
    parts = [run_job(job, cwd) for job in jobs]
    after = requests()
    contender.check()
    contender.samples.append(
        Sample(
            sum(part.wall for part in parts),
            sum(part.cpu for part in parts),
            max(part.rss for part in parts),
            after - before,
        )
    )
