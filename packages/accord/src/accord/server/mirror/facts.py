"""What upstream's page says of a file, as the rows of an index keep it.

``upstream_file`` has what upstream says and how far it is here (:class:`Kept`); ``file`` has what our own pages say, and
:func:`facts` is the way from the one to the other: core metadata and provenance that were found to be wrong are not
passed on, and what was found out here (a length, a digest) is not forgotten because upstream does not say it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from accord.server.database import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.mirror.entries import Entry
    from accord_core.index.model import File

__all__ = ["FACTS", "Kept", "facts", "find_file", "kept_files", "new", "remember", "show", "where", "wrote"]


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of an upstream page, as far as it is here.  ``metadata_announced``: upstream has its core metadata and says no
    SHA-256 of them; ``metadata_sha256`` is then of those that came.  What is ``refused`` is not passed on, and why."""

    filename: str
    url: str
    sha256: str
    size: int | None
    stored: bool
    metadata_sha256: str | None
    metadata_announced: bool
    metadata_stored: bool
    metadata_refused: str | None
    provenance_url: str | None
    provenance_sha256: str | None
    provenance_fetched: int | None
    provenance_refused: str | None
    blocked: str | None

    @property
    def has_metadata(self) -> bool:
        return self.metadata_refused is None and (self.metadata_sha256 is not None or self.metadata_announced)

    @property
    def has_provenance(self) -> bool:
        return self.provenance_sha256 is not None or (
            self.provenance_url is not None and self.provenance_refused is None
        )


_upstream = tables.upstream_file.c
_COLUMNS = [getattr(_upstream, name) for name in Kept.__slots__]
# The columns of ``file`` that change with what upstream says.
FACTS = (
    "requires_python", "yanked", "yank_reason", "size", "uploaded", "metadata_sha256", "metadata_announced",
    "provenance_sha256", "provenance_announced",
)  # fmt: skip


def where(index_id: int, project: str, filename: str) -> tuple[Any, ...]:
    return (_upstream.index_id == index_id, _upstream.project == project, _upstream.filename == filename)


def find_file(connection: Connection, index_id: int, project: str, filename: str) -> Kept | None:
    row = connection.execute(select(*_COLUMNS).where(*where(index_id, project, filename))).first()
    return None if row is None else Kept(*row)


def kept_files(connection: Connection, index_id: int, project: str) -> dict[str, Kept]:
    rows = connection.execute(
        select(*_COLUMNS).where(_upstream.index_id == index_id, _upstream.project == project)
    )
    return {row.filename: Kept(*row) for row in rows}


def new(file: File, blocked: str | None) -> Kept:
    """A file that was not known."""
    sha256, announced = _metadata(file)
    return Kept(
        file.filename, file.url, file.hashes["sha256"], file.size, False, sha256, announced, False, None,
        file.provenance, None, None, None, blocked,
    )  # fmt: skip


def remember(connection: Connection, index_id: int, project: str, known: Kept, file: File) -> Kept:
    """Keep what upstream says now of a file that was known."""
    sha256, announced = _metadata(file)
    size = known.size if file.size is None else file.size
    if announced and known.metadata_announced:
        sha256 = known.metadata_sha256  # of those that came
    if (file.url, size, file.provenance) == (known.url, known.size, known.provenance_url) and (
        sha256,
        announced,
    ) == (known.metadata_sha256, known.metadata_announced):  # nearly all of a large page
        return known
    said = replace(known, url=file.url, size=size)
    if (sha256, announced) != (known.metadata_sha256, known.metadata_announced):
        said = replace(
            said,
            metadata_sha256=sha256,
            metadata_announced=announced,
            metadata_stored=False,
            metadata_refused=None,
        )
    if file.provenance != known.provenance_url:
        said = replace(
            said,
            provenance_url=file.provenance,
            provenance_sha256=None,
            provenance_fetched=None,
            provenance_refused=None,
        )
    wrote(connection, index_id, project, known, said)
    return said


def wrote(connection: Connection, index_id: int, project: str, known: Kept, said: Kept) -> None:
    """Write what differs of two."""
    values = {
        field.name: getattr(said, field.name)
        for field in fields(Kept)
        if getattr(said, field.name) != getattr(known, field.name)
    }
    if values:
        connection.execute(
            update(tables.upstream_file).where(*where(index_id, project, known.filename)).values(**values)
        )


def facts(entry: Entry, kept: Kept) -> dict[str, Any]:
    """What our own page says of it: the columns :data:`FACTS`."""
    return {
        "requires_python": entry.file.requires_python,
        "yanked": entry.file.yanked,
        "yank_reason": entry.file.yank_reason,
        "uploaded": entry.uploaded,
        **_found_out(kept),
    }


def show(connection: Connection, index_id: int, project: str, kept: Kept) -> None:
    """Let the row of a file say what was found out of it."""
    file, of = tables.file.c, tables.project.c
    owner = select(of.id).where(of.index_id == index_id, of.name == project).scalar_subquery()
    connection.execute(
        update(tables.file)
        .where(file.project_id == owner, file.filename == kept.filename)
        .values(**_found_out(kept))
    )


def _found_out(kept: Kept) -> dict[str, Any]:
    metadata = kept.metadata_sha256 if kept.metadata_refused is None else None
    return {
        "size": -1 if kept.size is None else kept.size,
        "metadata_sha256": metadata,
        "metadata_announced": kept.has_metadata and metadata is None,
        "provenance_sha256": kept.provenance_sha256,
        "provenance_announced": kept.has_provenance and kept.provenance_sha256 is None,
    }


def _metadata(file: File) -> tuple[str | None, bool]:
    """The SHA-256 upstream says; and whether it has core metadata and says none."""
    said = file.core_metadata
    sha256 = said.get("sha256") if isinstance(said, dict) else None
    return sha256, sha256 is None and said is not False
