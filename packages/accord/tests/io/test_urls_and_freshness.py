"""URLs taken apart and hidden, proxies chosen, and how long an answer holds."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.io.freshness import IMMUTABLE_SECONDS, UNSAID_SECONDS, expires_at
from accord.io.http.proxies import proxy_for
from accord.io.urls import file_url, last_component, path_of, redact, redact_all, split, without_credentials
from accord_core.errors import UsageError

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("url", "origin", "target", "auth"),
    [
        ("https://index.example", ("https", "index.example", 443), "/", None),
        ("HTTP://Index.Example:8080/simple/?q=1#x", ("http", "index.example", 8080), "/simple/?q=1", None),
        ("https://me:p%40ss@index.example/a", ("https", "index.example", 443), "/a", ("me", "p@ss")),
        ("https://a@b:c@index.example/", ("https", "index.example", 443), "/", ("a@b", "c")),
        ("http://[::1]:80/x", ("http", "::1", 80), "/x", None),
        ("http://index.example?q", ("http", "index.example", 80), "/?q", None),
        ("http://bücher.example/ü", ("http", "xn--bcher-kva.example", 80), "/%C3%BC", None),
    ],
)
def test_urls_are_taken_apart(
    url: str, origin: tuple[str, str, int], target: str, auth: tuple[str, str] | None
) -> None:
    found = split(url)
    assert (found.origin, found.target, found.auth) == (origin, target, auth)


@pytest.mark.parametrize(
    "url",
    [
        "index.example",
        "ftp://x/",
        "http://",
        "http://:80/",
        "http://x:y/",
        "http://x:0/",
        "http://x:65536/",
        "http://[::1/",
        "http://a b/",
        "http://x/\r\nA: b",
    ],
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        split(url)
    assert caught.value.code == "url-invalid"


_WORD = st.text(alphabet="abc.-_~%41", min_size=1, max_size=6)


@given(
    user=_WORD, password=st.text(alphabet="ab:@%40", max_size=6), path=st.text(alphabet="a/@?#:", max_size=8)
)
def test_no_part_of_the_userinfo_survives_redaction(user: str, password: str, path: str) -> None:
    url = f"https://USER{user}:SECRET{password}@index.example/{path}"
    assert "SECRET" not in redact(url)
    assert "USER" not in redact(url)
    assert urlsplit(without_credentials(url)).netloc == "index.example"
    assert without_credentials(url).endswith("/" + path)


@given(st.text(alphabet="ab/ %?#+äÖ~!", min_size=1, max_size=12))
def test_a_path_survives_being_a_url(tail: str) -> None:
    path = "/" + tail.lstrip("/")
    assert path_of(file_url(path)) == path


def test_file_urls_of_other_hosts_are_refused() -> None:
    assert path_of("file://localhost/srv/simple") == "/srv/simple"
    with pytest.raises(UsageError):
        path_of("file://fileserver/share")


def test_the_last_component_is_decoded() -> None:
    assert last_component("https://h/a/spam%2B1.whl?x=/y#/z") == "spam+1.whl"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, UNSAID_SECONDS),
        ({"cache-control": "max-age=600"}, 600),
        ({"cache-control": "public, Max-Age=600", "age": "100"}, 500),
        ({"cache-control": 'max-age="600"'}, 600),
        ({"cache-control": "s-maxage=10, max-age=600"}, 600),
        ({"cache-control": "max-age=600", "expires": "Mon, 23 Nov 1998 00:00:00 GMT"}, 600),
        ({"cache-control": "immutable"}, IMMUTABLE_SECONDS),
        ({"cache-control": "max-age=99999999999"}, IMMUTABLE_SECONDS),
        ({"cache-control": "private"}, UNSAID_SECONDS),
        ({"expires": "Mon, 23 Nov 2026 07:00:00 GMT", "date": "Mon, 23 Nov 2026 06:00:00 GMT"}, 3600),
    ],
)
def test_an_answer_is_fresh_as_long_as_its_headers_say(headers: dict[str, str], seconds: float) -> None:
    assert expires_at(headers, NOW) == NOW + seconds


@pytest.mark.parametrize(
    "headers",
    [
        {"cache-control": "no-store"},
        {"cache-control": "no-cache, max-age=600"},
        {"cache-control": "max-age=0"},
        {"cache-control": "max-age=600", "age": "600"},
        {"cache-control": "max-age=soon"},
        {"cache-control": "max-age=-5"},
        {"expires": "0"},
        {"expires": "Mon, 23 Nov 1998 00:00:00 GMT"},
    ],
)
def test_an_answer_that_may_not_be_used_again_expires_at_once(headers: dict[str, str]) -> None:
    assert expires_at(headers, NOW) == 0.0


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("accord sync", "accord sync"),
        ("accord lock --index-url http://me:pw@h/s", "accord lock --index-url http://****@h/s"),
        ("--index=corp=https://me:pw@h:8/s x", "--index=corp=https://****@h:8/s x"),
        ("'a @ git+https://token@h/r.git@main'", "'a @ git+https://****@h/r.git@main'"),
        ("git+ssh://git@h/r.git@v1", "git+ssh://git@h/r.git@v1"),
        ("git+ssh://git:pw@h/r.git", "git+ssh://****@h/r.git"),
        ("http://a:b@h http://c:d@h", "http://****@h http://****@h"),
        ("http://a:p@ss@h/", "http://****@h/"),
        (
            "put them in the URL: http://user:password@proxy:port",
            "put them in the URL: http://user:password@proxy:port",
        ),
        ("https://h/@scope/x mail me@h", "https://h/@scope/x mail me@h"),
    ],
)
def test_a_command_line_is_shown_without_passwords(line: str, shown: str) -> None:
    assert redact_all(line) == shown


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("http://index.example/", {}, None),
        ("http://index.example/", {"http_proxy": "http://p:3128"}, "p"),
        ("http://index.example/", {"HTTP_PROXY": "http://p:3128"}, "p"),
        ("http://index.example/", {"http_proxy": "http://a:1", "HTTP_PROXY": "http://b:1"}, "a"),
        ("http://index.example/", {"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, None),
        ("https://index.example/", {"http_proxy": "http://p:1"}, None),
        ("https://index.example/", {"all_proxy": "p:1"}, "p"),
        ("http://index.example/", {"http_proxy": "http://p:1", "no_proxy": "*"}, None),
        (
            "http://index.example/",
            {"http_proxy": "http://p:1", "no_proxy": "other.example, index.example"},
            None,
        ),
        ("http://index.example/", {"http_proxy": "http://p:1", "NO_PROXY": ".example"}, None),
        ("http://index.example/", {"http_proxy": "http://p:1", "no_proxy": "*.example"}, None),
        ("http://notexample/", {"http_proxy": "http://p:1", "no_proxy": "example"}, "p"),
        ("http://index.example:8080/", {"http_proxy": "http://p:1", "no_proxy": "index.example:80"}, "p"),
        ("http://index.example:8080/", {"http_proxy": "http://p:1", "no_proxy": "example:8080"}, None),
        ("http://10.1.2.3/", {"http_proxy": "http://p:1", "no_proxy": "10.0.0.0/8"}, None),
        ("http://11.1.2.3/", {"http_proxy": "http://p:1", "no_proxy": "10.0.0.0/8"}, "p"),
        ("http://127.0.0.1:8080/", {"http_proxy": "http://p:1", "no_proxy": "127.0.0.1"}, None),
        ("http://127.0.0.1:8080/", {"http_proxy": "http://p:1", "no_proxy": "127.0.0.1:8080"}, None),
        ("http://127.0.0.1:8080/", {"http_proxy": "http://p:1", "no_proxy": "127.0.0.1:81"}, "p"),
        ("http://[::1]:8080/", {"http_proxy": "http://p:1", "no_proxy": "::1"}, None),
        ("http://[::1]:8080/", {"http_proxy": "http://p:1", "no_proxy": "[::1]"}, None),
        ("http://[::1]:8080/", {"http_proxy": "http://p:1", "no_proxy": "[::1]:8080"}, None),
        ("http://[::1]:8080/", {"http_proxy": "http://p:1", "no_proxy": "[::1]:81"}, "p"),
        ("http://[2001:db8::5]/", {"http_proxy": "http://p:1", "no_proxy": "[2001:db8::]/32"}, None),
        ("http://[2001:db9::5]/", {"http_proxy": "http://p:1", "no_proxy": "2001:db8::/32"}, "p"),
    ],
)
def test_the_proxy_is_the_one_the_variables_name(
    url: str, environ: dict[str, str], proxy: str | None
) -> None:
    found = proxy_for(split(url), environ)
    assert (found.host if found else None) == proxy
