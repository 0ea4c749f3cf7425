"""``accord build`` where nothing says how to build, or by what: what is said, and that the hint leads on."""

from __future__ import annotations

import os

import pytest

from accord.testing.builds import GOOD_BACKEND
from accord.testing.worlds import World

PROJECT = '[project]\nname = "app"\nversion = "1.0"\n'
# A setuptools of this world: it knows one hook, and where it gives up.
SETUPTOOLS = (
    GOOD_BACKEND
    + """
NAME, VERSION = "app", "1.0"
def metadata():
    return "Metadata-Version: 2.1\\nName: app\\nVersion: 1.0\\n"
_wheel = build_wheel
class __legacy__:
    def build_wheel(*arguments):
        import os, sys
        if len([name for name in os.listdir(".") if os.path.isdir(name) and name[0] != "."]) > 1:
            sys.exit("error: Multiple top-level packages discovered\\n\\nand more of it")
        return _wheel(*arguments)
"""
)


@pytest.fixture
def setuptools(world: World) -> World:
    files = {"setuptools/__init__.py": b"", "setuptools/build_meta.py": SETUPTOOLS.encode()}
    world.publish("setuptools", "99.0", files=files)
    return world


def test_a_build_without_a_build_system_says_by_what_it_was_built(setuptools: World) -> None:
    setuptools.write("pyproject.toml", PROJECT)
    ran = setuptools.accord("build", "--wheel").fine()
    assert ran.err.count("names no build system, so setuptools built it (PEP 517)") == 1
    assert 'build-backend = "accord_backend"' in ran.err
    setuptools.write(
        "pyproject.toml",
        PROJECT
        + '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta:__legacy__"\n',
    )
    assert "setuptools" not in setuptools.accord("build", "--wheel").fine().err


def test_where_it_fails_the_hint_says_so_too(setuptools: World) -> None:
    setuptools.write("pyproject.toml", PROJECT)
    setuptools.write("one/__init__.py", "")
    setuptools.write("two/__init__.py", "")
    error = setuptools.refused("build", "--wheel", code="build-failed")
    assert error["hint"].startswith("the project names no build system, so setuptools built it: ")
    assert "builds-v1/logs" in error["hint"]
    assert "error: Multiple top-level packages discovered" in error["context"], "a line of its own"


def test_of_a_setup_py_migrate_is_named(setuptools: World) -> None:
    setuptools.write("setup.py", "")
    assert (
        "accord migrate writes a pyproject.toml that names one"
        in setuptools.accord("build", "--wheel").fine().err
    )


@pytest.mark.parametrize(
    ("files", "message", "hint"),
    [
        ({}, "work is empty", "accord init"),
        ({"main.py": ""}, "holds files", "accord init --package"),
        ({"notes.txt": ""}, "holds files", "accord build FOLDER"),
        ({"setup.cfg": "[metadata]\n"}, "setup.cfg", "accord migrate"),
        ({"inner/pyproject.toml": PROJECT, "main.py": ""}, "no project", "accord build inner"),
        ({"pyproject.toml": "[tool.black]\n"}, "describes no project", "[build-system]"),
        (
            {"pyproject.toml": '[tool.accord.workspace]\nmembers = ["a"]\n'},
            "describes no project",
            "accord build --all",
        ),
    ],
)
def test_what_is_no_project_is_told_what_to_do(
    world: World, files: dict[str, str], message: str, hint: str
) -> None:
    for path, text in files.items():
        world.write(path, text)
    error = world.refused("build", code="build-not-a-project")
    assert message in error["message"]
    assert hint in error["hint"]
    assert "#subdirectory" not in error["hint"]
    assert not os.path.exists(world.path("dist"))


def test_inside_a_project_its_folder_is_named(world: World) -> None:
    world.write("pyproject.toml", PROJECT)
    world.write("src/app/__init__.py", "")
    error = world.refused("build", "src/app", code="build-not-a-project")
    assert error["hint"] == "accord build ."
