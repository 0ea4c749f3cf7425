"""An index over HTTP: forms, freshness, and metadata the cheapest way."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accord.io.http import Client, HttpLimits, HttpOptions
from accord.repositories.decode import parse
from accord.repositories.http import HttpRepository
from accord.testing.indexes import MadeUp, wheel
from accord.testing.loopback import Asked, Loopback, reply
from accord_core.errors import RepositoryError
from accord_core.index.model import File
from accord_core.index.negotiate import JSON
from accord_core.index.parse import parse_page

URL = "https://index.example/simple/spam/"
Start = Callable[[Callable[[Asked], bytes | None]], tuple[HttpRepository, Loopback]]


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def start(notes: list[str]) -> Iterator[Start]:
    servers: list[Loopback] = []
    client = Client(HttpOptions(retries=0, timeout=5), environ={}, note=notes.append)

    def begin(answer: Callable[[Asked], bytes | None]) -> tuple[HttpRepository, Loopback]:
        server = Loopback(answer).__enter__()
        servers.append(server)
        return HttpRepository(f"{server.url}/simple/", client, now=lambda: 1000.0), server

    yield begin
    client.close()
    for server in servers:
        server.__exit__()


def test_json_is_asked_for_and_html_is_understood(start: Start) -> None:
    repository, server = start(
        lambda asked: reply(b'<a href="spam-1.0.zip">', headers={"Content-Type": "text/html"})
    )
    page = repository.page("spam", None, None).page
    assert page is not None
    assert page.files[0].url == f"{server.url}/simple/spam/spam-1.0.zip"
    assert server.asked[0].headers["accept"].startswith("application/vnd.pypi.simple.v1+json, ")


def packed(body: bytes) -> bytes:
    return reply(body, headers={"Content-Type": JSON, "Content-Encoding": "gzip"})


def test_a_page_in_gzip_stays_so_until_it_is_read(start: Start) -> None:
    body = json.dumps({"name": "spam", "files": [], "meta": {"api-version": "1.0"}}).encode()
    repository, server = start(lambda asked: packed(gzip.compress(body)))
    raw = repository.page("spam", None, None).raw
    assert raw is not None
    assert raw.packed and raw.body == gzip.compress(body)
    assert raw.open() == body
    assert len(server.asked) == 1


def test_a_page_that_came_damaged_is_asked_for_once_more(start: Start) -> None:
    body = json.dumps({"name": "spam", "files": [], "meta": {"api-version": "1.0"}}).encode()
    answers = [packed(gzip.compress(body)[:-4]), packed(gzip.compress(body))]
    repository, server = start(lambda asked: answers.pop(0))
    raw = repository.page("spam", None, None).raw
    assert raw is not None
    assert raw.open() == body
    assert raw.open() == body
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"no gzip at all", "index-protocol"),
        (gzip.compress(b"{}")[:-4], "index-protocol"),
        (gzip.compress(b"\0" * 3_000_000), "answer-too-large"),  # by ratio, over a megabyte
    ],
    ids=["no gzip", "cut short", "bomb"],
)
def test_a_page_that_cannot_be_opened_is_a_coded_error(start: Start, body: bytes, code: str) -> None:
    repository, _ = start(lambda asked: packed(body))
    raw = repository.page("spam", None, None).raw
    assert raw is not None
    with pytest.raises(RepositoryError) as caught:
        raw.open()
    assert caught.value.code == code


def test_links_are_relative_to_where_a_redirect_led(start: Start) -> None:
    def answer(asked: Asked) -> bytes:
        if asked.target.startswith("/simple"):
            return reply(status=301, headers={"Location": "/mirror/pages/spam/"})
        return reply(b'<a href="../files/spam-1.0.zip">', headers={"Content-Type": "text/html"})

    repository, server = start(answer)
    page = repository.page("spam", None, None).page
    assert page is not None
    assert page.files[0].url == f"{server.url}/mirror/pages/files/spam-1.0.zip"


def test_how_long_a_page_holds_is_what_the_index_says_or_a_minute_with_a_note(
    start: Start, notes: list[str]
) -> None:
    index = MadeUp()
    index.add("spam", *wheel("spam", "1.0"))
    repository, _ = start(index.answer)
    assert repository.page("spam", None, None).expires == 1600.0
    assert notes == []
    silent, _ = start(lambda asked: reply(b"", headers={"Content-Type": "text/html"}))
    assert silent.page("spam", None, None).expires == 1060.0
    silent.page("spam", None, None)
    assert len(notes) == 1
    assert "does not say how long" in notes[0]


def test_a_304_keeps_the_validators_it_leaves_out(start: Start) -> None:
    repository, _ = start(lambda asked: reply(status=304, headers={"Cache-Control": "max-age=5"}))
    answer = repository.page("spam", '"tag"', "a date")
    assert (answer.state, answer.etag, answer.last_modified, answer.expires) == (
        "unchanged",
        '"tag"',
        "a date",
        1005.0,
    )


def test_a_304_nobody_asked_for_is_refused(start: Start) -> None:
    repository, _ = start(lambda asked: reply(status=304))
    with pytest.raises(RepositoryError) as caught:
        repository.page("spam", None, None)
    assert caught.value.code == "index-unexpected-status"


def big_wheel() -> tuple[str, bytes]:
    """A wheel too large to be taken whole where a range was asked for."""
    import random

    from accord.testing.archives import wheel_parts, zip_bytes

    noise = random.Random(1).randbytes(3_000_000)
    return "spam-1.0-py3-none-any.whl", zip_bytes(wheel_parts({"spam/noise.bin": noise}))


@pytest.mark.parametrize("sized", [True, False])
def test_metadata_comes_from_a_few_bytes_at_the_end(start: Start, sized: bool) -> None:
    index, (name, content) = MadeUp(), big_wheel()
    index.add("spam", name, content)
    repository, server = start(index.answer)
    page = repository.page("spam", None, None).page
    assert page is not None
    file = page.files[0]
    if not sized:
        file.size = None
    metadata = repository.metadata(file)
    assert metadata is not None
    assert metadata.startswith(b"Metadata-Version: ")
    assert all("range" in asked.headers for asked in server.asked[1:])
    assert len(server.asked) <= 4


def test_a_server_without_ranges_gives_the_whole_wheel_and_is_remembered(
    start: Start, notes: list[str]
) -> None:
    name, content = big_wheel()
    repository, server = start(lambda asked: reply(content))
    file = File(name, f"{server.url}/files/{name}", {"sha256": hashlib.sha256(content).hexdigest()})
    for _ in range(2):
        metadata = repository.metadata(file)
        assert metadata is not None
        assert b"Name: spam" in metadata
    assert ["range" in asked.headers for asked in server.asked] == [True, False, False]
    assert any("does not answer requests for ranges" in note for note in notes)


@pytest.mark.parametrize("spare", [0, -1])
def test_how_much_is_fetched_only_for_its_metadata_has_a_limit(
    spare: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """32 GiB may be a wheel somebody asked for, and never what a resolve looks into in passing."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    name, content = big_wheel()
    options, limits = HttpOptions(retries=0, timeout=5), HttpLimits(whole=len(content) + spare)
    with (
        Loopback(lambda asked: reply(content)) as server,
        Client(options, environ={}, limits=limits) as client,
    ):
        repository = HttpRepository(f"{server.url}/simple/", client, now=lambda: 1000.0)
        file = File(name, f"{server.url}/files/{name}", {})
        if spare == 0:
            assert repository.metadata(file) is not None
        else:
            with pytest.raises(RepositoryError) as caught:
                repository.metadata(file)
            assert caught.value.code == "answer-too-large"
            file.size = len(content)
            assert repository.metadata(file) is not None, "what is announced is known beforehand"
    assert os.listdir(tmp_path) == []


def test_a_small_wheel_that_comes_whole_is_used_as_it_came(start: Start) -> None:
    name, content = wheel("spam", "1.0")
    repository, server = start(lambda asked: reply(content))
    assert repository.metadata(File(name, f"{server.url}/{name}", {})) is not None
    assert len(server.asked) == 1


def test_announced_metadata_that_is_not_there_is_read_from_the_wheel(start: Start, notes: list[str]) -> None:
    index = MadeUp()
    name, content = wheel("spam", "1.0")
    index.add("spam", name, content, metadata=b"announced")
    del index.metadata[name]
    repository, _ = start(index.answer)
    page = repository.page("spam", None, None).page
    assert page is not None
    metadata = repository.metadata(page.files[0])
    assert metadata is not None
    assert b"Name: spam" in metadata
    assert "was announced and is not there" in notes[0]


def test_a_wheel_that_is_gone_is_missing_and_not_without_ranges(start: Start) -> None:
    repository, server = start(lambda asked: reply(status=404))
    with pytest.raises(RepositoryError) as caught:
        repository.metadata(File("spam-1.0-py3-none-any.whl", f"{server.url}/x.whl", {}))
    assert caught.value.code == "file-missing"


# ---------------------------------------------------------------- the fast decoder says what the careful one says

_SCALAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 10),
    st.sampled_from(["", "a", "../../f/x.whl", "https://h/x.whl", "ab" * 32]),
)
_ENTRY = st.fixed_dictionaries(
    {},
    optional={
        key: st.one_of(_SCALAR, st.dictionaries(st.sampled_from(["sha256", "md5"]), _SCALAR, max_size=2))
        for key in (
            "filename", "url", "hashes", "requires-python", "yanked", "size", "upload-time",
            "core-metadata", "dist-info-metadata", "data-dist-info-metadata", "gpg-sig", "provenance", "new",
        )
    },
)  # fmt: skip
_HONEST = st.fixed_dictionaries(
    {
        "filename": st.sampled_from(["spam-1.0.zip", "spam-1.0-py3-none-any.whl"]),
        "url": st.sampled_from(["../../f/x.whl", "https://h/x.whl"]),
        "hashes": st.just({"sha256": "ab" * 32}),
    },
    optional={
        "requires-python": st.sampled_from([None, ">=3"]),
        "yanked": st.sampled_from([True, False, "why", ""]),
        "size": st.integers(0, 9),
        "core-metadata": st.sampled_from([True, False, {"sha256": "cd" * 32}]),
        "dist-info-metadata": st.sampled_from([True, {"sha256": "cd" * 32}]),
    },
)
_DOCUMENT = st.fixed_dictionaries(
    {"files": st.lists(st.one_of(_HONEST, _HONEST, _ENTRY), max_size=4)},
    optional={
        "name": _SCALAR,
        "meta": st.one_of(_SCALAR, st.just({"api-version": "1.1", "_last-serial": 3})),
        "project-status": st.one_of(_SCALAR, st.just({"status": "archived", "reason": "r"})),
        "versions": st.just(["1.0"]),
    },
)


@settings(deadline=None, max_examples=300)
@given(_DOCUMENT)
def test_both_decoders_agree(document: object) -> None:
    body = json.dumps(document).encode()
    careful = parse_page(body, JSON, URL)
    fast = parse(body, JSON, URL)
    both_spellings = b'"core-metadata"' in body and b"dist-info-metadata" in body
    if both_spellings:  # the fast one does not look at the old words where the new one is in use
        for page in (careful, fast):
            for file in page.files:
                file.core_metadata = False
    assert fast == careful


@pytest.mark.parametrize("body", [b"", b"{", b'{"files": [{"filename": "\xff"}]}', b"[" * 100_000])
def test_both_decoders_refuse_alike(body: bytes) -> None:
    with pytest.raises(RepositoryError) as caught:
        parse(body, JSON, URL)
    assert caught.value.code == "index-page-invalid"
