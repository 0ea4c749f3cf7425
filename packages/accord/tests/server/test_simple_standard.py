"""The Simple API's living standard, sentence by sentence: what it demands of a server, each with its test.

The sentences are those of "Simple repository API", "Project Status Markers", "File Yanking", "Index hosted attestations"
and PEP 752.
"""

from __future__ import annotations

import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin

import pytest
from sqlalchemy import insert, select, update

from accord.server.accounts import people
from accord.server.database import tables
from accord.testing.archives import TarPart, sdist_bytes, wheel_parts, zip_bytes
from accord.testing.serving import InProcess

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
WHEEL = "spam-1.0-py3-none-any.whl"
SDIST = "spam-1.0.tar.gz"
PROVENANCE = (
    b'{"version":1,"attestation_bundles":[{"publisher":{"kind":"ci","claims":{}},"attestations":[]}]}'
)


class _Page(HTMLParser):
    """Anchors with their text, meta elements, and whether every element is closed in order."""

    _VOID = ("meta", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: list[tuple[dict[str, str | None], str]] = []
        self.meta: dict[str, str] = {}
        self.open: list[str] = []
        self.doctype = ""
        self.feed(text)
        self.close()

    def handle_decl(self, decl: str) -> None:
        self.doctype = decl

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "meta":
            self.meta[dict(attrs)["name"] or ""] = dict(attrs)["content"] or ""
        if tag == "a":
            self.anchors.append((dict(attrs), ""))
        if tag not in self._VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "a":
            attributes, text = self.anchors[-1]
            self.anchors[-1] = (attributes, text + data)


def _wheel(**options: Any) -> bytes:
    return zip_bytes(wheel_parts(**options))


def _filled(index: InProcess) -> None:
    metadata = "Metadata-Version: 2.1\nName: Spam\nVersion: 1.0\nRequires-Python: >=3.8,<4\n"
    assert index.upload(WHEEL, _wheel(metadata=metadata)).status == 200
    assert index.upload(SDIST, sdist_bytes()).status == 200


def _page(index: InProcess, path: str = "/simple/spam/") -> Any:
    return index.get(path, accept=JSON).json()


def _html(index: InProcess, path: str = "/simple/spam/") -> _Page:
    return _Page(index.get(path, accept=HTML).text)


def _set(index: InProcess, table: Any, action: str = "status", project: str = "spam", **values: Any) -> None:
    with index.parts.database.write("system") as writing:
        writing.connection.execute(update(table).values(**values))
        writing.changed(1, action, project=project)


def _reserve(index: InProcess, *names: str) -> None:
    """Namespaces of somebody who owns no project here."""
    with index.parts.database.write("system") as writing:
        owner = people.add_user(writing, "acme")
        for name in names:
            writing.connection.execute(
                insert(tables.namespace).values(index_id=1, prefix=name, owner_id=owner, created=writing.at)
            )
            writing.changed(1, "reserve-namespace", namespace=name)


def _disown(index: InProcess) -> None:
    """Nobody owns anything: who uploads a new project is its owner otherwise."""
    with index.parts.database.write("system") as writing:
        writing.connection.execute(tables.role.delete())
        writing.changed(1, "roles")


def _own(index: InProcess, project: str) -> None:
    """The owner of the namespaces becomes an owner of the project."""
    with index.parts.database.write("system") as writing:
        connection = writing.connection
        found = connection.execute(
            select(tables.project.c.id).where(tables.project.c.name == project)
        ).scalar_one()
        owner = connection.execute(select(tables.user.c.id).where(tables.user.c.name == "acme")).scalar_one()
        connection.execute(
            insert(tables.role).values(
                index_id=1, project_id=found, user_id=owner, role="owner", granted=writing.at
            )
        )
        writing.changed(1, "roles", project=project)


# ------------------------------------------------------------------------------------------------- versions, HTML


def test_a_meta_tag_on_every_successful_html_response_names_the_version_as_major_and_minor_only(
    index: InProcess,
) -> None:
    _filled(index)
    for path in ("/simple/", "/simple/spam/"):
        assert _html(index, path).meta["pypi:repository-version"] == "1.4"


def test_html_is_frozen_at_1_4_and_says_nothing_of_namespaces(index: InProcess) -> None:
    _filled(index)
    _reserve(index, "spam")
    assert "namespace" not in index.get("/simple/spam/", accept=HTML).text


def test_all_html_responses_must_be_a_valid_html5_document(index: InProcess) -> None:
    _filled(index)
    for path in ("/simple/", "/simple/spam/"):
        page = _html(index, path)
        assert page.doctype == "DOCTYPE html"
        assert page.open == []


def test_the_root_has_a_single_anchor_per_project_its_text_the_name_its_href_the_url(
    index: InProcess,
) -> None:
    metadata = "Metadata-Version: 2.1\nName: Spam.Eggs\nVersion: 1.0\n"
    _filled(index)
    index.upload("spam_eggs-1.0-py3-none-any.whl", _wheel(name="spam_eggs", metadata=metadata))
    anchors = _html(index, "/simple/").anchors
    assert [(attributes["href"], text) for attributes, text in anchors] == [
        ("spam/", "Spam"),
        ("spam-eggs/", "Spam.Eggs"),
    ]
    assert index.get("/simple/spam-eggs/").status == 200


def test_a_single_anchor_per_file_its_text_must_match_the_final_path_component(index: InProcess) -> None:
    _filled(index)
    anchors = _html(index).anchors
    assert [text for _, text in anchors] == [WHEEL, SDIST]
    for attributes, text in anchors:
        url = (attributes["href"] or "").partition("#")[0]
        assert unquote(url.rpartition("/")[2]) == text
        assert index.get(urljoin("/simple/spam/", url)).status == 200


def test_each_file_url_should_include_a_hash_as_a_fragment_sha256_recommended(index: InProcess) -> None:
    _filled(index)
    attributes, _ = _html(index).anchors[0]
    body = index.get(f"/files/spam/{WHEEL}").body
    assert (attributes["href"] or "").endswith(f"#sha256={hashlib.sha256(body).hexdigest()}")


def test_urls_of_html_pages_must_end_with_a_slash_and_others_should_be_redirected(index: InProcess) -> None:
    _filled(index)
    for path, there in (("/simple", "/simple/"), ("/simple/spam", "/simple/spam/")):
        answer = index.get(path)
        assert answer.status == 301
        assert urljoin(path, answer.headers["location"]) == there


def test_repositories_may_redirect_unnormalised_urls_to_the_canonical_one(index: InProcess) -> None:
    _filled(index)
    for path, there in (("/simple/SPAM/", "/simple/spam/"), ("/main/simple/Sp.A_m/", "/main/simple/sp-a-m/")):
        answer = index.get(path + "?format=text/html")
        assert answer.status == 301
        assert urljoin(path, answer.headers["location"]) == there + "?format=text/html"


def test_requires_python_is_there_with_angle_brackets_encoded_in_html_and_plain_in_json(
    index: InProcess,
) -> None:
    _filled(index)
    assert 'data-requires-python="&gt;=3.8,&lt;4"' in index.get("/simple/spam/", accept=HTML).text
    assert _page(index)["files"][0]["requires-python"] == ">=3.8,<4"
    assert "requires-python" not in _page(index)["files"][1]


# ----------------------------------------------------------------------------------------------- core metadata


def test_metadata_must_be_served_alongside_the_distribution_with_its_hash_announced(index: InProcess) -> None:
    _filled(index)
    for file, (attributes, _) in zip(_page(index)["files"], _html(index).anchors, strict=True):
        body = index.get(urljoin("/simple/spam/", file["url"] + ".metadata")).body
        digest = hashlib.sha256(body).hexdigest()
        assert body.startswith(b"Metadata-Version: ")
        assert file["core-metadata"] == {"sha256": digest}
        assert attributes["data-core-metadata"] == attributes["data-dist-info-metadata"] == f"sha256={digest}"


def test_an_sdist_that_does_not_promise_its_metadata_announces_none_and_serves_none(index: InProcess) -> None:
    parts = [
        TarPart("spam-1.0/PKG-INFO", b"Metadata-Version: 2.1\nName: spam\nVersion: 1.0\n"),
        TarPart("spam-1.0/pyproject.toml", b"[project]\nname = 'spam'\nversion = '1.0'\n"),
    ]
    assert index.upload(SDIST, sdist_bytes(parts)).status == 200
    assert "core-metadata" not in _page(index)["files"][0]
    assert index.get(f"/files/spam/{SDIST}.metadata").status == 404


# ------------------------------------------------------------------------------------------------- JSON


def test_all_json_responses_are_objects_with_a_meta_key_that_names_the_api_version(index: InProcess) -> None:
    _filled(index)
    for path in ("/simple/", "/simple/spam/"):
        assert _page(index, path)["meta"]["api-version"] == "1.5"


def test_private_keys_have_a_leading_underscore(index: InProcess) -> None:
    _filled(index)
    root = _page(index, "/simple/")
    known = {"name"}
    assert all(key in known or key.startswith("_") for project in root["projects"] for key in project)
    assert set(root["meta"]) - {"api-version"} == {"_last-serial"}


def test_the_name_of_a_project_detail_is_normalised(index: InProcess) -> None:
    _filled(index)
    assert _page(index)["name"] == "spam"


def test_every_file_has_filename_url_hashes_and_the_mandatory_size(index: InProcess) -> None:
    _filled(index)
    for file in _page(index)["files"]:
        body = index.get(urljoin("/simple/spam/", file["url"])).body
        assert file["size"] == len(body)
        assert file["hashes"] == {"sha256": hashlib.sha256(body).hexdigest()}


def test_upload_time_is_always_there_in_utc_with_up_to_six_digits(index: InProcess) -> None:
    _filled(index)
    for file in _page(index)["files"]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", file["upload-time"])


def test_all_files_must_be_associated_with_one_of_the_versions_which_have_no_duplicates(
    index: InProcess,
) -> None:
    _filled(index)
    index.upload("spam-2.0-py3-none-any.whl", _wheel(version="2.0"))
    assert _page(index)["versions"] == ["1.0", "2.0"]


def test_versions_may_contain_versions_whose_files_are_gone(index: InProcess) -> None:
    _filled(index)
    words = {"version": "1.0", "cause": "safety", "reason": "it wipes disks"}
    assert index.post("/api/indexes/main/projects/spam/withdraw", words).status == 201
    page = _page(index)
    assert page["files"] == []
    assert page["versions"] == ["1.0"]


def test_yanked_is_a_boolean_or_a_non_empty_reason(index: InProcess) -> None:
    _filled(index)
    assert [file["yanked"] for file in _page(index)["files"]] == [False, False]
    _set(index, tables.file, "yank", yanked=True, yank_reason="")
    assert [file["yanked"] for file in _page(index)["files"]] == [True, True]
    assert [attributes["data-yanked"] for attributes, _ in _html(index).anchors] == ["", ""]
    _set(index, tables.file, "yank", yanked=True, yank_reason="a <bad> day")
    assert _page(index)["files"][0]["yanked"] == "a <bad> day"
    assert _html(index).anchors[0][0]["data-yanked"] == "a <bad> day"
    _set(index, tables.file, "unyank", yanked=False, yank_reason=None)
    assert "data-yanked" not in _html(index).anchors[0][0]


# ------------------------------------------------------------------------------------------------- provenance


def _attest(index: InProcess) -> None:
    digest = hashlib.sha256(PROVENANCE).hexdigest()
    index.parts.storage.put_bytes(digest, PROVENANCE)
    with index.parts.database.write("system") as writing:
        writing.connection.execute(
            update(tables.file).where(tables.file.c.filename == WHEEL).values(provenance_sha256=digest)
        )
        writing.changed(1, "attest", project="spam", filename=WHEEL)


def test_provenance_must_be_a_fully_qualified_url_of_a_secure_origin(index: InProcess) -> None:
    _filled(index)
    _attest(index)
    with_it, without = index.get("/simple/spam/", accept=JSON, host="localhost:8000").json()["files"]
    path = f"/integrity/spam/1.0/{WHEEL}/provenance"
    assert with_it["provenance"] == f"http://localhost:8000{path}"
    assert "provenance" not in without
    answer = index.get(path)
    assert answer.headers["content-type"] == "application/vnd.pypi.integrity.v1+json"
    assert answer.body == PROVENANCE
    assert index.get(path, if_none_match=answer.headers["etag"]).status == 304
    assert index.get(path, accept="text/html").status == 406


def test_no_provenance_is_announced_where_the_origin_is_not_secure(index: InProcess) -> None:
    _filled(index)
    _attest(index)
    assert "provenance" not in _page(index)["files"][0]  # http://index.example


def test_one_clients_address_is_never_put_on_the_page_of_another(index: InProcess) -> None:
    _filled(index)
    _attest(index)
    index.get("/simple/spam/", accept=JSON, host="localhost")
    again = index.get("/simple/spam/", accept=JSON, host="127.0.0.1:1")
    assert again.json()["files"][0]["provenance"].startswith("http://127.0.0.1:1/integrity/")
    assert again.headers["cache-control"] == "private, no-cache"


def test_there_is_no_provenance_under_another_version_or_project(index: InProcess) -> None:
    _filled(index)
    _attest(index)
    for path in ("spam/2.0", "eggs/1.0"):
        assert index.get(f"/integrity/{path}/{WHEEL}/provenance").status == 404
    assert index.get(f"/integrity/spam/1.0/{SDIST}/provenance").status == 404


# ------------------------------------------------------------------------------------------------- status markers


def test_an_active_project_needs_no_status(index: InProcess) -> None:
    _filled(index)
    assert "project-status" not in _page(index)


@pytest.mark.parametrize("status", ["archived", "deprecated"])
def test_the_index_must_offer_the_distributions_of_archived_and_deprecated_projects(
    index: InProcess, status: str
) -> None:
    _filled(index)
    _set(index, tables.project, status=status, status_reason="see <eggs>")
    page = _page(index)
    assert page["project-status"] == {"status": status, "reason": "see <eggs>"}
    assert len(page["files"]) == 2
    meta = _html(index).meta
    assert (meta["pypi:project-status"], meta["pypi:project-status-reason"]) == (status, "see <eggs>")
    assert index.get(f"/files/spam/{WHEEL}").status == 200


def test_the_index_must_not_offer_any_distribution_of_a_quarantined_project(index: InProcess) -> None:
    _filled(index)
    _set(index, tables.project, status="quarantined", status_reason="malware")
    page = _page(index)
    assert page["project-status"] == {"status": "quarantined", "reason": "malware"}
    assert page["files"] == []
    for name in (WHEEL, f"{WHEEL}.metadata", SDIST):
        for path in (f"/files/spam/{name}", f"/packages/main/spam/{name}"):
            assert index.get(path).status == 403


def test_the_index_must_allow_uploads_to_deprecated_projects_and_must_not_to_archived_ones(
    index: InProcess,
) -> None:
    _filled(index)
    for status, answer in (("deprecated", 200), ("archived", 403), ("quarantined", 403)):
        _set(index, tables.project, status=status)
        version = f"2.0.{answer}.{len(status)}"
        assert index.upload(f"spam-{version}-py3-none-any.whl", _wheel(version=version)).status == answer, (
            status
        )


def test_a_release_in_quarantine_offers_nothing_and_the_others_stay(index: InProcess) -> None:
    _filled(index)
    index.upload("spam-2.0-py3-none-any.whl", _wheel(version="2.0"))
    with index.parts.database.write("system") as writing:
        writing.connection.execute(
            update(tables.release).where(tables.release.c.version == "1.0").values(status="quarantined")
        )
        writing.changed(1, "quarantine", project="spam", version="1.0")
    assert [file["filename"] for file in _page(index)["files"]] == ["spam-2.0-py3-none-any.whl"]
    assert index.get(f"/files/spam/{WHEEL}").status == 403


# ------------------------------------------------------------------------------------------------- namespaces


def test_namespaces_must_be_null_if_the_project_does_not_match_an_active_grant(index: InProcess) -> None:
    _filled(index)
    assert _page(index)["namespaces"] is None
    _reserve(index, "spa", "spam-eggs")
    assert _page(index)["namespaces"] is None


def test_every_matching_namespace_is_listed_and_owned_only_by_the_projects_owner(index: InProcess) -> None:
    metadata = "Metadata-Version: 2.1\nName: spam-eggs-ham\nVersion: 1.0\n"
    index.upload("spam_eggs_ham-1.0-py3-none-any.whl", _wheel(name="spam_eggs_ham", metadata=metadata))
    _disown(index)
    _reserve(index, "spam", "spam-eggs")
    page = _page(index, "/simple/spam-eggs-ham/")
    assert page["namespaces"] == [{"name": "spam", "owned": False}, {"name": "spam-eggs", "owned": False}]
    _own(index, "spam-eggs-ham")
    page = _page(index, "/simple/spam-eggs-ham/")
    assert page["namespaces"] == [{"name": "spam", "owned": True}, {"name": "spam-eggs", "owned": True}]


@pytest.mark.parametrize("base", ["", "/simple", "/main", "/main/simple"])
def test_the_list_must_be_an_array_of_mappings_with_names_and_details_have_parent_and_children(
    index: InProcess, base: str
) -> None:
    assert index.get(f"{base}/namespaces").json() == []
    _reserve(index, "foo", "foo-bar", "foo-bar-baz", "foobar", "other")
    listed = index.get(f"{base}/namespaces")
    assert listed.json() == [{"name": name} for name in ("foo", "foo-bar", "foo-bar-baz", "foobar", "other")]
    detail = index.get(f"{base}/namespace/foo").json()
    assert (detail["name"], detail["parent"], detail["children"]) == ("foo", None, ["foo-bar"])
    detail = index.get(f"{base}/namespace/foo-bar").json()
    assert (detail["parent"], detail["children"], detail["owner"]) == ("foo", ["foo-bar-baz"], "acme")
    assert index.get(f"{base}/namespace/ham").status == 404
    unnormalised = index.get(f"{base}/namespace/Foo.Bar")
    assert unnormalised.status == 301
    assert (
        urljoin(f"{base}/namespace/Foo.Bar", unnormalised.headers["location"]) == f"{base}/namespace/foo-bar"
    )


def test_when_a_namespace_becomes_unclaimed_the_key_must_be_null_again(index: InProcess) -> None:
    _filled(index)
    _disown(index)
    _reserve(index, "spam")
    assert _page(index)["namespaces"] == [{"name": "spam", "owned": False}]
    with index.parts.database.write("system") as writing:
        writing.connection.execute(tables.namespace.delete())
        writing.changed(1, "release-namespace")
    assert _page(index)["namespaces"] is None


def test_a_project_called_namespaces_keeps_its_page(index: InProcess) -> None:
    metadata = "Metadata-Version: 2.1\nName: namespaces\nVersion: 1.0\n"
    index.upload("namespaces-1.0-py3-none-any.whl", _wheel(name="namespaces", metadata=metadata))
    assert _page(index, "/simple/namespaces/")["name"] == "namespaces"


# ------------------------------------------------------------------------------------------------- negotiation


@pytest.mark.parametrize("path", ["/simple/", "/simple/spam/"])
def test_latest_must_be_answered_with_the_content_type_of_the_actual_version(
    index: InProcess, path: str
) -> None:
    _filled(index)
    for _ in ("made", "from the shelf"):
        answer = index.get(path, accept="application/vnd.pypi.simple.latest+json")
        assert answer.headers["content-type"] == JSON
        answer = index.get(path, accept="application/vnd.pypi.simple.latest+html")
        assert answer.headers["content-type"] == HTML


def test_an_accept_header_without_a_known_content_type_gets_406_and_never_300(index: InProcess) -> None:
    _filled(index)
    for _ in ("made", "from the shelf"):
        answer = index.get("/simple/spam/", accept="application/xml")
        assert answer.status == 406
        assert answer.json()["code"] == "not-acceptable"


def test_responses_always_include_a_content_type_also_without_an_accept_header(index: InProcess) -> None:
    _filled(index)
    assert index.get("/simple/spam/").headers["content-type"] == "text/html; charset=utf-8"
    assert index.get("/simple/nothing/").headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("value", [JSON, HTML, "text/html", "application/vnd.pypi.simple.latest+json"])
def test_format_should_take_precedence_over_the_accept_header(index: InProcess, value: str) -> None:
    _filled(index)
    for spelt in (value, value.replace("+", "%2B")):
        for _ in ("made", "from the shelf"):
            answer = index.get(f"/simple/spam/?format={spelt}", accept="text/html;q=0.1, */*;q=0.01")
            assert answer.status == 200
            kind = answer.headers["content-type"].partition(";")[0]
            assert kind == value.replace("latest", "v1")


@pytest.mark.parametrize(
    "value", ["json", "*/*", "", f"{JSON},{HTML}", f"{JSON};q=1", f"{JSON}&format={HTML}"]
)
def test_multiple_content_types_wild_cards_and_qualities_are_not_supported_in_format(
    index: InProcess, value: str
) -> None:
    _filled(index)
    for _ in ("made", "from the shelf"):
        assert index.get(f"/simple/spam/?format={value}", accept=JSON).status == 406


def test_documents_are_json_as_the_standard_library_reads_it(index: InProcess) -> None:
    _filled(index)
    json.loads(index.get("/simple/spam/", accept=JSON).body.decode("utf-8"))
