"""A run that is killed: what it had played is there, is read as a run, and is taken in by the next."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from accord_conformance.cases import Case
from accord_conformance.cli import main
from accord_conformance.errors import SuiteError
from accord_conformance.journal import Journal, journal_of
from accord_conformance.reading import DATA
from accord_conformance.results import Played, Run, StepPlayed, read_run, write_run
from accord_conformance.telling import Teller
from accord_conformance.testing import every_case, own_adapter


def words(folder: Path, *more: str) -> list[str]:
    """A run of some cases with a tool that says yes to the first five, and then hangs."""
    played = folder / "played"
    path = own_adapter(
        folder, f"""[["sh", "-c", "echo $$ >> {played}; test $(wc -l < {played}) -lt 6 || exec sleep 60"]]"""
    )
    words = ["run", "--tool", "mine", "--adapter", str(path), "--use", f"mine={sys.prefix}", "-j", "1"]
    return [*words, "--case", "installer/unpack/*", *more]


def killed(folder: Path, *more: str) -> list[str]:
    """Kills such a run without a word, when five cases were played; the lines that it had written."""
    (folder / "tmp").mkdir(exist_ok=True)  # what nobody takes away any more
    process = subprocess.Popen(
        [sys.executable, "-m", "accord_conformance", *words(folder, *more)],
        env={**os.environ, "PYTHONPATH": str(DATA.parent), "TMPDIR": str(folder / "tmp")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    played = folder / "played"
    while not (played.exists() and played.read_text().count("\n") == 6):
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    os.kill(int(played.read_text().splitlines()[-1]), signal.SIGKILL)  # nobody else ends it
    played.unlink()
    (left,) = folder.glob("*.played")
    return left.read_text(encoding="utf-8").splitlines()


def done(case: str, tool: str, verdict: str, **more: object) -> Played:
    step = StepPlayed("install", str(more.get("outcome", "done")), None, "", False, (), ())
    return Played(case, tool, verdict, (step,), 0.1, str(more.get("error", "")))


def run_of(*tools: str) -> Run:
    facts = {name: {"title": name, "version": "1", "packages": {}} for name in tools}
    return Run("2026-01-01T00:00:00Z", "3.11.2", "Linux x86_64", facts, ())


def test_a_run_that_is_killed_keeps_what_it_had_played(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.json"
    lines = killed(tmp_path, "--json", str(path))

    assert len(lines) >= 1 + 5
    assert not path.exists()
    left = read_run(tmp_path / "run.json.played")
    assert list(left.tools) == ["mine"]
    assert left.results
    assert main(["report", str(tmp_path / "run.json.played"), "--markdown", str(tmp_path)]) == 0
    assert "Mine" in (tmp_path / "conformance.md").read_text(encoding="utf-8")
    capsys.readouterr()


def test_the_next_run_into_the_file_takes_it_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.json"
    others = Played("installer/unpack/pure", "pip", "pass", (), 0.1)
    write_run(Run("2026-01-01T00:00:00Z", "3", "x", run_of("pip").tools, (others,)), path)
    lines = killed(tmp_path, "--into", str(path))
    played = {json.loads(line)["case"] for line in lines[1:]}

    code = main(
        [*words(tmp_path, "--into", str(path))[:-4], "--case", "installer/names/newest", "--into", str(path)]
    )

    assert code in (0, 1)
    assert "results of a run that did not end are taken in" in capsys.readouterr().err
    found = {(each.case, each.tool) for each in read_run(path).results}
    assert ("installer/unpack/pure", "pip") in found
    settled = {case for case, tool in found if tool == "mine"} & played
    assert settled
    assert list(tmp_path.glob("*.played")) == []


def test_a_run_that_ends_leaves_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "run.json"

    main(
        [
            *words(tmp_path)[:-1],
            "installer/unpack/pure",
            "--json",
            str(path),
            "--into",
            str(tmp_path / "all.json"),
        ]
    )

    assert sorted(each.name for each in tmp_path.glob("*.json*")) == ["all.json", "run.json"]


def test_two_runs_are_not_written_to_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.json"
    with Journal(path) as journal:
        journal.begin(run_of("other"))
        journal.add(done("a", "other", "pass"))
        assert main(words(tmp_path, "--into", str(path))) == 2
        assert [each.case for each in read_run(journal.path).results] == ["a"]

    assert "another run is being written there" in capsys.readouterr().err


def test_a_run_that_could_not_begin_leaves_what_an_earlier_one_had_played(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    lines = killed(tmp_path, "--json", str(path))

    assert main([*words(tmp_path, "--json", str(path)), "--use", f"mine={tmp_path}"]) == 2

    assert journal_of(path).read_text(encoding="utf-8").splitlines() == lines


def test_a_line_that_was_being_written_is_left_out_and_the_last_word_counts(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    journal = Journal(path)
    journal.begin(run_of("mine"))
    for verdict in ("fail", "pass"):
        journal.add(done("b\u2028\udcff", "mine", verdict, error="no text: \udcff"))
    journal.add(done("a", "mine", "void"))
    journal_of(path).write_bytes(whole := journal_of(path).read_bytes())

    for end in range(whole.rindex(b"\n", 0, -1) + 1, len(whole)):
        journal_of(path).write_bytes(whole[:end])
        assert [each.verdict for each in read_run(journal_of(path)).results] == ["pass"]
    journal_of(path).write_bytes(whole)
    assert [each.verdict for each in read_run(journal_of(path)).results] == ["void", "pass"]
    for nothing in (b"", whole[:20]):
        journal_of(path).write_bytes(nothing)
        with pytest.raises(SuiteError, match="it is empty"):
            read_run(journal_of(path))
    with pytest.raises(SuiteError, match="another run"):
        Journal(path)
    journal.__exit__(None, None, None)


def test_a_run_with_what_is_no_text_is_written(tmp_path: Path) -> None:
    run = run_of("mine")
    write_run(
        Run(run.when, run.python, run.platform, run.tools, (done("a", "mine", "pass", error="\udcff"),)),
        tmp_path / "run.json",
    )

    assert read_run(tmp_path / "run.json").results[0].error == "?"


def small_cases() -> dict[str, Case]:
    return {case.id: case for case in every_case() if case.id == "installer/unpack/pure"}


def test_who_hung_has_failed_nothing_until_it_is_asked_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    late = done("installer/unpack/pure", "mine", "fail", outcome="hung")
    with Journal(tmp_path / "run.json") as journal:
        journal.begin(run_of("mine"))
        teller = Teller(small_cases(), 1, verbose=False, journals=[journal])
        teller.told(late)
        assert (teller.played, read_run(journal.path).results) == ({}, ())
        teller.told(late)
        assert list(teller.played.values()) == [late]
        assert read_run(journal.path).results == (late,)
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines() if "unpack/pure" in line] == [
        "hung",
        "fail",
    ]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_disk_that_is_full_ends_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = Journal(tmp_path / "run.json")
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, journal._file.fileno())
    os.close(full)
    played = done("installer/unpack/pure", "mine", "pass")
    teller = Teller(small_cases(), 2, verbose=False, journals=[journal])

    teller.told(played)
    teller.told(played)

    assert list(teller.played.values()) == [played]
    assert (
        capsys.readouterr().err.count("cannot be written: No space left on device; if the run is killed") == 1
    )
    journal.__exit__(None, None, None)
