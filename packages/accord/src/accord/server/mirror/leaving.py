"""Files that are not served any more: upstream has them no more, rules leave them out, or they are not what they should be.

There are two ways to leave.  A file that is *forbidden* (blocked, withdrawn upstream for a cause, in quarantine, too young,
of other bytes than it had) is withdrawn, from the past of the index as well: a snapshot that still gave out malware would
be the best place to get it.  Every other file is *gone*: the present does not have it, and the past shows it as it was,
so that an old lock resolves again.  Its bytes, if they are here, stay for ``upstream_gone_seconds``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from packaging.version import Version
from sqlalchemy import delete, select, update

from accord.server import jobs
from accord.server.catalogue import blobs
from accord.server.database import tables
from accord.server.mirror import facts
from accord.server.mirror.entries import storable
from accord.server.mirror.rules import Candidate, Rules

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.database import Writing
    from accord.server.mirror.entries import Entry
    from accord.server.mirror.facts import Kept
    from accord.server.parts import Parts
    from accord_core.index.model import Page

__all__ = ["CHANGED", "GONE", "Said", "block_file", "forbids", "prune", "remove", "withdrawn_upstream"]

GONE = "upstream has it no more"
CHANGED = "upstream has other bytes under this name than before"
_HELD = "upstream had the project in quarantine when it left"
_WITHDREW = "upstream withdrew it"
_WRONG = "wrong "
# What is known of the file itself holds until upstream has it again.
_STICKS = (CHANGED, _HELD, _WITHDREW, _WRONG)
_FORBIDS = (*_STICKS, "blocked:", "younger than")
_CAUSES = frozenset(("legal", "safety"))
_REASON = 500  # letters of a reason upstream gives
_SECOND = 1_000_000

_file, _upstream = tables.file.c, tables.upstream_file.c


def forbids(reason: str) -> bool:
    """Whether a file that left for that reason is not to be had from the past, either."""
    return reason.startswith(_FORBIDS)


@dataclass(frozen=True, slots=True)
class Said:
    """A page of upstream, and what it says besides: the causes of what it withdrew, by file name."""

    page: Page | None
    withdrawn: Mapping[str, str] = field(default_factory=dict)


def withdrawn_upstream(body: bytes) -> dict[str, str]:
    """What a page of a server of ours says of files that were withdrawn for a cause (``_withdrawn``)."""
    if b'"_withdrawn"' not in body:
        return {}
    try:
        entries = json.loads(body)["_withdrawn"]
        found: dict[str, str] = {}
        for entry in entries if isinstance(entries, list) else ():
            filename, cause, reason = (str(entry.get(key)) for key in ("filename", "cause", "reason"))
            if cause in _CAUSES or forbids(reason):
                found[filename] = storable(f"{_WITHDREW} ({cause}): {reason[:_REASON]}") or ""
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return found


def remove(
    writing: Writing,
    index_id: int,
    project: str,
    project_id: int,
    before: dict[str, Kept],
    entries: dict[str, Entry],
    reasons: dict[str, str],
    said: Said,
    rules: Rules,
    *,
    held: bool,
) -> None:
    """Everything known that is not served any more; ``reasons`` of those upstream still has.  ``held``: the project is in
    quarantine."""
    rows = {
        row.filename: row
        for row in writing.connection.execute(
            select(
                _file.filename, _file.sha256, _file.uploaded, _file.state, _file.added_serial, _file.state_reason,
                tables.release.c.version,
            )
            .join(tables.release, tables.release.c.id == _file.release_id)
            .where(_file.project_id == project_id)
        )
    }  # fmt: skip
    for name, known in before.items():
        row = rows.get(name)
        reason = reasons.get(name) if name in entries else _why(project, known, row, said, rules, held=held)
        if reason is None:
            continue
        if known.blocked != reason:
            note(writing.connection, index_id, project, name, reason)
        if row is None or row.added_serial is None or row.state == "erased":
            continue
        wanted = "withdrawn" if forbids(reason) else "gone"
        if row.state == "live":
            _bury(writing, index_id, project, project_id, name, row.version, wanted, reason)
        elif (row.state, known.blocked) != (wanted, reason):
            # No change of what the present says; the past goes by the state the row has now.
            _set_state(writing, project_id, name, wanted, reason)


def _why(project: str, known: Kept, row: Any, said: Said, rules: Rules, *, held: bool) -> str:
    """Why upstream, or whoever made the rules, does not want a file to be had that is on no page any more."""
    if row is not None:
        blocked = rules.block(
            project, Candidate(known.filename, Version(row.version), row.sha256, row.uploaded)
        )
        if blocked is not None:
            return blocked
    word = said.withdrawn.get(known.filename)
    if word is not None:
        return word
    if known.blocked is not None and known.blocked.startswith(_STICKS):
        return known.blocked
    return _HELD if held else GONE


def block_file(writing: Writing, index_id: int, project: str, filename: str, reason: str) -> None:
    """Never serve a file again: it is not what upstream said."""
    connection = writing.connection
    note(connection, index_id, project, filename, reason)
    row = connection.execute(
        select(_file.project_id, tables.release.c.version, _file.state)
        .join(tables.release, tables.release.c.id == _file.release_id)
        .join(tables.project, tables.project.c.id == _file.project_id)
        .where(
            _file.index_id == index_id,
            tables.project.c.name == project,
            _file.filename == filename,
            _file.state.in_(("live", "gone")),
        )
    ).first()
    if row is None:
        return
    if row.state == "live":
        _bury(writing, index_id, project, row.project_id, filename, row.version, "withdrawn", reason)
    else:
        _set_state(writing, row.project_id, filename, "withdrawn", reason)


def _bury(
    writing: Writing,
    index_id: int,
    project: str,
    project_id: int,
    filename: str,
    version: str,
    state: str,
    reason: str,
) -> None:
    _set_state(writing, project_id, filename, state, reason)
    writing.changed(
        index_id, "remove-file", project=project, version=version, filename=filename, reason=reason
    )


def _set_state(writing: Writing, project_id: int, filename: str, state: str, reason: str) -> None:
    grave = {"cause": "upstream", "reason": reason, "at": writing.at, "by": "index"}
    writing.connection.execute(
        update(tables.file)
        .where(_file.project_id == project_id, _file.filename == filename)
        .values(state=state, state_reason=json.dumps(grave))
    )


def note(connection: Connection, index_id: int, project: str, filename: str, reason: str | None) -> None:
    connection.execute(
        update(tables.upstream_file).where(*facts.where(index_id, project, filename)).values(blocked=reason)
    )


def prune(parts: Parts) -> int:
    """Give up what has been gone for too long, or is too much of one project; returns how many files it were."""
    with parts.database.read() as connection:
        if not _overdue(connection, parts):
            return 0
    with parts.database.write("system") as writing:
        rows = _overdue(writing.connection, parts)
        digests: set[str] = set()
        for row in rows:
            writing.connection.execute(update(tables.file).where(_file.id == row.id).values(state="erased"))
            writing.connection.execute(
                delete(tables.upstream_file).where(*facts.where(row.index_id, row.name, row.filename))
            )
            writing.changed(
                row.index_id, "erase-file", project=row.name, version=row.version, filename=row.filename
            )
            digests.update(filter(None, (row.sha256, row.metadata_sha256, row.provenance_sha256)))
        blobs.release(writing, parts.storage, digests)
    return len(rows)


def _overdue(connection: Connection, parts: Parts) -> list[Any]:
    limits = parts.settings.limits
    before = parts.now() - limits.upstream_gone_seconds * _SECOND
    rows = connection.execute(
        select(
            _file.id, _file.index_id, _file.project_id, _file.filename, _file.sha256, _file.metadata_sha256,
            _file.provenance_sha256, _file.state_reason, tables.project.c.name, tables.release.c.version,
        )
        .join(tables.release, tables.release.c.id == _file.release_id)
        .join(tables.project, tables.project.c.id == _file.project_id)
        .where(_file.state == "gone")
    ).all()  # fmt: skip
    found = []
    count: dict[int, int] = {}
    for at, row in sorted(((json.loads(row.state_reason)["at"], row) for row in rows), key=_latest_first):
        count[row.project_id] = count.get(row.project_id, 0) + 1
        if at <= before or count[row.project_id] > limits.upstream_gone_files:
            found.append(row)
    return found


def _latest_first(one: tuple[int, Any]) -> tuple[int, int]:
    return -one[0], -one[1].id


def _job(parts: Parts, _arguments: dict[str, Any]) -> None:
    prune(parts)


jobs.register("prune-upstream", _job, every=6 * 3600)
