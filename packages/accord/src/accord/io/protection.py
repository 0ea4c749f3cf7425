"""Folders nobody can add to or take from, not even root (hot).

Mode bits stop everybody but root.  Where the file system has inode flags (ext4, xfs, btrfs, tmpfs since Linux 6.6)
and the process may set them (``CAP_LINUX_IMMUTABLE``: root outside most containers), a folder is also made
*immutable*: then ``pip`` run by root cannot write into it either.  Files are never flagged: their inodes are shared
with the store, and an immutable inode cannot be linked.
"""

from __future__ import annotations

import os
import struct
import sys

__all__ = ["available", "protect", "release"]

_GET_FLAGS = 0x80086601 if struct.calcsize("P") == 8 else 0x80046601  # FS_IOC_GETFLAGS, linux/fs.h
_SET_FLAGS = 0x40086602 if struct.calcsize("P") == 8 else 0x40046602  # FS_IOC_SETFLAGS
_IMMUTABLE = 0x00000010  # FS_IMMUTABLE_FL


def _flags(handle: int) -> int:
    import fcntl

    return int(struct.unpack("i", fcntl.ioctl(handle, _GET_FLAGS, b"\0\0\0\0"))[0])


def _set(handle: int, flags: int) -> None:
    import fcntl

    fcntl.ioctl(handle, _SET_FLAGS, struct.pack("i", flags))


def protect(handle: int) -> bool:
    """Make the open folder immutable; False where file system or rights do not allow it."""
    if sys.platform != "linux":
        return False
    try:
        _set(handle, _flags(handle) | _IMMUTABLE)
    except OSError:
        return False
    return True


def release(handle: int) -> None:
    """Take the immutable flag from the open folder, if it is there and may be taken."""
    if sys.platform != "linux":
        return
    try:
        flags = _flags(handle)
        if flags & _IMMUTABLE:
            _set(handle, flags & ~_IMMUTABLE)
    except OSError:
        pass  # the caller's next attempt says what is wrong


def available(folder: str) -> bool:
    """Whether folders below ``folder`` (which exists and is writable) can be made immutable; tried on a real one."""
    trial = os.path.join(folder, f".trial-{os.getpid():x}-{os.urandom(4).hex()}")
    os.mkdir(trial)
    try:
        handle = os.open(trial, os.O_RDONLY)
        try:
            works = protect(handle)
            release(handle)
        finally:
            os.close(handle)
    finally:
        os.rmdir(trial)
    return works
