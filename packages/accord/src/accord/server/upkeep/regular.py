"""What every server does again and again, whichever process is free: forget what is over, give up bytes nobody points at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, or_, select

from accord.server import jobs
from accord.server.catalogue import blobs
from accord.server.catalogue.search import FILL
from accord.server.database import tables

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Table

    from accord.server.parts import Parts

__all__ = ["fill_search", "prune_audit", "prune_rates", "prune_sessions", "prune_tokens", "sweep_blobs"]

_SECOND = 1_000_000
_HOUR, _DAY = 3_600, 86_400
_AT_ONCE = 1_000  # rows of one block, so that nobody waits long for it
_HEX = "0123456789abcdef"
_ACTOR = "system"


def prune_sessions(parts: Parts, _arguments: dict[str, Any] | None = None) -> int:
    """Forget sign-ins of browsers that are over; how many."""
    columns = tables.web_session.c
    return _prune(parts, tables.web_session, columns.key_sha256, columns.expires <= parts.now())


def prune_rates(parts: Parts, _arguments: dict[str, Any] | None = None) -> int:
    """Forget counts whose window has ended, whichever limit they are of; how many keys."""
    limits = parts.settings.limits
    longest = max(
        limits.failed_seconds, limits.uploads_seconds, limits.searches_seconds, limits.projects_seconds
    )
    before = parts.now() - longest * _SECOND
    return _prune(parts, tables.rate, tables.rate.c.key, tables.rate.c.window < before)


def prune_audit(parts: Parts, _arguments: dict[str, Any] | None = None) -> int:
    """Forget entries of the audit that are older than they are to be kept, if there is such a time; how many."""
    kept = parts.settings.limits.audit_kept_seconds
    if not kept:
        return 0
    return _prune(parts, tables.audit, tables.audit.c.id, tables.audit.c.at < parts.now() - kept * _SECOND)


def prune_tokens(parts: Parts, _arguments: dict[str, Any] | None = None) -> int:
    """Forget tokens that have been over for long; how many.  What is not known is not good either."""
    columns = tables.token.c
    before = parts.now() - parts.settings.limits.token_kept_seconds * _SECOND
    over = or_(columns.expires < before, columns.revoked < before)
    return _prune(parts, tables.token, columns.id, over)


def _prune(parts: Parts, table: Table, key: ColumnElement[Any], over: ColumnElement[bool]) -> int:
    count = 0
    while True:
        with parts.database.read() as connection:
            if connection.execute(select(key).where(over).limit(1)).first() is None:
                return count
        with parts.database.write(_ACTOR) as writing:
            some = select(key).where(over).limit(_AT_ONCE).scalar_subquery()
            count += writing.connection.execute(delete(table).where(key.in_(some), over)).rowcount


def sweep_blobs(parts: Parts, _arguments: dict[str, Any] | None = None) -> int:
    """Give up bytes no row has pointed at for so long that no upload of them can be on its way; how many.

    By the first digit of their names, so that no process holds the names of a whole storage.
    """
    count = 0
    for first in _HEX:
        candidates = set(_old(parts, first))
        if not candidates:
            continue
        with parts.database.read() as connection:
            for sha256 in blobs.pointed(connection, first):
                candidates.discard(sha256)
        left = sorted(candidates)
        for start in range(0, len(left), _AT_ONCE):
            with parts.database.write(_ACTOR) as writing:
                count += blobs.release(writing, parts.storage, left[start : start + _AT_ONCE])
    return count


def _old(parts: Parts, first: str) -> Iterator[str]:
    before = parts.now() - parts.settings.limits.orphan_seconds * _SECOND
    for second in _HEX:
        for blob in parts.storage.listing(first + second):
            if blob.at < before and len(blob.sha256) == 64 and set(blob.sha256) <= set(_HEX):
                yield blob.sha256


def fill_search(parts: Parts, _arguments: dict[str, Any] | None = None) -> None:
    """Make the rows of the search that are missing: entered where a server is opened that lacks many."""
    parts.search.fill()


def _register() -> None:
    for name, work, every in (
        ("prune-sessions", prune_sessions, _HOUR),
        ("prune-rates", prune_rates, _HOUR),
        ("prune-audit", prune_audit, 6 * _HOUR),
        ("prune-tokens", prune_tokens, _DAY),
    ):
        jobs.register(name, work, every=every)
    jobs.register(FILL, fill_search)
    jobs.register("sweep-blobs", sweep_blobs, every=_DAY, long=True)


_register()
