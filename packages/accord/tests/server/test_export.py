"""An index written out and read in again is the same; a folder that was tampered with is refused, and nothing of it counts."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from accord.server.database import tables
from accord.server.limits import DEFAULT
from accord.server.parts import Parts, open_parts
from accord.server.settings import Settings
from accord.server.upkeep.exporting import LEFT_OUT, write_out
from accord.server.upkeep.fsck import check
from accord.server.upkeep.importing import read_in
from accord.server.upkeep.rows import ordered
from accord.testing.loaded import fill, wheel
from accord.testing.objects import Objects
from accord.testing.serving import InProcess
from accord_core.errors import UsageError

JSON = "application/vnd.pypi.simple.v1+json"


@pytest.fixture
def folder(index: InProcess, tmp_path: Path) -> Path:
    """A loaded index, written out."""
    fill(index)
    write_out(index.parts, str(tmp_path / "out"))
    return tmp_path / "out"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Parts]:
    """A server that has nothing yet."""
    found = open_parts(Settings(str(tmp_path / "new")))
    yield found
    found.close()


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def all_rows(parts: Parts) -> dict[str, list[tuple[Any, ...]]]:
    with parts.database.read() as connection:
        return {
            table.name: [tuple(row) for row in ordered(connection, table)]
            for table in tables.metadata.sorted_tables
            if table.name not in LEFT_OUT
        }


def test_what_is_written_out_and_read_in_and_written_out_is_the_same(
    index: InProcess, folder: Path, empty: Parts, tmp_path: Path
) -> None:
    read_in(empty, str(folder))
    assert all_rows(empty) == all_rows(index.parts)
    assert check(empty) == ()
    write_out(empty, str(tmp_path / "again"))
    assert tree(tmp_path / "again") == tree(folder)


def test_it_is_read_into_a_database_and_an_object_store(
    index: InProcess, folder: Path, postgres: Any, objects: Objects, tmp_path: Path
) -> None:
    settings = Settings(str(tmp_path / "far"), database=postgres.new_database(), storage=objects.new_bucket())
    with closing(open_parts(settings)) as far:
        read_in(far, str(folder))
        assert all_rows(far) == all_rows(index.parts)
    with InProcess.open(
        str(tmp_path / "machine"), database=settings.database, storage=settings.storage
    ) as machine:
        machine.token = index.token
        page = machine.get("/simple/spam/", accept=JSON)
        assert page.json() == index.get("/simple/spam/", accept=JSON).json()
        assert machine.upload(*wheel("3.0")).status == 200, "tokens are good there, too; numbers go on"


def test_files_lie_under_the_names_they_are_published_with(folder: Path) -> None:
    name, content = wheel("1.0")
    assert (folder / "files" / "main" / "spam" / name).read_bytes() == content
    assert (folder / "files" / "main" / "spam" / f"{name}.metadata").read_text().startswith("Metadata-")


def test_a_row_is_a_line_of_json_anybody_can_read(folder: Path) -> None:
    lines = (folder / "tables" / "project.jsonl").read_text().splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["spam", "eggs"]


def test_nobody_but_its_owner_may_read_the_folder(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.rglob("*"):
        assert path.is_dir() or stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_an_index_is_not_written_over_something(index: InProcess, folder: Path) -> None:
    with pytest.raises(UsageError) as refused:
        write_out(index.parts, str(folder))
    assert refused.value.code == "export-folder"


def test_an_index_is_not_read_over_another(index: InProcess, folder: Path) -> None:
    with pytest.raises(UsageError) as refused:
        read_in(index.parts, str(folder))
    assert refused.value.code == "index-target-taken"


def edit(folder: Path, table: str, change: Callable[[dict[str, Any]], None], line: int = 0) -> None:
    path = folder / "tables" / f"{table}.jsonl"
    lines = path.read_text().splitlines()
    values = json.loads(lines[line])
    change(values)
    lines[line] = json.dumps(values)
    path.write_text("\n".join(lines) + "\n")


def _other_bytes(folder: Path) -> None:
    (folder / "files" / "main" / "spam" / wheel("1.0")[0]).write_bytes(wheel("1.1")[1])


def _no_file(folder: Path) -> None:
    (folder / "files" / "main" / "spam" / wheel("1.0")[0]).unlink()


def _link_out(folder: Path) -> None:
    path = folder / "files" / "main" / "spam" / wheel("1.0")[0]
    elsewhere = folder.parent / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def _folder_link_out(folder: Path) -> None:
    path = folder / "files" / "main"
    path.rename(folder.parent / "elsewhere")
    path.symlink_to(folder.parent / "elsewhere")


def _blob_line(folder: Path, **values: Any) -> None:
    path = folder / "blobs.jsonl"
    lines = path.read_text().splitlines()
    lines[0] = json.dumps({**json.loads(lines[0]), **values})
    path.write_text("\n".join(lines) + "\n")


def _path_upwards(folder: Path) -> None:
    os.rename(folder / "files" / "main" / "spam" / wheel("1.0")[0], folder.parent / "x")
    _blob_line(folder, path="../x")


def _path_absolute(folder: Path) -> None:
    _blob_line(folder, path="/etc/hostname")


def _pipe(folder: Path) -> None:
    path = folder / "files" / "main" / "spam" / wheel("1.0")[0]
    path.unlink()
    os.mkfifo(path)


def _blob_not_named(folder: Path) -> None:
    path = folder / "blobs.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[1:]) + "\n")
    document = json.loads((folder / "accord-index.json").read_text())
    document["blobs"] -= 1
    (folder / "accord-index.json").write_text(json.dumps(document))


def _manifest(folder: Path, **values: Any) -> None:
    path = folder / "accord-index.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def _cut(folder: Path) -> None:
    path = folder / "tables" / "change.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")


@pytest.mark.parametrize(
    ("tamper", "code"),
    [
        (_other_bytes, "import-blob"),
        (_no_file, "import-blob"),
        (_link_out, "import-blob"),
        (_folder_link_out, "import-blob"),
        (_path_upwards, "import-blob"),
        (_path_absolute, "import-blob"),
        (_pipe, "import-blob"),
        (_blob_not_named, "import-blob"),
        (lambda folder: _blob_line(folder, size=1), "import-blob"),
        (lambda folder: _blob_line(folder, sha256="../../x"), "import-row"),
        (lambda folder: _manifest(folder, format=2), "import-format"),
        (lambda folder: _manifest(folder, schema="0"), "import-format"),
        (lambda folder: (folder / "accord-index.json").write_text("[" * 100_000), "import-format"),
        (_cut, "import-format"),
        (lambda folder: edit(folder, "file", lambda row: row.update(size="1")), "import-row"),
        (lambda folder: edit(folder, "file", lambda row: row.update(size=True)), "import-row"),
        (lambda folder: edit(folder, "file", lambda row: row.update(size=1 << 70)), "import-row"),
        (lambda folder: edit(folder, "file", lambda row: row.update(sha256="x")), "import-row"),
        (lambda folder: edit(folder, "file", lambda row: row.update(filename="../x")), "import-row"),
        (lambda folder: edit(folder, "file", lambda row: row.update(project_id=77)), "import-row"),
        (lambda folder: edit(folder, "file", lambda row: row.update(id=2)), "import-row"),
        (lambda folder: edit(folder, "file", lambda row: row.pop("md5")), "import-row"),
        (lambda folder: edit(folder, "file", lambda row: row.update(more=1)), "import-row"),
        (lambda folder: edit(folder, "user", lambda row: row.update(name="x" * 101)), "import-row"),
        (lambda folder: edit(folder, "token", lambda row: row.update(key="???")), "import-row"),
        (lambda folder: (folder / "tables" / "user.jsonl").write_bytes(b"\xff\n"), "import-row"),
    ],
)
def test_a_folder_that_was_tampered_with_is_refused_and_no_row_of_it_is_there(
    folder: Path, empty: Parts, tamper: Callable[[Path], object], code: str
) -> None:
    tamper(folder)
    before = received(empty)
    with pytest.raises(UsageError) as refused:
        read_in(empty, str(folder))
    assert refused.value.code == code
    with empty.database.read() as connection:
        assert connection.execute(select(tables.index.c.id)).first() is None
        assert connection.execute(select(tables.file.c.id)).first() is None
    assert received(empty) == before


def received(parts: Parts) -> list[Path]:
    return sorted(Path(parts.settings.incoming).rglob("*"))


def test_a_line_as_long_as_the_limit_is_read_and_a_longer_one_refused(folder: Path, tmp_path: Path) -> None:
    longest = max(
        len(line) for path in (folder / "tables").iterdir() for line in path.read_bytes().splitlines(True)
    )
    for more, good in ((0, True), (-1, False)):
        limits = replace(DEFAULT, import_line_bytes=longest + more)
        parts = open_parts(Settings(str(tmp_path / f"new{more}"), limits=limits))
        if good:
            read_in(parts, str(folder))
        else:
            with pytest.raises(UsageError) as refused:
                read_in(parts, str(folder))
            assert refused.value.code == "import-row"
        parts.close()
