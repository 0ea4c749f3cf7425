"""One process at a time: advisory locks on files, with the name of whoever holds them.

``flock`` is released by the kernel when the holder dies, so a lock is never left behind; the file itself stays,
because removing it would let two processes lock two different files of one name.  Hot.
"""

from __future__ import annotations

import errno
import os
import sys
import time

from accord_core.errors import AccordError, InstallError

__all__ = ["PATIENCE", "FileLock"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

PATIENCE = 0.7  # seconds of waiting before a person is told
_INTERVAL = 0.05


class FileLock:
    """``with FileLock(path, "the environment /x"): …``

    Waits up to ``timeout`` seconds, telling ``on_wait`` once, after a moment, who holds it; then raises ``locked``.
    ``shared`` locks exclude only exclusive ones.  With ``note`` the lock is on ``path``, a folder, itself, which may be
    read-only and of which nothing is written; who holds it is written into the file ``note``, if that can be.
    """

    def __init__(
        self,
        path: str,
        what: str,
        *,
        timeout: float = 600.0,
        shared: bool = False,
        on_wait: Callable[[str], None] | None = None,
        family: type[AccordError] = InstallError,
        note: str | None = None,
    ) -> None:
        self._path = path
        self._what = what
        self._timeout = timeout
        self._shared = shared
        self._on_wait = on_wait
        self._family = family
        self._note = note
        self._handle = -1

    def __enter__(self) -> FileLock:
        flags = os.O_RDWR | os.O_CREAT if self._note is None else os.O_RDONLY | os.O_DIRECTORY
        self._handle = os.open(self._path, flags | getattr(os, "O_CLOEXEC", 0), 0o644)
        try:
            self._wait()
            if self._note is not None:
                self._leave_note(self._note)
            elif not self._shared:
                _sign(self._handle)
        except BaseException:
            os.close(self._handle)
            self._handle = -1
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        handle, self._handle = self._handle, -1
        if handle >= 0:
            if self._note is not None:
                import fcntl

                # A copy of this process, made meanwhile for work of its own, may still have it open.
                fcntl.flock(handle, fcntl.LOCK_UN)
            os.close(handle)

    def _leave_note(self, path: str) -> None:
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
        except OSError:
            return  # those who wait are not told whom they wait for
        try:
            _sign(handle)
        finally:
            os.close(handle)

    def _take(self) -> bool:
        import fcntl

        try:
            fcntl.flock(self._handle, (fcntl.LOCK_SH if self._shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return False
            if error.errno in (errno.ENOLCK, errno.ENOTSUP):
                return True  # a file system without locks: renames still keep every step whole
            raise
        return True

    def _wait(self) -> None:
        begun = time.monotonic()
        told = False
        while not self._take():
            waited = time.monotonic() - begun
            if waited >= self._timeout:
                raise self._family(
                    "locked",
                    f"{self._what} is in use by another accord",
                    context=(f"held by {self.holder() or 'an unknown process'}", f"lock: {self._path}"),
                    hint="wait until it has finished, or stop it, and run again",
                )
            if not told and waited >= PATIENCE and self._on_wait is not None:
                self._on_wait(f"waiting for {self._what}: held by {self.holder() or 'another process'}")
                told = True
            time.sleep(_INTERVAL)

    def holder(self) -> str:
        """Who wrote itself into the lock file last: ``"process 123 (accord sync)"``, or empty."""
        try:
            with open(self._note or self._path, encoding="utf-8", errors="replace") as file:
                lines = file.read(400).splitlines()
        except OSError:
            return ""
        return f"process {lines[0]} ({lines[1]})" if len(lines) > 1 else ""


def _sign(handle: int) -> None:
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n{_own_words()[:200]}\n".encode(), 0)


def _own_words() -> str:
    """Our command line, for whoever waits: the file stays, so no password goes into it."""
    words = " ".join(sys.argv)
    if "://" in words:
        from accord.io.urls import redact_all

        words = redact_all(words)
    return words
