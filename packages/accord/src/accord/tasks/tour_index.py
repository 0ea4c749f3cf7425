"""The third part of the tour: an index of one's own.  Three clients publish to it what was built before, three install
from it, each as its users start it.

The server, and the clients that are not Accord, run in an environment that is made for them from a lock with hashes: the
Accord that shows the tour need not have them.  They listen on this machine and write in the scratch folder alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
import tomllib
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.io.ports import free_port
from accord.tasks.tour_steps import Step, end, failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from accord.tasks.tour_steps import Walk

__all__ = ["served", "show_index"]

_HOST = "127.0.0.1"
_ENV = os.path.join("..", "index")
_WHEELS = os.path.join("..", "wheels")
# What a person has set for other indexes is not meant for this one.
_OTHERS = ("PIP_", "TWINE_", "UV_", "ACCORD_PUBLISH_", "ACCORD_INDEX", "ACCORD_EXTRA_", "ACCORD_DEFAULT_")
_READER = """[project]
name = "reader"
version = "0"
requires-python = ">=3.11"
dependencies = ["{name}"]

[[tool.accord.index]]
name = "ours"
url = "{pages}"
default = true
"""


def show_index(walk: Walk, sources: Sequence[str], lock: str) -> None:
    """``walk`` stands in the folder of the project that was built, beside the wheel of Accord's backend.  ``sources`` are
    the folders of Accord's other parts, ``lock`` names what a server and the clients need."""
    install = ("pip", "install", "--env", _ENV)
    walk.step("an environment for an index, and for clients of others", "venv", _ENV)
    walk.step("what they need, each file by its hash", *install, "--require-hashes", "--no-build", "-r", lock)
    walk.step(
        "and Accord, built by its own backend", *install, "--no-deps", "--find-links", _WHEELS, *sources
    )
    with served(walk) as (url, token):
        clients = _Clients(walk, url, _environ(token), *_facts(walk.project))
        versions = clients.publish()
        walk.note(_page(url, clients.name))
        clients.install(versions)


@contextmanager
def served(walk: Walk) -> Iterator[tuple[str, str]]:
    """``(URL, token of the administrator)``; the index ends with the block."""
    port = free_port()
    command = ("serve", "--data", os.path.join("..", "served"), "--bind", f"{_HOST}:{port}", "--workers", "1")
    shown = f"accord {' '.join(command)}"
    begun = time.monotonic()
    log = os.path.join(walk.project, "..", "served.log")
    with open(log, "wb") as errors:
        process = subprocess.Popen(
            [_program(walk, "accord"), *command],
            cwd=walk.project,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    with process:
        try:
            output, token = _first_words(process)
            answer = walk.ask(port, process) if token else None
            if answer is None:
                with open(log, encoding="utf-8", errors="replace") as file:
                    raise failed(shown, output + file.read())
            walk.note(
                Step("start it, and ask it over HTTP", shown, output + answer, time.monotonic() - begun)
            )
            yield f"http://{_HOST}:{port}", token
        finally:
            begun = time.monotonic()
            end(process, walk.limits.answer)
    walk.note(Step("and end it again", "", "", time.monotonic() - begun))


def _first_words(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What it prints until it serves, and the token in it, which is not shown here; ``""`` where none came."""
    assert process.stdout is not None
    output = ""
    for line in process.stdout:
        if line.startswith("token "):
            token = line.split()[1]
            return output + line.replace(token, token[:12] + "..."), token
        output += line
    return output, ""


def _environ(token: str) -> dict[str, str]:
    """Of the clients: their ways to be told the token, and no proxy before this machine."""
    found = {name: value for name, value in os.environ.items() if not name.startswith(_OTHERS)}
    for name in ("NO_PROXY", "no_proxy"):
        found[name] = ",".join(filter(None, (os.environ.get(name), _HOST)))
    found.update(ACCORD_PUBLISH_TOKEN=token, UV_PUBLISH_TOKEN=token)
    found.update(TWINE_USERNAME="__token__", TWINE_PASSWORD=token)
    return found


def _facts(project: str) -> tuple[str, str, str]:
    """The name of the project, of its first script, and its version."""
    with open(os.path.join(project, "pyproject.toml"), "rb") as file:
        table = tomllib.load(file)["project"]
    return table["name"], next(iter(table["scripts"])), table["version"]


def _program(walk: Walk, name: str) -> str:
    return os.path.abspath(os.path.join(walk.project, _ENV, "bin", name))


def _page(url: str, name: str) -> Step:
    """What the index says of the project: the Simple API in JSON (PEP 691)."""
    begun = time.monotonic()
    address = f"{url}/simple/{name}/"
    request = urllib.request.Request(  # noqa: S310 - the index that was just started
        address, headers={"accept": "application/vnd.pypi.simple.v1+json"}
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=30) as answer:
        files = json.load(answer)["files"]
    lines = [f"{file['filename']}  {file['size']} bytes, uploaded {file['upload-time']}" for file in files]
    words = "what its page says now"
    return Step(words, "", "\n".join((f"GET {address}", *lines)), time.monotonic() - begun)


@dataclass(slots=True)
class _Clients:
    """Of the index at ``url``.  ``version`` is the one the project has; it grows as they publish."""

    walk: Walk
    url: str
    environ: Mapping[str, str]
    name: str
    script: str
    version: str

    def publish(self) -> tuple[str, str, str]:
        """Three versions by three clients; returns them."""
        walk, upload = self.walk, f"{self.url}/legacy/"
        first = self.version
        # A wheel for this machine's Linux alone is one of the things the check stops at; this index takes it.
        words = "publish what was built, the whole release at once (--no-check: a wheel for this Linux)"
        walk.step(words, "publish", "--no-check", "--index", upload, *self._built(), environ=self.environ)
        second = self._next()
        options = ("--non-interactive", "--disable-progress-bar", "--repository-url", upload)
        self._other("publish it with twine", "twine", "upload", *options, *self._built())
        third = self._next()
        self._other("publish it with uv", "uv", "publish", "--publish-url", upload, *self._built())
        return first, second, third

    def install(self, versions: tuple[str, str, str]) -> None:
        """By two installers of others, each into a folder of its own; and by Accord in a project that asks for it."""
        pages = f"{self.url}/simple/"
        first, second, third = (f"{self.name}=={version}" for version in versions)
        pip = ["install", "--isolated", "--disable-pip-version-check", "--no-cache-dir", "--index-url", pages]
        self._other("install one with pip", "pip", *pip, "--target", os.path.join("..", "by-pip"), first)
        uv = ["pip", "install", "--no-config", "--no-cache", "--default-index", pages]
        uv += ["--python", _program(self.walk, "python"), "--target", os.path.join("..", "by-uv")]
        self._other("the next with uv", "uv", *uv, second)
        there = self.walk.elsewhere(os.path.join(self.walk.project, "..", "reader"))
        os.mkdir(there.project)
        with open(os.path.join(there.project, "pyproject.toml"), "w", encoding="utf-8") as file:
            file.write(_READER.format(name=third, pages=pages))
        # The port may be one that served another index a while ago.
        there.step("lock a project that asks for the last", "lock", "--refresh", environ=self.environ)
        there.step("and make its environment", "sync", environ=self.environ)
        there.step("run what came from the index", "run", "--frozen", self.script, "pyproject.toml")

    def _next(self) -> str:
        """Give the project its next version, and build it; returns the version."""
        before, path = self.version, os.path.join(self.walk.project, "pyproject.toml")
        start, _, last = before.rpartition(".")
        self.version = f"{start}.{int(last) + 1}"
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(f'version = "{before}"', f'version = "{self.version}"', 1))
        self.walk.step(f"its next version, {self.version}", "build", "--find-links", _WHEELS)
        return self.version

    def _built(self) -> list[str]:
        start = f"{self.name.replace('-', '_')}-{self.version}"
        names = sorted(os.listdir(os.path.join(self.walk.project, "dist")))
        return [
            os.path.join("dist", name) for name in names if name.startswith((f"{start}-", f"{start}.tar"))
        ]

    def _other(self, words: str, program: str, *arguments: str) -> None:
        shown = " ".join((program, *arguments))
        self.walk.program(words, shown, [_program(self.walk, program), *arguments], self.environ)
