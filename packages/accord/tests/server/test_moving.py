"""An index moves to PostgreSQL and an object store while it is used, whole, and can be begun again after any kill."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from accord.server.database import tables
from accord.server.errors import Refused
from accord.server.parts import Parts, open_parts
from accord.server.upkeep import rows
from accord.server.upkeep.fsck import check
from accord.server.upkeep.moving import move
from accord.testing.loaded import fill, wheel
from accord.testing.objects import Objects
from accord.testing.postgres import Postgres
from accord.testing.serving import InProcess, Served
from accord_core.errors import UsageError

JSON = "application/vnd.pypi.simple.v1+json"


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[InProcess]:
    """SQLite and a folder."""
    with InProcess.open(str(tmp_path / "laptop")) as found:
        fill(found)
        yield found


@pytest.fixture
def target(laptop: InProcess, postgres: Postgres, objects: Objects, tmp_path: Path) -> Iterator[Parts]:
    """PostgreSQL and an object store with nothing in them."""
    settings = replace(
        laptop.parts.settings,
        data=str(tmp_path / "scratch"),
        database=postgres.new_database(),
        storage=objects.new_bucket(),
    )
    found = open_parts(settings)
    yield found
    found.close()


def all_rows(parts: Parts) -> dict[str, list[tuple[Any, ...]]]:
    with parts.database.read() as connection:
        return {
            table.name: [tuple(row) for row in rows.ordered(connection, table)]
            for table in tables.metadata.sorted_tables
        }


def served_from(parts: Parts, tmp_path: Path, token: str) -> InProcess:
    found = InProcess.open(
        str(tmp_path / "machine"), database=parts.settings.database, storage=parts.settings.storage
    )
    found.token = token
    return found


def test_what_was_moved_is_the_same_row_by_row_and_byte_by_byte(
    laptop: InProcess, target: Parts, tmp_path: Path
) -> None:
    before = all_rows(laptop.parts)
    moved = move(laptop.parts, target)
    assert all_rows(target) == before == all_rows(laptop.parts)
    assert moved.rows == {name: len(found) for name, found in before.items()}
    assert moved.serial == laptop.parts.database.serial()
    assert set(target.storage.digests()) == set(laptop.parts.storage.digests())
    assert moved.blobs == len(list(target.storage.digests()))
    assert check(target) == ()
    with served_from(target, tmp_path, laptop.token) as machine:
        page = machine.get("/simple/spam/", accept=JSON)
        assert page.json() == laptop.get("/simple/spam/", accept=JSON).json()
        name, content = wheel("1.0")
        assert machine.get(f"/files/spam/{name}").body == content
        assert machine.upload(*wheel("3.0")).status == 200, "numbers of rows go on behind what was moved"
        assert machine.upload(*wheel("0.3", "eggs")).status == 200
        assert check(machine.parts) == ()


def test_a_column_that_was_empty_is_empty_and_not_the_json_of_nothing(
    laptop: InProcess, target: Parts
) -> None:
    move(laptop.parts, target)
    with target.database.read() as connection:
        found = connection.execute(
            select(tables.upload_file.c.id).where(tables.upload_file.c.examined.is_(None))
        ).all()
        assert len(found) == 1


def test_the_old_place_takes_no_changes_until_it_is_told_to(laptop: InProcess, target: Parts) -> None:
    move(laptop.parts, target)
    refused = laptop.upload(*wheel("3.0"))
    assert (refused.status, refused.json()["code"]) == (503, "server-read-only")
    assert laptop.get("/simple/spam/", accept=JSON).status == 200
    laptop.parts.database.set_read_only("")
    assert laptop.upload(*wheel("3.0")).status == 200


def test_an_index_is_never_moved_over_another(laptop: InProcess, target: Parts, tmp_path: Path) -> None:
    with served_from(target, tmp_path, "") as machine:
        assert machine.get("/simple/").status == 200
        with pytest.raises(UsageError) as refused:
            move(laptop.parts, target)
    assert refused.value.code == "index-target-taken"
    assert laptop.upload(*wheel("3.0")).status == 200


def test_what_was_interrupted_is_begun_again_with_what_changed_meanwhile(
    laptop: InProcess, target: Parts
) -> None:
    with pytest.raises(KeyboardInterrupt):
        move(laptop.parts, target, _interrupt("compare"))
    assert laptop.upload(*wheel("3.0")).status == 200, "the index takes changes again"
    database = laptop.parts.database
    with database.write("later") as writing:
        connection = writing.connection
        connection.execute(delete(tables.upload_file))
        connection.execute(delete(tables.upload_session))
        connection.execute(update(tables.user).values(display="Ada", email="ada@mail.example"))
        connection.execute(
            update(tables.release).where(tables.release.c.version == "1.0").values(about={"x": ["ü"]})
        )
    move(laptop.parts, target)
    assert all_rows(target) == all_rows(laptop.parts)
    assert check(target) == ()


def _interrupt(at: str) -> Any:
    def tell(what: str) -> None:
        if what == at:
            raise KeyboardInterrupt

    return tell


def test_a_damaged_file_stops_the_move_and_the_index_goes_on(laptop: InProcess, target: Parts) -> None:
    _, content = wheel("1.0")
    path = laptop.parts.storage.path(hashlib.sha256(content).hexdigest())
    assert path is not None
    Path(path).write_bytes(content[:-1] + b"!")
    with pytest.raises(Refused) as refused:
        move(laptop.parts, target)
    assert refused.value.code == "blob-damaged"
    assert laptop.upload(*wheel("3.0")).status == 200


def test_damaged_bytes_that_lie_in_the_new_place_are_replaced(laptop: InProcess, target: Parts) -> None:
    _, content = wheel("1.0")
    sha256 = hashlib.sha256(content).hexdigest()
    target.storage.put_bytes(sha256, content[:-1] + b"!")
    move(laptop.parts, target)
    assert target.storage.read(sha256) == content


def test_only_the_files_move_where_only_they_are_to(
    laptop: InProcess, objects: Objects, tmp_path: Path
) -> None:
    settings = replace(
        laptop.parts.settings,
        data=str(tmp_path / "scratch"),
        database=laptop.parts.settings.database_url,
        storage=objects.new_bucket(),
    )
    target = open_parts(settings)
    moved = move(laptop.parts, target)
    assert moved.rows == {}
    assert set(target.storage.digests()) == set(laptop.parts.storage.digests())
    target.close()


def test_a_difference_between_the_two_would_be_seen(laptop: InProcess, target: Parts) -> None:
    move(laptop.parts, target)
    with target.database.write("damage") as writing:
        writing.connection.execute(
            update(tables.file).where(tables.file.c.filename == wheel("1.0")[0]).values(requires_python=">=3")
        )
        writing.connection.execute(delete(tables.dependency))
        writing.connection.execute(delete(tables.token))
    with laptop.parts.database.read() as one, target.database.read() as other:
        found = {name: differ for name, (_, differ) in rows.differences(one, other).items() if differ}
    assert found == {"file": 1, "token": 1}


def test_an_index_moves_back_home(laptop: InProcess, target: Parts, tmp_path: Path) -> None:
    move(laptop.parts, target)
    home = open_parts(replace(laptop.parts.settings, data=str(tmp_path / "home")))
    move(target, home)
    assert all_rows(home) == all_rows(laptop.parts)
    home.close()


@pytest.mark.slow
def test_a_move_that_is_killed_at_any_moment_is_begun_again_while_people_upload(
    postgres: Postgres, objects: Objects, tmp_path: Path
) -> None:
    data = str(tmp_path / "data")
    database, storage = postgres.new_database(), objects.new_bucket()
    command = [sys.executable, "-m", "accord", "--json", "index"]
    moving = [*command, "migrate", "--data", data, "--to-database", database, "--to-storage", storage]
    acknowledged: list[str] = []
    ended = threading.Event()
    pause = 0.03  # seconds: as fast as a copy goes, so that each move is in its middle when it is killed

    def upload(served: Served) -> None:
        for number in range(100_000):
            if ended.is_set():
                return
            name, content = wheel(f"1.{number}")
            if served.upload(name, content).status == 200:
                acknowledged.append(name)
            ended.wait(pause)

    with Served(data) as served:
        people = threading.Thread(target=upload, args=(served,))
        people.start()
        while len(acknowledged) < 20:
            time.sleep(0.05)
        kills = 0
        for number in range(5):
            process = subprocess.Popen(moving, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.8 + number * 0.4 + random.random() * 0.3)
            process.send_signal(signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
        subprocess.run([*command, "resume", "--data", data], check=True, stdout=subprocess.DEVNULL)
        assert kills, "each was through before it was killed"
        pause = 0.5  # seconds: as people do, and slower than a copy goes on a busy machine too: the move comes to an end
        more = len(acknowledged) + 5
        while len(acknowledged) < more:
            time.sleep(0.05)
        taken = subprocess.run(moving, capture_output=True, text=True, check=False)
        if taken.returncode != 0:  # one was through before it was killed
            assert "index-target-taken" in taken.stdout + taken.stderr, taken.stderr
            pytest.skip("a move ended before its kill")
        ended.set()
        people.join()
        assert json.loads(taken.stdout)["stopped"] < 60
    (tmp_path / "two").mkdir()
    options = ("--database", database, "--storage", storage)
    with Served(str(tmp_path / "two" / "data"), options=options) as machine:
        page = machine.request("GET", "/simple/spam/", {"accept": JSON})
        assert [file["filename"] for file in json.loads(page.body)["files"]] == acknowledged
    looked = subprocess.run(
        [*command, "fsck", "--data", data, "--database", database, "--storage", storage],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (looked.returncode, json.loads(looked.stdout)) == (0, {"faults": []})
