"""What a lock may install does not depend on what the cache holds."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from accord.testing.worlds import World


@pytest.fixture
def honest(world: World) -> str:
    """A lock of spam as Accord writes it."""
    world.publish("spam", "1.0")
    world.write("spam.in", "spam\n")
    world.accord("pip", "compile", "spam.in", "-o", "pylock.toml").fine()
    return world.read("pylock.toml")


def larger(lock: str) -> str:
    return sized(lock, 1)


def smaller(lock: str) -> str:
    return sized(lock, -1)


def sized(lock: str, by: int) -> str:
    """The lock with a size for its wheel that is wrong ``by`` so many bytes."""
    path = re.search(r'path = "([^"]*)"', lock)
    assert path is not None
    return lock.replace(path[0], f"{path[0]}, size = {os.stat(path[1]).st_size + by}")


def renamed(lock: str) -> str:
    """The lock of ham, whose file is the one spam has."""
    return named(lock.replace('name = "spam"', 'name = "ham"', 1), "ham-1.0-py3-none-any.whl")


def newer(lock: str) -> str:
    return named(re.sub(r'\nversion = "1.0"', '\nversion = "2.0"', lock), "spam-2.0-py3-none-any.whl")


def named(lock: str, filename: str) -> str:
    """The lock with a ``name`` for its wheel."""
    return lock.replace('spam-1.0-py3-none-any.whl", path', f'{filename}", path')


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (larger, "size-mismatch"),
        (smaller, "size-mismatch"),
        (renamed, "wheel-dist-info-disagrees"),
        (newer, "wheel-dist-info-disagrees"),
    ],
)
def test_a_lock_that_lies_about_a_wheel_is_refused_alike(
    world: World, honest: str, kind: tuple[str, ...], change: Callable[[str], str], code: str
) -> None:
    honest = sized(honest, 0)
    world.write("pylock.toml", honest)
    world.write("pylock.false.toml", change(re.sub(", size = \\d+", "", honest)))
    false = ("sync", "--lock", "pylock.false.toml", *kind)
    world.refused(*false, "--env", "cold", code=code, ACCORD_CACHE_DIR=world.path("another-cache"))
    world.accord("sync", "--lock", "pylock.toml", "--env", "env", *kind).fine()
    world.refused(*false, "--env", "warm", code=code)
    world.refused(*false, "--env", "env", code=code)
    assert world.installed("env") == {"spam": "1.0"}
    world.accord("sync", "--lock", "pylock.toml", "--env", "again", *kind).fine()
