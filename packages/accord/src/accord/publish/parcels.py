"""The files to be published, each looked into once: what it is, and the digests it is announced with."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.io.http.sending import Body
from accord.wheels.fields import Fields, read_fields
from accord_core.archive.sdist import pkg_info
from accord_core.archive.wheel import open_wheel
from accord_core.errors import ArchiveError, UsageError
from accord_core.index.filenames import safe, split_wheel
from accord_core.names import normalise
from accord_core.project.versions import normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Parcel", "read_parcel"]

_PIECE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Parcel:
    """``name`` is normalised, ``version`` in normal form, both as its metadata say; ``pyversion`` is what the form of old
    calls a wheel's Python tag."""

    path: str
    filename: str
    kind: str  # sdist, wheel
    name: str
    version: str
    size: int
    sha256: str
    blake2b_256: str
    pyversion: str
    fields: Fields

    def body(self, progress: Callable[[int], None]) -> Body:
        """Its bytes; ``progress`` is told how many were taken."""

        def pieces() -> Iterator[bytes]:
            with open(self.path, "rb") as file:
                while piece := file.read(_PIECE):
                    yield piece
                    progress(len(piece))

        return Body(self.size, pieces)


def read_parcel(path: str) -> Parcel:
    """Raises UsageError ``publish-not-a-distribution``, ``file-not-found``; ArchiveError."""
    filename = os.path.basename(path)
    if not os.path.isfile(path):
        raise UsageError("file-not-found", f"there is no file {path}", hint="accord build makes dist/")
    wheel_name = split_wheel(filename) if safe(filename) else None
    if wheel_name is not None:
        with open_wheel(path) as wheel:
            metadata, pyversion, kind = wheel.metadata_bytes(), wheel_name.python, "wheel"
    elif filename.endswith(".tar.gz") and safe(filename):
        metadata, pyversion, kind = pkg_info(path), "source", "sdist"
    else:
        raise UsageError(
            "publish-not-a-distribution",
            f"{path} is neither a wheel nor an sdist (.tar.gz)",
            hint="name the files to publish, or none for those in dist/",
        )
    fields = read_fields(metadata)
    try:
        name, version = normalise(fields.first("Name")), normal(fields.first("Version"))
    except ValueError as fault:
        raise ArchiveError(
            "metadata-invalid", f"{filename} has no version: {fields.first('Version')!r}"
        ) from fault
    digests = (hashlib.sha256(), hashlib.blake2b(digest_size=32))
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):
            for one in digests:
                one.update(piece)
    return Parcel(
        os.path.abspath(path),
        filename,
        kind,
        name,
        version,
        os.path.getsize(path),
        digests[0].hexdigest(),
        digests[1].hexdigest(),
        pyversion,
        fields,
    )
