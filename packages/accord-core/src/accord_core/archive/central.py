"""A zip's end records and central directory: bytes in, members out (PKWARE APPNOTE 6.3, sections 4.3.12 to 4.3.16).

One reading only.  Whatever two readers could take differently is refused: a second end record, a gap or text
around the directory, names in an unstated encoding, sizes said twice.  The members that come out obey every
limit; whether their local headers agree is for whoever holds the file.  Nothing here reads a file.
"""

from __future__ import annotations

from struct import Struct
from struct import error as struct_error

from ..errors import ArchiveError
from .paths import Paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .limits import Limits

__all__ = ["Ending", "Member", "Stamp", "parse_directory", "parse_ending", "read_stamp", "tail_size"]

_END = Struct("<4sHHHHLLH")
_END_MARK = b"PK\x05\x06"
_LOCATOR = Struct("<4sLQL")
_LOCATOR_MARK = b"PK\x06\x07"
_END64 = Struct("<4sQHHLLQQQQ")
_END64_MARK = b"PK\x06\x06"
_ENTRY = Struct("<4sHHHHHHLLLHHHHHLL")
_ENTRY_MARK = b"PK\x01\x02"
_ENTRY_SIZE = _ENTRY.size

_FULL16 = 0xFFFF
_FULL32 = 0xFFFFFFFF
_ENCRYPTED = 0x2041  # traditional, strong, masked directory
_UTF8 = 0x0800
_ALLOWED = 0x0006 | 0x0008 | _UTF8  # deflate level, data descriptor, UTF-8 names
_EXTRA_ZIP64 = 0x0001
_EXTRA_UNICODE_PATH = 0x7075
_KIND_FOLDER = 0o040000
_KIND_FILE = 0o100000
_KIND_LINK = 0o120000


class Member:
    """One file of an archive, as the directory tells it.

    ``size`` and ``packed`` are bytes unpacked and packed, ``offset`` is that of the local header, ``start``
    that of the data (0 until the local header was read), ``at`` the place of the entry in the directory.
    """

    __slots__ = ("at", "crc", "executable", "flags", "method", "name", "offset", "packed", "size", "start")

    def __init__(
        self,
        name: str,
        method: int,
        flags: int,
        size: int,
        packed: int,
        crc: int,
        offset: int,
        executable: bool,
        at: int,
    ) -> None:
        self.name = name
        self.method = method
        self.flags = flags
        self.size = size
        self.packed = packed
        self.crc = crc
        self.offset = offset
        self.executable = executable
        self.at = at
        self.start = 0

    def __repr__(self) -> str:
        return f"<Member {self.name!r} {self.size} bytes>"


class Stamp:
    """What the directory says of a member besides its contents; nothing that is installed depends on it.

    ``mode`` are the permission bits (0 where the maker knew none), ``date`` and ``time`` the words of DOS (APPNOTE
    4.4.6), local to whoever wrote them.
    """

    __slots__ = ("date", "mode", "time")

    def __init__(self, mode: int, date: int, time: int) -> None:
        self.mode = mode
        self.date = date
        self.time = time

    def __str__(self) -> str:
        """``1980-01-01 00:00:00``; what no calendar has is shown as it stands."""
        day = f"{(self.date >> 9) + 1980}-{self.date >> 5 & 15:02}-{self.date & 31:02}"
        return f"{day} {self.time >> 11:02}:{self.time >> 5 & 63:02}:{(self.time & 31) * 2:02}"


class Ending:
    """What the end records say: where the directory lies (``offset``, ``size``) and how many entries it has."""

    __slots__ = ("count", "offset", "size")

    def __init__(self, offset: int, size: int, count: int) -> None:
        self.offset = offset
        self.size = size
        self.count = count


def tail_size(limits: Limits) -> int:
    """How many bytes from the end hold every end record an acceptable archive can have."""
    return _END.size + _LOCATOR.size + _END64.size + limits.comment_bytes


def parse_ending(tail: bytes, total: int, limits: Limits) -> Ending:
    """The end records from the last bytes of an archive ``total`` bytes long.

    ``tail`` holds at least ``min(total, tail_size(limits))`` bytes.  Raises ``ArchiveError``:
    ``archive-not-zip``, ``archive-trailing-data``, ``archive-comment-too-long``, ``archive-ambiguous-end``,
    ``archive-multi-disk``, ``archive-zip64-invalid``, ``archive-directory-misplaced``,
    ``archive-directory-too-large``, ``archive-too-many-entries``.
    """
    place = _end_place(tail, limits)
    base = total - len(tail)
    _, disk, start_disk, here, count, size, offset, _ = _END.unpack_from(tail, place)
    if disk or start_disk or here != count:
        raise ArchiveError("archive-multi-disk", "the archive is part of a set of several disks")
    end = base + place
    locator = place - _LOCATOR.size
    if locator >= 0 and tail.startswith(_LOCATOR_MARK, locator):
        count, size, offset = _zip64(tail, base, locator, (count, size, offset))
        end = base + locator - _END64.size
    if count > limits.entries:
        raise ArchiveError("archive-too-many-entries", f"{count} entries, more than {limits.entries}")
    if size > limits.directory_bytes:
        raise ArchiveError(
            "archive-directory-too-large",
            f"the directory has {size} bytes, more than {limits.directory_bytes}",
        )
    if offset + size != end:
        raise ArchiveError(
            "archive-directory-misplaced",
            "the directory is not where the end record says: data stand before the archive, or inside it",
        )
    return Ending(offset, size, count)


def _end_place(tail: bytes, limits: Limits) -> int:
    place = tail.rfind(_END_MARK)
    if place < 0:
        raise ArchiveError(
            "archive-not-zip",
            "there is no end of a zip archive: the file is cut off or something else",
            hint="download it again; if it stays so, the file on the index is damaged",
        )
    simple = len(tail) - _END.size
    if place != simple:
        first = tail.find(_END_MARK, max(0, simple - limits.comment_bytes))
        if first >= 0 and first != place and _END.size + first <= len(tail):
            raise ArchiveError("archive-ambiguous-end", "the archive has more than one end record")
        if place > simple:
            raise ArchiveError("archive-not-zip", "the end record is cut off")
    comment = _END.unpack_from(tail, place)[7]
    if comment > limits.comment_bytes:
        raise ArchiveError(
            "archive-comment-too-long", f"a comment of {comment} bytes, more than {limits.comment_bytes}"
        )
    if place + _END.size + comment != len(tail):
        raise ArchiveError("archive-trailing-data", "the file does not end where the archive ends")
    return place


def _zip64(tail: bytes, base: int, locator: int, plain: tuple[int, int, int]) -> tuple[int, int, int]:
    _, disk, place, disks = _LOCATOR.unpack_from(tail, locator)
    record = locator - _END64.size
    if disk or disks > 1:
        raise ArchiveError("archive-multi-disk", "the archive is part of a set of several disks")
    if record < 0 or place != base + record or not tail.startswith(_END64_MARK, record):
        raise ArchiveError("archive-zip64-invalid", "the zip64 end record is not before its locator")
    _, length, _, _, disk, start_disk, here, count, size, offset = _END64.unpack_from(tail, record)
    if disk or start_disk or here != count:
        raise ArchiveError("archive-multi-disk", "the archive is part of a set of several disks")
    if length != _END64.size - 12:
        raise ArchiveError("archive-zip64-invalid", "the zip64 end record has an extension")
    said = zip(plain, (count, size, offset), (_FULL16, _FULL32, _FULL32), strict=True)
    if any(short not in (long, full) for short, long, full in said):
        raise ArchiveError("archive-zip64-invalid", "the two end records disagree")
    return count, size, offset


def parse_directory(directory: bytes, ending: Ending, limits: Limits) -> tuple[list[Member], list[Member]]:
    """``(files, folders)`` of a central directory, in its order; folder names keep their closing ``/``.

    Raises ``ArchiveError`` with the code of the first rule broken: those of :mod:`~accord_core.archive.paths`,
    and ``archive-directory-invalid``, ``archive-encrypted``, ``archive-flags-unknown``,
    ``archive-method-unknown``, ``archive-name-encoding``, ``archive-extra-invalid``, ``archive-link``,
    ``archive-special-file``, ``archive-zip64-invalid``, ``archive-multi-disk``, ``archive-file-too-large``,
    ``archive-too-large``, ``archive-file-ratio``, ``archive-ratio``, ``archive-size-wrong``.
    """
    files: list[Member] = []
    folders: list[Member] = []
    paths = Paths(limits)
    at = total = packed_total = 0
    try:
        for _ in range(ending.count):
            member, kind, after = _entry(directory, at)
            at = after
            if kind:
                folders.append(member)
                paths.add_folder(member.name[:-1])
                continue
            files.append(member)
            paths.add_file(member.name)
            total += member.size
            packed_total += member.packed
            if member.size > limits.file_ratio_floor:
                _check_size(member, limits)
    except struct_error:
        raise ArchiveError("archive-directory-invalid", "the directory is cut off") from None
    if at != len(directory):
        raise ArchiveError("archive-directory-invalid", "the directory has more than its entries")
    paths.finish()
    if total > limits.total_bytes:
        raise ArchiveError("archive-too-large", f"{total} bytes unpacked, more than {limits.total_bytes}")
    if total > limits.total_ratio_floor and total > packed_total * limits.total_ratio:
        raise ArchiveError(
            "archive-ratio", f"the archive unpacks to more than {limits.total_ratio} times its size"
        )
    return files, folders


def _entry(directory: bytes, at: int) -> tuple[Member, bool, int]:
    (
        mark, _, _, flags, method, _, _, crc, packed, size,
        name_size, extra_size, comment_size, disk, _, attributes, offset,
    ) = _ENTRY.unpack_from(directory, at)  # fmt: skip
    name_end = at + _ENTRY_SIZE + name_size
    after = name_end + extra_size + comment_size
    if mark != _ENTRY_MARK or after > len(directory):
        raise ArchiveError("archive-directory-invalid", "an entry of the directory is damaged")
    raw = directory[at + _ENTRY_SIZE : name_end]
    if flags & ~_ALLOWED:
        code = "archive-encrypted" if flags & _ENCRYPTED else "archive-flags-unknown"
        raise ArchiveError(code, f"{raw!r} is encrypted or has unknown flags ({flags:#06x})")
    try:
        name = raw.decode("utf-8" if flags & _UTF8 else "ascii")
    except UnicodeDecodeError:
        raise ArchiveError("archive-name-encoding", f"the name {raw!r} is not the UTF-8 it must be") from None
    if extra_size or _FULL32 in (size, packed, offset):
        extra = directory[name_end : name_end + extra_size]
        size, packed, offset = read_extra(extra, name, size, packed, offset)
    if disk:
        raise ArchiveError("archive-multi-disk", f"{name!r} is said to be on another disk")
    folder = name.endswith("/")
    mode = attributes >> 16
    kind = mode & 0o170000
    if kind and kind != (_KIND_FOLDER if folder else _KIND_FILE):
        if kind == _KIND_LINK:
            raise ArchiveError("archive-link", f"{name!r} is a symbolic link")
        raise ArchiveError(
            "archive-special-file", f"{name!r} is not a plain {'folder' if folder else 'file'}"
        )
    if method == 0:
        if packed != size:
            raise ArchiveError("archive-size-wrong", f"{name!r} is stored with two different sizes")
    elif method != 8:
        raise ArchiveError("archive-method-unknown", f"{name!r} is packed with method {method}, not deflate")
    if folder and (size or crc or packed > 2):  # 2: deflate's spelling of nothing
        raise ArchiveError("archive-special-file", f"the folder {name!r} holds data")
    return Member(name, method, flags, size, packed, crc, offset, bool(mode & 0o111), at), folder, after


def read_stamp(directory: bytes, at: int) -> Stamp:
    """The :class:`Stamp` of the entry at ``at``, of a directory that was parsed."""
    time = directory[at + 12] | directory[at + 13] << 8
    date = directory[at + 14] | directory[at + 15] << 8
    mode = (directory[at + 40] | directory[at + 41] << 8) & 0o7777
    return Stamp(mode, date, time)


def read_extra(extra: bytes, name: str, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """``size, packed, offset`` with what a zip64 extra field adds (APPNOTE 4.5.3); others are checked for form.

    Readers differ in whether they believe a field that was not asked for (Bazel writes such), so it may only
    repeat what the header says.
    """
    plain = (size, packed, offset)
    wanted = [value == _FULL32 for value in plain]
    seen = False
    at = 0
    while at < len(extra):
        kind = int.from_bytes(extra[at : at + 2], "little")
        length = int.from_bytes(extra[at + 2 : at + 4], "little")
        body = extra[at + 4 : at + 4 + length]
        at += 4 + length
        if at > len(extra):
            raise ArchiveError("archive-extra-invalid", f"an extra field of {name!r} is damaged")
        if kind == _EXTRA_UNICODE_PATH:
            raise ArchiveError("archive-extra-invalid", f"{name!r} has a second name in an extra field")
        if kind != _EXTRA_ZIP64:
            continue
        longs = [int.from_bytes(body[i : i + 8], "little") for i in range(0, length, 8)]
        if seen or length != 8 * sum(wanted):
            if seen or any(wanted) or length != 16 or longs != [size, packed]:
                raise ArchiveError("archive-zip64-invalid", f"{name!r} says its sizes twice, and differently")
            longs = []
        seen = True
        size, packed, offset = (
            longs.pop(0) if longs and full else value for full, value in zip(wanted, plain, strict=True)
        )
    if any(wanted) and not seen:
        raise ArchiveError("archive-zip64-invalid", f"{name!r} lacks its zip64 sizes")
    return size, packed, offset


def _check_size(member: Member, limits: Limits) -> None:
    if member.size > limits.file_bytes:
        raise ArchiveError(
            "archive-file-too-large",
            f"{member.name!r} has {member.size} bytes, more than {limits.file_bytes}",
        )
    if member.size > member.packed * limits.file_ratio:
        raise ArchiveError(
            "archive-file-ratio", f"{member.name!r} unpacks to more than {limits.file_ratio} times its size"
        )
