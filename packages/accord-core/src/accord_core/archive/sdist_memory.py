"""An sdist in memory: what unpacking it would write, in one pass and without a disk.

For whoever reads a few files of many and keeps none.  The rules are those of :mod:`accord_core.archive.sdist`, whose reader
it is; only what the files are put into is another.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..errors import ArchiveError, Where
from .limits import DEFAULT
from .sdist import beside, extract_tar, several

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .limits import Limits

__all__ = ["read_whole"]

_CHAIN = 40  # links that lead to links, as many as Linux follows


def read_whole(
    path: str, most: int, limits: Limits = DEFAULT
) -> tuple[str, dict[str, tuple[bytes, bool]]] | None:
    """What :func:`extract` would write, in memory: the top folder's name, and of each file below it, by its path there,
    its bytes and whether it may be run; links are the files they lead to.  None where that is more than ``most`` bytes, or
    no tar.  Raises as :func:`extract`, which takes six times as long."""
    if path.endswith(".zip"):
        return None
    target = _Held(most)
    try:
        extract_tar(path, target, limits)
        return target.top(), target.below()
    except _TooMuch:
        return None
    except ArchiveError as fault:
        if fault.where is None:
            fault.where = Where(path)
        raise


class _TooMuch(Exception):
    """It does not fit into the memory it is given."""


class _Held:
    """The same in memory, up to ``most`` bytes."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._top: str | None = None
        self._files: dict[str, tuple[bytes, bool]] = {}
        self._links: dict[str, str] = {}

    def top(self) -> str:
        if self._top is None:
            raise ArchiveError("sdist-empty", "the sdist holds nothing")
        return self._top

    def folder(self, name: str) -> None:
        top = name.partition("/")[0]
        if self._top is None:
            self._top = top
        if top != self._top:
            raise several(self._top, top)

    def file(self, name: str, content: Iterator[bytes], *, executable: bool) -> None:
        if "/" not in name:
            raise beside(name)
        self.folder(name)
        pieces = []
        for data in content:
            self._left -= len(data)
            if self._left < 0:
                raise _TooMuch
            pieces.append(data)
        self._files[name] = b"".join(pieces), executable

    def content(self, name: str) -> Iterator[bytes]:
        yield self._files[name][0]

    def link(self, name: str, place: str) -> None:
        self.folder(name)
        self._links[name] = os.path.normpath(f"{name.rpartition('/')[0]}/{place}")

    def below(self) -> dict[str, tuple[bytes, bool]]:
        found = dict(self._files)
        for name, place in self._links.items():
            for _ in range(_CHAIN):
                if place not in self._links:
                    break
                place = self._links[place]
            if place in self._files:
                found[name] = self._files[place]
        start = len(self.top()) + 1
        return {name[start:]: held for name, held in sorted(found.items())}
