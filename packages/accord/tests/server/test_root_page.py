"""The list of all projects: what its making may cost, and that it never lies about what it knows."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import insert, update

from accord.server.catalogue import indexes
from accord.server.database import tables
from accord.server.pages import roots
from accord.server.pages.roots import Roots
from accord.testing.serving import InProcess

JSON = "application/vnd.pypi.simple.v1+json"


def _project(index: InProcess, name: str, action: str = "create-project", **values: Any) -> int:
    with index.parts.database.write("system") as writing:
        writing.connection.execute(
            insert(tables.project).values(
                index_id=1, name=name, display=name, look_alike=name, created=1, serial=0, **values
            )
        )
        writing.changed(1, action, project=name)
    return writing.serial


def _root(index: InProcess, lists: Roots) -> tuple[dict[str, Any], int]:
    with index.parts.database.read() as connection:
        root = lists.root(connection, indexes.index_named(connection, "main"))
    import json

    return json.loads(root.page.forms[JSON, ""].body), root.serial


@pytest.fixture
def costly(monkeypatch: pytest.MonkeyPatch) -> Roots:
    """Lists whose allowance is spent by the first."""
    monkeypatch.setattr(roots, "_ADVANCE", 0.0)
    monkeypatch.setattr(roots, "_SHARE", 0.0)
    return Roots(max_age=60, packed=True)


def test_a_small_list_is_new_after_every_change(index: InProcess) -> None:
    for number in range(30):
        serial = _project(index, f"p{number}")
        document = index.get("/simple/", accept=JSON).json()
        assert len(document["projects"]) == number + 1
        assert document["meta"]["_last-serial"] == serial


def test_a_list_is_made_once_for_each_change_however_many_ask(index: InProcess) -> None:
    lists = Roots(max_age=60, packed=True)
    for number in range(200):
        _project(index, f"p{number}")
    threads = [threading.Thread(target=_root, args=(index, lists)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _root(index, lists)
    assert lists.made == 1


def test_where_the_allowance_is_spent_the_former_list_is_given_out_and_says_its_serial(
    index: InProcess, costly: Roots
) -> None:
    serial = _project(index, "first")
    _root(index, costly)
    _project(index, "second")
    document, told = _root(index, costly)
    assert [project["name"] for project in document["projects"]] == ["first"]
    assert document["meta"]["_last-serial"] == told == serial
    assert document["projects"][0]["_last-serial"] == serial
    assert costly.made == 1


def test_it_is_made_anew_when_the_allowance_is_earned_again(
    index: InProcess, costly: Roots, monkeypatch: pytest.MonkeyPatch
) -> None:
    _project(index, "first")
    _root(index, costly)
    serial = _project(index, "second")
    monkeypatch.setattr(roots, "_SHARE", 1e9)
    assert _root(index, costly)[1] == serial


@pytest.mark.parametrize("action", ["private", "withdraw", "status", "remove-project"])
def test_what_must_not_be_seen_any_more_is_gone_at_once_whatever_the_list_costs(
    index: InProcess, costly: Roots, action: str
) -> None:
    _project(index, "secret")
    _root(index, costly)
    with index.parts.database.write("system") as writing:
        writing.connection.execute(update(tables.project).values(private=True))
        writing.changed(1, action, project="secret")
    document, told = _root(index, costly)
    assert document["projects"] == []
    assert told == writing.serial


def test_a_list_that_is_behind_is_never_put_on_the_shelf_as_if_it_were_not(
    index: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    _project(index, "first")
    index.get("/simple/", accept=JSON)
    monkeypatch.setattr(roots, "_ADVANCE", 0.0)
    monkeypatch.setattr(roots, "_SHARE", 0.0)
    _project(index, "second")
    behind = index.get("/simple/", accept=JSON)
    assert len(behind.json()["projects"]) == 1
    assert behind.headers["x-pypi-last-serial"] == str(behind.json()["meta"]["_last-serial"])
    assert index.parts.shelf.find("/simple/") is None
    monkeypatch.setattr(roots, "_SHARE", 1e9)
    assert len(index.get("/simple/", accept=JSON).json()["projects"]) == 2
