"""Blobs in a folder: ``ab/abcd…`` by digest.  Written aside (in ``.aside``), made durable, renamed into place.

Folders of one level: 256 of them are soon all there, where 65,536 cost every new blob two folders and their way to the disk.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping

from accord.io.files import sync_folder
from accord.io.steps import step
from accord.server.errors import disk_fault
from accord.server.incoming import Incoming, forget_file
from accord.server.storage.port import NOTHING, Stored, missing
from accord_core.errors import UsageError

__all__ = ["FolderStore"]

_PIECE = 1 << 20
_ASIDE = ".aside"


class FolderStore:
    def __init__(self, folder: str) -> None:
        """Raises ``UsageError("server-storage-old")``."""
        self.folder = folder
        _demand_one_level(folder)
        self._known: set[str] = set()  # folders that are there and durable
        self._aside = Incoming(os.path.join(folder, _ASIDE))
        self._aside.clean()

    def _place(self, sha256: str) -> str:
        return os.path.join(self.folder, sha256[:2], sha256)

    def _make_folder(self, path: str) -> None:
        """Durable before anything lies in it."""
        if path in self._known:
            return
        os.makedirs(path, mode=0o700, exist_ok=True)
        sync_folder(self.folder)
        self._known.add(path)

    def put(self, sha256: str, path: str, beside: Mapping[str, bytes] = NOTHING) -> None:
        self._keep({sha256: path}, beside)

    def put_bytes(self, sha256: str, data: bytes) -> None:
        self._keep({}, {sha256: data})

    def _keep(self, files: Mapping[str, str], small: Mapping[str, bytes]) -> None:
        """All of them wait for the disk together: once for their bytes, once for their names."""
        with _written(), contextlib.ExitStack() as at_end:
            folders = {os.path.dirname(self._place(sha256)) for sha256 in (*files, *small)}
            for folder in folders:
                self._make_folder(folder)
            new: dict[str, str] = {}
            for sha256, path in files.items():
                if self.size(sha256) == os.path.getsize(path):  # what is shorter was damaged, and is replaced
                    os.unlink(path)
                else:
                    new[path] = self._place(sha256)
            for sha256, data in small.items():
                if self.size(sha256) != len(data):
                    path = self._aside.path()
                    at_end.callback(forget_file, path)
                    with open(path, "wb") as file:
                        file.write(data)
                    new[path] = self._place(sha256)
            step("blob-durable")
            for path in new:
                _sync(path)
            for path, place in new.items():
                step("blob-place")
                self._move(path, place)
            step("blob-placed")
            for folder in folders:  # whoever put there what was there already may not have come to this yet
                sync_folder(folder)

    def _move(self, path: str, place: str) -> None:
        try:
            os.rename(path, place)
        except OSError as fault:
            if fault.errno != errno.EXDEV:  # another file system
                raise
            aside = self._aside.path()
            try:
                shutil.copyfile(path, aside)
                _sync(aside)
                os.rename(aside, place)
            finally:
                forget_file(aside)
            os.unlink(path)

    def link(self, sha256: str) -> str | None:
        return None

    def path(self, sha256: str) -> str | None:
        place = self._place(sha256)
        return place if os.path.exists(place) else None

    def size(self, sha256: str) -> int | None:
        try:
            return os.stat(self._place(sha256)).st_size
        except FileNotFoundError:
            return None

    def stream(self, sha256: str, *, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        try:
            file = open(self._place(sha256), "rb")  # noqa: SIM115 - closed below, or when the iterator is
        except FileNotFoundError as fault:
            raise missing(sha256) from fault
        with file:
            file.seek(start)
            left = None if stop is None else stop - start
            while left is None or left > 0:
                piece = file.read(_PIECE if left is None else min(_PIECE, left))
                if not piece:
                    return
                if left is not None:
                    left -= len(piece)
                yield piece

    def read(self, sha256: str) -> bytes:
        return b"".join(self.stream(sha256))

    def delete(self, sha256: str) -> None:
        forget_file(self._place(sha256))

    def digests(self) -> Iterator[str]:
        for one in self.listing():
            yield one.sha256

    def listing(self, beginning: str = "") -> Iterator[Stored]:
        for folder, folders, files in os.walk(os.path.join(self.folder, beginning)):
            folders[:] = sorted(name for name in folders if name != _ASIDE)
            for name in sorted(files):
                with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                    found = os.stat(os.path.join(folder, name))
                    yield Stored(name, found.st_size, found.st_mtime_ns // 1000)


def _demand_one_level(folder: str) -> None:
    """Versions before this one had folders of two levels."""
    if not os.path.isdir(folder):
        return
    with os.scandir(folder) as found:
        firsts = [one.path for one in found if re.fullmatch("[0-9a-f]{2}", one.name)]
    if any(_has_folder(first) for first in firsts):
        raise UsageError(
            "server-storage-old",
            f"the files in {folder} lie one folder too deep: a version before this one put them there",
            hint="stop the server, then: "
            f"find {shlex.quote(folder)}/[0-9a-f][0-9a-f] -mindepth 2 -type f -execdir mv -t .. {{}} +"
            f" && find {shlex.quote(folder)}/[0-9a-f][0-9a-f] -mindepth 1 -type d -delete",
        )


def _has_folder(folder: str) -> bool:
    links = os.stat(folder).st_nlink  # one for each folder in it, where the file system counts them
    if links >= 2:
        return links > 2
    with os.scandir(folder) as found:
        return any(one.is_dir(follow_symlinks=False) for one in found)


@contextlib.contextmanager
def _written() -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise disk_fault(fault) from fault


def _sync(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
