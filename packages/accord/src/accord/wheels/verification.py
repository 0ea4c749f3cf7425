"""Everything RECORD and the names of a wheel promise, held against what is there; every fault is found.

A wheel that is to be installed stops at the first fault (``accord_core.archive``); here a person wants to know all of
them.  Only what makes the archive unreadable as a zip ends the search, because what lies behind it cannot be named.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from accord.wheels.contents import kind_of
from accord.wheels.limits import DEFAULT
from accord_core.archive import record
from accord_core.archive.metadata import parse_metadata
from accord_core.archive.wheel import Wheel, find_dist_info, parse_wheel_file, same_version
from accord_core.archive.zipreader import open_zip
from accord_core.errors import AccordError, ArchiveError, UsageError
from accord_core.index.filenames import WHEEL, split_wheel
from accord_core.names import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from accord.wheels.limits import Limits
    from accord_core.archive.central import Member
    from accord_core.archive.record import Row
    from accord_core.archive.wheel import WheelFile
    from accord_core.archive.zipreader import Zip
    from accord_core.index.filenames import WheelName

_T = TypeVar("_T")

__all__ = ["Fault", "Verification", "parse_hash", "verify"]

_KNOWN = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: a code of the error pages, words, and the file inside the wheel it is about."""

    code: str
    message: str
    file: str | None = None

    def as_dict(self) -> dict[str, object]:
        return {"code": self.code, "message": self.message, "file": self.file}


@dataclass(frozen=True, slots=True)
class Verification:
    """``files`` and ``size`` are what was read and found right before the first fault of the archive itself."""

    path: str
    files: int
    size: int
    sha256: str | None
    faults: tuple[Fault, ...]

    def as_dict(self) -> dict[str, object]:
        return {
            "path": self.path,
            "ok": not self.faults,
            "files": self.files,
            "bytes": self.size,
            "sha256": self.sha256,
            "faults": [fault.as_dict() for fault in self.faults],
        }


def parse_hash(text: str) -> tuple[str, str]:
    """``sha256:HEX`` taken apart.  ``UsageError`` ``hash-invalid``."""
    algorithm, colon, value = text.partition(":")
    if not colon:
        algorithm, _, value = text.partition("=")
    value = value.strip().lower()
    length = hashlib.new(algorithm).digest_size * 2 if algorithm in _KNOWN else 0
    if len(value) != length or not length or set(value) - set("0123456789abcdef"):
        raise UsageError(
            "hash-invalid",
            f"{text!r} is no digest of a file",
            hint=f"write sha256:HEX, as `sha256sum FILE` prints it ({', '.join(_KNOWN)} are known)",
        )
    return algorithm, value


def verify(path: str, *, require: Iterable[tuple[str, str]] = (), limits: Limits = DEFAULT) -> Verification:
    """Verify the wheel at ``path``; ``require`` are digests one of which the file must have.

    Raises ``UsageError`` ``distribution-kind-unknown``, ``file-not-found``, ``not-a-wheel``.
    """
    if kind_of(path) != WHEEL:
        raise UsageError("not-a-wheel", f"{path} is an sdist, which has no RECORD", hint="give wheels (.whl)")
    search = _Search(path)
    search.required(tuple(require))
    try:
        with open_zip(path, limits.archive) as archive:
            search.inside(archive)
    except ArchiveError as fault:
        search.found(fault)
    return Verification(path, search.files, search.size, _digest(path, "sha256"), tuple(search.faults))


class _Search:
    """The faults found so far, and how much was found right."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._filename = os.path.basename(path)
        self.faults: list[Fault] = []
        self.files = 0
        self.size = 0

    def found(self, fault: AccordError, file: str | None = None) -> None:
        self.faults.append(Fault(fault.code, fault.message, file))

    def blame(self, code: str, message: str, file: str | None = None) -> None:
        self.faults.append(Fault(code, message, file))

    def attempt(self, action: Callable[[], _T], file: str | None = None) -> _T | None:
        """What ``action`` returns, ``None`` where it found a fault."""
        try:
            return action()
        except ArchiveError as fault:
            self.found(fault, file)
            return None

    def required(self, require: tuple[tuple[str, str], ...]) -> None:
        """The file has one of the digests."""
        if require and not any(_digest(self._path, algorithm) == value for algorithm, value in require):
            shown = ", ".join(f"{algorithm}:{_digest(self._path, algorithm)}" for algorithm, _ in require[:1])
            self.blame("wheel-hash-wrong", f"the file is not the one that was asked for: it is {shown}")

    def inside(self, archive: Zip) -> None:
        """Everything within an archive that can be read."""
        by_name = {member.name: member for member in archive.members}
        folder = self.attempt(lambda: find_dist_info(by_name, self._filename))
        if folder is None:
            rows: dict[str, Row] = {}
        else:
            rows = self._record(archive, by_name, folder)
            self._documents(archive, by_name, folder)
        for member in archive.members:
            if self.attempt(partial(_read, archive, member, rows), member.name):
                self.files += 1
                self.size += member.size
        if not self.faults:
            # Where files would go, and the names of scripts.
            wheel = self.attempt(lambda: Wheel(archive, self._filename))
            if wheel is not None:
                self.attempt(wheel.entry_points, f"{folder}/entry_points.txt")

    def _record(self, archive: Zip, by_name: dict[str, Member], folder: str) -> dict[str, Row]:
        """RECORD, which lists each file with a digest and nothing else."""
        own = f"{folder}/RECORD"
        data = self._bytes(archive, by_name, own, archive.limits.record_bytes)
        rows = None if data is None else self.attempt(lambda: record.parse_record(data), own)
        if rows is None:
            return {}
        for name in by_name:
            row = rows.get(name)
            alone = {} if row is None else {name: row}
            self.attempt(partial(record.check_listed, alone, (name,), folder), name)
        for name in rows.keys() - by_name.keys():
            self.attempt(partial(record.check_listed, {name: rows[name]}, (), folder), name)
        return rows

    def _documents(self, archive: Zip, by_name: dict[str, Member], folder: str) -> None:
        """WHEEL and METADATA say what the file's name says."""
        own = f"{folder}/WHEEL"
        most = archive.limits.metadata_bytes
        data = self._bytes(archive, by_name, own, most)
        said = None if data is None else self.attempt(lambda: parse_wheel_file(data), own)
        name = split_wheel(self._filename)
        if name is None:
            self.blame("wheel-name-invalid", f"{self._filename!r} is not a wheel's file name")
        elif said is not None:
            self._tags(name, said, own)
        own = f"{folder}/METADATA"
        text = self._bytes(archive, by_name, own, most)
        metadata = None if text is None else self.attempt(lambda: parse_metadata(text), own)
        if metadata is None:
            return
        project, _, version = folder.removesuffix(".dist-info").partition("-")
        if normalise(metadata.name) != normalise(project) or not same_version(metadata.version, version):
            self.blame(
                "wheel-metadata-disagrees",
                f"the wheel is {project} {version}, its METADATA say {metadata.name} {metadata.version}",
                own,
            )

    def _tags(self, name: WheelName, said: WheelFile, own: str) -> None:
        inside = {one for tag in said.tags for one in _expanded(tag)}
        if inside != set(name.tags):
            shown = "; ".join(
                f"{what}: {', '.join(sorted(tags)[:5])}"
                for what, tags in (
                    ("only in the name", set(name.tags) - inside),
                    ("only in WHEEL", inside - set(name.tags)),
                )
                if tags
            )
            self.blame("wheel-tags-disagree", f"the file's name and WHEEL give other tags ({shown})", own)
        if said.build != name.build:
            self.blame(
                "wheel-build-disagrees",
                f"the file's name says build {name.build!r}, WHEEL {said.build!r}",
                own,
            )

    def _bytes(self, archive: Zip, by_name: dict[str, Member], name: str, most: int) -> bytes | None:
        member = by_name.get(name)
        if member is None:
            self.blame("wheel-file-missing", f"the wheel has no {name}", name)
        elif member.size > most:
            self.blame("wheel-file-too-large", f"{name} has {member.size} bytes, more than {most}", name)
        else:
            # A damaged one is reported with the other files.
            try:
                return archive.read(member)
            except ArchiveError:
                return None
        return None


def _read(archive: Zip, member: Member, rows: dict[str, Row]) -> bool:
    """Read a file to its end: size, checksum, and the digest RECORD has for it."""
    row = rows.get(member.name)
    if row is None or not row.digest or row.algorithm not in hashlib.algorithms_available:
        for _ in archive.stream(member):
            pass
        return True
    running = hashlib.new(row.algorithm)
    for piece in archive.stream(member):
        running.update(piece)
    record.verify_digest(row, record.spelled(running.digest()), member.size)
    return True


def _expanded(tag: str) -> tuple[str, ...]:
    """A tag of WHEEL, which some old makers wrote as a compressed set."""
    name = split_wheel(f"x-1-{tag}.whl")
    return (tag.lower(),) if name is None else name.tags


def _digest(path: str, algorithm: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
