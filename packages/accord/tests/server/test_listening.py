"""Two machines without anything in common but PostgreSQL: what one does the other hears of at once, and finds out by asking
where nothing is heard."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from accord.server import jobs
from accord.server.database import Database
from accord.server.database.bell import Bell
from accord.server.database.listening import NAME as LISTENS
from accord.server.database.listening import Listening
from accord.server.jobs import kinds
from accord.server.pages.watch import HEARD, Watch
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.objects import Objects
from accord.testing.postgres import Postgres
from accord.testing.serving import InProcess, Served

NEVER = 60.0  # seconds: whoever waits so long was not told


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.new_database()


@contextmanager
def listening(database: Database) -> Iterator[Listening]:
    found = Listening(database)
    found.start()
    try:
        until(found.hears)
        yield found
    finally:
        found.stop()


def until(happened: Callable[[], Any], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.005)


def change(database: Database) -> int:
    with database.write("test") as writing:
        writing.changed(1, "test")
    return writing.serial


def test_a_machine_hears_of_what_another_commits(url: str, tmp_path: Path) -> None:
    with (
        InProcess.open(str(tmp_path / "one"), database=url) as one,
        InProcess.open(str(tmp_path / "two"), database=url) as two,
        listening(two.parts.database),
    ):
        for _ in range(3):
            serial = change(one.parts.database)
            until(lambda: two.parts.database.counter.value() == serial)  # noqa: B023 - called at once


def test_what_is_undone_is_not_told(url: str, tmp_path: Path) -> None:
    with (
        InProcess.open(str(tmp_path / "one"), database=url) as one,
        InProcess.open(str(tmp_path / "two"), database=url) as two,
        listening(two.parts.database),
    ):
        before = two.parts.database.counter.value()
        with pytest.raises(KeyError), one.parts.database.write("test") as writing:
            writing.changed(1, "test")
            writing._number()
            raise KeyError
        assert change(one.parts.database) == before + 1
        until(lambda: two.parts.database.counter.value() == before + 1)


def test_a_lost_connection_is_made_anew_and_what_was_missed_is_asked_for(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        InProcess.open(str(tmp_path / "one"), database=url) as one,
        InProcess.open(str(tmp_path / "two"), database=url) as two,
        listening(two.parts.database) as ear,
    ):
        ear._pause = 0.1
        away = threading.Event()
        monkeypatch.setattr(ear, "_connect", lambda connect=ear._connect: away.wait(NEVER) and connect())
        assert lost(one.parts.database) == 1
        until(lambda: not ear.hears())
        serial = change(one.parts.database)
        assert two.parts.database.counter.value() < serial, "nobody told"
        away.set()
        until(ear.hears)
        assert two.parts.database.counter.value() == serial


def lost(database: Database) -> int:
    """Cut every connection that listens; how many."""
    with database.alter() as connection:
        found: int = connection.execute(
            text(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name = :name AND datname = current_database()"
            ),
            {"name": LISTENS},
        ).scalar_one()
    return found


def test_while_nothing_is_heard_the_watch_asks_as_often_as_ever(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hears = [True]
    asked: list[float] = []
    with (
        InProcess.open(str(tmp_path / "one"), database=url) as one,
        InProcess.open(str(tmp_path / "two"), database=url) as two,
    ):
        database = two.parts.database

        def serial(ask: Callable[[], int] = database.serial) -> int:
            asked.append(time.monotonic())
            return ask()

        monkeypatch.setattr(database, "serial", serial)
        watch = Watch(database, interval=0.05, hears=lambda: hears[0])
        watch.start()
        try:
            changed = change(one.parts.database)
            until(lambda: database.counter.value() == changed and len(asked) > 1)
            assert asked[1] - asked[0] >= HEARD, "it is asked more seldom while something is heard"
            hears[0] = False
            changed = change(one.parts.database)
            until(lambda: database.counter.value() == changed)
            until(lambda: min(after - before for before, after in pairwise(asked)) < HEARD / 2)
        finally:
            watch.stop()


def test_who_waits_for_jobs_is_woken_by_another_machine(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "_KINDS", {})
    done = threading.Event()
    jobs.register("greet", lambda *_: done.set())
    with (
        InProcess.open(str(tmp_path / "one"), database=url) as one,
        InProcess.open(str(tmp_path / "two"), database=url) as two,
        listening(two.parts.database),
    ):
        runner = jobs.Runner(two.parts, pause=NEVER)
        runner.start()
        time.sleep(0.3)
        with one.parts.database.write("test") as writing:
            jobs.enqueue(writing, "greet")
        assert done.wait(NEVER / 4), "the runner sleeps on"
        runner.stop()


def test_who_waits_for_jobs_is_woken_in_the_same_process_on_any_database(
    index: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "_KINDS", {})
    done = threading.Event()
    jobs.register("greet", lambda *_: done.set())
    runner = jobs.Runner(index.parts, pause=NEVER)
    runner.start()
    time.sleep(0.3)
    with index.parts.database.write("test") as writing:
        jobs.enqueue(writing, "greet")
    assert done.wait(NEVER / 4)
    runner.stop()


def test_a_bell_that_rang_between_looking_and_waiting_is_not_missed() -> None:
    bell = Bell()
    rung = bell.rung()
    bell.ring()
    began = time.monotonic()
    bell.wait(rung, NEVER)
    assert time.monotonic() < began + NEVER / 2
    bell.wait(bell.rung(), 0.01)


@pytest.mark.slow
def test_a_reader_of_the_changes_feed_of_one_machine_is_answered_when_another_commits_also_after_the_loss(
    url: str, tmp_path: Path, objects: Objects
) -> None:
    options = ("--database", url, "--storage", objects.new_bucket())
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with (
        Served(str(tmp_path / "one" / "data"), options=options) as one,
        Served(str(tmp_path / "two" / "data"), options=options) as two,
        InProcess.open(str(tmp_path / "three"), database=url, storage=options[3]) as admin,
    ):
        ears = "SELECT count(*) FROM pg_stat_activity WHERE application_name = :name AND datname = current_database()"

        def listeners() -> int:
            with admin.parts.database.read() as connection:
                return int(connection.execute(text(ears), {"name": LISTENS}).scalar_one())

        until(lambda: listeners() == 2)
        for version in ("1.0", "1.1", "1.2"):
            since = json.loads(two.request("GET", "/changes?since=0").body)["next"]
            waits: list[Any] = []
            reader = threading.Thread(
                target=lambda since=since, waits=waits: waits.append(
                    two.request("GET", f"/changes?since={since}&wait=20")
                )
            )
            reader.start()
            time.sleep(0.3)
            if version == "1.2":
                assert lost(admin.parts.database) == 2
            wheel = zip_bytes(wheel_parts(version=version))
            assert one.upload(f"spam-{version}-py3-none-any.whl", wheel).status == 200
            answered = time.monotonic()
            reader.join(30)
            assert time.monotonic() < answered + 10  # the time it would wait at the most is twice that
            assert f"spam-{version}" in waits[0].body.decode()
        until(lambda: listeners() == 2)
