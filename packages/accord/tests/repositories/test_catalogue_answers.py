"""What the catalogue makes of metadata, of what a person says, and of pages that are odd or damaged."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from accord.repositories.catalogue import Direct
from accord.repositories.pages import Loaded
from accord.repositories.policy import Policy
from accord.repositories.shelf import PAGES
from accord.testing.indexes import MadeUp, wheel
from accord.testing.shops import Shop, counted, target
from accord_core.errors import RepositoryError
from accord_core.index.model import File

SOLVED = {"app": "2.0", "lib": "2.1"}


@pytest.fixture
def shop_of_two(shop: Shop) -> Shop:
    """app 2.0 needs lib 2, app 1.0 is content with less."""
    shop.release("app", "1.0", "lib>=1")
    shop.release("app", "2.0", "lib>=2")
    for version in ("1.0", "2.0", "2.1"):
        shop.release("lib", version)
    return shop


# ---------------------------------------------------------------- metadata that cannot be used


@pytest.mark.parametrize(
    ("metadata", "code", "words"),
    [
        (b"Name: app\n", "metadata-incomplete", "no version"),
        (
            b"Metadata-Version: 2.4\nName: app\nName: app\nVersion: 2.0\n",
            "metadata-field-twice",
            "name twice",
        ),
        (b"Metadata-Version: 9.0\nName: app\nVersion: 2.0\n", "metadata-version-unsupported", "'9.0'"),
        (b"Name: app\nVersion: 2.0\nRequires-Dist: \xff\n", "metadata-not-utf8", "UTF-8"),
        (b"Name: app\nVersion: 2.0\nRequires-Dist: lib (\n", "metadata-invalid", "'lib ('"),
        (b"Name: app\nVersion: 2.0\nRequires-Dist: a; x == '1'\n", "metadata-invalid", "x =="),
    ],
)
def test_metadata_that_cannot_be_read_make_a_version_unusable(
    shop: Shop, metadata: bytes, code: str, words: str
) -> None:
    shop.release("app", "1.0")
    shop.release("app", "2.0", metadata=metadata)
    for _ in range(2):
        assert shop.resolve("app") == {"app": "1.0"}
        failure = shop.refused("app>=2")
        assert failure.code == code
        assert words in failure.message
        assert "\n" not in failure.message
        assert failure.hint


def test_a_wheel_that_is_no_archive_makes_a_version_unusable(shop: Shop) -> None:
    shop.release("app", "1.0")
    shop.release("app", "2.0", announced=False, content=b"no zip at all")
    assert shop.resolve("app") == {"app": "1.0"}
    assert "app 2.0" in shop.refused("app>=2").message


# ---------------------------------------------------------------- what a person says


def test_an_override_stands_in_for_what_others_need(shop_of_two: Shop) -> None:
    overrides = {"lib": (("lib", (), "==1.0"),)}
    assert shop_of_two.resolve("app", overrides=overrides) == {"app": "2.0", "lib": "1.0"}
    assert shop_of_two.resolve("app") == SOLVED


def test_an_override_may_stand_for_nothing_or_for_another_project(shop_of_two: Shop) -> None:
    shop_of_two.release("fork", "0.1")
    assert shop_of_two.resolve("app", overrides={"lib": ()}) == {"app": "2.0"}
    assert shop_of_two.resolve("app", overrides={"lib": (("fork", (), ""),)}) == {"app": "2.0", "fork": "0.1"}


def test_an_excluded_project_is_not_even_asked_for(shop_of_two: Shop) -> None:
    repository = shop_of_two.repository()
    assert shop_of_two.resolve("app", repository=repository, excludes=frozenset(("lib",))) == {"app": "2.0"}
    assert ("page", "lib") not in repository.asked


def test_without_dependencies_nothing_is_asked_but_what_was_named(shop: Shop) -> None:
    shop.release("app", "1.0", "lib", "more ; extra == 'x'", extras=("x",))
    repository = shop.repository()
    solution = shop.solution("app[x]", repository=repository, no_deps=True)
    assert list(solution.pins) == ["app"]
    assert counted(repository.asked)["page"] == 1
    # the extra is one that it has, although what it needs is left out
    assert solution.pins["app"].dependencies.keys() == {"", "x"}


def test_a_direct_reference_is_a_universe_of_one_that_answers_others(shop_of_two: Shop) -> None:
    url = "https://files.example/lib-2.5.whl"
    direct = {"lib": Direct("lib", "2.5", url, {"": ()})}
    repository = shop_of_two.repository()
    assert shop_of_two.resolve("app", f"lib @ {url}", repository=repository, direct=direct) == {
        "app": "2.0",
        "lib": "2.5",
    }
    assert ("page", "lib") not in repository.asked
    assert shop_of_two.catalogue.owner("lib") is None
    older = {"lib": Direct("lib", "1.5", url, {"": ()})}
    assert shop_of_two.resolve("app", f"lib @ {url}", direct=older) == {"app": "1.0", "lib": "1.5"}


def test_a_url_in_the_metadata_of_an_index_is_refused(shop: Shop) -> None:
    shop.release("app", "1.0", "lib @ https://evil.example/lib.whl")
    shop.release("lib", "1.0")
    assert shop.refused("app").code == "url-dependency"


def test_extras_bring_what_they_need_and_only_when_asked(shop: Shop) -> None:
    shop.release(
        "app",
        "1.0",
        "base",
        "old ; extra == 'x' and python_version < '3.9'",
        "new ; extra == 'x' and (python_version < '3' or (python_version >= '3.9' and sys_platform == 'linux'))",
        "either ; extra == 'x' or extra == 'Some_Extra'",
        "app[x] ; extra == 'all'",
        "unwanted ; extra != 'x' and sys_platform == 'win32'",
        extras=("x", "some.extra", "all"),
    )
    for name in ("base", "old", "new", "either"):
        shop.release(name, "1.0")
    for _ in range(2):
        assert shop.resolve("app").keys() == {"app", "base"}
        assert shop.resolve("app[x]").keys() == {"app", "base", "new", "either"}
        assert shop.resolve("app[x]", on=target("3.8.18")).keys() == {"app", "base", "old", "either"}
        assert shop.resolve("app[some-extra]").keys() == {"app", "base", "either"}
        assert shop.resolve("app[all]").keys() == {"app", "base", "new", "either"}
        assert shop.resolve("app[nothing]").keys() == {"app", "base"}


# ---------------------------------------------------------------- beyond solving


def test_yanked_files_are_those_of_a_version_that_has_no_other_for_the_target(shop: Shop) -> None:
    shop.release("app", "1.0", yanked="bad build")
    shop.release("app", "1.0", tag="cp312-cp312-win_amd64")
    for _ in range(2):
        shop.resolve("app==1.0", policy=Policy(pins={"app": ("==1.0",)}))
        assert len(shop.catalogue.files("app", "1.0")) == 2

    shop.sdist("app", "1.0")
    shop.now += 600  # a page lives that long
    for _ in range(2):
        shop.resolve("app==1.0", policy=Policy(pins={"app": ("==1.0",)}))
        assert [file.yanked for file in shop.catalogue.files("app", "1.0")] == [False, False]


def test_files_are_those_of_the_page_in_its_order_warm_or_cold(shop: Shop) -> None:
    shop.release("app", "1.0", tag="cp312-cp312-win_amd64", uploaded="2024-05-01T00:00:00Z")
    shop.release("app", "1.0", page_python=">=3.8", uploaded="2024-05-02T00:00:00Z")
    shop.sdist("app", "1.0", uploaded="2024-05-03T00:00:00Z")
    found = []
    for _ in range(3):
        shop.resolve("app==1.0", policy=Policy(pins={"app": ("==1.0",)}))
        found.append(shop.catalogue.files("app", "1.0"))
    assert found[0] == found[1] == found[2]
    assert [file.filename for file in found[0]] == [
        "app-1.0-cp312-cp312-win_amd64.whl",
        "app-1.0-py3-none-any.whl",
        "app-1.0.tar.gz",
    ]
    assert (found[0][1].requires_python, found[0][1].yanked, found[0][1].yank_reason) == (
        ">=3.8",
        False,
        None,
    )
    assert all(file.url.startswith("https://memory.example/") and file.hashes for file in found[0])


def test_files_after_the_cutoff_are_left_out(shop: Shop) -> None:
    shop.release("app", "1.0", uploaded="2024-05-01T00:00:00Z")
    shop.release("app", "1.0", tag="cp312-cp312-manylinux_2_17_x86_64", uploaded="2024-06-01T00:00:00Z")
    policy = Policy(cutoff=lambda project: "2024-05-15T00:00:00Z")
    for _ in range(2):
        shop.resolve("app", policy=policy)
        assert [file.filename for file in shop.catalogue.files("app", "1.0")] == ["app-1.0-py3-none-any.whl"]


def test_a_shelf_whose_page_is_damaged_is_asked_for_again(shop_of_two: Shop) -> None:
    shop_of_two.resolve("app")
    shop_of_two.close()
    for kept in (Path(shop_of_two.shelf_path).parent / PAGES).iterdir():
        kept.write_bytes(b"rubbish")
    connection = sqlite3.connect(shop_of_two.shelf_path)
    connection.execute("DELETE FROM warm")
    connection.commit()
    connection.close()
    repository = shop_of_two.repository()
    assert shop_of_two.resolve("app", repository=repository) == SOLVED
    assert counted(repository.asked)["page"] == 2


def test_files_of_a_page_that_was_lost_meanwhile_are_asked_for_again(shop_of_two: Shop) -> None:
    """Another accord may replace the page after this one took the warm record for it."""
    shop_of_two.resolve("app")
    repository = shop_of_two.repository()
    assert shop_of_two.resolve("app", repository=repository) == SOLVED
    for kept in (Path(shop_of_two.shelf_path).parent / PAGES).iterdir():
        kept.unlink()
    assert [file.filename for file in shop_of_two.catalogue.files("app", "2.0")] == [
        "app-2.0-py3-none-any.whl"
    ]
    assert counted(repository.asked) == {"page": 1}


def test_files_of_a_page_that_was_lost_are_a_coded_error_offline(shop_of_two: Shop) -> None:
    shop_of_two.resolve("app")
    assert shop_of_two.resolve("app", offline=True) == SOLVED
    for kept in (Path(shop_of_two.shelf_path).parent / PAGES).iterdir():
        kept.unlink()
    with pytest.raises(RepositoryError) as caught:
        shop_of_two.catalogue.files("app", "2.0")
    assert caught.value.code == "catalogue-damaged"
    assert caught.value.hint


def test_a_warm_record_that_is_damaged_is_made_anew_without_asking(shop_of_two: Shop) -> None:
    shop_of_two.resolve("app")
    shop_of_two.close()
    connection = sqlite3.connect(shop_of_two.shelf_path)
    connection.execute("UPDATE warm SET record=x'00'")
    connection.commit()
    connection.close()
    repository = shop_of_two.repository()
    assert shop_of_two.resolve("app", repository=repository) == SOLVED
    assert repository.asked == []


def test_odd_file_names_are_ignored_not_fatal(shop: Shop) -> None:
    shop.release("foo-bar", "1.0")
    for filename in (
        "foo_bar-2.0.exe",
        "foo_bar-2.0-py3.egg",
        "foo_bar-2.0.tar.gz.asc",
        "foo_bar-.tar.gz",
        "foo_bar-2.0-py3-none.whl",
        "foo_bar-two-py3-none-any.whl",
        "other-3.0-py3-none-any.whl",
        "foo_bar-latest.tar.gz",
        "README",
    ):
        shop.release("foo-bar", "2.0", filename=filename)
    assert shop.resolve("foo-bar") == {"foo-bar": "1.0"}


def test_old_spellings_of_names_and_versions_are_read(shop: Shop) -> None:
    def built(_: object, file: File) -> bytes:
        return b"Name: foo-bar\nVersion: 1.0\n"

    shop.sdist("foo-bar", "1.0", filename="Foo.Bar-01.0.zip")
    shop.sdist("foo-bar", "1.0", filename="foo-bar-1.0.post1.tar.gz")
    assert shop.resolve("foo-bar==1.0", sdist_metadata=built) == {"foo-bar": "1.0"}
    assert shop.resolve("foo-bar===01.0", sdist_metadata=built) == {"foo-bar": "1.0"}


def test_one_version_in_two_spellings_is_one_version(shop: Shop) -> None:
    """The wheel says 1.0, the sdist 1.0.0 (PEP 440 "Version ordering": trailing zeros do not count)."""
    shop.release("app", "1.0")
    shop.sdist("app", "1.0.0")
    assert shop.resolve("app") == {"app": "1.0"}
    assert {file.filename for file in shop.catalogue.files("app", "1.0")} == {
        "app-1.0-py3-none-any.whl",
        "app-1.0.0.tar.gz",
    }
    assert shop.resolve("app===1.0.0") == {"app": "1.0"}
    assert shop.resolve("app==1") == {"app": "1.0"}


def test_nothing_of_a_failure_is_remembered(shop_of_two: Shop) -> None:
    class Broken(Exception):
        pass

    def pause() -> None:
        raise Broken

    with pytest.raises(Broken):
        shop_of_two.resolve("app", repository=shop_of_two.repository(pause=pause))
    assert shop_of_two.resolve("app") == SOLVED


def test_a_truncated_wheel_is_a_fault_of_the_version(shop: Shop) -> None:
    made = MadeUp()
    filename, content = wheel("app", "1.0")
    made.add("app", filename, content[:40])
    assert shop.refused("app", repository=made.memory()).message.startswith("Every version of app")


def test_few_pages_stay_open_however_many_are_asked_about(shop: Shop) -> None:
    """Files of a page are many times larger than what is made of it, and the shelf has them."""
    names = [f"p{number}" for number in range(100)]
    for name in names:
        shop.release(name, "1.0")
    shop.resolve(*names)
    catalogue = shop.catalogue
    for name in names:
        assert [file.filename for file in catalogue.files(name, "1.0")] == [f"{name}-1.0-py3-none-any.whl"]
    loaded: list[Loaded] = list(catalogue._loaded.values())
    assert len(loaded) == 100
    assert sum(one.groups is not None for one in loaded) <= 32
