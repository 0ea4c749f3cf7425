"""How a program is found and started in an environment."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from accord.tasks.asked import Asked
from accord.tasks.project import load_script
from accord.tasks.run import environment_variables, is_script, resolve_program
from accord_core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """\
# /// script
# requires-python = ">=3.11"
# dependencies = ["rich>=13", "humanize ; os_name == 'posix'"]
# ///
"""


def program(path: Path, text: str = "#!/bin/sh\n") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_the_variables_are_those_of_activate() -> None:
    variables = environment_variables("/env", {"PATH": "/usr/bin", "PYTHONHOME": "/x", "HOME": "/h"})
    assert variables == {"PATH": "/env/bin:/usr/bin", "VIRTUAL_ENV": "/env", "HOME": "/h"}
    assert environment_variables("/env", {})["PATH"] == "/env/bin"


def test_a_program_of_the_environment_comes_first(tmp_path: Path) -> None:
    here = program(tmp_path / "env" / "bin" / "tool")
    there = program(tmp_path / "other" / "tool")
    program(tmp_path / "other" / "only")
    environ = {"PATH": str(tmp_path / "other")}
    assert resolve_program(["tool", "-x"], str(tmp_path / "env"), environ) == (here, ["tool", "-x"])
    assert resolve_program(["only"], str(tmp_path / "env"), environ)[0] == str(tmp_path / "other" / "only")
    assert there != here


def test_a_python_file_is_run_by_the_python_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = program(tmp_path / "env" / "bin" / "python")
    (tmp_path / "x.py").write_text("")
    monkeypatch.chdir(tmp_path)
    assert is_script("x.py")
    assert not is_script("y.py")
    assert resolve_program(["x.py", "a"], str(tmp_path / "env"), {}) == (python, ["python", "x.py", "a"])


def test_a_launcher_of_the_environment_below_is_run_by_the_python_above(tmp_path: Path) -> None:
    over, under = tmp_path / "over", tmp_path / "under"
    launcher = program(under / "bin" / "pytest", f"#!{under}/bin/python\nprint()\n")
    binary = program(under / "bin" / "native", "\x7fELF")
    words = resolve_program(["pytest", "-q"], str(over), {}, base=str(under))
    assert words == (f"{over}/bin/python", ["python", launcher, "-q"])
    assert resolve_program(["native"], str(over), {}, base=str(under)) == (binary, ["native"])


def test_a_program_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_program(["surely-not-there"], str(tmp_path), {"PATH": ""})
    assert caught.value.code == "command-not-found"


def test_the_metadata_of_a_script(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text("print()\n")
    assert load_script(str(path)) is None
    path.write_bytes(b"\xef\xbb\xbf" + SCRIPT.encode())
    script = load_script(str(path))
    assert script is not None
    asked = Asked()
    script.add_to(asked)
    assert [wish.requirement.name for wish in asked.wishes if wish.requirement] == ["rich", "humanize"]
    assert (asked.requires_python, script.folder) == (">=3.11", str(tmp_path))


RUN = """
import os, sys
from accord.tasks.run import environment_variables, replace_process, resolve_program
print("before", flush=False)
program, words = resolve_program(sys.argv[2:], sys.argv[1], os.environ)
replace_process(program, words, environment_variables(sys.argv[1], os.environ))
"""


def start(env: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(env), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_program_takes_the_place_of_the_process_and_its_status(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "tool", '#!/bin/sh\necho "$$ $VIRTUAL_ENV $1"\nexit 7\n')
    process = start(tmp_path, "tool", "a b")
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (7, "")
    assert out.splitlines() == ["before", f"{process.pid} {tmp_path} a b"]


def test_signals_reach_the_program_itself(tmp_path: Path) -> None:
    program(
        tmp_path / "bin" / "tool",
        "#!/bin/sh\ntrap 'echo caught; exit 3' TERM\necho ready\nwhile :; do sleep 0.05; done\n",
    )
    process = start(tmp_path, "tool")
    assert process.stdout is not None
    assert [process.stdout.readline(), process.stdout.readline()] == ["before\n", "ready\n"]
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out) == (3, "caught\n")


def test_a_program_killed_by_a_signal_ends_by_that_signal(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "tool", "#!/bin/sh\nkill -9 $$\n")
    process = start(tmp_path, "tool")
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
