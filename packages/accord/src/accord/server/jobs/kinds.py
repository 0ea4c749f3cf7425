"""The kinds of work there are: filled as the rooms are imported, read afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accord.server.parts import Parts

__all__ = ["Kind", "known", "register"]

Work = Callable[["Parts", dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """``function(parts, arguments)`` does it; ``lease`` is for how many seconds one process has it to itself,
    ``attempts`` how often it is tried, ``every`` after how many seconds it is done again (``None``: when asked for)."""

    name: str
    function: Work
    lease: float = 600.0
    attempts: int = 8
    every: float | None = None


_KINDS: dict[str, Kind] = {}


def register(
    name: str, function: Work, *, lease: float = 600.0, attempts: int = 8, every: float | None = None
) -> Kind:
    """Say how a kind of work is done; saying the same again changes nothing."""
    kind = Kind(name, function, lease, attempts, every)
    assert _KINDS.setdefault(name, kind) == kind, f"there are two kinds of work called {name}"
    return kind


def known() -> dict[str, Kind]:
    return dict(_KINDS)
