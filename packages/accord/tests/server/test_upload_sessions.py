"""Upload 2.0 (PEP 694, draft of 2026-07-29): what the PEP says a server MUST do, one test for each sentence.

The docstrings are the PEP's sentences, shortened to what is tested.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from accord.server.accounts import people
from accord.server.accounts.tokens import Restriction, narrow
from accord.server.catalogue import indexes
from accord.server.database import tables
from accord.server.limits import DEFAULT
from accord.testing.archives import sdist_bytes, wheel_parts, zip_bytes
from accord.testing.serving import InProcess, basic
from accord.testing.uploading import MEDIA_TYPE, Uploader

JSON = "application/vnd.pypi.simple.v1+json"
WHEEL = zip_bytes(wheel_parts())
OTHER = zip_bytes(wheel_parts({"spam/__init__.py": b"value = 2\n"}))
NAME = "spam-1.0-py3-none-any.whl"
SDIST = sdist_bytes()
SDIST_NAME = "spam-1.0.tar.gz"


@pytest.fixture
def upload(index: InProcess) -> Uploader:
    return Uploader(index)


def person(index: InProcess, name: str, role: str = "uploader", project: str | None = None) -> Uploader:
    """Somebody else who may upload, to the whole index or to one project."""
    with index.parts.database.write("system") as writing:
        user = people.add_user(writing, name)
        token = people.add_token(writing, user, "test")
        of = None
        if project is not None:
            of = writing.connection.execute(
                select(tables.project.c.id).where(tables.project.c.name == project)
            ).scalar_one()
        main = indexes.index_named(writing.connection, "main")
        writing.connection.execute(
            insert(tables.role).values(index_id=main.id, project_id=of, user_id=user, role=role, granted=1)
        )
    return Uploader(index, token)


def filenames(index: InProcess, project: str = "spam") -> list[str]:
    page = index.get(f"/simple/{project}/", accept=JSON)
    return [] if page.status == 404 else [file["filename"] for file in page.json()["files"]]


# Versioning, content types, errors


def test_answers_have_the_media_type_and_say_version_two(upload: Uploader) -> None:
    """All non-file-upload requests MUST include Content-Type application/vnd.pypi.upload.v2+json."""
    opened = upload.open()
    assert opened.status == 201
    assert opened.headers["content-type"] == MEDIA_TYPE
    assert opened.json()["meta"] == {"api-version": "2.0"}
    assert upload.post("/upload/", media_type="application/json", name="ham", version="1").status == 415


@pytest.mark.parametrize("meta", [{"api-version": "1.0"}, {"api-version": "3.0"}, {}, {"api-version": 2}])
def test_another_major_version_is_refused(upload: Uploader, meta: object) -> None:
    """The major API version in meta.api-version MUST match the Content-Type header for major version."""
    assert upload.post("/upload/", meta=meta, name="spam", version="1.0").status == 400


def test_failures_are_problem_documents(upload: Uploader) -> None:
    """All error responses MUST use the RFC 9457 format; SHOULD include the extension members meta and errors."""
    refused = upload.open(version="not a version")
    problem = refused.json()
    assert refused.headers["content-type"] == "application/problem+json"
    assert (problem["status"], problem["title"]) == (400, "Bad Request")
    assert problem["meta"] == {"api-version": "2.0"}
    [error] = problem["errors"]
    assert error["source"] == "upload-document"
    assert "PEP 440" in error["message"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"[" * 100_000, b'{"meta": 1}', b"\xff"])
def test_what_is_no_request_is_400(upload: Uploader, body: bytes) -> None:
    answer = upload.index.request("POST", "/upload/", upload.headers(content_type=MEDIA_TYPE), body)
    assert answer.status == 400
    assert answer.json()["code"] == "upload-document"


@pytest.mark.parametrize(("more", "status"), [(0, 201), (1, 413)])
def test_a_request_has_a_largest_size(upload: Uploader, more: int, status: int) -> None:
    limit = upload.index.parts.settings.limits.json_bytes
    body = b'{"meta": {"api-version": "2.0"}, "name": "spam", "version": "1.0"}'
    padded = body + b" " * (limit - len(body) + more)
    assert (
        upload.index.request("POST", "/upload/", upload.headers(content_type=MEDIA_TYPE), padded).status
        == status
    )


# Authentication and authorization


def test_whoever_has_no_credentials_is_asked_for_some(upload: Uploader) -> None:
    """All endpoints MUST use standard HTTP authentication mechanisms as defined in RFC 7235."""
    session = upload.open()
    file = upload.begin(session, NAME, WHEEL)
    nobody = Uploader(upload.index, "")
    links = session.json()["links"]
    for answer in (
        nobody.open(),
        nobody.get(links["session"]),
        nobody.delete(links["session"]),
        nobody.publish(session),
        nobody.extend(session, 1),
        nobody.begin(session, SDIST_NAME, SDIST),
        nobody.send(file, WHEEL),
        nobody.complete(file),
        nobody.get(file.json()["links"]["file-upload-session"]),
        nobody.delete(file.json()["links"]["file-upload-session"]),
    ):
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Basic ")


def test_every_request_is_authorised_when_it_is_made(upload: Uploader) -> None:
    """A server MUST verify, contemporaneously on each request, that the principal is currently authorized to upload to
    the project named by the session, and MUST respond with 403 Forbidden if it is not; even if it created the session."""
    index = upload.index
    assert index.upload("spam-0.1-py3-none-any.whl", zip_bytes(wheel_parts(version="0.1"))).status == 200
    ada = person(index, "ada", project="spam", role="maintainer")
    session = ada.open()
    file = ada.begin(session, NAME, WHEEL)
    assert file.status == 202
    with index.parts.database.write("system") as writing:
        writing.connection.execute(delete(tables.role))
    links = session.json()["links"]
    for answer in (
        ada.open(),
        ada.get(links["session"]),
        ada.delete(links["session"]),
        ada.publish(session),
        ada.extend(session, 1),
        ada.begin(session, SDIST_NAME, SDIST),
        ada.send(file, WHEEL),
        ada.complete(file),
        ada.delete(file.json()["links"]["file-upload-session"]),
    ):
        assert answer.status == 403, answer.text
    assert upload.status(session)["status"] == "open"


def test_somebody_who_may_upload_to_the_project_may_go_on_with_anybodys_session(upload: Uploader) -> None:
    """A publishing session is not bound to the specific credentials that created it."""
    upload.index.upload("spam-0.1-py3-none-any.whl", zip_bytes(wheel_parts(version="0.1")))
    session = upload.open()
    ada = person(upload.index, "ada", project="spam", role="maintainer")
    assert ada.put(session, NAME, WHEEL).status == 201
    assert ada.publish(session).status == 201


def test_a_token_for_another_project_opens_nothing(upload: Uploader) -> None:
    narrowed = narrow(upload.index.token, Restriction(projects=frozenset(("ham",))))
    session = upload.open()
    stranger = Uploader(upload.index, narrowed)
    assert stranger.open().status == 403
    assert stranger.get(session.json()["links"]["session"]).status == 403
    assert stranger.open("ham").status == 201


# Creating a session


def test_the_session_is_where_location_and_links_say(upload: Uploader) -> None:
    """The response MUST also include a Location header containing the same URL as the links.session key."""
    opened = upload.open()
    assert opened.headers["location"] == opened.json()["links"]["session"]
    status = upload.get(opened.headers["location"])
    assert status.json() == opened.json()


def test_the_document_has_every_key_of_the_standard(upload: Uploader) -> None:
    document = upload.open().json()
    assert set(document) == {
        "meta", "links", "mechanisms", "session-token", "expires-at", "status", "files", "notices",
    }  # fmt: skip
    assert set(document["links"]) == {"session", "upload", "publish", "extend", "stage"}
    assert document["mechanisms"] == ["http-post-bytes"]
    assert document["status"] == "open"
    assert document["files"] == {}


def test_instants_are_zulu_and_whole_seconds(upload: Uploader) -> None:
    """expires-at MUST represent a UTC timestamp using the "Zulu" marker, and use only whole seconds."""
    upload.index.clock.at += 123_456
    assert upload.open().json()["expires-at"] == "2026-09-28T14:13:21Z"


@pytest.mark.parametrize("name", ["-spam", "", "sp am", "späm", 3, None, "x" * 201])
def test_what_is_no_name_is_refused(upload: Uploader, name: Any) -> None:
    """The name MUST conform to the standard package name format."""
    assert upload.open(name).status == 400


@pytest.mark.parametrize("version", ["one", "", "1.0+", None, 1.0, "1" * 201])
def test_what_is_no_version_is_refused(upload: Uploader, version: Any) -> None:
    """The version string MUST conform to the packaging version specification."""
    assert upload.open(version=version).status == 400


def test_names_and_versions_are_normalised(upload: Uploader) -> None:
    """The server MUST normalize the name."""
    assert upload.open("Sp_am", "1.0").status == 201
    again = upload.open("sp-am", "v1.0")
    assert again.status == 409


def test_a_second_session_of_a_release_is_the_first(upload: Uploader) -> None:
    """The server MUST respond with a 409 Conflict and MUST include a Location header that points to the session status
    URL."""
    first = upload.open()
    second = upload.open()
    assert second.status == 409
    assert second.headers["location"] == first.headers["location"]
    assert upload.open(version="1.1").status == 201


def test_that_there_is_a_session_is_not_told_to_who_may_not_upload(upload: Uploader) -> None:
    """A request from an unauthorized principal MUST receive a 403 Forbidden instead, which takes precedence over the 409
    Conflict so that the existence of the in-progress session is not disclosed."""
    upload.index.upload("spam-0.1-py3-none-any.whl", zip_bytes(wheel_parts(version="0.1")))
    upload.open()
    reader = person(upload.index, "reader", role="reader")
    with_session, without = reader.open(), reader.open(version="2.0")
    assert with_session.status == without.status == 403
    assert "location" not in with_session.headers
    assert with_session.json() == without.json()


def test_after_its_end_a_release_gets_a_new_session_with_new_secrets(upload: Uploader) -> None:
    """The status URL, session-token, and links.stage values MUST be different."""
    first = upload.open()
    assert upload.delete(first.headers["location"]).status == 204
    second = upload.open()
    assert second.status == 201
    for key in ("session", "stage"):
        assert first.json()["links"][key] != second.json()["links"][key]
    assert first.json()["session-token"] != second.json()["session-token"]


def test_tokens_are_long_and_random(upload: Uploader) -> None:
    """This token MUST be cryptographically unguessable; the stage URL MUST use it, and so MUST the links of files."""
    session = upload.open()
    token = session.json()["session-token"]
    assert len(token) >= 43  # 256 bits
    assert token in session.json()["links"]["stage"]
    upload.begin(session, NAME, WHEEL)
    assert token in upload.status(session)["files"][NAME]["link"]
    wrong = upload.status(session)["files"][NAME]["link"].replace(token, "A" * len(token))
    assert upload.get(wrong).status == 404


@pytest.mark.parametrize("state", ["open", "processing", "error"])
def test_a_release_has_one_session_in_any_state_that_is_not_the_end(upload: Uploader, state: str) -> None:
    """While an existing session for that pair is in a non-terminal state a new session is not created."""
    session = upload.open()
    with upload.index.parts.database.write("system") as writing:
        writing.connection.execute(tables.upload_session.update().values(state=state))
    again = upload.open()
    assert (again.status, again.headers["location"]) == (409, session.headers["location"])


def test_a_session_in_error_is_as_good_as_an_open_one(upload: Uploader) -> None:
    """A client MUST NOT treat an error session as closed or read-only: it permits the identical set of operations."""
    session = upload.open()
    with upload.index.parts.database.write("system") as writing:
        writing.connection.execute(tables.upload_session.update().values(state="error"))
    assert upload.extend(session, 60).status == 200
    assert upload.put(session, NAME, WHEEL).status == 201
    assert upload.status(session)["status"] == "error"
    assert (
        upload.index.get(session.json()["links"]["stage"].replace("http://index.example", "")).status == 200
    )
    assert upload.publish(session).json()["status"] == "published"


def test_what_an_index_does_not_know_of_the_meta_is_no_fault(upload: Uploader) -> None:
    """Optional sub-keys can define index-specific behavior; the metadata key MUST begin with an underscore."""
    meta = {"api-version": "2.0", "_index.example": {"organization": "ours"}}
    assert upload.post("/upload/", meta=meta, name="spam", version="1.0").status == 201


def test_a_published_release_gets_another_session(upload: Uploader) -> None:
    """Reaching either one frees the name-version pair so that a subsequent session may be created for it."""
    session = upload.open()
    upload.put(session, NAME, WHEEL)
    upload.publish(session)
    more = upload.open()
    assert more.status == 201
    assert more.headers["location"] != session.headers["location"]
    upload.put(more, SDIST_NAME, SDIST)
    assert upload.publish(more).status == 201
    assert filenames(upload.index) == [NAME, SDIST_NAME]


# A new project's name


def test_the_name_of_a_new_project_is_reserved(upload: Uploader) -> None:
    """If a session is created for a project which has no previous release, then the index MUST reserve the project
    name."""
    ada, eve = person(upload.index, "ada"), person(upload.index, "eve")
    session = ada.open()
    refused = eve.open(version="2.0")
    assert (refused.status, refused.json()["code"]) == (403, "project-name-reserved")
    by_form = upload.index.upload(NAME, OTHER, token=eve.token)
    assert (by_form.status, by_form.json()["code"]) == (403, "project-name-reserved")
    assert eve.get(session.headers["location"]).status == 403
    assert ada.open(version="2.0").status == 201
    assert ada.put(session, NAME, WHEEL).status == 201
    assert ada.publish(session).status == 201


def test_a_reserved_project_cannot_be_seen(upload: Uploader) -> None:
    """It MUST NOT be possible to navigate to the reserved project using the "regular" access protocols, until the stage is
    published."""
    session = upload.open()
    upload.put(session, NAME, WHEEL)
    assert upload.index.get("/simple/spam/").status == 404
    assert upload.index.get("/simple/", accept=JSON).json()["projects"] == []
    assert upload.index.get(f"/files/spam/{NAME}").status == 404
    upload.publish(session)
    assert upload.index.get(f"/files/spam/{NAME}").status == 200


@pytest.mark.parametrize("ending", ["canceled", "expired"])
def test_a_reservation_ends_with_its_session(upload: Uploader, ending: str) -> None:
    """If this first-release stage gets canceled, then the index SHOULD delete the project record, releasing the
    reservation."""
    ada, eve = person(upload.index, "ada"), person(upload.index, "eve")
    session = ada.open()
    if ending == "canceled":
        ada.delete(session.headers["location"])
    else:
        upload.index.clock.forward(7 * 86_400 + 1)
    assert eve.open(version="2.0").status == 201
    assert ada.open().status == 403


def test_a_reserved_name_keeps_away_those_that_look_like_it(upload: Uploader) -> None:
    upload.open("parrot1")
    alike = upload.open("parrotl")
    assert (alike.status, alike.json()["code"]) == (409, "project-look-alike")


def test_a_new_project_belongs_to_whoever_opened_its_session(upload: Uploader) -> None:
    """The index SHOULD treat the creating principal as authorized; an administrator may publish for them."""
    ada = person(upload.index, "ada")
    session = ada.open()
    ada.put(session, NAME, WHEEL)
    assert upload.publish(session).status == 201
    with upload.index.parts.database.read() as connection:
        owners = connection.execute(
            select(tables.user.c.name)
            .join(tables.role, tables.role.c.user_id == tables.user.c.id)
            .where(tables.role.c.role == "owner")
        ).scalars()
        assert list(owners) == ["ada"]


def test_a_session_without_files_registers_the_name(upload: Uploader) -> None:
    """At which point the reservation becomes a permanent registration of the name."""
    session = upload.open()
    assert upload.publish(session).status == 201
    page = upload.index.get("/simple/spam/", accept=JSON)
    assert (page.status, page.json()["files"], page.json()["versions"]) == (200, [], [])


# Files


def test_a_begun_file_is_answered_as_the_standard_says(upload: Uploader) -> None:
    """202 Accepted; a Retry-After response header MUST be present; the mechanism MUST contain a key identifier; links.extend
    MUST be omitted where it is not supported."""
    session = upload.open()
    begun = upload.begin(session, NAME, WHEEL)
    document = begun.json()
    assert begun.status == 202
    assert begun.headers["retry-after"].isdigit()
    assert document["status"] == "pending"
    assert document["mechanism"]["identifier"] == "http-post-bytes"
    assert set(document["links"]) == {"file-upload-session", "complete"}
    assert upload.status(session)["files"][NAME] == {
        "status": "pending",
        "link": document["links"]["file-upload-session"],
    }
    again = upload.get(document["links"]["file-upload-session"])
    assert again.json() == document
    assert "retry-after" in again.headers


def test_a_mechanism_that_is_not_there_is_422(upload: Uploader) -> None:
    """If the mechanism supplied by the client is not supported it MUST return a 422 Unprocessable Content."""
    assert upload.begin(upload.open(), NAME, WHEEL, mechanism="vnd-acmecorp-postal").status == 422


@pytest.mark.parametrize(
    "filename",
    ["spam.exe", "spam-1.0.zip", "spam-1.0-py3-none.whl", "../spam-1.0.tar.gz", "spam-1.0/x.tar.gz", "späm-1.0.tar.gz",
     "ham-1.0-py3-none-any.whl", "spam-1.1-py3-none-any.whl", "spam-1.1.tar.gz", "spam-x-py3-none-any.whl", 3],
)  # fmt: skip
def test_a_name_that_is_none_is_400(upload: Uploader, filename: Any) -> None:
    """The filename MUST conform to either the sdist file name specification or the binary distribution file name
    convention."""
    assert upload.begin(upload.open(), filename, WHEEL).status == 400


@pytest.mark.parametrize(
    "hashes",
    [{}, {"md5": "0" * 32}, {"sha1": "0" * 40}, {"md5": "0" * 32, "sha1": "0" * 40}, {"sha256": "0" * 63},
     {"sha256": "g" * 64}, {"crc32": "00000000"}, {"shake_128": "00"}, "0" * 64, None],
)  # fmt: skip
def test_a_secure_hash_is_needed(upload: Uploader, hashes: Any) -> None:
    """At least one secure algorithm from hashlib.algorithms_guaranteed MUST always be included."""
    assert upload.begin(upload.open(), NAME, WHEEL, hashes=hashes).status == 400


@pytest.mark.parametrize("wrong", ["md5", "sha512"])
def test_every_hash_must_be_right(upload: Uploader, wrong: str) -> None:
    """Multiple hashes may be passed at a time, but all hashes provided MUST be valid for the file."""
    right = {name: hashlib.new(name, WHEEL).hexdigest() for name in ("md5", "sha256", "sha512")}
    session = upload.open()
    begun = upload.begin(session, NAME, WHEEL, hashes={**right, wrong: hashlib.new(wrong, OTHER).hexdigest()})
    refused = upload.send(begun, WHEEL)
    assert (refused.status, refused.json()["code"]) == (400, "upload-hash-disagrees")
    upload.delete(begun.json()["links"]["file-upload-session"])
    begun = upload.begin(session, NAME, WHEEL, hashes=right)
    assert upload.send(begun, WHEEL).status == 204


@pytest.mark.parametrize("content", [WHEEL[:-1], WHEEL + b"x", b""])
def test_the_size_must_be_right_and_nothing_is_left_of_a_wrong_one(upload: Uploader, content: bytes) -> None:
    begun = upload.begin(upload.open(), NAME, WHEEL)
    refused = upload.send(begun, content)
    assert (refused.status, refused.json()["code"]) == (400, "upload-size-disagrees")
    assert list(upload.index.parts.storage.digests()) == []
    assert upload.send(begun, WHEEL).status == 204


def test_a_file_that_is_published_is_not_begun(upload: Uploader) -> None:
    """If the filename matches a file that has already been published, the server MUST reject the request with a 409
    Conflict and MUST NOT overwrite the published file."""
    upload.index.upload(NAME, WHEEL)
    session = upload.open()
    other = upload.begin(session, NAME, OTHER)
    assert (other.status, other.json()["code"]) == (409, "file-exists")
    same = upload.begin(session, NAME, WHEEL)
    assert (same.status, same.json()["code"]) == (409, "file-there-already")
    assert upload.index.get(f"/files/spam/{NAME}").body == WHEEL


def test_a_file_in_the_middle_of_its_upload_is_not_replaced(upload: Uploader) -> None:
    """A file whose upload is still in-progress cannot be replaced; the server MUST return a 409 Conflict."""
    session = upload.open()
    upload.begin(session, NAME, WHEEL)
    assert upload.begin(session, NAME, OTHER).status == 409


def test_a_completed_file_is_replaced(upload: Uploader) -> None:
    """To replace a session file, the file upload MUST have been previously completed, canceled, or deleted."""
    session = upload.open()
    first = upload.begin(session, NAME, WHEEL)
    upload.send(first, WHEEL)
    upload.complete(first)
    assert upload.put(session, NAME, OTHER).status == 201
    assert upload.get(first.json()["links"]["file-upload-session"]).json()["status"] == "canceled"
    upload.publish(session)
    assert upload.index.get(f"/files/spam/{NAME}").body == OTHER


def test_deleting_is_204_and_the_file_is_gone_from_the_session_but_not_from_its_own_url(
    upload: Uploader,
) -> None:
    """A successful deletion request MUST respond with a 204 No Content.  canceled never appears in files."""
    session = upload.open()
    begun = upload.begin(session, NAME, WHEEL)
    here = begun.json()["links"]["file-upload-session"]
    assert upload.delete(here).status == 204
    assert upload.status(session)["files"] == {}
    assert upload.get(here).json()["status"] == "canceled"
    assert upload.send(begun, WHEEL).status == 409
    assert upload.complete(begun).status == 409
    assert upload.put(session, NAME, WHEEL).status == 201


def test_a_completion_that_fails_is_an_error_for_good(upload: Uploader) -> None:
    """A file upload session enters error whenever a completion attempt fails; the client MUST delete the file."""
    session = upload.open()
    begun = upload.begin(session, NAME, b"no wheel")
    assert upload.send(begun, b"no wheel").status == 204
    refused = upload.complete(begun)
    assert (refused.status, refused.json()["code"]) == (400, "upload-file-invalid")
    [file] = upload.status(session)["files"].values()
    assert file["status"] == "error"
    assert file["notices"]
    assert upload.complete(begun).status == 409
    assert upload.begin(session, NAME, WHEEL).status == 409
    assert upload.delete(file["link"]).status == 204
    assert upload.put(session, NAME, WHEEL).status == 201


def test_completing_without_bytes_is_an_error(upload: Uploader) -> None:
    begun = upload.begin(upload.open(), NAME, WHEEL)
    refused = upload.complete(begun)
    assert (refused.status, refused.json()["code"]) == (400, "upload-incomplete")
    assert upload.get(begun.json()["links"]["file-upload-session"]).json()["status"] == "error"


def test_a_file_of_another_release_is_not_completed(upload: Uploader) -> None:
    """Its name is held against the session when it is begun; what it is, when it is completed."""
    begun = upload.begin(upload.open(), NAME, WHEEL)
    upload.send(begun, WHEEL)
    with upload.index.parts.database.write("system") as writing:
        writing.connection.execute(tables.upload_session.update().values(version="2.0"))
    refused = upload.complete(begun)
    assert (refused.status, refused.json()["code"]) == (400, "session-disagrees")


def test_completing_twice_says_the_same_twice(upload: Uploader) -> None:
    begun = upload.begin(upload.open(), NAME, WHEEL)
    upload.send(begun, WHEEL)
    first, second = upload.complete(begun), upload.complete(begun)
    assert first.status == second.status == 201
    assert first.json()["status"] == "completed"
    assert first.headers["location"] == begun.json()["links"]["file-upload-session"]


# Publishing


def test_a_release_becomes_visible_whole(upload: Uploader) -> None:
    """201 Created, the status is published; the server MUST include a Location header pointing back to the session."""
    session = upload.open()
    upload.put(session, NAME, WHEEL)
    upload.put(session, SDIST_NAME, SDIST)
    before = upload.index.parts.database.serial()
    published = upload.publish(session)
    assert published.status == 201
    assert published.headers["location"] == session.headers["location"]
    assert published.json()["status"] == "published"
    assert filenames(upload.index) == [NAME, SDIST_NAME]
    with upload.index.parts.database.read() as connection:
        change = tables.change.c
        rows = connection.execute(
            select(change.serial, change.action, change.filename).where(change.serial > before)
        ).all()
    assert rows == [
        (before + 1, "create-project", None),
        (before + 2, "add-file", NAME),
        (before + 3, "add-file", SDIST_NAME),
    ]


@pytest.mark.parametrize("state", ["pending", "error"])
def test_nothing_is_published_while_a_file_is_not_completed(upload: Uploader, state: str) -> None:
    """If any entry is in a state other than completed, the server MUST reject the publish request with a 409 Conflict
    identifying the offending file(s) and their current states, and leave the session in its current editable state."""
    session = upload.open()
    upload.put(session, NAME, WHEEL)
    begun = upload.begin(session, SDIST_NAME, SDIST)
    if state == "error":
        upload.complete(begun)
    refused = upload.publish(session)
    assert refused.status == 409
    assert f"{SDIST_NAME} is {state}" in [error["message"] for error in refused.json()["errors"]]
    assert filenames(upload.index) == []
    assert upload.status(session)["status"] == "open"
    upload.delete(begun.json()["links"]["file-upload-session"])
    assert upload.publish(session).status == 201


def test_a_name_used_meanwhile_stops_the_whole_release(upload: Uploader) -> None:
    """It MUST return a 409 Conflict for a filename collision identifying the conflicting file(s), and leave the session in
    its current editable state."""
    session = upload.open()
    upload.put(session, SDIST_NAME, SDIST)
    upload.put(session, NAME, WHEEL)
    assert upload.index.upload(NAME, OTHER).status == 200
    refused = upload.publish(session)
    assert refused.status == 409
    assert NAME in refused.json()["detail"]
    assert filenames(upload.index) == [NAME]
    status = upload.status(session)
    assert status["status"] == "open"
    upload.delete(status["files"][NAME]["link"])
    assert upload.publish(session).status == 201
    assert filenames(upload.index) == [NAME, SDIST_NAME]
    assert upload.index.get(f"/files/spam/{NAME}").body == OTHER


def test_every_name_used_meanwhile_is_told(upload: Uploader) -> None:
    """It MUST return an error response identifying the conflicting file(s)."""
    session = upload.open()
    upload.put(session, NAME, WHEEL)
    upload.put(session, SDIST_NAME, SDIST)
    changed = sdist_bytes(level=1)
    assert changed != SDIST
    assert upload.index.upload(NAME, OTHER).status == upload.index.upload(SDIST_NAME, changed).status == 200
    refused = upload.publish(session).json()
    messages = " ".join(error["message"] for error in refused["errors"])
    assert NAME in messages
    assert SDIST_NAME in messages


def test_the_same_bytes_published_meanwhile_are_no_conflict(upload: Uploader) -> None:
    session = upload.open()
    upload.put(session, NAME, WHEEL)
    upload.put(session, SDIST_NAME, SDIST)
    upload.index.upload(NAME, WHEEL)
    assert upload.publish(session).status == 201
    assert filenames(upload.index) == [NAME, SDIST_NAME]


@pytest.mark.parametrize("way", ["form", "session"])
def test_a_reserved_file_name_is_refused_whichever_way_it_comes(upload: Uploader, way: str) -> None:
    """While the reservation is held, any other attempt to upload a file with one of those filenames -- whether through this
    API or the legacy API -- MUST be rejected with a 409 Conflict, exactly as if the file were already published."""
    session = upload.open()
    with upload.index.parts.database.write("system") as writing:  # as a publication under way would
        writing.connection.execute(
            insert(tables.file_name).values(index_id=1, filename=NAME, session_id=99, used=1)
        )
    refused = upload.index.upload(NAME, WHEEL) if way == "form" else upload.begin(session, NAME, WHEEL)
    assert (refused.status, refused.json()["code"]) == (409, "file-name-reserved")


def test_an_open_session_reserves_no_file_names(upload: Uploader) -> None:
    """A still-open session does not reserve its filenames; the reservation is acquired only when publication is
    requested."""
    upload.put(upload.open(), NAME, WHEEL)
    assert upload.index.upload(NAME, OTHER).status == 200


def test_publishing_that_fails_leaves_nothing_behind(upload: Uploader) -> None:
    """If it fails, the server MUST release the reservation, making those filenames available again."""
    session = upload.open()
    upload.put(session, SDIST_NAME, SDIST)
    upload.put(session, NAME, WHEEL)
    upload.index.upload(NAME, OTHER)
    assert upload.publish(session).status == 409
    assert upload.index.upload(SDIST_NAME, SDIST).status == 200


def test_publishing_again_says_the_same_and_changes_nothing(upload: Uploader) -> None:
    session = upload.open()
    upload.put(session, NAME, WHEEL)
    upload.publish(session)
    serial = upload.index.parts.database.serial()
    assert upload.publish(session).json()["status"] == "published"
    assert upload.index.parts.database.serial() == serial


def test_what_is_published_is_closed(upload: Uploader) -> None:
    """published (terminal): no further changes are possible."""
    session = upload.open()
    upload.put(session, NAME, WHEEL)
    link = upload.status(session)["files"][NAME]["link"]
    upload.publish(session)
    assert upload.begin(session, SDIST_NAME, SDIST).status == 409
    assert upload.delete(link).status == 409
    assert upload.delete(session.headers["location"]).status == 409
    assert upload.extend(session, 60).status == 409


def test_wheels_are_added_to_a_published_release(upload: Uploader) -> None:
    """A publishing session MAY be created for a name and version that has already been published."""
    upload.index.upload(SDIST_NAME, SDIST)
    session = upload.open()
    assert session.status == 201
    upload.put(session, NAME, WHEEL)
    upload.publish(session)
    assert filenames(upload.index) == [SDIST_NAME, NAME]


def test_whoever_publishes_is_told_that_it_waits_in_quarantine(upload: Uploader) -> None:
    headers = {**upload.headers(), "content-type": "application/json"}
    body = b'{"quarantine": "all"}'
    assert upload.index.request("PATCH", "/api/indexes/main/policy", headers, body).status == 200
    session = upload.open()
    upload.put(session, NAME, WHEEL)
    published = upload.publish(session).json()
    assert published["status"] == "published"
    assert "quarantine" in published["notices"][0]
    assert "quarantine" in published["files"][NAME]["notices"][0]
    assert filenames(upload.index) == []


# Cancelling, expiry, extension


def test_a_canceled_session_says_so_and_its_bytes_are_gone(upload: Uploader) -> None:
    """The server marks the session as canceled and SHOULD purge any data; the status URL is retained."""
    session = upload.open()
    upload.put(session, NAME, WHEEL)
    upload.begin(session, SDIST_NAME, SDIST)
    assert list(upload.index.parts.storage.digests())
    assert upload.delete(session.headers["location"]).status == 204
    assert upload.status(session)["status"] == "canceled"
    assert list(upload.index.parts.storage.digests()) == []
    assert upload.publish(session).status == 409
    assert upload.delete(session.headers["location"]).status == 204


def test_bytes_that_are_published_elsewhere_survive_a_canceled_session(upload: Uploader) -> None:
    session = upload.open()
    upload.put(session, NAME, WHEEL)
    upload.index.upload(NAME, WHEEL)
    upload.delete(session.headers["location"])
    assert upload.index.get(f"/files/spam/{NAME}").body == WHEEL
    assert upload.index.get(f"/files/spam/{NAME}.metadata").status == 200


def test_a_session_ends_at_its_time_without_anybody_doing_anything(upload: Uploader) -> None:
    session = upload.open()
    upload.put(session, NAME, WHEEL)
    upload.index.clock.forward(7 * 86_400 - 1)
    assert upload.status(session)["status"] == "open"
    upload.index.clock.forward(1)
    assert upload.status(session)["status"] == "canceled"
    assert upload.publish(session).status == 409
    assert upload.index.get(session.json()["links"]["stage"]).status == 404
    upload.open("ham")  # somebody comes by: now its bytes go
    assert list(upload.index.parts.storage.digests()) == []
    upload.index.clock.forward(31 * 86_400)
    upload.open("eggs")
    assert upload.get(session.headers["location"]).status == 404


def test_a_session_lives_longer_when_asked_and_never_for_ever(upload: Uploader) -> None:
    """If the server refuses to extend the session, it MUST still return a success response, and expires-at will simply
    reflect the current expiration time."""
    session = upload.open()
    longer = upload.extend(session, 3_600)
    assert (longer.status, longer.json()["expires-at"]) == (200, "2026-09-28T15:13:20Z")
    most = upload.extend(session, 1 << 30)
    assert (most.status, most.json()["expires-at"]) == (200, "2026-10-19T14:13:20Z")
    assert upload.extend(session, 60).json()["expires-at"] == most.json()["expires-at"]
    assert upload.extend(session, 10**15).json()["expires-at"] == most.json()["expires-at"]
    for wrong in (-1, True, "60", None):
        assert upload.extend(session, wrong).status == 400


@pytest.mark.parametrize("state", ["processing"])
def test_what_is_being_processed_is_not_canceled(upload: Uploader, state: str) -> None:
    """If the session is in the processing state the server MUST reject the cancellation with a 409 Conflict."""
    session = upload.open()
    begun = upload.begin(session, NAME, WHEEL)
    for table in (tables.upload_file, tables.upload_session):
        with upload.index.parts.database.write("system") as writing:
            writing.connection.execute(table.update().values(state=state))
        url = begun.json()["links"]["file-upload-session"]
        assert (
            upload.delete(url if table is tables.upload_file else session.headers["location"]).status == 409
        )


def test_a_session_is_canceled_whatever_its_files_are_doing(upload: Uploader) -> None:
    """A session MUST NOT be refused cancellation because one or more of its file upload sessions is processing."""
    session = upload.open()
    upload.begin(session, NAME, WHEEL)
    with upload.index.parts.database.write("system") as writing:
        writing.connection.execute(tables.upload_file.update().values(state="processing"))
    assert upload.delete(session.headers["location"]).status == 204


def test_sessions_have_their_number_and_files_theirs(upload: Uploader) -> None:
    limits = upload.index.parts.settings.limits
    with upload.index.parts.database.write("user:admin") as writing:
        index = indexes.index_named(writing.connection, "main")
        rows = [
            {"public_id": str(n), "preview": str(n), "index_id": index.id, "project": f"p{n}", "display": "p",
             "version": "1", "state": "open", "actor": "user:admin", "created": 0, "expires": 1 << 60, "notices": []}
            for n in range(limits.upload_sessions_open - 1)
        ]  # fmt: skip
        writing.connection.execute(insert(tables.upload_session), rows)
    session = upload.open()
    assert session.status == 201
    refused = upload.open("ham")
    assert (refused.status, refused.json()["code"]) == (409, "too-many-sessions")
    with upload.index.parts.database.write("system") as writing:
        identity = writing.connection.execute(
            select(tables.upload_session.c.id).where(tables.upload_session.c.project == "spam")
        ).scalar_one()
        files = [
            {"public_id": str(n), "session_id": identity, "filename": f"x{n}", "size": 1, "hashes": {},
             "mechanism": "x", "state": "pending", "notices": [], "created": 0}
            for n in range(limits.upload_session_files - 1)
        ]  # fmt: skip
        writing.connection.execute(insert(tables.upload_file), files)
    assert upload.begin(session, NAME, WHEEL).status == 202
    refused = upload.begin(session, SDIST_NAME, SDIST)
    assert (refused.status, refused.json()["code"]) == (409, "session-too-many-files")


@pytest.mark.parametrize(("size", "status"), [(1 << 30, 202), ((1 << 30) + 1, 409)])
def test_a_file_too_large_is_refused_before_it_is_sent(upload: Uploader, size: int, status: int) -> None:
    """If the server determines the upload cannot proceed, it MUST return a 409 Conflict."""
    assert upload.begin(upload.open(), NAME, WHEEL, size=size).status == status


def test_all_sessions_of_somebody_together_hold_so_many_bytes(tmp_path: Path) -> None:
    size = len(WHEEL)
    limits = replace(DEFAULT, staged_bytes=2 * size)
    with InProcess.open(str(tmp_path / "data"), limits=limits) as index:
        mine, hers = Uploader(index), person(index, "ada")
        sessions = [mine.open(name) for name in ("spam", "eggs", "ham")]
        files = [f"{name}-1.0-py3-none-any.whl" for name in ("spam", "eggs", "ham")]
        for session, file in zip(sessions[:2], files, strict=False):
            assert mine.begin(session, file, WHEEL).status == 202
        refused = mine.begin(sessions[2], files[2], WHEEL, size=1)
        assert (refused.status, refused.json()["code"]) == (409, "staged-too-much")
        assert (
            hers.begin(hers.open("bacon"), "bacon-1.0-py3-none-any.whl", WHEEL, size=2 * size).status == 202
        )
        assert mine.delete(sessions[0].headers["location"]).status == 204
        assert mine.begin(sessions[2], files[2], WHEEL, size=size + 1).status == 409
        assert mine.begin(sessions[2], files[2], WHEEL).status == 202
        index.clock.forward(limits.upload_session_seconds)  # and what has expired takes no room
        assert (
            mine.begin(mine.open("toast"), "toast-1.0-py3-none-any.whl", WHEEL, size=2 * size).status == 202
        )


# The other indexes of a server


def test_each_index_has_its_own_sessions(index: InProcess) -> None:
    with index.parts.database.write("system") as writing:
        indexes.add_index(writing, "team", public=False)
    upload = Uploader(index, root="/team/upload/")
    session = upload.open()
    assert session.status == 201
    assert "/team/upload/session/" in session.headers["location"]
    assert upload.get(session.headers["location"].replace("/team/", "/")).status == 404
    assert Uploader(index).open().status == 201  # the first index has a release of its own
    upload.put(session, NAME, WHEEL)
    assert upload.publish(session).status == 201
    assert filenames(index) == []
    assert Uploader(index, root="/nowhere/upload/").open().json()["code"] == "no-such-index"


def test_all_files_of_a_project_stay_below_what_its_index_says_by_sessions_too(
    index: InProcess, upload: Uploader
) -> None:
    """A server MAY refuse: what the policy of an index says of a project's bytes holds for both ways in."""
    most = len(WHEEL) + len(SDIST)
    patched = index.request(
        "PATCH",
        "/api/indexes/main/policy",
        {"content-type": "application/json", **basic(index.token)},
        b'{"project_bytes": %d}' % most,
    )
    assert patched.status == 200
    first, second = upload.open(), upload.open(version="2.0")
    upload.put(first, NAME, WHEEL)
    upload.put(first, SDIST_NAME, SDIST)
    refused = upload.begin(first, "spam-1.0-py2-none-any.whl", WHEEL)
    assert (refused.status, refused.json()["code"]) == (409, "upload-too-large")
    # Two sessions that each have room, and together have none.
    upload.put(second, "spam-2.0-py3-none-any.whl", zip_bytes(wheel_parts(version="2.0")))
    assert upload.publish(first).status == 201
    refused = upload.publish(second)
    assert (refused.status, refused.json()["code"]) == (413, "project-too-large")
    assert filenames(index) == [NAME, SDIST_NAME]
    assert upload.publish(first).status == 201  # again: no change
