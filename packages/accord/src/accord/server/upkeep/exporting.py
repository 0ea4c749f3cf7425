"""An index written into a folder that people and other programs can read (docs/how-to/grow-an-index.md has the format).

``accord-index.json`` says what it is and counts; ``tables/NAME.jsonl`` has a row a line; files lie under the names they
are published with, ``files/INDEX/PROJECT/FILENAME``, everything else under ``blobs/SHA256``; ``blobs.jsonl`` says where each
digest lies.  The folder holds secrets (keys of tokens, digests of passwords): only its owner may read it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy import LargeBinary, select

from accord.io.files import sync_folder
from accord.server.database import SCHEMA, tables
from accord.server.errors import Refused
from accord.server.upkeep.needed import needed
from accord.server.upkeep.rows import ordered
from accord_core.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

    from accord.server.parts import Parts

__all__ = ["FORMAT", "LEFT_OUT", "MANIFEST", "write_out"]

FORMAT = 1
MANIFEST = "accord-index.json"
LEFT_OUT = ("job", "rate", "web_session")
"""What means something to a running server only."""


def write_out(parts: Parts, folder: str, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Write all of a server, as it was at one instant, into a new folder; the manifest comes last.

    Raises ``UsageError("export-folder")``, ``Refused("blob-missing", "blob-damaged")``.
    """
    _make(folder)
    with parts.database.read() as connection:
        serial = connection.execute(select(tables.serial.c.value)).scalar_one()
        counts = {}
        for table in tables.metadata.sorted_tables:
            if table.name in LEFT_OUT:
                continue
            tell(table.name)
            with _create(folder, f"tables/{table.name}.jsonl") as file:
                counts[table.name] = _rows(connection, table, file)
        tell("files")
        with _create(folder, "blobs.jsonl") as listing:
            count, size = _blobs(parts, connection, folder, listing)
    document = {
        "format": FORMAT,
        "schema": SCHEMA,
        "serial": serial,
        "tables": counts,
        "blobs": count,
        "bytes": size,
    }
    with _create(folder, MANIFEST) as file:
        file.write(json.dumps(document, indent=2).encode() + b"\n")
    sync_folder(folder)
    return document


def _make(folder: str) -> None:
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if os.listdir(folder):
            raise UsageError("export-folder", f"there is something in {folder}", hint="name an empty folder")
        os.makedirs(os.path.join(folder, "tables"), mode=0o700)
    except OSError as fault:
        raise UsageError("export-folder", f"{folder} cannot be made: {fault.strerror}") from fault


def _create(folder: str, path: str) -> IO[bytes]:
    place = os.path.join(folder, path)
    os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
    return open(place, "xb", opener=lambda name, flags: os.open(name, flags, 0o600))


def _rows(connection: Connection, table: Table, file: IO[bytes]) -> int:
    binary = {column.name for column in table.c if isinstance(column.type, LargeBinary)}
    count = 0
    for row in ordered(connection, table):
        values = {
            name: base64.b64encode(value).decode() if name in binary and value is not None else value
            for name, value in row._mapping.items()
        }
        file.write(json.dumps(values, ensure_ascii=False).encode() + b"\n")
        count += 1
    return count


def _blobs(parts: Parts, connection: Connection, folder: str, listing: IO[bytes]) -> tuple[int, int]:
    written: set[str] = set()
    total = 0
    for sha256, path, must in _places(connection):
        if sha256 in written:
            continue
        size = parts.storage.size(sha256)
        if size is None and not must:
            continue
        place = path if not os.path.exists(os.path.join(folder, path)) else f"blobs/{sha256}"
        running = hashlib.sha256()
        with _create(folder, place) as file:
            for piece in parts.storage.stream(sha256):
                running.update(piece)
                file.write(piece)
        if running.hexdigest() != sha256:
            raise Refused(
                500, "blob-damaged", f"the bytes under {sha256} are others", hint="accord index fsck --repair"
            )
        written.add(sha256)
        total += size or 0
        line = {"sha256": sha256, "size": size, "path": place}
        listing.write(json.dumps(line).encode() + b"\n")
    return len(written), total


def _places(connection: Connection) -> Iterator[tuple[str, str, bool]]:
    """``(digest, path, must be there)``: published files by their names, then everything else."""
    file = tables.file.c
    rows = connection.execute(
        select(
            tables.index.c.name,
            tables.project.c.name,
            file.filename,
            file.sha256,
            file.metadata_sha256,
            file.provenance_sha256,
            file.state,
            tables.index.c.kind,
        )
        .join(tables.index, tables.index.c.id == file.index_id)
        .join(tables.project, tables.project.c.id == file.project_id)
        .order_by(file.id)
    )
    for index, project, filename, sha256, metadata, provenance, state, kind in rows:
        place = f"files/{index}/{project}/{filename}"
        for digest, ending in ((sha256, ""), (metadata, ".metadata"), (provenance, ".provenance")):
            if digest is not None:
                # What an upstream has and nobody asked for yet is not here.
                must = kind != "upstream" and state not in ("withdrawn", "erased")
                yield digest, place + ending, must
    for one in needed(connection):
        yield one.sha256, f"blobs/{one.sha256}", one.must
