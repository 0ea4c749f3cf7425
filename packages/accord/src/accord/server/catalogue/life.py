"""What becomes of a release once it is published: yanked, in quarantine, withdrawn, restored; and of its project (PEP 592, 792).

Everything here is a change in the journal, and each entry says what was ``before``: so the state of any earlier serial is
the present one with the later entries taken back (``catalogue.history``).

Nothing is deleted by hand.  A file that must go is *withdrawn*: gone from pages, from storage after a grace time if no
other file has the same bytes, and gone from the past as well.  What stays is a tombstone that says why, ``legal`` or
``safety``, in words everybody reads who asks for the file.  Its name stays used.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version
from sqlalchemy import and_, select, update

from accord.server.accounts import audit
from accord.server.catalogue import blobs
from accord.server.catalogue.publishing import project_turn
from accord.server.clock import iso
from accord.server.database import tables
from accord.server.errors import Refused, no_such_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.database import Database, Writing
    from accord.server.limits import Limits
    from accord.server.storage import BlobStore

__all__ = [
    "CAUSES",
    "PROJECT_STATUSES",
    "RELEASE_STATUSES",
    "Part",
    "Tombstone",
    "restore",
    "set_status",
    "sweep",
    "tombstone",
    "tombstones",
    "unyank",
    "withdraw",
    "yank",
]

PROJECT_STATUSES = ("active", "archived", "deprecated", "quarantined")
"""PEP 792, "Project Status Markers"."""

RELEASE_STATUSES = ("active", "quarantined")

CAUSES = ("legal", "safety")
"""Why a file may be withdrawn: somebody's rights; or to stop what harms those who install it."""

_SECOND = 1_000_000
_WHY = {"legal": " for legal reasons", "safety": " because it is not safe to use", "upstream": " upstream"}


@dataclass(frozen=True, slots=True)
class Part:
    """What of a project is meant: one file, one release, or everything."""

    index: IndexRow
    project: str
    version: str | None = None
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is left of a withdrawn file.  ``by`` is ``index`` where its administrators did it, else ``project``.  The cause
    ``upstream`` is of a file that left the index this one follows, which did not say why; ``at`` is 0 then."""

    filename: str
    version: str
    cause: str
    reason: str
    at: int
    by: str

    def as_dict(self) -> dict[str, object]:
        return {
            "filename": self.filename,
            "version": self.version,
            "cause": self.cause,
            "reason": self.reason,
            "withdrawn": iso(self.at) if self.at else None,
        }

    def refusal(self) -> Refused:
        """The answer to whoever asks for the file."""
        return Refused(
            410,
            "file-withdrawn",
            f"{self.filename} was withdrawn{_WHY[self.cause]}: {self.reason}",
            hint="use another version",
            members=self.as_dict(),
        )


def yank(writing: Writing, part: Part, reason: str, limits: Limits) -> list[str]:
    """Yank what is not yanked, or for another reason; returns the names of the files.

    Raises ``Refused``: ``reason-too-long`` (400), ``no-such-project``, ``no-such-release``, ``no-such-file`` (404).
    """
    _check_reason(reason, limits)
    return _set_yanked(writing, part, yanked=True, reason=reason or None)


def unyank(writing: Writing, part: Part) -> list[str]:
    """The contrary of :func:`yank`."""
    return _set_yanked(writing, part, yanked=False, reason=None)


def _set_yanked(writing: Writing, part: Part, *, yanked: bool, reason: str | None) -> list[str]:
    changed = []
    for row in _files(writing, part, states=("live",)):
        if (bool(row.yanked), row.yank_reason) == (yanked, reason):
            continue
        writing.connection.execute(
            update(tables.file).where(tables.file.c.id == row.id).values(yanked=yanked, yank_reason=reason)
        )
        writing.changed(
            part.index.id,
            "yank" if yanked else "unyank",
            project=part.project,
            version=row.version,
            filename=row.filename,
            reason=reason,
            before={"yanked": bool(row.yanked), "reason": row.yank_reason},
        )
        changed.append(row.filename)
    return changed


def set_status(
    writing: Writing, part: Part, status: str, reason: str, limits: Limits, *, admin: bool
) -> dict[str, object]:
    """Of a project, or of the release ``part`` names.  Quarantine is put on and taken off by administrators of the index
    only (``admin``): else whoever publishes what is dangerous would let it go again.

    Raises ``Refused``: ``status-unknown``, ``reason-too-long`` (400), ``quarantine-not-allowed`` (403),
    ``no-such-project``, ``no-such-release`` (404).
    """
    _check_reason(reason, limits)
    known = PROJECT_STATUSES if part.version is None else RELEASE_STATUSES
    if status not in known:
        raise Refused(400, "status-unknown", f"{status!r} is no status here", hint=", ".join(known))
    project_id = _project(writing, part)
    table = tables.project if part.version is None else tables.release
    key = table.c.id
    identity = project_id
    if part.version is not None:
        identity = _release(writing.connection, part, project_id)
    before = writing.connection.execute(
        select(table.c.status, table.c.status_reason).where(key == identity)
    ).one()
    if "quarantined" in (before.status, status) and not admin:
        raise Refused(
            403,
            "quarantine-not-allowed",
            f"{part.project}: only administrators of {part.index.name} put something into quarantine or take it out",
        )
    told = reason or None
    if (before.status, before.status_reason) != (status, told):
        writing.connection.execute(
            update(table).where(key == identity).values(status=status, status_reason=told)
        )
        writing.changed(
            part.index.id,
            "status" if part.version is None else "release-status",
            project=part.project,
            version=part.version,
            status=status,
            reason=told,
            before={"status": before.status, "reason": before.status_reason},
        )
    return {"project": part.project, "version": part.version, "status": status, "reason": told}


def withdraw(
    writing: Writing, part: Part, cause: str, reason: str, limits: Limits, *, admin: bool
) -> list[str]:
    """Take files away for good; returns their names.

    Raises ``Refused``: ``withdraw-cause``, ``withdraw-reason``, ``reason-too-long`` (400), ``no-such-project``,
    ``no-such-release``, ``no-such-file`` (404).
    """
    if cause not in CAUSES:
        raise Refused(
            400, "withdraw-cause", f"{cause!r} is no cause to withdraw a file", hint=" or ".join(CAUSES)
        )
    if not reason.strip():
        raise Refused(400, "withdraw-reason", "a withdrawal tells its reason to those who miss the file")
    _check_reason(reason, limits)
    names = []
    for row in _files(writing, part, states=("live", "quarantined")):
        grave = {
            "cause": cause,
            "reason": reason,
            "at": writing.at,
            "by": "index" if admin else "project",
            "was": row.state,
        }
        writing.connection.execute(
            update(tables.file)
            .where(tables.file.c.id == row.id)
            .values(state="withdrawn", state_reason=json.dumps(grave, ensure_ascii=False))
        )
        _enter(writing, part, row, "withdraw", cause=cause, reason=reason)
        names.append(row.filename)
    _audit(writing, part, "withdraw", cause=cause, reason=reason, files=names)
    return names


def restore(
    writing: Writing, storage: BlobStore, part: Part, reason: str, limits: Limits, *, admin: bool
) -> list[str]:
    """Bring withdrawn files back, as long as their bytes are kept; returns their names.

    Raises ``Refused``: ``withdrawn-by-index`` (403), ``restore-too-late`` (410), ``reason-too-long`` (400),
    ``no-such-project``, ``no-such-release``, ``no-such-file`` (404).
    """
    _check_reason(reason, limits)
    rows = _files(writing, part, states=("withdrawn", "erased"))
    kept = [row for row in rows if row.state == "withdrawn" and _grave(row)["cause"] in CAUSES]
    for row in kept:
        grave = _grave(row)
        if grave["by"] == "index" and not admin:
            raise Refused(
                403,
                "withdrawn-by-index",
                f"{row.filename} was withdrawn by administrators of {part.index.name}, who alone restore it",
            )
        if _ends(grave, limits) <= writing.at:
            kept = []
            break
    if not kept:
        raise Refused(
            410,
            "restore-too-late",
            f"{rows[0].filename} was withdrawn more than {limits.restore_seconds // 86_400} days ago, or upstream",
            hint="publish a new version",
        )
    blobs.keep(writing, storage, *(row.sha256 for row in kept))
    for row in kept:
        writing.connection.execute(
            update(tables.file)
            .where(tables.file.c.id == row.id)
            .values(state=_grave(row)["was"], state_reason=None)
        )
        _enter(writing, part, row, "restore", reason=reason or None)
    names = [row.filename for row in kept]
    _audit(writing, part, "restore", reason=reason, files=names)
    return names


def sweep(database: Database, storage: BlobStore, limits: Limits) -> int:
    """Give up the bytes of what was withdrawn longer ago than files can be restored; returns how many files it were.

    A file's bytes stay where another file that is not withdrawn has the same.
    """
    with database.read() as connection:
        if not _over(connection, database.now(), limits):
            return 0
    with database.write("system") as writing:
        rows = _over(writing.connection, writing.at, limits)
        digests: set[str] = set()
        for row in rows:
            writing.connection.execute(
                update(tables.file).where(tables.file.c.id == row.id).values(state="erased")
            )
            writing.changed(
                row.index_id, "erase-file", project=row.name, version=row.version, filename=row.filename
            )
            digests.update(filter(None, (row.sha256, row.metadata_sha256, row.provenance_sha256)))
        blobs.release(writing, storage, digests)
    return len(rows)


def tombstone(connection: Connection, index_id: int, project: str, filename: str) -> Tombstone | None:
    """What is left of the file of that name, if it was withdrawn."""
    found = _buried(
        connection,
        tables.project.c.index_id == index_id,
        tables.project.c.name == project,
        tables.file.c.filename == filename,
    )
    return found[0] if found else None


def tombstones(connection: Connection, project_id: int) -> tuple[Tombstone, ...]:
    """Of a project, in the order its files came."""
    return tuple(_buried(connection, tables.file.c.project_id == project_id))


_COLUMNS = (
    tables.file.c.id,
    tables.file.c.index_id,
    tables.file.c.filename,
    tables.file.c.sha256,
    tables.file.c.metadata_sha256,
    tables.file.c.provenance_sha256,
    tables.file.c.state,
    tables.file.c.state_reason,
    tables.file.c.yanked,
    tables.file.c.yank_reason,
    tables.release.c.version,
    tables.project.c.name,
)
_FROM = tables.file.join(tables.release, tables.release.c.id == tables.file.c.release_id).join(
    tables.project, tables.project.c.id == tables.file.c.project_id
)


def _buried(connection: Connection, *where: Any) -> list[Tombstone]:
    rows = connection.execute(
        select(*_COLUMNS)
        .select_from(_FROM)
        .where(and_(*where), tables.file.c.state.in_(("withdrawn", "gone", "erased")))
        .order_by(tables.file.c.id)
    )
    found = []
    for row in rows:
        grave = _grave(row)
        found.append(
            Tombstone(row.filename, row.version, grave["cause"], grave["reason"], grave["at"], grave["by"])
        )
    return found


def _grave(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    try:
        found = json.loads(row.state_reason or "")
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    return {"cause": "upstream", "reason": row.state_reason or "no reason given", "at": 0, "by": "index"}


def _ends(grave: dict[str, Any], limits: Limits) -> int:
    """When the bytes of a withdrawn file are given up."""
    return int(grave["at"]) + limits.restore_seconds * _SECOND


def _over(connection: Connection, at: int, limits: Limits) -> list[Row[*tuple[Any, ...]]]:
    rows = connection.execute(
        select(*_COLUMNS)
        .select_from(_FROM)
        .where(tables.file.c.state == "withdrawn")
        .order_by(tables.file.c.id)
    )
    graves = ((row, _grave(row)) for row in rows)
    return [row for row, grave in graves if grave["cause"] in CAUSES and _ends(grave, limits) <= at]


def _files(writing: Writing, part: Part, *, states: tuple[str, ...]) -> Sequence[Row[*tuple[Any, ...]]]:
    """The files meant, of those in one of the states; at least one."""
    project_id = _project(writing, part)
    where = [tables.file.c.project_id == project_id, tables.file.c.state.in_(states)]
    where += [tables.file.c.added_serial.is_not(None), tables.file.c.removed_serial.is_(None)]
    if part.version is not None:
        where.append(tables.file.c.release_id == _release(writing.connection, part, project_id))
    if part.filename is not None:
        where.append(tables.file.c.filename == part.filename)
    rows = writing.connection.execute(
        select(*_COLUMNS).select_from(_FROM).where(and_(*where)).order_by(tables.file.c.id)
    ).all()
    if not rows:
        what = part.filename or (part.project if part.version is None else f"{part.project} {part.version}")
        raise Refused(
            404, "no-such-file", f"{part.index.name} has no file of {what} that this could be done to"
        )
    return rows


def _project(writing: Writing, part: Part) -> int:
    writing.turn(project_turn(part.index, part.project))
    found = writing.connection.execute(
        select(tables.project.c.id).where(
            tables.project.c.index_id == part.index.id, tables.project.c.name == part.project
        )
    ).scalar()
    if found is None:
        raise no_such_project(part.index.name, part.project)
    return int(found)


def _release(connection: Connection, part: Part, project_id: int) -> int:
    try:
        version = str(Version(part.version or ""))
    except InvalidVersion:
        version = ""
    found = connection.execute(
        select(tables.release.c.id).where(
            tables.release.c.project_id == project_id, tables.release.c.version == version
        )
    ).scalar()
    if found is None:
        raise Refused(404, "no-such-release", f"{part.project} has no release {(part.version or '')[:100]}")
    return int(found)


def _check_reason(reason: str, limits: Limits) -> None:
    if len(reason.encode()) > limits.reason_bytes:
        raise Refused(400, "reason-too-long", f"a reason has {limits.reason_bytes} bytes at most")


def _enter(writing: Writing, part: Part, row: Row[*tuple[Any, ...]], action: str, **detail: Any) -> None:
    writing.changed(
        part.index.id,
        action,
        project=part.project,
        version=row.version,
        filename=row.filename,
        before={"state": row.state},
        **detail,
    )


def _audit(writing: Writing, part: Part, action: str, **detail: Any) -> None:
    audit.record(writing, action, f"{part.index.name}/{part.project}", **detail)
