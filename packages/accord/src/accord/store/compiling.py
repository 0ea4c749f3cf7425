"""Wheels of the store compiled for an interpreter: once, by a clean process of it, for every environment to come.

A thread per process hands out jobs, some files of one wheel each, so that one large wheel keeps every processor busy.
What was compiled of a wheel is made aside and appears by one rename; killed at any moment, it is there whole or not at
all.  A wheel whose compiling kills the process (a compiler can be made to use up memory or stack) stays uncompiled:
Python will compile what is imported, as it would have done anyway.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.io import files, inodes
from accord.io.parallel import processors
from accord.io.reporting import SILENT
from accord.io.steps import step
from accord.store.compiled import CompiledWheel, load_compiled, put_away, record_of, stamp_of
from accord_core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from accord.io.reporting import Reporter
    from accord.store.compiled import CompiledFiles
    from accord.store.entry import Entry

__all__ = ["CompileLimits", "compile_wheels"]

_CHUNK = 64  # files to a job: large enough that handing it out costs nothing, small enough to share a wheel
_SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_compile.py")


@dataclass(frozen=True, slots=True)
class CompileLimits:
    """``source`` bytes of one file, ``seconds`` for one job of 64 files, ``processes`` at once, ``deaths`` of processes
    before no more is tried, ``answer`` bytes to one job."""

    source: int = 32 << 20
    seconds: float = 300.0
    processes: int = 8
    deaths: int = 5
    answer: int = 1 << 20


def compile_wheels(
    place: CompiledFiles,
    entries: Iterable[Entry],
    executable: str,
    *,
    reporter: Reporter = SILENT,
    limits: CompileLimits | None = None,
) -> int:
    """Have ``executable`` compile those of ``entries`` that ``place`` has not; how many those were.

    ``StoreError``: ``compile-failed`` if it cannot be run or dies again and again, ``disk-full``, ``not-writable``.  A
    file that does not compile is no failure.
    """
    wheels = [_Wheel(place, entry) for entry in entries if place.find(entry) is None]
    if not wheels:
        return 0
    try:
        _prepare(place, executable)
        _Compiling(wheels, executable, reporter, limits or CompileLimits()).run()
    except OSError as error:
        raise files.refused(error, "compiling", StoreError) from error
    return len(wheels)


def _prepare(place: CompiledFiles, executable: str) -> None:
    aside = f"{place.above}/aside"
    if not os.path.isdir(aside):
        os.makedirs(aside, exist_ok=True)
        inodes.scatter(aside)
    os.makedirs(place.root, exist_ok=True)
    if not os.path.exists(f"{place.root}/python"):
        files.write_atomic(f"{place.root}/python", os.fsencode(executable), sync=False)


class _Wheel:
    """One wheel on its way: the jobs that are left, and what came of the others."""

    def __init__(self, place: CompiledFiles, entry: Entry) -> None:
        self.entry = entry
        self.place = place
        own = entry.dist_info + "/"
        there = {name for name in entry.files if name.endswith(".pyc")}
        sources = [name for name in entry.files if name.endswith(".py") and not name.startswith(own)]
        # An empty job makes an empty answer: that there is nothing to compile is remembered too.
        self.jobs = [sources[at : at + _CHUNK] for at in range(0, len(sources), _CHUNK)] or [[]]
        self.left = len(self.jobs)
        self.failed = False
        self.aside = f"{place.above}/aside/{entry.sha256[:16]}-{os.getpid()}-{os.urandom(4).hex()}"
        self._stamp = stamp_of(entry)
        self._there = there
        self._rows: list[tuple[str, int, str]] = []
        self._guard = threading.Lock()

    def begin(self) -> None:
        """Have the folder that is compiled into."""
        step("compile-files")
        os.makedirs(f"{self.aside}/site", exist_ok=True)

    def done(self, rows: Sequence[tuple[str, int, str]] | None) -> bool:
        """Take the answer to one job (``None``: there was none); True if it was the last."""
        with self._guard:
            self.left -= 1
            if rows is None:
                self.failed = True
            else:
                self._rows += rows
            return self.left == 0

    def appear(self) -> None:
        """Write the manifest and take the place, unless somebody else was faster."""
        # A compiled file that the wheel brings along is the wheel's.
        rows = sorted(row for row in self._rows if row[0] not in self._there)
        found = CompiledWheel(
            self.aside,
            sha256=self.entry.sha256,
            stamp=self._stamp,
            dirs=tuple(sorted({row[0].rpartition("/")[0] for row in rows})),
            files=tuple(row[0] for row in rows),
            record=record_of(row[0] for row in rows).encode(),
            sizes=tuple(row[1] for row in rows),
            digests=b"".join(bytes.fromhex(row[2]) for row in rows),
            boot=files.boot_id(),
        )
        for name in {row[0] for row in self._rows} & self._there:
            os.unlink(f"{self.aside}/site/{name}")
        step("compile-manifest")
        files.write_new(f"{self.aside}/manifest", found.dumps(), 0o444)
        step("compile-appear")
        target = self.place.path(self.entry.sha256)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        try:
            os.rename(self.aside, target)
        except OSError:
            there = load_compiled(target)
            if there is not None and there.stamp == self._stamp:
                files.remove_tree(self.aside)
                return
            put_away(target, self.place.above)
            os.rename(self.aside, target)
        step("compile-appeared")


class _Compiling:
    """All jobs of one run, and the processes they are spread over."""

    def __init__(
        self, wheels: list[_Wheel], executable: str, reporter: Reporter, limits: CompileLimits
    ) -> None:
        self._wheels = wheels
        self._executable = executable
        self._reporter = reporter
        self._limits = limits
        # Large ones first, so that the processes end together.
        order = sorted(wheels, key=lambda wheel: -len(wheel.jobs))
        self._jobs = iter([(wheel, names) for wheel in order for names in wheel.jobs])
        self._processes: list[_Process] = []
        self._guard = threading.Lock()
        self._stopped = False
        self._deaths = 0
        self._task = 0

    def run(self) -> None:
        width = min(self._limits.processes, processors(), sum(len(wheel.jobs) for wheel in self._wheels))
        self._task = self._reporter.start(
            f"compiling {len(self._wheels)} wheels", len(self._wheels), "wheels"
        )
        try:
            with ThreadPoolExecutor(width, thread_name_prefix="compile") as pool:
                try:
                    for future in [pool.submit(self._work) for _ in range(width)]:
                        future.result()
                except BaseException:
                    self._stop()
                    raise
        finally:
            self._reporter.finish(self._task)
            for wheel in self._wheels:
                files.remove_tree(wheel.aside)

    def _stop(self) -> None:
        with self._guard:
            self._stopped = True
            for process in self._processes:
                process.kill()

    def _work(self) -> None:
        process: _Process | None = None
        try:
            while (job := self._next()) is not None:
                if process is None:
                    process = self._start()
                wheel, names = job
                wheel.begin()
                rows = process.ask(f"{wheel.entry.path}/site", f"{wheel.aside}/site", names)
                if rows is None and self._stopped:
                    return
                if rows is None:
                    process.close()
                    process = None
                    self._mourn()
                if wheel.done(rows):
                    self._end(wheel)
        finally:
            if process is not None:
                process.close()

    def _next(self) -> tuple[_Wheel, list[str]] | None:
        with self._guard:
            return None if self._stopped else next(self._jobs, None)

    def _mourn(self) -> None:
        with self._guard:
            self._deaths += 1
            if self._deaths > self._limits.deaths:
                raise _cannot(self._executable, f"it died of {self._deaths} jobs")

    def _start(self) -> _Process:
        process = _Process(self._executable, self._limits)
        with self._guard:
            self._processes.append(process)
        process.greet()
        return process

    def _end(self, wheel: _Wheel) -> None:
        if wheel.failed:
            self._reporter.warn(
                f"{wheel.entry.raw_name} {wheel.entry.version} is left uncompiled: {self._executable} died of it"
            )
        else:
            wheel.appear()
        self._reporter.advance(self._task, 1)


class _Process:
    """A clean Python that compiles."""

    def __init__(self, executable: str, limits: CompileLimits) -> None:
        self._executable = executable
        self._limits = limits
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._buffer = b""
        try:
            self._popen = subprocess.Popen(
                [executable, "-I", "-S", "-B", "-X", "utf8", "-W", "ignore", _SCRIPT, str(limits.source)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                bufsize=0,
                cwd=os.path.dirname(executable) or None,
                start_new_session=True,  # Ctrl-C is for us, and what we do then is to end it
            )
        except OSError as error:
            self._said.close()
            raise _cannot(executable, error.strerror or str(error)) from error

    def greet(self) -> None:
        """Wait for its first word."""
        if self._answer() is None:
            self._said.seek(0)
            lines = self._said.read(1 << 16).decode("utf-8", "replace").strip().splitlines()
            self.close()
            raise _cannot(self._executable, "it does not run the compiler", tuple(lines[-3:]))

    def ask(self, folder: str, into: str, names: list[str]) -> list[tuple[str, int, str]] | None:
        """Have ``names`` compiled; ``None`` if the process died of it.  ``OSError`` where it could not write."""
        assert self._popen.stdin is not None
        line = memoryview(json.dumps([folder, into, names]).encode() + b"\n")
        try:
            while line:
                line = line[os.write(self._popen.stdin.fileno(), line) :]
        except BrokenPipeError:
            return None
        answer = self._answer()
        if isinstance(answer, int):
            raise OSError(answer, os.strerror(answer), into)
        return answer

    def _answer(self) -> list[tuple[str, int, str]] | int | None:
        assert self._popen.stdout is not None
        handle = self._popen.stdout.fileno()
        poll = select.poll()
        poll.register(handle, select.POLLIN | select.POLLHUP)
        while b"\n" not in self._buffer:
            if len(self._buffer) > self._limits.answer or not poll.poll(self._limits.seconds * 1000):
                return None
            piece = os.read(handle, 1 << 16)
            if not piece:
                return None
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: list[tuple[str, int, str]] | int = json.loads(line)
        return answer

    def kill(self) -> None:
        """End it now; whoever waits for an answer gets none."""
        self._popen.kill()

    def close(self) -> None:
        """End it and forget it."""
        assert self._popen.stdin is not None and self._popen.stdout is not None
        self._popen.kill()
        self._popen.wait()
        self._popen.stdin.close()
        self._popen.stdout.close()
        self._said.close()


def _cannot(executable: str, why: str, context: tuple[str, ...] = ()) -> StoreError:
    return StoreError(
        "compile-failed",
        f"{executable} cannot compile: {why}",
        context=context,
        hint="leave out --compile-bytecode: Python compiles at the first import",
    )
