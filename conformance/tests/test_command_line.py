"""The command line, as somebody uses it who has not read the source: what is asked in vain is said, and nothing ends in a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from accord_conformance.cli import main
from accord_conformance.reading import DATA
from accord_conformance.results import read_run
from accord_conformance.testing import own_adapter

PLAIN = "installer/unpack/pure"


def mine(folder: Path, *arguments: str) -> list[str]:
    """The arguments of a run with a tool that says yes to everything and does nothing."""
    path = own_adapter(folder, '[["true"]]')
    return [
        "run",
        "--tool",
        "mine",
        "--adapter",
        str(path),
        "--use",
        f"mine={sys.prefix}",
        *arguments,
    ]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--case", "installer/unpack/pur"), "did you mean installer/unpack/pure?"),
        (("--rule", "RECRD.FILE.1"), "did you mean RECORD.FILE.1?"),
        (("--rule", "NOTHING.*"), "there is no such rule"),
        (("--gate", "yours"), "is not among the tools that are asked: mine"),
    ],
)
def test_a_word_that_means_nothing_is_not_passed_over_beside_one_that_does(
    asked: tuple[str, str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(mine(tmp_path, "--case", PLAIN, *asked)) == 2

    assert said in capsys.readouterr().err


@pytest.mark.parametrize("jobs", ["0", "-3", "two", "\u0662"])
def test_a_number_of_jobs_is_one(jobs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(mine(tmp_path, "--case", PLAIN, "--jobs", jobs))

    assert ended.value.code == 2
    assert "a number from 1 is wanted" in capsys.readouterr().err


def test_a_tool_that_has_no_such_role_was_not_asked_in_vain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(mine(tmp_path, "--role", "index")) == 2

    assert "none of mine is asked as index" in capsys.readouterr().err


def test_a_rule_that_nobody_asks_about_is_said_to_be_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(mine(tmp_path, "--rule", "WHEEL.SCRIPTS.5")) == 2

    assert "no case asks about WHEEL.SCRIPTS.5" in capsys.readouterr().err


def test_a_tool_named_twice_is_asked_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(mine(tmp_path, "--case", PLAIN))
    once = capsys.readouterr().out.splitlines()[-1]
    main(mine(tmp_path, "--tool", "mine", "--case", PLAIN))

    assert capsys.readouterr().out.splitlines()[-1] == once


def test_an_environment_that_is_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [each.replace(sys.prefix, str(tmp_path)) for each in mine(tmp_path, "--case", PLAIN)]

    assert main(arguments) == 2
    assert "is no environment: it has no bin/python" in capsys.readouterr().err


def test_a_run_that_cannot_be_written_in_the_end_is_kept_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.json"
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("accord_conformance.cli.make_sure_of_place", lambda path: path.mkdir())

    assert main(mine(tmp_path, "--case", PLAIN, "--json", str(path))) == 2

    said = capsys.readouterr()
    assert "Mine 1.0: " in said.out
    kept = Path(said.err.strip().rpartition("the run is kept in ")[2])
    assert read_run(kept).results[0].tool == "mine"


def test_a_folder_is_no_place_for_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(mine(tmp_path, "--case", PLAIN, "--json", str(tmp_path))) == 2

    said = capsys.readouterr()
    assert "Is a directory" in said.err
    assert said.out == ""


def test_what_failed_is_told_before_what_passed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(
        mine(tmp_path, "--case", PLAIN, "--case", "installer/names/*", "--json", str(tmp_path / "run.json"))
    )

    assert code == 1
    assert "Mine 1.0: " in (last := capsys.readouterr().out.splitlines()[-1])
    assert last.index("failed MUST") < last.index("unsupported")


def test_cases_are_listed_by_their_ids_as_rules_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cases", "installer/unpack/pure"]) == 0
    assert "1 cases: 1 installer" in capsys.readouterr().out
    assert main(["rules", "RECORD.FILE.*"]) == 0
    assert main(["rules", "RECORD.FILE.*", "--json"]) == 0
    assert main(["rules", "nothing*"]) == 2
    assert "RECORD" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Expecting property name"),
        ("[]", "it is no object"),
        ("{}", "'results' is missing"),
        ('{"results": [], "tools": {"x": {"title": "X"}}}', "'version' is missing"),
    ],
)
def test_what_is_no_run_is_named_with_the_reason(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.json").write_text(text)

    assert main(["report", str(tmp_path / "run.json"), "--out", str(tmp_path / "site")]) == 2

    wrong = capsys.readouterr().err
    assert f"{tmp_path / 'run.json'}: no run that suite" in wrong
    assert said in wrong
    assert not (tmp_path / "site").exists()


def test_a_run_of_cases_that_are_gone_is_shown_without_them_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.json"
    main(mine(tmp_path, "--case", PLAIN, "--json", str(path)))
    run = json.loads(path.read_text(encoding="utf-8"))
    run["results"].append({**run["results"][0], "case": "installer/unpack/of-old"})
    path.write_text(json.dumps(run), encoding="utf-8")

    assert main(["report", str(path), "--out", str(tmp_path / "site")]) == 0

    assert "1 results are of cases that this suite does not have" in capsys.readouterr().err
    assert "1 results are of cases" in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")


def test_a_place_that_cannot_be_written_is_named_before_anything_is_played(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")

    assert main(mine(tmp_path, "--case", PLAIN, "--json", str(tmp_path / "file" / "run.json"))) == 2

    said = capsys.readouterr()
    assert "file/run.json: cannot be written" in said.err
    assert said.out == ""


def test_a_report_that_cannot_be_written_leaves_what_was_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    run, site = str(tmp_path / "run.json"), tmp_path / "site"
    main(mine(tmp_path, "--case", PLAIN, "--json", run))
    assert main(["report", run, "--out", str(tmp_path / "file")]) == 2
    assert "is no folder" in capsys.readouterr().err
    assert main(["report", run, "--out", str(site)]) == 0
    before = (site / "index.html").read_bytes()
    (tmp_path / "site.partial").write_text("in the way")

    assert main(["report", run, "--out", str(site)]) == 2

    assert "site: cannot be written" in capsys.readouterr().err
    assert (site / "index.html").read_bytes() == before
    assert (tmp_path / "file").read_text() == "mine"


def test_a_tool_that_no_index_has_is_never_looked_for_on_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prepare", "--tools", str(tmp_path / "tools"), "accord"]) == 2

    assert "say --use accord=ENVIRONMENT" in capsys.readouterr().err
    assert not (tmp_path / "tools").exists()


def test_a_reader_that_goes_away_is_no_fault() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "accord_conformance", "cases"],
        env={**os.environ, "PYTHONPATH": str(DATA.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()

    wrong = process.stderr.read()
    process.stderr.close()

    assert (process.wait(), wrong) == (0, b"")
