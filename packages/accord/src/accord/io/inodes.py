"""Flags of folders that only the file system sees (hot).

*Immutable*: nobody can add to the folder or take from it, not even root.  Mode bits stop everybody but root; where the
file system has inode flags (ext4, xfs, btrfs, tmpfs since Linux 6.6) and the process may set them
(``CAP_LINUX_IMMUTABLE``: root outside most containers) this stops ``pip`` run by root too.  Files are never flagged:
their inodes are shared with the store, and an immutable inode cannot be linked.

*Top of a hierarchy*: ext2 to ext4 place a new folder's inode beside its parent's.  Where thousands of inodes were
deleted lately (the last environment was just removed) every allocation there walks past all of them, and 6,000 folders
took 0.8 to 4 s instead of 0.2.  Below a folder with this flag each new one starts in a block group of its own.
"""

from __future__ import annotations

import os
import sys

__all__ = ["available", "protect", "protected", "release", "scatter"]

_GET_FLAGS = 0x80086601 if sys.maxsize > 2**32 else 0x80046601  # FS_IOC_GETFLAGS, linux/fs.h
_SET_FLAGS = 0x40086602 if sys.maxsize > 2**32 else 0x40046602  # FS_IOC_SETFLAGS
_IMMUTABLE = 0x00000010  # FS_IMMUTABLE_FL
_TOPDIR = 0x00020000  # FS_TOPDIR_FL


def _flags(handle: int) -> int:
    import fcntl

    return int.from_bytes(fcntl.ioctl(handle, _GET_FLAGS, b"\0\0\0\0"), sys.byteorder)


def _set(handle: int, flags: int) -> None:
    import fcntl

    fcntl.ioctl(handle, _SET_FLAGS, flags.to_bytes(4, sys.byteorder))


def protect(handle: int) -> bool:
    """Make the open folder immutable; False where file system or rights do not allow it."""
    if sys.platform != "linux":
        return False
    try:
        _set(handle, _flags(handle) | _IMMUTABLE)
    except OSError:
        return False
    return True


def release(handle: int) -> bool:
    """Take the immutable flag from the open folder; True if it was there and could be taken."""
    if sys.platform != "linux":
        return False
    try:
        flags = _flags(handle)
        if not flags & _IMMUTABLE:
            return False
        _set(handle, flags & ~_IMMUTABLE)
    except OSError:
        return False  # the caller's next attempt says what is wrong
    return True


def protected(folder: str) -> bool:
    """Whether ``folder`` is immutable now: a copy of one, out of a tarball, is not."""
    if sys.platform != "linux":
        return False
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return bool(_flags(handle) & _IMMUTABLE)
    except OSError:
        return False
    finally:
        os.close(handle)


def scatter(folder: str) -> None:
    """Have what is made directly in ``folder`` start far from each other; only a hint, and only ext heeds it."""
    if sys.platform != "linux":
        return
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        flags = _flags(handle)
        if not flags & _TOPDIR:
            _set(handle, flags | _TOPDIR)
    except OSError:
        pass  # other file systems have no such flag
    finally:
        os.close(handle)


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
