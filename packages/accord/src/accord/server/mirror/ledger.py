"""The page of an upstream, entered in the rows of an index: as if its files had been uploaded here.

So everything that reads rows (pages, stacks, snapshots, feeds, mirrors of ours) knows an upstream index without knowing
that there is such a thing.  A file that upstream withdrew, or that the rules forbid, becomes a tombstone: its bytes, if
they are here, stay as evidence for the operator, ``upstream_file.blocked`` says why, and nobody is given them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from accord.server.catalogue.names import look_alike
from accord.server.database import tables
from accord.server.mirror.entries import Entry, candidates, instant, usable_files
from accord.server.mirror.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.database import Writing
    from accord_core.index.model import File, Page

__all__ = [
    "GONE", "Kept", "PageRow", "block_file", "find_file", "find_page", "keep_page", "take_page", "unannounce_metadata", "uses_page",
]  # fmt: skip

GONE = "upstream has it no more"
CHANGED = "upstream has other bytes under this name than before"


@dataclass(frozen=True, slots=True)
class PageRow:
    """What is known of a page; ``sha256`` of it as kept, ``None``: upstream has no such project."""

    sha256: str | None
    etag: str | None
    last_modified: str | None
    fetched: int
    expires: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of an upstream page, as far as it is here."""

    filename: str
    url: str
    sha256: str
    size: int | None
    stored: bool
    metadata_sha256: str | None
    metadata_stored: bool
    blocked: str | None


_page, _file, _upstream = tables.upstream_page.c, tables.file.c, tables.upstream_file.c
_KEPT = [getattr(_upstream, name) for name in Kept.__slots__]


def find_page(connection: Connection, index_id: int, project: str) -> PageRow | None:
    row = connection.execute(
        select(_page.sha256, _page.etag, _page.last_modified, _page.fetched, _page.expires).where(
            _page.index_id == index_id, _page.project == project
        )
    ).first()
    return None if row is None else PageRow(*row)


def find_file(connection: Connection, index_id: int, project: str, filename: str) -> Kept | None:
    row = connection.execute(
        select(*_KEPT).where(
            _upstream.index_id == index_id, _upstream.project == project, _upstream.filename == filename
        )
    ).first()
    return None if row is None else Kept(*row)


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


def take_page(writing: Writing, index: IndexRow, project: str, page: Page | None, rules: Rules) -> int | None:
    """Enter what upstream says of a project; ``None``: that it has none.  Returns when a rule of age lets more in."""
    connection = writing.connection
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
    before = {
        row.filename: Kept(*row)
        for row in connection.execute(
            select(*_KEPT).where(_upstream.index_id == index.id, _upstream.project == project)
        )
    }
    reasons, ripe = rules.verdicts(project, candidates(entries), writing.at)
    for name, entry in entries.items():
        known = before.get(name)
        if known is not None and known.sha256 != entry.file.hashes["sha256"]:
            reasons[name] = CHANGED
        elif known is not None and known.blocked is not None and known.blocked.startswith("wrong "):
            reasons[name] = known.blocked
    project_id = _project(writing, index, project, page, there)
    _remove(writing, index, project, project_id, before, entries, reasons)
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


def _project(writing: Writing, index: IndexRow, project: str, page: Page | None, there: Any) -> int:
    connection = writing.connection
    status = "active" if page is None else page.status
    reason = None if page is None else page.status_reason
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
        return made
    if (status, reason) != (there.status, there.status_reason):
        connection.execute(
            update(tables.project)
            .where(tables.project.c.id == there.id)
            .values(status=status, status_reason=reason)
        )
        writing.changed(index.id, "status", project=project, status=status, reason=reason)
    return int(there.id)


def _remove(
    writing: Writing,
    index: IndexRow,
    project: str,
    project_id: int,
    before: dict[str, Kept],
    entries: dict[str, Entry],
    reasons: dict[str, str],
) -> None:
    """Everything known that is not served any more."""
    connection = writing.connection
    live = dict(
        connection.execute(
            select(_file.filename, tables.release.c.version)
            .join(tables.release, tables.release.c.id == _file.release_id)
            .where(_file.project_id == project_id, _file.state == "live")
        ).all()
    )
    for name, known in before.items():
        reason = reasons.get(name) if name in entries else GONE
        if reason is None:
            continue
        if known.blocked != reason:
            _note(connection, index.id, project, name, reason)
        if name in live:
            _tombstone(writing, index.id, project, project_id, name, live[name], reason)


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
                _file.requires_python,
                _file.yanked,
                _file.yank_reason,
                _file.metadata_sha256,
            ).where(_file.project_id == project_id)
        )
    }
    unknown = [
        _kept(index.id, project, entry, reasons) for name, entry in entries.items() if name not in before
    ]
    if unknown:
        connection.execute(insert(tables.upstream_file), unknown)
    _wait(
        writing,
        index,
        project_id,
        [entries[name] for name in reasons if name in entries and name not in rows],
    )
    fresh: list[tuple[str, Entry]] = []
    for name, entry in entries.items():
        if name in before and name not in reasons and before[name].url != entry.file.url:
            connection.execute(
                update(tables.upstream_file).where(*_is(index.id, project, name)).values(url=entry.file.url)
            )
        if name in reasons:
            continue
        if name not in rows:
            fresh.append((name, entry))
        elif _differs(rows[name], entry.file):
            _change(writing, index.id, project, rows[name], entry)
        if name in before and before[name].blocked is not None:
            _note(connection, index.id, project, name, None)
    if not fresh:
        return
    for number in _insert(writing, index, project_id, [entry for _, entry in fresh], "live"):
        writing.file_added(number)
    writing.changed(index.id, "add-files", project=project, files=len(fresh))


def _wait(writing: Writing, index: IndexRow, project_id: int, entries: list[Entry]) -> None:
    """Of files that are not served, and of which upstream does not say how old they are, remember since when they are
    known: a rule of age counts from then."""
    ageless = [entry for entry in entries if instant(entry.file.upload_time) is None]
    if ageless:
        _insert(writing, index, project_id, ageless, "withdrawn")


def _insert(
    writing: Writing, index: IndexRow, project_id: int, entries: list[Entry], state: str
) -> Sequence[int]:
    releases = _releases(writing, project_id, [entry.version for entry in entries])
    made = writing.connection.execute(
        insert(tables.file).returning(_file.id),
        [
            {
                **_values(entry),
                "index_id": index.id,
                "project_id": project_id,
                "release_id": releases[entry.version],
                "uploader": "upstream",
                "state": state,
            }
            for entry in entries
        ],
    ).scalars()
    return made.all()


def _kept(index_id: int, project: str, entry: Entry, reasons: dict[str, str]) -> dict[str, Any]:
    file = entry.file
    return {
        "index_id": index_id,
        "project": project,
        "filename": file.filename,
        "url": file.url,
        "sha256": file.hashes["sha256"],
        "size": file.size,
        "metadata_sha256": _metadata_sha256(file),
        "blocked": reasons.get(file.filename),
    }


def _values(entry: Entry) -> dict[str, Any]:
    file = entry.file
    return {
        "filename": file.filename,
        "kind": entry.kind,
        "size": -1 if file.size is None else file.size,
        "sha256": file.hashes["sha256"],
        "blake2b_256": file.hashes.get("blake2b_256", ""),
        "md5": file.hashes.get("md5", ""),
        "requires_python": file.requires_python,
        "metadata_sha256": _metadata_sha256(file),
        "tags": entry.tags,
        "uploaded": entry.uploaded,
        "yanked": file.yanked,
        "yank_reason": file.yank_reason,
    }


def _metadata_sha256(file: File) -> str | None:
    """Only metadata that can be held against a hash is announced."""
    return file.core_metadata.get("sha256") if isinstance(file.core_metadata, dict) else None


def _differs(row: Any, file: File) -> bool:
    return bool(
        row.state != "live"
        or row.requires_python != file.requires_python
        or row.yanked != file.yanked
        or row.yank_reason != file.yank_reason
    )


def _change(writing: Writing, index_id: int, project: str, row: Any, entry: Entry) -> None:
    file = entry.file
    writing.connection.execute(
        update(tables.file)
        .where(_file.id == row.id)
        .values(
            state="live",
            state_reason=None,
            removed_serial=None,
            requires_python=file.requires_python,
            yanked=file.yanked,
            yank_reason=file.yank_reason,
        )
    )
    if row.added_serial is None:
        writing.file_added(row.id)
    action = "change-file"
    if row.state != "live":
        action = "restore"
    elif row.yanked != file.yanked:
        action = "yank" if file.yanked else "unyank"
    writing.changed(index_id, action, project=project, version=entry.version, filename=file.filename)


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


def block_file(writing: Writing, index_id: int, project: str, filename: str, reason: str) -> None:
    """Never serve a file again: it is not what upstream said."""
    connection = writing.connection
    _note(connection, index_id, project, filename, reason)
    row = connection.execute(
        select(_file.project_id, tables.release.c.version)
        .join(tables.release, tables.release.c.id == _file.release_id)
        .join(tables.project, tables.project.c.id == _file.project_id)
        .where(
            _file.index_id == index_id,
            tables.project.c.name == project,
            _file.filename == filename,
            _file.state == "live",
        )
    ).first()
    if row is not None:
        _tombstone(writing, index_id, project, row.project_id, filename, row.version, reason)


def unannounce_metadata(writing: Writing, index_id: int, project: str, filename: str) -> None:
    """The page says no more that there is a metadata file."""
    connection = writing.connection
    connection.execute(
        update(tables.upstream_file).where(*_is(index_id, project, filename)).values(metadata_sha256=None)
    )
    connection.execute(
        update(tables.file)
        .where(_file.index_id == index_id, _file.filename == filename)
        .values(metadata_sha256=None)
    )
    writing.changed(index_id, "change-file", project=project, filename=filename)


def _tombstone(
    writing: Writing, index_id: int, project: str, project_id: int, filename: str, version: str, reason: str
) -> None:
    writing.connection.execute(
        update(tables.file)
        .where(_file.project_id == project_id, _file.filename == filename)
        .values(state="withdrawn", state_reason=reason)
    )
    writing.changed(
        index_id, "remove-file", project=project, version=version, filename=filename, reason=reason
    )


def _note(connection: Connection, index_id: int, project: str, filename: str, reason: str | None) -> None:
    connection.execute(
        update(tables.upstream_file).where(*_is(index_id, project, filename)).values(blocked=reason)
    )


def _is(index_id: int, project: str, filename: str) -> tuple[Any, ...]:
    return (_upstream.index_id == index_id, _upstream.project == project, _upstream.filename == filename)
