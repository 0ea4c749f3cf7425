"""Project names: their normal form and their grammar.

This room is **hot** (see the architecture page): it imports nothing, because every command pays for it.  Names
are normalised once, where they enter, and are plain ``str`` after that.
"""

from __future__ import annotations

__all__ = ["normalise", "valid"]

_WORD = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_INNER = _WORD | frozenset("._-")


def normalise(name: str) -> str:
    """The normal form of a project or extra name (PEP 503 "Normalized names", PEP 685): ``Foo__Bar`` → ``foo-bar``."""
    value = name.lower().replace("_", "-").replace(".", "-")
    while "--" in value:
        value = value.replace("--", "-")
    return value


def valid(name: str) -> bool:
    """Whether ``name`` is a name the core metadata specification allows ("Name"); any spelling, not only the normal."""
    if not name.isascii():
        return False  # "İ".lower() starts with an ASCII letter, which the grammar does not mean
    lowered = name.lower()
    return bool(lowered) and lowered[0] in _WORD and lowered[-1] in _WORD and _INNER.issuperset(lowered)
