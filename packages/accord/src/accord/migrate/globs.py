"""Globs over a list of paths: what the tools that are read mean by them, without asking the disk again.

``*`` and ``?`` stay within a name, ``**`` goes over folders, ``[...]`` is as in a shell.  Patterns come from a stranger's
files, so they are followed step by step and not made regular expressions of, which can be written to never end.
"""

from __future__ import annotations

from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["matches", "matching"]

Token = str | tuple[bool, str]  # "*" and "?", a letter, or a set of letters and whether it is the others


def matching(paths: Iterable[str], pattern: str) -> list[str]:
    """The paths a glob matches, in their order."""
    names = _split(pattern)
    return [path for path in paths if _match(path.split("/"), names)]


def matches(path: str, pattern: str) -> bool:
    return _match(path.split("/"), _split(pattern))


@lru_cache(maxsize=512)
def _split(pattern: str) -> tuple[tuple[Token, ...] | None, ...]:
    """The names of a pattern as tokens; None for ``**``."""
    names = pattern.split("/")
    if names[-1] == "**":
        names.append("*")  # what lies in the folder, not the folder itself
    return tuple(None if name == "**" else _tokens(name) for name in names)


def _tokens(name: str) -> tuple[Token, ...]:
    found: list[Token] = []
    at = 0
    while at < len(name):
        end = name.find("]", at + 2) if name[at] == "[" else -1
        if end > 0:
            inner = name[at + 1 : end]
            found.append((inner[0] in "!^", inner[1:] if inner[0] in "!^" else inner))
            at = end
        elif name[at] != "*" or found[-1:] != ["*"]:
            found.append(name[at])
        at += 1
    return tuple(found)


def _match(names: list[str], pattern: tuple[tuple[Token, ...] | None, ...]) -> bool:
    """Follow the names through all places of the pattern they can be at."""
    places = _over({0}, pattern)
    for name in names:
        reached = {
            place if pattern[place] is None else place + 1
            for place in places
            if place < len(pattern) and _fits(name, pattern[place])
        }
        places = _over(reached, pattern)
        if not places:
            return False
    return len(pattern) in places


def _over(places: set[int], pattern: tuple[tuple[Token, ...] | None, ...]) -> set[int]:
    """``**`` also stands for no folder at all."""
    found = set(places)
    for place in sorted(places):
        while place < len(pattern) and pattern[place] is None:
            place += 1
            found.add(place)
    return found


def _fits(name: str, tokens: tuple[Token, ...] | None) -> bool:
    """Whether one name fits; only the last star is ever tried again."""
    if tokens is None:
        return True
    token = letter = 0
    star = resume = -1
    while letter < len(name):
        if token < len(tokens) and tokens[token] == "*":
            star, resume = token, letter
            token += 1
        elif token < len(tokens) and _one(tokens[token], name[letter]):
            token += 1
            letter += 1
        elif star >= 0:
            resume += 1
            token, letter = star + 1, resume
        else:
            return False
    return all(rest == "*" for rest in tokens[token:])


def _one(token: Token, letter: str) -> bool:
    if isinstance(token, str):
        return token in ("?", letter)
    others, letters = token
    found = False
    at = 0
    while at < len(letters):
        if letters[at + 1 : at + 2] == "-" and at + 2 < len(letters):
            found = found or letters[at] <= letter <= letters[at + 2]
            at += 3
        else:
            found = found or letters[at] == letter
            at += 1
    return found is not others
