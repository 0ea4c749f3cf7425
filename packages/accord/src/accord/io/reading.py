"""Reading what a person named: a file, a device or a pipe, never more than a limit and never waiting for nobody (hot).

A pipe with a writer (``<(command)`` of a shell) is read to its end, however slow that writer is; a fifo that nobody
opens for writing is refused after a moment.  Knows nothing of what is inside.
"""

from __future__ import annotations

import os
import stat
import time

__all__ = ["NOBODY", "Nobody", "descriptor", "is_kept", "read_all", "read_at_most"]

NOBODY = 5.0  # seconds in which somebody has to open the other end of a fifo


class Nobody(OSError):
    """The other end of a fifo stayed closed."""


def read_at_most(path: str, limit: int) -> bytes:
    """The bytes of ``path``, of more than ``limit`` the first ``limit + 1``.  Raises OSError, of it :class:`Nobody`."""
    # Without O_NONBLOCK a fifo without a writer would not even open.
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(21, "it is a folder", path)
        if stat.S_ISFIFO(mode):
            # What a shell made has no name, and its writer came before us.
            named = not os.path.basename(os.path.realpath(path)).startswith("pipe:")
            return _from_pipe(handle, path, limit, named=named)
        os.set_blocking(handle, True)
        return read_all(handle, limit)
    finally:
        os.close(handle)


def read_all(handle: int, limit: int) -> bytes:
    """The rest of an open file, of more than ``limit`` bytes the first ``limit + 1``."""
    pieces = []
    left = limit + 1
    while left:
        piece = os.read(handle, min(left, 1024 * 1024))
        if not piece:
            break
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _from_pipe(handle: int, path: str, limit: int, *, named: bool) -> bytes:
    patience = time.monotonic() + NOBODY
    while named:
        try:
            first = os.read(handle, min(limit + 1, 65536))
        except BlockingIOError:
            break  # a writer is there, and has not written yet
        if first:
            os.set_blocking(handle, True)
            return first + (read_all(handle, limit - len(first)) if len(first) <= limit else b"")
        if _closed(handle):
            return b""
        if time.monotonic() >= patience:
            raise Nobody(32, "it is a pipe, and nobody writes into it", path)
        time.sleep(0.02)
    os.set_blocking(handle, True)
    return read_all(handle, limit)


def _closed(handle: int) -> bool:
    """Whether a writer was there, and has gone."""
    import select

    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return any(events & select.POLLHUP for _, events in poll.poll(0))


def is_kept(path: str) -> bool:
    """Whether ``path`` is a file of its own, of which an earlier content can be read; devices and pipes are none."""
    return os.path.isfile(path) and descriptor(path) is None


def descriptor(path: str) -> int | None:
    """The number where ``path`` leads to an open file of this process (``/dev/stdout``, ``/dev/fd/63``), ``-1`` where
    it is another process's; ``None`` for any other path."""
    for _ in range(40):  # as many links as Linux follows
        folder, name = os.path.split(os.path.abspath(path))
        folder = os.path.realpath(folder)
        if folder.startswith("/proc/") and folder.endswith("/fd") and name.isdigit():
            return int(name) if folder.split("/")[2] == str(os.getpid()) else -1
        path = os.path.join(folder, name)
        if not os.path.islink(path):
            return None
        path = os.path.join(folder, os.readlink(path))
    return None
