"""One process at a time, with the holder's name, and nothing left behind by the dead."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from accord.io.locks import PATIENCE, FileLock
from accord_core.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path


def _held(path: str, seconds: float) -> int:
    """A process that holds the lock; returns when it does."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with FileLock(path, "the thing"):
            os.write(writer, b"x")
            time.sleep(seconds)
        os._exit(0)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    return child


def test_a_lock_is_waited_for_and_the_wait_told_once(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    child = _held(path, 60)
    said: list[str] = []
    ending = threading.Timer(PATIENCE * 2, os.kill, (child, signal.SIGKILL))

    def told(words: str) -> None:
        if not said:
            ending.start()
        said.append(words)

    with FileLock(path, "the thing", on_wait=told):
        pass
    ending.join()
    os.waitpid(child, 0)
    assert len(said) == 1
    assert f"process {child}" in said[0]


def test_patience_ends_with_a_code_and_the_holders_name(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    child = _held(path, 30)
    try:
        with pytest.raises(StoreError) as caught, FileLock(path, "the thing", timeout=0.2, family=StoreError):
            pass
        assert caught.value.code == "locked"
        assert f"process {child}" in caught.value.context[0]
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_lock_dies_with_its_holder(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    child = _held(path, 30)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with FileLock(path, "the thing", timeout=0.0):
        pass


def test_shared_locks_exclude_only_exclusive_ones(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    one, two = FileLock(path, "it", shared=True), FileLock(path, "it", shared=True, timeout=0.0)
    alone = FileLock(path, "it", timeout=0.1, family=StoreError)
    with one, two, pytest.raises(StoreError), alone:
        pass
    with alone:
        pass
