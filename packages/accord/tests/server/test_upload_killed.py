"""``kill -9`` in the middle of uploads by form: at every named step, and at random moments under load from many clients.

Afterwards everything acknowledged is there and right, nothing half-published is to be seen, the index starts, and what was
left lying is gone once it was cleaned.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from accord.server.catalogue import blobs
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.installing import dies_at, steps_of
from accord.testing.serving import InProcess, Served, basic, form

JSON = "application/vnd.pypi.simple.v1+json"
WHEEL = zip_bytes(wheel_parts())
NAME = "spam-1.0-py3-none-any.whl"

STEPS = (
    "upload-received",
    "blob-durable",
    "blob-place",
    "blob-placed",
    "upload-enter",
    "database-commit",
    "database-committed",
    "upload-acknowledge",
)
"""The table in docs/explanation/server.md says of each what is there when a process dies at it."""


def opened(folder: Path, token: str) -> InProcess:
    """As after a start."""
    index = InProcess.open(str(folder))
    index.token = token
    return index


def first(folder: Path) -> str:
    with InProcess.open(str(folder)) as index:
        return index.token


def upload(folder: Path, token: str) -> None:
    with opened(folder, token) as index:
        assert index.upload(NAME, WHEEL).status == 200


def left_lying(folder: Path) -> list[str]:
    """Files that were being received or put, of processes that have ended."""
    return [
        str(path)
        for place in (folder / "incoming", folder / "blobs" / ".aside")
        for path in place.rglob("*")
        if path.is_file() and path.name != ".lock"
    ]


def test_the_steps_of_an_upload_are_those_of_the_table(tmp_path: Path) -> None:
    token = first(tmp_path / "data")
    with opened(tmp_path / "data", token) as index:
        said = steps_of(lambda: index.upload(NAME, WHEEL))
    assert tuple(dict.fromkeys(said)) == STEPS
    page = Path(__file__).parents[4] / "docs" / "explanation" / "server.md"
    assert all(f"`{step}`" in page.read_text() for step in STEPS)


def test_killed_at_any_step_an_upload_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    number = 0
    while True:
        folder = tmp_path / str(number)
        token = first(folder)
        killed = dies_at(number, lambda folder=folder, token=token: upload(folder, token))  # type: ignore[misc]
        with opened(folder, token) as index:
            whole(index)
            assert index.upload(NAME, WHEEL).status == 200
            assert whole(index)
            assert left_lying(folder) == []
            with index.parts.database.write("system") as writing:
                blobs.release(writing, index.parts.storage, index.parts.storage.digests())
            assert len(list(index.parts.storage.digests())) == 2  # the wheel and its metadata
            assert whole(index)
        if not killed:
            break
        number += 1
    assert number >= len(STEPS)


def whole(index: InProcess) -> bool:
    """Whether the file is to be seen; if it is, it is there with everything."""
    page = index.get("/simple/spam/", accept=JSON)
    files = page.json()["files"] if page.status == 200 else []
    if not files:
        assert index.get(f"/files/spam/{NAME}").status == 404
        return False
    [file] = files
    assert file["hashes"]["sha256"] == hashlib.sha256(WHEEL).hexdigest()
    assert index.get(f"/files/spam/{NAME}").body == WHEEL
    metadata = index.get(f"/files/spam/{NAME}.metadata").body
    assert hashlib.sha256(metadata).hexdigest() == file["core-metadata"]["sha256"]
    return True


# -- a served index, under load -------------------------------------------------------------------------


def send(served: Served, filename: str, content: bytes) -> int:
    """The status; ``OSError`` where the server died meanwhile."""
    body, kind = form({":action": "file_upload"}, filename, content)
    request = urllib.request.Request(
        f"{served.url}/legacy/", body, {"content-type": kind, **basic(served.token)}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def project(number: int) -> tuple[str, bytes]:
    name = f"p{number}x"
    content = zip_bytes(wheel_parts({f"{name}/a.py": os.urandom(2_000)}, name=name))
    return f"{name}-1.0-py3-none-any.whl", content


def page(served: Served, name: str) -> dict[str, str]:
    request = urllib.request.Request(f"{served.url}/simple/{name}/", headers={"accept": JSON})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return {one["filename"]: one["hashes"]["sha256"] for one in json.load(answer)["files"]}
    except urllib.error.HTTPError as refused:
        refused.close()
        return {}


@pytest.mark.slow
def test_killed_under_load_an_index_keeps_what_it_acknowledged_and_shows_no_half(tmp_path: Path) -> None:
    chance = random.Random(36)
    sent: dict[str, bytes] = {}
    good: set[str] = set()
    numbers = iter(range(100_000))

    def work(served: Served) -> None:
        while True:
            filename, content = project(next(numbers))
            sent[filename] = content
            try:
                status = send(served, filename, content)
            except (OSError, ValueError):
                return  # killed
            except Exception as broken:  # half an answer
                assert type(broken).__module__ == "http.client", broken
                return
            assert status == 200
            good.add(filename)

    with Served(str(tmp_path / "data"), workers=2) as served:
        for _ in range(5):
            threads = [threading.Thread(target=work, args=(served,)) for _ in range(6)]
            for thread in threads:
                thread.start()
            enough = len(good) + chance.randint(5, 30)
            while len(good) < enough:
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.05))
            served.kill()
            for thread in threads:
                thread.join(60)
            served.start()
            for filename, content in sent.items():
                seen = page(served, filename.partition("-")[0])
                assert seen in ({}, {filename: hashlib.sha256(content).hexdigest()})
                assert seen or filename not in good, f"{filename} was acknowledged and is gone"
            for filename in chance.sample(sorted(good), 10):
                url = f"{served.url}/files/{filename.partition('-')[0]}/{filename}"
                with urllib.request.urlopen(url, timeout=30) as answer:
                    assert answer.read() == sent[filename]
            assert left_lying(tmp_path / "data") == []
            assert served.fsck()["faults"] == []
        for filename in sorted(sent.keys() - good):
            assert send(served, filename, sent[filename]) == 200


@pytest.mark.slow
def test_of_two_files_that_want_one_name_at_once_exactly_one_wins_over_all_processes(tmp_path: Path) -> None:
    with Served(str(tmp_path / "data"), workers=2) as served:
        for round_number in range(10):
            name = f"q{round_number}x"
            filename = f"{name}-1.0-py3-none-any.whl"
            rivals = [
                zip_bytes(wheel_parts({f"{name}/a.py": b"%d" % number}, name=name)) for number in range(12)
            ]
            statuses: dict[int, int] = {}
            barrier = threading.Barrier(24)

            def rush(number: int, filename: str = filename, content: bytes = b"") -> None:
                barrier.wait()  # noqa: B023 - the threads of one round
                statuses[number] = send(served, filename, content)  # noqa: B023

            # Each of the twelve comes twice: whoever wins, wins twice, and the second time is no change.
            threads = [
                threading.Thread(target=rush, args=(number, filename, rivals[number % 12]))
                for number in range(24)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            won = {number % 12 for number, status in statuses.items() if status == 200}
            assert len(statuses) == 24
            assert len(won) == 1
            # 503: its bytes were just thrown away with a rival's that are the same.
            assert all(status in (200, 409, 503) for status in statuses.values()), statuses
            assert send(served, filename, rivals[min(won)]) == 200
            assert send(served, filename, rivals[min(won) - 1]) == 409
            assert page(served, name) == {filename: hashlib.sha256(rivals[won.pop()]).hexdigest()}
