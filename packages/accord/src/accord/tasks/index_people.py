"""Users, tokens, roles and the audit of a server, for ``accord index``: each function is one thing an operator does.

What is answered are the records of the JSON API, so that a script may use either.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from accord.tasks.index_folder import operator
from accord.tasks.instants import read_duration
from accord_core.errors import UsageError
from accord_core.names import normalise

if TYPE_CHECKING:
    from accord.tasks.index_folder import Place

__all__ = ["add_user", "audit", "change_index", "create_index", "create_token", "disable_user", "grant_role", "indexes", "narrow_token", "revoke_role", "revoke_token", "roles", "seal_tokens", "set_password", "set_visibility", "tokens", "transfer_project", "users"]  # fmt: skip

Record = dict[str, Any]


def indexes(place: Place) -> list[Record]:
    from accord.server.catalogue import access, indexes

    with place.opened() as parts, parts.database.read() as connection:
        return [access.describe(connection, index) for index in indexes.indexes(connection)]


def create_index(
    place: Place,
    name: str,
    *,
    title: str,
    public: bool,
    bases: tuple[str, ...],
    creators: str,
    new_projects: str = "public",
) -> Record:
    from accord.server.catalogue import access

    with place.opened() as parts, parts.database.write(operator()) as writing:
        made = access.create_index(
            writing,
            name,
            title=title,
            public=public,
            bases=bases,
            creators=creators,
            new_projects=new_projects,
        )
        return access.describe(writing.connection, made)


def change_index(
    place: Place, name: str, *, title: str | None, creators: str | None, new_projects: str | None = None
) -> Record:
    """Change what is given."""
    from accord.server.catalogue import access
    from accord.server.catalogue.indexes import index_named

    with place.opened() as parts, parts.database.write(operator()) as writing:
        row = index_named(writing.connection, name)
        changed = access.change_index(writing, row, title=title, creators=creators, new_projects=new_projects)
        return access.describe(writing.connection, changed)


def set_visibility(place: Place, index: str, project: str | None, *, private: bool) -> Record:
    from accord.server.catalogue import access
    from accord.server.catalogue.indexes import index_named

    name = _normal(project)
    with place.opened() as parts, parts.database.write(operator()) as writing:
        row = index_named(writing.connection, index)
        if name is None:
            access.change_index(writing, row, public=not private)
        else:
            access.set_private(writing, row, name, private=private)
    return {"index": index, "project": name, "private": private}


def users(place: Place) -> list[Record]:
    from accord.server.accounts import people

    with place.opened() as parts, parts.database.read() as connection:
        return [user.as_dict() for user in people.users(connection, limit=1_000_000)]


def add_user(
    place: Place, name: str, *, display: str, email: str, admin: bool, password: str | None
) -> Record:
    from accord.server.accounts import people

    with place.opened() as parts:
        hashed = None if password is None else parts.passwords.hash(password)
        with parts.database.write(operator()) as writing:
            people.add_user(writing, name, display=display, email=email, password_hash=hashed, admin=admin)
            return people.user_named(writing.connection, name).as_dict()


def disable_user(place: Place, name: str, *, disabled: bool) -> Record:
    from accord.server.accounts import people

    with place.opened() as parts, parts.database.write(operator()) as writing:
        user = people.user_named(writing.connection, name)
        return people.change_user(writing, user, disabled=disabled).as_dict()


def set_password(place: Place, name: str, password: str | None) -> Record:
    from accord.server.accounts import people

    with place.opened() as parts:
        hashed = None if password is None else parts.passwords.hash(password)
        with parts.database.write(operator()) as writing:
            people.set_password(writing, people.user_named(writing.connection, name), hashed)
            return people.user_named(writing.connection, name).as_dict()


def tokens(place: Place, user: str | None) -> list[Record]:
    from accord.server.accounts import issued, people

    with place.opened() as parts, parts.database.read() as connection:
        of = None if user is None else people.user_named(connection, user).id
        return [token.as_dict() for token in issued.tokens_of(connection, of)]


def create_token(
    place: Place,
    user: str,
    *,
    name: str,
    indexes: tuple[str, ...],
    projects: tuple[str, ...],
    actions: tuple[str, ...],
    expires: str | None,
) -> Record:
    """``expires`` is a duration from now.  The record has the ``secret``, which nothing shows again."""
    from accord.server.accounts import issued, people

    with place.opened() as parts, parts.database.write(operator()) as writing:
        owner = people.user_named(writing.connection, user)
        secret = people.add_token(
            writing,
            owner.id,
            name,
            restriction=_restriction(indexes, projects, actions, None),
            expires=_instant(expires),
        )
        return {**issued.tokens_of(writing.connection, owner.id)[0].as_dict(), "secret": secret}


def revoke_token(place: Place, public_id: str) -> Record:
    """``public_id`` as lists show it, or the token itself."""
    from accord.server.accounts import issued, tokens

    known = tokens.parse(public_id)
    with place.opened() as parts, parts.database.write(operator()) as writing:
        named = public_id if known is None else known.public_id
        issued.revoke(writing, issued.token_with(writing.connection, named, of=None))
        return issued.token_with(writing.connection, named, of=None).as_dict()


def seal_tokens(place: Place) -> int:
    """Seal every token's key with the first secret; how many were not.  Raises ``UsageError("server-secret")``."""
    from accord.server.accounts import sealing

    with place.opened() as parts, parts.database.write(operator()) as writing:
        return sealing.seal_again(writing)


def narrow_token(
    text: str,
    *,
    indexes: tuple[str, ...],
    projects: tuple[str, ...],
    actions: tuple[str, ...],
    expires: str | None,
) -> str:
    """A lesser token, made of the text of one and nothing else.  Raises ``UsageError("no-token")``."""
    try:
        from accord.server.accounts import tokens
    except ModuleNotFoundError as missing:
        raise UsageError("extra-missing", str(missing), hint="pip install 'accord[server]'") from missing
    restriction = _restriction(indexes, projects, actions, _instant(expires))
    try:
        return tokens.narrow(text.strip(), restriction)
    except ValueError as fault:
        raise UsageError(
            "no-token", "that is no token of a server", hint=f"one begins with {tokens.PREFIX}"
        ) from fault


def roles(place: Place, index: str, project: str | None) -> list[Record]:
    """Of a project, or of the index and every project in it."""
    from accord.server.accounts import roles
    from accord.server.catalogue.indexes import index_named

    with place.opened() as parts, parts.database.read() as connection:
        found = roles.roles_in(connection, index_named(connection, index), _normal(project), everywhere=True)
        return [role.as_dict() for role in found]


def grant_role(place: Place, index: str, project: str | None, user: str, role: str) -> Record:
    from accord.server.accounts import people, roles
    from accord.server.catalogue.indexes import index_named

    with place.opened() as parts, parts.database.write(operator()) as writing:
        row = people.user_named(writing.connection, user)
        roles.grant(writing, index_named(writing.connection, index), _normal(project), row, role)
        return {"index": index, "project": _normal(project), "user": row.name, "role": role}


def revoke_role(place: Place, index: str, project: str | None, user: str) -> Record:
    from accord.server.accounts import people, roles
    from accord.server.catalogue.indexes import index_named

    with place.opened() as parts, parts.database.write(operator()) as writing:
        row = people.user_named(writing.connection, user)
        roles.revoke(writing, index_named(writing.connection, index), _normal(project), row)
        return {"index": index, "project": _normal(project), "user": row.name, "role": None}


def transfer_project(
    place: Place, index: str, project: str, user: str, *, keep: tuple[str, ...] = ()
) -> Record:
    """Every other role in it ends, but those of the users in ``keep``."""
    from accord.server.accounts import people, roles
    from accord.server.catalogue.indexes import index_named

    with place.opened() as parts, parts.database.write(operator()) as writing:
        row = people.user_named(writing.connection, user)
        found = index_named(writing.connection, index)
        roles.transfer(writing, found, normalise(project), row, keep=frozenset(keep))
        return {"index": index, "project": normalise(project), "user": row.name, "role": "owner"}


def audit(place: Place, *, limit: int, actor: str | None, action: str | None) -> list[Record]:
    """The newest first."""
    from accord.server.accounts import audit

    with place.opened() as parts, parts.database.read() as connection:
        found = audit.entries(connection, limit=limit, actor=actor, action=action)
        return [entry.as_dict() for entry in found]


def _normal(project: str | None) -> str | None:
    return None if project is None else normalise(project)


def _instant(duration: str | None) -> int | None:
    """Microseconds since 1970, ``duration`` from now."""
    if duration is None:
        return None
    try:
        return int((time.time() + read_duration(duration)) * 1_000_000)
    except ValueError as fault:
        raise UsageError("usage", f"--expires: {fault}") from fault


def _restriction(
    indexes: tuple[str, ...], projects: tuple[str, ...], actions: tuple[str, ...], expires: int | None
) -> Any:
    from accord.server.accounts.principals import ACTIONS
    from accord.server.accounts.tokens import Restriction

    for action in actions:
        if action not in ACTIONS:
            raise UsageError(
                "usage", f"there is no action {action!r}", hint=f"there are {', '.join(ACTIONS)}"
            )
    return Restriction(
        frozenset(indexes) if indexes else None,
        frozenset(map(normalise, projects)) if projects else None,
        frozenset(actions) if actions else None,
        expires,
    )
