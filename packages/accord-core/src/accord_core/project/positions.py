"""At which line of a TOML document a key, a table or an element of an array stands.

``tomllib`` gives values without places, and a person who reads "``project.dependencies[3]`` is wrong" wants the
line.  This scanner walks over a document that ``tomllib`` has accepted and notes where things begin; it judges
nothing, so a document that is not TOML gives places that may be wrong, never an exception.  It is run only when
there is a fault to report.

A path is what leads to the value in what ``tomllib`` returns: ``("project", "dependencies", 3)``,
``("tool", "accord", "index", 0, "url")``.
"""

from __future__ import annotations

__all__ = ["KeyPath", "line_of", "scan"]

KeyPath = tuple[str | int, ...]

_BLANK = " \t\r\n"
_NOT_BARE = frozenset(" \t\r\n.=[]{},#\"'")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}
_DEPTH_LIMIT = 200  # arrays within arrays; tomllib itself gives up earlier


def scan(text: str) -> dict[KeyPath, int]:
    """Every path of the document and the 1-based line where it first stands."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


def line_of(lines: dict[KeyPath, int], path: KeyPath) -> int | None:
    """The line of ``path``, or of the nearest thing around it that has one."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


class _Scanner:
    """A cursor over the text; ``lines`` is what it has found."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.counted = 0  # where counting lines has got to
        self.lines: dict[KeyPath, int] = {}
        self.arrays: dict[KeyPath, int] = {}  # arrays of tables, and how many tables each has so far

    def peek(self, size: int = 1) -> str:
        return self.text[self.at : self.at + size]

    def here(self) -> int:
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.line

    def blanks(self) -> None:
        """Over spaces, line ends and comments."""
        text, at = self.text, self.at
        while at < len(text):
            if text[at] in _BLANK:
                at += 1
            elif text[at] == "#":
                end = text.find("\n", at)
                at = len(text) if end < 0 else end
            else:
                break
        self.at = at

    def over(self, characters: str | frozenset[str], *, within: bool) -> None:
        """On to the first character that is not among ``characters`` (``within``), or to the first that is."""
        text, at = self.text, self.at
        while at < len(text) and (text[at] in characters) is within:
            at += 1
        self.at = at

    def spaces(self) -> None:
        self.over(" \t", within=True)

    def document(self) -> None:
        table: KeyPath = ()
        while True:
            self.blanks()
            if self.at >= len(self.text):
                return
            before = self.at
            if self.peek() == "[":
                table = self.header()
            else:
                self.pair(table, 0)
            if self.at == before:  # not TOML: go on, so that the scan ends
                self.at += 1

    def header(self) -> KeyPath:
        line = self.here()
        many = self.peek(2) == "[["
        self.at += 2 if many else 1
        keys = self.keys()
        path = self.note(self.inside((), keys[:-1]), keys[-1:], line)
        if many:
            index = self.arrays.get(path, 0)
            self.arrays[path] = index + 1
            path = (*path, index)
            self.lines[path] = line
        while self.peek() == "]":
            self.at += 1
        return path

    def inside(self, path: KeyPath, keys: list[str]) -> KeyPath:
        """Where ``keys`` lead: in an array of tables, to its latest table."""
        for key in keys:
            path = (*path, key)
            self.lines.setdefault(path, self.here())
            if path in self.arrays:
                path = (*path, self.arrays[path] - 1)
        return path

    def note(self, path: KeyPath, keys: list[str], line: int) -> KeyPath:
        for key in keys:
            path = (*path, key)
            self.lines.setdefault(path, line)
        return path

    def pair(self, table: KeyPath, depth: int) -> None:
        line = self.here()
        path = self.note(table, self.keys(), line)
        self.spaces()
        if self.peek() == "=":
            self.at += 1
            self.spaces()
            self.value(path, depth)

    def keys(self) -> list[str]:
        """A dotted key: bare, quoted or both."""
        found = []
        while True:
            self.spaces()
            if self.peek() and self.peek() in "\"'":
                found.append(self.string())
            else:
                start = self.at
                self.over(_NOT_BARE, within=False)
                found.append(self.text[start : self.at])
            self.spaces()
            if self.peek() != ".":
                return found
            self.at += 1

    def string(self) -> str:
        quote = self.peek()
        if self.peek(3) == quote * 3:
            self.at += 3
            return self.until(quote * 3, escapes=quote == '"')
        self.at += 1
        return self.until(quote, escapes=quote == '"')

    def until(self, end: str, *, escapes: bool) -> str:
        stop = self.text.find(end, self.at)
        found = self.text[self.at : stop]
        if stop >= 0 and len(end) == 1 and not (escapes and "\\" in found):
            self.at = stop + 1
            return found
        pieces = []
        while self.at < len(self.text):
            if self.text.startswith(end, self.at):
                self.at += len(end)
                while len(end) == 3 and self.peek() == end[0]:  # """"" ends with quotes of its own
                    self.at += 1
                break
            if escapes and self.peek() == "\\":
                pieces.append(self.escape())
            else:
                pieces.append(self.peek())
                self.at += 1
        return "".join(pieces)

    def escape(self) -> str:
        kind = self.text[self.at + 1 : self.at + 2]
        size = {"x": 2, "u": 4, "U": 8}.get(kind, 0)
        digits = self.text[self.at + 2 : self.at + 2 + size]
        self.at += 2 + size
        try:
            return chr(int(digits, 16)) if size else _ESCAPES.get(kind, "")
        except (ValueError, OverflowError):
            return ""

    def value(self, path: KeyPath, depth: int) -> None:
        start = self.peek()
        if start and start in "\"'":
            self.string()
        elif start in ("[", "{") and depth < _DEPTH_LIMIT:
            self.at += 1
            self.members(path, depth + 1, close="]" if start == "[" else "}")
        else:
            self.over(",]}#\n", within=False)

    def members(self, path: KeyPath, depth: int, *, close: str) -> None:
        index = 0
        while True:
            self.blanks()
            if self.at >= len(self.text):
                return
            if self.peek() == close:
                self.at += 1
                return
            before = self.at
            if self.peek() == ",":
                self.at += 1
            elif close == "}":
                self.pair(path, depth)
            else:
                element = (*path, index)
                self.lines[element] = self.here()
                self.value(element, depth)
                index += 1
            if self.at == before:
                self.at += 1
