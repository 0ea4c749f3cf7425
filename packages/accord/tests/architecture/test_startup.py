"""What the fast commands may load: every import is paid for by every run.

Measured in a process without ``site``, so that nothing an environment preloads hides what a command loads itself.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from accord.testing.builds import GOOD_BACKEND
from accord.testing.loopback import Loopback
from accord.testing.worlds import World

# Their cost on top of a bare Python stands in docs/explanation/architecture.md, "The fast path".
NEVER = {
    "argparse",
    "concurrent",
    "email",
    "http",
    "importlib.metadata",
    "json",
    "keyring",
    "logging",
    "msgspec",
    "packaging",
    "pathlib",
    "rich",
    "socket",
    "ssl",
    "subprocess",
    "tomlkit",
    "tomllib",
    "urllib",
    "zipfile",
}
SLOW = NEVER | {"ast", "dataclasses", "enum", "inspect", "re", "shutil", "tempfile", "typing", "sqlite3"}
MARK = "loaded:"


def loaded(world: World, program: str, *words: str) -> set[str]:
    """The modules a program leaves in ``sys.modules``, by full name and by each package above them."""
    path = [entry for entry in sys.path if entry]
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path[:] = {path!r}\n{program}\nprint({MARK!r}, *sys.modules)",
            *words,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=world.here,
        env=world.environ,
    )
    said, mark, names = done.stdout.rpartition(MARK)
    assert mark and done.returncode == 0, said + done.stderr
    parts = [name.split(".") for name in names.split()]
    return {".".join(part[:end]) for part in parts for end in range(1, len(part) + 1)}


def by_accord(world: World, *words: str) -> set[str]:
    return loaded(
        world, "from accord.cli.main import main; assert main(sys.argv[1:]) == 0, 'refused'", *words
    )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two releases, one needing the other, on an index over HTTP; asked once, so that everything is warm."""
    world = World(str(tmp_path / "world"))
    world.publish("eggs", "1.0")
    world.publish("spam", "2.0", requires=("eggs>=1",))
    with Loopback(world.index.answer) as server:
        world.use(f"{server.url}/simple")
        world.write("spam.in", "spam\n")
        world.accord("pip", "compile", "spam.in", "-o", "pylock.toml").fine()
        world.accord("pip", "compile", "spam.in", "-o", "spam.txt").fine()
        world.accord("sync", "--lock", "pylock.toml", "--env", "env").fine()
        world.accord("sync", "--lock", "pylock.toml", "--env", "sealed", "--sealed").fine()
        yield world


def test_version_loads_its_own_module_and_nothing_else_of_ours(world: World) -> None:
    names = by_accord(world, "--version")
    assert {name for name in names if name.startswith("accord")} == {
        "accord",
        "accord.cli",
        "accord.cli.main",
    }
    assert names & SLOW == set()
    assert "hashlib" not in names


def test_a_sync_with_nothing_to_do(world: World) -> None:
    names = by_accord(world, "sync", "--lock", "pylock.toml", "--env", "env")
    assert "accord.environments.state" in names, "it looked at the environment"
    assert names & SLOW == set()
    assert names & {"accord.repositories", "accord.io.http", "accord.store"} == set()


def test_a_warm_compile_without_a_network(world: World) -> None:
    names = by_accord(world, "--offline", "pip", "compile", "spam.in", "-o", "spam.txt")
    assert "accord_core.resolve.solver" in names, "it solved"
    assert names & (SLOW - {"sqlite3"}) == set()


def test_a_sealed_environment_of_a_lock_seen_before(world: World) -> None:
    names = by_accord(world, "sync", "--lock", "pylock.toml", "--env", "another", "--sealed")
    assert names & NEVER == set()
    assert names & {"accord.io.http", "accord_core.resolve"} == set()


# Neither of the two is in this repository's locks: an environment made from them alone cannot import it.
@pytest.mark.parametrize("module", sorted(SLOW - {"keyring", "pyproject_hooks"}))
def test_the_measure_sees_what_was_loaded(module: str, tmp_path: Path) -> None:
    world = World(str(tmp_path / "world"))
    assert module in loaded(world, f"import {module}") & SLOW
    assert loaded(world, "pass") & SLOW == set()


def test_a_warm_build_starts_the_backend_without_what_is_slow(world: World) -> None:
    world.publish("backend", "1.0", files={"demo_backend.py": GOOD_BACKEND.encode()})
    world.write(
        "pyproject.toml",
        '[project]\nname = "demo"\nversion = "1.0"\n'
        '[build-system]\nrequires = ["backend"]\nbuild-backend = "demo_backend"\n',
    )
    world.accord("build", "--wheel").fine()
    names = by_accord(world, "--offline", "build", "--wheel")
    assert "accord.build.hooks" in names, "it built"
    assert names & (NEVER | {"re", "enum"}) == set()
    assert names & {"accord.io.http", "accord.store", "accord_core.resolve", "sqlite3"} == set()
