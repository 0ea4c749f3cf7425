"""The rows of the search made for a whole index at once: after it was moved or read in, when the journal is too long a way.

Piece by piece in the order of the projects' numbers: what a piece needs is read beside the writers, and written in a block of
its own, so that nobody waits long.  How far it has come stands in ``state`` with the serial of its beginning, which is what
the rows are true for at its end; the journal from there on is caught up with as ever.  Whoever begins, goes on, or was
killed in between: the position alone says what is next, and two at a time do no harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, delete, func, insert, select, update

from accord.server.catalogue.search_rows import (
    FILLED,
    STATE,
    Spoken,
    Words,
    described,
    entry,
    forget_near,
    forms,
    newest_of,
    popular,
    put_near,
)
from accord.server.database import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.database import Database

__all__ = ["Progress", "begin", "fill", "progress", "turn"]

# Rows of one piece: some hundredths of a second of the writers' time.
_PROJECTS = 500
_PAIRS = 10_000
_NAMES = 2_000
_PASS = 150_000  # projects whose near spellings are sorted in memory at a time (100 MB)
_FORMS = 1 << 62


@dataclass(frozen=True, slots=True)
class Progress:
    """``done`` projects of ``total``; the last of them without slips of the finger until all is done."""

    done: int
    total: int

    @property
    def share(self) -> float:
        return self.done / self.total if self.total else 1.0


@dataclass(frozen=True, slots=True)
class _Position:
    """``serial`` the rows will be true for, ``last`` project that has its row, ``form`` below which near spellings are there."""

    serial: int
    last: int = 0
    form: int = 0

    def text(self) -> str:
        return f"{self.serial} {self.last} {self.form}"


@dataclass(frozen=True, slots=True)
class _Piece:
    before: _Position
    last: int
    names: dict[int, str]
    rows: list[dict[str, Any]]
    spoken: list[Spoken]


def progress(connection: Connection) -> Progress | None:
    """How far the filling has come that is going on; ``None`` where none is."""
    position = _position(connection)
    if position is None:
        return None
    number = tables.project.c.id
    total, done = connection.execute(
        select(func.count(), func.coalesce(func.sum(case((number <= position.last, 1), else_=0)), 0))
    ).one()
    return Progress(done, total)


def begin(database: Database) -> None:
    """Fill from now on, unless somebody does."""
    with turn(database) as connection:
        if _position(connection) is None:
            serial = connection.execute(select(tables.serial.c.value)).scalar_one()
            connection.execute(insert(tables.state).values(key=FILLED, value=_Position(serial).text()))


def fill(database: Database, words: Words) -> None:
    """Make all rows; :func:`begin` says when.  What happened meanwhile is still to be caught up with."""
    while True:
        with database.read() as connection:
            position = _position(connection)
        if position is None:
            return
        piece = _read(database)
        if piece is not None:
            _write(database, words, piece)
        elif position.form < _FORMS:
            _spell(database)
        else:
            _count(database)
            _finish(database, position)


@contextmanager
def turn(database: Database) -> Iterator[Connection]:
    """A block of whoever makes rows; on PostgreSQL one at a time, as everybody is on SQLite."""
    with database.write("system", even_read_only=True) as writing:
        writing.turn("search fill")
        yield writing.connection


def _finish(database: Database, position: _Position) -> None:
    with turn(database) as connection:
        if _position(connection) != position:
            return
        connection.execute(delete(tables.state).where(tables.state.c.key.in_((FILLED, STATE))))
        connection.execute(insert(tables.state).values(key=STATE, value=str(position.serial)))


def _position(connection: Connection) -> _Position | None:
    text = connection.execute(select(tables.state.c.value).where(tables.state.c.key == FILLED)).scalar()
    return None if text is None else _Position(*map(int, text.split()))


def _read(database: Database) -> _Piece | None:
    """The next piece, ``None`` where there is none.  A project that comes when names are being spelled is caught up with."""
    with database.read() as connection:
        before = _position(connection)
        if before is None or before.form:
            return None
        columns = tables.project.c
        projects = connection.execute(
            select(columns.id, columns.name)
            .where(columns.id > before.last)
            .order_by(columns.id)
            .limit(_PROJECTS)
        ).all()
        if not projects:
            return None
        names = {row.id: row.name for row in projects}
        rows, spoken = described(connection, names, newest_of(connection, list(names)))
        return _Piece(before, projects[-1].id, names, rows, spoken)


def _write(database: Database, words: Words, piece: _Piece) -> None:
    with turn(database) as connection:
        if _position(connection) != piece.before:
            return
        _clear(connection, words, piece)
        if piece.rows:
            connection.execute(insert(entry), piece.rows)
            words.put(connection, piece.spoken)
        _reach(connection, replace(piece.before, last=piece.last))


def _reach(connection: Connection, position: _Position) -> None:
    connection.execute(update(tables.state).where(tables.state.c.key == FILLED).values(value=position.text()))


def _clear(connection: Connection, words: Words, piece: _Piece) -> None:
    """What was there of these projects before; their near spellings are those of their names, which stay."""
    between = entry.c.project_id > piece.before.last, entry.c.project_id <= piece.last
    there = connection.execute(select(entry.c.project_id).where(*between)).scalars().all()
    gone = set(there).difference(row["project_id"] for row in piece.rows)
    if there:
        words.remove(connection, there)
        connection.execute(delete(entry).where(*between))
        forget_near(connection, {number: piece.names[number] for number in gone})


def _spell(database: Database) -> None:
    """The near spellings of every name that has a row."""
    while True:
        with database.read() as connection:
            position = _position(connection)
            if position is None or position.form >= _FORMS:
                return
            count = connection.execute(select(func.count()).select_from(entry)).scalar_one()
            stop = min(_FORMS, position.form + _FORMS // (count // _PASS + 1) + 1)
            pairs = _pairs(connection, position.form, stop)
        for start in range(0, len(pairs), _PAIRS):
            some = pairs[start : start + _PAIRS]
            # Pairs of one form may lie in two pieces: the next one begins with the last form of this.
            after = replace(position, form=some[-1] >> _SHIFT)
            if not _enter(database, position, after, some):
                return
            position = after
        if not _enter(database, position, replace(position, form=stop), []):
            return


_SHIFT = 64  # a pair is one number, which sorts in a third of the time and half of the room
_PROJECT = (1 << _SHIFT) - 1


def _pairs(connection: Connection, start: int, stop: int) -> list[int]:
    columns = tables.project.c
    rows = connection.execute(
        select(columns.id, columns.name).join(entry, entry.c.project_id == columns.id),
        execution_options={"yield_per": 1_000},
    )
    return sorted(
        form << _SHIFT | number for number, name in rows for form in forms(name) if start <= form < stop
    )


def _enter(database: Database, before: _Position, after: _Position, pairs: list[int]) -> bool:
    """Whether nobody else was there."""
    with turn(database) as connection:
        if _position(connection) != before:
            return False
        put_near(connection, [(pair >> _SHIFT, pair & _PROJECT) for pair in pairs])
        _reach(connection, after)
        return True


def _count(database: Database) -> None:
    """Who needs what, for all names at once."""
    columns = tables.dependency.c
    with database.read() as connection:
        rows = connection.execute(
            select(columns.name, func.count(tables.release.c.project_id.distinct()))
            .join(tables.release, columns.release_id == tables.release.c.id)
            .group_by(columns.name)
        )
        counted = [{"name": name, "uses": uses} for name, uses in rows]
    for some in _pieces(counted, _NAMES):
        with turn(database) as connection:
            connection.execute(delete(popular).where(popular.c.name.in_([one["name"] for one in some])))
            connection.execute(insert(popular), some)


def _pieces(items: list[Any], size: int) -> Iterable[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
