"""The connection, and the one way to change anything: :meth:`Database.write`.

A writing block is one transaction.  What it reports with :meth:`Writing.changed` gets its serial at the very end, while
the counter's row is locked: so serials have no gaps that close later, and a reader who has seen serial *n* will never
see a smaller one appear.  On SQLite the block is the only writer (``BEGIN IMMEDIATE``); on PostgreSQL writers run side
by side and queue for the counter only.

:class:`~accord.server.database.counter.Counter` tells every process of this machine at once that something changed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, create_engine, event, func, insert, select, update
from sqlalchemy.exc import OperationalError

from accord.server import clock
from accord.server.database import tables
from accord.server.database.counter import Counter
from accord.server.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["SCHEMA", "Change", "Database", "Writing"]

SCHEMA = "1"
_BUSY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened: to a file, a release, a project or (``project`` None) an index."""

    index_id: int
    action: str
    project: str | None = None
    version: str | None = None
    filename: str | None = None
    detail: Mapping[str, Any] | None = None


class Writing:
    """An open writing block.  ``connection`` is for statements; ``actor`` (``user:ada``, ``system``) stands in the
    journal; ``at`` is the instant of the whole block."""

    __slots__ = ("_added_files", "_changes", "actor", "at", "connection", "serial")

    def __init__(self, connection: Connection, actor: str, at: int) -> None:
        self.connection = connection
        self.actor = actor
        self.at = at
        self.serial = 0  # of the last change, once the block has ended
        self._changes: list[Change] = []
        self._added_files: list[tuple[int, int]] = []

    def changed(
        self,
        index_id: int,
        action: str,
        *,
        project: str | None = None,
        version: str | None = None,
        filename: str | None = None,
        **detail: Any,
    ) -> None:
        """Enter a change in the journal, and give the project and the index their new serial."""
        self._changes.append(Change(index_id, action, project, version, filename, detail))

    def file_added(self, file_id: int) -> None:
        """The file becomes visible with the *next* change entered."""
        self._added_files.append((file_id, len(self._changes)))

    def turn(self, key: str, *, shared: bool = False) -> None:
        """Wait for everybody else who is at ``key``, and keep it to the end of the block; ``shared``: only for those who
        are not.  On SQLite the block itself is that turn."""
        if self.connection.dialect.name == "postgresql":
            lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
            self.connection.execute(select(lock(func.hashtextextended(key, 0))))

    def _number(self) -> None:
        if not self._changes:
            return
        connection = self.connection
        last: int = connection.execute(
            update(tables.serial)
            .values(value=tables.serial.c.value + len(self._changes))
            .returning(tables.serial.c.value)
        ).scalar_one()
        first = last - len(self._changes) + 1
        connection.execute(
            insert(tables.change),
            [
                {
                    "serial": first + number,
                    "index_id": change.index_id,
                    "project": change.project,
                    "version": change.version,
                    "filename": change.filename,
                    "action": change.action,
                    "actor": self.actor,
                    "at": self.at,
                    "detail": dict(change.detail or {}),
                }
                for number, change in enumerate(self._changes)
            ],
        )
        newest: dict[tuple[int, str | None], int] = {}
        for number, change in enumerate(self._changes):
            newest[change.index_id, change.project] = first + number
        for (index_id, project), serial in newest.items():
            if project is not None:
                connection.execute(
                    update(tables.project)
                    .where(tables.project.c.index_id == index_id, tables.project.c.name == project)
                    .values(serial=serial)
                )
        for index_id in {index_id for index_id, _ in newest}:
            serial = max(value for (of, _), value in newest.items() if of == index_id)
            connection.execute(
                update(tables.index).where(tables.index.c.id == index_id).values(serial=serial)
            )
        if self._added_files:
            connection.execute(
                update(tables.file)
                .where(tables.file.c.id == bindparam("of"))
                .values(added_serial=bindparam("with")),
                [{"of": file_id, "with": first + number} for file_id, number in self._added_files],
            )
        self.serial = last


class Database:
    """One database.  Safe to use from many threads."""

    def __init__(self, url: str, *, cache: str, now: clock.Clock = clock.now) -> None:
        self.url = url
        self.now = now
        self.engine = _engine(url)
        self.counter = Counter(os.path.join(cache, "serial"))
        self.around_commit: Callable[[Sequence[Change]], AbstractContextManager[None]] | None = None
        """Entered with what changed before it is committed, left after: for what must be gone by then."""
        # SQLite has one writer; those of this process queue here instead of sleeping in its busy handler.
        self._turn = threading.Lock() if self.is_sqlite else None
        # Called at the end of each block that changed something, inside it: rows that are derived from the journal.
        self.followers: list[Callable[[Connection], None]] = []

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def create(self) -> bool:
        """Make the tables where there are none; returns whether it did.  Raises ``Refused("server-schema-unknown")``."""
        tables.metadata.create_all(self.engine)
        with self.write("system") as writing:
            connection = writing.connection
            found = connection.execute(
                select(tables.state.c.value).where(tables.state.c.key == "schema")
            ).scalar()
            if found is None:
                connection.execute(insert(tables.state), [{"key": "schema", "value": SCHEMA}])
                connection.execute(insert(tables.serial), [{"id": 1, "value": 0}])
                return True
        if found != SCHEMA:
            raise Refused(
                500,
                "server-schema-unknown",
                f"the database has schema {found}, this version knows {SCHEMA}",
                hint="use the version of Accord that wrote it",
            )
        self.counter.raise_to(self.serial())
        return False

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view of everything, for reading."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self, actor: str) -> Iterator[Writing]:
        """One transaction.  What is raised inside undoes it whole; what it changed is on disk when it has ended."""
        if self._turn is not None:
            self._turn.acquire()
        try:
            with (
                ExitStack() as around,
                self.engine.connect().execution_options(accord_write=True) as connection,
                connection.begin(),
            ):
                writing = Writing(connection, actor, self.now())
                yield writing
                writing._number()
                if writing.serial:
                    for follow in self.followers:
                        follow(connection)
                if writing.serial and self.around_commit is not None:
                    around.enter_context(self.around_commit(writing._changes))
        except OperationalError as fault:
            raise Refused(
                503,
                "server-database-unavailable",
                "the database does not answer",
                headers={"Retry-After": "5"},
            ) from fault
        finally:
            if self._turn is not None:
                self._turn.release()
        if writing.serial:
            self.counter.raise_to(writing.serial)

    def serial(self) -> int:
        """The serial of the last change, asked of the database (``counter.value()`` is the quick answer)."""
        with self.read() as connection:
            found: int = connection.execute(select(tables.serial.c.value)).scalar_one()
        return found

    def close(self) -> None:
        self.engine.dispose()
        self.counter.close()


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(
            url.replace("postgresql://", "postgresql+psycopg://", 1),
            pool_size=10,
            max_overflow=30,
            pool_pre_ping=True,
        )
    engine = create_engine(
        url,
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        pool_size=20,
        max_overflow=40,
    )

    @event.listens_for(engine, "connect")
    def _connected(handle: Any, _record: object) -> None:
        handle.isolation_level = None  # transactions are begun by us, below
        handle.execute("PRAGMA journal_mode = WAL")
        handle.execute("PRAGMA synchronous = FULL")  # a commit that was acknowledged survives a power cut
        handle.execute("PRAGMA foreign_keys = ON")
        handle.execute("PRAGMA mmap_size = 268435456")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        writing = connection.get_execution_options().get("accord_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine
