"""Writing where a person says (``-o``): a file is replaced whole, anything else is opened and written into (hot).

A link is followed, and the mode of a file that is there is kept.  A device, a pipe, or what a descriptor is open on
(``/dev/stdout``, ``>(command)``) is never renamed over: that would put a file in its place.
"""

from __future__ import annotations

import errno
import os
import stat
import time

from accord.io import files
from accord.io.reading import NOBODY, Nobody, descriptor
from accord_core.errors import AccordError, InstallError, UsageError

__all__ = ["write_output"]


def write_output(path: str, data: bytes) -> None:
    """Put ``data`` at ``path``.

    Raises UsageError ``output-not-a-file``, ``file-not-found`` (of the folder); InstallError ``disk-full``,
    ``not-writable``, ``system-refused``.
    """
    try:
        _write(path, data)
    except OSError as error:
        raise _refused(error, path) from error


def _write(path: str, data: bytes) -> None:
    number = descriptor(path)
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        files.write_atomic(os.path.realpath(path), data)
        return
    if number is not None and number >= 0:
        files.write_all(number, data)  # as whoever opened it has it: its place in the file, and its flags
    elif stat.S_ISREG(mode) and number is None:
        files.write_atomic(os.path.realpath(path), data, mode=stat.S_IMODE(mode), exact=True)
    elif stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", path)
    else:
        _write_into(path, data, stat.S_ISFIFO(mode))


def _write_into(path: str, data: bytes, is_fifo: bool) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC
    handle = _open_fifo(path, flags) if is_fifo else os.open(path, flags)
    try:
        files.write_all(handle, data)
    finally:
        os.close(handle)


def _open_fifo(path: str, flags: int) -> int:
    """Open it once somebody reads from it, without waiting for ever."""
    patience = time.monotonic() + NOBODY
    while True:
        try:
            handle = os.open(path, flags | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() >= patience:
                raise Nobody(errno.ENXIO, "it is a pipe, and nobody reads from it", path) from error
            time.sleep(0.02)
        else:
            os.set_blocking(handle, True)
            return handle


def _refused(error: OSError, path: str) -> AccordError:
    if isinstance(error, (IsADirectoryError, Nobody)):
        return UsageError(
            "output-not-a-file",
            f"{path} cannot be written: {error.strerror}",
            hint="name a file; - is standard output",
        )
    folder = os.path.dirname(os.path.realpath(path))
    if isinstance(error, (FileNotFoundError, NotADirectoryError)) and not os.path.isdir(folder):
        shown = os.path.dirname(path) or folder
        return UsageError(
            "file-not-found", f"there is no folder {shown}", hint="make it first, or name a file elsewhere"
        )
    return files.refused(error, f"writing {path}", InstallError)
