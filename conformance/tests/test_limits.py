"""What is served and read by the suite itself: as HTTP has it, within limits, and never the end of a run."""

from __future__ import annotations

import io
import socket
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from accord_conformance import built
from accord_conformance.built import read_built
from accord_conformance.processes import Limits
from accord_conformance.serving import fetch
from accord_conformance.site import HTML, JSON, Reply, Site


@contextmanager
def site(page: Reply) -> Iterator[str]:
    served = Site({"/": page})
    try:
        yield served.url + "/"
    finally:
        served.close()


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/*", "text/html"),
        ("text/*;q=0.5, */*;q=0.1", "text/html"),
        ("application/*", HTML),
        (f"text/*;q=0.5, {JSON}", JSON),
        (f"{JSON};q=0.2, application/*;q=0", JSON),
        ("image/*", None),
    ],
)
def test_whoever_asks_for_a_group_of_forms_gets_one_of_it(accept: str, kind: str | None) -> None:
    with site(Reply(200, HTML, b"<p>").negotiated(Reply(200, JSON, b"{}"))) as url:
        got = fetch(url, headers={"Accept": accept})

    assert (got.headers["content-type"] if got.status == 200 else None) == kind


def test_a_server_that_gives_a_byte_now_and_then_hangs() -> None:
    def dribble(listening: socket.socket) -> None:
        connection = listening.accept()[0]
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            try:
                for _ in range(100):
                    connection.sendall(b"x")
                    time.sleep(0.1)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=dribble, args=(listening,), daemon=True).start()
        begun = time.monotonic()

        with pytest.raises(TimeoutError):
            fetch(f"http://127.0.0.1:{listening.getsockname()[1]}/", limits=Limits(seconds=1.0))

    assert time.monotonic() - begun < 8


def wheel(folder: Path, data: bytes = b"x", kind: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder / "demo-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr("demo-1.dist-info/METADATA", data)
    return path


def faults(folder: Path, kind: str = "wheel") -> str:
    found = read_built(kind, folder)
    assert found is not None
    return "; ".join(found.faults)


def test_of_a_wheel_that_is_larger_unpacked_than_the_limit_no_more_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(built, "LIMITS", built.Limits(unpacked_bytes=1000))

    wheel(tmp_path, b"x" * 1000)
    assert faults(tmp_path) == ""
    wheel(tmp_path, b"x" * 1001)
    assert "larger than 1000 bytes" in faults(tmp_path)


def test_of_an_sdist_that_is_larger_unpacked_than_the_limit_no_more_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(built, "LIMITS", built.Limits(unpacked_bytes=1000))
    with tarfile.open(tmp_path / "demo-1.tar.gz", "w:gz") as archive:
        for name, size in (("demo-1/a", 600), ("demo-1/b", 600)):
            info = tarfile.TarInfo(name)
            info.size = size
            archive.addfile(info, io.BytesIO(b"x" * size))

    assert "larger than 1000 bytes" in faults(tmp_path, "sdist")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x08\x00",
            b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x63\x00",
        ),  # a method of compression nobody knows
        (b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00"),  # a password
    ],
)
def test_a_wheel_that_cannot_be_read_is_a_finding_and_no_end_of_the_run(
    tmp_path: Path, before: bytes, after: bytes
) -> None:
    path = wheel(tmp_path)
    data = path.read_bytes()
    assert before in data
    path.write_bytes(data.replace(before, after))

    assert faults(tmp_path)
