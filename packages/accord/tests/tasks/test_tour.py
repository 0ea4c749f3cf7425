"""The tour's own rules; the steps themselves are tested command by command, and walked in `make tour`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from accord.tasks.tour import Packages, find_example, find_packages, take_tour
from accord.tasks.tour_index import served
from accord.tasks.tour_steps import LIMITS, Limits, Step, Walk
from accord_core.errors import AccordError, UsageError


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


def test_what_is_left_out_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what follows the steps of the first part is looked at."""
    monkeypatch.setattr("accord.tasks.tour._use", lambda walk: None)
    project = tmp_path / "project"
    project.mkdir()
    said: list[Step] = []
    (tmp_path / "alone").mkdir()
    [step] = take_tour(str(project), str(tmp_path / "alone"), tell=said.append)
    assert (step.words.partition(" are shown")[0], step.command) == (
        "building a package and an index of one's own",
        "",
    )
    monkeypatch.setenv("CC", "no-such-compiler")
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "without").mkdir()
    packages = Packages(str(project), str(project), (), "lock.txt")
    [step] = take_tour(str(project), str(tmp_path / "without"), packages=packages, tell=said.append)
    assert step.words.endswith("there is no C compiler")
    assert len(said) == 2


def test_the_lock_of_the_tour_is_the_one_of_this_python(tmp_path: Path) -> None:
    (tmp_path / "examples" / "fast-count").mkdir(parents=True)
    (tmp_path / "examples" / "fast-count" / "pyproject.toml").write_text("")
    found = find_packages(str(tmp_path))
    assert found is not None
    assert found.lock == "", "a Python without one gets a sentence instead"
    (tmp_path / "requirements").mkdir()
    lock = tmp_path / "requirements" / f"tour-{sys.version_info[0]}.{sys.version_info[1]}.txt"
    lock.write_text("")
    found = find_packages(str(tmp_path))
    assert found is not None
    assert found.lock == str(lock)
    assert find_packages("/") is None


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

    def start(walk: object, command: object, environ: object) -> subprocess.Popen[str]:
        script = f"trap '{trap}' TERM; echo on; while :; do sleep 0.05; done"
        process = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        started.append(process)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        return process

    monkeypatch.setattr("accord.tasks.tour_steps.Walk._started", start)
    example, scratch = tmp_path / "example", tmp_path / "scratch"
    example.mkdir()
    scratch.mkdir()
    (example / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    with pytest.raises(KeyboardInterrupt):
        take_tour(str(example), str(scratch), tell=print, limits=Limits(answer=30 if heeds else 0.5))
    assert [process.wait(5) for process in started] == [7 if heeds else -9]


@pytest.fixture
def beside(tmp_path: Path) -> Walk:
    """A walk where the environment of the index is the one the tests run in."""
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "bin").symlink_to(Path(sys.executable).parent)
    (tmp_path / "project").mkdir()
    return Walk(str(tmp_path / "project"), lambda step: None, Limits(answer=20.0))


@pytest.mark.slow
def test_the_index_of_the_tour_ends_with_it_whatever_ends_it(beside: Walk) -> None:
    with pytest.raises(KeyboardInterrupt), served(beside) as (url, token):
        urllib.request.urlopen(f"{url}/simple/", timeout=10).close()
        raise KeyboardInterrupt
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{url}/simple/", timeout=10)
    [step] = beside.steps
    assert token not in step.output
    assert f"{token[:12]}...   (the administrator's" in step.output


def test_an_index_that_does_not_start_ends_the_tour_with_its_words(beside: Walk, tmp_path: Path) -> None:
    (tmp_path / "index" / "bin").unlink()
    (tmp_path / "index" / "bin").mkdir()
    program = tmp_path / "index" / "bin" / "accord"
    program.write_text("#!/bin/sh\necho first\necho no disk >&2\n")
    program.chmod(0o755)
    with pytest.raises(AccordError) as caught, served(beside):
        pass
    assert caught.value.code == "tour-failed"
    assert caught.value.context == ("first", "no disk")
