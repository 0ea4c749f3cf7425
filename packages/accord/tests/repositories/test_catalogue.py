"""The catalogue: what a resolve asks of whom, what it remembers, and what it does when it cannot ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from accord.io.http import Client, HttpOptions
from accord.repositories.http import HttpRepository
from accord.repositories.local import FindLinks, LocalIndex
from accord.repositories.merged import Sources
from accord.testing.indexes import wheel
from accord.testing.loopback import Loopback
from accord.testing.shops import Shop, counted, target
from accord_core.errors import RepositoryError
from accord_core.index.model import File

PAGE_LIFE = 600


def small_world(shop: Shop) -> None:
    shop.release("app", "1.0", "lib>=1")
    shop.release("app", "2.0", "lib>=2")
    for version in ("1.0", "2.0", "2.1"):
        shop.release("lib", version)


SOLVED = {"app": "2.0", "lib": "2.1"}


# ---------------------------------------------------------------- what is asked


def test_a_cold_resolve_asks_once_for_each_page_and_for_the_metadata_of_what_it_chooses(shop: Shop) -> None:
    small_world(shop)
    repository = shop.repository()
    assert shop.resolve("app", repository=repository) == SOLVED
    assert sorted(repository.asked) == [
        ("metadata", "app-2.0-py3-none-any.whl"),
        ("metadata", "lib-2.1-py3-none-any.whl"),
        ("page", "app"),
        ("page", "lib"),
    ]


def test_a_second_resolve_while_the_pages_hold_asks_nothing(shop: Shop) -> None:
    small_world(shop)
    shop.resolve("app")
    shop.now += PAGE_LIFE - 1
    repository = shop.repository()
    assert shop.resolve("app", repository=repository) == SOLVED
    assert repository.asked == []


def test_pages_that_no_longer_hold_are_asked_for_with_their_etag_and_metadata_are_kept(shop: Shop) -> None:
    small_world(shop)
    shop.resolve("app")
    shop.now += PAGE_LIFE
    repository = shop.repository()
    assert shop.resolve("app", repository=repository) == SOLVED
    assert counted(repository.asked) == {"page": 2, "unchanged": 2}
    shop.now += PAGE_LIFE - 1
    again = shop.repository()
    assert shop.resolve("app", repository=again) == SOLVED
    assert again.asked == []


def test_a_page_that_changed_is_read_anew_and_only_new_metadata_is_asked_for(shop: Shop) -> None:
    small_world(shop)
    shop.resolve("app")
    shop.now += PAGE_LIFE
    shop.release("lib", "3.0")
    repository = shop.repository()
    assert shop.resolve("app", repository=repository) == {"app": "2.0", "lib": "3.0"}
    assert [asked for asked in repository.asked if asked[0] == "metadata"] == [
        ("metadata", "lib-3.0-py3-none-any.whl")
    ]


def test_refresh_asks_although_the_page_holds(shop: Shop) -> None:
    small_world(shop)
    shop.resolve("app")
    shop.release("lib", "3.0")
    assert shop.resolve("app")["lib"] == "2.1"
    assert shop.resolve("app", refresh=True)["lib"] == "3.0"


def test_another_target_asks_for_no_page_and_no_metadata_again(shop: Shop) -> None:
    small_world(shop)
    shop.resolve("app")
    repository = shop.repository()
    assert shop.resolve("app", repository=repository, on=target("3.9.1")) == SOLVED
    assert repository.asked == []


def test_markers_are_decided_for_each_target(shop: Shop) -> None:
    shop.release("app", "1.0", "old ; python_version < '3.10'", "new ; python_version >= '3.10'")
    shop.release("old", "1.0")
    shop.release("new", "1.0")
    for _ in range(2):
        assert shop.resolve("app") == {"app": "1.0", "new": "1.0"}
        assert shop.resolve("app", on=target("3.9.1")) == {"app": "1.0", "old": "1.0"}


def test_a_name_that_is_absent_is_remembered_until_the_answer_expires(shop: Shop) -> None:
    repository = shop.repository()
    assert shop.refused("ghost", repository=repository).code == "unknown-project"
    assert shop.refused("ghost", repository=repository).code == "unknown-project"
    assert repository.asked == [("page", "ghost")]
    shop.release("ghost", "1.0")
    shop.now += PAGE_LIFE
    assert shop.resolve("ghost", repository=repository) == {"ghost": "1.0"}


def test_a_local_index_is_asked_each_time_and_needs_no_memory(shop: Shop, tmp_path: Path) -> None:
    shop.index.add("app", *wheel("app", "1.0"))
    folder = shop.index.write(str(tmp_path / "index"))
    assert shop.resolve("app", repository=LocalIndex(folder)) == {"app": "1.0"}
    shop.index.add("app", *wheel("app", "2.0"))
    shop.index.write(str(tmp_path / "index"))
    assert shop.resolve("app", repository=LocalIndex(folder), offline=True) == {"app": "2.0"}


def test_the_metadata_of_a_file_that_was_replaced_is_thrown_away(shop: Shop) -> None:
    """Private indexes let people upload a file again under its name."""
    shop.release("app", "1.0", "lib")
    shop.release("lib", "1.0")
    shop.release("other", "1.0")
    assert shop.resolve("app") == {"app": "1.0", "lib": "1.0"}
    shop.index.files["app"].clear()
    shop.release("app", "1.0", "other", content=b"another wheel")
    shop.now += PAGE_LIFE
    assert shop.resolve("app") == {"app": "1.0", "other": "1.0"}


def test_metadata_are_asked_of_the_wheel_the_target_would_get(shop: Shop) -> None:
    for tag in ("cp311-cp311-manylinux_2_17_x86_64", "cp312-cp312-manylinux_2_17_x86_64", "py3-none-any"):
        shop.release("app", "1.0", tag=tag)
    repository = shop.repository()
    shop.resolve("app", repository=repository)
    assert ("metadata", "app-1.0-cp312-cp312-manylinux_2_17_x86_64.whl") in repository.asked
    assert shop.catalogue.metadata_digest("app", "1.0") is not None


def test_announced_metadata_are_preferred_to_reading_a_better_wheel(shop: Shop) -> None:
    shop.release("app", "1.0", tag="cp312-cp312-manylinux_2_17_x86_64", announced=False)
    shop.release("app", "1.0", tag="py3-none-any")
    repository = shop.repository()
    shop.resolve("app", repository=repository)
    assert ("metadata", "app-1.0-py3-none-any.whl") in repository.asked


# ---------------------------------------------------------------- sdists


def test_an_sdist_is_asked_about_only_where_no_wheel_can_tell(shop: Shop) -> None:
    shop.sdist("app", "1.0")
    shop.release("lib", "1.0")
    asked = []

    def built(_: object, file: File) -> bytes:
        asked.append(file.filename)
        return b"Metadata-Version: 2.1\nName: app\nVersion: 1.0\nRequires-Dist: lib\n"

    assert shop.resolve("app", sdist_metadata=built) == {"app": "1.0", "lib": "1.0"}
    assert asked == ["app-1.0.tar.gz"]
    # and it is remembered like any other
    assert shop.resolve("app") == {"app": "1.0", "lib": "1.0"}


def test_a_wheel_of_the_same_python_for_another_system_tells_what_an_sdist_needs(shop: Shop) -> None:
    """Building gssapi or mysqlclient only to learn what they need takes headers that few machines have."""
    shop.release("app", "1.0", "lib", tag="cp312-cp312-win_amd64")
    shop.release("app", "1.0", "wrong", tag="cp39-cp39-win_amd64")
    shop.sdist("app", "1.0")
    shop.release("lib", "1.0")
    assert shop.resolve("app") == {"app": "1.0", "lib": "1.0"}


def test_a_wheel_for_another_python_tells_nothing_of_an_sdist(shop: Shop) -> None:
    shop.release("app", "1.0", tag="cp39-cp39-win_amd64")
    shop.sdist("app", "1.0")
    asked = []

    def built(_: object, file: File) -> bytes:
        asked.append(file.filename)
        return b"Metadata-Version: 2.1\nName: app\nVersion: 1.0\n"

    assert shop.resolve("app", sdist_metadata=built) == {"app": "1.0"}
    assert asked == ["app-1.0.tar.gz"]


def test_a_version_that_cannot_be_built_is_passed_over_and_said_to_be_the_reason_if_nothing_is_left(
    shop: Shop,
) -> None:
    from accord_core.errors import BuildError

    def built(_: object, file: File) -> bytes:
        raise BuildError("build-failed", f"{file.filename} did not build")

    shop.release("app", "1.0")
    shop.sdist("app", "2.0")
    assert shop.resolve("app", sdist_metadata=built) == {"app": "1.0"}
    failure = shop.refused("app>=2", sdist_metadata=built)
    assert failure.code == "build-failed"
    assert "app-2.0.tar.gz did not build" in failure.message
    assert failure.hint


def test_nothing_is_built_that_the_solver_did_not_ask_for(shop: Shop) -> None:
    """Versions that may come next are read ahead, but building runs code of strangers."""
    built: list[str] = []

    def build(_: object, file: File) -> bytes:
        version = file.filename.removeprefix("app-").removesuffix(".tar.gz")
        built.append(version)
        needs = "Requires-Dist: lib>=9\n" if int(version) > 4 else ""
        return f"Metadata-Version: 2.1\nName: app\nVersion: {version}\n{needs}".encode()

    shop.release("lib", "1.0")
    for version in range(1, 16):
        shop.sdist("app", str(version))
    assert shop.resolve("app", sdist_metadata=build) == {"app": "4"}
    assert sorted(map(int, built)) == list(range(4, 16))


@pytest.mark.parametrize("code", ["offline", "disk-full", "interrupted"])
def test_a_failure_of_the_machine_is_never_taken_for_one_of_a_version(shop: Shop, code: str) -> None:
    """An older version because the disk was full would be a wrong answer that looks right."""
    from accord_core.errors import BuildError

    def built(_: object, file: File) -> bytes:
        raise BuildError(code, "not now")

    shop.release("app", "1.0")
    shop.sdist("app", "2.0")
    with pytest.raises(BuildError) as caught:
        shop.resolve("app", sdist_metadata=built)
    assert caught.value.code == code


# ---------------------------------------------------------------- several sources


def shops(tmp_path: Path, *names: str) -> list[Shop]:
    return [Shop(str(tmp_path / name)) for name in names]


def test_a_name_belongs_to_the_first_index_that_has_it_even_if_another_has_more(
    shop: Shop, tmp_path: Path
) -> None:
    first, second = shops(tmp_path, "first", "second")
    first.release("spam", "1.0", "eggs")
    second.release("spam", "9.0")
    second.release("eggs", "1.0")
    here, there = first.repository("https://first.example"), second.repository("https://second.example")
    for _ in range(2):
        assert shop.resolve("spam", sources=Sources([here, there])) == {"eggs": "1.0", "spam": "1.0"}
    assert ("page", "spam") not in there.asked
    assert counted(here.asked) == {"page": 2, "metadata": 1}
    assert shop.catalogue.owner("eggs") is there
    # the other order is another answer, although both pages are on the shelf
    assert shop.resolve("spam", sources=Sources([there, here])) == {"spam": "9.0"}


def test_an_index_that_lost_a_name_hands_it_on_when_its_answer_expires(shop: Shop, tmp_path: Path) -> None:
    first, second = shops(tmp_path, "first", "second")
    first.release("spam", "1.0")
    second.release("spam", "9.0")
    sources = Sources(
        [first.repository("https://first.example"), second.repository("https://second.example")]
    )
    assert shop.resolve("spam", sources=sources) == {"spam": "1.0"}
    del first.index.files["spam"]
    assert shop.resolve("spam", sources=sources) == {"spam": "1.0"}
    shop.now += PAGE_LIFE
    assert shop.resolve("spam", sources=sources, refresh=True) == {"spam": "9.0"}


def test_an_assigned_name_is_asked_of_its_index_alone(shop: Shop, tmp_path: Path) -> None:
    public, private = shops(tmp_path, "public", "private")
    public.release("spam", "9.0")
    private.release("spam", "1.0")
    here, there = public.repository("https://public.example"), private.repository("https://private.example")
    sources = Sources([here], named={"private": there}, assignments={"spam": "private"})
    assert shop.resolve("spam", sources=sources) == {"spam": "1.0"}
    assert here.asked == []


def test_the_persons_own_files_join_the_page_of_the_owner(shop: Shop, tmp_path: Path) -> None:
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name, version in (("app", "2.0"), ("mine", "0.1")):
        filename, content = wheel(name, version)
        (folder / filename).write_bytes(content)
    shop.release("app", "1.0")
    shop.release("app", "3.0")
    sources = Sources([shop.repository()], folders=[FindLinks(str(folder))])
    for _ in range(2):
        assert shop.resolve("app<3", "mine", sources=sources) == {"app": "2.0", "mine": "0.1"}
        assert shop.resolve("app", sources=sources) == {"app": "3.0"}
    # they are this person's of today, and not remembered as part of the page
    assert shop.resolve("app<3") == {"app": "1.0"}


def test_a_file_that_is_on_the_page_and_in_the_folder_is_the_pages(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "app-1.0-py3-none-any.whl").write_bytes(b"not even a wheel")
    shop.release("app", "1.0")
    sources = Sources([shop.repository()], folders=[FindLinks(str(tmp_path))])
    assert shop.resolve("app", sources=sources) == {"app": "1.0"}
    (file,) = shop.catalogue.files("app", "1.0")
    assert file.hashes


# ---------------------------------------------------------------- offline


def test_offline_takes_pages_however_old(shop: Shop) -> None:
    small_world(shop)
    shop.resolve("app")
    shop.now += 1_000 * PAGE_LIFE
    repository = shop.repository()
    assert shop.resolve("app", repository=repository, offline=True) == SOLVED
    assert repository.asked == []


def test_offline_with_nothing_on_the_shelf_is_a_coded_error(shop: Shop) -> None:
    client = Client(HttpOptions(offline=True), environ={})
    with client, pytest.raises(RepositoryError) as caught:
        shop.resolve("app", repository=HttpRepository("https://index.example/simple", client), offline=True)
    assert caught.value.code == "offline"
    assert caught.value.hint


def test_over_http_a_resolve_costs_what_it_costs_in_memory(shop: Shop) -> None:
    for name, requires in (("app", ("lib",)), ("lib", ())):
        filename, content = wheel(name, "1.0", requires=requires)
        shop.index.add(name, filename, content, metadata=metadata_of(name, requires))
    client = Client(HttpOptions(retries=0, timeout=5), environ={})
    with client, Loopback(shop.index.answer) as server:
        repository = HttpRepository(f"{server.url}/simple/", client, now=lambda: shop.now)
        assert shop.resolve("app", repository=repository) == {"app": "1.0", "lib": "1.0"}
        assert sorted(asked.target for asked in server.asked) == [
            "/files/app-1.0-py3-none-any.whl.metadata",
            "/files/lib-1.0-py3-none-any.whl.metadata",
            "/simple/app/",
            "/simple/lib/",
        ]
        server.asked.clear()
        assert shop.resolve("app", repository=repository) == {"app": "1.0", "lib": "1.0"}
        assert server.asked == []
        shop.now += PAGE_LIFE + 1
        assert shop.resolve("app", repository=repository) == {"app": "1.0", "lib": "1.0"}
        assert sorted(asked.target for asked in server.asked) == ["/simple/app/", "/simple/lib/"]
        assert all("if-none-match" in asked.headers for asked in server.asked)


def metadata_of(name: str, requires: tuple[str, ...]) -> bytes:
    lines = [f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0"]
    return "\n".join([*lines, *(f"Requires-Dist: {one}" for one in requires), ""]).encode()


def test_an_index_that_fails_fails_the_resolve_and_no_other_version_is_taken_quietly(shop: Shop) -> None:
    shop.release("app", "1.0")
    shop.release("app", "2.0", metadata=b"the index lies")
    shop.index.metadata["app-2.0-py3-none-any.whl"] = b"about this file"
    with pytest.raises(RepositoryError) as caught:
        shop.resolve("app")
    assert caught.value.code == "hash-mismatch"
