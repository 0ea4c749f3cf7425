"""The shelf: what is written is read again, by this process and others; what is lost is lost without harm."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
from hashlib import sha256
from pathlib import Path

import pytest

from accord.repositories.shelf import PAGES, PageRow, Shelf
from accord.testing.shops import Shop

HERE = ("https://index.example/simple", "app")


PAGE = b"a page"
DIGEST = sha256(PAGE).digest()


def row(digest: bytes | None = DIGEST, expires: float = 5.0) -> PageRow:
    return PageRow('"tag"', "Mon, 01 Jan 2024 00:00:00 GMT", expires, digest, "archived", "moved")


def fields(found: PageRow | None) -> tuple[object, ...] | None:
    return None if found is None else tuple([getattr(found, name) for name in PageRow.__slots__])


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "cache" / "catalogue.db")


def silent(text: str) -> None:
    raise AssertionError(f"nothing to note: {text}")


def test_what_is_written_is_read_by_the_next_process(path: str) -> None:
    shelf = Shelf(path, silent)
    assert shelf.keep(*HERE, PAGE)
    shelf.put_page(*HERE, row())
    shelf.put_warm(*HERE, "target", DIGEST, b"record")
    shelf.put_metadata(*HERE, "1.0", "app-1.0.whl", "sha", ">=3.8", b"needs")
    shelf.close()
    shelf = Shelf(path, silent)
    assert fields(shelf.page(*HERE)) == fields(row())
    assert shelf.kept(*HERE, DIGEST) == PAGE
    found = shelf.page_and_warm(*HERE, "target")
    assert found is not None
    assert (fields(found[0]), found[1]) == (fields(row()), b"record")
    assert shelf.metadata(*HERE, "1.0") == ("app-1.0.whl", "sha", ">=3.8", b"needs")
    shelf.close()


def test_what_is_not_there_is_none(path: str) -> None:
    shelf = Shelf(path, silent)
    assert shelf.page(*HERE) is None
    assert shelf.page_and_warm(*HERE, "target") is None
    assert shelf.kept(*HERE, DIGEST) is None
    assert shelf.metadata(*HERE, "1.0") is None
    shelf.close()


def test_a_warm_record_of_another_state_of_the_page_or_target_is_not_given(path: str) -> None:
    shelf = Shelf(path, silent)
    shelf.put_page(*HERE, row(b"new"))
    shelf.put_warm(*HERE, "target", b"old", b"record")
    shelf.flush()
    found = shelf.page_and_warm(*HERE, "target")
    assert found is not None
    assert found[1] is None
    shelf.put_warm(*HERE, "other", b"new", b"record")
    shelf.flush()
    found = shelf.page_and_warm(*HERE, "target")
    assert found is not None
    assert found[1] is None
    shelf.close()


@pytest.mark.parametrize("damage", [b"", b"a pag", b"another"])
def test_a_page_is_the_one_its_row_speaks_of_or_it_is_not_there(path: str, damage: bytes) -> None:
    shelf = Shelf(path, silent)
    assert shelf.keep(*HERE, PAGE)
    assert shelf.kept(*HERE, sha256(b"an older page").digest()) is None
    assert shelf.kept("https://other.example/simple", "app", DIGEST) is None
    (kept,) = Path(path).parent.joinpath(PAGES).iterdir()
    kept.write_bytes(damage)
    assert shelf.kept(*HERE, DIGEST) is None
    kept.unlink()
    assert shelf.kept(*HERE, DIGEST) is None
    assert shelf.keep(*HERE, PAGE)
    assert shelf.kept(*HERE, DIGEST) == PAGE
    shelf.close()


def test_touching_changes_when_a_page_expires_and_nothing_else(path: str) -> None:
    shelf = Shelf(path, silent)
    shelf.put_page(*HERE, row())
    shelf.touch(*HERE, 99.0)
    shelf.flush()
    assert fields(shelf.page(*HERE)) == fields(row(expires=99.0))
    shelf.close()


def test_nothing_is_written_before_it_is_flushed_and_flushing_nothing_writes_nothing(path: str) -> None:
    shelf, other = Shelf(path, silent), Shelf(path, silent)
    shelf.put_page(*HERE, row())
    assert other.page(*HERE) is None
    shelf.flush()
    assert other.page(*HERE) is not None
    before = os.stat(f"{path}-wal").st_size
    shelf.flush()
    assert os.stat(f"{path}-wal").st_size == before
    shelf.close()
    other.close()


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to be looked at" * 40])
def test_a_damaged_file_is_set_aside_and_begun_anew(path: str, content: bytes) -> None:
    os.makedirs(os.path.dirname(path))
    Path(path).write_bytes(content)
    notes: list[str] = []
    shelf = Shelf(path, notes.append)
    shelf.put_page(*HERE, row())
    shelf.close()
    shelf = Shelf(path, silent)
    assert shelf.page(*HERE) is not None
    shelf.close()
    if content:
        assert "was damaged" in notes[0]
        assert Path(f"{path}.damaged").read_bytes() == content
    else:
        assert notes == []


@pytest.mark.parametrize("whole", [0.05, 0.3, 0.6, 0.9])
def test_damage_in_the_middle_costs_no_more_than_the_cache(shop: Shop, whole: float) -> None:
    """The beginning of the file is whole, so that it may open; the rest is rubbish."""
    for number in range(60):
        shop.release(f"p{number}", "1.0", f"p{number + 1}" if number < 59 else "p0")
    shop.resolve("p0")
    shop.close()
    with open(shop.shelf_path, "r+b") as stream:
        size = os.path.getsize(shop.shelf_path)
        start = max(4096, int(size * whole) // 4096 * 4096)
        stream.seek(start)
        stream.write(b"\xa5" * (size - start))
    assert len(shop.resolve("p0")) == 60
    assert any("damaged" in note for note in shop.notes)
    assert os.path.exists(f"{shop.shelf_path}.damaged")
    # the run after finds a sound one
    shop.notes.clear()
    assert len(shop.resolve("p0")) == 60
    repository = shop.repository()
    assert len(shop.resolve("p0", repository=repository)) == 60
    assert repository.asked == []
    assert shop.notes == []


def test_a_folder_that_cannot_be_written_to_is_replaced_by_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    notes: list[str] = []
    shelf = Shelf(str(tmp_path / "file" / "catalogue.db"), notes.append)
    assert not shelf.keep(*HERE, PAGE)
    shelf.remember(*HERE, PAGE)
    shelf.put_page(*HERE, row())
    shelf.flush()
    assert shelf.kept(*HERE, DIGEST) == PAGE
    shelf.close()
    assert "nothing learnt now is remembered" in notes[0]


def test_a_file_that_may_only_be_read_fails_nothing() -> None:
    with tempfile.TemporaryDirectory() as open_to_all:
        os.chmod(open_to_all, 0o755)
        path = os.path.join(open_to_all, "cache", "catalogue.db")
        shelf = Shelf(path, silent)
        shelf.keep(*HERE, PAGE)
        shelf.put_page(*HERE, row())
        shelf.close()
        os.chmod(os.path.dirname(path), 0o555)
        code = f"""
            import os
            from accord.repositories.shelf import Shelf, PageRow
            if os.getuid() == 0:
                os.setgid(65534); os.setuid(65534)
            shelf = Shelf({path!r}, print)
            assert not shelf.keep("index", "other", b"g")
            shelf.put_page("index", "other", PageRow(None, None, 1.0, b"x"))
            shelf.close()
            print("fine")
        """
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
        )
        os.chmod(os.path.dirname(path), 0o755)
        assert done.stdout.endswith("fine\n"), done.stderr
        shelf = Shelf(path, silent)
        assert shelf.page("index", "other") is None
        assert shelf.kept(*HERE, DIGEST) == PAGE
        shelf.close()


def test_a_write_that_fails_is_no_failure_and_the_next_run_begins_anew(path: str) -> None:
    notes: list[str] = []
    shelf = Shelf(path, notes.append)
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE page")
    connection.commit()
    connection.close()
    shelf.put_page(*HERE, row())
    shelf.flush()
    shelf.close()
    assert "no such table" in notes[0]
    shelf = Shelf(path, silent)
    shelf.put_page(*HERE, row())
    shelf.close()


def test_two_processes_write_one_shelf(path: str) -> None:
    code = """
        import sys
        from hashlib import sha256
        from accord.repositories.shelf import Shelf, PageRow
        path, name = sys.argv[1:]
        for number in range(20):
            shelf = Shelf(path, lambda text: sys.exit(text))
            for project, page in ((f"{name}-{number}", name.encode() * 1000), ("shared", name.encode())):
                shelf.keep("index", project, page)
                shelf.put_page("index", project, PageRow(None, None, 1.0, sha256(page).digest()))
            shelf.close()
    """
    running = [
        subprocess.Popen([sys.executable, "-c", textwrap.dedent(code), path, name], stderr=subprocess.PIPE)
        for name in ("one", "two", "three")
    ]
    for process in running:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    shelf = Shelf(path, silent)

    def kept(project: str) -> bytes | None:
        found = shelf.page("index", project)
        assert found is not None and found.digest is not None
        return shelf.kept("index", project, found.digest)

    for name in ("one", "two", "three"):
        assert all(kept(f"{name}-{number}") == name.encode() * 1000 for number in range(20))
    # Whose row came last and whose file did is chance; a page is never taken for another one.
    assert kept("shared") in (b"one", b"two", b"three", None)
    shelf.close()


def test_many_threads_read_and_write_one_shelf(path: str) -> None:
    shelf = Shelf(path, silent)
    faults: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(100):
                shelf.keep("index", f"{name}-{number}", name.encode())
                shelf.put_page("index", f"{name}-{number}", row(sha256(name.encode()).digest()))
                shelf.page("index", f"{name}-{number - 1}")
                if number % 25 == 0:
                    shelf.flush()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shelf.flush()
    assert faults == []
    for name in range(8):
        page = str(name).encode()
        for number in range(100):
            assert shelf.kept("index", f"{name}-{number}", sha256(page).digest()) == page
            assert shelf.page("index", f"{name}-{number}") is not None
    shelf.close()
