"""Signing in, tokens, yanking, the operator's page: what each may, and what a foreign page, a thief and a stranger may not."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from accord.server.accounts import people, roles
from accord.server.catalogue import indexes
from accord.server.database import tables
from accord.server.limits import Limits
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.browsing import PASSWORD, Browser, add_person, hidden
from accord.testing.serving import InProcess

WHEEL = zip_bytes(wheel_parts())
NAME = "spam-1.0-py3-none-any.whl"


@pytest.fixture
def ada(index: InProcess) -> Browser:
    """Signed in, owner of ``spam``, nothing else."""
    add_person(index, "ada")
    index.upload(NAME, WHEEL)
    with index.parts.database.write("system") as writing:
        main = indexes.index_named(writing.connection, "main")
        roles.grant(writing, main, "spam", people.user_named(writing.connection, "ada"), "owner")
    reader = Browser(index)
    assert reader.sign_in("ada").status == 303
    return reader


def state(index: InProcess) -> dict[str, list[object]]:
    """Everything the database holds but for the audit, and when a token was used last."""
    with index.parts.database.read() as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(
                    # PostgreSQL has its own order after an update, of ``last_used`` as well
                    select(*(one for one in table.c if one.name != "last_used")).order_by(*table.primary_key)
                )
            ]
            for table in tables.metadata.sorted_tables
            if table.name not in ("audit", "rate")
        }


def test_signing_in_sets_a_cookie_no_script_reads_and_only_its_digest_is_kept(
    index: InProcess, ada: Browser
) -> None:
    [cookie] = [one for one in ada.set_cookies if one.startswith("accord_session=")]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "ada" in ada.get("/").text
    key = ada.cookies["accord_session"]
    assert key not in str(state(index))


def test_where_there_is_https_the_cookie_goes_nowhere_else(tmp_path_factory: pytest.TempPathFactory) -> None:
    with InProcess.open(str(tmp_path_factory.mktemp("data")), public_url="https://index.example") as index:
        add_person(index, "ada")
        reader = Browser(index)
        reader.sign_in("ada")
        [cookie] = [one for one in reader.set_cookies if one.startswith("__Host-accord_session=")]
        assert "; secure" in cookie.lower()
        assert "path=/" in cookie.lower()
        assert "domain" not in cookie.lower()
        assert "Sign out" in reader.get("/").text


@pytest.mark.parametrize(
    ("name", "password"),
    [("ada", "wrong wrong wrong"), ("nobody", PASSWORD), ("", ""), ("ada\x00", PASSWORD), ("admin", "")],
)
def test_a_wrong_password_and_an_unknown_name_are_answered_alike(
    index: InProcess, name: str, password: str
) -> None:
    add_person(index, "ada")
    reader = Browser(index)
    reply = reader.sign_in(name, password)
    assert reply.status == 401
    assert "No user has this name and this password" in reply.text
    assert "accord_session" not in reader.cookies


def test_a_foreign_page_signs_nobody_in(index: InProcess) -> None:
    add_person(index, "mallory")
    victim = Browser(index)
    fields = {"user": "mallory", "password": PASSWORD}
    once = hidden(victim.get("/login"), "once")
    for sent, headers in (
        (fields, {}),
        ({**fields, "once": "x"}, {}),
        ({**fields, "once": ""}, {}),
        ({**fields, "once": once}, {"sec_fetch_site": "cross-site"}),
        ({**fields, "once": once}, {"sec_fetch_site": "same-site"}),
        ({**fields, "once": once}, {"origin": "http://evil.example"}),
        ({**fields, "once": once}, {"origin": "null"}),
    ):
        assert victim.post("/login", sent, **headers).status == 403
        assert "accord_session" not in victim.cookies
    victim.cookies.clear()
    assert victim.post("/login", {**fields, "once": ""}).status == 403
    once = hidden(victim.get("/login"), "once")
    honest = {"sec_fetch_site": "same-origin", "origin": "http://index.example"}
    assert victim.post("/login", {**fields, "once": once}, **honest).status == 303


def test_a_session_that_somebody_else_chose_is_not_taken_over(index: InProcess) -> None:
    add_person(index, "ada")
    reader = Browser(index)
    reader.cookies["accord_session"] = "chosen"
    reader.sign_in("ada")
    assert reader.cookies["accord_session"] != "chosen"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        "",
        "x" * 999,
    ],
)
def test_after_signing_in_nobody_is_sent_to_another_server(index: InProcess, target: str) -> None:
    add_person(index, "ada")
    location = Browser(index).sign_in("ada", next=target).headers["location"]
    assert location == "account/tokens/"


def test_after_signing_in_the_page_that_was_asked_is_shown(index: InProcess) -> None:
    add_person(index, "ada")
    reader = Browser(index)
    assert reader.get("/account/tokens/").headers["location"] == "../../login?next=/account/tokens/"
    assert reader.sign_in("ada", next="/project/spam/").headers["location"] == "./project/spam/"


def test_signing_out_ends_the_session_also_for_who_copied_the_cookie(index: InProcess, ada: Browser) -> None:
    thief = Browser(index, cookies=dict(ada.cookies))
    assert thief.get("/account/tokens/").status == 200
    assert ada.post("/logout", {"csrf": ada.csrf("/account/tokens/")}).status == 303
    assert thief.get("/account/tokens/").status == 303


def test_a_session_ends_after_its_time_and_with_a_new_password(index: InProcess, ada: Browser) -> None:
    index.clock.forward(Limits().session_seconds - 1)
    assert ada.get("/account/tokens/").status == 200
    index.clock.forward(2)
    assert ada.get("/account/tokens/").status == 303


WRITES = [
    ("/account/tokens/", {"name": "t"}),
    ("/account/tokens/{token}/revoke", {}),
    ("/project/spam/manage/yank", {"what": "yank", "version": "1.0"}),
    ("/main/project/spam/manage/yank", {"what": "yank", "version": "1.0"}),
    ("/logout", {}),
]


@pytest.mark.parametrize(("target", "fields"), WRITES)
def test_no_form_of_a_foreign_page_changes_anything(
    index: InProcess, ada: Browser, target: str, fields: dict[str, str]
) -> None:
    csrf = ada.csrf("/account/tokens/")
    ada.post("/account/tokens/", {"name": "first", "csrf": csrf})
    with index.parts.database.read() as connection:
        user = people.user_named(connection, "ada")
        token = connection.execute(
            select(tables.token.c.public_id).where(tables.token.c.user_id == user.id)
        ).scalar_one()
    target = target.replace("{token}", token)
    other = Browser(index)
    add_person(index, "mallory")
    other.sign_in("mallory")
    theirs = other.csrf("/account/tokens/")
    before = state(index)
    for sent, headers in (
        (fields, {}),
        ({**fields, "csrf": ""}, {}),
        ({**fields, "csrf": theirs}, {}),
        ({**fields, "csrf": csrf}, {"sec_fetch_site": "cross-site"}),
        ({**fields, "csrf": csrf}, {"origin": "http://evil.example"}),
    ):
        assert ada.post(target, sent, **headers).status == 403
    assert ada.post(target, {**fields, "csrf": csrf}, content_type="text/plain").status == 415
    ada.get(target)  # no GET changes anything
    stranger = Browser(index)
    assert stranger.post(target, {**fields, "csrf": csrf}).status == 401
    assert (
        stranger.post(target, {**fields, "csrf": csrf}, authorization=f"Bearer {index.token}").status == 401
    )
    assert state(index) == before
    assert ada.post(target, {**fields, "csrf": csrf}).status in (200, 303)
    assert state(index) != before


def test_a_token_is_shown_once_and_does_what_it_was_restricted_to(index: InProcess, ada: Browser) -> None:
    csrf = ada.csrf("/account/tokens/")
    made = ada.post(
        "/account/tokens/",
        [
            ("csrf", csrf),
            ("name", "ci <b>"),
            ("actions", "upload"),
            ("projects", "Spam, eggs"),
            ("days", "7"),
        ],
    )
    assert made.status == 200
    assert made.headers["cache-control"] == "no-store"
    found = re.search(r"accord_[0-9a-f]{16}\.[\w.-]+", made.text)
    assert found is not None
    page = ada.get("/account/tokens/").text
    assert found[0] not in page
    assert "ci &lt;b&gt;" in page
    wheel = zip_bytes(wheel_parts(version="2.0"))
    assert index.upload("spam-2.0-py3-none-any.whl", wheel, token=found[0]).status == 200
    other = zip_bytes(wheel_parts({"ham/__init__.py": b""}, name="ham"))
    assert index.upload("ham-1.0-py3-none-any.whl", other, token=found[0]).status in (403, 404)
    index.clock.forward(7 * 86_400)
    late = zip_bytes(wheel_parts(version="3.0"))
    assert index.upload("spam-3.0-py3-none-any.whl", late, token=found[0]).status == 401


def test_a_token_that_is_revoked_does_nothing_and_nobody_revokes_anothers(
    index: InProcess, ada: Browser
) -> None:
    made = ada.post("/account/tokens/", {"csrf": ada.csrf("/account/tokens/"), "name": "t"})
    found = re.search(r"accord_([0-9a-f]{16})\.[\w.-]+", made.text)
    assert found is not None
    add_person(index, "bob")
    bob = Browser(index)
    bob.sign_in("bob")
    csrf = bob.csrf("/account/tokens/")
    assert bob.post(f"/account/tokens/{found[1]}/revoke", {"csrf": csrf}).status == 404
    wheel = zip_bytes(wheel_parts(version="2.0"))
    assert index.upload("spam-2.0-py3-none-any.whl", wheel, token=found[0]).status == 200
    assert (
        ada.post(f"/account/tokens/{found[1]}/revoke", {"csrf": ada.csrf("/account/tokens/")}).status == 303
    )
    wheel = zip_bytes(wheel_parts(version="3.0"))
    assert index.upload("spam-3.0-py3-none-any.whl", wheel, token=found[0]).status == 401


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "x", "actions": "fly"},
        {"name": "x", "days": "9999"},
        {"name": "x" * 501},
        {"name": "x", "indexes": " ".join(f"i{n}" for n in range(101))},
    ],
)
def test_a_token_that_is_asked_for_wrongly_is_not_made(
    index: InProcess, ada: Browser, fields: dict[str, str]
) -> None:
    csrf = ada.csrf("/account/tokens/")
    before = state(index)
    assert ada.post("/account/tokens/", {**fields, "csrf": csrf}).status == 400
    assert state(index) == before


def test_an_owner_yanks_a_release_with_a_reason_and_takes_it_back(index: InProcess, ada: Browser) -> None:
    csrf = ada.csrf("/project/spam/manage/")
    fields = {"csrf": csrf, "version": "1.0", "what": "yank", "reason": "eats data"}
    assert ada.post("/project/spam/manage/yank", fields).status == 303
    page = index.get("/simple/spam/", accept="application/vnd.pypi.simple.v1+json").json()
    assert page["files"][0]["yanked"] == "eats data"
    assert "eats data" in Browser(index).get("/project/spam/").text
    before = index.parts.database.serial()
    assert ada.post("/project/spam/manage/yank", fields).status == 303
    assert index.parts.database.serial() == before  # yanked already: no change
    assert ada.post("/project/spam/manage/yank", {**fields, "what": "unyank"}).status == 303
    page = index.get("/simple/spam/", accept="application/vnd.pypi.simple.v1+json").json()
    assert page["files"][0]["yanked"] is False
    with index.parts.database.read() as connection:
        rows = connection.execute(
            select(tables.change.c.action, tables.change.c.actor)
            .order_by(tables.change.c.serial.desc())
            .limit(2)
        ).all()
    assert [tuple(row) for row in rows] == [("unyank", "user:ada"), ("yank", "user:ada")]


def test_a_reason_has_a_limit_and_a_release_must_be_there(index: InProcess, ada: Browser) -> None:
    most = Limits().reason_bytes
    fields = {"csrf": ada.csrf("/project/spam/manage/"), "version": "1.0", "what": "yank"}
    assert ada.post("/project/spam/manage/yank", {**fields, "reason": "x" * (most + 1)}).status == 400
    assert ada.post("/project/spam/manage/yank", {**fields, "version": "9"}).status == 404
    assert ada.post("/project/spam/manage/yank", {**fields, "what": "eat"}).status == 400
    assert ada.post("/project/spam/manage/yank", {**fields, "reason": "x" * most}).status == 303


def test_who_has_no_role_neither_sees_nor_does_what_owners_do(index: InProcess, ada: Browser) -> None:
    add_person(index, "bob")
    bob = Browser(index)
    bob.sign_in("bob")
    assert bob.get("/project/spam/manage/").status == 403
    assert "manage/" not in bob.get("/project/spam/").text
    assert "manage/" in ada.get("/project/spam/").text
    csrf = bob.csrf("/account/tokens/")
    before = state(index)
    assert (
        bob.post("/project/spam/manage/yank", {"csrf": csrf, "version": "1.0", "what": "yank"}).status == 403
    )
    assert state(index) == before


def test_the_operators_page_is_the_administrators(index: InProcess, ada: Browser) -> None:
    assert Browser(index).get("/admin/").status == 303
    assert ada.get("/admin/").status == 403
    assert "Operator" not in ada.get("/").text
    add_person(index, "root", admin=True)
    root = Browser(index)
    root.sign_in("root")
    with index.parts.database.write("system") as writing:
        indexes.add_index(writing, "cache", kind="upstream", upstream_url="https://up.example/simple/")
        writing.connection.execute(
            tables.job.insert().values(kind="mirror", arguments={}, run_after=1, failure="no <route>")
        )
    page = root.get("/admin/")
    assert page.status == 200
    for text in ("job: mirror", "no &lt;route&gt;", "never asked", "files in quarantine", "begin-session"):
        assert text in page.text, text


@pytest.mark.parametrize(("extra", "status"), [(0, 400), (1, 413)])
def test_a_form_has_a_limit_of_bytes(index: InProcess, ada: Browser, extra: int, status: int) -> None:
    csrf = ada.csrf("/account/tokens/")
    room = Limits().page_form_bytes - len(f"csrf={csrf}&name=")
    assert ada.post("/account/tokens/", {"csrf": csrf, "name": "x" * (room + extra)}).status == status


@pytest.mark.parametrize(("count", "status"), [(200, 200), (201, 400)])
def test_a_form_has_a_limit_of_fields(index: InProcess, ada: Browser, count: int, status: int) -> None:
    pairs = [("csrf", ada.csrf("/account/tokens/")), ("name", "t")]
    pairs += [(f"x{number}", "") for number in range(count - 2)]
    assert ada.post("/account/tokens/", pairs).status == status


def test_pages_of_somebody_who_is_signed_in_are_kept_by_nobody(index: InProcess, ada: Browser) -> None:
    for target in ("/", "/project/spam/", "/account/tokens/", "/project/spam/manage/", "/search?q=spam"):
        assert ada.get(target).headers["cache-control"] == "no-store", target


def test_guessing_passwords_ends_soon(index: InProcess) -> None:
    add_person(index, "ada")
    reader = Browser(index)
    answers = [
        reader.sign_in("ada", f"wrong wrong {number}").status
        for number in range(Limits().failed_per_credential + 1)
    ]
    assert answers[-1] == 429
    assert reader.sign_in("ada").status == 429
