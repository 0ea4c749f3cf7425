"""Copies of this process that compute: what they answer, and what becomes of them when something goes wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from accord.io.forks import Forks
from accord.io.pipes import read_value, write_value

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="copies are made on Linux only")


def work(number: int, blob: bytes) -> tuple[int, int, bytes]:
    """Its own process, the square, and the blob; some numbers go wrong."""
    if number == 13:
        raise ValueError("unlucky")
    if number == 14:
        os._exit(3)
    return os.getpid(), number * number, blob


@pytest.fixture
def make() -> Iterator[Callable[..., Forks]]:
    made: list[Forks] = []

    def make(width: int = 2) -> Forks:
        forks = Forks(work, width=width)
        made.append(forks)
        forks.start()
        return forks

    yield make
    for forks in made:
        forks.close()


def alone() -> bool:
    return len(os.listdir("/proc/self/task")) == 1


@pytest.fixture(autouse=True)
def one_thread() -> None:
    if not alone():
        pytest.skip("this process has threads, and must not be copied")


def test_a_copy_answers_what_the_process_would(make: Callable[..., Forks]) -> None:
    answer = make().call(7, b"x")
    assert isinstance(answer, tuple)
    process, square, blob = answer
    assert (square, blob) == (49, b"x")
    assert process != os.getpid()


def test_a_value_larger_than_a_pipe_arrives_whole(make: Callable[..., Forks]) -> None:
    blob = os.urandom(5_000_000)
    answer = make().call(1, blob)
    assert isinstance(answer, tuple)
    assert answer[2] == blob


def test_jobs_are_spread_over_the_copies_and_more_threads_than_copies_wait(
    make: Callable[..., Forks],
) -> None:
    forks = make(2)
    answers: list[object] = []
    threads = [
        threading.Thread(target=lambda number=number: answers.append(forks.call(number, b"y" * 300_000)))
        for number in range(12)
        if number not in (13, 14)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [answer for answer in answers if isinstance(answer, tuple)]
    assert sorted(answer[1] for answer in found) == [number * number for number in range(12)]
    assert len({answer[0] for answer in found}) == 2


def test_work_that_fails_is_the_callers_to_do_and_the_copy_goes_on(make: Callable[..., Forks]) -> None:
    forks = make()
    assert forks.call(13, b"") is None
    assert forks.call(2, b"") is not None


def test_a_copy_that_dies_leaves_its_sisters_and_then_the_caller(make: Callable[..., Forks]) -> None:
    forks = make(2)
    assert forks.call(14, b"") is None
    assert forks.call(2, b"") is not None
    assert forks.call(14, b"") is None
    assert forks.call(2, b"") is None, "no copy is left"


@pytest.mark.parametrize("width", [0, 1])
def test_one_processor_makes_no_copy(make: Callable[..., Forks], width: int) -> None:
    assert make(width).call(2, b"") is None


def test_a_process_with_threads_is_not_copied() -> None:
    gate = threading.Event()
    thread = threading.Thread(target=gate.wait)
    thread.start()
    try:
        forks = Forks(work, width=2)
        forks.start()
        assert forks.call(2, b"") is None
    finally:
        gate.set()
        thread.join()
        forks.close()


def test_closing_leaves_no_process_and_no_open_pipe() -> None:
    before = len(os.listdir("/proc/self/fd"))
    forks = Forks(work, width=3)
    forks.start()
    assert forks.call(2, b"") is not None
    forks.close()
    assert len(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_closing_at_once_does_not_wait_for_the_work() -> None:
    forks = Forks(lambda: time.sleep(60), width=2)
    forks.start()
    thread = threading.Thread(target=forks.call, daemon=True)
    thread.start()
    time.sleep(0.1)
    begun = time.monotonic()
    forks.close(at_once=True)
    thread.join(10)
    assert time.monotonic() - begun < 10


def test_copies_end_with_a_parent_that_is_killed() -> None:
    code = """
        import os, signal, sys
        from accord.io.forks import Forks
        forks = Forks(lambda: os.getpid(), width=2)
        forks.start()
        print(*(copy.process for copy in forks._copies), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL
    copies = [int(word) for word in done.stdout.split()]
    assert len(copies) == 2
    deadline = time.monotonic() + 10
    while any(os.path.exists(f"/proc/{copy}") and running(copy) for copy in copies):
        assert time.monotonic() < deadline, "a copy outlived its parent"
        time.sleep(0.01)


def running(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_values_of_a_pipe_are_whole_or_not_there() -> None:
    out, into = os.pipe()
    write_value(into, (1, "two", b"three"))
    os.write(into, (100).to_bytes(4, "little") + b"cut short")
    os.close(into)
    assert read_value(out) == (1, "two", b"three")
    assert read_value(out) is None
    os.close(out)
