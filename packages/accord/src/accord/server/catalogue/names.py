"""Names of projects: which may be used, and which look like each other."""

from __future__ import annotations

__all__ = ["look_alike"]

_SAME = str.maketrans({"1": "l", "i": "l", "0": "o"})


def look_alike(name: str) -> str:
    """What names that look the same have in common: no separators, ``1``, ``i``, ``l`` one letter, ``0`` and ``o`` too.

    The public index compares names in the same way ("ultranormalize").
    """
    return name.replace("-", "").translate(_SAME)
