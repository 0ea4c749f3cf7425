"""An object store that answers wrongly: nothing is acknowledged that it does not have, and nothing wrong is given out as whole."""

from __future__ import annotations

import http.client
import os
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs

import pytest

from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.objects import CREDENTIALS
from accord.testing.serving import InProcess, Served

NAME = "spam-1.0-py3-none-any.whl"
WHEEL = zip_bytes(wheel_parts({"spam/data.bin": os.urandom(40_000)}))
FILE = f"/files/spam/{NAME}"


SILENT = 30.0  # seconds: who waited for the store took at least so long


class Store(BaseHTTPRequestHandler):
    """Objects by path.  ``lie`` says what is wrong with its answers."""

    protocol_version = "HTTP/1.1"
    objects: ClassVar[dict[str, bytes]] = {}
    lie = ""

    def log_message(self, *_: object) -> None:
        pass

    def _be_silent(self) -> None:
        """For as long as it lies, up to a limit."""
        end = time.monotonic() + SILENT
        while type(self).lie == "hangs" and time.monotonic() < end:
            time.sleep(0.02)

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["content-length"]))
        if self.lie == "hangs":
            self._be_silent()
        if self.lie == "keeps half":
            data = data[: len(data) // 2]
        path, _, query = self.path.partition("?")
        part = parse_qs(query).get("partNumber")
        self.objects[f"{path}?{part[0]}" if part else path] = data
        self._answer(200, b"")

    def do_POST(self) -> None:
        """A multipart upload begins, or its parts become one object."""
        path = self.path.partition("?")[0]
        self.rfile.read(int(self.headers["content-length"]))
        if "uploadId" not in self.path:
            self._answer(
                200, b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
            )
            return
        parts = sorted(
            (key for key in self.objects if key.startswith(f"{path}?")),
            key=lambda key: int(key.split("?")[1]),
        )
        self.objects[path] = b"".join(self.objects.pop(key) for key in parts)
        self._answer(200, b'<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>')

    def do_HEAD(self) -> None:
        self.do_GET(head=True)

    def do_GET(self, *, head: bool = False) -> None:
        data = self.objects.get(self.path.partition("?")[0])
        if data is None:
            self._answer(404, b"")
            return
        if self.lie == "hangs":
            self._be_silent()
        if self.lie == "lost the end":
            data = data[:-10]
        if self.lie == "other bytes":
            data = bytes(len(data))
        asked = re.match(r"bytes=(\d+)-(\d+)", self.headers.get("range", ""))
        if asked is None or self.lie == "ignores ranges":
            self._answer(200, data, head=head)
            return
        start, last = int(asked[1]), min(int(asked[2]), len(data) - 1)
        span = f"bytes {start}-{last}/{len(data)}"
        piece = b"" if self.lie == "says nothing" else data[start : last + 1]
        self._answer(206, piece, head=head, span=span)

    def _answer(self, status: int, data: bytes, *, head: bool = False, span: str = "") -> None:
        self.send_response(status)
        self.send_header("etag", '"x"')
        self.send_header("last-modified", "Thu, 26 Nov 2026 12:00:00 GMT")
        self.send_header("content-length", str(len(data)))
        if span:
            self.send_header("content-range", span)
        self.end_headers()
        if head:
            return
        if self.lie == "breaks off":
            data, self.close_connection = data[: len(data) // 2], True
        self.wfile.write(data)


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Its URL, as ``--storage`` takes it."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(Store, "objects", {})
    monkeypatch.setattr(ThreadingHTTPServer, "request_queue_size", 200)
    with ThreadingHTTPServer(("127.0.0.1", 0), Store) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"s3://bucket/blobs?endpoint=http://127.0.0.1:{server.server_port}&timeout=2"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("lie", "refused"),
    [
        ("lost the end", (500, "blob-missing")),
        ("other bytes", (500, "blob-missing")),
        ("ignores ranges", (503, "server-storage-unavailable")),
        ("says nothing", (503, "server-storage-unavailable")),
        ("breaks off", (503, "server-storage-unavailable")),
    ],
)
def test_what_is_not_the_file_is_not_given_out_as_the_file(
    tmp_path: Path, storage: str, monkeypatch: pytest.MonkeyPatch, lie: str, refused: tuple[int, str]
) -> None:
    with InProcess.open(str(tmp_path / "data"), storage=storage) as index:
        assert index.upload(NAME, WHEEL).status == 200
        monkeypatch.setattr(Store, "lie", lie)
        reply = index.get(FILE)
        assert (reply.status, reply.json()["code"]) == refused
        assert "immutable" not in reply.headers["cache-control"]
        monkeypatch.setattr(Store, "lie", "")
        assert index.get(FILE).body == WHEEL


def test_a_range_of_a_file_that_is_shorter_than_it_was_is_refused(
    tmp_path: Path, storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with InProcess.open(str(tmp_path / "data"), storage=storage) as index:
        index.upload(NAME, WHEEL)
        assert index.get(FILE, range="bytes=10-99").body == WHEEL[10:100]
        monkeypatch.setattr(Store, "lie", "lost the end")
        assert index.get(FILE, range="bytes=10-99").status == 500


def test_a_file_of_which_the_store_keeps_half_is_not_acknowledged_and_comes_whole_the_next_time(
    tmp_path: Path, storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with InProcess.open(str(tmp_path / "data"), storage=storage) as index:
        monkeypatch.setattr(Store, "lie", "keeps half")
        refused = index.upload(NAME, WHEEL)
        assert (refused.status, refused.json()["code"]) == (503, "server-storage-unavailable")
        assert index.get("/simple/spam/").status == 404
        for path, data in tuple(Store.objects.items()):  # what lies there now is no reason not to store it
            Store.objects[path] = data[:10]
        monkeypatch.setattr(Store, "lie", "")
        assert index.upload(NAME, WHEEL).status == 200
        assert index.get(FILE).body == WHEEL


@pytest.mark.slow
def test_a_large_file_with_wrong_bytes_breaks_off_before_its_end(
    tmp_path: Path, storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = zip_bytes(wheel_parts({"spam/data.bin": os.urandom(9 << 20)}))
    with Served(str(tmp_path / "data"), options=("--storage", storage)) as served:
        assert served.upload(NAME, large).status == 200
        assert served.request("GET", FILE).body == large
        monkeypatch.setattr(Store, "lie", "other bytes")
        with pytest.raises(http.client.IncompleteRead):
            served.request("GET", FILE)


def test_a_file_in_a_folder_that_lost_its_end_is_refused_and_mended_by_the_next_upload(
    tmp_path: Path,
) -> None:
    with InProcess.open(str(tmp_path / "data")) as index:
        index.upload(NAME, WHEEL)
        [sha256] = [
            one for one in index.parts.storage.digests() if index.parts.storage.size(one) == len(WHEEL)
        ]
        path = index.parts.storage.path(sha256)
        assert path is not None
        os.truncate(path, 100)
        assert index.get(FILE).json()["code"] == "blob-missing"
        assert index.upload(NAME, WHEEL).status == 200
        assert index.get(FILE).body == WHEEL


@pytest.mark.slow
def test_downloads_that_wait_for_the_store_leave_threads_for_everything_else(
    tmp_path: Path, storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = storage.replace("timeout=2", "timeout=60")
    with Served(str(tmp_path / "data"), options=("--storage", patient)) as served:
        assert served.upload(NAME, WHEEL).status == 200
        monkeypatch.setattr(Store, "lie", "hangs")
        waiting = [threading.Thread(target=served.request, args=("GET", FILE)) for _ in range(60)]
        for thread in waiting:
            thread.start()
        time.sleep(1)
        start = time.monotonic()
        assert served.request("GET", "/simple/nothing-of-that-name/").status == 404
        assert served.request("GET", "/simple/spam/").status == 200
        assert time.monotonic() - start < SILENT / 2
        monkeypatch.setattr(Store, "lie", "")
        for thread in waiting:
            thread.join()
        assert served.request("GET", FILE).body == WHEEL


@pytest.mark.slow
def test_uploads_that_wait_for_the_store_leave_threads_for_everything_else(
    tmp_path: Path, storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = storage.replace("timeout=2", "timeout=60")
    with Served(str(tmp_path / "data"), options=("--storage", patient)) as served:
        assert served.upload(NAME, WHEEL).status == 200
        monkeypatch.setattr(Store, "lie", "hangs")
        versions = [f"{number}.0" for number in range(2, 62)]
        files = [(f"spam-{one}-py3-none-any.whl", zip_bytes(wheel_parts(version=one))) for one in versions]
        waiting = [threading.Thread(target=served.upload, args=file) for file in files]
        for thread in waiting:
            thread.start()
        time.sleep(2)
        start = time.monotonic()
        assert served.request("GET", "/simple/nothing-of-that-name/").status == 404
        assert time.monotonic() - start < SILENT / 2
        monkeypatch.setattr(Store, "lie", "")
        for thread in waiting:
            thread.join()
        assert served.request("GET", "/simple/spam/").body.count(b"py3-none-any.whl</a>") == 61


@pytest.mark.slow
def test_pages_of_projects_wait_for_a_store_for_a_while_only(
    tmp_path: Path, storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = storage.replace("timeout=2", "timeout=60")
    options = ("--storage", patient, "--limit", "page_storage_seconds=1")
    with Served(str(tmp_path / "data"), options=options) as served:
        assert served.upload(NAME, WHEEL).status == 200
        monkeypatch.setattr(Store, "lie", "hangs")
        answers: list[tuple[int, float]] = []

        def look() -> None:
            start = time.monotonic()
            answers.append((served.request("GET", "/project/spam/").status, time.monotonic() - start))

        waiting = [threading.Thread(target=look) for _ in range(60)]
        for thread in waiting:
            thread.start()
        time.sleep(0.5)
        start = time.monotonic()
        assert served.request("GET", "/simple/nothing-of-that-name/").status == 404
        assert time.monotonic() - start < SILENT / 2
        for thread in waiting:
            thread.join()
        assert {status for status, _ in answers} == {503}
        assert max(seconds for _, seconds in answers) < SILENT / 2
        asked = served.request("GET", "/project/spam/")
        assert asked.headers["retry-after"]
        assert b"server-storage-unavailable" in asked.body
        monkeypatch.setattr(Store, "lie", "")
        end = time.monotonic() + 20
        while served.request("GET", "/project/spam/").status != 200:
            assert time.monotonic() < end
            time.sleep(0.2)
