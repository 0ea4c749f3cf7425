"""Running another program to its end: bounded in time and output, and leaving nobody behind.

The one place where Accord starts a program whose behaviour it does not know (build backends, git).  It knows
processes, groups and signals; it knows nothing of builds or repositories.  A program gets a session of its own, so
that a terminal's Ctrl-C reaches Accord first and everything the program started can be ended together.

Every command of a stranger passes through :func:`run`, whose ``command`` is a plain list: a sandbox (bubblewrap) is
a longer list in front of it, made by the caller who knows which folders the program may see.
"""

from __future__ import annotations

import os
import secrets
import selectors
import signal
import subprocess
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Finished", "ProcessLimits", "run", "stop_all", "wait_all"]

# Whoever was started for a run carries its number, so that a child that left the group can still be found.
_MARK = "ACCORD_RUN"


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """Bounds of one run: bytes of output kept from its beginning and from its end, seconds of patience.

    ``grace`` is how long a program may take to end after SIGTERM before SIGKILL; ``linger`` how long output is
    still read after the program itself has ended, while a child holds the pipe open.
    """

    head_bytes: int = 1 << 20
    tail_bytes: int = 1 << 20
    grace: float = 2.0
    linger: float = 0.5


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended.

    ``status`` is the exit status, negative for a signal; ``timed_out`` and ``stopped`` (by :func:`stop_all`) say that
    it did not end by itself.  ``log`` is the path of the output (stdout and stderr in the order written),
    ``dropped`` the bytes left out of its middle, ``left_behind`` the processes that had to be ended afterwards.
    """

    status: int
    seconds: float
    log: str
    dropped: int
    timed_out: bool
    stopped: bool
    left_behind: int

    def tail(self, lines: int = 20, width: int = 400) -> tuple[str, ...]:
        """The last ``lines`` lines of the log, control characters made visible, each cut at ``width``."""
        with open(self.log, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - lines * width * 4))
            text = file.read().decode("utf-8", "replace")
        kept = [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]
        return tuple(_printable(line)[:width] for line in kept)


class _Log:
    """The output of a run on disk: its beginning as it comes, and its end from a ring once the head is full."""

    def __init__(self, file: IO[bytes], limits: ProcessLimits) -> None:
        self._file = file
        self._room = limits.head_bytes
        self._limit = limits.tail_bytes
        self._ring: deque[bytes] = deque()
        self._held = 0
        self.dropped = 0

    def write(self, data: bytes) -> None:
        head, rest = data[: self._room], data[self._room :]
        if head:
            self._file.write(head)
            self._file.flush()
            self._room -= len(head)
        if rest:
            self._ring.append(rest)
            self._held += len(rest)
            while self._held - len(self._ring[0]) >= self._limit:
                gone = self._ring.popleft()
                self._held -= len(gone)
                self.dropped += len(gone)

    def close(self) -> None:
        tail = b"".join(self._ring)
        cut = max(0, len(tail) - self._limit)
        self.dropped += cut
        if self.dropped:
            self._file.write(b"\n[... %d bytes of output left out ...]\n" % self.dropped)
        self._file.write(tail[cut:])
        self._file.close()


class _Running:
    """A started program and the wish to stop it."""

    def __init__(self, process: subprocess.Popen[bytes], mark: str) -> None:
        self.process = process
        self.mark = mark
        self.stopped = False


_running: set[_Running] = set()
_over = threading.Event()  # nothing more is started
_guard = threading.Lock()


def stop_all(*, for_good: bool = False) -> int:
    """End every program :func:`run` is waiting for, in whatever thread; returns how many there were.

    For the main thread on Ctrl-C or SIGTERM: only it sees the interrupt, while builds run in worker threads.  With
    ``for_good``, when this process is about to end, no other program is started afterwards: a thread whose build
    was stopped would begin the next one.
    """
    with _guard:
        if for_good:
            _over.set()
        current = list(_running)
    for running in current:
        running.stopped = True
        _signal_group(running.process.pid, signal.SIGTERM)
    return len(current)


def wait_all(patience: float = 3.0) -> None:
    """Wait up to ``patience`` seconds until the programs that :func:`stop_all` ended, and all they left, are gone."""
    until = time.monotonic() + patience
    while _running and time.monotonic() < until:
        time.sleep(0.01)


def run(
    command: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str],
    log: str,
    timeout: float | None = None,
    limits: ProcessLimits = ProcessLimits(),
) -> Finished:
    """Run ``command`` in ``cwd`` with exactly ``env``, without input, its output written to the file ``log``.

    Returns when the program has ended, or was ended after ``timeout`` seconds or by :func:`stop_all`.  Whatever it
    leaves running in its process group, or elsewhere with its environment, is killed before this returns; the same
    happens when this thread is interrupted (KeyboardInterrupt is raised on).  Raises OSError when the program
    cannot be started, KeyboardInterrupt when everything was stopped for good.
    """
    begun = time.monotonic()
    output = _Log(open(log, "wb"), limits)  # noqa: SIM115 - closed by output.close()
    try:
        running = _start(command, cwd, env)
    except BaseException:
        output.close()
        raise
    process = running.process
    left = 0
    try:
        timed_out = _watch(running, output, begun, timeout, limits)
    finally:
        left = _clear(running, limits)
        with _guard:
            _running.discard(running)
        assert process.stdout is not None
        process.stdout.close()
        output.close()
    return Finished(
        status=process.returncode,
        seconds=time.monotonic() - begun,
        log=log,
        dropped=output.dropped,
        timed_out=timed_out,
        stopped=running.stopped,
        left_behind=left,
    )


def _start(command: Sequence[str], cwd: str, env: Mapping[str, str]) -> _Running:
    """Start and write down in one step, so that :func:`stop_all` never looks in between."""
    mark = secrets.token_hex(12)
    with _guard:
        if _over.is_set():
            raise KeyboardInterrupt
        process = subprocess.Popen(
            list(command),
            cwd=cwd,
            env={**env, _MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o022,
        )
        running = _Running(process, mark)
        _running.add(running)
    return running


def _watch(
    running: _Running, output: _Log, begun: float, timeout: float | None, limits: ProcessLimits
) -> bool:
    """Copy output until the program has ended and its pipe is closed or lingered; True when time ran out."""
    pipe = running.process.stdout
    assert pipe is not None
    os.set_blocking(pipe.fileno(), False)
    open_pipe = True
    ended: float | None = None
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while not running.stopped:
            now = time.monotonic()
            if ended is None and _has_ended(running.process.pid):
                ended = now
            if ended is None and timeout is not None and now - begun > timeout:
                return True
            if ended is not None and (not open_pipe or now - ended > limits.linger):
                return False
            if not open_pipe:
                time.sleep(0.01)
            elif selector.select(0.05):
                data = os.read(pipe.fileno(), 1 << 16)
                if data:
                    output.write(data)
                else:
                    open_pipe = False
                    selector.unregister(pipe)
    return False


def _has_ended(pid: int) -> bool:
    """Whether our child has ended, without collecting it: until then its number, and its group's, stay its own."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _clear(running: _Running, limits: ProcessLimits) -> int:
    """End the program if it still runs, then everyone it left behind; returns how many were left."""
    process = running.process
    deadline = time.monotonic() + limits.grace
    left = 0
    try:
        if not _has_ended(process.pid):
            _signal_group(process.pid, signal.SIGTERM)
        while not _has_ended(process.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        if _has_ended(process.pid):
            left = len(_carrying(running.mark))
    finally:  # also for one who presses Ctrl-C twice
        _signal_group(process.pid, signal.SIGKILL)
    for _ in range(5):  # one that forks while being killed is found again
        strays = _carrying(running.mark)
        if not strays:
            break
        for pid in strays:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        time.sleep(0.01)
    process.wait()
    return left


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def _carrying(mark: str) -> tuple[int, ...]:
    """Processes whose first environment holds ``mark``: children that left the group (Linux; elsewhere none)."""
    needle = f"{_MARK}={mark}".encode()
    found: list[int] = []
    try:
        names = os.listdir("/proc")
    except OSError:
        return ()
    for name in names:
        if name.isdigit():
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    carried = needle in file.read()
            except OSError:  # ended meanwhile, or another user's
                continue
            if carried:
                found.append(int(name))
    return tuple(found)


def _printable(line: str) -> str:
    return "".join(char if char.isprintable() or char == "\t" else f"\\x{ord(char):02x}" for char in line)
