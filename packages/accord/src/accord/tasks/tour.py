"""The main job, done before a person's eyes on a copy of a small web application: lock, sync, run, ask, look, change,
undo.

Every step is the command a person would type, in a process of its own, with its time.  Nothing outside the scratch
folder and the cache is touched.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.tasks.folders import upwards
from accord_core.errors import AccordError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["LIMITS", "Limits", "Step", "find_example", "take_tour"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the application may take to answer, and any one step to end (seconds)."""

    answer: float = 30.0
    step: float = 600.0


LIMITS = Limits()
EXAMPLE = os.path.join("examples", "notes-web")
LEFT_OUT = (".venv", "pylock.toml", "__pycache__")
ADDED = "humanize"


@dataclass(frozen=True, slots=True)
class Step:
    """One step that was taken: its words, the command (empty for a question over HTTP), what it said, its seconds."""

    words: str
    command: str
    output: str
    seconds: float


def find_example(asked: str | None, start: str) -> str:
    """The project to show: the one asked for, else the example of the checkout that ``start`` lies in.

    ``UsageError`` ``no-example`` for an installation without a checkout around it.
    """
    if asked is not None:
        if not os.path.isfile(os.path.join(asked, "pyproject.toml")):
            raise UsageError(
                "no-project", f"{asked} has no pyproject.toml", hint="name the folder of a project"
            )
        return os.path.abspath(asked)
    found = upwards(os.path.abspath(start), os.path.join(EXAMPLE, "pyproject.toml"))
    if found is not None:
        return os.path.join(found, EXAMPLE)
    raise UsageError(
        "no-example",
        "the example of the tour is not installed with Accord",
        hint="run it in a checkout of Accord, or name a project: accord tour DIR",
    )


def take_tour(
    example: str, scratch: str, *, tell: Callable[[Step], None], limits: Limits = LIMITS
) -> tuple[Step, ...]:
    """Show ``example`` in ``scratch``, an empty folder; ``tell`` hears of each step as it ends.

    ``AccordError`` ``tour-failed`` with the output of the step that failed.
    """
    import tomllib

    project = os.path.join(scratch, os.path.basename(example))
    shutil.copytree(example, project, ignore=shutil.ignore_patterns(*LEFT_OUT))
    with open(os.path.join(project, "pyproject.toml"), "rb") as file:
        scripts = tomllib.load(file)["project"].get("scripts", {})
    tour = _Tour(project, tell, limits)
    tour.step("resolve what it asks for, and write the lock", "lock")
    tour.step("make its environment", "sync")
    tour.step("nothing to do: no network, no work", "sync")
    if scripts:
        tour.application(next(iter(scripts)))
    tour.step("what leads to what", "tree", "--depth", "2")
    tour.step("change a dependency", "add", ADDED)
    tour.step("why is it there", "why", ADDED)
    tour.step("take the change of the environment back", "undo")
    tour.step("what was done", "history")
    return tuple(tour.steps)


class _Tour:
    def __init__(self, project: str, tell: Callable[[Step], None], limits: Limits) -> None:
        self._project = project
        self._tell = tell
        self._limits = limits
        self.steps: list[Step] = []

    def step(self, words: str, *command: str) -> None:
        begun = time.monotonic()
        with self._started(command) as process:
            try:
                output = process.communicate(timeout=self._limits.step)[0]
            except BaseException:
                _end(process, self._limits.answer)
                raise
        if process.returncode:
            raise _failed(f"accord {' '.join(command)}", output)
        self._note(Step(words, f"accord {' '.join(command)}", output.rstrip(), time.monotonic() - begun))

    def application(self, script: str) -> None:
        """Start the application, ask it for its page over HTTP, and stop it again."""
        port = _free_port()
        command = ("run", "--frozen", script, "--port", str(port))
        begun = time.monotonic()
        with self._started(command) as process:
            try:
                answer = self._ask(port, process)
                seconds = time.monotonic() - begun
            finally:
                process.terminate()
                output = process.communicate(timeout=self._limits.answer)[0]
        if answer is None:
            raise _failed(f"accord {' '.join(command)}", output)
        self._note(Step("run it, and ask it over HTTP", f"accord {' '.join(command)}", answer, seconds))

    def _ask(self, port: int, process: subprocess.Popen[str]) -> str | None:
        """``GET /``: the status and the first words, or ``None`` if it never answered well."""
        import http.client

        until = time.monotonic() + self._limits.answer
        while time.monotonic() < until and process.poll() is None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            try:
                connection.request("GET", "/")
                response = connection.getresponse()
                body = response.read()
                if response.status < 400:
                    kind = response.headers.get_content_type()
                    return f"GET / -> {response.status} {response.reason}, {len(body)} bytes of {kind}"
                return None
            except OSError:
                time.sleep(0.05)
            finally:
                connection.close()
        return None

    def _started(self, command: Sequence[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "accord", "--no-progress", *command],
            cwd=self._project,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _note(self, step: Step) -> None:
        self.steps.append(step)
        self._tell(step)


def _end(process: subprocess.Popen[str], patience: float) -> None:
    """Not killed at once: it has builds of its own to end."""
    process.terminate()
    try:
        process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _failed(command: str, output: str) -> AccordError:
    return AccordError(
        "tour-failed",
        f"the tour ended at: {command}",
        context=tuple(output.rstrip().splitlines()[-20:]),
        hint="the lines above are what the command said",
    )
