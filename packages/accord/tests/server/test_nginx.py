"""The nginx of the how-to page, as it stands there, in front of an index: what it sends itself, what it passes on, and that
nothing it sends is out of date."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from accord.io.ports import free_port
from accord.server.database import tables
from accord.server.parts import open_parts
from accord.server.settings import Settings
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.fronts import NGINX, configuration, fronted
from accord.testing.serving import Served, basic, form

JSON = "application/vnd.pypi.simple.v1+json"
PIP = f"{JSON}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"
UV = f"{JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
HOW_TO = Path(__file__).parents[4] / "docs" / "how-to" / "nginx.md"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]


@dataclass(frozen=True, slots=True)
class Site:
    served: Served
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers={"accept-encoding": "identity", **sent})
        answer = connection.getresponse()
        found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        connection.close()
        return found

    def upload(self, version: str) -> None:
        body, content_type = form(
            {":action": "file_upload"},
            f"spam-{version}-py3-none-any.whl",
            zip_bytes(wheel_parts(version=version)),
        )
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(
            "POST", "/legacy/", body, {"content-type": content_type, **basic(self.served.token)}
        )
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        connection.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An index that writes page files and leaves sending to nginx, which is in front of it."""
    port = free_port()
    work = tmp_path / "nginx"
    work.mkdir()
    with Served(
        str(tmp_path / "data"), workers=2, options=("--page-files", "--accel-redirect", "/stored/")
    ) as served:
        settings = configuration(
            HOW_TO.read_text(encoding="utf-8"),
            port=port,
            index=served.port,
            data=served.folder,
            work=str(work),
        )
        with fronted(settings, port, str(work)):
            yield Site(served, port)


def _by_nginx(headers: dict[str, str]) -> bool:
    """What the index answers has this header, a file has not."""
    return "x-pypi-last-serial" not in headers


def test_pages_come_from_files_negotiated_packed_and_revalidated_and_the_rest_from_the_index(
    site: Site,
) -> None:
    for version in ("1.0", "1.1"):
        site.upload(version)
    status, headers, made = site.get("/simple/spam/", accept=PIP)
    assert (status, _by_nginx(headers)) == (200, False)
    for accept in (JSON, PIP, UV, f"text/html, {JSON}", "application/vnd.pypi.simple.latest+json"):
        for path in ("/simple/spam/", "/main/simple/spam/") if accept == JSON else ("/simple/spam/",):
            status, headers, body = site.get(path, accept=accept)
            assert (status, body, _by_nginx(headers)) == (200, made, True), accept
            assert headers["content-type"] == JSON
            assert headers["cache-control"] == "max-age=600, public"
            assert "last-modified" not in headers
            assert headers["access-control-allow-origin"] == "*"
            again, told, nothing = site.get(path, accept=accept, if_none_match=headers["etag"])
            assert (again, nothing, told["etag"]) == (304, b"", headers["etag"])
            status, told, packed = site.get(path, accept=accept, accept_encoding="gzip")
            assert told["content-encoding"] == "gzip"
            assert told["etag"] != headers["etag"]
            assert gzip.decompress(packed) == made
            assert site.get(path, "HEAD", accept=accept)[2] == b""
    connection = http.client.HTTPConnection("127.0.0.1", site.port)
    connection.putrequest("GET", "/simple/spam/", skip_accept_encoding=True)
    connection.endheaders()  # no Accept header at all
    answer = connection.getresponse()
    assert answer.getheader("content-type") == "text/html; charset=utf-8"
    assert _by_nginx({name.lower(): value for name, value in answer.getheaders()})
    answer.read()
    connection.close()
    # For the index to decide.
    html = "application/vnd.pypi.simple.v1+html"
    for path, accept, kind in (
        ("/simple/spam/", html, html),
        ("/simple/spam/", f"{JSON};q=0.5, {html}", html),
        ("/simple/spam/", "text/html,*/*;q=0.8", "text/html; charset=utf-8"),
        ("/simple/spam/?format=text/html", JSON, "text/html; charset=utf-8"),
        ("/simple/", JSON, JSON),
    ):
        status, headers, _ = site.get(path, accept=accept)
        assert (status, headers["content-type"], _by_nginx(headers)) == (200, kind, False), (path, accept)
    assert site.get("/simple/spam/", accept="application/xml")[0] == 406
    assert site.get("/simple/SPAM/", accept=JSON)[0] == 301
    status, headers, _ = site.get("/simple/spam/", "OPTIONS", origin="https://page.example")
    assert (status, headers["access-control-allow-origin"]) == (204, "*")
    assert site.get("/simple/spam/", "POST", content_length="0")[0] == 405
    assert site.get("/simple/eggs/", accept=JSON)[0] == 404
    assert site.get("/simple/..%2f..%2fserial/", accept=JSON)[0] in (400, 404)
    assert site.get("/files/spam/spam-1.0-py3-none-any.whl")[0] == 200


def test_what_was_acknowledged_is_on_the_very_next_page_while_others_keep_asking(site: Site) -> None:
    site.upload("0.1")
    ending = threading.Event()
    faults: list[str] = []

    def ask() -> None:
        newest = 0
        while not ending.is_set():
            status, _, body = site.get("/simple/spam/", accept=PIP)
            if status != 200:
                faults.append(f"status {status}")
                return
            versions = len(json.loads(body)["versions"])  # torn pages do not parse
            if versions < newest:
                faults.append(f"{versions} versions after {newest}")
            newest = max(newest, versions)

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    try:
        for number in range(40):
            site.upload(f"1.{number}")
            status, _, body = site.get("/simple/spam/", accept=PIP)
            assert (status, f"1.{number}" in json.loads(body)["versions"]) == (200, True)
    finally:
        ending.set()
        for asker in askers:
            asker.join()
    assert faults == []
    site.get("/simple/spam/", accept=PIP)
    assert _by_nginx(site.get("/simple/spam/", accept=PIP)[1])


def test_a_page_of_what_became_private_is_never_sent_by_nginx_again(site: Site) -> None:
    site.upload("1.0")
    for _ in range(2):
        assert site.get("/simple/spam/", accept=PIP)[0] == 200
    parts = open_parts(Settings(site.served.folder))  # as `accord index` does, beside the server
    with parts.database.write("system") as writing:
        writing.connection.execute(tables.index.update().values(public=False))
        writing.changed(1, "index")
    parts.close()
    status, headers, _ = site.get("/simple/spam/", accept=PIP)
    assert status == 401
    for _ in range(2):
        status, headers, _ = site.get("/simple/spam/", accept=PIP, **basic(site.served.token))
        assert (status, headers["cache-control"]) == (200, "private, no-cache")
    assert site.get("/simple/spam/", accept=PIP)[0] == 401


def test_pip_installs_through_it(site: Site, tmp_path: Path) -> None:
    site.upload("1.0")
    for target in ("one", "two"):  # from the index, then from the file
        pip = [sys.executable, "-m", "pip", "install", "--no-cache-dir", "--isolated", "-q"]
        subprocess.run([*pip, "-i", f"{site.url}/simple/", "-t", str(tmp_path / target), "spam"], check=True)
        assert (tmp_path / target / "spam" / "__init__.py").exists()


def _large(site: Site, version: str = "1.0") -> tuple[str, bytes]:
    """A wheel that nginx is asked to send, uploaded."""
    parts = wheel_parts({"large.py": b"#" + os.urandom(100_000)}, name="large", version=version)
    filename, content = f"large-{version}-py3-none-any.whl", zip_bytes(parts)
    assert site.served.upload(filename, content).status == 200
    return f"/files/large/{filename}", content


def test_files_are_sent_by_nginx_as_the_index_would_and_the_index_is_asked_for_each(site: Site) -> None:
    path, content = _large(site)
    for _ in range(3):  # the first is looked up, the next lie on a shelf
        with urllib.request.urlopen(f"{site.served.url}{path}", timeout=20) as direct:
            assert direct.read() == b""
            assert direct.headers["x-accel-redirect"].startswith("/stored/")
        status, headers, body = site.get(path)
        assert (status, body) == (200, content)
        assert headers["etag"] == f'"{hashlib.sha256(content).hexdigest()}"'
        assert headers["content-type"] == "application/zip"
        assert headers["cache-control"] == "max-age=31536000, immutable, public, s-maxage=600"
        assert headers["accept-ranges"] == "bytes"
        assert headers["access-control-allow-origin"] == "*"
        assert headers["x-content-type-options"] == "nosniff"
        assert "last-modified" not in headers
        assert "x-accel-redirect" not in headers
        assert site.get(path, if_none_match=headers["etag"])[::2] == (304, b"")
        status, told, nothing = site.get(path, "HEAD")
        assert (status, told["content-length"], nothing) == (200, str(len(content)), b"")
        status, told, part = site.get(path, range="bytes=10-19")
        assert (status, part) == (206, content[10:20])
        assert told["content-range"] == f"bytes 10-19/{len(content)}"


def test_nobody_gets_a_file_that_is_not_his_to_have(site: Site) -> None:
    path, content = _large(site)
    digest = hashlib.sha256(content).hexdigest()
    place = f"{digest[:2]}/{digest}"
    assert (Path(site.served.folder) / "blobs" / place).read_bytes() == content
    for guess in (
        f"/stored/{place}",
        f"/stored/../stored/{place}",
        f"//stored/{place}",
        f"/%73tored/{place}",
    ):
        assert site.get(guess)[0] in (400, 404), guess
    assert site.get(path)[2] == content
    document = json.dumps({"private": True}).encode()
    reply = site.served.request(
        "PATCH",
        "/api/indexes/main/projects/large",
        {"content-type": "application/json", **basic(site.served.token)},
        document,
    )
    assert reply.status == 200
    assert site.get(path)[0] in (401, 404)
    status, headers, body = site.get(path, **basic(site.served.token))
    assert (status, body) == (200, content)
    assert headers["cache-control"] == "max-age=31536000, immutable, private"
    assert "access-control-allow-origin" not in headers
