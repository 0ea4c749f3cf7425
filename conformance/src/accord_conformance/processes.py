"""Processes of tools: each in a session of its own, with limits on time and output, ended with all they started.

What is running is known, so that an interrupted run leaves nothing behind (``end_all``).
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from accord_conformance.errors import SuiteError

__all__ = ["LIMITS", "Limits", "done", "end", "end_all", "end_strays", "run", "said", "start"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a tool may take."""

    seconds: float = 90.0  # for one request
    output_bytes: int = 4_000_000  # of one stream of one request; what comes after is not kept
    message_characters: int = 4_000  # of what is kept for the report
    free_bytes: int = 16_000_000  # with less left on the disk, what a tool does says nothing about it


LIMITS = Limits()
_GRACE_SECONDS = 3
_LOOK_SECONDS = 0.2  # so often it is looked whether a process that says nothing has ended
_running: set[subprocess.Popen[bytes]] = set()
_lock = threading.Lock()


def start(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: Path | None = None,
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int | IO[bytes] = subprocess.PIPE,
    stderr: int | IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """A process in a session of its own, its standard output a pipe if nothing else is said; SuiteError when it does not start."""
    try:
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            env=dict(environment),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    except OSError as error:
        raise SuiteError(arguments[0], f"does not start: {error.strerror}") from error
    with _lock:
        _running.add(process)
    return process


def run(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], limits: Limits = LIMITS
) -> tuple[int | None, bytes, bytes]:
    """Exit code (None: it did not end in time), standard output, standard error."""
    process = start(arguments, environment, folder, stderr=subprocess.PIPE)
    kept = {process.stdout: bytearray(), process.stderr: bytearray()}
    ends = time.monotonic() + limits.seconds
    _read(process, kept, ends, limits.output_bytes)
    try:
        code: int | None = process.wait(max(0.0, ends - time.monotonic()))
    except subprocess.TimeoutExpired:
        code = None
    end(process)
    return code, bytes(kept[process.stdout]), bytes(kept[process.stderr])


def said(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], limits: Limits = LIMITS
) -> str:
    """What a program says on its standard output, as text without blanks around it; where it fails, how, in brackets, and what it said of that."""
    try:
        code, out, wrong = run(arguments, folder, environment, limits)
    except SuiteError as error:
        return f"({error.what})"
    if code is None:
        return f"(no end within {limits.seconds:g} s)"
    if code == 0:
        return out.decode("utf-8", "replace").strip()
    return f"(code {code}) {wrong.decode('utf-8', 'replace').strip()}".strip()


def done(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    """What a program of the suite's own says on its standard output; SuiteError when it is not there, fails or does not end."""
    code, out, wrong = run(arguments, folder, environment)
    if code != 0:
        raise SuiteError(" ".join(arguments), wrong.decode("utf-8", "replace").strip() or f"code {code}")
    return out.decode("utf-8", "replace")


def _read(
    process: subprocess.Popen[bytes], kept: Mapping[IO[bytes] | None, bytearray], ends: float, most: int
) -> None:
    """Reads the streams to their ends, or till the time is over, keeping ``most`` bytes of each.

    A process that has ended is done, whoever else still holds its streams: what it started may live on without being waited for.
    """
    with selectors.DefaultSelector() as selector:
        for stream, bytes_of_it in kept.items():
            assert stream is not None
            selector.register(stream, selectors.EVENT_READ, bytes_of_it)
        while selector.get_map() and time.monotonic() < ends:
            ended = process.poll() is not None
            ready = selector.select(_LOOK_SECONDS if not ended else 0)
            if ended and not ready:
                return
            for key, _ in ready:
                block = os.read(key.fd, 65536)
                if not block:
                    selector.unregister(key.fileobj)
                key.data.extend(block[: most - len(key.data)])


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends what is left of a process and of all that it started in its session, and closes its pipes."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except OSError:
            break
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            try:
                stream.close()
            except OSError:  # what was still to be written has no reader any more
                pass
    with _lock:
        _running.discard(process)


def end_all() -> None:
    """Kills every process that is running, for whoever waits for them to come back at once."""
    with _lock:
        for process in _running:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except OSError:
                continue


def end_strays(home: Path) -> None:
    """Kills whoever has left its session, as a daemon does, and still has ``home``, a case's own, as its home.

    Where there is no /proc, nobody is found.
    """
    wanted = b"HOME=" + os.fsencode(home)
    for place in Path("/proc").glob("[1-9]*"):
        try:
            if wanted in (place / "environ").read_bytes().split(b"\0"):
                os.kill(int(place.name), signal.SIGKILL)
        except OSError:
            continue  # it has ended, or is somebody else's
