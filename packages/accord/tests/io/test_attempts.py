"""What was tried in vain is counted from outside, and only where it can be counted rightly."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from accord.io import attempts, processes, sandbox
from accord.io.attempts import DECOYS, Attempts
from accord.io.gates import HANDED, TELLING, WAITING
from accord.io.sandbox import View

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

here = pytest.mark.skipif(sandbox.probe() is not None, reason=f"no sandbox here: {sandbox.probe()}")
TRIES = "import socket\ntry:\n    socket.create_connection(('203.0.113.7', 1))\nexcept OSError:\n    pass\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def tries(home: Path) -> Iterator[Attempts]:
    made = Attempts(str(home))
    yield made
    made.close()


def shut_away(tmp_path: Path, tries: Attempts, program: list[str]) -> processes.Finished:
    (tmp_path / "tmp").mkdir()
    prefix = os.path.realpath(sys.base_prefix)
    view = View(home=str(tmp_path / "home"), temporary=str(tmp_path / "tmp"), readonly=[prefix])

    def slowly(said: bytes) -> None:
        time.sleep(0.3)
        tries.begin(said)

    return processes.run(
        sandbox.command(view, program, cwd="/", waits=True),
        cwd=None,
        env={"PATH": os.defpath},
        log=str(tmp_path / "log"),
        alone=True,
        announced=slowly,
    )


@here
def test_what_ends_at_once_is_counted(tmp_path: Path, tries: Attempts) -> None:
    """However slow we are, the counters are open before the program begins."""
    python = os.path.realpath(sys.executable)
    done = shut_away(tmp_path, tries, [python, "-I", "-S", "-c", TRIES])
    assert done.status == 0, done.tail()
    assert tries.network() == 1


@here
def test_what_tries_nothing_has_no_count_and_inherits_nothing(tmp_path: Path, tries: Attempts) -> None:
    done = shut_away(tmp_path, tries, ["/bin/sh", "-c", "ls /proc/self/fd | wc -l"])
    assert done.tail() == ("4",)
    assert tries.network() == 0


@here
def test_a_namespace_that_is_not_new_is_not_believed(tmp_path: Path, tries: Attempts) -> None:
    """Where /proc is another container's, the number is somebody else's process."""
    (tmp_path / "tmp").mkdir()
    prefix = os.path.realpath(sys.base_prefix)
    view = View(home=str(tmp_path / "home"), temporary=str(tmp_path / "tmp"), readonly=[prefix])
    python = os.path.realpath(sys.executable)
    command = sandbox.command(view, [python, "-I", "-c", TRIES + "print(flush=True)\ninput()"], cwd="/")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        with open(f"/proc/{running.pid}/task/{running.pid}/children", encoding="ascii") as file:
            number = int(file.read())
        with open(f"/proc/{number}/net/snmp", "rb") as file:
            assert attempts._count(file.read(), b"OutNoRoutes") == 1
        tries.begin(b'{"child-pid": %d,' % number)
        assert tries.network() == 0
        running.communicate(b"\n")


@pytest.mark.parametrize(
    "said", [b"", b"{}", b'{"child-pid": }', b'{"child-pid": 999999999,', b'"child-pid": -1,']
)
def test_a_sandbox_that_does_not_say_where_it_is_counts_nothing(tries: Attempts, said: bytes) -> None:
    tries.begin(said)
    assert tries.network() == 0


def test_counters_are_found_by_their_names() -> None:
    text = b"Ip: Forwarding OutNoRoutes OutTransmits\nIp: 1 23 4\nIcmp: OutNoRoutes\nIcmp: 7\n"
    assert attempts._count(text, b"OutNoRoutes") == 23
    text = b"Ip6InReceives     \t5\nIp6InNoRoutes    \t6\nIp6OutNoRoutes    \t7\n"
    assert attempts._count(text, b"Ip6OutNoRoutes") == 7
    assert attempts._count(b"", b"OutNoRoutes") == 0


def test_decoys_hold_no_secret_and_tell_who_laid_them(home: Path, tries: Attempts) -> None:
    if os.statvfs(home).f_flag & os.ST_NOATIME:
        pytest.skip("this file system keeps no times of reading")
    assert tries.home() == ()
    for name in DECOYS:
        assert b"Accord laid this file out" in (home / name).read_bytes()
        assert (home / name).stat().st_mode & 0o077 == 0
    assert tries.home() == DECOYS


def test_where_no_times_of_reading_are_kept_nothing_is_laid(home: Path) -> None:
    options = ["-t", "tmpfs", "-o", "size=64k,noatime", "tmpfs", str(home)]
    if subprocess.run(["mount", *options], check=False, capture_output=True).returncode:
        pytest.skip("may not mount")
    try:
        tries = Attempts(str(home))
        assert os.listdir(home) == []
        assert tries.home() == ()
        tries.close()
    finally:
        subprocess.run(["umount", str(home)], check=True)


# What stands for bubblewrap: it tells, waits, and says whether it was let on.
def program(tells: str, then: str = "") -> list[str]:
    return ["/bin/sh", "-c", f"{tells} exec {TELLING}>&-; read word <&{WAITING}; echo on; {then}"]


def gated(tmp_path: Path, command: list[str], heard: list[bytes]) -> processes.Finished:
    return processes.run(
        command, cwd=None, env={"PATH": os.defpath}, log=str(tmp_path / "log"), announced=heard.append
    )


def test_a_program_is_let_on_when_it_was_heard(tmp_path: Path) -> None:
    heard: list[bytes] = []
    done = gated(tmp_path, program(f"printf '{{ 1 ' >&{TELLING}; sleep 0.1; printf '}}' >&{TELLING};"), heard)
    assert heard == [b"{ 1 }"]
    assert done.tail() == ("on",)


def test_a_program_that_says_nothing_is_let_on(tmp_path: Path) -> None:
    heard: list[bytes] = []
    assert gated(tmp_path, program(""), heard).tail() == ("on",)
    assert heard == [b""]


def test_a_wrapper_that_keeps_its_end_open_is_no_deadlock(tmp_path: Path) -> None:
    """A script that is called bwrap, and calls bwrap, has both descriptors to its own end."""
    heard: list[bytes] = []
    inner = f"printf '{{}}' >&{TELLING}; read word <&{WAITING}; echo on"
    assert gated(tmp_path, ["/bin/sh", "-c", f"( {inner} ); :"], heard).tail() == ("on",)
    assert heard == [b"{}"]


def test_what_cannot_be_started_leaves_no_descriptors(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        with pytest.raises(OSError, match="No such file"):
            gated(tmp_path, [str(tmp_path / "missing")], [])
        gated(tmp_path, program(""), [])
    assert len(os.listdir("/proc/self/fd")) == len(before)


@pytest.mark.parametrize("taken", range(6))
def test_the_descriptors_are_right_whichever_numbers_are_free(tmp_path: Path, taken: int) -> None:
    """In a process that has few files open, the pipes have the very numbers that the program gets."""
    script = (
        "import os, sys\nfrom accord.io import processes\n"
        "heard = []\n"
        f"held = [os.open('/dev/null', os.O_RDONLY) for _ in range({taken})]\n"
        f"done = processes.run({program(f'echo {{}} >&{TELLING};', then=f'cat <&{HANDED} <&{HANDED + 1}; cat <&{HANDED}')!r}, cwd=None, env={{'PATH': os.defpath}},\n"
        f"    log={str(tmp_path / 'log')!r}, announced=heard.append, handed=[b'one', b'two'])\n"
        "print(heard, done.tail())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == "[b'{}\\n'] ('on', 'twoone')\n", done.stderr
