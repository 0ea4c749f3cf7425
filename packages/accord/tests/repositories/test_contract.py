"""What every repository promises (``accord.repositories.port``), over the fake and the real things alike."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accord.io.http import Client, HttpOptions
from accord.repositories.http import HttpRepository
from accord.repositories.local import LocalIndex
from accord.repositories.merged import Sources, Stack
from accord.repositories.port import Repository
from accord.testing.indexes import MadeUp, wheel
from accord.testing.loopback import Loopback
from accord_core.errors import RepositoryError
from accord_core.index.model import File

Offer = Callable[[MadeUp], Repository]


@pytest.fixture
def index() -> MadeUp:
    made = MadeUp()
    made.add("spam", *wheel("spam", "1.0", requires=("eggs>=2",)))
    made.add("spam", "spam-1.0.tar.gz", b"not looked into")
    made.add("announced", *wheel("announced", "2.0"), metadata=b"Metadata-Version: 2.4\nName: announced\n")
    return made


@pytest.fixture(params=["memory", "local", "http", "stack"])
def offer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Offer]:
    servers: list[Loopback] = []
    client = Client(HttpOptions(retries=0, timeout=5), environ={})

    def http(index: MadeUp) -> Repository:
        server = Loopback(index.answer).__enter__()
        servers.append(server)
        return HttpRepository(f"{server.url}/simple/", client)

    offers: dict[str, Offer] = {
        "memory": lambda index: index.memory(),
        "local": lambda index: LocalIndex(index.write(str(tmp_path / "index"))),
        "http": http,
        "stack": lambda index: Stack(Sources([MadeUp().memory("memory:empty"), index.memory()])),
    }
    yield offers[request.param]
    client.close()
    for server in servers:
        server.__exit__()


def file_named(repository: Repository, project: str, filename: str) -> File:
    page = repository.page(project, None, None).page
    assert page is not None
    return next(file for file in page.files if file.filename == filename)


def test_a_page_lists_the_files_with_absolute_urls_and_hashes(offer: Offer, index: MadeUp) -> None:
    answer = offer(index).page("spam", None, None)
    assert answer.state == "fresh"
    assert answer.page is not None
    assert [file.filename for file in answer.page.files] == ["spam-1.0-py3-none-any.whl", "spam-1.0.tar.gz"]
    assert all("://" in file.url and ".." not in file.url for file in answer.page.files)
    assert [file.hashes for file in answer.page.files] == [file.hashes for file in index.files["spam"]]


def test_a_missing_project_is_absent_and_no_error(offer: Offer, index: MadeUp) -> None:
    answer = offer(index).page("nothing", None, None)
    assert (answer.state, answer.page) == ("absent", None)


def test_an_unchanged_page_is_not_sent_again(offer: Offer, index: MadeUp) -> None:
    repository = offer(index)
    first = repository.page("spam", None, None)
    second = repository.page("spam", first.etag, first.last_modified)
    # A stack never says "unchanged" (its owner may have changed) and gives no ETag to ask with.
    assert second.state == ("unchanged" if first.etag else "fresh")


def test_a_changed_page_is_fresh_although_an_old_etag_is_sent(offer: Offer, index: MadeUp) -> None:
    repository = offer(index)
    first = repository.page("spam", None, None)
    index.add("spam", *wheel("spam", "1.1"))
    if isinstance(repository, LocalIndex):
        index.write(os.path.dirname(repository.path))
    second = repository.page("spam", first.etag, first.last_modified)
    assert second.state == "fresh"
    assert second.page is not None
    assert len(second.page.files) == 3


def test_metadata_is_read_from_the_wheel(offer: Offer, index: MadeUp) -> None:
    repository = offer(index)
    body = repository.metadata(file_named(repository, "spam", "spam-1.0-py3-none-any.whl"))
    assert body is not None
    assert b"Requires-Dist: eggs>=2" in body


def test_announced_metadata_is_preferred(offer: Offer, index: MadeUp) -> None:
    repository = offer(index)
    file = file_named(repository, "announced", "announced-2.0-py3-none-any.whl")
    assert repository.metadata(file) == b"Metadata-Version: 2.4\nName: announced\n"


def test_announced_metadata_that_differs_from_its_hash_is_refused(offer: Offer, index: MadeUp) -> None:
    index.metadata["announced-2.0-py3-none-any.whl"] = (
        b"Metadata-Version: 2.4\nName: announced\nRequires-Dist: evil\n"
    )
    repository = offer(index)
    file = file_named(repository, "announced", "announced-2.0-py3-none-any.whl")
    with pytest.raises(RepositoryError) as caught:
        repository.metadata(file)
    assert caught.value.code == "hash-mismatch"


def test_an_sdist_has_no_metadata_of_its_own(offer: Offer, index: MadeUp) -> None:
    repository = offer(index)
    assert repository.metadata(file_named(repository, "spam", "spam-1.0.tar.gz")) is None


def test_a_fetched_file_is_whole_and_under_its_name(offer: Offer, index: MadeUp, tmp_path: Path) -> None:
    repository, into, seen = offer(index), tmp_path / "into", list[int]()
    into.mkdir()
    file = file_named(repository, "spam", "spam-1.0-py3-none-any.whl")
    path = repository.fetch(file, str(into), seen.append)
    assert path == str(into / file.filename)
    assert Path(path).read_bytes() == index.contents[file.filename]
    assert sum(seen) == len(index.contents[file.filename])
    assert os.listdir(into) == [file.filename]


def test_a_file_that_differs_from_its_hash_is_refused_and_leaves_nothing(
    offer: Offer, index: MadeUp, tmp_path: Path
) -> None:
    into = tmp_path / "into"
    into.mkdir()
    changed = bytearray(index.contents["spam-1.0-py3-none-any.whl"])
    changed[40] ^= 1
    index.contents["spam-1.0-py3-none-any.whl"] = bytes(changed)
    repository = offer(index)
    file = file_named(repository, "spam", "spam-1.0-py3-none-any.whl")
    with pytest.raises(RepositoryError) as caught:
        repository.fetch(file, str(into), None)
    assert caught.value.code == "hash-mismatch"
    assert os.listdir(into) == []


def test_a_file_that_is_gone_is_a_coded_error(offer: Offer, index: MadeUp, tmp_path: Path) -> None:
    del index.contents["spam-1.0.tar.gz"]
    repository = offer(index)
    file = file_named(repository, "spam", "spam-1.0.tar.gz")
    with pytest.raises(RepositoryError) as caught:
        repository.fetch(file, str(tmp_path), None)
    assert caught.value.code == "file-missing"


def test_the_persons_own_files_are_read_by_any_repository(
    offer: Offer, index: MadeUp, tmp_path: Path
) -> None:
    name, content = wheel("own", "1.0")
    (tmp_path / name).write_bytes(content)
    (tmp_path / "into").mkdir()
    repository, own = offer(index), File(name, (tmp_path / name).as_uri(), {})
    metadata = repository.metadata(own)
    assert metadata is not None
    assert b"Name: own" in metadata
    assert Path(repository.fetch(own, str(tmp_path / "into"), None)).read_bytes() == content


def test_a_project_status_comes_through(offer: Offer, index: MadeUp) -> None:
    index.status["spam"] = ("archived", "moved to eggs")
    page = offer(index).page("spam", None, None).page
    assert page is not None
    assert (page.status, page.status_reason) == ("archived", "moved to eggs")
