"""One way to look into wheels and sdists: their files as they stand in the archive, digests of them, and bytes.

What may be opened is decided by ``accord_core.archive``; this room adds modes, times, owners and order, which nobody
who installs has a use for and everybody who compares.  It reads and writes nothing down.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.wheels.limits import DEFAULT
from accord_core.archive import sdist
from accord_core.archive.zipreader import open_zip
from accord_core.errors import ArchiveError, UsageError, Where
from accord_core.index.filenames import SDIST, WHEEL, kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from accord.wheels.limits import Limits
    from accord_core.archive.zipreader import Zip

__all__ = ["Contents", "File", "kind_of", "open_contents", "sha256_of"]

_METHODS = {0: "stored", 8: "deflate"}


@dataclass(frozen=True, slots=True)
class File:
    """A file as it stands in an archive.

    ``path`` is below the one folder of an sdist.  ``kind`` is ``file``, ``link`` or ``hard link`` (to ``target``);
    ``packed`` and ``method`` (``stored``, ``deflate``) are of zip archives, ``owner`` is of tar archives; ``when`` is
    local time of the maker in a zip, UTC in a tar.
    """

    path: str
    size: int
    mode: int
    when: str
    packed: int | None = None
    method: str = ""
    owner: str = ""
    kind: str = "file"
    target: str = ""

    def as_dict(self) -> dict[str, object]:
        return {
            "path": self.path,
            "size": self.size,
            "packed": self.packed,
            "mode": f"{self.mode:04o}",
            "time": self.when,
            "method": self.method or None,
            "kind": self.kind,
            "target": self.target or None,
        }


class Contents:
    """An open wheel or sdist: ``files`` in order, the ``top`` folder of an sdist, ``kind`` (``wheel``, ``sdist``).

    ``archive`` is the open zip, ``None`` for a tar, which is read again from its start each time.
    """

    __slots__ = ("_limits", "archive", "files", "kind", "path", "top")

    def __init__(self, path: str, kind: str, archive: Zip | None, limits: Limits) -> None:
        self.path = path
        self.kind = kind
        self.archive = archive
        self._limits = limits
        self.top = ""
        self.files: tuple[File, ...] = ()

    @property
    def filename(self) -> str:
        return os.path.basename(self.path)

    def each(self, wanted: Collection[str] | None = None) -> Iterator[tuple[str, Iterator[bytes]]]:
        """``(path, its bytes)`` of every plain file, or of those ``wanted``, in order; each verified as it is read."""
        cut = len(self.top) + 1 if self.top else 0
        if self.archive is not None:
            for member in self.archive.members:
                path = member.name[cut:]
                if wanted is None or path in wanted:
                    yield path, self.archive.stream(member)
            return
        for entry, content in sdist.walk(self.path, self._limits.archive):
            path = entry.name[cut:]
            if entry.kind == "file" and (wanted is None or path in wanted):
                yield path, content

    def digests(self) -> dict[str, str]:
        """The hex sha256 of every plain file."""
        found = {}
        for path, content in self.each():
            running = hashlib.sha256()
            for piece in content:
                running.update(piece)
            found[path] = running.hexdigest()
        return found

    def read(self, wanted: Collection[str], most: int) -> dict[str, bytes]:
        """The bytes of those of the ``wanted`` files that are not longer than ``most``."""
        short = {file.path for file in self.files if file.size <= most}.intersection(wanted)
        return {path: b"".join(content) for path, content in self.each(short)} if short else {}

    def close(self) -> None:
        if self.archive is not None:
            self.archive.close()

    def __enter__(self) -> Contents:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def kind_of(path: str) -> str:
    """``wheel`` or ``sdist``, by the file's name.  ``UsageError`` ``distribution-kind-unknown``, ``file-not-found``,
    ``ArchiveError`` ``archive-unreadable``."""
    name = os.path.basename(path)
    found = kind(name)
    if found not in (WHEEL, SDIST):
        raise UsageError(
            "distribution-kind-unknown",
            f"{name} is neither a wheel (.whl) nor an sdist (.tar.gz, .zip) by its name",
            hint="a name may not be changed: it says what the file is",
        )
    if not os.path.isfile(path):
        raise UsageError("file-not-found", f"there is no file {path}", hint="check the path")
    if not os.access(path, os.R_OK):
        raise ArchiveError("archive-unreadable", "the file may not be read", where=Where(path))
    return found


def open_contents(path: str, limits: Limits = DEFAULT) -> Contents:
    """Look into the wheel or sdist at ``path``; raises as :func:`kind_of`, ``open_zip`` and ``sdist.walk`` do, and
    ``ArchiveError`` ``sdist-several-folders``, ``sdist-empty``."""
    what = kind_of(path)
    zipped = path.lower().endswith((".whl", ".zip"))
    contents = Contents(path, what, open_zip(path, limits.archive) if zipped else None, limits)
    try:
        files = list(_zipped(contents.archive) if contents.archive is not None else _tarred(path, limits))
        if what == SDIST:
            contents.top = _top(files, path)
            cut = len(contents.top) + 1
            files = [_below(file, cut) for file in files]
        contents.files = tuple(files)
    except BaseException:
        contents.close()
        raise
    return contents


def _zipped(archive: Zip) -> Iterator[File]:
    stamps = archive.stamps()
    for member in archive.members:
        stamp = stamps[member.name]
        yield File(
            member.name, member.size, stamp.mode, str(stamp), member.packed, _METHODS.get(member.method, "")
        )


def _tarred(path: str, limits: Limits) -> Iterator[File]:
    for entry, _ in sdist.walk(path, limits.archive):
        if entry.kind != "folder":
            yield File(
                entry.name,
                entry.size,
                entry.mode,
                _utc(entry.when),
                owner=entry.owner,
                kind=entry.kind,
                target=entry.target,
            )


def _utc(when: int) -> str:
    from datetime import UTC, datetime

    try:
        return f"{datetime.fromtimestamp(when, UTC):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return f"{when} s"  # a year no calendar has


def _top(files: list[File], path: str) -> str:
    tops = {file.path.partition("/")[0] for file in files}
    if len(tops) > 1 or any("/" not in file.path for file in files):
        raise ArchiveError("sdist-several-folders", "the sdist holds more than one folder", where=Where(path))
    if not tops:
        raise ArchiveError("sdist-empty", "the sdist holds nothing", where=Where(path))
    return tops.pop()


def _below(file: File, cut: int) -> File:
    from dataclasses import replace

    return replace(file, path=file.path[cut:])


def sha256_of(path: str) -> str:
    """The hex sha256 of a file on disk."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
