"""The command protocol: one request, one answer.

A request names a verb of a role with its arguments; an answer is one of

done         the tool did it; ``value`` is what it said, where the verb asks for a value
refused      the tool would not, in its own way (``untidy``: with a traceback)
hung         no answer within the time limit
unsupported  the tool has no such function: nothing is said about the standard

Two kinds of player give answers: *commands* (argument lists from an adapter's TOML, one process a request, refused is any exit
code but 0) and *programs* (a process of the adapter's that reads requests and writes answers, a JSON object a line; ``speak.py`` is the
few lines such a program needs).  What a tool writes is untrusted: time and length have limits.
"""

from __future__ import annotations

import json
import os
import re
import selectors
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

from accord_conformance.errors import SuiteError
from accord_conformance.leftovers import remove
from accord_conformance.processes import LIMITS, Limits, end, run, start

__all__ = ["Answer", "Commands", "Player", "Program", "Request", "fill"]

OUTCOMES = ("done", "refused", "hung", "unsupported")


@dataclass(frozen=True, slots=True)
class Request:
    """A verb of a role; ``values`` are its arguments and what the scene offers: strings, lists of strings, other JSON."""

    do: str
    values: Mapping[str, Any]
    folder: Path  # where it is to be run
    environment: Mapping[str, str]  # the whole of it


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request."""

    outcome: str  # of OUTCOMES
    value: Any = None
    message: str = ""
    untidy: bool = False
    commands: tuple[tuple[str, ...], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


class Player(Protocol):
    """What plays a tool in one role: asked any number of times, closed once."""

    def ask(self, request: Request) -> Answer:
        """The tool's answer; SuiteError only for a fault of the adapter itself."""

    def close(self) -> None:
        """Ends what the player started."""


def fill(template: Sequence[Any], values: Mapping[str, Any]) -> list[str]:
    """The argument list of a template: ``{name}`` is replaced, ``{name...}`` alone is a list's items, a list inside is left out
    whole when one of its names is missing or empty.

    SuiteError for a name nobody offers.
    """
    arguments: list[str] = []
    for part in template:
        if isinstance(part, list):
            names = [name for each in part for name in _NAME.findall(each)]
            if all(values.get(name.removesuffix("...")) for name in names):
                arguments += fill(part, values)
            continue
        spread = _SPREAD.fullmatch(part)
        if spread:
            arguments += [str(item) for item in _value(spread[1], values)]
        else:
            arguments.append(_NAME.sub(lambda found: str(_value(found[1], values)), part))
    return arguments


_NAME = re.compile(r"\{([a-z_]+(?:\.\.\.)?)\}")
_SPREAD = re.compile(r"\{([a-z_]+)\.\.\.\}")


def _value(name: str, values: Mapping[str, Any]) -> Any:
    if name not in values:
        raise SuiteError("adapter", f"nothing offers {{{name}}}; there is {', '.join(sorted(values))}")
    return values[name]


class Commands:
    """A tool played by commands: for each verb the argument lists that are run one after the other."""

    def __init__(
        self,
        verbs: Mapping[str, Sequence[Sequence[Any]]],
        values: Mapping[str, Any],
        environment: Mapping[str, str],
        results: Mapping[str, Mapping[str, str]],
        unsupported: str,
        limits: Limits = LIMITS,
    ) -> None:
        self._verbs = verbs
        self._values = values
        self._environment = environment
        self._results = results
        self._unsupported = re.compile(unsupported) if unsupported else None
        self._limits = limits

    def knows(self, verb: str) -> bool:
        """Whether there is a command for ``verb``."""
        return verb in self._verbs

    def ask(self, request: Request) -> Answer:
        if not self.knows(request.do):
            return Answer("unsupported", message=f"the adapter has no command for {request.do}")
        values = {**request.values, **self._values}
        environment = dict(request.environment)
        for name, text in self._environment.items():
            environment[name] = fill([text], {**values, **_variables(environment)})[0]
        argument_lists = [fill(template, values) for template in self._verbs[request.do]]
        said = b""
        for arguments in argument_lists:
            code, said, wrong = run(arguments, request.folder, environment, self._limits)
            commands = tuple(map(tuple, argument_lists))
            message = _tail(wrong + said, self._limits)
            if code is None:
                return Answer("hung", message=message, commands=commands)
            if code != 0:
                if self._unsupported and self._unsupported.search(message):
                    return Answer("unsupported", message=message, commands=commands)
                untidy = code < 0 or "Traceback (most recent call last)" in message
                return Answer("refused", None, message, untidy, commands)
        value = _result(self._results.get(request.do, {}), said, request.folder)
        return Answer("done", value, message, False, commands)

    def close(self) -> None:
        """Nothing stays."""


def _variables(environment: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): text for name, text in environment.items()}


def _result(wanted: Mapping[str, str], said: bytes, folder: Path) -> Any:
    """The value a verb gives: of ``file``, or of the standard output, read ``as`` json, text or lines."""
    if not wanted:
        return None
    if "file" in wanted:
        path = folder / wanted["file"]
        if not path.is_file():
            return None
        said = path.read_bytes()
    text = said.decode("utf-8", "replace")
    form = wanted.get("as", "text")
    if form == "json":
        try:
            return json.loads(text)
        except ValueError:
            return None
    return text.splitlines() if form == "lines" else text.strip()


class Program:
    """A tool played by a program that reads requests and writes answers, a JSON object a line."""

    def __init__(
        self,
        arguments: Sequence[str],
        values: Mapping[str, Any],
        environment: Mapping[str, str],
        limits: Limits = LIMITS,
    ) -> None:
        self._arguments = list(arguments)
        self._values = dict(values)
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._limits = limits
        self._folder: Path | None = None  # the program's home, with nothing of the person's in it
        self._answers = False  # whether it ever did

    def ask(self, request: Request) -> Answer:
        answer = self._ask(request)
        if answer is None and not self._answers:
            # A program that does not even say what it lacks is broken; that it ends says nothing of the tool then.
            lacking = self._ask(Request("no-such-verb", {}, request.folder, request.environment))
            if lacking is None:
                raise SuiteError(
                    "adapter", f"{' '.join(self._arguments)}: it ends before it answers anything"
                )
        self._answers = True
        return answer or Answer("refused", message="the program ended", untidy=True)

    def _ask(self, request: Request) -> Answer | None:
        """The answer; None from a program that ended."""
        process = self._process or self._start()
        asked = {
            "do": request.do,
            "with": {**request.values, **self._values},
            "folder": str(request.folder),
            "environment": dict(request.environment),
        }
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            self.close()
            return None
        line = self._line(process.stdout)
        if line is None:
            self.close()
            return Answer("hung")
        if not line:
            self.close()
            return None
        return _read_answer(line, self._limits)

    def _start(self) -> subprocess.Popen[bytes]:
        self._folder = Path(tempfile.mkdtemp(prefix="conformance-program-"))
        own = {"HOME": str(self._folder), "TMPDIR": str(self._folder), **self._environment}
        self._process = start(self._arguments, own, stdin=subprocess.PIPE)
        return self._process

    def _line(self, stream: IO[bytes]) -> bytes | None:
        """One line; None when it does not come in time, b"" when the program is gone."""
        ends = time.monotonic() + self._limits.seconds
        found = b""
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            while not found.endswith(b"\n"):
                if len(found) > self._limits.output_bytes or not selector.select(ends - time.monotonic()):
                    return None
                block = os.read(stream.fileno(), 65536)
                if not block:
                    return b""
                found += block
        return found

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            end(process)
        folder, self._folder = self._folder, None
        if folder is not None:
            remove(folder)


def _read_answer(line: bytes, limits: Limits) -> Answer:
    try:
        said = json.loads(line)
        outcome = said["outcome"]
    except (ValueError, KeyError, TypeError) as error:
        raise SuiteError("adapter", f"a program wrote no answer: {line[:200]!r}") from error
    if outcome not in OUTCOMES:
        raise SuiteError("adapter", f"a program wrote the outcome {outcome!r}")
    return Answer(
        outcome,
        said.get("value"),
        str(said.get("message", ""))[: limits.message_characters],
        bool(said.get("untidy", False)),
        tuple(tuple(map(str, each)) for each in said.get("commands", ())),
    )


def _tail(said: bytes, limits: Limits) -> str:
    text = said.decode("utf-8", "replace").strip()
    if len(text) <= limits.message_characters:
        return text
    return "[...] " + text[-limits.message_characters :]
