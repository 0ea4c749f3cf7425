"""A zip file on disk: its directory, its local headers held against it, its members.

Opening reads and checks everything but the packed data: each local header says what the directory says, and the
members follow each other from the first byte to the directory with nothing between, before or after.  So there
is no second archive inside the archive, whichever way a reader looks for it.  Reading a member checks its size
and checksum.  One open archive may be read from many threads.
"""

from __future__ import annotations

import os
from struct import Struct

from ..errors import ArchiveError, Where
from . import inflate
from .central import (
    Ending,
    Member,
    Stamp,
    parse_directory,
    parse_ending,
    read_extra,
    read_stamp,
    tail_size,
)
from .limits import DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from .limits import Limits

    Take = Callable[[int, int], bytes | memoryview]

__all__ = ["Zip", "open_zip", "verify_local"]

_LOCAL = Struct("<4sHHHHHLLLHH")
_LOCAL_MARK = b"PK\x03\x04"
_LOCAL_SIZE = _LOCAL.size
_DESCRIPTOR_FLAG = 0x0008
_WHOLE = 64 << 20  # archives up to this size are read in one call; larger ones piece by piece
_PIECE = 1 << 20


class Zip:
    """An open archive.  ``members`` are its files, ``folders`` the names of its folder entries; both in order.

    A context manager; :meth:`close` is safe to repeat.
    """

    __slots__ = ("_close", "_ending", "_take", "folders", "limits", "members", "path")

    def __init__(
        self,
        path: str,
        take: Take,
        close: Callable[[], None],
        *,
        ending: Ending,
        members: tuple[Member, ...],
        folders: tuple[str, ...],
        limits: Limits,
    ) -> None:
        self.path = path
        self._take = take
        self._close = close
        self._ending = ending
        self.members = members
        self.folders = folders
        self.limits = limits

    def read(self, member: Member) -> bytes:
        """The member's bytes, size and checksum verified.  Raises ``ArchiveError`` as ``inflate`` does."""
        try:
            return inflate.inflate(
                self._take(member.start, member.packed), member.method, member.size, member.crc
            )
        except ArchiveError as fault:
            raise _placed(fault, self.path, member.name) from None

    def stream(self, member: Member, *, chunk: int = _PIECE) -> Iterator[bytes]:
        """The member in chunks of up to ``chunk`` bytes; verified only once the iterator is exhausted."""
        try:
            yield from inflate.inflate_stream(
                self.packed(member), member.method, member.size, member.crc, chunk=chunk
            )
        except ArchiveError as fault:
            raise _placed(fault, self.path, member.name) from None

    def packed(self, member: Member) -> Iterator[bytes]:
        """The packed bytes as they lie in the archive, for whoever writes them into another; nothing is verified."""
        end = member.start + member.packed
        for start in range(member.start, end, _PIECE):
            yield bytes(self._take(start, min(_PIECE, end - start)))

    def stamps(self) -> dict[str, Stamp]:
        """Modes and times by member name.  Read on demand: whoever installs has no use for them."""
        directory = bytes(self._take(self._ending.offset, self._ending.size))
        return {member.name: read_stamp(directory, member.at) for member in self.members}

    def commented(self) -> str | None:
        """The first member the directory has a comment on (APPNOTE 4.4.18), which nobody who installs ever sees."""
        directory = bytes(self._take(self._ending.offset, self._ending.size))
        return next(
            (one.name for one in self.members if directory[one.at + 32] or directory[one.at + 33]), None
        )

    def close(self) -> None:
        self._close()

    def __enter__(self) -> Zip:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()


def open_zip(path: str, limits: Limits = DEFAULT) -> Zip:
    """Open and check the archive at ``path``.

    Raises ``ArchiveError`` (``archive-unreadable`` where the file cannot be opened; otherwise those of
    :mod:`~accord_core.archive.central` and :func:`verify_local`), each with the path in ``where``.
    """
    try:
        source = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as fault:
        raise ArchiveError(
            "archive-unreadable", f"the archive cannot be read: {fault.strerror}", where=Where(path)
        ) from fault
    closed = False

    def close() -> None:
        nonlocal closed
        if not closed:
            closed = True
            os.close(source)

    try:
        total = os.fstat(source).st_size
        if total <= _WHOLE:
            take = _slices(_read_all(source, total))
            close()
        else:
            take = _reader(source)
        return _opened(path, take, close, total, limits)
    except ArchiveError as fault:
        close()
        raise _placed(fault, path) from None
    except BaseException:
        close()
        raise


def _opened(path: str, take: Take, close: Callable[[], None], total: int, limits: Limits) -> Zip:
    length = min(total, tail_size(limits))
    ending = parse_ending(bytes(take(total - length, length)), total, limits)
    directory = bytes(take(ending.offset, ending.size))
    if len(directory) != ending.size:
        raise ArchiveError("archive-truncated", "the file is shorter than it was a moment ago")
    files, folders = parse_directory(directory, ending, limits)
    verify_local(take, directory, ending, files + folders if folders else files)
    names = tuple(folder.name for folder in folders)
    return Zip(path, take, close, ending=ending, members=tuple(files), folders=names, limits=limits)


def _read_all(source: int, total: int) -> bytes:
    pieces = []
    while total > 0:
        piece = os.read(source, total)
        if not piece:
            break
        pieces.append(piece)
        total -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _slices(data: bytes) -> Take:
    view = memoryview(data)

    def take(offset: int, length: int) -> memoryview:
        return view[offset : offset + length]

    return take


def _reader(source: int) -> Take:
    # Not a memory map: a mapped file that someone cuts short kills the process instead of raising.
    if hasattr(os, "pread"):

        def take(offset: int, length: int) -> bytes:
            data = os.pread(source, length, offset)
            while len(data) < length:
                more = os.pread(source, length - len(data), offset + len(data))
                if not more:
                    break
                data += more
            return data

        return take
    import threading

    turn = threading.Lock()

    def take_in_turn(offset: int, length: int) -> bytes:
        with turn:
            os.lseek(source, offset, os.SEEK_SET)
            return _read_all(source, length)

    return take_in_turn


def verify_local(take: Take, directory: bytes, ending: Ending, members: list[Member]) -> None:
    """Hold every local header against the directory and set each member's ``start``.

    Raises ``ArchiveError``: ``archive-header-disagrees``, ``archive-descriptor-disagrees``,
    ``archive-overlap``, ``archive-gap``, ``archive-truncated``, ``archive-extra-invalid``,
    ``archive-zip64-invalid``.
    """
    ordered = sorted(members, key=_offset)
    expected = 0
    limit = ending.offset
    last = len(ordered) - 1
    for number, member in enumerate(ordered):
        offset = member.offset
        if offset != expected:
            raise _misplaced(offset, expected, member.name)
        end = local_end(take, directory, member)
        if member.flags & _DESCRIPTOR_FLAG:
            following = limit if number == last else ordered[number + 1].offset
            end = _descriptor(take, member, end, following)
        expected = end
    if expected != limit:
        raise _misplaced(limit, expected, "the directory")


def _offset(member: Member) -> int:
    return member.offset


def local_end(take: Take, directory: bytes, member: Member) -> int:
    """Check one local header, set ``member.start`` and return where its packed data end."""
    at = member.at
    name_size = directory[at + 28] | directory[at + 29] << 8
    offset = member.offset
    head = bytes(take(offset, _LOCAL_SIZE + name_size))
    if len(head) != _LOCAL_SIZE + name_size:
        raise ArchiveError("archive-truncated", f"the header of {member.name!r} is cut off")
    extra_size = head[28] | head[29] << 8
    # The two headers hold the same fields in the same order, from "version needed" to the length of the name.
    if (
        head[4:28] != directory[at + 6 : at + 30]
        or head[30:] != directory[at + 46 : at + 46 + name_size]
        or not head.startswith(_LOCAL_MARK)
        or extra_size
    ):
        raw = directory[at + 46 : at + 46 + name_size]
        _compare(head, bytes(take(offset + len(head), extra_size)), raw, extra_size, member)
    start = offset + _LOCAL_SIZE + name_size + extra_size
    member.start = start
    return start + member.packed


def _compare(head: bytes, extra: bytes, raw: bytes, extra_size: int, member: Member) -> None:
    mark, _, flags, method, _, _, crc, packed, size, name_size, _ = _LOCAL.unpack_from(head)
    if len(extra) != extra_size:
        raise ArchiveError("archive-truncated", f"the header of {member.name!r} is cut off")
    if mark != _LOCAL_MARK:
        raise ArchiveError("archive-header-disagrees", f"there is no header where {member.name!r} should be")
    size, packed, _ = read_extra(extra, member.name, size, packed, 0)
    later = bool(flags & _DESCRIPTOR_FLAG)
    sizes = (crc, packed, size)
    truth = (member.crc, member.packed, member.size)
    if (
        name_size != len(raw)
        or head[_LOCAL_SIZE:] != raw
        or flags != member.flags
        or method != member.method
        or not (sizes == truth or (later and not any(sizes)))
    ):
        raise ArchiveError(
            "archive-header-disagrees",
            f"the header of {member.name!r} says something else than the directory",
            hint="do not use this archive: it can show different contents to different tools",
        )


def _descriptor(take: Take, member: Member, end: int, following: int) -> int:
    """Where the data descriptor (APPNOTE 4.3.9) after ``member`` ends; it must repeat the directory."""
    size = following - end
    for width in (4, 8):
        try:
            body = (
                member.crc.to_bytes(4, "little")
                + member.packed.to_bytes(width, "little")
                + member.size.to_bytes(width, "little")
            )
        except OverflowError:
            continue
        for form in (b"PK\x07\x08" + body, body):
            if len(form) == size and bytes(take(end, size)) == form:
                return following
    raise ArchiveError(
        "archive-descriptor-disagrees", f"the descriptor after {member.name!r} is not what the directory says"
    )


def _misplaced(offset: int, expected: int, what: str) -> ArchiveError:
    if offset < expected:
        return ArchiveError("archive-overlap", f"{what!r} overlaps what stands before it")
    return ArchiveError("archive-gap", f"{offset - expected} bytes before {what!r} belong to nothing")


def _placed(fault: ArchiveError, path: str, member: str | None = None) -> ArchiveError:
    if fault.where is None:
        fault.where = Where(path, key=member)
    return fault
