"""Reading the suite's own TOML, strictly: an unknown key is a fault with the file and the place, never passed over.

Knows tables and types; not what the tables mean.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from accord_conformance.errors import SuiteError

__all__ = ["DATA", "Table", "read_toml"]

# The suite's data lies beside its code, in the wheel as in a checkout.
DATA = Path(__file__).parent


class Table:
    """A TOML table that must be used up: ``done`` refuses what nobody asked for."""

    def __init__(self, where: str, values: object) -> None:
        if not isinstance(values, Mapping):
            raise SuiteError(where, f"a table is wanted here, not {values!r}")
        self.where = where
        self._left = dict(values)

    def take(self, key: str, kind: type | tuple[type, ...], default: Any = ...) -> Any:
        """The value of ``key``, of ``kind``; SuiteError when it is missing without a default, or of another kind."""
        if key not in self._left:
            if default is ...:
                raise SuiteError(self.where, f"{key!r} is missing")
            return default
        value = self._left.pop(key)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
            raise SuiteError(self.where, f"{key!r} is {value!r}: that is no {_named(kind)}")
        return value

    def texts(self, key: str, default: Any = ...) -> tuple[str, ...]:
        """A list of strings."""
        found = self.take(key, (list, tuple), default)
        for each in found:
            if not isinstance(each, str):
                raise SuiteError(self.where, f"{key!r} holds {each!r}: strings are wanted")
        return tuple(found)

    def one_of(self, key: str, choices: Iterable[str], default: Any = ...) -> str:
        """A string out of ``choices``."""
        choices = tuple(choices)
        found = self.take(key, str, default)
        if found not in choices:
            raise SuiteError(self.where, f"{key!r} is {found!r}, not one of {', '.join(choices)}")
        return str(found)

    def rest(self) -> dict[str, Any]:
        """What is left, all of it taken."""
        left, self._left = self._left, {}
        return left

    def done(self) -> None:
        """Refuses what was not taken."""
        if self._left:
            raise SuiteError(self.where, f"nobody knows {', '.join(map(repr, sorted(self._left)))}")


def read_toml(path: Path) -> dict[str, Any]:
    """The document at ``path``; SuiteError with the parser's words when it is none."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SuiteError(str(path), error.strerror or str(error)) from error
    except ValueError as error:
        raise SuiteError(str(path), str(error)) from error


def _named(kind: type | tuple[type, ...]) -> str:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    return " or ".join(each.__name__ for each in kinds)
