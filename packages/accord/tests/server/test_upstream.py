"""An index with an upstream: what it answers, and what a slow, lying, broken or absent upstream can do to it."""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accord.server.catalogue import indexes
from accord.server.limits import DEFAULT, Limits
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.indexes import MadeUp, wheel
from accord.testing.loopback import Asked, Loopback, reply
from accord.testing.serving import InProcess, Reply, Served

JSON = "application/vnd.pypi.simple.v1+json"
QUICK = {"upstream_retries": 0, "upstream_seconds": 2.0}


class Upstream:
    """An index on this machine whose answers a test may replace, by the beginning of the path."""

    def __init__(self) -> None:
        self.made = MadeUp()
        self.instead: dict[str, Callable[[Asked], bytes | None]] = {}
        self.server = Loopback(self._answer)

    def _answer(self, asked: Asked) -> bytes | None:
        for beginning, answer in self.instead.items():
            if asked.target.startswith(beginning):
                return answer(asked)
        return self.made.answer(asked)

    @property
    def url(self) -> str:
        return f"{self.server.url}/simple"

    def targets(self, beginning: str = "/") -> list[str]:
        return [asked.target for asked in self.server.asked if asked.target.startswith(beginning)]

    def add(self, name: str = "spam", version: str = "1.0", **more: Any) -> tuple[str, bytes]:
        filename, content = wheel(name, version)
        self.made.add(name, filename, content, **more)
        return filename, content


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    found = Upstream()
    with found.server:
        yield found


@pytest.fixture
def cache(tmp_path: Path, upstream: Upstream) -> Iterator[InProcess]:
    """An index ``cache`` before that upstream; the clock stands still."""
    with InProcess.open(str(tmp_path / "cache"), limits=limits()) as found:
        make(found, "cache", upstream.url)
        yield found


def limits(**more: Any) -> Limits:
    from dataclasses import replace

    return replace(DEFAULT, **{**QUICK, **more})


def make(index: InProcess, name: str, url: str, **settings: Any) -> None:
    with index.parts.database.write("test") as writing:
        indexes.add_index(writing, name, kind="upstream", upstream_url=url, settings=settings)


def stack(index: InProcess, name: str, *bases: str, **settings: Any) -> None:
    with index.parts.database.write("test") as writing:
        rows = tuple(indexes.index_named(writing.connection, base) for base in bases)
        indexes.add_index(writing, name, bases=rows, settings=settings)


def page(index: InProcess, name: str = "spam", at: str = "/cache") -> Reply:
    return index.get(f"{at}/simple/{name}/", accept=JSON)


def names(reply: Reply) -> list[str]:
    return [file["filename"] for file in reply.json()["files"]]


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
    assert (refused.status, refused.json()["code"]) == (403, "index-upstream")


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


# ------------------------------------------------------------ files


def large(upstream: Upstream, *, size: int = 3_000_000) -> tuple[str, bytes]:
    content = hashlib.shake_128(b"large").digest(size)
    upstream.made.add("spam", "spam-1.0-py3-none-any.whl", content)
    return "spam-1.0-py3-none-any.whl", content


def serving(tmp_path: Path, upstream: Upstream, *, workers: int = 1) -> Served:
    served = Served(
        str(tmp_path / "served" / "data"), workers=workers, options=("--limit", "upstream_retries=0")
    )
    (tmp_path / "served").mkdir()
    with InProcess.open(served.folder) as index:
        make(index, "cache", upstream.url)
    return served


def read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        found: bytes = answer.read()
    return found


@pytest.mark.slow
def test_a_wrong_file_is_never_whole_for_a_client_and_never_served_again(
    tmp_path: Path, upstream: Upstream
) -> None:
    filename, content = large(upstream)
    upstream.instead["/files/"] = lambda _: reply(content[:-1] + b"!")
    with serving(tmp_path, upstream) as served:
        read(f"{served.url}/cache/simple/spam/")
        broken(f"{served.url}/cache/files/spam/{filename}")
        del upstream.instead["/files/"]
        with pytest.raises(urllib.error.HTTPError) as refused:
            read(f"{served.url}/cache/files/spam/{filename}")
        assert refused.value.code == 410
        document = json.loads(refused.value.read())
        refused.value.close()
        assert document["code"] == "file-blocked"
        assert filename.encode() not in read(f"{served.url}/cache/simple/spam/")


def broken(url: str) -> None:
    """The transfer of what the URL names begins and does not end well."""
    with pytest.raises((urllib.error.HTTPError, OSError, http.client.IncompleteRead)) as fault:
        read(url)
    if isinstance(fault.value, urllib.error.HTTPError):
        fault.value.close()


@pytest.mark.parametrize("wrong", ["short", "long", "endless"])
def test_a_file_of_another_size_than_announced_is_none(
    cache: InProcess, upstream: Upstream, wrong: str
) -> None:
    filename, content = upstream.add()
    other = {"short": content[:-1], "long": content + b"x", "endless": content * 10_000}[wrong]
    upstream.instead["/files/"] = lambda _: reply(other)
    assert page(cache).status == 200
    assert cache.get(f"/cache/files/spam/{filename}").status == 410
    assert names(page(cache)) == []


@pytest.mark.parametrize("status", [404, 500])
def test_a_file_upstream_does_not_give_now_is_asked_for_again_later(
    cache: InProcess, upstream: Upstream, status: int
) -> None:
    filename, content = upstream.add()
    upstream.instead["/files/"] = lambda _: reply(b"", status=status)
    page(cache)
    assert cache.get(f"/cache/files/spam/{filename}").status == 503
    del upstream.instead["/files/"]
    assert cache.get(f"/cache/files/spam/{filename}").body == content


def test_metadata_that_are_not_those_announced_are_announced_no_more(
    cache: InProcess, upstream: Upstream
) -> None:
    filename, content = upstream.add(metadata=b"Metadata-Version: 2.1\nName: spam\nVersion: 1.0\n")
    upstream.instead[f"/files/{filename}.metadata"] = lambda _: reply(b"Name: evil\n")
    assert "core-metadata" in page(cache).json()["files"][0]
    assert cache.get(f"/cache/files/spam/{filename}.metadata").status == 502
    assert "core-metadata" not in page(cache).json()["files"][0]
    assert cache.get(f"/cache/files/spam/{filename}").body == content


@pytest.mark.slow
def test_many_who_want_one_file_are_one_question_to_upstream(tmp_path: Path, upstream: Upstream) -> None:
    filename, content = large(upstream)
    gate = threading.Event()

    def slowly(asked: Asked) -> bytes | None:
        gate.wait(10)
        return reply(content)

    upstream.instead["/files/"] = slowly
    found: list[bytes] = []
    with serving(tmp_path, upstream, workers=2) as served:
        url = f"{served.url}/cache/files/spam/{filename}"
        read(f"{served.url}/cache/simple/spam/")
        threads = [threading.Thread(target=lambda: found.append(read(url))) for _ in range(12)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        gate.set()
        for thread in threads:
            thread.join(30)
    assert found == [content] * 12
    assert len(upstream.targets("/files/")) == 1


@pytest.mark.slow
def test_the_beginning_of_a_file_is_there_before_its_end(tmp_path: Path, upstream: Upstream) -> None:
    filename, content = large(upstream)
    more = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def half_then_the_rest() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(65536)
                client.sendall(reply(content)[: len(content) // 2])
                more.wait(20)
                client.sendall(reply(content)[len(content) // 2 :])

        threading.Thread(target=half_then_the_rest, daemon=True).start()
        upstream.made.files["spam"][0].url = f"http://127.0.0.1:{listener.getsockname()[1]}/{filename}"
        with serving(tmp_path, upstream) as served:
            read(f"{served.url}/cache/simple/spam/")
            with urllib.request.urlopen(f"{served.url}/cache/files/spam/{filename}", timeout=30) as answer:
                begun = answer.read(1_000_000)
                assert begun == content[:1_000_000]
                more.set()
                assert begun + answer.read() == content


def test_a_range_of_a_file_that_is_not_here_yet(cache: InProcess, upstream: Upstream) -> None:
    filename, content = upstream.add()
    page(cache)
    assert cache.request("HEAD", f"/cache/files/spam/{filename}").headers["content-length"] == str(
        len(content)
    )
    assert upstream.targets("/files/") == []
    part = cache.get(f"/cache/files/spam/{filename}", range="bytes=5-9")
    assert (part.status, part.body) == (206, content[5:10])


@pytest.mark.slow
def test_a_process_that_was_killed_while_it_fetched_leaves_nothing_in_the_way(
    tmp_path: Path, upstream: Upstream
) -> None:
    filename, content = large(upstream)
    hang = threading.Event()

    def never(_: Asked) -> bytes | None:
        hang.wait(20)
        return None

    upstream.instead["/files/"] = never
    with serving(tmp_path, upstream) as served:
        read(f"{served.url}/cache/simple/spam/")
        url = f"{served.url}/cache/files/spam/{filename}"
        thread = threading.Thread(target=broken, args=(url,))
        thread.start()
        while not upstream.targets("/files/"):
            time.sleep(0.02)
        served.kill()
        thread.join(30)
        del upstream.instead["/files/"]
        served.start()
        assert read(url) == content
    hang.set()


# ------------------------------------------------------------ names never mix


def test_a_name_that_somebody_has_in_the_stack_is_never_asked_of_upstream(
    cache: InProcess, upstream: Upstream
) -> None:
    upstream.add("secret", "99.0")
    upstream.add("spam")
    stack(cache, "company", public_only=False)
    stack(cache, "team", "company", "cache")
    own, content = wheel("secret", "1.0")
    assert cache.upload(own, content, index="company").status == 200
    assert names(page(cache, "secret", "/team")) == [own]
    assert cache.get(f"/team/files/secret/{own}").body == content
    assert cache.get("/team/files/secret/secret-99.0-py3-none-any.whl").status == 404
    assert upstream.targets() == []
    assert names(page(cache, "spam", "/team")) == ["spam-1.0-py3-none-any.whl"]
    assert cache.get("/team/files/spam/spam-1.0-py3-none-any.whl").status == 200
    assert upstream.targets("/simple/") == ["/simple/spam/"]


def test_a_name_that_comes_to_be_in_the_stack_hides_the_one_upstream_at_once(
    cache: InProcess, upstream: Upstream
) -> None:
    upstream.add("spam", "99.0")
    stack(cache, "team", "cache")
    assert names(page(cache, "spam", "/team")) == ["spam-99.0-py3-none-any.whl"]
    own, content = wheel("spam", "1.0")
    assert cache.upload(own, content, index="team").status == 200
    assert names(page(cache, "spam", "/team")) == [own]


def test_a_name_in_a_namespace_of_the_stack_is_never_asked_of_upstream(
    cache: InProcess, upstream: Upstream
) -> None:
    from sqlalchemy import insert

    from accord.server.database import tables

    stack(cache, "team", "cache")
    with cache.parts.database.write("test") as writing:
        team = indexes.index_named(writing.connection, "team")
        writing.connection.execute(
            insert(tables.namespace).values(index_id=team.id, prefix="corp", owner_id=1, created=0)
        )
        writing.changed(team.id, "namespace")
    for name in ("corp", "corp-tools"):
        assert page(cache, name, "/team").status == 404
    assert upstream.targets() == []
    assert page(cache, "corpus", "/team").status == 404
    assert upstream.targets() == ["/simple/corpus/"]


def test_a_stranger_to_a_private_index_makes_nobody_ask(cache: InProcess, upstream: Upstream) -> None:
    with cache.parts.database.write("test") as writing:
        indexes.add_index(writing, "closed", kind="upstream", public=False, upstream_url=upstream.url)
    assert page(cache, at="/closed").status == 401
    assert upstream.targets() == []


# ------------------------------------------------------------ what leaves upstream leaves us


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
