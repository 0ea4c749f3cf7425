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

__all__ = ["LIMITS", "Limits", "end", "end_all", "run", "start"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a tool may take."""

    seconds: float = 90.0  # for one request
    output_bytes: int = 4_000_000  # of one stream of one request; what comes after is not kept
    message_characters: int = 4_000  # of what is kept for the report


LIMITS = Limits()
_GRACE_SECONDS = 3
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
    said = {process.stdout: bytearray(), process.stderr: bytearray()}
    in_time = _read(said, time.monotonic() + limits.seconds, limits.output_bytes)
    code: int | None = None
    if in_time:
        try:
            code = process.wait(limits.seconds)
        except subprocess.TimeoutExpired:
            in_time = False
    end(process)
    return (code if in_time else None), bytes(said[process.stdout]), bytes(said[process.stderr])


def _read(said: Mapping[IO[bytes] | None, bytearray], ends: float, most: int) -> bool:
    """Reads the streams to their ends, keeping ``most`` bytes of each; False when that is not over in time."""
    with selectors.DefaultSelector() as selector:
        for stream, kept in said.items():
            assert stream is not None
            selector.register(stream, selectors.EVENT_READ, kept)
        while selector.get_map():
            ready = selector.select(max(0.0, ends - time.monotonic()))
            if not ready:
                return False
            for key, _ in ready:
                block = os.read(key.fd, 65536)
                if not block:
                    selector.unregister(key.fileobj)
                kept = key.data
                kept += block[: most - len(kept)]
    return True


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
