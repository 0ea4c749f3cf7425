"""Files written whole or not at all, trees removed whatever their modes, and failures of the system as coded errors.

The only room that knows how this platform renames, syncs, and runs out of space.  Hot: the fastest commands write
small files through it.  It knows nothing of wheels or environments.
"""

from __future__ import annotations

import errno
import os
import stat
import sys

from accord.io import inodes
from accord_core.errors import AccordError, InstallError

__all__ = [
    "RENAME_EXCHANGE",
    "boot_id",
    "exchange",
    "forget_stale",
    "free_space",
    "needs_space",
    "refused",
    "remove_tree",
    "replace_if",
    "sync_folder",
    "unswap",
    "write_all",
    "write_atomic",
    "write_new",
]

_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_PLACE = (errno.ENOENT, errno.ENOTDIR, errno.EEXIST)
_CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)


def refused(
    error: OSError, doing: str, family: type[AccordError] = InstallError, *, path: str | None = None
) -> AccordError:
    """The coded error for what the system refused while ``doing`` (a phrase: "writing the environment /x").

    Codes: ``disk-full``, ``not-writable``, ``too-many-files``, ``file-not-found``, ``not-a-folder``, else ``system-refused``.
    """
    at = path or (error.filename if isinstance(error.filename, str) else None)
    context = (f"path: {at}",) if at else ()
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        return family(
            "disk-full",
            f"the disk is full ({doing})",
            context=context,
            hint="free some space and run again; nothing was changed",
        )
    if error.errno in _CLOSED:
        return family(
            "not-writable",
            f"no permission to write ({doing}): {reason}",
            context=context,
            hint="run as the user who owns the folder, or choose another one",
        )
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return family(
            "too-many-files",
            f"too many open files ({doing})",
            context=context,
            hint="raise the limit (ulimit -n) and run again",
        )
    if error.errno in _NO_PLACE:
        return family(
            "file-not-found" if error.errno == errno.ENOENT else "not-a-folder",
            f"{reason} ({doing})",
            context=context,
            hint="choose another folder (--env, --cache-dir, ACCORD_CACHE_DIR): this one is none and cannot be made",
        )
    return family(
        "system-refused",
        f"{reason} ({doing})",
        context=context,
        hint="run again; if it stays, check the disk and its mount options",
    )


def write_new(path: str, data: bytes, mode: int = 0o644) -> None:
    """Create ``path`` holding ``data``; ``FileExistsError`` if there is anything.  Not atomic: for staging folders."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        write_all(handle, data)
    finally:
        os.close(handle)


def write_atomic(
    path: str, data: bytes, *, mode: int = 0o644, sync: bool = True, exact: bool = False
) -> None:
    """Put ``data`` at ``path`` whole or not at all: a file beside it, fsync, rename, fsync of the folder.

    ``sync=False`` leaves out both fsyncs: still atomic for every process and for ``kill -9``, not for a power cut.
    ``exact``: with this mode, whatever the umask.
    """
    aside = _write_aside(path, data, mode, sync=sync, exact=exact)
    try:
        os.replace(aside, path)
    except BaseException:
        _forget(aside)
        raise
    if sync:
        sync_folder(os.path.dirname(path) or ".")


def replace_if(path: str, before: bytes | None, data: bytes, *, mode: int = 0o644) -> bool:
    """The same for a file that somebody else may be editing: only if it still holds ``before`` (``None``: is not
    there), asked right before the rename; whether it did.  A link is followed."""
    path = os.path.realpath(path)
    aside = _write_aside(path, data, mode, sync=True, exact=True)
    try:
        try:
            with open(path, "rb") as file:
                there: bytes | None = file.read()
        except FileNotFoundError:
            there = None
        if there != before:
            _forget(aside)
            return False
        os.replace(aside, path)
    except BaseException:
        _forget(aside)
        raise
    sync_folder(os.path.dirname(path))
    return True


def _write_aside(path: str, data: bytes, mode: int, *, sync: bool, exact: bool) -> str:
    """A new file beside ``path`` that holds ``data``; its name tells whose it is (:func:`forget_stale`)."""
    aside = f"{path}.{os.getpid():x}-{os.urandom(4).hex()}.new"
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        try:
            if exact:
                os.fchmod(handle, mode)
            write_all(handle, data)
            if sync:
                os.fsync(handle)
        finally:
            os.close(handle)
    except BaseException:
        _forget(aside)
        raise
    return aside


def forget_stale(folder: str, names: tuple[str, ...]) -> None:
    """Remove what :func:`write_atomic` of a process that was killed left beside the files ``names`` in ``folder``, for
    whoever excludes others from writing them; never raises OSError."""
    try:
        inside = os.listdir(folder)
    except OSError:
        return
    for entry in inside:
        if entry.endswith(".new") and entry.startswith(names):
            process, dash, _ = entry.removesuffix(".new").rpartition(".")[2].partition("-")
            if dash and _is_dead(process):
                _forget(os.path.join(folder, entry))


def _is_dead(process: str) -> bool:
    try:
        os.kill(int(process, 16), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError, OverflowError):
        pass  # somebody else's, or no number of a process
    return False


def write_all(handle: int, data: bytes) -> None:
    """Write all of ``data`` into an open file."""
    written = os.write(handle, data)
    while written < len(data):
        written += os.write(handle, data[written:])


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def sync_folder(path: str) -> None:
    """Make the names in a folder survive a power cut, where the platform can (a folder cannot be opened on Windows)."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except (OSError, AttributeError):
        return
    try:
        os.fsync(handle)
    except OSError:
        pass  # some network file systems refuse; the rename itself is as durable there as it gets
    finally:
        os.close(handle)


def boot_id() -> str:
    """What tells one run of the machine from the next; empty where the platform does not say."""
    try:
        handle = os.open("/proc/sys/kernel/random/boot_id", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(handle, 64).decode().strip()
    finally:
        os.close(handle)


def free_space(path: str) -> int:
    """Bytes this user may still write on the file system of ``path`` (or of its nearest existing parent)."""
    while not os.path.exists(path):
        path = os.path.dirname(path) or "/"
    if sys.platform == "win32":
        import shutil

        return shutil.disk_usage(path).free
    figures = os.statvfs(path)
    return figures.f_bavail * figures.f_frsize


def needs_space(path: str, size: int, family: type[AccordError] = InstallError) -> None:
    """Raise ``disk-full`` early if ``size`` bytes do not fit where ``path`` is."""
    free = free_space(path)
    if free < size:
        raise family(
            "disk-full",
            f"{size / 1e6:.0f} MB are needed and {free / 1e6:.0f} MB are free",
            context=(f"path: {path}",),
            hint="free some space (accord cache prune) or set ACCORD_CACHE_DIR to another disk",
        )


# -- removing ------------------------------------------------------------------------------------------------


def remove_tree(path: str) -> None:
    """Remove a file, link or folder with everything below; links are never followed; absent is fine.

    Read-only and protected folders are opened first, so that what Accord closed it can also remove.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    parent, name = os.path.split(os.path.abspath(path))
    handle = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if stat.S_ISDIR(found.st_mode):
            _remove_folder(name, handle)
        else:
            os.unlink(name, dir_fd=handle)
    except FileNotFoundError:
        pass  # somebody else removes the same thing
    finally:
        os.close(handle)


# How far down a tree is followed; what is deeper is brought up first. A stranger's build can nest folders until neither
# the stack nor the descriptors suffice.
_DEEPEST = 100
_BROUGHT_UP = ".accord-deep-"


def _remove_folder(name: str, parent: int, top: int | None = None, depth: int = 0) -> None:
    try:
        here = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    except PermissionError:
        os.chmod(name, 0o700, dir_fd=parent)
        here = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    try:
        _empty(here, here if top is None else top, depth)
        while top is None and any(child.startswith(_BROUGHT_UP) for child in os.listdir(here)):
            _empty(here, here, depth)
        try:
            os.rmdir(name, dir_fd=parent)
        except PermissionError:
            inodes.release(here)
            os.rmdir(name, dir_fd=parent)
    finally:
        os.close(here)


def _empty(here: int, top: int, depth: int) -> None:
    with os.scandir(here) as entries:
        inside = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    opened = False
    for child, is_folder in inside:
        try:
            _remove_child(child, is_folder, here, top, depth)
        except PermissionError:
            if opened:
                raise
            inodes.release(here)
            os.fchmod(here, 0o700)
            opened = True
            _remove_child(child, is_folder, here, top, depth)


def _remove_child(name: str, is_folder: bool, parent: int, top: int, depth: int) -> None:
    try:
        if is_folder and depth >= _DEEPEST:
            os.chmod(name, 0o700, dir_fd=parent)
            os.rename(name, _BROUGHT_UP + os.urandom(8).hex(), src_dir_fd=parent, dst_dir_fd=top)
        elif is_folder:
            _remove_folder(name, parent, top, depth + 1)
        else:
            os.unlink(name, dir_fd=parent)
    except FileNotFoundError:
        pass


# -- exchanging ----------------------------------------------------------------------------------------------

RENAME_EXCHANGE = 2  # linux/fs.h
_AT_FDCWD = -100


def exchange(one: str, other: str) -> bool:
    """Swap two paths of one file system.  True if it happened in one indivisible step (renameat2), False if by three
    renames through a name beside ``one``; a crash in between is seen as ``<one>.swap`` (healed by :func:`unswap`)."""
    if sys.platform == "linux":
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        call = getattr(libc, "renameat2", None)  # glibc 2.28, musl 1.2.6
        if call is not None:
            if call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0:
                return True
            number = ctypes.get_errno()
            if number not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM):
                raise OSError(number, os.strerror(number), one)
    aside = f"{one}.swap"
    os.rename(one, aside)
    os.rename(other, one)
    os.rename(aside, other)
    return False


def unswap(one: str) -> bool:
    """Put ``one`` back where a crash interrupted :func:`exchange`; True if there was something to heal."""
    aside = f"{one}.swap"
    if not os.path.lexists(aside):
        return False
    if os.path.lexists(one):
        remove_tree(aside)  # the new one is in place: the old one had only to be put away
        return True
    os.rename(aside, one)
    return True
