"""A parsed lock as bytes, so that the next command need not parse it.

Parsing the text of a large lock takes a fifth of a second; loading this form takes a few milliseconds.  It is a
cache, found by the digest of the lock's text and made again when it does not fit: the format has a number, and bytes
that are not of this format and this interpreter are ``None``, never an error.

This room is **hot**.
"""

from __future__ import annotations

import marshal

from accord_core.lock.model import Archive, Directory, File, Lock, Package, Vcs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["from_marshal", "to_marshal"]

# Changed with every change of the model's fields; an old cache is then simply not there.
_FORMAT = "accord-lock-1"
_DATE = "\0date"


def to_marshal(lock: Lock) -> bytes:
    """The lock as bytes for :func:`from_marshal` on the same machine."""
    dates: list[bool] = []
    data = _fields(lock, dates)
    return marshal.dumps((_FORMAT, bool(dates), data))


def from_marshal(data: bytes) -> Lock | None:
    """The lock :func:`to_marshal` wrote, or None where the bytes are anything else (trust the file, not the text)."""
    try:
        form, dates, fields = marshal.loads(data)  # noqa: S302 - our own cache folder, as private as the store
        if form != _FORMAT:
            return None
        return _lock(_dated(fields) if dates else fields)
    except (ValueError, TypeError, EOFError, AttributeError):
        return None


def _fields(value: Any, dates: list[bool]) -> Any:
    if isinstance(value, File):
        return (value.name, value.upload_time, value.url, value.path, value.size, dict(value.hashes))
    if isinstance(value, (Lock, Package, Archive, Vcs, Directory)):
        return [_fields(field, dates) for field in value._shape()]
    if isinstance(value, (str, int, float, type(None))):
        return value
    if isinstance(value, tuple):
        return tuple([_fields(item, dates) for item in value])
    if isinstance(value, list):
        return [_fields(item, dates) for item in value]
    if isinstance(value, dict):
        return {key: _fields(item, dates) for key, item in value.items()}
    dates.append(True)
    return (_DATE, type(value).__name__, value.isoformat())


def _dated(value: Any) -> Any:
    """Dates and times, which only a ``tool`` table can hold, made again from their text."""
    if isinstance(value, tuple):
        if len(value) == 3 and value[0] == _DATE:
            import datetime

            return getattr(datetime, value[1]).fromisoformat(value[2])
        return tuple([_dated(item) for item in value])
    if isinstance(value, list):
        return [_dated(item) for item in value]
    if isinstance(value, dict):
        return {key: _dated(item) for key, item in value.items()}
    return value


def _lock(fields: Any) -> Lock:
    version, environments, python, extras, groups, defaults, author, packages, tool = fields
    return Lock(
        lock_version=version,
        environments=environments,
        requires_python=python,
        extras=extras,
        dependency_groups=groups,
        default_groups=defaults,
        created_by=author,
        packages=tuple([_package(one) for one in packages]),
        tool=tool,
    )


def _package(fields: Any) -> Package:
    (
        name,
        version,
        marker,
        python,
        dependencies,
        vcs,
        folder,
        archive,
        index,
        sdist,
        wheels,
        identities,
        tool,
    ) = fields
    return Package(
        name=name,
        version=version,
        marker=marker,
        requires_python=python,
        dependencies=dependencies,
        vcs=vcs and _again(Vcs, vcs),
        directory=folder and _again(Directory, folder),
        archive=archive and _again(Archive, archive),
        index=index,
        sdist=sdist and File(*sdist),
        wheels=tuple([File(*wheel) for wheel in wheels]),
        attestation_identities=identities,
        tool=tool,
    )


def _again(kind: Any, fields: list[Any]) -> Any:
    return kind(**dict(zip(kind.__slots__, fields, strict=True)))
