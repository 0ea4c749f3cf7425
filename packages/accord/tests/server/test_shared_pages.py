"""Pages that not everybody gets are made once for all who see the same, and for nobody else."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from accord.server.pages.shelf import Place
from accord.testing.attestations import attestation
from accord.testing.people import call, give, hide, person, put, wheel
from accord.testing.serving import InProcess, Reply, basic

JSON = "application/vnd.pypi.simple.v1+json"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[InProcess]:
    with InProcess.open(str(tmp_path / "data")) as found:
        yield found


def held(index: InProcess) -> dict[str | Place, int]:
    """The very pages that lie there; a page that was made again is another."""
    return {place: id(page) for place, page in index.parts.shelf._pages.items()}


def make(index: InProcess, name: str, *bases: str, **options: Any) -> None:
    done = call(index, "POST", "/api/indexes", {"name": name, "bases": list(bases), **options})
    assert done.status == 201, done.text


def read(index: InProcess, path: str, token: str = "", **headers: str) -> Reply:
    return index.request("GET", path, {"accept": JSON, **(basic(token) if token else {}), **headers})


def test_a_private_page_is_made_once_for_all_who_may_read_it(index: InProcess) -> None:
    make(index, "team", public=False)
    put(index, to="team")
    readers = [person(index, name) for name in ("ada", "ben")]
    for name in ("ada", "ben"):
        give(index, "team", name, "reader")
    for path in ("/team/simple/spam/", "/team/simple/"):
        pages = [read(index, path, readers[0])]
        there = held(index)
        pages += [read(index, path, token) for token in readers * 2]
        assert held(index) == there
        assert {page.status for page in pages} == {200}
        assert len({page.body for page in pages}) == 1
        assert {page.headers["cache-control"] for page in pages} == {"private, no-cache"}
        assert not any("access-control-allow-origin" in page.headers for page in pages)
        assert read(index, path).status == 401
    put(index, version="2.0", to="team")
    assert len(read(index, "/team/simple/spam/", readers[0]).json()["files"]) == 2


def test_whoever_may_not_read_any_more_gets_nothing_though_the_page_is_there(index: InProcess) -> None:
    make(index, "team", public=False)
    put(index, to="team")
    ada, ben = person(index, "ada"), person(index, "ben")
    give(index, "team", "ada", "reader")
    give(index, "team", "ben", "reader")
    for path in ("/team/simple/spam/", "/team/simple/", "/team/pypi/spam/json"):
        assert read(index, path, ada).status == 200
    assert call(index, "DELETE", "/api/indexes/team/roles/ada").status in (200, 204)
    for path in ("/team/simple/spam/", "/team/simple/", "/team/pypi/spam/json"):
        assert read(index, path, ben).status == 200
        assert read(index, path, ada).status in (403, 404)
        assert read(index, path).status == 401


def test_no_path_leads_to_a_page_that_lies_there_for_some(index: InProcess) -> None:
    """A place is no path: whoever asks for a path that is spelt like one gets nothing."""
    make(index, "team", public=False)
    put(index, to="team")
    for path in ("/team/simple/spam/", "/team/simple/", "/team/pypi/spam/json"):
        assert read(index, path, index.token).status == 200
    places = [place for place in index.parts.shelf._pages if isinstance(place, Place)]
    assert len(places) == 3
    for place in places:
        for seen in (place.seen, str(place.seen), ""):
            for path in (
                repr(place),
                f"{place.path}\0{seen}",
                f"{place.path}{seen}",
                f"{place.path}%00{seen}",
            ):
                found = read(index, "/" + quote(path.lstrip("/")))
                assert found.status in (301, 401, 404), path
                assert b"spam-1.0" not in found.body


def test_two_readers_never_get_each_other_s_pages(index: InProcess) -> None:
    """Whatever lies on the shelf, everybody gets what a server that keeps nothing says."""
    chance = random.Random(4)
    make(index, "company", public=False)
    make(index, "team", "company", "main", public=False)
    make(index, "open", "company", "main")
    for to in ("", "company", "team"):
        for project in ("spam", "eggs"):
            version = {"": "1.0", "company": "2.0", "team": "3.0"}[to]
            if (to, project) != ("team", "eggs"):
                put(index, project, version, to=to)
    assert call(index, "PUT", "/api/indexes/team/stack", {"mix": ["eggs", "spam"]}).status == 200
    tokens = {"": "", "admin": index.token}
    for name in ("ada", "ben", "cleo", "dan"):
        tokens[name] = person(index, name)
    for name in ("ada", "ben", "cleo"):
        give(index, "team", name, "reader")
    for name in ("ada", "cleo"):
        give(index, "company", name, "reader")
    hide(index, "company/spam")
    give(index, "company/spam", "ada", "reader")
    paths = [
        f"/{of}/{rest}"
        for of in ("team", "company", "open", "main")
        for rest in ("simple/", "simple/spam/", "simple/eggs/", "pypi/eggs/json", "pypi/spam/json")
    ]
    shelf = index.parts.shelf
    fresh: dict[tuple[str, str], Reply] = {}
    for path in paths:
        for name, token in tokens.items():
            for place in tuple(shelf._pages):
                shelf._take(place)
            fresh[path, name] = read(index, path, token)
    assert len({found.body for found in fresh.values()}) > 12  # they do see different things
    for _ in range(1_000):
        path, name = chance.choice(paths), chance.choice(list(tokens))
        found, expected = read(index, path, tokens[name]), fresh[path, name]
        assert (found.status, found.body) == (expected.status, expected.body), (path, name)
        assert found.headers.get("cache-control") == expected.headers.get("cache-control")
    assert any(isinstance(place, Place) for place in shelf._pages)


def test_a_page_with_provenance_is_made_once_for_each_address_and_for_a_few(index: InProcess) -> None:
    name, content = wheel()
    attestations = json.dumps([attestation(name, content)])
    assert index.upload(name, content, attestations=attestations).status == 200
    there: list[dict[str | Place, int]] = []
    for _ in range(2):
        for host in ("localhost", "127.0.0.1"):
            page = read(index, "/simple/spam/", host=host)
            assert page.json()["files"][0]["provenance"].startswith(f"http://{host}/integrity/")
            assert page.headers["cache-control"] == "private, no-cache"
        there.append(held(index))
    assert there[0] == there[1]
    assert len(there[0]) == 2
    for port in range(1, 30):  # addresses are of the client's choosing
        assert read(index, "/simple/spam/", host=f"localhost:{port}").status == 200
    assert len(index.parts.shelf._pages) == 8
    put(index, version="2.0")
    read(index, "/simple/spam/", host="localhost")
    assert len(index.parts.shelf._pages) == 1
    assert sum(len(paths) for paths in index.parts.shelf._places.values()) == 1
