"""Blocks of several threads in one transaction: each is all or nothing by itself, and none has ended before the commit."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from accord.server.database import Database, Writing, tables, together
from accord.server.errors import Refused


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(together, "_SECONDS", 60.0)  # the tests decide who waits
    opened = Database(f"sqlite:///{tmp_path}/index.db", cache=str(tmp_path / "cache"))
    opened.create()
    with opened.write("system") as writing:
        writing.connection.execute(
            insert(tables.index).values(
                id=1, name="main", kind="hosted", public=True, settings={}, created=0, serial=0
            )
        )
    yield opened
    opened.close()


def committed(database: Database) -> list[int]:
    """How many changes each commit brings that is made from now on."""
    counts: list[int] = []
    around = database._committing

    def counting(ending: Writing) -> object:
        counts.append(len(ending.changes))
        return around(ending)

    assert database._together is not None
    database._together._around = counting  # type: ignore[assignment]
    return counts


def at_once(database: Database, works: list[Callable[[Writing], None]]) -> list[BaseException | None]:
    """Each in a block and a thread of its own; the first waits inside its block until all others want to begin."""
    failures: list[BaseException | None] = [None] * len(works)
    inside = threading.Event()
    blocks = database._together
    assert blocks is not None

    def run(number: int) -> None:
        try:
            with database.write(f"user:{number}", together=True) as writing:
                if number == 0:
                    inside.set()
                    while blocks._waiting < len(works) - 1:
                        time.sleep(0.001)
                works[number](writing)
        except BaseException as fault:
            failures[number] = fault

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(works))]
    threads[0].start()
    inside.wait()
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def entry(name: str) -> Callable[[Writing], None]:
    def work(writing: Writing) -> None:
        writing.connection.execute(
            insert(tables.file_name).values(index_id=1, filename=name, used=writing.at)
        )
        writing.changed(1, "x", project=name)

    return work


def names(database: Database) -> list[str]:
    with database.read() as connection:
        return sorted(connection.execute(select(tables.file_name.c.filename)).scalars())


def test_blocks_that_wait_for_each_other_share_a_commit_and_each_has_its_serial(database: Database) -> None:
    counts = committed(database)
    assert at_once(database, [entry(f"n{number}") for number in range(8)]) == [None] * 8
    assert counts == [8]
    assert names(database) == [f"n{number}" for number in range(8)]
    with database.read() as connection:
        serials = connection.execute(
            select(tables.change.c.serial).order_by(tables.change.c.serial)
        ).scalars()
        assert list(serials) == list(range(1, 9))
        actors = connection.execute(select(func.count(tables.change.c.actor.distinct()))).scalar_one()
    assert actors == 8
    assert database.counter.value() == database.serial() == 8


def test_a_block_that_fails_undoes_itself_and_nobody_else(database: Database) -> None:
    def refuse(writing: Writing) -> None:
        entry("never")(writing)
        raise Refused(409, "file-exists", "no")

    failures = at_once(database, [entry("a"), refuse, entry("b"), entry("a"), entry("c")])
    assert [type(fault).__name__ for fault in failures] == [
        "NoneType",
        "Refused",
        "NoneType",
        "IntegrityError",
        "NoneType",
    ]
    assert names(database) == ["a", "b", "c"]
    assert database.serial() == 3


@pytest.mark.parametrize("place", ["first", "last"])
def test_one_that_fails_first_or_last_holds_nobody_up(database: Database, place: str) -> None:
    def refuse(_writing: Writing) -> None:
        raise Refused(409, "file-exists", "no")

    works = [refuse, entry("a")] if place == "first" else [entry("a"), refuse]
    failures = at_once(database, works)
    assert [fault is None for fault in failures] == ([False, True] if place == "first" else [True, False])
    assert names(database) == ["a"]
    entry_alone = at_once(database, [entry("b")])
    assert entry_alone == [None]


def test_nobody_is_told_of_success_where_the_commit_fails(database: Database) -> None:
    def failing(_ending: object) -> object:
        raise sqlite3.OperationalError("disk I/O error")

    blocks = database._together
    assert blocks is not None
    kept, blocks._around = blocks._around, failing  # type: ignore[assignment]
    failures = at_once(database, [entry("a"), entry("b")])
    assert all(isinstance(fault, sqlite3.OperationalError) for fault in failures)
    assert names(database) == []
    blocks._around = kept
    assert at_once(database, [entry("a")]) == [None]


def test_where_the_disk_undoes_everything_all_of_the_group_are_told(database: Database) -> None:
    def undone(writing: Writing) -> None:
        writing.connection.exec_driver_sql("ROLLBACK")  # as SQLite does where the disk is full
        raise Refused(507, "server-disk-full", "no room")

    failures = at_once(database, [entry("a"), undone, entry("b")])
    assert isinstance(failures[0], Refused)
    assert isinstance(failures[1], Refused)
    assert names(database) in (["b"], [])
    assert (failures[2] is None) == (names(database) == ["b"])
    assert at_once(database, [entry("c")]) == [None]


def test_a_server_that_is_read_only_takes_no_such_block_either(database: Database) -> None:
    database.set_read_only("it is moved")
    with pytest.raises(Refused) as refused, database.write("user:ada", together=True):
        pass
    assert refused.value.code == "server-read-only"
    database.set_read_only("")
    assert at_once(database, [entry("a")]) == [None]
