"""Globs over paths of a project, in time that cannot run away.

The grammar is that of PEP 639: ``*`` and ``?`` within one name, ``[a-z]`` and ``[!a-z]``, ``**`` for any number of
folders.  A pattern becomes a list of names; a path is followed through it as through a small automaton, so that a
pattern written to be slow costs no more than (length of the pattern) times (length of the path).  ``glob`` and
``fnmatch`` make regular expressions, which backtrack.  Knows no file system: :mod:`accord_backend.trees` walks.
"""

from __future__ import annotations

__all__ = ["Pattern", "Unusable", "outside"]

_LONGEST = 1024  # characters of a pattern; far above what anybody writes, far below what would hurt


def outside(path: str) -> bool:
    """Whether ``path``, which is no pattern, leads out of the project or is no path below it."""
    parts = path.split("/")
    return (
        not path
        or path.startswith(("/", "~"))
        or "\\" in path
        or ".." in parts
        or ":" in parts[0]
        or "\n" in path
    )


class Unusable(ValueError):
    """A text that is no pattern; ``code`` is ``glob-invalid`` or ``path-outside``, the text says why."""

    def __init__(self, code: str, problem: str) -> None:
        super().__init__(problem)
        self.code = code


class Pattern:
    """One glob, relative to the project's root.

    As an *include* (``hidden=False``) a wildcard does not match a name that begins with a dot: nobody who writes
    ``**`` means ``.git``.  As an *exclude* (``hidden=True``) it does, and a pattern that matches a folder matches all
    that is in it.  Raises :class:`Unusable`.
    """

    __slots__ = ("_hidden", "_parts", "folder", "text", "whole")

    def __init__(self, text: str, *, hidden: bool = False) -> None:
        if len(text) > _LONGEST:
            raise Unusable("glob-invalid", f"a pattern has up to {_LONGEST} characters")
        if "\\" in text or text.startswith("/") or ":" in text.partition("/")[0]:
            raise Unusable("path-outside", f"{text!r} must be relative to the project, with / between names")
        names = text.rstrip("/").split("/")
        if ".." in names:
            raise Unusable("path-outside", f"{text!r} must lie inside the project")
        if not text or "" in names or "." in names:
            raise Unusable("glob-invalid", f"{text!r} has an empty name, or '.', between its slashes")
        if any("**" in name and name != "**" for name in names):
            raise Unusable("glob-invalid", f"'**' stands alone between slashes; {text!r} joins it to a name")
        self.text = text
        self._hidden = hidden
        if names[-1] == "**":
            names.append("*")  # so that "a/**" is what lies in "a", not "a" itself
        self._parts = [None if name == "**" else _Name(name) for name in names]
        last = self._parts[-1]
        self.whole = (
            last is not None and last.literal is not None
        )  # it names a folder outright: take what is in it
        fixed = []
        for part in self._parts[:-1]:
            if part is None or part.literal is None:
                break
            fixed.append(part.literal)
        self.folder = "/".join(fixed)  # the part before the first wildcard, which alone need be walked

    def start(self) -> frozenset[int]:
        """The state before the first name."""
        return self._closed({0})

    def step(self, state: frozenset[int], name: str) -> frozenset[int]:
        """The state after ``name``; an empty one leads nowhere."""
        reached = set()
        for place in state:
            if place == len(self._parts):
                if self._hidden:
                    reached.add(place)
                continue
            part = self._parts[place]
            if part is None:
                if self._hidden or not name.startswith("."):
                    reached.add(place)
            elif part.matches(name, self._hidden):
                reached.add(place + 1)
        return self._closed(reached)

    def accepts(self, state: frozenset[int]) -> bool:
        """Whether the names so far are matched."""
        return len(self._parts) in state

    def matches(self, path: str) -> bool:
        """Whether the pattern matches ``path``, relative and with ``/``."""
        state = self.start()
        for name in path.split("/"):
            if not state:
                return False
            state = self.step(state, name)
        return self.accepts(state)

    def _closed(self, places: set[int]) -> frozenset[int]:
        # "**" also stands for no folder at all.
        for place in sorted(places):
            while place < len(self._parts) and self._parts[place] is None:
                place += 1
                places.add(place)
        return frozenset(places)


class _Name:
    """What one name between slashes may be; ``literal`` is the name itself where there is no wildcard."""

    __slots__ = ("_tokens", "literal")

    def __init__(self, text: str) -> None:
        self._tokens: list[str | tuple[bool, str]] = []
        place = 0
        while place < len(text):
            sign = text[place]
            end = text.find("]", place + 2) if sign == "[" else -1
            if end > 0:
                inner = text[place + 1 : end]
                negated = inner[0] == "!"
                self._tokens.append((negated, inner[1:] if negated else inner))
                place = end
            elif sign != "*" or self._tokens[-1:] != ["*"]:
                self._tokens.append(sign)
            place += 1
        wild = any(token in ("*", "?") or not isinstance(token, str) for token in self._tokens)
        self.literal = None if wild else text

    def matches(self, name: str, hidden: bool) -> bool:
        if self.literal is not None:
            return name == self.literal
        if name.startswith(".") and not hidden and self._tokens[0] != ".":
            return False
        # Only the last star is ever tried again: at most (tokens x letters) steps.
        token = letter = 0
        star = resume = -1
        while letter < len(name):
            if token < len(self._tokens) and self._tokens[token] == "*":
                star, resume = token, letter
                token += 1
            elif token < len(self._tokens) and _one(self._tokens[token], name[letter]):
                token += 1
                letter += 1
            elif star >= 0:
                resume += 1
                token, letter = star + 1, resume
            else:
                return False
        return all(rest == "*" for rest in self._tokens[token:])


def _one(token: str | tuple[bool, str], letter: str) -> bool:
    if isinstance(token, str):
        return token in ("?", letter)
    negated, inner = token
    found = False
    place = 0
    while place < len(inner):
        if inner[place + 1 : place + 2] == "-" and place + 2 < len(inner):
            found = found or inner[place] <= letter <= inner[place + 2]
            place += 3
        else:
            found = found or inner[place] == letter
            place += 1
    return found is not negated
