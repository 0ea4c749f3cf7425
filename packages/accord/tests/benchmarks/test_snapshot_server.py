"""The snapshot server answers as the public index does; asked over real sockets."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from benchmarks.pages import Origins, build, file_path
from benchmarks.server import Limits
from benchmarks.snapshot import seal

from benchmarks import server as server_module

JSON = "application/vnd.pypi.simple.v1+json"
WHEEL = "demo-1.0-py3-none-any.whl"
PAGE = {
    "meta": {"api-version": "1.1"},
    "name": "demo",
    "files": [
        {
            "filename": WHEEL,
            "url": f"https://files.example/packages/ab/{WHEEL}",
            "hashes": {"sha256": "0" * 64},
            "requires-python": ">=3.8",
            "yanked": "broken & bad",
        },
        {
            "filename": "demo-1.0.tar.gz",
            "url": "../../elsewhere/demo-1.0.tar.gz",
            "hashes": {},
            "yanked": False,
        },
    ],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed snapshot of one project: its wheel is longer than what the server writes from memory."""
    folder = tmp_path_factory.mktemp("snapshot")
    (folder / "pages").mkdir()
    (folder / "pages" / "demo.json").write_text(json.dumps(PAGE))
    files = folder / "files" / "0" / "packages" / "ab"
    files.mkdir(parents=True)
    (files / f"{WHEEL}.metadata").write_bytes(b"Metadata-Version: 2.1\n")
    whole = Limits().whole
    (files / WHEEL).write_bytes(bytes(range(256)) * (whole // 256) + b"!")
    (files / "whole").write_bytes(b"w" * whole)
    (folder / "secret").write_text("not for the web")
    assert seal(str(folder), "https://index.example/simple/", Origins(["https://files.example"])) == 1
    return folder


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    command = [sys.executable, str(server_module.__file__), "--snapshot", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        yield int(url.removeprefix("http://127.0.0.1:").removesuffix("/simple/"))
        process.terminate()


@pytest.fixture
def connection(port: int) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    yield connection
    connection.close()


def ask(
    connection: http.client.HTTPConnection, path: str, method: str = "GET", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    connection.request(method, path, headers={key.replace("_", "-"): value for key, value in headers.items()})
    answer = connection.getresponse()
    return answer, answer.read()


def test_a_page_names_its_files_relative_to_itself_and_announces_metadata() -> None:
    forms = build(json.dumps(PAGE).encode(), "https://index.example/simple/demo/", Origins([]), {})
    wheel, sdist = json.loads(gzip.decompress(forms.json.body_gz))["files"]
    assert wheel["url"] == f"../../files/0/packages/ab/{WHEEL}"
    assert wheel["core-metadata"] is True
    assert sdist["url"] == "../../files/1/elsewhere/demo-1.0.tar.gz"
    assert "core-metadata" not in sdist


def test_origins_are_numbered_once() -> None:
    origins = Origins(["https://a.example"])
    assert file_path("https://b.example/x%20y.whl", origins) == "1/x y.whl"
    assert file_path("https://a.example/z.whl", origins) == "0/z.whl"
    assert file_path("https://b.example/z.whl", origins) == "1/z.whl"


def test_json_for_those_who_ask_for_it_html_for_the_rest(connection: http.client.HTTPConnection) -> None:
    answer, body = ask(connection, "/simple/demo/", Accept=f"{JSON}, text/html;q=0.2")
    assert answer.headers["Content-Type"] == JSON
    digest = hashlib.sha256(b"Metadata-Version: 2.1\n").hexdigest()
    assert json.loads(body)["files"][0]["core-metadata"] == {"sha256": digest}
    for accept in ("text/html", "*/*", f"{JSON};q=0.1, text/html"):
        answer, body = ask(connection, "/simple/demo/", Accept=accept)
        assert answer.headers["Content-Type"].startswith("text/html")
    text = body.decode()
    assert f'data-core-metadata="sha256={digest}"' in text
    assert 'data-yanked="broken &amp; bad"' in text
    assert 'data-requires-python="&gt;=3.8"' in text


def test_pages_are_fresh_for_ten_minutes_and_files_for_good(connection: http.client.HTTPConnection) -> None:
    page, _ = ask(connection, "/simple/demo/")
    assert "max-age=600" in page.headers["Cache-Control"]
    assert parsedate_to_datetime(page.headers["Date"]).tzinfo is not None
    file, _ = ask(connection, f"/files/0/packages/ab/{WHEEL}.metadata")
    assert "immutable" in file.headers["Cache-Control"]


def test_gzip_only_when_accepted_and_the_same_page_either_way(
    connection: http.client.HTTPConnection,
) -> None:
    plain, body = ask(connection, "/simple/demo/", Accept=JSON)
    packed, packed_body = ask(connection, "/simple/demo/", Accept=JSON, Accept_Encoding="gzip, br")
    assert plain.headers["Content-Encoding"] is None
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed_body) == body


@pytest.mark.parametrize("path", ["/simple/demo/", f"/files/0/packages/ab/{WHEEL}"])
def test_an_unchanged_document_is_not_sent_again(connection: http.client.HTTPConnection, path: str) -> None:
    etag = ask(connection, path, Accept=JSON)[0].headers["ETag"]
    again, body = ask(connection, path, Accept=JSON, If_None_Match=etag)
    assert (again.status, body) == (304, b"")
    other, body = ask(connection, path, Accept=JSON, If_None_Match='"older"')
    assert other.status == 200
    assert body


def test_json_and_html_have_tags_of_their_own(connection: http.client.HTTPConnection) -> None:
    as_json, _ = ask(connection, "/simple/demo/", Accept=JSON)
    as_html, _ = ask(connection, "/simple/demo/", Accept="text/html")
    assert as_json.headers["ETag"] != as_html.headers["ETag"]


@pytest.mark.parametrize("name", [WHEEL, "whole"])
def test_files_at_both_sides_of_the_sendfile_limit_come_whole(
    connection: http.client.HTTPConnection, folder: Path, name: str
) -> None:
    expected = (folder / "files/0/packages/ab" / name).read_bytes()
    assert len(expected) - Limits().whole == (1 if name == WHEEL else 0)
    for _ in range(2):  # the second answer may come from what the server remembers
        assert ask(connection, f"/files/0/packages/ab/{name}")[1] == expected


@pytest.mark.parametrize(
    ("asked", "start", "stop"), [("bytes=0-99", 0, 100), ("bytes=-1000", -1000, None), ("bytes=5-", 5, None)]
)
def test_byte_ranges(
    connection: http.client.HTTPConnection, folder: Path, asked: str, start: int, stop: int | None
) -> None:
    expected = (folder / "files/0/packages/ab" / WHEEL).read_bytes()[start:stop]
    answer, body = ask(connection, f"/files/0/packages/ab/{WHEEL}", Range=asked)
    assert (answer.status, body) == (206, expected)
    size = Limits().whole + 1
    first = start % size
    assert answer.headers["Content-Range"] == f"bytes {first}-{first + len(expected) - 1}/{size}"


def test_a_range_beyond_the_end_is_refused(connection: http.client.HTTPConnection) -> None:
    answer, _ = ask(connection, f"/files/0/packages/ab/{WHEEL}", Range="bytes=99999999-")
    assert (answer.status, answer.headers["Content-Range"]) == (416, f"bytes */{Limits().whole + 1}")


def test_head_tells_the_length_and_sends_nothing(connection: http.client.HTTPConnection) -> None:
    answer, body = ask(connection, f"/files/0/packages/ab/{WHEEL}", "HEAD")
    assert (int(answer.headers["Content-Length"]), body) == (Limits().whole + 1, b"")


@pytest.mark.parametrize(
    "path", ["/simple/unknown/", "/files/0/none.whl", "/", "/files/../secret", "/files/%2e%2e/secret"]
)
def test_what_the_snapshot_lacks_is_not_found_and_noted(
    connection: http.client.HTTPConnection, path: str
) -> None:
    assert ask(connection, path)[0].status == 404
    assert path in json.loads(ask(connection, "/-/stats")[1])["missed"]


def test_a_page_without_its_slash_is_sent_on(connection: http.client.HTTPConnection) -> None:
    answer, _ = ask(connection, "/simple/demo")
    assert (answer.status, answer.headers["Location"]) == (301, "/simple/demo/")


def test_nothing_can_be_written(connection: http.client.HTTPConnection) -> None:
    assert ask(connection, "/simple/demo/", "DELETE")[0].status == 405


def test_the_count_leaves_out_the_asking_for_it(connection: http.client.HTTPConnection) -> None:
    def count() -> int:
        number: int = json.loads(ask(connection, "/-/stats")[1])["requests"]
        return number

    before = count()
    assert count() == before
    ask(connection, "/simple/demo/")
    assert count() == before + 1


def test_pipelined_requests_are_answered_in_order(port: int) -> None:
    paths = [
        f"/files/0/packages/ab/{WHEEL}",
        "/simple/demo/",
        "/none",
        f"/files/0/packages/ab/{WHEEL}.metadata",
    ]
    sent = "".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n" for path in paths[:-1])
    sent += f"GET {paths[-1]} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        raw.sendall(sent.encode())
        got = b"".join(iter(lambda: raw.recv(65536), b""))
    assert got.count(b"HTTP/1.1 ") == 4
    assert got.index(b"octet-stream") < got.index(b"text/html") < got.index(b"404 Not Found")
    assert got.endswith(b"\r\n\r\nMetadata-Version: 2.1\n")


@pytest.mark.parametrize(("extra", "status"), [(0, b"200 OK"), (1, b"431 ")])
def test_a_request_head_may_be_as_long_as_its_limit(port: int, extra: int, status: bytes) -> None:
    opening = b"GET /simple/demo/ HTTP/1.1\r\nConnection: close\r\nX: "
    filler = b"x" * (Limits().head - len(opening) - 4 + extra)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        raw.sendall(opening + filler + b"\r\n\r\n")
        assert raw.recv(64).startswith(b"HTTP/1.1 " + status)


def test_an_unsealed_folder_is_refused_with_the_command_that_makes_one(tmp_path: Path) -> None:
    command = [sys.executable, str(server_module.__file__), "--snapshot", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "benchmarks/snapshot.py" in done.stderr
