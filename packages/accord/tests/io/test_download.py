"""Downloads: whole or not at all, taken up again where they broke."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accord.io.http import Client, HttpLimits, HttpOptions
from accord.testing.loopback import Asked, Loopback, reply
from accord_core.errors import RepositoryError

CONTENT = bytes(range(256)) * 20_000  # 5 MB
SHA = {"sha256": hashlib.sha256(CONTENT).hexdigest()}
NAME = "spam-1.0-py3-none-any.whl"


class Server:
    """Serves ``CONTENT`` and breaks off after each of ``cuts`` bytes, once per cut."""

    def __init__(self, *cuts: int, ranges: bool = True, etag: str | None = '"v1"') -> None:
        self.cuts = list(cuts)
        self.ranges = ranges
        self.etag = etag
        self.content = CONTENT
        self.server = Loopback(self.answer)

    def answer(self, asked: Asked) -> bytes:
        headers = {} if self.etag is None else {"ETag": self.etag}
        first, status = 0, 200
        wanted = asked.headers.get("range")
        current = asked.headers.get("if-range", self.etag) == self.etag
        if wanted and self.ranges and current:
            first, status = int(wanted.removeprefix("bytes=").rstrip("-")), 206
            headers["Content-Range"] = f"bytes {first}-{len(self.content) - 1}/{len(self.content)}"
        body = self.content[first:]
        if self.cuts:
            cut = self.cuts.pop(0)
            return reply(
                body[:cut], status=status, headers={**headers, "Connection": "close"}, length=len(body)
            )
        return reply(body, status=status, headers=headers)


@pytest.fixture
def start() -> Iterator[Callable[[Server], str]]:
    running: list[Server] = []

    def begin(server: Server) -> str:
        server.server.__enter__()
        running.append(server)
        return f"{server.server.url}/files/{NAME}"

    yield begin
    for server in running:
        server.server.__exit__()


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(HttpOptions(timeout=5, retries=2), environ={}, sleep=lambda seconds: None) as made:
        yield made


def ranges(server: Server) -> list[str | None]:
    return [asked.headers.get("range") for asked in server.server.asked]


def refused(client: Client, url: str, into: Path, **how: object) -> str:
    with pytest.raises(RepositoryError) as caught:
        client.download(url, str(into), **how)  # type: ignore[arg-type]
    assert os.listdir(into) == []
    return caught.value.code


def test_a_file_arrives_under_its_name_with_progress(
    start: Callable[[Server], str], client: Client, tmp_path: Path
) -> None:
    seen: list[int] = []
    url = start(Server())
    path = client.download(url, str(tmp_path), hashes=SHA, size=len(CONTENT), progress=seen.append)
    assert path == str(tmp_path / NAME)
    assert Path(path).read_bytes() == CONTENT
    assert sum(seen) == len(CONTENT)
    assert os.listdir(tmp_path) == [NAME]
    assert os.stat(path).st_mode & 0o777 == 0o644 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_nothing_is_visible_under_the_name_until_all_is_there(
    start: Callable[[Server], str], client: Client, tmp_path: Path
) -> None:
    listings: set[tuple[str, ...]] = set()

    def look(count: int) -> None:
        listings.add(tuple(os.listdir(tmp_path)))

    client.download(start(Server()), str(tmp_path), hashes=SHA, progress=look)
    assert listings
    assert all(NAME not in listing and listing[0].startswith(".") for listing in listings)


def test_a_broken_download_goes_on_where_it_broke(
    start: Callable[[Server], str], client: Client, tmp_path: Path
) -> None:
    server, seen = Server(1_000_000, 2_000_000), list[int]()
    path = client.download(start(server), str(tmp_path), hashes=SHA, progress=seen.append)
    assert Path(path).read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=1000000-", "bytes=3000000-"]
    assert [asked.headers.get("if-range") for asked in server.server.asked] == [None, '"v1"', '"v1"']
    assert sum(seen) == len(CONTENT)


def test_a_server_without_ranges_is_read_again_from_the_start(
    start: Callable[[Server], str], client: Client, tmp_path: Path
) -> None:
    server, seen = Server(1_000_000, ranges=False), list[int]()
    path = client.download(start(server), str(tmp_path), hashes=SHA, progress=seen.append)
    assert Path(path).read_bytes() == CONTENT
    assert sum(seen) == len(CONTENT)


def test_a_file_that_changed_meanwhile_is_read_again_from_the_start(
    start: Callable[[Server], str], client: Client, tmp_path: Path
) -> None:
    server = Server(1_000_000)
    url = start(server)
    old, server.content = server.content, b"0" * len(CONTENT)
    real = server.answer

    def change(asked: Asked) -> bytes:
        answer = real(asked)
        server.content, server.etag = old, '"v2"'
        return answer

    server.server._answer = change
    path = client.download(url, str(tmp_path), hashes=SHA)
    assert Path(path).read_bytes() == CONTENT


def test_without_anything_to_name_the_version_the_hash_decides(
    start: Callable[[Server], str], client: Client, tmp_path: Path
) -> None:
    server = Server(1_000_000, etag=None)
    path = client.download(start(server), str(tmp_path), hashes=SHA)
    assert Path(path).read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=1000000-"]


def test_two_halves_of_two_files_are_noticed_and_read_again(
    start: Callable[[Server], str], client: Client, tmp_path: Path
) -> None:
    server = Server(1_000_000, etag=None)
    url = start(server)
    old, server.content = server.content, b"0" * len(CONTENT)
    real = server.answer

    def change(asked: Asked) -> bytes:
        answer = real(asked)
        server.content = old
        return answer

    server.server._answer = change
    path = client.download(url, str(tmp_path), hashes=SHA)
    assert Path(path).read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=1000000-", None]


def test_a_file_that_keeps_breaking_is_given_up_and_leaves_nothing(
    start: Callable[[Server], str], client: Client, tmp_path: Path
) -> None:
    server = Server(*[10] * 50)
    assert refused(client, start(server), tmp_path, hashes=SHA) == "download-truncated"
    assert len(server.server.asked) == 3


def test_a_long_file_over_a_bad_line_is_not_given_up_while_it_grows(
    start: Callable[[Server], str], client: Client, tmp_path: Path
) -> None:
    server = Server(*[1024 * 1024] * 4)  # four breaks, two retries allowed
    path = client.download(start(server), str(tmp_path), hashes=SHA)
    assert Path(path).read_bytes() == CONTENT


def test_another_content_is_refused(start: Callable[[Server], str], client: Client, tmp_path: Path) -> None:
    server = Server()
    server.content = CONTENT[:-1] + b"!"
    assert refused(client, start(server), tmp_path, hashes=SHA) == "hash-mismatch"


def test_every_known_hash_is_checked_and_unknown_ones_alone_are_not_enough(
    start: Callable[[Server], str], client: Client, tmp_path: Path
) -> None:
    url = start(Server())
    md5 = hashlib.md5(CONTENT).hexdigest()
    assert refused(client, url, tmp_path, hashes={**SHA, "md5": "0" * 32}) == "hash-mismatch"
    assert refused(client, url, tmp_path, hashes={"crc32": "00000000"}) == "hash-unknown"
    assert client.download(url, str(tmp_path), hashes={**SHA, "md5": md5.upper(), "crc32": "0"})


@pytest.mark.parametrize("size", [len(CONTENT) - 1, len(CONTENT) + 1])
def test_another_size_than_announced_is_refused(
    start: Callable[[Server], str], client: Client, tmp_path: Path, size: int
) -> None:
    assert refused(client, start(Server()), tmp_path, hashes=SHA, size=size) == "size-mismatch"


def test_the_limit_of_a_download_is_exact(start: Callable[[Server], str], tmp_path: Path) -> None:
    url = start(Server())
    options = HttpOptions(timeout=5, retries=0)
    with Client(options, environ={}, limits=HttpLimits(download=len(CONTENT))) as enough:
        os.unlink(enough.download(url, str(tmp_path), hashes=SHA))
    with Client(options, environ={}, limits=HttpLimits(download=len(CONTENT) - 1)) as short:
        assert refused(short, url, tmp_path, hashes=SHA) == "answer-too-large"


@pytest.mark.parametrize(
    ("spare", "size", "code"), [(0, None, ""), (-1, None, "answer-too-large"), (-1, len(CONTENT), "")]
)
def test_a_limit_of_ones_own_is_for_what_was_not_announced(
    start: Callable[[Server], str], client: Client, tmp_path: Path, spare: int, size: int | None, code: str
) -> None:
    named = {"hashes": SHA, "size": size, "limit": len(CONTENT) + spare}
    url = start(Server())
    if code:
        assert refused(client, url, tmp_path, **named) == code
    else:
        assert client.download(url, str(tmp_path), **named)  # type: ignore[arg-type]


def test_no_announcement_lifts_the_limit_of_a_download(
    start: Callable[[Server], str], tmp_path: Path
) -> None:
    limits = HttpLimits(download=len(CONTENT) - 1)
    with Client(HttpOptions(timeout=5, retries=0), environ={}, limits=limits) as short:
        assert refused(short, start(Server()), tmp_path, hashes=SHA, size=10**15) == "answer-too-large"


def test_a_missing_file_is_said_to_be_missing(client: Client, tmp_path: Path) -> None:
    with Loopback(lambda asked: reply(status=404)) as server:
        assert refused(client, f"{server.url}/{NAME}", tmp_path) == "file-missing"


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "", "a\\b", "nul\0"])
def test_a_name_that_is_no_file_name_is_refused(client: Client, tmp_path: Path, name: str) -> None:
    assert refused(client, "http://index.example/x", tmp_path, name=name) == "file-name"


def test_a_name_hidden_in_a_url_by_percent_signs_is_refused(client: Client, tmp_path: Path) -> None:
    assert refused(client, "http://index.example/files/..%2f..%2fevil.whl", tmp_path) == "file-name"


def test_an_interrupted_download_leaves_nothing(
    start: Callable[[Server], str], client: Client, tmp_path: Path
) -> None:
    def interrupt(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.download(start(Server()), str(tmp_path), hashes=SHA, progress=interrupt)
    assert os.listdir(tmp_path) == []


def test_a_file_already_there_is_replaced_whole(
    start: Callable[[Server], str], client: Client, tmp_path: Path
) -> None:
    (tmp_path / NAME).write_bytes(b"old")
    path = client.download(start(Server()), str(tmp_path), hashes=SHA)
    assert Path(path).read_bytes() == CONTENT
