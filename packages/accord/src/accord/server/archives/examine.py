"""What an uploaded file is, by its bytes alone (hostile until this room has looked).

:func:`examine` opens the archive within the limits of ``accord_core.archive`` (zip confusion, bombs, links out, RECORD),
reads its core metadata and holds the file's name against them (PEP 427, 625).  It knows no index and no form: whoever
calls compares.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass

from packaging.utils import canonicalize_version

from accord.server.errors import Refused
from accord.wheels.fields import Fields, read_fields
from accord_core.archive.limits import DEFAULT as ARCHIVE_LIMITS
from accord_core.archive.limits import Limits as ArchiveLimits
from accord_core.archive.sdist import pkg_info
from accord_core.archive.wheel import open_wheel
from accord_core.errors import ArchiveError
from accord_core.index.filenames import split_sdist, split_wheel
from accord_core.names import normalise

__all__ = ["Examined", "examine"]

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Examined:
    """A file that may be published.  ``name`` is normalised, ``display`` as its metadata write it, ``version`` in normal form.

    ``metadata`` are the bytes of its core metadata; ``serves_metadata`` says whether an index may announce them (PEP 714:
    wheels, and sdists whose PKG-INFO is of version 2.2 or newer).
    """

    filename: str
    kind: str  # sdist, wheel
    name: str
    display: str
    version: str
    size: int
    sha256: str
    blake2b_256: str
    md5: str
    metadata: bytes
    fields: Fields
    serves_metadata: bool
    tags: str = ""

    @property
    def metadata_sha256(self) -> str:
        return hashlib.sha256(self.metadata).hexdigest()

    @property
    def requires_python(self) -> str | None:
        return self.fields.first("Requires-Python") or None


def examine(path: str, filename: str, limits: ArchiveLimits = ARCHIVE_LIMITS) -> Examined:
    """Look into the file at ``path`` that is to be published as ``filename``.

    Raises ``Refused`` (400): ``upload-filename``, ``upload-file-invalid`` (with the code of the archive room in its
    context), ``upload-name-disagrees``, ``upload-version-disagrees``.
    """
    if os.path.basename(filename) != filename or not filename.isascii():
        raise Refused(400, "upload-filename", f"{filename!r} is no name for a file of an index")
    try:
        kind, name, version, metadata, tags = _open(path, filename, limits)
    except ArchiveError as fault:
        raise Refused(
            400,
            "upload-file-invalid",
            f"{filename} is not a file an index can serve: {fault.message}",
            context=(fault.code, *fault.context),
            hint=fault.hint,
        ) from fault
    fields = read_fields(metadata)
    display = fields.first("Name")
    if normalise(display) != name:
        raise Refused(400, "upload-name-disagrees", f"the file is named {name}, its metadata say {display}")
    declared = fields.first("Version")
    if canonicalize_version(declared, strip_trailing_zero=False) != version:
        raise Refused(
            400, "upload-version-disagrees", f"the file's name says {version}, its metadata say {declared}"
        )
    digests = _digests(path)
    return Examined(
        filename=filename,
        kind=kind,
        name=name,
        display=display,
        version=version,
        size=os.path.getsize(path),
        sha256=digests[0],
        blake2b_256=digests[1],
        md5=digests[2],
        metadata=metadata,
        fields=fields,
        serves_metadata=kind == "wheel" or _at_least_2_2(fields.first("Metadata-Version")),
        tags=tags,
    )


def _open(path: str, filename: str, limits: ArchiveLimits) -> tuple[str, str, str, bytes, str]:
    wheel_name = split_wheel(filename)
    if wheel_name is not None:
        with open_wheel(path, limits, filename=filename) as wheel:
            found = wheel.metadata()
            tags = f"{wheel_name.python}-{wheel_name.abi}-{wheel_name.platform}"
            return (
                "wheel",
                wheel.name,
                canonicalize_version(found.version, strip_trailing_zero=False),
                wheel.metadata_bytes(),
                tags,
            )
    if not filename.endswith(".tar.gz"):
        raise Refused(
            400, "upload-filename", f"{filename!r} is neither a wheel nor an sdist (.tar.gz, PEP 625)"
        )
    stem = filename.removesuffix(".tar.gz")
    project, dash, _ = stem.rpartition("-")
    split = split_sdist(filename, normalise(project)) if dash else None
    if split is None:
        raise Refused(400, "upload-filename", f"{filename!r} is no name of an sdist (PEP 625)")
    return (
        "sdist",
        split[0],
        canonicalize_version(split[1], strip_trailing_zero=False),
        pkg_info(path, limits),
        "",
    )


def _at_least_2_2(version: str) -> bool:
    major, _, minor = version.partition(".")
    return major.isdigit() and minor.isdigit() and (int(major), int(minor)) >= (2, 2)


def _digests(path: str) -> tuple[str, str, str]:
    """SHA-256, BLAKE2b-256 and MD5: pages, file paths of the public index, and the oldest clients want one each."""
    hashes = (hashlib.sha256(), hashlib.blake2b(digest_size=32), hashlib.md5(usedforsecurity=False))
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):
            for running in hashes:
                running.update(piece)
    return hashes[0].hexdigest(), hashes[1].hexdigest(), hashes[2].hexdigest()
