"""An index that takes no changes for a while: reading goes on, no block is open when the pause has begun."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from accord.cli.main import main
from accord.server import jobs
from accord.server.errors import Refused
from accord.server.jobs.runner import Runner
from accord.testing.loaded import fill, wheel
from accord.testing.serving import InProcess

JSON = "application/vnd.pypi.simple.v1+json"


def test_nothing_is_written_while_it_is_paused_and_everything_afterwards(index: InProcess) -> None:
    fill(index)
    index.parts.database.set_read_only("a copy is taken")
    refused = index.upload(*wheel("3.0"))
    assert (refused.status, refused.json()["code"]) == (503, "server-read-only")
    assert "a copy is taken" in refused.json()["detail"]
    assert refused.headers["retry-after"]
    assert len(index.get("/simple/spam/", accept=JSON).json()["files"]) == 4
    index.parts.database.set_read_only("")
    assert index.upload(*wheel("3.0")).status == 200


def test_a_paused_index_does_no_jobs_and_all_of_them_afterwards(index: InProcess) -> None:
    """They write, and delete what a copy that is being taken needs."""
    with index.parts.database.write("test") as writing:
        jobs.enqueue(writing, "fill-search")
    runner = Runner(index.parts)
    index.parts.database.set_read_only("a copy is taken")
    with pytest.raises(Refused, match="a copy is taken"):
        runner.one()
    index.parts.database.set_read_only("")
    assert runner.one()
    assert not runner.one()


def test_when_the_pause_has_begun_no_block_is_open_that_began_before(index: InProcess) -> None:
    database = index.parts.database
    inside, may_end, paused = threading.Event(), threading.Event(), threading.Event()

    def write() -> None:
        with database.write("slow") as writing:
            writing.changed(1, "test")
            inside.set()
            may_end.wait(10)

    def pause() -> None:
        database.set_read_only("now")
        paused.set()

    writer, operator = threading.Thread(target=write), threading.Thread(target=pause)
    before = database.serial()
    writer.start()
    inside.wait(10)
    operator.start()
    assert not paused.wait(0.5), "a block is open still"
    may_end.set()
    operator.join(10)
    assert paused.is_set()
    assert database.serial() == before + 1
    writer.join()


def accord(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    status = main(["--json", "index", *arguments])
    return status, json.loads(capsys.readouterr().out)


def test_operators_pause_and_resume_look_and_repair_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = str(tmp_path / "data")
    with InProcess.open(data) as index:
        fill(index)
        here = ("--data", data)
        assert accord(capsys, "pause", "--reason", "moving house", *here)[0] == 0
        assert "moving house" in index.upload(*wheel("3.0")).json()["detail"]
        assert accord(capsys, "resume", *here)[0] == 0
        assert index.upload(*wheel("3.0")).status == 200
        assert accord(capsys, "fsck", *here) == (0, {"faults": []})
        index.parts.storage.put_bytes("0" * 64, b"lost")
        status, found = accord(capsys, "fsck", "--grace", "0", *here)
        assert status == 1
        assert [one["code"] for one in found["faults"]] == ["blob-unknown"]  # type: ignore[attr-defined]
        assert accord(capsys, "fsck", "--grace", "0", "--repair", *here)[0] == 0
        assert accord(capsys, "fsck", "--grace", "0", *here) == (0, {"faults": []})
        status, written = accord(capsys, "export", str(tmp_path / "out"), *here)
        assert (status, written["blobs"]) == (0, 14)
        assert accord(capsys, "import", str(tmp_path / "out"), "--data", str(tmp_path / "new"))[0] == 0
        assert accord(capsys, "upgrade", *here) == (0, {"before": "1", "schema": "1"})
        assert main(["index", "fsck", "--data", str(tmp_path / "nothing")]) == 2
        assert "no-server-here" in capsys.readouterr().err
