"""A tool that is a server: started once for a file of cases, asked over HTTP, stopped with them.

An adapter's ``settings`` say how, in a role that is served:

    prepare = [[...], ...]    commands run first, in their order
    serve = [...]             the server itself; {port} is free, {server} a folder of its own
    after = [[...], ...]      commands run once it answers at {ready}
    ready simple upload sessions    addresses; sessions only where Upload 2.0 is spoken
    user password             of who may upload; password may be a pattern with one group, matched with what the server printed (password_said = true)
    reader = [[...], ...]     commands; the last word of the last is the password of one who may only read.  Run when somebody asks as him; so are
    colleague newcomer        that of one who may upload to every project (verbs let-in, shut-out), and of one who may make projects of his own
    attestations = true       it takes attestations; those who do not look at them are not asked about them.  Where it asks who issued a certificate, ``serve`` gives it
                              attested/roots.json: whom it is to trust
    provenance = true         it passes them on
    wants = "own_json"        a value of the case that the tool cannot do without: where it is missing the tool is not asked
    each = true               a server for each case: its values ({index} and such) are in the commands; a case may want one to which nothing was uploaded anyhow (``fresh``)

A request with ``http`` (method, url, headers, body in base64, as, needs, settle) is one over HTTP; names in braces are the addresses;
after 202 the URL ``settle`` is looked at until it is no longer processing (Upload 2.0); one without a URL is refused: there is nobody to ask;
``needs`` is json, html, attestations, provenance, or an API version such as 1.1: a server without is not asked.  Other verbs are commands; so is ``upload`` where the adapter has one
(a server of what lies in a folder: the command puts the file at {path} there).
"""

from __future__ import annotations

import base64
import http.client
import json
import random
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from accord_conformance.errors import SuiteError
from accord_conformance.leftovers import remove
from accord_conformance.processes import LIMITS, Limits, end, run, start
from accord_conformance.protocol import Answer, Commands, Request, fill

__all__ = ["Got", "Served", "fetch"]

_STARTING_SECONDS = 90.0
_SETTLING_SECONDS = 2  # the longest pause between two looks
_PORTS = range(20_000, 32_000)
_PEOPLE = ("reader", "colleague", "newcomer")


@dataclass(frozen=True, slots=True)
class Got:
    """An HTTP answer, redirects not followed; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def fetch(
    url: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    limits: Limits = LIMITS,
) -> Got:
    """One request; OSError when there is no answer."""
    parts, ends = urlsplit(url), time.monotonic() + limits.seconds
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=limits.seconds)
    try:
        connection.request(
            method,
            (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
            body,
            dict(headers or {}),
        )
        answer = connection.getresponse()
        said = {name.lower(): value for name, value in answer.getheaders()}
        kept = b""
        # A server that gives a byte now and then is never silent for long, and never done.
        while len(kept) < limits.output_bytes and (block := answer.read1(65536)):
            kept += block
            if time.monotonic() > ends:
                raise TimeoutError(url)
        return Got(answer.status, said, kept[: limits.output_bytes])
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


def _minor(body: bytes) -> int:
    """The minor API version of a JSON page; 0 where none is told."""
    try:
        return int(json.loads(body)["meta"]["api-version"].partition(".")[2])
    except (ValueError, KeyError, TypeError, AttributeError):
        return 0


class Served:
    """A player for a server."""

    def __init__(
        self,
        commands: Commands,
        values: Mapping[str, Any],
        settings: Mapping[str, Any],
        environment: Mapping[str, str],
        limits: Limits = LIMITS,
    ) -> None:
        self._limits = limits
        self._commands = commands
        self._values = dict(values)
        self._settings = settings
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._for: Path | None = None  # the case it was last asked for
        self._places: dict[str, Any] = {}
        self._speaks_json: bool | None = None
        self._speaks_html: bool | None = None
        self._changed = False  # something was asked of it that was more than looking, and it did it

    def ask(self, request: Request) -> Answer:
        not_asked = self._not_asked(request)
        if not_asked:
            return Answer("unsupported", message=not_asked)
        own = self._settings.get("each") or (request.values.get("fresh") and self._changed)
        if self._process is None or (own and self._for != request.folder):
            self.close()
            self._start(request)
        self._for = request.folder
        http_request = request.values.get("http")
        if http_request is None or self._commands.knows(request.do):
            self._changed = True
            return self._commands.ask(
                Request(request.do, {**request.values, **self._places}, request.folder, request.environment)
            )
        return self._http(http_request, request)

    def _not_asked(self, request: Request) -> str:
        """Why the tool has no function for this, as the adapter has it; "" if it has."""
        wanted = self._settings.get("wants", "")
        if wanted and wanted not in request.values:
            return f"upstream has no {wanted} here, and the tool reads nothing else"
        if self._commands.knows(request.do) and "http" in request.values and "path" not in request.values:
            return "this is about the request itself, and the tool takes none"
        return ""

    def _http(self, asked: Mapping[str, Any], request: Request) -> Answer:
        url = self._placed(asked["url"])
        if not url:
            return Answer("refused", message="no address was given for this")
        if "{" in url:
            return Answer("unsupported", message=f"the adapter has no address {url}")
        needs = asked.get("needs", "")
        if needs in ("attestations", "provenance"):
            if not self._settings.get(needs):
                return Answer("unsupported", message=f"the server has nothing to do with {needs}")
            needs = ""
        if needs == "html":
            if not self._html():
                return Answer("unsupported", message="the server has no pages in HTML")
            needs = ""
        if needs and not self._json():
            return Answer("unsupported", message="the server has no pages in JSON")
        headers = {name: self._placed(value) for name, value in asked["headers"].items()}
        who = asked.get("as", "")
        if who in _PEOPLE and not self._comes(who, request):
            return Answer("unsupported", message=f"the adapter has no {who}")
        if who == "uploader" or who in _PEOPLE:
            names = ("user", "password" if who == "uploader" else who)
            pair = ":".join(str(self._places.get(name, "")) for name in names)
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        elif who == "stranger":
            headers["Authorization"] = "Basic " + base64.b64encode(b"__token__:no-such-token").decode()
        body = self._filled(base64.b64decode(asked["body"])) if asked.get("body") else None
        commands = ((asked["method"], url),)
        try:
            got = fetch(url, asked["method"], headers, body, self._limits)
        except TimeoutError:
            return Answer("hung", commands=commands)
        except OSError as error:
            return Answer("refused", message=f"no answer: {error}", untidy=True, commands=commands)
        if got.status == 202 and asked.get("settle"):
            self._settle(asked["settle"], headers)
        kind = got.headers.get("content-type", "")
        if (
            needs not in ("", "json")
            and got.status == 200
            and _minor(got.body) < int(needs.partition(".")[2])
        ):
            return Answer(
                "unsupported", message=f"the server speaks a version before {needs}", commands=commands
            )
        value = {"status": got.status, "type": kind}
        extra = {"status": got.status, "headers": dict(got.headers), "body": got.body, "url": url}
        extra["authorization"] = headers.get("Authorization", "")
        message = got.body[: LIMITS.message_characters].decode("utf-8", "replace")
        outcome = "done" if got.status < 400 else "refused"
        self._changed = self._changed or (outcome == "done" and asked["method"] not in ("GET", "HEAD"))
        return Answer(
            outcome, value, f"HTTP {got.status} {kind}\n{message}", got.status >= 500, commands, extra
        )

    def _settle(self, url: str, headers: Mapping[str, str]) -> None:
        """Waits, as the server asks for it, until what it works on is decided."""
        said = {name: value for name, value in headers.items() if name != "Content-Type"}
        ends = time.monotonic() + self._limits.seconds
        while time.monotonic() < ends:
            try:
                got = fetch(url, headers=said, limits=self._limits)
                if json.loads(got.body)["status"] != "processing":
                    return
            except (OSError, ValueError, KeyError, TypeError):
                return  # the next step says what is wrong
            wanted = got.headers.get("retry-after", "")
            time.sleep(min(int(wanted), _SETTLING_SECONDS) if wanted.isdecimal() else 0.1)

    def _comes(self, who: str, request: Request) -> bool:
        """Whether there is such a person; made when first wanted."""
        if who not in self._places and who in self._settings:
            said = ""
            for template in self._settings[who]:
                values = {**self._values, **self._places}
                said = self._command(fill(template, values), self._surroundings(request))
            self._places[who] = said.split()[-1]
        return who in self._places

    def _surroundings(self, request: Request) -> dict[str, str]:
        """The variables of the server's own commands: nothing of a case's folder, which goes before it does."""
        said = {**request.environment, **self._environment, "HOME": str(self._folder)}
        return {name: text for name, text in said.items() if name != "TMPDIR"}

    def _json(self) -> bool:
        """Whether the server has JSON at all: no server has to."""
        if self._speaks_json is None:
            found = fetch(
                str(self._places["simple"]), headers={"Accept": "application/vnd.pypi.simple.v1+json"}
            )
            self._speaks_json = "json" in found.headers.get("content-type", "")
        return self._speaks_json

    def _html(self) -> bool:
        """Whether the server has HTML: no server has to, and one without gives its default or 406."""
        if self._speaks_html is None:
            found = fetch(str(self._places["simple"]), headers={"Accept": "text/html"})
            self._speaks_html = found.status != 406 and "json" not in found.headers.get("content-type", "")
        return self._speaks_html

    def _placed(self, text: str) -> str:
        for name, value in self._places.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    def _filled(self, body: bytes) -> bytes:
        for name, value in self._places.items():
            body = body.replace(f"{{{name}}}".encode(), str(value).encode())
        return body

    def _start(self, request: Request) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="conformance-server-")).resolve()
        self._changed = False
        self._for = request.folder
        port = _free_port()
        scene = {name: value for name, value in request.values.items() if isinstance(value, str)}
        values: dict[str, Any] = {**scene, **self._values, "port": port, "server": str(self._folder)}
        environment = self._surroundings(request)
        for template in self._settings.get("prepare", ()):
            self._command(fill(template, values), environment)
        output = self._folder / "output"
        with open(output, "wb") as kept:
            self._process = start(
                fill(self._settings["serve"], values), environment, self._folder, stdout=kept, stderr=kept
            )
        named = ("simple", "upload", "sessions", "user", "password")
        places = {
            name: fill([self._settings[name]], values)[0]
            for name in named
            if name in self._settings and name != "password"
        }
        if "password" in self._settings and not self._settings.get("password_said"):
            places["password"] = self._settings["password"]
        self._wait(fill([self._settings["ready"]], values)[0], output)
        if self._settings.get("password_said"):
            said = re.search(self._settings["password"], output.read_text("utf-8", "replace"))
            if said is None:
                raise SuiteError("adapter", "the server did not print the password")
            places["password"] = said[1]
        for template in self._settings.get("after", ()):
            self._command(fill(template, {**values, **places}), environment)
        self._places = {**places, "server": str(self._folder), "port": port}

    def _wait(self, url: str, output: Path) -> None:
        assert self._process is not None
        ends = time.monotonic() + _STARTING_SECONDS
        while time.monotonic() < ends and self._process.poll() is None:
            try:
                if fetch(url).status < 500:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        said = output.read_text("utf-8", "replace")[-2000:]
        self.close()
        raise SuiteError("adapter", f"the server does not answer at {url}: {said}")

    def _command(self, arguments: list[str], environment: Mapping[str, str]) -> str:
        assert self._folder is not None
        code, said, wrong = run(arguments, self._folder, environment)
        if code != 0:
            words = (wrong + said).decode("utf-8", "replace")[-2000:]
            self.close()
            raise SuiteError("adapter", f"{' '.join(arguments)}: {words}")
        return said.decode("utf-8", "replace")

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            end(process)
        folder, self._folder = self._folder, None
        if folder is not None:
            remove(folder)


def _free_port() -> int:
    """One of those that no system gives to whoever asks for any: a connection could have it before the server listens."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:  # somebody has it
            continue
        return port
