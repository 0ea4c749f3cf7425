"""Indexes that have what another index has, for ``accord index``: made, looked at, asked again."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accord.tasks.index_folder import operator
from accord_core.errors import UsageError
from accord_core.names import normalise

if TYPE_CHECKING:
    from accord.server.catalogue.indexes import IndexRow
    from accord.tasks.index_folder import Place

__all__ = ["CONFIGURED", "Wanted", "create_upstream", "mirror", "refresh", "status"]

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
        _demand_upstream(index)
        return report.refresh(parts, index, tuple(map(normalise, projects)), retry=retry)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a mirror shall have, as words of the command line; what is empty or ``None`` stays as it is."""

    names: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    newest: int | None = None
    cooldown: float | None = None
    locks: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    unblocks: tuple[str, ...] = ()
    reason: str = ""
    sdists: bool | None = None


def mirror(
    place: Place,
    name: str,
    wanted: Wanted,
    *,
    anew: bool,
    fetch: bool,
    dry_run: bool,
    every: str | None = None,
    connections: int,
    report: Callable[[str], None],
) -> Record:
    """Give an upstream index the rules that are ``wanted``, and bring it up to them.  ``anew`` forgets those it has; ``every`` so
    often the server does it by itself (a duration, or ``never``).

    Raises ``Refused("mirror-interval")``, UsageError ``index-not-upstream``, ``usage``, and what reading locks and requirements raises.
    """
    with place.opened() as parts:
        from accord.server.catalogue.indexes import index_named
        from accord.server.mirror import refreshing, syncing

        with parts.database.read() as connection:
            index = index_named(connection, name)
        _demand_upstream(index)
        before = index.settings.get("filter", {})
        rules = _rules({} if anew else dict(before), wanted)
        if dry_run:
            return {**syncing.plan(parts, index, rules, report=report), "dry_run": True}
        if rules != before:
            with parts.database.write(operator()) as writing:
                index = syncing.set_rules(writing, index, rules)
            syncing.apply_rules(parts, index)
        if every is not None:
            with parts.database.write(operator()) as writing:
                refreshing.set_interval(writing, index, _interval(every), parts.settings.limits)
        if not fetch:
            return {"index": name, "rules": rules}
        return {
            **syncing.sync(parts, index, connections=connections, report=report),
            "dry_run": False,
        }


def _demand_upstream(index: IndexRow) -> None:
    if index.kind != "upstream":
        raise UsageError(
            "index-not-upstream", f"{index.name} has no upstream", hint="accord index list shows which have"
        )


def _interval(text: str) -> int | None:
    from accord.tasks.instants import read_duration

    if text == "never":
        return None
    try:
        return int(read_duration(text))
    except ValueError as fault:
        raise UsageError("usage", f"--every: {fault}") from fault


def _rules(rules: Record, wanted: Wanted) -> Record:
    """The rules with what is wanted; see ``accord.server.mirror.rules``."""
    from packaging.requirements import InvalidRequirement, Requirement

    def requirement(text: str) -> Requirement:
        try:
            return Requirement(text)
        except InvalidRequirement as fault:
            raise UsageError(
                "usage", f"{text!r} is no project with versions", hint="as in 'numpy>=2'"
            ) from fault

    if wanted.names:
        rules["names"] = list(wanted.names)
    if wanted.only:
        each = map(requirement, wanted.only)
        rules["versions"] = {normalise(one.name): str(one.specifier) for one in each}
        rules["names"] = list(dict.fromkeys([*rules.get("names", ()), *rules["versions"]]))
    if wanted.platforms:
        rules["platforms"] = list(wanted.platforms)
    if wanted.newest is not None:
        rules["newest"] = wanted.newest
    if wanted.cooldown is not None:
        rules["cooldown_days"] = wanted.cooldown
    if wanted.sdists is not None:
        rules["sdists"] = wanted.sdists
    if wanted.locks:
        rules["files"] = _locked(wanted.locks)
    if wanted.requirements:
        from accord.tasks.requirement_lines import requirements_in_files

        rules["requirements"] = list(requirements_in_files(wanted.requirements, os.environ)[0])
        rules.pop("closure", None)
    gone = {_block(text, "")[key] for text in wanted.unblocks for key in ("name",)}
    blocked = [entry for entry in rules.get("blocked", ()) if entry["name"] not in gone]
    blocked += [_block(text, wanted.reason) for text in wanted.blocks]
    if blocked or wanted.unblocks:
        rules["blocked"] = blocked
    return rules


def _block(text: str, reason: str) -> Record:
    """A file name, or a project with or without versions."""
    from packaging.requirements import InvalidRequirement, Requirement

    from accord_core.index.filenames import kind, split_wheel

    if kind(text) is not None:
        wheel = split_wheel(text)
        stem = text.rpartition("-")[0] if wheel is None else wheel.name
        return {"name": normalise(stem), "filename": text, "reason": reason}
    if text.endswith("*"):
        return {"name": text, "reason": reason}
    try:
        found = Requirement(text)
    except InvalidRequirement as fault:
        raise UsageError("usage", f"{text!r} is neither a project nor a file of one") from fault
    return {"name": normalise(found.name), "version": str(found.specifier), "reason": reason}


def _locked(paths: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """The hash of every file of the locks, by project and file name."""
    from accord.io.folders import cache_dir
    from accord.tasks.lockfile import load_lock

    found: dict[str, dict[str, str]] = {}
    for path in paths:
        for package in load_lock(path, cache_dir()).packages:
            files = (*package.wheels, *(() if package.sdist is None else (package.sdist,)))
            for file in files:
                found.setdefault(package.name, {})[file.filename] = file.hashes.get("sha256", "")
    return found


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
