"""Several indexes as one: whose a name is, and whose files join in."""

from __future__ import annotations

from pathlib import Path

import pytest

from accord.io.http import Client, HttpOptions
from accord.repositories.linkpage import LinkPage
from accord.repositories.local import FindLinks
from accord.repositories.merged import Sources, Stack
from accord.repositories.port import Answer
from accord.testing.indexes import MadeUp, MemoryRepository, wheel
from accord.testing.loopback import Loopback, reply
from accord_core.errors import AccordError, RepositoryError


def index(key: str, **versions: str) -> MemoryRepository:
    made = MadeUp()
    for project, version in versions.items():
        made.add(project, *wheel(project, version))
    return made.memory(key)


def versions(answer: Answer) -> list[str]:
    assert answer.page is not None
    return [file.filename.split("-")[1] for file in answer.page.files]


def test_a_name_belongs_to_the_first_index_that_has_it_even_if_another_has_more() -> None:
    first, second = index("a", spam="1.0"), index("b", spam="2.0", eggs="3.0")
    stack = Stack(Sources([first, second]))
    assert versions(stack.page("spam", None, None)) == ["1.0"]
    assert versions(stack.page("eggs", None, None)) == ["3.0"]
    assert second.asked == [("page", "eggs")]
    assert stack.page("ham", None, None).state == "absent"


def test_an_assigned_name_is_asked_of_its_index_alone() -> None:
    public, private = index("public", spam="9.9"), index("private", eggs="1.0")
    sources = Sources([public], named={"private": private}, assignments={"spam": "private"})
    assert [each.key for each in sources.order("spam")] == ["private"]
    # spam is not on its index: somebody's spam on the public one is no answer
    assert Stack(sources).page("spam", None, None).state == "absent"
    assert public.asked == []


def test_an_explicit_index_serves_only_what_is_assigned_to_it() -> None:
    public, explicit = index("public"), index("explicit", spam="1.0", eggs="1.0")
    sources = Sources([public], named={"x": explicit}, assignments={"spam": "x"})
    assert [each.key for each in sources.order("eggs")] == ["public"]
    assert versions(Stack(sources).page("spam", None, None)) == ["1.0"]


def test_an_assignment_to_an_unknown_index_is_refused() -> None:
    with pytest.raises(AccordError) as caught:
        Sources([], assignments={"spam": "x"})
    assert caught.value.code == "index-unknown"


def test_an_index_that_fails_is_no_index_that_lacks_the_name() -> None:
    """Going on to the next index would hand the name to whoever makes the first one fail."""
    second = index("second", spam="6.6.6")
    client = Client(HttpOptions(retries=0, timeout=5), environ={})
    from accord.repositories.http import HttpRepository

    with client, Loopback(lambda asked: reply(status=503)) as server:
        stack = Stack(Sources([HttpRepository(server.url, client), second]))
        with pytest.raises(RepositoryError) as caught:
            stack.page("spam", None, None)
    assert caught.value.code == "index-server-error"
    assert second.asked == []


def test_the_persons_own_files_join_the_owners_page_or_stand_alone(tmp_path: Path) -> None:
    for name, version in (("spam", "2.0"), ("ham", "1.0")):
        filename, content = wheel(name, version)
        (tmp_path / filename).write_bytes(content)
    stack = Stack(Sources([index("a", spam="1.0")], folders=[FindLinks(str(tmp_path))]))
    page = stack.page("spam", None, None)
    assert versions(page) == ["1.0", "2.0"]
    assert versions(stack.page("ham", None, None)) == ["1.0"]
    assert page.page is not None
    for file in page.page.files:
        metadata = stack.metadata(file)
        assert metadata is not None
        assert b"Name: spam" in metadata


def test_of_two_files_with_one_name_the_index_own_counts(tmp_path: Path) -> None:
    filename, content = wheel("spam", "1.0")
    (tmp_path / filename).write_bytes(content + b"not the published one")
    page = (
        Stack(Sources([index("a", spam="1.0")], folders=[FindLinks(str(tmp_path))]))
        .page("spam", None, None)
        .page
    )
    assert page is not None
    (file,) = page.files
    assert file.sha256 is not None


def test_without_an_index_the_folders_are_asked_and_counted_once(tmp_path: Path) -> None:
    filename, content = wheel("spam", "1.0")
    (tmp_path / filename).write_bytes(content)
    sources = Sources([], folders=[FindLinks(str(tmp_path))])
    assert sources.order("spam") == ()
    assert [file.filename for file in sources.overlay("spam")] == [filename]
    assert versions(Stack(sources).page("spam", None, None)) == ["1.0"]


def test_without_an_index_the_files_of_all_folders_are_candidates_together(tmp_path: Path) -> None:
    """As pip and uv have it: a folder is no index, so none of them owns a name."""
    folders = []
    for number in ("1.0", "9.0", "1.1"):
        folder = tmp_path / number
        folder.mkdir()
        filename, content = wheel("spam", number)
        (folder / filename).write_bytes(content)
        folders.append(FindLinks(str(folder)))
    assert versions(Stack(Sources([], folders=folders)).page("spam", None, None)) == ["1.0", "9.0", "1.1"]


def test_a_quarantined_project_is_not_offered() -> None:
    """PEP 792: installers SHOULD NOT offer a quarantined project's files."""
    made = MadeUp(status={"spam": ("quarantined", "malware")})
    made.add("spam", *wheel("spam", "1.0"))
    with pytest.raises(RepositoryError) as caught:
        Stack(Sources([made.memory("a")])).page("spam", None, None)
    assert (caught.value.code, caught.value.context) == ("project-quarantined", ("malware",))


def test_a_page_of_links_is_read_once_and_left_out_offline() -> None:
    name, content = wheel("torch", "2.0+cpu")
    links = f'<a href="whl/{name}">x</a><a href="whl/other-1.0-py3-none-any.whl">y</a>'.encode()
    notes: list[str] = []
    with (
        Loopback(lambda asked: reply(content if asked.target.endswith("whl") else links)) as server,
        Client(HttpOptions(timeout=5), environ={}) as client,
        Client(HttpOptions(offline=True), environ={}, note=notes.append) as offline,
    ):
        page = LinkPage(f"{server.url}/links.html", client)
        stack = Stack(Sources([index("a", torch="1.0")], folders=[page]))
        assert versions(stack.page("torch", None, None)) == ["1.0", "2.0+cpu"]
        assert len(page.files("other")) == 1
        assert len(server.asked) == 1
        assert LinkPage(f"{server.url}/links.html", offline).files("torch") == ()
        assert len(server.asked) == 1
    assert "left out" in notes[0]


def test_a_page_of_links_that_is_not_there_is_an_error() -> None:
    with (
        Loopback(lambda asked: reply(status=404)) as server,
        Client(environ={}) as client,
        pytest.raises(RepositoryError) as caught,
    ):
        LinkPage(server.url, client).files("spam")
    assert caught.value.code == "find-links-missing"
