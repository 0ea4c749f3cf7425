"""Reading the fields of TOML tables: a value that is wrong is noted and then absent, so that the rest is still read.

Every method takes a table, a key, and the path of the table in the document; it returns what is there, or what stands
for nothing when it is absent or wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from accord_core.names import normalise, valid
from accord_core.project.faults import Faults, dotted, near
from accord_core.project.positions import KeyPath
from accord_core.project.versions import compile_specifier

__all__ = ["Fields"]


class Fields:
    """Reads fields and notes what is wrong with them in ``faults``."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults

    def specifier(self, table: Mapping[str, Any], key: str, at: KeyPath) -> str | None:
        found = self.text(table, key, at)
        if found is not None:
            self.check(compile_specifier, found, (*at, key), "is not a version specifier")
        return found

    def check(self, judge: Callable[[str], object], value: str, at: KeyPath, wrong: str) -> bool:
        try:
            judge(value)
        except ValueError:
            self.faults.add("invalid-value", f"{value!r} {wrong}", at)
            return False
        return True

    def boolean(self, table: Mapping[str, Any], key: str, at: KeyPath) -> bool | None:
        value = table.get(key)
        if value is None or isinstance(value, bool):
            return value
        self.faults.wrong_type(value, "a boolean", (*at, key))
        return None

    def choice(self, table: Mapping[str, Any], key: str, at: KeyPath, known: tuple[str, ...]) -> str | None:
        value = self.text(table, key, at)
        if value is None or value in known:
            return value
        hint = near(value, known) or f"one of {', '.join(known)}"
        self.faults.add("invalid-value", f"{value!r} is not a choice for {key}", (*at, key), hint=hint)
        return None

    def unknown(self, table: Mapping[str, Any], at: KeyPath, known: tuple[str, ...]) -> None:
        """Note every key that is not in ``known``, with what it may be a slip of."""
        for key in table:
            if key not in known:
                inside = dotted(at) or "this file"
                self.faults.add(
                    "unknown-key", f"{inside} has no key {key!r}", (*at, key), hint=near(key, known)
                )

    def text(self, table: Mapping[str, Any], key: str, at: KeyPath, *, required: bool = False) -> str | None:
        value = table.get(key)
        if isinstance(value, str):
            return value
        if value is not None:
            self.faults.wrong_type(value, "a string", (*at, key))
        elif required:
            self.faults.add("missing-key", f"{key} is required", (*at, key))
        return None

    def texts(
        self,
        table: Mapping[str, Any],
        key: str,
        at: KeyPath,
        *,
        check: Callable[[str], object] | None = None,
        wrong: str = "",
    ) -> tuple[str, ...]:
        value = table.get(key, [])
        if not isinstance(value, list):
            self.faults.wrong_type(value, "an array of strings", (*at, key))
            return ()
        found = []
        for i, item in enumerate(value):
            if not isinstance(item, str):
                self.faults.wrong_type(item, "a string", (*at, key, i))
            elif check is None or self.check(check, item, (*at, key, i), wrong):
                found.append(item)
        return tuple(found)

    def table(self, table: Mapping[str, Any], key: str, at: KeyPath) -> dict[str, Any] | None:
        value = table.get(key)
        if value is None or isinstance(value, dict):
            return value
        self.faults.wrong_type(value, "a table", (*at, key))
        return None

    def tables(
        self, table: Mapping[str, Any], key: str, at: KeyPath, *, required: bool = False
    ) -> tuple[dict[str, Any], ...]:
        if key not in table and required:
            self.faults.add("missing-key", f"{key} is required", (*at, key))
        value = table.get(key, [])
        if not isinstance(value, list):
            self.faults.wrong_type(value, "an array of tables", (*at, key))
            return ()
        for i, item in enumerate(value):
            if not isinstance(item, dict):
                self.faults.wrong_type(item, "a table", (*at, key, i))
        return tuple([item for item in value if isinstance(item, dict)])

    def subdirectory(self, table: Mapping[str, Any], at: KeyPath) -> str | None:
        """ "The subdirectory within the source tree": inside it, never beside it."""
        found = self.text(table, "subdirectory", at)
        if found is not None:
            parts = found.replace("\\", "/").split("/")
            if found[:1] in ("/", "\\") or ".." in parts or ":" in parts[0]:
                self.faults.add(
                    "bad-subdirectory", f"{found!r} leads out of the source", (*at, "subdirectory")
                )
        return found

    def names(self, table: Mapping[str, Any], key: str, at: KeyPath) -> tuple[str, ...]:
        """Names in normal form, in the order written."""
        return tuple(
            [normalise(name) for name in self.texts(table, key, at, check=_name, wrong="is not a name")]
        )


def _name(text: str) -> None:
    if not valid(text):
        raise ValueError(text)
