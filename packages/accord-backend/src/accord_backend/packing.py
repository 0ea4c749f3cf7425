"""Reading, hashing and compressing the files of a wheel, on all cores where there are many.

Reading, ``zlib`` and ``hashlib`` let other threads run, so threads are enough.  OpenSSL, which ``hashlib`` brings, is
several times faster than the SHA-256 that CPython has without it, and takes longer to load than a small wheel takes to
hash: it is loaded when there is more to do.  Who packs a file has no influence on its bytes, and files are handed on
in the order they were given.  What dominated before was not compression but its set-up: ``zlib`` clears a quarter of a
megabyte for each file, so small files get a window of their own size, which finds the same matches.
"""

from __future__ import annotations

import os
import stat
import sys
import zlib

from .errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator, List, Optional, Tuple, Union

    # name in the archive, its bytes or the path of the file that holds them, whether it may be executed (None: as
    # the file says)
    Member = Tuple[str, Union[bytes, str], Union[bool, None]]
    Members = List[Member]
    sha256: Optional[Callable[[bytes], Any]]
else:
    sha256 = None
    if sys.implementation.name == "cpython":  # elsewhere it is written in Python
        try:
            if sys.version_info >= (3, 12):
                from _sha2 import sha256
            else:
                from _sha256 import sha256
        except ImportError:  # it was left out
            pass

__all__ = ["Packed", "pack", "pack_all", "read_file"]

_LEVEL = 6  # 9 takes twice as long for a quarter of a percent of Python source
_SMALL = 1 << 19  # bytes that are hashed without OpenSSL
_MANY = 256  # members, from which threads pay for importing them
_BATCH = 16  # members that a thread takes at a time
_AHEAD = 4  # batches for each thread that may be in memory, not yet written
_MOST_THREADS = 8


class Packed:
    """One file, ready to be written: sizes, checksum, sha256 digest, and its bytes, deflated if that is shorter."""

    __slots__ = ("crc", "data", "deflated", "digest", "executable", "name", "size")

    def __init__(self, name: str, data: bytes, executable: bool) -> None:
        self.name = name
        self.size = len(data)
        self.crc = zlib.crc32(data)
        self.digest = _digest(data)
        self.executable = executable
        packed = _deflated(data)
        self.deflated = len(packed) < len(data)
        self.data = packed if self.deflated else data


class _Hash:
    """``room`` for that many bytes more without OpenSSL; with none left, ``hashlib`` is used for all that comes."""

    room = _SMALL if sha256 is not None else -1


def _digest(data: bytes) -> bytes:
    if sha256 is not None and len(data) <= _Hash.room:
        _Hash.room -= len(data)
        return bytes(sha256(data).digest())
    import hashlib

    _Hash.room = -1
    return hashlib.sha256(data).digest()


def _deflated(data: bytes) -> bytes:
    # The farthest match zlib makes lies 262 bytes less than the window back (zlib, MAX_DIST).
    window = min(max((len(data) + 262).bit_length(), 9), zlib.MAX_WBITS)
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -window)
    return packer.compress(data) + packer.flush()


def read_file(path: str) -> tuple[bytes, bool]:
    """A file's bytes, and whether its owner may execute it: the one bit of its mode that means something elsewhere.

    Raises ``BackendError`` ``file-unreadable``.
    """
    try:
        with open(path, "rb", buffering=0) as file:
            found = os.fstat(file.fileno())
            data = file.read(found.st_size + 1)
            if len(data) != found.st_size:  # it grew meanwhile, or is one of those files that know no size
                data += file.readall()
    except OSError as fault:
        raise BackendError(
            "file-unreadable",
            f"{path} cannot be read: {fault.strerror}",
            hint="make it readable, or leave it out with wheel-exclude and sdist-exclude",
        ) from None
    return data, bool(found.st_mode & stat.S_IXUSR)


def pack(member: Member) -> Packed:
    """Read (where it is a path) and compress one member."""
    name, source, executable = member
    data, marked = read_file(source) if isinstance(source, str) else (source, False)
    return Packed(name, data, marked if executable is None else executable)


def pack_all(members: Members) -> Iterator[Packed]:
    """Each member packed, in their order."""
    if len(members) >= _MANY:
        _Hash.room = -1
    threads = _threads() if len(members) >= _MANY else 1
    return map(pack, members) if threads == 1 else _together(members, threads)


def _threads() -> int:
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        cores = os.cpu_count() or 1
    return min(cores, _MOST_THREADS)


def _together(members: Members, threads: int) -> Iterator[Packed]:
    import threading

    batches = [members[start : start + _BATCH] for start in range(0, len(members), _BATCH)]
    done: dict[int, list[Packed] | BaseException] = {}
    turn = threading.Condition()
    taken = written = 0
    stopped = False

    def may_go_on() -> bool:
        return stopped or taken >= len(batches) or taken - written < _AHEAD * threads

    def work() -> None:
        nonlocal taken
        while True:
            with turn:
                turn.wait_for(may_go_on)
                if stopped or taken >= len(batches):
                    return
                number = taken
                taken += 1
            try:
                result: list[Packed] | BaseException = [pack(member) for member in batches[number]]
            except BaseException as fault:  # raised again where the member is asked for
                result = fault
            with turn:
                done[number] = result
                turn.notify_all()

    crew = [threading.Thread(target=work, daemon=True) for _ in range(threads)]
    for thread in crew:
        thread.start()
    try:
        for number in range(len(batches)):
            with turn:
                while number not in done:
                    turn.wait()
                result = done.pop(number)
                written = number + 1
                turn.notify_all()
            if isinstance(result, BaseException):
                raise result
            yield from result
    finally:
        with turn:
            stopped = True
            turn.notify_all()
        for thread in crew:
            thread.join()
