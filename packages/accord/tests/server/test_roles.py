"""Roles: what each lets do, who gives them, and what is left of them afterwards."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from sqlalchemy import insert

from accord.server.catalogue import indexes
from accord.server.catalogue.publishing import project_turn
from accord.server.database import tables
from accord.testing.people import call, give, hide, person, put

if TYPE_CHECKING:
    from accord.testing.serving import InProcess


def held(index: InProcess, place: str) -> set[tuple[str, str]]:
    name, _, project = place.partition("/")
    path = f"/api/indexes/{name}" + (f"/projects/{project}" if project else "")
    return {(one["user"], one["role"]) for one in call(index, "GET", f"{path}/roles").json()["roles"]}


def test_whoever_uploads_a_new_project_owns_it(index: InProcess) -> None:
    ada = person(index, "ada")
    give(index, "main", "ada", "uploader")
    assert put(index, token=ada).status == 200
    assert held(index, "main/spam") == {("ada", "owner")}
    # An uploader who is not the owner administers nothing.
    ben = person(index, "ben")
    give(index, "main", "ben", "uploader")
    assert put(index, version="2.0", token=ben).status == 200
    refused = call(index, "PUT", "/api/indexes/main/projects/spam/roles/ben", {"role": "owner"}, ben)
    assert refused.status == 403


def test_an_index_says_who_makes_projects(index: InProcess) -> None:
    tokens = {name: person(index, name) for name in ("boss", "up", "reader", "nobody")}
    for name, role in (("boss", "admin"), ("up", "uploader"), ("reader", "reader")):
        give(index, "main", name, role)
    may = {
        "admins": {"boss"},
        "uploaders": {"boss", "up"},
        "users": {"boss", "up", "reader", "nobody"},
    }
    for creators, allowed in may.items():
        call(index, "PATCH", "/api/indexes/main", {"creators": creators})
        for name, token in tokens.items():
            status = put(index, f"{creators}-by-{name}".replace("-", "_"), token=token).status
            assert (status == 200) == (name in allowed), (creators, name, status)
    # To make projects is not to upload to those of others.
    put(index, "taken")
    assert put(index, "taken", "2.0", token=tokens["nobody"]).status == 403


def test_each_role_in_a_project_does_what_it_says_and_no_more(index: InProcess) -> None:
    put(index)
    put(index, "eggs")
    for role, uploads, manages in (("owner", 200, 200), ("maintainer", 200, 403), ("reader", 403, 403)):
        token = person(index, role)
        give(index, "main/spam", role, role)
        assert put(index, version=f"1.{len(role)}", token=token).status == uploads, role
        assert call(index, "GET", "/api/indexes/main/projects/spam/roles", None, token).status == manages
        assert put(index, "eggs", "2.0", token=token).status == 403
        assert call(index, "GET", "/api/indexes/main/roles", None, token).status == 403
    for place, role in (("main", "owner"), ("main/spam", "uploader"), ("main/spam", "king")):
        name, _, project = place.partition("/")
        path = f"/api/indexes/{name}" + (f"/projects/{project}" if project else "")
        refused = call(index, "PUT", f"{path}/roles/owner", {"role": role})
        assert (refused.status, refused.json()["code"]) == (400, "role-unknown")


def test_a_role_that_is_revoked_ends_at_once(index: InProcess) -> None:
    put(index)
    ada = person(index, "ada")
    give(index, "main/spam", "ada", "maintainer")
    assert put(index, version="1.1", token=ada).status == 200
    assert call(index, "DELETE", "/api/indexes/main/projects/spam/roles/ada").status == 204
    assert put(index, version="1.2", token=ada).status == 403
    assert call(index, "DELETE", "/api/indexes/main/projects/spam/roles/ada").json()["code"] == "no-such-role"


def test_a_project_keeps_an_owner(index: InProcess) -> None:
    ada = person(index, "ada")
    give(index, "main", "ada", "uploader")
    put(index, token=ada)
    path = "/api/indexes/main/projects/spam/roles/ada"
    assert call(index, "DELETE", path, None, ada).json()["code"] == "last-owner"
    assert call(index, "PUT", path, {"role": "reader"}, ada).json()["code"] == "last-owner"
    assert call(index, "DELETE", path).status == 204  # by the administrator of the server


def test_tob_pypi26_13_nobody_keeps_a_role_in_a_project_that_was_transferred(index: InProcess) -> None:
    ada, ben = person(index, "ada"), person(index, "ben")
    give(index, "main", "ada", "uploader")
    put(index, token=ada)
    give(index, "main/spam", "ben", "maintainer")
    call(index, "DELETE", "/api/indexes/main/roles/ada")
    person(index, "cleo")
    moved = call(index, "POST", "/api/indexes/main/projects/spam/transfer", {"user": "cleo"}, ada)
    assert moved.status == 201
    assert held(index, "main/spam") == {("cleo", "owner")}
    for token in (ada, ben):
        assert put(index, version="6.6", token=token).status == 403
    hide(index, "main/spam")
    hidden, missing = (put(index, name, version="6.7", token=ada) for name in ("spam", "nothing"))
    assert (hidden.status, hidden.body) == (missing.status, missing.body) == (403, hidden.body)


def test_two_people_cannot_make_one_new_project_at_the_same_time(index: InProcess) -> None:
    call(index, "PATCH", "/api/indexes/main", {"creators": "users"})
    ben = person(index, "ben")
    found: list[int] = []
    uploading = threading.Thread(target=lambda: found.append(put(index, token=ben).status))
    with index.parts.database.write("user:admin") as writing:
        here = indexes.index_named(writing.connection, "main")
        writing.turn(project_turn(here, "spam"))  # on SQLite the block itself is that turn
        uploading.start()
        time.sleep(0.3)  # ben may: there is no such project; now he waits for his turn to write
        writing.connection.execute(
            insert(tables.project).values(
                index_id=1, name="spam", display="spam", look_alike="spam", created=0, serial=0
            )
        )
    uploading.join()
    assert found == [403]
    assert held(index, "main/spam") == set()
