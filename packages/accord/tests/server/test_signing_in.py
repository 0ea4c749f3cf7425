"""Passwords and sessions: a no that tells nothing, and a session that only signing in makes."""

from __future__ import annotations

import base64
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from accord.server.accounts import sessions
from accord.server.accounts.passwords import Passwords
from accord.server.database import tables
from accord.server.errors import Refused
from accord.server.limits import DEFAULT, Limits
from accord.testing.people import call
from accord.testing.serving import InProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

CHEAP = Limits(password_memory_kib=64, password_rounds=1, password_lanes=1)
SECRET = "correct horse battery"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[InProcess]:
    with InProcess.open(str(tmp_path / "data"), limits=CHEAP) as found:
        assert call(found, "POST", "/api/users", {"name": "ada", "password": SECRET}).status == 201
        yield found


def sign_in(
    index: InProcess, name: str = "ada", password: str = SECRET, before: str | None = None
) -> tuple[str, sessions.Session]:
    parts = index.parts
    return sessions.sign_in(
        parts.database, parts.passwords, parts.settings.limits, name, password, before=before
    )


def find(index: InProcess, key: str | None) -> sessions.Session | None:
    with index.parts.database.read() as connection:
        return sessions.find_session(connection, key, index.clock())


def with_password(name: str = "ada", password: str = SECRET) -> dict[str, str]:
    text = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"authorization": f"Basic {text}", "content-type": "application/json"}


def test_every_no_is_the_same_no(index: InProcess) -> None:
    call(index, "POST", "/api/users", {"name": "tokens-only"})
    call(index, "POST", "/api/users", {"name": "gone", "password": SECRET})
    call(index, "PATCH", "/api/users/gone", {"disabled": True})
    answers = {
        (answer.status, answer.text)
        for name, password in (
            ("ada", "wrong password"),
            ("ada", ""),
            ("ada", "x" * 100_000),
            ("nobody", SECRET),
            ("tokens-only", SECRET),
            ("gone", SECRET),
            ("bad name !", SECRET),
        )
        for answer in [index.request("GET", "/api/whoami", with_password(name, password))]
    }
    assert len(answers) == 1
    [(status, text)] = answers
    assert status == 401
    assert "sign-in-failed" in text
    assert index.request("GET", "/api/whoami", with_password()).json()["name"] == "ada"
    assert index.request("GET", "/api/whoami", with_password("Ada")).status == 200


@pytest.mark.slow
def test_an_unknown_user_costs_what_a_wrong_password_costs(tmp_path: Path) -> None:
    passwords = Passwords(DEFAULT)
    kept = passwords.hash(SECRET)
    passwords.fits(None, "warm")

    asked = ((kept, "wrong"), (None, SECRET), (kept, "x" * 5_000))
    times: list[list[float]] = [[] for _ in asked]
    for _ in range(9):  # in turn, so that a machine that is busy for a while holds up all of them
        for number, (known, password) in enumerate(asked):
            start = time.process_time()
            assert not passwords.fits(known, password)
            times[number].append(time.process_time() - start)
    wrong, unknown, long = (sorted(some)[4] for some in times)
    assert 0.5 < unknown / wrong < 2
    assert 0.5 < long / wrong < 2
    assert wrong > 0.005  # argon2id was there at all


def test_what_is_kept_of_a_password_is_argon2id_with_the_named_parameters() -> None:
    kept = Passwords(DEFAULT).hash(SECRET)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert SECRET not in kept


def test_a_password_has_two_limits() -> None:
    passwords = Passwords(CHEAP)
    for good in ("a" * 10, "ü" * 1024):
        assert passwords.fits(passwords.hash(good), good)
    for bad in ("a" * 9, "a" * 1025, "ü" * 1025):
        with pytest.raises(Refused) as refused:
            passwords.hash(bad)
        assert refused.value.code == "password-length"


def test_only_so_many_passwords_are_hashed_at_a_time() -> None:
    passwords = Passwords(
        Limits(password_threads=1, password_wait_seconds=0.01, password_memory_kib=64, password_rounds=1)
    )
    with passwords._turn(), pytest.raises(Refused) as refused:
        passwords.hash(SECRET)
    assert (refused.value.status, refused.value.code) == (503, "password-busy")
    assert passwords.hash(SECRET)


def test_so_many_wait_for_their_turn_and_the_next_is_told_at_once() -> None:
    limits = Limits(
        password_threads=1,
        password_waiting=1,
        password_wait_seconds=60,
        password_memory_kib=64,
        password_rounds=1,
    )
    passwords = Passwords(limits)
    kept = passwords.hash(SECRET)
    found: list[bool] = []
    with passwords._turn():
        waiting = threading.Thread(target=lambda: found.append(passwords.fits(kept, SECRET)))
        waiting.start()
        while passwords._turns._here._value:
            time.sleep(0.001)
        start = time.monotonic()
        with pytest.raises(Refused) as refused:
            passwords.fits(kept, SECRET)
        assert refused.value.code == "password-busy"
        assert time.monotonic() - start < 30
    waiting.join()
    assert found == [True]


def test_old_parameters_are_renewed_when_the_user_signs_in(index: InProcess) -> None:
    old = Passwords(Limits(password_memory_kib=128, password_rounds=1, password_lanes=1)).hash(SECRET)
    with index.parts.database.write("test") as writing:
        writing.connection.execute(
            update(tables.user).where(tables.user.c.name == "ada").values(password=old)
        )
    sign_in(index)
    with index.parts.database.read() as connection:
        kept = connection.execute(
            select(tables.user.c.password).where(tables.user.c.name == "ada")
        ).scalar_one()
    assert "m=64," in kept
    sign_in(index)


def test_a_password_makes_a_first_token_and_does_nothing_else_here(index: InProcess) -> None:
    made = index.request("POST", "/api/tokens", with_password(), b'{"name": "first"}')
    assert made.status == 201
    assert call(index, "GET", "/api/whoami", token=made.json()["secret"]).json()["name"] == "ada"
    assert index.request("GET", "/api/tokens", with_password()).json()["tokens"][0]["name"] == "first"
    assert index.request("GET", "/api/indexes", with_password()).status == 401
    assert index.request("GET", "/simple/", with_password()).status == 401


def test_a_stolen_token_does_not_become_a_password(index: InProcess) -> None:
    token = index.request("POST", "/api/tokens", with_password(), b'{"name": "n"}').json()["secret"]
    refused = call(index, "PUT", "/api/account/password", {"password": "mine from now on"}, token)
    assert (refused.status, refused.json()["code"]) == (403, "password-needed")
    body = b'{"password": "another horse battery"}'
    assert index.request("PUT", "/api/account/password", with_password(), body).status == 204
    assert index.request("GET", "/api/whoami", with_password()).status == 401
    assert index.request("GET", "/api/whoami", with_password("ada", "another horse battery")).status == 200


def test_a_session_is_found_by_its_key_alone_and_only_its_digest_is_kept(index: InProcess) -> None:
    key, session = sign_in(index)
    assert session.who.actor == "user:ada"
    assert find(index, key) == session
    for other in (None, "", key[:-1], key + "A", "x" * 43, sessions._digest(key)):
        assert find(index, other) is None
    with index.parts.database.read() as connection:
        row = connection.execute(select(tables.web_session)).one()
    assert key not in str(row)


def test_signing_in_adopts_no_key_and_ends_the_session_before(index: InProcess) -> None:
    chosen = "a-key-an-attacker-put-into-the-browser"
    key, _ = sign_in(index, before=chosen)
    assert key != chosen
    assert find(index, chosen) is None
    again, _ = sign_in(index, before=key)
    assert find(index, key) is None
    assert find(index, again) is not None


def test_a_session_ends(index: InProcess) -> None:
    limits = index.parts.settings.limits
    key, _ = sign_in(index)
    index.clock.forward(limits.session_seconds - 1)
    assert find(index, key) is not None
    index.clock.forward(1)
    assert find(index, key) is None
    for change in ({"disabled": True}, {"password": SECRET}):
        key, _ = sign_in(index)
        assert call(index, "PATCH", "/api/users/ada", change).status == 200
        assert find(index, key) is None
        call(index, "PATCH", "/api/users/ada", {"disabled": False})
        assert find(index, key) is None
    key, _ = sign_in(index)
    with index.parts.database.write("user:ada") as writing:
        sessions.sign_out(writing, key)
    assert find(index, key) is None


def test_each_session_has_a_secret_of_its_own_for_forms(index: InProcess) -> None:
    _, one = sign_in(index)
    _, two = sign_in(index)
    assert one.csrf != two.csrf
    assert sessions.csrf_fits(one, one.csrf)
    for other in (None, "", two.csrf, one.csrf[:-1]):
        assert not sessions.csrf_fits(one, other)


def test_signing_in_is_in_the_audit_whether_it_succeeds_or_not(index: InProcess) -> None:
    index.request("GET", "/api/whoami", with_password("ada", "wrong password"))
    index.request("GET", "/api/whoami", with_password())
    index.parts.guard.enter()
    found = {
        (one["action"], one["actor"], one["subject"], one["outcome"], one["address"])
        for one in call(index, "GET", "/api/audit").json()["entries"]
    }
    assert ("authenticate", "anybody", "user:ada", "failed", "127.0.0.1") in found
    assert ("sign-in", "user:ada", "user:ada", "allowed", "127.0.0.1") in found
