"""News as RSS 2.0: new projects, new releases, the releases of one project.

Everything in them comes from strangers; :func:`feed` escapes it and leaves out what XML cannot say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from sqlalchemy import select

from accord.server.catalogue.reading import visible_files
from accord.server.database import tables
from accord.server.database.plans import of_indexes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection, Select

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.catalogue.stacks import Told

__all__ = ["Item", "feed", "new_projects", "new_releases", "releases_of"]

_PROJECTS = 40
_RELEASES = 100
# XML 1.0, production 2: what is no character of XML at all.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Item:
    title: str
    path: str  # below the index's own address
    about: str
    at: int


def new_projects(connection: Connection, index: IndexRow) -> list[Item]:
    """The projects that came last, newest first."""
    rows = connection.execute(
        select(tables.project.c.name, tables.project.c.display, tables.project.c.created)
        .where(*_open(connection, index))
        .order_by(tables.project.c.created.desc(), tables.project.c.id.desc())
        .limit(_PROJECTS)
    )
    return [Item(f"{row.display} added", f"project/{row.name}/", "", row.created) for row in rows]


def new_releases(connection: Connection, index: IndexRow) -> list[Item]:
    """The releases that came last, newest first."""
    rows = connection.execute(
        _releases().where(*_open(connection, index)).order_by(tables.release.c.id.desc()).limit(_RELEASES)
    )
    return [
        Item(f"{row.display} {row.version}", _place(row.name, row.version), row.summary, row.published)
        for row in rows
    ]


def releases_of(connection: Connection, told: Told) -> list[Item]:
    """The releases of one project, newest first; of a version that several indexes have, the first one's."""
    found: dict[str, Item] = {}
    for project in told.rows:
        rows = connection.execute(
            _releases()
            .where(tables.project.c.id == project.id, tables.project.c.status != "quarantined")
            .order_by(tables.release.c.id.desc())
            .limit(_RELEASES)
        )
        for row in rows:
            place = _place(row.name, row.version)
            found.setdefault(row.version, Item(row.version, place, row.summary, row.published))
    if len(told.rows) == 1:
        return list(found.values())
    return sorted(found.values(), key=lambda item: item.at, reverse=True)[:_RELEASES]


def feed(title: str, about: str, origin: str, items: Iterable[Item]) -> bytes:
    """The document.  ``origin`` is the index's absolute URL, without a slash at its end."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<rss version="2.0">',
        "<channel>",
        f"<title>{_text(title)}</title>",
        f"<link>{_text(origin)}/</link>",
        f"<description>{_text(about)}</description>",
        "<language>en</language>",
    ]
    for item in items:
        link = f"{origin}/{item.path}"
        lines += [
            "<item>",
            f"<title>{_text(item.title)}</title>",
            f"<link>{_text(link)}</link>",
            f'<guid isPermaLink="true">{_text(link)}</guid>',
            f"<description>{_text(item.about)}</description>",
            f"<pubDate>{format_datetime(datetime.fromtimestamp(item.at // 1_000_000, UTC), usegmt=True)}</pubDate>",
            "</item>",
        ]
    return "\n".join([*lines, "</channel>", "</rss>", ""]).encode()


def _releases() -> Select[Any]:
    release = tables.release.c
    return (
        select(
            tables.project.c.name,
            tables.project.c.display,
            release.version,
            release.summary,
            release.published,
        )
        .join(tables.project, tables.project.c.id == release.project_id)
        .where(
            release.published.is_not(None),
            select(tables.file.c.id)
            .where(tables.file.c.release_id == release.id, *visible_files())
            .correlate(tables.release, tables.project)
            .exists(),
        )
    )


def _open(connection: Connection, index: IndexRow) -> tuple[ColumnElement[bool], ...]:
    project = tables.project.c
    return (
        of_indexes(connection, project.index_id, (index.id,)),
        project.private.is_(False),
        project.status != "quarantined",
    )


def _place(name: str, version: str) -> str:
    return f"project/{name}/{quote(version)}/"


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))
