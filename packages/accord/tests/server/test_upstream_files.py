"""Files of upstream: fetched once for all, streamed while they come, never whole when they are wrong."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from accord.testing.loopback import Asked, reply
from accord.testing.serving import InProcess
from accord.testing.upstreams import (
    Upstream,
    broken,
    large,
    names,
    page,
    read,
    serving,
)


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
