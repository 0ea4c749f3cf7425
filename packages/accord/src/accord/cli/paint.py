"""Colour, where a person looks and wants it: never in a file, a pipe, or under ``NO_COLOR``.  Hot."""

from __future__ import annotations

__all__ = ["Paint", "wants_color"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def wants_color(stream: TextIO, environ: Mapping[str, str], *, refused: bool) -> bool:
    """Whether to colour: the flag, then ``NO_COLOR``, then ``FORCE_COLOR``, then whether it is a terminal
    (both variables count when set to anything but the empty string)."""
    if refused or environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return environ.get("TERM") != "dumb" and stream.isatty()


class Paint:
    """``paint("error", "red", "bold")``: the text in colour, or as it is."""

    __slots__ = ("on",)

    def __init__(self, on: bool) -> None:
        self.on = on

    def __call__(self, text: str, *styles: str) -> str:
        if not self.on or not text:
            return text
        return f"\x1b[{';'.join(CODES[style] for style in styles)}m{text}\x1b[0m"
