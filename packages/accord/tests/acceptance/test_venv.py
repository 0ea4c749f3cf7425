"""``accord venv``: which Python it takes, what it refuses, and that several at once do not meet."""

from __future__ import annotations

import os
import sys

import pytest

from accord.environments.interpreters import Interpreter, find_all
from accord.testing.worlds import World, refusal

HERE = "{}.{}".format(*sys.version_info[:2])


@pytest.fixture(scope="module")
def pythons(tmp_path_factory: pytest.TempPathFactory) -> tuple[Interpreter, ...]:
    return find_all(cache_dir=str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def another(pythons: tuple[Interpreter, ...]) -> str:
    """The minor version of a Python that is not the running one's."""
    found = [one.short for one in pythons if one.short != HERE and one.implementation == "cpython"]
    if not found:
        pytest.skip("there is one Python here")
    return max(found, key=lambda text: int(text.partition(".")[2]))


def version(world: World, env: str) -> str:
    with open(world.path(env, "pyvenv.cfg"), encoding="utf-8") as file:
        line = next(line for line in file if line.startswith("version ="))
    return ".".join(line.split()[-1].split(".")[:2])


@pytest.mark.parametrize("project", [True, False])
def test_the_nearest_pin_upwards_counts(world: World, another: str, project: bool) -> None:
    world.write(".python-version", f"# for all\n{another}\n")
    os.makedirs(world.path("sub", "below"))
    if project:
        world.write("sub/pyproject.toml", '[project]\nname = "sub"\nversion = "1"\n')
    world.accord("--directory", world.path("sub", "below"), "venv").fine()
    assert version(world, "sub/below/.venv") == another
    found = world.process("--directory", world.path("sub"), "python", "find", "--json").fine().document()
    assert found["version"].startswith(another)
    if project:
        world.process("--directory", world.path("sub"), "sync").fine()
        assert version(world, "sub/.venv") == another
        # A nearer one is seen, also by a sync that would have had nothing to do.
        world.write("sub/.python-version", f"{HERE}\n")
        ran = world.process("--directory", world.path("sub"), "--json", "sync")
        assert refusal(ran, "environment-other-python")


def test_what_the_project_requires_counts(world: World, another: str) -> None:
    world.write("pyproject.toml", f'[project]\nname="p"\nversion="1"\nrequires-python="=={another}.*"\n')
    world.process("venv").fine()
    assert version(world, ".venv") == another
    found = world.process("python", "find", "--json").fine().document()
    assert found["version"].startswith(another)
    world.write("pyproject.toml", f'[project]\nname="p"\nversion="1"\nrequires-python="=={HERE}.*"\n')
    for words in (("sync",), ("venv",)):
        error = world.process("--json", *words).document()["error"]
        assert "accord venv --clear" in error["hint"], words
    world.process("venv", "--clear").fine()
    assert version(world, ".venv") == HERE
    world.process("sync").fine()


def test_a_pin_that_leads_nowhere_is_named(world: World) -> None:
    world.write(".python-version", "9.99\n")
    error = world.refused("python", "find", code="interpreter-not-found")
    assert ".python-version" in " ".join(error["context"])
    world.write(".python-version", b"\xff\n")
    world.refused("venv", code="document-not-utf8")


def test_an_environment_of_another_python_is_refused(world: World, another: str) -> None:
    world.accord("venv", "env").fine()
    error = world.refused("venv", "env", "--python", another, code="environment-other-python")
    assert "--clear" in error["hint"]
    assert version(world, "env") == HERE
    world.accord("venv", "env", "--python", HERE).fine()
    world.accord("venv", "env").fine()
    world.accord("venv", "env", "--python", another, "--clear").fine()
    assert version(world, "env") == another
    # Without a wish it stays as it is, and is said to be what it is.
    assert world.accord("venv", "env", "--json").fine().document()["version"].startswith(another)


def test_an_environment_of_the_same_version_of_another_installation(
    world: World, pythons: tuple[Interpreter, ...]
) -> None:
    same = [one for one in pythons if one.short == HERE and one.implementation == "cpython"]
    if len({one.real for one in same}) < 2:
        pytest.skip("there is one such Python")
    world.accord("venv", "env", "--python", same[0].executable).fine()
    world.refused("venv", "env", "--python", same[1].executable, code="environment-other-python")
    world.accord("venv", "env", "--python", same[0].executable).fine()


def test_a_python_that_has_gone_names_the_way_out(world: World) -> None:
    world.project()
    world.accord("sync").fine()
    for name in ("python", "python3", f"python{HERE}"):
        os.unlink(world.path(".venv", "bin", name))
        os.symlink("/nonexistent/python", world.path(".venv", "bin", name))
    world.write("pyproject.toml", world.read("pyproject.toml") + "\n# changed\n")
    for words in (("sync",), ("venv",), ("pip", "list")):
        error = world.refused(*words, code="environment-broken")
        assert "accord venv --clear" in error["hint"]
    world.accord("venv", "--clear").fine()
    world.accord("sync").fine()


@pytest.mark.parametrize("words", [(), ("--clear",)])
def test_several_at_once(world: World, words: tuple[str, ...]) -> None:
    if words:
        world.accord("venv", "env").fine()
    started = [world.start("venv", "env", *words) for _ in range(4)]
    for process in started:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    assert version(world, "env") == HERE
    assert world.accord("verify", "--env", "env").fine()


def test_clearing_beside_installing(world: World) -> None:
    world.publish("alpha", "1.0")
    world.accord("venv", "env").fine()
    started = [
        world.start(*words, "env")
        for words in 2
        * (("pip", "install", "alpha", "--env"), ("venv", "--clear"), ("pip", "install", "alpha", "--env"))
    ]
    for process in started:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0 or "error[environment-changed]" in err, err
    assert set(world.installed("env")) <= {"alpha"}
    world.accord("verify", "--env", "env").fine()
    assert sorted(name for name in os.listdir(world.here) if name != "env") == []


def test_two_that_make_one_by_installing(world: World) -> None:
    for name in ("alpha", "beta"):
        world.publish(name, "1.0")
    started = [world.start("pip", "install", name, "--env", "env") for name in ("alpha", "beta", "alpha")]
    for process in started:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    assert set(world.installed("env")) == {"alpha", "beta"}
