"""What is known of one unpacked wheel (hot).

An entry is a folder ``<store>/<2 hex>/<62 hex>/`` with

    manifest     this value in ``marshal`` form
    site/        what goes into site-packages, ``.data/purelib`` and ``.data/platlib`` already in place
    data/        what goes elsewhere: ``scripts/``, ``headers/``, ``data/``

The manifest holds everything an install needs, so that no folder of the store is ever walked: the folders to make
(parents first), the files to link, the text of RECORD for them, the launchers to write.  ``marshal`` differs between
Python versions only in what it can hold, not in how these values are read; the first field guards the layout.
"""

from __future__ import annotations

import marshal
import os

__all__ = ["FORMAT", "Entry", "load_entry", "read_manifest", "record_path", "touch"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FORMAT = 3
_FIELDS = (
    "sha256",
    "filename",
    "name",
    "raw_name",
    "version",
    "dist_info",
    "pure",
    "dirs",
    "files",
    "apart",
    "record",
    "data",
    "scripts",
    "toplevel",
    "metadata_sha256",
    "size",
    "packed",
    "boot",
)


class Entry:
    """One unpacked wheel.

    ``path``        the entry's folder; ``site`` and ``data`` files are below it
    ``sha256``      of the wheel; ``filename`` its name
    ``name``        normalised; ``raw_name`` and ``version`` as METADATA has them
    ``dist_info``   name of the dist-info folder
    ``pure``        Root-Is-Purelib
    ``dirs``        folders in site-packages, parents first
    ``files``       files in site-packages, without those an installer writes (RECORD, INSTALLER, REQUESTED, direct_url.json)
    ``apart``       those of ``files`` that are not for the library that Root-Is-Purelib names, but for the other
    ``record``      RECORD's lines for ``files``, UTF-8, each ending in a newline
    ``data``        tuples ``(scheme, path in it, source, "sha256=…", size, rewrite the first line)``
    ``scripts``     tuples ``(name, module, attribute, gui)``
    ``toplevel``    import packages and modules at the top, sorted
    ``size``        bytes unpacked; ``packed`` bytes of the wheel
    ``boot``        the boot in which it was written, empty once it is known to be on the disk
    """

    __slots__ = ("path", *_FIELDS)

    path: str
    sha256: str
    filename: str
    name: str
    raw_name: str
    version: str
    dist_info: str
    pure: bool
    dirs: tuple[str, ...]
    files: tuple[str, ...]
    apart: tuple[str, ...]
    record: bytes
    data: tuple[tuple[str, str, str, str, int, bool], ...]
    scripts: tuple[tuple[str, str, str, bool], ...]
    toplevel: tuple[str, ...]
    metadata_sha256: str
    size: int
    packed: int
    boot: str

    def __init__(self, path: str, **fields: object) -> None:
        self.path = path
        for name in _FIELDS:
            setattr(self, name, fields[name])

    def dumps(self) -> bytes:
        """The manifest."""
        return marshal.dumps((FORMAT, *(getattr(self, name) for name in _FIELDS)))

    def rows(self) -> tuple[tuple[str, str, int], ...]:
        """``(path, "sha256=…", size)`` of every file in site-packages."""
        found = []
        for line in self.record.decode().splitlines():
            head, _, size = line.rpartition(",")
            path, _, hashed = head.rpartition(",")
            if path.startswith('"'):
                path = path[1:-1].replace('""', '"')
            found.append((path, hashed, int(size)))
        return tuple(found)

    def __repr__(self) -> str:
        return f"<Entry {self.raw_name} {self.version} {self.sha256[:12]}>"


def load_entry(path: str) -> Entry | None:
    """The entry in folder ``path``; ``None`` where there is none, or one of another layout, or a damaged one."""
    values = read_manifest(path, FORMAT, len(_FIELDS))
    if values is None:
        return None
    entry = Entry.__new__(Entry)
    entry.path = path
    for name, value in zip(_FIELDS, values, strict=True):
        setattr(entry, name, value)
    return entry


def read_manifest(path: str, form: int, count: int) -> tuple[Any, ...] | None:
    """The ``count`` values of the manifest in folder ``path``; ``None`` where there is none, or one of another form than
    ``form``, or a damaged one."""
    try:
        handle = os.open(path + "/manifest", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        data = os.read(handle, os.fstat(handle).st_size)
    finally:
        os.close(handle)
    try:
        # Written by Accord into the user's own cache, like the .pyc files beside it.
        values = marshal.loads(data)  # noqa: S302
    except (ValueError, EOFError, TypeError):
        return None
    if not isinstance(values, tuple) or len(values) != count + 1 or values[0] != form:
        return None
    return values[1:]


def record_path(path: str) -> str:
    """A path as a line of RECORD begins with it: quoted where CSV asks for that."""
    return '"' + path.replace('"', '""') + '"' if "," in path or '"' in path else path


def touch(path: str) -> None:
    """Note that what lies in the folder ``path`` of the store was used now."""
    try:
        os.utime(path)
    except OSError:
        pass  # a store shared read-only has an upkeep of its own
