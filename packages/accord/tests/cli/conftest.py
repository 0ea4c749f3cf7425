"""Running the command line as a person does: in a process of its own, or in this one with its output caught."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from accord.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


@pytest.fixture
def accord(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Ran]:
    """``accord("pip", "list")`` in this process, in ``tmp_path``, with an environment of variables that says nothing."""
    for name in list(os.environ):
        if name.startswith(("ACCORD_", "UV_", "PIP_")) or name in ("VIRTUAL_ENV", "NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ACCORD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Ran:
        status = main(words)
        caught = capsys.readouterr()
        return Ran(status, caught.out, caught.err)

    return run


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The same in a process of its own, for signals, pipes and start-up."""

    def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "ACCORD_CACHE_DIR": str(tmp_path / "cache"), **more}
        return subprocess.run(
            [sys.executable, "-m", "accord", *words],
            capture_output=True,
            text=True,
            env=environ,
            cwd=tmp_path,
            check=False,
        )

    return run
