"""The METADATA of a wheel from a few byte ranges, when an index has no separate metadata file.

The end of the file is asked for first; wheels keep their ``.dist-info`` last (binary distribution format,
"Recommended archiver features"), so mostly nothing else is needed.  What is read is checked as far as it goes:
end records, the whole directory, and the header and checksum of the one member.  The rest is checked when the
wheel is installed.
"""

from __future__ import annotations

from ..errors import ArchiveError
from . import inflate
from .central import parse_directory, parse_ending, tail_size
from .limits import DEFAULT
from .wheel import find_dist_info
from .zipreader import local_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .limits import Limits

__all__ = ["metadata_from_tail"]

_HEADER_MOST = 30 + 0xFFFF  # a local header without its name: fixed part and extra fields


def metadata_from_tail(
    read: Callable[[int, int], bytes],
    total: int,
    filename: str,
    limits: Limits = DEFAULT,
    *,
    tail: bytes | None = None,
) -> bytes:
    """METADATA of the wheel ``filename``, ``total`` bytes long, through ``read(offset, length) -> bytes``.

    At most three calls (two when ``tail``, the last bytes of the file, is already here and long enough), asking for at most
    ``tail_bytes + directory_bytes + metadata_bytes`` and 64 KiB.  Raises ``ArchiveError`` as ``open_wheel``
    does, and ``archive-range-short`` when ``read`` gives another number of bytes than asked for.
    """
    if tail is None or not min(total, tail_size(limits)) <= len(tail) <= total:
        length = min(total, max(limits.tail_bytes, tail_size(limits)))
        tail = _exactly(read, total - length, length)
    have = total - len(tail)
    ending = parse_ending(tail, total, limits)
    if ending.offset >= have:
        directory = tail[ending.offset - have : ending.offset - have + ending.size]
    else:
        directory = _exactly(read, ending.offset, ending.size)
    files, folders = parse_directory(directory, ending, limits)
    by_name = {member.name: member for member in files}
    name = f"{find_dist_info(by_name, filename)}/METADATA"
    member = by_name.get(name)
    if member is None:
        raise ArchiveError("wheel-file-missing", f"the wheel has no {name}")
    if max(member.size, member.packed) > limits.metadata_bytes:
        raise ArchiveError("wheel-file-too-large", f"METADATA has more than {limits.metadata_bytes} bytes")
    begin = member.offset
    following = [other.offset for other in files + folders if other.offset > begin]
    end = min([*following, ending.offset, begin + member.packed + len(name.encode()) + _HEADER_MOST])
    if end < begin + member.packed:
        raise ArchiveError("archive-overlap", f"{name!r} overlaps what stands after it")
    block = tail[begin - have : end - have] if begin >= have else _exactly(read, begin, end - begin)

    def take(offset: int, length: int) -> bytes:
        return block[offset - begin : offset - begin + length]

    if local_end(take, directory, member) > end:
        raise ArchiveError("archive-overlap", f"{name!r} overlaps what stands after it")
    return inflate.inflate(take(member.start, member.packed), member.method, member.size, member.crc)


def _exactly(read: Callable[[int, int], bytes], offset: int, length: int) -> bytes:
    data = read(offset, length)
    if len(data) != length:
        raise ArchiveError(
            "archive-range-short", f"asked for {length} bytes at {offset}, the server sent {len(data)}"
        )
    return data
