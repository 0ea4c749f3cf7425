"""A build folder that is kept: only what changed is done again, whatever happened to the folder in between."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.backend.native.conftest import Workshop

WITH_HEADER = {"src/spam/a.h": "#define ANSWER 1\n"}


def compiled(log: str) -> list[str]:
    return [line.split(" compile ")[1] for line in log.splitlines() if " compile " in line]


def test_nothing_touched_nothing_done(workshop: Workshop) -> None:
    root = workshop()
    first = workshop.build()
    second = workshop.build()
    assert "no work to do" in workshop.log(root)
    assert first.read_bytes() == second.read_bytes()


def test_one_source_touched_one_compiled(workshop: Workshop) -> None:
    other = "int other(void) { return 9; }\n"
    extension = workshop.EXTENSION.replace('_speed.c"', '_speed.c", "src/spam/other.c"')
    root = workshop(files={"src/spam/other.c": other}, extension=extension)
    workshop.build()
    (root / "src/spam/other.c").write_text(other + "/* more */\n")
    workshop.build()
    assert compiled(workshop.log(root)) == ["src/spam/other.c"]


def test_a_header_nobody_listed_is_followed(workshop: Workshop) -> None:
    root = workshop(files={**WITH_HEADER, "src/spam/_speed.c": '#include "a.h"\n' + workshop.SPEED})
    assert workshop.run(workshop.build()) == "1"
    (root / "src/spam/a.h").write_text("#define ANSWER 2\n")
    assert workshop.run(workshop.build()) == "2"


def test_a_file_in_depends_that_no_compiler_reports_is_followed(workshop: Workshop) -> None:
    root = workshop('depends = ["data/*.txt"]\n', {"data/a.txt": "1"})
    workshop.build()
    (root / "data/a.txt").write_text("2")
    workshop.build()
    assert compiled(workshop.log(root)) == ["src/spam/_speed.c"]


def test_other_flags_compile_again(workshop: Workshop) -> None:
    root = workshop()
    workshop.build()
    path = root / "pyproject.toml"
    path.write_text(path.read_text() + 'defines = ["ANSWER=3"]\n')
    assert workshop.run(workshop.build()) == "3"


@pytest.mark.usefixtures("compiler")
def test_another_compiler_at_the_same_path_compiles_again(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = workshop()
    compiler = root / "my cc"
    compiler.write_text('#!/bin/sh\nexec gcc "$@"\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", f"'{compiler}'")
    workshop.build()
    before = next(root.glob("build/accord-*/configured.json")).stat().st_mtime_ns
    compiler.write_text('#!/bin/sh\nexec gcc -DANSWER=5 "$@"\n')
    workshop.build()
    assert next(root.glob("build/accord-*/configured.json")).stat().st_mtime_ns != before


def test_the_folder_may_move_with_its_build(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = workshop(files={**WITH_HEADER, "src/spam/_speed.c": '#include "a.h"\n' + workshop.SPEED})
    before = workshop.build().read_bytes()
    monkeypatch.chdir(tmp_path)
    moved = root.rename(tmp_path / "else where")
    monkeypatch.chdir(moved)
    assert workshop.build().read_bytes() == before
    assert "no work to do" in workshop.log(moved)
    (moved / "src/spam/a.h").write_text("#define ANSWER 6\n")
    assert workshop.run(workshop.build()) == "6"


def test_a_source_that_is_gone_leaves_the_module(workshop: Workshop) -> None:
    extension = workshop.EXTENSION.replace("_speed.c", "*.c")
    root = workshop(files={"src/spam/other.c": "int spam_other = 1;\n"}, extension=extension)
    assert any(b"spam_other" in data for data in workshop.members(workshop.build()).values())
    (root / "src/spam/other.c").unlink()
    assert not any(b"spam_other" in data for data in workshop.members(workshop.build()).values())


def test_a_build_folder_elsewhere(workshop: Workshop, tmp_path: Path) -> None:
    root = workshop()
    inside = workshop.build()
    wheel = workshop.build(settings={"build-dir": str(tmp_path / "kept")})
    assert (tmp_path / "kept/configured.json").is_file()
    assert wheel.read_bytes() == inside.read_bytes()
    shutil.rmtree(root / "build")
    workshop.build(settings={"build-dir": "here/there"})
    assert (root / "here/there/configured.json").is_file() and not (root / "build").exists()


def test_git_does_not_see_the_build_folder(workshop: Workshop) -> None:
    root = workshop()
    workshop.build()
    subprocess.run(["git", "init", "-q"], check=True)
    status = subprocess.run(
        ["git", "status", "--porcelain", "-uall"], capture_output=True, text=True, check=True
    ).stdout
    assert "build/" not in status and root.joinpath("build").is_dir()


def test_a_debug_build_is_another_build(workshop: Workshop) -> None:
    root = workshop()
    plain = workshop.members(workshop.build())
    debug = workshop.members(workshop.build(settings={"debug": "true"}))
    module = next(path for path in plain if path.endswith(".so"))
    assert len(debug[module]) > len(plain[module])
    assert os.fsencode(root) not in debug[module], "debug data say '.' for the folder"
    assert workshop.members(workshop.build()) == plain
    assert len(list(root.glob("build/accord-*/configured.json"))) == 2, "each keeps its own objects"


SLOW_CC = """\
#!{python}
import os, sys, time
out = sys.argv[sys.argv.index("-o") + 1] if "-o" in sys.argv else ""
if out.endswith({what!r}) and not os.path.exists({flag!r}):
    open(out, "wb").write(b"half")
    with open({flag!r} + ".new", "w") as file:
        file.write(str(os.getpid()))
    os.rename({flag!r} + ".new", {flag!r})
    time.sleep(30)
    sys.exit(1)
os.execvp("gcc", ["gcc", *sys.argv[1:]])
"""


def end(process: subprocess.Popen[bytes], flag: Path, how: signal.Signals) -> None:
    """Ends a whole build at once; ninja gives each compiler a process group of its own."""
    os.killpg(process.pid, how)
    if how == signal.SIGKILL:
        os.kill(int(flag.read_text()), how)
    assert process.wait(timeout=20) != 0


def start(workshop: Workshop, root: Path, what: str) -> tuple[subprocess.Popen[bytes], Path]:
    """A build in a process of its own whose compiler stays in the middle of the first object (or module)."""
    flag, compiler = root.parent / "flag", root.parent / "cc"
    compiler.write_text(SLOW_CC.format(python=sys.executable, what=what, flag=os.fspath(flag)))
    compiler.chmod(0o755)
    os.environ["CC"] = os.fspath(compiler)
    script = f"import accord_backend; accord_backend.build_wheel({os.fspath(workshop.folder())!r})"
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=root, env={**os.environ, "PYTHONPATH": workshop.SOURCE},
        start_new_session=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while not flag.exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    return process, flag


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("what", [".o", ".so.tmp"])
@pytest.mark.usefixtures("compiler")
def test_what_an_interrupted_build_left_half_written_is_made_again(
    how: signal.Signals, what: str, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "")
    root = workshop()
    process, flag = start(workshop, root, what)
    end(process, flag, how)
    assert workshop.run(workshop.build()) == "42"


@pytest.mark.usefixtures("compiler")
def test_an_object_half_written_over_a_good_one_is_made_again(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dangerous case: ninja's log knows the object of the build before, made by the same command."""
    monkeypatch.setenv("CC", "")
    root = workshop()
    (root.parent / "flag").touch()
    compiler = root.parent / "cc"
    compiler.write_text(
        SLOW_CC.format(python=sys.executable, what=".o", flag=os.fspath(root.parent / "flag"))
    )
    compiler.chmod(0o755)
    os.utime(compiler, (1, 1))
    monkeypatch.setenv("CC", os.fspath(compiler))
    workshop.build()
    (root.parent / "flag").unlink()
    (root / "src/spam/_speed.c").write_text(workshop.SPEED.replace("42", "43"))
    process, flag = start(workshop, root, ".o")
    end(process, flag, signal.SIGKILL)
    assert workshop.run(workshop.build()) == "43"


def test_interrupting_only_the_hook_ends_its_compilers(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "")
    root = workshop()
    process, flag = start(workshop, root, ".o")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) != 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(flag.read_text()), 0)


@pytest.mark.usefixtures("compiler")
def test_a_second_build_waits_also_for_the_compilers_of_a_killed_first(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "")
    root = workshop()
    process, flag = start(workshop, root, ".o")
    process.kill()  # its ninja and compiler go on
    process.wait()
    script = f"import accord_backend; accord_backend.build_wheel({os.fspath(workshop.folder())!r})"
    environ = {**os.environ, "PYTHONPATH": workshop.SOURCE}
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=root, env=environ, stderr=subprocess.PIPE
    ) as second:
        try:
            assert second.stderr is not None
            assert b"waiting" in second.stderr.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                second.wait(timeout=0.5)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            os.kill(int(flag.read_text()), signal.SIGKILL)
        second.communicate(timeout=60)
        assert second.returncode == 0


@pytest.mark.usefixtures("compiler")
def test_many_builds_at_once_make_the_same_wheel(workshop: Workshop) -> None:
    root = workshop()
    script = "import sys, accord_backend; accord_backend.build_wheel(sys.argv[1])"
    folders = [workshop.folder() for _ in range(4)]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script, folder],
            cwd=root,
            env={**os.environ, "PYTHONPATH": workshop.SOURCE},
        )
        for folder in folders
    ]
    assert [process.wait() for process in running] == [0, 0, 0, 0]
    assert len({next(folder.iterdir()).read_bytes() for folder in folders}) == 1


PAIRED_CC = """\
#!{python}
import os, sys, time
if "-c" in sys.argv and sys.argv[-1].endswith(".o"):
    open(os.path.join({meeting!r}, str(os.getpid())), "w").close()
    deadline = time.monotonic() + {patience}
    while len(os.listdir({meeting!r})) < 2:
        if time.monotonic() > deadline:
            sys.exit("alone")
        time.sleep(0.01)
os.execvp("gcc", ["gcc", *sys.argv[1:]])
"""


@pytest.mark.parametrize(("jobs", "patience"), [("2", 20), ("1", 0.3)])
@pytest.mark.usefixtures("compiler")
def test_compilers_run_at_the_same_time(
    jobs: str, patience: float, workshop: Workshop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each of two compilers goes on only when the other has come; one job at a time never gets there."""
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    compiler = tmp_path / "cc"
    compiler.write_text(
        PAIRED_CC.format(python=sys.executable, meeting=os.fspath(meeting), patience=patience)
    )
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", os.fspath(compiler))
    extension = workshop.EXTENSION.replace('_speed.c"', '_speed.c", "src/spam/other.c"')
    workshop(files={"src/spam/other.c": "int other(void) { return 9; }\n"}, extension=extension)
    if jobs == "2":
        assert workshop.build(settings={"jobs": jobs})
    else:
        assert "alone" in str(workshop.fault(settings={"jobs": jobs}))


@pytest.mark.parametrize("name", ["other.c.o", "_speed*.so"])
def test_what_a_crash_left_empty_is_made_again(name: str, workshop: Workshop) -> None:
    """A linker takes an empty object for a script and leaves out what it should have held."""
    other = "int other(void) { return 9; }\n"
    uses = workshop.SPEED.replace("ANSWER", "other()") if "ANSWER" in workshop.SPEED else workshop.SPEED
    extension = workshop.EXTENSION.replace('_speed.c"', '_speed.c", "src/spam/other.c"')
    root = workshop(
        files={"src/spam/other.c": other, "src/spam/_speed.c": "int other(void);\n" + uses},
        extension=extension,
    )
    first = workshop.build().read_bytes()
    (made,) = (root / "build").rglob(name)
    made.write_bytes(b"")
    assert workshop.build().read_bytes() == first
