"""``accord index``: what an operator types, and what is answered as text and as JSON."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from accord.cli.main import main
from accord.server.accounts import tokens
from accord.testing.people import call, put

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from accord.testing.serving import InProcess

    Run = Callable[..., str]


@pytest.fixture
def run(index: InProcess, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """One command on the server's folder; what it printed."""
    monkeypatch.setenv("ACCORD_SERVER_DATA", index.parts.settings.data)
    monkeypatch.setenv("ACCORD_SERVER_DATABASE", index.parts.settings.database)

    def run(*words: str, given: str = "", status: int = 0) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        capsys.readouterr()
        assert main(["index", *words]) == status
        captured = capsys.readouterr()
        return captured.out if status == 0 else captured.err

    return run


def record(text: str) -> Any:
    return json.loads(text)


def test_users_are_added_listed_locked_out_and_given_passwords(index: InProcess, run: Run) -> None:
    assert run("user", "add", "Ada_L", "--email", "ada@team.example") == "user ada-l\n"
    assert (
        record(run("user", "add", "ben", "--password", "--json", given="correct horse\n"))["password"] is True
    )
    names = [line.split()[0] for line in run("user", "list").splitlines()[2:]]
    assert names == ["ada-l", "admin", "ben"]
    assert run("user", "disable", "ben") == "user ben: locked out\n"
    assert run("user", "disable", "ben", "--undo") == "user ben: let in\n"
    assert run("user", "passwd", "ben", given="another horse\n") == "user ben: password set\n"
    assert run("user", "passwd", "ben", "--none") == "user ben: no password\n"
    assert "error[user-exists]" in run("user", "add", "ada.l", status=1)
    assert "error[password-length]" in run("user", "passwd", "ben", given="short\n", status=1)
    assert "error[no-such-user]" in run("user", "disable", "nobody", status=1)


def test_a_token_is_made_narrowed_without_a_server_and_revoked(index: InProcess, run: Run) -> None:
    put(index)
    run("user", "add", "ada")
    run("role", "grant", "main", "ada", "uploader")
    made = record(run("token", "create", "ada", "--name", "ci", "--action", "upload", "--json"))
    secret = made["secret"]
    assert put(index, version="2.0", token=secret).status == 200
    narrow = run(
        "token", "narrow", "--for-project", "Eggs_X", "--expires", "PT1H", given=secret + "\n"
    ).strip()
    parsed = tokens.parse(narrow)
    assert parsed is not None
    assert json.loads(parsed.added[0])["projects"] == ["eggs-x"]
    assert put(index, version="3.0", token=narrow).status == 403
    assert put(index, "eggs_x", token=narrow).status == 200
    assert secret.rpartition(".")[2] not in run("token", "list", "--json")
    listed = record(run("token", "list", "--user", "ada", "--json"))["tokens"]
    assert [(one["id"], one["name"], one["restrictions"]) for one in listed] == [
        (made["id"], "ci", {"actions": ["upload"]})
    ]
    assert run("token", "revoke", narrow) == f"token {made['id']} of ada: revoked\n"
    assert put(index, version="4.0", token=secret).status == 401
    assert "error[no-token]" in run("token", "narrow", given="nothing\n", status=2)
    assert "error[no-such-token]" in run("token", "revoke", "0000000000000000", status=1)
    assert "there is no action 'fly'" in run("token", "create", "ada", "--action", "fly", status=2)
    assert "--expires" in run("token", "create", "ada", "--expires", "soon", status=2)


def test_indexes_roles_and_visibility(index: InProcess, run: Run) -> None:
    assert (
        run("create", "team", "--private", "--base", "main", "--title", "Ours")
        == "index team: /team/simple/\n"
    )
    found = {one["name"]: one for one in record(run("list", "--json"))["indexes"]}
    assert (found["team"]["public"], found["team"]["bases"], found["team"]["title"]) == (
        False,
        ["main"],
        "Ours",
    )
    put(index)
    for name in ("ada", "ben"):
        run("user", "add", name)
    assert run("role", "grant", "main/Spam", "ada", "reader") == "main/Spam: ada is reader\n"
    run("role", "grant", "main", "ben", "admin")
    listed = record(run("role", "list", "main", "--json"))["roles"]
    assert {(one["project"], one["user"], one["role"]) for one in listed} == {
        (None, "ben", "admin"),
        ("spam", "ada", "reader"),
        ("spam", "admin", "owner"),
    }
    assert index.get("/simple/spam/").status == 200
    assert run("visibility", "main/spam", "private") == "main/spam: private\n"
    assert index.get("/simple/spam/").status == 404
    run("visibility", "main/spam", "public")
    run("visibility", "main", "private")
    assert index.get("/simple/spam/").status == 401
    assert run("role", "transfer", "main/spam", "ben") == "main/spam: ben is the owner\n"
    assert run("role", "revoke", "main", "ben") == "main: ben has no role\n"
    assert record(run("change", "main", "--creators", "users", "--json"))["creators"] == "users"
    assert "error[no-such-index]" in run("role", "list", "none", status=1)
    assert "error[no-such-project]" in run("visibility", "main/none", "private", status=1)
    assert "error[role-unknown]" in run("role", "grant", "main", "ben", "owner", status=1)
    assert "INDEX/PROJECT" in run("role", "transfer", "main", "ben", status=2)
    assert "error[index-name]" in run("create", "simple", status=1)


def test_what_an_operator_does_is_in_the_audit(index: InProcess, run: Run) -> None:
    run("user", "add", "ada")
    call(index, "GET", "/api/whoami")
    index.parts.guard.enter()
    entries = record(run("audit", "--json"))["entries"]
    assert {("add-user", "user:ada", ""), ("account", "", "127.0.0.1")} <= {
        (one["action"], one["subject"], one["address"]) for one in entries
    }
    [added] = [one for one in entries if one["subject"] == "user:ada"]
    assert added["actor"].startswith("operator")
    assert len(run("audit", "--limit", "1").splitlines()) == 3
    assert record(run("audit", "--actor", "user:admin", "--json"))["entries"][0]["action"] == "account"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what is missing is the file
def test_where_there_is_no_server_it_is_said_and_nothing_is_made(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = tmp_path / "nowhere"
    monkeypatch.setenv("ACCORD_SERVER_DATA", str(nowhere))
    assert "error[no-server-here]" in run("user", "list", status=2)
    assert not nowhere.exists()
