"""Bodies that never end, or end in the middle: a connection is held for so long and no longer, and nobody calls it a fault."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from accord.testing.serving import Served

HEAD = "POST {target} HTTP/1.1\r\nHost: index.example\r\nContent-Type: {kind}\r\nContent-Length: 100\r\n{more}\r\n"
PAGE = ("/login", "application/x-www-form-urlencoded")


def _begin(served: Served, target: str, kind: str) -> socket.socket:
    more = f"Authorization: Bearer {served.token}\r\n" if target != "/login" else ""
    connection = socket.create_connection(("127.0.0.1", served.port), timeout=20)
    connection.sendall(HEAD.format(target=target, kind=kind, more=more).encode() + b"half")
    return connection


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "kind"),
    [PAGE, ("/api/users", "application/json"), ("/upload/", "application/vnd.pypi.upload.v2+json")],
)
def test_a_body_has_so_many_seconds(tmp_path: Path, target: str, kind: str) -> None:
    with Served(str(tmp_path / "data"), options=("--limit", "body_seconds=4")) as served:
        start = time.monotonic()
        with _begin(served, target, kind) as connection:
            answer = connection.recv(65536).decode()
        assert answer.startswith("HTTP/1.1 408")
        assert time.monotonic() - start < 30
        with _begin(served, target, kind) as connection:  # what comes in time is read
            connection.sendall(b"x" * 96)
            assert not connection.recv(65536).decode().startswith("HTTP/1.1 408")


@pytest.mark.slow
def test_who_goes_away_in_the_middle_leaves_no_fault_in_the_log(tmp_path: Path) -> None:
    with Served(str(tmp_path / "data")) as served:
        for _ in range(3):
            _begin(served, *PAGE).close()
            _begin(served, "/api/users", "application/json").close()
        assert served.request("GET", "/livez").status == 200
        time.sleep(0.5)
    assert "fault" not in (tmp_path / "serve.log").read_text()
