"""Globs over a list of paths: what the tools that are read mean by them, without asking the disk again."""

from __future__ import annotations

import re
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["expression", "matching"]


@lru_cache(maxsize=512)
def expression(pattern: str) -> re.Pattern[str]:
    """A glob as a regular expression: ``*`` and ``?`` within a name, ``**`` over folders, ``[...]`` as in a shell."""
    out: list[str] = []
    at = 0
    while at < len(pattern):
        sign = pattern[at]
        if pattern.startswith("**/", at):
            out.append("(?:[^/]+/)*")
            at += 3
        elif pattern.startswith("**", at):
            out.append(".*")
            at += 2
        elif sign == "*":
            out.append("[^/]*")
            at += 1
        elif sign == "?":
            out.append("[^/]")
            at += 1
        elif sign == "[" and (end := pattern.find("]", at + 2)) > 0:
            inner = pattern[at + 1 : end].replace("\\", "\\\\")
            out.append("[" + ("^" + inner[1:] if inner[:1] in "!^" else inner) + "]")
            at = end + 1
        else:
            out.append(re.escape(sign))
            at += 1
    return re.compile("".join(out))


def matching(paths: Iterable[str], pattern: str) -> list[str]:
    """The paths a glob matches, in their order."""
    found = expression(pattern)
    return [path for path in paths if found.fullmatch(path)]
