"""Files that are being received: in a folder of each process, which is gone when the process is.

A process holds a lock on its folder as long as it lives, however it ends; :meth:`Incoming.clean` removes the folders nobody
holds.  So what a killed process left is told apart from what a slow client is still sending.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import weakref

__all__ = ["Incoming", "forget_file"]

_LOCK = ".lock"


class Incoming:
    """Safe to use from many threads."""

    def __init__(self, folder: str) -> None:
        self._above = folder
        self.folder = os.path.join(folder, secrets.token_hex(8))
        os.makedirs(folder, mode=0o700, exist_ok=True)
        turn = self._turn()
        try:
            os.mkdir(self.folder, 0o700)
            held = _locked(os.path.join(self.folder, _LOCK))
        finally:
            os.close(turn)
        self._end = weakref.finalize(self, _end, self.folder, held)

    def path(self) -> str:
        """A name for a file; nobody else has it."""
        return os.path.join(self.folder, secrets.token_hex(16))

    def clean(self) -> int:
        """Remove what processes left that have ended; how many files that were."""
        count = 0
        turn = self._turn()
        try:
            with os.scandir(self._above) as entries:
                others = [one.path for one in entries if one.is_dir(follow_symlinks=False)]
            for other in others:
                if other != self.folder and _is_left(other):
                    count += len([name for name in os.listdir(other) if name != _LOCK])
                    shutil.rmtree(other, ignore_errors=True)
        finally:
            os.close(turn)
        return count

    def close(self) -> None:
        """Give up the folder.  Safe to repeat; also done when the process ends by itself."""
        self._end()

    def _turn(self) -> int:
        """Making a folder and looking whose it is are not done at the same time; closing the handle ends the turn."""
        return _locked(os.path.join(self._above, _LOCK))


def forget_file(path: str) -> None:
    """Remove it, where it is still there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _locked(path: str) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


def _end(folder: str, held: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(held)


def _is_left(folder: str) -> bool:
    try:
        handle = os.open(os.path.join(folder, _LOCK), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(handle)
