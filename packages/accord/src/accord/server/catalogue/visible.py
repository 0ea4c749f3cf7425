"""What somebody sees of an index and of what it builds on.

Every reader goes through here: ``who`` is allowed to read the index that is asked, but not always each base of it, nor each
project.  What is hidden is as if it were not there, with one exception: a name that a hidden project has is answered by
no index further down.  Else the owner of that name upstream would answer for a private project (dependency confusion).
So everybody who sees a project at all sees the same one, and its page may lie on the shelf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from accord.server.accounts import principals
from accord.server.catalogue import indexes, reading
from accord.server.database import tables
from accord.server.database.plans import of_indexes
from accord.server.errors import no_such_index, unauthenticated

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.accounts.principals import Principal
    from accord.server.catalogue.indexes import IndexRow

__all__ = ["hidden_projects", "index_for", "sources_for"]


def index_for(connection: Connection, who: Principal, name: str) -> IndexRow:
    """The index of that name, for somebody who may not be allowed to read it: ask ``demand`` next.

    Raises ``Refused``: for anybody ``not-authenticated`` (401), as of an index that is not public; else
    ``no-such-index`` (404).
    """
    found = indexes.find_index(connection, name)
    if found is not None:
        return found
    raise unauthenticated() if who.user_id is None else no_such_index(name)


def sources_for(
    connection: Connection, who: Principal, index: IndexRow, project: str, at: int
) -> tuple[IndexRow, ...]:
    """``indexes.reading_order``, of which those that may answer ``who`` about a project (normalised)."""
    found: list[IndexRow] = []
    for source in indexes.reading_order(connection, index):
        if principals.may(connection, who, "read", source, project, at):
            found.append(source)
        elif reading.find_project(connection, source, project) is not None:
            break
    return tuple(found)


def hidden_projects(connection: Connection, who: Principal, index: IndexRow, at: int) -> frozenset[str]:
    """The names of projects of an index that ``who`` must not see in any list."""
    columns = tables.project.c
    private = connection.execute(
        select(columns.name).where(
            of_indexes(connection, columns.index_id, (index.id,)), columns.private.is_(True)
        )
    ).scalars()
    return frozenset(name for name in private if not principals.may(connection, who, "read", index, name, at))
