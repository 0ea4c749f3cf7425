"""The pages anybody reads: what they say, where they lead, and what no page ever does."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from sqlalchemy import update

from accord.server.catalogue import access, indexes
from accord.server.database import tables
from accord.server.limits import Limits
from accord.server.web import render
from accord.testing.archives import sdist_bytes, wheel_parts, zip_bytes
from accord.testing.browsing import Browser, resolved
from accord.testing.serving import InProcess

README = "# Spam\n\nA <script>alert(1)</script> *tin*.\n"


def publish(
    index: InProcess, name: str = "spam", version: str = "1.0", *, code: bytes = b"value = 1\n", **fields: str
) -> None:
    lines = "".join(f"{key.replace('_', '-')}: {value}\n" for key, value in fields.items())
    metadata = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: All of {name}\n{lines}"
        f"Description-Content-Type: text/markdown\n\n{README}"
    )
    wheel = zip_bytes(
        wheel_parts(
            {f"{name}/__init__.py": code, f"{name}/sub/deep.txt": b"x"},
            name=name,
            version=version,
            metadata=metadata,
        )
    )
    reply = index.upload(f"{name}-{version}-py3-none-any.whl", wheel)
    assert reply.status == 200, reply.text


def test_a_projects_page_says_what_it_is_and_how_each_tool_installs_it(index: InProcess) -> None:
    publish(
        index,
        Requires_Python=">=3.9",
        License_Expression="MIT",
        Project_URL="Homepage, https://spam.example/",
    )
    page = Browser(index).get("/project/spam/")
    assert page.status == 200
    assert "<em>tin</em>" in page.text
    assert "<script>alert" not in page.text
    for text in ("All of spam", "&gt;=3.9", "MIT", 'href="https://spam.example/"'):
        assert text in page.text, text
    for line in (
        "python -m pip install --index-url http://index.example/simple/ spam",
        "uv add --index http://index.example/simple/ spam",
        "accord add --index-url http://index.example/simple/ spam",
        "poetry add --source main spam",
        "pdm add spam",
    ):
        assert line in page.text, line


def test_an_older_version_is_installed_by_its_number_and_says_that_there_is_a_newer_one(
    index: InProcess,
) -> None:
    publish(index)
    publish(index, version="2.0")
    page = Browser(index).get("/project/spam/1.0/").text
    assert "spam==1.0" in page
    assert "There is another version" in page
    assert "spam==" not in Browser(index).get("/project/spam/").text


def test_other_ways_to_write_a_name_or_a_version_lead_to_the_one_page(index: InProcess) -> None:
    publish(index)
    reader = Browser(index)
    for target, end in (
        ("/project/SPAM/", "/project/spam/"),
        ("/project/Spam/1.00/", "/project/spam/1.0/"),
        ("/project/Spam/v1.0/files/", "/project/spam/1.0/files/"),
        ("/main/project/Spam/releases/", "/main/project/spam/releases/"),
        ("/project/spam", "/project/spam/"),
        ("/main", "/main/"),
    ):
        reply = reader.get(target)
        assert reply.status == 301, target
        if "v1.0" in target or "1.00" in target:
            continue
        last = reader.follow(target)
        assert last.status == 200
        assert reader.at == end


def test_every_link_of_every_page_leads_somewhere(index: InProcess) -> None:
    """From the root and below an index's name, which are different numbers of steps up."""
    publish(index, Requires_Dist="eggs")
    publish(index, "eggs")
    publish(index, version="2.0", Keywords="tin can")
    index.upload("spam-2.0.tar.gz", sdist_bytes(name="spam-2.0"))
    reader = Browser(index)
    for start in ("/", "/main/"):
        seen, waiting = set(), [start]
        while waiting:
            target = waiting.pop().partition("#")[0]
            if target in seen or "/files/spam/" in target or "/files/eggs/" in target:
                continue
            seen.add(target)
            reply = reader.follow(target)
            assert reply.status == 200, f"{target}: {reply.status}"
            if "text/html" in reply.headers["content-type"] and not target.startswith(
                ("/simple", "/main/simple")
            ):
                waiting += [
                    resolved(reader.at, link.replace("&amp;", "&"))
                    for link in re.findall(r'(?:href|src|action)="([^"]*)"', reply.text)
                    if not link.startswith(("http", "#", "mailto")) and "logout" not in link
                ]
        assert len(seen) > 15


def test_releases_files_and_yanks_are_said_plainly(index: InProcess) -> None:
    publish(index)
    publish(index, version="2.0rc1")
    with index.parts.database.write("system") as writing:
        writing.connection.execute(
            update(tables.file)
            .where(tables.file.c.filename.contains("1.0-py"))
            .values(yanked=True, yank_reason="eats <b>data</b>")
        )
        writing.changed(
            indexes.index_named(writing.connection, "main").id, "yank", project="spam", version="1.0"
        )
    reader = Browser(index)
    for target in ("/project/spam/1.0/", "/project/spam/releases/", "/project/spam/1.0/files/"):
        assert "eats &lt;b&gt;data&lt;/b&gt;" in reader.get(target).text, target
    assert ">2.0rc1</span>" in reader.get("/project/spam/").text  # what is yanked is not offered


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("archived", "takes no new releases"),
        ("deprecated", "advise against"),
        ("quarantined", "in quarantine"),
    ],
)
def test_a_status_and_its_reason_stand_on_the_page(index: InProcess, status: str, words: str) -> None:
    publish(index)
    with index.parts.database.write("system") as writing:
        writing.connection.execute(
            update(tables.project).values(status=status, status_reason="see <i>eggs</i>")
        )
        writing.changed(indexes.index_named(writing.connection, "main").id, "status", project="spam")
    page = Browser(index).get("/project/spam/").text
    assert words in page
    assert "see &lt;i&gt;eggs&lt;/i&gt;" in page


def test_dependencies_are_shown_both_ways(index: InProcess) -> None:
    publish(index, Requires_Dist="eggs>=1; extra == 'dev'")
    publish(index, "eggs", Requires_Dist="nowhere")
    reader = Browser(index)
    needs = reader.get("/project/spam/1.0/dependencies/").text
    assert "<code>dev</code>" in needs
    assert 'project/eggs/">eggs' in needs
    assert "not in this index" in reader.get("/project/eggs/1.0/dependencies/").text
    assert 'project/spam/">spam' in reader.get("/project/eggs/used-by/").text


def test_a_file_is_looked_into_without_unpacking_it(index: InProcess) -> None:
    publish(index)
    index.upload("spam-1.0.tar.gz", sdist_bytes())
    reader = Browser(index)
    for filename, inner in (("spam-1.0-py3-none-any.whl", "deep.txt"), ("spam-1.0.tar.gz", "PKG-INFO")):
        for _ in range(2):  # made, and from the cache
            page = reader.get(f"/project/spam/1.0/files/{filename}")
            assert page.status == 200
            assert inner in page.text


def test_a_file_too_large_or_of_too_many_members_is_not_looked_into(
    index: InProcess, tmp_path_factory: pytest.TempPathFactory
) -> None:
    publish(index)
    size = len(index.get("/files/spam/spam-1.0-py3-none-any.whl").body)
    for limits, status in (
        (Limits(browse_bytes=size), 200),
        (Limits(browse_bytes=size - 1), 413),
        (Limits(browse_files=5), 200),
        (Limits(browse_files=4), 413),
    ):
        with InProcess.open(str(tmp_path_factory.mktemp("data")), limits=limits) as other:
            publish(other)
            assert Browser(other).get("/project/spam/1.0/files/spam-1.0-py3-none-any.whl").status == status


def test_what_changed_shows_metadata_files_and_lines(index: InProcess) -> None:
    publish(index)
    publish(index, version="2.0", code=b"value = '<script>'\n", Requires_Python=">=3.9")
    page = Browser(index).get("/project/spam/compare/?old=1.0&new=2.0")
    assert page.status == 200
    assert "Requires-Python" in page.text
    assert '<span class="minus">-value = 1</span>' in page.text
    assert '<span class="plus">+value = &#39;&lt;script&gt;&#39;</span>' in page.text
    assert Browser(index).get("/project/spam/compare/").status == 200
    for query, status in (
        ("?old=1.0&new=1.0", 200),
        ("?old=9&new=1.0", 404),
        ("?old=1.0&new=2.0&kind=sdist", 404),
    ):
        assert Browser(index).get(f"/project/spam/compare/{query}").status == status, query


def test_no_page_has_anything_inline_and_each_has_the_headers_that_forbid_it(index: InProcess) -> None:
    publish(index)
    reader = Browser(index)
    for target in (
        "/",
        "/main/",
        "/search?q=spam",
        "/project/spam/",
        "/project/spam/releases/",
        "/project/spam/1.0/files/",
        "/login",
        "/nothing",
        "/project/none/",
    ):
        page = reader.get(target)
        for name, value in render.SECURITY.items():
            assert page.headers[name] == value, f"{target} {name}"
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]* src=)|javascript:", page.text), (
            target
        )
        assert page.text.startswith("<!doctype html>")
    assert "unsafe" not in render.POLICY


def test_readers_get_no_cookie(index: InProcess) -> None:
    publish(index)
    reader = Browser(index)
    for target in ("/", "/search?q=spam", "/project/spam/", "/project/spam/1.0/files/", "/nothing"):
        assert reader.get(target).cookies == (), target


def test_a_page_that_did_not_change_is_not_sent_again(index: InProcess) -> None:
    publish(index)
    etag = index.get("/project/spam/").headers["etag"]
    assert index.get("/project/spam/", if_none_match=etag).status == 304
    publish(index, version="2.0")
    assert index.get("/project/spam/", if_none_match=etag).status == 200


def test_pages_of_a_server_that_knows_its_address_lie_on_the_shelf_and_are_true(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = str(tmp_path_factory.mktemp("data"))
    with InProcess.open(folder, public_url="https://index.example") as index:
        publish(index)
        for target in (
            "/",
            "/project/spam/",
            "/project/spam/1.0/",
            "/project/spam/releases/",
            "/project/spam/1.0/files/",
        ):
            first = index.get(target, accept="text/html")
            assert index.parts.shelf.find(target) is not None, target
            again = index.get(target, accept="text/html")
            assert again.body == first.body
            assert again.headers["cache-control"] == "max-age=60, public"
            assert again.headers["content-security-policy"] == render.POLICY
        publish(index, version="2.0")
        assert "2.0" in index.get("/", accept="text/html").text
        assert "2.0" in index.get("/project/spam/", accept="text/html").text


def test_a_page_of_a_server_that_does_not_know_its_address_is_kept_for_nobody(index: InProcess) -> None:
    """Else whoever asks first, with a Host of his choosing, writes what all others are told to install from."""
    publish(index)
    index.get("/project/spam/", host="evil.example", accept="text/html")
    page = index.get("/project/spam/", host="index.example", accept="text/html").text
    assert "evil.example" not in page
    assert index.parts.shelf.find("/project/spam/") is None


def test_a_private_index_and_a_private_project_look_like_nothing_to_strangers(index: InProcess) -> None:
    publish(index)
    with index.parts.database.write("system") as writing:
        indexes.add_index(writing, "inner", title="Inner circle", public=False)
        access.set_private(writing, indexes.index_named(writing.connection, "main"), "spam", private=True)
    reader = Browser(index)
    assert "inner" not in reader.get("/").text
    assert "spam" not in reader.get("/").text.replace("spam/", "")
    inner, nothing = reader.get("/inner/"), reader.get("/nothing/")
    assert inner.status == nothing.status == 401
    assert inner.text.replace("inner", "nothing") == nothing.text
    for tail in (
        "",
        "releases/",
        "1.0/",
        "1.0/files/",
        "1.0/files/spam-1.0-py3-none-any.whl",
        "compare/",
        "used-by/",
    ):
        assert reader.get(f"/project/spam/{tail}").status == reader.get(f"/project/none/{tail}").status == 404


@pytest.mark.parametrize(
    "target",
    [
        "/project/../../etc/passwd",
        "/project/%2e%2e/",
        "/project/spam/%2e%2e%2f%2e%2e/",
        "/project/spam/1.0/files/..%2f..%2fetc%2fpasswd",
        "/project/spam/1.0/files/%00",
        "/project/%00/",
        "/project/" + "a" * 3000 + "/",
        "/project/spam/" + "9" * 3000 + "/",
        "/project/%ff/",
        "/project/ -/",
        "/project/-/",
        "/project/💩/",
        "/static/..%2frender.py",
        "/static/../render.py",
        "/static/accord.css",
        "/%2f%2fevil.example/",
        "//evil.example/",
        "/project/spam/1.0/files/",
        "/search?q=%00",
        "/search?q=a&page=-1",
        "/search?q=a&page=99999999999999",
        "/search?q=a&page=%F0%9F%92%A9",
        "/login?next=//evil.example",
        "/project/spam/compare/?old=%00&new=../",
    ],
)
def test_tricks_with_paths_are_answered_calmly(index: InProcess, target: str) -> None:
    publish(index)
    reply = Browser(index).get(quote(target, safe="/%?=&"))
    assert reply.status < 500
    assert "root:" not in reply.text
    location = reply.headers.get("location", "")
    assert not location.startswith(("//", "http")), location


def test_a_fault_is_a_page_for_people_and_a_problem_for_tools(index: InProcess) -> None:
    page = index.get("/project/none/", accept="text/html")
    assert page.status == 404
    assert "no-such-project" in page.text
    assert 'name="q"' in page.text
    assert "www-authenticate" not in index.get("/none/", accept="text/html").headers
    assert index.get("/project/none/").json()["code"] == "no-such-project"
    for target in ("/simple/none/", "/files/none/none", "/api/none"):
        reply = index.get(target, accept="text/html")
        assert reply.headers["content-type"] == "application/problem+json", target


def test_a_missing_blob_leaves_the_rest_of_the_page(index: InProcess) -> None:
    publish(index)
    for digest in list(index.parts.storage.digests()):
        index.parts.storage.delete(digest)
    assert Browser(index).get("/project/spam/").status == 200
    reply = Browser(index).get("/project/spam/1.0/files/spam-1.0-py3-none-any.whl")
    assert reply.status in (422, 500)


def test_a_project_with_many_releases_stands_once_among_the_new(index: InProcess) -> None:
    for name, version in (("quiet", "1.0"), *(("loud", f"1.{number}") for number in range(20))):
        parts = wheel_parts(name=name, version=version)
        assert index.upload(f"{name}-{version}-py3-none-any.whl", zip_bytes(parts)).status == 200
    page = index.get("/").text
    assert page.count("project/loud/") == 1
    assert "1.19" in page
    assert "project/quiet/" in page
