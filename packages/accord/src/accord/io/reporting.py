"""What engines tell while they work: a silent reporter, and the protocol that progress bars implement.

Engines never print.  They are handed a :class:`Reporter` and tell it what starts, advances and ends; whether
anybody sees it is decided at the rim (``accord.cli.lines``).  Hot: imported by every command that works.
"""

from __future__ import annotations

__all__ = ["SILENT", "Reporter", "Silent"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Reporter(Protocol):
        """Told about work in progress.  All methods may be called from any thread and must not raise.

        ``start`` is called once per task and returns its number; ``advance`` any number of times with that
        number; ``finish`` once, also when the task failed.  ``total`` is in ``unit`` (``"B"`` for bytes, or a
        noun in the plural), ``None`` if not known.  ``note`` is for ``--verbose`` only; ``warn`` is always shown
        unless ``--quiet``.
        """

        def start(self, task: str, total: int | None, unit: str) -> int: ...
        def advance(self, number: int, amount: int) -> None: ...
        def finish(self, number: int) -> None: ...
        def note(self, text: str) -> None: ...
        def warn(self, text: str) -> None: ...

else:
    Reporter = object


class Silent:
    """A reporter that says nothing."""

    __slots__ = ()

    def start(self, task: str, total: int | None, unit: str) -> int:
        return 0

    def advance(self, number: int, amount: int) -> None:
        """Nothing to draw."""

    def finish(self, number: int) -> None:
        """Nothing to close."""

    def note(self, text: str) -> None:
        """Nobody listens."""

    def warn(self, text: str) -> None:
        """Nobody listens."""


SILENT: Reporter = Silent()
