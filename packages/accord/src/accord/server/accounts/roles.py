"""Who may do what: roles of users in a project, or in a whole index.

In a project: ``owner``, ``maintainer``, ``reader``.  In an index: ``admin``, ``uploader``, ``reader``.  A user has one role in
one place.  A project keeps an owner: the last one is taken away by an administrator only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, delete, func, insert, literal, or_, select

from accord.server.accounts import attempts, audit
from accord.server.clock import iso
from accord.server.database import tables
from accord.server.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from accord.server.accounts.people import UserRow
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.database import Writing

__all__ = ["INDEX_ROLES", "PROJECT_ROLES", "RoleRow", "grant", "own", "revoke", "roles_in", "transfer"]

INDEX_ROLES = ("admin", "uploader", "reader")
PROJECT_ROLES = ("owner", "maintainer", "reader")

_INSERT = insert(tables.role)
_USER = select(tables.user.c.id).where(tables.user.c.name == bindparam("name"))


@dataclass(frozen=True, slots=True)
class RoleRow:
    """``project`` is ``None`` for a role in the whole index."""

    user: str
    role: str
    project: str | None
    granted: int

    def as_dict(self) -> dict[str, object]:
        return {
            "user": self.user,
            "role": self.role,
            "project": self.project,
            "granted": iso(self.granted),
        }


def roles_in(
    connection: Connection, index: IndexRow, project: str | None = None, *, everywhere: bool = False
) -> tuple[RoleRow, ...]:
    """The roles in an index or, if one is named, in a project; ``everywhere``: in the index and all its projects."""
    columns = tables.role.c
    query = (
        select(tables.user.c.name, columns.role, tables.project.c.name, columns.granted)
        .join(tables.user, tables.user.c.id == columns.user_id)
        .outerjoin(tables.project, tables.project.c.id == columns.project_id)
        .where(columns.index_id == index.id)
        .order_by(tables.project.c.name, tables.user.c.name)
    )
    if project is not None:
        query = query.where(columns.project_id == _project_id(connection, index, project))
    elif not everywhere:
        query = query.where(columns.project_id.is_(None))
    return tuple(RoleRow(*row) for row in connection.execute(query))


def grant(writing: Writing, index: IndexRow, project: str | None, user: UserRow, role: str) -> None:
    """Give a role, in place of the one the user has there.

    Raises ``Refused``: ``role-unknown`` (400), ``no-such-project`` (404), ``last-owner`` (409).
    """
    known = INDEX_ROLES if project is None else PROJECT_ROLES
    if role not in known:
        raise Refused(
            400,
            "role-unknown",
            f"{role!r} is no role in {'an index' if project is None else 'a project'}",
            hint=f"there are {', '.join(known)}",
        )
    project_id = None if project is None else _project_id(writing.connection, index, project)
    if role != "owner":
        _keep_an_owner(writing, project_id, user)
    _remove(writing, index, project_id, user)
    _insert(writing, index.id, project_id, user.id, role)
    _tell_namespaces(writing, index, project)
    audit.record(writing, "grant-role", _place(index, project), user=user.name, role=role)


def revoke(writing: Writing, index: IndexRow, project: str | None, user: UserRow) -> None:
    """Raises ``Refused``: ``no-such-role`` (404), ``last-owner`` (409)."""
    project_id = None if project is None else _project_id(writing.connection, index, project)
    _keep_an_owner(writing, project_id, user)
    if not _remove(writing, index, project_id, user):
        raise Refused(404, "no-such-role", f"{user.name} has no role in {_place(index, project)}")
    _tell_namespaces(writing, index, project)
    audit.record(writing, "revoke-role", _place(index, project), user=user.name)


def transfer(
    writing: Writing, index: IndexRow, project: str, user: UserRow, *, keep: frozenset[str] = frozenset()
) -> None:
    """Give a project to a new owner: every other role in it ends, whoever held it (TOB-PYPI26-13), but for those users of
    whom it is said that they ``keep`` theirs.  Raises ``Refused("no-such-role")`` (404) where one has none."""
    project_id = _project_id(writing.connection, index, project)
    before = [{"user": row.user, "role": row.role} for row in roles_in(writing.connection, index, project)]
    if missing := keep - {row["user"] for row in before}:
        raise Refused(404, "no-such-role", f"{min(missing)} has no role in {_place(index, project)}")
    kept = select(tables.user.c.id).where(tables.user.c.name.in_(keep), tables.user.c.id != user.id)
    writing.connection.execute(
        delete(tables.role).where(tables.role.c.project_id == project_id, tables.role.c.user_id.not_in(kept))
    )
    _insert(writing, index.id, project_id, user.id, "owner")
    audit.record(
        writing, "transfer-project", _place(index, project), user=user.name, before=before, kept=sorted(keep)
    )
    writing.changed(index.id, "transfer-project", project=project)


def own(
    writing: Writing, index: IndexRow, project_id: int, project: str, *, actor: str | None = None
) -> None:
    """``actor``, else whoever acts, becomes the owner of a project that was just made; nobody does where no user acts."""
    actor = actor or writing.actor
    name = actor.removeprefix("user:")
    user_id = None if name == actor else writing.connection.execute(_USER, {"name": name}).scalar()
    if user_id is None:
        return
    asked = attempts.attempt.get()
    if asked is not None:
        asked.guard.new_project(asked, writing.connection, user_id)
    _insert(writing, index.id, project_id, user_id, "owner")
    audit.record(writing, "create-project", _place(index, project), user=name, role="owner")


def _keep_an_owner(writing: Writing, project_id: int | None, leaving: UserRow) -> None:
    """An administrator of the server may leave a project without one: it was orphaned by a person who is gone."""
    if project_id is None or _is_operator(writing):
        return
    owners = (
        writing.connection.execute(
            select(tables.role.c.user_id).where(
                tables.role.c.project_id == project_id, tables.role.c.role == "owner"
            )
        )
        .scalars()
        .all()
    )
    if list(owners) == [leaving.id]:
        raise Refused(
            409,
            "last-owner",
            f"{leaving.name} is the last owner of this project",
            hint="make somebody else an owner first",
        )


def _is_operator(writing: Writing) -> bool:
    if not writing.actor.startswith("user:"):
        return True
    name = writing.actor.removeprefix("user:")
    found = writing.connection.execute(select(tables.user.c.admin).where(tables.user.c.name == name)).scalar()
    return bool(found)


def _tell_namespaces(writing: Writing, index: IndexRow, project: str | None) -> None:
    """A project's page says whether an owner of it owns its namespace (PEP 752): so a change of roles changes the page."""
    if project is None:
        return
    prefix = tables.namespace.c.prefix
    covered = writing.connection.execute(
        select(tables.namespace.c.id).where(
            tables.namespace.c.index_id == index.id,
            or_(prefix == project, literal(project).like(prefix + "-%")),
        )
    ).first()
    if covered is not None:
        writing.changed(index.id, "change-roles", project=project)


def _remove(writing: Writing, index: IndexRow, project_id: int | None, user: UserRow) -> bool:
    columns = tables.role.c
    where: list[ColumnElement[bool]] = [
        columns.index_id == index.id,
        columns.user_id == user.id,
        columns.project_id.is_(None) if project_id is None else columns.project_id == project_id,
    ]
    there = writing.connection.execute(select(func.count()).where(and_(*where))).scalar_one()
    writing.connection.execute(delete(tables.role).where(and_(*where)))
    return bool(there)


def _insert(writing: Writing, index_id: int, project_id: int | None, user_id: int, role: str) -> None:
    writing.connection.execute(
        _INSERT,
        {
            "index_id": index_id,
            "project_id": project_id,
            "user_id": user_id,
            "role": role,
            "granted": writing.at,
        },
    )


def _project_id(connection: Connection, index: IndexRow, project: str) -> int:
    found = connection.execute(
        select(tables.project.c.id).where(
            tables.project.c.index_id == index.id, tables.project.c.name == project
        )
    ).scalar()
    if found is None:
        raise Refused(404, "no-such-project", f"{index.name} has no project {project}")
    return int(found)


def _place(index: IndexRow, project: str | None) -> str:
    return index.name if project is None else f"{index.name}/{project}"
