"""What an index says of who may: whether anybody reads it, who makes projects in it, which of its projects are private.

A change of who may read is a change of the whole index, or of the project, in the journal: so every process takes the
pages concerned off its shelf before it answers again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from accord.server.accounts import audit
from accord.server.catalogue import indexes
from accord.server.database import tables
from accord.server.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.database import Writing

__all__ = ["CREATORS", "NEW_PROJECTS", "change_index", "create_index", "describe", "set_private"]

CREATORS = ("admins", "uploaders", "users")
"""Who may make projects in an index: its administrators; those and its uploaders; every user of the server."""
NEW_PROJECTS = ("public", "private")
"""Whether a project is private from its first file on."""


def describe(
    connection: Connection, index: IndexRow, shown: frozenset[str] | None = None
) -> dict[str, object]:
    """An index as the API and ``accord index list`` show it; ``shown`` are the names of indexes the reader may know of."""
    bases = connection.execute(
        select(tables.index.c.name)
        .join(tables.index_base, tables.index_base.c.base_id == tables.index.c.id)
        .where(tables.index_base.c.index_id == index.id)
        .order_by(tables.index_base.c.position)
    ).scalars()
    return {
        "name": index.name,
        "title": index.title,
        "kind": index.kind,
        "public": index.public,
        "bases": [base for base in bases if shown is None or base in shown],
        "mix": index.settings.get("mix", []),
        "creators": index.settings.get("creators", "uploaders"),
        "new_projects": index.settings.get("new_projects", "public"),
        "serial": index.serial,
    }


def create_index(
    writing: Writing,
    name: str,
    *,
    title: str,
    public: bool,
    bases: tuple[str, ...],
    creators: str,
    new_projects: str = "public",
) -> IndexRow:
    """Raises ``Refused``: ``index-name``, ``index-creators``, ``index-new-projects`` (400), ``no-such-index`` (404), ``index-exists`` (409)."""
    made = indexes.add_index(
        writing,
        name,
        title=title,
        public=public,
        bases=tuple(indexes.index_named(writing.connection, base) for base in bases),
        settings={"creators": _creators(creators), "new_projects": _new_projects(new_projects)},
    )
    audit.record(writing, "create-index", name, public=public, bases=list(bases), creators=creators)
    return made


def change_index(
    writing: Writing,
    index: IndexRow,
    *,
    title: str | None = None,
    public: bool | None = None,
    creators: str | None = None,
    new_projects: str | None = None,
) -> IndexRow:
    """Change what is given; projects that are there already stay as they are."""
    index = indexes.index_named(writing.connection, index.name)  # as it is inside this block
    changes: dict[str, Any] = {}
    if title is not None:
        changes["title"] = title
    if public is not None:
        changes["public"] = public
    settings = dict(index.settings)
    if creators is not None:
        settings["creators"] = _creators(creators)
    if new_projects is not None:
        settings["new_projects"] = _new_projects(new_projects)
    if settings != index.settings:
        changes["settings"] = settings
    if changes:
        writing.connection.execute(update(tables.index).where(tables.index.c.id == index.id).values(changes))
        writing.changed(index.id, "change-index")
        audit.record(
            writing,
            "change-index",
            index.name,
            public=public,
            creators=creators,
            new_projects=new_projects,
        )
    return indexes.index_named(writing.connection, index.name)


def set_private(writing: Writing, index: IndexRow, project: str, *, private: bool) -> None:
    """Whether only those with a role in the project see it.  Raises ``Refused("no-such-project")`` (404)."""
    changed = writing.connection.execute(
        update(tables.project)
        .where(tables.project.c.index_id == index.id, tables.project.c.name == project)
        .values(private=private)
        .returning(tables.project.c.id)
    ).first()
    if changed is None:
        raise Refused(404, "no-such-project", f"{index.name} has no project {project}")
    writing.changed(index.id, "project-visibility", project=project)
    audit.record(writing, "project-visibility", f"{index.name}/{project}", private=private)


def _creators(text: str) -> str:
    if text not in CREATORS:
        raise Refused(
            400, "index-creators", f"{text!r} does not say who makes projects", hint=", ".join(CREATORS)
        )
    return text


def _new_projects(text: str) -> str:
    if text not in NEW_PROJECTS:
        raise Refused(
            400,
            "index-new-projects",
            f"{text!r} does not say who sees a new project",
            hint=", ".join(NEW_PROJECTS),
        )
    return text
