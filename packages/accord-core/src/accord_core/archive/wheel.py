"""A wheel: an archive whose ``.dist-info`` says what it is (binary distribution format, "File contents").

:func:`open_wheel` accepts an archive that is one wheel and the wheel its file name says; it checks RECORD
against the directory but reads no code.  :meth:`Wheel.read` then gives each file verified twice, by the zip's
checksum and by RECORD's digest.  Where files go is told as a scheme and a path inside it; this room writes
nothing.
"""

from __future__ import annotations

import hashlib

from ..errors import ArchiveError, Where
from ..names import normalise
from . import record
from .entrypoints import EntryPoint, check_script_name, parse_entry_points
from .limits import DEFAULT
from .metadata import Metadata, parse_metadata
from .paths import Paths
from .reserved import check_library_path, check_target
from .zipreader import open_zip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from .central import Member
    from .limits import Limits
    from .zipreader import Zip

__all__ = [
    "SCHEMES",
    "Wheel",
    "WheelFile",
    "check_dist_info",
    "find_dist_info",
    "open_wheel",
    "parse_wheel_file",
    "same_version",
]

SCHEMES = ("purelib", "platlib", "headers", "scripts", "data")
_SUFFIX = ".dist-info"
_DATA_SUFFIX = ".data"


class WheelFile:
    """``WHEEL``: ``version`` (major, minor), ``root_is_purelib``, ``tags`` in order, ``build`` or ``""``."""

    __slots__ = ("build", "root_is_purelib", "tags", "version")

    def __init__(
        self, version: tuple[int, int], root_is_purelib: bool, tags: tuple[str, ...], build: str
    ) -> None:
        self.version = version
        self.root_is_purelib = root_is_purelib
        self.tags = tags
        self.build = build


class Wheel:
    """An open wheel.  ``name`` (normalised) and ``version`` (as written) come from its dist-info folder.

    ``members`` are the files in archive order, ``rows`` RECORD by path, ``dist_info`` and ``data_folder`` the
    names of the two special folders, ``wheel_file`` what WHEEL says.  A context manager; safe to read from many
    threads.
    """

    __slots__ = (
        "_by_name",
        "_zip",
        "data_folder",
        "dist_info",
        "members",
        "name",
        "path",
        "rows",
        "version",
        "wheel_file",
    )

    def __init__(self, archive: Zip, filename: str) -> None:
        self._zip = archive
        self.path = archive.path
        self.members = archive.members
        self._by_name = {member.name: member for member in archive.members}
        self.dist_info = find_dist_info(self._by_name, filename)
        stem = self.dist_info[: -len(_SUFFIX)]
        name, _, self.version = stem.partition("-")
        self.name = normalise(name)
        self.data_folder = stem + _DATA_SUFFIX
        self.wheel_file = parse_wheel_file(self.info("WHEEL"))
        self.rows = record.parse_record(self.info("RECORD", archive.limits.record_bytes))
        record.check_listed(self.rows, self._by_name, self.dist_info)
        self._check_targets()

    def _check_targets(self) -> None:
        """No file may become a part of the environment itself, and no two of them, by way of ``.data`` folders, one."""
        if not any(_DATA_SUFFIX + "/" in member.name for member in self.members):
            for member in self.members:
                check_library_path(member.name)
            return
        places: dict[str, Paths] = {}
        for member in self.members:
            scheme, path = self.target(member)
            # In an ordinary environment both library schemes are one folder.
            place = "purelib" if scheme == "platlib" else scheme
            try:
                places.setdefault(place, Paths(self._zip.limits)).add_file(path)
            except ArchiveError as fault:
                raise _same_place(fault) from None
        for paths in places.values():
            try:
                paths.finish()
            except ArchiveError as fault:
                raise _same_place(fault) from None

    def target(self, member: Member) -> tuple[str, str]:
        """``(scheme, path inside it)`` of a file; scheme is one of :data:`SCHEMES`.

        Raises ``ArchiveError``: ``wheel-scheme-unknown``, ``wheel-data-foreign``, ``wheel-target-reserved``, and for
        scripts ``script-name-path``, ``script-name-reserved``.
        """
        top, _, rest = member.name.partition("/")
        if not top.endswith(_DATA_SUFFIX) or not rest:
            check_library_path(member.name)
            return "purelib" if self.wheel_file.root_is_purelib else "platlib", member.name
        if top != self.data_folder:
            raise ArchiveError(
                "wheel-data-foreign", f"{top!r} is not this wheel's .data folder, {self.data_folder!r}"
            )
        scheme, _, path = rest.partition("/")
        if scheme not in SCHEMES or not path:
            raise ArchiveError(
                "wheel-scheme-unknown", f"{member.name!r} is for no known place of an environment"
            )
        if scheme == "scripts":
            check_script_name(path)
        elif scheme == "data":
            check_target(path)
        elif scheme != "headers":
            check_library_path(path)
        return scheme, path

    def find(self, name: str) -> Member | None:
        """The member of that name."""
        return self._by_name.get(name)

    def info(self, name: str, limit: int | None = None) -> bytes:
        """A file of the dist-info folder.  Raises ``wheel-file-missing``, ``wheel-file-too-large``."""
        member = self._by_name.get(f"{self.dist_info}/{name}")
        if member is None:
            raise ArchiveError("wheel-file-missing", f"the wheel has no {self.dist_info}/{name}")
        most = self._zip.limits.metadata_bytes if limit is None else limit
        if member.size > most:
            raise ArchiveError("wheel-file-too-large", f"{name} has {member.size} bytes, more than {most}")
        return self._zip.read(member)

    def metadata_bytes(self) -> bytes:
        """METADATA, held against RECORD."""
        data = self.info("METADATA")
        return self._verified(f"{self.dist_info}/METADATA", data)

    def metadata(self) -> Metadata:
        """METADATA parsed; its Name and Version are the wheel's own, else ``wheel-metadata-disagrees``."""
        found = parse_metadata(self.metadata_bytes())
        if normalise(found.name) != self.name or not same_version(found.version, self.version):
            raise ArchiveError(
                "wheel-metadata-disagrees",
                f"the wheel is {self.name} {self.version}, its METADATA say {found.name} {found.version}",
                where=Where(self.path),
            )
        return found

    def entry_points(self) -> tuple[EntryPoint, ...]:
        """The entry points, ``()`` where the wheel has none; raises as ``parse_entry_points`` does."""
        name = f"{self.dist_info}/entry_points.txt"
        if name not in self._by_name:
            return ()
        return parse_entry_points(self._verified(name, self.info("entry_points.txt")))

    def _verified(self, name: str, data: bytes) -> bytes:
        row = self.rows.get(name)
        if row is not None and row.digest:
            record.verify(row, data)
        return data

    def read(self, member: Member) -> bytes:
        """The member's bytes: size, checksum and RECORD digest verified."""
        return self._verified(member.name, self._zip.read(member))

    def stream(self, member: Member, *, chunk: int = 1 << 20) -> Iterator[bytes]:
        """The same in chunks, for large members; verified only once the iterator is exhausted."""
        row = self.rows.get(member.name)
        if row is None or not row.digest:
            yield from self._zip.stream(member, chunk=chunk)
            return
        running = hashlib.new(row.algorithm)
        for data in self._zip.stream(member, chunk=chunk):
            running.update(data)
            yield data
        record.verify_digest(row, record.spelled(running.digest()), member.size)

    def commented(self) -> str | None:
        """As ``Zip.commented``."""
        return self._zip.commented()

    def close(self) -> None:
        self._zip.close()

    def __enter__(self) -> Wheel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()


def _same_place(fault: ArchiveError) -> ArchiveError:
    return ArchiveError(
        "wheel-target-twice", f"two files of the wheel would be one when installed: {fault.message}"
    )


def open_wheel(path: str, limits: Limits = DEFAULT, *, filename: str | None = None) -> Wheel:
    """Open the wheel at ``path``; ``filename`` is its real name where the file is kept under another.

    Raises ``ArchiveError``: those of ``open_zip``, of :func:`find_dist_info`, of RECORD and of :meth:`Wheel.target`,
    each with the path in ``where``.
    """
    archive = open_zip(path, limits)
    try:
        return Wheel(archive, filename or path.replace("\\", "/").rpartition("/")[2])
    except ArchiveError as fault:
        archive.close()
        if fault.where is None:
            fault.where = Where(path)
        raise
    except BaseException:
        archive.close()
        raise


def find_dist_info(names: dict[str, Member], filename: str) -> str:
    """The one ``.dist-info`` folder, and it is the one the file name announces.

    Raises ``ArchiveError``: ``wheel-name-invalid``, ``wheel-dist-info-missing``, ``wheel-dist-info-several``,
    ``wheel-dist-info-disagrees``.
    """
    _name_parts(filename)
    found = {
        top for name in names for top, slash, _ in [name.partition("/")] if slash and top.endswith(_SUFFIX)
    }
    if not found:
        raise ArchiveError("wheel-dist-info-missing", f"{filename} has no .dist-info folder")
    if len(found) > 1:
        raise ArchiveError("wheel-dist-info-several", f"{filename} has several: {', '.join(sorted(found))}")
    folder = found.pop()
    check_dist_info(folder, filename)
    return folder


def _name_parts(filename: str) -> list[str]:
    parts = filename.removesuffix(".whl").split("-")
    if not filename.endswith(".whl") or len(parts) not in (5, 6) or not all(parts):
        raise ArchiveError("wheel-name-invalid", f"{filename!r} is not a wheel's file name")
    return parts


def check_dist_info(folder: str, filename: str) -> None:
    """Hold the name of a wheel's ``.dist-info`` folder against the wheel's file name.

    Raises ``ArchiveError``: ``wheel-name-invalid``, ``wheel-dist-info-disagrees``.
    """
    parts = _name_parts(filename)
    name, dash, version = folder[: -len(_SUFFIX)].partition("-")
    if not dash or normalise(name) != normalise(parts[0]) or not same_version(version, parts[1]):
        raise ArchiveError("wheel-dist-info-disagrees", f"{filename} holds {folder}")


def same_version(one: str, other: str) -> bool:
    """Whether two spellings are one version; file names write ``_`` for ``-``."""
    if one == other:
        return True
    one, other = one.replace("_", "-").lower(), other.replace("_", "-").lower()
    if one == other:
        return True
    from packaging.version import Version

    try:
        return Version(one) == Version(other)
    except ValueError:  # InvalidVersion, and numbers of more digits than int() reads
        return False


def parse_wheel_file(data: bytes) -> WheelFile:
    """``WHEEL``.  Raises ``ArchiveError``: ``wheel-file-invalid``, ``wheel-version-unsupported``."""
    fields: dict[str, list[str]] = {}
    try:
        for line in data.decode("utf-8").splitlines():
            key, colon, value = line.partition(":")
            if colon:
                fields.setdefault(key.strip().lower(), []).append(value.strip())
    except UnicodeDecodeError:
        raise ArchiveError("wheel-file-invalid", "WHEEL is not UTF-8") from None
    version = fields.get("wheel-version", [""])
    major, _, minor = version[0].partition(".")
    if len(version) != 1 or not (major.isdigit() and minor.isdigit()):
        raise ArchiveError("wheel-file-invalid", "WHEEL has no Wheel-Version")
    if int(major) != 1:
        raise ArchiveError(
            "wheel-version-unsupported",
            f"the wheel is of format {version[0]}, this program reads 1.x",
            hint="update accord",
        )
    purelib = [value.lower() for value in fields.get("root-is-purelib", [])]
    if purelib not in (["true"], ["false"]):
        raise ArchiveError("wheel-file-invalid", "WHEEL does not say Root-Is-Purelib: true or false")
    return WheelFile(
        (1, int(minor)), purelib == ["true"], tuple(fields.get("tag", ())), fields.get("build", [""])[0]
    )
