"""The tour's own rules; the steps themselves are tested command by command, and walked in `make tour`."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from accord.tasks.tour import LIMITS, Limits, Step, find_example, take_tour
from accord_core.errors import AccordError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_example_is_the_one_of_the_checkout(tmp_path: Path) -> None:
    example = tmp_path / "examples" / "notes-web"
    example.mkdir(parents=True)
    (example / "pyproject.toml").write_text("")
    below = tmp_path / "packages" / "x"
    below.mkdir(parents=True)
    assert find_example(None, str(below)) == str(example)
    assert find_example(str(example), "/") == str(example)


def test_without_a_checkout_a_project_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find_example(None, str(tmp_path))
    assert caught.value.code == "no-example"
    with pytest.raises(UsageError) as caught:
        find_example(str(tmp_path), "/")
    assert caught.value.code == "no-project"


def test_a_step_that_fails_ends_the_tour_with_its_output(tmp_path: Path) -> None:
    example = tmp_path / "example"
    example.mkdir()
    (example / "pyproject.toml").write_text("[project]\nname = 'x'\ndependencies = 3\n")
    (example / ".venv").mkdir()
    (tmp_path / "scratch").mkdir()
    steps: list[Step] = []
    with pytest.raises(AccordError) as caught:
        take_tour(str(example), str(tmp_path / "scratch"), tell=steps.append, limits=LIMITS)
    assert caught.value.code == "tour-failed"
    assert any("dependencies" in line for line in caught.value.context)
    assert steps == []
    assert not (tmp_path / "scratch" / "example" / ".venv").exists()


@pytest.mark.parametrize("heeds", [True, False], ids=["politely", "or not"])
def test_an_interrupt_ends_the_step_that_is_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, heeds: bool
) -> None:
    """Asked first, because a step has builds of its own to end; killed when it does not listen."""
    started: list[subprocess.Popen[str]] = []
    trap = "exit 7" if heeds else ""

    def start(tour: object, command: object) -> subprocess.Popen[str]:
        script = f"trap '{trap}' TERM; echo on; while :; do sleep 0.05; done"
        process = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        started.append(process)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        return process

    monkeypatch.setattr("accord.tasks.tour._Tour._started", start)
    example, scratch = tmp_path / "example", tmp_path / "scratch"
    example.mkdir()
    scratch.mkdir()
    (example / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    with pytest.raises(KeyboardInterrupt):
        take_tour(str(example), str(scratch), tell=print, limits=Limits(answer=0.5))
    assert [process.wait(5) for process in started] == [7 if heeds else -9]
