"""What was built before: ``<cache>/builds-v1/<digest>/`` holds ``METADATA.<origin>`` and at most one wheel.

The digest covers everything that may change a build: the source's bytes, the config settings, the interpreter, the
variables that shape a build and the form of this cache.  Files appear by rename, whole or not at all; the folder is
a cache, so anything odd in it is a miss.  Local directories have no key and are never here.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.io.files import write_atomic
from accord.io.locks import FileLock
from accord.io.scratch import forget_abandoned, scratch_folder
from accord_core.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accord.io.reporting import Reporter

__all__ = ["BuildCache", "BuiltWheel"]

_ORIGINS = ("PKG-INFO", "pyproject.toml", "built", "wheel")


@dataclass(frozen=True, slots=True)
class BuiltWheel:
    """A wheel on disk: its path, sha256 (lower-case hex) and size in bytes."""

    path: str
    sha256: str
    size: int


class BuildCache:
    """The folder ``builds-v1`` below ``cache_dir``, made on first use."""

    def __init__(self, cache_dir: str) -> None:
        self.folder = os.path.join(cache_dir, "builds-v1")

    @staticmethod
    def digest(*parts: object) -> str:
        """Key of an entry, from values whose ``repr`` is their identity."""
        return hashlib.sha256(repr(("builds-v1", *parts)).encode()).hexdigest()

    @contextmanager
    def scratch(self) -> Iterator[str]:
        """A private folder on the cache's own disk, removed afterwards whatever is in it."""
        os.makedirs(self.folder, exist_ok=True)
        forget_abandoned(self.folder)
        with scratch_folder(".scratch-", self.folder) as path:
            yield path

    def lock(self, digest: str, label: str, reporter: Reporter) -> FileLock:
        """Held while ``digest`` is made, so that what takes an hour is not done twice; a build may take any time."""
        folder = os.path.join(self.folder, "locks")
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, digest)
        return FileLock(
            path, f"the build of {label}", timeout=float("inf"), on_wait=reporter.note, family=BuildError
        )

    def log(self, digest: str) -> str:
        """Path of the log of the last build under ``digest``."""
        folder = os.path.join(self.folder, "logs")
        os.makedirs(folder, exist_ok=True)
        return os.path.join(folder, f"{digest[:20]}.log")

    def metadata(self, digest: str) -> tuple[bytes, str] | None:
        """The metadata kept under ``digest`` and its origin (the words of ``SourceMetadata.origin``)."""
        for origin in _ORIGINS:
            try:
                with open(os.path.join(self.folder, digest, f"METADATA.{origin}"), "rb") as file:
                    return file.read(), origin
            except OSError:
                continue
        return None

    def keep_metadata(self, digest: str, data: bytes, origin: str) -> None:
        self._write(digest, f"METADATA.{origin}", data)

    def wheel(self, digest: str) -> BuiltWheel | None:
        """The wheel kept under ``digest``, if it is still the bytes that were built."""
        folder = os.path.join(self.folder, digest)
        try:
            with open(os.path.join(folder, "wheel.json"), "rb") as file:
                record = json.loads(file.read())
            path = os.path.join(folder, record["sha256"][:16], os.path.basename(record["filename"]))
            found = describe(path)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found if (found.sha256, found.size) == (record["sha256"], record["size"]) else None

    def keep_wheel(self, digest: str, path: str) -> BuiltWheel:
        """Move the wheel at ``path`` (on the cache's disk) into the cache; the record of it is written last.

        Its place is named by its content: of two builds at once, neither replaces what the other has handed out.
        """
        os.chmod(path, 0o644)
        _flush(path)
        built = describe(path)
        folder = os.path.join(self.folder, digest, built.sha256[:16])
        os.makedirs(folder, exist_ok=True)
        kept = os.path.join(folder, os.path.basename(path))
        os.replace(path, kept)
        record = {"filename": os.path.basename(kept), "sha256": built.sha256, "size": built.size}
        self._write(digest, "wheel.json", json.dumps(record, sort_keys=True).encode())
        return BuiltWheel(kept, built.sha256, built.size)

    def _write(self, digest: str, name: str, data: bytes) -> None:
        folder = os.path.join(self.folder, digest)
        os.makedirs(folder, exist_ok=True)
        write_atomic(os.path.join(folder, name), data)


def describe(path: str) -> BuiltWheel:
    """Hash the file at ``path``; raises OSError."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return BuiltWheel(path, digest, os.fstat(file.fileno()).st_size)


def _flush(path: str) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
