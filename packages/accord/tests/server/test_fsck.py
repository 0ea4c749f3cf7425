"""Each damage an index can have is found and repaired, or explained; an honest index has none."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update

from accord.server.database import tables
from accord.server.storage.folder import FolderStore
from accord.server.upkeep.fsck import Fault, check
from accord.testing.loaded import fill, wheel
from accord.testing.serving import InProcess

NAME, WHEEL = wheel("1.0")
SHA256 = hashlib.sha256(WHEEL).hexdigest()


@pytest.fixture
def loaded(index: InProcess) -> InProcess:
    fill(index)
    return index


def codes(faults: tuple[Fault, ...]) -> list[str]:
    return [one.code for one in faults]


def run(index: InProcess, statement: Any) -> None:
    with index.parts.database.write("damage") as writing:
        writing.connection.execute(statement)


def place(index: InProcess, sha256: str) -> Path:
    found = index.parts.storage.path(sha256)
    assert found is not None
    return Path(found)


def metadata_of(index: InProcess, filename: str = NAME) -> str:
    with index.parts.database.read() as connection:
        found = connection.execute(
            select(tables.file.c.metadata_sha256).where(tables.file.c.filename == filename)
        ).scalar_one()
    return str(found)


def test_an_honest_index_has_no_fault(loaded: InProcess) -> None:
    assert check(loaded.parts) == ()
    assert check(loaded.parts, repair=True) == ()


Damage = Callable[[InProcess], None]


def _no_name(index: InProcess) -> None:
    run(index, delete(tables.file_name).where(tables.file_name.c.filename == NAME))


def _reserved_name(index: InProcess) -> None:
    run(index, update(tables.file_name).where(tables.file_name.c.filename == NAME).values(sha256=None))


def _serial_behind(index: InProcess) -> None:
    run(index, update(tables.serial).values(value=2))


def _no_serial(index: InProcess) -> None:
    run(index, delete(tables.serial))


def _project_serial(index: InProcess) -> None:
    run(index, update(tables.project).where(tables.project.c.name == "spam").values(serial=1))


def _unnumbered(index: InProcess) -> None:
    run(index, update(tables.file).where(tables.file.c.filename == NAME).values(added_serial=None))


def _numbered_in_the_future(index: InProcess) -> None:
    run(index, update(tables.file).where(tables.file.c.filename == NAME).values(added_serial=10_000))


def _wrong_size(index: InProcess) -> None:
    run(index, update(tables.file).where(tables.file.c.filename == NAME).values(size=7))


def _no_metadata(index: InProcess) -> None:
    index.parts.storage.delete(metadata_of(index))


def _damaged_metadata(index: InProcess) -> None:
    place(index, metadata_of(index)).write_bytes(b"other")


def _orphan(index: InProcess) -> None:
    index.parts.storage.put_bytes(hashlib.sha256(b"lost").hexdigest(), b"lost")


def _upstream_file_gone(index: InProcess) -> None:
    values = {"index_id": 1, "project": "x", "filename": "x-1.tar.gz", "url": "https://up.example/x"}
    run(index, insert(tables.upstream_file).values(**values, sha256="a" * 64, size=3, stored=True))


def _upstream_page_gone(index: InProcess) -> None:
    values = {"index_id": 1, "project": "x", "sha256": "b" * 64, "fetched": 1, "expires": 2}
    run(index, insert(tables.upstream_page).values(**values))


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (_no_name, "name-not-burnt"),
        (_reserved_name, "name-not-burnt"),
        (_serial_behind, "serial-behind"),
        (_no_serial, "serial-behind"),
        (_project_serial, "project-serial"),
        (_unnumbered, "file-serial"),
        (_numbered_in_the_future, "file-serial"),
        (_wrong_size, "row-size"),
        (_no_metadata, "blob-missing"),
        (_damaged_metadata, "blob-damaged"),
        (_orphan, "blob-unknown"),
        (_upstream_file_gone, "blob-missing"),
        (_upstream_page_gone, "blob-missing"),
    ],
)
def test_a_damage_is_found_then_repaired_then_gone(loaded: InProcess, damage: Damage, code: str) -> None:
    damage(loaded)
    loaded.clock.at = 4_000_000_000_000_000  # the grace time of what was stored just now is over
    found = check(loaded.parts)
    assert codes(found) == [code]
    assert all(one.repairable and not one.repaired for one in found)
    assert codes(check(loaded.parts)) == [code], "looking changes nothing"
    assert all(one.repaired for one in check(loaded.parts, repair=True))
    assert check(loaded.parts) == ()
    page = loaded.get("/simple/spam/", accept="application/vnd.pypi.simple.v1+json")
    assert len(page.json()["files"]) == 4
    for file in page.json()["files"]:
        assert loaded.get(f"/files/spam/{file['filename']}").status == 200


def test_a_file_whose_bytes_are_lost_is_explained_and_comes_back_by_uploading_it_again(
    loaded: InProcess,
) -> None:
    loaded.parts.storage.delete(SHA256)
    [fault] = check(loaded.parts, repair=True)
    assert (fault.code, fault.subject, fault.repairable) == ("blob-missing", NAME, False)
    assert "upload the same file again" in fault.remedy
    assert loaded.upload(NAME, WHEEL).status == 200
    assert check(loaded.parts) == ()


def test_a_file_whose_bytes_are_damaged_is_never_served_again_and_comes_back_by_uploading_it_again(
    loaded: InProcess,
) -> None:
    place(loaded, SHA256).write_bytes(WHEEL[:-1] + b"!")
    [fault] = check(loaded.parts, repair=True)
    assert (fault.code, fault.subject) == ("blob-damaged", NAME)
    assert loaded.get(f"/files/spam/{NAME}").status == 500
    assert loaded.upload(NAME, WHEEL).status == 200
    assert check(loaded.parts) == ()
    assert loaded.get(f"/files/spam/{NAME}").body == WHEEL


def test_a_size_alone_is_looked_at_where_time_is_short(loaded: InProcess) -> None:
    place(loaded, SHA256).write_bytes(b"!" * len(WHEEL))
    assert check(loaded.parts, digests=False) == ()
    assert codes(check(loaded.parts)) == ["blob-damaged"]


def test_a_blob_that_came_just_now_is_no_orphan(loaded: InProcess) -> None:
    _orphan(loaded)
    assert check(loaded.parts, repair=True) == ()


def test_what_is_no_blob_is_named_and_left_alone(loaded: InProcess) -> None:
    assert isinstance(loaded.parts.storage, FolderStore)
    stranger = Path(loaded.parts.storage.folder) / "notes.txt"
    stranger.write_text("mine")
    [fault] = check(loaded.parts, repair=True)
    assert (fault.code, fault.repairable) == ("blob-foreign", False)
    assert stranger.exists()


def test_the_bytes_of_a_withdrawn_file_may_be_gone(loaded: InProcess) -> None:
    run(loaded, update(tables.file).where(tables.file.c.filename == NAME).values(state="withdrawn"))
    loaded.parts.storage.delete(SHA256)
    assert check(loaded.parts) == ()


def test_a_gap_in_the_journal_is_explained(loaded: InProcess) -> None:
    run(loaded, delete(tables.change).where(tables.change.c.serial == 3))
    assert "journal-gap" in codes(check(loaded.parts, repair=True))


def test_a_name_that_was_given_to_other_bytes_is_explained(loaded: InProcess) -> None:
    run(loaded, update(tables.file_name).where(tables.file_name.c.filename == NAME).values(sha256="c" * 64))
    assert codes(check(loaded.parts, repair=True)) == ["name-of-others"]


def test_two_live_files_of_one_name_are_explained(loaded: InProcess) -> None:
    with loaded.parts.database.write("damage") as writing:
        row = writing.connection.execute(select(tables.file).where(tables.file.c.filename == NAME)).one()
        values = {name: value for name, value in row._mapping.items() if name != "id"}
        writing.connection.execute(insert(tables.file).values(**values))
    assert codes(check(loaded.parts, repair=True)) == ["file-twice"]


def test_rows_that_point_at_nothing_go_or_are_explained(tmp_path: Path) -> None:
    with InProcess.open(str(tmp_path / "data")) as index:  # PostgreSQL does not let this happen
        fill(index)
        with index.parts.database.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            connection.rollback()
            raw = connection.connection.cursor()
            raw.execute("PRAGMA foreign_keys = OFF")
            raw.execute("INSERT INTO role (index_id, user_id, role, granted) VALUES (1, 99, 'owner', 1)")
            raw.execute("UPDATE file SET release_id = 99 WHERE filename = ?", (NAME,))
            raw.execute("PRAGMA foreign_keys = ON")
        found = {one.subject: one.repaired for one in check(index.parts, repair=True)}
        assert found == {"role.user_id": True, "file.release_id": False}
        assert [one.subject for one in check(index.parts)] == ["file.release_id"]


def test_a_damaged_database_file_is_explained(tmp_path: Path) -> None:
    with InProcess.open(str(tmp_path / "data")) as index:
        fill(index)
        with index.parts.database.engine.connect() as connection:
            raw = connection.connection.cursor()
            raw.execute("PRAGMA writable_schema = ON")
            raw.execute("DELETE FROM sqlite_master WHERE name = 'ix_file_sha256'")
            raw.execute("PRAGMA writable_schema = RESET")
        assert "database-damaged" in codes(check(index.parts))


def test_fsck_works_beside_a_paused_index(loaded: InProcess) -> None:
    _project_serial(loaded)
    loaded.parts.database.set_read_only("moving")
    assert loaded.upload(*wheel("9.0")).status == 503
    assert all(one.repaired for one in check(loaded.parts, repair=True))


def test_nothing_is_left_in_incoming(loaded: InProcess) -> None:
    before = set(os.listdir(loaded.parts.settings.incoming))
    _no_metadata(loaded)
    check(loaded.parts, repair=True)
    assert set(os.listdir(loaded.parts.settings.incoming)) == before
