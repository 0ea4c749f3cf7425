"""What may be chosen: yanks, pre-releases, dates, Pythons, tags, sdists; and why the rest may not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accord.repositories.policy import Policy
from accord.testing.shops import Shop, target
from accord_core.index.model import File

HERE = "cp312-cp312-manylinux_2_17_x86_64"


def built(_: object, file: File) -> bytes:
    name, _, version = file.filename.removesuffix(".tar.gz").rpartition("-")
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()


def only(*names: str) -> Callable[[str], bool]:
    return lambda project: project in names


def none_of(*names: str) -> Callable[[str], bool]:
    return lambda project: project not in names


# ---------------------------------------------------------------- yanks (PEP 592)


def test_a_yanked_release_is_passed_over_with_its_reason_told_when_nothing_else_is_left(shop: Shop) -> None:
    shop.release("app", "1.0")
    shop.release("app", "2.0", yanked="broken on Tuesdays")
    assert shop.resolve("app") == {"app": "1.0"}
    failure = shop.refused("app>=2")
    assert failure.code == "only-yanked"
    assert "broken on Tuesdays" in failure.message
    assert "==" in (failure.hint or "")


@pytest.mark.parametrize("pin", ["==2.0", "===2.0"])
def test_a_pin_admits_a_yanked_release(shop: Shop, pin: str) -> None:
    shop.release("app", "1.0")
    shop.release("app", "2.0", yanked="")
    policy = Policy(pins={"app": (pin,)})
    assert shop.resolve(f"app{pin}", policy=policy) == {"app": "2.0"}
    assert shop.catalogue.is_yanked("app", 1)
    assert shop.catalogue.yanked("app", "2.0") == ""
    assert shop.catalogue.yanked("app", "1.0") is None


def test_a_pin_of_one_version_admits_no_other_yanked_one(shop: Shop) -> None:
    shop.release("app", "1.0", yanked="a")
    shop.release("app", "2.0", yanked="b")
    policy = Policy(pins={"app": ("==1.0",)})
    assert shop.resolve("app", policy=policy) == {"app": "1.0"}


def test_a_pin_by_another_project_admits_nothing(shop: Shop) -> None:
    shop.release("app", "1.0", "lib==2.0")
    shop.release("lib", "2.0", yanked="bad")
    assert shop.refused("app").code == "only-yanked"


def test_a_release_is_yanked_only_when_every_file_we_could_use_is(shop: Shop) -> None:
    shop.release("app", "2.0", tag=HERE, yanked="this build")
    shop.release("app", "2.0")
    shop.release("lib", "2.0", yanked="this build")
    shop.release("lib", "2.0", tag="cp39-cp39-win_amd64")
    assert shop.resolve("app") == {"app": "2.0"}
    assert shop.refused("lib").code == "only-yanked"


# ---------------------------------------------------------------- pre-releases

MODES = ("disallow", "allow", "if-necessary", "explicit", "if-necessary-or-explicit")


@pytest.mark.parametrize(
    ("mode", "both", "named", "pre_only"),
    [
        ("disallow", "1.0", "1.0", None),
        ("allow", "2.0rc1", "2.0rc1", "2.0rc1"),
        ("if-necessary", "1.0", "1.0", "2.0rc1"),
        ("explicit", "1.0", "2.0rc1", None),
        ("if-necessary-or-explicit", "1.0", "2.0rc1", "2.0rc1"),
    ],
)
def test_pre_releases(shop: Shop, mode: str, both: str, named: str, pre_only: str | None) -> None:
    """``both``: the project has finals too; ``named``: and the person named a pre-release; ``pre_only``: it has none."""
    shop.release("app", "1.0")
    shop.release("app", "2.0rc1")
    shop.release("young", "2.0rc1")
    shop.release("young", "1.0.dev3")
    assert shop.resolve("app", policy=Policy(prerelease=mode)) == {"app": both}
    policy = Policy(prerelease=mode, prerelease_names=frozenset(("app",)))
    assert shop.resolve("app>=1.0a0", policy=policy) == {"app": named}
    if pre_only is None:
        failure = shop.refused("young", policy=Policy(prerelease=mode))
        assert failure.code == "only-prereleases"
        assert "--prerelease" in (failure.hint or "")
    else:
        assert shop.resolve("young", policy=Policy(prerelease=mode)) == {"young": pre_only}


def test_a_final_that_cannot_be_used_does_not_hide_the_pre_releases(shop: Shop) -> None:
    shop.release("app", "1.0", yanked="bad")
    shop.release("app", "2.0rc1")
    assert shop.resolve("app") == {"app": "2.0rc1"}


def test_naming_a_pre_release_of_one_project_allows_none_of_another(shop: Shop) -> None:
    shop.release("app", "1.0a1", "lib")
    shop.release("lib", "1.0")
    shop.release("lib", "2.0a1")
    policy = Policy(prerelease_names=frozenset(("app",)))
    assert shop.resolve("app>=1.0a0", policy=policy) == {"app": "1.0a1", "lib": "1.0"}


@pytest.mark.parametrize("mode", MODES)
def test_a_local_or_post_release_is_no_pre_release(shop: Shop, mode: str) -> None:
    shop.release("app", "1.0.post1")
    shop.release("lib", "1.0+cpu")
    found = shop.resolve("app", "lib", policy=Policy(prerelease=mode))
    assert found == {"app": "1.0.post1", "lib": "1.0+cpu"}


# ---------------------------------------------------------------- dates (PEP 700 "upload-time")


def test_files_uploaded_at_or_after_the_cutoff_are_not_seen(shop: Shop) -> None:
    shop.release("app", "1.0", uploaded="2024-01-01T00:00:00Z")
    shop.release("app", "2.0", uploaded="2024-02-01T00:00:00.000000Z")
    shop.release("app", "3.0", uploaded="2024-03-01T00:00:00Z")

    def on(day: str) -> Policy:
        return Policy(cutoff=lambda project: day)

    assert shop.resolve("app", policy=on("2024-02-01T00:00:01Z")) == {"app": "2.0"}
    assert shop.resolve("app", policy=on("2024-02-01T00:00:00Z")) == {"app": "1.0"}
    failure = shop.refused("app", policy=on("2024-01-01T00:00:00Z"))
    assert failure.code == "excluded-newer"
    assert "2024-01-01" in failure.message
    # and the cutoff of one run is not remembered for the next
    assert shop.resolve("app") == {"app": "3.0"}


def test_a_file_that_does_not_say_when_counts_as_too_new(shop: Shop) -> None:
    shop.release("app", "1.0", uploaded="2020-01-01T00:00:00Z")
    shop.release("app", "2.0")
    policy = Policy(cutoff=lambda project: "2024-01-01T00:00:00Z")
    assert shop.resolve("app", policy=policy) == {"app": "1.0"}


def test_the_cutoff_is_by_file_and_by_project(shop: Shop) -> None:
    shop.release("app", "1.0", "lib", tag="cp312-cp312-win_amd64", uploaded="2020-01-01T00:00:00Z")
    shop.release("app", "1.0", "lib", tag="py3-none-any", uploaded="2025-01-01T00:00:00Z")
    shop.release("lib", "1.0", uploaded="2025-01-01T00:00:00Z")
    early = "2024-01-01T00:00:00Z"
    # the old file of app is for another system
    assert shop.refused("app", policy=Policy(cutoff=lambda project: early)).code == "excluded-newer"
    policy = Policy(cutoff=lambda project: early if project == "other" else None)
    assert shop.resolve("app", policy=policy) == {"app": "1.0", "lib": "1.0"}


# ---------------------------------------------------------------- Requires-Python


def test_requires_python_on_the_page_passes_over_a_version(shop: Shop) -> None:
    shop.release("app", "1.0")
    shop.release("app", "2.0", page_python=">=3.13")
    assert shop.resolve("app") == {"app": "1.0"}
    assert shop.resolve("app", on=target("3.13.0")) == {"app": "2.0"}
    failure = shop.refused("app>=2")
    assert failure.code == "requires-python"
    assert ">=3.13" in failure.message
    assert "3.12.1" in failure.message


def test_requires_python_in_the_metadata_alone_passes_over_a_version_too(shop: Shop) -> None:
    shop.release("app", "1.0")
    shop.release("app", "2.0", needs_python=">=3.13")
    for _ in range(2):
        assert shop.resolve("app") == {"app": "1.0"}
        assert shop.refused("app>=2").code == "requires-python"
        assert shop.resolve("app", on=target("3.13.0")) == {"app": "2.0"}


def test_requires_python_is_by_file(shop: Shop) -> None:
    shop.release("app", "1.0", tag="cp313-cp313-manylinux_2_17_x86_64", page_python=">=3.13")
    shop.release("app", "1.0", tag="py3-none-any", page_python="<3.13")
    assert shop.resolve("app") == {"app": "1.0"}
    assert shop.resolve("app", on=target("3.13.0")) == {"app": "1.0"}


def test_requires_python_that_nobody_can_read_is_no_reason_to_refuse(shop: Shop) -> None:
    shop.release("app", "1.0", page_python=">=3.x, whatever")
    assert shop.resolve("app") == {"app": "1.0"}


# ---------------------------------------------------------------- tags, sdists


@pytest.mark.parametrize(
    ("tag", "usable"),
    [
        ("py3-none-any", True),
        ("py2.py3-none-any", True),
        ("py312-none-any", True),
        ("py313-none-any", False),
        (HERE, True),
        ("CP312-CP312-manylinux_2_17_x86_64", True),
        ("cp38-abi3-manylinux_2_17_x86_64", True),
        ("cp313-abi3-manylinux_2_17_x86_64", False),
        ("cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64", True),
        ("cp312-cp312-manylinux_2_17_aarch64", False),
        ("cp312-cp312-musllinux_1_1_x86_64", False),
        ("cp312-cp312-win_amd64", False),
        ("cp312-cp312t-manylinux_2_17_x86_64", False),
        ("cp311.cp312-none-linux_x86_64", True),
        ("py2-none-any", False),
    ],
)
def test_which_wheels_can_be_used(shop: Shop, tag: str, usable: bool) -> None:
    shop.release("app", "1.0")
    shop.release("app", "2.0", tag=tag)
    assert shop.resolve("app") == {"app": "2.0" if usable else "1.0"}
    if not usable:
        failure = shop.refused("app>=2")
        assert failure.code == "no-compatible-wheel"
        assert tag in failure.message


def test_a_build_number_is_no_part_of_the_version(shop: Shop) -> None:
    shop.release("app", "1.0", filename="app-1.0-1-py3-none-any.whl")
    assert shop.resolve("app==1.0") == {"app": "1.0"}


def test_a_version_that_is_only_an_sdist_may_be_built(shop: Shop) -> None:
    shop.release("app", "1.0")
    shop.sdist("app", "2.0")
    assert shop.resolve("app", sdist_metadata=built) == {"app": "2.0"}


def test_only_binary_passes_over_what_would_have_to_be_built(shop: Shop) -> None:
    shop.release("app", "1.0", "lib")
    shop.sdist("app", "2.0")
    shop.sdist("lib", "2.0")
    policy = Policy(may_build=none_of("app"))
    assert shop.resolve("app", policy=policy, sdist_metadata=built) == {"app": "1.0", "lib": "2.0"}
    failure = shop.refused("app>=2", policy=policy, sdist_metadata=built)
    assert failure.code == "no-compatible-wheel"
    assert "not allowed" in failure.message


def test_no_binary_asks_the_sdist_and_passes_over_versions_without_one(shop: Shop) -> None:
    asked = []

    def noted(repository: object, file: File) -> bytes:
        asked.append(file.filename)
        return built(repository, file)

    shop.release("app", "1.0")
    shop.sdist("app", "1.0")
    shop.release("app", "2.0")
    policy = Policy(may_use_wheel=none_of("app"))
    assert shop.resolve("app", policy=policy, sdist_metadata=noted) == {"app": "1.0"}
    assert asked == ["app-1.0.tar.gz"]


def test_neither_wheels_nor_builds_leaves_nothing(shop: Shop) -> None:
    shop.release("app", "1.0")
    shop.sdist("app", "1.0")
    policy = Policy(may_build=none_of("app"), may_use_wheel=none_of("app"))
    assert shop.refused("app", policy=policy).code == "no-compatible-wheel"


def test_prefer_binary_takes_an_older_wheel_before_a_newer_sdist(shop: Shop) -> None:
    shop.release("app", "1.0")
    shop.release("app", "1.5")
    shop.sdist("app", "2.0")
    policy = Policy(prefer_binary=True)
    assert shop.resolve("app", policy=policy, sdist_metadata=built) == {"app": "1.5"}
    assert shop.resolve("app>1.5", policy=policy, sdist_metadata=built) == {"app": "2.0"}


# ---------------------------------------------------------------- preferences, strategies, status


def test_a_version_locked_before_is_kept_while_it_fits(shop: Shop) -> None:
    for version in ("1.0", "2.0", "3.0"):
        shop.release("app", version)
    policy = Policy(prefer={"app": "2.0"})
    assert shop.resolve("app", policy=policy) == {"app": "2.0"}
    assert shop.resolve("app>2", policy=policy) == {"app": "3.0"}
    assert shop.resolve("app", policy=Policy(prefer={"app": "9.9"})) == {"app": "3.0"}


def test_an_installed_pre_release_is_kept_and_a_locked_one_is_not(shop: Shop) -> None:
    for version in ("1.0", "2.0rc1", "2.0rc2"):
        shop.release("app", version)
    prefer = {"app": "2.0rc1"}
    assert shop.resolve("app", policy=Policy(prefer=prefer, installed=True)) == {"app": "2.0rc1"}
    assert shop.resolve("app<2.0a1", policy=Policy(prefer=prefer, installed=True)) == {"app": "1.0"}
    strict = Policy(prefer=prefer, installed=True, prerelease="disallow")
    assert shop.resolve("app", policy=strict) == {"app": "1.0"}
    assert shop.resolve("app", policy=Policy(prefer=prefer)) == {"app": "1.0"}


def test_lowest_begins_at_the_other_end(shop: Shop) -> None:
    shop.release("app", "1.0", "lib>=2")
    shop.release("app", "2.0", "lib")
    for version in ("1.0", "2.0", "3.0"):
        shop.release("lib", version)
    assert shop.resolve("app", policy=Policy(strategy="lowest")) == {"app": "1.0", "lib": "2.0"}
    assert shop.resolve("app", policy=Policy(strategy="lowest-direct")) == {"app": "1.0", "lib": "3.0"}


def test_a_quarantined_project_is_refused_with_the_indexs_words(shop: Shop) -> None:
    shop.release("app", "1.0")
    shop.index.status["app"] = ("quarantined", "malware was found")
    for _ in range(2):
        failure = shop.refused("app")
        assert failure.code == "project-quarantined"
        assert "malware was found" in failure.message
        assert failure.hint


@pytest.mark.parametrize("status", ["archived", "deprecated"])
def test_another_status_is_told_and_refuses_nothing(shop: Shop, status: str) -> None:
    shop.release("app", "1.0")
    shop.index.status["app"] = (status, "use lib")
    for _ in range(2):
        assert shop.resolve("app") == {"app": "1.0"}
        assert shop.catalogue.status("app") == (status, "use lib")


# ---------------------------------------------------------------- pre-releases that packages ask for

ORDINARY = ("if-necessary-or-explicit", "if-necessary", "explicit")


@pytest.mark.parametrize("mode", ORDINARY)
def test_a_package_may_pin_a_pre_release_of_another(shop: Shop, mode: str) -> None:
    """As pip and uv have it: else its newest release is passed over for an ancient one that pins nothing."""
    shop.release("app", "1.0", "lib")
    shop.release("app", "2.0", "lib==1.1b1,!=3")
    for version in ("1.0", "1.1b1", "1.1b2", "2.0"):
        shop.release("lib", version)
    assert shop.resolve("app", policy=Policy(prerelease=mode)) == {"app": "2.0", "lib": "1.1b1"}
    assert shop.resolve("app", policy=Policy(prerelease=mode)) == {"app": "2.0", "lib": "1.1b1"}, "warm"


def test_with_disallow_nobody_may(shop: Shop) -> None:
    shop.release("app", "1.0", "lib")
    shop.release("app", "2.0", "lib==1.1b1")
    for version in ("1.0", "1.1b1"):
        shop.release("lib", version)
    assert shop.resolve("app", policy=Policy(prerelease="disallow")) == {"app": "1.0", "lib": "1.0"}


@pytest.mark.parametrize("bound", ["lib>=1.1b1", "lib~=1.1b1", "lib>=1.1b1,!=3"])
def test_a_bound_that_a_release_satisfies_admits_no_pre_release(shop: Shop, bound: str) -> None:
    """It was written when there were only pre-releases; the next ones were not meant."""
    shop.release("app", "1.0", bound)
    for version in ("1.0", "1.1b1", "1.2", "1.3rc1"):
        shop.release("lib", version)
    assert shop.resolve("app") == {"app": "1.0", "lib": "1.2"}


def test_a_bound_that_only_pre_releases_satisfy_admits_the_newest(shop: Shop) -> None:
    shop.release("app", "1.0", "lib")
    shop.release("app", "2.0", "lib>=1.2.0b3")
    for version in ("1.1", "1.2.0b2", "1.2.0b6"):
        shop.release("lib", version)
    assert shop.resolve("app") == {"app": "2.0", "lib": "1.2.0b6"}


@pytest.mark.parametrize("bound", ["lib>1.0", "lib!=1.0", "lib==1.1.*"])
def test_a_bound_that_names_no_pre_release_asks_for_none(shop: Shop, bound: str) -> None:
    shop.release("app", "1.0", bound)
    for version in ("1.0", "1.1b1"):
        shop.release("lib", version)
    assert shop.refused("app").code == "only-prereleases"


def test_a_pre_release_is_not_chosen_for_a_pin_of_somebody_who_is_not_chosen(shop: Shop) -> None:
    """app 2.0 pins lib's pre-release and cannot be used for another reason."""
    shop.release("app", "2.0", "lib==2.0b1", "other>=9")
    shop.release("app", "1.0", "lib>=1", "other")
    shop.release("other", "1.0")
    for version in ("1.0", "2.0b1"):
        shop.release("lib", version)
    assert shop.resolve("app", "lib") == {"app": "1.0", "lib": "1.0", "other": "1.0"}
    assert shop.resolve("lib", "app") == {"app": "1.0", "lib": "1.0", "other": "1.0"}


def test_pins_of_several_packages_are_met_one_after_the_other(shop: Shop) -> None:
    shop.release("a", "1.0", "b==1.0rc1")
    shop.release("b", "1.0rc1", "c==2.0.dev3")
    shop.release("b", "0.9", "c")
    shop.release("c", "2.0.dev3")
    shop.release("c", "1.0")
    assert shop.resolve("a") == {"a": "1.0", "b": "1.0rc1", "c": "2.0.dev3"}


def test_two_pins_that_disagree_are_a_failure_that_names_both(shop: Shop) -> None:
    shop.release("a", "1.0", "c==1.0b1")
    shop.release("b", "1.0", "c==1.0b2")
    for version in ("0.9", "1.0b1", "1.0b2"):
        shop.release("c", version)
    told = str(shop.refused("a", "b").message) + "".join(shop.refused("a", "b").context)
    assert "1.0b1" in told
    assert "1.0b2" in told
