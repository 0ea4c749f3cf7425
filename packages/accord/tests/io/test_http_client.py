"""The HTTP client against a server that behaves in every way servers do."""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accord.io.credentials import Credentials, Known
from accord.io.http import Client, HttpLimits, HttpOptions
from accord.testing.loopback import Asked, Loopback, reply
from accord_core.errors import AccordError, RepositoryError, UsageError

Serve = Callable[..., Loopback]
PEM = str(Path(__file__).parent / "data" / "loopback.pem")


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[Loopback] = []

    def start(answer: Callable[[Asked], bytes | None], tls: bool = False) -> Loopback:
        context = None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(PEM)
        server = Loopback(answer, tls=context).__enter__()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.__exit__()


OPEN: list[Client] = []


@pytest.fixture(autouse=True)
def nothing_stays_open() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


class Patient:
    """A client that remembers its waits instead of sleeping, and what it noted."""

    def __init__(
        self,
        *,
        options: HttpOptions | None = None,
        limits: HttpLimits | None = None,
        credentials: Credentials | None = None,
        environ: dict[str, str] | None = None,
    ) -> None:
        self.waits: list[float] = []
        self.notes: list[str] = []
        self.client = Client(
            options or HttpOptions(timeout=5),
            limits=limits or HttpLimits(),
            credentials=credentials,
            environ=environ or {},
            sleep=self.waits.append,
            jitter=lambda: 0.0,
            note=self.notes.append,
        )
        OPEN.append(self.client)

    def refused(self, url: str, **how: object) -> AccordError:
        with pytest.raises(AccordError) as caught:
            self.client.get(url, **how)  # type: ignore[arg-type]
        return caught.value


def in_turn(*answers: bytes | None) -> Callable[[Asked], bytes | None]:
    """Each answer once, the last for ever."""
    left = list(answers)
    return lambda asked: left.pop(0) if len(left) > 1 else left[0]


# ---------------------------------------------------------------- reading answers


def test_connections_are_kept_and_used_again(serve: Serve) -> None:
    server = serve(lambda asked: reply(b"hello"))
    client = Patient().client
    assert [client.get(server.url).body for _ in range(5)] == [b"hello"] * 5
    assert server.connections == 1


def test_a_kept_connection_that_died_is_replaced_without_a_word(serve: Serve) -> None:
    server = serve(lambda asked: reply(b"bye", headers={"X": "1"}) if asked.connection > 1 else dying(asked))
    dead = threading.Event()

    def dying(asked: Asked) -> bytes | None:
        if dead.is_set():
            return None
        dead.set()
        return reply(b"first")

    patient = Patient()
    assert patient.client.get(server.url).body == b"first"
    assert patient.client.get(server.url).body == b"bye"
    assert patient.waits == []


def test_gzip_is_opened(serve: Serve) -> None:
    body = b"a page " * 10_000
    server = serve(lambda asked: reply(gzip.compress(body), headers={"Content-Encoding": "gzip"}))
    assert Patient().client.get(server.url).body == body
    assert server.asked[0].headers["accept-encoding"] == "gzip"


def test_chunks_are_joined(serve: Serve) -> None:
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nT: 1\r\n\r\n"
    server = serve(lambda asked: raw)
    client = Patient().client
    assert client.get(server.url).body == b"hello world"
    assert client.get(server.url).body == b"hello world"
    assert server.connections == 1


def test_a_body_without_length_ends_with_the_connection(serve: Serve) -> None:
    server = serve(lambda asked: b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end")
    assert Patient().client.get(server.url).body == b"until the end"


def test_interim_answers_are_read_over(serve: Serve) -> None:
    server = serve(lambda asked: b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + reply(b"final"))
    assert Patient().client.get(server.url).body == b"final"


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 262_144, 262_145, 3_000_000])
def test_bodies_of_every_size_arrive_whole(serve: Serve, size: int) -> None:
    body = bytes(range(256)) * (size // 256) + bytes(range(size % 256))
    server = serve(lambda asked: reply(body))
    client = Patient().client
    assert client.get(server.url).body == body
    assert client.get(server.url).body == body


def test_conditional_questions_and_ranges_are_asked_as_the_standard_says(serve: Serve) -> None:
    server = serve(lambda asked: reply(status=304, headers={"ETag": '"a"'}))
    client = Patient().client
    assert client.get(server.url, etag='"a"').status == 304
    client.get(server.url, last_modified="Mon, 23 Nov 2026 06:25:28 GMT")
    client.get(server.url, byte_range=(10, 19))
    client.get(server.url, byte_range=(10, None))
    client.get(server.url, byte_range=(-10, None))
    first, second, *ranges = [asked.headers for asked in server.asked]
    assert first["if-none-match"] == '"a"'
    assert second["if-modified-since"] == "Mon, 23 Nov 2026 06:25:28 GMT"
    assert [each["range"] for each in ranges] == ["bytes=10-19", "bytes=10-", "bytes=-10"]


def test_thirty_two_threads_share_the_allowed_connections(serve: Serve) -> None:
    server = serve(lambda asked: reply(asked.target.encode()))
    client = Patient(options=HttpOptions(timeout=5, connections=4)).client
    got: list[bool] = []

    def ask(number: int) -> None:
        for each in range(10):
            path = f"/{number}/{each}"
            got.append(client.get(server.url + path).body == path.encode())

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [True] * 320
    assert server.connections <= 4


# ---------------------------------------------------------------- answers that are wrong


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "does not begin with HTTP"),
        (b"HTTP/2.0 200 OK\r\n\r\n", "HTTP/1."),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "status line"),
        (b"HTTP/1.1 200 OK\r\nBad Header: 1\r\nContent-Length: 0\r\n\r\n", "header line"),
        (b"HTTP/1.1 200 OK\r\nA: 1\r\n folded\r\nContent-Length: 0\r\n\r\n", "header line"),
        (b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n", "header line"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "ambiguous"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "ambiguous"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "chunk"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n", "chunk"),
        (b"HTTP/1.1 100 C\r\n\r\n" * 9, "interim"),
        (reply(b"not gzip at all, however long", headers={"Content-Encoding": "gzip"}), "damaged"),
        (reply(gzip.compress(b"x" * 9999)[:-9], headers={"Content-Encoding": "gzip"}), "too soon"),
        (reply(b"x", headers={"Content-Encoding": "br"}), "not asked for"),
    ],
)
def test_what_is_not_http_is_refused_and_named(serve: Serve, raw: bytes, why: str) -> None:
    server = serve(lambda asked: raw)
    error = Patient(options=HttpOptions(timeout=5, retries=0)).refused(server.url)
    assert error.code == "index-protocol"
    assert why in error.message


def test_the_head_has_a_limit(serve: Serve) -> None:
    honest = reply(b"ok", headers={"X": "y" * 900})
    server = serve(in_turn(honest, reply(b"ok", headers={"X": "y" * 1100})))
    patient = Patient(limits=HttpLimits(head=1024), options=HttpOptions(timeout=5, retries=0))
    assert patient.client.get(server.url).body == b"ok"
    assert patient.refused(server.url).code == "index-protocol"


@pytest.mark.parametrize("chunked", [False, True])
def test_the_body_has_a_limit(serve: Serve, chunked: bool) -> None:
    def body(size: int) -> bytes:
        if not chunked:
            return reply(b"x" * size)
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (
            size,
            b"x" * size,
        )

    server = serve(in_turn(body(1000), body(1001)))
    patient = Patient()
    assert len(patient.client.get(server.url, limit=1000).body) == 1000
    assert patient.refused(server.url, limit=1000).code == "answer-too-large"
    assert patient.waits == []  # asking again would not make it smaller


def test_a_claimed_length_beyond_the_limit_is_refused_before_a_byte_is_read(serve: Serve) -> None:
    server = serve(lambda asked: reply(b"", length=10**17))
    assert Patient().refused(server.url).code == "answer-too-large"


def test_a_compressed_body_has_a_limit_and_a_ratio(serve: Serve) -> None:
    def bomb(size: int) -> bytes:
        return reply(gzip.compress(b"\0" * size), headers={"Content-Encoding": "gzip"})

    server = serve(in_turn(bomb(1_000_000), bomb(3_000_000), bomb(1_000_000)))
    patient = Patient()
    assert len(patient.client.get(server.url).body) == 1_000_000  # below the floor any ratio is allowed
    assert patient.refused(server.url).code == "answer-too-large"
    assert patient.refused(server.url, limit=999_999).code == "answer-too-large"


def test_a_drip_is_given_up() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip() -> None:
        sock, _ = listener.accept()
        sock.recv(65536)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        try:
            while not stop.wait(0.05):
                sock.sendall(b"x")
        except OSError:
            pass
        sock.close()

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        patient = Patient(options=HttpOptions(timeout=0.3, retries=0))
        error = patient.refused(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    finally:
        stop.set()
        thread.join()
        listener.close()
    assert error.code == "index-timeout"


# ---------------------------------------------------------------- trying again


def test_a_server_that_recovers_is_asked_again_with_growing_pauses(serve: Serve) -> None:
    server = serve(
        in_turn(
            reply(status=503, headers={"Connection": "close"}), None, reply(status=502), reply(b"at last")
        )
    )
    patient = Patient()
    assert patient.client.get(server.url).body == b"at last"
    assert patient.waits == [0.125, 0.25, 0.5]


def test_retry_after_is_honoured_up_to_its_limit(serve: Serve) -> None:
    asks = in_turn(reply(status=429, headers={"Retry-After": "7"}), reply(b"ok"))
    patient = Patient()
    assert patient.client.get(serve(asks).url).body == b"ok"
    assert patient.waits == [7.0]
    impatient = Patient()
    error = impatient.refused(serve(in_turn(reply(status=503, headers={"Retry-After": "61"}))).url)
    assert (error.code, impatient.waits) == ("index-server-error", [])
    assert "it asks to wait 61" in error.context


def test_the_number_of_attempts_is_limited(serve: Serve) -> None:
    server = serve(lambda asked: reply(status=500))
    error = Patient(options=HttpOptions(timeout=5, retries=2)).refused(server.url)
    assert error.code == "index-server-error"
    assert "(3 attempts)" in error.message
    assert len(server.asked) == 3


def test_a_dead_index_is_unreachable_and_a_silent_one_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        error = Patient(options=HttpOptions(timeout=0.2, retries=1)).refused(f"http://127.0.0.1:{port}/")
        assert error.code == "index-timeout"
        assert f"127.0.0.1:{port}" in error.message
    error = Patient(options=HttpOptions(timeout=5, retries=1)).refused(f"http://127.0.0.1:{port}/")
    assert error.code == "index-unreachable"
    assert "refused" in error.message


def test_a_name_nobody_knows_is_said_at_once() -> None:
    patient = Patient()
    error = patient.refused("http://no-such-host.invalid/simple/")
    assert error.code == "index-unreachable"


def test_an_answer_cut_short_is_asked_for_again(serve: Serve) -> None:
    short = reply(b"half", length=8, headers={"Connection": "close"})
    patient = Patient()
    assert patient.client.get(serve(in_turn(short, reply(b"all of it"))).url).body == b"all of it"
    assert patient.refused(serve(in_turn(short)).url).code == "download-truncated"


def test_offline_opens_no_connection(serve: Serve) -> None:
    server = serve(lambda asked: reply(b"never"))
    error = Patient(options=HttpOptions(offline=True)).refused(server.url)
    assert error.code == "offline"
    assert server.connections == 0


# ---------------------------------------------------------------- redirects


def test_redirects_are_followed_up_to_a_limit(serve: Serve) -> None:
    def answer(asked: Asked) -> bytes:
        number = int(asked.target.strip("/"))
        return reply(b"here") if number == 0 else reply(status=302, headers={"Location": f"/{number - 1}"})

    server = serve(answer)
    patient = Patient()
    found = patient.client.get(f"{server.url}/10")
    assert (found.body, found.url) == (b"here", f"{server.url}/0")
    assert patient.refused(f"{server.url}/11").code == "index-redirect"


def test_credentials_do_not_follow_a_redirect_to_another_place(serve: Serve) -> None:
    other = serve(lambda asked: reply(b"elsewhere"))
    where: list[str] = [f"{other.url}/x"]

    def answer(asked: Asked) -> bytes:
        if asked.target == "/same":
            return reply(b"same")
        return reply(status=307, headers={"Location": where[0]})

    here = serve(answer)
    with_secret = here.url.replace("://", "://me:secret@")
    assert Patient().client.get(with_secret).body == b"elsewhere"
    assert "authorization" in here.asked[0].headers
    assert "authorization" not in other.asked[0].headers
    where[0] = "/same"
    assert Patient().client.get(with_secret).body == b"same"
    assert here.asked[-1].headers["authorization"] == here.asked[0].headers["authorization"]


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://x/", "http://a b/"])
def test_a_redirect_out_of_http_is_refused(serve: Serve, location: str) -> None:
    server = serve(lambda asked: reply(status=301, headers={"Location": location}))
    assert Patient().refused(server.url).code == "index-redirect"


def test_a_redirect_from_https_to_http_is_refused(serve: Serve) -> None:
    plain = serve(lambda asked: reply(b"anybody could have written this"))
    server = serve(lambda asked: reply(status=301, headers={"Location": plain.url}), tls=True)
    error = Patient(options=HttpOptions(timeout=5, ca_file=PEM)).refused(server.url)
    assert error.code == "index-redirect"
    assert plain.asked == []


# ---------------------------------------------------------------- who we are


def asks_for(user: str, password: str) -> Callable[[Asked], bytes]:
    from accord.io.http.pool import basic

    right = basic((user, password))

    def answer(asked: Asked) -> bytes:
        if asked.headers.get("authorization") == right:
            return reply(b"welcome")
        return reply(b"who are you?", status=401, headers={"WWW-Authenticate": 'Basic realm="index"'})

    return answer


def test_credentials_of_an_index_serve_its_files_too(serve: Serve) -> None:
    server = serve(asks_for("me", "pä:ss"))
    known = Known(f"{server.url}/simple", "private", ("me", "pä:ss"))
    client = Patient(credentials=Credentials([known], environ={})).client
    assert client.get(f"{server.url}/simple/x/").body == b"welcome"
    assert client.get(f"{server.url}/files/x.whl").body == b"welcome"
    assert len(server.asked) == 2  # known beforehand: nobody had to be refused first


def test_credentials_come_from_the_environment_by_index_name(serve: Serve) -> None:
    server = serve(asks_for("me", "secret"))
    environ = {"UV_INDEX_MY_INDEX_USERNAME": "me", "UV_INDEX_MY_INDEX_PASSWORD": "secret"}
    credentials = Credentials([Known(server.url, "my-index", None)], environ=environ)
    assert Patient(credentials=credentials).client.get(server.url).body == b"welcome"


def test_credentials_come_from_netrc(serve: Serve, tmp_path: Path) -> None:
    server = serve(asks_for("me", "secret"))
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1\nlogin me\npassword secret\n")
    netrc.chmod(0o600)
    credentials = Credentials(environ={"NETRC": str(netrc)})
    assert Patient(credentials=credentials).client.get(server.url).body == b"welcome"


def test_a_broken_netrc_is_noted_and_left_out(serve: Serve, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine\nmachine machine login\n\x00")
    notes: list[str] = []
    credentials = Credentials(environ={"NETRC": str(netrc)}, note=notes.append)
    assert credentials.known("https://index.example/") is None
    assert len(notes) == 1
    assert str(netrc) in notes[0]


def test_what_is_wrong_in_netrc_is_told_without_quoting_it(tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine index.example login me password pass phrase-of-mine\n")
    notes: list[str] = []
    Credentials(environ={"NETRC": str(netrc)}, note=notes.append).known("https://index.example/")
    assert len(notes) == 1
    assert "phrase-of-mine" not in notes[0]
    assert "line" in notes[0]


def test_the_keyring_command_is_asked_once_and_only_after_a_refusal(serve: Serve, tmp_path: Path) -> None:
    server = serve(asks_for("me", "from the ring"))
    program = tmp_path / "keyring"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/log\necho "from the ring"\n')
    program.chmod(0o755)
    credentials = Credentials(
        [Known(f"{server.url}/simple", "mine", None)],
        environ={"PATH": f"{tmp_path}:/bin", "UV_INDEX_MINE_USERNAME": "me"},
        keyring="subprocess",
    )
    client = Patient(credentials=credentials).client
    assert client.get(f"{server.url}/simple/x/").body == b"welcome"
    assert client.get(f"{server.url}/simple/y/").body == b"welcome"
    assert [asked.target for asked in server.asked] == ["/simple/x/", "/simple/x/", "/simple/y/"]
    assert (tmp_path / "log").read_text() == f"get {server.url}/simple me\n"


def test_what_the_keyring_said_serves_a_user_name_in_the_url_too(serve: Serve, tmp_path: Path) -> None:
    server = serve(asks_for("me", "from the ring"))
    program = tmp_path / "keyring"
    program.write_text('#!/bin/sh\necho "from the ring"\n')
    program.chmod(0o755)
    credentials = Credentials(
        [Known(f"{server.url}/simple", None, ("me", ""))],
        environ={"PATH": f"{tmp_path}:/bin"},
        keyring="subprocess",
    )
    client = Patient(credentials=credentials).client
    for _ in range(3):
        assert client.get(f"{server.url}/simple/x/").body == b"welcome"
    assert len(server.asked) == 4  # refused once, not each time


def test_a_keyring_command_without_a_user_name_is_not_asked_and_the_note_says_why(
    serve: Serve, tmp_path: Path
) -> None:
    server = serve(asks_for("me", "from the ring"))
    program = tmp_path / "keyring"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\n")
    program.chmod(0o755)
    notes: list[str] = []
    credentials = Credentials(environ={"PATH": f"{tmp_path}:/bin"}, keyring="subprocess", note=notes.append)
    assert Patient(credentials=credentials).refused(server.url).code == "index-unauthorized"
    assert not (tmp_path / "asked").exists()
    assert any("user name" in note for note in notes), notes


def test_wrong_credentials_are_an_error_without_the_password(serve: Serve) -> None:
    server = serve(asks_for("me", "right"))
    error = Patient().refused(server.url.replace("://", "://me:wrong-secret@") + "/simple/x/")
    assert error.code == "index-unauthorized"
    assert "wrong-secret" not in repr(error.as_dict())
    assert len(server.asked) == 1


def test_no_error_shows_a_password(serve: Serve) -> None:
    silent = serve(lambda asked: None)
    patient = Patient(options=HttpOptions(timeout=5, retries=1))
    error = patient.refused(silent.url.replace("://", "://me:very-secret@"))
    assert error.code == "index-unreachable"
    assert "very-secret" not in repr(error.as_dict()) + repr(patient.notes)


def test_a_line_end_in_a_url_cannot_add_a_header(serve: Serve) -> None:
    server = serve(lambda asked: reply(b"x"))
    with pytest.raises(UsageError) as caught:
        Patient().client.get(f"{server.url}/\r\nX-Evil: 1")
    assert caught.value.code == "url-invalid"
    assert server.asked == []


# ---------------------------------------------------------------- TLS and proxies


def test_an_unknown_certificate_is_refused_at_once_and_a_named_one_trusted(serve: Serve) -> None:
    server = serve(lambda asked: reply(b"safe"), tls=True)
    patient = Patient()
    error = patient.refused(server.url)
    assert (error.code, patient.waits) == ("index-tls", [])
    assert "SSL_CERT_FILE" in (error.hint or "")
    client = Patient(options=HttpOptions(timeout=5, ca_file=PEM)).client
    assert client.get(server.url).body == b"safe"
    assert client.get(server.url).body == b"safe"
    assert server.connections == 2  # the refused one, and one that was kept


def test_a_certificate_for_another_name_is_refused(serve: Serve) -> None:
    server = serve(lambda asked: reply(b"safe"), tls=True)
    error = Patient(options=HttpOptions(timeout=5, ca_file=PEM)).refused(f"https://localhost:{server.port}/")
    assert error.code == "index-tls"


def test_a_trusted_host_is_not_checked_and_others_are(serve: Serve) -> None:
    server = serve(lambda asked: reply(b"believed"), tls=True)
    trusted = HttpOptions(timeout=5, trusted_hosts=(f"127.0.0.1:{server.port}",))
    assert Patient(options=trusted).client.get(server.url).body == b"believed"
    other = HttpOptions(timeout=5, trusted_hosts=(f"127.0.0.1:{server.port + 1}", "index.example"))
    assert Patient(options=other).refused(server.url).code == "index-tls"


def test_a_certificate_file_that_is_missing_or_none_is_named(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda asked: reply(b""), tls=True)
    junk = tmp_path / "junk.pem"
    junk.write_text("not a certificate")
    for path in (str(tmp_path / "missing.pem"), str(junk)):
        error = Patient(options=HttpOptions(timeout=5, ca_file=path)).refused(server.url)
        assert error.code == "tls-file"


def test_https_spoken_to_a_plain_server_says_so(serve: Serve) -> None:
    server = serve(lambda asked: reply(b"plain"))
    patient = Patient(options=HttpOptions(timeout=1, retries=0))
    error = patient.refused(server.url.replace("http:", "https:"))
    assert error.code in {"index-tls", "index-timeout"}


def test_plain_questions_go_through_the_proxy_whole(serve: Serve) -> None:
    proxy = serve(lambda asked: reply(asked.target.encode()))
    environ = {"http_proxy": proxy.url.replace("://", "://p:q@"), "no_proxy": "direct.example"}
    found = Patient(environ=environ).client.get("http://index.example:8080/simple/")
    assert found.body == b"http://index.example:8080/simple/"
    assert proxy.asked[0].headers["host"] == "index.example:8080"
    assert "proxy-authorization" in proxy.asked[0].headers


def test_a_proxy_that_refuses_the_tunnel_is_named(serve: Serve) -> None:
    proxy = serve(lambda asked: reply(status=407, headers={"Connection": "close"}))
    patient = Patient(environ={"HTTPS_PROXY": proxy.url})
    assert patient.refused("https://index.example/").code == "proxy-unauthorized"
    assert (proxy.asked[0].method, proxy.asked[0].target) == ("CONNECT", "index.example:443")


@pytest.mark.parametrize("url", ["http://index.example/", "https://index.example/"])
def test_a_proxy_that_is_not_there_is_named_and_not_the_index(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    error = Patient(environ={"ALL_PROXY": f"http://p:secret@127.0.0.1:{port}"}).refused(url)
    assert error.code == "proxy-unreachable"
    assert f"127.0.0.1:{port}" in error.message
    assert "secret" not in repr(error.message)
    assert "NO_PROXY" in (error.hint or "")


def test_a_tunnel_carries_tls(serve: Serve) -> None:
    """A small forwarding proxy: CONNECT, then bytes both ways."""
    inside = serve(lambda asked: reply(b"through the tunnel"), tls=True)
    listener = socket.create_server(("127.0.0.1", 0))

    def forward() -> None:
        sock, _ = listener.accept()
        sock.recv(65536)
        far = socket.create_connection(("127.0.0.1", inside.port))
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")

        def copy(source: socket.socket, target: socket.socket) -> None:
            while data := source.recv(65536):
                target.sendall(data)
            with contextlib.suppress(OSError):
                target.shutdown(socket.SHUT_WR)

        back = threading.Thread(target=copy, args=(far, sock))
        back.start()
        copy(sock, far)
        back.join()
        sock.close()
        far.close()

    thread = threading.Thread(target=forward)
    thread.start()
    client = Patient(
        options=HttpOptions(timeout=5, ca_file=PEM),
        environ={"https_proxy": f"127.0.0.1:{listener.getsockname()[1]}"},
    ).client
    try:
        assert client.get(inside.url).body == b"through the tunnel"
    finally:
        client.close()
        thread.join(10)
        listener.close()


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "https://127.0.0.1:1"])
def test_a_proxy_of_another_kind_is_refused_in_words(proxy: str) -> None:
    error = Patient(environ={"ALL_PROXY": proxy}).refused("https://index.example/")
    assert error.code == "proxy-unsupported"


def test_a_range_that_is_ignored_is_told_by_its_status(serve: Serve) -> None:
    server = serve(lambda asked: reply(b"everything"))
    found = Patient().client.get(server.url, byte_range=(0, 3))
    assert (found.status, found.body) == (200, b"everything")


def test_statuses_that_mean_absent_are_answers_and_others_are_errors(serve: Serve) -> None:
    for status in (404, 410):
        assert Patient().client.get(serve(in_turn(reply(status=status))).url).absent
    error = Patient().refused(serve(in_turn(reply(status=418))).url)
    assert error.code == "index-unexpected-status"
    assert isinstance(error, RepositoryError)
