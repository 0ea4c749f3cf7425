"""The life of releases with real processes: commands beside a running server, and clients that lock, then resolve the past."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from accord.testing.people import wheel
from accord.testing.serving import Served, basic, form

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow
ONE = wheel()[0]


@pytest.fixture
def several(tmp_path: Path) -> Iterator[Served]:
    """Two processes."""
    with Served(str(tmp_path / "data"), workers=2) as found:
        yield found


def upload(served: Served, version: str = "1.0", index: str = "main", project: str = "spam") -> None:
    name, content = wheel(project, version)
    body, content_type = form({":action": "file_upload", "protocol_version": "1"}, name, content)
    headers = {"content-type": content_type, **basic(served.token)}
    request = urllib.request.Request(f"{served.url}/{index}/legacy/", body, headers)
    urllib.request.urlopen(request, timeout=30).close()


def ask(served: Served, path: str) -> tuple[int, Any]:
    accept = {"accept": "application/vnd.pypi.simple.v1+json, application/json", "connection": "close"}
    try:
        with urllib.request.urlopen(urllib.request.Request(served.url + path, headers=accept)) as reply:
            return reply.status, json.loads(reply.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read())


def files(served: Served, index: str = "main") -> list[tuple[str, Any]]:
    """As every process of the server tells them, several times."""
    told = []
    for _ in range(8):
        status, page = ask(served, f"/{index}/simple/spam/")
        found = [(file["filename"], file["yanked"]) for file in page["files"]] if status == 200 else []
        told.append(found)
    assert all(found == told[0] for found in told)
    return told[0]


def accord(served: Served, *arguments: str, status: int = 0) -> Any:
    command = [sys.executable, "-m", "accord", "--json", "index", *arguments, "--data", served.folder]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == status, (done.stdout, done.stderr)
    return json.loads(done.stdout) if not status else json.loads(done.stdout or done.stderr)


def test_every_command_changes_what_a_running_server_says_at_once(several: Served) -> None:
    upload(several)
    assert files(several) == [(ONE, False)]
    told = accord(several, "yank", "main/Spam", "1.0", "--reason", "bad")
    assert told == {"index": "main", "project": "spam", "files": [ONE]}
    assert files(several) == [(ONE, "bad")]
    accord(several, "unyank", "main/spam", "--file", ONE)
    assert files(several) == [(ONE, False)]
    found = accord(several, "status", "main/spam", "quarantined", "--version", "1.0", "--reason", "odd")
    assert (found["version"], found["status"], found["reason"]) == ("1.0", "quarantined", "odd")
    assert files(several) == []
    accord(several, "status", "main/spam", "active", "--version", "1.0")
    accord(several, "withdraw", "main/spam", "1.0", "--for", "legal", "--reason", "a court says so")
    assert files(several) == []
    status, problem = ask(several, f"/files/spam/{ONE}")
    assert (status, problem["cause"], problem["reason"]) == (410, "legal", "a court says so")
    accord(several, "restore", "main/spam", "1.0")
    assert files(several) == [(ONE, False)]
    accord(several, "create", "prod")
    accord(several, "promote", "spam", "1.0", "--from", "main", "--to", "prod")
    assert files(several, "prod") == [(ONE, False)]
    accord(several, "create", "team")
    assert files(several, "team") == []
    assert accord(several, "stack", "team", "--on", "prod", "--mix", "eggs")["mix"] == ["eggs"]
    assert files(several, "team") == [(ONE, False)]
    assert accord(several, "stack", "team", "--on-nothing")["bases"] == []
    assert files(several, "team") == []
    accord(several, "namespace", "reserve", "main", "acme", "admin")
    assert ask(several, "/namespaces") == (200, [{"name": "acme"}])
    listed = accord(several, "namespace", "list", "main")["namespaces"]
    assert [entry["namespace"] for entry in listed] == ["acme"]
    accord(several, "namespace", "release", "main", "acme")
    assert ask(several, "/namespaces") == (200, [])
    entries = accord(several, "journal", "main/spam")["journal"]
    assert [entry["action"] for entry in entries][:2] == ["restore", "withdraw"]
    assert entries[0]["actor"].startswith("operator")
    assert "whole" not in str(entries)


def test_commands_refuse_in_the_server_s_words(several: Served) -> None:
    upload(several)
    for arguments, code in (
        (("yank", "main/soup", "1.0"), "no-such-project"),
        (("yank", "main/spam", "9"), "no-such-release"),
        (("yank", "main/spam"), "usage"),
        (("status", "main/spam", "sleeping"), "status-unknown"),
        (("withdraw", "main/spam", "1.0", "--for", "legal"), "withdraw-reason"),
        (("restore", "main/spam", "1.0"), "no-such-file"),
        (("promote", "spam", "1.0", "--from", "main"), "promote-same-index"),
        (("stack", "main", "--on", "main"), "index-cycle"),
        (("namespace", "release", "main", "acme"), "no-such-namespace"),
    ):
        command = [sys.executable, "-m", "accord", "--json", "index", *arguments, "--data", several.folder]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode, arguments
        assert f'"{code}"' in done.stdout + done.stderr, (arguments, done.stdout, done.stderr)


def serial(served: Served) -> int:
    found: int = ask(served, "/simple/")[1]["meta"]["_last-serial"]
    return found


def lock(served: Served, folder: Path, address: str) -> str:
    folder.mkdir()
    (folder / "requirements.in").write_text("spam\neggs\n")
    command = [sys.executable, "-m", "accord", "lock", "requirements.in", "-o", "pylock.toml"]
    command += ["--index-url", f"{served.url}{address}/simple/", "--cache-dir", str(folder / "cache")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return (folder / "pylock.toml").read_text()


def without_address(text: str, address: str) -> str:
    return re.sub(r"(?m)^# .*\n", "", text.replace(address, ""))


def installed(served: Served, address: str, target: Path) -> dict[str, str]:
    pip = [sys.executable, "-m", "pip", "install", "--isolated", "--no-cache-dir", "-q", "--report", "-"]
    pip += ["-i", f"{served.url}{address}/simple/", "-t", str(target), "spam", "eggs"]
    report = json.loads(subprocess.run(pip, check=True, capture_output=True, text=True).stdout)
    return {found["metadata"]["name"]: found["metadata"]["version"] for found in report["install"]}


def test_an_old_lock_resolves_again_at_its_snapshot(served: Served, tmp_path: Path) -> None:
    upload(served)
    upload(served, project="eggs")
    moment = serial(served)
    address = f"/@{moment}"
    before = lock(served, tmp_path / "before", "")
    assert installed(served, "", tmp_path / "a") == {"spam": "1.0", "eggs": "1.0"}
    upload(served, "2.0")
    accord(served, "yank", "main/eggs", "1.0")
    upload(served, "2.0", project="eggs")
    after = lock(served, tmp_path / "after", "")
    assert 'version = "2.0"' in after
    assert installed(served, "", tmp_path / "b") == {"spam": "2.0", "eggs": "2.0"}
    again = lock(served, tmp_path / "again", address)
    assert without_address(again, address) == without_address(before, address)
    assert f"{address}/files/" in again  # and what it locks is fetched through the snapshot
    assert installed(served, address, tmp_path / "c") == {"spam": "1.0", "eggs": "1.0"}
    command = [sys.executable, "-m", "pip", "install", "--isolated", "--no-cache-dir", "-q", "--dry-run"]
    accord(served, "withdraw", "main/spam", "1.0", "--for", "safety", "--reason", "x")
    gone = subprocess.run(
        [*command, "-i", f"{served.url}{address}/simple/", "spam"], capture_output=True, text=True
    )
    assert gone.returncode
    assert "No matching distribution" in gone.stderr
