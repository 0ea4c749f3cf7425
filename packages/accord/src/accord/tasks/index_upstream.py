"""Indexes that have what another index has, for ``accord index``: made, looked at, asked again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from accord.tasks.index_folder import operator
from accord_core.errors import UsageError
from accord_core.names import normalise

if TYPE_CHECKING:
    from accord.tasks.index_folder import Place

__all__ = ["CONFIGURED", "create_upstream", "refresh", "status"]

CONFIGURED = "default"
"""What a person writes for the index that is configured for them."""

Record = dict[str, Any]


def create_upstream(place: Place, name: str, url: str, *, title: str, public: bool, rules: Record) -> Record:
    """Make an index that has what the one at ``url`` has (``default``: the user's own default index), as far as ``rules``
    let it.  Raises UsageError ``url-invalid``, ``upstream-password``."""
    with place.opened() as parts:
        from accord.server.catalogue import access, indexes
        from accord.server.mirror.rules import read_rules

        read_rules(rules)
        with parts.database.write(operator()) as writing:
            made = indexes.add_index(
                writing,
                name,
                title=title,
                kind="upstream",
                public=public,
                upstream_url=_address(url),
                settings={"creators": "admins", **({"filter": rules} if rules else {})},
            )
            return {**access.describe(writing.connection, made), "upstream": made.upstream_url}


def status(place: Place) -> dict[str, Record]:
    """Of each upstream index: how old its oldest page is, what it keeps, what it does not serve."""
    with place.opened() as parts:
        from accord.server.mirror import report

        return report.status(parts)


def refresh(place: Place, name: str, projects: tuple[str, ...], *, retry: bool) -> Record:
    """Ask upstream for the projects, or for every one that is kept.  ``retry`` takes back what wrong bytes blocked."""
    with place.opened() as parts:
        from accord.server.catalogue.indexes import index_named
        from accord.server.mirror import report

        with parts.database.read() as connection:
            index = index_named(connection, name)
        if index.kind != "upstream":
            raise UsageError(
                "index-not-upstream", f"{name} has no upstream", hint="accord index list shows which have"
            )
        return report.refresh(parts, index, tuple(map(normalise, projects)), retry=retry)


def _address(url: str) -> str:
    """The root of a Simple API, without credentials, which belong to no database."""
    from accord.io.folders import cache_dir, config_dir
    from accord.io.urls import split, without_credentials
    from accord.repositories.settings import index_settings

    if url == CONFIGURED:
        settings = index_settings(
            environ=os.environ, config_dir=config_dir(os.environ), cache_dir=cache_dir()
        )
        url = next(index.url for index in settings.indexes if not index.explicit)
    if not url.startswith(("http://", "https://")):
        raise UsageError("url-invalid", f"{url!r} is no index: only http: and https: URLs are")
    if split(url).auth is not None:
        raise UsageError(
            "upstream-password",
            "the URL of an upstream has a password in it, and everybody who may read the index would see it",
            hint="put it into .netrc, or ACCORD_INDEX_<NAME>_USERNAME and _PASSWORD of the serving process",
        )
    return without_credentials(url).rstrip("/")
