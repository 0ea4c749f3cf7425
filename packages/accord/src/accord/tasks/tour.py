"""The main job, done before a person's eyes on a copy of a small web application: lock, sync, run, ask, look, change,
undo.  Then the other one, on a copy of a small project with a module in C: build, install, run.

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
from typing import TYPE_CHECKING, Any

from accord.tasks.folders import upwards
from accord_core.errors import AccordError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["LIMITS", "Limits", "Packages", "Step", "find_example", "find_packages", "take_tour"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the application may take to answer, and any one step to end (seconds)."""

    answer: float = 30.0
    step: float = 600.0


LIMITS = Limits()
EXAMPLE = os.path.join("examples", "notes-web")
COMPILED = os.path.join("examples", "fast-count")
BACKEND = os.path.join("packages", "accord-backend")
LEFT_OUT = (".venv", "pylock.toml", "__pycache__", "build", "dist", "*.so")
ADDED = "humanize"


@dataclass(frozen=True, slots=True)
class Step:
    """One step that was taken: its words, the command (empty where there was none), what it said, its seconds."""

    words: str
    command: str
    output: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Packages:
    """What is built in the second part: the folder of a project with a module in C, and of the backend it asks for."""

    project: str
    backend: str


def find_packages(start: str) -> Packages | None:
    """Those of the checkout that ``start`` lies in, if there is one."""
    found = upwards(os.path.abspath(start), os.path.join(COMPILED, "pyproject.toml"))
    return None if found is None else Packages(os.path.join(found, COMPILED), os.path.join(found, BACKEND))


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
    example: str,
    scratch: str,
    *,
    packages: Packages | None = None,
    tell: Callable[[Step], None],
    limits: Limits = LIMITS,
) -> tuple[Step, ...]:
    """Show ``example``, and how ``packages`` are built, in ``scratch``, an empty folder; ``tell`` hears of each step as
    it ends.

    ``AccordError`` ``tour-failed`` with the output of the step that failed.
    """
    tour = _Tour(_copied(example, scratch), tell, limits)
    _use(tour)
    if packages is not None and not _compiler():
        tour.note(
            Step("a project with a module in C would be built here, but there is no C compiler", "", "", 0.0)
        )
    elif packages is not None:
        tour = _Tour(_copied(packages.project, scratch), tell, limits, tour.steps)
        _build(tour, packages.backend)
    return tuple(tour.steps)


def _use(tour: _Tour) -> None:
    scripts = _project_table(tour.project).get("scripts", {})
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


def _build(tour: _Tour, backend: str) -> None:
    name = next(iter(_project_table(tour.project)["scripts"]))
    wheels = os.path.join("..", "wheels")
    tour.step("the build backend, built by itself", "build", backend, "--wheel", "-o", wheels)
    words = "a project with a module in C: its sdist, and from that its wheel"
    tour.step(words, "build", "--find-links", wheels)
    tour.step("what an index and a careful maintainer would say", "check")
    tour.step("an environment for it", "venv")
    (wheel,) = (file for file in os.listdir(os.path.join(tour.project, "dist")) if file.endswith(".whl"))
    tour.step("install the wheel", "pip", "install", os.path.join("dist", wheel))
    tour.step("run it", "run", "--no-sync", name, "README.md")


def _compiler() -> str | None:
    return shutil.which(os.environ.get("CC", "").partition(" ")[0] or "cc") or shutil.which("gcc")


def _copied(project: str, scratch: str) -> str:
    copy = os.path.join(scratch, os.path.basename(project))
    shutil.copytree(project, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
    return copy


def _project_table(folder: str) -> dict[str, Any]:
    import tomllib

    with open(os.path.join(folder, "pyproject.toml"), "rb") as file:
        table: dict[str, Any] = tomllib.load(file)["project"]
    return table


class _Tour:
    """Takes steps in ``project``, after those that were taken before."""

    def __init__(
        self, project: str, tell: Callable[[Step], None], limits: Limits, before: Sequence[Step] = ()
    ) -> None:
        self.project = project
        self._tell = tell
        self._limits = limits
        self.steps: list[Step] = [*before]

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
        self.note(Step(words, f"accord {' '.join(command)}", output.rstrip(), time.monotonic() - begun))

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
        self.note(Step("run it, and ask it over HTTP", f"accord {' '.join(command)}", answer, seconds))

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
            cwd=self.project,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def note(self, step: Step) -> None:
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
