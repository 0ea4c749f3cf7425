"""What an index may answer, and what a person then reads; where secrets go; what is sent again and what is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accord.io.http.client import Client
from accord.publish import sessions
from accord.publish.desk import Answer, Desk
from accord.testing.loopback import Asked, Loopback, reply
from accord.testing.serving import basic
from accord.testing.uploading import MEDIA_TYPE, make_release
from accord_core.errors import AccordError

Publish = Callable[..., Any]
META = {"api-version": "2.0"}


def problem(status: int, detail: str, **headers: str) -> bytes:
    document = {
        "status": status,
        "detail": detail,
        "meta": META,
        "errors": [{"source": "x", "message": "told"}],
    }
    sent = {"Content-Type": "application/problem+json"}
    sent.update({name.replace("_", "-"): value for name, value in headers.items()})
    return reply(json.dumps(document).encode(), status=status, headers=sent)


def document(status: int, body: dict[str, Any], **headers: str) -> bytes:
    sent = {"Content-Type": MEDIA_TYPE, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return reply(json.dumps({"meta": META, **body}).encode(), status=status, headers=sent)


class Deferring:
    """An index that publishes later, as PEP 694 lets it: everything is accepted, and decided a few questions on."""

    def __init__(self, outcome: str = "published", *, elsewhere: str | None = None) -> None:
        self.outcome = outcome
        self.elsewhere = elsewhere
        self.url = ""
        self.polls = {"file": 0, "session": 0}
        self.publishing = False
        self.bodies: list[bytes] = []

    def session(self) -> dict[str, Any]:
        state = "open"
        if self.publishing:
            self.polls["session"] += 1
            state = "processing" if self.polls["session"] < 3 else self.outcome
        here = f"{self.url}/s/1"
        return {
            "links": {"session": here, "upload": f"{here}/files", "publish": f"{here}/publish"},
            "mechanisms": ["http-post-bytes"],
            "expires-at": "2030-08-01T12:00:00Z",
            "status": state,
            "files": {},
            "notices": ["mind the gap"],
        }

    def __call__(self, asked: Asked) -> bytes:
        base = self.elsewhere or self.url
        if asked.target.endswith("/upload/"):
            return document(201, self.session(), Location=f"{self.url}/s/1")
        if asked.target == "/s/1/files":
            file = {
                "links": {"file-upload-session": f"{self.url}/f", "complete": f"{self.url}/f/complete"},
                "status": "pending",
                "mechanism": {"identifier": "http-post-bytes", "file_url": f"{base}/f/bytes"},
            }
            self.polls["file"] = 0
            return document(202, file, Retry_After="0")
        if asked.target == "/f/bytes":
            self.bodies.append(asked.body)
            return reply(status=200)
        if asked.target == "/f/complete":
            return document(202, {"status": "processing"}, Retry_After="0")
        if asked.target == "/f":
            self.polls["file"] += 1
            return document(
                200, {"status": "processing" if self.polls["file"] < 2 else "completed"}, Retry_After="0"
            )
        if asked.target == "/s/1/publish":
            self.publishing = True
            return document(202, self.session(), Retry_After="0")
        return document(200, self.session(), Retry_After="0")


def test_an_index_that_publishes_later_is_waited_for(publish: Publish, tmp_path: Path) -> None:
    files = make_release(tmp_path, "late")
    index = Deferring()
    with Loopback(index) as server:
        index.url = server.url
        done = publish("--index", f"{server.url}/legacy/", "--token", "t", "--json")
    assert done.status == 0, done.err
    [release] = json.loads(done.out)["releases"]
    assert (release["state"], release["notices"]) == ("published", ["mind the gap"])
    assert index.bodies == [path.read_bytes() for path in files]


def test_nobody_waits_who_does_not_want_to(publish: Publish, tmp_path: Path) -> None:
    make_release(tmp_path, "late")
    index = Deferring()
    with Loopback(index) as server:
        index.url = server.url
        done = publish("--index", f"{server.url}/legacy/", "--token", "t", "--no-wait", "--json")
        [release] = json.loads(done.out)["releases"]
        assert (release["state"], release["session"]) == ("processing", f"{server.url}/s/1")
        done = publish("--finish", release["session"], "--token", "t", "--json")
        assert json.loads(done.out)["state"] == "published"
    assert [asked.target for asked in server.asked].count("/s/1/publish") == 1


def test_a_publication_that_fails_later_says_why_and_how_to_go_on(publish: Publish, tmp_path: Path) -> None:
    make_release(tmp_path, "late")
    index = Deferring("error")
    with Loopback(index) as server:
        index.url = server.url
        done = publish("--index", f"{server.url}/legacy/", "--token", "t")
    assert done.status == 1
    for said in ("publish-failed", "mind the gap", f"--finish {server.url}/s/1", "--cancel"):
        assert said in done.err


def test_a_secret_goes_to_the_index_alone(publish: Publish, tmp_path: Path) -> None:
    make_release(tmp_path, "elsewhere")
    with Loopback(lambda _: reply(status=200)) as other:
        index = Deferring(elsewhere=other.url)
        with Loopback(index) as server:
            index.url = server.url
            assert publish("--index", f"{server.url}/legacy/", "--token", "t").status == 0
    assert other.asked
    assert all("authorization" not in asked.headers for asked in other.asked)
    assert all("authorization" in asked.headers for asked in server.asked)


@pytest.mark.parametrize(
    ("status", "code", "hint"),
    [
        (401, "publish-unauthorized", "ACCORD_PUBLISH_TOKEN"),
        (403, "publish-forbidden", "owners"),
        (409, "publish-conflict", "--skip-existing"),
        (413, "publish-too-large", "operator"),
        (422, "publish-refused", "accord check"),
        (429, "publish-limited", "try again in 900 seconds"),
        (500, "publish-unavailable", "--resume"),
    ],
)
@pytest.mark.parametrize("way", ["session", "form"])
def test_a_refusal_is_told_with_what_the_index_says_and_what_to_do(
    publish: Publish, tmp_path: Path, status: int, code: str, hint: str, way: str
) -> None:
    make_release(tmp_path, "refused")

    def answer(asked: Asked) -> bytes:
        if way == "form" and asked.target == "/upload/":
            return reply(status=404)
        return problem(status, "because of the weather", Retry_After="900")

    with Loopback(answer) as server:
        done = publish("--index", f"{server.url}/legacy/", "--token", "geheim")
    assert done.status == 1
    for said in (code, "because of the weather", "told", hint):
        assert said in done.err
    assert "geheim" not in done.err
    if way == "form":
        assert "not published: refused-1.0-py3-none-any.whl, refused-1.0.tar.gz" in done.err


def test_an_index_that_is_busy_is_asked_again(publish: Publish, tmp_path: Path) -> None:
    make_release(tmp_path, "busy")
    index = Deferring()
    busy = {"/upload/": 2, "/f/bytes": 2, "/s/1/publish": 2}

    def answer(asked: Asked) -> bytes:
        if busy.get(asked.target, 0):
            busy[asked.target] -= 1
            return reply(status=503, headers={"Retry-After": "0"})
        return index(asked)

    with Loopback(answer) as server:
        index.url = server.url
        assert publish("--index", f"{server.url}/legacy/", "--token", "t").status == 0
    assert not any(busy.values())


def test_a_form_whose_answer_was_lost_is_not_sent_again(publish: Publish, tmp_path: Path) -> None:
    make_release(tmp_path, "lost")
    with Loopback(lambda asked: reply(status=404) if asked.target == "/upload/" else None) as server:
        done = publish("--index", f"{server.url}/legacy/", "--token", "t")
    assert done.status == 1
    assert [asked.target for asked in server.asked] == ["/upload/", "/legacy/"]
    assert "published: nothing" in done.err


def test_a_redirect_gets_neither_file_nor_secret(publish: Publish, tmp_path: Path) -> None:
    make_release(tmp_path, "moved")
    with Loopback(lambda _: reply()) as other:
        moved = reply(status=301, headers={"Location": f"{other.url}/legacy/"})
        with Loopback(lambda _: moved) as server:
            done = publish("--index", f"{server.url}/legacy/", "--token", "t")
    assert "publish-redirected" in done.err
    assert other.asked == []


@pytest.mark.parametrize(
    "session",
    [
        {},
        {"links": {}},
        {"links": {"session": "/s"}, "status": "open", "mechanisms": ["vnd-acmecorp-postal"]},
        {"links": {"session": 3}, "status": "open"},
        {"links": {"session": "/s"}, "files": [], "mechanisms": 3},
    ],
)
def test_an_answer_that_is_none_is_no_crash(
    publish: Publish, tmp_path: Path, session: dict[str, Any]
) -> None:
    make_release(tmp_path, "odd")
    with Loopback(lambda _: document(201, session)) as server:
        done = publish("--index", f"{server.url}/legacy/", "--token", "t")
    assert done.status == 1
    assert "error[publish-" in done.err


@pytest.mark.parametrize(
    "kind", ["text/html", "application/json", "application/problem+json", MEDIA_TYPE, "text/plain"]
)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 50_000, b"<title>no</title>"])
def test_nonsense_is_no_crash(publish: Publish, tmp_path: Path, kind: str, body: bytes) -> None:
    make_release(tmp_path, "nonsense")
    answer = reply(body, status=400, headers={"Content-Type": kind})
    with Loopback(lambda _: answer) as server:
        done = publish("--index", f"{server.url}/legacy/", "--token", "t", "--no-check")
    assert done.status == 1
    assert "error[publish-refused]" in done.err


def test_an_answer_that_comes_before_the_file_is_over_is_read(publish: Publish, tmp_path: Path) -> None:
    """An index that refuses at once and closes: its reason is told, not that the connection broke."""
    make_release(tmp_path, "large")
    big = tmp_path / "dist" / "large-1.0.tar.gz"
    big.write_bytes(big.read_bytes() + b"\0" * (24 << 20))
    import socket
    import threading

    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for number in range(2):
            sock, _ = listener.accept()
            with sock:
                sock.recv(65536)
                early = problem(413, "far too large", Connection="close")
                sock.sendall(reply(status=404, headers={"Connection": "close"}) if number == 0 else early)
                sock.shutdown(socket.SHUT_WR)
                threading.Event().wait(0.3)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/legacy/"
        done = publish("--index", url, "--token", "t", "--no-check", str(big))
        thread.join(10)
    assert "publish-too-large" in done.err, done.err
    assert "far too large" in done.err


class Saying:
    """A desk where every question has one answer."""

    def __init__(self, **document: Any) -> None:
        self._answer = Answer(200, {}, document, "")

    def ask(self, *_: object, **__: object) -> Answer:
        return self._answer


@pytest.mark.parametrize("link", ["http://index.example/s", "ftp://index.example/s", "//u:p@[", "http:/s"])
def test_an_index_over_https_leads_nowhere_else(link: str) -> None:
    good = {"session": "/s", "upload": "/u", "publish": "/p"}
    desk: Any = Saying(links=good, status="open")
    assert sessions.join(desk, "https://index.example/s").upload == "https://index.example/u"
    for key in good:
        desk = Saying(links={**good, key: link}, status="open")
        with pytest.raises(AccordError):
            sessions.join(desk, "https://index.example/s")


class Ring:
    """A keyring with one secret, which counts how often it is asked."""

    def __init__(self, secret: tuple[str, str] | None) -> None:
        self.secret = secret
        self.asked = 0

    def known(self, _url: str) -> None:
        return None

    def challenged(self, _url: str, _sent: object) -> tuple[str, str] | None:
        self.asked += 1
        return self.secret


@pytest.mark.parametrize(
    ("secret", "status"), [(("__token__", "good"), 201), (("__token__", "bad"), 401), (None, 401)]
)
def test_the_keyring_is_asked_once_when_the_index_wants_to_know(
    secret: tuple[str, str] | None, status: int
) -> None:
    good = basic("good")["authorization"]
    ring: Any = Ring(secret)
    with (
        Loopback(
            lambda asked: (
                document(201, {}) if asked.headers.get("authorization") == good else problem(401, "who?")
            )
        ) as server,
        Client() as client,
    ):
        desk = Desk(client, f"{server.url}/legacy/", auth=None, credentials=ring)
        for _ in range(3):
            assert desk.ask("POST", f"{server.url}/upload/", {}).status == status
    assert ring.asked == 1


def test_what_was_said_outright_is_not_replaced_by_the_keyring() -> None:
    ring: Any = Ring(("__token__", "other"))
    with Loopback(lambda _: problem(401, "who?")) as server, Client() as client:
        desk = Desk(client, f"{server.url}/legacy/", auth=("__token__", "mine"), credentials=ring)
        assert desk.ask("POST", f"{server.url}/upload/", {}).status == 401
    assert ring.asked == 0
