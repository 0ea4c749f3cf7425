"""Requirements (PEP 508): a name, extras, a specifier or a URL, a marker.

Metadata of a resolve holds some ten thousand of them, so the common forms are read by hand; anything unusual, and
everything invalid, goes to ``packaging``, imported only then, so that there is one judge.  Both ways give the same
:class:`Requirement`.

This room is **hot**.
"""

from __future__ import annotations

from accord_core.names import normalise
from accord_core.project.markers import evaluate_marker, normal_marker, require_shallow
from accord_core.project.versions import compile_specifier, normal_specifier

__all__ = ["Requirement", "evaluate_marker", "parse_requirement"]

_LENGTH_LIMIT = (
    32_768  # characters of one requirement; the longest known specifiers and markers have under 2,000
)
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_FIRST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


class Requirement:
    """One requirement; a value, compared by what it asks for.

    ``name`` is normalised and ``raw_name`` as written; ``extras`` are normalised and sorted; ``specifier`` and
    ``marker`` are in the normal form ``packaging`` prints; ``url`` is what stands after ``@``, unchanged.
    """

    __slots__ = ("extras", "marker", "name", "raw_name", "specifier", "url")

    def __init__(
        self,
        name: str,
        raw_name: str,
        extras: tuple[str, ...] = (),
        specifier: str = "",
        marker: str | None = None,
        url: str | None = None,
    ) -> None:
        self.name = name
        self.raw_name = raw_name
        self.extras = extras
        self.specifier = specifier
        self.marker = marker
        self.url = url

    def as_tuple(self) -> tuple[str, str, tuple[str, ...], str, str | None, str | None]:
        """The arguments that make it again; can be marshalled."""
        return self.name, self.raw_name, self.extras, self.specifier, self.marker, self.url

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Requirement) and self._asks() == other._asks()

    def __hash__(self) -> int:
        return hash(self._asks())

    def _asks(self) -> tuple[object, ...]:
        return self.name, self.extras, self.specifier, self.marker, self.url

    def __str__(self) -> str:
        text = self.raw_name + (f"[{','.join(self.extras)}]" if self.extras else "") + self.specifier
        if self.url is not None:
            text += f" @ {self.url}"
        if self.marker is None:
            return text
        return f"{text} ; {self.marker}" if self.url is not None else f"{text}; {self.marker}"

    def __repr__(self) -> str:
        return f"Requirement({str(self)!r})"


def parse_requirement(text: str) -> Requirement:
    """Read one requirement (PEP 508 "Grammar").

    Raises ``ValueError`` (``packaging``'s ``InvalidRequirement``, or for what is longer or deeper than anybody writes).
    """
    if len(text) > _LENGTH_LIMIT:
        raise ValueError(f"a requirement longer than {_LENGTH_LIMIT:,} characters: {text[:40]!r}…")
    require_shallow(text)
    return _common(text) or _from_packaging(text)


def _common(text: str) -> Requirement | None:
    """The forms seen every day; None where ``packaging`` shall judge."""
    if "\\" in text or "===" in text or not text.isascii() or not text.isprintable():
        return None
    text = text.strip(" ")
    end = 0
    while end < len(text) and text[end] in _NAME:
        end += 1
    raw_name = text[:end]
    if not raw_name or raw_name[0] not in _FIRST or raw_name[-1] in ".-":
        return None
    rest = text[end:].lstrip(" ")
    extras: tuple[str, ...] = ()
    if rest[:1] == "[":
        inside, bracket, rest = rest[1:].partition("]")
        found = [extra.strip(" ") for extra in inside.split(",")] if inside.strip(" ") else []
        if not bracket or not all(_is_identifier(extra) for extra in found):
            return None
        extras = tuple(sorted({normalise(extra) for extra in found}))
        rest = rest.lstrip(" ")
    url = None
    if rest[:1] == "@":
        url, _, rest = rest[1:].lstrip(" ").partition(" ")
        rest = rest.lstrip(" ")
        if not url or (rest and rest[0] != ";"):
            return None
        specifier = ""
    else:
        wanted, semicolon, rest = rest.partition(";")
        specifier_found = _specifier(wanted.strip(" "))
        if specifier_found is None:
            return None
        specifier, rest = specifier_found, semicolon + rest
    marker = None
    if rest:
        try:
            marker = normal_marker(rest[1:])
        except ValueError:
            return None  # packaging says the same with the place in the whole requirement
    return Requirement(normalise(raw_name), raw_name, extras, specifier, marker, url)


def _is_identifier(text: str) -> bool:
    return bool(text) and text[0] in _FIRST and text[-1] not in ".-" and _NAME.issuperset(text)


def _specifier(text: str) -> str | None:
    if text[:1] == "(":
        if text[-1:] != ")":
            return None
        text = text[1:-1].strip(" ")
    if not text:
        return ""
    clauses = text.split(",")
    if any(not clause.strip(" ") for clause in (clauses[:-1] if len(clauses) > 1 else clauses)):
        return None
    try:
        return normal_specifier(text)
    except ValueError:
        return None


def _from_packaging(text: str) -> Requirement:
    from packaging.requirements import Requirement as Judge

    found = Judge(text)
    compile_specifier(str(found.specifier))  # it reads versions only when it compares them
    return Requirement(
        normalise(found.name),
        found.name,
        tuple(sorted({normalise(extra) for extra in found.extras})),
        str(found.specifier),
        None if found.marker is None else str(found.marker),
        found.url,
    )
