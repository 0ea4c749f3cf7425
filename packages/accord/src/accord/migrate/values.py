"""What an expression of a ``setup.py`` can be without running it: plain values, and a few that know where they are from.

``Unknown`` stands for whatever only a run would tell, with the reason; it spreads through every operation.  A
``Text`` remembers the files its letters were read from and the line it stands in, so that a version is led back to its
module, a description to its readme, a comment to its requirement.
"""

from __future__ import annotations

from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from typing import Any

__all__ = [
    "Bound",
    "Class",
    "Condition",
    "ExtensionCall",
    "FoundPackages",
    "Function",
    "Module",
    "OpenFile",
    "PathText",
    "Platform",
    "Text",
    "Unknown",
    "VersionInfo",
    "origins",
    "unknown_in",
]


@dataclass(frozen=True, slots=True)
class Unknown:
    reason: str
    line: int = 0


class Text(str):
    """A string with its origins: files it was read from, its line in ``setup.py`` (0: none), a marker it stands under."""

    __slots__ = ("line", "marker", "origins")
    origins: tuple[str, ...]
    line: int
    marker: str | None

    def __new__(
        cls, value: str, origins: tuple[str, ...] = (), line: int = 0, marker: str | None = None
    ) -> Text:
        made = super().__new__(cls, value)
        made.origins = origins
        made.line = line
        made.marker = marker
        return made


class PathText(Text):
    """A ``pathlib`` path, as its text."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Bound:
    """A method of a value, not called yet."""

    holder: Any
    name: str


@dataclass(frozen=True, slots=True)
class Condition:
    """Something the environment decides, as a marker (PEP 508)."""

    marker: str
    opposite: str


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """``sys.version_info``, or a slice of it."""


@dataclass(frozen=True, slots=True)
class Platform:
    """A string of the environment: its marker variable."""

    variable: str


@dataclass(frozen=True, slots=True)
class Module:
    """Something imported: a dotted name; ``own`` is the file where it belongs to the project."""

    name: str
    own: str | None = None


@dataclass(slots=True)
class Function:
    node: ast.FunctionDef | ast.Lambda
    names: dict[str, Any]


@dataclass(slots=True)
class Class:
    node: ast.ClassDef
    bases: tuple[Any, ...]


@dataclass(slots=True)
class OpenFile:
    path: str
    text: str
    read: bool = False


@dataclass(slots=True)
class ExtensionCall:
    """``Extension(...)``; ``options`` by the keyword names distutils gives them."""

    name: Any
    sources: Any
    options: dict[str, Any] = field(default_factory=dict)
    line: int = 0
    plain: bool = True

    def put(self, name: str, value: Any) -> None:
        if name in ("name", "sources"):
            setattr(self, name, value)
        else:
            self.options[name] = value


class FoundPackages(list[str]):
    """What ``find_packages`` found, and what it was asked."""

    def __init__(self, packages: list[str], asked: dict[str, Any]) -> None:
        super().__init__(packages)
        self.asked = asked


def origins(*values: Any) -> tuple[str, ...]:
    """The files all of ``values`` come from, each once."""
    found: dict[str, None] = {}
    for value in values:
        if isinstance(value, Text):
            found.update(dict.fromkeys(value.origins))
        elif isinstance(value, (list, tuple)):
            found.update(dict.fromkeys(origins(*value)))
    return tuple(found)


def unknown_in(value: Any) -> Unknown | None:
    """The first thing in a value that only a run would tell."""
    if isinstance(value, Unknown):
        return value
    if isinstance(value, (Module, Function, Class, Platform, VersionInfo, Condition, OpenFile)):
        return Unknown("its value is no text, number, list or table")
    if isinstance(value, dict):
        parts: list[Any] = [*value.keys(), *value.values()]
    elif isinstance(value, (list, tuple, set)):
        parts = list(value)
    elif isinstance(value, ExtensionCall):
        parts = [value.name, value.sources, *value.options.values()]
    else:
        return None
    return next((found for part in parts if (found := unknown_in(part)) is not None), None)
