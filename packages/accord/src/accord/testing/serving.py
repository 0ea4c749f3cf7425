"""An index in this process or in one of its own, for tests.

:class:`InProcess` calls the application as a web server would (ASGI), without a socket: quick, and the clock stands where
the test puts it.  :class:`Served` is the real thing: ``accord serve`` on a free port, for real clients and for killing.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import quote, unquote, urlsplit

from accord.io.ports import free_port
from accord.server.app import application
from accord.server.front import Front
from accord.server.limits import DEFAULT
from accord.server.observe import Observed
from accord.server.parts import Parts, first_start, open_parts
from accord.server.settings import Settings

__all__ = ["Clock", "InProcess", "Reply", "Served", "basic", "form"]


class Clock:
    """A clock that a test moves: microseconds since 1970."""

    def __init__(self, at: int = 1_790_000_000_000_000) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += int(seconds * 1_000_000)


def basic(token: str) -> dict[str, str]:
    """The header clients send for a token."""
    return {"authorization": "Basic " + base64.b64encode(f"__token__:{token}".encode()).decode()}


def form(fields: Mapping[str, str], filename: str, content: bytes) -> tuple[bytes, str]:
    """``(body, content type)`` of an upload as twine sends it."""
    boundary = "accordaccordaccord"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="{filename}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
    )
    body = b"".join((*parts, content, f"\r\n--{boundary}--\r\n".encode()))
    return body, f"multipart/form-data; boundary={boundary}"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(slots=True)
class InProcess:
    """An index in a folder.  ``token`` is the administrator's."""

    parts: Parts
    token: str
    app: Front
    clock: Clock
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    @classmethod
    def open(cls, folder: str, **options: Any) -> Self:
        clock = Clock()
        limits = options.pop("limits", DEFAULT)
        if limits.audit_seconds == DEFAULT.audit_seconds:
            # Its clock stands still: what happened is entered when the test says so or at the end, not in the middle of a
            # test that takes longer than five seconds on a busy machine.
            limits = replace(limits, audit_seconds=86_400.0)
        parts = open_parts(Settings(folder, limits=limits, **options), now=clock)
        token = first_start(parts)
        return cls(parts, token or "", Front(parts, Observed(application(parts), parts.metrics)), clock)

    def close(self) -> None:
        # What looks for those who wait (the changes feed) ends by itself when nobody does: cancelled, it would leave the thread
        # that asks the database, and with it a connection that nobody closes.
        waiting = asyncio.all_tasks(self._loop)
        if waiting:
            _, late = self._loop.run_until_complete(asyncio.wait(waiting, timeout=30))
            assert not late, late
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
        self.parts.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, target: str, **headers: str) -> Reply:
        """``headers`` are written with underscores: ``accept=...``, ``if_none_match=...``."""
        return self.request("GET", target, {name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, target: str, document: object, *, token: str | None = None, **headers: str) -> Reply:
        """A JSON document, by the administrator unless another token is given."""
        sent = {"content-type": "application/json", **basic(self.token if token is None else token)}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.request("POST", target, sent, json.dumps(document).encode())

    def upload(
        self, filename: str, content: bytes, *, index: str = "", token: str | None = None, **fields: str
    ) -> Reply:
        """A legacy upload."""
        body, content_type = form(
            {":action": "file_upload", "protocol_version": "1", **fields}, filename, content
        )
        headers = {"content-type": content_type, **basic(self.token if token is None else token)}
        return self.request("POST", f"{index and '/' + index}/legacy/", headers, body)

    def request(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Reply:
        return self._loop.run_until_complete(self._call(method, target, headers or {}, body))

    async def _call(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        parts = urlsplit(target)
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(parts.path),
            "raw_path": quote(unquote(parts.path)).encode(),
            "root_path": "",
            "query_string": parts.query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("index.example", 80),
            "extensions": {"http.response.pathsend": {}},
        }
        if b"host" not in dict(scope["headers"]):
            scope["headers"].append((b"host", b"index.example"))
        sent: list[dict[str, Any]] = []
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if waiting:
                return waiting.pop()
            await asyncio.sleep(3600)
            raise AssertionError("nobody waits that long")

        async def send(message: Any) -> None:
            if message["type"] == "http.response.pathsend":
                with open(message["path"], "rb") as file:
                    message = {"type": "http.response.body", "body": file.read()}
            sent.append(message)

        await self.app(scope, receive, send)
        start = next(message for message in sent if message["type"] == "http.response.start")
        found = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
        data = b"".join(
            message.get("body", b"") for message in sent if message["type"] == "http.response.body"
        )
        cookies = (value.decode("latin-1") for name, value in start["headers"] if name == b"set-cookie")
        return Reply(start["status"], found, data, tuple(cookies))


class Served:
    """``accord serve`` in a process of its own, answering at ``url``; a context manager.

    ``kill`` ends all its processes at once (SIGKILL), ``start`` starts it again on the same folder and port.
    """

    def __init__(
        self,
        folder: str,
        *,
        workers: int = 1,
        options: tuple[str, ...] = (),
        prefix: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder
        self.workers = workers
        self.options = options
        self.prefix = prefix  # what runs it: ``bwrap ...``
        self.token = ""
        self.port = free_port()
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        command = [*self.prefix, sys.executable, "-m", "accord", "--json", "serve", "--data", self.folder]
        command += ["--bind", f"127.0.0.1:{self.port}", "--workers", str(self.workers), *self.options]
        log = open(os.path.join(os.path.dirname(self.folder), "serve.log"), "a")  # noqa: SIM115 - the process's
        with log:
            self._process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
            )
        assert self._process.stdout is not None
        document = ""
        while not document.endswith("}\n"):
            line = self._process.stdout.readline()
            assert line, "accord serve ended at once; its log is beside its folder"
            document += line
        self.token = json.loads(document)["token"] or self.token
        self._await()

    def _await(self, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/simple/", timeout=5).close()  # noqa: S310 - our own
                return
            except OSError:
                assert time.monotonic() < end, "accord serve does not answer"
                time.sleep(0.02)

    def upload(self, filename: str, content: bytes, *, token: str | None = None, **fields: str) -> Reply:
        """A legacy upload, as twine sends it."""
        body, content_type = form(
            {":action": "file_upload", "protocol_version": "1", **fields}, filename, content
        )
        headers = {"content-type": content_type, **basic(self.token if token is None else token)}
        return self.request("POST", "/legacy/", headers, body)

    def request(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # refused before all of it was sent
                connection.request(method, target, body, dict(headers or {}))
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, found, answer.read())
        finally:
            connection.close()

    def fsck(self) -> dict[str, Any]:
        """What ``accord index fsck`` has to say of its folder, every file read; it must find no fault."""
        command = [sys.executable, "-m", "accord", "--json", "index", "fsck", "--data", self.folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self) -> int:
        """SIGTERM, and wait; returns the exit status."""
        return self._end(signal.SIGTERM, whole=False)

    def kill(self) -> None:
        """SIGKILL to every process of it, as a power cut would."""
        self._end(signal.SIGKILL, whole=True)

    def _end(self, number: int, *, whole: bool) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        if whole:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        try:
            status = process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        assert process.stdout is not None
        process.stdout.close()
        return status
