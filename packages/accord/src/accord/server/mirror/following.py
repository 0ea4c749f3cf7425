"""Hearing of what upstream takes away: its changes feed, where it has one, else a look at old pages now and then.

Servers of ours say what happened (``/changes?since=SERIAL``): each project that is kept here and is named there is asked
for at once.  Any other upstream tells it by its pages alone, which are looked at whenever somebody asks and they are too
old; those nobody asks for are looked at here, so that no snapshot and no mirror of ours goes on with a file that is gone.

One process of a machine follows; where upstream was read to stands in the database.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from accord.server.catalogue import indexes
from accord.server.database import tables
from accord.server.errors import Refused
from accord.server.mirror import ledger
from accord.server.mirror.asking import Upstreams
from accord_core.errors import AccordError, RepositoryError

if TYPE_CHECKING:
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.parts import Parts

__all__ = ["Following", "poll", "sweep"]

_LOOK = 2.0  # seconds between two looks for new indexes
_BEYOND = (1 << 63) - 1  # a serial no upstream has reached: it answers with the one it has
_ENTRIES = 1_000_000
_SWEPT = 50  # pages of one sweep
_PAUSE = 0.05  # seconds between two of them


def poll(parts: Parts, upstreams: Upstreams, index: IndexRow, *, wait: int = 0) -> tuple[str, ...] | None:
    """Read upstream's feed once, waiting up to ``wait`` seconds for news, and ask for the projects named there that are
    kept here: those; ``None`` where upstream has no feed.  Raises RepositoryError."""
    known = _since(parts, index)
    found = _feed(upstreams, index, _BEYOND if known is None else known, 0 if known is None else wait)
    if found is None:
        return None
    if known is None:
        # Everything kept so far was true when it was asked for, or will be looked at when it is too old.
        _remember(parts, index, found["meta"]["_last-serial"])
        return ()
    asked: list[str] = []
    for project in dict.fromkeys(entry.get("project") for entry in found["changes"]):
        if not isinstance(project, str) or not _kept(parts, index, project):
            continue
        try:
            if upstreams.ensure(index, project, force=True).stale is not None:
                return tuple(asked)  # asked for once more at the next poll
        except Refused:
            return tuple(asked)
        asked.append(project)
    _remember(parts, index, found["next"])
    return tuple(asked)


def sweep(parts: Parts, upstreams: Upstreams, index: IndexRow, pause: threading.Event) -> int:
    """Look at the oldest of the pages nobody has asked for long; how many."""
    columns = tables.upstream_page.c
    before = parts.now() - int(parts.settings.limits.upstream_sweep_seconds * 1_000_000)
    with parts.database.read() as connection:
        old = connection.execute(
            select(columns.project)
            .where(columns.index_id == index.id, columns.fetched < before)
            .order_by(columns.fetched)
            .limit(_SWEPT)
        ).scalars()
        projects = tuple(old)
    for number, project in enumerate(projects):
        if upstreams.ensure(index, project, force=True).stale is not None or pause.wait(_PAUSE):
            return number
    return len(projects)


def _feed(upstreams: Upstreams, index: IndexRow, since: int, wait: int) -> dict[str, Any] | None:
    url = (index.upstream_url or "").rstrip("/")
    if not url.endswith("/simple"):
        return None
    answer = upstreams.client(index).get(
        f"{url.removesuffix('/simple')}/changes?since={since}&wait={wait}", accept="application/json"
    )
    if answer.status != 200 or "json" not in answer.content_type:
        return None
    try:
        found = json.loads(answer.body)
        serial, following, changes = found["meta"]["_last-serial"], found["next"], found["changes"]
        usable = (
            type(serial) is int
            and type(following) is int
            and isinstance(changes, list)
            and len(changes) <= _ENTRIES
            and all(isinstance(entry, dict) for entry in changes)
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if usable else None


def _kept(parts: Parts, index: IndexRow, project: str) -> bool:
    with parts.database.read() as connection:
        return ledger.find_page(connection, index.id, project) is not None


def _key(index: IndexRow) -> str:
    return f"follow:{index.id}"


def _since(parts: Parts, index: IndexRow) -> int | None:
    with parts.database.read() as connection:
        text = connection.execute(
            select(tables.state.c.value).where(tables.state.c.key == _key(index))
        ).scalar()
    return None if text is None else int(text)


def _remember(parts: Parts, index: IndexRow, serial: int) -> None:
    if serial == _since(parts, index):
        return
    with parts.database.write("upstream") as writing:
        writing.connection.execute(delete(tables.state).where(tables.state.c.key == _key(index)))
        writing.connection.execute(insert(tables.state).values(key=_key(index), value=str(serial)))


class Following:
    """Threads of one serving process; they do something in one process of a machine only."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._end = threading.Event()
        self._followed: dict[tuple[int, str | None], threading.Thread] = {}
        self._lead = threading.Thread(target=self._look, daemon=True, name="follow upstreams")

    def start(self) -> None:
        self._lead.start()

    def close(self) -> None:
        self._end.set()

    def _look(self) -> None:
        """Become the one that follows, then follow every index that has an upstream."""
        path = os.path.join(self._parts.settings.cache, "following.lock")
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        while not self._end.wait(_LOOK):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            for index in self._indexes():
                key = (index.id, index.upstream_url)
                if key not in self._followed:
                    thread = threading.Thread(target=self._follow, args=(index.name, key), daemon=True)
                    self._followed[key] = thread
                    thread.start()
        os.close(handle)

    def _indexes(self) -> tuple[IndexRow, ...]:
        try:
            with self._parts.database.read() as connection:
                return tuple(index for index in indexes.indexes(connection) if index.kind == "upstream")
        except Exception:  # the database is away: it is looked at again in a moment
            return ()

    def _follow(self, name: str, key: tuple[int, str | None]) -> None:
        limits = self._parts.settings.limits
        upstreams = Upstreams(self._parts)
        pause = 0.0
        while not self._end.wait(pause):
            pause = limits.upstream_failed_seconds
            try:
                with self._parts.database.read() as connection:
                    index = indexes.find_index(connection, name)
                if index is None or (index.id, index.upstream_url) != key:
                    break
                # Within the client's patience, which a long poll must not outlast.
                if poll(self._parts, upstreams, index, wait=int(limits.upstream_seconds / 2)) is not None:
                    pause = 0.05
                elif sweep(self._parts, upstreams, index, self._end) == _SWEPT:
                    pause = _LOOK
                else:
                    pause = limits.upstream_least_seconds * 12
            except (RepositoryError, AccordError):
                continue
        upstreams.close()
