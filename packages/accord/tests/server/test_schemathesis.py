"""Schemathesis on the OpenAPI document, and what it cannot see.

Schemathesis makes requests of the document, good and bad ones, and holds every answer against it: no fault of the server
(5xx), no status, content type or body that is not described, nothing accepted that the document forbids and nothing
refused that it allows, no method besides those described, nothing done without the token.  It runs as people run it, as a
program against ``accord serve``, and always makes the same requests.

It finds out little of an empty server: so there is a project with releases, files that wait in quarantine, a user, a second index and a
token, and most requests name those.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from accord.server.app import application
from accord.testing.serving import InProcess, Reply, Served, basic
from accord.testing.uploading import make_release

# So many requests from one address are nobody's attack here, and no password is worth a second of two processors.
LIMITS = {
    **dict.fromkeys(("failed_per_address", "failed_per_credential", "uploads_per_token"), 10_000_000),
    **dict.fromkeys(("searches_per_address", "projects_per_user"), 10_000_000),
    "password_rounds": 1,
    "password_memory_kib": 64,
    "long_polls": 0,
}
DICTIONARIES = {
    "index": ["main", "team"],
    "project": ["spam"],
    "version": ["1.0", "2.0"],
    "filename": ["spam-1.0.tar.gz", "spam-2.0-py3-none-any.whl"],
    "held": ["eggs-1.0-py3-none-any.whl", "eggs-1.0.tar.gz", "ham-1.0.tar.gz"],
    "user": ["ada", "ben", "admin"],
    "prefix": ["acme", "spam"],
}


def config(token: str) -> str:
    """What most requests name; a token is one that may be revoked."""
    lines = ["warnings = false", "[dictionaries]"]
    lines += [f"{name} = {{ values = {json.dumps(values)} }}" for name, values in DICTIONARIES.items()]
    lines.append(f"token = {{ values = [{json.dumps(token)}] }}")
    lines.append("[parameters]")
    bound = {f"path.{name}": name for name in ("index", "project", "version", "user", "prefix", "token")}
    bound |= {"path.filename": "held", "body.owner": "user", "body.user": "user"}
    lines += map(binding, bound.items())
    # Not where a status is set: words of a dictionary are put in whether they fit the other members or not.
    for word in ("yank", "unyank", "withdraw", "restore", "promote"):
        lines += ["[[operations]]", f'include-path = "/api/indexes/{{index}}/projects/{{project}}/{word}"']
        lines.append("[operations.parameters]")
        lines += map(
            binding, {"body.version": "version", "body.filename": "filename", "body.from": "index"}.items()
        )
    return "\n".join(lines) + "\n"


def binding(one: tuple[str, str]) -> str:
    return f'"{one[0]}" = {{ dictionary = "{one[1]}", probability = 0.8 }}'


def closed(schema: Any) -> Any:
    """The document, with every record of an answer closed: a member that is not described is a fault."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(value) for name, value in schema.items()}
    if "required" in found and "properties" in found:
        found["additionalProperties"] = False
    return found


def described(document: dict[str, Any]) -> dict[str, Any]:
    for operations in document["paths"].values():
        for operation in operations.values():
            for answer in operation["responses"].values():
                for content in answer.get("content", {}).values():
                    content["schema"] = closed(content["schema"])
    return document


class World:
    """A server with something in it.  ``headers`` are its administrator's."""

    def __init__(self, served: Served, folder: Path) -> None:
        self.served = served
        self.folder = folder
        self.headers = {"content-type": "application/json", **basic(served.token)}
        self.call("POST", "/api/users", {"name": "ada"})
        self.call("POST", "/api/users", {"name": "ben"})
        self.call("POST", "/api/indexes", {"name": "team", "bases": ["main"]})
        self.upload("spam", "1.0", "2.0")
        self.call("PATCH", "/api/indexes/main/policy", {"quarantine": "new-projects"})
        self.upload("eggs", "1.0")
        self.upload("ham", "1.0")
        self.token: str = self.call("POST", "/api/tokens", {"name": "n", "user": "ada"}).json()["id"]

    def call(self, method: str, path: str, document: object = None) -> Reply:
        body = None if document is None else json.dumps(document).encode()
        answer = self.served.request(method, path, self.headers, body)
        assert answer.status < 300, answer.text
        return answer

    def upload(self, name: str, *versions: str) -> None:
        for version in versions:
            for path in make_release(self.folder, name, version):
                assert self.served.upload(path.name, path.read_bytes()).status in (200, 202), path

    def schemathesis(self, *arguments: str) -> None:
        document = described(self.served.request("GET", "/openapi.json").json())
        (self.folder / "openapi.json").write_text(json.dumps(document))
        (self.folder / "schemathesis.toml").write_text(config(self.token))
        command = [
            str(Path(sys.executable).parent / "schemathesis"),
            "--no-color",
            "run",
            str(self.folder / "openapi.json"),
        ]
        command += ["--url", self.served.url, "--generation-deterministic", "--continue-on-failure"]
        command += ["--max-examples", "10", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        log = (self.folder / "serve.log").read_text()
        assert done.returncode == 0, f"{done.stdout[-20_000:]}\n{done.stderr}\n{log[-5_000:]}"
        assert "Traceback" not in log


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """On SQLite and on PostgreSQL, which takes other texts."""
    with served(tmp_path, database_url) as found:
        yield World(found, tmp_path)


def served(folder: Path, database: str = "") -> Served:
    options = [word for name, number in LIMITS.items() for word in ("--limit", f"{name}={number}")]
    if database:
        options += ["--database", database]
    return Served(str(folder / "data"), options=tuple(options))


@pytest.mark.slow
def test_schemathesis_finds_nothing_with_an_administrators_token(world: World) -> None:
    world.schemathesis("--header", f"Authorization: Bearer {world.served.token}")


@pytest.mark.slow
def test_schemathesis_finds_nothing_without_a_token(tmp_path: Path) -> None:
    with served(tmp_path) as found:
        World(found, tmp_path).schemathesis("--phases", "coverage")


def test_every_route_of_the_api_is_described(index: InProcess) -> None:
    """What is not in the document Schemathesis never asks for."""
    paths = index.get("/openapi.json").json()["paths"]
    found = {
        (route.path, method)
        for route in application(index.parts).routes
        if isinstance(route, Route) and route.path.startswith("/api/")
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert len(found) > 30
    bare = [
        (path, method)
        for path, methods in paths.items()
        for method, operation in methods.items()
        for answer in operation["responses"].values()
        for kind, content in answer.get("content", {}).items()
        if kind == "application/json" and "properties" not in content["schema"]
    ]
    assert bare == [], "what they answer is not described"
    assert found == {
        (path, method.upper())
        for path, methods in paths.items()
        if path.startswith("/api/")
        for method in methods
    }
