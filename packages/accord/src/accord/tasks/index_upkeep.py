"""What operators do with a whole server: look whether it is sound, stop writing, move, write out, read in, upgrade."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from accord_core.errors import UsageError

if TYPE_CHECKING:
    from accord.tasks.index_folder import Place

__all__ = ["export", "fsck", "import_", "migrate", "pause", "resume", "upgrade"]

Tell = Callable[[str], None]


def fsck(place: Place, *, repair: bool, digests: bool, grace: float, tell: Tell) -> list[dict[str, Any]]:
    """Every fault of rows and blobs; see ``accord.server.upkeep.fsck``."""
    with place.opened() as parts:
        from accord.server.upkeep.fsck import check

        return [asdict(one) for one in check(parts, repair=repair, digests=digests, grace=grace, tell=tell)]


def pause(place: Place, reason: str) -> None:
    """Nothing can be written from now on."""
    with place.opened() as parts:
        parts.database.set_read_only(reason)


def resume(place: Place) -> None:
    """Writing goes on."""
    with place.opened() as parts:
        parts.database.set_read_only("")


def migrate(place: Place, *, database: str, storage: str, tell: Tell) -> dict[str, Any]:
    """Move the index to another database or storage; see ``accord.server.upkeep.moving``."""
    with place.opened() as source:
        from accord.server.parts import open_parts
        from accord.server.upkeep.moving import move

        settings = replace(
            source.settings,
            database=database or source.settings.database_url,
            storage=storage or source.settings.storage_url,
        )
        with tempfile.TemporaryDirectory(prefix="moving-", dir=place.data) as scratch:
            target = open_parts(replace(settings, data=scratch))
            try:
                return asdict(move(source, target, tell))
            finally:
                target.close()


def export(place: Place, folder: str, *, tell: Tell) -> dict[str, Any]:
    """Write everything into a folder; see ``accord.server.upkeep.exporting``."""
    with place.opened() as parts:
        from accord.server.upkeep.exporting import write_out

        return write_out(parts, os.path.abspath(folder), tell)


def import_(place: Place, folder: str, *, tell: Tell) -> dict[str, Any]:
    """Read what was written out into a server that has nothing yet; see ``accord.server.upkeep.importing``."""
    try:
        from accord.server.parts import open_parts
        from accord.server.settings import Settings
        from accord.server.upkeep.importing import read_in
    except ModuleNotFoundError as missing:
        raise UsageError(
            "extra-missing",
            f"administering an index needs {missing.name}, which is not installed",
            hint="pip install 'accord[server]'",
        ) from missing
    parts = open_parts(Settings(place.data, database=place.database, storage=place.storage))
    try:
        return read_in(parts, os.path.abspath(folder), tell)
    finally:
        parts.close()


def upgrade(place: Place) -> dict[str, str]:
    """Bring the tables of an older version up to date; which schema it had, which it has."""
    try:
        from accord.server.database import SCHEMA, Database
        from accord.server.database.revisions import upgrade as run
        from accord.server.settings import Settings
    except ModuleNotFoundError as missing:
        raise UsageError(
            "extra-missing",
            f"administering an index needs {missing.name}, which is not installed",
            hint="pip install 'accord[server]'",
        ) from missing
    settings = Settings(place.data, database=place.database, storage=place.storage)
    if not place.database and not os.path.exists(settings.database_url.removeprefix("sqlite:///")):
        raise UsageError(
            "no-server-here",
            f"no server keeps its things in {place.data}",
            hint="accord serve makes one; --data and --database say where another is",
        )
    settings.prepare()
    database = Database(settings.database_url, cache=settings.cache)
    try:
        before = database.schema() or "none"
        run(database)
    finally:
        database.close()
    return {"before": before, "schema": SCHEMA}
