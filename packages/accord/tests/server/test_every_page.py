"""Whatever happens to several indexes, in whatever order: what the shelf gives is what the database says, and what an index
said at a serial it says there for ever, but for what was withdrawn."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from accord.server.front import Front
from accord.server.limits import DEFAULT
from accord.server.parts import Parts, open_parts
from accord.testing.people import call, person, wheel
from accord.testing.serving import InProcess

if TYPE_CHECKING:
    from pathlib import Path

JSON = "application/vnd.pypi.simple.v1+json"
INDEXES = ("main", "dev", "team", "lab")
PROJECTS = ("spam", "eggs", "ham")
VERSIONS = ("1.0", "2.0", "3.0")
PATHS = tuple(
    f"/{index}/simple/{project}" for index in INDEXES for project in ("", *(f"{name}/" for name in PROJECTS))
)


class World:
    """Indexes to which random things happen; ``done`` tells which of them were granted."""

    def __init__(self, index: InProcess, seed: int) -> None:
        self.index = index
        self.dice = random.Random(seed)
        self.done: dict[str, int] = {}
        self.withdrawn = (self._project(), "1.0")  # lately
        for name, bases in (("dev", []), ("team", ["dev", "main"]), ("lab", ["team"])):
            assert call(index, "POST", "/api/indexes", {"name": name, "bases": bases}).status == 201
        person(index, "ada")

    def step(self) -> None:
        what = self.dice.choice(
            ("upload",) * 6
            + ("yank", "unyank", "status", "release_status", "withdraw", "restore", "promote", "promote")
            + ("bases", "mix", "private", "visibility", "namespace", "role", "sweep")
        )
        status = getattr(self, what)()
        assert status < 500, what
        if status < 300:
            self.done[what] = self.done.get(what, 0) + 1
        self.index.clock.forward(self.dice.choice((0, 1, 3600, DEFAULT.restore_seconds)))

    def _project(self) -> str:
        index, project = self.dice.choice(INDEXES), self.dice.choice(PROJECTS)
        return f"/api/indexes/{index}/projects/{project}"

    def _post(self, what: str, **document: Any) -> int:
        return call(self.index, "POST", f"{self._project()}/{what}", document).status

    def _put(self, path: str, **document: Any) -> int:
        return call(self.index, "PUT", path, document).status

    def upload(self) -> int:
        file = wheel(self.dice.choice(PROJECTS), self.dice.choice(VERSIONS))
        return self.index.upload(*file, index=self.dice.choice(INDEXES)).status

    def yank(self) -> int:
        return self._post("yank", version=self.dice.choice(VERSIONS), reason=self.dice.choice(("", "a", "b")))

    def unyank(self) -> int:
        return self._post("unyank", version=self.dice.choice(VERSIONS))

    def status(self) -> int:
        status = self.dice.choice(("active", "active", "archived", "deprecated", "quarantined"))
        return self._put(f"{self._project()}/status", status=status, reason=self.dice.choice(("", "r")))

    def release_status(self) -> int:
        status = self.dice.choice(("active", "quarantined"))
        return self._put(f"{self._project()}/status", status=status, version=self.dice.choice(VERSIONS))

    def withdraw(self) -> int:
        cause = self.dice.choice(("legal", "safety"))
        self.withdrawn = (self._project(), self.dice.choice(VERSIONS))
        path, version = self.withdrawn
        document = {"version": version, "cause": cause, "reason": "x"}
        return call(self.index, "POST", f"{path}/withdraw", document).status

    def restore(self) -> int:
        path, version = self.withdrawn
        return call(self.index, "POST", f"{path}/restore", {"version": version}).status

    def promote(self) -> int:
        source = self.dice.choice(INDEXES)
        return self._post("promote", version=self.dice.choice(VERSIONS), **{"from": source})

    def bases(self) -> int:
        index, count = self.dice.choice(INDEXES), self.dice.randrange(3)
        return self._put(f"/api/indexes/{index}/stack", bases=self.dice.sample(INDEXES, count))

    def mix(self) -> int:
        mix = self.dice.sample(PROJECTS, self.dice.randrange(2))
        return self._put(f"/api/indexes/{self.dice.choice(INDEXES)}/stack", mix=mix)

    def private(self) -> int:
        private = self.dice.random() < 0.3
        return call(self.index, "PATCH", self._project(), {"private": private}).status

    def visibility(self) -> int:
        path, public = f"/api/indexes/{self.dice.choice(INDEXES)}", self.dice.random() < 0.7
        return call(self.index, "PATCH", path, {"public": public}).status

    def namespace(self) -> int:
        path = f"/api/indexes/{self.dice.choice(INDEXES)}/namespaces/{self.dice.choice(PROJECTS)}"
        if self.dice.random() < 0.5:
            return call(self.index, "DELETE", path).status
        return self._put(path, owner=self.dice.choice(("ada", "admin")))

    def role(self) -> int:
        return self._put(f"{self._project()}/roles/ada", role=self.dice.choice(("owner", "reader")))

    def sweep(self) -> int:
        from accord.server.catalogue import life

        parts = self.index.parts
        return 200 if life.sweep(parts.database, parts.storage, DEFAULT) else 304


def told(index: InProcess, path: str) -> tuple[int, bytes]:
    found = index.get(path, accept=JSON)
    return found.status, found.body


def without(body: bytes, gone: set[tuple[str, str]]) -> Any:
    """A page, but for the files that were withdrawn, in whatever index, and what only today is asked of."""
    document = json.loads(body)
    for key in ("namespaces", "_withdrawn"):
        document.pop(key, None)
    if "files" in document:
        digests = {digest for _, digest in gone}
        document["files"] = [file for file in document["files"] if file["hashes"]["sha256"] not in digests]
    return document


def fresh(parts: Parts) -> InProcess:
    """The same database without anything remembered."""
    from accord.server.app import application
    from accord.testing.serving import Clock

    return InProcess(parts, "", Front(parts, application(parts)), Clock(parts.now()))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_shelf_says_what_the_database_says_after_every_change(tmp_path: Path, seed: int) -> None:
    with InProcess.open(str(tmp_path / "data")) as index:
        world = World(index, seed)
        for number in range(60):
            world.step()
            # Twice: once made or found, once found.
            for path in PATHS:
                told(index, path)
            shelf = {path: told(index, path) for path in PATHS}
            again = fresh(open_parts(index.parts.settings, now=index.clock))
            try:
                made = {path: told(again, path) for path in PATHS}
            finally:
                again.close()
            assert shelf == made, f"step {number} of seed {seed}"
        assert sum(world.done.values()) > 20, world.done


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_each_state_says_for_ever_what_it_said(tmp_path: Path, seed: int) -> None:
    with InProcess.open(str(tmp_path / "data")) as index:
        world = World(index, 1000 + seed)
        # Who may read is asked of today, so everything stays public here.
        world.private = world.visibility = world.upload  # type: ignore[method-assign]
        states: dict[int, dict[str, tuple[int, bytes]]] = {}
        gone: set[tuple[str, str]] = set()
        for _ in range(50):
            world.step()
            states[index.parts.database.serial()] = {path: told(index, path) for path in PATHS}
        gone = held_back(index)
        for serial, pages in states.items():
            for path, (status, body) in pages.items():
                _, name, rest = path.split("/", 2)
                then = told(index, f"/{name}/@{serial}/{rest}")
                assert then[0] == status, (serial, path)
                if status == 200:
                    assert without(then[1], gone) == without(body, gone), (serial, path)


def held_back(index: InProcess) -> set[tuple[str, str]]:
    """``(index, digest)`` of the files that are withdrawn or in quarantine at the end."""
    from sqlalchemy import or_, select

    from accord.server.database import tables

    with index.parts.database.read() as connection:
        rows = connection.execute(
            select(tables.index.c.name, tables.file.c.sha256)
            .join(tables.file, tables.file.c.index_id == tables.index.c.id)
            .join(tables.release, tables.release.c.id == tables.file.c.release_id)
            .join(tables.project, tables.project.c.id == tables.file.c.project_id)
            .where(
                or_(
                    tables.file.c.state != "live",
                    tables.project.c.status == "quarantined",
                    tables.release.c.status == "quarantined",
                )
            )
        )
        return {(row[0], row[1]) for row in rows}
