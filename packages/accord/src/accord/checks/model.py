"""What a check is and what it says: values that pass from the checks to whoever shows them.

A check is a function that reads a subject and yields findings; its docstring is what the reference says about it.
The table of all of them is :mod:`accord.checks.table`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accord_core.errors import Where
    from accord_core.project.positions import KeyPath

__all__ = [
    "ADVICE",
    "ERROR",
    "KINDS",
    "WARNING",
    "Check",
    "Edit",
    "Finding",
    "Found",
    "Register",
    "Skipped",
    "listed",
]

ERROR = "error"  # the index refuses it, an installer fails on it, or it gives a secret away
WARNING = "warning"  # a careful maintainer would put it right before publishing
ADVICE = "advice"  # worth a thought; there are good reasons for leaving it so
KINDS = ("project", "sdist", "wheel", "pair")  # a pair is an sdist and a wheel of one release


@dataclass(frozen=True, slots=True)
class Edit:
    """One safe change of ``pyproject.toml``: what :mod:`accord.checks.edits` can do without losing a comment.

    ``set`` puts ``value`` at ``at``; ``remove`` takes it away; ``rename`` calls the key ``value``;
    ``replace-item`` and ``remove-item`` change the array at ``at`` where it holds ``item``; ``add-item`` appends ``value``.
    """

    action: str
    at: KeyPath
    value: Any = None
    item: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check found: a sentence, its place as far as that is known, what to do, and how it can be fixed."""

    message: str
    where: Where
    hint: str | None = None
    edits: tuple[Edit, ...] = ()


if TYPE_CHECKING:
    Function = Callable[[Any], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the table.  ``needs`` names the modules of the extra without which it cannot be run; ``concerns`` says
    of a subject whether there is anything for it to look at, so that what is not needed is not missed."""

    code: str
    title: str
    severity: str
    kinds: tuple[str, ...]
    fixable: bool
    needs: tuple[str, ...]
    function: Function
    concerns: Callable[[Any], bool] | None = None

    @property
    def why(self) -> str:
        """The words of the reference: why it matters and what to do."""
        return self.function.__doc__ or ""

    @property
    def docs(self) -> str:
        return f"docs/reference/checks.md#{self.code}"


@dataclass(frozen=True, slots=True)
class Found:
    """A finding with the check it is of."""

    check: Check
    finding: Finding


@dataclass(frozen=True, slots=True)
class Skipped:
    """A check that could not be run, and why: ``needs`` is what has to be installed."""

    check: Check
    needs: tuple[str, ...]


class Register:
    """Collects the checks of one module, in the order they stand there."""

    def __init__(self) -> None:
        self.checks: list[Check] = []

    def __call__(
        self,
        code: str,
        title: str,
        severity: str,
        *kinds: str,
        fixable: bool = False,
        needs: tuple[str, ...] = (),
        concerns: Callable[[Any], bool] | None = None,
    ) -> Callable[[Function], Function]:
        def add(function: Function) -> Function:
            self.checks.append(Check(code, title, severity, kinds, fixable, needs, function, concerns))
            return function

        return add


def listed(names: Iterable[str], most: int = 5) -> str:
    """The first few of ``names`` and how many more there are."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more
