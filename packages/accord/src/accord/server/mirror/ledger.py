"""The page of an upstream, entered in the rows of an index: as if its files had been uploaded here.

So everything that reads rows (pages, stacks, snapshots, feeds, mirrors of ours) knows an upstream index without knowing
that there is such a thing.  What is not served any more, and why, is ``leaving``'s to say.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from accord.server.catalogue.names import look_alike
from accord.server.database import tables
from accord.server.mirror import facts
from accord.server.mirror.entries import Entry, candidates, instant, usable_files
from accord.server.mirror.facts import Kept
from accord.server.mirror.leaving import CHANGED, Said, note, remove
from accord.server.mirror.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.database import Writing
    from accord_core.index.model import Page

__all__ = ["PageRow", "find_page", "keep_page", "take_page", "uses_page"]


@dataclass(frozen=True, slots=True)
class PageRow:
    """What is known of a page; ``sha256`` of it as kept, ``None``: upstream has no such project."""

    sha256: str | None
    etag: str | None
    last_modified: str | None
    fetched: int
    expires: int


_page, _file = tables.upstream_page.c, tables.file.c
# What the past of a page shows as it was; the rest is a correction, which the past has as well.
_OF_THE_PAST = ("requires_python", "size", "uploaded")


def find_page(connection: Connection, index_id: int, project: str) -> PageRow | None:
    row = connection.execute(
        select(_page.sha256, _page.etag, _page.last_modified, _page.fetched, _page.expires).where(
            _page.index_id == index_id, _page.project == project
        )
    ).first()
    return None if row is None else PageRow(*row)


def keep_page(writing: Writing, index_id: int, project: str, row: PageRow, content_type: str) -> None:
    """Remember a page, or that there is none."""
    connection = writing.connection
    connection.execute(
        delete(tables.upstream_page).where(_page.index_id == index_id, _page.project == project)
    )
    connection.execute(
        insert(tables.upstream_page).values(
            index_id=index_id,
            project=project,
            sha256=row.sha256,
            content_type=content_type,
            etag=row.etag,
            last_modified=row.last_modified,
            fetched=row.fetched,
            expires=row.expires,
        )
    )


def uses_page(connection: Connection, sha256: str | None) -> bool:
    """Whether the page of any index has this digest."""
    return (
        connection.execute(select(_page.project).where(_page.sha256 == sha256).limit(1)).first() is not None
    )


def take_page(writing: Writing, index: IndexRow, project: str, said: Said, rules: Rules) -> int | None:
    """Enter what upstream says of a project.  Returns when a rule of age lets more in."""
    connection = writing.connection
    page = said.page
    # On PostgreSQL, two machines that enter one page do it one after the other.
    connection.execute(
        update(tables.index).where(tables.index.c.id == index.id).values(serial=tables.index.c.serial)
    )
    there = connection.execute(
        select(tables.project.c.id, tables.project.c.status, tables.project.c.status_reason).where(
            tables.project.c.index_id == index.id, tables.project.c.name == project
        )
    ).first()
    if there is None and page is None:
        return None
    entries = {} if page is None else _entries(writing, index, project, page)
    before = facts.kept_files(connection, index.id, project)
    reasons, ripe = rules.verdicts(project, candidates(entries), writing.at)
    for name, entry in entries.items():
        known = before.get(name)
        if known is not None and known.sha256 != entry.file.hashes["sha256"]:
            reasons[name] = CHANGED
        elif known is not None and known.blocked is not None and known.blocked.startswith("wrong "):
            reasons[name] = known.blocked
    project_id, status = _project(writing, index, project, page, there)
    held = status == "quarantined"
    remove(writing, index.id, project, project_id, before, entries, reasons, said, rules, held=held)
    _add(writing, index, project, project_id, before, entries, reasons)
    return ripe


def _entries(writing: Writing, index: IndexRow, project: str, page: Page) -> dict[str, Entry]:
    seen = {
        row.filename: row.uploaded
        for row in writing.connection.execute(
            select(_file.filename, _file.uploaded)
            .join(tables.project, tables.project.c.id == _file.project_id)
            .where(tables.project.c.index_id == index.id, tables.project.c.name == project)
        )
    }
    return usable_files(page, project, seen, writing.at)


def _project(
    writing: Writing, index: IndexRow, project: str, page: Page | None, there: Any
) -> tuple[int, str]:
    """The project, and the status it has now."""
    connection = writing.connection
    status = "active" if page is None else page.status
    reason = None if page is None else page.status_reason
    if page is None and there is not None and there.status == "quarantined":
        status, reason = (
            there.status,
            there.status_reason,
        )  # what follows a quarantine is that the project goes
    if there is None:
        made: int = connection.execute(
            insert(tables.project)
            .values(
                index_id=index.id,
                name=project,
                display=project if page is None else page.name[:200],
                look_alike=look_alike(project),
                status=status,
                status_reason=reason,
                created=writing.at,
                serial=0,
            )
            .returning(tables.project.c.id)
        ).scalar_one()
        writing.changed(index.id, "create-project", project=project)
        return made, status
    if (status, reason) != (there.status, there.status_reason):
        connection.execute(
            update(tables.project)
            .where(tables.project.c.id == there.id)
            .values(status=status, status_reason=reason)
        )
        writing.changed(
            index.id,
            "status",
            project=project,
            status=status,
            reason=reason,
            before={"status": there.status, "reason": there.status_reason},
        )
    return int(there.id), status


def _add(
    writing: Writing,
    index: IndexRow,
    project: str,
    project_id: int,
    before: dict[str, Kept],
    entries: dict[str, Entry],
    reasons: dict[str, str],
) -> None:
    """Everything that is served, new or as it was."""
    connection = writing.connection
    rows = {
        row.filename: row
        for row in connection.execute(
            select(
                _file.id,
                _file.filename,
                _file.state,
                _file.added_serial,
                *(tables.file.c[name] for name in facts.FACTS),
            ).where(_file.project_id == project_id)
        )
    }
    kept: dict[str, Kept] = {}
    for name, entry in entries.items():
        known = before.get(name)
        if known is None:
            kept[name] = facts.new(entry.file, reasons.get(name))
        elif name in reasons:
            kept[name] = known
        else:
            kept[name] = facts.remember(connection, index.id, project, known, entry.file)
    unknown = [
        {"index_id": index.id, "project": project, **asdict(each)}
        for name, each in kept.items()
        if name not in before
    ]
    if unknown:
        connection.execute(insert(tables.upstream_file), unknown)
    unserved = [name for name in reasons if name in entries and name not in rows]
    _wait(writing, index, project_id, [(entries[name], kept[name]) for name in unserved])
    fresh: list[tuple[Entry, Kept]] = []
    changes = _Changes(writing, index.id, project)
    for name, entry in entries.items():
        if name in reasons:
            continue
        if name not in rows:
            fresh.append((entry, kept[name]))
        else:
            changes.take(rows[name], entry, facts.facts(entry, kept[name]))
        if name in before and before[name].blocked is not None:
            note(connection, index.id, project, name, None)
    changes.end()
    if not fresh:
        return
    for number in _insert(writing, index, project_id, fresh, "live"):
        writing.file_added(number)
    writing.changed(index.id, "add-files", project=project, files=len(fresh))


def _wait(writing: Writing, index: IndexRow, project_id: int, entries: list[tuple[Entry, Kept]]) -> None:
    """Of files that are not served, and of which upstream does not say how old they are, remember since when they are
    known: a rule of age counts from then."""
    ageless = [(entry, kept) for entry, kept in entries if instant(entry.file.upload_time) is None]
    if ageless:
        _insert(writing, index, project_id, ageless, "withdrawn")


def _insert(
    writing: Writing, index: IndexRow, project_id: int, entries: list[tuple[Entry, Kept]], state: str
) -> Sequence[int]:
    releases = _releases(writing, project_id, [entry.version for entry, _ in entries])
    made = writing.connection.execute(
        insert(tables.file).returning(_file.id),
        [
            {
                **_values(entry, kept),
                "index_id": index.id,
                "project_id": project_id,
                "release_id": releases[entry.version],
                "uploader": "upstream",
                "state": state,
            }
            for entry, kept in entries
        ],
    ).scalars()
    return made.all()


def _values(entry: Entry, kept: Kept) -> dict[str, Any]:
    hashes = entry.file.hashes
    return {
        "filename": entry.file.filename,
        "kind": entry.kind,
        "sha256": hashes["sha256"],
        "blake2b_256": hashes.get("blake2b_256", ""),
        "md5": hashes.get("md5", ""),
        "tags": entry.tags,
        **facts.facts(entry, kept),
    }


class _Changes:
    """What a page changes of files that are there: states and yanks each in an entry of the journal, the rest in one."""

    def __init__(self, writing: Writing, index_id: int, project: str) -> None:
        self._writing = writing
        self._index_id = index_id
        self._project = project
        self._others = 0
        self._before: dict[str, dict[str, Any]] = {}

    def take(self, row: Any, entry: Entry, said: dict[str, Any]) -> None:
        """``said`` are the facts of the file as they are now."""
        was = row._mapping
        values = {name: value for name, value in said.items() if was[name] != value}
        if row.state != "live":
            values |= {"state": "live", "state_reason": None, "removed_serial": None}
        if not values:
            return
        self._writing.connection.execute(update(tables.file).where(_file.id == row.id).values(**values))
        if row.state != "live":
            if row.added_serial is None:
                self._writing.file_added(row.id)
            self._enter(entry, "restore", before={"state": row.state})
        if "yanked" in values or "yank_reason" in values:
            before = {"yanked": bool(row.yanked), "reason": row.yank_reason}
            reason = entry.file.yank_reason
            self._enter(entry, "yank" if entry.file.yanked else "unyank", before=before, reason=reason)
        others = values.keys() - {"yanked", "yank_reason", "state", "state_reason", "removed_serial"}
        if others:
            self._others += 1
            before = {name: was[name] for name in _OF_THE_PAST if name in values}
            if before:
                self._before[entry.file.filename] = before

    def _enter(self, entry: Entry, action: str, **detail: Any) -> None:
        self._writing.changed(
            self._index_id,
            action,
            project=self._project,
            version=entry.version,
            filename=entry.file.filename,
            **detail,
        )

    def end(self) -> None:
        if self._others:
            self._writing.changed(
                self._index_id,
                "change-files",
                project=self._project,
                files=self._others,
                before=self._before,
            )


def _releases(writing: Writing, project_id: int, versions: list[str]) -> dict[str, int]:
    release = tables.release.c
    known = dict(
        writing.connection.execute(
            select(release.version, release.id).where(release.project_id == project_id)
        ).all()
    )
    missing = [version for version in dict.fromkeys(versions) if version not in known]
    if missing:
        made = writing.connection.execute(
            insert(tables.release).returning(release.version, release.id),
            [
                {
                    "project_id": project_id,
                    "version": version,
                    "created": writing.at,
                    "published": writing.at,
                    "about": {},
                }
                for version in missing
            ],
        )
        known.update(dict(made.all()))
    return known
