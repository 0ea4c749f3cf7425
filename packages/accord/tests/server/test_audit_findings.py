"""What audits and post-mortems found in other indexes, tried here: those findings that no other test is named after.

``docs/reference/index-faults.md`` lists all of them with the test of each.  Findings in what this index does not have yet
(second factors, trusted publishing) are tried on what plays their part here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from accord.server.accounts import people, sessions
from accord.server.accounts.tokens import parse
from accord.server.database import tables
from accord.server.limits import Limits
from accord.server.parts import first_start, open_parts
from accord.server.settings import Settings
from accord.testing.people import call, person, put
from accord.testing.serving import InProcess, basic
from accord.testing.uploading import Uploader

CHEAP = {"password_memory_kib": 64, "password_rounds": 1, "password_lanes": 1}
SECRET = "correct horse battery"
BAD = "accord_0000000000000000.AAAA"


def by_password(name: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def test_tob_pypi26_1_what_was_tried_is_remembered_until_its_window_ends(
    tmp_path: Path, database_url: str
) -> None:
    """There, a used credential was forgotten a moment before it expired.  Here nothing is to be used once but what is in
    the database; what is remembered for a while are failures, and a new process learns of them with its own first one."""
    limits = Limits(failed_per_address=3)
    folder = str(tmp_path / "data")
    with InProcess.open(folder, limits=limits, database=database_url) as index:
        token, begun = index.token, index.clock()
        answers = [index.request("GET", "/api/whoami", basic(BAD)) for _ in range(4)]
        assert [answer.status for answer in answers] == [401, 401, 401, 429]
        ends = begun + int(answers[-1].headers["retry-after"]) * 1_000_000
    with InProcess.open(folder, limits=limits, database=database_url) as index:
        index.clock.at = ends - 1_000_000
        assert index.request("GET", "/api/whoami", basic(BAD)).status == 401
        index.parts.guard.enter()
        assert index.request("GET", "/api/whoami", basic(token)).status == 429
        index.clock.at = ends
        assert index.request("GET", "/api/whoami", basic(token)).status == 200


def test_tob_pypi26_2_what_is_done_once_is_done_once_by_many_at_the_same_moment(
    tmp_path: Path, database_url: str
) -> None:
    """There, two requests with one credential both found it unused.  Here: of many processes that start for the first time, one
    makes the administrator; the rest is in ``test_upload_races``."""
    every = [open_parts(Settings(str(tmp_path / "data"), database=database_url)) for _ in range(4)]
    together = threading.Barrier(len(every))
    found: list[str | None] = []

    def start(parts: Any) -> None:
        together.wait()
        found.append(first_start(parts))

    threads = [threading.Thread(target=start, args=(parts,)) for parts in every]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([token for token in found if token is not None]) == 1
    with every[0].database.read() as connection:
        assert [row.name for row in people.users(connection)] == ["admin"]
        assert len(connection.execute(select(tables.token.c.id)).all()) == 1
    for parts in every:
        parts.close()


def test_tob_pypi26_9_a_credential_written_otherwise_is_the_same_credential_or_none(tmp_path: Path) -> None:
    """There, a code of the second factor with a space in it was another code, and could be used again."""
    with InProcess.open(str(tmp_path), limits=Limits(failed_per_credential=4, **CHEAP)) as index:
        call(index, "POST", "/api/users", {"name": "ada-b", "password": SECRET})
        for name in ("ada-b", "ADA_B", " ada.b ", "Ada--B"):
            assert index.request("GET", "/api/whoami", by_password(name, SECRET)).status == 200, name
        for password in (f" {SECRET}", f"{SECRET} ", SECRET.upper()):
            assert index.request("GET", "/api/whoami", by_password("ada-b", password)).status == 401
        # Four failures, whatever the name looked like; then the right one is not looked at.
        assert index.request("GET", "/api/whoami", by_password("Ada_B", "wrong")).status == 401
        refused = index.request("GET", "/api/whoami", by_password("ada.b", SECRET))
        assert (refused.status, refused.json()["code"]) == (429, "rate-limited")


def test_tob_pypi26_9_a_token_written_otherwise_is_no_other_token(tmp_path: Path) -> None:
    with InProcess.open(str(tmp_path), limits=Limits(failed_per_credential=2)) as index:
        made = call(index, "POST", "/api/tokens", {"name": "n"}).json()
        secret = made["secret"]
        spoiled = (f"{secret}A", f"{secret[:-1]} ")
        for token in spoiled:
            assert index.request("GET", "/api/whoami", basic(token)).status == 401, token
        call(index, "DELETE", f"/api/tokens/{made['id']}")
        for token in (secret, f" {secret}", f"{secret} ", f"{secret}\n", secret.upper(), f"{secret}\u200b"):
            sent = {"authorization": f"Bearer {token}".encode().decode("latin-1")}
            assert index.request("GET", "/api/whoami", sent).status in (401, 429), repr(token)


def secrets_of(index: InProcess) -> dict[str, str]:
    """Everything that would let somebody in, as it is kept and as it was shown."""
    token = person(index, "ada")
    call(index, "PATCH", "/api/users/ada", {"password": SECRET})
    parts = index.parts
    key, session = sessions.sign_in(parts.database, parts.passwords, parts.settings.limits, "ada", SECRET)
    staged = Uploader(index).open("eggs").json()
    parsed = parse(token)
    assert parsed is not None
    with index.parts.database.read() as connection:
        rows = connection.execute(select(tables.token.c.public_id, tables.token.c.key)).all()
        hashed = connection.execute(
            select(tables.user.c.password).where(tables.user.c.name == "ada")
        ).scalar_one()
    return {
        "the password": SECRET,
        "what is kept of the password": hashed,
        "a token": token.rpartition(".")[2],
        "the key of a session": key,
        "what is kept of the key": hashlib.sha256(key.encode()).hexdigest(),
        "the secret of its forms": session.csrf,
        "the preview of an upload session": staged["session-token"],
        **{f"the key of token {row.public_id}": _text(row.key) for row in rows},
    }


def _text(key: object) -> str:
    return key.hex() if isinstance(key, bytes) else str(key)


def test_nothing_that_lets_somebody_in_is_in_what_mirrors_or_operators_read(tmp_path: Path) -> None:
    """devpi's changelog holds the hashes of all passwords, and went to whoever asked as nobody at all (fixed in 6.20.2)."""
    with InProcess.open(str(tmp_path), limits=Limits(**CHEAP)) as index:
        put(index)
        secret = secrets_of(index)
        index.parts.guard.enter()
        with index.parts.database.read() as connection:
            rows = [
                json.dumps([str(value) for value in row])
                for table in (tables.change, tables.audit)
                for row in connection.execute(select(table))
            ]
        pages = [
            index.get("/changes").text,
            call(index, "GET", "/api/audit?limit=1000").text,
            call(index, "GET", "/api/tokens?user=*").text,
            call(index, "GET", "/api/users").text,
            call(index, "GET", "/api/indexes/main/projects/spam/journal").text,
            call(index, "GET", "/metrics").text,
        ]
        assert len(rows) > 10, "it looks at something"
        for what, text in secret.items():
            assert text, what
            assert not [row for row in rows if text in row], what
            assert not [page for page in pages if text in page], what


def test_who_asks_as_nobody_gets_no_more_than_who_is_somebody(tmp_path: Path) -> None:
    """devpi's check passed over whoever showed nothing.  Whatever a known user without a role is refused, nobody is, too."""
    with InProcess.open(str(tmp_path)) as index:
        put(index)
        call(index, "POST", "/api/indexes", {"name": "team", "public": False})
        ada = person(index, "ada")
        paths = index.get("/openapi.json").json()["paths"]
        asked = 0
        for path, methods in paths.items():
            if "get" not in methods:
                continue
            for name in ("main", "team"):
                target = (
                    path.replace("{index}", name).replace("{project}", "spam").replace("{version}", "1.0")
                )
                target = target.replace("{user}", "admin").replace("{filename}", "x")
                known = call(index, "GET", target, None, ada).status
                nobody = call(index, "GET", target, None, "").status
                asked += 1
                if known in (401, 403, 404):
                    assert nobody in (401, 403, 404), target
        assert asked > 20


@pytest.mark.parametrize("path", ["/changes", "/team/changes"])
def test_a_feed_of_a_private_index_is_its_readers_alone(tmp_path: Path, path: str) -> None:
    with InProcess.open(str(tmp_path)) as index:
        call(index, "POST", "/api/indexes", {"name": "team", "public": False})
        call(index, "PATCH", "/api/indexes/main", {"public": False})
        ada = person(index, "ada")
        assert index.get(path).status == 401
        assert call(index, "GET", path, None, ada).status == 404
        assert call(index, "GET", path).status == 200
