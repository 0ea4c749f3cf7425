"""One world for each test: see :mod:`accord.testing.worlds`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import pytest

from accord.testing.worlds import World, contents

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An empty index, an empty cache, an empty home."""
    made = World(str(tmp_path))
    yield made
    made.clean()


@pytest.fixture(params=["private", "sealed"])
def kind(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The flags that make each kind of environment."""
    return ("--sealed",) if request.param == "sealed" else ()


@pytest.fixture
def settled(world: World) -> World:
    """A project that asks for alpha, which needs beta; locked and synced."""
    world.publish("alpha", "1.0", requires=["beta>=1"])
    world.publish("beta", "1.0")
    world.project("alpha")
    world.accord("sync").fine()
    return world


@pytest.fixture
def unchanged() -> Callable[[World], AbstractContextManager[None]]:
    """``with unchanged(world): …``: environment and lock are byte for byte what they were, whatever happens in there."""

    @contextlib.contextmanager
    def watch(world: World) -> Iterator[None]:
        before = _state(world)
        assert "pyvenv.cfg" in before, "an environment that is not there cannot be kept"
        yield
        after = _state(world)
        different = sorted(
            path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
        )
        assert different == []
        # What a refused command prepared aside is gone too.
        assert [name for name in os.listdir(world.here) if ".accord-" in name] == []

    return watch


def _state(world: World) -> dict[str, str]:
    state = contents(world.path(".venv"))
    with open(world.path("pylock.toml"), encoding="utf-8") as stream:
        state["pylock.toml"] = stream.read()
    return state
