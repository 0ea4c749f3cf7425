"""A resolution as a lock: whose files, under which markers, and what is only said for people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.tags import parse_tag

from accord.repositories.candidates import Target
from accord.tasks.asked import Wish
from accord.tasks.locking import environment_marker, make_lock, selection_marker
from accord.testing.shops import Shop, dependency, target
from accord_core.index.model import File
from accord_core.lock.model import Lock, Package
from accord_core.lock.read import loads
from accord_core.lock.select import select
from accord_core.lock.write import dumps
from accord_core.project.requirement import parse_requirement

PLATFORM = "manylinux_2_17_x86_64"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(str(tmp_path))
    yield shop
    shop.close()


class Resolved:
    """What :func:`make_lock` reads of a resolution, over a shop."""

    def __init__(self, shop: Shop, wishes: list[Wish]) -> None:
        self.shop = shop
        self.roots = [(wish, dependency(str(wish.requirement))) for wish in wishes]
        self.solution = shop.solution(*(str(wish.requirement) for wish in wishes))
        self.direct: dict[str, object] = {}

    def files(self, project: str) -> list[File]:
        return self.shop.catalogue.files(project, self.solution.pins[project].version)

    def index(self, project: str) -> str | None:
        owner = self.shop.catalogue.owner(project)
        return None if owner is None else owner.key

    def selections(self) -> dict[str, frozenset[str]]:
        from accord.tasks.resolving import Resolution

        return Resolution.selections(self)  # type: ignore[arg-type]


def wish(text: str, selection: str = "") -> Wish:
    return Wish(parse_requirement(text), "requirements.in:1", selection=selection)


def locked(shop: Shop, *wishes: Wish, on: Target | None = None, **options: object) -> Lock:
    lock = make_lock(Resolved(shop, list(wishes)), on or target(), **options)  # type: ignore[arg-type]
    # what is written is what was meant
    assert dumps(loads(dumps(lock), "pylock.toml")) == dumps(lock)
    return lock


def package(lock: Lock, name: str) -> Package:
    return next(one for one in lock.packages if one.name == name)


# ---------------------------------------------------------------- markers


def test_the_environment_is_the_targets_and_no_other() -> None:
    on = target()
    marker = environment_marker(on)
    assert Marker(marker).evaluate(dict(on.markers))
    for other in (target("3.13.0"), target(machine="aarch64")):
        assert not Marker(marker).evaluate(dict(other.markers))
    # not the libc and not the patch release: the lock is as good there
    assert Marker(marker).evaluate(dict(target("3.12.9", libc="musllinux_1_2").markers))


@pytest.mark.parametrize(
    ("selections", "marker"),
    [
        ({""}, None),
        ({"", "extra:x"}, None),
        ({"extra:x"}, "'x' in extras"),
        ({"group:dev"}, "'dev' in dependency_groups"),
        ({"group:dev", "extra:x", "extra:a"}, "'a' in extras or 'x' in extras or 'dev' in dependency_groups"),
    ],
)
def test_when_a_package_is_installed(selections: set[str], marker: str | None) -> None:
    assert selection_marker(frozenset(selections)) == marker


def test_selections_reach_through_dependencies_and_extras(shop: Shop) -> None:
    shop.release("app", "1.0", "base", "more ; extra == 'x'", extras=("x",))
    shop.release("test", "1.0", "base", "tool")
    for name in ("base", "more", "tool"):
        shop.release(name, "1.0")
    lock = locked(
        shop,
        wish("app"),
        wish("app[x]", "extra:full"),
        wish("test", "group:dev"),
        extras=("full",),
        groups=("dev",),
        inputs_digest="sha256:0",
    )
    assert {one.name: one.marker for one in lock.packages} == {
        "app": None,
        "base": None,
        "more": "'full' in extras",
        "test": "'dev' in dependency_groups",
        "tool": "'dev' in dependency_groups",
    }
    markers, tags = target().markers, target().tags

    def chosen(**options: object) -> set[str]:
        return {one.name for one in select(lock, markers, tags, path="pylock.toml", **options)}  # type: ignore[arg-type]

    assert chosen() == {"app", "base"}
    assert chosen(extras=("full",)) == {"app", "base", "more"}
    assert chosen(groups=("dev",)) == {"app", "base", "test", "tool"}
    assert lock.tool == {
        "accord": {"inputs": "sha256:0", "only-groups": {"dev": ["base", "test", "tool"]}},
    }


def test_a_lock_of_requirement_files_has_no_markers_and_no_table_of_ours(shop: Shop) -> None:
    shop.release("app", "1.0")
    lock = locked(shop, wish("app"))
    assert package(lock, "app").marker is None
    assert lock.tool is None


def test_edges_are_sorted_and_leave_out_the_project_itself(shop: Shop) -> None:
    shop.release(
        "app", "1.0", "zeta", "alpha", "app[x] ; extra == 'all'", "zeta ; extra == 'x'", extras=("x", "all")
    )
    shop.release("zeta", "1.0")
    shop.release("alpha", "1.0")
    edges = package(locked(shop, wish("app[all]")), "app").dependencies
    assert edges == ({"name": "alpha"}, {"name": "zeta"})


# ---------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("tag", "kept"),
    [
        ("py3-none-any", True),
        ("py2.py3-none-any", True),
        ("py2-none-any", False),
        (f"cp312-cp312-{PLATFORM}", True),
        (f"cp38-abi3-{PLATFORM}", True),
        (f"cp313-abi3-{PLATFORM}", False),
        (f"cp311-cp311-{PLATFORM}", False),
        ("cp312-cp312-manylinux_2_99_x86_64", True),
        ("cp312-cp312-musllinux_1_2_x86_64", True),
        ("cp312-cp312-linux_x86_64", True),
        ("cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64", True),
        ("cp312-cp312-manylinux_2_17_aarch64", False),
        ("cp312-cp312-manylinux_2_17_i686", False),
        ("cp312-cp312-win_amd64", False),
        ("cp312-cp312-macosx_11_0_arm64", False),
        ("cp312-cp312-macosx_10_9_universal2", False),
        ("CP312-CP312-Manylinux_2_17_X86_64", True),
    ],
)
def test_wheels_that_some_machine_of_the_environment_can_use_are_kept(
    shop: Shop, tag: str, kept: bool
) -> None:
    """Whatever its libc, which the environment does not name."""
    shop.release("app", "1.0")
    shop.release("app", "1.0", filename=f"app-1.0-1-{tag}.whl")
    names = [file.filename for file in package(locked(shop, wish("app")), "app").wheels]
    assert (f"app-1.0-1-{tag}.whl" in names) is kept
    assert "app-1.0-py3-none-any.whl" in names


@pytest.mark.parametrize(
    ("system", "platform", "machine", "kept"),
    [
        ("Darwin", "macosx_11_0_arm64", "arm64", True),
        ("Darwin", "macosx_10_9_universal2", "arm64", True),
        ("Darwin", "macosx_10_9_x86_64", "arm64", False),
        ("Darwin", "macosx_10_6_intel", "x86_64", True),
        ("Windows", "win_amd64", "AMD64", True),
        ("Windows", "win_arm64", "AMD64", False),
        ("Linux", "manylinux_2_17_i686", "x86_64", True),
        ("FreeBSD", "freebsd_14_0_release_amd64", "amd64", True),
    ],
)
def test_other_systems(shop: Shop, system: str, platform: str, machine: str, kept: bool) -> None:
    """What the target itself accepts is always kept: a 32-bit Python on a 64-bit kernel, an old fat binary."""
    usual = target()
    markers = {**usual.markers, "platform_system": system, "platform_machine": machine}
    tags = ("cp312-cp312-" + (platform if kept else "any_other"), "py3-none-any")
    on = Target(markers, tags, "other")
    shop.release("app", "1.0")
    shop.release("app", "1.0", tag=f"cp312-cp312-{platform}")
    wheels = package(locked(shop, wish("app"), on=on), "app").wheels
    assert (f"app-1.0-cp312-cp312-{platform}.whl" in [file.filename for file in wheels]) is kept


def test_every_wheel_the_target_can_use_is_kept(shop: Shop) -> None:
    on = target()
    usable = set()
    for python in ("py3", "py2.py3", "cp312", "cp38", "cp313", "py312"):
        for abi in ("none", "abi3", "cp312", "cp312t", "cp313"):
            for platform in (
                "any",
                PLATFORM,
                "manylinux2014_x86_64.manylinux_2_17_x86_64",
                "linux_x86_64",
                "win32",
            ):
                file = shop.release("app", "1.0", tag=f"{python}-{abi}-{platform}")
                if any(str(tag) in on.tags for tag in parse_tag(f"{python}-{abi}-{platform}")):
                    usable.add(file.filename)
    kept = {file.filename for file in package(locked(shop, wish("app")), "app").wheels}
    assert usable <= kept
    assert len(usable) > 10


def test_a_wheel_whose_requires_python_excludes_the_target_is_left_out(shop: Shop) -> None:
    shop.release("app", "1.0")
    shop.release("app", "1.0", tag="py3-none-linux_x86_64", page_python="<3.12")
    wheels = package(locked(shop, wish("app")), "app").wheels
    assert [file.filename for file in wheels] == ["app-1.0-py3-none-any.whl"]


def test_wheels_are_sorted_and_the_sdist_is_the_tar(shop: Shop) -> None:
    shop.sdist("app", "1.0")
    shop.sdist("app", "1.0", suffix=".zip")
    shop.release("app", "1.0", tag="py3-none-any")
    shop.release("app", "1.0", tag=f"cp312-cp312-{PLATFORM}")
    one = package(locked(shop, wish("app")), "app")
    assert [file.filename for file in one.wheels] == [
        f"app-1.0-cp312-cp312-{PLATFORM}.whl",
        "app-1.0-py3-none-any.whl",
    ]
    assert one.sdist is not None
    assert one.sdist.filename == "app-1.0.tar.gz"


def test_a_file_is_written_with_what_the_index_says_of_it(shop: Shop) -> None:
    made = shop.release("app", "1.0", uploaded="2024-05-01T12:00:00+02:00")
    one = package(locked(shop, wish("app")), "app")
    (file,) = one.wheels
    assert (file.upload_time, file.size, dict(file.hashes)) == (
        "2024-05-01T10:00:00Z",
        made.size,
        made.hashes,
    )
    assert file.url == "https://memory.example/files/app-1.0-py3-none-any.whl"
    assert one.index == "https://index.example/simple"


def test_an_upload_time_that_is_none_is_left_out(shop: Shop) -> None:
    shop.release("app", "1.0", uploaded="yesterday")
    (file,) = package(locked(shop, wish("app")), "app").wheels
    assert file.upload_time is None


def test_without_files_only_versions_are_named(shop: Shop) -> None:
    shop.release("app", "1.0")
    lock = make_lock(Resolved(shop, [wish("app")]), target(), with_files=False)  # type: ignore[arg-type]
    one = package(lock, "app")
    assert (one.version, one.wheels, one.sdist, one.index) == ("1.0", (), None, None)
