"""Source distributions: ``.tar.gz`` (PEP 517, PEP 625) and legacy ``.zip``, read and unpacked safely.

An sdist is one folder of plain files.  Links may only lead from one of its files to another, and nothing is ever
written through a link: files come first, links last.  Owners, times, set-user-id bits and everything else a tar
can carry stay behind.  :func:`extract` writes below the folder it is given and nowhere else; the other functions
only read.  Every number is held to ``Limits`` while the data are unpacked, so a bomb costs what the limit allows.
"""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import zlib

from ..errors import ArchiveError, Where
from .limits import DEFAULT
from .metadata import Metadata, parse_metadata
from .paths import Paths, fold
from .zipreader import open_zip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol, Self

    from .limits import Limits
    from .zipreader import Zip

    class Target(Protocol):
        """What an sdist is unpacked to: folders and files as they come, then what is linked.  ``content`` is asked of a file
        that was given before."""

        def top(self) -> str: ...
        def folder(self, name: str) -> None: ...
        def file(self, name: str, content: Iterator[bytes], *, executable: bool) -> None: ...
        def content(self, name: str) -> Iterator[bytes]: ...
        def link(self, name: str, place: str) -> None: ...


__all__ = ["SdistMember", "extract", "pkg_info", "sdist_metadata", "walk"]

_PIECE = 1 << 20
_GZIP = 31  # zlib's number for "deflate in a gzip member, full window"
_KINDS = {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE}


def extract(path: str, folder: str, limits: Limits = DEFAULT) -> str:
    """Unpack the sdist at ``path`` below the existing ``folder``; returns the path of its one top folder.

    Files get mode 0644 or 0755.  On any failure what was unpacked is removed again.  Raises ``ArchiveError``:
    those of :mod:`~accord_core.archive.paths`, ``sdist-kind-unknown``, ``sdist-several-folders``,
    ``sdist-empty``, ``sdist-folder-exists``, ``archive-link-out``, ``archive-link-through-link``,
    ``archive-link-target-missing``, ``archive-special-file``, ``archive-too-many-entries``,
    ``archive-too-large``, ``archive-ratio``, ``archive-data-broken``, ``archive-truncated``,
    ``archive-trailing-data``, ``archive-unreadable``, ``archive-unwritable``.
    """
    target = _Target(folder)
    try:
        if path.endswith(".zip"):
            with open_zip(path, limits) as archive:
                _extract_zip(archive, target)
        else:
            extract_tar(path, target, limits)
        return target.finish()
    except ArchiveError as fault:
        target.remove()
        if fault.where is None:
            fault.where = Where(path)
        raise
    except OSError as fault:
        target.remove()
        raise ArchiveError(
            "archive-unwritable", f"the sdist cannot be unpacked: {fault.strerror}", where=Where(path)
        ) from fault
    except BaseException:
        target.remove()
        raise


def pkg_info(path: str, limits: Limits = DEFAULT) -> bytes:
    """``PKG-INFO`` of the top folder.  Raises as :func:`extract`, and ``sdist-metadata-missing``."""
    try:
        found = _pkg_info_zip(path, limits) if path.endswith(".zip") else _pkg_info_tar(path, limits)
        if found is None:
            raise ArchiveError(
                "sdist-metadata-missing",
                "the sdist has no PKG-INFO",
                hint="it must be built to know its needs",
            )
        return found
    except ArchiveError as fault:
        if fault.where is None:
            fault.where = Where(path)
        raise


def sdist_metadata(path: str, limits: Limits = DEFAULT) -> Metadata:
    """``PKG-INFO`` parsed; ask :meth:`Metadata.is_static` before believing its dependencies (PEP 643)."""
    return parse_metadata(pkg_info(path, limits))


class SdistMember:
    """An entry of a tar as it stands there: ``kind`` is ``file``, ``folder``, ``link`` or ``hard link`` (``target`` is
    where it leads), ``mode`` its permission bits, ``when`` seconds since 1970, ``owner`` ``user:group`` and numbers."""

    __slots__ = ("kind", "mode", "name", "owner", "size", "target", "when")

    def __init__(self, entry: tarfile.TarInfo) -> None:
        self.name = _name(entry)
        self.kind = {tarfile.DIRTYPE: "folder", tarfile.SYMTYPE: "link", tarfile.LNKTYPE: "hard link"}.get(
            entry.type, "file"
        )
        self.size = entry.size if self.kind == "file" else 0
        self.mode = entry.mode & 0o7777
        self.when = int(entry.mtime)
        self.owner = f"{entry.uname}:{entry.gname} {entry.uid}:{entry.gid}"
        self.target = entry.linkname if "link" in self.kind else ""


def walk(path: str, limits: Limits = DEFAULT) -> Iterator[tuple[SdistMember, Iterator[bytes]]]:
    """Every entry of a ``.tar.gz`` in its order, with its content, which must be read before the next is asked for.

    Writes nothing.  Raises as :func:`extract`, but that links are only shown; folders, too, are entries.
    """
    paths = Paths(limits)
    try:
        with _Expanded(path, limits) as source:
            for entry in _entries(source, limits):
                member = SdistMember(entry)
                if member.kind != "folder":
                    paths.add_file(member.name)
                elif member.name:
                    paths.add_folder(member.name, repeatable=True)
                yield member, _content(source, entry) if member.kind == "file" else iter(())
            source.finish()
        paths.finish()
    except ArchiveError as fault:
        if fault.where is None:
            fault.where = Where(path)
        raise


def _pkg_info_zip(path: str, limits: Limits) -> bytes | None:
    with open_zip(path, limits) as archive:
        for member in archive.members:
            if member.name.count("/") == 1 and member.name.endswith("/PKG-INFO"):
                _check_metadata_size(member.size, limits)
                return archive.read(member)
    return None


def _pkg_info_tar(path: str, limits: Limits) -> bytes | None:
    with _Expanded(path, limits) as source:
        for entry in _entries(source, limits):
            name = _name(entry)
            if name.count("/") == 1 and name.endswith("/PKG-INFO") and entry.isreg():
                _check_metadata_size(entry.size, limits)
                return b"".join(_content(source, entry))
    return None


def _check_metadata_size(size: int, limits: Limits) -> None:
    if size > limits.metadata_bytes:
        raise ArchiveError("archive-file-too-large", f"PKG-INFO has more than {limits.metadata_bytes} bytes")


class _Expanded(io.RawIOBase):
    """The bytes of a gzip file, member after member, counted against ``total_bytes`` and ``total_ratio``.

    Seeks forward only, which is all that reading a tar once from start to end needs.
    """

    def __init__(self, path: str, limits: Limits) -> None:
        try:
            self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed by close()
        except OSError as fault:
            raise ArchiveError("archive-unreadable", f"the sdist cannot be read: {fault.strerror}") from fault
        self._limits = limits
        self._worker = zlib.decompressobj(_GZIP)
        self._pending = b""
        self._packed = 0
        self._out = 0
        self.last = b""
        if self._file.read(2) != b"\x1f\x8b":
            self._file.close()
            raise ArchiveError("sdist-kind-unknown", "the sdist is neither .tar.gz nor .zip")
        self._file.seek(0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._out

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence != os.SEEK_SET or offset < self._out:
            raise ArchiveError("archive-data-broken", "the sdist is damaged: its entries overlap")
        while self._out < offset and self._some(min(_PIECE, offset - self._out)):
            pass
        return self._out

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes; ``b""`` at the end.  ``last`` keeps the answer."""
        if size < 0:
            raise ArchiveError("archive-data-broken", "the sdist is damaged: a header has a negative size")
        pieces = []
        while size:
            piece = self._some(size)
            if not piece:
                break
            pieces.append(piece)
            size -= len(piece)
        self.last = b"".join(pieces)
        return self.last

    def _some(self, size: int) -> bytes:
        while True:
            if self._worker.eof:
                rest = self._worker.unused_data.lstrip(b"\0")
                while not rest and (more := self._more()):
                    rest = more.lstrip(b"\0")
                if not rest:
                    return b""
                if rest[:1] != b"\x1f":
                    raise ArchiveError("archive-trailing-data", "data follow the compressed archive")
                self._worker = zlib.decompressobj(_GZIP)
                self._pending = rest
            elif not self._pending:
                self._pending = self._more()
                if not self._pending:
                    raise ArchiveError("archive-truncated", "the sdist is cut off", hint="download it again")
            try:
                data = self._worker.decompress(self._pending, size)
            except zlib.error as fault:
                raise ArchiveError("archive-data-broken", f"the sdist is damaged: {fault}") from None
            self._pending = self._worker.unconsumed_tail
            if data:
                self._count(len(data))
                return data

    def _more(self) -> bytes:
        data = self._file.read(1 << 16) or b""
        self._packed += len(data)
        return data

    def _count(self, size: int) -> None:
        self._out += size
        limits = self._limits
        if self._out > limits.total_bytes:
            raise ArchiveError(
                "archive-too-large", f"the sdist unpacks to more than {limits.total_bytes} bytes"
            )
        if self._out > limits.total_ratio_floor and self._out > self._packed * limits.total_ratio:
            raise ArchiveError(
                "archive-ratio", f"the sdist unpacks to more than {limits.total_ratio} times its size"
            )

    def finish(self) -> None:
        """After the last entry: it ended in zeros (tarfile takes any broken header for the end), and so does the rest.

        Reading on to the end also verifies the last checksum.
        """
        if self.last.strip(b"\0"):
            raise ArchiveError("archive-data-broken", "the sdist is damaged: a header is broken")
        while data := self.read(_PIECE):
            if data.strip(b"\0"):
                raise ArchiveError("archive-trailing-data", "data follow the archive")

    def close(self) -> None:
        if hasattr(self, "_file"):  # the collector closes one that could not be opened, too
            self._file.close()
        super().close()


def _entries(source: _Expanded, limits: Limits) -> Iterator[tarfile.TarInfo]:
    """Every entry of the tar, in order, of a kind an sdist may hold; its data come next from ``source``."""

    class Entry(tarfile.TarInfo):
        """Refuses headers longer than metadata may be before tarfile reads them whole.

        What becomes of each header goes through ``_proc_member``, which tarfile says may be overridden; newer ones (CPython
        3.14.10) read nested headers past ``frombuf``.
        """

        def _proc_member(self, archive: tarfile.TarFile) -> Self:
            if self.type not in _KINDS and not 0 <= self.size <= limits.metadata_bytes:
                raise ArchiveError("archive-special-file", f"a header of {self.size} bytes in the sdist")
            if self.size < 0:
                raise ArchiveError("archive-file-too-large", f"{self.name!r} has {self.size} bytes")
            return super()._proc_member(archive)  # type: ignore[misc, no-any-return]

    try:
        with tarfile.open(fileobj=source, mode="r:", tarinfo=Entry, encoding="utf-8") as archive:
            count = 0
            while (entry := archive.next()) is not None:
                count += 1
                if count > limits.entries:
                    raise ArchiveError("archive-too-many-entries", f"more than {limits.entries} entries")
                if entry.type not in _KINDS or entry.issparse():
                    raise ArchiveError("archive-special-file", f"{entry.name!r} is no file, folder or link")
                if not 0 <= entry.size <= limits.file_bytes:
                    raise ArchiveError(
                        "archive-file-too-large",
                        f"{entry.name!r} has {entry.size} bytes, more than {limits.file_bytes}",
                    )
                yield entry
    except (tarfile.TarError, EOFError, ValueError, OverflowError, RecursionError) as fault:
        raise ArchiveError("archive-data-broken", f"the sdist is damaged: {fault}") from None


def _name(entry: tarfile.TarInfo) -> str:
    # tarfile drops the slash that closes a folder's name; "./" in front is how some old tools spell "here".
    name = entry.name
    while name.startswith("./"):
        name = name[2:]
    return "" if name == "." else name


def _content(source: _Expanded, entry: tarfile.TarInfo) -> Iterator[bytes]:
    left = entry.size
    while left:
        data = source.read(min(_PIECE, left))
        if not data:
            raise ArchiveError("archive-truncated", f"{entry.name!r} is cut off")
        left -= len(data)
        yield data


def extract_tar(path: str, target: Target, limits: Limits) -> None:
    """Unpack the tar; what cannot be said of one entry alone is checked at its end."""
    paths = Paths(limits)
    links: dict[str, str] = {}
    files: dict[str, bool] = {}
    hard: dict[str, str] = {}
    with _Expanded(path, limits) as source:
        for entry in _entries(source, limits):
            name = _name(entry)
            if entry.isdir():
                if name:
                    paths.add_folder(name, repeatable=True)
                    target.folder(name)
                continue
            paths.add_file(name)
            if entry.issym():
                links[name] = entry.linkname
                continue
            executable = bool(entry.mode & 0o111)
            if entry.islnk():
                hard[name] = entry.linkname.removeprefix("./")
                continue
            files[name] = executable
            target.file(name, _content(source, entry), executable=executable)
        source.finish()
    paths.finish()
    for name, original in hard.items():
        if original not in files:
            raise ArchiveError(
                "archive-link-target-missing",
                f"{name!r} is a link to {original!r}, which is no file of the sdist",
            )
        target.file(name, target.content(original), executable=files[original])
    _check_links(links, target.top())
    for name, place in links.items():
        target.link(name, place)


def _check_links(links: dict[str, str], top: str) -> None:
    """Each link leads to a place inside ``top``, by a way that crosses no other link."""
    folded = {fold(name) for name in links}
    for name, place in links.items():
        parts = name.split("/")[:-1]
        if place.startswith("/") or "\\" in place or "\0" in place or place[1:2] == ":" or not place:
            raise ArchiveError("archive-link-out", f"{name!r} is a link out of the sdist, to {place!r}")
        steps = place.split("/")
        for number, step in enumerate(steps):
            if step == "..":
                if not parts:
                    break
                parts.pop()
            elif step not in ("", "."):
                parts.append(step)
            if number < len(steps) - 1 and fold("/".join(parts)) in folded:
                # Its ".." would be counted from the other link's target: what it means depends on order.
                raise ArchiveError(
                    "archive-link-through-link", f"{name!r} leads through the link {'/'.join(parts)!r}"
                )
        else:
            if parts and parts[0] == top:
                continue
        raise ArchiveError("archive-link-out", f"{name!r} is a link out of the sdist, to {place!r}")


def _extract_zip(archive: Zip, target: _Target) -> None:
    for name in archive.folders:
        target.folder(name[:-1])
    for member in archive.members:
        target.file(member.name, archive.stream(member), executable=member.executable)


class _Target:
    """The folder files are written to: made as needed, one top folder, removable while unfinished."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._top: str | None = None
        self._made: set[str] = {""}

    def top(self) -> str:
        if self._top is None:
            raise ArchiveError("sdist-empty", "the sdist holds nothing")
        return self._top

    def finish(self) -> str:
        return os.path.join(self._root, self.top())

    def remove(self) -> None:
        if self._top is not None:
            shutil.rmtree(os.path.join(self._root, self._top), ignore_errors=True)

    def _place(self, name: str) -> str:
        top, _, _ = name.partition("/")
        if self._top is None:
            try:
                os.mkdir(os.path.join(self._root, top), 0o755)
            except FileExistsError:
                raise ArchiveError(
                    "sdist-folder-exists", f"{top!r} exists where the sdist is to be unpacked"
                ) from None
            self._top = top
            self._made.add(top)
        if top != self._top:
            raise several(self._top, top)
        return os.path.join(self._root, *name.split("/"))

    def folder(self, name: str) -> None:
        self._place(name)
        self._folder(name)

    def _folder(self, name: str) -> None:
        if name in self._made:
            return
        self._folder(name.rpartition("/")[0])
        os.mkdir(os.path.join(self._root, *name.split("/")), 0o755)
        self._made.add(name)

    def file(self, name: str, content: Iterator[bytes], *, executable: bool) -> None:
        if "/" not in name:
            raise beside(name)
        place = self._place(name)
        self._folder(name.rpartition("/")[0])
        # O_EXCL never follows a link and never opens what is there already.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with open(os.open(place, flags, 0o755 if executable else 0o644), "wb") as file:
            for data in content:
                file.write(data)

    def content(self, name: str) -> Iterator[bytes]:
        with open(os.path.join(self._root, *name.split("/")), "rb") as file:
            while data := file.read(_PIECE):
                yield data

    def link(self, name: str, place: str) -> None:
        where = self._place(name)
        self._folder(name.rpartition("/")[0])
        os.symlink(place, where)


def several(one: str, other: str) -> ArchiveError:
    return ArchiveError("sdist-several-folders", f"the sdist holds {one!r} and {other!r}, not one folder")


def beside(name: str) -> ArchiveError:
    return ArchiveError("sdist-several-folders", f"{name!r} stands beside the sdist's one folder")
