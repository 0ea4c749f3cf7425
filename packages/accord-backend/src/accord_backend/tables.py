"""Reading tables of a document that a person edits: typed access, where what does not fit becomes a fault and an empty value.

Knows no key and no meaning; who reads a table says what it may hold.  Nothing is raised here: every fault of the document
is told together.
"""

from __future__ import annotations

from .errors import Fault
from .globs import Pattern, Unusable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Table", "close"]


def close(word: str, known: frozenset[str]) -> str:
    """``" (did you mean 'modules'?)"`` for a word near one of ``known``, else nothing."""
    import difflib

    near = difflib.get_close_matches(word, sorted(known), 1)
    return f" (did you mean {near[0]!r}?)" if near else ""


class Table:
    """One table of the document with typed access; what has another type becomes a fault and an empty value."""

    def __init__(self, data: dict[str, Any], place: str, faults: list[Fault]) -> None:
        self.data = data
        self.place = place
        self.faults = faults

    def fault(self, code: str, key: str, problem: str) -> None:
        self.faults.append(Fault(code, f"{self.place}.{key}" if key else self.place, problem))

    def only(self, *known: str) -> None:
        for key in sorted(set(self.data) - set(known)):
            near = close(key, frozenset(known))
            self.fault("key-unknown", key, f"is not a key of {self.place}{near}")

    def text(self, key: str) -> str | None:
        value = self.data.get(key)
        if value is None:
            return None
        if isinstance(value, str):
            return value if self._sound(key, value) else None
        self.fault("wrong-type", key, f"must be a string, not {type(value).__name__}")
        return None

    def texts(self, key: str) -> list[str]:
        value = self.data.get(key, [])
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return [item for item in value if self._sound(key, item)]
        self.fault("wrong-type", key, "must be an array of strings")
        return []

    def _sound(self, key: str, text: str) -> bool:
        """No path, argument or metadata field can hold a NUL."""
        if "\0" in text:
            self.fault("wrong-type", key, "holds a NUL character")
        return "\0" not in text

    def table(self, key: str) -> Table:
        value = self.data.get(key, {})
        if not isinstance(value, dict):
            self.fault("wrong-type", key, "must be a table")
            value = {}
        return Table(value, f"{self.place}.{key}" if self.place else key, self.faults)

    def flag(self, key: str) -> bool | None:
        value = self.data.get(key)
        if value is None or isinstance(value, bool):
            return value
        self.fault("wrong-type", key, "must be true or false")
        return None

    def tables(self, key: str) -> list[Table]:
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.fault("wrong-type", key, f"must be an array of tables, each under [[{self.place}.{key}]]")
            return []
        return [Table(item, f"{self.place}.{key}[{n}]", self.faults) for n, item in enumerate(value)]

    def globs(self, key: str) -> list[str]:
        """The texts of ``key``, each of them a pattern."""
        texts = self.texts(key)
        for text in texts:
            try:
                Pattern(text)
            except Unusable as fault:
                self.fault(fault.code, key, str(fault))
        return texts

    def strings(self, key: str) -> dict[str, str]:
        inner = self.table(key)
        return {name: value for name in inner.data for value in [inner.text(name)] if value is not None}
