"""Deliberately wrong tools, to test the suite itself: an honest tool whose answers, or what it left behind, are damaged afterwards.

A *damage* gets the request and the honest answer, may change files below ``request.folder`` and ``request.values["env"]`` and the like, and gives the answer the
suite is to see.  A seeded fault is found when some case fails with it that passes without.
"""

from __future__ import annotations

import fnmatch
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from accord_conformance.adapters import player, read_adapters
from accord_conformance.cases import Case, read_cases
from accord_conformance.protocol import Answer, Player, Request
from accord_conformance.running import play_case
from accord_conformance.standards import read_standards
from accord_conformance.tools import Tool, Tools

__all__ = ["Damage", "Faulty", "agreeing", "cases_like", "every_case", "failures", "own_adapter", "tool_here"]

Damage = Callable[[Request, Answer], Answer]


class Faulty:
    """A player whose answers are damaged."""

    def __init__(self, honest: Player, damage: Damage) -> None:
        self._honest = honest
        self._damage = damage

    def ask(self, request: Request) -> Answer:
        return self._damage(request, self._honest.ask(request))

    def close(self) -> None:
        self._honest.close()


def own_adapter(folder: Path, install: str) -> Path:
    """Writes the adapter of a tool called mine, an installer whose commands (TOML) are ``install``."""
    path = folder / "mine.toml"
    path.write_text(
        f"""\
[tool]
name = "mine"
title = "Mine"
home = "https://mine.example/"
requires = []
version = ["echo", "1.0"]
[roles.installer]
install = {install}
""",
        encoding="utf-8",
    )
    return path


@cache
def tool_here(name: str) -> Tool:
    """The tool ``name`` as it is installed in the environment that runs this."""
    return Tools(read_adapters(), Path(), {name: Path(sys.prefix)}).prepare(name)


@cache
def every_case() -> tuple[Case, ...]:
    """All cases, read once."""
    return read_cases(read_standards())


def cases_like(pattern: str) -> list[Case]:
    """The cases whose id, or one of whose rules, the pattern names."""
    return [
        case
        for case in every_case()
        if fnmatch.fnmatchcase(case.id, pattern)
        or any(fnmatch.fnmatchcase(rule, pattern) for rule in case.rules)
    ]


# What came of a case with an honest tool, by the tool, whole, and the case: many faults are found by one case.
_honest: dict[tuple[str, str], str] = {}


def failures(tool: Tool, cases: Sequence[Case], damage: Damage | None = None) -> list[str]:
    """The ids of the cases, all of one role, that fail with the honest tool; with the damaged one the first that does."""
    honest = player(tool.adapter, cases[0].role, tool.bin)
    asked = honest if damage is None else Faulty(honest, damage)
    failed = []
    try:
        for case in cases:
            key = (repr(tool), case.id)
            if damage is not None:
                verdict = play_case(tool, case, asked).verdict
            else:
                verdict = _honest[key] = _honest.get(key) or play_case(tool, case, asked).verdict
            if verdict == "fail":
                failed.append(case.id)
                if damage is not None:
                    break
    finally:
        asked.close()
    return failed


def agreeing(request: Request, answer: Answer) -> Answer:
    """The damage of a tool that never refuses."""
    return replace(answer, outcome="done") if answer.outcome == "refused" else answer
