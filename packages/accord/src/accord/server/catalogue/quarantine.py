"""New files that wait until a scanner, or a person, has said what they are.

A file in quarantine has its name, its release and its bytes, but nobody sees it: it has no serial and is in no journal.
When it is released it is added as if it had just come: mirrors, feeds and pages learn of it with the serial of that moment.
When it is rejected its name stays used, and nothing of it is ever shown.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from accord.server import jobs
from accord.server.accounts import audit
from accord.server.archives.contents import LIMITS, read_sdist
from accord.server.catalogue import releases
from accord.server.catalogue.policy import policy_of
from accord.server.clock import iso
from accord.server.database import tables
from accord.server.errors import Refused
from accord.wheels.fields import read_fields

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.database import Writing
    from accord.server.storage import BlobStore

__all__ = ["SCAN", "Waiting", "enter", "reject", "release", "waiting", "waiting_file", "waits"]

SCAN = "scan-file"
"""The kind of job that asks a scanner (``upkeep.scanning``)."""
_NEVER_SHOWN = 0  # a ``removed_serial`` before every state there was


@dataclass(frozen=True, slots=True)
class Waiting:
    id: int
    filename: str
    project: str
    version: str
    size: int
    sha256: str
    uploader: str
    uploaded: int
    metadata_sha256: str | None
    release_id: int
    published: int | None

    def as_dict(self) -> dict[str, object]:
        return {
            "filename": self.filename,
            "project": self.project,
            "version": self.version,
            "size": self.size,
            "sha256": self.sha256,
            "uploader": self.uploader,
            "uploaded": iso(self.uploaded),
        }


def waits(writing: Writing, index: IndexRow, project_id: int) -> bool:
    """Whether the policy of the index lets a new file of that project wait."""
    rule = policy_of(index).quarantine
    if rule != "new-projects":
        return rule == "all"
    columns = tables.file.c
    known = writing.connection.execute(
        select(columns.id).where(columns.project_id == project_id, columns.added_serial.is_not(None)).limit(1)
    ).first()
    return known is None


def enter(writing: Writing, index: IndexRow, project: str, filename: str) -> None:
    """It is told to operators and to the scanner only."""
    jobs.enqueue(writing, SCAN, index=index.name, filename=filename)
    audit.record(writing, "quarantine", f"{index.name}/{project}", filename=filename)


def waiting(
    connection: Connection, index: IndexRow, *, after: int = 0, limit: int = 1_000
) -> tuple[Waiting, ...]:
    """The files that wait, in the order they came; ``after`` is the ``id`` of the last one known."""
    file = tables.file.c
    rows = connection.execute(
        _select().where(file.index_id == index.id, file.id > after).order_by(file.id).limit(limit)
    )
    return tuple(Waiting(*row) for row in rows)


def waiting_file(connection: Connection, index: IndexRow, filename: str) -> Waiting:
    """Raises ``Refused("not-in-quarantine")`` (404)."""
    file = tables.file.c
    row = connection.execute(_select().where(file.index_id == index.id, file.filename == filename)).first()
    if row is None:
        raise Refused(
            404, "not-in-quarantine", f"no file {filename!r:.300} of {index.name} waits in quarantine"
        )
    return Waiting(*row)


def release(writing: Writing, storage: BlobStore, index: IndexRow, filename: str) -> Waiting:
    """It is visible from this block's serial on; with the first file of it so is its release.

    Raises ``Refused``: ``not-in-quarantine`` (404), ``project-closed`` (403), ``blob-missing`` (500).
    """
    writing.turn(f"quarantine {index.id} {filename}")
    found = waiting_file(writing.connection, index, filename)
    status = writing.connection.execute(
        select(tables.project.c.status).where(
            tables.project.c.index_id == index.id, tables.project.c.name == found.project
        )
    ).scalar_one()
    if status in ("archived", "quarantined"):
        raise Refused(403, "project-closed", f"{found.project} is {status}: it takes no new files (PEP 792)")
    # Of two files of one release, released at one moment, one is the first.
    writing.turn(f"release {found.release_id}")
    if waiting_file(writing.connection, index, filename).published is None:
        releases.publish(writing, found.release_id, read_fields(_metadata(storage, found)))
    _set(writing, found, state="live", state_reason=None, uploaded=writing.at)
    writing.file_added(found.id)
    writing.changed(
        index.id,
        "add-file",
        project=found.project,
        version=found.version,
        filename=filename,
        sha256=found.sha256,
    )
    audit.record(writing, "release-file", f"{index.name}/{found.project}", filename=filename)
    return found


def _metadata(storage: BlobStore, found: Waiting) -> bytes:
    """The core metadata of a file; of an sdist that is too old to have its own announced, those inside it."""
    if found.metadata_sha256 is not None:
        return storage.read(found.metadata_sha256)
    with tempfile.NamedTemporaryFile() as copy:
        copy.writelines(storage.stream(found.sha256))
        copy.flush()
        return read_sdist(copy.name, LIMITS).metadata


def reject(writing: Writing, index: IndexRow, filename: str, reason: str) -> Waiting:
    """It will never be visible; its name stays used.  Raises ``Refused("not-in-quarantine")``."""
    writing.turn(f"quarantine {index.id} {filename}")
    found = waiting_file(writing.connection, index, filename)
    _set(writing, found, state="rejected", state_reason=reason, removed_serial=_NEVER_SHOWN)
    audit.record(writing, "reject-file", f"{index.name}/{found.project}", filename=filename, reason=reason)
    return found


def _select() -> Select[Any]:
    file = tables.file.c
    return (
        select(
            file.id,
            file.filename,
            tables.project.c.name,
            tables.release.c.version,
            file.size,
            file.sha256,
            file.uploader,
            file.uploaded,
            file.metadata_sha256,
            file.release_id,
            tables.release.c.published,
        )
        .join(tables.project, tables.project.c.id == file.project_id)
        .join(tables.release, tables.release.c.id == file.release_id)
        .where(file.state == "quarantined")
    )


def _set(writing: Writing, found: Waiting, **values: object) -> None:
    writing.connection.execute(update(tables.file).where(tables.file.c.id == found.id).values(**values))
