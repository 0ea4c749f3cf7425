"""Namespaces that are reserved in an index, as its pages show them (PEP 752): reading only.

A grant for ``acme`` covers the project ``acme`` and every ``acme-*``.  Grants belong to one index and are never taken over
by another that builds on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select

from accord.server.database import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.catalogue.reading import ProjectRow

__all__ = ["Grant", "find_grant", "grants", "grants_of", "prefixes"]


@dataclass(frozen=True, slots=True)
class Grant:
    """``parent`` is the prefix one component shorter, where that is granted too; ``children`` those one component longer."""

    name: str
    owner: str
    parent: str | None
    children: tuple[str, ...]


def prefixes(name: str) -> tuple[str, ...]:
    """The namespaces that would cover a normalised name, shortest first: ``a-b`` gives ``a``, ``a-b``."""
    parts = name.split("-")
    return tuple("-".join(parts[:count]) for count in range(1, len(parts) + 1))


def grants_of(connection: Connection, project: ProjectRow) -> tuple[tuple[str, bool], ...]:
    """Each grant that covers the project, and whether an owner of the project owns the grant."""
    space, role = tables.namespace.c, tables.role.c
    rows = connection.execute(
        select(space.prefix, role.user_id)
        .outerjoin(
            tables.role,
            and_(role.user_id == space.owner_id, role.project_id == project.id, role.role == "owner"),
        )
        .where(space.index_id == project.index_id, space.prefix.in_(prefixes(project.name)))
        .order_by(space.prefix)
    )
    return tuple((row.prefix, row.user_id is not None) for row in rows)


def grants(connection: Connection, index: IndexRow) -> tuple[str, ...]:
    """Every reserved namespace of the index, by name."""
    space = tables.namespace.c
    rows = connection.execute(select(space.prefix).where(space.index_id == index.id).order_by(space.prefix))
    return tuple(row.prefix for row in rows)


def find_grant(connection: Connection, index: IndexRow, name: str) -> Grant | None:
    """The grant of exactly that normalised name."""
    space = tables.namespace.c
    parent = name.rpartition("-")[0]
    rows = connection.execute(
        select(space.prefix, tables.user.c.name)
        .join(tables.user, tables.user.c.id == space.owner_id)
        .where(
            space.index_id == index.id,
            or_(space.prefix.in_([name, parent]), space.prefix.startswith(f"{name}-", autoescape=True)),
        )
        .order_by(space.prefix)
    ).all()
    owners = {row.prefix: row.name for row in rows}
    if name not in owners:
        return None
    children = tuple(prefix for prefix in owners if prefix.rpartition("-")[0] == name)
    return Grant(name, owners[name], parent if parent in owners else None, children)
