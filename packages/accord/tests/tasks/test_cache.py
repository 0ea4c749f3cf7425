"""Sizes of the cache, and being rid of it without being rid of anything else."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from accord.tasks import cache
from accord.tasks.pruning import prune
from accord_core.errors import UsageError


def fill(folder: Path) -> None:
    store = folder / "store-v1" / "ab"
    store.mkdir(parents=True)
    (store / "file").write_bytes(b"x" * 10_000)
    (folder / "closures-v1").mkdir()
    os.link(store / "file", folder / "closures-v1" / "same")
    (folder / "catalogue-v3.db").write_bytes(b"x")
    (folder / "catalogue-v3.db-wal").write_bytes(b"x")


def test_a_cache_that_is_not_there_has_no_parts(tmp_path: Path) -> None:
    assert cache.parts(str(tmp_path / "nothing")) == ()


def test_linked_files_count_once(tmp_path: Path) -> None:
    fill(tmp_path)
    parts = {part.name: part for part in cache.parts(str(tmp_path))}
    assert parts["closures-v1"].files + parts["store-v1"].files == 1
    assert parts["closures-v1"].octets + parts["store-v1"].octets >= 10_000
    assert {part.words for part in parts.values()} == {
        "what is known of projects",
        "sealed environments",
        "unpacked wheels",
    }


def test_cleaning_removes_the_parts_and_keeps_the_folder(tmp_path: Path) -> None:
    fill(tmp_path)
    os.chmod(tmp_path / "store-v1" / "ab", 0o555)
    would = cache.clean(str(tmp_path), dry_run=True)
    assert len(os.listdir(tmp_path)) == 4
    assert cache.clean(str(tmp_path), dry_run=False) == would
    assert os.listdir(tmp_path) == []


def test_what_is_being_removed_is_out_of_sight_before_the_first_file_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a sealed tree would be taken for a whole one by the next command."""
    fill(tmp_path)

    def interrupted(path: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cache, "remove_tree", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cache.clean(str(tmp_path), dry_run=False)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == [cache.REMOVED]
    assert [part.words for part in cache.parts(str(tmp_path))] == ["what is being removed"]
    fill(tmp_path)  # a command that came in between
    cache.clean(str(tmp_path), dry_run=False)
    assert os.listdir(tmp_path) == []


def test_pruning_finishes_what_an_interrupted_cleaning_began(tmp_path: Path) -> None:
    fill(tmp_path / cache.REMOVED)
    prune(str(tmp_path), older_than=0, max_bytes=None, dry_run=True)
    assert (tmp_path / cache.REMOVED).exists()
    prune(str(tmp_path), older_than=0, max_bytes=None, dry_run=False)
    assert not (tmp_path / cache.REMOVED).exists()


def test_what_a_later_version_keeps_is_ours_too(tmp_path: Path) -> None:
    (tmp_path / "something-new-v7").mkdir()
    (part,) = cache.parts(str(tmp_path))
    assert part.words == "something-new"
    cache.clean(str(tmp_path), dry_run=False)
    assert os.listdir(tmp_path) == []


def test_every_folder_the_rooms_name_is_known() -> None:
    sources = Path(cache.__file__).parents[1].rglob("*.py")
    text = "\n".join(source.read_text() for source in sources)
    named = set(re.findall(r'"([a-z-]+)-v[0-9]+(?:\.db)?"', text))
    assert {"store", "closures", "catalogue", "interpreters"} <= named
    assert named <= set(cache.PARTS)


def test_a_folder_with_foreign_files_is_not_cleaned(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(UsageError) as caught:
        cache.clean(str(tmp_path), dry_run=False)
    assert caught.value.code == "not-a-cache"
    assert len(os.listdir(tmp_path)) == 5


def test_an_empty_store_is_whole_and_has_nothing_to_collect(tmp_path: Path) -> None:
    assert cache.verify(str(tmp_path), repair=False) == ()
    done = prune(str(tmp_path), older_than=0, max_bytes=None, dry_run=False)
    assert (done.wheels.removed, done.wheels.kept) == (0, 0)
    assert (done.environments, done.closures, done.compiled) == (0, 0, 0)
    assert cache.remove_packages(str(tmp_path), ["a"], dry_run=False) == ()
