"""A scratch folder goes with its work, however that ends, and the main thread can take it away from under a thread."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from accord.io import scratch
from accord.io.scratch import scratch_folder

if TYPE_CHECKING:
    from pathlib import Path


def test_it_is_there_and_gone_with_all_that_is_in_it(tmp_path: Path) -> None:
    with scratch_folder("x-", str(tmp_path)) as path:
        assert os.path.basename(path).startswith("x-")
        os.makedirs(os.path.join(path, "a", "b"))
        os.chmod(os.path.join(path, "a"), 0o500)
    assert os.listdir(tmp_path) == []


def test_a_failure_of_the_work_is_raised_on_and_it_is_gone(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), scratch_folder("x-", str(tmp_path)):
        raise RuntimeError
    assert os.listdir(tmp_path) == []


def test_one_that_was_given_another_name_is_no_fault(tmp_path: Path) -> None:
    with scratch_folder("x-", str(tmp_path)) as path:
        os.rename(path, tmp_path / "kept")
    assert os.listdir(tmp_path) == ["kept"]


def test_one_that_is_still_written_to_is_removed_all_the_same(tmp_path: Path) -> None:
    stop = threading.Event()

    def litter(path: str) -> None:
        number = 0
        while not stop.is_set() and number < 2000:
            number += 1
            try:
                open(os.path.join(path, str(number)), "w").close()
            except OSError:
                return

    with scratch_folder("x-", str(tmp_path)) as path:
        thread = threading.Thread(target=litter, args=(path,))
        thread.start()
        time.sleep(0.01)
    stop.set()
    thread.join()
    assert os.listdir(tmp_path) == []


def test_the_main_thread_removes_what_another_one_holds(tmp_path: Path) -> None:
    held, go = threading.Event(), threading.Event()

    def work() -> None:
        with scratch_folder("x-", str(tmp_path)):
            held.set()
            go.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    held.wait(10)
    scratch.remove_all(patience=0.05)
    assert os.listdir(tmp_path) == []
    go.set()
    thread.join()
