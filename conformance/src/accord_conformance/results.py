"""A run as a document: what was asked of which tools, and what came of it.

JSON, one object: ``suite``, ``when`` (UTC), ``python``, ``platform``, ``standards`` (id: date of the text read), ``tools`` (name: version, title, packages, use), ``results``
(list of Played).  Kept runs are the history: ``compare`` says what changed between two.  A name that ends in ``.xz`` is that of a compressed one, one that ends
in ``.played`` that of a run that has not ended (``journal``).
"""

from __future__ import annotations

import json
import lzma
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from accord_conformance import __version__
from accord_conformance.errors import SuiteError
from accord_conformance.judging import VERDICTS, Finding
from accord_conformance.tools import Tool

__all__ = [
    "UNENDED",
    "Played",
    "Run",
    "StepPlayed",
    "compare",
    "joined",
    "make_sure_of_place",
    "read_run",
    "verdicts",
    "write_run",
]

UNENDED = ".played"
_MOST_BYTES = 1 << 30  # of a run's document: a whole one is about 15 MB


@dataclass(frozen=True, slots=True)
class StepPlayed:
    """One request as it went."""

    do: str
    outcome: str
    value: Any
    message: str
    untidy: bool
    commands: tuple[tuple[str, ...], ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Played:
    """One case with one tool."""

    case: str
    tool: str
    verdict: str  # of judging.VERDICTS
    steps: tuple[StepPlayed, ...]
    seconds: float
    error: str = ""  # of verdict error: what is wrong with the suite or the adapter


@dataclass(frozen=True, slots=True)
class Run:
    """All that was played at one time."""

    when: str
    python: str
    platform: str
    tools: Mapping[
        str, Mapping[str, Any]
    ]  # name: version, title, packages; use, of one that was named with --use
    results: tuple[Played, ...]

    @classmethod
    def of(cls, tools: Iterable[Tool], results: Iterable[Played]) -> Run:
        """The run that ends now."""
        return cls(
            datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            platform.python_version(),
            f"{platform.system()} {platform.machine()}",
            {
                tool.adapter.name: {
                    "title": tool.adapter.title,
                    "version": tool.version,
                    "packages": dict(tool.packages),
                    **({"use": tool.use} if tool.use else {}),
                }
                for tool in tools
            },
            tuple(sorted(results, key=lambda played: (played.case, played.tool))),
        )


def joined(old: Run, new: Run) -> Run:
    """Both as one: what was played again, and the tools it was played with, as in ``new``."""
    again = {(played.case, played.tool) for played in new.results}
    kept = (played for played in old.results if (played.case, played.tool) not in again)
    results = sorted((*kept, *new.results), key=lambda played: (played.case, played.tool))
    return Run(new.when, new.python, new.platform, {**old.tools, **new.tools}, tuple(results))


def verdicts(run: Run) -> Run:
    """The run without what tools did and said: enough to compare with, a hundredth of the size."""
    return replace(run, results=tuple(replace(played, steps=()) for played in run.results))


def write_run(run: Run, path: Path) -> None:
    """Writes the run; a reader never sees half of it."""
    text = json.dumps({"suite": __version__, **asdict(run)}, indent=1, ensure_ascii=False, sort_keys=True)
    data = f"{text}\n".encode("utf-8", "replace")  # what a tool wrote need not be text
    with _place_for(path) as partial:
        partial.write_bytes(lzma.compress(data) if path.suffix == ".xz" else data)
        partial.replace(path)


def make_sure_of_place(path: Path) -> None:
    """SuiteError when nothing can be written to ``path``: better said before a run of an hour than after it."""
    if path.is_dir():
        raise SuiteError(str(path), "cannot be written: Is a directory")
    with _place_for(path) as partial:
        partial.touch()


@contextmanager
def _place_for(path: Path) -> Iterator[Path]:
    """A file beside ``path`` that becomes it or goes again."""
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
        finally:
            partial.unlink(missing_ok=True)  # what is left of one that did not fit
    except OSError as error:
        raise SuiteError(str(path), f"cannot be written: {error.strerror or error}") from error


def read_run(path: Path) -> Run:
    """A run that was written; SuiteError for a document that is none."""
    try:
        text = _document(path)
        found = _unended(text) if path.suffix == UNENDED else json.loads(text)
        if not isinstance(found, dict):
            raise TypeError("it is no object")
        results = tuple(_played(each) for each in found["results"])
        tools = {
            name: {**facts, **{word: facts[word] for word in ("title", "version", "packages")}}
            for name, facts in found["tools"].items()
        }
        strange = {each.tool for each in results} - set(tools)
        if strange:
            raise ValueError(f"it does not say what {', '.join(sorted(strange))} is")
        return Run(found["when"], found["python"], found["platform"], tools, results)
    except OSError as error:
        raise SuiteError(str(path), error.strerror or str(error)) from error
    except KeyError as error:
        raise SuiteError(
            str(path), f"no run that suite {__version__} can read: {error} is missing"
        ) from error
    except (ValueError, TypeError, AttributeError, EOFError, lzma.LZMAError) as error:
        raise SuiteError(str(path), f"no run that suite {__version__} can read: {error}") from error


def _document(path: Path) -> str:
    with lzma.open(path) if path.suffix == ".xz" else path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
    return data.decode("utf-8")


def _unended(text: str) -> dict[str, Any]:
    """The run of a journal, in the order of a run that has ended; a line that was begun when all was over is left out."""
    lines = [json.loads(line) for line in text.split("\n")[:-1]]
    if not lines:
        raise ValueError("it is empty")
    latest = {(each["case"], each["tool"]): each for each in lines[1:]}
    return {**lines[0], "results": [latest[key] for key in sorted(latest)]}


def _played(values: Mapping[str, Any]) -> Played:
    if values["verdict"] not in VERDICTS:
        raise ValueError(values["verdict"])
    steps = tuple(
        StepPlayed(
            step["do"],
            step["outcome"],
            step["value"],
            step["message"],
            step["untidy"],
            tuple(map(tuple, step["commands"])),
            tuple(Finding(**finding) for finding in step["findings"]),
        )
        for step in values["steps"]
    )
    return Played(
        values["case"], values["tool"], values["verdict"], steps, values["seconds"], values["error"]
    )


def compare(before: Run, after: Run) -> Sequence[tuple[Played | None, Played]]:
    """What is new or has another verdict in ``after``: (before, after)."""
    old = {(played.case, played.tool): played for played in before.results}
    pairs = [(old.get((played.case, played.tool)), played) for played in after.results]
    return [(was, now) for was, now in pairs if was is None or was.verdict != now.verdict]
