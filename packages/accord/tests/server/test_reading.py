"""How pages and files are answered: validators, packings, ranges, other origins, serials; and the pages beside the standard."""

from __future__ import annotations

import gzip
import hashlib
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import zstandard
from sqlalchemy import insert, update

from accord.server.api import answers
from accord.server.api.visitors import is_read
from accord.server.database import tables
from accord.testing.archives import TarPart, sdist_bytes, wheel_parts, zip_bytes
from accord.testing.serving import InProcess, basic

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
WHEEL = "spam-1.0-py3-none-any.whl"
METADATA = """Metadata-Version: 2.4
Name: Spam
Version: 1.0
Summary: <b>Eggs</b> & ham
Requires-Python: >=3.8
Requires-Dist: eggs>=1
Requires-Dist: ham; extra == "all"
Provides-Extra: all
Project-URL: Source, https://source.example/spam
Classifier: Programming Language :: Python
Description-Content-Type: text/markdown

# Spam

Long.
"""


def _but_its_name(headers: dict[str, str]) -> dict[str, str]:
    """Each request has a name of its own, unless its page lay on the shelf."""
    return {name: value for name, value in headers.items() if name != "x-request-id"}


def _filled(index: InProcess) -> bytes:
    body = zip_bytes(wheel_parts(metadata=METADATA))
    assert index.upload(WHEEL, body).status == 200
    return body


def _private(index: InProcess, project: str, *, private: bool = True) -> None:
    with index.parts.database.write("system") as writing:
        writing.connection.execute(
            update(tables.project).where(tables.project.c.name == project).values(private=private)
        )
        writing.changed(1, "private", project=project)


# ------------------------------------------------------------------------------------------------- validators


@pytest.mark.parametrize("path", ["/simple/", "/simple/spam/"])
def test_each_form_and_packing_has_a_strong_etag_of_its_own_and_304_for_it_alone(
    index: InProcess, path: str
) -> None:
    for number in range(9):  # so that pages are worth packing
        version = f"1.{number}"
        index.upload(f"spam-{version}-py3-none-any.whl", zip_bytes(wheel_parts(version=version)))
        name = f"name-{number}-that-fills-the-list"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"
        parts = wheel_parts(name=name.replace("-", "_"), version="1", metadata=metadata)
        index.upload(f"{name.replace('-', '_')}-1-py3-none-any.whl", zip_bytes(parts))
    found: dict[str, bytes] = {}
    plain: dict[str, bytes] = {}
    for _ in ("made", "from the shelf"):
        for accept in (JSON, HTML, "text/html"):
            for packing in ("identity", "gzip", "zstd"):
                answer = index.get(path, accept=accept, accept_encoding=packing)
                assert answer.headers["etag"].startswith('"')
                assert answer.headers["vary"] == "Accept, Accept-Encoding"
                assert answer.headers.get("content-encoding", "identity") == packing
                assert int(answer.headers["content-length"]) == len(answer.body)
                assert found.setdefault(answer.headers["etag"], answer.body) == answer.body
                body = answer.body
                if packing == "gzip":
                    body = gzip.decompress(body)
                elif packing == "zstd":
                    body = zstandard.decompress(body)
                assert plain.setdefault(accept, body) == body
                etag = answer.headers["etag"]
                again = index.get(path, accept=accept, accept_encoding=packing, if_none_match=f'"x", {etag}')
                assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
                assert again.headers["cache-control"] == answer.headers["cache-control"]
                assert "content-length" not in again.headers
                head = index.request(
                    "HEAD", path, {"accept": accept, "accept-encoding": packing, "host": "index.example"}
                )
                assert (head.status, head.body) == (200, b"")
                assert _but_its_name(head.headers) == _but_its_name(answer.headers)
    assert len(found) == 9


@pytest.mark.parametrize(
    ("accept_encoding", "chosen"),
    [
        (None, None),
        ("", None),
        ("br", None),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("zstd;q=0, gzip", "gzip"),
        ("*", "zstd"),
        ("*, zstd;q=0", "gzip"),
        ("gzip;q=0, *;q=0", None),
        ("gzip;q=junk", None),
        ("identity", None),
    ],
)
def test_the_packing_is_one_the_client_takes(
    index: InProcess, accept_encoding: str | None, chosen: str | None
) -> None:
    _filled(index)
    headers = {"accept": JSON} | ({} if accept_encoding is None else {"accept-encoding": accept_encoding})
    for _ in ("made", "from the shelf"):
        answer = index.request("GET", "/simple/spam/", headers)
        assert answer.headers.get("content-encoding") == chosen


def test_pages_may_be_kept_for_minutes_and_say_the_serial_they_are_of(index: InProcess) -> None:
    _filled(index)
    serial = str(index.parts.database.serial())
    for path, age in (("/simple/", 60), ("/simple/spam/", 600), ("/pypi/spam/json", None)):
        answer = index.get(path, accept=JSON)
        assert answer.headers["x-pypi-last-serial"] == serial
        if age is not None:
            assert answer.headers["cache-control"] == f"max-age={age}, public"


def test_pages_of_private_indexes_and_projects_are_for_their_readers_and_never_on_the_shelf(
    index: InProcess,
) -> None:
    _filled(index)
    index.get("/simple/spam/", accept=JSON)
    with index.parts.database.write("system") as writing:
        writing.connection.execute(update(tables.index).values(public=False))
        writing.changed(1, "index", public=False)
    paths = (
        "/simple/",
        "/simple/spam/",
        "/pypi/spam/json",
        "/rss/updates.xml",
        f"/files/spam/{WHEEL}",
        "/changes",
    )
    for path in paths:
        for _ in ("made", "again"):
            assert index.get(path, accept=JSON).status == 401, path
            answer = index.request("GET", path, {"accept": "*/*", **basic(index.token)})
            assert answer.status == 200, path
            assert "private" in answer.headers["cache-control"], path
            assert "access-control-allow-origin" not in answer.headers, path


def test_a_private_project_is_on_no_list_of_an_index_everybody_reads(index: InProcess) -> None:
    _filled(index)
    assert [project["name"] for project in index.get("/simple/", accept=JSON).json()["projects"]] == ["Spam"]
    _private(index, "spam")
    assert index.get("/simple/", accept=JSON).json()["projects"] == []
    for path in ("/rss/packages.xml", "/rss/updates.xml"):
        assert "spam" not in index.get(path).text.lower()


# ------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=5-", 5, None),
        ("bytes=-7", -7, None),
        ("bytes=-999999999", 0, None),
        ("BYTES=0-0", 0, 1),
        ("bytes=10-99999999999", 10, None),
    ],
)
def test_a_single_range_of_a_file_is_answered_with_206(
    index: InProcess, asked: str, start: int, stop: int | None
) -> None:
    body = _filled(index)
    answer = index.get(f"/files/spam/{WHEEL}", range=asked)
    expected = body[start:stop]
    assert (answer.status, answer.body) == (206, expected)
    first = start if start >= 0 else len(body) + start
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(expected) - 1}/{len(body)}"
    assert answer.headers["content-length"] == str(len(expected))


@pytest.mark.parametrize(
    "asked",
    ["bytes=0-1,3-4", "bytes=9-2", "bytes=", "bytes=-", "lines=1-2", "bytes=a-b", "bytes=1-" + "9" * 5000],
)
def test_what_is_no_single_range_is_answered_with_the_whole(index: InProcess, asked: str) -> None:
    body = _filled(index)
    answer = index.get(f"/files/spam/{WHEEL}", range=asked)
    assert (answer.status, answer.body) == (200, body)


@pytest.mark.parametrize("asked", ["bytes=999999999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_416_with_the_size(index: InProcess, asked: str) -> None:
    body = _filled(index)
    answer = index.get(f"/files/spam/{WHEEL}", range=asked)
    assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{len(body)}")


def test_if_range_gives_the_part_of_the_same_file_and_the_whole_of_another(index: InProcess) -> None:
    body = _filled(index)
    etag = f'"{hashlib.sha256(body).hexdigest()}"'
    path = f"/files/spam/{WHEEL}"
    assert index.get(path, range="bytes=0-3", if_range=etag).status == 206
    for other in ('"other"', f"W/{etag}", "Thu, 26 Nov 2026 17:28:21 GMT"):
        answer = index.get(path, range="bytes=0-3", if_range=other)
        assert (answer.status, answer.body) == (200, body)


def test_head_of_a_file_has_its_size_and_no_body(index: InProcess) -> None:
    body = _filled(index)
    answer = index.request("HEAD", f"/files/spam/{WHEEL}", {"range": "bytes=0-3"})
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", str(len(body)))
    assert answer.headers["accept-ranges"] == "bytes"


def test_files_are_known_by_their_digest_and_kept_for_ever(index: InProcess) -> None:
    body = _filled(index)
    for path in (f"/files/spam/{WHEEL}", f"/main/files/spam/{WHEEL}", f"/packages/main/spam/{WHEEL}"):
        answer = index.get(path)
        assert answer.body == body
        assert answer.headers["etag"] == f'"{hashlib.sha256(body).hexdigest()}"'
        assert answer.headers["cache-control"] == "max-age=31536000, immutable, public, s-maxage=600"
        assert index.get(path, if_none_match=answer.headers["etag"]).status == 304


def test_a_private_file_cannot_be_had_through_the_path_of_a_project_that_is_not(index: InProcess) -> None:
    _filled(index)
    metadata = "Metadata-Version: 2.1\nName: secret\nVersion: 1.0\n"
    secret = "secret-1.0-py3-none-any.whl"
    index.upload(secret, zip_bytes(wheel_parts(name="secret", metadata=metadata)))
    assert index.get(f"/files/secret/{secret}").status == 200
    for path in (
        f"/files/spam/{secret}",
        f"/packages/main/spam/{secret}",
        f"/integrity/spam/1.0/{secret}/provenance",
    ):
        assert index.get(path).status == 404


# ------------------------------------------------------------------------------------------------- visitors


def test_pages_of_other_origins_may_read_here_and_only_read(index: InProcess) -> None:
    _filled(index)
    for path in (
        "/simple/",
        "/simple/spam/",
        "/pypi/spam/json",
        f"/files/spam/{WHEEL}",
        "/changes",
        "/openapi.json",
    ):
        asked = {"origin": "https://page.example", "access-control-request-method": "GET"}
        preflight = index.request("OPTIONS", path, asked)
        assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (204, "*")
        assert "POST" not in preflight.headers["access-control-allow-methods"]
        assert "access-control-allow-credentials" not in preflight.headers
        answer = index.get(path, origin="https://page.example")
        assert answer.headers["access-control-allow-origin"] == "*"
    for path in ("/legacy/", "/main/legacy/", "/api/simple/", "/", "/simpler"):
        assert not is_read(path)
        assert index.request("OPTIONS", path).status in (404, 405)


def test_search_engines_are_kept_from_what_is_for_machines(index: InProcess) -> None:
    answer = index.get("/robots.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "Disallow: /simple/" in answer.text
    assert "Disallow: /\n" not in answer.text


def test_our_own_json_is_described_and_each_described_path_is_there(index: InProcess) -> None:
    _filled(index)
    document = index.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["responses"]
        real = path.replace("{project}", "spam").replace("{version}", "1.0")
        if "get" in methods and "{" not in real:
            assert index.get(real).status in (200, 401, 403), path
    assert {"/changes", "/pypi/{project}/json"} <= set(document["paths"])


# ------------------------------------------------------------------------------------------------- legacy JSON


def test_the_json_of_a_project_says_what_its_files_say(index: InProcess) -> None:
    body = _filled(index)
    sdist = [
        TarPart("spam-2.0a1/PKG-INFO", b"Metadata-Version: 2.2\nName: spam\nVersion: 2.0a1\n"),
        TarPart("spam-2.0a1/pyproject.toml", b"[project]\nname = 'spam'\nversion = '2.0a1'\n"),
    ]
    index.upload("spam-2.0a1.tar.gz", sdist_bytes(sdist, name="spam-2.0a1"))
    answer = index.get("/pypi/spam/json")
    document = answer.json()
    assert document["last_serial"] == index.parts.database.serial()
    assert document["vulnerabilities"] == []
    info = document["info"]
    assert (info["name"], info["version"], info["summary"]) == ("Spam", "1.0", "<b>Eggs</b> & ham")
    assert info["requires_dist"] == ["eggs>=1", 'ham; extra == "all"']
    assert info["project_urls"] == {"Source": "https://source.example/spam"}
    assert info["classifiers"] == ["Programming Language :: Python"]
    assert info["description"].strip().startswith("# Spam")
    assert (info["yanked"], info["yanked_reason"]) == (False, None)
    assert list(document["releases"]) == ["1.0", "2.0a1"]
    [url] = document["urls"]
    assert url["digests"]["sha256"] == hashlib.sha256(body).hexdigest()
    assert (url["packagetype"], url["python_version"], url["size"]) == ("bdist_wheel", "py3", len(body))
    assert url["upload_time_iso_8601"].endswith("Z")
    assert url["url"] == f"http://index.example/packages/main/spam/{WHEEL}"
    assert index.get(url["url"].removeprefix("http://index.example")).body == body
    one = index.get("/pypi/spam/2.0a1/json").json()
    assert (one["info"]["version"], one["urls"][0]["packagetype"]) == ("2.0a1", "sdist")
    assert "releases" not in one
    assert index.get("/pypi/spam/3/json").json()["code"] == "no-such-release"
    assert index.get("/pypi/eggs/json").status == 404
    assert index.get("/pypi/spam/2.0.A1/json").status == 200


def test_names_that_are_not_normalised_are_sent_on(index: InProcess) -> None:
    _filled(index)
    for path, there in (
        ("/pypi/SPAM/json", "/pypi/spam/json"),
        ("/main/pypi/SPAM/1.0/json", "/main/pypi/spam/1.0/json"),
        ("/rss/project/SPAM/releases.xml", "/rss/project/spam/releases.xml"),
    ):
        answer = index.get(path)
        assert (answer.status, urljoin(path, answer.headers["location"])) == (301, there)


def test_with_a_public_url_its_the_one_in_every_page_and_pages_are_kept(tmp_path: Path) -> None:
    with InProcess.open(str(tmp_path / "data"), public_url="https://packages.example/py/") as index:
        _filled(index)
        first = index.get("/main/pypi/spam/json", host="elsewhere.example")
        assert first.json()["urls"][0]["url"] == f"https://packages.example/py/packages/main/spam/{WHEEL}"
        assert first.headers["cache-control"] == "max-age=600, public"
        assert index.parts.shelf.find("/main/pypi/spam/json") is not None
        assert "<link>https://packages.example/py/</link>" in index.get("/rss/updates.xml").text


def test_a_host_header_reaches_nobody_but_its_sender(index: InProcess) -> None:
    _filled(index)
    for path in ("/pypi/spam/json", "/rss/updates.xml"):
        poisoned = index.get(path, host="evil.example")
        assert poisoned.headers["cache-control"] == "private, no-cache"
        assert "evil.example" not in index.get(path).text


# ------------------------------------------------------------------------------------------------- feeds


@pytest.mark.parametrize("path", ["/rss/packages.xml", "/rss/updates.xml", "/rss/project/spam/releases.xml"])
def test_feeds_are_well_formed_whatever_strangers_write(index: InProcess, path: str) -> None:
    summary = "]]> <script>alert(1)</script> &amp; \x07\x01 \U0001f40d"
    with index.parts.database.write("system") as writing:
        writing.connection.execute(update(tables.index).values(title="A & <B>"))
        writing.changed(1, "index")
    _filled(index)
    with index.parts.database.write("system") as writing:
        writing.connection.execute(update(tables.release).values(summary=summary))
        writing.connection.execute(update(tables.project).values(display='<i>"spam"</i>'))
        writing.changed(1, "index")
    answer = index.get(path)
    assert answer.headers["content-type"] == "application/rss+xml; charset=utf-8"
    tree = ET.fromstring(answer.body)
    [item] = tree.findall("./channel/item")
    assert (item.findtext("link") or "").startswith("http://index.example/project/spam/")
    if path != "/rss/packages.xml":
        assert item.findtext("description") == "]]> <script>alert(1)</script> &amp; \ufffd\ufffd \U0001f40d"
    assert item.findtext("pubDate") == "Mon, 21 Sep 2026 14:13:20 GMT"


def test_feeds_tell_the_newest_first_and_are_new_after_each_change(index: InProcess) -> None:
    for version in ("1.0", "1.1"):
        index.upload(f"spam-{version}-py3-none-any.whl", zip_bytes(wheel_parts(version=version)))
        tree = ET.fromstring(index.get("/rss/updates.xml").body)
        assert tree.findtext("./channel/item/title") == f"spam {version}"


# ------------------------------------------------------------------------------------------------- several indexes


def test_an_index_that_builds_on_one_the_sender_may_not_read_shows_nothing_of_it(index: InProcess) -> None:
    _filled(index)
    with index.parts.database.write("system") as writing:
        connection = writing.connection
        connection.execute(
            insert(tables.index).values(
                name="team", kind="hosted", public=True, settings={}, created=1, serial=0
            )
        )
        connection.execute(insert(tables.index_base).values(index_id=2, position=0, base_id=1))
        writing.changed(2, "create-index")
    paths = ("/team/simple/spam/", f"/team/files/spam/{WHEEL}", "/team/pypi/spam/json")
    assert [index.get(path).status for path in paths] == [200, 200, 200]
    with index.parts.database.write("system") as writing:
        writing.connection.execute(update(tables.index).where(tables.index.c.id == 1).values(public=False))
        writing.changed(1, "index", public=False)
    assert [index.get(path).status for path in paths] == [401, 401, 401]
    answer: Any = index.request("GET", paths[0], {"accept": JSON, **basic(index.token)})
    assert json.loads(answer.body)["name"] == "spam"
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    "target",
    [
        *("/simple/https:evil.example", "/@1/simple/https:evil.example", "/project/https:evil.example"),
        *("/project/spam/https:evil.example", "/stage/x/simple/https:evil.example"),
        *("/simple/namespace/https:Evil", "/simple/javascript:alert(1)"),
    ],
)
def test_what_stands_before_a_colon_in_a_path_is_no_way_to_another_server(
    index: InProcess, target: str
) -> None:
    reply = index.get(target)
    assert reply.status == 301
    assert reply.headers["location"].startswith("./")
    assert urljoin(f"http://index.example{target}", reply.headers["location"]).startswith(
        "http://index.example/"
    )


def test_what_strangers_send_as_headers_is_not_kept(index: InProcess) -> None:
    index.upload(WHEEL, zip_bytes(wheel_parts()))
    short, long = "text/html", "text/html, " + ", ".join(f"a/b{number}" for number in range(200))
    for number in range(5):
        for accept in (short, f"{long}{number}"):
            reply = index.get("/simple/spam/", accept=accept, accept_encoding=f"gzip, {accept}")
            assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for cached in (answers._form, answers._packings, answers._format):
        cached.cache_clear()
    for number in range(5):
        index.get(
            f"/simple/spam/?format={long}{number}",
            accept=f"{long}{number}",
            accept_encoding=f"{long}{number}",
        )
    assert [one.cache_info().currsize for one in (answers._form, answers._packings, answers._format)] == [
        0,
        0,
        0,
    ]
