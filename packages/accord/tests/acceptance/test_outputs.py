"""``-o`` of every command that has one, and the files that are read for what they held before."""

from __future__ import annotations

import json
import os
import sys

import pytest

from accord.testing.worlds import World


@pytest.fixture
def shop(world: World) -> World:
    for number in ("1.0", "2.0"):
        world.publish("alpha", number)
    world.write("r.in", "alpha\n")
    world.project("alpha")
    world.accord("lock").fine()
    os.symlink("/proc/self/fd/1", world.path("out"))
    os.symlink("/dev/zero", world.path("zero.txt"))
    return world


COMMANDS = [
    ("pip", "compile", "r.in", "-o"),
    ("lock", "r.in", "-o"),
    ("export", "-o"),
    ("pip", "install", "alpha", "--dry-run", "--env", "env", "--report"),
]


@pytest.mark.parametrize("words", COMMANDS)
def test_standard_output_by_its_name_and_by_a_dash(shop: World, words: tuple[str, ...]) -> None:
    for name in ("out", "-"):
        ran = shop.process(*words, name).fine()
        assert "alpha" in ran.out
        if words[1] == "install":
            json.loads(ran.out)
    assert os.path.islink(shop.path("out"))
    assert not os.path.lexists(shop.path("-"))


@pytest.mark.parametrize("words", COMMANDS)
def test_a_link_and_a_mode_stay(shop: World, words: tuple[str, ...]) -> None:
    real = shop.write("real.txt", "")
    os.chmod(real, 0o600)
    os.symlink("real.txt", shop.path("link.txt"))
    shop.accord(*words, "link.txt").fine()
    assert os.path.islink(shop.path("link.txt"))
    assert "alpha" in shop.read("real.txt")
    assert os.stat(real).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize("name", ["nodir/x.txt", "folder"])
def test_what_cannot_be_written(shop: World, words: tuple[str, ...], name: str) -> None:
    os.mkdir(shop.path("folder"))
    code = "file-not-found" if "/" in name else "output-not-a-file"
    error = shop.refused(*words, name, code=code)
    assert name.partition("/")[0] in error["message"]


def test_an_earlier_output_is_read_from_files_only(shop: World) -> None:
    shop.process("pip", "compile", "r.in", "-o", "zero.txt").fine()
    shop.process("lock", "r.in", "-o", "zero.txt").fine()
    assert os.path.islink(shop.path("zero.txt"))
    shop.write("kept.txt", "alpha==1.0\n")
    assert "alpha==1.0" in shop.accord("pip", "compile", "r.in", "-o", "kept.txt").fine().err + shop.read(
        "kept.txt"
    )


def test_the_lock_of_a_project_may_be_a_link(shop: World) -> None:
    os.mkdir(shop.path("shared"))
    os.rename(shop.path("pylock.toml"), shop.path("shared", "pylock.toml"))
    os.symlink("shared/pylock.toml", shop.path("pylock.toml"))
    shop.accord("add", "alpha<2").fine()
    assert os.path.islink(shop.path("pylock.toml"))
    assert '"1.0"' in shop.read("shared/pylock.toml")


def test_inputs_that_are_pipes(shop: World) -> None:
    accord = f"{sys.executable} -m accord"
    for line in (
        f"{accord} pip compile <(echo alpha) --no-header",
        f"{accord} pip compile r.in -c <(echo 'alpha<2') --no-header",
        f"{accord} add --no-sync -r <(echo 'alpha>=1')",
        f"{accord} sync --env other --lock <(cat pylock.toml)",
    ):
        shop.run("bash", "-c", line).fine()


def test_a_fifo_that_nobody_writes_into_is_refused(shop: World) -> None:
    os.mkfifo(shop.path("fifo"))
    shop.refused("pip", "compile", "r.in", "-c", "fifo", code="file-unreadable")


@pytest.mark.parametrize(
    "environ", [{"HOME": "/proc", "ACCORD_CACHE_DIR": ""}, {"ACCORD_CACHE_DIR": "/etc/passwd"}]
)
def test_a_cache_that_cannot_be(shop: World, environ: dict[str, str]) -> None:
    ran = shop.process("pip", "install", "alpha", "--env", "env", **environ)
    assert ran.status == 1
    assert "mount options" not in ran.err
    assert "--cache-dir" in ran.err
