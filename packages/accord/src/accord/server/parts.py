"""What one serving process has: the rooms below the routes, opened once and handed to each of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from accord.server import clock, metrics
from accord.server.accounts import people, sealing
from accord.server.accounts.guard import Guard
from accord.server.accounts.passwords import Passwords
from accord.server.catalogue import indexes
from accord.server.catalogue.search import Search, open_search
from accord.server.database import Database
from accord.server.incoming import Incoming
from accord.server.pages.materialise import Materials
from accord.server.pages.shelf import Shelf
from accord.server.settings import DEFAULT_INDEX, Settings
from accord.server.storage import BlobStore, open_storage

if TYPE_CHECKING:
    from accord.server.archives.trusted_root import TrustedRoot

__all__ = ["Parts", "first_start", "open_parts"]


@dataclass(frozen=True, slots=True)
class Parts:
    settings: Settings
    database: Database
    storage: BlobStore
    shelf: Shelf
    materials: Materials
    now: clock.Clock
    passwords: Passwords
    guard: Guard
    metrics: metrics.Metrics
    incoming: Incoming
    search: Search
    trusted_root: TrustedRoot | None
    at_end: list[Callable[[], None]] = field(default_factory=list)  # what rooms above have to close

    def incoming_path(self) -> str:
        """A name for a file that is being received; nobody else has it."""
        return self.incoming.path()

    def close(self) -> None:
        for end in self.at_end:
            end()
        self.guard.close()
        self.incoming.close()
        self.database.close()


def open_parts(settings: Settings, *, now: clock.Clock = clock.now) -> Parts:
    """Open what ``settings`` name; the database is made where there is none.  Where that fails, it is closed again."""
    settings.prepare()
    trusted_root = _trusted_root(settings)
    database = Database(settings.database_url, cache=settings.cache, now=now)
    try:
        return _opened(settings, database, trusted_root, now)
    except BaseException:
        database.close()
        raise


def _opened(
    settings: Settings, database: Database, trusted_root: TrustedRoot | None, now: clock.Clock
) -> Parts:
    sealing.attach(database.engine, sealing.read_secrets(settings.secret_file))
    database.create()
    storage = open_storage(settings.storage_url)
    materials = Materials(os.path.join(settings.cache, "pages"), database, writes=settings.materialise)
    database.around_commit = materials.forget
    guard = Guard(settings, database, now)
    guard.recover()
    passwords = Passwords(settings.limits)
    shelf = Shelf(database, settings)
    incoming = Incoming(settings.incoming)
    incoming.clean()
    search = open_search(database)
    search.prepare()
    return Parts(
        settings,
        database,
        storage,
        shelf,
        materials,
        now,
        passwords,
        guard,
        metrics.Metrics(),
        incoming,
        search,
        trusted_root,
    )


def _trusted_root(settings: Settings) -> TrustedRoot | None:
    if not settings.attestation_roots:
        return None
    from accord.server.archives.trusted_root import read_trusted_root  # cryptography is large

    return read_trusted_root(settings.attestation_roots, settings.limits.trusted_root_bytes)


def first_start(parts: Parts) -> str | None:
    """Make the first index and its administrator where there is nobody yet; returns the token, once."""
    with parts.database.read() as connection:
        if people.any_user(connection):
            return None
    with parts.database.write("system") as writing:
        writing.turn("first start")  # machines of one database may begin at the same moment
        if people.any_user(writing.connection):  # another process was quicker
            return None
        indexes.add_index(writing, DEFAULT_INDEX, title="Packages")
        return people.add_token(writing, people.add_user(writing, "admin", admin=True), "first start")
