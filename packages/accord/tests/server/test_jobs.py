"""Work done later: entered with what makes it necessary, done once at a time, tried again, given up with its reason."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from accord.server import jobs
from accord.server.database import tables
from accord.server.jobs import kinds
from accord.server.parts import Parts
from accord.testing.serving import InProcess


class Done:
    """What was done, in order; ``fails`` times it fails before."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.fails = 0

    def __call__(self, _parts: Parts, arguments: dict[str, Any]) -> None:
        if self.fails:
            self.fails -= 1
            raise ValueError("not this time\0")
        self.calls.append(arguments)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Iterator[Done]:
    monkeypatch.setattr(kinds, "_KINDS", {})
    found = Done()
    jobs.register("greet", found, lease=60, attempts=3)
    return found  # type: ignore[return-value]


def enqueue(index: InProcess, **options: Any) -> None:
    with index.parts.database.write("system") as writing:
        jobs.enqueue(writing, "greet", **options)


def rows(index: InProcess) -> list[Any]:
    with index.parts.database.read() as connection:
        return list(connection.execute(select(tables.job)))


def test_a_job_is_done_once_and_leaves_nothing(index: InProcess, done: Done) -> None:
    enqueue(index, name="ada")
    runner = jobs.Runner(index.parts)
    assert runner.one()
    assert not runner.one()
    assert done.calls == [{"name": "ada"}]
    assert rows(index) == []


def test_a_job_of_a_block_that_failed_was_never_entered(index: InProcess, done: Done) -> None:
    with pytest.raises(KeyError), index.parts.database.write("system") as writing:
        jobs.enqueue(writing, "greet", name="ada")
        raise KeyError
    assert not jobs.Runner(index.parts).one()
    assert done.calls == []


def test_a_job_for_later_waits_for_its_time(index: InProcess, done: Done) -> None:
    enqueue(index, after=30.0)
    runner = jobs.Runner(index.parts)
    assert not runner.one()
    index.clock.forward(31)
    assert runner.one()
    assert len(done.calls) == 1


def test_the_same_work_is_entered_once_where_that_is_asked(index: InProcess, done: Done) -> None:
    for name in ("ada", "ada", "bob"):
        enqueue(index, once=True, name=name)
    assert [row.arguments for row in rows(index)] == [{"name": "ada"}, {"name": "bob"}]


def test_what_fails_is_tried_later_each_time_and_then_kept_with_its_reason(
    index: InProcess, done: Done
) -> None:
    done.fails = 9
    enqueue(index)
    runner = jobs.Runner(index.parts)
    assert runner.one()
    assert not runner.one(), "not at once"
    for pause in (11, 21):
        index.clock.forward(pause)
        assert runner.one()
    index.clock.forward(100_000)
    assert not runner.one(), "three attempts are all"
    [row] = rows(index)
    assert row.done is not None
    assert row.failure == "ValueError: not this time"


def test_what_failed_and_then_succeeded_leaves_nothing(index: InProcess, done: Done) -> None:
    done.fails = 1
    enqueue(index)
    runner = jobs.Runner(index.parts)
    runner.one()
    index.clock.forward(11)
    assert runner.one()
    assert (len(done.calls), rows(index)) == (1, [])


def test_a_job_whose_process_died_is_free_again_when_its_lease_ends(index: InProcess, done: Done) -> None:
    from accord.server.jobs import queue

    enqueue(index)
    with index.parts.database.write("system") as writing:
        assert queue.take(writing, kinds.known()) is not None
    runner = jobs.Runner(index.parts)
    assert not runner.one()
    index.clock.forward(61)
    assert runner.one()
    assert len(done.calls) == 1


def test_what_is_done_again_and_again_is_planned_once_for_all_processes(index: InProcess, done: Done) -> None:
    jobs.register("sweep", done, every=300)
    first, second = jobs.Runner(index.parts), jobs.Runner(index.parts)
    first.plan()
    second.plan()
    assert len(rows(index)) == 1
    for _ in range(3):
        index.clock.forward(301)
        assert first.one()
        assert not second.one()
    assert len(done.calls) == 3


def test_a_clock_that_was_years_ahead_stops_nothing_when_it_is_put_right(
    index: InProcess, done: Done
) -> None:
    jobs.register("sweep", done, every=300)
    runner = jobs.Runner(index.parts)
    now = index.clock()
    index.clock.forward(10 * 365 * 86_400)
    runner.plan()
    index.clock.forward(301)
    assert runner.one()
    index.clock.at = now
    assert runner.one()  # what was to be done again in ten years
    assert not runner.one()
    index.clock.forward(299)
    assert not runner.one()
    index.clock.forward(1)
    assert runner.one()


def test_a_kind_nobody_here_knows_is_left_to_those_who_do(index: InProcess, done: Done) -> None:
    with index.parts.database.write("system") as writing:
        jobs.enqueue(writing, "from-a-newer-version")
    enqueue(index)
    runner = jobs.Runner(index.parts)
    assert runner.one()
    assert not runner.one()
    assert [row.kind for row in rows(index)] == ["from-a-newer-version"]


def test_many_runners_do_each_job_once(index: InProcess, done: Done) -> None:
    for number in range(40):
        enqueue(index, number=number)
    runners = [jobs.Runner(index.parts) for _ in range(4)]

    def drain(runner: jobs.Runner) -> None:
        while runner.one() or rows(index):
            pass

    threads = [threading.Thread(target=drain, args=(runner,)) for runner in runners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(call["number"] for call in done.calls) == list(range(40))


def test_the_thread_does_what_waits_and_ends_when_told(index: InProcess, done: Done) -> None:
    enqueue(index)
    runner = jobs.Runner(index.parts, pause=0.01)
    runner.start()
    while rows(index):
        pass
    runner.stop()
    assert len(done.calls) == 1
