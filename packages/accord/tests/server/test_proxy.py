"""The systemd unit and the nginx block of ``docs/how-to/run-an-index.md``, as they stand there: the unit is one and its
options serve, and through nginx with TLS uploads stream, addresses are the real ones and absolute URLs are the public ones."""

from __future__ import annotations

import configparser
import hashlib
import http.client
import json
import os
import re
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from accord.io.ports import free_port
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.fronts import NGINX
from accord.testing.people import call, put
from accord.testing.serving import InProcess, Served, basic, form
from accord.testing.uploading import MEDIA_TYPE

PAGE = (Path(__file__).parents[4] / "docs" / "how-to" / "run-an-index.md").read_text(encoding="utf-8")
PUBLIC = "https://packages.example"
NAME = "spam-1.0-py3-none-any.whl"
WHEEL = zip_bytes(wheel_parts())

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(NGINX is None or shutil.which("openssl") is None, reason="needs nginx and openssl"),
]


def block(language: str, holding: str = "") -> str:
    """The first one of that language, of those with that line."""
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return next(text for text in found if holding in text)


def unit(holding: str = "Type=exec") -> dict[str, str]:
    """The values of a unit's section ``Service``; none of them is given twice."""
    read = configparser.ConfigParser(interpolation=None)
    read.optionxform = str  # type: ignore[assignment, method-assign]
    read.read_string(block("ini", holding))
    return dict(read["Service"])


def options() -> tuple[str, ...]:
    """What the unit gives ``accord serve``, but for its folder and its address."""
    words = shlex.split(unit()["ExecStart"])
    words = words[words.index("serve") + 1 :]
    for name, value in (("--data", "/var/lib/accord"), ("--bind", "127.0.0.1:8694")):
        at = words.index(name)
        assert words[at + 1] == value
        del words[at : at + 2]
    return tuple(words)


def settle(what: Callable[[], Any]) -> Any:
    """What ``what`` returns as soon as it is something."""
    end = time.monotonic() + 20
    while not (found := what()):
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.02)
    return found


@dataclass(frozen=True, slots=True)
class Site:
    """An index with the unit's options, behind the page's nginx."""

    served: Served
    port: int
    plain: int
    work: Path
    trust: ssl.SSLContext

    def connect(self, source: str = "127.0.0.1") -> http.client.HTTPSConnection:
        """As a client that asked for ``packages.example`` and is at the address ``source``."""
        connection = http.client.HTTPSConnection(
            "packages.example", self.port, timeout=60, context=self.trust
        )
        connection._create_connection = lambda _address, *_: socket.create_connection(  # type: ignore[attr-defined]
            ("127.0.0.1", self.port), 60, (source, 0)
        )
        return connection

    def call(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        source: str = "127.0.0.1",
    ) -> tuple[int, dict[str, str], bytes]:
        with closing(self.connect(source)) as connection:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read()

    def upload(self, filename: str = NAME, content: bytes = WHEEL) -> int:
        body, kind = form({":action": "file_upload", "protocol_version": "1"}, filename, content)
        return self.call("POST", "/legacy/", {"content-type": kind, **basic(self.served.token)}, body)[0]

    def logged(self, path: str) -> dict[str, Any]:
        """The line of the access log about that path."""

        def look() -> dict[str, Any] | None:
            log = Path(self.served.folder).with_name("serve.log").read_text(encoding="utf-8")
            lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
            return next((line for line in lines if line.get("path") == path), None)

        found: dict[str, Any] = settle(look)
        return found


def certificate(folder: Path) -> tuple[Path, Path]:
    made, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-keyout", str(key)]
    command += ["-out", str(made), "-subj", "/CN=packages.example"]
    command += ["-addext", "subjectAltName=DNS:packages.example,IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    return made, key


def configured(work: Path, index: int, port: int, plain: int) -> Path:
    made, key = certificate(work)
    text = block("nginx")
    for told, here in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("server 127.0.0.1:8694;", f"server 127.0.0.1:{index};"),
        ("/etc/ssl/packages.example.pem", str(made)),
        ("/etc/ssl/private/packages.example.key", str(key)),
    ):
        assert text.count(told) == 1, told
        text = text.replace(told, here)
    folders = " ".join(
        f"{kind}_temp_path {work}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    place = work / "nginx.conf"
    place.write_text(
        f"daemon off; worker_processes 1; pid {work}/pid; error_log {work}/error.log warn;\n"
        f"{'user root;' if os.geteuid() == 0 else ''} events {{ worker_connections 256; }}\n"
        f"http {{ access_log off; {folders}\n{text} }}\n"
    )
    return place


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return False
    return True


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    assert NGINX is not None
    work = tmp_path / "nginx"
    work.mkdir()
    port, plain = free_port(), free_port()
    with Served(str(tmp_path / "data"), options=options()) as served:
        place = configured(work, served.port, port, plain)
        trust = ssl.create_default_context(cafile=str(work / "cert.pem"))
        command = [NGINX, "-c", str(place), "-p", str(work), "-e", str(work / "error.log")]
        with subprocess.Popen(command) as process:
            try:
                settle(lambda: process.poll() is not None or answers(port))
                assert process.poll() is None, (work / "error.log").read_text()
                yield Site(served, port, plain, work, trust)
            finally:
                process.terminate()
                process.wait(20)


def test_a_large_file_passes_through_as_it_comes_in_both_directions(site: Site) -> None:
    content = zip_bytes(wheel_parts({"spam/data.bin": os.urandom(12 << 20)}))
    body, kind = form({":action": "file_upload", "protocol_version": "1"}, NAME, content)
    incoming = Path(site.served.folder) / "incoming"

    def received() -> int:
        return sum(path.stat().st_size for path in incoming.rglob("*") if path.is_file())

    with closing(site.connect()) as connection:
        connection.putrequest("POST", "/legacy/")
        sent = {"content-type": kind, "content-length": str(len(body)), **basic(site.served.token)}
        for name, value in sent.items():
            connection.putheader(name, value)
        connection.endheaders()
        connection.send(body[: 3 << 20])
        settle(lambda: received() > 2 << 20)
        connection.send(body[3 << 20 :])
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
    with closing(site.connect()) as connection:
        connection.request("GET", f"/files/spam/{NAME}")
        answer = connection.getresponse()
        time.sleep(0.5)  # a slow reader: the rest has to wait somewhere
        assert hashlib.sha256(answer.read()).digest() == hashlib.sha256(content).digest()
    assert "buffered to a temporary file" not in (site.work / "error.log").read_text()


def test_the_index_says_what_is_too_large_not_nginx(site: Site) -> None:
    site.served.stop()
    site.served.options += ("--limit", "file_bytes=1500000")
    site.served.start()
    body, kind = form(
        {":action": "file_upload"}, NAME, os.urandom(2 << 20)
    )  # more than nginx takes unless told
    sent = {"content-type": kind, **basic(site.served.token)}
    status, headers, told = site.call("POST", "/legacy/", sent, body)
    assert (status, headers["content-type"]) == (413, "application/problem+json")
    assert json.loads(told)["code"].startswith("upload-")


def test_the_clients_address_is_the_real_one_and_nobody_makes_up_another(site: Site) -> None:
    forged = {"x-forwarded-for": "203.0.113.9"}
    assert site.call("GET", "/simple/honest/", source="127.0.0.2")[0] == 404
    assert site.logged("/simple/honest/")["client"] == "127.0.0.2"
    for source in ("127.0.0.2", "127.0.0.1"):  # also who sits beside the proxy
        path = f"/simple/forged-{source[-1]}/"
        assert site.call("GET", path, forged, source=source)[0] == 404
        assert site.logged(path)["client"] == source
    beside = http.client.HTTPConnection(
        "127.0.0.1", site.served.port, timeout=20, source_address=("127.0.0.3", 0)
    )
    with closing(beside):  # not through the proxy at all
        beside.request("GET", "/simple/beside/", headers={"X-Forwarded-For": "203.0.113.9"})
        beside.getresponse().read()
    assert site.logged("/simple/beside/")["client"] == "127.0.0.3"


def test_a_request_has_one_name_in_both_logs(site: Site) -> None:
    _, headers, _ = site.call("GET", "/simple/named/", {"x-request-id": "forged"})
    assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])
    assert site.logged("/simple/named/")["request"] == headers["x-request-id"]


def test_absolute_urls_are_those_clients_use(site: Site) -> None:
    assert site.upload() == 200
    document = json.loads(site.call("GET", "/pypi/spam/json")[2])
    [file] = document["urls"]
    assert file["url"].startswith(f"{PUBLIC}/")
    assert site.call("GET", file["url"].removeprefix(PUBLIC))[2] == WHEEL
    assert "127.0.0.1" not in json.dumps(document)
    assert f"<link>{PUBLIC}" in site.call("GET", "/rss/updates.xml")[2].decode()
    opened = {"meta": {"api-version": "2.0"}, "name": "spam", "version": "2.0"}
    sent = {"content-type": MEDIA_TYPE, **basic(site.served.token)}
    status, headers, body = site.call("POST", "/upload/", sent, json.dumps(opened).encode())
    links = json.loads(body)["links"]
    assert (status, set(links) >= {"upload", "publish", "session", "stage"}) == (201, True)
    for link in (*links.values(), headers["location"]):
        assert link.startswith(f"{PUBLIC}/")
    # And it is a way back through the proxy.
    assert site.call("GET", links["session"].removeprefix(PUBLIC), basic(site.served.token))[0] == 200
    with closing(http.client.HTTPConnection("127.0.0.1", site.plain, timeout=20)) as plain:
        plain.request("GET", "/simple/spam/?format=x")
        answer = plain.getresponse()
        assert (answer.status, answer.getheader("location")) == (301, f"{PUBLIC}/simple/spam/?format=x")


def test_pip_installs_over_tls(site: Site, tmp_path: Path) -> None:
    assert site.upload() == 200
    pip = [sys.executable, "-m", "pip", "install", "--no-cache-dir", "--isolated", "-q"]
    pip += ["--cert", str(site.work / "cert.pem"), "-t", str(tmp_path / "target")]
    # These win over --cert, where a machine has them.
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_CA_BUNDLE")}
    subprocess.run([*pip, "-i", f"https://127.0.0.1:{site.port}/simple/", "spam"], check=True, env=kept)
    assert (tmp_path / "target" / "spam" / "__init__.py").exists()


def test_a_reader_of_changes_is_kept_waiting_and_told_at_once(site: Site) -> None:
    since = json.loads(site.call("GET", "/changes")[2])["next"]
    told: list[Any] = []

    def wait() -> None:
        told.append(json.loads(site.call("GET", f"/changes?since={since}&wait=25")[2]))

    reader = threading.Thread(target=wait)
    began = time.monotonic()
    reader.start()
    time.sleep(1)
    assert told == []
    assert site.upload() == 200
    reader.join()
    assert time.monotonic() - began < 15
    assert NAME in json.dumps(told)


def test_health_is_shown_and_metrics_stay_inside_however_they_are_asked_for(site: Site) -> None:
    assert site.call("GET", "/livez")[::2] == (200, b"alive\n")
    assert site.call("GET", "/readyz")[::2] == (200, b"ready\n")
    for path in ("/metrics", "//metrics", "/%6detrics", "/simple/../metrics", "/metrics?", "/./metrics"):
        status, _, body = site.call("GET", path, basic(site.served.token))
        assert (status, b"accord_serial" in body) == (404, False), path
    assert b"accord_serial" in site.served.request("GET", "/metrics", basic(site.served.token)).body


def test_the_unit_gives_the_server_time_to_end_and_keeps_its_token_out_of_the_journal() -> None:
    told = unit()
    assert int(told["TimeoutStopSec"]) > 10  # run.serve: workers_kill_timeout
    assert told["KillMode"] == "mixed"
    assert told["StandardOutput"] == "null"
    assert f"/var/lib/{told['StateDirectory']}" in told["ExecStart"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_finds_nothing_to_say_about_the_units(tmp_path: Path) -> None:
    def verified(text: str, name: str = "accord.service") -> tuple[int, str]:
        place = tmp_path / name
        place.write_text(text.replace("/opt/accord/bin/accord", "/bin/true"))
        command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stderr

    assert verified(block("ini")) == (0, "")
    assert verified(block("ini", "Type=oneshot"), "accord-scan.service") == (0, "")
    assert verified(block("ini", "[Timer]"), "accord-scan.timer") == (0, "")
    status, said = verified(block("ini").replace("ProtectSystem", "ProtectSistem"))
    assert (status, "ProtectSistem" in said) == (1, True)


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap")
def test_the_units_command_needs_to_write_nothing_but_its_state_folder(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    kept = ["bwrap", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    kept += ["--bind", str(folder), str(folder), "--setenv", "HOME", "/nonexistent"]
    kept += ["--unsetenv", "XDG_DATA_HOME", "--unsetenv", "XDG_CACHE_HOME"]
    with Served(str(folder), workers=2, options=options(), prefix=tuple(kept)) as served:
        assert served.upload(NAME, WHEEL).status == 200
        assert served.request("GET", "/simple/spam/").status == 200
        assert served.request("GET", "/readyz").status == 200
        process = served._process
        assert process is not None
        began = time.monotonic()
        # As systemd does: to the server itself, which bwrap only waits for.
        os.kill(int((folder / "serving").read_text().split()[1]), signal.SIGTERM)
        assert process.wait(30) == 0
        assert time.monotonic() - began < int(unit()["TimeoutStopSec"])


def test_the_scanners_unit_forbids_nothing_its_sandbox_needs_and_the_servers_unit_does() -> None:
    server, scanner = unit(), unit("Type=oneshot")
    covered = {"ProtectKernelTunables", "ProtectKernelLogs", "ProtectHostname", "RestrictNamespaces"}
    assert covered <= set(server)
    assert not covered & set(scanner)
    assert {"@mount", "sethostname"} <= set(scanner["SystemCallFilter"].split())
    assert "AF_NETLINK" in scanner["RestrictAddressFamilies"].split()
    assert "--scanner" not in server["ExecStart"]
    for name in ("User", "StateDirectory", "StateDirectoryMode", "UMask"):
        assert server[name] == scanner[name], name


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("bwrap") is None or shutil.which("setpriv") is None,
    reason="needs root, bubblewrap and setpriv",
)
def test_the_scanners_command_judges_files_within_the_limits_of_its_unit() -> None:
    told = shlex.split(unit("Type=oneshot")["ExecStart"])
    words = told[told.index("index") : told.index("--data")]
    user = 61_234  # of nobody here
    # Not in a folder of pytest's, which are closed to others.
    with tempfile.TemporaryDirectory() as above:
        os.chmod(above, 0o755)
        folder, temporary, programs = Path(above, "data"), Path(above, "tmp"), Path(above, "bin")
        programs.mkdir(mode=0o755)
        judge = programs / "judge"
        for place in (folder, temporary):
            place.mkdir(mode=0o700)
        judge.write_text("#!/bin/sh\ncase $1 in *evil*) echo it is evil; exit 1;; esac\n")
        judge.chmod(0o755)
        with InProcess.open(str(folder)) as index:
            assert call(index, "PATCH", "/api/indexes/main/policy", {"quarantine": "all"}).status == 200
            for name in ("spam", "evil"):
                assert put(index, name).status == 200
        for path in (folder, temporary, *folder.rglob("*")):
            os.chown(path, user, user)
        limits = [
            "bwrap",
            "--die-with-parent",
            "--ro-bind",
            "/",
            "/",
            "--dev-bind",
            "/dev",
            "/dev",
            "--bind",
            "/proc",
            "/proc",
        ]
        for place in (folder, temporary):
            limits += ["--bind", str(place), str(place)]
        limits += ["--setenv", "TMPDIR", str(temporary), "--setenv", "HOME", "/nonexistent"]
        limits += ["--unsetenv", "XDG_DATA_HOME", "--unsetenv", "XDG_CACHE_HOME", "setpriv"]
        limits += [f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs"]
        limits += ["--bounding-set=-all", "--inh-caps=-all"]
        command = [*limits, sys.executable, "-m", "accord", "--json", *words, "--data", str(folder)]
        command += ["--read", str(programs), "--", str(judge)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    states = {file["filename"].split("-")[0]: file["state"] for file in json.loads(done.stdout)["files"]}
    assert states == {"spam": "live", "evil": "rejected"}
