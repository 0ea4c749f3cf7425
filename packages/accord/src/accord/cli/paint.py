"""Colour, where a person looks and wants it: never in a file, a pipe, or under ``NO_COLOR``.  Hot.

And the door through which text goes to a terminal.  Names, versions, reasons and messages come from indexes, archives
and arguments; a sign of theirs that would steer the terminal, or begin a line that looks like one of ours, is shown as
the escape it would have in a Python string.  Our own colours are told from theirs by a mark nobody else can know.
"""

from __future__ import annotations

import os

__all__ = ["Paint", "reveal", "wants_color"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

# Colours wear the mark until they are written; U+FDD0 is no character (Unicode standard, section 23.7).
_MARK = f"\ufdd0{os.urandom(8).hex()}\ufdd0["
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
        return f"{_MARK}{';'.join(CODES[style] for style in styles)}m{text}{_MARK}0m"


def reveal(text: str, *, lines: bool = False) -> str:
    """``text`` as it may be written to a terminal: control signs (C0 but the tab, DEL, C1), what turns the direction of
    writing, and what ends a line become escapes; with ``lines`` the plain end of a line stays."""
    if text.isprintable():
        return text
    found = text.translate(_escapes())
    if not lines:
        found = found.replace("\n", "\\n")
    return found.replace(_MARK, "\x1b[")


def _escapes() -> dict[int, str]:
    steering = [
        *range(0x20),
        *range(0x7F, 0xA0),
        0x061C,
        0x200E,
        0x200F,
        *range(0x2028, 0x202F),
        *range(0x2066, 0x206A),
    ]
    table = {sign: repr(chr(sign))[1:-1] for sign in steering}
    del table[0x09], table[0x0A]
    return table
