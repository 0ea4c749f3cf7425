"""Files that were sent once are sent again without asking anybody: the same bytes and headers, and no longer than they may be."""

from __future__ import annotations

import hashlib
import os
import urllib.request
from typing import TYPE_CHECKING

import pytest

from accord.cli.main import main
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.people import call, hide, put, wheel
from accord.testing.serving import InProcess, Served, basic

if TYPE_CHECKING:
    from pathlib import Path

FILE, BYTES = wheel()
PATH = f"/files/spam/{FILE}"
METADATA = f"{PATH}.metadata"
KEPT = 32 << 10  # bytes up to which a file lies on the shelf itself


def shelved(index: InProcess, path: str) -> bool:
    return index.parts.shelf.current() and index.parts.shelf.find(path) is not None


@pytest.mark.parametrize("path", [PATH, METADATA, f"/main{PATH}", f"/packages/main/spam/{FILE}"])
def test_the_second_answer_is_the_first_from_the_shelf(index: InProcess, path: str) -> None:
    put(index)
    first = index.get(path)
    assert first.status == 200
    assert shelved(index, path)
    again = index.get(path)
    assert "x-request-id" not in again.headers, "it went through the application"
    assert (again.status, again.body) == (200, first.body)
    assert {**again.headers, "x-request-id": first.headers["x-request-id"]} == first.headers


def test_head_and_unchanged_and_parts_are_answered_as_before(index: InProcess) -> None:
    put(index)
    etag = index.get(PATH).headers["etag"]
    assert shelved(index, PATH)
    head = index.request("HEAD", PATH)
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(BYTES)))
    unchanged = index.get(PATH, if_none_match=etag)
    assert (unchanged.status, unchanged.body) == (304, b"")
    assert "content-length" not in unchanged.headers
    assert unchanged.headers["cache-control"] == "max-age=31536000, immutable, public, s-maxage=600"
    part = index.get(PATH, range="bytes=1-4")
    assert (part.status, part.body) == (206, BYTES[1:5])
    assert index.get(PATH, range=f"bytes={len(BYTES)}-").status == 416


def test_what_is_withdrawn_or_turns_private_is_sent_to_nobody_more(index: InProcess) -> None:
    put(index)
    put(index, version="2.0")
    later = PATH.replace("1.0", "2.0")
    assert index.get(PATH).status == index.get(later).status == 200
    withdrawn = {"version": "1.0", "cause": "safety", "reason": "x"}
    assert call(index, "POST", "/api/indexes/main/projects/spam/withdraw", withdrawn).status == 201
    assert index.get(PATH).status == 410
    assert index.get(later).status == 200
    assert shelved(index, later)
    hide(index, "main/spam")
    assert index.get(later).status in (401, 404)
    assert index.request("GET", later, basic(index.token)).status == 200
    assert not shelved(index, later), "what not everybody may have does not lie on the shelf"
    assert index.get(later).status in (401, 404)


def test_a_file_in_quarantine_is_not_sent(index: InProcess) -> None:
    put(index)
    index.get(PATH)
    status = {"status": "quarantined", "reason": "under review"}
    assert call(index, "PUT", "/api/indexes/main/projects/spam/status", status).status == 200
    assert index.get(PATH).status == 403


def test_who_says_who_he_is_is_asked_whether_he_is(index: InProcess) -> None:
    put(index)
    index.get(PATH)
    assert shelved(index, PATH)
    assert index.request("GET", PATH, basic("pypi-forged")).status == 401
    assert index.request("GET", PATH, basic(index.token)).body == BYTES


def test_another_spelling_of_the_path_takes_no_room(index: InProcess) -> None:
    put(index)
    assert index.get(PATH.replace("/spam/", "/SPAM/")).body == BYTES
    assert not shelved(index, PATH.replace("/spam/", "/SPAM/"))
    assert index.get(PATH.replace("/spam/", "/eggs/")).status == 404


@pytest.mark.parametrize("path", [PATH, METADATA])
def test_a_small_file_whose_bytes_are_damaged_is_refused_and_does_not_lie_on_the_shelf(
    index: InProcess, path: str
) -> None:
    put(index)
    digest = hashlib.sha256(BYTES if path == PATH else index.get(METADATA).body).hexdigest()
    index.parts.shelf._pages.clear()
    place = index.parts.storage.path(digest)
    assert place is not None
    with open(place, "r+b") as file:
        file.write(b"!")
    refused = index.get(path)
    assert (refused.status, refused.json()["code"]) == (500, "blob-missing")
    assert not shelved(index, path)


def test_the_shelf_has_one_limit_for_pages_and_files(tmp_path: Path) -> None:
    with InProcess.open(str(tmp_path / "data")) as index:
        for number in range(3):
            put(index, version=f"{number}.0")
        index.parts.shelf._most = 2 * 2048 + 2 * len(BYTES) + 100
        paths = [PATH.replace("1.0", f"{number}.0") for number in range(3)]
        for path in paths:
            assert index.get(path).status == 200
        assert [shelved(index, path) for path in paths] == [False, True, True]


@pytest.mark.slow
def test_small_files_are_kept_and_large_ones_sent_from_where_they_lie(served: Served) -> None:
    for size in (KEPT - 5_000, 3 * KEPT):
        name = f"large-{size}.0-py3-none-any.whl"
        parts = wheel_parts({"large.py": b"#" + os.urandom(size)}, name="large", version=f"{size}.0")
        content = zip_bytes(parts)
        assert (len(content) <= KEPT) is (size < KEPT)
        assert served.upload(name, content).status == 200
        for _ in range(3):
            with urllib.request.urlopen(f"{served.url}/files/large/{name}", timeout=20) as answer:
                assert hashlib.sha256(answer.read()).digest() == hashlib.sha256(content).digest()
                assert int(answer.headers["content-length"]) == len(content)


@pytest.mark.parametrize("location", ["stored", "/stored", "/sto red/", "/../", "//", "/a\n/"])
def test_the_inner_location_of_the_web_server_in_front_is_a_plain_one(
    location: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", f"--accel-redirect={location}"]) == 2
    assert "--accel-redirect" in capsys.readouterr().err
