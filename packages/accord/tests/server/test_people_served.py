"""People and a server of several processes: what one of them learns, all of them do; and real clients read what is private."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from accord.testing.people import wheel
from accord.testing.serving import Served, basic, form

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
FILE, WHEEL = wheel()


@pytest.fixture
def several(tmp_path: Path) -> Iterator[Served]:
    """Three processes."""
    with Served(str(tmp_path / "data"), workers=3) as found:
        yield found


def ask(
    served: Served, method: str, path: str, document: Any = None, token: str | None = None
) -> tuple[int, Any]:
    data = None if document is None else json.dumps(document).encode()
    accept = "application/vnd.pypi.simple.v1+json, application/json"
    headers = {"content-type": "application/json", "accept": accept, "connection": "close"}
    shown = served.token if token is None else token
    request = urllib.request.Request(
        served.url + path, data, {**headers, **(basic(shown) if shown else {})}, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, json.loads(reply.read() or b"null")
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read() or b"null")


def upload(served: Served, index: str = "main") -> None:
    body, content_type = form({":action": "file_upload", "protocol_version": "1"}, FILE, WHEEL)
    request = urllib.request.Request(
        f"{served.url}/{index}/legacy/", body, {"content-type": content_type, **basic(served.token)}
    )
    urllib.request.urlopen(request, timeout=30).close()


def accord(served: Served, *words: str, given: str = "") -> str:
    command = [sys.executable, "-m", "accord", *words, "--data", served.folder]
    done = subprocess.run(command, capture_output=True, text=True, input=given, check=True)
    return done.stdout


def test_what_turns_private_is_gone_in_every_process_at_once(several: Served) -> None:
    upload(several)
    path = "/simple/spam/"
    for _ in range(3):
        assert {ask(several, "GET", path, token="")[0] for _ in range(24)} == {200}
        ask(several, "PATCH", "/api/indexes/main/projects/spam", {"private": True})
        assert {ask(several, "GET", path, token="")[0] for _ in range(24)} == {404}
        ask(several, "PATCH", "/api/indexes/main/projects/spam", {"private": False})
        assert {ask(several, "GET", path, token="")[0] for _ in range(24)} == {200}
        # The same from the command line, beside the serving processes.
        accord(several, "index", "visibility", "main", "private")
        assert {ask(several, "GET", path, token="")[0] for _ in range(24)} == {401}
        accord(several, "index", "visibility", "main", "public")


def test_failures_are_counted_over_all_processes(several: Served) -> None:
    statuses = []
    for number in range(120):
        statuses.append(ask(several, "GET", "/api/whoami", token=f"accord_{number:016x}.AAAA")[0])
        time.sleep(0.01)
    assert statuses[:30] == [401] * 30
    # 30 for all of them together, and at most what three processes do between two savings.
    assert statuses.count(401) <= 30 + 3 * 15
    assert statuses[-20:] == [429] * 20


def test_a_server_that_is_killed_has_every_use_in_its_audit_afterwards(several: Served) -> None:
    token = accord(several, "index", "token", "create", "admin", "--name", "k").strip()
    for _ in range(10):
        assert ask(several, "GET", "/api/whoami", token=token)[0] == 200
    several.kill()
    several.start()
    entries = json.loads(accord(several, "--json", "index", "audit", "--limit", "1000"))["entries"]
    used = [one for one in entries if one["detail"].get("token") == token[7:23]]
    assert sum(one["detail"].get("count", 1) for one in used) >= 10
    assert os.path.isdir(os.path.join(several.folder, "audit"))


def test_limits_and_proxies_of_the_command_line_reach_the_processes(tmp_path: Path) -> None:
    options = ("--limit", "failed_per_address=1", "--trusted-proxy", "127.0.0.0/8")
    with Served(str(tmp_path / "data"), options=options) as served:
        for address, statuses in (("203.0.113.1", [401, 429]), ("203.0.113.2", [401, 429])):
            for status in statuses:
                request = urllib.request.Request(
                    served.url + "/api/whoami", headers={**basic("x"), "X-Forwarded-For": address}
                )
                with pytest.raises(urllib.error.HTTPError) as refused:
                    urllib.request.urlopen(request, timeout=30)
                with refused.value:
                    assert refused.value.code == status


def test_a_server_that_is_stopped_leaves_nothing_to_be_entered(served: Served) -> None:
    assert ask(served, "GET", "/api/whoami")[0] == 200
    served.stop()
    assert os.listdir(os.path.join(served.folder, "audit")) == []
    entries = json.loads(accord(served, "--json", "index", "audit"))["entries"]
    assert any(one["action"] == "account" for one in entries)


def test_pip_uv_and_twine_read_and_write_a_private_index(served: Served, tmp_path: Path) -> None:
    accord(served, "index", "create", "team", "--private")
    accord(served, "index", "user", "add", "ada")
    accord(served, "index", "role", "grant", "team", "ada", "uploader")
    token = accord(served, "index", "token", "create", "ada").strip()
    (tmp_path / FILE).write_bytes(WHEEL)
    host = urlsplit(served.url)
    home = tmp_path / "home"
    home.mkdir()
    netrc = home / ".netrc"
    netrc.write_text(f"machine {host.hostname} login __token__ password {token}\n")
    netrc.chmod(0o600)
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "NETRC": str(netrc)}
    twine = [sys.executable, "-m", "twine", "upload", "--repository-url", f"{served.url}/team/legacy/"]
    subprocess.run(
        [*twine, "-u", "__token__", "-p", token, str(tmp_path / FILE)], check=True, capture_output=True
    )
    pip = [sys.executable, "-m", "pip", "install", "--no-cache-dir", "--isolated", "--no-input", "-q"]
    pip += ["-i", f"{served.url}/team/simple/", "spam", "-t"]
    subprocess.run([*pip, str(tmp_path / "one")], check=True, env=environ)
    uv = [sys.executable, "-m", "uv", "pip", "install", "--no-cache", "-q", "--no-config"]
    uv += ["--default-index", f"{served.url}/team/simple/", "spam", "--target"]
    subprocess.run([*uv, str(tmp_path / "two")], check=True, env=environ)
    for name in ("one", "two"):
        assert (tmp_path / name / "spam" / "__init__.py").read_bytes() == b"value = 1\n"
    # Without it there is nothing to see, not even that it is there.
    bare = {**environ, "NETRC": os.devnull, "HOME": str(tmp_path / "nobody")}
    failed = subprocess.run([*pip, str(tmp_path / "three")], env=bare, capture_output=True, text=True)
    assert failed.returncode != 0
    assert (
        ask(served, "GET", "/team/simple/", token="")[1] == ask(served, "GET", "/none/simple/", token="")[1]
    )
