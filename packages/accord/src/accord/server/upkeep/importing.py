"""What ``exporting`` wrote, read into a server that has nothing yet.  The folder is a stranger's until all of it was looked at.

Blobs come first, each against its digest; then the rows, in one block, each against its table; then the whole is looked
through as ``fsck`` does, and only what has no fault is committed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Boolean, Integer, LargeBinary, String, delete

from accord.server.database import SCHEMA, tables
from accord.server.upkeep.exporting import FORMAT, LEFT_OUT, MANIFEST
from accord.server.upkeep.moving import demand_empty
from accord.server.upkeep.needed import needed
from accord.server.upkeep.rows import entering, raise_sequences
from accord_core.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Table

    from accord.server.parts import Parts

__all__ = ["read_in"]

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_AT_ONCE = 500
_PIECE = 1 << 20


def read_in(parts: Parts, folder: str, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Raises ``UsageError``: ``import-format``, ``import-row``, ``import-blob`` (each with file and line),
    ``index-target-taken``.  Then no row was entered; blobs that were stored are found by ``fsck``."""
    demand_empty(parts.database)
    manifest = _manifest(folder)
    tell("files")
    stored = _blobs(parts, folder)
    if len(stored) != manifest.get("blobs"):
        raise _format(f"blobs.jsonl names {len(stored)} blobs, {MANIFEST} {manifest.get('blobs')}")
    counts = manifest["tables"]
    with parts.database.write("system") as writing:
        connection = writing.connection
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(delete(table).where(_foreign(table)))
        for table in tables.metadata.sorted_tables:
            if table.name in LEFT_OUT:
                continue
            tell(table.name)
            count = _rows(connection, parts, folder, table)
            if count != counts.get(table.name):
                raise _format(
                    f"{table.name}.jsonl has {count} rows, {MANIFEST} says {counts.get(table.name)}"
                )
        for one in needed(connection):
            if one.must and one.sha256 not in stored:
                raise UsageError("import-blob", f"{one.subject}: the folder has no blob {one.sha256}")
        if connection.dialect.name == "postgresql":
            raise_sequences(connection)
    parts.database.counter.raise_to(parts.database.serial())
    return manifest


def _foreign(table: Table) -> Any:
    """Everything a new database has for itself goes, but for what says that it may be written."""
    from accord.server.database import READ_ONLY

    return tables.state.c.key != READ_ONLY if table is tables.state else True


def _format(words: str) -> UsageError:
    return UsageError(
        "import-format", words, hint="a folder written by accord index export of the same version"
    )


def _open(folder: str, path: str) -> int:
    """A file of the folder, never of elsewhere: no link is followed, nowhere upwards."""
    segments = path.split("/")
    if any(part in ("", ".", "..") or "\0" in part or "\\" in part for part in segments):
        raise UsageError("import-blob", f"{path!r} is no path in the folder")
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in segments[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
            os.close(handle)
            handle = inner
        found = os.open(segments[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=handle)
    except OSError as fault:
        raise UsageError("import-blob", f"{path} cannot be read: {fault.strerror}") from fault
    finally:
        os.close(handle)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise UsageError("import-blob", f"{path} is no file")
    return found


def _lines(parts: Parts, folder: str, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """``(where, object)`` of each line."""
    most = parts.settings.limits.import_line_bytes
    with open(_open(folder, path), "rb") as file:
        number = 0
        while line := file.readline(most + 1):
            number += 1
            where = f"{path}:{number}"
            if len(line) > most:
                raise UsageError("import-row", f"{where}: the line is longer than {most} bytes")
            try:
                values = json.loads(line)
            except (ValueError, RecursionError) as fault:
                raise UsageError("import-row", f"{where}: this is no JSON") from fault
            if not isinstance(values, dict):
                raise UsageError("import-row", f"{where}: this is no object")
            yield where, values


def _manifest(folder: str) -> dict[str, Any]:
    try:
        with open(_open(folder, MANIFEST), "rb") as file:
            found = json.loads(file.read(_PIECE))
    except (ValueError, RecursionError) as fault:
        raise _format(f"{MANIFEST} is no JSON") from fault
    if (
        not isinstance(found, dict)
        or found.get("format") != FORMAT
        or not isinstance(found.get("tables"), dict)
    ):
        raise _format(f"{MANIFEST} does not say format {FORMAT}")
    if found.get("schema") != SCHEMA:
        raise _format(f"the folder has schema {found.get('schema')}, this version writes {SCHEMA}")
    return found


def _blobs(parts: Parts, folder: str) -> set[str]:
    stored: set[str] = set()
    for where, line in _lines(parts, folder, "blobs.jsonl"):
        sha256, size, path = line.get("sha256"), line.get("size"), line.get("path")
        if not (isinstance(sha256, str) and _SHA256.match(sha256) and isinstance(path, str)):
            raise UsageError("import-row", f"{where}: a blob has sha256, size and path")
        _blob(parts, folder, where, path, sha256, size)
        stored.add(sha256)
    return stored


def _blob(parts: Parts, folder: str, where: str, path: str, sha256: str, size: object) -> None:
    received = parts.incoming_path()
    running = hashlib.sha256()
    length = 0
    try:
        with open(_open(folder, path), "rb") as source, open(received, "xb") as file:
            while piece := source.read(_PIECE):
                running.update(piece)
                file.write(piece)
                length += len(piece)
        if running.hexdigest() != sha256 or length != size:
            raise UsageError("import-blob", f"{where}: {path} has other bytes than its digest and size say")
        parts.storage.put(sha256, received)
    finally:
        if os.path.exists(received):
            os.unlink(received)


def _rows(connection: Connection, parts: Parts, folder: str, table: Table) -> int:
    waiting: list[dict[str, Any]] = []
    count = 0
    for where, values in _lines(parts, folder, f"tables/{table.name}.jsonl"):
        if set(values) != set(table.c.keys()):
            raise UsageError("import-row", f"{where}: a row of {table.name} has other columns")
        waiting.append({column.name: _value(column, values[column.name], where) for column in table.c})
        count += 1
        if len(waiting) >= _AT_ONCE:
            _enter(connection, table, waiting)
    _enter(connection, table, waiting)
    return count


def _enter(connection: Connection, table: Table, waiting: list[dict[str, Any]]) -> None:
    from sqlalchemy.exc import DataError, IntegrityError

    if not waiting:
        return
    try:
        connection.execute(entering(table), waiting)
    except (IntegrityError, DataError) as fault:
        raise UsageError("import-row", f"rows of {table.name} contradict others: {fault.orig}") from fault
    waiting.clear()


def _value(column: Column[Any], value: Any, where: str) -> Any:
    """What a column takes, of the kind it takes."""
    kind = column.type
    if value is None:
        if column.nullable or isinstance(kind, JSON):
            return None
        raise UsageError("import-row", f"{where}: {column.name} is missing")
    good = True
    if isinstance(kind, JSON):
        return value
    if isinstance(kind, Boolean):
        good = isinstance(value, bool)
    elif isinstance(kind, Integer):
        good = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63
    elif isinstance(kind, LargeBinary):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, TypeError, ValueError):
            good = False
    elif isinstance(kind, String):
        good = isinstance(value, str) and (kind.length is None or len(value) <= kind.length)
        if good and column.name.endswith("sha256"):
            good = _SHA256.match(value) is not None
        if good and column.name == "filename":
            good = "/" not in value and value not in ("", ".", "..")
    if not good:
        raise UsageError("import-row", f"{where}: {column.name} is not what that column takes")
    return value
