"""The store: each wheel once, whole or not at all, verified, and never trusted after something went wrong."""

from __future__ import annotations

import hashlib
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from accord.io import files
from accord.store import upkeep
from accord.store.crew import Crew
from accord.store.entry import load_entry, touch
from accord.store.store import Store
from accord.testing.archives import Part, wheel_parts, zip_bytes
from accord.testing.installing import Bench, dies_at, steps_of, write_wheel
from accord_core.archive.limits import Limits
from accord_core.errors import ArchiveError, StoreError

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "spam/__init__.py": b"value = 1\n",
    "spam/sub/data,odd.txt": b"comma\n",
    "spam_native.cpython-312-x86_64-linux-gnu.so": b"\x7fELF",
    "DATA/scripts/run": b"#!python\nprint('run')\n",
    "DATA/scripts/tool": b"\x7fELF",
    "DATA/data/etc/spam.conf": b"a = 1\n",
    "DATA/headers/spam.h": b"/* */\n",
    "DATA/purelib/spam_more.py": b"more = 1\n",
}
POINTS = (
    "[console_scripts]\nspam = spam:main\n[gui_scripts]\nspam-gui = spam.gui:App.run\n[other]\nx = spam\n"
)


def test_an_entry_tells_all_an_install_needs(bench: Bench) -> None:
    path = write_wheel(bench.wheels, files=FILES, entry_points=POINTS)
    entry = bench.store.add(path)
    assert (entry.name, entry.version, entry.dist_info, entry.pure) == (
        "spam",
        "1.0",
        "spam-1.0.dist-info",
        True,
    )
    assert entry.dirs == ("spam", "spam-1.0.dist-info", "spam/sub")
    assert set(entry.files) == {
        "spam/__init__.py",
        "spam/sub/data,odd.txt",
        "spam_native.cpython-312-x86_64-linux-gnu.so",
        "spam_more.py",
        "spam-1.0.dist-info/METADATA",
        "spam-1.0.dist-info/WHEEL",
        "spam-1.0.dist-info/entry_points.txt",
    }
    assert {(row[0], row[1], row[5]) for row in entry.data} == {
        ("scripts", "run", True),
        ("scripts", "tool", False),
        ("data", "etc/spam.conf", False),
        ("headers", "spam.h", False),
    }
    assert entry.scripts == (("spam", "spam", "main", False), ("spam-gui", "spam.gui", "App.run", True))
    assert entry.toplevel == ("spam", "spam_more", "spam_native")
    assert {path: size for path, _, size in entry.rows()}["spam/sub/data,odd.txt"] == 6
    assert not upkeep.faults(entry)


def test_what_was_added_is_found_by_another_store_and_not_unpacked_again(bench: Bench) -> None:
    path = write_wheel(bench.wheels, files=FILES)
    entry = bench.store.add(path)
    inode = os.stat(f"{entry.path}/manifest").st_ino
    other = Store(bench.cache)
    assert other.find(entry.sha256) is not None
    assert os.stat(f"{other.add(path).path}/manifest").st_ino == inode


def test_files_are_read_only_and_scripts_can_be_run(bench: Bench) -> None:
    path = write_wheel(bench.wheels, files=FILES, executable=["spam/__init__.py"])
    entry = bench.store.add(path)
    modes = {
        name: os.stat(f"{entry.path}/{name}").st_mode & 0o777
        for name in ("site/spam_more.py", "data/scripts/tool", "site/spam/__init__.py")
    }
    assert modes == {"site/spam_more.py": 0o444, "data/scripts/tool": 0o555, "site/spam/__init__.py": 0o555}


def test_a_file_with_another_digest_is_refused(bench: Bench) -> None:
    path = write_wheel(bench.wheels)
    with pytest.raises(StoreError) as caught:
        bench.store.add(path, "0" * 64)
    assert caught.value.code == "hash-mismatch"
    assert bench.store.find("0" * 64) is None


@pytest.mark.parametrize("again", [False, True])
def test_metadata_that_differ_from_what_was_learnt_early_are_refused(bench: Bench, again: bool) -> None:
    path = write_wheel(bench.wheels)
    if again:
        bench.store.add(path)
    with pytest.raises(StoreError) as caught:
        bench.store.add(path, expect_metadata="1" * 64)
    assert caught.value.code == "metadata-changed"
    text = b"Metadata-Version: 2.1\nName: spam\nVersion: 1.0\n"
    assert bench.store.add(path, expect_metadata=hashlib.sha256(text).hexdigest()).name == "spam"


def test_a_wheel_that_lies_leaves_nothing_behind(bench: Bench, tmp_path: Path) -> None:
    parts = wheel_parts({"spam/__init__.py": b"honest\n"})
    parts[0] = Part("spam/__init__.py", b"hostile\n")
    path = tmp_path / "spam-1.0-py3-none-any.whl"
    path.write_bytes(zip_bytes(parts))
    with pytest.raises(ArchiveError) as caught:
        bench.store.add(str(path))
    assert caught.value.code in ("record-digest-wrong", "record-size-wrong")
    assert not upkeep.entries(bench.store)
    assert os.listdir(f"{bench.store.root}/aside") == []


def test_limits_reach_the_archive_rooms(bench: Bench) -> None:
    path = write_wheel(bench.wheels)
    with pytest.raises(ArchiveError):
        bench.store.add(path, limits=Limits(entries=2))
    assert bench.store.add(path, limits=Limits(entries=4)).name == "spam"


def test_what_is_no_digest_is_never_a_path(bench: Bench) -> None:
    for text in ("../" * 20, "A" * 64, "0" * 63):
        with pytest.raises(StoreError) as caught:
            bench.store.find(text)
        assert caught.value.code == "digest-invalid"


def test_killed_at_any_step_an_entry_is_there_whole_or_not_at_all(bench: Bench) -> None:
    path = write_wheel(bench.wheels, files=FILES)
    said = steps_of(lambda: bench.store.add(path))
    sha256 = upkeep.entries(bench.store)[0].sha256
    assert said == ["store-aside", "unpack-files", "unpack-manifest", "store-appear", "store-appeared"]
    for number in range(len(said)):
        bench.store.discard(sha256)
        assert dies_at(number, lambda: bench.store.add(path))
        entry = bench.store.find(sha256)
        assert (entry is not None) == (said[number] == "store-appeared")
        assert entry is None or not upkeep.faults(entry)
        assert not upkeep.faults(bench.store.add(path))
    upkeep.collect(bench.store)
    assert os.listdir(f"{bench.store.root}/aside") == []


def test_many_may_add_the_same_wheel_at_once(bench: Bench) -> None:
    path = write_wheel(bench.wheels, files={f"spam/m{n}.py": b"x = 1\n" for n in range(300)})
    with Crew(bench.cache, 3) as crew, ThreadPoolExecutor(2) as pool:
        futures = [crew.submit(path) for _ in range(6)] + [
            pool.submit(Store(bench.cache).add, path) for _ in range(4)
        ]
        found = {future.result().path for future in futures}
    assert len(found) == 1
    assert len(upkeep.entries(bench.store)) == 1
    assert os.listdir(f"{bench.store.root}/aside") == []


def test_a_crew_hands_on_what_a_worker_refused(bench: Bench, tmp_path: Path) -> None:
    bad = tmp_path / "spam-1.0-py3-none-any.whl"
    bad.write_bytes(b"no archive at all")
    good = write_wheel(bench.wheels, "eggs")
    with Crew(bench.cache, 1) as crew:
        first, second = crew.submit(str(bad)), crew.submit(good)
        with pytest.raises(ArchiveError) as caught:
            first.result()
        assert caught.value.where is not None
        assert second.result().name == "eggs"


def test_an_entry_from_an_earlier_boot_is_looked_at_once(bench: Bench) -> None:
    entry = bench.store.add(write_wheel(bench.wheels, files=FILES))
    _write_manifest(entry.path, boot="another")
    found = Store(bench.cache).find(entry.sha256)
    assert found is not None
    assert found.boot == ""
    reread = load_entry(entry.path)
    assert reread is not None
    assert reread.boot == ""


def test_an_entry_a_power_cut_left_empty_is_thrown_away(bench: Bench) -> None:
    path = write_wheel(bench.wheels, files=FILES)
    entry = bench.store.add(path)
    _write_manifest(entry.path, boot="another")
    _overwrite(f"{entry.path}/site/spam/__init__.py", b"")
    assert Store(bench.cache).find(entry.sha256) is None
    assert not upkeep.faults(bench.store.add(path))


def test_a_damaged_manifest_is_no_entry_and_is_replaced(bench: Bench) -> None:
    path = write_wheel(bench.wheels)
    entry = bench.store.add(path)
    for data in (b"", b"garbage", b"\xe9\x05\x00\x00\x00"):
        _overwrite(f"{entry.path}/manifest", data)
        assert bench.store.find(entry.sha256) is None
        assert bench.store.add(path).files == entry.files


def test_verify_tells_each_damage_and_repair_throws_the_entry_away(bench: Bench) -> None:
    path = write_wheel(bench.wheels, files=FILES)
    entry = bench.store.add(path)
    assert upkeep.verify(bench.store) == ()
    _overwrite(f"{entry.path}/site/spam/__init__.py", b"value = 2\n")
    os.unlink(f"{entry.path}/data/headers/spam.h")
    files.write_new(f"{entry.path}/site/stray.py", b"")
    found = {(fault.path, fault.kind) for fault in upkeep.verify(bench.store, repair=True)}
    assert found == {
        ("site/spam/__init__.py", "changed"),
        ("data/headers/spam.h", "missing"),
        ("site/stray.py", "foreign"),
    }
    assert bench.store.find(entry.sha256) is None


def test_collect_keeps_what_was_used_lately_and_fits(bench: Bench) -> None:
    kept = [
        bench.store.add(write_wheel(bench.wheels, name, files={f"{name}.py": b"#" * 1000}))
        for name in ("a1", "b1", "c1")
    ]
    for age, entry in enumerate(kept):
        os.utime(entry.path, (1_000_000 + age, 1_000_000 + age))
    touch(kept[0].path)
    dry = upkeep.collect(bench.store, older_than=3600, dry_run=True)
    assert (dry.removed, dry.kept) == (2, 1)
    assert len(upkeep.entries(bench.store)) == 3
    done = upkeep.collect(bench.store, max_bytes=2 * kept[0].size)
    assert (done.removed, done.kept, done.kept_bytes) == (1, 2, 2 * kept[0].size)
    assert bench.store.find(kept[1].sha256) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_is_a_coded_error_and_leaves_nothing(bench: Bench, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(small)], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not permitted here")
    try:
        path = write_wheel(bench.wheels, files={"spam/big.bin": os.urandom(1 << 20)})
        with pytest.raises(StoreError) as caught:
            Store(str(small)).add(path)
        assert caught.value.code == "disk-full"
        assert os.listdir(small / "store-v1" / "aside") == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


def _overwrite(path: str, data: bytes) -> None:
    os.chmod(path, 0o644)
    with open(path, "wb") as file:
        file.write(data)


def _write_manifest(path: str, *, boot: str) -> None:
    entry = load_entry(path)
    assert entry is not None
    entry.boot = boot
    _overwrite(f"{path}/manifest", entry.dumps())
