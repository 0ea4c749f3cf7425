"""The documents of two distributions, field by field: METADATA or PKG-INFO, WHEEL, and the entry points.

Fields are compared as multisets, because their order says nothing.  With ``spelling`` two ways to write one thing are
one: requirements, names, versions, specifiers and classifiers by ``packaging``, keywords as a set, texts without the
blanks at their ends.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.wheels.fields import Fields, read_fields
from accord_core.archive.entrypoints import parse_entry_points
from accord_core.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Callable

    from accord.wheels.contents import Contents
    from accord.wheels.limits import Limits

__all__ = ["FieldChange", "compare_documents"]

_WHO_WROTE = frozenset(("generator", "metadata-version", "dynamic"))
_POINTS = "entry_points.txt"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """The values of ``field`` that only the old (``removed``) and only the new ``document`` (``added``) have."""

    document: str
    field: str
    removed: tuple[str, ...]
    added: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        return {
            "document": self.document,
            "field": self.field,
            "removed": list(self.removed),
            "added": list(self.added),
        }


def compare_documents(
    old: Contents, new: Contents, *, generator: bool, spelling: bool, limits: Limits
) -> tuple[FieldChange, ...]:
    """``generator``: leave out fields that say who wrote the document; ``spelling``: compare meanings."""
    before, after = _documents(old, limits), _documents(new, limits)
    found: list[FieldChange] = []
    for name in dict.fromkeys((*before, *after)):
        one, other = (_counted(side.get(name, Fields()), spelling=spelling) for side in (before, after))
        for field in dict.fromkeys((*one, *other)):
            if generator and field.lower() in _WHO_WROTE:
                continue
            gone, come = (
                one.get(field, _NONE) - other.get(field, _NONE),
                other.get(field, _NONE) - one.get(field, _NONE),
            )
            if gone or come:
                found.append(
                    FieldChange(name, field, tuple(sorted(gone.elements())), tuple(sorted(come.elements())))
                )
    return tuple(found)


_NONE: Counter[str] = Counter()


def _documents(contents: Contents, limits: Limits) -> dict[str, Fields]:
    if contents.kind == "wheel":
        folder = "-".join(contents.filename.split("-")[:2]) + ".dist-info"
        names = {f"{folder}/{name}": name for name in ("METADATA", "WHEEL", _POINTS)}
    else:
        names = {"PKG-INFO": "PKG-INFO"}
    found = {}
    for path, data in contents.read(names, limits.archive.metadata_bytes).items():
        name = names[path]
        found[name] = _points(data) if name == _POINTS else read_fields(data)
    return found


def _points(data: bytes) -> Fields:
    """Entry points as fields: the group is the field.  What cannot be read is one field of its own."""
    try:
        points = parse_entry_points(data)
    except ArchiveError as fault:
        return Fields((("unreadable", fault.message),))
    return Fields(
        tuple(
            (one.group, f"{one.name} = {one.module}" + (f":{one.attribute}" if one.attribute else ""))
            for one in points
        )
    )


def _counted(fields: Fields, *, spelling: bool) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for key, value in fields.pairs:
        if spelling:
            key = key.title()
            value = _meaning(key, value)
            if not value:
                continue  # an empty field says what no field says
        found.setdefault(key, Counter())[value] += 1
    return found


def _meaning(field: str, value: str) -> str:
    known = _MEANINGS.get(field)
    if known is None:
        return value.strip()
    try:
        return known(value)
    except ValueError:
        return value.strip()


def _requirement(text: str) -> str:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    one = Requirement(text)
    one.name = canonicalize_name(one.name)
    one.extras = {canonicalize_name(extra) for extra in one.extras}
    return str(one)


def _name(text: str) -> str:
    from packaging.utils import canonicalize_name

    return canonicalize_name(text)


def _version(text: str) -> str:
    from packaging.version import Version

    return str(Version(text))


def _specifier(text: str) -> str:
    from packaging.specifiers import SpecifierSet

    return ",".join(sorted(str(one) for one in SpecifierSet(text)))


def _keywords(text: str) -> str:
    return ",".join(sorted(text.replace(",", " ").split()))


def _text(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().split("\n"))


_MEANINGS: dict[str, Callable[[str], str]] = {
    "Requires-Dist": _requirement,
    "Requires-Python": _specifier,
    "Provides-Extra": _name,
    "Name": _name,
    "Version": _version,
    "Keywords": _keywords,
    "Description": _text,
    "License": _text,
}
