"""What leaves upstream leaves us: withdrawn, yanked, in quarantine, changed; by its pages and by its changes feed."""

from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from accord.server.database import tables
from accord.server.mirror import facts, leaving
from accord.server.mirror.asking import Upstreams
from accord.server.mirror.following import poll, sweep
from accord.testing.indexes import wheel
from accord.testing.loopback import reply
from accord.testing.serving import InProcess, Served
from accord.testing.upstreams import (
    Upstream,
    broken,
    indexes_row,
    make,
    names,
    page,
    pip,
    read,
    withdraw,
)


def test_what_upstream_withdraws_is_gone_here_and_kept_as_evidence(
    cache: InProcess, upstream: Upstream
) -> None:
    good, _ = upstream.add()
    bad, content = upstream.add("spam", "6.6.6")
    page(cache)
    assert cache.get(f"/cache/files/spam/{bad}").body == content
    del upstream.made.files["spam"][1]
    cache.clock.forward(601)
    refused = cache.get(f"/cache/files/spam/{bad}")
    assert (refused.status, refused.json()["code"]) == (410, "file-blocked")
    assert "upstream has it no more" in refused.json()["detail"]
    assert names(page(cache)) == [good]
    assert cache.parts.storage.read(hashlib.sha256(content).hexdigest()) == content
    # Upstream takes it back: so do we, without asking for it again.
    upstream.made.add("spam", bad, content)
    cache.clock.forward(601)
    assert names(page(cache)) == [good, bad]
    assert len(upstream.targets(f"/files/{bad}")) == 1


def test_a_project_in_quarantine_offers_nothing_and_says_so(cache: InProcess, upstream: Upstream) -> None:
    filename, _ = upstream.add()
    page(cache)
    assert cache.get(f"/cache/files/spam/{filename}").status == 200
    upstream.made.status["spam"] = ("quarantined", "malware")
    upstream.made.files["spam"].clear()
    cache.clock.forward(601)
    told = page(cache).json()
    assert told["project-status"] == {"status": "quarantined", "reason": "malware"}
    assert told["files"] == []
    assert cache.get(f"/cache/files/spam/{filename}").status == 410


def test_a_project_that_is_gone_upstream_has_no_files_here(cache: InProcess, upstream: Upstream) -> None:
    filename, _ = upstream.add()
    page(cache)
    del upstream.made.files["spam"]
    cache.clock.forward(601)
    assert names(page(cache)) == []
    assert cache.get(f"/cache/files/spam/{filename}").status == 410


def test_other_bytes_under_a_name_that_was_there_are_not_taken(cache: InProcess, upstream: Upstream) -> None:
    filename, content = upstream.add()
    page(cache)
    upstream.made.files["spam"].clear()
    upstream.made.add("spam", filename, content + b"other")
    cache.clock.forward(601)
    assert names(page(cache)) == []
    assert "other bytes" in cache.get(f"/cache/files/spam/{filename}").json()["detail"]


def test_a_yank_upstream_is_one_here(cache: InProcess, upstream: Upstream) -> None:
    upstream.add()
    assert page(cache).json()["files"][0]["yanked"] is False
    upstream.made.files["spam"][0].yanked = True
    cache.clock.forward(601)
    assert page(cache).json()["files"][0]["yanked"] is True


def test_what_a_server_of_ours_withdraws_is_gone_here_with_the_next_poll(tmp_path: Path) -> None:
    good, bad = "spam-1.0-py3-none-any.whl", "spam-6.6.6-py3-none-any.whl"
    with Served(str(tmp_path / "data")) as company, InProcess.open(str(tmp_path / "cache")) as cache:
        with InProcess.open(company.folder) as there:
            there.token = company.token
            for version in ("1.0", "6.6.6"):
                assert there.upload(*wheel("spam", version)).status == 200
        make(cache, "cache", f"{company.url}/simple")
        upstreams = Upstreams(cache.parts)
        index = indexes_row(cache)
        assert poll(cache.parts, upstreams, index) == ()
        assert names(page(cache)) == [good, bad]
        assert cache.get(f"/cache/files/spam/{bad}").status == 200
        withdraw(company.folder, bad)
        assert poll(cache.parts, upstreams, index) == ("spam",)
        assert names(page(cache)) == [good]
        assert cache.get(f"/cache/files/spam/{bad}").status == 410
        assert cache.get(f"/cache/files/spam/{good}").status == 200
        assert poll(cache.parts, upstreams, index) == ()
        # What we took away is in our own feed, for those who follow us.
        actions = [entry["action"] for entry in cache.get("/cache/changes?since=0").json()["changes"]]
        assert actions[-1] == "remove-file"
        upstreams.close()


def test_an_upstream_without_a_feed_is_looked_at_now_and_then(cache: InProcess, upstream: Upstream) -> None:
    filename, _ = upstream.add()
    page(cache)
    upstreams = Upstreams(cache.parts)
    assert poll(cache.parts, upstreams, indexes_row(cache)) is None
    upstream.made.files["spam"].clear()
    assert sweep(cache.parts, upstreams, indexes_row(cache), threading.Event()) == 0
    cache.clock.forward(6 * 3600 + 1)
    assert sweep(cache.parts, upstreams, indexes_row(cache), threading.Event()) == 1
    with cache.parts.database.read() as connection:
        kept = facts.find_file(connection, indexes_row(cache).id, "spam", filename)
    assert kept is not None
    assert kept.blocked == leaving.GONE
    upstreams.close()


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{",
        b'{"meta":{},"next":1,"changes":[]}',
        b'{"meta":{"_last-serial":1},"next":"x","changes":[]}',
    ],
)
def test_a_feed_that_is_none_is_none(cache: InProcess, upstream: Upstream, body: bytes) -> None:
    upstream.instead["/changes"] = lambda _: reply(body, headers={"Content-Type": "application/json"})
    upstreams = Upstreams(cache.parts)
    assert poll(cache.parts, upstreams, indexes_row(cache)) is None
    upstreams.close()


def follows(index: InProcess) -> bool:
    """Whether it hears of whatever its upstream does from now on."""
    with index.parts.database.read() as connection:
        known = select(tables.state.c.key).where(tables.state.c.key.like("follow:%"))
        return connection.execute(known).first() is not None


@pytest.mark.slow
def test_a_pip_that_installs_from_a_mirror_does_not_get_what_upstream_withdrew(tmp_path: Path) -> None:
    bad = "spam-6.6.6-py3-none-any.whl"
    (tmp_path / "mirror").mkdir()
    with Served(str(tmp_path / "data")) as company, Served(str(tmp_path / "mirror" / "data")) as mirror:
        with InProcess.open(company.folder) as there:
            there.token = company.token
            assert there.upload(*wheel("spam", "6.6.6")).status == 200
        with InProcess.open(mirror.folder) as there:
            make(there, "cache", f"{company.url}/simple")
        assert pip(mirror, tmp_path / "before", "spam==6.6.6") == 0
        with InProcess.open(mirror.folder) as there:
            end = time.monotonic() + 60
            while not follows(there):
                assert time.monotonic() < end, "the mirror does not follow"
                time.sleep(0.1)
        withdraw(company.folder, bad)
        end = time.monotonic() + 60
        while bad.encode() in read(f"{mirror.url}/cache/simple/spam/"):
            assert time.monotonic() < end, "the mirror still has it"
            time.sleep(0.1)
        assert pip(mirror, tmp_path / "after", "spam==6.6.6") != 0
        broken(f"{mirror.url}/cache/files/spam/{bad}")
