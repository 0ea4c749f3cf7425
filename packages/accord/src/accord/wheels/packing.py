"""A folder into a wheel: RECORD written anew, bytes that depend on the files and nothing else.

The folder is one that ``unpack`` made, or was put together by hand; its ``.dist-info`` says what the wheel is called.
What would give a wheel that no installer takes is refused with a code, every fault at once.  The folder is only
read.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.io import files, scratch
from accord.wheels import wheelfile
from accord.wheels.limits import DEFAULT
from accord_core.archive import record
from accord_core.archive.metadata import parse_metadata
from accord_core.archive.paths import Paths
from accord_core.archive.wheel import open_wheel, parse_wheel_file, same_version
from accord_core.archive.zipwriter import EPOCH, ZipWriter
from accord_core.errors import ArchiveError, DocumentError, UsageError, Where
from accord_core.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accord.wheels.limits import Limits
    from accord_core.archive.wheel import WheelFile

__all__ = ["Packed", "check_build", "pack"]

_PIECE = 1 << 20
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")


@dataclass(frozen=True, slots=True)
class Packed:
    """The wheel at ``path`` with ``files`` files; ``dropped`` were left out: signatures of the old RECORD."""

    path: str
    files: int
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Source:
    """A file of the folder: its name in the wheel, where it is, whether it may be executed, how long it is."""

    name: str
    path: str
    executable: bool
    size: int


def pack(
    folder: str, into: str = ".", *, build: str | None = None, when: int = EPOCH, limits: Limits = DEFAULT
) -> Packed:
    """Make a wheel of ``folder`` in the folder ``into``; one of the same name is replaced.

    ``build`` sets the build number, ``""`` removes it; ``when`` is the moment of every member.  Raises ``UsageError``
    ``folder-not-found``, ``build-number-invalid``; ``DocumentError`` ``wheel-folder-invalid`` with every fault;
    ``ArchiveError`` for names no archive may hold; ``InstallError`` for what the system refuses.
    """
    check_build(build)
    if not os.path.isdir(folder):
        raise UsageError(
            "folder-not-found", f"there is no folder {folder}", hint="accord wheel unpack makes one"
        )
    try:
        sources = list(_sources(folder, limits))
        info = _dist_info(folder)
        name, wheel_file = _documents(folder, info, build, limits.archive.metadata_bytes)
        dropped = tuple(
            f"{info}/{one}" for one in _SIGNATURES if any(s.name == f"{info}/{one}" for s in sources)
        )
        chosen = [one for one in sources if one.name not in (*dropped, f"{info}/RECORD")]
        # The documents stand last, so that a reader who starts at the end finds them at once.
        chosen.sort(key=lambda one: (one.name.startswith(f"{info}/"), one.name))
        os.makedirs(into, exist_ok=True)
        with scratch.scratch_folder(".accord-pack-", into) as aside:
            unfinished = os.path.join(aside, name)
            _write(unfinished, chosen, info, wheel_file, when)
            open_wheel(unfinished, limits.archive).close()  # what we write, we would take
            target = os.path.normpath(os.path.join(into, name))
            os.replace(unfinished, target)
    except OSError as error:
        raise files.refused(error, f"packing {folder}") from error
    return Packed(target, len(chosen) + 1, dropped)


def check_build(build: str | None) -> None:
    """Refuse a build number that is none (binary distribution format: it begins with a digit)."""
    if build and not (
        build[0].isdigit() and build.isascii() and build.replace("_", "").replace(".", "").isalnum()
    ):
        raise UsageError(
            "build-number-invalid",
            f"{build!r} is no build number",
            hint="it begins with a digit and holds letters, digits, '_' and '.', as in 1 or 2local",
        )


def _sources(folder: str, limits: Limits) -> Iterator[_Source]:
    """Every file below ``folder``, of a kind and name a wheel may hold."""
    paths = Paths(limits.archive)
    count = 0
    for here, folders, names in os.walk(folder, onerror=_raise):
        for name in [*folders, *names]:
            path = os.path.join(here, name)
            inside = os.path.relpath(path, folder).replace(os.sep, "/")
            found = os.lstat(path)
            if stat.S_ISDIR(found.st_mode):
                continue
            if not stat.S_ISREG(found.st_mode):
                what = "a link" if stat.S_ISLNK(found.st_mode) else "neither a file nor a folder"
                raise DocumentError(
                    "wheel-folder-invalid",
                    f"{inside} is {what}, which no wheel can hold",
                    where=Where(path),
                    hint="put a copy of the file in its place",
                )
            paths.add_file(inside)
            count += 1
            if count > limits.pack_files:
                raise ArchiveError(
                    "archive-too-many-entries", f"more than {limits.pack_files} files", where=Where(folder)
                )
            yield _Source(inside, path, bool(found.st_mode & 0o111), found.st_size)
    paths.finish()


def _raise(error: OSError) -> None:
    raise error


def _dist_info(folder: str) -> str:
    found = sorted(name for name in os.listdir(folder) if name.endswith(".dist-info"))
    if len(found) != 1:
        said = "no .dist-info folder" if not found else f"several: {', '.join(found)}"
        raise DocumentError(
            "wheel-folder-invalid",
            f"{folder} has {said}",
            where=Where(folder),
            hint="give the folder that holds NAME-VERSION.dist-info, and only one of them",
        )
    return found[0]


def _documents(folder: str, info: str, build: str | None, most: int) -> tuple[str, bytes]:
    """The wheel's file name, and its WHEEL.  Every fault of the documents is reported."""
    faults: list[str] = []
    stem = info.removesuffix(".dist-info")
    project, dash, version = stem.partition("-")
    if not dash or "-" in version or not version:
        faults.append(f"{info} is not named NAME-VERSION.dist-info")
    try:
        metadata = parse_metadata(_read(folder, info, "METADATA", most))
    except ArchiveError as fault:
        faults.append(f"METADATA: {fault.message}")
    else:
        if normalise(metadata.name) != normalise(project) or not same_version(metadata.version, version):
            faults.append(f"METADATA say {metadata.name} {metadata.version}, the folder is {info}")
    wheel_file, tags, number = b"", None, ""
    try:
        wheel_file = wheelfile.rewrite(_read(folder, info, "WHEEL", most), build=build)
        said = parse_wheel_file(wheel_file)
    except (ArchiveError, DocumentError) as fault:
        faults.append(f"WHEEL: {fault.message}")
    else:
        tags, number = _tags(said, faults), said.build
    if faults:
        raise DocumentError(
            "wheel-folder-invalid",
            f"{folder} would make no wheel that can be installed",
            where=Where(os.path.join(folder, info)),
            context=tuple(faults),
            hint="correct the documents in the .dist-info folder",
        )
    return "-".join(filter(None, (stem, number, tags))) + ".whl", wheel_file


def _tags(said: WheelFile, faults: list[str]) -> str | None:
    tags = wheelfile.compressed(said.tags)
    if not said.tags:
        faults.append("WHEEL has no Tag")
    elif tags is None:
        faults.append(f"no file name stands for exactly these tags: {', '.join(said.tags[:6])}")
    try:
        check_build(said.build)
    except UsageError as fault:
        faults.append(f"WHEEL: {fault.message}")
    return tags


def _read(folder: str, info: str, name: str, most: int) -> bytes:
    try:
        with open(os.path.join(folder, info, name), "rb") as file:
            data = file.read(most + 1)
    except FileNotFoundError:
        raise ArchiveError("wheel-file-missing", "it is missing") from None
    if len(data) > most:
        raise ArchiveError("wheel-file-too-large", f"it has more than {most} bytes")
    return data


def _write(path: str, sources: list[_Source], info: str, wheel_file: bytes, when: int) -> None:
    rows = []
    with open(path, "xb") as file:
        writer = ZipWriter(file, when)
        for one in sources:
            if one.name == f"{info}/WHEEL":
                writer.add(one.name, wheel_file, executable=one.executable)
                rows.append(record.Row(one.name, "sha256", record.digest(wheel_file), len(wheel_file)))
                continue
            running = hashlib.sha256()
            writer.add_stream(one.name, _pieces(one.path, running), one.size, executable=one.executable)
            rows.append(record.Row(one.name, "sha256", record.spelled(running.digest()), one.size))
        own = f"{info}/RECORD"
        writer.add(own, record.format_record([*rows, record.Row(own, "", "", None)]))
        writer.close()


def _pieces(path: str, running: hashlib._Hash) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while piece := file.read(_PIECE):
            running.update(piece)
            yield piece
