"""Which blobs are needed, and when one may go.

Bytes are put into the storage before the block that enters them in the database, because storing is slow.  So a block
that begins to point at a blob first says :func:`keep`: it finds the blob still there, and nobody takes it away before the
block has ended.  :func:`release` deletes, in a block of its own, what no row points at; :func:`entering` stands around
the whole of it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from accord.server.database import tables
from accord.server.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Column, Connection, Select

    from accord.server.database import Database, Writing
    from accord.server.storage import BlobStore

__all__ = ["entering", "give_up", "keep", "pointed", "release"]

_TURN = "blobs"
_AT_ONCE = 500
_POINTERS: tuple[Column[Any], ...] = (
    tables.file.c.sha256,
    tables.file.c.metadata_sha256,
    tables.file.c.provenance_sha256,
    tables.upload_file.c.sha256,
    tables.upload_file.c.metadata_sha256,
    tables.upload_file.c.provenance_sha256,
    tables.upstream_page.c.sha256,
    tables.upstream_file.c.sha256,
    tables.upstream_file.c.metadata_sha256,
    tables.upstream_file.c.provenance_sha256,
)


def keep(writing: Writing, storage: BlobStore, *digests: str) -> None:
    """Raises ``Refused("blob-gone")`` (503) where one was released between its storing and now."""
    writing.turn(_TURN, shared=True)
    for sha256 in digests:
        if storage.size(sha256) is None:
            raise Refused(
                503,
                "blob-gone",
                "the same bytes were just thrown away with somebody's canceled upload",
                hint="send the file again",
                headers={"Retry-After": "1"},
            )


@contextmanager
def entering(database: Database, storage: BlobStore, digests: Iterable[str]) -> Iterator[None]:
    """Around what stores these and enters them: where that is refused they go, unless a row needs them."""
    try:
        yield
    except Refused:
        give_up(database, storage, digests)
        raise


def give_up(database: Database, storage: BlobStore, digests: Iterable[str]) -> None:
    """:func:`release` in a block of its own."""
    with database.write("system") as writing:
        release(writing, storage, digests)


def release(writing: Writing, storage: BlobStore, digests: Iterable[str]) -> int:
    """Delete those of ``digests`` no row needs; how many were."""
    writing.turn(_TURN)
    asked = sorted(set(digests))
    count = 0
    for start in range(0, len(asked), _AT_ONCE):
        some = asked[start : start + _AT_ONCE]
        needed = _needed(writing.connection, some)
        for sha256 in some:
            if sha256 not in needed:
                storage.delete(sha256)
                count += 1
    return count


def pointed(connection: Connection, beginning: str) -> Iterator[str]:
    """The digests rows point at, of those that begin so; one may come more than once."""
    for column in _POINTERS:
        query = _pointing(column).where(column.like(f"{beginning}%"))
        with connection.execute(query, execution_options={"yield_per": 1000}) as rows:
            yield from rows.scalars()


def _needed(connection: Connection, digests: list[str]) -> set[str]:
    found: set[str] = set()
    for column in _POINTERS:
        found.update(connection.execute(_pointing(column).where(column.in_(digests)).distinct()).scalars())
    return found


def _pointing(column: Column[Any]) -> Select[Any]:
    query = select(column)
    return query.where(tables.file.c.state != "erased") if column.table is tables.file else query
