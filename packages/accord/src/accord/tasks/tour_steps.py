"""How the tour takes a step: a command a person would type, in a process of its own, with its output and its time.

Knows nothing of what is shown.  A step that fails ends the tour, and so does one that does not end.
"""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accord.io.ports import free_port
from accord_core.errors import AccordError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["LIMITS", "Limits", "Step", "Walk", "end", "failed"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a server may take to answer and to end, and any one step to end (seconds)."""

    answer: float = 30.0
    step: float = 600.0


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Step:
    """One step that was taken: its words, the command (empty where there was none), what it said, its seconds."""

    words: str
    command: str
    output: str
    seconds: float


class Walk:
    """Takes steps in ``project``; ``tell`` hears of each as it ends."""

    def __init__(self, project: str, tell: Callable[[Step], None], limits: Limits) -> None:
        self.project = project
        self.limits = limits
        self.steps: list[Step] = []
        self._tell = tell

    def elsewhere(self, project: str) -> Walk:
        """The same walk, in another folder."""
        found = Walk(project, self._tell, self.limits)
        found.steps = self.steps
        return found

    def step(self, words: str, *command: str, environ: Mapping[str, str] | None = None) -> None:
        """One command of Accord's, by the Accord that shows the tour."""
        self.program(words, f"accord {' '.join(command)}", self._accord(command), environ)

    def program(
        self, words: str, shown: str, command: Sequence[str], environ: Mapping[str, str] | None = None
    ) -> None:
        """Any program: ``shown`` is what a person would type for it."""
        begun = time.monotonic()
        with self._started(command, environ) as process:
            try:
                output = process.communicate(timeout=self.limits.step)[0]
            except BaseException:
                end(process, self.limits.answer)
                raise
        if process.returncode:
            raise failed(shown, output)
        self.note(Step(words, shown, output.rstrip(), time.monotonic() - begun))

    def application(self, script: str) -> None:
        """Start the application, ask it for its page over HTTP, and stop it again."""
        port = free_port()
        command = ("run", "--frozen", script, "--port", str(port))
        begun = time.monotonic()
        with self._started(self._accord(command), None) as process:
            try:
                answer = self.ask(port, process)
                seconds = time.monotonic() - begun
            finally:
                output = end(process, self.limits.answer)
        if answer is None:
            raise failed(f"accord {' '.join(command)}", output)
        self.note(Step("run it, and ask it over HTTP", f"accord {' '.join(command)}", answer, seconds))

    def ask(self, port: int, process: subprocess.Popen[str]) -> str | None:
        """``GET /``: the status and the first words, or ``None`` if it never answered well."""
        until = time.monotonic() + self.limits.answer
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

    def note(self, step: Step) -> None:
        self.steps.append(step)
        self._tell(step)

    @staticmethod
    def _accord(command: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "accord", "--no-progress", *command]

    def _started(self, command: Sequence[str], environ: Mapping[str, str] | None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            cwd=self.project,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def end(process: subprocess.Popen[Any], patience: float) -> str:
    """What it said.  Not killed at once: it has builds, or a server, of its own to end."""
    process.terminate()
    try:
        output = process.communicate(timeout=patience)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        output = process.communicate()[0]
    return output or ""


def failed(command: str, output: str) -> AccordError:
    """``tour-failed``, with the last of what the command said."""
    return AccordError(
        "tour-failed",
        f"the tour ended at: {command}",
        context=tuple(output.rstrip().splitlines()[-20:]),
        hint="the lines above are what the command said",
    )
