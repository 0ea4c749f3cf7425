"""What the application promises, asked over HTTP as a browser or a program would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from notes_web.app import DEPENDENCIES, create_app
from notes_web.notes import LONGEST, Notebook
from starlette.testclient import TestClient


@pytest.fixture
def client() -> Iterator[TestClient]:
    notebook = Notebook()
    with TestClient(create_app(notebook)) as client:
        yield client
    notebook.close()


def test_the_page_starts_empty(client: TestClient) -> None:
    assert "Nothing yet." in client.get("/").text


def test_a_note_from_the_form_is_on_the_page_and_in_the_api(client: TestClient) -> None:
    page = client.post("/", data={"text": "buy <b>bread</b>"})
    assert "buy &lt;b&gt;bread&lt;/b&gt;" in page.text
    assert [note["text"] for note in client.get("/api/notes").json()] == ["buy <b>bread</b>"]


def test_notes_come_newest_first_and_can_be_removed(client: TestClient) -> None:
    first = client.post("/api/notes", json={"text": "first"})
    assert first.status_code == 201
    client.post("/api/notes", json={"text": "second"})
    assert [note["text"] for note in client.get("/api/notes").json()] == ["second", "first"]
    place = f"/api/notes/{first.json()['id']}"
    assert client.delete(place).status_code == 204
    assert client.delete(place).status_code == 404
    assert [note["text"] for note in client.get("/api/notes").json()] == ["second"]


@pytest.mark.parametrize("body", [b"{}", b"[]", b"no json", b'{"text": "  "}'])
def test_what_is_no_note_is_refused_with_a_reason(client: TestClient, body: bytes) -> None:
    answer = client.post("/api/notes", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_the_longest_note_fits_and_one_more_character_does_not(client: TestClient) -> None:
    assert client.post("/api/notes", json={"text": "x" * LONGEST}).status_code == 201
    assert client.post("/api/notes", json={"text": "x" * (LONGEST + 1)}).status_code == 400


def test_notes_in_a_file_outlive_the_process(tmp_path: Path) -> None:
    path = str(tmp_path / "notes.db")
    first = Notebook(path)
    first.add("still here")
    first.close()
    second = Notebook(path)
    assert [note.text for note in second.all()] == ["still here"]
    second.close()


def test_about_names_every_dependency(client: TestClient) -> None:
    assert set(client.get("/api/about").json()["dependencies"]) == set(DEPENDENCIES)
