"""Keys of tokens are worth nothing to whoever has the database alone; a secret is replaced while all tokens stay good."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, update

from accord.cli.main import main
from accord.io.ports import free_port
from accord.server.accounts import sealing, tokens
from accord.server.database import tables
from accord.testing.people import person
from accord.testing.serving import InProcess, basic
from accord_core.errors import UsageError

Opened = Callable[..., InProcess]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "secret"
    found.write_text(secrets.token_hex(32) + "\n")
    return found


def opened(tmp_path: Path, database_url: str, file: Path | None = None, *, token: str = "") -> InProcess:
    found = InProcess.open(
        str(tmp_path / "data"), database=database_url, secret_file="" if file is None else str(file)
    )
    found.token = found.token or token
    return found


def good(index: InProcess, text: str) -> bool:
    return index.request("GET", "/api/whoami", basic(text)).status == 200


def keys(index: InProcess) -> dict[str, bytes]:
    columns = tables.token.c
    with index.parts.database.read() as connection:
        rows = connection.execute(select(columns.public_id, columns.key))
        return {row.public_id: row.key for row in rows}


def forged(public_id: str, key: bytes) -> str:
    return tokens.mint(key, public_id)


def test_without_a_secret_whoever_has_the_database_makes_tokens_and_with_one_does_not(
    tmp_path: Path, database_url: str, file: Path
) -> None:
    with opened(tmp_path, database_url) as index:
        first = index.token
        [(public_id, key)] = keys(index).items()
        assert good(index, forged(public_id, key)), "the attack this is about"
    with opened(tmp_path, database_url, file, token=first) as index:
        text = person(index, "ada")
        public_id = text.partition("_")[2].partition(".")[0]
        stored = keys(index)[public_id]
        assert good(index, text)
        for guess in (stored, stored[:32], stored[-32:], stored[21:53], hashlib.sha256(stored).digest()):
            assert not good(index, forged(public_id, guess))
        narrowed = tokens.narrow(text, tokens.Restriction(actions=frozenset(("account",))))
        assert good(index, narrowed), "narrowing needs no secret"


def test_a_sealed_key_is_of_no_use_for_another_token(tmp_path: Path, database_url: str, file: Path) -> None:
    with opened(tmp_path, database_url, file) as index:
        mine, root = person(index, "eve"), person(index, "root")
        names = [text.partition("_")[2].partition(".")[0] for text in (mine, root)]
        with index.parts.database.write("eve") as writing:
            writing.connection.execute(
                update(tables.token)
                .where(tables.token.c.public_id == names[1])
                .values(key=keys(index)[names[0]])
            )
        key = sealing.read_secrets(str(file)).open(names[0], keys(index)[names[0]])
        assert key is not None
        assert good(index, forged(names[0], key)), "somebody knows the key of one token"
        assert not good(index, forged(names[1], key)), "and has put it, sealed, in the place of another's"
        assert not good(index, root)


def test_a_key_that_was_touched_is_no_key(file: Path) -> None:
    found = sealing.read_secrets(str(file))
    key = os.urandom(32)
    stored = found.seal("abc", key)
    assert found.open("abc", stored) == key
    for at in range(len(stored)):
        broken = bytearray(stored)
        broken[at] ^= 1
        assert found.open("abc", bytes(broken)) is None
    for end in (0, 1, 9, 21, 31, 33, len(stored) - 1):
        assert found.open("abc", stored[:end]) is None
    assert found.seal("abc", key) != stored, "another nonce each time"


def test_a_secret_is_replaced_while_every_token_stays_good(
    tmp_path: Path,
    database_url: str,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ACCORD_SERVER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ACCORD_SERVER_DATABASE", database_url)
    with opened(tmp_path, database_url) as index:
        first = index.token
    with opened(tmp_path, database_url, file, token=first) as index:
        second = person(index, "ada")
        assert good(index, first), "a key that is not sealed yet opens as ever"
    old = file.read_text()
    new = secrets.token_hex(32) + "\n"
    file.write_text(new + old)
    with opened(tmp_path, database_url, file, token=first) as index:
        third = person(index, "ben")
        assert all(good(index, text) for text in (first, second, third))
        before = sorted(keys(index).values())
        seal = ["index", "token", "seal", "--secret-file", str(file)]
        assert main(seal) == 0
        assert capsys.readouterr().out == "2 keys sealed\n"
        assert main(seal) == 0
        assert capsys.readouterr().out == "0 keys sealed\n"
        assert len(set(before) & set(keys(index).values())) == 1, "ben's was sealed with the new one"
    file.write_text(new)
    with opened(tmp_path, database_url, file, token=first) as index:
        assert all(good(index, text) for text in (first, second, third))
    file.write_text(old)
    with opened(tmp_path, database_url, file, token=first) as index:
        assert not any(good(index, text) for text in (first, second, third))
        with index.parts.database.read() as connection, pytest.raises(UsageError):
            sealing.demand_openable(connection, index.clock())
        with index.parts.database.write("test") as writing:
            writing.connection.execute(update(tables.token).values(revoked=1))
        with index.parts.database.read() as connection:
            sealing.demand_openable(connection, index.clock())  # nobody could use them anyway


def test_a_server_and_commands_that_lack_the_secret_say_so(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened(tmp_path, "", file) as index:
        token = index.token
    data = str(tmp_path / "data")
    bind = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "accord", "serve", "--data", data, "--bind", bind]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "error[server-secret]" in done.stderr
    monkeypatch.setenv("ACCORD_SERVER_DATA", data)
    assert main(["index", "token", "create", "admin", "--name", "second"]) == 2
    assert "error[server-secret]" in capsys.readouterr().err
    monkeypatch.setenv("ACCORD_SERVER_SECRET_FILE", str(file))
    assert main(["index", "token", "create", "admin", "--name", "second"]) == 0
    with opened(tmp_path, "", file) as index:
        assert good(index, token)
        assert good(index, capsys.readouterr().out.strip().splitlines()[-1].split()[-1])


@pytest.mark.parametrize(
    ("content", "works"),
    [
        ("ab" * 32, True),
        ("ab" * 32 + "\n" + "cd" * 32 + "\n", True),
        ("\n".join(["ab" * 32] * 16), True),
        ("\n".join(["ab" * 32] * 17), False),
        ("ab" * 31, False),
        ("ab" * 33, False),
        ("xy" * 32, False),
        ("", False),
        ("é" * 32, False),
    ],
)
def test_a_file_of_secrets_has_one_to_sixteen_of_32_bytes(tmp_path: Path, content: str, works: bool) -> None:
    file = tmp_path / "secret"
    file.write_text(content)
    if works:
        assert sealing.read_secrets(str(file)).each
        return
    with pytest.raises(UsageError) as refused:
        sealing.read_secrets(str(file))
    assert refused.value.code == "server-secret"
    assert "ab" * 8 not in str(refused.value), "no secret is shown"


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        sealing.read_secrets(str(tmp_path / "none"))
    assert refused.value.code == "server-secret"


def test_no_secret_is_shown_by_whatever_shows_it(file: Path) -> None:
    found = sealing.read_secrets(str(file))
    assert file.read_text().strip() not in repr(found)
    assert hmac.new(found.each[0], b"", "sha256").hexdigest() not in repr(found)
