"""SIGTERM, and SIGHUP when the terminal goes, end Accord as Ctrl-C does: nothing runs on, nothing is left, nothing changed."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest

from accord.io import sandbox
from accord.testing.loopback import Asked, Loopback
from accord.testing.worlds import World, wheel_file

Unchanged = Callable[[World], AbstractContextManager[None]]

SOON = 15.0
"""Seconds: a tenth of one on an idle machine; what is ended would take a minute, and more."""
# A backend that starts a child and waits; both write down who they are.
HANGS = """
def {hook}(*arguments, **named):
    import os, time
    child = os.fork()
    with open({path!r}, "a") as file:
        file.write(f"{{os.getpid()}}\\n")
    time.sleep(60)
"""
ENDINGS = [("SIGTERM", "ended by SIGTERM"), ("SIGHUP", "ended by SIGHUP"), ("SIGINT", "interrupted")]


@pytest.fixture
def temporary(settled: World) -> str:
    """A folder for temporary files that is this world's own.  Builds run in the open, where they can write down who they
    are; the last test is about those that cannot."""
    settled.environ["ACCORD_BUILD_SANDBOX"] = "off"
    folder = os.path.join(settled.root, "tmp")
    os.mkdir(folder)
    settled.environ["TMPDIR"] = folder
    return folder


def _pids(path: str, process: subprocess.Popen[str], count: int = 2) -> list[int]:
    """The processes that wrote themselves down, once there are ``count``."""
    until = time.monotonic() + 30
    while True:
        if os.path.exists(path):
            with open(path, encoding="ascii") as file:
                found = [int(line) for line in file.read().split()]
            if len(found) >= count:
                return found
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "it does not build"
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _left(world: World, temporary: str) -> list[str]:
    """What a command left where things lie only while it runs."""
    found = os.listdir(temporary)
    places = (("builds-v1", "."), ("store-v1/aside", ""), ("compiled-v1/aside", ""))
    for folder, beginning in places:
        path = os.path.join(world.cache, folder)
        if os.path.isdir(path):
            found += [f"{folder}/{name}" for name in os.listdir(path) if name.startswith(beginning)]
    return found


@pytest.mark.parametrize(("name", "words"), ENDINGS, ids=[name for name, _ in ENDINGS])
@pytest.mark.parametrize("hook", ["prepare_metadata_for_build_wheel", "build_wheel"])
def test_a_build_ends_with_what_it_started_and_nothing_is_left(
    settled: World, unchanged: Unchanged, temporary: str, name: str, words: str, hook: str
) -> None:
    number = signal.Signals[name]
    path = os.path.join(settled.root, "pids")
    settled.publish_sdist("slow", "1.0", extra=HANGS.format(hook=hook, path=path))
    settled.project("alpha", "slow")
    with unchanged(settled):
        process = settled.start("sync")
        pids = _pids(path, process)
        began = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert time.monotonic() - began < SOON
    assert process.returncode == 128 + number
    assert [pid for pid in pids if _runs(pid)] == []
    assert _left(settled, temporary) == []
    assert out == ""
    assert err.strip().splitlines() == [
        f"{words}: nothing is half done; the next accord command puts right what had begun"
    ]


def test_builds_side_by_side_all_end_and_their_folders_go(
    settled: World, unchanged: Unchanged, temporary: str
) -> None:
    """They run in threads, and each has more to remove than is removed while the process ends."""
    path = os.path.join(settled.root, "pids")
    names = [f"slow{number}" for number in range(3)]
    litter = "for number in range(3000):\n    open(f'litter{number}', 'w').close()\n"
    for name in names:
        hangs = HANGS.format(hook="prepare_metadata_for_build_wheel", path=path)
        settled.publish_sdist(name, "1.0", extra=litter + hangs)
    settled.project("alpha", *names)
    with unchanged(settled):
        process = settled.start("lock")
        pids = _pids(path, process, 2 * len(names))
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert [pid for pid in pids if _runs(pid)] == []
    assert _left(settled, temporary) == []


def test_downloads_end_and_nothing_is_left(settled: World, unchanged: Unchanged, temporary: str) -> None:
    """A server that falls silent in the middle of two files; the edit of ``pyproject.toml`` is taken back."""
    for name in ("big", "bigger"):
        filename, content, metadata = wheel_file(name, "1.0", files={f"{name}.bin": os.urandom(1 << 20)})
        settled.index.add(name, filename, content, metadata=metadata)
    settled.project("alpha", "bigger")
    stop, halfway = threading.Event(), threading.Semaphore(0)

    def answer(asked: Asked) -> bytes | None:
        if asked.target.endswith(".whl") and "big" in asked.target:
            halfway.release()
            stop.wait(90)
            return None
        return settled.index.answer(asked)

    with Loopback(answer) as server:
        settled.use(f"{server.url}/simple")
        before = settled.read("pyproject.toml")
        with unchanged(settled):
            process = settled.start("add", "big")
            assert all(halfway.acquire(timeout=30) for _ in range(2)), process.communicate()
            began = time.monotonic()
            process.terminate()
            _, err = process.communicate(timeout=30)
            assert time.monotonic() - began < SOON
        stop.set()
    assert process.returncode == 128 + signal.SIGTERM, err
    assert len(err.splitlines()) == 1, err
    assert settled.read("pyproject.toml") == before
    assert _left(settled, temporary) == []


def test_reading_a_wheel_for_its_metadata_ends_too(
    settled: World, unchanged: Unchanged, temporary: str
) -> None:
    """A server without ranges, whose wheels are fetched whole while resolving, falls silent."""
    settled.publish("big", "1.0", files={"big.bin": os.urandom(2 << 20)})
    stop, asked_whole = threading.Event(), threading.Event()

    def answer(asked: Asked) -> bytes | None:
        headers = dict(asked.headers)
        ranges = headers.pop("range", None)
        if asked.target.endswith(".whl") and "big" in asked.target and ranges is None:
            asked_whole.set()
            stop.wait(90)
            return None
        return settled.index.answer(replace(asked, headers=headers))

    with Loopback(answer) as server:
        settled.use(f"{server.url}/simple")
        with unchanged(settled):
            process = settled.start("add", "big")
            assert asked_whole.wait(30), process.communicate()
            assert os.listdir(temporary) != []
            process.terminate()
            process.communicate(timeout=30)
        stop.set()
    assert process.returncode == 128 + signal.SIGTERM
    assert _left(settled, temporary) == []


def test_compiling_ends_on_all_processors(settled: World, temporary: str) -> None:
    slow = b"x = [" + b"(1, {'a': 2}), " * 20_000 + b"]\n"
    settled.publish("vast", "1.0", files={f"vast/part{number}.py": slow for number in range(200)})
    settled.project("alpha", "vast")
    process = settled.start("sync", "--compile-bytecode")
    until = time.monotonic() + 30
    while len(running := _children_of(process.pid, "_compile.py")) < min(2, len(os.sched_getaffinity(0))):
        assert time.monotonic() < until and process.poll() is None, process.communicate()
        time.sleep(0.02)
    time.sleep(0.5)  # into the middle of a job
    began = time.monotonic()
    process.terminate()
    process.communicate(timeout=30)
    assert time.monotonic() - began < SOON
    assert process.returncode == 128 + signal.SIGTERM
    assert [pid for pid in running if _runs(pid)] == []
    assert settled.installed(".venv") == {"alpha": "1.0", "beta": "1.0"}
    assert _left(settled, temporary) == []


def _children_of(parent: int, word: str) -> list[int]:
    """The processes that ``parent`` started and that have ``word`` in their command line."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                    above = int(file.read().rsplit(")", 1)[1].split()[1])
                with open(f"/proc/{name}/cmdline", "rb") as line:
                    said = word.encode() in line.read()
            except OSError:
                continue
            if above == parent and said:
                found.append(int(name))
    return found


def test_whoever_ignores_hangups_is_left_alone(settled: World, temporary: str) -> None:
    """``nohup accord sync`` goes on when the terminal goes."""
    path = os.path.join(settled.root, "pids")
    settled.publish_sdist("slow", "1.0", extra=HANGS.format(hook="build_wheel", path=path))
    settled.project("alpha", "slow")
    process = settled.start("sync", prefix=("nohup",))
    _pids(path, process)
    process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert process.poll() is None
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM


def test_a_terminal_that_goes_ends_the_build_in_it(
    settled: World, unchanged: Unchanged, temporary: str
) -> None:
    """Progress bars are being drawn, and can be neither taken away nor followed by words."""
    path = os.path.join(settled.root, "pids")
    settled.publish_sdist("slow", "1.0", extra=HANGS.format(hook="build_wheel", path=path))
    settled.project("alpha", "slow")
    settled.write_index()
    with unchanged(settled):
        child, master = pty.fork()
        if child == 0:
            try:
                os.chdir(settled.here)
                os.execve(
                    sys.executable,
                    [sys.executable, "-m", "accord", "sync"],
                    settled.environ | {"TERM": "xterm"},
                )
            finally:
                os._exit(127)
        drawn = b""
        until = time.monotonic() + 30
        while (not os.path.exists(path) or len(drawn) < 400) and time.monotonic() < until:
            drawn += os.read(master, 4096)
        with open(path, encoding="ascii") as file:
            pids = [int(line) for line in file.read().split()]
        os.close(master)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 128 + signal.SIGHUP
    assert [pid for pid in pids if _runs(pid)] == []
    assert _left(settled, temporary) == []


def test_a_program_that_takes_accords_place_gets_its_signals_itself(settled: World) -> None:
    code = (
        "import signal; print(signal.getsignal(15) == signal.SIG_DFL, signal.getsignal(1) == signal.SIG_DFL)"
    )
    assert settled.process("run", "python", "-c", code).fine().out.split() == ["True", "True"]


@pytest.mark.skipif(sandbox.probe() is not None, reason="no sandbox here")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_build_in_the_sandbox_ends_with_accord_however_it_ends(
    settled: World, number: signal.Signals
) -> None:
    """``SIGKILL`` too: nobody is left to end anything, and the kernel does it."""
    seconds = f"60.{os.getpid()}{number}"  # how the program is found from outside
    waits = (
        f"\ndef build_wheel(*arguments):\n    import os\n    os.system('sleep {seconds} & sleep {seconds}')\n"
    )
    settled.tree("own", "demo", "1.0", extra=waits)
    process = settled.start("build", "own", "--wheel", "--sandbox", "require")
    until = time.monotonic() + 30
    while len(_sleepers(seconds)) < 2:
        assert process.poll() is None and time.monotonic() < until, process.communicate()
        time.sleep(0.02)
    process.send_signal(number)
    process.communicate(timeout=30)
    while _sleepers(seconds):
        assert time.monotonic() < until, "it runs on"
        time.sleep(0.02)


def _sleepers(seconds: str) -> list[str]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                if file.read() == f"sleep\0{seconds}\0".encode():
                    found.append(name)
        except OSError:
            continue
    return found
