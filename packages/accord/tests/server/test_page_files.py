"""Pages as files: there when made, gone before a change is acknowledged, never torn, never of what is private."""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from accord.server.database import tables
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.serving import InProcess

JSON = "application/vnd.pypi.simple.v1+json"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[InProcess]:
    with InProcess.open(str(tmp_path / "data"), materialise=True) as found:
        found.parts.materials.clear()
        yield found


def _upload(index: InProcess, version: str) -> None:
    assert (
        index.upload(f"spam-{version}-py3-none-any.whl", zip_bytes(wheel_parts(version=version))).status
        == 200
    )


def _live(index: InProcess) -> Path:
    return Path(index.parts.settings.cache) / "pages" / "live"


def _files(index: InProcess) -> list[str]:
    return sorted(path.name for path in _live(index).rglob("*") if path.is_file())


def _make(index: InProcess, path: str = "/simple/spam/") -> Any:
    return index.get(path, accept=JSON).json()


def test_a_page_that_was_asked_for_lies_there_in_the_forms_a_web_server_sends(index: InProcess) -> None:
    _upload(index, "1.0")
    assert _files(index) == []
    page = _make(index)
    assert _files(index) == ["main.html", "main.html.gz", "main.json", "main.json.gz"]
    folder = _live(index) / "spam"
    assert json.loads((folder / "main.json").read_bytes()) == page
    assert gzip.decompress((folder / "main.html.gz").read_bytes()) == (folder / "main.html").read_bytes()


def test_a_change_of_the_project_removes_its_files_and_leaves_the_others(index: InProcess) -> None:
    _upload(index, "1.0")
    metadata = "Metadata-Version: 2.1\nName: eggs\nVersion: 1.0\n"
    index.upload("eggs-1.0-py3-none-any.whl", zip_bytes(wheel_parts(name="eggs", metadata=metadata)))
    _make(index)
    _make(index, "/simple/eggs/")
    _upload(index, "1.1")
    assert sorted(path.parent.name for path in _live(index).rglob("*.json")) == ["eggs"]
    _make(index)
    assert len(list(_live(index).rglob("*.json"))) == 2


def test_the_files_are_gone_before_the_change_is_committed(index: InProcess) -> None:
    _upload(index, "1.0")
    _make(index)
    database = index.parts.database
    seen: list[tuple[list[str], int]] = []
    around = database.around_commit
    assert around is not None

    from contextlib import contextmanager

    @contextmanager
    def watching(changes: Any) -> Iterator[None]:
        with around(changes):
            seen.append((_files(index), database.serial()))
            yield

    database.around_commit = watching
    before = database.serial()
    _upload(index, "1.1")
    assert seen == [([], before)]


def test_a_page_made_before_a_change_gets_no_file_after_it(index: InProcess) -> None:
    _upload(index, "1.0")
    _make(index)
    serial = index.parts.database.serial()
    page = index.parts.shelf.find("/simple/spam/")
    assert page is not None
    _upload(index, "1.1")
    index.parts.materials.keep("main", "spam", page, serial)
    assert _files(index) == []
    index.parts.materials.keep("main", "spam", page, index.parts.database.serial())
    assert _files(index) != []  # the honest case


def test_no_page_gets_its_file_between_the_removal_and_the_commit(index: InProcess) -> None:
    _upload(index, "1.0")
    _make(index)
    serial = index.parts.database.serial()
    page = index.parts.shelf.find("/simple/spam/")
    assert page is not None
    late = threading.Thread(target=index.parts.materials.keep, args=("main", "spam", page, serial))
    with index.parts.database.write("system") as writing:
        writing.changed(1, "status", project="spam")
        database, around = index.parts.database, index.parts.database.around_commit
        assert around is not None

        from contextlib import contextmanager

        @contextmanager
        def slow(changes: Any) -> Iterator[None]:
            with around(changes):
                late.start()
                late.join(0.3)
                assert late.is_alive()  # waits for the lock
                assert not [name for name in _files(index) if not name.endswith(".part")]
                yield

        database.around_commit = slow
    late.join(10)
    assert not late.is_alive()
    assert _files(index) == []


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
def test_a_process_killed_in_the_middle_of_a_change_leaves_no_file_that_lies(
    index: InProcess, moment: str
) -> None:
    _upload(index, "1.0")
    _make(index)
    code = f"""
import os, signal
from contextlib import contextmanager
from sqlalchemy import update
from accord.server.database import tables
from accord.server.parts import open_parts
from accord.server.settings import Settings
parts = open_parts(Settings({index.parts.settings.data!r}))
around = parts.database.around_commit
@contextmanager
def killing(changes):
    with around(changes):
        if {moment == "before the commit"}:
            os.kill(os.getpid(), signal.SIGKILL)
        yield
        os.kill(os.getpid(), signal.SIGKILL)
parts.database.around_commit = killing
with parts.database.write("system") as writing:
    writing.connection.execute(update(tables.file).values(yanked=True))
    writing.changed(1, "yank", project="spam")
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    assert _files(index) == []
    with index.parts.database.read() as connection:
        yanked = connection.execute(tables.file.select()).one().yanked
    assert yanked is (moment == "after the commit")


def test_the_lock_is_let_go_when_its_process_dies(index: InProcess) -> None:
    _upload(index, "1.0")
    code = (
        "import fcntl, os, sys; handle = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT);"
        "fcntl.flock(handle, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"
    )
    lock = _live(index).parent / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        handle = os.open(lock, os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(handle)
        holder.kill()
    _make(index)
    assert "main.json" in _files(index)


def test_a_change_of_a_whole_index_takes_every_file_away_and_they_come_back(index: InProcess) -> None:
    _upload(index, "1.0")
    _make(index)
    with index.parts.database.write("system") as writing:
        writing.changed(1, "index")
    assert _files(index) == []
    _make(index)
    assert "main.json" in _files(index)


def test_what_is_private_never_becomes_a_file_and_what_becomes_private_is_none_any_more(
    index: InProcess,
) -> None:
    _upload(index, "1.0")
    _make(index)
    with index.parts.database.write("system") as writing:
        writing.connection.execute(update(tables.project).values(private=True))
        writing.changed(1, "private", project="spam")
    assert _files(index) == []
    index.request("GET", "/simple/spam/", {"authorization": f"Bearer {index.token}"})
    assert _files(index) == []
    with index.parts.database.write("system") as writing:
        writing.connection.execute(update(tables.project).values(private=False))
        writing.connection.execute(update(tables.index).values(public=False))
        writing.changed(1, "index", project=None)
    answer = index.request("GET", "/simple/spam/", {"authorization": f"Bearer {index.token}"})
    assert answer.status == 200
    assert _files(index) == []


def test_pages_of_the_same_size_made_in_one_second_have_different_times(index: InProcess) -> None:
    # nginx makes ETags of them.
    _upload(index, "1.0")
    times = set()
    for yanked in (True, False, True):
        with index.parts.database.write("system") as writing:
            writing.connection.execute(
                update(tables.file).values(yanked=True, yank_reason="one" if yanked else "two")
            )
            writing.changed(1, "yank", project="spam")
        _make(index)
        status = (_live(index) / "spam" / "main.html").stat()
        times.add((status.st_mtime, status.st_size))
    assert len({size for _, size in times}) == 1
    assert len(times) == 2


def test_a_start_takes_away_what_an_earlier_one_left(index: InProcess) -> None:
    _upload(index, "1.0")
    _make(index)
    index.parts.materials.clear()
    assert _files(index) == []
    assert [path.name for path in _live(index).parent.iterdir() if path.name.startswith("gone-")] == []


def test_without_being_asked_for_no_file_is_written(tmp_path: Path) -> None:
    with InProcess.open(str(tmp_path / "plain")) as index:
        _upload(index, "1.0")
        _make(index)
        assert not (Path(index.parts.settings.cache) / "pages").exists()
