"""Reading what most ``pyproject.toml`` files are made of, without ``tomllib``, which takes longer to load than a build.

Knows a part of TOML 1.0: headers, bare and quoted keys, strings on one line, plain integers, booleans, arrays and
inline tables of these, comments.  Whatever else it meets (dotted keys, dates, floats, long strings, anything that is
not TOML), it answers ``None``, and the whole document is read by ``tomllib``, which also words the fault.  So it
decides nothing: what it returns is what ``tomllib`` returns, as the tests hold it against.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Tuple

    Tables = Dict[Tuple[str, ...], Dict[str, Any]]

__all__ = ["read"]

_LONGEST = 1 << 16  # characters; beyond, tomllib's regular expressions are worth their loading
_DEEPEST = 20  # arrays and inline tables in each other
_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_CONTROLS = frozenset(map(chr, (*range(9), *range(11, 32), 127)))
_BLANK = " \t"
_ESCAPES = {"\\": "\\", '"': '"', "t": "\t"}


class _Other(Exception):
    """Something that is not for this reader."""


def read(text: str) -> dict[str, Any] | None:
    """The document, or ``None`` where ``tomllib`` has to read it."""
    if len(text) > _LONGEST:
        return None
    text = text.replace("\r\n", "\n")
    if not _CONTROLS.isdisjoint(text):
        return None
    try:
        return _Reader(text + "\n").document()
    except (_Other, IndexError, RecursionError):
        return None


class _Reader:
    """A place in a text that ends with a line break.  Running past the end is an ``IndexError``."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    def document(self) -> dict[str, Any]:
        root: dict[str, Any] = {}
        current = root
        headers = _Headers(root)
        end = len(self._text)
        while True:
            self._skip(lines=True)
            if self._place == end:
                return root
            if self._text[self._place] == "[":
                current = self._header(headers)
            else:
                self._pair(current, 0)
            self._line_end()

    def _header(self, headers: _Headers) -> dict[str, Any]:
        array = self._text[self._place + 1] == "["
        self._place += 1 + array
        path: list[str] = []
        while True:
            self._skip()
            path.append(self._key())
            self._skip()
            sign = self._take()
            if sign != ".":
                break
        if sign != "]" or (array and self._take() != "]"):
            raise _Other
        return headers.element(tuple(path)) if array else headers.table(tuple(path))

    def _pair(self, table: dict[str, Any], depth: int) -> None:
        key = self._key()
        self._skip()
        if key in table or self._take() != "=":
            raise _Other
        self._skip()
        table[key] = self._value(depth)

    def _key(self) -> str:
        text, begun = self._text, self._place
        if text[begun] in "\"'":
            return self._string(text[begun])
        place = begun
        while text[place] in _BARE:
            place += 1
        if place == begun:
            raise _Other
        self._place = place
        return text[begun:place]

    def _value(self, depth: int) -> Any:
        sign = self._text[self._place]
        if sign in "\"'":
            return self._string(sign)
        if depth > _DEEPEST:
            raise _Other
        if sign == "[":
            return self._array(depth + 1)
        if sign == "{":
            return self._inline(depth + 1)
        begun = self._place
        while self._text[self._place] in _BARE:
            self._place += 1
        word = self._text[begun : self._place]
        if word in ("true", "false"):
            return word == "true"
        # Nothing but digits, few of them, without a zero in front; and no float or date goes on behind.
        if not (word.isdigit() and len(word) < 16 and (word[0] != "0" or word == "0")):
            raise _Other
        return int(word)

    def _string(self, quote: str) -> str:
        begun = self._place + 1
        end = self._text.find(quote, begun)
        found = self._text[begun:end]
        if quote == '"' and "\\" in found:
            return self._escaped(begun)
        if end < 0 or "\n" in found or self._text[end + 1] == quote:
            raise _Other
        self._place = end + 1
        return found

    def _escaped(self, begun: int) -> str:
        text, place = self._text, begun
        letters = []
        while text[place] != '"':
            letter = text[place]
            if letter == "\\":
                place += 1
                letter = _ESCAPES.get(text[place], "")
            if letter in ("", "\n"):
                raise _Other
            letters.append(letter)
            place += 1
        self._place = place + 1
        return "".join(letters)

    def _array(self, depth: int) -> list[Any]:
        found: list[Any] = []
        self._place += 1
        while True:
            self._skip(lines=True)
            if self._text[self._place] == "]":
                break
            found.append(self._value(depth))
            self._skip(lines=True)
            if self._text[self._place] != ",":
                break
            self._place += 1
        if self._take() != "]":
            raise _Other
        return found

    def _inline(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self._place += 1
        self._skip()
        if self._text[self._place] == "}":
            self._place += 1
            return found
        while True:
            self._skip()
            self._pair(found, depth)
            self._skip()
            sign = self._take()
            if sign == "}":
                return found
            if sign != ",":
                raise _Other

    def _take(self) -> str:
        sign = self._text[self._place]
        self._place += 1
        return sign

    def _skip(self, *, lines: bool = False) -> None:
        """Pass over blanks and, between ``lines``, over their ends and comments."""
        text, place, end = self._text, self._place, len(self._text)
        while place < end:
            sign = text[place]
            if lines and sign == "#":
                place = text.index("\n", place)
            elif sign not in _BLANK and not (lines and sign == "\n"):
                break
            place += 1
        self._place = place

    def _line_end(self) -> None:
        self._skip()
        if self._text[self._place] not in "#\n":
            raise _Other


class _Headers:
    """The tables that headers have opened.  One is written once, and none goes into what a key has as its value."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._tables: Tables = {(): root}
        self._written: set[tuple[str, ...]] = set()
        self._arrays: dict[tuple[str, ...], list[dict[str, Any]]] = {}

    def table(self, path: tuple[str, ...]) -> dict[str, Any]:
        """The table of ``[path]``."""
        if path in self._written or path in self._arrays:
            raise _Other
        self._written.add(path)
        return self._reach(path)

    def element(self, path: tuple[str, ...]) -> dict[str, Any]:
        """A new table of ``[[path]]``; what lay below the one before is closed."""
        above = self._reach(path[:-1])
        array = self._arrays.get(path)
        if array is None:
            if path[-1] in above:
                raise _Other
            array = above[path[-1]] = self._arrays[path] = []
        deep = len(path)
        for known in (self._tables, self._arrays):
            for inner in [inner for inner in known if len(inner) > deep and inner[:deep] == path]:
                del known[inner]
        self._written = {inner for inner in self._written if inner[:deep] != path}
        element: dict[str, Any] = {}
        array.append(element)
        self._tables[path] = element
        return element

    def _reach(self, path: tuple[str, ...]) -> dict[str, Any]:
        table = self._tables.get(path)
        if table is None:
            above = self._reach(path[:-1])
            if path[-1] in above:
                raise _Other
            table = above[path[-1]] = self._tables[path] = {}
        return table
