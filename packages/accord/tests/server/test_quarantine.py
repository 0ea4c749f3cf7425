"""New files that wait for a scanner or a person: nobody sees them, and what ends the waiting has one serial."""

from __future__ import annotations

import hashlib
from typing import Any

from accord.testing.archives import TarPart, sdist_bytes, wheel_parts, zip_bytes
from accord.testing.serving import InProcess, Reply, basic
from accord.testing.uploading import Uploader

JSON = "application/vnd.pypi.simple.v1+json"
WHEEL = zip_bytes(wheel_parts())
NAME = "spam-1.0-py3-none-any.whl"
PLACE = "/api/indexes/main/quarantine"


def rule(index: InProcess, text: str, at: str = "main") -> None:
    reply = patch(index, f"/api/indexes/{at}/policy", f'{{"quarantine": "{text}"}}')
    assert reply.status == 200, reply.text


def patch(index: InProcess, target: str, body: str) -> Reply:
    headers = {"content-type": "application/json", **basic(index.token)}
    return index.request("PATCH", target, headers, body.encode())


def waiting(index: InProcess, token: str | None = None) -> Any:
    reply = index.request("GET", PLACE, basic(index.token if token is None else token))
    assert reply.status == 200, reply.text
    return [one["filename"] for one in reply.json()["files"]]


def files(index: InProcess) -> list[str]:
    page = index.get("/simple/spam/", accept=JSON)
    return [one["filename"] for one in page.json()["files"]] if page.status == 200 else []


def test_a_file_in_quarantine_is_seen_by_nobody_in_any_way(index: InProcess) -> None:
    rule(index, "all")
    reply = index.upload(NAME, WHEEL)
    assert (reply.status, "quarantine" in reply.text) == (200, True)
    assert waiting(index) == [NAME]
    assert files(index) == []
    for target in (f"/files/spam/{NAME}", f"/files/spam/{NAME}.metadata"):
        assert index.get(target).status == 404
    assert NAME not in index.get("/changes?since=0").text
    assert NAME not in index.get("/pypi/spam/json").text


def test_a_released_file_is_added_with_the_serial_and_the_time_of_its_release(index: InProcess) -> None:
    rule(index, "all")
    index.upload(NAME, WHEEL)
    before = index.parts.database.serial()
    index.clock.forward(3600)
    assert index.post(f"{PLACE}/{NAME}/release", None).json()["state"] == "live"
    assert files(index) == [NAME]
    assert index.parts.database.serial() == before + 1
    [file] = index.get("/simple/spam/", accept=JSON).json()["files"]
    assert file["upload-time"] == "2026-09-21T15:13:20.000000Z"
    assert index.get(f"/files/spam/{NAME}").body == WHEEL
    [change] = index.get(f"/changes?since={before}").json()["changes"]
    assert (change["action"], change["filename"]) == ("add-file", NAME)
    assert index.post(f"{PLACE}/{NAME}/release", None).json()["code"] == "not-in-quarantine"


def test_a_rejected_file_is_never_seen_and_its_name_stays_used(index: InProcess) -> None:
    rule(index, "all")
    index.upload(NAME, WHEEL)
    assert index.post(f"{PLACE}/{NAME}/reject", {"reason": ""}).status == 400
    assert index.post(f"{PLACE}/{NAME}/reject", {"reason": "steals tokens"}).json()["state"] == "rejected"
    assert (waiting(index), files(index)) == ([], [])
    rule(index, "none")
    assert index.upload(NAME, WHEEL).json()["code"] == "file-exists"
    assert index.post(f"{PLACE}/{NAME}/release", None).status == 404
    audit = index.request("GET", "/api/audit", basic(index.token)).text
    assert "steals tokens" in audit
    assert "steals tokens" not in index.get("/changes?since=0").text


def test_a_project_with_files_in_the_open_is_not_new(index: InProcess) -> None:
    rule(index, "new-projects")
    index.upload(NAME, WHEEL)
    index.upload("spam-1.0.tar.gz", sdist_bytes())
    assert len(waiting(index)) == 2
    index.post(f"{PLACE}/{NAME}/release", None)
    more = zip_bytes(wheel_parts(version="1.1"))
    index.upload("spam-1.1-py3-none-any.whl", more)
    assert files(index) == [NAME, "spam-1.1-py3-none-any.whl"]
    assert waiting(index) == ["spam-1.0.tar.gz"]


def test_the_same_upload_again_stays_in_quarantine_and_is_no_change(index: InProcess) -> None:
    rule(index, "all")
    index.upload(NAME, WHEEL)
    assert index.upload(NAME, WHEEL).status == 200
    assert waiting(index) == [NAME]
    other = zip_bytes(wheel_parts({"spam/__init__.py": b"value = 2\n"}))
    assert index.upload(NAME, other).json()["code"] == "file-exists"


def test_a_scanner_sees_the_bytes_with_a_token_for_that_alone(index: InProcess) -> None:
    rule(index, "all")
    index.upload(NAME, WHEEL)
    made = index.post("/api/tokens", {"name": "scanner", "actions": ["quarantine"]})
    token = made.json()["secret"]
    assert waiting(index, token) == [NAME]
    found = index.request("GET", f"{PLACE}/{NAME}/content", basic(token))
    assert hashlib.sha256(found.body).digest() == hashlib.sha256(WHEEL).digest()
    assert found.headers["cache-control"] == "no-store"
    assert index.upload(NAME, WHEEL, token=token).status == 403
    assert index.request("GET", f"{PLACE}/{NAME}/content").status == 401
    assert index.post(f"{PLACE}/{NAME}/release", None, token=token).status == 201


def test_who_may_upload_may_not_release(index: InProcess) -> None:
    rule(index, "all")
    made = index.post("/api/tokens", {"name": "ci", "actions": ["read", "upload"]}).json()["secret"]
    assert index.upload(NAME, WHEEL, token=made).status == 200
    assert index.post(f"{PLACE}/{NAME}/release", None, token=made).status == 403
    assert index.request("GET", PLACE, basic(made)).status == 403
    assert files(index) == []


def test_a_release_of_an_upload_session_waits_whole(index: InProcess) -> None:
    rule(index, "all")
    upload = Uploader(index)
    session = upload.open()
    assert upload.put(session, NAME, WHEEL).status == 201
    assert upload.publish(session).status in (200, 201, 202)
    assert (waiting(index), files(index)) == ([NAME], [])


def test_a_closed_project_gets_nothing_out_of_quarantine(index: InProcess) -> None:
    from sqlalchemy import update

    from accord.server.database import tables

    rule(index, "all")
    index.upload(NAME, WHEEL)
    with index.parts.database.write("system") as writing:
        writing.connection.execute(update(tables.project).values(status="archived"))
    assert index.post(f"{PLACE}/{NAME}/release", None).json()["code"] == "project-closed"
    assert waiting(index) == [NAME]


def test_a_policy_says_no_more_than_it_has_words_for(index: InProcess) -> None:
    for body in ('{"quarantine": "some"}', '{"virus": true}', '{"project_bytes": -1}'):
        assert patch(index, "/api/indexes/main/policy", body).status == 400
    assert patch(index, "/api/indexes/main/policy", '{"reserved_names": ["Json"]}').json()[
        "reserved_names"
    ] == ["json"]
    json_wheel = zip_bytes(wheel_parts(name="json"))
    assert index.upload("json-1.0-py3-none-any.whl", json_wheel).status == 200


_LOUD = "Metadata-Version: 2.1\nName: loud\nVersion: 7.7.7\nSummary: click-here\nKeywords: click-here\nRequires-Dist: spam\n"
_LOUD_NAME = "loud-7.7.7-py3-none-any.whl"


def _told(index: InProcess) -> set[str]:
    """The pages that show a word of what the file says, or its version."""
    found = set()
    for target in (
        *("/", "/simple/loud/", "/changes", "/pypi/loud/json", "/pypi/loud/7.7.7/json", "/project/loud/"),
        *("/rss/updates.xml", "/rss/project/loud/releases.xml", "/project/loud/releases/", "/search?q=loud"),
        *("/project/loud/7.7.7/", "/project/loud/7.7.7/dependencies/", "/project/loud/compare/"),
    ):
        reply = index.get(target, accept=f"{JSON}, text/html;q=0.5, */*;q=0.1")
        if reply.status == 200 and ("click-here" in reply.text or "7.7.7" in reply.text):
            found.add(target)
    if "project/loud" in index.get("/project/spam/used-by/").text:
        found.add("used-by")
    return found


def test_nothing_is_told_of_what_a_file_says_that_waits_or_was_rejected(index: InProcess) -> None:
    index.upload(NAME, WHEEL)
    rule(index, "all")
    assert (
        index.upload(_LOUD_NAME, zip_bytes(wheel_parts(name="loud", version="7.7.7", metadata=_LOUD))).status
        == 200
    )
    assert _told(index) == set()
    assert index.post(f"{PLACE}/{_LOUD_NAME}/reject", {"reason": "it is one"}).status == 201
    assert _told(index) == set()
    parts = wheel_parts(name="loud", version="7.7.8", metadata=_LOUD.replace("7.7.7", "7.7.8"))
    rule(index, "none")
    assert index.upload("loud-7.7.8-py3-none-any.whl", zip_bytes(parts)).status == 200
    assert len(_told(index)) > 6


def test_a_release_says_what_its_first_visible_file_says_and_not_what_was_rejected(index: InProcess) -> None:
    rule(index, "all")
    loud = (
        _LOUD.replace("loud", "spam")
        .replace("7.7.7", "1.0")
        .replace("Requires-Dist: spam", "Requires-Dist: evil")
    )
    bad = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py2-none-any\n"
    index.upload("spam-1.0-py2-none-any.whl", zip_bytes(wheel_parts(metadata=loud, wheel=bad)))
    old = "Metadata-Version: 2.1\nName: spam\nVersion: 1.0\nSummary: honest\nRequires-Dist: good\n"
    assert (
        index.upload("spam-1.0.tar.gz", sdist_bytes([TarPart("spam-1.0/PKG-INFO", old.encode())])).status
        == 200
    )
    assert index.post(f"{PLACE}/spam-1.0-py2-none-any.whl/reject", {"reason": "it is one"}).status == 201
    assert index.get("/simple/spam/", accept=JSON).json()["versions"] == []
    assert index.post(f"{PLACE}/spam-1.0.tar.gz/release", None).status == 201
    info = index.get("/pypi/spam/json").json()["info"]
    assert (info["summary"], info["requires_dist"], info["version"]) == ("honest", ["good"], "1.0")
    assert "evil" not in index.get("/project/spam/1.0/dependencies/").text


def test_files_of_one_release_are_released_one_by_one(index: InProcess) -> None:
    rule(index, "all")
    index.upload(NAME, WHEEL)
    index.upload("spam-1.0.tar.gz", sdist_bytes())
    assert index.post(f"{PLACE}/{NAME}/release", None).status == 201
    assert index.post(f"{PLACE}/spam-1.0.tar.gz/release", None).status == 201
    assert sorted(files(index)) == [NAME, "spam-1.0.tar.gz"]


def test_a_promotion_is_no_way_round_the_quarantine_of_its_target(index: InProcess) -> None:
    for name in ("dev", "prod"):
        index.post("/api/indexes", {"name": name})
    rule(index, "all", at="prod")
    index.upload(NAME, WHEEL, index="dev")
    place = "/api/indexes/prod/projects/spam/promote"
    before = index.get("/prod/changes").json()["changes"]
    assert index.post(place, {"from": "dev", "version": "1.0"}).json()["waits"] is True
    assert index.get(f"/prod/files/spam/{NAME}").status == 404
    told = [entry["action"] for entry in index.get("/prod/changes").json()["changes"][len(before) :]]
    assert told == ["create-project"]
    assert index.post(f"/api/indexes/prod/quarantine/{NAME}/release", None).status == 201
    assert index.get(f"/prod/files/spam/{NAME}").body == WHEEL
    assert index.get("/prod/pypi/spam/json").json()["info"]["version"] == "1.0"
