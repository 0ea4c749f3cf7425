"""One file in two places: reflink where the file system has it, else hard link, else copy (hot).

A *placement* is decided once per pair of devices by trying it on a real file, and remembered for the life of the
process; from then on files are placed by name relative to two open folders, because looking up long paths is a
good part of what linking 26,000 files costs.  A hard-linked file is one file: who writes into it in place writes
into both.  Copies and reflinks are files of their own and are made writable for their owner.
"""

from __future__ import annotations

import errno
import os
import stat

from accord_core.errors import InstallError, UsageError

__all__ = ["MODES", "choose", "place", "place_as"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MODES = ("auto", "reflink", "hardlink", "copy")
_CLONE = 0x40049409  # FICLONE, linux/fs.h
_CHUNK = 1 << 20
_known: dict[tuple[int, int, str], str] = {}


def choose(wanted: str, sample: str, target: str) -> str:
    """The placement to use from the file ``sample`` into the existing folder ``target``: one of :data:`MODES` but
    ``auto``.

    ``auto`` takes the first that works of reflink, hard link, copy.  Any other value is taken at its word:
    ``InstallError`` ``link-mode-refused`` where the file system refuses it, ``UsageError`` ``link-mode-unknown``.
    """
    if wanted not in MODES:
        raise UsageError(
            "link-mode-unknown", f"there is no link mode {wanted!r}", hint=f"one of {', '.join(MODES)}"
        )
    key = (os.stat(sample).st_dev, os.stat(target).st_dev, wanted)
    if key not in _known:
        _known[key] = _try_all(wanted, sample, target)
    return _known[key]


def _try_all(wanted: str, sample: str, target: str) -> str:
    if wanted == "copy":
        return "copy"
    trial = os.path.join(target, f".accord-{os.getpid():x}-{os.urandom(4).hex()}")
    fault: OSError | None = None
    for mode in ("reflink", "hardlink") if wanted == "auto" else (wanted,):
        try:
            _PLACE[mode](sample, trial, None, None)
        except OSError as error:
            fault = error
            continue
        finally:
            try:
                os.unlink(trial)
            except FileNotFoundError:
                pass
        return mode
    if wanted == "auto":
        return "copy"
    raise InstallError(
        "link-mode-refused",
        f"{wanted} does not work from the store to {target}: {fault.strerror if fault else 'refused'}",
        hint="leave --link-mode out, or put the cache on the same file system (ACCORD_CACHE_DIR)",
    )


def place(names: Iterable[str], source: int, target: int, mode: str, *, read_only: bool = False) -> None:
    """Place every file of ``names`` (relative, the same on both sides) from the open folder ``source`` in ``target``.

    ``mode`` is what :func:`choose` returned; ``read_only`` keeps copies as closed as the store's files are.  A file that cannot get one more link (65,000 on ext4) is copied.
    ``FileExistsError`` where something is in the way; other ``OSError`` as the system gives them.
    """
    if mode != "hardlink":
        put = _PLACE[mode]
        for name in names:
            put(name, name, source, target)
            if read_only:
                _close(name, target)
        return
    link = os.link
    for name in names:
        try:
            link(name, name, src_dir_fd=source, dst_dir_fd=target)
        except OSError as error:
            if error.errno != errno.EMLINK:
                raise
            _copy(name, name, source, target)
            if read_only:
                _close(name, target)


def _close(name: str, target: int) -> None:
    os.chmod(name, os.stat(name, dir_fd=target).st_mode & 0o555, dir_fd=target)


def place_as(name: str, new: str, source: int, target: int, mode: str) -> None:
    """Place one file under another name."""
    try:
        _PLACE[mode](name, new, source, target)
    except OSError as error:
        if mode != "hardlink" or error.errno != errno.EMLINK:
            raise
        _copy(name, new, source, target)


def _link(name: str, new: str, source: int | None, target: int | None) -> None:
    os.link(name, new, src_dir_fd=source, dst_dir_fd=target)


def _open_new(handle: int, new: str, target: int | None) -> int:
    # Owner may write: the file is the environment's own.
    mode = 0o644 | (stat.S_IMODE(os.fstat(handle).st_mode) & 0o111)
    return os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode, dir_fd=target)


def _keep_time(handle: int, written: int) -> None:
    # Compiled files name the source's time: what was compiled for the store's file is good for this one too.
    found = os.fstat(handle)
    os.utime(written, ns=(found.st_atime_ns, found.st_mtime_ns))


def _reflink(name: str, new: str, source: int | None, target: int | None) -> None:
    import fcntl

    handle = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=source)
    try:
        written = _open_new(handle, new, target)
        try:
            fcntl.ioctl(written, _CLONE, handle)
            _keep_time(handle, written)
        finally:
            os.close(written)
    finally:
        os.close(handle)


def _copy(name: str, new: str, source: int | None, target: int | None) -> None:
    handle = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=source)
    try:
        written = _open_new(handle, new, target)
        try:
            while data := os.read(handle, _CHUNK):
                while data:
                    data = data[os.write(written, data) :]
            _keep_time(handle, written)
        finally:
            os.close(written)
    finally:
        os.close(handle)


_PLACE = {"hardlink": _link, "reflink": _reflink, "copy": _copy}
