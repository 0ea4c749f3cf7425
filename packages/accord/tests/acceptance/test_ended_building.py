"""Ctrl-C at a terminal (SIGINT to every process of it) and SIGTERM to Accord alone, in the middle of building, checking,
looking inside and migrating: gone within a second, with what was started, and with nothing half done."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from accord.io import sandbox
from accord.testing.builds import GOOD_BACKEND
from accord.testing.worlds import World, wheel_file

pytestmark = pytest.mark.slow

WAYS = [pytest.param(signal.SIGINT, id="Ctrl-C"), pytest.param(signal.SIGTERM, id="SIGTERM")]
SANDBOXES = [
    "off",
    pytest.param("require", marks=pytest.mark.skipif(sandbox.probe() is not None, reason="no sandbox here")),
]
OWN = "\nNAME, VERSION = 'demo', '1.0'\ndef metadata():\n    return 'Metadata-Version: 2.2\\nName: demo\\nVersion: 1.0\\n'\n"
PROJECT = '[project]\nname = "demo"\nversion = "1.0"\n[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
COMPILES = """
def build_wheel(*arguments):
    import subprocess
    with open("large.c", "w") as file:
        for number in range(20000):
            file.write(f"int f{number}(int a) {{ int s = 0; for (int i = 0; i < a; i++) s += i * {number}; return s; }}\\n")
    subprocess.run(["gcc", "-O2", "-c", "large.c"], check=True)
"""
WAITS_THE_SECOND_TIME = """
_wheel = build_wheel
def build_wheel(*arguments):
    import os
    if os.environ.get("TZ") == "Asia/Kathmandu":
        os.system("sleep 67; sleep 67")
    return _wheel(*arguments)
"""


def below(pid: int) -> dict[int, tuple[str, bytes]]:
    """What ``pid`` started, and that again: when each began (with its number: which process it is), and its command."""
    parents, facts = {}, {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            with open(f"/proc/{name}/cmdline", "rb") as line:
                facts[int(name)] = (fields[0] + fields[19], line.read())
        except OSError:
            continue
        parents[int(name)] = int(fields[1])
    found = {pid}
    while more := {one for one, above in parents.items() if above in found} - found:
        found |= more
    return {one: facts[one] for one in found - {pid} if not facts[one][0].startswith("Z")}


def still(seen: dict[int, tuple[str, bytes]]) -> list[bytes]:
    """Which of the processes that were ``seen`` run on."""
    found = []
    for pid, (began, command) in seen.items():
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if fields[19] == began[1:] and fields[0] != "Z":
            found.append(command)
    return found


def end(
    world: World,
    number: signal.Signals,
    *words: str,
    once: Callable[[subprocess.Popen[str]], bool],
    **environ: str,
) -> None:
    """Start ``accord words``, end it as soon as ``once`` says so, and look at what is left."""
    temporary = os.path.join(world.root, "tmp")
    os.makedirs(temporary, exist_ok=True)
    process = world.start(*words, prefix=("setsid",), TMPDIR=temporary, **environ)
    until = time.monotonic() + 60
    while not once(process):
        assert process.poll() is None and time.monotonic() < until, process.communicate()
        time.sleep(0.005)
    started = below(process.pid)
    began = time.monotonic()
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    _, err = process.communicate(timeout=30)
    took = time.monotonic() - began
    assert process.returncode == 128 + number, err
    said = [line for line in err.splitlines() if line and "builds run without a sandbox" not in line]
    assert len(said) == 1, err
    assert "nothing is half done" in said[0]
    assert took < 15  # a tenth of a second on an idle machine; that it came to no end by itself is said above
    while still(started):  # the kernel takes down a sandbox after who ended it
        assert time.monotonic() - began < 30, still(started)
        time.sleep(0.01)
    assert os.listdir(temporary) == []
    builds = os.path.join(world.cache, "builds-v1")
    if os.path.isdir(builds):
        assert [name for name in os.listdir(builds) if name.startswith(".")] == []


def runs(word: bytes) -> Callable[[subprocess.Popen[str]], bool]:
    return lambda process: any(word in command for _, command in below(process.pid).values())


def has_worked(seconds: float) -> Callable[[subprocess.Popen[str]], bool]:
    """Whether Accord itself has used a processor for so long: beyond its start, and seconds from its end."""

    def look(process: subprocess.Popen[str]) -> bool:
        try:
            with open(f"/proc/{process.pid}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            return False
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") >= seconds

    return look


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc here")
@pytest.mark.parametrize("mode", SANDBOXES)
@pytest.mark.parametrize("number", WAYS)
def test_in_the_middle_of_a_compiler(world: World, number: signal.Signals, mode: str) -> None:
    world.write("backend.py", GOOD_BACKEND + OWN)
    world.write("pyproject.toml", PROJECT)
    world.accord("build", "--wheel").fine()
    before = {name: world.read(f"dist/.accord/{name}") for name in os.listdir(world.path("dist", ".accord"))}
    world.write("backend.py", GOOD_BACKEND + OWN + COMPILES)
    end(world, number, "build", "--wheel", "--sandbox", mode, once=runs(b"cc1"))
    assert sorted(os.listdir(world.path("dist"))) == [".accord", "demo-1.0-py3-none-any.whl"]
    assert {name: world.read(f"dist/.accord/{name}") for name in before} == before


@pytest.mark.parametrize("number", WAYS)
def test_in_the_second_of_two_builds_that_are_compared(world: World, number: signal.Signals) -> None:
    world.write("backend.py", GOOD_BACKEND + OWN + WAITS_THE_SECOND_TIME)
    world.write("pyproject.toml", PROJECT)
    end(world, number, "build", "--wheel", "--reproducible", once=runs(b"sleep\x0067"))
    assert not os.path.exists(world.path("dist"))


def vast(world: World, version: str, modules: int = 60_000, size: int = 0) -> str:
    """A wheel that takes a while to read (seconds): many modules, of some size."""
    text = "value = [1, (2, 3), {'a': 4}]\n" * (size // 30)
    files = {f"vast/part{number}.py": f"{text}# {number}\n".encode() for number in range(modules)}
    filename, content, _ = wheel_file("vast", version, files=files)
    return world.write(filename, content)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one processor makes no copies")
@pytest.mark.parametrize("number", WAYS)
def test_while_sources_are_checked_on_all_processors(world: World, number: signal.Signals) -> None:
    path = vast(world, "1.0", modules=150, size=60_000)
    end(world, number, "check", path, once=lambda process: len(below(process.pid)) >= 2)
    assert not os.path.exists(os.path.join(world.cache, "checks-v1"))


@pytest.mark.parametrize("number", WAYS)
def test_while_wheels_are_read(world: World, number: signal.Signals) -> None:
    one, other = vast(world, "1.0"), vast(world, "2.0")
    end(world, number, "wheel", "verify", one, once=has_worked(0.2))
    end(world, number, "wheel", "diff", one, other, once=has_worked(0.2))


@pytest.mark.parametrize("number", WAYS)
def test_while_a_setup_py_runs(world: World, number: signal.Signals) -> None:
    world.publish("setuptools", "99.0", files={"setuptools/__init__.py": b"def setup(**said): ...\n"})
    text = "import getpass, os\nfrom setuptools import setup\nos.system('sleep 68; sleep 68')\n"
    world.write("setup.py", text + "setup(name='demo', version='1.0', description=getpass.getuser())\n")
    end(world, number, "migrate", "--run-setup", once=runs(b"sleep\x0068"))
    assert not os.path.exists(world.path("pyproject.toml"))
