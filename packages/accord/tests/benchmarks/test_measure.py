"""A run counts only when it ended well and its result was right."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.environments import pins, remove, whole
from benchmarks.jobs import Job, clean_environ, find_python
from benchmarks.measure import Contender, Fault, Group, Limits, Sample, run_group, run_job
from benchmarks.report import markdown, record
from benchmarks.rows import ROWS, Bench, Row
from benchmarks.run import chosen

from benchmarks import imports


def python(code: str) -> Job:
    return Job("python", [sys.executable, "-I", "-c", code], clean_environ())


def silent(_text: str) -> None:
    pass


def group(*contenders: Contender, name: str = "group", rounds: int = 3) -> Group:
    return Group(name, "A group", "everything", rounds, list(contenders))


def test_time_and_memory_of_the_process_itself(tmp_path: Path) -> None:
    # Far above the floor, which is what this very process held at its peak when it starts another.
    floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    held = f"held = bytearray({floor + 200_000_000})\nfor _ in range(2_000_000): pass"
    busy = run_job(python(held), str(tmp_path))
    idle = run_job(python("import time; time.sleep(0.3)"), str(tmp_path))
    assert busy.rss - idle.rss > 60
    assert idle.wall > 0.3 > idle.cpu


def test_a_process_that_fails_is_a_fault_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="exit status 3: no luck"):
        run_job(python("import sys; print('no luck', file=sys.stderr); sys.exit(3)"), str(tmp_path))


def test_of_what_it_said_the_end_is_quoted_as_far_as_the_limit(tmp_path: Path) -> None:
    job = python("import sys; sys.exit('abcdef')")
    with pytest.raises(Fault, match=r": abcdef$"):
        run_job(job, str(tmp_path), Limits(quoted=6))
    with pytest.raises(Fault, match=r": bcdef$"):
        run_job(job, str(tmp_path), Limits(quoted=5))


def test_a_process_beyond_the_time_limit_is_ended(tmp_path: Path) -> None:
    job = python("import time; time.sleep(1)")
    with pytest.raises(Fault, match="exit status -9"):
        run_job(job, str(tmp_path), Limits(process=0.2))
    assert run_job(job, str(tmp_path), Limits(process=60)).wall > 1


def test_contenders_take_turns_and_the_first_changes(tmp_path: Path) -> None:
    order: list[str] = []

    def contender(label: str, most: int = 1000) -> Contender:
        return Contender(label, "", lambda: [python("pass")], prepare=lambda: order.append(label), most=most)

    run_group(
        group(contender("a"), contender("b"), contender("c", 1)), None, str(tmp_path), lambda: 0, silent
    )
    assert "".join(order) == "abcbaab"


def test_a_wrong_result_does_not_count_and_ends_that_contender_only(tmp_path: Path) -> None:
    def wrong() -> None:
        raise Fault("157 distributions, 158 were asked for")

    bad = Contender("bad", "", lambda: [python("pass")], check=wrong)
    good = Contender("good", "", lambda: [python("pass")])
    run_group(group(bad, good), 2, str(tmp_path), lambda: 0, silent)
    assert (bad.samples, bad.failure) == ([], "157 distributions, 158 were asked for")
    assert (len(good.samples), good.failure) == (2, None)


def test_walls_of_several_processes_are_added_and_requests_counted(tmp_path: Path) -> None:
    counter = iter([10, 17])
    nap = python("import time; time.sleep(0.2)")
    one = Contender("one", "", lambda: [nap, nap])
    run_group(group(one), 1, str(tmp_path), lambda: next(counter), silent)
    assert one.samples[0].wall > 0.4
    assert one.samples[0].requests == 7


def test_settings_of_the_caller_reach_no_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_NO_DEPS", "UV_OFFLINE", "ACCORD_OFFLINE", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"):
        monkeypatch.setenv(name, "1")
    environ = clean_environ(UV_CACHE_DIR="here")
    ours = ("PIP_", "UV_", "ACCORD_", "PYTHON", "VIRTUAL")
    assert [key for key in environ if key.startswith(ours)] == ["UV_CACHE_DIR"]
    assert "PATH" in environ


def test_an_interpreter_is_found_by_path_and_its_absence_said(tmp_path: Path) -> None:
    assert find_python(sys.executable)
    with pytest.raises(RuntimeError, match="--python PATH"):
        find_python(str(tmp_path / "python"))


def test_pins_of_a_requirements_file(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text(
        "# made by\nfoo==1.0 \\\n    --hash=sha256:00\nBar_baz[x]==2.0 ; python_version > '3'\n-e .\n"
    )
    assert pins(str(path)) == {"foo": "1.0", "bar-baz": "2.0"}


def test_an_environment_is_whole_when_its_records_are(tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "python3.12" / "site-packages"
    (packages / "demo-1.0.dist-info").mkdir(parents=True)
    (packages / "pip-26.0.dist-info").mkdir()
    record = packages / "demo-1.0.dist-info" / "RECORD"
    record.write_text('demo.py,sha256=x,4\n"a,b",,1\n__pycache__/demo.pyc,,\ndemo-1.0.dist-info/RECORD,,\n')
    (packages / "demo.py").write_text("pass")
    (packages / "a,b").write_text("x")
    assert whole(str(tmp_path)) == 1
    (packages / "demo.py").write_text("pas")
    with pytest.raises(Fault, match=r"demo\.py is not as demo-1\.0\.dist-info records it"):
        whole(str(tmp_path))
    (packages / "demo.py").unlink()
    with pytest.raises(Fault, match=r"demo\.py"):
        whole(str(tmp_path))


def test_what_lies_outside_a_linked_site_packages_is_looked_for_in_the_environment(tmp_path: Path) -> None:
    shared = tmp_path / "shared" / "demo-1.0.dist-info"
    shared.mkdir(parents=True)
    (shared / "RECORD").write_text("../../../bin/demo,,4\n")
    env = tmp_path / "env"
    (env / "lib" / "python3.12").mkdir(parents=True)
    (env / "lib" / "python3.12" / "site-packages").symlink_to(shared.parent)
    with pytest.raises(Fault, match="bin/demo"):
        whole(str(env))
    (env / "bin").mkdir()
    (env / "bin" / "demo").write_text("demo")
    assert whole(str(env)) == 1


def test_guarded_folders_are_removed_too_and_links_alone(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (tmp_path / "link").symlink_to(kept)
    remove(str(tmp_path / "link"))
    assert kept.is_dir()
    inner = tmp_path / "guarded" / "inner"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    inner.chmod(0o500)
    subprocess.run(
        ["chattr", "+i", str(inner)], capture_output=True, check=False
    )  # works for root, on some systems
    remove(str(tmp_path / "guarded"))
    remove(str(tmp_path / "guarded"))
    assert not inner.parent.exists()


def test_every_row_compares_contenders_that_its_group_has(tmp_path: Path) -> None:
    groups = {
        one.name: one for one in Bench(str(tmp_path), "http://index.example/simple/", "python").groups()
    }
    for row in ROWS:
        labels = {one.label for one in groups[row.group].contenders}
        assert {row.ours, row.theirs} - {None} <= labels, row.name


def test_only_takes_rows_and_groups_and_refuses_the_rest(tmp_path: Path) -> None:
    groups = Bench(str(tmp_path), "http://index.example/simple/", "python").groups()
    assert [one.name for one in chosen(groups, ["memory", "version"])] == ["version", "warm-resolve-airflow"]
    assert chosen(groups, []) == groups
    with pytest.raises(SystemExit, match="unknown: speed"):
        chosen(groups, ["speed"])


@pytest.mark.parametrize(("wall", "met"), [(0.02, "yes"), (0.5, r"\*\*no\*\*")])
def test_the_table_says_whether_a_figure_is_met(wall: float, met: str) -> None:
    row = next(row for row in ROWS if row.name == "version")
    ours = Contender("accord", "", list, samples=[Sample(wall, wall, 10)])
    theirs = Contender("python", "", list, samples=[Sample(0.1, 0.1, 10)])
    measured = group(ours, theirs, name=row.group)
    page = markdown([measured], ["Machine: this one."], [])
    line = next(line for line in page.splitlines() if line.startswith(f"| {row.title}"))
    assert f"| {met} |".replace("\\", "") in line
    assert record([measured], [], [])["groups"]


def test_a_contender_that_failed_is_named_under_its_table(tmp_path: Path) -> None:
    broken = Contender("accord", "", lambda: [python("raise SystemExit('no such command')")])
    measured = group(broken, name="version")
    run_group(measured, 1, str(tmp_path), lambda: 0, silent)
    page = markdown([measured], [], [])
    assert "not measured" in page
    assert "accord failed and is not counted: `python: exit status 1: no such command`" in page


def test_rows_are_values() -> None:
    with pytest.raises(AttributeError):
        ROWS[0].limit = 2.0  # type: ignore[misc]
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert all(isinstance(row, Row) for row in ROWS)


def test_only_what_imports_is_listed_and_a_later_failure_is_one(tmp_path: Path) -> None:
    (tmp_path / "good_one.py").write_text("print('an easter egg')\n")
    (tmp_path / "bad_one.py").write_text("raise SystemExit('not here')\n")
    for name in ("good_one", "bad_one"):
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "top_level.txt").write_text(f"{name}\n")
    listed = tmp_path / "modules.json"
    command = [sys.executable, "-S", imports.__file__]
    environ = clean_environ(PYTHONPATH=str(tmp_path))
    subprocess.run([*command, "--list", str(listed)], env=environ, check=True)
    assert json.loads(listed.read_text()) == ["good_one"]
    done = subprocess.run([*command, str(listed)], env=environ, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"")
    (tmp_path / "good_one.py").write_text("raise ImportError('gone')\n")
    assert (
        subprocess.run([*command, str(listed)], env=environ, capture_output=True, check=False).returncode == 1
    )
