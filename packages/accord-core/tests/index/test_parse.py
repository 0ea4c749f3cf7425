"""Pages of the Simple API, JSON and HTML, honest and odd."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accord_core.errors import RepositoryError
from accord_core.index.html import anchors
from accord_core.index.limits import Limits
from accord_core.index.model import File, Page
from accord_core.index.negotiate import HTML, JSON, choose, form
from accord_core.index.parse import parse_page, parse_projects
from accord_core.index.serialise import html_page, html_projects, json_page, json_projects

URL = "https://index.example/simple/spam/"
SHA = "ab" * 32


def document(*files: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"meta": {"api-version": "1.4"}, "name": "spam", "files": list(files), **more}).encode()


def entry(**more: Any) -> dict[str, Any]:
    return {
        "filename": "spam-1.0.tar.gz",
        "url": "https://files.example/spam-1.0.tar.gz",
        "hashes": {"sha256": SHA},
        **more,
    }


def one(*, body: bytes, content_type: str = JSON, url: str = URL) -> File:
    page = parse_page(body, content_type, url)
    assert len(page.files) == 1
    return page.files[0]


def html(inside: str, head: str = "") -> bytes:
    return f"<!DOCTYPE html><html><head>{head}</head><body>{inside}</body></html>".encode()


def code_of(body: bytes, content_type: str = JSON, limits: Limits | None = None) -> str:
    with pytest.raises(RepositoryError) as caught:
        parse_page(body, content_type, URL, limits=limits or Limits())
    return caught.value.code


# ---------------------------------------------------------------- JSON


def test_every_field_of_a_file_is_read() -> None:
    file = one(
        body=document(
            entry(
                **{
                    "requires-python": ">=3.9",
                    "yanked": "broken",
                    "size": 12,
                    "upload-time": "2026-11-23T06:25:28.123456Z",
                    "core-metadata": {"sha256": SHA.upper()},
                    "gpg-sig": True,
                    "provenance": "https://files.example/spam-1.0.tar.gz.provenance",
                    "a-key-of-the-future": {"x": 1},
                }
            )
        )
    )
    assert file == File(
        "spam-1.0.tar.gz",
        "https://files.example/spam-1.0.tar.gz",
        {"sha256": SHA},
        ">=3.9",
        True,
        "broken",
        12,
        "2026-11-23T06:25:28.123456Z",
        {"sha256": SHA},
        True,
        "https://files.example/spam-1.0.tar.gz.provenance",
    )


@pytest.mark.parametrize(
    ("value", "yanked", "reason"),
    [(False, False, None), (True, True, None), ("why", True, "why"), ("", False, None)],
)
def test_yanked_is_a_boolean_or_a_reason(value: bool | str, yanked: bool, reason: str | None) -> None:
    file = one(body=document(entry(yanked=value)))
    assert (file.yanked, file.yank_reason) == (yanked, reason)


@pytest.mark.parametrize("key", ["core-metadata", "dist-info-metadata", "data-dist-info-metadata"])
@pytest.mark.parametrize(
    ("value", "read"),
    [(True, True), (False, False), ({"sha256": SHA}, {"sha256": SHA}), ({}, True), ("junk", False)],
)
def test_core_metadata_is_read_in_every_spelling(key: str, value: object, read: object) -> None:
    assert one(body=document(entry(**{key: value}))).core_metadata == read


def test_the_new_spelling_of_core_metadata_wins() -> None:
    """PEP 714: clients SHOULD prefer the renamed key."""
    file = one(body=document(entry(**{"core-metadata": False, "dist-info-metadata": True})))
    assert file.core_metadata is False


def test_project_status_is_read_and_an_unknown_one_is_active() -> None:
    """PEP 792."""
    page = parse_page(document(**{"project-status": {"status": "archived", "reason": "old"}}), JSON, URL)
    assert (page.status, page.status_reason) == ("archived", "old")
    assert parse_page(document(**{"project-status": {"status": "haunted"}}), JSON, URL).status == "active"
    assert parse_page(document(), JSON, URL).status == "active"


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.99"])
def test_minor_versions_are_read(version: str) -> None:
    page = parse_page(document(entry(), meta={"api-version": version}), JSON, URL)
    assert (page.api_version, len(page.files)) == (version, 1)


@pytest.mark.parametrize("version", ["2.0", "0.9", "10.0", "x"])
def test_another_major_version_is_refused(version: str) -> None:
    assert code_of(document(meta={"api-version": version})) == "index-api-version"
    page = html("", f'<meta name="pypi:repository-version" content="{version}">')
    assert code_of(page, "text/html") == "index-api-version"


@pytest.mark.parametrize(
    "url",
    ["../../files/x.whl", "/files/x.whl", "x.whl", "https://files.example/x.whl", "//files.example/x.whl"],
)
@pytest.mark.parametrize("count", [1, 3])
def test_relative_urls_are_resolved(url: str, count: int) -> None:
    from urllib.parse import urljoin

    page = parse_page(document(*[entry(url=url) for _ in range(count)]), JSON, URL)
    assert [file.url for file in page.files] == [urljoin(URL, url)] * count


_SEGMENT = st.text(alphabet="ab.%2f-+~", min_size=1, max_size=5)
_LOCATION = st.builds(
    lambda lead, rest: lead + "/".join(rest),
    st.sampled_from(["", "../", "../../", "/", "./", "//h/", "https://h/", "http://h:8/", "../../../"]),
    st.lists(_SEGMENT, min_size=1, max_size=4),
)


@settings(deadline=None)
@given(st.lists(_LOCATION, min_size=1, max_size=4))
def test_urls_resolve_as_urljoin_says_alone_and_together(urls: list[str]) -> None:
    from urllib.parse import urljoin

    page = parse_page(document(*[entry(url=url) for url in urls]), JSON, URL)
    assert [file.url for file in page.files] == [urljoin(URL, url) for url in urls]


@pytest.mark.parametrize(
    "bad",
    [
        entry(filename="../spam.whl"),
        entry(filename=""),
        entry(filename=7),
        entry(url=None),
        entry(url="file:///etc/passwd"),
        entry(url="javascript:alert(1)"),
        entry(url="http://[broken/"),
        {},
        "text",
        None,
    ],
)
def test_one_unusable_entry_does_not_spoil_a_page(bad: Any) -> None:
    page = parse_page(document(entry(), bad, entry()), JSON, URL)
    assert (len(page.files), page.ignored) == (2, 1)


def test_values_of_the_wrong_type_count_as_absent() -> None:
    odd = {
        "hashes": {"sha256": 1, "md5": "zz"},
        "requires-python": 3,
        "size": "12",
        "upload-time": 5,
        "gpg-sig": "yes",
    }
    file = one(body=document({**entry(), **odd}))
    assert file == File(file.filename, file.url, {})


def test_hashes_are_lower_case_and_only_hexadecimal() -> None:
    file = one(
        body=document(entry(hashes={"SHA256": SHA.upper(), "md5": "not hex", "../x": "00", "sha1": "0A"}))
    )
    assert file.hashes == {"sha256": SHA, "sha1": "0a"}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b'{"files": 3}', b"{}", b"\xff\xfe", b"[" * 100_000]
)
def test_what_is_no_page_is_refused(body: bytes) -> None:
    assert code_of(body) == "index-page-invalid"


def test_limits_at_their_edges() -> None:
    body = document(entry(), entry())
    assert len(parse_page(body, JSON, URL, limits=Limits(files=2, body=len(body))).files) == 2
    assert code_of(body, limits=Limits(files=1)) == "index-page-too-large"
    assert code_of(body, limits=Limits(body=len(body) - 1)) == "index-page-too-large"


@pytest.mark.parametrize(
    ("limit", "field", "value"),
    [
        ("filename", "filename", "a" * 20),
        ("url", "url", "https://h/aaaaaaaaaa"),
        ("requires_python", "requires-python", ">" * 20),
    ],
)
def test_an_entry_beyond_a_limit_is_left_out(limit: str, field: str, value: str) -> None:
    body = document(entry(**{"filename": "a", "url": "https://h/a", field: value}))
    assert len(value) == 20
    for most, kept in ((20, 1), (19, 0)):
        page = parse_page(body, JSON, URL, limits=Limits(**{limit: most}))
        assert (len(page.files), page.ignored) == (kept, 1 - kept)


# ---------------------------------------------------------------- HTML


def test_every_attribute_of_an_anchor_is_read() -> None:
    file = one(
        body=html(
            f'<a href="https://files.example/spam%2D1.0.tar.gz?x=1#sha256={SHA}" data-requires-python="&gt;=3.9"'
            f' data-yanked="a &quot;reason&quot;" data-core-metadata="sha256={SHA}" data-gpg-sig="false"'
            ' data-provenance="/p.json">spam</a>'
        ),
        content_type="text/html; charset=utf-8",
    )
    assert file == File(
        "spam-1.0.tar.gz",
        "https://files.example/spam%2D1.0.tar.gz?x=1",
        {"sha256": SHA},
        ">=3.9",
        True,
        'a "reason"',
        None,
        None,
        {"sha256": SHA},
        False,
        "https://index.example/p.json",
    )


@pytest.mark.parametrize(
    "anchor",
    [
        '<a href="spam-1.0.tar.gz">x</a>',
        "<A HREF='spam-1.0.tar.gz'>x</A>",
        "<a href=spam-1.0.tar.gz>x</a>",
        '<a\n  class=">"\n  href = "spam-1.0.tar.gz" >x</a>',
        '<a data-requires-python=">=3.9" href="spam-1.0.tar.gz">x</a>',
        '<a href="spam-1.0.tar.gz" href="evil.tar.gz">x</a>',
        '<a title=it\'s href="spam-1.0.tar.gz">x</a>',
        '<!-- <a href="evil-1.0.tar.gz">x</a> --><a href="spam-1.0.tar.gz">',
        '<script>"<a href=evil.tar.gz>"</script><a href="spam-1.0.tar.gz">',
        '<abbr href="evil.tar.gz"></abbr><a name="top"></a><a href="spam-1.0.tar.gz"/>',
        '<a href="spam-1.0.tar.gz"></a><!-- never closed <a href="evil.tar.gz">',
    ],
)
def test_anchors_are_found_however_they_are_written(anchor: str) -> None:
    file = one(body=html(anchor), content_type="text/html")
    assert (file.filename, file.url) == ("spam-1.0.tar.gz", URL + "spam-1.0.tar.gz")


def test_the_base_element_moves_relative_links() -> None:
    body = html(
        '<a href="x.tar.gz">', '<base href="https://files.example/a/"><base href="https://evil.example/">'
    )
    assert one(body=body, content_type="text/html").url == "https://files.example/a/x.tar.gz"


@pytest.mark.parametrize(("value", "reason"), [('=""', None), ("", None), ('="why"', "why")])
def test_a_yank_in_html_is_the_attribute_not_its_value(value: str, reason: str | None) -> None:
    """PEP 592: the attribute's presence yanks."""
    file = one(body=html(f"<a href=x.zip data-yanked{value}>"), content_type="text/html")
    assert (file.yanked, file.yank_reason) == (True, reason)


def test_project_status_is_read_from_meta_elements() -> None:
    head = '<meta name="pypi:project-status" content="quarantined"><meta name="pypi:project-status-reason" content="bad">'
    page = parse_page(html("", head), HTML, URL)
    assert (page.name, page.status, page.status_reason) == ("spam", "quarantined", "bad")


def test_a_page_over_the_network_cannot_name_a_file_of_this_machine_and_a_local_one_can() -> None:
    body = html('<a href="file:///etc/spam-1.0.zip">')
    assert parse_page(body, "text/html", URL).files == ()
    assert (
        one(body=body, content_type="text/html", url="file:///srv/simple/spam/index.html").url
        == "file:///etc/spam-1.0.zip"
    )


class _Oracle(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes: dict[str, str | None] = {}
        for name, value in attrs:
            attributes.setdefault(name, value or "")
        if tag == "a" and attributes.get("href"):
            self.found.append(attributes)


_VALUE = st.text(alphabet="ab/.-_#=&;<>' ", max_size=12)
_ATTRIBUTE = st.builds(
    lambda name, value, quote: f" {name}={quote}{value.replace(quote, '')}{quote}",
    st.sampled_from(["href", "data-yanked", "DATA-Requires-Python", "x"]),
    _VALUE,
    st.sampled_from(['"', "'"]),
)
_PIECE = st.one_of(
    st.lists(_ATTRIBUTE, max_size=3).map(lambda attributes: f"<a{''.join(attributes)}>"),
    st.sampled_from(["</a>", "<br/>", "text", "<!-- a <a href='n'> comment -->", "<p class='x'>", "&amp;"]),
)


@settings(deadline=None)
@given(st.lists(_PIECE, max_size=6))
def test_the_standard_parser_finds_the_same_anchors(pieces: list[str]) -> None:
    text = "".join(pieces)
    oracle = _Oracle()
    oracle.feed(text)
    oracle.close()
    assert anchors(text, URL, 100).anchors == oracle.found


@pytest.mark.parametrize(
    "piece",
    [
        "<a ",
        '<a x="',
        "<!--",
        "<script>",
        "<a href='",
        '<a x="y" \'',
        "<",
        "<meta ",
        "=",
        "<a href=x>",
        "<title>",
    ],
)
def test_hostile_pages_are_scanned_in_linear_time(piece: str) -> None:
    import time

    def seconds(count: int) -> float:
        start = time.process_time()
        anchors(piece * count, URL, 10_000_000)
        return time.process_time() - start

    seconds(1000)
    assert seconds(80_000) < 40 * seconds(8_000) + 0.2


# ---------------------------------------------------------------- the ways back and forth

_FILE = st.builds(
    lambda name, requires, yanked, reason, metadata, size, sig: File(
        f"{name}.whl",
        f"https://files.example/a/{name}.whl",
        {"sha256": SHA},
        requires,
        yanked,
        reason if yanked else None,
        size,
        "2026-11-23T06:25:28Z" if size else None,
        metadata,
        sig,
        None,
    ),
    st.text(alphabet="abc019_+!", min_size=1, max_size=8),
    st.sampled_from([None, ">=3.9", "<4,>=3", '>="3"&']),
    st.booleans(),
    st.sampled_from([None, 'a <b> & "c"', "ü"]),
    st.sampled_from([False, True, {"sha256": SHA}]),
    st.sampled_from([None, 0, 10**12]),
    st.sampled_from([None, True, False]),
)
_PAGE = st.builds(
    lambda files, status: Page(
        "spam", tuple(files), status=status[0], status_reason=status[1], api_version="1.4"
    ),
    st.lists(_FILE, max_size=5),
    st.sampled_from(
        [("active", None), ("archived", "a <reason>"), ("quarantined", None), ("deprecated", "x & y")]
    ),
)


@settings(deadline=None)
@given(_PAGE)
def test_a_page_comes_back_from_json_as_it_was(page: Page) -> None:
    assert parse_page(json_page(page), JSON, URL) == page


@settings(deadline=None)
@given(_PAGE)
def test_a_page_comes_back_from_html_without_what_html_cannot_say(page: Page) -> None:
    for file in page.files:
        file.size = file.upload_time = None
    assert parse_page(html_page(page), HTML, URL) == page


def test_lists_of_projects_come_back() -> None:
    names = ("spam", "Eggs.Ham", "ü")
    assert parse_projects(json_projects(names), JSON, URL) == names
    assert parse_projects(html_projects(names), HTML, URL) == names


# ---------------------------------------------------------------- negotiation


@pytest.mark.parametrize(
    ("content_type", "found"),
    [
        ("application/vnd.pypi.simple.v1+json", "json"),
        ("Application/Vnd.PyPI.Simple.V1+JSON; charset=utf-8", "json"),
        ("application/vnd.pypi.simple.v2+json", "json"),
        ("application/json", "json"),
        ("application/vnd.pypi.simple.v1+html", "html"),
        ("text/html;charset=x", "html"),
        ("", "html"),
        ("text/plain", None),
        ("application/zip", None),
    ],
)
def test_content_types_are_told_apart(content_type: str, found: str | None) -> None:
    assert form(content_type) == found


def test_an_unknown_content_type_is_refused() -> None:
    assert code_of(b"login here", "text/plain") == "index-content-type"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "text/html"),
        ("", "text/html"),
        ("*/*", JSON),
        (JSON, JSON),
        ("application/vnd.pypi.simple.latest+json", JSON),
        (f"{JSON};q=0.1, {HTML}", HTML),
        ("text/html;q=0.5, */*;q=0.1", "text/html"),
        (f"{JSON};q=0, */*", HTML),
        ("application/zip", None),
        (f"{JSON};q=junk", None),
    ],
)
def test_the_server_chooses_by_quality(accept: str | None, chosen: str | None) -> None:
    assert choose(accept) == chosen
