"""Removes what tools leave behind, however they guarded it.

A tool may take the right to write from its folders, and as root some set the immutable flag of Linux on what they share: then nobody, not even root, removes a
file from such a folder, and every case would leave one in the machine's temporary folder.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

_GET_FLAGS = 0x80086601 if sys.maxsize > 2**32 else 0x80046601  # FS_IOC_GETFLAGS, linux/fs.h
_SET_FLAGS = 0x40086602 if sys.maxsize > 2**32 else 0x40046602  # FS_IOC_SETFLAGS
_IMMUTABLE = 0x00000010  # FS_IMMUTABLE_FL


def remove(folder: Path) -> None:
    """Removes the folder and all in it; what cannot be removed even so stays."""

    def open_and_try_again(function: Callable[..., object], path: str, _: object) -> None:
        inside = [path] if path == str(folder) else [path, os.path.dirname(path)]
        try:
            for where in inside:
                if os.path.isdir(where) and not os.path.islink(where):
                    _open(where)
            if function in (os.unlink, os.rmdir):
                function(path)
            else:
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            return  # a folder that stays is no reason to end a run

    if folder.exists():
        shutil.rmtree(folder, onerror=open_and_try_again)


def _open(folder: str) -> None:
    """Lets its owner, and root, change what is in the folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        if sys.platform == "linux":
            _clear_flag(handle)
        os.chmod(folder, 0o700)
    finally:
        os.close(handle)


def _clear_flag(handle: int) -> None:
    import fcntl

    try:
        flags = int.from_bytes(fcntl.ioctl(handle, _GET_FLAGS, b"\0\0\0\0"), sys.byteorder)
        if flags & _IMMUTABLE:
            fcntl.ioctl(handle, _SET_FLAGS, (flags & ~_IMMUTABLE).to_bytes(4, sys.byteorder))
    except OSError:
        pass  # a file system without such flags, or not root: then none was set either
