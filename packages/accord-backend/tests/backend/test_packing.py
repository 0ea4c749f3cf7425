"""Packing on several threads gives what packing on one gives, in order, and fails as it does."""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import accord_backend
from accord_backend import packing
from accord_backend.errors import BackendError

Project = Callable[..., Path]


def told(packed: packing.Packed) -> tuple[object, ...]:
    return tuple(getattr(packed, name) for name in packing.Packed.__slots__)


@pytest.mark.parametrize("count", [0, 1, 16, 17, 100, 1000])
@pytest.mark.parametrize("threads", [2, 5])
def test_threads_change_nothing(count: int, threads: int, tmp_path: Path) -> None:
    members: packing.Members = []
    for number in range(count):
        (tmp_path / str(number)).write_bytes(os.urandom(number % 50) + b"x" * number)
        members.append((f"n{number}", os.fspath(tmp_path / str(number)), None if number % 2 else True))
    one = [told(packing.pack(member)) for member in members]
    assert [told(packed) for packed in packing._together(members, threads)] == one
    assert threading.active_count() == 1


def test_a_file_that_cannot_be_read_is_a_fault_in_its_turn(tmp_path: Path) -> None:
    members: packing.Members = [(f"n{number}", b"x", False) for number in range(100)]
    members[50] = ("gone", os.fspath(tmp_path / "gone"), None)
    found: list[str] = []
    with pytest.raises(BackendError) as caught:
        found.extend(packed.name for packed in packing._together(members, 2))
    assert caught.value.code == "file-unreadable"
    assert found == [f"n{number}" for number in range(48)]  # whole batches before the one that failed
    assert threading.active_count() == 1


def test_whoever_stops_reading_leaves_no_thread() -> None:
    members: packing.Members = [(f"n{number}", b"x", False) for number in range(5000)]
    packed = packing._together(members, 3)
    next(iter(packed))
    packed.close()  # type: ignore[attr-defined]
    assert threading.active_count() == 1


@given(st.integers(0, 70_000), st.integers(0, 255))
def test_a_small_window_finds_what_the_largest_finds(size: int, seed: int) -> None:
    """The oracle: zlib with its usual window, and its own inflate."""
    line = b"".join(b"def f%d(): return %d\n" % (number * seed % 977, number) for number in range(size // 20))
    data = (line + bytes(range(256)) * 2)[:size]
    ours = packing._deflated(data)
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    usual = packer.compress(data) + packer.flush()
    assert zlib.decompress(ours, -15) == data
    assert len(ours) <= len(usual) + 8


def test_a_project_of_many_files_is_packed_by_threads_and_no_other_way(
    project: Project, out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(
        "",
        {
            "spam_eggs/__init__.py": "",
            **{f"spam_eggs/m{number}.py": "x = 1\n" * number for number in range(300)},
        },
    )
    monkeypatch.setattr(packing, "_threads", lambda: 1)
    name = accord_backend.build_wheel(out)
    alone = Path(out, name).read_bytes()
    started: list[int] = []

    def threads() -> int:
        started.append(3)
        return 3

    monkeypatch.setattr(packing, "_threads", threads)
    accord_backend.build_wheel(out)
    assert Path(out, name).read_bytes() == alone and started


def test_the_digest_is_the_same_with_and_without_openssl(monkeypatch: pytest.MonkeyPatch) -> None:
    import hashlib

    def digests() -> list[bytes]:
        return [packing.Packed("n", data, False).digest for data in (b"", b"x" * 100, b"y" * 901, b"z" * 100)]

    expected = [hashlib.sha256(data).digest() for data in (b"", b"x" * 100, b"y" * 901, b"z" * 100)]
    monkeypatch.setattr(packing._Hash, "room", 1000)
    assert digests() == expected
    assert packing._Hash.room == -1, "what is too much for it ends it"
    assert digests() == expected
    monkeypatch.setattr(packing._Hash, "room", 10_000)
    assert digests() == expected and packing._Hash.room == 10_000 - 1101
    monkeypatch.setattr(packing, "sha256", None)
    assert digests() == expected
