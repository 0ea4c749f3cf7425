"""The reporter of a run: bars where somebody watches, plain lines in a log, nobody under ``--quiet``.  Hot: bars, and
the threads they need, are loaded only where they may be drawn.
"""

from __future__ import annotations

from accord.io.reporting import SILENT, Silent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.io.reporting import Reporter

__all__ = ["Lines", "close", "reporter"]


def reporter(context: Context) -> Reporter:
    """The reporter for this run."""
    if context.quiet:
        return SILENT
    if context.json or context.no_progress or context.verbose or not context.stderr.isatty():
        return Lines(context)
    from accord.cli.progress import Bars

    return Bars(context)


def close(one: Reporter) -> None:
    """Take what ``one`` draws off the screen."""
    if not isinstance(one, Silent):
        one.close()  # type: ignore[attr-defined]  # what is not silent here is Bars


class Lines(Silent):
    """Warnings, and notes under ``--verbose``; no bars."""

    __slots__ = ("_context",)

    def __init__(self, context: Context) -> None:
        self._context = context

    def note(self, text: str) -> None:
        if self._context.verbose:
            self._context.complain(f"{self._context.paint_error('note', 'dim')}: {text}")

    def warn(self, text: str) -> None:
        self._context.warn(text)
