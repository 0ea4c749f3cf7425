"""Tokens: each way of forging one, and of making more of one than it is."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from starlette.routing import Route

from accord.server.accounts import tokens
from accord.server.accounts.tokens import Restriction
from accord.server.app import application
from accord.server.clock import iso
from accord.server.database import tables
from accord.server.limits import DEFAULT
from accord.testing.people import call, give, person, put

if TYPE_CHECKING:
    from accord.testing.serving import InProcess

KEY = b"k" * 32


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def good(text: str) -> bool:
    token = tokens.parse(text)
    return token is not None and tokens.verify(token, KEY) is not None


def test_every_change_of_a_token_but_narrowing_spoils_it() -> None:
    plain = tokens.mint(KEY, "0123456789abcdef")
    narrow = tokens.narrow(plain, Restriction(projects=frozenset({"spam"})))
    narrower = tokens.narrow(narrow, Restriction(actions=frozenset({"read"})))
    assert good(plain)
    assert good(narrow)
    assert good(narrower)
    head, first, second, signature = narrower.split(".")
    wider = encode(b'{"projects":["spam","eggs"]}')
    plain_signature = plain.rpartition(".")[2]
    narrow_signature = narrow.rpartition(".")[2]
    forged = [
        f"{head}.{signature}",  # restrictions taken away
        f"{head}.{first}.{signature}",
        f"{head}.{second}.{signature}",
        f"{head}.{second}.{first}.{signature}",  # in another order
        f"{head}.{wider}.{second}.{signature}",  # changed
        f"{head}.{first}.{second}.{plain_signature}",  # an earlier signature
        f"{head}.{first}.{second}.{narrow_signature}",
        f"{head}.{first}.{second}.",  # none
        f"{head}.{first}.{second}.{encode(b'')}",
        f"{head}.{first}.{second}.{encode(bytes(32))}",
        f"{head}.{first}{second}.{signature}",  # two as one
        f"accord_fedcba9876543210.{first}.{second}.{signature}",  # another's name
        narrower[:-1],
        narrower + ".",
        f"{head}.{narrower.partition('.')[2]}.{signature}",
        # Whoever holds the narrowed token knows its signature as a key: it opens nothing of what is before it.
        tokens.mint(base64.urlsafe_b64decode(narrow_signature + "="), "0123456789abcdef"),
    ]
    for text in forged:
        assert not good(text), text


def test_a_restriction_that_is_not_understood_never_holds() -> None:
    strange: tuple[Any, ...] = (
        {"colour": "red"},
        {"actions": "read"},
        {"actions": [1]},
        {"projects": {"spam": 1}},
        {"expires": "tomorrow"},
        {"expires": True},
        {"expires": 1.5},
        [],
        None,
        "read",
    )
    for added in strange:
        token = tokens.parse(tokens.mint(KEY, "0123456789abcdef"))
        assert token is not None
        data = json.dumps(added).encode()
        text = f"accord_{token.public_id}.{encode(data)}.{encode(tokens._mac(token.signature, data))}"
        parsed = tokens.parse(text)
        assert parsed is not None
        assert tokens.verify(parsed, KEY) is None, added
    deep = b"[" * 1_000 + b"]" * 1_000
    token = tokens.parse(tokens.mint(KEY, "0123456789abcdef"))
    assert token is not None
    text = f"accord_{token.public_id}.{encode(deep)}.{encode(tokens._mac(token.signature, deep))}"
    parsed = tokens.parse(text)
    assert parsed is None or tokens.verify(parsed, KEY) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "accord_",
        "accord_x",
        "accord_x.",
        "pypi-AgEIcHlwaS5vcmc",
        "accord_x.\u00e4",
        "accord_" + "a." * 5_000,
    ],
)
def test_what_is_no_token_is_none(text: str) -> None:
    assert not good(text)


def test_a_token_has_as_many_characters_as_the_limit_and_no_more() -> None:
    text = tokens.mint(KEY, "0123456789abcdef")
    while True:
        longer = tokens.narrow(text, Restriction(projects=frozenset({"p"})))
        if len(longer) > DEFAULT.token_characters:
            break
        text = longer
    assert good(text)
    room = DEFAULT.token_characters - len(tokens.mint(KEY, "0123456789abcdef")) - 1
    exact = next(
        found
        for size in range(room * 3 // 4, 0, -1)
        for found in [tokens.narrow(tokens.mint(KEY, "0123456789abcdef"), names(size))]
        if len(found) <= DEFAULT.token_characters
    )
    assert good(exact)
    assert not good(exact + "A" * (DEFAULT.token_characters + 1 - len(exact)))
    assert not good(tokens.narrow(text, Restriction(projects=frozenset({"p"}))))


def names(size: int) -> Restriction:
    return Restriction(projects=frozenset({"p" * size}))


def test_a_token_is_good_for_what_it_says_and_for_nothing_else(index: InProcess) -> None:
    put(index)
    put(index, "eggs")
    call(index, "POST", "/api/indexes", {"name": "team"})
    ci = person(index, "admin", indexes=["main"], projects=["spam"], actions=["upload"])
    assert put(index, "spam", "2.0", token=ci).status == 200
    assert put(index, "eggs", "2.0", token=ci).status == 403
    assert put(index, "spam", "2.0", token=ci, to="team").status == 403
    assert call(index, "GET", "/api/indexes/main/projects/spam/roles", None, ci).status == 403
    assert call(index, "GET", "/api/users", None, ci).status == 403
    # Its holder narrows it further, without asking, and cannot widen it.
    less = tokens.narrow(ci, Restriction(projects=frozenset({"eggs", "spam"})))
    assert put(index, "spam", "3.0", token=less).status == 200
    assert put(index, "eggs", "3.0", token=less).status == 403
    least = tokens.narrow(less, Restriction(actions=frozenset({"read"})))
    assert put(index, "spam", "4.0", token=least).status == 403


def test_a_revoked_or_expired_token_is_none_and_what_was_narrowed_from_it_neither(index: InProcess) -> None:
    soon = iso(index.clock() + 60_000_000)
    made = call(index, "POST", "/api/tokens", {"name": "n"}).json()
    brief = call(index, "POST", "/api/tokens", {"name": "n", "expires": soon}).json()["secret"]
    narrowed = tokens.narrow(made["secret"], Restriction(actions=frozenset({"account"})))
    hour = tokens.narrow(made["secret"], Restriction(expires=index.clock() + 3_600_000_000))
    for token in (made["secret"], brief, narrowed, hour):
        assert call(index, "GET", "/api/whoami", None, token).status == 200
    index.clock.forward(59.999999)
    assert call(index, "GET", "/api/whoami", None, brief).status == 200
    index.clock.forward(0.000001)
    assert call(index, "GET", "/api/whoami", None, brief).status == 401
    index.clock.forward(3_600)
    assert call(index, "GET", "/api/whoami", None, hour).status == 401
    assert call(index, "DELETE", f"/api/tokens/{made['id']}").status == 204
    for token in (made["secret"], narrowed):
        assert call(index, "GET", "/api/whoami", None, token).status == 401
    assert call(index, "DELETE", f"/api/tokens/{made['id']}").status == 204  # again is no error


def test_a_token_makes_none_that_may_more_than_itself(index: InProcess) -> None:
    root = person(index, "ada")
    for restriction in (
        Restriction(actions=frozenset({"read", "upload"})),
        Restriction(projects=frozenset({"spam"})),
        Restriction(indexes=frozenset({"main"})),
    ):
        refused = call(index, "POST", "/api/tokens", {"name": "n"}, tokens.narrow(root, restriction))
        assert refused.status == 403, restriction
    brief = tokens.narrow(root, Restriction(expires=index.clock() + 60_000_000))
    inherits = call(index, "POST", "/api/tokens", {"name": "n"}, brief)
    assert inherits.json()["expires"] == iso(index.clock() + 60_000_000)
    longer = {"name": "n", "expires": iso(index.clock() + 61_000_000)}
    assert call(index, "POST", "/api/tokens", longer, brief).json()["code"] == "token-outlives"
    shorter = {"name": "n", "expires": iso(index.clock() + 59_000_000)}
    assert call(index, "POST", "/api/tokens", shorter, brief).status == 201
    past = {"name": "n", "expires": iso(index.clock())}
    assert call(index, "POST", "/api/tokens", past, root).json()["code"] == "token-expired"


def test_a_token_that_may_only_manage_tokens_makes_none_that_may_upload(index: InProcess) -> None:
    give_all = person(index, "ada", actions=["account"])
    made = call(index, "POST", "/api/tokens", {"name": "n"}, give_all)
    assert (made.status, made.json()["code"]) == (403, "token-narrowed")
    assert call(index, "GET", "/api/tokens", None, give_all).status == 200


def test_tob_pypi26_11_nobody_ends_or_sees_a_token_of_somebody_else(index: InProcess) -> None:
    ada, ben = person(index, "ada"), person(index, "ben")
    identity = ada[7:23]
    [own] = call(index, "GET", "/api/tokens", None, ada).json()["tokens"]
    assert own["id"] == identity
    assert identity not in call(index, "GET", "/api/tokens", None, ben).text
    others = call(index, "DELETE", f"/api/tokens/{identity}", None, ben)
    none = call(index, "DELETE", "/api/tokens/0000000000000000", None, ben)
    assert (others.status, none.status) == (404, 404)
    assert others.text.replace(identity, "0" * 16) == none.text
    assert call(index, "GET", "/api/whoami", None, ada).status == 200
    assert call(index, "DELETE", f"/api/tokens/{identity}", None, ada).status == 204  # one's own
    assert call(index, "DELETE", f"/api/tokens/{ben[7:23]}").status == 204  # an administrator


def test_who_there_is_is_not_told_to_users(index: InProcess) -> None:
    ada = person(index, "ada")
    person(index, "ben")
    for user in ("ben", "nobody"):
        answers = {
            call(index, "POST", "/api/tokens", {"name": "n", "user": user}, ada).status,
            call(index, "GET", f"/api/tokens?user={user}", None, ada).status,
            call(index, "GET", f"/api/users/{user}", None, ada).status,
        }
        assert answers == {403}, user
    assert call(index, "POST", "/api/tokens", {"name": "n", "user": "Ada"}, ada).status == 201


def everything(index: InProcess) -> dict[str, list[Any]]:
    with index.parts.database.read() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(table.select())]
            for table in tables.metadata.sorted_tables
            if table.name not in ("audit", "rate")
        }


def test_tob_pypi26_8_what_reads_never_writes_and_no_function_does_both(index: InProcess) -> None:
    put(index)
    ada = person(index, "ada")
    give(index, "main/spam", "ada", "owner")
    routes = [route for route in application(index.parts).routes if isinstance(route, Route)]
    assert routes
    doing: dict[Any, set[str]] = {}
    for route in routes:
        methods = set(route.methods or ()) - {"HEAD"}
        assert len(methods) == 1, route.path
        doing.setdefault(route.endpoint, set()).update(methods)
    assert all(len(methods) == 1 for methods in doing.values())
    index.parts.search.fill()  # its rows are derived: they follow the journal, whoever looks first
    before = everything(index)
    for route in routes:
        if route.methods and "GET" in route.methods:
            path = route.path
            for name, value in (
                ("index", "main"),
                ("project", "spam"),
                ("user", "ada"),
                ("token", ada[7:23]),
                ("filename", "spam-1.0-py3-none-any.whl"),
            ):
                path = path.replace("{" + name + "}", value)
            if "{" not in path:
                call(index, "GET", path)
                # Nor by a method that another route has: that is refused, not taken for a reading.
                assert index.request("POST", path + "?_method=DELETE").status in (301, 401, 405, 415), path
    assert everything(index) == before


def test_an_answer_to_a_write_without_a_body_is_not_a_write(index: InProcess) -> None:
    before = everything(index)
    for method, path in (("POST", "/api/users"), ("POST", "/api/tokens"), ("PATCH", "/api/users/admin")):
        assert call(index, method, path).status == 400
    assert everything(index) == before
