"""The text of a lock as values; every breach of the standard is reported at once, with its line.

What the standard demands is demanded (PEP 751 "File Format"): required keys, types, normalised names, exactly one
kind of source, hashes, file names that agree with name and version.  Keys it does not name are let pass, because a
later minor version may add some ("lock-version"): reading must not depend on who wrote the file.  Another major
version is refused before anything else is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from accord_core.errors import DocumentError, Where
from accord_core.index.filenames import safe, split_sdist, split_wheel
from accord_core.lock.model import Archive, Directory, File, Lock, Package, Vcs
from accord_core.names import normalise, valid
from accord_core.project.faults import DEFAULT_LIMITS, Faults, Limits, load_toml, type_name
from accord_core.project.fields import Fields
from accord_core.project.markers import parse_marker, variables
from accord_core.project.positions import KeyPath
from accord_core.project.versions import sort_key

__all__ = ["is_lock_name", "loads"]

_HEX = frozenset("0123456789abcdef")
_DIGEST_SIZES = {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}


def is_lock_name(filename: str) -> bool:
    """Whether a file so called is a lock (PEP 751 "File Name"): ``pylock.toml`` or ``pylock.NAME.toml``."""
    head, dot, rest = filename.partition(".")
    name, last, suffix = rest.rpartition(".")
    return (
        head == "pylock" and bool(dot) and suffix == "toml" and (not last or (bool(name) and "." not in name))
    )


def loads(text: str, path: str = "pylock.toml", *, limits: Limits = DEFAULT_LIMITS) -> Lock:
    """Read a lock.

    Raises ``DocumentError``: ``invalid-lock`` with every fault, or ``unsupported-lock-version`` alone.
    """
    data = load_toml(text, path, code="invalid-lock", limits=limits)
    _check_major(data, path)
    reader = _Reader(Faults(path, text, limits=limits))
    lock = reader.lock(data)
    reader.faults.refuse(
        "invalid-lock",
        f"{path} is not a lock the standard allows",
        hint="run 'accord lock' to write it anew",
    )
    return lock


def _check_major(data: Mapping[str, Any], path: str) -> None:
    version = data.get("lock-version")
    if isinstance(version, str):
        major = version.partition(".")[0]
        if major.isdigit() and int(major) != 1:
            raise DocumentError(
                "unsupported-lock-version",
                f"{path} has lock-version {version!r}, which this Accord cannot read",
                where=Where(path, key="lock-version"),
                hint="upgrade Accord, or lock again with this version",
            )


class _Reader(Fields):
    """Walks the tables of a lock."""

    def lock(self, data: Mapping[str, Any]) -> Lock:
        version = self.text(data, "lock-version", (), required=True)
        if version is not None:
            self.check(sort_key, version, ("lock-version",), "is not a version")
        packages = self.tables(data, "packages", (), required=True)
        return Lock(
            lock_version=version or "1.0",
            environments=self.texts(data, "environments", (), check=parse_marker, wrong="is not a marker"),
            requires_python=self.specifier(data, "requires-python", ()),
            extras=self.texts(data, "extras", (), check=_normalised, wrong="is not a normalised name"),
            dependency_groups=self.texts(data, "dependency-groups", ()),
            default_groups=self.texts(data, "default-groups", ()),
            created_by=self.text(data, "created-by", (), required=True) or "",
            packages=tuple([self.package(table, ("packages", i)) for i, table in enumerate(packages)]),
            tool=self.table(data, "tool", ()),
        )

    def package(self, data: Mapping[str, Any], at: KeyPath) -> Package:
        name = self.text(data, "name", at, required=True)
        if name is not None:
            self.check(_normalised, name, (*at, "name"), "is not a normalised name")
        version = self.text(data, "version", at)
        if version is not None and not self.check(sort_key, version, (*at, "version"), "is not a version"):
            version = None
        marker = self.text(data, "marker", at)
        if marker is not None:
            self.check(_lock_marker, marker, (*at, "marker"), "is not a marker of a lock")
        self.sources(data, at)
        sdist = self.table(data, "sdist", at)
        identities = self.tables(data, "attestation-identities", at)
        for i, identity in enumerate(identities):
            self.text(identity, "kind", (*at, "attestation-identities", i), required=True)
        package = Package(
            name=name or "",
            version=version,
            marker=marker,
            requires_python=self.specifier(data, "requires-python", at),
            dependencies=self.tables(data, "dependencies", at),
            vcs=self.vcs(data, at),
            directory=self.directory(data, at),
            archive=self.archive(data, at),
            index=self.text(data, "index", at),
            sdist=None if sdist is None else self.file(sdist, (*at, "sdist")),
            wheels=tuple(
                [
                    self.file(wheel, (*at, "wheels", i))
                    for i, wheel in enumerate(self.tables(data, "wheels", at))
                ]
            ),
            attestation_identities=identities,
            tool=self.table(data, "tool", at),
        )
        self.file_names(package, at)
        return package

    def sources(self, data: Mapping[str, Any], at: KeyPath) -> None:
        """ "packages.vcs … MUST NOT be specified with" any other kind; a package must come from somewhere."""
        direct = [key for key in ("vcs", "directory", "archive") if key in data]
        files = [key for key in ("sdist", "wheels") if data.get(key)]
        if len(direct) > 1 or (direct and files):
            both = ", ".join(direct + files)
            self.faults.add(
                "conflicting-sources", f"a package has one kind of source, not {both}", (*at, direct[-1])
            )
        elif not direct and not files:
            self.faults.add("missing-source", "a package needs wheels, sdist, archive, vcs or directory", at)

    def vcs(self, data: Mapping[str, Any], package: KeyPath) -> Vcs | None:
        table, at = self.table(data, "vcs", package), (*package, "vcs")
        if table is None:
            return None
        kind, commit = (
            self.text(table, "type", at, required=True),
            self.text(table, "commit-id", at, required=True),
        )
        url, path = self.place(table, at)
        return Vcs(
            type=kind or "",
            url=url,
            path=path,
            requested_revision=self.text(table, "requested-revision", at),
            commit_id=commit or "",
            subdirectory=self.subdirectory(table, at),
        )

    def directory(self, data: Mapping[str, Any], package: KeyPath) -> Directory | None:
        table, at = self.table(data, "directory", package), (*package, "directory")
        if table is None:
            return None
        editable = table.get("editable")
        if editable is not None and not isinstance(editable, bool):
            self.faults.wrong_type(editable, "a boolean", (*at, "editable"))
            editable = None
        return Directory(
            path=self.text(table, "path", at, required=True) or "",
            editable=editable,
            subdirectory=self.subdirectory(table, at),
        )

    def archive(self, data: Mapping[str, Any], package: KeyPath) -> Archive | None:
        table, at = self.table(data, "archive", package), (*package, "archive")
        if table is None:
            return None
        url, path = self.place(table, at)
        return Archive(
            url=url,
            path=path,
            size=self.size(table, at),
            upload_time=self.time(table, at),
            hashes=self.hashes(table, at),
            subdirectory=self.subdirectory(table, at),
        )

    def file(self, table: Mapping[str, Any], at: KeyPath) -> File:
        url, path = self.place(table, at)
        name, time, size = self.text(table, "name", at), self.time(table, at), self.size(table, at)
        return File(name, time, url, path, size, self.hashes(table, at))

    def file_names(self, package: Package, at: KeyPath) -> None:
        """A file name must be one, and agree with the entry it stands in."""
        for i, wheel in enumerate(package.wheels):
            found = split_wheel(wheel.filename)
            pair = None if found is None else (found.name, found.version)
            self.file_name(package, wheel, pair, (*at, "wheels", i))
        if package.sdist is not None:
            pair = split_sdist(package.sdist.filename, package.name)
            self.file_name(package, package.sdist, pair, (*at, "sdist"))

    def file_name(self, package: Package, file: File, found: tuple[str, str] | None, at: KeyPath) -> None:
        if not file.filename and not file.url and not file.path:
            return  # noted already: no place
        if found is None or not safe(file.filename):
            self.faults.add(
                "bad-file-name", f"{file.filename!r} is not the name of a file of {package.name}", at
            )
        elif package.name and normalise(found[0]) != package.name:
            self.faults.add("file-name-mismatch", f"{file.filename} is not a file of {package.name}", at)
        elif package.version is not None and not _same_version(found[1], package.version):
            self.faults.add("file-name-mismatch", f"{file.filename} is not version {package.version}", at)

    def place(self, table: Mapping[str, Any], at: KeyPath) -> tuple[str | None, str | None]:
        url, path = self.text(table, "url", at), self.text(table, "path", at)
        if not url and not path and "url" not in table and "path" not in table:
            self.faults.add("missing-key", "a source needs url or path", at)
        return url, path

    def hashes(self, table: Mapping[str, Any], at: KeyPath) -> dict[str, str]:
        found = self.table(table, "hashes", at)
        if not found:
            if "hashes" not in table or found == {}:
                self.faults.add("missing-key", "a file needs at least one hash", at)
            return {}
        for algorithm, digest in found.items():
            size = _DIGEST_SIZES.get(algorithm)
            if not isinstance(digest, str):
                self.faults.wrong_type(digest, "a string", (*at, "hashes", algorithm))
            elif not digest or not _HEX.issuperset(digest.lower()) or size not in (None, len(digest)):
                self.faults.add(
                    "bad-hash", f"this is not a {algorithm} digest: {digest[:130]!r}", (*at, "hashes")
                )
        return {algorithm: digest.lower() for algorithm, digest in found.items() if isinstance(digest, str)}

    def size(self, table: Mapping[str, Any], at: KeyPath) -> int | None:
        size = table.get("size")
        if size is None or (isinstance(size, int) and not isinstance(size, bool) and size >= 0):
            return size
        self.faults.add("wrong-type", f"size must be a count of bytes, not {type_name(size)}", (*at, "size"))
        return None

    def time(self, table: Mapping[str, Any], at: KeyPath) -> str | None:
        time = table.get("upload-time")
        if time is None:
            return None
        if not isinstance(time, datetime):
            self.faults.wrong_type(time, "a date with time", (*at, "upload-time"))
            return None
        # "MUST be in UTC": one without offset can mean nothing else
        utc = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
        return utc.isoformat().replace("+00:00", "Z")


def _lock_marker(text: str) -> None:
    """Raises ValueError for what is no marker, or asks for ``extra``: locks ask for ``extras`` ("packages.marker")."""
    if "extra" in variables(parse_marker(text)):
        raise ValueError("extra is no variable of a lock's markers; extras is")


def _normalised(name: str) -> None:
    if not valid(name) or normalise(name) != name:
        raise ValueError(name)


def _same_version(left: str, right: str) -> bool:
    try:
        return sort_key(left) == sort_key(right)
    except ValueError:
        return False
