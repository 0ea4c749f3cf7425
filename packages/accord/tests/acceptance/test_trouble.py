"""A machine in trouble: full disks, folders that cannot be written, two of us at once. Nothing is left half done."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from accord.testing.loopback import Asked, Loopback
from accord.testing.worlds import World, contents, refusal

Unchanged = Callable[[World], AbstractContextManager[None]]

ROOM = 1024 * 1024  # bytes of the small disk
LARGE = os.urandom(2 * ROOM)  # what does not fit there, however it is packed


# ------------------------------------------------------------ a disk that is full


@contextmanager
def _small_disk(folder: str) -> Iterator[None]:
    """A file system of one megabyte at ``folder``; only root of a whole machine can make one."""
    os.makedirs(folder, exist_ok=True)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, b"size=1m") != 0:
        pytest.skip(f"no small disk can be made here: {os.strerror(ctypes.get_errno())}")
    try:
        yield
    finally:
        libc.umount2(os.fsencode(folder), 2)


def _publish_large(world: World) -> None:
    world.publish("large", "1.0", files={"large/__init__.py": b"", "large/data.bin": LARGE})
    world.project("alpha", "large")


def test_a_full_disk_under_the_cache(settled: World, unchanged: Unchanged) -> None:
    _publish_large(settled)
    small = os.path.join(settled.root, "small")
    with _small_disk(small), unchanged(settled):
        settled.refused("sync", code="disk-full", ACCORD_CACHE_DIR=small)
        assert settled.accord("pip", "list", ACCORD_CACHE_DIR=small).status == 0


def test_a_disk_that_fills_up_while_downloading_is_no_fault_of_the_network(
    settled: World, unchanged: Unchanged
) -> None:
    _publish_large(settled)
    small = os.path.join(settled.root, "small")
    with Loopback(settled.index.answer) as server:
        settled.use(f"{server.url}/simple")
        settled.accord("lock").fine()
        with _small_disk(small), unchanged(settled):
            error = settled.refused("sync", code="disk-full", ACCORD_CACHE_DIR=small)
            assert "downloading" in error["message"]
            asked = [one for one in server.asked if "large-" in one.target and "range" not in one.headers]
            assert len(asked) == 1, "asking again cannot help"


@pytest.mark.slow
def test_an_interrupt_while_wheels_are_unpacked_is_one_line(world: World) -> None:
    """Ctrl-C goes to every process of the terminal's group; only one of them speaks to the person."""
    parts = {f"large/part{number}.py": b"x = 1\n" * 50 for number in range(3000)}
    for number in range(4):
        world.publish(f"large{number}", "1.0", files={f"large{number}/__init__.py": b"", **parts})
    world.project(*(f"large{number}" for number in range(4)))
    world.accord("lock").fine()
    interrupted = 0
    for attempt in range(8):
        shutil.rmtree(world.cache, ignore_errors=True)
        process = world.start("sync", prefix=("setsid",))
        # A Python that is only starting has nobody yet who would speak to a person.
        while not os.path.isdir(world.cache) and process.poll() is None:
            time.sleep(0.005)
        time.sleep(0.12 * attempt)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert "Traceback" not in said, said
        interrupted += process.returncode == 130
    assert interrupted, "it was never caught in the middle"
    world.accord("sync").fine()


@pytest.mark.parametrize("mode", ["copy", "auto"])
def test_a_full_disk_under_the_environment(world: World, mode: str) -> None:
    """The environment on it was of alpha alone, and is so afterwards."""
    world.publish("alpha", "1.0")
    world.project("alpha")
    env = world.path("disk", "env")
    with _small_disk(world.path("disk")):
        world.accord("sync", "--env", env).fine()
        before, lock = contents(env), world.read("pylock.toml")
        _publish_large(world)
        world.refused("sync", "--env", env, "--link-mode", mode, code="disk-full")
        assert contents(env) == before
        assert world.read("pylock.toml") == lock
        world.accord("verify", "--env", env).fine()


def test_a_full_disk_under_a_new_environment_leaves_none(world: World) -> None:
    _publish_large(world)
    world.publish("alpha", "1.0")
    env = world.path("disk", "env")
    with _small_disk(world.path("disk")):
        world.refused("sync", "--env", env, code="disk-full")
        assert os.listdir(world.path("disk")) == []


def test_a_full_disk_under_the_lock(settled: World) -> None:
    """The lock is written whole beside the old one first: where that does not fit, the old one stays."""
    project = settled.path("disk")
    with _small_disk(project):
        shutil.copy(settled.path("pyproject.toml"), project)
        shutil.copy(settled.path("pylock.toml"), project)
        before = Path(project, "pylock.toml").read_bytes()
        settled.publish("beta", "2.0")
        with open(os.path.join(project, "filler"), "wb") as filler, pytest.raises(OSError, match="space"):
            while True:
                os.write(filler.fileno(), b"x" * 4096)
        settled.refused("lock", "--upgrade", "--project", project, code="disk-full")
        assert Path(project, "pylock.toml").read_bytes() == before


# ------------------------------------------------------------ folders that cannot be written


@pytest.fixture
def ordinary() -> tuple[str, ...]:
    """Words before a command that take root's privileges over files away; none where we are not root."""
    if os.geteuid() != 0:
        return ()
    words = ("setpriv", "--inh-caps=-all", "--bounding-set=-all", "--securebits", "+noroot")
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not here, and root may write everywhere")
    return words


@contextmanager
def _read_only(*folders: str) -> Iterator[None]:
    modes = [(folder, os.stat(folder).st_mode & 0o7777) for folder in folders]
    for folder, _ in modes:
        os.chmod(folder, 0o555)
    try:
        yield
    finally:
        for folder, mode in modes:
            os.chmod(folder, mode)


def test_a_site_packages_that_cannot_be_written(
    settled: World, unchanged: Unchanged, ordinary: tuple[str, ...]
) -> None:
    settled.publish("delta", "1.0")
    settled.project("alpha", "delta")
    site = settled.path(".venv", "lib", f"python3.{sys.version_info.minor}", "site-packages")
    with unchanged(settled), _read_only(site):
        refusal(settled.process("sync", "--json", prefix=ordinary), "not-writable")


def test_an_environment_that_cannot_be_written(
    settled: World, unchanged: Unchanged, ordinary: tuple[str, ...]
) -> None:
    settled.publish("delta", "1.0")
    settled.project("alpha", "delta")
    with unchanged(settled), _read_only(settled.path(".venv"), settled.path(".venv", ".accord")):
        refusal(settled.process("sync", "--json", prefix=ordinary), "not-writable")


def test_a_project_folder_that_cannot_be_written(
    settled: World, unchanged: Unchanged, ordinary: tuple[str, ...]
) -> None:
    settled.publish("delta", "1.0")
    before = settled.read("pyproject.toml")
    with unchanged(settled), _read_only(settled.here):
        refusal(settled.process("add", "delta", "--json", prefix=ordinary), "not-writable")
    assert settled.read("pyproject.toml") == before


def test_a_place_for_a_new_environment_that_cannot_be_written(
    settled: World, unchanged: Unchanged, ordinary: tuple[str, ...]
) -> None:
    os.mkdir(settled.path("closed"))
    with unchanged(settled), _read_only(settled.path("closed")):
        refusal(
            settled.process(
                "sync", "--lock", "pylock.toml", "--env", "closed/env", "--json", prefix=ordinary
            ),
            "not-writable",
        )
        assert os.listdir(settled.path("closed")) == []


def test_a_cache_that_cannot_be_written(
    settled: World, unchanged: Unchanged, ordinary: tuple[str, ...]
) -> None:
    settled.publish("delta", "1.0")
    settled.project("alpha", "delta")
    cache = os.path.join(settled.root, "closed")
    os.mkdir(cache)
    with unchanged(settled), _read_only(cache):
        refusal(settled.process("sync", "--json", prefix=ordinary, ACCORD_CACHE_DIR=cache), "not-writable")


def test_a_no_op_needs_nothing_writable(settled: World, ordinary: tuple[str, ...]) -> None:
    folders = (settled.here, settled.path(".venv"), settled.path(".venv", ".accord"), settled.cache)
    with _read_only(*folders):
        settled.process("sync", prefix=ordinary).fine()


# ------------------------------------------------------------ two of us at once


def test_two_syncs_of_one_project_at_the_same_time_both_end_well(world: World) -> None:
    for name in ("alpha", "beta", "gamma"):
        world.publish(name, "1.0")
    world.project("alpha", "beta", "gamma")
    both = [world.start("sync") for _ in range(3)]
    for one in both:
        out, err = one.communicate(timeout=60)
        assert one.returncode == 0, out + err
    assert world.installed(".venv") == {"alpha": "1.0", "beta": "1.0", "gamma": "1.0"}
    world.accord("verify").fine()


def test_two_additions_at_the_same_time_are_both_kept(world: World) -> None:
    names = ("alpha", "beta", "gamma", "delta")
    for name in names:
        world.publish(name, "1.0")
    world.project()
    started = [world.start("add", name) for name in names]
    for one in started:
        out, err = one.communicate(timeout=60)
        assert one.returncode == 0, out + err
    assert set(world.installed(".venv")) == set(names)
    text = world.read("pyproject.toml")
    assert all(f'"{name}>=1.0"' in text for name in names), text


def test_whoever_waits_in_vain_is_told_for_whom(settled: World, unchanged: Unchanged) -> None:
    """A command of ours is stopped in its tracks while it holds the project."""
    settled.publish_sdist("slow", "1.0", extra="\nimport time\ntime.sleep(120)\n")
    settled.project("alpha", "slow")
    with unchanged(settled):
        holder = settled.start("lock")
        try:
            _wait_until_building(settled, holder)
            error = settled.refused("sync", code="locked", ACCORD_LOCK_TIMEOUT="0.3")
            assert str(holder.pid) in "\n".join(error["context"])
            settled.refused("add", "delta", code="locked", ACCORD_LOCK_TIMEOUT="0.3")
        finally:
            holder.send_signal(signal.SIGINT)
            holder.communicate(timeout=30)
    # The lock went with its holder.
    settled.project("alpha")
    settled.accord("sync", ACCORD_LOCK_TIMEOUT="0.3").fine()


def _wait_until_building(world: World, process: subprocess.Popen[str]) -> None:
    """The sdist was fetched, and nothing but building it is left to do for as long as a test takes."""
    until = time.monotonic() + 30
    while not os.path.isdir(os.path.join(world.cache, "builds-v1")):
        assert process.poll() is None
        assert time.monotonic() < until, "it does not build"
        time.sleep(0.02)


# ------------------------------------------------------------ Ctrl-C


def test_an_interrupt_while_something_is_built_ends_everything_soon(
    settled: World, unchanged: Unchanged
) -> None:
    settled.publish_sdist("slow", "1.0", extra="\nimport time\ntime.sleep(30)\n")
    settled.project("alpha", "slow")
    with unchanged(settled):
        process = settled.start("sync")
        _wait_until_building(settled, process)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert time.monotonic() - began < 15  # of thirty it would take
    assert process.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err


def test_an_interrupt_while_an_index_says_nothing_ends_soon_too(settled: World, unchanged: Unchanged) -> None:
    stop = threading.Event()

    def hang(asked: Asked) -> bytes | None:
        stop.wait(30)
        return None

    with Loopback(hang) as server:
        settled.use(f"{server.url}/simple")
        settled.project("alpha", "delta")
        with unchanged(settled):
            process = settled.start("add", "epsilon")
            while not server.asked and process.poll() is None:
                time.sleep(0.05)
            before = settled.read("pyproject.toml")
            assert "epsilon" in before
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
            assert time.monotonic() - began < 15  # of thirty it would take
            stop.set()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "epsilon" not in settled.read("pyproject.toml")
