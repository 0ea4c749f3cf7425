"""Serials are in the order of the commits, whoever writes: who has seen n has seen everything before it, for ever."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from accord.server.database import Database, tables
from accord.server.pages.watch import INTERVAL, Watch
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.postgres import Postgres
from accord.testing.serving import InProcess

WRITERS = 4
EACH = 40  # for each of a writer's two threads
JSON = "application/vnd.pypi.simple.v1+json"


@pytest.mark.slow
def test_no_reader_sees_a_smaller_serial_appear_after_a_larger_one(index: InProcess, tmp_path: Path) -> None:
    database = index.parts.database
    before = database.serial()
    url = database.url
    program = str(Path(__file__).with_name("writers.py"))
    writers = [
        subprocess.Popen([sys.executable, program, url, str(tmp_path / f"cache{number}"), str(EACH)])
        for number in range(WRITERS)
    ]
    looks = 0
    while any(writer.poll() is None for writer in writers):
        with database.read() as connection:
            last = connection.execute(select(tables.serial.c.value)).scalar_one()
            count, largest = connection.execute(select(func.count(), func.max(tables.change.c.serial))).one()
        assert (count, largest) == (last, last), "a serial is missing that was passed already"
        looks += 1
    assert [writer.wait() for writer in writers] == [0] * WRITERS
    assert looks > 5
    assert database.serial() == before + WRITERS * 2 * EACH


def test_what_another_machine_changes_is_seen_after_a_quarter_of_a_second(
    postgres: Postgres, tmp_path: Path
) -> None:
    url = postgres.new_database()
    with (
        InProcess.open(str(tmp_path / "one"), database=url) as one,
        InProcess.open(
            str(tmp_path / "two"), database=url, storage=f"file://{tmp_path / 'one' / 'blobs'}"
        ) as two,
    ):
        watch = Watch(two.parts.database)
        watch.start()
        one.upload("spam-1.0-py3-none-any.whl", zip_bytes(wheel_parts()))
        _see(two, 1)
        one.upload("spam-1.1-py3-none-any.whl", zip_bytes(wheel_parts(version="1.1")))
        _see(two, 2)
        watch.stop()


def test_without_the_watch_the_other_machine_would_never_know(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.new_database()
    with (
        InProcess.open(str(tmp_path / "one"), database=url) as one,
        InProcess.open(str(tmp_path / "two"), database=url) as two,
    ):
        one.upload("spam-1.0-py3-none-any.whl", zip_bytes(wheel_parts()))
        assert two.get("/simple/spam/", accept=JSON).status == 200
        one.upload("spam-1.1-py3-none-any.whl", zip_bytes(wheel_parts(version="1.1")))
        assert len(two.get("/simple/spam/", accept=JSON).json()["files"]) == 1


def _see(index: InProcess, files: int) -> None:
    end = time.monotonic() + INTERVAL * 80  # a busy machine; without the watch it would be never
    while True:
        page = index.get("/simple/spam/", accept=JSON)
        if page.status == 200 and len(page.json()["files"]) == files:
            return
        assert time.monotonic() < end, "the change is not seen"
        time.sleep(0.01)


def test_a_change_whose_process_was_killed_before_it_told_is_found_by_the_watch(index: InProcess) -> None:
    database = index.parts.database
    other = Database(database.url, cache=index.parts.settings.data + "/elsewhere")
    before = database.counter.value()
    with other.write("killed") as writing:
        writing.changed(1, "test")
    assert database.counter.value() == before
    watch = Watch(database, interval=0.01)
    watch.start()
    end = time.monotonic() + 30
    while database.counter.value() == before:
        assert time.monotonic() < end
        time.sleep(0.01)
    watch.stop()
    other.close()
