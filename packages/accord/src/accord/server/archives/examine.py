"""What an uploaded file is, by its bytes alone (hostile until this room has looked).

:func:`examine` opens the archive within the limits of ``accord_core.archive`` (zip confusion, bombs, links out), reads every
byte of it once against RECORD and checksums, looks at its core metadata whole and holds the file's name against them
(PEP 427, 625, 639).  It knows no index and no form: whoever calls compares, and an index may ask more
(``catalogue.policy``).
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.tags import parse_tag
from packaging.utils import canonicalize_version

from accord.server.archives.contents import LIMITS, read_sdist, read_wheel
from accord.server.archives.declared import faults_in
from accord.server.archives.filenames import read_filename
from accord.server.errors import Refused
from accord.wheels.fields import Fields, read_fields
from accord_core.errors import ArchiveError
from accord_core.names import normalise

if TYPE_CHECKING:
    from accord.server.archives.contents import Contents
    from accord.server.archives.filenames import FileName
    from accord_core.archive.limits import Limits as ArchiveLimits

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


def examine(path: str, filename: str, limits: ArchiveLimits = LIMITS) -> Examined:
    """Look into the file at ``path`` that is to be published as ``filename``.

    Raises ``Refused`` (400): those of ``read_filename``; ``upload-file-invalid`` (with the code of the archive room in its
    context), ``upload-metadata-invalid`` (all faults in its context), ``upload-name-disagrees``,
    ``upload-version-disagrees``, ``upload-tags-disagree``, ``upload-folder-disagrees``, ``upload-licence-missing``.
    """
    named = read_filename(filename)
    try:
        contents = read_wheel(path, filename, limits) if named.kind == "wheel" else read_sdist(path, limits)
    except ArchiveError as fault:
        raise Refused(
            400,
            "upload-file-invalid",
            f"{filename} is not a file an index can serve: {fault.message}",
            context=(fault.code, *fault.context),
            hint=fault.hint,
        ) from fault
    fields = read_fields(contents.metadata)
    _agree(named, contents, fields)
    faults = faults_in(contents.metadata, fields)
    if faults:
        raise Refused(
            400,
            "upload-metadata-invalid",
            f"the metadata of {filename} are not valid: {faults[0]}"
            + (f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""),
            context=faults[:_SHOWN],
            hint="accord check finds these before an upload does",
        )
    _licences(named, contents, fields)
    digests = _digests(path)
    return Examined(
        filename=filename,
        kind=named.kind,
        name=named.name,
        display=fields.first("Name"),
        version=named.version,
        size=os.path.getsize(path),
        sha256=digests[0],
        blake2b_256=digests[1],
        md5=digests[2],
        metadata=contents.metadata,
        fields=fields,
        serves_metadata=named.kind == "wheel" or _at_least(fields.first("Metadata-Version"), 2, 2),
        tags=named.tags,
    )


_SHOWN = 50  # faults of one document


def _agree(named: FileName, contents: Contents, fields: Fields) -> None:
    """The file's name, what is inside it and its metadata speak of one thing."""
    display, declared = fields.first("Name"), fields.first("Version")
    if normalise(display) != named.name:
        raise Refused(
            400, "upload-name-disagrees", f"the file is named {named.name}, its metadata say {display!r:.200}"
        )
    if canonicalize_version(declared, strip_trailing_zero=False) != named.version:
        raise Refused(
            400,
            "upload-version-disagrees",
            f"the file's name says {named.version}, its metadata say {declared!r:.200}",
        )
    if named.kind == "sdist":
        name, dash, version = contents.top.rpartition("-")
        canonical = canonicalize_version(version, strip_trailing_zero=False)
        if not dash or normalise(name) != named.name or canonical != named.version:
            raise Refused(
                400,
                "upload-folder-disagrees",
                f"{named.filename} holds the folder {contents.top!r:.200}, not {named.stem!r} (PEP 625)",
            )
        return
    told = {str(tag) for text in contents.tags for tag in parse_tag(text)}
    meant = {str(tag) for tag in parse_tag(named.tags)}
    if told and told != meant:
        raise Refused(
            400,
            "upload-tags-disagree",
            f"the wheel's name says {named.tags}, its WHEEL file {', '.join(sorted(told))[:400]}",
            hint="a wheel is given other tags by accord wheel tags, not by renaming it",
        )


def _licences(named: FileName, contents: Contents, fields: Fields) -> None:
    """The files that License-File names are there (PEP 639, "Add License-File field")."""
    if not _at_least(fields.first("Metadata-Version"), 2, 4):
        return
    folder = contents.top if named.kind == "sdist" else f"{contents.top}/licenses"
    missing = [one for one in fields.all("License-File") if f"{folder}/{one}" not in contents.names]
    if missing:
        raise Refused(
            400,
            "upload-licence-missing",
            f"the metadata name the licence file {missing[0]!r:.200}, but {named.filename} has no {folder}/{missing[0]}"[
                :600
            ],
            context=tuple(missing[:_SHOWN]),
        )


def _at_least(version: str, *least: int) -> bool:
    major, _, minor = version.partition(".")
    return major.isdigit() and minor.isdigit() and (int(major), int(minor)) >= least


def _digests(path: str) -> tuple[str, str, str]:
    """SHA-256, BLAKE2b-256 and MD5: pages, file paths of the public index, and the oldest clients want one each."""
    hashes = (hashlib.sha256(), hashlib.blake2b(digest_size=32), hashlib.md5(usedforsecurity=False))
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):
            for running in hashes:
                running.update(piece)
    return hashes[0].hexdigest(), hashes[1].hexdigest(), hashes[2].hexdigest()
