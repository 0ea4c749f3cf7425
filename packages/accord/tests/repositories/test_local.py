"""Folders as repositories: trees without pages, odd spellings, find-links."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from accord.repositories.local import FindLinks, LocalIndex
from accord.testing.archives import sdist_bytes
from accord.testing.indexes import wheel


def put(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"")


def names(repository: LocalIndex | FindLinks, project: str) -> list[str] | None:
    page = repository.page(project, None, None).page
    return None if page is None else [file.filename for file in page.files]


def test_a_folder_without_a_page_is_its_own_page(tmp_path: Path) -> None:
    put(
        tmp_path / "spam",
        "spam-1.0-py3-none-any.whl",
        "spam-1.0.tar.gz",
        "notes.txt",
        "eggs-1.0.tar.gz",
        ".spam-2.whl.part",
    )
    (tmp_path / "spam" / "spam-3.0-py3-none-any.whl").mkdir()
    index = LocalIndex(f"file://{tmp_path}")
    assert names(index, "spam") == ["spam-1.0-py3-none-any.whl", "spam-1.0.tar.gz"]


def test_a_page_is_preferred_to_the_listing_and_json_to_html(tmp_path: Path) -> None:
    put(tmp_path / "spam", "spam-1.0-py3-none-any.whl")
    (tmp_path / "spam/index.html").write_text('<a href="spam-2.0-py3-none-any.whl">')
    index = LocalIndex(str(tmp_path))
    assert names(index, "spam") == ["spam-2.0-py3-none-any.whl"]
    (tmp_path / "spam/index.json").write_text('{"files": []}')
    assert names(index, "spam") == []


def test_folders_spelled_as_projects_spell_themselves_are_found(tmp_path: Path) -> None:
    put(tmp_path / "Flask_Bcrypt", "Flask_Bcrypt-1.0-py3-none-any.whl")
    assert names(LocalIndex(str(tmp_path)), "flask-bcrypt") == ["Flask_Bcrypt-1.0-py3-none-any.whl"]


def test_what_is_missing_is_not_there_and_no_error(tmp_path: Path) -> None:
    put(tmp_path, "spam")
    assert LocalIndex(str(tmp_path)).page("spam", None, None).state == "absent"
    assert LocalIndex(str(tmp_path / "no" / "such")).page("spam", None, None).state == "absent"
    assert FindLinks(str(tmp_path / "no")).page("spam", None, None).state == "absent"


def test_a_folder_that_may_not_be_read_is_no_missing_one(tmp_path: Path) -> None:
    put(tmp_path / "spam", "spam-1.0.tar.gz")
    (tmp_path / "spam" / "index.html").symlink_to("index.html")
    with pytest.raises(OSError, match="symbolic"):
        LocalIndex(str(tmp_path)).page("spam", None, None)


def test_a_find_links_folder_sorts_its_files_by_project(tmp_path: Path) -> None:
    put(
        tmp_path,
        "spam-1.0-py3-none-any.whl",
        "spam_eggs-1.0-py3-none-any.whl",
        "spam-eggs-0.9.tar.gz",
        "spam-2-1.0.zip",
        "Spam-1.1.tar.gz",
    )
    folder = FindLinks(str(tmp_path))
    assert names(folder, "spam") == ["Spam-1.1.tar.gz", "spam-1.0-py3-none-any.whl", "spam-2-1.0.zip"]
    assert names(folder, "spam-eggs") == ["spam-eggs-0.9.tar.gz", "spam_eggs-1.0-py3-none-any.whl"]
    assert names(folder, "spam-2") == ["spam-2-1.0.zip"]
    assert names(folder, "eggs") is None


def test_a_changed_folder_has_another_etag(tmp_path: Path) -> None:
    put(tmp_path / "spam", "spam-1.0.tar.gz")
    index = LocalIndex(str(tmp_path))
    first = index.page("spam", None, None).etag
    assert index.page("spam", first, None).state == "unchanged"
    (tmp_path / "spam/spam-1.0.tar.gz").write_bytes(b"other")
    second = index.page("spam", first, None)
    assert second.state == "fresh"
    put(tmp_path / "spam", "spam-2.0.tar.gz")
    assert index.page("spam", second.etag, None).state == "fresh"


def test_names_with_odd_characters_survive_being_urls(tmp_path: Path) -> None:
    name, content = wheel("torch", "2.1+cpu")
    folder = tmp_path / "with space & ü#"
    folder.mkdir()
    (folder / name).write_bytes(content)
    links, into = FindLinks(str(folder)), tmp_path / "into"
    into.mkdir()
    (file,) = links.files("torch")
    metadata = links.metadata(file)
    assert metadata is not None
    assert b"Name: torch" in metadata
    assert Path(links.fetch(file, str(into), None)).read_bytes() == content


def test_a_fetched_copy_shares_nothing_with_the_original(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "into").mkdir()
    original = tmp_path / "from" / "spam-1.0.tar.gz"
    original.write_bytes(sdist_bytes([]))
    links = FindLinks(str(tmp_path / "from"))
    copy = links.fetch(links.files("spam")[0], str(tmp_path / "into"), None)
    assert os.stat(copy).st_ino != os.stat(original).st_ino
