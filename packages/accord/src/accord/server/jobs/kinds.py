"""The kinds of work there are: filled as the rooms are imported, read afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.parts import Parts

__all__ = ["Kind", "known", "register"]

Work = Callable[["Parts", dict[str, Any]], object]
Rows = Callable[["Connection"], Iterable[tuple[dict[str, Any], float]]]


@dataclass(frozen=True, slots=True)
class Kind:
    """``function(parts, arguments)`` does it; ``lease`` is after how many seconds without a sign of life of its process it is
    free again, ``attempts`` how often it is tried, ``every`` after how many seconds it is done again (``None``: when asked
    for), ``long`` whether it may take so long that nothing else should wait for it.

    Where ``every`` is not one number, ``rows`` says what is done again and again: arguments, and every how many seconds.
    """

    name: str
    function: Work
    lease: float = 600.0
    attempts: int = 8
    every: float | None = None
    long: bool = False
    rows: Rows | None = None


_KINDS: dict[str, Kind] = {}


def register(
    name: str,
    function: Work,
    *,
    lease: float = 600.0,
    attempts: int = 8,
    every: float | None = None,
    long: bool = False,
    rows: Rows | None = None,
) -> Kind:
    """Say how a kind of work is done; saying the same again changes nothing."""
    kind = Kind(name, function, lease, attempts, every, long, rows)
    assert _KINDS.setdefault(name, kind) == kind, f"there are two kinds of work called {name}"
    return kind


def known() -> dict[str, Kind]:
    return dict(_KINDS)
