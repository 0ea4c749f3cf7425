"""The door: versions, help, mistakes, errors as text and as JSON, signals and pipes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import accord as package

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Accord = Callable[..., Any]
    Process = Callable[..., subprocess.CompletedProcess[str]]


def test_the_version_is_the_one_of_the_distribution() -> None:
    import tomllib

    pyproject = Path(__file__).parents[2] / "pyproject.toml"
    assert tomllib.loads(pyproject.read_text())["project"]["version"] == package.__version__


@pytest.mark.parametrize("words", [["--version"], ["-V"], ["-q", "--version"]])
def test_the_version_is_printed(accord: Accord, words: list[str]) -> None:
    ran = accord(*words)
    assert (ran.status, ran.out) == (0, f"accord {package.__version__}\n")


def test_the_version_as_json(accord: Accord) -> None:
    assert json.loads(accord("--json", "--version").out) == {"version": package.__version__}


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_without_a_command_there_is_help(accord: Accord, words: list[str]) -> None:
    ran = accord(*words)
    assert ran.status == 0
    assert "Usage: accord" in ran.out
    assert ran.err == ""


def test_an_unknown_command_is_a_usage_error_that_names_the_nearest(accord: Accord) -> None:
    ran = accord("snyc")
    assert ran.status == 2
    assert ran.out == ""
    assert "error[usage]: there is no command accord snyc" in ran.err
    assert "hint: did you mean accord sync?" in ran.err


def test_a_command_of_a_family_without_its_family_is_named_whole(accord: Accord) -> None:
    assert "did you mean accord pip freeze?" in accord("freeze").err


def test_a_mistake_in_a_family_names_the_nearest(accord: Accord) -> None:
    assert "did you mean accord pip install?" in accord("pip", "instal").err
    assert "did you mean accord wheel?" in accord("whel").err


def test_an_unknown_flag_names_the_nearest(accord: Accord) -> None:
    ran = accord("pip", "list", "--exlude", "x")
    assert ran.status == 2
    assert "did you mean --exclude?" in ran.err


def test_a_family_without_a_command_shows_its_help(accord: Accord) -> None:
    ran = accord("pip")
    assert ran.status == 0
    assert "accord pip COMMAND" in ran.out


@pytest.mark.parametrize(
    "words",
    [
        ["--json", "cache", "dir"],
        ["cache", "--json", "dir"],
        ["cache", "dir", "--json"],
    ],
)
def test_global_options_stand_before_between_and_after(
    accord: Accord, words: list[str], tmp_path: Path
) -> None:
    assert json.loads(accord(*words).out) == {"path": str(tmp_path / "cache")}


def test_the_later_of_two_values_counts(accord: Accord, tmp_path: Path) -> None:
    ran = accord("--cache-dir", "one", "cache", "dir", "--cache-dir", str(tmp_path / "two"))
    assert ran.out == f"{tmp_path / 'two'}\n"


def test_the_directory_is_changed_first(accord: Accord, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    ran = accord("--directory", "below", "cache", "dir", "--cache-dir", "here")
    assert ran.out == f"{tmp_path / 'below' / 'here'}\n"


def test_a_directory_that_is_not_there_is_a_usage_error(accord: Accord) -> None:
    ran = accord("--directory", "nowhere", "cache", "dir")
    assert ran.status == 2
    assert "cannot change to nowhere" in ran.err


def test_an_error_is_shown_with_code_message_hint_and_page(accord: Accord) -> None:
    ran = accord("tree")
    assert ran.status == 2
    assert ran.err.splitlines()[0].startswith("error[no-project]: there is no pyproject.toml in ")
    assert any(line.startswith("  hint: accord init makes a project") for line in ran.err.splitlines())
    assert ran.err.splitlines()[-1] == "  see docs/reference/errors.md#no-project"


def test_an_error_as_json_is_the_record_on_standard_output(accord: Accord) -> None:
    ran = accord("tree", "--json")
    assert ran.status == 2
    assert ran.err == ""
    error = json.loads(ran.out)["error"]
    assert error["code"] == "no-project"
    assert set(error) == {"code", "message", "where", "context", "hint", "cause", "docs"}


def test_a_line_that_cannot_be_read_is_json_too_if_json_was_asked_for(accord: Accord) -> None:
    assert json.loads(accord("pip", "list", "--bogus", "--json").out)["error"]["code"] == "usage"


def test_all_faults_of_a_document_are_shown(accord: Accord, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    (tmp_path / "pylock.toml").write_text('lock-version = "1.0"\n[[packages]]\nversion = 3\n')
    text = accord("tree")
    assert text.status == 1
    assert "error[invalid-lock]" in text.err
    faults = json.loads(accord("tree", "--json").out)["error"]["faults"]
    assert len(faults) >= 2
    for fault in faults:
        assert fault["message"] in text.err


def test_a_missing_file_is_a_coded_error_and_not_a_traceback(accord: Accord) -> None:
    ran = accord("run", "-s", "nothing.py")
    assert ran.status == 2
    assert "error[file-not-found]" in ran.err
    assert "Traceback" not in ran.err


def test_colour_is_for_terminals_only(process: Process) -> None:
    assert "\x1b[" not in process("tree").stderr
    assert "\x1b[" in process("tree", FORCE_COLOR="1", NO_COLOR="").stderr
    assert "\x1b[" not in process("tree", FORCE_COLOR="1", NO_COLOR="1").stderr
    assert "\x1b[" not in process("--no-color", "tree", FORCE_COLOR="1", NO_COLOR="").stderr


def test_a_reader_that_goes_away_is_no_fault(tmp_path: Path) -> None:
    # Twice the script: more than a pipe holds, so that one of the two surely meets a closed end.
    program = "import sys; from accord.cli.main import main; sys.exit(max(main(['completions', 'fish']) for _ in range(2)))"
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1


def test_an_interrupt_ends_with_130_and_one_line(tmp_path: Path) -> None:
    fifo = tmp_path / "pyproject.toml"
    lock = tmp_path / "pylock.toml"
    fifo.write_text('[project]\nname = "x"\n')
    os.mkfifo(lock)  # reading it waits for ever: the command is surely at work when the signal comes
    process = subprocess.Popen(
        [sys.executable, "-m", "accord", "tree"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    writer = -1
    until = time.monotonic() + 30
    while writer < 0:
        assert process.poll() is None and time.monotonic() < until, process.communicate()
        with contextlib.suppress(OSError):  # nobody reads yet
            writer = os.open(lock, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    os.close(writer)
    assert process.returncode == 130
    assert out == ""
    assert err.strip().startswith("interrupted: nothing is half done")
    assert "Traceback" not in err


def test_a_fault_of_our_own_is_coded_and_shows_its_traceback_only_when_asked(
    process: Process, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "accord_fault.py").write_text(
        "import accord.tasks.folders as folders\n"
        "def find_project(start=None):\n    raise RuntimeError('a fault')\n"
        "folders.find_project = find_project\n"
    )
    program = "import accord_fault, sys; from accord.cli.main import main; sys.exit(main(sys.argv[1:]))"
    environ = {**os.environ, "PYTHONPATH": str(broken)}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, *words], capture_output=True, text=True, env=environ, check=False
        )

    plain = run("tree")
    assert plain.returncode == 1
    assert "error[internal-error]: Accord met a fault of its own: RuntimeError: a fault" in plain.stderr
    assert "--verbose" in plain.stderr
    assert "Traceback" not in plain.stderr
    assert "Traceback" in run("tree", "--verbose").stderr


def test_a_process_of_its_own_ends_with_the_command_and_with_all_that_waited_for_its_end(
    tmp_path: Path,
) -> None:
    program = (
        "import atexit, sys; from accord.cli.main import main; atexit.register(print, 'last words')\n"
        "{more}\nsys.argv[1:] = {words!r}; sys.exit(main() or 7)"
    )

    def ended(words: list[str], more: str = "") -> tuple[int, list[str]]:
        done = subprocess.run(
            [sys.executable, "-c", program.format(words=words, more=more)],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout.split("\n")[1:]

    assert ended(["--version"]) == (0, ["last words", ""])
    assert ended(["nonsense"])[0] == 2
    # Somebody looks: then it goes the long way, and what called main goes on.
    assert ended(["--version"], "import threading") == (7, ["last words", ""])
    assert ended(["--version"], "sys.setprofile(lambda *_: None)") == (7, ["last words", ""])
