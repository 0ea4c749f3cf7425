"""Finished pages as files, for a web server in front that sends them without asking (``docs/how-to/nginx.md``).

The pages of a project lie in one folder: ``live/PROJECT/INDEX.json``, ``.html``, each gzipped as well.  Only what anybody may
read is written, and only whole: aside, made durable, renamed.

No file says what is not true any more once a change was acknowledged, nor after a crash or a power cut.  Whoever changes a
project takes the lock, removes its files, makes the removal durable, commits, and lets the lock go (:meth:`Materials.forget`,
called by ``Database.write``).  Whoever has made a page takes the lock and asks the database whether anything happened to the
project since; only if not does the file get its name (:meth:`Materials.keep`).  So between removal and commit no file can
come back, and after the commit only pages that know of it do.  The lock is of the kernel and falls with its process.

This holds for the processes of one machine, which share the folder.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from accord.io.files import sync_folder
from accord.server.database import tables
from accord_core.index.negotiate import JSON, LEGACY_HTML

if TYPE_CHECKING:
    from accord.server.database import Change, Database
    from accord.server.pages.shelf import Finished

__all__ = ["Materials"]

_FILES = {"json": JSON, "html": LEGACY_HTML}
_STAMPS = 1 << 31


class Materials:
    """The files below ``folder``.  ``writes``: whether pages are kept here; they are removed in any case."""

    def __init__(self, folder: str, database: Database, *, writes: bool) -> None:
        self._folder = folder
        self._live = os.path.join(folder, "live")
        self._database = database
        self._writes = writes

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        handle = os.open(os.path.join(self._folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, how)
            yield
        finally:
            os.close(handle)

    def clear(self) -> None:
        """Remove everything, and be ready for more: at the start of a server."""
        os.makedirs(self._folder, mode=0o755, exist_ok=True)
        with self._locked(fcntl.LOCK_EX):
            self._put_away()
        for name in os.listdir(self._folder):
            if name.startswith("gone-"):
                shutil.rmtree(os.path.join(self._folder, name), ignore_errors=True)
        if self._writes:
            os.makedirs(self._live, mode=0o755, exist_ok=True)

    @contextmanager
    def forget(self, changes: Sequence[Change]) -> Iterator[None]:
        """Around a commit: remove what the changes make untrue, and let nobody write it again until it is committed."""
        if not os.path.isdir(self._live):
            yield
            return
        with self._locked(fcntl.LOCK_EX):
            if any(change.project is None for change in changes):
                self._put_away()
                os.makedirs(self._live, mode=0o755, exist_ok=True)
            else:
                for project in {change.project for change in changes if change.project is not None}:
                    self._remove(os.path.join(self._live, project))
            yield

    def keep(self, index: str, project: str, page: Finished, serial: int) -> None:
        """Write a page everybody may read, which was made from the database as it was at ``serial`` or later."""
        if not self._writes:
            return
        folder = os.path.join(self._live, project)
        aside: list[tuple[str, str]] = []
        try:
            os.makedirs(folder, mode=0o755, exist_ok=True)
            for ending, form in _FILES.items():
                for packing, suffix in (("", ""), ("gzip", ".gz")):
                    packed = page.forms.get((form, packing))
                    if packed is not None:
                        name = os.path.join(folder, f"{index}.{ending}{suffix}")
                        aside.append((self._write(folder, packed.body, packed.etag), name))
            with self._locked(fcntl.LOCK_SH):
                if not self._changed(project, serial):
                    for written, name in aside:
                        os.replace(written, name)
                    aside.clear()
        except (
            OSError
        ):  # everything was put away meanwhile, or the disk is full: the page is answered all the same
            return
        finally:
            for written, _ in aside:
                _unlink(written)

    def _changed(self, project: str, serial: int) -> bool:
        change = tables.change.c
        with self._database.read() as connection:
            found = connection.execute(
                select(change.serial)
                .where(change.serial > serial, or_(change.project == project, change.project.is_(None)))
                .limit(1)
            ).first()
        return found is not None

    def _write(self, folder: str, body: bytes, etag: bytes) -> str:
        """A durable file under a name nobody asks for.  Web servers make an ETag of a file's time and size, and times count
        seconds: so the time is made of the content instead."""
        place = os.path.join(folder, f".{secrets.token_hex(8)}.part")
        with open(place, "xb") as file:
            file.write(body)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            stamp = int(etag.strip(b'"')[:15], 16) % _STAMPS
            os.utime(file.fileno(), (stamp, stamp))
            os.fsync(file.fileno())
        return place

    def _remove(self, folder: str) -> None:
        try:
            names = os.listdir(folder)
        except FileNotFoundError:
            return
        for name in names:
            if not name.endswith(".part"):
                _unlink(os.path.join(folder, name))
        if names:
            sync_folder(folder)

    def _put_away(self) -> None:
        try:
            os.rename(self._live, os.path.join(self._folder, f"gone-{secrets.token_hex(8)}"))
        except FileNotFoundError:
            return
        sync_folder(self._folder)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
