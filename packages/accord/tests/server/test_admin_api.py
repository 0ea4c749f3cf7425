"""The JSON API of people: what it answers, to whom, and how it says no."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from accord.server.accounts import people
from accord.server.errors import Refused
from accord.server.limits import DEFAULT
from accord.testing.people import call, person
from accord.testing.serving import basic

if TYPE_CHECKING:
    from accord.testing.serving import InProcess


def test_whoami_says_who_asks_and_what_the_token_is_restricted_to(index: InProcess) -> None:
    found = call(index, "GET", "/api/whoami").json()
    assert (found["name"], found["admin"], found["restrictions"]) == ("admin", True, [])
    made = call(index, "POST", "/api/tokens", {"name": "n", "actions": ["account", "read"]}).json()
    found = call(index, "GET", "/api/whoami", token=made["secret"]).json()
    assert found["restrictions"] == [{"actions": ["account", "read"]}]


def test_a_users_name_is_one_name_however_it_is_written(index: InProcess) -> None:
    made = call(index, "POST", "/api/users", {"name": "Ada_Lovelace"})
    assert made.status == 201
    assert (made.json()["name"], made.json()["display"]) == ("ada-lovelace", "Ada_Lovelace")
    again = call(index, "POST", "/api/users", {"name": "ada.lovelace"})
    assert (again.status, again.json()["code"]) == (409, "user-exists")
    for name in ("", "-", "аda", "a" * 65, "a b", "__token__!"):
        refused = call(index, "POST", "/api/users", {"name": name})
        assert (refused.status, refused.json()["code"]) == (400, "user-name"), name


def test_a_fault_of_a_document_is_told_with_its_place(index: InProcess) -> None:
    for document, place in (
        ({"name": 1}, "$.name"),
        ({"name": "n", "indexes": ["main", 2]}, "$.indexes[1]"),
        ({"name": "n", "expires": "2027-01-01T00:00:00"}, "$.expires"),
        ({"name": "n", "colour": "red"}, "$"),
        ([], "$"),
    ):
        refused = call(index, "POST", "/api/tokens", document)
        assert refused.status == 400, document
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["code"] == "json-body"
        assert refused.json()["context"] == [place], refused.json()
    broken = index.request(
        "POST", "/api/tokens", {"content-type": "application/json", **basic(index.token)}, b'{"name": '
    )
    assert (broken.status, broken.json()["code"]) == (400, "json-body")


def test_a_document_is_read_to_its_limit_and_not_a_byte_further(index: InProcess) -> None:
    most = index.parts.settings.limits.json_bytes
    shell = json.dumps({"name": "n", "user": ""}).encode()[:-2]
    for size, status in ((most, 400), (most + 1, 413)):
        body = shell + b"u" * (size - len(shell) - 2) + b'"}'
        assert len(body) == size
        headers = {"content-type": "application/json", **basic(index.token)}
        assert index.request("POST", "/api/tokens", headers, body).status == status


def test_a_method_that_a_path_does_not_have_is_answered_with_those_it_has(index: InProcess) -> None:
    for path, methods in (
        ("/api/users", "GET, HEAD, POST"),
        ("/api/users/admin", "GET, HEAD, PATCH"),
        ("/api/indexes/main/roles/admin", "DELETE, PUT"),
    ):
        refused = call(index, "OPTIONS", path)
        assert (refused.status, refused.headers["allow"]) == (405, methods)


def test_the_api_describes_itself(index: InProcess) -> None:
    paths = index.get("/openapi.json").json()["paths"]
    body = paths["/api/tokens"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) == {"name", "user", "indexes", "projects", "actions", "expires"}
    assert body["additionalProperties"] is False
    assert set(paths["/api/indexes/{index}/roles/{user}"]) == {"put", "delete"}
    assert "204" in paths["/api/tokens/{token}"]["delete"]["responses"]


def test_words_and_lists_have_limits(index: InProcess) -> None:
    long, many = DEFAULT.token_name_bytes, DEFAULT.token_names
    for document, status in (
        ({"name": "n" * long}, 201),
        ({"name": "n" * (long + 1)}, 400),
        ({"name": ""}, 400),
        ({"name": "n", "projects": [f"p{number}" for number in range(many)]}, 201),
        ({"name": "n", "projects": [f"p{number}" for number in range(many + 1)]}, 400),
        ({"name": "n", "projects": []}, 400),
    ):
        assert call(index, "POST", "/api/tokens", document).status == status


def test_a_form_of_a_foreign_page_is_not_read(index: InProcess) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        headers = {"content-type": kind, **basic(index.token)}
        refused = index.request("POST", "/api/users", headers, b'{"name": "eve"}')
        assert (refused.status, refused.json()["code"]) == (415, "json-type")


def test_only_administrators_administer(index: InProcess) -> None:
    ada = person(index, "ada")
    for method, path, document in (
        ("GET", "/api/users", None),
        ("POST", "/api/users", {"name": "eve"}),
        ("PATCH", "/api/users/ada", {"admin": True}),
        ("GET", "/api/audit", None),
        ("GET", "/api/tokens?user=admin", None),
        ("POST", "/api/tokens", {"name": "n", "user": "admin"}),
        ("POST", "/api/indexes", {"name": "team"}),
        ("PATCH", "/api/indexes/main", {"public": False}),
        ("PUT", "/api/indexes/main/roles/ada", {"role": "admin"}),
    ):
        assert call(index, method, path, document, ada).status == 403, path
        assert call(index, method, path, document, "").status == 401, path
    assert call(index, "GET", "/api/whoami", token=ada).json()["admin"] is False


def test_a_locked_out_users_tokens_do_nothing_until_the_user_is_let_in_again(index: InProcess) -> None:
    ada = person(index, "ada")
    assert call(index, "GET", "/api/whoami", token=ada).status == 200
    call(index, "PATCH", "/api/users/ada", {"disabled": True})
    assert call(index, "GET", "/api/whoami", token=ada).status == 401
    call(index, "PATCH", "/api/users/ada", {"disabled": False})
    assert call(index, "GET", "/api/whoami", token=ada).status == 200
    assert call(index, "PATCH", "/api/users/admin", {"disabled": True}).json()["code"] == "own-account"


def test_a_secret_is_shown_once_and_never_again(index: InProcess) -> None:
    made = call(index, "POST", "/api/tokens", {"name": "n"}).json()
    signature = made["secret"].rpartition(".")[2]
    assert made["secret"].startswith("accord_" + made["id"])
    for path in ("/api/tokens", "/api/tokens?user=*", "/api/audit?limit=1000"):
        assert signature not in call(index, "GET", path).text


def test_pages_of_a_list_hold_as_many_as_are_asked_for(index: InProcess) -> None:
    for name in ("ada", "ben", "cleo"):
        call(index, "POST", "/api/users", {"name": name})
    first = call(index, "GET", "/api/users?limit=2").json()
    assert [one["name"] for one in first["users"]] == ["ada", "admin"]
    rest = call(index, "GET", f"/api/users?limit=2&after={first['next']}").json()
    assert [one["name"] for one in rest["users"]] == ["ben", "cleo"]
    for limit in ("0", "1001", "x", "-1", "1e3"):
        assert call(index, "GET", f"/api/users?limit={limit}").json()["code"] == "query-value"


def test_a_character_no_database_keeps_is_refused_wherever_it_comes(index: InProcess) -> None:
    """SQLite would keep it, and the index could not move to PostgreSQL."""
    call(index, "POST", "/api/users", {"name": "ada"})
    for method, path, document in (
        ("PATCH", "/api/users/ada", {"display": "A\0da"}),
        ("POST", "/api/tokens", {"name": "n", "projects": ["spam", "\0"]}),
        ("POST", "/api/indexes", {"name": "team", "title": "\0"}),
        ("GET", "/api/users?after=a%00", None),
        ("GET", "/api/audit?actor=%00", None),
    ):
        refused = call(index, method, path, document)
        assert (refused.status, refused.json()["code"]) in {(400, "json-body"), (400, "query-value")}, path
    assert call(index, "PATCH", "/api/users/ada", {"display": "A\\u0000da"}).json()["display"] == "A\\u0000da"
    with pytest.raises(Refused) as caught, index.parts.database.write("system") as writing:
        people.add_user(writing, "eve", display="\0")
    assert caught.value.code == "text-not-storable"
