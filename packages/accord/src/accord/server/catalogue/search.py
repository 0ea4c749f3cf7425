"""Finding projects by words, beginnings, parts and near spellings of their names.

One row of ``search_entry`` for each project that has a file to offer, the words of it for the database's own full-text
search, and its name with each letter left out once (``search_near``): two names that are one slip of the finger apart
have such a form in common, which costs an index a look-up and not a comparison with every name.

The rows follow the journal, from the serial they were last true for: a moment after a change, many changes together, by a
thread beside serving (:class:`KeepingUp`); what little is missing then is entered by whoever searches
(:meth:`Search.freshen`).  So no upload waits for it.  Everything here is derived and can be made again from the catalogue.
What somebody may see is the caller's to say: :func:`find` asks for each result.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, func, insert, select, update

from accord.server import jobs
from accord.server.beside import Beside
from accord.server.catalogue.filling import Progress, begin, fill, progress, turn
from accord.server.catalogue.names import look_alike
from accord.server.catalogue.search_rows import (
    STATE,
    USES,
    Words,
    entry,
    forms,
    metadata,
    near,
    popular,
    renew,
)
from accord.server.database import tables
from accord.server.errors import Refused
from accord_core.names import normalise

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.database import Database

__all__ = ["FILL", "Found", "KeepingUp", "Search", "open_search"]

FILL = "fill-search"
"""The kind of job that calls :meth:`Search.fill`."""
_SERIAL = select(tables.serial.c.value)
_KNOWN = select(tables.state.c.value).where(tables.state.c.key == STATE)
_REACHED = update(tables.state).where(tables.state.c.key == STATE).values(value=bindparam("reached"))
_PROJECTS = select(func.count()).select_from(tables.project)
_CHANGED = (
    select(tables.change.c.serial, tables.change.c.index_id, tables.change.c.project)
    .where(tables.change.c.serial > bindparam("last"), tables.change.c.project.is_not(None))
    .order_by(tables.change.c.serial)
    .limit(bindparam("most"))
)
_BATCH = 500  # projects of one round when the rows catch up
_FAR = 5_000  # changes; if more are missing all rows are made anew
_FEW = 20  # changes a search enters itself
_PAUSE = 0.25  # seconds
_WORDS = 8  # words of a question that count
_LETTERS = 60  # letters of one word
_CANDIDATES = 120


@dataclass(frozen=True, slots=True)
class Found:
    """A project as a list of results shows it.  ``near`` says that it is only spelled like what was asked."""

    index_id: int
    name: str
    display: str
    version: str
    summary: str
    published: int
    status: str
    score: float
    near: bool = False
    uses: int = 0


class Search:
    """One per process; safe to use from many threads."""

    def __init__(self, database: Database, words: Words) -> None:
        self._database = database
        self._words = words

    def prepare(self) -> None:
        """Make the tables, and a first round of rows for what the catalogue has already; :meth:`keep_up` makes the rest."""
        # What is derived is no change: also a server that takes no changes for a while may start.
        with turn(self._database) as connection:
            metadata.create_all(connection)
            self._words.create(connection)
        if 0 < self._missing() <= _FAR:
            self.catch_up()

    def freshen(self) -> None:
        """Before a search: what little is missing is entered at once, so that a change is found by whoever made it.  For
        much, which a thread or a job is at, nobody waits."""
        if 0 < self._missing() <= _FEW:
            self.catch_up()

    def catch_up(self) -> None:
        """One round, where something is missing, for which whoever asks waits."""
        with turn(self._database) as connection:
            self._follow(connection)

    def keep_up(self) -> None:
        """Round after round until nothing is missing; others may write between.  Where so much is missing that all rows are
        better made anew there will be a job, which one process does."""
        while 0 < (missing := self._missing()) <= _FAR:
            self.catch_up()
        if missing:
            with self._database.write("system", even_read_only=True) as writing:
                jobs.enqueue(writing, FILL, once=True)

    def fill(self) -> None:
        """Until nothing is missing, however much that is; a search finds what there is meanwhile."""
        while (missing := self._missing()) or self._filling():
            if missing > _FAR or self._filling():
                begin(self._database)
                fill(self._database, self._words)
            else:
                self.catch_up()

    def _filling(self) -> bool:
        with self._database.read() as connection:
            return progress(connection) is not None

    def progress(self, connection: Connection) -> Progress | None:
        """How much of the index can be found, where that is not all of it."""
        if connection.execute(_SERIAL).scalar_one() - _known(connection) <= _FAR:
            return None
        return progress(connection) or Progress(0, connection.execute(_PROJECTS).scalar_one())

    def behind(self) -> bool:
        return self._missing() > 0

    def _missing(self) -> int:
        """How many changes the rows are behind."""
        with self._database.read() as connection:
            last: int = connection.execute(_SERIAL).scalar_one()
            return last - _known(connection)

    def _follow(self, connection: Connection) -> None:
        """Bring the rows up to the journal's end, a batch at the most."""
        rows = connection.execute(_CHANGED, {"last": _known(connection), "most": _BATCH}).all()
        renew(connection, self._words, {(row.index_id, row.project) for row in rows})
        if len(rows) < _BATCH:
            reached = connection.execute(_SERIAL).scalar_one()
        else:
            reached = rows[-1].serial
        if connection.execute(_REACHED, {"reached": str(reached)}).rowcount:
            return
        connection.execute(insert(tables.state).values(key=STATE, value=str(reached)))

    def find(
        self,
        connection: Connection,
        text: str,
        index_ids: Sequence[int],
        open_ids: Collection[int],
        readable: Callable[[int, str], bool],
    ) -> tuple[Found, ...]:
        """The best first, at most :data:`_CANDIDATES`.

        ``index_ids`` in the order in which a name is looked for: of several indexes that have one, the first counts, also
        where it is none of ``open_ids``, which are those whose projects may be shown.
        ``readable(index id, name)`` is asked of private projects only.
        """
        words = _words(text)
        if not words:
            return ()
        joined = normalise("-".join(words))
        order: dict[int, int] = {}
        for number in (
            *_named(connection, joined, index_ids),
            *self._words.matching(connection, words, _CANDIDATES),
        ):
            order.setdefault(number, len(order))
        if len(joined) >= 3 and len(order) < _CANDIDATES:
            for number in self._words.part(connection, joined, _CANDIDATES - len(order)):
                order.setdefault(number, len(order))
        slips: set[int] = set()
        if len(joined) >= 3:
            slips = {number for number in _near(connection, joined) if number not in order}
            order.update((number, len(order)) for number in slips)
        found = _shown(connection, order, slips, index_ids, open_ids, readable)
        return _ranked(found, joined, words)


class KeepingUp(Beside):
    """Enters what changed since it looked last; ``start`` it once in each serving process."""

    def __init__(self, search: Search, serial: Callable[[], int]) -> None:
        super().__init__("accord-search", _PAUSE)
        self._search = search
        self._serial = serial

    def _run(self) -> None:
        entered = -1
        while not self._ended.wait(self._pause):
            serial = self._serial()
            if serial == entered:
                continue
            try:
                self._search.keep_up()
            except Refused:
                continue  # the database is gone for a while
            entered = serial


def open_search(database: Database) -> Search:
    """The search of this database; ``prepare`` it once."""
    if database.is_sqlite:
        from accord.server.catalogue.words_sqlite import SqliteWords

        return Search(database, SqliteWords())
    from accord.server.catalogue.words_postgresql import PostgresWords

    return Search(database, PostgresWords())


def _known(connection: Connection) -> int:
    """The serial the rows are true for."""
    found = connection.execute(_KNOWN).scalar()
    return int(found or 0)


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text[:500]).casefold()
    return [word[:_LETTERS] for word in re.findall(r"[^\W_]+", plain)[:_WORDS]]


def _named(connection: Connection, joined: str, index_ids: Sequence[int]) -> Iterable[int]:
    """The project of exactly this name, those that look the same, those that begin so."""
    columns = tables.project.c
    query = select(columns.id).join(entry, entry.c.project_id == columns.id)
    beginning = and_(columns.name >= joined, columns.name < joined + "\U0010ffff")
    for condition in (columns.name == joined, columns.look_alike == look_alike(joined), beginning):
        yield from connection.execute(
            query.where(columns.index_id.in_(index_ids), condition).limit(50)
        ).scalars()


def _near(connection: Connection, joined: str) -> set[int]:
    query = select(near.c.project_id).where(near.c.form.in_(forms(joined))).limit(50)
    return set(connection.execute(query).scalars())


def _shown(
    connection: Connection,
    order: dict[int, int],
    slips: set[int],
    index_ids: Sequence[int],
    open_ids: Collection[int],
    readable: Callable[[int, str], bool],
) -> list[Found]:
    """The candidates somebody may see, a name once, with their place in the order as the score."""
    columns = tables.project.c
    rows = connection.execute(
        select(
            columns.id,
            columns.index_id,
            columns.name,
            columns.display,
            columns.private,
            columns.status,
            entry.c.version,
            entry.c.summary,
            entry.c.published,
            func.coalesce(popular.c.uses, 0).label("uses"),
        )
        .join(entry, entry.c.project_id == columns.id)
        .outerjoin(popular, popular.c.name == columns.name)
        .where(columns.id.in_(list(order)))
    ).all()
    # Not in the question: SQLite would go through all projects of the index instead of these.
    rows = [row for row in rows if row.index_id in open_ids]
    firsts = _firsts(connection, {row.name for row in rows}, index_ids)
    return [
        Found(
            row.index_id,
            row.name,
            row.display,
            row.version,
            row.summary,
            row.published,
            row.status,
            -float(order[row.id]),
            row.id in slips,
            row.uses,
        )
        for row in rows
        if firsts[row.name] == row.index_id and (not row.private or readable(row.index_id, row.name))
    ]


def _firsts(connection: Connection, names: set[str], index_ids: Sequence[int]) -> dict[str, int]:
    """The index that answers for each name, whoever may see it: a hidden project hides the ones below it."""
    if len(index_ids) == 1:
        return dict.fromkeys(names, index_ids[0])
    columns = tables.project.c
    place = {index_id: number for number, index_id in enumerate(index_ids)}
    found: dict[str, int] = {}
    for name, index_id in connection.execute(
        select(columns.name, columns.index_id).where(
            columns.name.in_(list(names)), columns.index_id.in_(index_ids)
        )
    ):
        if name not in found or place[index_id] < place[found[name]]:
            found[name] = index_id
    return found


def _ranked(found: list[Found], joined: str, words: list[str]) -> tuple[Found, ...]:
    """By how the name fits and how many projects need it, then as the words fitted."""
    asked = look_alike(joined)

    def fit(one: Found) -> tuple[float, float]:
        plain = look_alike(one.name)
        if one.name == joined:
            return 9, 0
        if plain == asked:
            return 8, one.score
        if plain.startswith(asked):
            tier = 4
        elif asked in plain or (one.near and len(asked) > 4):
            tier = 3
        else:
            tier = 2 if all(word in one.name for word in words) else 1
        # A project many others need is worth a step and a half of the ladder.
        return tier + 1.5 * (min(one.uses, USES) / USES) ** 0.5, one.score

    return tuple(sorted(found, key=fit, reverse=True))
