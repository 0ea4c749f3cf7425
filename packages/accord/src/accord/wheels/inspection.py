"""What a wheel or sdist is and holds, as one record.

An archive must be safe to open; what is in it may be wrong, for that is often why somebody looks: a wheel whose RECORD
or metadata are faulty is shown with the fault in its place.  No file of it but its documents is read.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.wheels.contents import open_contents, sha256_of
from accord.wheels.fields import Fields, read_fields
from accord.wheels.limits import DEFAULT
from accord_core.archive.entrypoints import parse_entry_points
from accord_core.archive.wheel import Wheel
from accord_core.errors import ArchiveError
from accord_core.index.filenames import SDIST, WHEEL, split_wheel

if TYPE_CHECKING:
    from accord.wheels.contents import Contents, File
    from accord.wheels.limits import Limits
    from accord_core.archive.entrypoints import EntryPoint

__all__ = ["Inspection", "RecordState", "inspect", "is_shared_object"]

_SHARED = (".so", ".pyd", ".dll", ".dylib")


@dataclass(frozen=True, slots=True)
class RecordState:
    """``state``: ``complete`` (each file is listed with a digest; ``accord wheel verify`` reads them), ``faulty``
    (``code``, ``message``), or ``none`` for an sdist.  ``rows`` is how many lines it has."""

    state: str
    rows: int = 0
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Inspection:
    """``metadata`` are the fields of METADATA or PKG-INFO, ``wheel`` those of WHEEL; ``tags`` and ``build`` come from
    the file's name; ``shared_objects`` are paths; ``size`` and ``sha256`` are of the file itself."""

    path: str
    filename: str
    kind: str
    size: int
    sha256: str
    name: str
    version: str
    build: str
    tags: tuple[str, ...]
    top: str
    metadata: Fields
    wheel: Fields
    entry_points: tuple[EntryPoint, ...]
    record: RecordState
    shared_objects: tuple[str, ...]
    files: tuple[File, ...]
    faults: tuple[str, ...]

    @property
    def unpacked(self) -> int:
        return sum(file.size for file in self.files)

    def as_dict(self) -> dict[str, object]:
        """The record ``--json`` prints."""
        points: dict[str, dict[str, str]] = {}
        for one in self.entry_points:
            value = f"{one.module}:{one.attribute}" if one.attribute else one.module
            points.setdefault(one.group, {})[one.name] = value
        return {
            "path": self.path,
            "filename": self.filename,
            "kind": self.kind,
            "size": self.size,
            "unpacked": self.unpacked,
            "sha256": self.sha256,
            "name": self.name,
            "version": self.version,
            "build": self.build or None,
            "tags": list(self.tags),
            "metadata": self.metadata.grouped(),
            "wheel": self.wheel.grouped(),
            "entry_points": points,
            "record": {
                "state": self.record.state,
                "rows": self.record.rows,
                "code": self.record.code,
                "message": self.record.message,
            },
            "shared_objects": list(self.shared_objects),
            "files": [file.as_dict() for file in self.files],
            "faults": list(self.faults),
        }


def is_shared_object(path: str) -> bool:
    """Whether a name is that of machine code: ``spam.so``, ``libspam.so.1.2``, ``spam.pyd``."""
    base = path.rpartition("/")[2].lower()
    head, dot, version = base.partition(".so.")
    return base.endswith(_SHARED) or bool(head and dot and version.replace(".", "").isdigit())


def inspect(path: str, limits: Limits = DEFAULT) -> Inspection:
    """Look into the wheel or sdist at ``path``.

    Raises as ``open_contents``; everything else that is wrong stands in the record.
    """
    with open_contents(path, limits) as contents:
        documents, faults = _documents(contents, limits)
        metadata = read_fields(documents.get("metadata", b""))
        points: tuple[EntryPoint, ...] = ()
        try:
            points = parse_entry_points(documents.get("entry_points", b""))
        except ArchiveError as fault:
            faults.append(fault.message)
        parts = split_wheel(contents.filename) if contents.kind == WHEEL else None
        return Inspection(
            path=path,
            filename=contents.filename,
            kind=contents.kind,
            size=os.stat(path).st_size,
            sha256=sha256_of(path),
            name=metadata.first("Name"),
            version=metadata.first("Version"),
            build="" if parts is None else parts.build,
            tags=() if parts is None else parts.tags,
            top=contents.top,
            metadata=metadata,
            wheel=read_fields(documents.get("wheel", b"")),
            entry_points=points,
            record=_record(contents),
            shared_objects=tuple(file.path for file in contents.files if is_shared_object(file.path)),
            files=contents.files,
            faults=tuple(faults),
        )


def _documents(contents: Contents, limits: Limits) -> tuple[dict[str, bytes], list[str]]:
    """The documents of the distribution by what they are, and what is wrong with them."""
    if contents.kind == SDIST:
        wanted = {"PKG-INFO": "metadata"}
    else:
        folder = _dist_info(contents)
        wanted = {
            f"{folder}/METADATA": "metadata",
            f"{folder}/WHEEL": "wheel",
            f"{folder}/entry_points.txt": "entry_points",
        }
    most = limits.archive.metadata_bytes
    found: dict[str, bytes] = {}
    faults: list[str] = []
    for path, data in _read(contents, wanted, most, faults).items():
        found[wanted[path]] = data
    present = {file.path for file in contents.files}
    for path, what in wanted.items():
        if path not in present and what != "entry_points":
            faults.append(f"there is no {path}")
    faults += [
        f"{file.path} has {file.size} bytes, more than {most}"
        for file in contents.files
        if file.path in wanted and file.size > most
    ]
    return found, faults


def _read(contents: Contents, wanted: dict[str, str], most: int, faults: list[str]) -> dict[str, bytes]:
    """The documents, each by itself, so that a damaged one hides no other."""
    found = {}
    for path in wanted:
        try:
            found.update(contents.read({path}, most))
        except ArchiveError as fault:
            faults.append(f"{path}: {fault.message}")
    return found


def _dist_info(contents: Contents) -> str:
    """The folder of the wheel's documents: the one its name announces, else the first there is."""
    tops = sorted(
        {
            file.path.partition("/")[0]
            for file in contents.files
            if file.path.partition("/")[0].endswith(".dist-info")
        }
    )
    announced = "-".join(contents.filename.split("-")[:2]) + ".dist-info"
    return announced if announced in tops or not tops else tops[0]


def _record(contents: Contents) -> RecordState:
    if contents.kind == SDIST:
        return RecordState("none")
    assert contents.archive is not None
    try:
        wheel = Wheel(contents.archive, contents.filename)
    except ArchiveError as fault:
        return RecordState("faulty", code=fault.code, message=fault.message)
    return RecordState("complete", len(wheel.rows))
