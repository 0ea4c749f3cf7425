"""A cache that is taken away halfway, lies on another file system, belongs to somebody else, or comes out of a tarball.

Environments are judged by what their Python can import, sealed trees by whether root can write into them.
"""

from __future__ import annotations

import marshal
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from accord.testing.worlds import World

NOBODY = 65534
IMPORTS = "import alpha.sub7.part3, beta.sub0.part0; print('whole')"

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="becoming somebody else needs root and setpriv",
)


def _fill(world: World, *, folders: int = 8) -> None:
    """A project whose two wheels have folders enough to be caught in the middle of."""
    for name in ("alpha", "beta"):
        files = {f"{name}/sub{a}/part{b}.py": b"x = 1\n" for a in range(folders) for b in range(8)}
        world.publish(name, "1.0", files={f"{name}/__init__.py": b"", **files})
    world.project("alpha", "beta")
    world.accord("sync", "--sealed").fine()
    world.accord("sync", "--env", "private").fine()
    assert _whole(world, ".venv") and _whole(world, "private")


def _whole(world: World, env: str) -> bool:
    return world.run(world.python(env), "-c", IMPORTS).out == "whole\n"


def _cannot_be_written_to(world: World) -> None:
    """The sealed tree, if it is a shared one; where it cannot be guarded each environment has its own."""
    site = world.site(".venv")
    if site.startswith(world.cache):
        with pytest.raises(PermissionError):
            Path(site, "more.py").write_text("")


@pytest.mark.slow
def test_a_cleaning_that_is_interrupted_leaves_nothing_half(world: World) -> None:
    """At moments from its start to its end: whatever is found afterwards is whole, and the next cleaning ends it."""
    _fill(world, folders=150)
    began = time.monotonic()
    world.process("cache", "clean", "--dry-run").fine()
    start = (time.monotonic() - began) * 0.8
    caught = 0
    for attempt in range(8):
        world.accord("sync", "--sealed").fine()
        process = world.start("cache", "clean")
        if attempt % 2:
            time.sleep(start + 0.02 * attempt)
        else:
            while process.poll() is None and not os.path.isdir(os.path.join(world.cache, "removed-v1")):
                time.sleep(0.001)
        process.terminate()
        process.communicate(timeout=30)
        caught += os.path.isdir(os.path.join(world.cache, "removed-v1"))
        world.accord("sync", "--sealed", "--env", f"sealed{attempt}").fine()
        world.accord("sync", "--env", f"private{attempt}").fine()
        assert _whole(world, f"sealed{attempt}") and _whole(world, f"private{attempt}")
        assert _whole(world, "private")
    assert caught, "it was never caught in the middle"
    world.process("cache", "clean").fine()
    assert os.listdir(world.cache) == []


@pytest.fixture
def in_memory(world: World) -> Iterator[World]:
    """The world's cache on a tmpfs."""
    if not os.access("/dev/shm", os.W_OK):
        pytest.skip("there is no /dev/shm")
    folder = tempfile.mkdtemp(prefix="accord-test-", dir="/dev/shm")
    world.cache = world.environ["ACCORD_CACHE_DIR"] = os.path.join(folder, "cache")
    yield world
    world.clean()
    shutil.rmtree(folder)


def test_a_cache_in_memory_is_sealed_and_cleaned(in_memory: World) -> None:
    """Its files can be linked to nothing on the disk, and its kernel may know the immutable flag or not."""
    world = in_memory
    _fill(world)
    _cannot_be_written_to(world)
    world.process("cache", "clean").fine()
    assert os.listdir(world.cache) == []
    assert _whole(world, "private")
    world.accord("sync", "--sealed").fine()
    assert _whole(world, ".venv")


def _owned(path: str, owner: int) -> None:
    for folder, names, files in os.walk(path):
        for name in [*names, *files]:
            os.chown(os.path.join(folder, name), owner, owner, follow_symlinks=False)
    os.chown(path, owner, owner)


def _as(owner: int) -> tuple[str, ...]:
    return ("setpriv", f"--reuid={owner}", f"--regid={owner}", "--clear-groups")


@pytest.fixture
def reachable() -> Iterator[str]:
    """A folder that other users can get to; pytest's own are for its user alone."""
    folder = tempfile.mkdtemp(prefix="accord-test-")
    os.chmod(folder, 0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
@needs_root
def test_somebody_cleans_their_own_cache_and_is_told_about_roots(world: World, reachable: str) -> None:
    _fill(world)
    theirs = os.path.join(reachable, "cache")
    for sealed_by_root in (False, True):
        shutil.copytree(world.cache, theirs, symlinks=True)
        _owned(theirs, NOBODY)
        if sealed_by_root:
            os.chown(os.path.join(theirs, "closures-v1"), 0, 0)
            _owned(os.path.join(theirs, "closures-v1"), 0)
        ran = world.process("cache", "clean", "--json", "--cache-dir", theirs, prefix=_as(NOBODY))
        if not sealed_by_root:
            assert ran.status == 0, ran.err
            assert os.listdir(theirs) == []
            os.rmdir(theirs)
        else:
            error = ran.document()["error"]
            assert error["code"] == "not-writable"
            assert "root" in error["hint"]
            world.process("cache", "clean", "--cache-dir", theirs).fine()
            assert os.listdir(theirs) == []


def _of_another_boot(cache: str) -> None:
    """As if the machine it was written on were another one."""
    for path in Path(cache).glob("closures-v1/*/state"):
        values = marshal.loads(path.read_bytes())
        path.write_bytes(marshal.dumps({**values, "boot": "another"}))
    for path in Path(cache).glob("store-v1/*/*/manifest"):
        fields = marshal.loads(path.read_bytes())
        path.chmod(0o644)
        path.write_bytes(marshal.dumps((*fields[:-1], "another")))
        path.chmod(0o444)


@pytest.mark.parametrize("boot", ["another boot", "the same boot"])
@pytest.mark.parametrize("place", ["the same", pytest.param("another", marks=pytest.mark.slow)])
def test_a_cache_out_of_a_tarball_serves_another_machine(world: World, place: str, boot: str) -> None:
    """Modes and times kept, flags and hard links' owners lost: everything is found again, and sealed again.  (Containers
    on one machine are of one boot.)"""
    _fill(world)
    world.run("tar", "-C", world.cache, "-cf", world.path("cache.tar"), ".").fine()
    world.process("cache", "clean").fine()
    shutil.rmtree(world.path(".venv"))
    if place == "another":
        world.cache = world.environ["ACCORD_CACHE_DIR"] = os.path.join(world.root, "restored")
    os.makedirs(world.cache, exist_ok=True)
    world.run("tar", "-C", world.cache, "-xpf", world.path("cache.tar")).fine()
    if os.geteuid() == 0:
        _owned(world.cache, 1234)
    if boot == "another boot":
        _of_another_boot(world.cache)
    world.process("sync", "--sealed", "--offline").fine()
    world.process("sync", "--env", "other", "--offline").fine()
    assert _whole(world, ".venv") and _whole(world, "other")
    _cannot_be_written_to(world)
    world.process("cache", "verify").fine()
    world.process("cache", "clean").fine()
    assert os.listdir(world.cache) == []


@pytest.mark.slow
def test_a_file_that_did_not_come_out_of_the_tarball_whole_is_noticed(world: World) -> None:
    _fill(world)
    saved = os.path.join(world.root, "saved")
    shutil.copytree(world.cache, saved, symlinks=True)
    world.process("cache", "clean").fine()
    shutil.rmtree(world.path(".venv"))
    shutil.copytree(saved, world.cache, symlinks=True, dirs_exist_ok=True)
    _of_another_boot(world.cache)
    cut = next(Path(world.cache).glob("store-v1/*/*/site/alpha/sub7/part3.py"))
    for path in (cut, *Path(world.cache).glob("closures-v1/*/tree/lib/*/site-packages/alpha/sub7/part3.py")):
        path.chmod(0o644)
        path.write_bytes(b"")
    world.process("sync", "--sealed").fine()
    world.process("sync", "--env", "other").fine()
    for env in (".venv", "other"):
        assert world.asked_python(env, "import alpha.sub7.part3 as one; print(one.x)") == "1"
