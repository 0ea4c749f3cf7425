"""Which blobs the rows of a server point at, and which of them must be there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, literal, select

from accord.server.database import tables

if TYPE_CHECKING:
    from sqlalchemy import Column, ColumnElement, Connection, Table

__all__ = ["Needed", "needed"]


@dataclass(frozen=True, slots=True)
class Needed:
    """``size`` where the row says one; ``must``: whether it is a damage if the blob is not there (the bytes of a withdrawn
    file may be gone, those of an ended upload session, too); ``table``, ``column`` and ``subject`` say who points at it."""

    sha256: str
    size: int | None
    must: bool
    table: str
    column: str
    subject: str


def needed(connection: Connection) -> Iterator[Needed]:
    """Every pointer, table by table; the same blob may come more than once."""
    file, upload, page, cached = (
        tables.file.c,
        tables.upload_file.c,
        tables.upstream_page.c,
        tables.upstream_file.c,
    )
    # Of an index with an upstream, what is here stands in the rows of the cache.
    hosted = select(tables.index.c.id).where(tables.index.c.kind != "upstream")
    there = and_(file.state.not_in(("withdrawn", "erased")), file.index_id.in_(hosted))
    received = upload.state.in_(("processing", "completed"))
    for column, size, subject, must in (
        (file.sha256, file.size, file.filename, there),
        (file.metadata_sha256, None, file.filename, there),
        (file.provenance_sha256, None, file.filename, there),
        (upload.sha256, upload.size, upload.filename, received),
        (page.sha256, None, page.project, literal(True)),
        (cached.sha256, cached.size, cached.filename, cached.stored),
        (cached.metadata_sha256, None, cached.filename, cached.metadata_stored),
        (cached.provenance_sha256, None, cached.filename, cached.provenance_fetched.is_not(None)),
    ):
        yield from _pointers(connection, column, size, subject, must)
    for extra in _other_columns(tables.upload_file, {"sha256"}):
        yield from _pointers(connection, extra, None, upload.filename, received)


def _other_columns(table: Table, known: set[str]) -> list[Column[str]]:
    return [column for column in table.c if column.name.endswith("sha256") and column.name not in known]


def _pointers(
    connection: Connection,
    column: Column[str],
    size: Column[int] | None,
    subject: Column[str],
    must: ColumnElement[bool],
) -> Iterator[Needed]:
    query = select(column, literal(None) if size is None else size, subject, must).where(column.is_not(None))
    with connection.execute(query, execution_options={"yield_per": 1000}) as rows:
        for sha256, length, of, required in rows:
            yield Needed(sha256, length, bool(required), column.table.name, column.name, of)
