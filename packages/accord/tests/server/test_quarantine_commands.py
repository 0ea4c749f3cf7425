"""``accord index policy`` and ``quarantine``: what an operator types, and a scanner that is any program."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from accord.cli.main import main
from accord.io import sandbox
from accord.testing.archives import wheel_parts, zip_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from accord.testing.serving import InProcess

    Run = Callable[..., str]

JSON = "application/vnd.pypi.simple.v1+json"
# Judges by what the file holds; tries what no scanner of files needs.
SCANNER = """
import os, socket, sys, zipfile
path = sys.argv[-1]
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2)
    print("has a network"); sys.exit(1)
except OSError:
    pass
if os.path.exists(sys.argv[2]):
    print("sees the server's folder"); sys.exit(1)
data = b"".join(zipfile.ZipFile(path).read(name) for name in zipfile.ZipFile(path).namelist())
if b"evil" in data:
    print("first line"); print("found: evil"); sys.exit(1)
if b"unclear" in data:
    sys.exit(3)
"""


@pytest.fixture
def run(index: InProcess, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("ACCORD_SERVER_DATA", index.parts.settings.data)
    monkeypatch.setenv("ACCORD_SERVER_DATABASE", index.parts.settings.database)

    def run(*words: str, status: int = 0) -> str:
        capsys.readouterr()
        assert main(["index", *words]) == status
        captured = capsys.readouterr()
        return captured.out if status == 0 else captured.err

    return run


def send(index: InProcess, name: str, text: bytes) -> str:
    filename = f"{name}-1.0-py3-none-any.whl"
    wheel = zip_bytes(wheel_parts({f"{name}/a.py": text}, name=name))
    assert index.upload(filename, wheel).status == 200
    return filename


def seen(index: InProcess, name: str) -> Any:
    page = index.get(f"/simple/{name}/", accept=JSON)
    return [file["filename"] for file in page.json()["files"]] if page.status == 200 else []


def test_a_policy_is_shown_and_changed(run: Run) -> None:
    assert "quarantine: none\n" in run("policy", "main")
    changed = json.loads(run("policy", "main", "--quarantine", "all", "--linux-wheels", "no", "--json"))
    assert (changed["quarantine"], changed["linux_wheels"], changed["exact_names"]) == ("all", False, True)
    assert "linux-wheels: no\n" in run("policy", "main")
    assert "no-such-index" in run("policy", "other", status=1)


def test_what_waits_is_listed_released_and_rejected(index: InProcess, run: Run) -> None:
    run("policy", "main", "--quarantine", "all")
    good, bad = send(index, "good", b""), send(index, "bad", b"")
    listed = json.loads(run("quarantine", "list", "main", "--json"))["files"]
    assert [one["filename"] for one in listed] == [good, bad]
    assert run("quarantine", "release", "main", good) == f"{good}: released\n"
    assert run("quarantine", "reject", "main", bad, "--reason", "no good") == f"{bad}: rejected\n"
    assert (seen(index, "good"), seen(index, "bad")) == ([good], [])
    assert "not-in-quarantine" in run("quarantine", "release", "main", bad, status=1)


@pytest.mark.skipif(sandbox.probe() is not None, reason="no sandbox here")
def test_a_scanner_without_network_or_sight_of_the_server_decides_what_is_seen(
    index: InProcess, run: Run, tmp_path: Path
) -> None:
    import socket

    run("policy", "main", "--quarantine", "all")
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "scanner.py").write_text(SCANNER)
    files = [send(index, name, text) for name, text in (("ok", b"1"), ("bad", b"evil"), ("odd", b"unclear"))]
    python = str(Path(sys.executable).resolve())
    readable = ["--read", str(rules), "--read", sys.base_prefix]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = str(listening.getsockname()[1])
        words = [python, str(rules / "scanner.py"), port, index.parts.settings.data]
        told = json.loads(run("quarantine", "scan", "main", *readable, "--json", "--", *words))["files"]
    assert {one["filename"]: (one["state"], one["reason"]) for one in told} == {
        files[0]: ("live", ""),
        files[1]: ("rejected", "found: evil"),
        files[2]: ("waits", "the scanner ended with status 3"),
    }
    assert [seen(index, name) for name in ("ok", "bad", "odd")] == [[files[0]], [], []]


def test_a_scanner_that_cannot_be_run_releases_nothing(index: InProcess, run: Run) -> None:
    run("policy", "main", "--quarantine", "all")
    send(index, "spam", b"")
    assert "scanner-failed" in run(
        "quarantine", "scan", "main", "--without-sandbox", "--", "/no/such/scanner", status=2
    )
    assert seen(index, "spam") == []
