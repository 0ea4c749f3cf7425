"""Collecting everything that is wrong with a document people write, each fault with its place.

A person who edits a file wants all its faults at once (where trust is at stake, reading stops at the first: not
here).  A document is loaded with :func:`load_toml`, read with :class:`Faults` at hand, and refused in the end by
:meth:`Faults.refuse`, if there is anything to refuse.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any, NoReturn

from accord_core.errors import DocumentError, Where
from accord_core.project.positions import KeyPath, line_of, scan

__all__ = ["DEFAULT_LIMITS", "Faults", "Limits", "dotted", "load_toml", "near", "type_name"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a document may be.  A lock of the largest known application takes 2 MB."""

    document_characters: int = 50_000_000
    requirement_files: int = 200  # -r and -c together
    requirement_depth: int = 20
    requirement_lines: int = 200_000
    script_characters: int = 10_000_000
    group_includes: int = 10_000  # requirements and includes in what is resolved at once
    group_depth: int = 100  # groups including groups
    faults: int = 100  # beyond, a person fixes these first


DEFAULT_LIMITS = Limits()

_TYPES = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    list: "an array",
    dict: "a table",
}


def type_name(value: object) -> str:
    """What TOML calls the type of ``value``, with its article."""
    return _TYPES.get(type(value), "a date or time")


def dotted(path: KeyPath) -> str:
    """``("tool", "accord", "index", 0, "url")`` → ``tool.accord.index[0].url``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = part.replace("-", "").replace("_", "").isalnum() and part.isascii()
            text += ("." if text else "") + (part if bare else f'"{part}"')
    return text


def near(word: str, known: tuple[str, ...]) -> str | None:
    """A hint naming the known word that ``word`` may be a slip of, or None."""
    from difflib import get_close_matches

    found = get_close_matches(word.lower().replace("_", "-"), known, n=1, cutoff=0.7)
    return f"did you mean {found[0]!r}?" if found else None


def load_toml(text: str, path: str, *, code: str, limits: Limits = DEFAULT_LIMITS) -> dict[str, Any]:
    """Parse TOML.  Raises ``DocumentError`` with ``code`` at the line of the first syntax fault, or ``document-too-large``."""
    if len(text) > limits.document_characters:
        raise DocumentError(
            "document-too-large",
            f"{path} has {len(text):,} characters, more than {limits.document_characters:,}",
            where=Where(path),
            hint="check that this is the file you mean",
        )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, _, place = str(error).partition(" (at ")
        line = _line_in(place, text)
        raise DocumentError(
            code, f"{path} is not TOML: {message}", where=Where(path, line=line), hint=_toml_hint(text, line)
        ) from error
    except RecursionError as error:
        raise DocumentError(code, f"{path} nests too deeply to be read", where=Where(path)) from error


def _line_in(place: str, text: str) -> int | None:
    """``line 3, column 5)`` → 3; ``end of document)`` → the last line."""
    words = place.replace(",", " ").split()
    if words[:1] == ["line"]:
        return int(words[1])
    return text.count("\n") + 1 if words[:1] == ["end"] else None


def _toml_hint(text: str, line: int | None) -> str | None:
    lines = text.split("\n")
    if line is None or line > len(lines) or not lines[line - 1].strip():
        return None
    return f"this line reads: {lines[line - 1].strip()[:120]}"


class Faults:
    """What is wrong with the document ``path``, whose source is ``text``."""

    def __init__(self, path: str, text: str, *, limits: Limits = DEFAULT_LIMITS) -> None:
        self.path = path
        self._text = text
        self.limits = limits
        self._lines: dict[KeyPath, int] | None = None
        self._found: list[DocumentError] = []

    def __len__(self) -> int:
        return len(self._found)

    @property
    def found(self) -> tuple[DocumentError, ...]:
        """What was noted so far, in the order it was met."""
        return tuple(self._found)

    def line(self, at: KeyPath) -> int | None:
        """Where the value that ``at`` leads to stands, or the nearest thing around it."""
        if self._lines is None:
            self._lines = scan(self._text)
        return line_of(self._lines, at)

    def where(self, at: KeyPath) -> Where:
        """The place ``at`` leads to: its table, its key with what follows, its line."""
        last = max((i for i, part in enumerate(at) if isinstance(part, str)), default=0)
        return Where(
            self.path,
            table=dotted(at[:last]) or None,
            key=dotted(at[last:]) or None,
            line=self.line(at),
        )

    def add(self, code: str, message: str, at: KeyPath, *, hint: str | None = None) -> None:
        """Note a fault of the value that ``at`` leads to."""
        self._found.append(DocumentError(code, message, where=self.where(at), hint=hint))

    def take(self, error: DocumentError) -> None:
        """Note a fault that somebody else found, with its place already in it."""
        self._found.extend(error.faults or (error,))

    def wrong_type(self, value: object, wanted: str, at: KeyPath) -> None:
        self.add("wrong-type", f"{dotted(at)} must be {wanted}, not {type_name(value)}", at)

    def refuse(self, code: str, message: str, *, hint: str | None = None) -> None:
        """Raise one ``DocumentError`` holding every fault, in the order of the document; do nothing if there is none."""
        if self._found:
            self._raise(code, message, hint)

    def _raise(self, code: str, message: str, hint: str | None) -> NoReturn:
        faults = sorted(self._found, key=lambda fault: (fault.where and fault.where.line) or 0)
        shown = faults[: self.limits.faults]
        context = tuple(_line_for(fault) for fault in shown)
        if len(faults) > len(shown):
            context += (f"and {len(faults) - len(shown)} more",)
        raise DocumentError(
            code,
            message,
            where=faults[0].where,
            context=context,
            hint=hint or faults[0].hint,
            faults=tuple(shown),
        )


def _line_for(fault: DocumentError) -> str:
    hint = f" ({fault.hint})" if fault.hint else ""
    return f"{fault.where}: {fault.message}{hint}"
