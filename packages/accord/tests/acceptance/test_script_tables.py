"""The ``[tool.accord]`` table of a script with inline metadata counts as a project's does."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

from accord.testing.indexes import MadeUp
from accord.testing.loopback import Loopback
from accord.testing.worlds import World, refusal, wheel_file

USES = "import alpha\nprint(alpha.version)\n"


def script(*toml: str, path: str = "x.py", uses: str = USES, world: World) -> None:
    world.write(path, "# /// script\n" + "".join(f"# {line}\n" for line in toml) + f"# ///\n{uses}")


def other_index(world: World, folder: str, version: str) -> None:
    """An index with an alpha of its own, below where commands are run."""
    made = MadeUp()
    made.add("alpha", *wheel_file("alpha", version)[:2])
    made.write(world.path(folder))


def ran(world: World, *words: str) -> str:
    return world.process("run", *words).fine().out.strip()


def refused(world: World, *words: str, code: str) -> dict[str, Any]:
    return refusal(world.accord("--json", "run", *words), code)


def test_a_default_index_of_its_own(world: World) -> None:
    world.publish("alpha", "1.0")
    other_index(world, "private", "0.5")
    table = ("[[tool.accord.index]]", 'name = "own"', 'url = "private/simple"', "default = true")
    script('dependencies = ["alpha"]', *table, world=world)
    assert ran(world, "x.py") == "0.5"
    # Paths are the script's, wherever it is called from.
    os.makedirs(world.path("private", "elsewhere"))
    assert ran(world, "--directory", "private/elsewhere", "../../x.py") == "0.5"


def test_an_index_for_one_project(world: World) -> None:
    world.publish("alpha", "1.0")
    other_index(world, "private", "0.5")
    table = ("[[tool.accord.index]]", 'name = "own"', 'url = "private/simple"', "explicit = true")
    more = ("[tool.accord.sources]", 'Alpha = { index = "own" }')
    script('dependencies = ["alpha"]', *table, *more, world=world)
    assert ran(world, "x.py") == "0.5"


def test_a_path_of_its_own(world: World) -> None:
    world.publish("alpha", "1.0")
    world.write("tools/x.py", "")
    world.tree("tools/alpha", "alpha", "9.0")
    source = ("[tool.accord.sources]", 'alpha = { path = "alpha" }')
    uses = "import importlib.metadata as m\nprint(m.version('alpha'))\n"
    script('dependencies = ["alpha"]', *source, path="tools/x.py", uses=uses, world=world)
    assert ran(world, "tools/x.py") == "9.0"


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ('constraints = ["alpha<2"]', "1.0"),
        ('overrides = ["alpha==1.0"]', "1.0"),
        ('prerelease = "allow"', "3.0b1"),
        ('resolution = "lowest"', "1.0"),
    ],
)
def test_what_limits_versions(world: World, line: str, version: str) -> None:
    for number in ("1.0", "2.0", "3.0b1"):
        world.publish("alpha", number)
    asks = 'dependencies = ["alpha"]'
    script(asks, world=world)
    assert ran(world, "x.py") == "2.0"
    script(asks, "[tool.accord]", line, world=world)  # the table is part of what finds its environment
    assert ran(world, "x.py") == version
    script(asks, world=world)
    assert ran(world, "x.py") == "2.0"


def test_a_moment_after_which_nothing_exists(world: World) -> None:
    world.publish("alpha", "1.0").upload_time = "2020-01-01T00:00:00Z"
    world.publish("alpha", "2.0").upload_time = "2024-01-01T00:00:00Z"
    asks = 'dependencies = ["alpha"]'
    script(asks, "[tool.accord]", 'exclude-newer = "2022-01-01"', world=world)
    with Loopback(world.index.answer) as server:
        world.use(f"{server.url}/simple/")
        assert ran(world, "x.py") == "1.0"


def test_dependencies_it_does_not_want(world: World) -> None:
    world.publish("alpha", "1.0", requires=["unwelcome"])
    script('dependencies = ["alpha"]', "[tool.accord]", 'exclude-dependencies = ["unwelcome"]', world=world)
    assert ran(world, "x.py") == "1.0"


@pytest.mark.parametrize("value", ["true", '["alpha"]'])
def test_what_is_not_to_be_built(world: World, value: str) -> None:
    """A script's and a project's alike."""
    world.publish_sdist("alpha", "1.0")
    script('dependencies = ["alpha"]', "[tool.accord]", f"no-build = {value}", world=world)
    assert "error[" in world.process("run", "x.py").err
    world.project("alpha", more=f"[tool.accord]\nno-build = {value}\n")
    assert world.accord("lock").status == 1
    world.project("alpha", more='[tool.accord]\nno-build = ["other"]\n')
    world.accord("lock").fine()


def test_a_python_that_it_does_not_allow(world: World) -> None:
    script('requires-python = ">=99"', "dependencies = []", world=world)
    refused(world, "x.py", code="interpreter-not-found")
    error = refused(world, "--python", sys.executable, "x.py", code="python-not-allowed")
    assert ">=99" in error["message"]


def test_encodings(world: World) -> None:
    """What Python reads (PEP 263) is read; what it refuses is refused with words."""
    world.write(
        "x.py", "# coding: latin-1\n# /// script\n# dependencies = []\n# ///\nprint('é')\n".encode("latin-1")
    )
    assert ran(world, "x.py") == "é"
    world.write("x.py", "# /// script\n# dependencies = []\n# ///\nprint('é')\n".encode("latin-1"))
    refused(world, "x.py", code="document-not-utf8")


def test_requirements_from_a_pipe_and_from_a_file_that_changes(world: World) -> None:
    for number in ("1.0", "2.0"):
        world.publish("alpha", number)
    line = f"{sys.executable} -m accord run --with-requirements <(echo 'alpha<2') python -c '{USES}'"
    world.write_index()
    assert world.run("bash", "-c", line).fine().out == "1.0\n"
    words = ("--with-requirements", "r.in", "-c", "c.in", "python", "-c", USES)
    world.write("c.in", "")
    for requirement, constraint, version in (
        ("alpha", "alpha<2", "1.0"),
        ("alpha", "", "2.0"),
        ("alpha<2", "", "1.0"),
    ):
        world.write("r.in", f"{requirement}\n")
        world.write("c.in", f"{constraint}\n")
        assert ran(world, *words) == version
