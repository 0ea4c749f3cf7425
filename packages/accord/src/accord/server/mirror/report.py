"""How an upstream index stands, for operators; and asking upstream by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select, update

from accord.server.catalogue import indexes
from accord.server.clock import iso
from accord.server.database import tables
from accord.server.errors import Refused
from accord.server.mirror.asking import Upstreams

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.parts import Parts

__all__ = ["cached_projects", "refresh", "status"]

_SHOWN = 1_000
_page, _file = tables.upstream_page.c, tables.upstream_file.c


def status(parts: Parts) -> dict[str, dict[str, Any]]:
    """By name of the index: pages kept, files stored and their bytes, how long ago the oldest page was asked for, what is
    not served and why, and whose metadata or provenance are not passed on (the first 1,000 of each)."""
    found: dict[str, dict[str, Any]] = {}
    now = parts.now()
    with parts.database.read() as connection:
        for index in indexes.indexes(connection):
            if index.kind != "upstream":
                continue
            pages, oldest = connection.execute(
                select(func.count(), func.min(_page.fetched)).where(_page.index_id == index.id)
            ).one()
            stored, size = connection.execute(
                select(func.count(), func.coalesce(func.sum(_file.size), 0)).where(
                    _file.index_id == index.id, _file.stored
                )
            ).one()
            withheld = connection.execute(
                select(func.count()).where(_file.index_id == index.id, _file.blocked.is_not(None))
            ).scalar_one()
            blocked = connection.execute(
                select(_file.project, _file.filename, _file.blocked)
                .where(_file.index_id == index.id, _file.blocked.is_not(None))
                .order_by(_file.project, _file.filename)
                .limit(_SHOWN)
            )
            found[index.name] = {
                "upstream": index.upstream_url,
                "pages": pages,
                "files": stored,
                "bytes": int(size),
                "oldest": None if oldest is None else iso(oldest),
                "lag": None if oldest is None else max(0, now - oldest) // 1_000_000,
                "withheld": withheld,
                "refused": _refused(connection, index),
                "blocked": [
                    {"project": row.project, "filename": row.filename, "reason": row.blocked}
                    for row in blocked
                ],
            }
    return found


def _refused(connection: Connection, index: IndexRow) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for what, column in (("metadata", _file.metadata_refused), ("provenance", _file.provenance_refused)):
        rows = connection.execute(
            select(_file.project, _file.filename, column)
            .where(_file.index_id == index.id, column.is_not(None))
            .order_by(_file.project, _file.filename)
            .limit(_SHOWN)
        )
        found += [
            {"project": project, "filename": filename, "what": what, "reason": reason}
            for project, filename, reason in rows
        ]
    return found


def cached_projects(parts: Parts, index: IndexRow) -> tuple[str, ...]:
    with parts.database.read() as connection:
        rows = connection.execute(
            select(_page.project).where(_page.index_id == index.id).order_by(_page.project)
        ).scalars()
        return tuple(rows)


def refresh(parts: Parts, index: IndexRow, projects: tuple[str, ...], *, retry: bool) -> dict[str, Any]:
    """Ask upstream for the projects (none: for each that is kept), whatever is known.  Raises nothing for one that fails:
    it is in the record."""
    upstreams = Upstreams(parts)
    if retry:
        with parts.database.write("operator") as writing:
            writing.connection.execute(
                update(tables.upstream_file)
                .where(_file.index_id == index.id, _file.blocked.startswith("wrong "))
                .values(blocked="to be asked again")
            )
            writing.connection.execute(
                update(tables.upstream_file)
                .where(
                    _file.index_id == index.id,
                    or_(_file.metadata_refused.is_not(None), _file.provenance_refused.is_not(None)),
                )
                .values(metadata_refused=None, provenance_refused=None)
            )
    here: list[str] = []
    failed: dict[str, str] = {}
    absent: list[str] = []
    try:
        for project in projects or cached_projects(parts, index):
            try:
                found = upstreams.ensure(index, project, force=True)
                if retry:
                    upstreams.apply_rules(index, project)  # also where upstream says that nothing has changed
            except Refused as fault:
                failed[project] = fault.context[0] if fault.context else fault.code
                continue
            if found.stale is not None:
                failed[project] = "upstream does not answer"
            else:
                (here if found.here else absent).append(project)
    finally:
        upstreams.close()
    return {"index": index.name, "refreshed": here, "absent": absent, "failed": failed}
