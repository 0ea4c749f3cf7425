"""The options that say which versions are chosen, and from where: each from its words to the file that comes out."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib

import pytest

from accord.io.urls import file_url
from accord.testing.indexes import MadeUp
from accord.testing.loopback import Loopback, reply
from accord.testing.worlds import World, wheel_file


def compiled(world: World, *lines: str, words: tuple[str, ...] = ()) -> dict[str, str]:
    """The pins that ``lines`` compile to."""
    world.write("in.txt", "".join(f"{line}\n" for line in lines))
    text = world.accord("pip", "compile", "in.txt", "--no-header", *words).fine().out
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.M))


def warned(world: World, *lines: str, words: tuple[str, ...] = ()) -> str:
    world.write("in.txt", "".join(f"{line}\n" for line in lines))
    return world.accord("pip", "compile", "in.txt", *words).fine().err


def refused(world: World, *lines: str, code: str, words: tuple[str, ...] = ()) -> str:
    """What is told when ``lines`` are refused."""
    world.write("in.txt", "".join(f"{line}\n" for line in lines))
    error = world.refused("pip", "compile", "in.txt", *words, code=code)
    return "\n".join([error["message"], *error["context"]])


@pytest.fixture
def shelves(world: World) -> World:
    """alpha needs beta; three versions of each, the last of beta a pre-release."""
    for version in ("1.0", "1.1", "2.0"):
        world.publish("alpha", version, requires=["beta>=1.1"])
    for version in ("1.0", "1.1", "1.2", "2.0b1"):
        world.publish("beta", version)
    return world


# ------------------------------------------------------------ constraints, overrides, excludes


def test_a_constraint_limits_and_asks_for_nothing(shelves: World) -> None:
    shelves.write("c.txt", "beta<1.2\nnobody-made-this==1\n")
    assert compiled(shelves, "alpha", words=("-c", "c.txt")) == {"alpha": "2.0", "beta": "1.1"}


def test_a_constraint_that_cannot_be_met_is_named(shelves: World) -> None:
    shelves.write("c.txt", "beta<1.1\n")
    told = refused(shelves, "alpha", code="unsatisfiable", words=("-c", "c.txt"))
    assert "c.txt" in told
    assert "beta<1.1" in told


def test_an_override_replaces_what_packages_ask_for(shelves: World) -> None:
    shelves.write("o.txt", "beta==1.0\n")
    assert compiled(shelves, "alpha", words=("--override", "o.txt")) == {"alpha": "2.0", "beta": "1.0"}


def test_an_excluded_package_is_left_out_whoever_asks(shelves: World) -> None:
    shelves.write("x.txt", "beta\n")
    assert compiled(shelves, "alpha", words=("--exclude", "x.txt")) == {"alpha": "2.0"}


def test_the_project_file_says_the_same(shelves: World) -> None:
    shelves.project("alpha", more='[tool.accord]\nconstraints = ["alpha<2"]\noverrides = ["beta==1.0"]\n')
    shelves.accord("sync").fine()
    assert shelves.installed(".venv") == {"alpha": "1.1", "beta": "1.0"}
    shelves.project("alpha", more='[tool.accord]\nexclude-dependencies = ["beta"]\n')
    shelves.accord("sync").fine()
    assert shelves.installed(".venv") == {"alpha": "1.1"}  # locked, so it stays


def test_an_override_by_url_is_taken_or_refused_but_never_ignored(shelves: World) -> None:
    filename, content, _ = wheel_file("beta", "9.0")
    path = shelves.write(filename, content)
    shelves.write("o.txt", f"beta @ file://{path}\n")
    shelves.write("in.txt", "alpha\n")
    ran = shelves.accord("pip", "compile", "in.txt", "--no-header", "--override", "o.txt", "--json")
    if ran.status == 0:
        assert f"beta @ file://{path}" in ran.document()["text"]
    else:
        assert ran.document()["error"]["hint"]
        assert ran.document()["error"]["code"] != "internal-error"


# ------------------------------------------------------------ which version


@pytest.mark.parametrize(
    ("strategy", "pins"),
    [
        ("highest", {"alpha": "2.0", "beta": "1.2"}),
        ("lowest", {"alpha": "1.0", "beta": "1.1"}),
        ("lowest-direct", {"alpha": "1.0", "beta": "1.2"}),
    ],
)
def test_resolution(shelves: World, strategy: str, pins: dict[str, str]) -> None:
    assert compiled(shelves, "alpha", words=("--resolution", strategy)) == pins


@pytest.mark.parametrize(
    ("words", "line", "version"),
    [
        ((), "beta", "1.2"),
        ((), "beta>=2.0b1", "2.0b1"),
        (("--pre",), "beta", "2.0b1"),
        (("--prerelease", "allow"), "beta", "2.0b1"),
        (("--prerelease", "explicit"), "beta", "1.2"),
        (("--prerelease", "disallow"), "beta", "1.2"),
        ((), "preview", "1.0rc1"),
        (("--prerelease", "if-necessary"), "preview", "1.0rc1"),
    ],
)
def test_prereleases(shelves: World, words: tuple[str, ...], line: str, version: str) -> None:
    shelves.publish("preview", "1.0rc1")
    assert list(compiled(shelves, line, words=words).values()) == [version]


@pytest.mark.parametrize("words", [("--prerelease", "disallow"), ("--prerelease", "explicit")])
def test_a_prerelease_that_may_not_be_chosen_is_the_reason_told(
    shelves: World, words: tuple[str, ...]
) -> None:
    shelves.publish("preview", "1.0rc1")
    assert "pre-release" in refused(shelves, "preview", code="only-prereleases", words=words)


def _yank(world: World, name: str, version: str, reason: str) -> None:
    for file in world.index.files[name]:
        if f"-{version}-" in file.filename:
            file.yanked, file.yank_reason = True, reason


def test_a_yanked_version_is_passed_over(shelves: World) -> None:
    _yank(shelves, "beta", "1.2", "lost data")
    assert compiled(shelves, "alpha") == {"alpha": "2.0", "beta": "1.1"}


def test_a_pinned_yanked_version_is_taken_and_the_reason_shown(shelves: World) -> None:
    _yank(shelves, "beta", "1.2", "lost data")
    assert compiled(shelves, "beta==1.2") == {"beta": "1.2"}
    assert "beta 1.2 is yanked: lost data" in warned(shelves, "beta==1.2")


def test_only_yanked_versions_are_a_reason_of_their_own(shelves: World) -> None:
    for version in ("1.0", "1.1", "2.0"):
        _yank(shelves, "alpha", version, "never worked")
    assert "yanked" in refused(shelves, "alpha", code="only-yanked")


def test_a_version_for_another_python_is_passed_over(shelves: World) -> None:
    shelves.publish("beta", "1.3", requires_python=">=3.99")
    assert compiled(shelves, "beta") == {"beta": "1.2"}


def test_an_extra_nobody_provides_is_a_warning(shelves: World) -> None:
    assert compiled(shelves, "alpha[turbo]") == {"alpha": "2.0", "beta": "1.2"}
    assert "alpha 2.0 has no extra turbo" in warned(shelves, "alpha[turbo]")


@pytest.mark.parametrize(
    ("when", "version"),
    [
        ("2026-01-15", "1.1"),
        ("2026-01-10", "1.1"),  # that day included
        ("2026-01-09", "1.0"),
        ("2026-01-10T00:00:00Z", "1.0"),
        ("2099-01-01", "1.2"),
    ],
)
def test_exclude_newer_by_date(shelves: World, when: str, version: str) -> None:
    _dated(shelves)
    assert _over_http(shelves, "beta", words=("--exclude-newer", when)) == {"beta": version}


@pytest.mark.parametrize("when", ["90 days", "P90D", "13 weeks"])
def test_exclude_newer_by_duration(shelves: World, when: str) -> None:
    _dated(shelves, newest="2098-01-01T00:00:00Z")
    assert _over_http(shelves, "beta", words=("--exclude-newer", when)) == {"beta": "1.1"}


def test_exclude_newer_for_one_project_and_the_reason(shelves: World) -> None:
    _dated(shelves)
    words = ("--exclude-newer", "2026-01-09", "--exclude-newer-package", "beta=2099-01-01")
    assert _over_http(shelves, "beta", words=words) == {"beta": "1.2"}
    with Loopback(shelves.index.answer) as server:
        shelves.use(f"{server.url}/simple/")
        told = refused(shelves, "beta", code="excluded-newer", words=("--exclude-newer", "2020-01-01"))
    assert "2020-01-02T00:00:00Z" in told  # that day is seen, the next is not


def _dated(world: World, newest: str = "2026-02-01T00:00:00Z") -> None:
    """Upload times, which only the JSON form of a page has."""
    times = {"1.0": "2026-01-01T00:00:00Z", "1.1": "2026-01-10T00:00:00Z", "1.2": newest, "2.0b1": newest}
    for file in world.index.files["beta"]:
        file.upload_time = times[file.filename.split("-")[1]]


def _over_http(world: World, *lines: str, words: tuple[str, ...]) -> dict[str, str]:
    with Loopback(world.index.answer) as server:
        world.use(f"{server.url}/simple/")
        return compiled(world, *lines, words=words)


# ------------------------------------------------------------ where from


@pytest.fixture
def second(world: World) -> str:
    """Another index, with a newer alpha and a project of its own."""
    other = MadeUp()
    for name, version in (("alpha", "9.0"), ("beta", "9.0"), ("own", "1.0")):
        filename, content, _ = wheel_file(name, version)
        other.add(name, filename, content)
    return file_url(other.write(os.path.join(world.root, "second")))


def test_a_name_belongs_to_the_first_index_that_has_it(shelves: World, second: str) -> None:
    """The version elsewhere may be as new as it likes."""
    assert compiled(shelves, "alpha", "own", words=("--index", second)) == {"alpha": "9.0", "own": "1.0"}
    first = ("--index", shelves.simple, "--index", second, "--default-index", second)
    assert compiled(shelves, "alpha", "own", words=first) == {"alpha": "2.0", "beta": "1.2", "own": "1.0"}


def test_no_version_in_the_first_index_does_not_open_the_second(shelves: World, second: str) -> None:
    words = ("--index", shelves.simple, "--default-index", second)
    assert "9" in refused(shelves, "alpha>=9", code="no-matching-version", words=words)


def test_an_assignment_gives_a_name_to_an_index(shelves: World, second: str) -> None:
    tables = (
        f'[[tool.accord.index]]\nname = "first"\nurl = "{shelves.simple}"\n'
        f'[[tool.accord.index]]\nname = "second"\nurl = "{second}"\nexplicit = true\n'
        '[tool.accord.sources]\nbeta = { index = "second" }\n'
    )
    shelves.project("alpha", more=tables)
    shelves.accord("lock").fine()
    packages = {one["name"]: one for one in tomllib.loads(shelves.read("pylock.toml"))["packages"]}
    assert (packages["alpha"]["version"], packages["beta"]["version"]) == ("2.0", "9.0")
    assert packages["beta"]["index"] == second
    shelves.project("own", more=tables)
    shelves.refused("lock", code="unknown-project")  # explicit: asked for nothing but what it was given


def test_find_links_joins_the_owners_page(shelves: World) -> None:
    filename, content, _ = wheel_file("beta", "1.5")
    shelves.write(f"wheels/{filename}", content)
    assert compiled(shelves, "alpha", words=("-f", "wheels"))["beta"] == "1.5"
    assert compiled(shelves, "alpha")["beta"] == "1.2"


def test_no_index_takes_find_links_alone(shelves: World) -> None:
    for name, version, requires in (("alpha", "3.0", ["beta"]), ("beta", "1.5", [])):
        filename, content, _ = wheel_file(name, version, requires=requires)
        shelves.write(f"wheels/{filename}", content)
    shelves.accord("pip", "install", "--no-index", "-f", "wheels", "alpha", "--env", "env").fine()
    assert shelves.installed("env") == {"alpha": "3.0", "beta": "1.5"}
    refused(shelves, "gamma", code="unknown-project", words=("--no-index", "-f", "wheels"))


# ------------------------------------------------------------ URLs


def test_a_url_in_the_metadata_of_an_index_is_refused(shelves: World) -> None:
    filename, content, _ = wheel_file("hidden", "1.0")
    path = shelves.write(filename, content)
    shelves.publish("sly", "1.0", requires=[f"hidden @ file://{path}"])
    assert "hidden" in refused(shelves, "sly", code="url-dependency")
    # Who asks for it by the same URL themselves has said that they trust it.
    pins = compiled(shelves, "sly", f"hidden @ file://{path}")
    assert pins == {"sly": "1.0"}


def test_a_direct_reference_answers_other_peoples_specifiers(shelves: World) -> None:
    filename, content, _ = wheel_file("beta", "1.7")
    path = shelves.write(filename, content)
    shelves.project("alpha", f"beta @ file://{path}")
    shelves.accord("sync").fine()
    assert shelves.installed(".venv") == {"alpha": "2.0", "beta": "1.7"}
    code = "import importlib.metadata as m; print(m.distribution('beta').read_text('direct_url.json'))"
    assert f"file://{path}" in shelves.asked_python(".venv", code)
    filename, content, _ = wheel_file("beta", "1.0")
    shelves.project("alpha", f"beta @ file://{shelves.write(filename, content)}")
    error = shelves.refused("sync", code="no-matching-version")
    assert "beta is to be 1.0, from file://" in error["message"]
    assert "beta>=1.1" in "\n".join([error["message"], *error["context"]])


def test_a_url_without_a_hash_is_warned_of(shelves: World) -> None:
    filename, content, _ = wheel_file("beta", "1.0")
    digest = hashlib.sha256(content).hexdigest()
    with Loopback(lambda _: reply(content)) as server:
        url = f"{server.url}/{filename}"
        assert f"no hash says which bytes {url} must have" in warned(shelves, f"beta @ {url}")
        assert "no hash" not in warned(shelves, f"beta @ {url}#sha256={digest}")


def test_two_references_for_one_name_are_refused(shelves: World) -> None:
    one, two = (
        shelves.write(f"{number}/{filename}", content)
        for number, (filename, content, _) in enumerate(
            (wheel_file("beta", "1.5"), wheel_file("beta", "1.6"))
        )
    )
    refused(shelves, f"beta @ file://{one}", f"beta @ file://{two}", code="conflicting-references")


# ------------------------------------------------------------ what an index says of a project


def test_a_quarantined_project_offers_nothing(shelves: World) -> None:
    shelves.index.status["beta"] = ("quarantined", "malware was reported")
    told = refused(shelves, "alpha", code="project-quarantined")
    assert "beta" in told
    assert "quarantined" in told


@pytest.mark.parametrize("status", ["archived", "deprecated"])
def test_an_archived_project_is_taken_with_a_warning(shelves: World, status: str) -> None:
    shelves.index.status["beta"] = (status, "use gamma")
    assert compiled(shelves, "beta") == {"beta": "1.2"}
    assert f"beta is {status}: use gamma" in warned(shelves, "beta")


# ------------------------------------------------------------ what was set for pip


def test_a_constraint_set_for_pip_holds_for_our_pip_commands(shelves: World) -> None:
    shelves.write("limits.txt", "beta<1.2\n")
    shelves.write("beta.in", "beta\n")
    settings: list[dict[str, str]] = [
        {"PIP_CONSTRAINT": "limits.txt"},
        {"UV_CONSTRAINT": "limits.txt"},
        {"PIP_CONFIG_FILE": shelves.write("pip.conf", "[install]\nconstraint =\n  limits.txt\n")},
    ]
    for each in settings:
        out = shelves.accord("pip", "compile", "beta.in", "--no-header", **each).fine().out
        assert "beta==1.1" in out
        shelves.accord("venv", "fresh", "--clear").fine()
        shelves.accord("pip", "install", "beta", "--env", "fresh", **each).fine()
        assert shelves.installed("fresh")["beta"] == "1.1"


# ------------------------------------------------------------ building


def test_no_build_refuses_an_sdist_and_no_binary_builds_one(shelves: World) -> None:
    shelves.publish_sdist("beta", "1.4")
    assert compiled(shelves, "beta")["beta"] == "1.4"
    assert compiled(shelves, "beta", words=("--no-build",))["beta"] == "1.2"
    assert compiled(shelves, "beta", words=("--only-binary", "beta"))["beta"] == "1.2"
    assert compiled(shelves, "beta", words=("--prefer-binary",))["beta"] == "1.2"
    told = refused(shelves, "alpha", code="no-compatible-wheel", words=("--no-binary", "alpha"))
    assert "--no-binary" in told
