"""Tools that misbehave: what is written about them is what they did, and nothing of them stays."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from accord_conformance.adapters import player, read_adapter
from accord_conformance.cases import Case, Step
from accord_conformance.errors import SuiteError
from accord_conformance.leftovers import remove
from accord_conformance.processes import Limits, run, said
from accord_conformance.protocol import Answer, Commands, Program, Request, fill
from accord_conformance.reading import DATA
from accord_conformance.results import Played, Run, read_run, write_run
from accord_conformance.running import make_sure_of_room, play_all, play_case
from accord_conformance.serving import Served
from accord_conformance.testing import own_adapter
from accord_conformance.tools import Tool, Tools

PYTHON = sys.executable
ENVIRONMENT = {"PATH": os.defpath, "PYTHONPATH": str(DATA / "speaking")}


def commands(code: str, unsupported: str = "", limits: Limits = Limits()) -> Commands:  # noqa: B008
    return Commands({"act": [[PYTHON, "-c", code]]}, {}, {}, {"act": {"as": "json"}}, unsupported, limits)


def request(folder: Path, **values: object) -> Request:
    return Request("act", values, folder, ENVIRONMENT)


def program(folder: Path, code: str) -> Program:
    path = folder / "program.py"
    path.write_text(code, encoding="utf-8")
    return Program([PYTHON, str(path)], {}, ENVIRONMENT)


def test_an_exit_code_but_0_is_a_refusal_with_its_words(tmp_path: Path) -> None:
    answer = commands("import sys; sys.exit('no, thank you')").ask(request(tmp_path))

    assert (answer.outcome, answer.message, answer.untidy) == ("refused", "no, thank you", False)


def test_a_traceback_is_an_untidy_refusal(tmp_path: Path) -> None:
    assert commands("1/0").ask(request(tmp_path)).untidy


def test_an_unknown_option_is_no_refusal(tmp_path: Path) -> None:
    answer = commands("import sys; sys.exit('no such option: --x')", "no such option").ask(request(tmp_path))

    assert answer.outcome == "unsupported"


def test_a_verb_without_a_command_is_not_supported(tmp_path: Path) -> None:
    assert commands("").ask(replace(request(tmp_path), do="other")).outcome == "unsupported"


def test_a_command_that_does_not_end_hangs_and_is_ended_with_its_children(tmp_path: Path) -> None:
    code = (
        "import subprocess, time, sys;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "open('child', 'w').write(str(child.pid)); time.sleep(60)"
    )
    begun = time.monotonic()

    answer = commands(code, limits=Limits(seconds=6.0)).ask(request(tmp_path))  # time enough to begin

    assert answer.outcome == "hung"
    assert time.monotonic() - begun < 20
    child = int((tmp_path / "child").read_text())
    wait_until(lambda: not alive(child))


def alive(number: int) -> bool:
    """Whether a process runs: one that is dead and not yet fetched does not."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def wait_until(so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not so():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_of_endless_output_no_more_is_kept_than_the_limit(tmp_path: Path) -> None:
    code = "print('x' * 3_000_000)"

    assert len(run([PYTHON, "-c", code], tmp_path, ENVIRONMENT, Limits(output_bytes=1000))[1]) == 1000
    assert (
        len(run([PYTHON, "-c", "print('x' * 998)"], tmp_path, ENVIRONMENT, Limits(output_bytes=1000))[1])
        == 999
    )


def test_who_never_stops_writing_is_ended_in_time(tmp_path: Path) -> None:
    begun = time.monotonic()

    code, _, _ = run(["yes"], tmp_path, ENVIRONMENT, Limits(seconds=0.5))

    assert code is None
    assert time.monotonic() - begun < 20


def test_a_program_answers_refuses_and_lacks(tmp_path: Path) -> None:
    player = program(
        tmp_path,
        "from speak import serve\n"
        "def act(number): return {'twice': 2 * number} if number else [][1]\n"
        "serve({'act': act}, refusals=(TypeError,))\n",
    )
    try:
        assert player.ask(request(tmp_path, number=2, other=1)).value == {"twice": 4}
        assert player.ask(request(tmp_path, number=0)).untidy
        tidy = player.ask(request(tmp_path))
        assert (tidy.outcome, tidy.untidy) == ("refused", False)
        assert player.ask(replace(request(tmp_path), do="other")).outcome == "unsupported"
    finally:
        player.close()


def test_a_program_that_ends_refuses_and_is_started_again(tmp_path: Path) -> None:
    player = program(
        tmp_path,
        "import os\nfrom speak import serve\nserve({'act': lambda go: os._exit(1) if go else 'here'})\n",
    )
    try:
        assert player.ask(request(tmp_path, go=True)).outcome == "refused"
        assert player.ask(request(tmp_path, go=False)).value == "here"
    finally:
        player.close()


def test_what_a_program_prints_is_no_answer(tmp_path: Path) -> None:
    player = program(tmp_path, "from speak import serve\nserve({'act': lambda: print('hello') or 'said'})\n")
    try:
        assert player.ask(request(tmp_path)).value == "said"
    finally:
        player.close()


def test_templates_fill_names_lists_and_options() -> None:
    values = {"a": "x", "many": ["1", "2"], "none": []}

    assert fill(["{a}-{a}", "{many...}", ["--with", "{none...}"], ["--a", "{a}"]], values) == [
        "x-x",
        "1",
        "2",
        "--a",
        "x",
    ]
    with pytest.raises(SuiteError, match="nothing offers"):
        fill(["{b}"], values)


def test_a_program_that_ends_before_it_answers_anything_is_a_broken_adapter_and_refuses_nothing(
    tmp_path: Path,
) -> None:
    player = program(tmp_path, "import nothing_of_this_name\n")

    with pytest.raises(SuiteError, match="ends before it answers anything"):
        player.ask(request(tmp_path))


def test_a_program_has_a_home_of_its_own_that_is_taken_away(tmp_path: Path) -> None:
    player = program(
        tmp_path,
        "import os, tempfile\nfrom speak import serve\n"
        "serve({'act': lambda: [os.path.expanduser('~'), tempfile.mkdtemp()]})\n",
    )
    try:
        home, temporary = player.ask(request(tmp_path)).value
        assert Path(temporary).parent == Path(home) != Path.home()
    finally:
        player.close()
    assert not Path(home).exists()


def test_a_command_that_ended_is_not_waited_for_because_of_what_it_started(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys;"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True);"
        "print('1')"
    )
    begun = time.monotonic()

    answer = commands(code, limits=Limits(seconds=20.0)).ask(request(tmp_path))

    assert (answer.outcome, answer.value) == ("done", 1)
    assert time.monotonic() - begun < 15


def test_what_a_program_says_is_text_whatever_becomes_of_it(tmp_path: Path) -> None:
    def of(code: str, seconds: float = 60.0) -> str:
        return said([PYTHON, "-c", code], tmp_path, ENVIRONMENT, Limits(seconds=seconds))

    assert of("print(' here ')") == "here"
    assert of("import sys; sys.exit('no')") == "(code 1) no"
    assert of("import sys; sys.stdout.buffer.write(b'\\xff')") == "\ufffd"
    assert of("import time; time.sleep(60)", 2.0) == "(no end within 2 s)"
    assert "does not start" in said([str(tmp_path / "none")], tmp_path, ENVIRONMENT)


def tool(folder: Path, install: str) -> Tool:
    return Tool(read_adapter(own_adapter(folder, install)), Path(PYTHON).parent, "1", {})


def case(name: str, twin: str = "", after: str = "", kind: str = "verdict", **expect: object) -> Case:
    steps = (Step("install", {}, expect),)
    return Case(f"a/b/{name}", "installer", name, ("X.1",), "MUST", kind, {}, steps, (), twin, "", after)


def played(folder: Path, install: str, *cases: Case) -> list[Played]:
    return play_all([tool(folder, install)], cases, 1, lambda each: None)


def test_a_refusal_says_nothing_of_a_tool_that_refuses_its_honest_twin(tmp_path: Path) -> None:
    honest, refused = case("honest"), case("refused", "a/b/honest", outcome="refused")

    of_no_sayer = played(tmp_path, '[["false"]]', honest, refused)
    of_yes_sayer = played(tmp_path, '[["true"]]', honest, refused)

    assert [each.verdict for each in of_no_sayer] == ["fail", "void"]
    assert [each.verdict for each in of_yes_sayer] == ["pass", "fail"]


def test_what_is_not_the_tools_part_is_not_supported(tmp_path: Path) -> None:
    (other, own) = played(
        tmp_path, '[["true"]]\nsettings.without = ["a/*/other"]', case("other"), case("own")
    )

    assert (other.verdict, own.verdict) == ("unsupported", "pass")


@pytest.mark.parametrize("kind", ["verdict", "survey"])
def test_what_fails_for_the_cause_of_an_earlier_case_is_counted_once(tmp_path: Path, kind: str) -> None:
    first = case("first", kind=kind, says=["one"])
    later = case("later", after="a/b/first", says=["two"])

    def verdicts(said: str) -> list[str]:
        return [each.verdict for each in played(tmp_path, f'[["echo", "{said}"]]', first, later)]

    wrong, right = {"verdict": ("fail", "pass"), "survey": ("seen", "seen")}[kind]
    assert verdicts("nothing") == [wrong, "void"]
    assert verdicts("two") == [wrong, "pass"]
    assert verdicts("one") == [right, "fail"]
    assert verdicts("one two") == [right, "pass"]


def test_a_wrong_adapter_is_an_error_of_the_suite_and_no_failure(tmp_path: Path) -> None:
    (result,) = played(tmp_path, '[["{nothing}"]]', case("honest"))

    assert result.verdict == "error"
    assert "nothing offers {nothing}" in result.error


def test_what_nobody_can_read_is_an_error_of_the_suite_and_the_other_cases_are_played(tmp_path: Path) -> None:
    broken = case("broken", says=5)

    results = played(tmp_path, '[["true"]]', broken, case("honest"))

    assert [each.verdict for each in results] == ["error", "pass"]
    assert "Traceback" in results[0].error


def test_a_run_with_an_error_can_be_read_again(tmp_path: Path) -> None:
    run = Run.of([tool(tmp_path, '[["{nothing}"]]')], played(tmp_path, '[["{nothing}"]]', case("honest")))
    write_run(run, tmp_path / "run.json")

    assert read_run(tmp_path / "run.json").results == run.results


class Saying:
    """A tool that says one thing."""

    def __init__(self, value: object) -> None:
        self._value = value

    def ask(self, request: Request) -> Answer:
        return Answer("done", self._value)

    def close(self) -> None:
        """Nothing was started."""


def test_what_is_no_unicode_can_be_written_down(tmp_path: Path) -> None:
    asked, mine = case("honest", value="other"), tool(tmp_path, "[]")

    result = play_case(mine, asked, Saying("name\udcff"))
    write_run(Run.of([mine], [result]), tmp_path / "run.json")

    assert result.verdict == "fail"
    assert read_run(tmp_path / "run.json").results[0].steps[0].value == "name?"


def test_a_tool_that_is_late_is_asked_again_alone_and_with_more_time(tmp_path: Path) -> None:
    slow_once = f"""[["sh", "-c", "test -e {tmp_path}/begun || {{ touch {tmp_path}/begun; sleep 60; }}"]]"""
    told: list[str] = []

    (result,) = play_all(
        [tool(tmp_path, slow_once)],
        [case("honest")],
        1,
        lambda each: told.append(each.verdict),
        limits=Limits(seconds=2.0),
    )

    assert result.verdict == "pass"
    assert told == ["fail", "pass"]  # what was late is told, and told again


def test_a_tool_that_always_hangs_is_not_asked_for_ever(tmp_path: Path) -> None:
    never = tool(tmp_path, '[["sleep", "60"]]')
    cases = [case(f"one-{number}") for number in range(6)]
    told: list[str] = []

    results = play_all([never], cases, 1, lambda each: told.append(each.case), limits=Limits(seconds=0.2))

    assert [each.verdict for each in results] == ["fail"] * 3 + ["error"] * 3
    assert results[-1].error == "not asked: the tool hung 3 times running"
    assert len(told) == 6 + 3  # those that hung were asked again


def test_no_path_of_the_tool_nor_of_whoever_asks_is_told(tmp_path: Path) -> None:
    asked, mine = case("honest", value="other"), tool(tmp_path, "[]")
    paths = [str(mine.bin.parent / "lib" / "x.py"), str(Path.home() / "mine"), sys.base_prefix]

    result = play_case(mine, asked, Saying(" ".join(paths)))

    said = str(result.steps[0].value)
    assert not [path for path in (str(mine.bin.parent), str(Path.home()), sys.base_prefix) if path in said]


def test_a_tool_that_never_ends_fails_all_the_same(tmp_path: Path) -> None:
    never = tool(tmp_path, '[["sleep", "60"]]')

    (result,) = play_all([never], [case("honest")], 1, lambda each: None, limits=Limits(seconds=0.3))

    assert (result.verdict, result.steps[0].outcome) == ("fail", "hung")


@pytest.mark.skipif(sys.platform != "linux", reason="strays are found in /proc")
def test_who_leaves_the_session_of_a_tool_is_ended_with_the_case(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True);"
        f"open('{tmp_path}/child', 'w').write(str(child.pid))"
    )

    (result,) = played(tmp_path, f"""[["{PYTHON}", "-c", {json.dumps(code)}]]""", case("honest"))

    assert result.verdict == "pass"
    wait_until(lambda: not alive(int((tmp_path / "child").read_text())))


def test_the_folder_of_a_case_has_the_name_the_system_has_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "link"))
    install = """[["sh", "-c", "test $(pwd -P) = $(pwd -L) && test $HOME = $(cd $HOME && pwd -P)"]]"""

    (result,) = played(tmp_path, install, case("honest"))

    assert result.verdict == "pass"


def test_folders_that_are_kept_may_be_named_from_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    install = """[["sh", "-c", "cd $HOME && cd {project} && cd /"]]"""

    (result,) = play_all([tool(tmp_path, install)], [case("honest")], 1, lambda each: None, Path("kept"))

    assert result.verdict == "pass"
    assert (tmp_path / "kept" / "mine").is_dir()


def test_folders_of_cases_are_taken_away_and_no_path_of_them_is_told(tmp_path: Path) -> None:
    (result,) = played(tmp_path, """[["sh", "-c", "pwd; exit 1"]]""", case("honest"))

    assert result.steps[0].message == "{folder}/project"


def test_a_folder_to_keep_may_be_named_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The tool runs in a folder of its own, from which "kept" is another place.
    monkeypatch.chdir(tmp_path)
    mine = tool(tmp_path, """[["test", "-d", "{env}"]]""")

    found = play_case(mine, case("honest"), player(mine.adapter, "installer", mine.bin), Path("kept"))

    assert found.verdict == "pass"
    assert (tmp_path / "kept" / "mine" / "a--b--honest" / "env").is_dir()


def test_the_name_of_a_kept_folder_is_not_what_the_tool_says(tmp_path: Path) -> None:
    mine = tool(tmp_path, """[["pwd"]]""")

    found = play_case(
        mine, case("yanked", warns=["yank"]), player(mine.adapter, "installer", mine.bin), tmp_path / "kept"
    )

    assert found.verdict == "fail"


def test_environments_of_tools_may_be_named_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert Tools({}, Path("tools"), {}).folder == tmp_path / "tools"
    tool(tmp_path, "[]")
    assert read_adapter(Path("mine.toml")).folder == tmp_path


def test_on_a_full_disk_nothing_is_said_about_a_tool(tmp_path: Path) -> None:
    make_sure_of_room(tmp_path, 1)

    with pytest.raises(SuiteError, match="bytes are free there"):
        make_sure_of_room(tmp_path, 10**18)


def test_ctrl_c_ends_the_tools_at_once_and_keeps_what_was_played(tmp_path: Path) -> None:
    # A shell's background job ignores it, and so would whatever is started from there.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    path = tmp_path / "mine.toml"
    tool(tmp_path, f"""[["sh", "-c", "touch {tmp_path}/begun; sleep 60"]]""")
    arguments = [
        "run",
        "--adapter",
        str(path),
        "--use",
        f"mine={sys.prefix}",
        "--tool",
        "mine",
        "--role",
        "installer",
        "--json",
        str(tmp_path / "run.json"),
    ]
    process = subprocess.Popen(
        [PYTHON, "-m", "accord_conformance", *arguments],
        env={**os.environ, "PYTHONPATH": str(DATA.parent)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    while not (tmp_path / "begun").exists():
        assert process.poll() is None
        time.sleep(0.05)
    begun = time.monotonic()
    process.send_signal(2)

    _, wrong = process.communicate(timeout=30)

    assert process.returncode == 130
    assert time.monotonic() - begun < 20
    # What was played until then is kept, and what was being played is no failure.
    assert "interrupted; " in wrong.decode()
    assert wrong.decode().strip().endswith(f"are kept in {tmp_path / 'run.json'}")
    kept = read_run(tmp_path / "run.json").results
    assert kept
    assert not [each for each in kept if each.verdict == "fail"]
    assert not list(tmp_path.glob("*.partial"))


def test_ctrl_c_ends_a_tool_that_is_asked_again_too(tmp_path: Path) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    mine = tool(tmp_path, f"""[["sh", "-c", "echo >> {tmp_path}/begun; sleep 600"]]""")
    begun = tmp_path / "begun"
    sent: list[float] = []

    def interrupt() -> None:
        wait_until(lambda: begun.exists() and len(begun.read_text()) == 2)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    waiting = threading.Thread(target=interrupt)
    waiting.start()
    with pytest.raises(KeyboardInterrupt):
        play_all([mine], [case("slow")], 1, lambda each: None, limits=Limits(seconds=6.0))
    waiting.join()

    assert time.monotonic() - sent[0] < 12  # the second asking may take 18


def test_ctrl_c_that_comes_while_a_case_is_being_sent_ends_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tool(tmp_path, f"""[["sh", "-c", "echo >> {tmp_path}/begun; sleep 600"]]""")
    begun = tmp_path / "begun"
    interrupted: list[float] = []

    def submit(
        pool: ThreadPoolExecutor, *what: Any, send: Any = ThreadPoolExecutor.submit, **how: Any
    ) -> Any:
        future = send(pool, *what, **how)
        if "earlier" in how:  # it is asked again
            wait_until(lambda: len(begun.read_text()) == 2)
            interrupted.append(time.monotonic())
            raise KeyboardInterrupt
        return future

    monkeypatch.setattr(ThreadPoolExecutor, "submit", submit)
    with pytest.raises(KeyboardInterrupt):
        play_all([mine], [case("slow")], 1, lambda each: None, limits=Limits(seconds=6.0))

    assert time.monotonic() - interrupted[0] < 12  # the second asking may take 18


def test_a_folder_that_nobody_may_write_to_goes_all_the_same(tmp_path: Path) -> None:
    guarded = tmp_path / "scene" / "kept" / "inner"
    guarded.mkdir(parents=True)
    (guarded / "file").write_text("mine")
    for folder in (guarded, guarded.parent):
        folder.chmod(0o500)
    # Root passes by modes; the flag is what holds root back, where the machine has it.
    flagged = subprocess.run(["chattr", "+i", str(guarded)], capture_output=True, check=False).returncode == 0
    if flagged:
        with pytest.raises(PermissionError):
            (guarded / "file").unlink()

    remove(tmp_path / "scene")

    assert list(tmp_path.iterdir()) == []
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("settings", "values"),
    [
        ({"wants": "own_json"}, {"index": "http://index.example/simple/"}),
        ({}, {"http": {"method": "POST"}}),
    ],
)
def test_a_server_is_not_started_for_what_it_has_no_function_for(
    settings: dict[str, object], values: dict[str, object], tmp_path: Path
) -> None:
    served = Served(commands(""), {}, settings, {})

    assert served.ask(request(tmp_path, **values)).outcome == "unsupported"
