"""Comments and the lines they belong to, so that they go where the thing they explain goes."""

from __future__ import annotations

import io
import tokenize
from dataclasses import dataclass, field

__all__ = ["Comments", "of_lines", "of_python"]

_DECORATION = frozenset("#-=*~_ \t")


@dataclass(slots=True)
class Comments:
    """``beside`` the line's own code, ``alone`` on a line; both by line number, text without ``#``."""

    beside: dict[int, str] = field(default_factory=dict)
    alone: dict[int, str] = field(default_factory=dict)

    def at(self, line: int) -> str | None:
        return self.beside.get(line)

    def above(self, line: int) -> tuple[str, ...]:
        """The unbroken comment lines right above ``line``."""
        found: list[str] = []
        number = line - 1
        while number in self.alone:
            found.append(self.alone[number])
            number -= 1
        return tuple(reversed(found)) if line else ()


def _said(text: str) -> str | None:
    """A comment's words; None for lines drawn with dashes, and for words to machines."""
    words = text.lstrip("#").strip()
    if not words or set(words) <= _DECORATION or words.startswith(("noqa", "type:", "pylint:", "-*-", "!")):
        return None
    return words


def of_python(text: str) -> Comments:
    """The comments of Python source; none where it cannot be read as such."""
    found = Comments()
    lines = text.splitlines()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and (words := _said(token.string)) is not None:
                line, column = token.start
                alone = not lines[line - 1][:column].strip()
                (found.alone if alone else found.beside)[line] = words
    except (tokenize.TokenError, SyntaxError):
        return found
    return found


def of_lines(text: str, signs: str = "#;", beside: str = " #") -> Comments:
    """The comments of a file of lines: ``signs`` begin a comment line, ``beside`` one behind a value."""
    found = Comments()
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped[:1] and stripped[0] in signs:
            words = _said(stripped.lstrip(signs))
            if words is not None:
                found.alone[number] = words
        elif beside and beside in line:
            words = _said(line.partition(beside)[2])
            if words is not None:
                found.beside[number] = words
    return found
