"""Every state of an index has an address, and says there what it said then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from accord.server.clock import iso
from accord.server.limits import DEFAULT
from accord.testing.people import call, give, hide, person, put, wheel
from accord.testing.serving import basic

if TYPE_CHECKING:
    from accord.testing.serving import InProcess, Reply

JSON = "application/vnd.pypi.simple.v1+json"
SPAM = "/api/indexes/main/projects/spam"
ONE, TWO = wheel()[0], wheel(version="2.0")[0]


def now(index: InProcess) -> int:
    return index.parts.database.serial()


def read(index: InProcess, path: str, token: str | None = None) -> Reply:
    return index.request("GET", path, {"accept": JSON, **(basic(token) if token else {})})


def page(index: InProcess, path: str) -> Any:
    found = read(index, path)
    assert found.status == 200, found.text
    document = found.json()
    document.pop("namespaces", None)
    return document


def code(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json().get("code", "")


def test_each_serial_shows_what_the_index_said_then(index: InProcess) -> None:
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "yank", {"version": "1.0", "reason": "one"}),
        ("POST", "yank", {"version": "1.0", "reason": "two"}),
        ("PUT", "status", {"status": "deprecated", "reason": "old"}),
        ("POST", "unyank", {"version": "1.0"}),
        ("PUT", "status", {"status": "quarantined"}),
        ("PUT", "status", {"status": "active"}),
        ("PUT", "status", {"status": "quarantined", "version": "1.0"}),
        ("PUT", "status", {"status": "active", "version": "1.0"}),
        ("POST", "withdraw", {"version": "1.0", "cause": "legal", "reason": "x"}),
        ("POST", "restore", {"version": "1.0"}),
    ]
    put(index)
    states = {now(index): (page(index, "/simple/spam/"), page(index, "/simple/"))}
    for method, what, document in steps:
        assert call(index, method, f"{SPAM}/{what}", document).status in (200, 201)
        told = page(index, "/simple/spam/")
        told.pop("_withdrawn", None)
        states[now(index)] = (told, page(index, "/simple/"))
        index.clock.forward(60)
    put(index, version="2.0")
    put(index, "eggs")
    assert len(states) == len(steps) + 1
    for serial, (project, root) in states.items():
        for at in (f"/@{serial}", f"/main/@{serial}"):
            assert page(index, f"{at}/simple/spam/") == project, serial
            assert page(index, f"{at}/simple/") == root, serial


def test_an_instant_names_the_last_state_not_after_it(index: InProcess) -> None:
    put(index)
    first = index.clock()
    index.clock.forward(10)
    put(index, version="2.0")
    second = index.clock()
    index.clock.forward(3600)
    for instant, files in ((first, [ONE]), (second - 1, [ONE]), (second, [ONE, TWO])):
        for text in (iso(instant), iso(instant).replace(".000000", "")):
            found = read(index, f"/@{text}/simple/spam/")
            assert [file["filename"] for file in found.json()["files"]] == files
    assert code(read(index, f"/@{iso(index.clock() + 1)}/simple/spam/")) == (404, "no-such-moment")
    assert code(read(index, "/@1999-01-01T00:00:00Z/simple/spam/")) == (404, "no-such-moment")


@pytest.mark.parametrize("hours", [1, 2, 24])
def test_what_was_said_for_ever_at_an_instant_holds_when_the_clock_is_set_back(
    index: InProcess, hours: int
) -> None:
    put(index)
    states: dict[str, tuple[Any, bool]] = {}

    def ask() -> None:
        for minutes in range(0, 60 * hours + 1, 30):
            address = f"/@{iso(start + minutes * 60_000_000)}/simple/spam/"
            found = read(index, address)
            if found.status == 200:
                for_ever = "immutable" in found.headers["cache-control"]
                if states.get(address, (None, False))[1]:
                    assert states[address] == (found.json(), for_ever), address
                states[address] = (found.json(), for_ever)
            else:
                assert address not in states, "what was there once is there"

    start = index.clock()
    index.clock.forward(hours * 3600)
    ask()
    put(index, version="2.0")
    ask()
    assert sum(for_ever for _, for_ever in states.values()) == len(states) - 1
    index.clock.forward(-hours * 3600 + 60)
    put(index, version="3.0")
    ask()
    index.clock.forward(hours * 3600)
    put(index, version="4.0")
    ask()


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-1",
        "99",
        "1e3",
        "9" * 19,
        "9" * 400,
        "2026-13-01T00:00:00Z",
        "2026-01-01",
        "main",
        "١",
        "1/../2",
    ],
)
def test_what_names_no_moment_is_not_found(index: InProcess, text: str) -> None:
    put(index)
    assert read(index, f"/@{text}/simple/spam/").status == 404


def test_the_past_is_kept_by_caches_for_ever_and_the_present_minute_is_not(index: InProcess) -> None:
    put(index)
    serial = now(index)
    at_once = read(index, f"/@{iso(index.clock())}/simple/spam/")
    assert at_once.headers["cache-control"] == "max-age=60, public"
    said = index.clock()
    index.clock.forward(3600)
    put(index, "eggs")  # until something is entered later, a clock that is set back may add to that instant
    for address in (f"/@{serial}", f"/@{iso(said)}"):
        found = read(index, f"{address}/simple/spam/")
        assert found.headers["cache-control"] == "max-age=31536000, immutable, public, s-maxage=600"
        again = index.get(f"{address}/simple/spam/", accept=JSON, if_none_match=found.headers["etag"])
        assert (again.status, again.body) == (304, b"")
    assert index.parts.shelf.find(f"/@{serial}/simple/spam/") is None


def test_files_come_through_the_past_and_only_those_it_had(index: InProcess) -> None:
    put(index)
    serial = now(index)
    put(index, version="2.0")
    assert index.get(f"/@{serial}/files/spam/{ONE}").body == wheel()[1]
    assert index.get(f"/@{serial}/files/spam/{ONE}.metadata").status == 200
    assert code(index.get(f"/@{serial}/files/spam/{TWO}")) == (404, "no-such-file")
    assert index.get(f"/@{now(index)}/files/spam/{TWO}").status == 200
    assert index.get(f"/@{serial}/simple/Spam/").headers["location"] == "../spam/"
    assert index.get(f"/@{serial}/simple/spam").headers["location"] == "./spam/"


def test_what_is_withdrawn_is_gone_from_the_past_as_well_and_says_why(index: InProcess) -> None:
    put(index)
    put(index, version="2.0")
    serial = now(index)
    call(index, "POST", f"{SPAM}/withdraw", {"version": "1.0", "cause": "safety", "reason": "steals keys"})
    assert [file["filename"] for file in page(index, f"/@{serial}/simple/spam/")["files"]] == [TWO]
    gone = index.get(f"/@{serial}/files/spam/{ONE}")
    assert code(gone) == (410, "file-withdrawn")
    assert "steals keys" in gone.text


def test_what_is_in_quarantine_today_is_not_given_out_of_the_past(index: InProcess) -> None:
    put(index)
    serial = now(index)
    call(index, "PUT", f"{SPAM}/status", {"status": "quarantined", "reason": "malware"})
    held = read(index, f"/@{serial}/simple/spam/")
    assert held.json()["files"] == []
    assert held.headers["cache-control"] == "max-age=60, public"  # it may come back
    assert index.get(f"/@{serial}/files/spam/{ONE}").status == 403
    call(index, "PUT", f"{SPAM}/status", {"status": "active"})
    assert index.get(f"/@{serial}/files/spam/{ONE}").status == 200


def test_who_may_read_the_past_is_asked_of_today(index: InProcess) -> None:
    put(index)
    serial = now(index)
    ada = person(index, "ada")
    assert page(index, f"/@{serial}/simple/")["projects"] != []
    hide(index, "main/spam")
    for path in ("simple/spam/", f"files/spam/{ONE}"):
        for token in (None, ada):
            assert read(index, f"/@{serial}/{path}", token).status == 404
    assert page(index, f"/@{serial}/simple/")["projects"] == []
    give(index, "main/spam", "ada", "reader")
    found = read(index, f"/@{serial}/simple/spam/", ada)
    assert found.headers["cache-control"] == "max-age=31536000, immutable, private"
    assert len(read(index, f"/@{serial}/simple/", ada).json()["projects"]) == 1
    hide(index, "main")
    assert read(index, f"/@{serial}/simple/spam/").status == 401


def test_a_stack_of_the_past_is_built_as_it_was(index: InProcess) -> None:
    assert call(index, "POST", "/api/indexes", {"name": "other"}).status == 201
    before = now(index)
    assert call(index, "POST", "/api/indexes", {"name": "team", "bases": ["main"]}).status == 201
    put(index)
    put(index, version="2.0", to="other")
    states = {}
    steps: list[dict[str, Any]] = [{}, {"bases": ["other", "main"]}, {"mix": ["spam"]}, {"bases": []}]
    for document in steps:
        assert call(index, "PUT", "/api/indexes/team/stack", document).status == 200
        found = read(index, "/team/simple/spam/")
        files = [file["filename"] for file in found.json().get("files", ())]
        names = [project["name"] for project in page(index, "/team/simple/")["projects"]]
        states[now(index)] = (files, names)
    assert [files for files, _ in states.values()] == [[ONE], [TWO], [TWO, ONE], []]
    for serial, (files, names) in states.items():
        found = read(index, f"/team/@{serial}/simple/spam/")
        assert [file["filename"] for file in found.json().get("files", ())] == files
        listed = page(index, f"/team/@{serial}/simple/")["projects"]
        assert [project["name"] for project in listed] == names
        for file in files:
            assert index.get(f"/team/@{serial}/files/spam/{file}").status == 200
    assert code(read(index, f"/team/@{before}/simple/")) == (404, "no-such-moment")


def test_a_restored_file_was_not_there_while_it_was_withdrawn(index: InProcess) -> None:
    put(index)
    call(index, "POST", f"{SPAM}/withdraw", {"version": "1.0", "cause": "legal", "reason": "x"})
    between = now(index)
    index.clock.forward(DEFAULT.restore_seconds - 1)
    call(index, "POST", f"{SPAM}/restore", {"version": "1.0"})
    assert page(index, f"/@{between}/simple/spam/")["files"] == []
    assert [file["filename"] for file in page(index, f"/@{now(index)}/simple/spam/")["files"]] == [ONE]


def test_browsers_of_any_origin_may_read_the_past(index: InProcess) -> None:
    put(index)
    for path in (f"/@{now(index)}/simple/spam/", f"/main/@{now(index)}/files/spam/{ONE}"):
        assert index.request("OPTIONS", path).status == 204
        assert index.get(path).headers["access-control-allow-origin"] == "*"
