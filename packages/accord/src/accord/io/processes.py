"""Running another program to its end: bounded in time and output, and leaving nobody behind.

The one place where Accord starts a program whose behaviour it does not know (build backends, git).  It knows
processes, groups and signals; it knows nothing of builds or repositories.  A program gets a session of its own, so
that a terminal's Ctrl-C reaches Accord first and everything the program started can be ended together.

Every command of a stranger passes through :func:`run`, whose ``command`` is a plain list: a sandbox (bubblewrap) is
a longer list in front of it (:mod:`accord.io.sandbox`), made by the caller who knows which folders the program may
see.  Hot: a warm build pays for it.
"""

from __future__ import annotations

import os
import select
import time
from _collections import deque  # type: ignore[import-not-found]  # as everywhere, without what `collections` brings
from _thread import allocate_lock

from accord.io.gates import Gate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import IO

__all__ = ["Finished", "ProcessLimits", "run", "stop_all", "wait_all"]

# Whoever was started for a run carries its number, so that a child that left the group can still be found.
_MARK = "ACCORD_RUN"


_TERM, _KILL = 15, 9
_TURN = 0.05  # seconds between two looks at the clock


class ProcessLimits:
    """Bounds of one run: bytes of output kept from its beginning and from its end, seconds of patience.

    ``grace`` is how long a program may take to end after SIGTERM before SIGKILL; ``linger`` how long output is
    still read after the program itself has ended, while a child holds the pipe open.  A program that prints more than
    ``output_bytes`` is ended: what does so never ends by itself.
    """

    __slots__ = ("grace", "head_bytes", "linger", "output_bytes", "tail_bytes")

    def __init__(
        self,
        head_bytes: int = 1 << 20,
        tail_bytes: int = 1 << 20,
        grace: float = 2.0,
        linger: float = 0.5,
        output_bytes: int = 1 << 30,
    ) -> None:
        self.head_bytes = head_bytes
        self.tail_bytes = tail_bytes
        self.grace = grace
        self.linger = linger
        self.output_bytes = output_bytes


_USUAL = ProcessLimits()


class Finished:
    """How a run ended.

    ``status`` is the exit status, negative for a signal; ``timed_out`` and ``stopped`` (by :func:`stop_all`) say that
    it did not end by itself, and ``halted`` why: what ``watch`` said, or ``output`` for too much of it.  ``log`` is the
    path of the output (stdout and stderr in the order written), ``dropped`` the bytes left out of its middle,
    ``left_behind`` the processes that had to be ended afterwards.
    """

    __slots__ = ("dropped", "halted", "left_behind", "log", "seconds", "status", "stopped", "timed_out")

    def __init__(
        self,
        *,
        status: int,
        seconds: float,
        log: str,
        dropped: int,
        timed_out: bool,
        stopped: bool,
        left_behind: int,
        halted: str = "",
    ) -> None:
        self.status = status
        self.seconds = seconds
        self.log = log
        self.dropped = dropped
        self.timed_out = timed_out
        self.stopped = stopped
        self.left_behind = left_behind
        self.halted = halted

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

    def __init__(self, file: IO[bytes], limits: ProcessLimits, echo: Callable[[bytes], None] | None) -> None:
        self._file = file
        self._echo = echo
        self._room = limits.head_bytes
        self._limit = limits.tail_bytes
        self._ring: deque[bytes] = deque()
        self._held = 0
        self.dropped = 0
        self.written = 0

    def write(self, data: bytes) -> None:
        self.written += len(data)
        if self._echo is not None:
            self._echo(data)
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

    def __init__(self, pid: int, pipe: int, mark: str) -> None:
        self.pid = pid
        self.pipe = pipe
        self.mark = mark
        self.stopped = False


class _Over:
    """Whether nothing more is started."""

    said = False


_running: set[_Running] = set()
_guard = allocate_lock()


def stop_all(*, for_good: bool = False) -> int:
    """End every program :func:`run` is waiting for, in whatever thread; returns how many there were.

    For the main thread on Ctrl-C or SIGTERM: only it sees the interrupt, while builds run in worker threads.  With
    ``for_good``, when this process is about to end, no other program is started afterwards: a thread whose build
    was stopped would begin the next one.
    """
    with _guard:
        if for_good:
            _Over.said = True
        current = list(_running)
    for running in current:
        running.stopped = True
        _signal_group(running.pid, _TERM)
    return len(current)


def wait_all(patience: float = 3.0) -> None:
    """Wait up to ``patience`` seconds until the programs that :func:`stop_all` ended, and all they left, are gone."""
    until = time.monotonic() + patience
    while _running and time.monotonic() < until:
        time.sleep(0.01)


def run(
    command: Sequence[str],
    *,
    cwd: str | None,
    env: Mapping[str, str],
    log: str,
    timeout: float | None = None,
    limits: ProcessLimits = _USUAL,
    watch: Callable[[], str | None] | None = None,
    echo: Callable[[bytes], None] | None = None,
    meanwhile: Callable[[], object] | None = None,
    alone: bool = False,
    announced: Callable[[bytes], object] | None = None,
    handed: Sequence[bytes] = (),
) -> Finished:
    """Run ``command`` in ``cwd`` (None: where Accord itself is) with exactly ``env``, without input, its output written
    to the file ``log`` and told to ``echo`` as it comes.

    Returns when the program has ended, or was ended: after ``timeout`` seconds, by :func:`stop_all`, when ``watch``,
    which is asked now and then, returns a reason.  ``meanwhile`` is called once while it runs.  Whatever the program
    leaves running in its process group, or elsewhere with its environment, is killed before this returns; the same
    happens when this thread is interrupted (KeyboardInterrupt is raised on).  ``alone``: it is the first process of a
    namespace that ends with it, and nobody need be looked for.  ``announced``: the program tells of itself and waits
    (:mod:`accord.io.gates`), and goes on when this was called with what it told; ``handed`` are texts for it.  Raises OSError when the program cannot
    be started, KeyboardInterrupt when everything was stopped for good.
    """
    begun = time.monotonic()
    output = _Log(open(log, "wb"), limits, echo)  # noqa: SIM115 - closed by output.close()
    gate = None if announced is None else Gate(handed)
    try:
        running = _start(command, cwd, env, gate)
    except BaseException:
        output.close()
        if gate is not None:
            gate.open()
        raise
    left, status = 0, 0
    try:
        if gate is not None and announced is not None:
            try:
                announced(gate.hear())
            finally:
                gate.open()
        if meanwhile is not None:
            meanwhile()
        ended = _watch(running, output, begun, timeout, limits, watch)
    finally:
        left, status = _clear(running, limits, alone)
        with _guard:
            _running.discard(running)
        os.close(running.pipe)
        output.close()
    return Finished(
        status=status,
        seconds=time.monotonic() - begun,
        log=log,
        dropped=output.dropped,
        timed_out=ended == "time",
        stopped=running.stopped,
        left_behind=left,
        halted="" if ended == "time" else ended,
    )


def _start(command: Sequence[str], cwd: str | None, env: Mapping[str, str], gate: Gate | None) -> _Running:
    """Start and write down in one step, so that :func:`stop_all` never looks in between."""
    mark = os.urandom(12).hex()
    environment = {**env, _MARK: mark}
    reading, writing = os.pipe()
    try:
        with _guard:
            if _Over.said:
                raise KeyboardInterrupt
            if cwd is None:
                pid = _spawn(list(command), environment, writing, gate)
            else:
                assert gate is None, "only what finds its folder itself waits"
                pid = _start_in(cwd, list(command), environment, writing)
            running = _Running(pid, reading, mark)
            _running.add(running)
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    if gate is not None:
        gate.started()
    return running


def _spawn(command: list[str], env: dict[str, str], output: int, gate: Gate | None) -> int:
    """The cheap way, for a program that finds its folder and sets its mask itself: ``subprocess`` takes 12 ms to load."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, output, 1),
        (os.POSIX_SPAWN_DUP2, output, 2),
        *((os.POSIX_SPAWN_CLOSE, number) for number in _inherited()),
        *(() if gate is None else gate.actions()),
    ]
    return os.posix_spawnp(
        command[0], command, env, file_actions=actions, setsid=True, setsigmask=(), setsigdef=_IGNORED
    )


def _inherited() -> list[int]:
    """What Accord itself was started with: a descriptor of a folder would lead out of every sandbox."""
    try:
        numbers = [int(name) for name in os.listdir("/dev/fd")]
    except OSError:
        return []
    return [number for number in numbers if number > 2 and _is_inheritable(number)]


def _is_inheritable(number: int) -> bool:
    try:
        return os.get_inheritable(number)
    except OSError:  # the one the listing was read with
        return False


_IGNORED = (13, 25)  # SIGPIPE and SIGXFSZ, which Python ignores and no other program expects to


def _start_in(cwd: str, command: list[str], env: dict[str, str], output: int) -> int:
    import subprocess

    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        umask=0o022,
    )
    process.returncode = 0  # it is waited for here, and its number is ours
    return process.pid


def _watch(
    running: _Running,
    output: _Log,
    begun: float,
    timeout: float | None,
    limits: ProcessLimits,
    watch: Callable[[], str | None] | None,
) -> str:
    """Copy output until the program has ended and its pipe is closed or lingered; ``time`` when that ran out, a reason
    when it went too far."""
    os.set_blocking(running.pipe, False)
    open_pipe = True
    ended: float | None = None
    events = select.poll()
    events.register(running.pipe, select.POLLIN | select.POLLHUP)
    handle = _handle(running.pid)
    if handle is not None:
        events.register(handle, select.POLLIN)
    try:
        while not running.stopped:
            now = time.monotonic()
            if ended is None and _has_ended(running.pid):
                ended = now
            if ended is None and timeout is not None and now - begun > timeout:
                return "time"
            if ended is not None and (not open_pipe or now - ended > limits.linger):
                return ""
            if ended is None and watch is not None and (reason := watch()):
                return reason
            if ended is not None and handle is not None:
                events.unregister(handle)  # it would be ready for ever
                os.close(handle)
                handle = None
            ready = events.poll((_TURN if open_pipe or handle is not None else _TURN / 5) * 1000)
            if open_pipe and any(number == running.pipe for number, _ in ready):
                data = os.read(running.pipe, 1 << 16)
                if data:
                    output.write(data)
                    if output.written > limits.output_bytes:
                        return "output"
                else:
                    open_pipe = False
                    events.unregister(running.pipe)
    finally:
        if handle is not None:
            os.close(handle)
    return ""


def _handle(pid: int) -> int | None:
    """What becomes readable the moment the process ends, where the system has such a thing."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _has_ended(pid: int) -> bool:
    """Whether our child has ended, without collecting it: until then its number, and its group's, stay its own."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _clear(running: _Running, limits: ProcessLimits, alone: bool) -> tuple[int, int]:
    """End the program if it still runs, then everyone it left behind; how many were left, and its exit status."""
    pid = running.pid
    deadline = time.monotonic() + limits.grace
    left = 0
    try:
        if not _has_ended(pid):
            _signal_group(pid, _TERM)
        while not _has_ended(pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        if not alone and _has_ended(pid):
            left = len(_carrying(running.mark))
    finally:  # also for one who presses Ctrl-C twice
        _signal_group(pid, _KILL)
    for _ in range(0 if alone else 5):  # one that forks while being killed is found again
        strays = _carrying(running.mark)
        if not strays:
            break
        for stray in strays:
            try:
                os.kill(stray, _KILL)
            except (ProcessLookupError, PermissionError):
                continue
        time.sleep(0.01)
    return left, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


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
