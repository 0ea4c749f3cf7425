"""Limits of trying, and the audit of what credentials were used for.  Findings of the audits of the public index have their
numbers in the names."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from accord.server.accounts.guard import Guard
from accord.server.accounts.rates import key_of
from accord.server.accounts.uses import Use, Uses
from accord.server.api.watch import client_address
from accord.server.database import tables
from accord.server.errors import Refused
from accord.server.limits import Limits
from accord.server.settings import Settings
from accord.testing.people import call, give, hide, person, put
from accord.testing.serving import InProcess, basic

if TYPE_CHECKING:
    from accord.testing.serving import Reply

BAD = "accord_0000000000000000.AAAA"


def small(folder: Path, **limits: Any) -> InProcess:
    return InProcess.open(str(folder / "data"), limits=Limits(**limits))


def entries(index: InProcess, **chosen: str) -> list[dict[str, Any]]:
    index.parts.guard.enter()
    query = "&".join(f"{key}={value}" for key, value in chosen.items())
    found: list[dict[str, Any]] = call(index, "GET", f"/api/audit?limit=1000&{query}").json()["entries"]
    return found


def whoami(index: InProcess, token: str, **headers: str) -> Reply:
    return index.request("GET", "/api/whoami", {**basic(token), **headers})


def test_tob_pypi26_6_failed_tokens_are_limited_as_failed_passwords_are(tmp_path: Path) -> None:
    for attack in (
        lambda index, n: whoami(index, f"accord_{n:016x}.AAAA"),
        lambda index, n: index.request(
            "POST",
            "/api/tokens",
            {"content-type": "application/json", **name_and_password(f"user{n}", "wrong")},
            b'{"name": "n"}',
        ),
        lambda index, n: index.upload("spam-1.0-py3-none-any.whl", b"", token=f"accord_{n:016x}.AAAA"),
    ):
        with small(tmp_path / str(id(attack)), failed_per_address=3, password_memory_kib=64) as index:
            assert [attack(index, number).status for number in range(5)] == [401, 401, 401, 429, 429]
            # A good token is not looked at either, until the window has passed.
            refused = whoami(index, index.token)
            assert (refused.status, refused.json()["code"]) == (429, "rate-limited")
            index.clock.forward(int(refused.headers["retry-after"]))
            assert whoami(index, index.token).status == 200


def name_and_password(name: str, password: str) -> dict[str, str]:
    import base64

    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def test_one_credential_is_limited_wherever_it_is_tried_from(tmp_path: Path) -> None:
    with small(tmp_path, failed_per_credential=2, failed_per_address=100, password_memory_kib=64) as index:
        call(index, "POST", "/api/users", {"name": "ada", "password": "correct horse"})
        wrong, right = name_and_password("ada", "wrong"), name_and_password("ada", "correct horse")
        assert index.request("GET", "/api/whoami", right).status == 200
        statuses = [index.request("GET", "/api/whoami", wrong).status for _ in range(3)]
        assert statuses == [401, 401, 429]
        assert index.request("GET", "/api/whoami", right).status == 429
        assert whoami(index, index.token).status == 200  # other credentials are not concerned


def test_an_answer_tells_what_is_left_as_the_draft_has_it(tmp_path: Path) -> None:
    with small(tmp_path, failed_per_address=2) as index:
        reply = whoami(index, BAD)
        policies = [one.strip() for one in reply.headers["ratelimit-policy"].split(",")]
        lefts = [one.strip() for one in reply.headers["ratelimit"].split(",")]
        assert policies == ['"failed-address";q=2;w=300', '"failed-credential";q=10;w=300']
        assert lefts[0].startswith('"failed-address";r=1;t=')
        assert 0 < int(lefts[0].rpartition("=")[2]) <= 300
        whoami(index, BAD)
        assert whoami(index, BAD).headers["ratelimit"].startswith('"failed-address";r=0;t=')
        assert "ratelimit" not in index.get("/simple/").headers


def test_uploads_searches_and_new_projects_have_limits(tmp_path: Path) -> None:
    with small(tmp_path, uploads_per_token=3, projects_per_user=2, searches_per_address=2) as index:
        ada = person(index, "ada")
        give(index, "main", "ada", "uploader")
        assert put(index, "one", token=ada).status == 200
        assert put(index, "two", token=ada).status == 200
        third = put(index, "three", token=ada)
        assert (third.status, third.json()["code"]) == (429, "rate-limited")
        assert '"new-projects";q=2' in third.headers["ratelimit-policy"]
        assert index.get("/simple/three/").status == 404  # nothing of it is left
        assert '"uploads";q=3' in put(index, "one", "2.0", token=ada).headers["ratelimit-policy"]
        assert put(index, "one", "3.0", token=person(index, "ada")).status == 200  # another token
        statuses = [index.get("/search").status for _ in range(3)]
        assert 429 not in statuses[:2]
        assert statuses[2] == 429
        assert index.get("/simple/search/").status == 404


def test_processes_share_what_they_counted(tmp_path: Path) -> None:
    with small(tmp_path, failed_per_address=3) as index:
        for _ in range(3):
            whoami(index, BAD)
        index.parts.guard.enter()
        with index.parts.database.read() as connection:
            rows = connection.execute(select(tables.rate.c.key, tables.rate.c.count)).all()
        assert dict(rows) == {"failed-address:127.0.0.1": 3, "failed-credential:token:" + "0" * 16: 3}
        # Another process: it learns of the three with its own first one.
        with InProcess.open(str(tmp_path / "data"), limits=Limits(failed_per_address=3)) as other:
            assert whoami(other, "accord_1111111111111111.AAAA").status == 401
            other.parts.guard.enter()
            assert whoami(other, "accord_2222222222222222.AAAA").status == 429


def test_the_address_is_the_peers_unless_a_trusted_proxy_says_another(tmp_path: Path) -> None:
    import ipaddress

    def address(peer: str, handed: str, *trusted: str) -> str:
        headers = [(b"x-forwarded-for", handed.encode())] if handed else []
        scope = {"type": "http", "client": (peer, 1), "headers": headers}
        return client_address(scope, [ipaddress.ip_network(one) for one in trusted])

    assert address("192.0.2.9", "198.51.100.1") == "192.0.2.9"
    assert address("192.0.2.9", "198.51.100.1", "192.0.2.9") == "198.51.100.1"
    assert address("192.0.2.9", "203.0.113.5, 198.51.100.1", "192.0.2.0/24") == "198.51.100.1"
    assert address("192.0.2.9", "203.0.113.5, 192.0.2.7", "192.0.2.0/24") == "203.0.113.5"
    assert address("192.0.2.9", "nonsense", "192.0.2.9") == "192.0.2.9"
    assert address("::1", "2001:db8::5", "::1") == "2001:db8::5"
    # A server bound to [::] sees the proxy under an address of IPv6.
    assert address("::ffff:192.0.2.9", "::ffff:198.51.100.1", "192.0.2.9") == "198.51.100.1"
    assert address("::FFFF:192.0.2.9", "") == "192.0.2.9"
    assert address("::ffff:nonsense", "198.51.100.1", "192.0.2.9") == "::ffff:nonsense"
    with small(tmp_path, failed_per_address=1) as index:
        assert whoami(index, BAD, **{"x-forwarded-for": "203.0.113.1"}).status == 401
        assert whoami(index, BAD, **{"x-forwarded-for": "203.0.113.2"}).status == 429
    trusting = InProcess.open(
        str(tmp_path / "other"), limits=Limits(failed_per_address=1), trusted_proxies=("127.0.0.1",)
    )
    with trusting as index:
        assert whoami(index, BAD, **{"x-forwarded-for": "203.0.113.1"}).status == 401
        assert whoami(index, BAD, **{"x-forwarded-for": "203.0.113.2"}).status == 401
        assert whoami(index, BAD, **{"x-forwarded-for": "203.0.113.1"}).status == 429


def test_an_ipv6_customer_has_one_key_for_a_whole_network() -> None:
    assert key_of("2001:db8:1:2:3:4:5:6") == key_of("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert key_of("2001:db8:1:3::1") != key_of("2001:db8:1:2::1")
    assert key_of("::ffff:192.0.2.1") == key_of("192.0.2.1") == "192.0.2.1"
    assert len(key_of("x" * 1000)) == 60


def test_each_use_of_a_token_is_in_the_audit_and_what_is_alike_once(index: InProcess) -> None:
    put(index)
    ada = person(index, "ada")
    identity = ada.removeprefix("accord_").partition(".")[0]
    give(index, "main/spam", "ada", "reader")
    hide(index, "main/spam")
    for _ in range(3):
        assert index.request("GET", "/simple/spam/", basic(ada)).status == 200
    assert call(index, "GET", "/api/audit", None, ada).status == 403
    whoami(index, "accord_" + identity + ".AAAA")
    [used] = entries(index, actor="user:ada", action="read")
    assert used["detail"]["token"] == identity
    assert (used["subject"], used["outcome"], used["address"]) == ("main/spam", "allowed", "127.0.0.1")
    assert used["detail"]["count"] == 3
    [denied] = entries(index, actor="user:ada", action="admin")
    assert denied["outcome"] == "denied"
    [failed] = entries(index, action="authenticate")
    assert (failed["actor"], failed["subject"], failed["outcome"]) == (
        "anybody",
        f"token:{identity}",
        "failed",
    )
    for row in entries(index):
        assert ada.rpartition(".")[2] not in json.dumps(row)


def test_the_audit_is_in_the_order_of_what_happened_and_is_read_in_pages(index: InProcess) -> None:
    for name in ("ada", "ben"):
        whoami(index, person(index, name))
        index.clock.forward(1)
    whole = entries(index)
    assert [one["at"] for one in whole] == sorted((one["at"] for one in whole), reverse=True)
    paged: list[dict[str, Any]] = []
    before = ""
    while True:
        page = call(index, "GET", f"/api/audit?limit=2{before}").json()
        paged += page["entries"]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert [one["id"] for one in paged if one in whole] == [one["id"] for one in whole]


def test_a_user_name_alone_has_not_failed(tmp_path: Path) -> None:
    with small(tmp_path, failed_per_address=1) as index:
        for _ in range(3):
            assert index.request("GET", "/api/whoami", name_and_password("__token__", "")).status == 401
            assert index.request("GET", "/simple/", name_and_password("__token__", "")).status == 200
        assert whoami(index, index.token).status == 200


def test_when_a_token_was_used_last_is_written_once_a_minute(index: InProcess) -> None:
    ada = person(index, "ada")

    def last_used() -> int | None:
        index.parts.guard.enter()
        with index.parts.database.read() as connection:
            found: int | None = connection.execute(
                select(tables.token.c.last_used).where(tables.token.c.public_id == ada[7:23])
            ).scalar_one()
        return found

    assert last_used() is None
    first = index.clock()
    whoami(index, ada)
    assert last_used() == first
    index.clock.forward(59)
    whoami(index, ada)
    assert last_used() == first
    index.clock.forward(1)
    whoami(index, ada)
    assert last_used() == first + 60_000_000


def test_tob_pypi26_4_what_cannot_be_written_down_is_not_done(index: InProcess) -> None:
    ada = person(index, "ada")
    give(index, "main", "ada", "uploader")
    index.parts.guard.enter()
    # The way of the uses is closed: a file lies where their folder should be.
    folder = index.parts.settings.uses
    if os.path.isdir(folder):
        os.rmdir(folder)
    Path(folder).write_text("")
    for refused in (whoami(index, ada), put(index, token=ada), whoami(index, BAD)):
        assert (refused.status, refused.json()["code"]) == (503, "audit-unavailable")
    assert index.get("/simple/").status == 200  # what anybody may read goes on
    assert index.get("/simple/spam/").status == 404
    os.unlink(folder)
    assert put(index, token=ada).status == 200


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # its own words for a trigger
def test_tob_pypi26_14_a_change_whose_entry_fails_is_undone(index: InProcess) -> None:
    with index.parts.database.write("test") as writing:
        writing.connection.execute(
            text("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END")
        )
    before = index.parts.database.serial()
    for method, path, document in (
        ("POST", "/api/users", {"name": "eve"}),
        ("POST", "/api/tokens", {"name": "n"}),
        ("POST", "/api/indexes", {"name": "team"}),
    ):
        assert call(index, method, path, document).status == 500
    with index.parts.database.write("test") as writing:
        writing.connection.execute(text("DROP TRIGGER full"))
    assert index.parts.database.serial() == before
    assert [one["name"] for one in call(index, "GET", "/api/users").json()["users"]] == ["admin"]
    assert len(call(index, "GET", "/api/tokens").json()["tokens"]) == 1
    # What waited meanwhile was not lost.
    assert entries(index, actor="user:admin", action="account")


def test_a_process_that_is_killed_loses_no_use(tmp_path: Path) -> None:
    with small(tmp_path) as index:
        ada = person(index, "ada")
        whoami(index, ada)
        index.parts.guard.close()
        # As after a kill: the file is there, the rows are not.
        killed = Guard(index.parts.settings, index.parts.database, index.parts.now)
        folder = Path(index.parts.settings.uses)
        line = [index.clock(), "user:ada", ada[7:23], "192.0.2.1", "read", "main/spam", "allowed"]
        (folder / "1234-aaaa").write_text(json.dumps(line) + "\n" + json.dumps(line)[:20])
        killed.recover()
        assert list(folder.iterdir()) == []
        [found] = entries(index, actor="user:ada", action="read")
        assert (found["address"], found["detail"]) == ("192.0.2.1", {"token": ada[7:23]})


def test_the_uses_of_a_living_process_are_left_to_it(index: InProcess) -> None:
    whoami(index, person(index, "ada"))
    other = Guard(index.parts.settings, index.parts.database, index.parts.now)
    other.recover()
    [_] = entries(index, actor="user:ada", action="account")


def test_so_many_different_uses_may_wait_and_no_more(tmp_path: Path) -> None:
    with small(tmp_path, audit_waiting=5, audit_seconds=3600) as index:
        guard = index.parts.guard
        with index.parts.database.write("test") as writing:
            writing.connection.execute(
                text("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END")
            )
        ada = index.token
        statuses = [index.request("GET", f"/simple/p{number}/", basic(ada)).status for number in range(6)]
        assert statuses == [404] * 5 + [503]
        with pytest.raises(IntegrityError):
            guard.enter()
        assert index.request("GET", "/simple/p6/", basic(ada)).status == 503  # they wait as before
        [file] = Path(index.parts.settings.uses).iterdir()
        assert len(file.read_text().splitlines()) == 5
        with index.parts.database.write("test") as writing:
            writing.connection.execute(text("DROP TRIGGER full"))
        guard.enter()
        with index.parts.database.read() as connection:
            count = connection.execute(
                select(func.count()).where(tables.audit.c.action == "read")
            ).scalar_one()
        assert count == 5
        assert index.request("GET", "/simple/p6/", basic(ada)).status == 404


def test_what_is_just_being_entered_waits_as_well(tmp_path: Path) -> None:
    waiting = Uses(str(tmp_path / "uses"), most=2)

    def note(subject: str) -> None:
        waiting.note(Use("user:ada", "", "192.0.2.1", "read", subject, "allowed"), 1)

    note("main/a")
    note("main/b")
    taken, file = waiting.take()
    note("main/a")  # alike: one row with a count
    with pytest.raises(Refused) as refused:
        note("main/c")
    assert refused.value.code == "audit-unavailable"
    waiting.back(taken, file)
    with pytest.raises(Refused):
        note("main/c")
    _, file = waiting.take()
    waiting.done(file)
    note("main/c")
    waiting.close()


def test_settings_go_to_the_processes_whole() -> None:
    settings = Settings("/srv", trusted_proxies=("192.0.2.0/24",), limits=Limits(failed_per_address=7))
    assert Settings.load(settings.dump()) == settings


def test_an_unauthenticated_flood_does_not_fill_the_audit(tmp_path: Path) -> None:
    with small(tmp_path, failed_per_address=3, audit_waiting=20, audit_seconds=3600) as index:
        for number in range(200):
            assert whoami(index, f"accord_{number:016x}.AAAA").status in (401, 429)
        index.parts.guard.enter()
        with index.parts.database.read() as connection:
            rows = connection.execute(
                select(tables.audit.c.outcome, tables.audit.c.detail).where(
                    tables.audit.c.action == "authenticate"
                )
            ).all()
        assert [outcome for outcome, _ in rows].count("failed") == 3
        limited = [detail.get("count", 1) for outcome, detail in rows if outcome == "limited"]
        assert sum(limited) == 197
        assert len(limited) < 20
