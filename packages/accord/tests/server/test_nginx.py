"""The nginx of the how-to page, as it stands there, in front of an index: what it sends itself, what it passes on, and that
nothing it sends is out of date."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from accord.server.database import tables
from accord.server.parts import open_parts
from accord.server.settings import Settings
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.serving import Served, basic, form

JSON = "application/vnd.pypi.simple.v1+json"
PIP = f"{JSON}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"
UV = f"{JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
HOW_TO = Path(__file__).parents[4] / "docs" / "how-to" / "nginx.md"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")

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


def _configuration(port: int, index: int, data: str, work: Path) -> str:
    """The block of the page with this machine's ports and folder, and without its certificate."""
    block = re.search(r"```nginx\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    text = re.sub(r" *ssl_certificate.*\n", "", block[1])
    for told, here in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port};"),
        ("127.0.0.1:8694", f"127.0.0.1:{index}"),
        ("/srv/index/", f"{data}/"),
    ):
        assert told in text
        text = text.replace(told, here)
    folders = " ".join(
        f"{kind}_temp_path {work};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""daemon off; worker_processes 2; pid {work}/pid; error_log {work}/error.log;
{"user root;" if os.geteuid() == 0 else ""}
events {{ worker_connections 256; }}
http {{
access_log off; sendfile on; {folders}
{text}
}}
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An index that writes page files, and nginx in front of it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    work = tmp_path / "nginx"
    work.mkdir()
    with Served(str(tmp_path / "data"), workers=2, options=("--page-files",)) as served:
        (work / "nginx.conf").write_text(
            _configuration(port, served.port, served.folder, work), encoding="utf-8"
        )
        command = [str(NGINX), "-c", str(work / "nginx.conf"), "-p", str(work), "-e", str(work / "error.log")]
        with subprocess.Popen(command) as process:
            found = Site(served, port)
            end = time.monotonic() + 20
            while True:
                try:
                    found.get("/simple/")
                    break
                except OSError:
                    assert process.poll() is None, (work / "error.log").read_text()
                    assert time.monotonic() < end
                    time.sleep(0.02)
            yield found
            process.terminate()
            process.wait(20)


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
