"""Many machines over one PostgreSQL and one object store, and the days on which one of them is gone."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.objects import Objects
from accord.testing.postgres import Postgres, binaries
from accord.testing.serving import InProcess, Served

JSON = {"accept": "application/vnd.pypi.simple.v1+json"}
NAME = "spam-1.0-py3-none-any.whl"
WHEEL = zip_bytes(wheel_parts())
FULL = (507, "server-disk-full")  # while it is received, and while it is kept


def wheel(version: str, size: int = 0) -> tuple[str, bytes]:
    data = {"spam/data": random.Random(version).randbytes(size)} if size else None
    return f"spam-{version}-py3-none-any.whl", zip_bytes(wheel_parts(data, version=version))


@pytest.fixture
def crashing() -> Iterator[Postgres]:
    """A PostgreSQL of the test's own, as durable as in production, to be killed."""
    if binaries() is None:
        pytest.skip("there is no PostgreSQL on this machine")
    with Postgres(durable=True) as found:
        yield found


@pytest.mark.slow
def test_pip_installs_from_one_machine_what_was_uploaded_to_another(
    postgres: Postgres, objects: Objects, tmp_path: Path
) -> None:
    options = ("--database", postgres.new_database(), "--storage", objects.new_bucket())
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with (
        Served(str(tmp_path / "one" / "data"), options=options, workers=2) as one,
        Served(str(tmp_path / "two" / "data"), options=options, workers=2) as two,
    ):
        assert two.token == "", "the second machine finds the administrator the first made"
        assert two.request("GET", "/simple/spam/", JSON).status == 404
        assert one.upload(NAME, WHEEL).status == 200
        target = tmp_path / "target"
        pip = [sys.executable, "-m", "pip", "install", "--no-cache-dir", "--isolated", "-q"]
        subprocess.run([*pip, "-i", f"{two.url}/simple/", "-t", str(target), "spam"], check=True)
        assert (target / "spam" / "__init__.py").read_bytes() == b"value = 1\n"
        assert one.upload(*wheel("1.1")).status == 200
        end = time.monotonic() + 30
        while len(_files(two)) != 2:
            assert time.monotonic() < end, "the other machine does not see the change"
            time.sleep(0.02)
        # Nothing but scratch lies on either machine.
        for machine in ("one", "two"):
            assert not (tmp_path / machine / "data" / "index.sqlite3").exists()
            assert not (tmp_path / machine / "data" / "blobs").exists()


def _files(served: Served) -> list[str]:
    import json

    page = served.request("GET", "/simple/spam/", JSON)
    return [file["filename"] for file in json.loads(page.body)["files"]]


@pytest.mark.slow
def test_a_database_that_was_killed_is_used_again_and_lost_nothing_that_was_acknowledged(
    crashing: Postgres, tmp_path: Path
) -> None:
    options = ("--database", crashing.new_database())
    with Served(str(tmp_path / "data"), options=options) as served:
        acknowledged = []
        for number in range(3):
            name, content = wheel(f"1.{number}")
            assert served.upload(name, content).status == 200
            acknowledged.append(name)
        assert _files(served) == acknowledged  # and the page is on the shelf now
        crashing.kill()
        refused = served.upload(*wheel("2.0"))
        assert (refused.status, refused.json()["code"]) == (503, "server-database-unavailable")
        assert refused.headers["retry-after"]
        assert _files(served) == acknowledged, "what lies on the shelf needs no database"
        other = served.request("GET", "/simple/other/", JSON)
        assert other.status == 503
        crashing.start()
        assert served.upload(*wheel("2.0")).status == 200
        assert _files(served) == [*acknowledged, wheel("2.0")[0]]


def test_a_database_with_no_room_is_a_coded_answer_and_takes_the_file_when_there_is_room(
    tmp_path: Path,
) -> None:
    from sqlalchemy import event

    with InProcess.open(str(tmp_path / "data")) as index:
        index.upload(NAME, WHEEL)
        engine = index.parts.database.engine
        room = {"pages": 1}  # SQLite never takes less than it has

        @event.listens_for(engine, "begin")
        def _limited(connection: object) -> None:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {room['pages']}")  # type: ignore[attr-defined]

        answers = [index.upload(*wheel(f"1.{number}")) for number in range(1, 60)]
        full = [answer for answer in answers if answer.status != 200]
        assert full, "it is never full"
        assert {(answer.status, answer.json()["code"]) for answer in full} == {(507, "server-disk-full")}
        assert index.get("/simple/spam/").status == 200
        room["pages"] = 1 << 30
        assert index.upload(*wheel("9.0")).status == 200


@pytest.mark.slow
def test_a_full_disk_is_a_coded_answer_and_the_server_goes_on_when_there_is_room(tmp_path: Path) -> None:
    if shutil.which("bwrap") is None:
        pytest.skip("there is no bubblewrap to make a small disk with")
    folder = tmp_path / "disk"
    folder.mkdir()
    small = (
        "bwrap",
        "--dev-bind",
        "/",
        "/",
        "--die-with-parent",
        "--size",
        str(4 << 20),
        "--tmpfs",
        str(folder),
    )
    with Served(str(folder / "data"), prefix=small) as served:
        assert served.upload(*wheel("1.0")).status == 200
        _inside(served, str(folder / "data" / "incoming" / "ballast")).write_bytes(bytes(1 << 20))
        refused = served.upload(*wheel("1.1", 3_400_000))
        assert (refused.status, refused.json()["code"]) == FULL
        taken = ["spam-1.0-py3-none-any.whl"]
        for number in range(1, 200):
            name, content = wheel(f"2.{number}", 100_000)
            answer = served.upload(name, content)
            if answer.status != 200:
                break
            taken.append(name)
        assert (answer.status, answer.json()["code"]) == FULL
        assert _files(served) == taken, "nothing that was acknowledged is missing, nothing else is there"
        for name in taken:
            assert served.request("GET", f"/files/spam/{name}").status == 200
        _inside(served, str(folder / "data" / "incoming" / "ballast")).unlink()
        assert served.upload(*wheel("9.0")).status == 200
        served.kill()  # bubblewrap would leave the serving process behind


def test_the_room_of_the_counters_is_taken_before_they_are_mapped(tmp_path: Path) -> None:
    """A page of a mapped file for which a full disk has no room ends the process."""
    code = (
        "import sys; from accord.server.metrics import Metrics, use; use(sys.argv[1]); Metrics().faults.inc()"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    found = sorted((tmp_path / "metrics").iterdir())
    assert [path.name.partition("_")[0] for path in found] == ["counter", "histogram"]
    assert all(path.stat().st_blocks * 512 >= path.stat().st_size == 256 << 10 for path in found)


def _inside(served: Served, path: str) -> Path:
    """A path of the small disk as seen from outside."""
    children = Path(f"/proc/{served.pid}/task/{served.pid}/children").read_text().split()
    return Path(f"/proc/{(children or [str(served.pid)])[0]}/root{path}")


@pytest.mark.slow
def test_of_many_uploads_of_one_name_at_one_moment_exactly_one_wins(
    postgres: Postgres, tmp_path: Path
) -> None:
    options = ("--database", postgres.new_database())
    name = "spam-1.0-py3-none-any.whl"
    with Served(str(tmp_path / "data"), options=options, workers=2) as served:
        contents = [zip_bytes(wheel_parts({"spam/__init__.py": bytes([65 + one])})) for one in range(12)]
        with ThreadPoolExecutor(len(contents)) as people:
            answers = list(people.map(lambda content: served.upload(name, content), contents))
        assert sorted(answer.status for answer in answers) == [200] + [409] * 11
        [winner] = [number for number, answer in enumerate(answers) if answer.status == 200]
        assert served.request("GET", f"/files/spam/{name}").body == contents[winner]
