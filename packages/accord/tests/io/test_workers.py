"""Threads with a queue before them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from accord.io.workers import Task, Workers


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(3, "test")
    yield made
    made.close()


def test_work_is_done_and_its_result_handed_to_everybody_who_asks(workers: Workers) -> None:
    task = workers.submit(divmod, 7, 2)
    assert [task.result() for _ in range(3)] == [(3, 1)] * 3
    assert task.done and not task.failed


def test_what_work_raises_is_raised_where_it_is_waited_for(workers: Workers) -> None:
    task = workers.submit(int, "seven")
    with pytest.raises(ValueError, match="seven"):
        task.result()
    assert task.done and task.failed
    assert workers.submit(int, "7").result() == 7


def test_no_more_threads_than_were_allowed_and_no_more_than_are_needed(workers: Workers) -> None:
    gate = threading.Event()
    seen: set[str] = set()

    def work() -> None:
        seen.add(threading.current_thread().name)
        gate.wait(10)

    workers.submit(str).result()
    tasks = [workers.submit(work) for _ in range(9)]
    while len(seen) < 3:
        time.sleep(0.001)
    gate.set()
    for task in tasks:
        task.result()
    assert len(seen) == 3


def test_work_may_ask_for_more_work(workers: Workers) -> None:
    """As a crawl does; nobody waits in a worker for another one, so few threads are enough for any number."""
    more: list[Task[str]] = []

    def spread() -> None:
        more.extend(workers.submit(str, number) for number in range(50))

    workers.submit(spread).result()
    assert [task.result() for task in more] == [str(number) for number in range(50)]


def test_closing_drops_what_was_not_begun_and_takes_no_more() -> None:
    workers = Workers(1, "test")
    gate, begun = threading.Event(), threading.Event()

    def hold() -> str:
        begun.set()
        gate.wait(10)
        return "held"

    first = workers.submit(hold)
    begun.wait(10)
    second = workers.submit(str)
    closing = threading.Thread(target=workers.close)
    closing.start()
    with pytest.raises(RuntimeError, match="dropped"):
        second.result()
    assert not second.done
    gate.set()
    closing.join(10)
    assert first.result() == "held"
    with pytest.raises(RuntimeError):
        workers.submit(str)


def test_closing_without_waiting_returns_at_once() -> None:
    workers = Workers(1, "test")
    gate = threading.Event()
    workers.submit(gate.wait, 30)
    begun = time.monotonic()
    workers.close(wait=False)
    assert time.monotonic() - begun < 10
    gate.set()
