"""``kill -9`` at any moment: afterwards the environment is the old one or the new one, and every lock can be read.

Two ways to die: at every named step of a change (``accord.io.steps``), and at a moment nobody chose.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence

import pytest

from accord.testing.worlds import World, contents

OLD = {"alpha": "1.0", "beta": "1.0", "tool": "1.0"}
NEW = {"alpha": "2.0", "gamma": "1.0", "tool": "1.0"}

# The command line, dying at its Nth step as if by a power cut: no handler, no finally, no flush.
DYING = """
import os, signal, sys
from accord.io import steps
left = int(sys.argv[1])

def die(name):
    global left
    left -= 1
    if left == 0:
        sys.stderr.write(name)
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGKILL)

steps.hook = die
from accord.cli.main import main
sys.exit(main(sys.argv[2:]))
"""


def _prepare(world: World, *flags: str) -> None:
    """An environment of OLD, and a project that now asks for NEW; its lock is still the old one."""
    for name, version in (*OLD.items(), *NEW.items()):
        package = {f"{name}/__init__.py": f"version = {version!r}\n".encode()}
        package |= {f"{name}/part{number}.py": b"x = 1\n" for number in range(8)}
        if name not in world.index.files or f"{name}-{version}-py3-none-any.whl" not in world.index.contents:
            world.publish(name, version, files=package, scripts={f"run-{name}": f"{name}:main"})
    _ask(world, OLD)
    world.accord("sync", *flags).fine()
    assert world.installed(".venv") == OLD
    _ask(world, NEW)


def _ask(world: World, wanted: dict[str, str]) -> None:
    world.project(*(f"{name}=={version}" for name, version in wanted.items()))


def _check(world: World, *, sealed: bool) -> dict[str, str]:
    """What there is after the next accord command has looked at it: whole, and nothing else."""
    tomllib.loads(world.read("pylock.toml"))
    world.accord("pip", "list").fine()
    there = world.installed(".venv")
    assert there in (OLD, NEW)
    code = (
        "import importlib, json, importlib.util as u\n"
        f"names = [n for n in {sorted({*OLD, *NEW})!r} if u.find_spec(n)]\n"
        "print(json.dumps({n: importlib.import_module(n).version for n in names}))"
    )
    assert json.loads(world.asked_python(".venv", code)) == there
    scripts = {name for name in os.listdir(world.path(".venv", "bin")) if name.startswith("run-")}
    assert scripts == {f"run-{name}" for name in there}
    if not sealed:
        world.accord("verify").fine()
    return there


def _die_at(world: World, step: int, words: Sequence[str]) -> tuple[int, str]:
    done = world.run(sys.executable, "-c", DYING, str(step), *words)
    return done.status, done.err


def _every_step(world: World, words: Sequence[str]) -> Iterator[str]:
    """Run ``words`` again and again, dying one step later each time, until it gets to its end."""
    for step in range(1, 60):
        status, said = _die_at(world, step, words)
        if status == 0:
            return
        assert status == -signal.SIGKILL, said
        yield said.rpartition("\n")[2]
    raise AssertionError("it never ended")


@pytest.mark.parametrize("kind", ["private", "sealed"])
def test_a_sync_killed_at_any_step(world: World, kind: str) -> None:
    flags = ("--sealed",) if kind == "sealed" else ()
    _prepare(world, *flags)
    died, found = [], []
    for step in _every_step(world, ("sync", *flags)):
        there = _check(world, sealed=bool(flags))
        died.append(step)
        found.append(there)
        if there == NEW:
            # Back to the beginning, for the next death.
            _ask(world, OLD)
            world.accord("sync", *flags).fine()
            _ask(world, NEW)
    assert len(died) >= 4, died
    assert OLD in found, died
    assert NEW in found, died  # the last step is after the change: a crash there loses nothing
    assert _check(world, sealed=bool(flags)) == NEW
    world.accord("sync", *flags).fine()
    assert _check(world, sealed=bool(flags)) == NEW


@pytest.mark.slow
def test_an_undo_killed_at_any_step(world: World) -> None:
    _prepare(world)
    world.accord("sync").fine()
    for step in _every_step(world, ("undo",)):
        there = _check(world, sealed=False)
        if there == OLD:
            world.accord("undo", "--redo").fine()
        assert step
    assert _check(world, sealed=False) == OLD


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["private", "sealed"])
def test_a_new_environment_killed_at_any_step_is_whole_or_none(world: World, kind: str) -> None:
    flags = ("--sealed",) if kind == "sealed" else ()
    _prepare(world)
    died = 0
    for _ in _every_step(world, ("sync", "--lock", "pylock.toml", "--env", "fresh", *flags)):
        died += 1
        if os.path.exists(world.path("fresh")):
            world.accord("pip", "list", "--env", "fresh").fine()
            assert world.installed("fresh") in ({}, OLD)
            world.run("rm", "-r", world.path("fresh")).fine()
    assert died >= 2
    assert world.installed("fresh") == OLD


def _killed_at_random(world: World, words: Sequence[str], rounds: int, seed: int) -> list[bool]:
    """Kill a real process at ``rounds`` moments between its start and its end; whether the new state was reached."""
    chance = random.Random(seed)
    began = time.monotonic()
    _process(world, words).wait()
    whole = time.monotonic() - began
    reached = []
    for _ in range(rounds):
        _ask(world, OLD)
        world.accord("sync").fine()
        _ask(world, NEW)
        process = _process(world, words)
        time.sleep(chance.uniform(0.1, 1.0) * whole)
        process.kill()
        process.wait()
        reached.append(_check(world, sealed=False) == NEW)
    return reached


def _process(world: World, words: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "accord", *words],
        cwd=world.here,
        env=world.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.slow
def test_a_sync_killed_when_nobody_expects_it(world: World) -> None:
    _prepare(world)
    _killed_at_random(world, ("sync",), 4, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 5))
def test_a_sync_killed_when_nobody_expects_it_again_and_again(world: World, seed: int) -> None:
    _prepare(world)
    _killed_at_random(world, ("sync",), 12, seed)


@pytest.mark.slow
def test_a_lock_killed_when_nobody_expects_it_is_the_old_or_the_new(world: World) -> None:
    _prepare(world)
    old = world.read("pylock.toml")
    world.accord("lock").fine()
    new = world.read("pylock.toml")
    before = contents(world.path(".venv"))
    chance = random.Random(7)
    for _ in range(6):
        world.write("pylock.toml", old)
        process = _process(world, ("lock",))
        time.sleep(chance.uniform(0.05, 0.6))
        process.kill()
        process.wait()
        assert world.read("pylock.toml") in (old, new)
    assert contents(world.path(".venv")) == before
