"""Descriptions are rendered in a process of its own: a few bytes can keep a renderer busy for minutes, or take all memory.

The parent sends one description at a time and reads what was made of it; both as a length and so many bytes.  The child (``rendering``)
ends itself when one takes too long (SIGALRM, which no renderer catches), when it takes too much memory, after a
minute without work, and with its parent, whose end closes the pipe.
"""

from __future__ import annotations

import atexit
import json
import signal
import struct
import subprocess
import sys
from typing import IO

__all__ = ["Renderer", "receive", "send"]

_LENGTH = struct.Struct(">I")
_CHILD = "accord.server.web.rendering"


class Renderer:
    """The child, started when it is needed.  For one thread at a time."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    def render(self, text: str, content_type: str, most: int, seconds: float) -> str | None:
        """``readme.render_description`` of it; ``None`` where that takes too long, or more than there is."""
        request = json.dumps([text, content_type, most, seconds]).encode()
        known = self._child is not None
        while True:
            child = self._child = self._child or _start()
            assert child.stdin is not None and child.stdout is not None
            try:
                send(child.stdin, request)
                return receive(child.stdout).decode()
            except (OSError, EOFError):
                status = self._end(child)
                if status == -signal.SIGALRM or not known:
                    return None
                known = False  # it had just ended for want of work: another one does it

    def close(self) -> None:
        if self._child is not None:
            self._end(self._child)

    def _end(self, child: subprocess.Popen[bytes]) -> int:
        self._child = None
        with child:  # closes the pipes, which ends it, and waits
            if child.poll() is None and child.stdin is not None:
                child.stdin.close()
            try:
                return child.wait(1)
            except subprocess.TimeoutExpired:
                child.kill()
                return child.wait()


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", _CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
    )


def send(pipe: IO[bytes], data: bytes) -> None:
    """One message."""
    left = memoryview(_LENGTH.pack(len(data)) + data)
    while left:
        left = left[pipe.write(left) :]


def receive(pipe: IO[bytes]) -> bytes:
    """Raises ``EOFError``."""
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    return _exactly(pipe, length)


def _exactly(pipe: IO[bytes], length: int) -> bytes:
    found = bytearray()
    while len(found) < length:
        piece = pipe.read(length - len(found))
        if not piece:
            raise EOFError
        found += piece
    return bytes(found)
