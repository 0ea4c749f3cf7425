"""A run ends in time, keeps bounded output and leaves nobody behind."""

from __future__ import annotations

import _thread
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from accord.io.processes import ProcessLimits, run, stop_all

if TYPE_CHECKING:
    from pathlib import Path

ENV = {"PATH": os.environ["PATH"]}


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-c", code]


def alive(pid: int) -> bool:
    """Whether ``pid`` still runs; a killed process is given a moment to be gone."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return False
        except OSError:
            return False
        time.sleep(0.01)
    return True


def wait_for(path: Path) -> int:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if path.exists() and path.read_text():
            return int(path.read_text())
        time.sleep(0.01)
    raise AssertionError(f"{path} was never written")


def test_output_and_status_are_kept(tmp_path: Path) -> None:
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)"
    done = run(python(code), cwd=str(tmp_path), env=ENV, log=str(tmp_path / "log"))
    assert (done.status, done.timed_out, done.dropped) == (3, False, 0)
    assert (tmp_path / "log").read_bytes() == b"out\nerr\n"
    assert done.tail() == ("out", "err")


def test_the_environment_is_exactly_what_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    code = "import os; print(sorted(k for k in os.environ if k not in ('LC_CTYPE', 'ACCORD_RUN')))"
    done = run(python(code), cwd=str(tmp_path), env={"ONE": "1"}, log=str(tmp_path / "log"))
    assert done.tail() == ("['ONE']",)


def test_a_program_gets_no_input(tmp_path: Path) -> None:
    done = run(
        python("import sys; print(repr(sys.stdin.read()))"),
        cwd=str(tmp_path),
        env=ENV,
        log=str(tmp_path / "log"),
    )
    assert done.tail() == ("''",)


def test_time_runs_out(tmp_path: Path) -> None:
    done = run(
        python("import time; time.sleep(60)"),
        cwd=str(tmp_path),
        env=ENV,
        log=str(tmp_path / "log"),
        timeout=0.3,
    )
    assert done.timed_out
    assert done.status != 0
    assert done.seconds < 10


def test_time_runs_out_for_one_that_closed_its_output(tmp_path: Path) -> None:
    code = "import os, time; os.close(1); os.close(2); time.sleep(60)"
    done = run(python(code), cwd=str(tmp_path), env=ENV, log=str(tmp_path / "log"), timeout=0.3)
    assert done.timed_out


def test_one_that_ignores_the_polite_signal_is_killed(tmp_path: Path) -> None:
    # From its first moment: what is ignored here is ignored by whoever is started here.
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        done = run(
            python("import time; time.sleep(60)"),
            cwd=str(tmp_path),
            env=ENV,
            log=str(tmp_path / "log"),
            timeout=0.5,
            limits=ProcessLimits(grace=0.2),
        )
    finally:
        signal.signal(signal.SIGTERM, before)
    assert done.timed_out
    assert done.status == -9


DAEMON = """
import os, sys, time
if os.fork() == 0:
    if {leave}:
        os.setsid()
    with open({path!r} + "~", "w") as f:
        f.write(str(os.getpid()))
    os.rename({path!r} + "~", {path!r})
    time.sleep(60)
while not os.path.exists({path!r}):
    time.sleep(0.01)
print("parent done")
"""


@pytest.mark.parametrize("leave", [False, True], ids=["same-group", "own-session"])
def test_a_child_that_stays_is_ended(tmp_path: Path, leave: bool) -> None:
    path = tmp_path / "pid"
    done = run(
        python(DAEMON.format(leave=leave, path=str(path))),
        cwd=str(tmp_path),
        env=ENV,
        log=str(tmp_path / "log"),
    )
    assert done.status == 0
    assert done.left_behind == 1
    assert done.seconds < 10
    assert not alive(wait_for(path))


def test_output_at_the_limit_is_whole_and_one_byte_more_is_not(tmp_path: Path) -> None:
    limits = ProcessLimits(head_bytes=1000, tail_bytes=500)
    exact = run(
        python("import sys; sys.stdout.write('a' * 1500)"),
        cwd=str(tmp_path),
        env=ENV,
        log=str(tmp_path / "log"),
        limits=limits,
    )
    assert exact.dropped == 0
    assert (tmp_path / "log").stat().st_size == 1500
    over = run(
        python("import sys; sys.stdout.write('a' * 1500 + 'z')"),
        cwd=str(tmp_path),
        env=ENV,
        log=str(tmp_path / "log"),
        limits=limits,
    )
    assert over.dropped == 1
    assert (tmp_path / "log").read_bytes().endswith(b"az")


def test_a_flood_keeps_its_beginning_and_its_end(tmp_path: Path) -> None:
    code = "import sys; print('first'); sys.stdout.write('x' * 20_000_000); print(); print('last')"
    done = run(python(code), cwd=str(tmp_path), env=ENV, log=str(tmp_path / "log"))
    assert done.dropped > 17_000_000
    assert (tmp_path / "log").stat().st_size < 2_200_000
    assert (tmp_path / "log").read_bytes().startswith(b"first\n")
    assert done.tail()[-1] == "last"


def test_control_characters_in_output_are_made_visible(tmp_path: Path) -> None:
    done = run(python(r"print('\x1b]0;owned\x07')"), cwd=str(tmp_path), env=ENV, log=str(tmp_path / "log"))
    assert done.tail() == (r"\x1b]0;owned\x07",)


def test_a_program_that_is_not_there_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run([str(tmp_path / "none")], cwd=str(tmp_path), env=ENV, log=str(tmp_path / "log"))


def test_an_interrupt_ends_the_program_and_is_raised_on(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    code = f"import os, time; open({str(path)!r}, 'w').write(str(os.getpid())); time.sleep(60)"

    def interrupt() -> None:
        wait_for(path)
        _thread.interrupt_main()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run(python(code), cwd=str(tmp_path), env=ENV, log=str(tmp_path / "log"))
    thread.join()
    assert not alive(wait_for(path))


def test_stop_all_ends_a_run_of_another_thread(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    code = f"import os, time; open({str(path)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    results = []
    thread = threading.Thread(
        target=lambda: results.append(
            run(python(code), cwd=str(tmp_path), env=ENV, log=str(tmp_path / "log"))
        )
    )
    thread.start()
    wait_for(path)
    assert stop_all() == 1
    thread.join(10)
    assert results[0].stopped
    assert stop_all() == 0


def test_nothing_is_started_once_everything_was_stopped_for_good(tmp_path: Path) -> None:
    """In a process of its own, because there is no way back."""
    code = (
        "from accord.io.processes import run, stop_all\n"
        "stop_all(for_good=True)\n"
        "try:\n"
        f"    run(['touch', 'started'], cwd={str(tmp_path)!r}, env={{}}, log={str(tmp_path / 'log')!r})\n"
        "except KeyboardInterrupt:\n"
        "    print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"
    assert not (tmp_path / "started").exists()
