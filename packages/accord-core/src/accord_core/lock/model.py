"""The values a lock is made of, named as the standard names them (PEP 751 "File Format").

Slotted classes by hand, because a no-op ``accord sync`` loads them and ``dataclasses`` costs more than the whole
command; they are values all the same: compared by content, never changed.  What may be absent is ``None``, arrays
are tuples, tables of other people (``dependencies``, ``attestation_identities``, ``tool``) are the dictionaries
TOML gave.  Times are ISO 8601 text in UTC with ``Z``.

This room is **hot**.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self

    Table = Mapping[str, Any]

__all__ = ["Archive", "Directory", "File", "Lock", "Package", "Vcs", "utc_time"]


class _Value:
    """Compared, shown and copied by its slots; ``_shape`` gives the arguments that make it again."""

    __slots__: tuple[str, ...] = ()

    def _shape(self) -> tuple[object, ...]:
        return tuple([getattr(self, name) for name in self.__slots__])

    def replace(self, **changes: object) -> Self:
        """The same value with some fields changed.  Raises ``TypeError`` for a field it does not have."""
        return type(self)(**({name: getattr(self, name) for name in self.__slots__} | changes))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._shape() == other._shape()

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        fields = ", ".join(
            f"{name}={value!r}"
            for name, value in zip(self.__slots__, self._shape(), strict=True)
            if value not in (None, ())
        )
        return f"{type(self).__name__}({fields})"


class File(_Value):
    """A wheel or an sdist (PEP 751 ``packages.wheels``, ``packages.sdist``)."""

    __slots__ = ("name", "upload_time", "url", "path", "size", "hashes")  # noqa: RUF023 - the standard's order

    def __init__(
        self,
        name: str | None = None,
        upload_time: str | None = None,
        url: str | None = None,
        path: str | None = None,
        size: int | None = None,
        hashes: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.upload_time = upload_time
        self.url = url
        self.path = path
        self.size = size
        self.hashes: Mapping[str, str] = hashes or {}

    @property
    def filename(self) -> str:
        """``name``, else the last component of ``path``, else of ``url``; empty when there is none."""
        if self.name:
            return self.name
        if self.path:
            return self.path.replace("\\", "/").rpartition("/")[2]
        last = (self.url or "").partition("#")[0].partition("?")[0].rpartition("/")[2]
        if "%" in last:
            from urllib.parse import unquote

            return unquote(last)
        return last


class Archive(_Value):
    """An archive given by URL or path (PEP 751 ``packages.archive``)."""

    __slots__ = ("url", "path", "size", "upload_time", "hashes", "subdirectory")  # noqa: RUF023

    def __init__(
        self,
        *,
        url: str | None = None,
        path: str | None = None,
        size: int | None = None,
        upload_time: str | None = None,
        hashes: Mapping[str, str] | None = None,
        subdirectory: str | None = None,
    ) -> None:
        self.url = url
        self.path = path
        self.size = size
        self.upload_time = upload_time
        self.hashes: Mapping[str, str] = hashes or {}
        self.subdirectory = subdirectory


class Vcs(_Value):
    """A revision in a version control system (PEP 751 ``packages.vcs``)."""

    __slots__ = ("type", "url", "path", "requested_revision", "commit_id", "subdirectory")  # noqa: RUF023

    def __init__(
        self,
        *,
        type: str,  # noqa: A002 - the standard's word
        commit_id: str,
        url: str | None = None,
        path: str | None = None,
        requested_revision: str | None = None,
        subdirectory: str | None = None,
    ) -> None:
        self.type = type
        self.url = url
        self.path = path
        self.requested_revision = requested_revision
        self.commit_id = commit_id
        self.subdirectory = subdirectory


class Directory(_Value):
    """A source tree on this machine (PEP 751 ``packages.directory``); pip refuses it beside hashed files."""

    __slots__ = ("path", "editable", "subdirectory")  # noqa: RUF023

    def __init__(self, *, path: str, editable: bool | None = None, subdirectory: str | None = None) -> None:
        self.path = path
        self.editable = editable
        self.subdirectory = subdirectory


class Package(_Value):
    """One entry of ``[[packages]]``: a version of a project, where it comes from, and when it is installed."""

    __slots__ = (  # noqa: RUF023 - the standard's order
        "name",
        "version",
        "marker",
        "requires_python",
        "dependencies",
        "vcs",
        "directory",
        "archive",
        "index",
        "sdist",
        "wheels",
        "attestation_identities",
        "tool",
    )

    def __init__(
        self,
        *,
        name: str,
        version: str | None = None,
        marker: str | None = None,
        requires_python: str | None = None,
        dependencies: tuple[Table, ...] = (),
        vcs: Vcs | None = None,
        directory: Directory | None = None,
        archive: Archive | None = None,
        index: str | None = None,
        sdist: File | None = None,
        wheels: tuple[File, ...] = (),
        attestation_identities: tuple[Table, ...] = (),
        tool: Table | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.marker = marker
        self.requires_python = requires_python
        self.dependencies = dependencies
        self.vcs = vcs
        self.directory = directory
        self.archive = archive
        self.index = index
        self.sdist = sdist
        self.wheels = wheels
        self.attestation_identities = attestation_identities
        self.tool = tool


class Lock(_Value):
    """A whole lock file."""

    __slots__ = (  # noqa: RUF023 - the standard's order
        "lock_version",
        "environments",
        "requires_python",
        "extras",
        "dependency_groups",
        "default_groups",
        "created_by",
        "packages",
        "tool",
    )

    def __init__(
        self,
        *,
        packages: tuple[Package, ...],
        created_by: str = "accord",
        lock_version: str = "1.0",
        environments: tuple[str, ...] = (),
        requires_python: str | None = None,
        extras: tuple[str, ...] = (),
        dependency_groups: tuple[str, ...] = (),
        default_groups: tuple[str, ...] = (),
        tool: Table | None = None,
    ) -> None:
        self.lock_version = lock_version
        self.environments = environments
        self.requires_python = requires_python
        self.extras = extras
        self.dependency_groups = dependency_groups
        self.default_groups = default_groups
        self.created_by = created_by
        self.packages = packages
        self.tool = tool

    @property
    def newer_than_known(self) -> bool:
        """Whether a later minor version wrote it: readable, but "a warning SHOULD be raised" (``lock-version``)."""
        return self.lock_version != "1.0"


def utc_time(text: str) -> str:
    """An index's ``upload-time`` (ISO 8601, any offset) as the standard wants it: UTC, ``Z``, at most microseconds.

    Raises ``ValueError`` for what is not a time.
    """
    if len(text) in (20, 27) and text[-1] == "Z" and text[10] == "T" and text[:4].isdigit():
        return text
    from datetime import UTC, datetime

    found = datetime.fromisoformat(text)
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return found.isoformat().replace("+00:00", "Z")
