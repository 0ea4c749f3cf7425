"""A running index moves to another database, another storage, or both.

Blobs and rows are copied while the index is written to; then writing stops for as long as the rest takes, all of it is
compared, and the copy is free to be served.  The source stays as it is, and stays closed to writing, so that nothing is
written there that the copy does not have; ``accord index resume`` opens it again for whoever changes their mind.

What was interrupted is begun again: what lies there already is looked at and kept.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from accord.server.database import READ_ONLY, tables
from accord.server.errors import Refused
from accord.server.upkeep import rows
from accord.server.upkeep.needed import needed
from accord_core.errors import UsageError

if TYPE_CHECKING:
    from accord.server.database import Database
    from accord.server.parts import Parts

__all__ = ["MOVED", "Moved", "copy_blobs", "demand_empty", "move"]

MOVED = "the index was moved"
_MOVING = "the index is being moved"
_ROUNDS, _FEW = 5, 100
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Moved:
    """``rows`` of each table, compared one by one; ``blobs`` read back from the new storage, ``bytes`` of them together;
    ``stopped``: for how many seconds nothing could be written."""

    serial: int
    rows: dict[str, int]
    blobs: int
    bytes: int
    stopped: float


def move(source: Parts, target: Parts, tell: Callable[[str], None] = lambda _: None) -> Moved:
    """Copy, stop, copy the rest, compare.  Where the two have the same database (or storage) only the other moves.

    Raises ``UsageError("index-target-taken")``, ``Refused("blob-damaged", "blob-missing", "move-differs")``; then the source
    takes changes again, and the move can be begun again.
    """
    moves_rows = source.settings.database_url != target.settings.database_url
    moves_blobs = source.settings.storage_url != target.settings.storage_url
    if not (moves_rows or moves_blobs):
        raise UsageError(
            "index-target-taken",
            "the index is there already",
            hint="name another --to-database or --to-storage",
        )
    if moves_rows:
        _begin(target.database)
    verified: dict[str, int] = {}
    if moves_blobs:
        tell("blobs")
        for _ in range(
            _ROUNDS
        ):  # what came meanwhile is copied before anything stops, as long as it gets less
            known = len(verified)
            copy_blobs(source, target, verified)
            if len(verified) - known <= _FEW:
                break
    if moves_rows:
        _sync(source.database, target.database, tell)
    tell("stop")
    before = _reason(source.database)
    began = time.monotonic()
    source.database.set_read_only(_MOVING)
    try:
        if moves_blobs:
            copy_blobs(source, target, verified)
        counted: dict[str, int] = {}
        if moves_rows:
            _sync(source.database, target.database, tell)
            tell("compare")
            counted = _compare(source.database, target.database)
            _end(target.database)
        source.database.set_read_only(MOVED)
    except BaseException:
        source.database.set_read_only(before)
        raise
    return Moved(
        target.database.serial() if moves_rows else source.database.serial(),
        counted,
        len(verified),
        sum(verified.values()),
        time.monotonic() - began,
    )


def _reason(database: Database) -> str:
    with database.read() as connection:
        found = connection.execute(
            select(tables.state.c.value).where(tables.state.c.key == READ_ONLY)
        ).scalar()
    return "" if found in (_MOVING, MOVED) else found or ""


def demand_empty(database: Database) -> None:
    """Raises ``UsageError("index-target-taken")`` where there is an index already."""
    with database.read() as connection:
        taken = connection.execute(select(tables.index.c.id).limit(1)).first() is not None
        moving = connection.execute(
            select(tables.state.c.key).where(tables.state.c.key == rows.MOVING)
        ).first()
    if taken and moving is None:
        raise UsageError(
            "index-target-taken",
            "there are indexes in that database already",
            hint="name an empty one",
        )


def _begin(database: Database) -> None:
    demand_empty(database)
    with database.write("system", even_read_only=True) as writing:
        state = tables.state
        writing.connection.execute(delete(state).where(state.c.key == rows.MOVING))
        writing.connection.execute(insert(state).values(key=rows.MOVING, value="yes"))
    database.set_read_only("an index is being moved to here")


def _end(database: Database) -> None:
    with database.write("system", even_read_only=True) as writing:
        writing.connection.execute(delete(tables.state).where(tables.state.c.key == rows.MOVING))
    database.set_read_only("")
    database.counter.raise_to(database.serial())


def _sync(source: Database, target: Database, tell: Callable[[str], None]) -> None:
    with (
        target.read() as look,
        source.read() as connection,
        target.write("system", even_read_only=True) as writing,
    ):
        rows.sync(connection, look, writing.connection, tell)


def _compare(source: Database, target: Database) -> dict[str, int]:
    with source.read() as one, target.read() as other:
        found = rows.differences(one, other)
    wrong = [f"{name}: {differ} of {count}" for name, (count, differ) in found.items() if differ]
    if wrong:
        raise Refused(500, "move-differs", "the copy is not what the index is", context=tuple(wrong))
    return {name: count for name, (count, _) in found.items()}


def copy_blobs(source: Parts, target: Parts, verified: dict[str, int]) -> None:
    """Every blob the source's rows point at and the target was not seen to have.  ``verified`` gets their sizes."""
    with source.database.read() as connection:
        todo: dict[str, bool] = {}
        for one in needed(connection):
            if one.sha256 not in verified:
                todo[one.sha256] = todo.get(one.sha256, False) or one.must
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        copied = pool.map(lambda item: _copy_blob(source, target, *item), todo.items())
        verified.update((sha256, size) for sha256, size in copied if size is not None)


def _copy_blob(source: Parts, target: Parts, sha256: str, must: bool) -> tuple[str, int | None]:
    size = source.storage.size(sha256)
    if size is None:
        if must:
            raise Refused(
                500,
                "blob-missing",
                f"the storage has no blob {sha256}",
                hint="accord index fsck says whose it is",
            )
        return sha256, None
    if target.storage.size(sha256) == size and _digest(target.storage.stream(sha256)) == sha256:
        return sha256, size
    target.storage.delete(sha256)
    path = target.incoming_path()
    running = hashlib.sha256()
    try:
        with open(path, "xb") as file:
            for piece in source.storage.stream(sha256):
                running.update(piece)
                file.write(piece)
        if running.hexdigest() != sha256:
            raise _damaged(sha256, "of the index")
        target.storage.put(sha256, path)
    finally:
        if os.path.exists(path):
            os.unlink(path)
    if _digest(target.storage.stream(sha256)) != sha256:
        raise _damaged(sha256, "of the copy")
    return sha256, size


def _digest(pieces: Iterable[bytes]) -> str:
    running = hashlib.sha256()
    for piece in pieces:
        running.update(piece)
    return running.hexdigest()


def _damaged(sha256: str, whose: str) -> Refused:
    return Refused(
        500,
        "blob-damaged",
        f"the bytes {whose} under {sha256} are others",
        hint="accord index fsck --repair, then again",
    )
