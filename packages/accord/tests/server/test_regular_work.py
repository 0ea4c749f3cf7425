"""What a server does by itself: seen to be done, once for all its processes, and told to whoever operates it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, insert, select, update

from accord.cli.main import main
from accord.io import sandbox
from accord.server import jobs
from accord.server.catalogue import blobs, policy
from accord.server.catalogue.indexes import index_named
from accord.server.database import tables
from accord.server.errors import Refused
from accord.server.jobs import kinds, queue
from accord.server.limits import Limits
from accord.server.mirror import refreshing, syncing
from accord.server.upkeep import regular, scanning
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.loopback import Asked, Loopback, reply
from accord.testing.people import call, person
from accord.testing.serving import InProcess, Served, basic
from accord.testing.upstreams import JSON, Upstream, limits, make, names, page

if TYPE_CHECKING:
    from sqlalchemy import Table

NAME = "spam-1.0-py3-none-any.whl"
WHEEL = zip_bytes(wheel_parts())
OLD = "ab" * 32
FRESH = "cd" * 32


def count(index: InProcess, table: Table) -> int:
    with index.parts.database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def job(index: InProcess, kind: str) -> jobs.Job | None:
    with index.parts.database.read() as connection:
        found = [one for one in jobs.listed(connection, index.parts.now()) if one.kind == kind]
    assert len(found) < 2, found
    return found[0] if found else None


def stale(index: InProcess) -> None:
    """One row of each kind that is over, and bytes nobody points at."""
    with index.parts.database.write("test") as writing:
        connection = writing.connection
        user = connection.execute(select(tables.user.c.id)).scalars().first()
        connection.execute(
            insert(tables.web_session).values(key_sha256=OLD, user_id=user, csrf="x", created=1, expires=2)
        )
        connection.execute(insert(tables.rate).values(key="searches:192.0.2.1", window=1, count=3))
        connection.execute(
            insert(tables.audit).values(at=1, actor="user:eve", action="read", outcome="allowed", detail={})
        )
        connection.execute(
            insert(tables.token).values(
                public_id="0" * 16,
                user_id=user,
                name="old",
                key=bytes(32),
                restrictions={},
                created=1,
                expires=2,
            )
        )
    storage = index.parts.storage
    storage.put_bytes(OLD, b"nobody's")
    storage.put_bytes(FRESH, b"on its way")
    _aged(index, OLD)


def _aged(index: InProcess, sha256: str) -> None:
    path = index.parts.storage.path(sha256)
    assert path is not None
    os.utime(path, (1, 1))


# -- each by itself ------------------------------------------------------------------------------------------


def test_what_is_over_is_forgotten_and_what_is_not_is_kept(index: InProcess) -> None:
    stale(index)
    kept = person(index, "ada")
    assert index.upload(NAME, WHEEL).status == 200
    assert regular.prune_sessions(index.parts) == 1
    assert regular.prune_rates(index.parts) == 1
    assert regular.prune_tokens(index.parts) == 1
    assert index.request("GET", "/api/whoami", basic(kept)).status == 200
    assert count(index, tables.web_session) == 0
    assert count(index, tables.rate) == 1, "of the project that was made just now"
    assert regular.prune_tokens(index.parts) == 0


def test_a_revoked_token_is_listed_for_a_while_and_is_never_good_again(index: InProcess) -> None:
    text = person(index, "ada")
    public_id = text.partition("_")[2].partition(".")[0]
    assert call(index, "DELETE", f"/api/tokens/{public_id}").status in (200, 204)
    assert regular.prune_tokens(index.parts) == 0
    index.clock.forward(Limits().token_kept_seconds + 1)
    assert regular.prune_tokens(index.parts) == 1
    assert index.request("GET", "/api/whoami", basic(text)).status == 401


def test_the_audit_is_kept_for_ever_unless_a_time_is_set(tmp_path: Path) -> None:
    for seconds, left in ((0, True), (3600, False)):
        folder = str(tmp_path / str(seconds))
        with InProcess.open(folder, limits=Limits(audit_kept_seconds=seconds)) as index:
            stale(index)
            index.upload(NAME, WHEEL)
            before = count(index, tables.audit)
            regular.prune_audit(index.parts)
            assert count(index, tables.audit) == (before if left else before - 1)


def test_more_rows_than_one_block_takes_are_forgotten_in_several(index: InProcess) -> None:
    with index.parts.database.write("test") as writing:
        writing.connection.execute(
            insert(tables.rate), [{"key": f"k{n}", "window": 1, "count": 1} for n in range(2_500)]
        )
    assert regular.prune_rates(index.parts) == 2_500


def test_a_window_that_is_longer_than_a_day_is_not_forgotten_before_its_end(tmp_path: Path) -> None:
    week = 7 * 86_400
    with InProcess.open(str(tmp_path / "data"), limits=Limits(projects_seconds=week)) as index:
        with index.parts.database.write("test") as writing:
            at = writing.at - 2 * 86_400_000_000
            writing.connection.execute(insert(tables.rate).values(key="new-projects:1", window=at, count=3))
        assert regular.prune_rates(index.parts) == 0
        index.clock.forward(week)
        assert regular.prune_rates(index.parts) == 1


def test_bytes_nobody_points_at_are_given_up_after_a_day_and_no_others(index: InProcess) -> None:
    stale(index)
    assert index.upload(NAME, WHEEL).status == 200
    with index.parts.database.read() as connection:
        pointers = {row for first in "0123456789abcdef" for row in blobs.pointed(connection, first)}
    assert len(pointers) == 2, "the wheel and its metadata"
    for sha256 in pointers:
        _aged(index, sha256)
    Path(index.parts.settings.data, "blobs", "README").write_text("somebody else's")
    assert regular.sweep_blobs(index.parts) == 1
    assert index.parts.storage.size(OLD) is None
    assert index.parts.storage.size(FRESH) == len(b"on its way")
    assert index.get(f"/files/spam/{NAME}").body == WHEEL


# -- the queue -----------------------------------------------------------------------------------------------


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    monkeypatch.setattr(kinds, "_KINDS", {})
    return []


def test_a_job_that_takes_longer_than_its_lease_is_not_done_twice(
    index: InProcess, work: list[dict[str, Any]]
) -> None:
    end = threading.Event()

    def slow(_parts: object, arguments: dict[str, Any]) -> None:
        work.append(arguments)
        end.wait(20)

    kind = jobs.register("slow", slow, lease=0.3)
    with index.parts.database.write("test") as writing:
        jobs.enqueue(writing, "slow")
    thread = threading.Thread(target=jobs.Runner(index.parts).one)
    thread.start()
    try:
        leases: set[int] = set()
        deadline = time.monotonic() + 20
        while len(leases) < 3:  # the clock moves, and the lease with it
            assert time.monotonic() < deadline, "nobody makes the lease longer"
            index.clock.forward(0.2)
            with index.parts.database.read() as connection:
                leases.add(connection.execute(select(tables.job.c.taken_until)).scalar_one() or 0)
            time.sleep(0.15)
        assert kind.lease == 0.3
    finally:
        end.set()
        thread.join()
    assert len(work) == 1
    assert count(index, tables.job) == 0


def test_whoever_was_away_for_so_long_that_another_took_the_job_has_no_word_in_it(
    index: InProcess, work: list[dict[str, Any]]
) -> None:
    kind = jobs.register("greet", lambda *_: None, lease=60)
    with index.parts.database.write("test") as writing:
        jobs.enqueue(writing, "greet")
        away = queue.take(writing, {"greet": kind})
    index.clock.forward(61)
    with index.parts.database.write("test") as writing:
        assert queue.take(writing, {"greet": kind}) is not None
    assert away is not None
    with index.parts.database.write("test") as writing:
        queue.ended(writing, away)
        queue.failed(writing, away, kind, "too late")
    found = job(index, "greet")
    assert found is not None
    assert (found.state, found.failure) == ("runs", None)


def test_what_may_take_hours_lets_nothing_else_wait(index: InProcess, work: list[dict[str, Any]]) -> None:
    jobs.register("hours", lambda _parts, _arguments: work.append({"of": "hours"}), long=True)
    jobs.register("moment", lambda _parts, _arguments: work.append({"of": "moment"}))
    with index.parts.database.write("test") as writing:
        jobs.enqueue(writing, "hours")
        jobs.enqueue(writing, "moment")
    quick, long = jobs.Runner(index.parts), jobs.Runner(index.parts, long=True)
    assert (quick.one(), quick.one()) == (True, False)
    assert work == [{"of": "moment"}]
    assert (long.one(), long.one()) == (True, False)


def test_the_last_outcome_and_the_next_time_are_told(index: InProcess, work: list[dict[str, Any]]) -> None:
    broken = [True]

    def fragile(_parts: object, _arguments: dict[str, Any]) -> None:
        if broken[0]:
            raise ValueError("no room")

    jobs.register("sweep", fragile, every=3600)
    runner = jobs.Runner(index.parts)
    runner.plan()
    before = job(index, "sweep")
    assert before is not None
    assert (before.state, before.ran, before.failure) == ("waits", None, None)
    index.clock.forward(3601)
    runner.one()
    failed = job(index, "sweep")
    assert failed is not None
    assert (failed.ran, failed.failure) == (index.clock(), "ValueError: no room")
    assert failed.next == index.clock() + 10_000_000, "soon again"
    broken[0] = False
    index.clock.forward(11)
    runner.one()
    done = job(index, "sweep")
    assert done is not None
    assert (done.failure, done.attempts, done.next) == (None, 0, index.clock() + 3_600_000_000)


def test_a_version_that_does_it_at_other_times_or_no_more_changes_what_waits(
    index: InProcess, work: list[dict[str, Any]]
) -> None:
    rows: list[tuple[dict[str, Any], float]] = [({"of": "a"}, 60.0), ({"of": "b"}, 60.0)]
    jobs.register("visit", lambda *_: None, rows=lambda _connection: rows)
    runner = jobs.Runner(index.parts)
    runner.plan()
    rows[:] = [({"of": "b"}, 90.0), ({"of": "c"}, 60.0)]
    runner.plan()
    with index.parts.database.read() as connection:
        found = {one.arguments["of"]: one.every for one in jobs.listed(connection, index.parts.now())}
    assert found == {"b": 90_000_000, "c": 60_000_000}


# -- the scanner ---------------------------------------------------------------------------------------------


Says = Callable[[], tuple[int, object]]


@pytest.fixture
def scanned(tmp_path: Path, database_url: str) -> Iterator[Callable[..., tuple[InProcess, Loopback]]]:
    """An index with a scanner, and one file that waits for it."""
    ending = ExitStack()

    def opened(says: Says, *command: str) -> tuple[InProcess, Loopback]:
        def answer(_asked: Asked) -> bytes:
            status, document = says()
            return reply(json.dumps(document).encode(), status=status)

        scanner = ending.enter_context(Loopback(answer))
        words = command or (f"{scanner.url}/scan",)
        index = ending.enter_context(
            InProcess.open(str(tmp_path / "data"), database=database_url, scanner=words)
        )
        with index.parts.database.write("test") as writing:
            policy.change_policy(writing, index_named(writing.connection, "main"), {"quarantine": "all"})
        assert index.upload(NAME, WHEEL).status == 200
        return index, scanner

    with ending:
        yield opened


def seen(index: InProcess) -> list[str]:
    found = page(index, at="")
    return names(found) if found.status == 200 else []


def test_a_scanner_is_sent_a_new_file_and_what_it_releases_is_seen(scanned: Any) -> None:
    index, scanner = scanned(lambda: (200, {"verdict": "release"}))
    assert seen(index) == []
    assert jobs.Runner(index.parts).one()
    [asked] = scanner.asked
    assert (asked.method, asked.target, asked.body) == ("POST", "/scan", WHEEL)
    assert asked.headers["x-accord-filename"] == NAME
    assert asked.headers["x-accord-sha256"] == hashlib.sha256(WHEEL).hexdigest()
    assert seen(index) == [NAME]
    assert job(index, "scan-file") is None


def test_what_it_rejects_is_never_seen_and_the_audit_says_why(scanned: Any) -> None:
    index, _ = scanned(lambda: (200, {"verdict": "reject", "reason": "evil"}))
    assert jobs.Runner(index.parts).one()
    assert seen(index) == []
    [entry] = call(index, "GET", "/api/audit?action=reject-file").json()["entries"]
    assert (entry["actor"], entry["detail"]["reason"]) == ("scanner", "evil")


@pytest.mark.parametrize(
    "answer",
    [(500, {}), (200, []), (200, {"verdict": "perhaps"}), (200, {"verdict": ["release"]}), (302, {})],
)
def test_a_scanner_that_does_not_know_releases_nothing_is_asked_again_and_its_failure_is_shown(
    scanned: Any, answer: tuple[int, object]
) -> None:
    index, scanner = scanned(lambda: answer)
    runner = jobs.Runner(index.parts)
    for attempt in range(1, 9):
        assert runner.one()
        assert len(scanner.asked) == attempt
        index.clock.forward(4_000)
    assert not runner.one(), "eight times are all"
    assert seen(index) == []
    found = job(index, "scan-file")
    assert found is not None
    assert found.state == "given up"
    assert found.failure is not None
    assert found.failure.startswith("scanner-undecided: spam-1.0-py3-none-any.whl goes on waiting")
    metrics = index.request("GET", "/metrics", basic(index.token)).text
    assert "accord_jobs_given_up 1\n" in metrics


def test_what_was_given_up_is_tried_again_when_an_operator_says_so(
    scanned: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers: list[tuple[int, object]] = [(503, {})]
    index, _ = scanned(lambda: answers[0])
    runner = jobs.Runner(index.parts)
    for _ in range(8):
        runner.one()
        index.clock.forward(4_000)
    monkeypatch.setenv("ACCORD_SERVER_DATA", index.parts.settings.data)
    monkeypatch.setenv("ACCORD_SERVER_DATABASE", index.parts.settings.database)
    assert main(["index", "jobs"]) == 1, "something was given up"
    assert "scanner answered 503" in capsys.readouterr().out
    found = job(index, "scan-file")
    assert found is not None
    assert main(["index", "jobs", "--retry", "999999"]) == 1
    assert "no-such-job" in capsys.readouterr().err
    assert main(["index", "jobs", "--forget", "x"]) == 2
    capsys.readouterr()
    assert main(["--json", "index", "jobs", "--retry", str(found.id)]) == 0
    [shown] = json.loads(capsys.readouterr().out)["jobs"]
    assert (shown["kind"], shown["state"], shown["arguments"]["filename"]) == ("scan-file", "waits", NAME)
    answers[0] = (200, {"verdict": "release"})
    index.clock.at = time.time_ns() // 1000 + 1_000_000  # the command's clock is the real one
    assert runner.one()
    assert seen(index) == [NAME]


def test_the_same_over_http_is_the_administrators(scanned: Any) -> None:
    index, _ = scanned(lambda: (503, {}))
    ada = person(index, "ada")
    [shown] = call(index, "GET", "/api/jobs").json()["jobs"]
    place = f"/api/jobs/{shown['id']}"
    assert call(index, "GET", "/api/jobs", token=ada).status == 403
    assert call(index, "POST", f"{place}/retry", token=ada).status == 403
    assert call(index, "DELETE", place).status == 404, "it was not given up"
    assert call(index, "POST", f"{place}/retry").json() == {"id": shown["id"], "kind": "scan-file"}
    assert call(index, "POST", "/api/jobs/x/retry").status == 400
    assert call(index, "POST", f"/api/jobs/{10**18 - 1}/retry").status == 404
    for _ in range(8):
        jobs.Runner(index.parts).one()
        index.clock.forward(4_000)
    assert call(index, "DELETE", place).status == 204
    assert call(index, "GET", "/api/jobs").json() == {"jobs": []}


def test_a_file_somebody_decided_about_meanwhile_is_no_failure(scanned: Any) -> None:
    index, scanner = scanned(lambda: (200, {"verdict": "reject"}))
    assert index.post(f"/api/indexes/main/quarantine/{NAME}/release", None).status == 201
    assert jobs.Runner(index.parts).one()
    assert (scanner.asked, seen(index), job(index, "scan-file")) == ([], [NAME], None)


def test_files_that_came_when_there_was_no_scanner_are_found(scanned: Any) -> None:
    index, scanner = scanned(lambda: (200, {"verdict": "release"}))
    with index.parts.database.write("test") as writing:
        writing.connection.execute(tables.job.delete())
    kind = kinds.known()["find-unscanned"]
    kind.function(index.parts, {})
    kind.function(index.parts, {})
    assert jobs.Runner(index.parts).one()
    assert seen(index) == [NAME]
    assert len(scanner.asked) == 1


def test_without_a_scanner_a_file_waits_and_the_job_leaves_nothing(index: InProcess) -> None:
    with index.parts.database.write("test") as writing:
        policy.change_policy(writing, index_named(writing.connection, "main"), {"quarantine": "all"})
    assert index.upload(NAME, WHEEL).status == 200
    assert jobs.Runner(index.parts).one()
    assert (seen(index), job(index, "scan-file")) == ([], None)


@pytest.mark.skipif(sandbox.probe() is not None, reason="no sandbox here")
def test_a_scanner_that_is_a_program_is_run_in_the_sandbox(scanned: Any) -> None:
    index, _ = scanned(lambda: (500, {}), "/bin/sh", "-c", 'test -e "$1" && test ! -e "$2"', "scan")
    jobs.Runner(index.parts).one()
    # ``$2`` is nothing: called with the file's path alone.
    assert seen(index) == [NAME]


def test_a_server_whose_scanner_cannot_be_run_safely_does_not_start(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "accord",
        "serve",
        "--data",
        str(tmp_path),
        "--scanner",
        "/usr/bin/clamscan -i",
    ]
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": str(tmp_path)}, check=False)
    assert done.returncode == 2
    assert "error[scanner-failed]" in done.stderr
    scanning.demand_usable(scanning.Scanner(("http://scanner.example/",)))


# -- mirrors -------------------------------------------------------------------------------------------------


def interval(index: InProcess, seconds: int | None, name: str = "cache") -> None:
    with index.parts.database.write("test") as writing:
        here = index_named(writing.connection, name)
        refreshing.set_interval(writing, here, seconds, index.parts.settings.limits)


def test_a_mirror_is_refreshed_at_its_interval_and_no_other(cache: InProcess, upstream: Upstream) -> None:
    first, _ = upstream.add("spam", "1.0")
    make(cache, "quiet", upstream.url, filter={"names": ["spam"]})
    with cache.parts.database.write("test") as writing:
        syncing.set_rules(writing, index_named(writing.connection, "cache"), {"names": ["spam"]})
    interval(cache, 3600)
    runner = jobs.Runner(cache.parts, long=True)
    assert runner.one(), "at once, the first time"
    assert names(page(cache)) == [first]
    second, _ = upstream.add("spam", "2.0")
    assert not runner.one()
    cache.clock.forward(3601)
    asked = len(upstream.targets(f"/files/{second}"))
    assert runner.one()
    assert second in names(page(cache))
    assert not runner.one()
    assert asked == 0
    with cache.parts.database.read() as connection:
        kept = connection.execute(
            select(tables.index.c.name)
            .join(tables.upstream_file, tables.upstream_file.c.index_id == tables.index.c.id)
            .where(tables.upstream_file.c.stored)
            .distinct()
        ).scalars()
        assert list(kept) == ["cache"]


def test_a_mirror_whose_upstream_is_away_says_so_and_is_tried_again_soon(
    cache: InProcess, upstream: Upstream
) -> None:
    upstream.add("spam", "1.0")
    upstream.instead["/simple/"] = lambda _asked: reply(b"", status=503)
    with cache.parts.database.write("test") as writing:
        syncing.set_rules(writing, index_named(writing.connection, "cache"), {"names": ["spam"]})
    interval(cache, 3600)
    runner = jobs.Runner(cache.parts, long=True)
    assert runner.one()
    found = job(cache, "refresh-mirror")
    assert found is not None
    assert found.failure is not None
    assert found.failure.startswith("mirror-incomplete: 1 things of cache could not be fetched; spam: ")
    upstream.instead.clear()
    cache.clock.forward(60)
    assert runner.one()
    found = job(cache, "refresh-mirror")
    assert found is not None
    assert (found.failure, len(names(page(cache)))) == (None, 1)


def test_an_interval_has_limits_and_is_of_mirrors_only(cache: InProcess) -> None:
    for seconds, name in ((59, "cache"), (366 * 86_400 + 1, "cache"), (3600, "main")):
        with pytest.raises(Refused) as refused:
            interval(cache, seconds, name)
        assert refused.value.code in ("mirror-interval", "index-not-upstream")
    interval(cache, 60)
    interval(cache, 366 * 86_400)
    interval(cache, None)
    assert job(cache, "refresh-mirror") is None


def test_rules_that_are_changed_leave_the_interval(cache: InProcess, upstream: Upstream) -> None:
    upstream.add("spam", "1.0")
    with cache.parts.database.read() as connection:
        before = index_named(connection, "cache")
    interval(cache, 60)
    with cache.parts.database.write("test") as writing:
        changed = syncing.set_rules(writing, before, {"names": ["spam"]})
    assert changed.settings["refresh_seconds"] == 60


# -- all of it, served ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_processes_that_serve_do_all_of_it_by_themselves_once(
    tmp_path: Path, database_url: str, upstream: Upstream
) -> None:
    filename, _ = upstream.add("ham", "1.0")
    folder = str(tmp_path / "data")
    with (
        Loopback(lambda _asked: reply(b'{"verdict": "release"}')) as scanner,
        InProcess.open(folder, database=database_url, limits=limits()) as index,
    ):
        stale(index)
        make(index, "cache", upstream.url, filter={"names": ["ham"]})
        interval(index, 3600)
        with index.parts.database.write("test") as writing:
            policy.change_policy(writing, index_named(writing.connection, "main"), {"quarantine": "all"})
        assert index.upload(NAME, WHEEL).status == 200
        token = index.token
        for long in (False, True):
            jobs.Runner(index.parts, long=long).plan()
        with index.parts.database.write("test") as writing:
            writing.connection.execute(update(tables.job).values(run_after=1))
        options = ["--limit", "audit_kept_seconds=3600", "--scanner", f"{scanner.url}/scan"]
        if database_url:
            options += ["--database", database_url]
        with Served(folder, workers=2, options=tuple(options)) as served:
            end = time.monotonic() + 60
            while any(one.ran is None for one in _regular(index)) or not seen(index):
                assert time.monotonic() < end, _regular(index)
                time.sleep(0.1)
            metrics = served.request("GET", "/metrics", basic(token)).body.decode()
            cached = served.request("GET", "/cache/simple/ham/", {"accept": JSON})
        assert [one.failure for one in _regular(index)] == [None] * len(_regular(index))
        with index.parts.database.read() as connection:
            for table in (tables.web_session, tables.rate):
                assert not connection.execute(select(table)).all(), table.name
            assert not connection.execute(select(tables.token).where(tables.token.c.expires == 2)).all()
            assert not connection.execute(select(tables.audit).where(tables.audit.c.at == 1)).all()
        assert index.parts.storage.size(OLD) is None
        assert index.parts.storage.size(FRESH) is not None
    assert [one.method for one in scanner.asked] == ["POST"], "once, whoever of the two did it"
    assert filename in cached.body.decode()
    assert upstream.targets("/files/").count(f"/files/{filename}") <= 1
    for kind in ("tidy-uploads", "find-unscanned", "prune-audit", "sweep-blobs"):
        assert f'accord_job_failed{{kind="{kind}"}} 0\n' in metrics
        assert f'accord_job_ran_timestamp_seconds{{kind="{kind}"}} 1' in metrics
    assert 'accord_job_next_timestamp_seconds{kind="refresh-mirror",index="cache"}' in metrics


def _regular(index: InProcess) -> list[jobs.Job]:
    with index.parts.database.read() as connection:
        return [one for one in jobs.listed(connection, index.parts.now()) if one.every is not None]
