"""Files whole or not at all, folders removed whatever guards them, and the system's refusals as coded errors."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from accord.io import files, inodes
from accord.io.folders import cache_dir, config_dir
from accord.io.links import choose, place
from accord.io.parallel import spread
from accord_core.errors import InstallError, StoreError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("sync", [False, True])
def test_write_atomic_replaces_and_leaves_nothing_beside(tmp_path: Path, sync: bool) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    files.write_atomic(str(path), b"new" * 100_000, sync=sync, mode=0o600)
    assert path.read_bytes() == b"new" * 100_000
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["file"]


def test_write_atomic_that_fails_leaves_the_old(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x").write_bytes(b"")
    with pytest.raises(OSError):
        files.write_atomic(str(tmp_path / "folder"), b"new")
    assert sorted(os.listdir(tmp_path)) == ["folder"]


def test_write_new_never_replaces(tmp_path: Path) -> None:
    files.write_new(str(tmp_path / "a"), b"1")
    with pytest.raises(FileExistsError):
        files.write_new(str(tmp_path / "a"), b"2")
    assert (tmp_path / "a").read_bytes() == b"1"


def test_remove_tree_opens_what_is_closed_and_follows_no_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").write_bytes(b"")
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "b" / "file").write_bytes(b"")
    (tree / "link").symlink_to(outside)
    for folder in (tree / "a" / "b", tree / "a"):
        handle = os.open(folder, os.O_RDONLY)
        os.fchmod(handle, 0o500)
        inodes.protect(handle)
        os.close(handle)
    files.remove_tree(str(tree))
    files.remove_tree(str(tree))
    assert sorted(os.listdir(tmp_path)) == ["outside"]
    assert os.listdir(outside) == ["keep"]
    (tmp_path / "link").symlink_to(outside)
    files.remove_tree(str(tmp_path / "link"))
    assert os.listdir(outside) == ["keep"]


def test_exchange_swaps_folders_and_a_crash_in_between_is_healed(tmp_path: Path) -> None:
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    for path in (one, two):
        os.mkdir(path)
        files.write_new(f"{path}/name", path.encode())
    files.exchange(one, two)
    with open(f"{one}/name") as file:
        assert file.read() == two
    assert not files.unswap(one)
    os.rename(one, f"{one}.swap")  # died after the first of three renames
    assert files.unswap(one)
    assert os.path.exists(f"{one}/name")


def test_needs_space_is_told_before_it_is_written(tmp_path: Path) -> None:
    files.needs_space(str(tmp_path / "not" / "there" / "yet"), 1)
    with pytest.raises(StoreError) as caught:
        files.needs_space(str(tmp_path), 1 << 60, StoreError)
    assert caught.value.code == "disk-full"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk-full"),
        (errno.EDQUOT, "disk-full"),
        (errno.EROFS, "not-writable"),
        (errno.EACCES, "not-writable"),
        (errno.EMFILE, "too-many-files"),
        (errno.EIO, "system-refused"),
    ],
)
def test_refusals_have_codes(number: int, code: str) -> None:
    error = files.refused(OSError(number, os.strerror(number), "/x/y"), "trying")
    assert (error.code, error.context) == (code, ("path: /x/y",))
    assert error.hint


def test_where_the_cache_is() -> None:
    assert cache_dir("/flag", {"ACCORD_CACHE_DIR": "/variable"}) == "/flag"
    assert cache_dir(None, {"ACCORD_CACHE_DIR": "/variable", "HOME": "/home/me"}) == "/variable"
    assert cache_dir(None, {"XDG_CACHE_HOME": "/xdg", "HOME": "/home/me"}) == "/xdg/accord"
    assert cache_dir(None, {"XDG_CACHE_HOME": "relative", "HOME": "/home/me"}) == "/home/me/.cache/accord"
    assert config_dir({"HOME": "/home/me"}) == "/home/me/.config/accord"
    assert config_dir({"XDG_CONFIG_HOME": "/xdg"}) == "/xdg/accord"
    with pytest.raises(UsageError) as caught:
        cache_dir(None, {"HOME": "relative"})
    assert caught.value.code == "no-home"


def test_links_are_tried_and_remembered(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    for folder in (source, target):
        (folder / "sub").mkdir(parents=True)
    (source / "sub" / "a").write_bytes(b"a")
    os.chmod(source / "sub" / "a", 0o555)
    mode = choose("auto", str(source / "sub" / "a"), str(target))
    assert mode in ("reflink", "hardlink")
    assert os.listdir(target) == ["sub"]
    assert choose("copy", str(source / "sub" / "a"), str(target)) == "copy"
    with pytest.raises(UsageError):
        choose("teleport", str(source / "sub" / "a"), str(target))
    here, there = os.open(source, os.O_RDONLY), os.open(target, os.O_RDONLY)
    try:
        place(["sub/a"], here, there, "copy")
        status, original = os.stat(target / "sub" / "a"), os.stat(source / "sub" / "a")
        assert (status.st_mode & 0o777, status.st_mtime_ns) == (0o755, original.st_mtime_ns)
        with pytest.raises(FileExistsError):
            place(["sub/a"], here, there, mode)
        os.unlink(target / "sub" / "a")
        place(["sub/a"], here, there, "copy", read_only=True)
        assert os.stat(target / "sub" / "a").st_mode & 0o777 == 0o555
    finally:
        os.close(here)
        os.close(there)


def test_another_file_system_is_copied_to_and_a_demand_refused(tmp_path: Path) -> None:
    shared = "/dev/shm"
    if not os.path.isdir(shared) or os.stat(shared).st_dev == os.stat(tmp_path).st_dev:
        pytest.skip("there is only one file system here")
    (tmp_path / "a").write_bytes(b"a")
    folder = f"{shared}/accord-test-{os.getpid()}"
    os.mkdir(folder)
    try:
        assert choose("auto", str(tmp_path / "a"), folder) == "copy"
        with pytest.raises(InstallError) as caught:
            choose("hardlink", str(tmp_path / "a"), folder)
        assert caught.value.code == "link-mode-refused"
    finally:
        files.remove_tree(folder)


@pytest.mark.slow
def test_a_file_with_all_the_links_it_can_have_is_copied(tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    (tmp_path / "new").mkdir()
    (tmp_path / "a").write_bytes(b"a")
    try:
        for number in range(66_000):
            os.link(tmp_path / "a", tmp_path / "many" / str(number))
    except OSError as error:
        assert error.errno == errno.EMLINK
    else:
        pytest.skip("this file system has no such limit")
    here, there = os.open(tmp_path, os.O_RDONLY), os.open(tmp_path / "new", os.O_RDONLY)
    try:
        place(["a"], here, there, "hardlink")
    finally:
        os.close(here)
        os.close(there)
    assert os.stat(tmp_path / "new" / "a").st_nlink == 1


def test_work_is_spread_and_the_first_fault_raised() -> None:
    done: list[int] = []
    spread(done.append, range(100), 4)
    assert sorted(done) == list(range(100))

    def odd(number: int) -> None:
        if number == 5:
            raise ValueError(number)

    for width in (1, 3):
        with pytest.raises(ValueError):
            spread(odd, range(100), width)


def test_an_immutable_folder_stops_root_too(tmp_path: Path) -> None:
    if not inodes.available(str(tmp_path)):
        pytest.skip("no immutable flag for this user and file system")
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        assert inodes.protect(handle)
        with pytest.raises(PermissionError):
            (tmp_path / "new").write_bytes(b"")
        assert inodes.release(handle)
        assert not inodes.release(handle)
        (tmp_path / "new").write_bytes(b"")
    finally:
        inodes.release(handle)
        os.close(handle)
