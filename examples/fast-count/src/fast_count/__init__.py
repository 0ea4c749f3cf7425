"""Lines, words, characters and bytes of text, counted in C.

>>> count("two words, one line\n".encode())
Count(lines=1, words=4, characters=20, bytes=20)
"""

from typing import NamedTuple

from fast_count._count import count as _count

__all__ = ["Count", "count"]


class Count(NamedTuple):
    """``lines`` are line feeds, ``words`` runs between ASCII white space, ``characters`` the code points of UTF-8."""

    lines: int
    words: int
    characters: int
    bytes: int


def count(data: bytes | bytearray | memoryview) -> Count:
    """Count bytes-like data, without a copy and without the GIL."""
    return Count(*_count(data))
