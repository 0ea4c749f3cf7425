"""The connection, and the one way to change anything: :meth:`Database.write`.

A writing block is one transaction.  What it reports with :meth:`Writing.changed` gets its serial at the very end, while
the counter's row is locked: so serials have no gaps that close later, and a reader who has seen serial *n* will never
see a smaller one appear.  On SQLite the block is the only writer (``BEGIN IMMEDIATE``); on PostgreSQL writers run side
by side and queue for the counter only.

:class:`~accord.server.database.counter.Counter` tells every process of this machine at once that something changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, create_engine, event, func, insert, inspect, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from accord.io.steps import step
from accord.server import clock
from accord.server.database import tables
from accord.server.database.bell import Bell
from accord.server.database.counter import Counter
from accord.server.database.faults import not_storable, refusal
from accord.server.database.together import Together
from accord.server.database.turn import Turn
from accord.server.errors import Refused
from accord_core.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from accord.server.database.together import Group

__all__ = ["READ_ONLY", "SCHEMA", "Change", "Database", "Writing"]

SCHEMA = "1"
CHANGED, JOBS = "accord_changed", "accord_jobs"
"""Where PostgreSQL tells other machines of a new serial, and of a job (``database.listening``)."""
READ_ONLY = "read_only"
"""The key of ``state`` that holds why nothing may be written now; empty: it may."""
_BUSY_SECONDS = 30.0
_CONNECT_SECONDS = 5

_COUNT = (
    update(tables.serial)
    .values(value=tables.serial.c.value + bindparam("changes"))
    .returning(tables.serial.c.value)
)
_JOURNAL = insert(tables.change)
_SAID_AT = select(tables.change.c.at).where(tables.change.c.serial == bindparam("serial"))
_PROJECT_SERIAL = (
    update(tables.project)
    .where(tables.project.c.index_id == bindparam("of_index"), tables.project.c.name == bindparam("of_name"))
    .values(serial=bindparam("its_serial"))
)
_INDEX_SERIAL = (
    update(tables.index)
    .where(tables.index.c.id == bindparam("of_index"))
    .values(serial=bindparam("its_serial"))
)
_FILE_SERIAL = (
    update(tables.file)
    .where(tables.file.c.id == bindparam("of_file"))
    .values(added_serial=bindparam("its_serial"))
)
# On PostgreSQL the row is held (shared) to the end of the block: whoever writes it waits for all who read it so.
# One question on PostgreSQL as well: the others hear of the serial with the commit.
_COUNT_AND_TELL = text(
    "WITH counted AS (UPDATE serial SET value = value + :changes RETURNING value) "
    "SELECT value, pg_notify(:channel, CAST(value AS text)) FROM counted"
).bindparams(channel=CHANGED)
_TELL_JOBS = text("SELECT pg_notify(:channel, '')").bindparams(channel=JOBS)
_WHY_READ_ONLY = (
    select(tables.state.c.value).where(tables.state.c.key == READ_ONLY).with_for_update(read=True)
)


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

    __slots__ = ("_added_files", "actor", "at", "changes", "connection", "rings", "serial")

    def __init__(self, connection: Connection, actor: str, at: int) -> None:
        self.connection = connection
        self.actor = actor
        self.at = at
        self.serial = 0  # of the last change, once the block has ended
        self.changes: list[Change] = []
        self._added_files: list[tuple[int, int]] = []
        self.rings = False  # whether there is a job for at once

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
        self.changes.append(Change(index_id, action, project, version, filename, detail))

    def turn(self, key: str, *, shared: bool = False) -> None:
        """Wait for everybody else who is at ``key``, and keep it to the end of the block; ``shared``: only for those who
        are not.  On SQLite the block itself is that turn."""
        if self.connection.dialect.name == "postgresql":
            lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
            self.connection.execute(select(lock(func.hashtextextended(key, 0))))

    def file_added(self, file_id: int) -> None:
        """The file becomes visible with the *next* change entered."""
        self._added_files.append((file_id, len(self.changes)))

    def ring(self) -> None:
        """There is something to do at once: who waits for jobs is woken when the block has ended, on every machine."""
        if not self.rings and self.connection.dialect.name == "postgresql":
            self.connection.execute(_TELL_JOBS)
        self.rings = True

    def _number(self) -> None:
        if not self.changes:
            return
        connection = self.connection
        last: int = connection.execute(
            _COUNT_AND_TELL if connection.dialect.name == "postgresql" else _COUNT,
            {"changes": len(self.changes)},
        ).scalar_one()
        first = last - len(self.changes) + 1
        # Never before the change before: what an instant names stays the same if the clock is set back.
        before: int | None = connection.execute(_SAID_AT, {"serial": first - 1}).scalar()
        connection.execute(
            _JOURNAL,
            [
                {
                    "serial": first + number,
                    "index_id": change.index_id,
                    "project": change.project,
                    "version": change.version,
                    "filename": change.filename,
                    "action": change.action,
                    "actor": self.actor,
                    "at": max(self.at, before or 0),
                    "detail": dict(change.detail or {}),
                }
                for number, change in enumerate(self.changes)
            ],
        )
        newest: dict[tuple[int, str | None], int] = {}
        for number, change in enumerate(self.changes):
            newest[change.index_id, change.project] = first + number
        projects = [
            {"of_index": index_id, "of_name": project, "its_serial": serial}
            for (index_id, project), serial in newest.items()
            if project is not None
        ]
        if projects:
            connection.execute(_PROJECT_SERIAL, projects)
        # In order, so the last change of an index stays.
        of_indexes = {index_id: serial for (index_id, _), serial in sorted(newest.items(), key=itemgetter(1))}
        connection.execute(
            _INDEX_SERIAL,
            [{"of_index": index_id, "its_serial": serial} for index_id, serial in of_indexes.items()],
        )
        if self._added_files:
            connection.execute(
                _FILE_SERIAL,
                [{"of_file": file_id, "its_serial": first + number} for file_id, number in self._added_files],
            )
        self.serial = last


class Database:
    """One database.  Safe to use from many threads."""

    def __init__(self, url: str, *, cache: str, now: clock.Clock = clock.now) -> None:
        self.url = url
        self.now = now
        self.engine = _engine(url)
        self.counter = Counter(os.path.join(cache, "serial"))
        self.bell = Bell()  # of jobs
        self.around_commit: Callable[[Sequence[Change]], AbstractContextManager[None]] | None = None
        """Entered with what changed before it is committed, left after: for what must be gone by then."""
        # SQLite has one writer; they queue here instead of sleeping in its busy handler.
        self._turn = Turn(os.path.join(cache, "writer")) if self.is_sqlite else None
        self._together = Together(self._writable, self._committing) if self.is_sqlite else None

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def create(self) -> bool:
        """Make the tables where there are none; returns whether it did.  Raises ``Refused``: ``server-schema-unknown``,
        ``server-schema-old``, ``server-database-unavailable``."""
        if self.schema() is not None:
            self._demand_schema()
            self.counter.raise_to(self.serial())
            return False
        with self.alter() as connection:
            # Two processes that begin at once: the second waits here, and finds what the first made.
            if not self.is_sqlite:
                connection.execute(select(func.pg_advisory_xact_lock(0)))
            tables.metadata.create_all(connection)
            if connection.execute(select(tables.state.c.key)).first() is None:
                connection.execute(
                    insert(tables.state),
                    [{"key": "schema", "value": SCHEMA}, {"key": READ_ONLY, "value": ""}],
                )
                connection.execute(insert(tables.serial), [{"id": 1, "value": 0}])
        self._demand_schema()
        return True

    def schema(self) -> str | None:
        """The schema the database has; ``None`` where it has no tables yet."""
        with self.read() as connection:
            if not inspect(connection).has_table("state"):
                return None
            return connection.execute(
                select(tables.state.c.value).where(tables.state.c.key == "schema")
            ).scalar()

    def _demand_schema(self) -> None:
        found = self.schema() or ""
        if found == SCHEMA:
            return
        older = found.isdigit() and int(found) < int(SCHEMA)
        raise Refused(
            500,
            "server-schema-old" if older else "server-schema-unknown",
            f"the database has schema {found}, this version knows {SCHEMA}",
            hint="accord index upgrade brings it up to date"
            if older
            else "use the version of Accord that wrote it",
        )

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view of everything, for reading."""
        with self._refusing(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    @contextmanager
    def write(self, actor: str, *, even_read_only: bool = False, together: bool = False) -> Iterator[Writing]:
        """One transaction.  What is raised inside undoes it whole; what it changed is on disk when it has ended.
        ``together``: on SQLite it may share its commit with other such blocks (:mod:`~accord.server.database.together`).

        Raises ``Refused``: ``server-read-only`` unless ``even_read_only``, and what :func:`faults.refusal` says.
        """
        if together and self._together is not None:
            with self._refusing(), self._together.block() as group:
                writing = Writing(group.connection, actor, self.now())
                yield writing
                writing._number()
                group.changes += writing.changes
                group.serial = writing.serial or group.serial
                group.rings |= writing.rings
            return
        with ExitStack() as around, self._writable(even_read_only=even_read_only) as connection:
            writing = Writing(connection, actor, self.now())
            yield writing
            writing._number()
            around.enter_context(self._committing(writing))

    @contextmanager
    def _committing(self, ending: Writing | Group) -> Iterator[None]:
        """Around the commit of what changed something."""
        step("database-commit")
        with ExitStack() as around:
            if ending.serial and self.around_commit is not None:
                around.enter_context(self.around_commit(ending.changes))
            yield
        step("database-committed")
        if ending.serial:
            self.counter.raise_to(ending.serial)
        if ending.rings:
            self.bell.ring()

    @contextmanager
    def _writable(self, *, even_read_only: bool = False) -> Iterator[Connection]:
        with self.alter() as connection:
            reason = None if even_read_only else connection.execute(_WHY_READ_ONLY).scalar()
            if reason:
                raise Refused(
                    503,
                    "server-read-only",
                    f"nothing can be written now: {reason}",
                    hint="reading goes on; try again later",
                    headers={"Retry-After": "30"},
                )
            yield connection

    @contextmanager
    def alter(self) -> Iterator[Connection]:
        """A bare transaction, for changes of the schema itself: nothing is numbered, nobody is told."""
        if self._turn is not None:
            self._turn.acquire()
        try:
            with (
                self._refusing(),
                self.engine.connect().execution_options(accord_write=True) as connection,
                connection.begin(),
            ):
                yield connection
        finally:
            if self._turn is not None:
                self._turn.release()

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as fault:
            found = refusal(fault, many_writers=not self.is_sqlite)
            if found is not None:
                raise found from fault
            raise

    def set_read_only(self, reason: str) -> None:
        """From now on every writing block is refused with ``reason``, in all processes; ``""``: no longer.  When it
        returns, no writing block is open any more that began before."""
        with self.write("system", even_read_only=True) as writing:
            found = writing.connection.execute(
                update(tables.state).where(tables.state.c.key == READ_ONLY).values(value=reason)
            )
            if not found.rowcount:
                writing.connection.execute(insert(tables.state).values(key=READ_ONLY, value=reason))

    def serial(self) -> int:
        """The serial of the last change, asked of the database (``counter.value()`` is the quick answer)."""
        with self.read() as connection:
            found: int = connection.execute(select(tables.serial.c.value)).scalar_one()
        return found

    def close(self) -> None:
        self.engine.dispose()
        self.counter.close()
        if self._turn is not None:
            self._turn.close()


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return _postgresql(url)
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
        handle.execute(
            "PRAGMA temp_store = MEMORY"
        )  # what savepoints undo: a server may write to its own folder only

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        writing = connection.get_execution_options().get("accord_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    @event.listens_for(engine, "before_cursor_execute")
    def _about_to(_connection: object, _cursor: object, _statement: str, values: Any, *more: Any) -> None:
        # SQLite would keep it, and the index could never move to PostgreSQL.
        # Where many rows are inserted and told of, ``many`` is said as well, and the values of all stand in one row.
        many = more[-1] and len(values) and not isinstance(values, tuple)
        if any(
            "\0" in value for row in (values if many else (values,)) for value in row if type(value) is str
        ):
            raise not_storable()

    return engine


def _postgresql(url: str) -> Engine:
    if not url.startswith(("postgresql://", "postgres://")):
        raise UsageError(
            "server-database-unknown",
            f"no kind of database has URLs like {url.partition(':')[0]}:…",
            hint="sqlite:///PATH or postgresql://HOST/NAME",
        )
    try:
        engine = create_engine(
            "postgresql+psycopg" + url[url.index(":") :],
            connect_args={"connect_timeout": _CONNECT_SECONDS},
            pool_size=5,
            max_overflow=15,
            pool_timeout=_BUSY_SECONDS,
            pool_pre_ping=True,  # a database that was restarted costs nobody a failed request
        )
    except ModuleNotFoundError as missing:
        raise UsageError(
            "extra-missing",
            f"PostgreSQL needs {missing.name}, which is not installed",
            hint="pip install 'accord[server-postgres]'",
        ) from missing

    @event.listens_for(engine, "connect")
    def _connected(handle: Any, _record: object) -> None:
        with handle.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{_BUSY_SECONDS:.0f}s'")
            cursor.execute("SET timezone = 'UTC'")
        handle.commit()

    return engine
