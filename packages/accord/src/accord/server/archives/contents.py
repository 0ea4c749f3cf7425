"""Every byte of an uploaded archive is read once: what RECORD and checksums say of it is true, or it is refused.

The rooms of ``accord_core.archive`` refuse what two readers could take differently (zip confusion), what leads out of a
folder, and what unpacks to more than anybody means.  This room adds what an index asks beyond that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord_core.archive.limits import Limits
from accord_core.archive.sdist import beside, extract_tar, several
from accord_core.archive.wheel import open_wheel
from accord_core.errors import ArchiveError

if TYPE_CHECKING:
    from accord_core.archive.wheel import Wheel

__all__ = ["LIMITS", "Contents", "read_sdist", "read_wheel"]

LIMITS = Limits(total_bytes=8 << 30, total_ratio=50)
"""An index unpacks in its own time what strangers packed: it takes half of what an installer takes."""

_DESCRIPTOR = 0x0008


@dataclass(frozen=True, slots=True)
class Contents:
    """``names`` are the files as they lie in the archive; ``tags`` the wheel's, as WHEEL says them; ``top`` the folder
    whose name says what it is (an sdist's one, a wheel's ``.dist-info``)."""

    metadata: bytes
    names: frozenset[str]
    top: str
    tags: tuple[str, ...] = ()


def read_wheel(path: str, filename: str, limits: Limits = LIMITS) -> Contents:
    """Raises ``ArchiveError``, those of ``open_wheel`` and of reading every member, and ``archive-descriptor-ambiguous``,
    ``archive-comment-hidden``."""
    with open_wheel(path, limits, filename=filename) as wheel:
        _unambiguous(wheel)
        wheel.metadata()
        wheel.entry_points()
        for member in wheel.members:
            for _ in wheel.stream(member):
                pass
        return Contents(
            wheel.metadata_bytes(),
            frozenset(member.name for member in wheel.members),
            wheel.dist_info,
            wheel.wheel_file.tags,
        )


def _unambiguous(wheel: Wheel) -> None:
    for member in wheel.members:
        if member.flags & _DESCRIPTOR and member.method == 0 and member.size:
            raise ArchiveError(
                "archive-descriptor-ambiguous",
                f"where {member.name!r} ends is said only behind it: it is stored, with a data descriptor",
            )
    commented = wheel.commented()
    if commented is not None:
        raise ArchiveError("archive-comment-hidden", f"the directory holds a comment of {commented!r}")


def read_sdist(path: str, limits: Limits = LIMITS) -> Contents:
    """Raises ``ArchiveError``, those of ``accord_core.archive.sdist.extract``, but writes nothing, and
    ``sdist-metadata-missing``."""
    seen = _Seen(limits)
    extract_tar(path, seen, limits)
    if seen.metadata is None:
        raise ArchiveError("sdist-metadata-missing", "the sdist has no PKG-INFO")
    return Contents(seen.metadata, frozenset(seen.names), seen.top())


class _Seen:
    """What an sdist would be unpacked to, with nothing kept but its names and its PKG-INFO."""

    def __init__(self, limits: Limits) -> None:
        self.names: set[str] = set()
        self.metadata: bytes | None = None
        self._top = ""
        self._limits = limits

    def top(self) -> str:
        if not self._top:
            raise ArchiveError("sdist-empty", "the sdist holds nothing")
        return self._top

    def folder(self, name: str) -> None:
        top = name.partition("/")[0]
        if top != (self._top or top):
            raise several(self._top, top)
        self._top = top

    def file(self, name: str, content: Iterator[bytes], *, executable: bool) -> None:
        if "/" not in name:
            raise beside(name)
        self.folder(name)
        self.names.add(name)
        if name == f"{self._top}/PKG-INFO":
            self.metadata = self._read(content)
        for _ in content:
            pass

    def _read(self, content: Iterator[bytes]) -> bytes:
        data = bytearray()
        for piece in content:
            data += piece
            if len(data) > self._limits.metadata_bytes:
                raise ArchiveError(
                    "archive-file-too-large", f"PKG-INFO has more than {self._limits.metadata_bytes} bytes"
                )
        return bytes(data)

    def content(self, name: str) -> Iterator[bytes]:
        return iter(())

    def link(self, name: str, place: str) -> None:
        self.folder(name)
        self.names.add(name)
