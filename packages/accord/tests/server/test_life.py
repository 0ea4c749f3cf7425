"""What becomes of a release: yanked, in quarantine, withdrawn with a tombstone, restored; and who may."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from accord.server.catalogue import life
from accord.server.database import tables
from accord.server.limits import DEFAULT
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.people import call, give, hide, person, put, wheel

if TYPE_CHECKING:
    from accord.testing.serving import InProcess, Reply

JSON = "application/vnd.pypi.simple.v1+json"
SPAM = "/api/indexes/main/projects/spam"
FILE, BYTES = wheel()


def page(index: InProcess, path: str = "/simple/spam/") -> Any:
    found = index.get(path, accept=JSON)
    assert found.status == 200, found.text
    return found.json()


def files(index: InProcess, path: str = "/simple/spam/") -> list[str]:
    return [file["filename"] for file in page(index, path)["files"]]


def do(index: InProcess, what: str, token: str | None = None, **document: Any) -> Reply:
    method = "PUT" if what == "status" else "POST"
    return call(index, method, f"{SPAM}/{what}", document, token)


def code(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json().get("code", "")


def older() -> bytes:
    """Another wheel of the same release."""
    tag = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py2-none-any\n"
    return zip_bytes(wheel_parts(wheel=tag))


# ---------------------------------------------------------------------------------------------------- yanks


def test_a_release_is_yanked_with_a_reason_and_back(index: InProcess) -> None:
    put(index)
    put(index, version="2.0")
    assert not any(file["yanked"] for file in page(index)["files"])
    assert do(index, "yank", version="1.0.0", reason="breaks on Tuesdays").status == 404  # no such spelling
    assert do(index, "yank", version="1.0", reason="breaks on Tuesdays").json()["files"] == [FILE]
    assert [file["yanked"] for file in page(index)["files"]] == ["breaks on Tuesdays", False]
    html = index.get("/simple/spam/").text
    assert re.findall(r'data-yanked="([^"]*)"', html) == ["breaks on Tuesdays"]
    assert index.get(f"/files/spam/{FILE}").body == BYTES  # PEP 592: an exact pin still installs it
    assert do(index, "unyank", version="1.0").json()["files"] == [FILE]
    assert not any(file["yanked"] for file in page(index)["files"])


def test_one_file_is_yanked_without_the_rest_of_its_release(index: InProcess) -> None:
    put(index)
    other = "spam-1.0-py2-none-any.whl"
    assert index.upload(other, older()).status == 200
    assert do(index, "yank", filename=FILE).json()["files"] == [FILE]
    yanked = {file["filename"]: file["yanked"] for file in page(index)["files"]}
    assert yanked == {FILE: True, other: False}
    assert do(index, "yank", filename="nothing-1.0-py3-none-any.whl").status == 404
    assert code(do(index, "yank", reason="all of it")) == (400, "part-needed")


def test_yanking_again_is_no_change_and_another_reason_is_one(index: InProcess) -> None:
    put(index)
    do(index, "yank", version="1.0", reason="a")
    before = index.parts.database.serial()
    assert do(index, "yank", version="1.0", reason="a").json()["files"] == []
    assert index.parts.database.serial() == before
    do(index, "yank", version="1.0", reason="b")
    assert index.parts.database.serial() == before + 1


def test_a_file_that_joins_a_yanked_release_is_yanked_as_it_is(index: InProcess) -> None:
    put(index)
    do(index, "yank", version="1.0", reason="bad")
    joins = "spam-1.0-py2-none-any.whl"
    assert index.upload(joins, older()).status == 200
    assert {file["filename"]: file["yanked"] for file in page(index)["files"]}[joins] == "bad"


def test_a_reason_is_long_at_its_limit_and_no_longer(index: InProcess) -> None:
    put(index)
    assert do(index, "yank", version="1.0", reason="x" * DEFAULT.reason_bytes).status == 201
    assert code(do(index, "yank", version="1.0", reason="x" * (DEFAULT.reason_bytes + 1))) == (
        400,
        "json-body",
    )
    assert code(do(index, "yank", version="1.0", reason="é" * DEFAULT.reason_bytes)) == (
        400,
        "reason-too-long",
    )


# --------------------------------------------------------------------------------------------------- status


@pytest.mark.parametrize("status", ["archived", "deprecated", "quarantined"])
def test_a_project_has_the_status_it_is_given_with_its_reason(index: InProcess, status: str) -> None:
    put(index)
    assert do(index, "status", status=status, reason="see elsewhere").status == 200
    found = page(index)
    assert found["project-status"] == {"status": status, "reason": "see elsewhere"}
    assert [file["filename"] for file in found["files"]] == ([] if status == "quarantined" else [FILE])
    closed = put(index, version="2.0")
    assert closed.status == (200 if status == "deprecated" else 403)
    assert do(index, "status", status="active").status == 200
    assert page(index).get("project-status", {"status": "active"}) == {"status": "active"}
    assert FILE in files(index)


def test_a_release_in_quarantine_offers_no_files_and_says_why(index: InProcess) -> None:
    put(index)
    put(index, version="2.0")
    assert do(index, "status", status="quarantined", version="1.0", reason="looks odd").status == 200
    assert files(index) == [wheel(version="2.0")[0]]
    refused = index.get(f"/files/spam/{FILE}")
    assert code(refused) == (403, "file-quarantined")
    assert "looks odd" in refused.text
    assert code(do(index, "status", status="archived", version="1.0")) == (400, "status-unknown")
    assert do(index, "status", status="active", version="1.0").status == 200
    assert index.get(f"/files/spam/{FILE}").body == BYTES


def test_an_owner_neither_puts_a_project_into_quarantine_nor_takes_it_out(index: InProcess) -> None:
    put(index)
    ada = person(index, "ada")
    give(index, "main/spam", "ada", "owner")
    assert do(index, "status", ada, status="archived").status == 200
    assert code(do(index, "status", ada, status="quarantined")) == (403, "quarantine-not-allowed")
    assert do(index, "status", status="quarantined", reason="malware").status == 200
    assert code(do(index, "status", ada, status="active")) == (403, "quarantine-not-allowed")
    assert files(index) == []


# ------------------------------------------------------------------------------------------------ withdrawal


@pytest.mark.parametrize(("cause", "words"), [("legal", "for legal reasons"), ("safety", "not safe to use")])
def test_whoever_misses_a_withdrawn_file_is_told_which_cause_and_why(
    index: InProcess, cause: str, words: str
) -> None:
    put(index)
    done = do(index, "withdraw", version="1.0", cause=cause, reason="as the court says")
    assert done.status == 201, done.text
    for path in (f"/files/spam/{FILE}", f"/main/files/spam/{FILE}.metadata", f"/packages/main/spam/{FILE}"):
        gone = index.get(path)
        assert code(gone) == (410, "file-withdrawn"), path
        assert gone.headers["content-type"] == "application/problem+json"
        assert words in gone.json()["detail"]
        assert (gone.json()["cause"], gone.json()["reason"]) == (cause, "as the court says")
    assert files(index) == []
    told = {"filename": FILE, "version": "1.0", "cause": cause, "reason": "as the court says"}
    for path in ("/simple/spam/", "/pypi/spam/1.0/json"):
        found = page(index, path)
        (grave,) = found.get("_withdrawn") or found["withdrawn"]
        assert {**told, "withdrawn": grave["withdrawn"]} == grave
    assert page(index)["versions"] == ["1.0"]  # the release was


def test_a_withdrawal_tells_one_of_two_causes_and_a_reason(index: InProcess) -> None:
    put(index)
    assert code(do(index, "withdraw", version="1.0", cause="regret", reason="x")) == (400, "withdraw-cause")
    assert code(do(index, "withdraw", version="1.0", cause="legal", reason=" ")) == (400, "withdraw-reason")
    assert code(do(index, "withdraw", cause="legal", reason="x")) == (400, "part-needed")
    assert files(index) == [FILE]
    assert do(index, "withdraw", cause="legal", reason="x", whole=True).json()["files"] == [FILE]


def test_the_name_of_a_withdrawn_file_stays_used_even_for_the_same_bytes(index: InProcess) -> None:
    put(index)
    do(index, "withdraw", version="1.0", cause="safety", reason="x")
    again = put(index)
    assert code(again) == (409, "file-exists")
    assert files(index) == []
    assert put(index, version="1.1").status == 200


def test_a_withdrawn_file_comes_back_within_its_time_and_its_bytes_go_after(index: InProcess) -> None:
    put(index)
    digest = page(index)["files"][0]["hashes"]["sha256"]
    do(index, "withdraw", version="1.0", cause="legal", reason="x")
    index.clock.forward(DEFAULT.restore_seconds - 1)
    assert do(index, "restore", version="1.0", reason="we won").json()["files"] == [FILE]
    assert index.get(f"/files/spam/{FILE}").body == BYTES
    assert "_withdrawn" not in page(index)
    do(index, "withdraw", version="1.0", cause="legal", reason="x")
    index.clock.forward(DEFAULT.restore_seconds)
    assert code(do(index, "restore", version="1.0")) == (410, "restore-too-late")
    assert index.parts.storage.size(digest) is not None
    assert life.sweep(index.parts.database, index.parts.storage, DEFAULT) == 1
    assert index.parts.storage.size(digest) is None
    assert life.sweep(index.parts.database, index.parts.storage, DEFAULT) == 0
    assert code(index.get(f"/files/spam/{FILE}")) == (410, "file-withdrawn")
    assert code(do(index, "restore", version="1.0")) == (410, "restore-too-late")


def test_bytes_another_file_has_as_well_stay(index: InProcess) -> None:
    put(index)
    digest = page(index)["files"][0]["hashes"]["sha256"]
    assert call(index, "POST", "/api/indexes", {"name": "team"}).status == 201
    put(index, to="team")
    do(index, "withdraw", version="1.0", cause="safety", reason="x")
    index.clock.forward(DEFAULT.restore_seconds)
    assert life.sweep(index.parts.database, index.parts.storage, DEFAULT) == 1
    assert index.parts.storage.size(digest) is not None
    assert index.get(f"/team/files/spam/{FILE}").body == BYTES


def test_a_later_withdrawal_gives_up_the_bytes_of_an_earlier_one(index: InProcess) -> None:
    put(index)
    put(index, version="2.0")
    digest = page(index)["files"][0]["hashes"]["sha256"]
    do(index, "withdraw", version="1.0", cause="safety", reason="x")
    index.clock.forward(DEFAULT.restore_seconds)
    do(index, "withdraw", version="2.0", cause="safety", reason="x")
    assert index.parts.storage.size(digest) is None


def test_what_administrators_withdrew_an_owner_does_not_bring_back(index: InProcess) -> None:
    put(index)
    put(index, version="2.0")
    ada = person(index, "ada")
    give(index, "main/spam", "ada", "owner")
    do(index, "withdraw", version="1.0", cause="safety", reason="malware")
    assert code(do(index, "restore", ada, version="1.0")) == (403, "withdrawn-by-index")
    assert do(index, "withdraw", ada, version="2.0", cause="legal", reason="x").status == 201
    assert do(index, "restore", ada, version="2.0").status == 201
    assert files(index) == [wheel(version="2.0")[0]]


# ------------------------------------------------------------------------------------------------- who may


@pytest.mark.parametrize(
    ("what", "document", "role"),
    [
        ("yank", {"version": "1.0"}, "maintainer"),
        ("unyank", {"version": "1.0"}, "maintainer"),
        ("status", {"status": "archived"}, "owner"),
        ("withdraw", {"version": "1.0", "cause": "legal", "reason": "x"}, "owner"),
        ("restore", {"version": "1.0"}, "owner"),
    ],
)
def test_who_may_is_asked_of_roles_and_tokens(
    index: InProcess, what: str, document: dict[str, str], role: str
) -> None:
    put(index)
    if what == "restore":
        ben = person(index, "ben")
        give(index, "main/spam", "ben", "owner")
        assert do(index, "withdraw", ben, version="1.0", cause="legal", reason="x").status == 201
    ada = person(index, "ada")
    narrow = person(index, "ada", actions=["read", "upload"])
    below = {"owner": "maintainer", "maintainer": "reader"}[role]
    assert do(index, what, "", **document).status == 401
    assert do(index, what, ada, **document).status == 403
    give(index, "main/spam", "ada", below)
    assert do(index, what, ada, **document).status == 403
    give(index, "main/spam", "ada", role)
    assert do(index, what, narrow, **document).status == 403
    assert do(index, what, ada, **document).status in (200, 201)


def test_a_private_project_is_as_if_it_were_not_there(index: InProcess) -> None:
    put(index)
    ada = person(index, "ada")
    do(index, "withdraw", version="1.0", cause="legal", reason="a secret")
    hide(index, "main/spam")
    for token in (ada, ""):
        there = do(index, "yank", token, version="1.0")
        missing = call(index, "POST", "/api/indexes/main/projects/soup/yank", {"version": "1.0"}, token)
        assert there.status == missing.status
        assert there.text.replace("spam", "soup") == missing.text
    assert index.get(f"/files/spam/{FILE}").status == 404


def test_everything_stands_in_the_journal_with_who_did_it(index: InProcess) -> None:
    put(index)
    do(index, "yank", version="1.0", reason="r")
    do(index, "status", status="deprecated")
    do(index, "withdraw", version="1.0", cause="legal", reason="x")
    do(index, "restore", version="1.0")
    found = call(index, "GET", f"{SPAM}/journal").json()["journal"]
    assert [entry["action"] for entry in reversed(found)] == [
        "create-project", "add-file", "yank", "status", "withdraw", "restore",
    ]  # fmt: skip
    assert {entry["actor"] for entry in found} == {"user:admin"}
    told = index.get("/changes?since=0").json()["changes"]
    assert [entry["action"] for entry in told[-4:]] == ["yank", "status", "withdraw", "restore"]
    assert "user:admin" not in str(told)
    ada = person(index, "ada")
    assert call(index, "GET", f"{SPAM}/journal", None, ada).status == 403


def test_a_file_that_left_upstream_is_told_of_as_such_and_stays_whose_it_is(index: InProcess) -> None:
    put(index)
    serial = index.parts.database.serial()
    with index.parts.database.write("system") as writing:
        writing.connection.execute(
            update(tables.file).values(state="withdrawn", state_reason="upstream has it no more")
        )
        writing.changed(1, "remove-file", project="spam", version="1.0", filename=FILE)
    gone = index.get(f"/files/spam/{FILE}")
    assert code(gone) == (410, "file-withdrawn")
    assert (gone.json()["cause"], gone.json()["withdrawn"]) == ("upstream", None)
    assert "upstream has it no more" in gone.text
    assert page(index)["_withdrawn"][0]["cause"] == "upstream"
    assert files(index, f"/@{serial}/simple/spam/") == []
    assert code(do(index, "restore", version="1.0")) == (410, "restore-too-late")
    assert (
        life.sweep(index.parts.database, index.parts.storage, DEFAULT) == 0
    )  # its bytes are its mirror's business


def test_what_a_withdrawn_file_said_is_quoted_nowhere(index: InProcess) -> None:
    words = ("a-private-address", "link.example", "the-body")
    metadata = (
        "Metadata-Version: 2.1\nName: spam\nVersion: 1.0\nSummary: a-private-address\n"
        "Project-URL: Home, https://link.example/\nRequires-Dist: eggs\n\nthe-body\n"
    )
    index.upload(FILE, zip_bytes(wheel_parts(metadata=metadata)))
    targets = (
        *(
            "/",
            "/pypi/spam/json",
            "/pypi/spam/1.0/json",
            "/rss/updates.xml",
            "/rss/project/spam/releases.xml",
        ),
        *("/search?q=spam", "/project/spam/", "/project/spam/1.0/", "/project/spam/releases/"),
        "/project/spam/1.0/dependencies/",
    )

    def quoted() -> list[str]:
        return [one for one in targets if any(word in index.get(one).text for word in words)]

    assert len(quoted()) == len(targets)
    assert do(index, "withdraw", version="1.0", cause="legal", reason="a court said so").status == 201
    assert quoted() == []
    assert "a court said so" in index.get("/project/spam/").text
    assert "pip install" not in index.get("/project/spam/").text
    assert do(index, "restore", version="1.0").status == 201
    assert len(quoted()) == len(targets)


def test_a_page_says_of_a_file_that_left_upstream_no_other_cause(index: InProcess) -> None:
    put(index)
    with index.parts.database.write("system") as writing:
        writing.connection.execute(update(tables.file).values(state="withdrawn", state_reason="gone there"))
        writing.changed(1, "withdraw", project="spam", version="1.0", filename=FILE)
    for target in ("/project/spam/releases/", "/project/spam/"):
        shown = index.get(target).text
        assert "withdrawn upstream" in shown
        assert "gone there" in shown
        assert "safe" not in shown
        assert "1970" not in shown
