"""Every outside number of a migration, in one place."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what a strange project may make a migration read or do: bytes, counts and seconds.

    ``steps``, ``depth`` and ``reading_seconds`` bound the reading of a ``setup.py`` without running it, ``pattern_length`` and
    ``searched_bytes`` and
    ``search_seconds`` the regular expressions in it; ``recording_*`` bound the run of one that must be run.
    ``nested`` bounds descriptions that name others of their kind (``Recurse`` of Bento, ``extends`` and ``${part:eggs}`` of
    buildout), ``recorded`` the releases of old locks that are held against an index, one page each.
    """

    file_bytes: int = 4 << 20
    lock_bytes: int = 64 << 20
    tree_files: int = 50_000
    steps: int = 200_000
    reading_seconds: float = 20.0
    depth: int = 40
    items: int = 20_000
    text_length: int = 8 << 20
    pattern_length: int = 500
    search_seconds: float = 2.0
    searched_bytes: int = 1 << 18
    nested: int = 40
    recorded: int = 10_000
    recording_seconds: float = 60.0
    recording_bytes: int = 16 << 20


DEFAULT = Limits()
