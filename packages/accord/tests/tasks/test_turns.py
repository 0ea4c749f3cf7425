"""Whoever shares a project's folder takes turns, wherever their caches are."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from accord.io.locks import FileLock
from accord.io.reporting import SILENT
from accord.tasks import turns
from accord.tasks.turns import Turn
from accord_core.errors import InstallError

HOLD = """
import sys
from accord.io.reporting import SILENT
from accord.tasks.turns import Turn
with Turn(sys.argv[1], sys.argv[2], SILENT):
    print("mine", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def holder(project: Path, cache: Path | str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(project), str(cache)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "mine\n"
    return process


@pytest.mark.parametrize("mode", [0o755, 0o555])
@pytest.mark.parametrize("other", ["one", "other", "/proc/nothing/cache"])
def test_one_at_a_time_whatever_the_cache(project: Path, tmp_path: Path, other: str, mode: int) -> None:
    project.chmod(mode)
    there = {"ACCORD_LOCK_TIMEOUT": "0.1"}
    with holder(project, tmp_path / "one"):
        with pytest.raises(InstallError) as caught, Turn(str(project), str(tmp_path / other), SILENT, there):
            pass
        assert caught.value.code == "locked"
        assert ("unknown" in caught.value.context[0]) == (other != "one")
        with pytest.raises(InstallError), Turn(f"{project}/../project", str(tmp_path), SILENT, there):
            pass
    with Turn(str(project), str(tmp_path / other), SILENT, there):
        assert os.listdir(project) == []


def test_a_turn_is_waited_for_and_kept_by_tasks_inside(project: Path, tmp_path: Path) -> None:
    process = holder(project, tmp_path / "one")
    assert process.stdin is not None
    began = time.monotonic()
    killer = subprocess.Popen(["sh", "-c", f"sleep 0.3; kill -9 {process.pid}"])
    with (
        Turn(str(project), str(tmp_path / "other"), SILENT),
        Turn(str(project), str(tmp_path / "other"), SILENT),
    ):
        assert time.monotonic() - began > 0.2
    killer.wait()
    process.communicate()


def test_where_folders_cannot_be_locked_the_cache_has_to_do(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OnlyFiles(FileLock):
        def __enter__(self) -> FileLock:
            if self._note is not None:
                raise OSError(9, "Bad file descriptor")
            return super().__enter__()

    monkeypatch.setattr(turns, "FileLock", OnlyFiles)
    with Turn(str(project), str(tmp_path / "one"), SILENT) as turn:
        assert turn._lock is not None
    with Turn(str(project), "/proc/nothing/cache", SILENT) as turn:
        assert turn._lock is None


def test_what_a_killed_command_left_in_the_folder_is_removed(project: Path, tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    stale = [f"pyproject.toml.{dead.pid:x}-0badcafe.new", f"pylock.toml.{dead.pid:x}-12345678.new"]
    kept = [
        f"pyproject.toml.{os.getpid():x}-0badcafe.new",  # somebody is writing it
        f"mine.toml.{dead.pid:x}-0badcafe.new",
        "pyproject.toml.new",
        "pyproject.toml.zz-top.new",
    ]
    for name in stale + kept:
        (project / name).touch()
    with Turn(str(project), str(tmp_path / "one"), SILENT):
        pass
    assert sorted(os.listdir(project)) == sorted(kept)
