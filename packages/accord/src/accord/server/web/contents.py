"""Looking into stored files: what is in them as a tree, and what two of them differ in.

Strangers' archives, opened within the limits of ``accord.wheels``; large ones are not looked into at all, and only two at a
time in one process.  What was found is kept in the cache by digest, for a file never changes.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from accord.io.files import write_atomic
from accord.server.errors import Refused
from accord.server.turns import Turns
from accord.wheels.compare import Comparison, Ignoring, compare
from accord.wheels.inspection import inspect
from accord.wheels.limits import DEFAULT
from accord.wheels.textdiff import TextDiff, text_diffs
from accord_core.errors import AccordError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accord.server.catalogue.reading import FileRow
    from accord.server.parts import Parts

__all__ = ["Difference", "Folder", "Inside", "difference", "inside"]

_TURNS = Turns(2, 8, 10.0)
_MEANT = Ignoring(times=True, order=True, packing=True, owners=True, record=True)
_LIMITS = replace(DEFAULT, text_members=60, text_lines=300, text_source_lines=2_000)
_KEPT = 64


@dataclass(slots=True)
class Folder:
    """A folder of a tree: its folders by name and its files, ``(name, size, mode, target)``."""

    folders: dict[str, Folder] = field(default_factory=dict)
    files: list[tuple[str, int, str, str]] = field(default_factory=list)
    size: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Inside:
    """``points`` are entry points by group; ``faults`` what is wrong with the file though it can be opened."""

    tree: Folder
    size: int
    count: int
    points: dict[str, dict[str, str]]
    faults: tuple[str, ...]
    shared_objects: int


@dataclass(frozen=True, slots=True)
class Difference:
    comparison: Comparison
    texts: tuple[TextDiff, ...]


_DIFFERENCES: OrderedDict[tuple[str, str], Difference] = OrderedDict()
_LOCK = threading.Lock()


def inside(parts: Parts, file: FileRow) -> Inside:
    """Raises ``Refused``: ``file-too-large-to-show`` (413), ``file-not-readable`` (422), ``page-busy`` (503)."""
    path = os.path.join(parts.settings.cache, "contents", file.sha256[:2], f"{file.sha256}.json")
    try:
        with open(path, encoding="utf-8") as stored:
            document = json.load(stored)
    except (FileNotFoundError, ValueError):
        document = _look(parts, file)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_atomic(path, json.dumps(document).encode(), sync=False)
    return Inside(
        _tree(document["files"]),
        document["unpacked"],
        len(document["files"]),
        document["entry_points"],
        tuple(document["faults"]),
        len(document["shared_objects"]),
    )


def _look(parts: Parts, file: FileRow) -> dict[str, object]:
    with _turn(), _opened(parts, (file,)) as (path,):
        try:
            found = inspect(path, _LIMITS).as_dict()
        except AccordError as fault:
            raise _unreadable(file, fault) from fault
    files = found["files"]
    assert isinstance(files, list)
    most = parts.settings.limits.browse_files
    if len(files) > most:
        raise Refused(413, "file-too-large-to-show", f"{file.filename} has more than {most} members")
    return {key: found[key] for key in ("files", "unpacked", "entry_points", "faults", "shared_objects")}


def difference(parts: Parts, old: FileRow, new: FileRow) -> Difference:
    """What is different in meaning: not times, order, owners, packing, nor RECORD.  Raises as :func:`inside`."""
    key = old.sha256, new.sha256
    with _LOCK:
        if key in _DIFFERENCES:
            _DIFFERENCES.move_to_end(key)
            return _DIFFERENCES[key]
    with _turn(), _opened(parts, (old, new)) as (before, after):
        try:
            comparison = compare(before, after, ignoring=_MEANT, limits=_LIMITS)
            found = Difference(comparison, text_diffs(comparison, _LIMITS) if comparison.changed else ())
        except AccordError as fault:
            raise _unreadable(new, fault) from fault
    with _LOCK:
        _DIFFERENCES[key] = found
        while len(_DIFFERENCES) > _KEPT:
            _DIFFERENCES.popitem(last=False)
    return found


@contextmanager
def _turn() -> Iterator[None]:
    """Raises ``Refused("page-busy")`` (503) where too many want to look into files."""
    with _TURNS.take() as mine:
        if not mine:
            raise Refused(
                503,
                "page-busy",
                "many people look into files of this index just now",
                hint="try again in a moment",
                headers={"Retry-After": "10"},
            )
        yield


@contextmanager
def _opened(parts: Parts, files: Sequence[FileRow]) -> Iterator[list[str]]:
    """The files under their own names: links to where the storage has them, else copies."""
    most = parts.settings.limits.browse_bytes
    for file in files:
        if file.size > most:
            raise Refused(413, "file-too-large-to-show", f"{file.filename} is larger than {most} bytes")
    folder = tempfile.mkdtemp(dir=parts.settings.cache)
    try:
        found = []
        for number, file in enumerate(files):
            place = os.path.join(folder, str(number), file.filename)
            os.mkdir(os.path.dirname(place))
            stored = parts.storage.path(file.sha256)
            if stored is not None:
                os.symlink(os.path.abspath(stored), place)
            else:
                with open(place, "wb") as copy:
                    copy.writelines(parts.storage.stream(file.sha256))
            found.append(place)
        yield found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tree(files: list[dict[str, object]]) -> Folder:
    root = Folder()
    for file in files:
        *above, name = str(file["path"]).split("/")
        size = file["size"] if isinstance(file["size"], int) else 0
        here = root
        here.size, here.count = here.size + size, here.count + 1
        for part in above[:40]:
            here = here.folders.setdefault(part, Folder())
            here.size, here.count = here.size + size, here.count + 1
        here.files.append(("/".join((*above[40:], name)), size, str(file["mode"]), str(file["target"] or "")))
    return root


def _unreadable(file: FileRow, fault: AccordError) -> Refused:
    return Refused(
        422,
        "file-not-readable",
        f"{file.filename} cannot be looked into: {fault.message}",
        context=(fault.code,),
    )
