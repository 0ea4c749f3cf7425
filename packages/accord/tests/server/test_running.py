"""Start, stop, health, metrics, the log; and that no request, however made, ends in a fault."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from accord.server.headers import HARDENED
from accord.server.observe import Observed
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.serving import InProcess, Served, basic

NAME = "spam-1.0-py3-none-any.whl"
WHEEL = zip_bytes(wheel_parts())


def serve(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "accord", "serve", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def refusal(url: str) -> int:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url)
    refused.value.close()
    return refused.value.code


def test_a_folder_has_one_server_and_the_second_says_whose_it_is(served: Served) -> None:
    second = serve("--data", served.folder, "--bind", "127.0.0.1:1024")
    assert second.returncode == 2
    assert "error[server-running]" in second.stderr
    assert second.stdout == ""


def test_an_address_that_is_taken_is_said_before_anything_is_printed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        second = serve("--data", str(tmp_path / "data"), "--bind", f"127.0.0.1:{port}")
    assert second.returncode == 2
    assert "error[server-address-in-use]" in second.stderr
    assert "token" not in second.stdout


def test_port_zero_is_a_free_one_which_is_printed_and_answers(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "accord", "--json", "serve", "--data", str(tmp_path / "data")]
    command += ["--bind", "127.0.0.1:0", "--workers", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            document = ""
            while not document.endswith("}\n"):
                document += process.stdout.readline()
            url = json.loads(document)["url"]
            assert not url.endswith(":0")
            end = time.monotonic() + 30
            while True:
                try:
                    assert urllib.request.urlopen(f"{url}/livez", timeout=5).read() == b"alive\n"
                    break
                except urllib.error.URLError:
                    assert time.monotonic() < end
                    time.sleep(0.05)
        finally:
            process.terminate()


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_a_server_has_at_least_one_process(tmp_path: Path, number: str) -> None:
    refused = serve("--data", str(tmp_path / "data"), f"--workers={number}")
    assert refused.returncode == 2
    assert "at least 1" in refused.stderr


def test_what_a_databases_url_looks_like_is_shown_as_it_is_written(tmp_path: Path) -> None:
    refused = serve("--data", str(tmp_path / "data"), "--database", "mysql://index")
    assert refused.returncode == 2
    assert "postgresql://HOST/NAME" in refused.stderr
    assert "****" not in refused.stderr


def test_an_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    refused = serve("--data", str(tmp_path / "data"), "--bind", "192.0.2.1:8080")
    assert refused.returncode == 2
    assert "error[server-address]" in refused.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_being_answered_is_answered_before_the_server_ends(
    served: Served, number: signal.Signals
) -> None:
    head = (
        f"POST /legacy/ HTTP/1.1\r\nHost: a.example\r\nAuthorization: {basic(served.token)['authorization']}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    ).encode()
    body = (
        b'--b\r\nContent-Disposition: form-data; name=":action"\r\n\r\nfile_upload\r\n--b\r\n'
        b'Content-Disposition: form-data; name="content"; filename="spam-1.0-py3-none-any.whl"\r\n\r\n'
    )
    with socket.create_connection(("127.0.0.1", served.port)) as client:
        client.settimeout(60)
        client.sendall(head)
        assert client.recv(4096).startswith(b"HTTP/1.1 100"), "it is being answered"
        client.sendall(b"%x\r\n%s\r\n" % (len(body), body))
        statuses: list[int] = []
        ending = threading.Thread(target=lambda: statuses.append(served._end(number, whole=False)))
        ending.start()
        time.sleep(0.3)
        rest = WHEEL + b"\r\n--b--\r\n"
        client.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(rest), rest))
        answer = client.recv(4096)
    ending.join()
    assert answer.startswith(b"HTTP/1.1 200"), answer
    assert statuses == [0]
    served.start()
    with urllib.request.urlopen(f"{served.url}/simple/spam/") as page:
        assert b"spam-1.0-py3-none-any.whl" in page.read()


@pytest.mark.slow
def test_processes_whose_starter_was_killed_end_and_free_the_folder(served: Served) -> None:
    process = served._process
    assert process is not None and process.stdout is not None
    process.kill()
    process.wait(10)
    process.stdout.close()
    served._process = None
    end = time.monotonic() + 60
    while serve("--data", served.folder, "--bind", "192.0.2.1:80").stderr.startswith("error[server-running]"):
        assert time.monotonic() < end, "somebody holds the folder"
        time.sleep(0.5)
    served.start()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the database is a file that goes
def test_a_server_says_that_it_lives_and_that_it_can_work(index: InProcess) -> None:
    assert index.get("/livez").text == "alive\n"
    assert index.get("/readyz").text == "ready\n"
    index.parts.database.engine.dispose()
    os.rename(f"{index.parts.settings.data}/index.sqlite3", f"{index.parts.settings.data}/away")
    os.mkdir(f"{index.parts.settings.data}/index.sqlite3")
    refused = index.get("/readyz")
    assert (refused.status, refused.json()["code"]) == (503, "server-not-ready")
    assert index.get("/livez").status == 200


def test_metrics_are_for_operators_and_add_up_what_all_processes_counted(tmp_path: Path) -> None:
    with Served(str(tmp_path / "data"), workers=2) as served:
        for _ in range(40):  # each on a connection of its own, so both processes get some
            assert refusal(f"{served.url}/simple/nothing/") == 404
        assert refusal(f"{served.url}/metrics") == 401
        asked = urllib.request.Request(f"{served.url}/metrics", headers=basic(served.token))
        with urllib.request.urlopen(asked) as answer:
            told = answer.read().decode()
    assert 'route="/simple/{project}/",status="404"} 40.0' in told
    assert "accord_serial 1" in told


def test_a_fault_of_ours_is_written_down_and_shown_to_nobody(
    index: InProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    from accord.server import logs

    async def broken(_scope: object, _receive: object, _send: object) -> None:
        raise ZeroDivisionError("the secret of the house")

    logs.set_up("json")
    index.app._behind = Observed(broken, index.parts.metrics)
    answer = index.request("GET", "/anything", {"x-request-id": "mine-1"})
    assert (answer.status, answer.json()["code"], answer.json()["request"]) == (500, "server-fault", "mine-1")
    assert "secret" not in answer.text
    line = json.loads(capsys.readouterr().err)
    assert line["request"] == "mine-1"
    assert "the secret of the house" in line["traceback"]


def test_the_access_log_has_one_line_for_every_request_whoever_answers_it(tmp_path: Path) -> None:
    with Served(str(tmp_path / "data"), options=("--access-log", "--log-format", "json")) as index:
        assert index.upload(NAME, WHEEL).status == 200
        pages = [index.request("GET", "/simple/spam/", {"x-request-id": f"page-{n}"}) for n in range(3)]
        index.request(
            "GET", "/simple/spam/", {"x-request-id": "same", "if-none-match": pages[0].headers["etag"]}
        )
        index.request("OPTIONS", "/simple/spam/", {"x-request-id": "ask", "origin": "https://other.example"})
        index.request("GET", "/no/such?token=secret", {"x-request-id": "none"})
    text = (tmp_path / "serve.log").read_text()
    lines = [line for line in map(json.loads, text.splitlines()) if line["message"] == "request"]
    named = [(line["request"], line["status"]) for line in lines if len(line["request"]) < 16]
    assert named == [
        ("page-0", 200),
        ("page-1", 200),
        ("page-2", 200),
        ("same", 304),
        ("ask", 204),
        ("none", 404),
    ]
    assert {line["client"] for line in lines} == {"127.0.0.1"}
    assert "secret" not in text


def test_without_the_access_log_no_request_has_a_line(served: Served, tmp_path: Path) -> None:
    served.upload(NAME, WHEEL)
    served.request("GET", "/simple/spam/")
    served.request("GET", "/no/such")
    assert "spam" not in (tmp_path / "serve.log").read_text()


def test_a_request_may_not_name_itself_something_that_breaks_the_log(index: InProcess) -> None:
    for name in ("a b", "x\ty", "a" * 65, "\x1b[2J", ""):
        found = index.request("GET", "/livez", {"x-request-id": name}).headers["x-request-id"]
        assert found != name and len(found) == 16


def test_every_answer_of_the_application_is_hardened(index: InProcess) -> None:
    for target in ("/livez", "/nothing/there", "/api/whoami", "/simple/none/"):
        headers = index.get(target).headers
        for name, value in HARDENED:
            assert headers[name.decode()] == value.decode(), target


PIECES = (
    *(
        "..",
        ".",
        "",
        "%2e%2e",
        "%2f",
        "%00",
        "%0a",
        "%ff",
        "%c0%af",
        "\\",
        "simple",
        "files",
        "legacy",
        "main",
        "@1",
    ),
    *(
        "pypi",
        "json",
        "spam",
        "Spam_",
        "a" * 300,
        "ü",
        "%f0%9f%90%8d",
        "{x}",
        "'",
        '"',
        "<b>",
        ";",
        ":",
        "*",
        "api",
    ),
    *(
        "spam-1.0-py3-none-any.whl",
        "rss",
        "project",
        "changes",
        "stage",
        "upload",
        "integrity",
        "1.0",
        "provenance",
    ),
    *(
        "users",
        "tokens",
        "namespaces",
        "search",
        "metrics",
        "robots.txt",
        "openapi.json",
        "-1",
        "99999999999999999999",
    ),
)
HEADERS = (
    {"accept": "*/*;q=x"},
    {"accept": "application/vnd.pypi.simple.v1+json;q=0"},
    {"accept-encoding": "gzip;q=nan, *;q="},
    {"range": "bytes=9999999999999999999999-"},
    {"range": "bytes=-0"},
    {"if-none-match": '"' * 5},
    {"authorization": "Basic !!!"},
    {"authorization": "Bearer accord_.."},
    {"authorization": "Basic " + "A" * 9000},
    {"content-type": "multipart/form-data; boundary=" + "b" * 5000},
    {"content-length": "5", "content-type": "application/json"},
    {"host": 'x"><script>'},
    {"x-forwarded-for": "1.2.3.4, nonsense"},
    {"cookie": "a=b; =; ;;"},
)


@pytest.mark.parametrize("seed", range(4))
def test_no_request_however_made_ends_in_a_fault(index: InProcess, seed: int) -> None:
    index.upload("spam-1.0-py3-none-any.whl", WHEEL)
    chance = random.Random(seed)
    for _ in range(400):
        path = "/" + "/".join(chance.choice(PIECES) for _ in range(chance.randint(0, 5)))
        query = chance.choice(
            ("", "", "?format=", "?format=%ff", "?since=-1", "?since=x&wait=9", "?q=%00'\"*", "?a" + "=" * 99)
        )
        method = chance.choice(("GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"))
        headers = dict(chance.choice(HEADERS)) if chance.random() < 0.6 else {}
        if chance.random() < 0.3:
            headers |= basic(index.token)
        body = chance.choice((b"", b"{", b"[]", b'{"name": 1}', b"\xff" * 50, b"--b\r\n"))
        answer = index.request(method, path + query, headers, body)
        asked = (method, path + query, headers, body)
        assert answer.status < 500, (asked, answer.text)
        if answer.status >= 400 and method != "HEAD":
            assert answer.headers["content-type"].startswith(
                ("application/problem+json", "application/vnd.pypi.upload", "text/html")
            ), asked
        if answer.status == 405:
            assert answer.headers["allow"], asked


@pytest.mark.slow
def test_the_log_does_not_tell_the_token_of_an_upload_session(tmp_path: Path) -> None:
    with Served(str(tmp_path / "data"), options=("--access-log",)) as served:
        for target in (
            *(
                "/stage/abcdSECRET/simple/",
                "/main/stage/abcdSECRET/files/spam/x",
                "/upload/session/ID/abcdSECRET/FILE",
            ),
            *("/upload/session/ID/abcdSECRET/FILE/bytes", "/upload/session/ID/publish"),
        ):
            assert served.request("GET", target).status in (401, 404, 405), target
        time.sleep(0.3)
    log = (tmp_path / "serve.log").read_text()
    assert "SECRET" not in log
    assert "/upload/session/ID/publish" in log
    assert log.count("abcd") == 4
