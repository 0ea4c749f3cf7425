"""The changes feed: everything in order, nothing for those who may not read it, and waiting that costs no thread."""

from __future__ import annotations

import socket
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from accord.server.accounts import people
from accord.server.api import changes
from accord.server.database import tables
from accord.server.limits import Limits
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.serving import InProcess, Served, basic, form


def _upload(index: InProcess, name: str = "spam", version: str = "1.0") -> None:
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    body = zip_bytes(wheel_parts(name=name, version=version, metadata=metadata))
    assert index.upload(f"{name}-{version}-py3-none-any.whl", body).status == 200


def _feed(index: InProcess, query: str = "", token: str | None = None) -> Any:
    headers = {} if token is None else basic(token)
    answer = index.request("GET", f"/changes{query}", headers)
    assert answer.status == 200
    return answer.json()


def _change(index: InProcess, action: str, **about: Any) -> None:
    with index.parts.database.write("user:ada") as writing:
        writing.changed(1, action, **about)


def test_everything_that_happened_is_there_in_the_order_of_its_serials(index: InProcess) -> None:
    _upload(index)
    for action in ("yank", "unyank", "status", "quarantine", "withdraw", "remove-file"):
        _change(index, action, project="spam", version="1.0", filename="spam-1.0-py3-none-any.whl")
    feed = _feed(index)
    assert [change["action"] for change in feed["changes"]] == [
        *("create-index", "create-project", "add-file"),
        *("yank", "unyank", "status", "quarantine", "withdraw", "remove-file"),
    ]
    assert [change["serial"] for change in feed["changes"]] == list(range(1, 10))
    assert (feed["next"], feed["more"], feed["index"]) == (9, False, "main")
    entry = feed["changes"][2]
    assert (entry["project"], entry["version"], entry["filename"]) == (
        "spam",
        "1.0",
        "spam-1.0-py3-none-any.whl",
    )
    assert len(entry["detail"]["sha256"]) == 64
    assert "user:ada" not in str(feed)  # who did it is not for mirrors


def test_answers_are_limited_and_say_where_to_go_on(index: InProcess) -> None:
    for number in range(7):
        _change(index, "status", project=f"p{number}")
    serials: list[int] = []
    since, answers = 0, 0
    while True:
        feed = _feed(index, f"?since={since}&limit=3")
        assert len(feed["changes"]) <= 3
        serials += [change["serial"] for change in feed["changes"]]
        since, answers = feed["next"], answers + 1
        if not feed["more"]:
            break
    assert serials == list(range(1, 9))
    assert answers == 3


def test_nobody_gets_more_than_the_servers_own_limit(tmp_path: Path) -> None:
    with InProcess.open(str(tmp_path / "data"), limits=Limits(changes_per_answer=2)) as index:
        for number in range(3):
            _change(index, "status", project=f"p{number}")
        assert len(_feed(index, "?limit=2")["changes"]) == 2
        assert len(_feed(index, "?limit=3")["changes"]) == 2


@pytest.mark.parametrize(
    "query",
    ["since=x", "since=-1", "wait=1e3", "limit=", f"since={2**63}", "since=" + "9" * 5000, "since=%C2%B2"],
)
def test_a_parameter_that_is_no_number_is_refused(index: InProcess, query: str) -> None:
    answer = index.get(f"/changes?{query}")
    assert (answer.status, answer.json()["code"]) == (400, "changes-parameter")


def test_the_largest_number_is_one(index: InProcess) -> None:
    assert index.get(f"/changes?since={2**63 - 1}&limit={2**63 - 1}").status == 200


def test_what_happens_to_a_private_project_is_told_to_its_readers_alone(index: InProcess) -> None:
    _upload(index, "secret")
    _upload(index, "spam")
    with index.parts.database.write("system") as writing:
        writing.connection.execute(
            update(tables.project).where(tables.project.c.name == "secret").values(private=True)
        )
        writing.changed(1, "private", project="secret")
        eve, ada = people.add_user(writing, "eve"), people.add_user(writing, "ada")
        tokens = {name: people.add_token(writing, user, "t") for name, user in (("eve", eve), ("ada", ada))}
        writing.connection.execute(
            insert(tables.role).values(index_id=1, project_id=1, user_id=ada, role="reader", granted=1)
        )
    for token in (None, tokens["eve"]):
        feed = _feed(index, token=token)
        if token is None:  # how a known user's rights in a public index are weighed is for accounts to say
            assert "secret" not in str(feed)
        assert feed["next"] == index.parts.database.serial()
    for token in (tokens["ada"], index.token):
        assert "secret" in str(_feed(index, token=token))


def test_a_page_of_hidden_changes_is_passed_over_and_not_repeated(index: InProcess) -> None:
    _upload(index, "secret")
    with index.parts.database.write("system") as writing:
        writing.connection.execute(update(tables.project).values(private=True))
        for _ in range(5):
            writing.changed(1, "status", project="secret")
    feed = _feed(index, "?since=1&limit=2")
    assert (feed["changes"], feed["next"], feed["more"]) == ([], 3, True)


def test_the_changes_of_another_index_are_not_in_it(index: InProcess) -> None:
    with index.parts.database.write("system") as writing:
        writing.connection.execute(
            insert(tables.index).values(
                name="team", kind="hosted", public=False, settings={}, created=1, serial=0
            )
        )
        writing.changed(2, "create-index", project="hidden")
    feed = _feed(index, "?since=1")
    assert (feed["changes"], feed["next"]) == ([], 2)
    assert index.get("/team/changes").status == 401


def test_who_has_read_it_all_and_waits_is_answered_when_the_time_is_over(index: InProcess) -> None:
    begun = time.monotonic()
    feed = _feed(index, "?since=1&wait=1")
    assert feed["changes"] == []
    assert time.monotonic() - begun >= 0.9


def test_nobody_waits_longer_than_the_servers_own_limit_and_only_so_many_wait(tmp_path: Path) -> None:
    with InProcess.open(str(tmp_path / "data"), limits=Limits(long_poll_seconds=1)) as index:
        begun = time.monotonic()
        _feed(index, "?since=1&wait=3600")
        assert time.monotonic() - begun < 20
    with InProcess.open(str(tmp_path / "other"), limits=Limits(long_polls=0)) as index:
        begun = time.monotonic()
        _feed(index, "?since=1&wait=30")
        assert time.monotonic() - begun < 20


def test_when_an_index_is_closed_nothing_asks_its_database_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would hold a connection that nobody closes, and fail whichever test runs when that is collected."""
    monkeypatch.setattr(changes, "_ASK_DATABASE", 1)
    begun: list[int] = []
    ended: list[int] = []

    def asked() -> int:
        begun.append(1)
        time.sleep(0.7)
        ended.append(1)
        return 0

    with InProcess.open(str(tmp_path / "data")) as index:
        monkeypatch.setattr(index.parts.database, "serial", asked)
        _feed(index, "?since=1&wait=1")  # over while it is asked for the second time
    assert begun == ended != []


@pytest.mark.slow
def test_hundreds_may_wait_while_the_index_serves_others_and_all_hear_of_the_next_change(
    served: Served, tmp_path: Path
) -> None:
    waiting = []
    for _ in range(200):  # far more than there are threads
        one = socket.create_connection(("127.0.0.1", served.port))
        one.sendall(b"GET /changes?since=1&wait=30 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        waiting.append(one)
    time.sleep(0.5)
    begun = time.monotonic()
    urllib.request.urlopen(f"{served.url}/simple/", timeout=20).read()
    assert time.monotonic() - begun < 15
    body, content_type = form(
        {":action": "file_upload"}, "spam-1.0-py3-none-any.whl", zip_bytes(wheel_parts())
    )
    upload = urllib.request.Request(
        f"{served.url}/legacy/", body, {"content-type": content_type, **basic(served.token)}
    )
    urllib.request.urlopen(upload, timeout=20).read()
    for one in waiting:
        one.settimeout(20)
        answer = b""
        while piece := one.recv(65536):
            answer += piece
        assert b"add-file" in answer
        one.close()
    assert time.monotonic() - begun < 25


@pytest.mark.slow
def test_a_server_that_is_told_to_end_answers_those_who_wait_and_does_not_wait_for_them(
    tmp_path: Path,
) -> None:
    with Served(str(tmp_path / "data"), workers=2) as served:
        waiting = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(20)]
        for one in waiting:
            one.sendall(
                b"GET /changes?since=1&wait=30 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
        time.sleep(3)  # all of them were read, on a busy machine too
        begun = time.monotonic()
        assert served.stop() == 0
        assert time.monotonic() - begun < 8  # ten seconds is when processes are killed
        for one in waiting:
            one.settimeout(5)
            answer = b""
            while piece := one.recv(65536):
                answer += piece
            assert b'"changes": []' in answer
            one.close()
