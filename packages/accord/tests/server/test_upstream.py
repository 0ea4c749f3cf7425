"""An index with an upstream: what its pages say, and what a slow, lying, broken or absent upstream can do to them."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.loopback import Asked, reply
from accord.testing.serving import InProcess, Served
from accord.testing.upstreams import (
    JSON,
    Upstream,
    limits,
    make,
    names,
    page,
)


def test_a_page_has_what_upstream_says_and_files_that_are_ours(cache: InProcess, upstream: Upstream) -> None:
    filename, content = upstream.add(metadata=b"Metadata-Version: 2.1\nName: spam\nVersion: 1.0\n")
    file = upstream.made.files["spam"][0]
    file.upload_time, file.requires_python = "2024-05-06T07:08:09.123456Z", ">=3.8"
    file.yanked, file.yank_reason = True, "broken"
    [told] = page(cache).json()["files"]
    assert told == {
        "filename": filename,
        "url": f"../../files/spam/{filename}",
        "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
        "requires-python": ">=3.8",
        "size": len(content),
        "upload-time": "2024-05-06T07:08:09.123456Z",
        "yanked": "broken",
        "core-metadata": {"sha256": hashlib.sha256(upstream.made.metadata[filename]).hexdigest()},
    }
    assert cache.get(f"/cache/files/spam/{filename}.metadata").body == upstream.made.metadata[filename]
    found = cache.get(f"/cache/files/spam/{filename}")
    assert (found.status, found.body) == (200, content)


def test_an_upstream_that_speaks_html_only_is_one_as_well(cache: InProcess, upstream: Upstream) -> None:
    content = b"PK\x05\x06" + bytes(18)
    digest = hashlib.sha256(content).hexdigest()
    body = (
        "<!DOCTYPE html><html><body>"
        f'<a href="../../pool/spam-1.0-py3-none-any.whl#sha256={digest}">spam-1.0-py3-none-any.whl</a>'
        '<a href="../../pool/spam-0.9-py3-none-any.whl">spam-0.9-py3-none-any.whl</a></body></html>'
    ).encode()
    upstream.instead["/simple/"] = lambda _: reply(body, headers={"Content-Type": "text/html"})
    upstream.instead["/pool/"] = lambda _: reply(content)
    told = page(cache)
    assert names(told) == ["spam-1.0-py3-none-any.whl"]  # what has no hash cannot be checked
    assert "size" not in told.json()["files"][0]
    assert cache.get("/cache/files/spam/spam-1.0-py3-none-any.whl").body == content


def test_a_page_and_a_file_are_asked_for_once_and_kept(cache: InProcess, upstream: Upstream) -> None:
    filename, content = upstream.add()
    for _ in range(3):
        assert page(cache).status == 200
        assert cache.get(f"/cache/files/spam/{filename}").body == content
    assert upstream.targets("/simple/") == ["/simple/spam/"]
    assert len(upstream.targets("/files/")) == 1


def test_a_page_that_is_too_old_is_asked_for_with_its_etag(cache: InProcess, upstream: Upstream) -> None:
    upstream.add()
    for seconds, questions in ((0, 1), (599, 1), (2, 2), (0, 2)):
        cache.clock.forward(seconds)
        assert page(cache).status == 200
        assert len(upstream.targets()) == questions
    first, second = upstream.server.asked
    assert "if-none-match" not in first.headers
    assert second.headers["if-none-match"].startswith('"')


def test_a_name_that_is_not_there_is_not_asked_for_again_for_a_moment(
    cache: InProcess, upstream: Upstream
) -> None:
    assert page(cache).status == 404
    assert page(cache).status == 404
    assert len(upstream.targets()) == 1
    upstream.add()
    cache.clock.forward(61)
    assert page(cache).status == 200


def test_without_upstream_what_is_kept_is_served_and_said_to_be_old(tmp_path: Path) -> None:
    upstream = Upstream()
    with InProcess.open(str(tmp_path / "cache"), limits=limits()) as cache:
        with upstream.server:
            make(cache, "cache", upstream.url)
            filename, content = upstream.add()
            later, _ = upstream.add("spam", "2.0")
            assert page(cache).status == 200
            assert cache.get(f"/cache/files/spam/{filename}").body == content
        cache.clock.forward(3600)
        old = page(cache)
        assert old.status == 200
        assert int(old.headers["x-accord-stale"]) > 2900
        assert old.headers["cache-control"] == "no-cache"
        assert cache.get(f"/cache/files/spam/{filename}").body == content
        # What was never fetched is told from what is not there.
        assert page(cache, "eggs").json()["code"] == "upstream-unavailable"
        missing = cache.get(f"/cache/files/spam/{later}")
        assert (missing.status, missing.headers["retry-after"]) == (503, "15")


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: None,
        lambda _: reply(b"oh", status=500),
        lambda _: reply(b"{", headers={"Content-Type": JSON}),
        lambda _: reply(b'{"files":', length=10_000, headers={"Content-Type": JSON, "Connection": "close"}),
        lambda _: reply(b"x", headers={"Content-Type": "image/png"}),
        lambda _: reply(b"no", status=403),
        lambda _: reply(b'{"meta":{"api-version":"2.0"},"files":[]}', headers={"Content-Type": JSON}),
    ],
    ids=["silence", "500", "no JSON", "truncated", "no page", "403", "a version nobody knows"],
)
def test_an_upstream_that_breaks_takes_nothing_away(
    cache: InProcess, upstream: Upstream, answer: Callable[[Asked], bytes | None]
) -> None:
    filename, _ = upstream.add()
    assert page(cache).status == 200
    upstream.instead["/simple/"] = answer
    assert page(cache, "eggs").status == 503
    cache.clock.forward(3600)
    again = page(cache)
    assert (again.status, names(again)) == (200, [filename])
    assert "x-accord-stale" in again.headers
    del upstream.instead["/simple/"]
    cache.clock.forward(16)
    assert "x-accord-stale" not in page(cache).headers


def test_a_page_without_end_is_given_up(tmp_path: Path, upstream: Upstream) -> None:
    upstream.instead["/simple/"] = lambda _: reply(b"x" * 70_000, headers={"Content-Type": JSON})
    with InProcess.open(str(tmp_path / "cache"), limits=limits(upstream_page_bytes=65_536)) as cache:
        make(cache, "cache", upstream.url)
        refused = page(cache)
        assert (refused.status, refused.json()["context"]) == (503, ["answer-too-large"])


def test_a_slow_upstream_is_given_up_and_not_asked_again_at_once(tmp_path: Path, upstream: Upstream) -> None:
    release = threading.Event()

    def never(_: Asked) -> bytes | None:
        release.wait(30)
        return None

    upstream.instead["/simple/"] = never
    with InProcess.open(str(tmp_path / "cache"), limits=limits(upstream_seconds=0.3)) as cache:
        make(cache, "cache", upstream.url)
        begun = time.monotonic()
        assert page(cache).json()["context"] == ["index-timeout"]
        assert page(cache, "eggs").json()["context"] == ["index-timeout"]
        assert time.monotonic() - begun < 5
        assert len(upstream.targets()) == 1
    release.set()


def test_uploads_to_it_are_refused(cache: InProcess) -> None:
    refused = cache.upload("spam-1.0-py3-none-any.whl", zip_bytes(wheel_parts()), index="cache")
    assert (refused.status, refused.json()["code"]) == (403, "index-takes-no-files")


def test_only_what_is_kept_is_in_the_list(cache: InProcess, upstream: Upstream) -> None:
    upstream.add()
    upstream.add("eggs")
    page(cache)
    assert [each["name"] for each in cache.get("/cache/simple/", accept=JSON).json()["projects"]] == ["spam"]


@pytest.mark.slow
def test_one_accord_before_another_before_an_upstream(
    tmp_path: Path, cache: InProcess, upstream: Upstream
) -> None:
    filename, content = upstream.add(metadata=b"Metadata-Version: 2.1\nName: spam\nVersion: 1.0\n")
    (tmp_path / "middle").mkdir()
    with Served(str(tmp_path / "middle" / "data")) as middle:
        with InProcess.open(middle.folder) as there:
            make(there, "cache", upstream.url)
        make(cache, "far", f"{middle.url}/cache/simple")
        assert names(page(cache, at="/far")) == [filename]
        assert cache.get(f"/far/files/spam/{filename}").body == content
        assert cache.get(f"/far/files/spam/{filename}.metadata").status == 200
    assert len(upstream.targets("/files/")) == 2
