"""What the core metadata of a file declare, looked at whole: all faults at once, each with the value it is about.

Bytes in, words out (core metadata specifications, PEP 508, 440, 639).  What honest tools of older days wrote otherwise is
known and let pass: it harms nobody who reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.metadata import InvalidMetadata, Metadata, RawMetadata, parse_email
from packaging.requirements import InvalidRequirement, Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accord.wheels.fields import Fields

__all__ = ["direct_urls", "faults_in"]

_VALUE = 200  # letters of a value that are shown


def faults_in(data: bytes, fields: Fields) -> tuple[str, ...]:
    """Why these metadata are not valid, in words; ``()`` where they are."""
    raw, unparsed = parse_email(data)
    found = [
        f"{name}: stands there twice, or is not UTF-8: {_shown(values)}"
        for name, values in unparsed.items()
        if name in _SINGLE
    ]
    _forgive(raw)
    try:
        Metadata.from_raw(raw, validate=True)
    except ExceptionGroup as group:
        for fault in group.exceptions:
            where = fault.field if isinstance(fault, InvalidMetadata) else "metadata"
            found.append(f"{where}: {fault}"[: 2 * _VALUE])
    for name in _CONTROLLED:
        found.extend(
            f"{name}: holds control characters: {value[:_VALUE]!r}"
            for value in fields.all(name)
            if any(sign < " " or "\x7f" <= sign < "\xa0" for sign in value)
        )
    return tuple(found)


_ONCE = """metadata-version name version summary description description-content-type keywords home-page download-url author
    author-email maintainer maintainer-email license license-expression requires-python"""
_SINGLE = frozenset(_ONCE.split())
_CONTROLLED = (
    "Name",
    "Version",
    "Requires-Python",
    "Requires-Dist",
    "Provides-Extra",
    "Home-page",
    "Project-URL",
)


def _forgive(raw: RawMetadata) -> None:
    """Tools of old wrote fields before the version that has them, and markers where an extra should stand."""
    version = raw.get("metadata_version", "")
    if version not in _VERSIONS:
        return  # which is told as a fault
    if raw.get("description_content_type") == "UNKNOWN":  # what setuptools of 2017 wrote for nothing
        raw.pop("description_content_type")
    if version < "2.4":
        raw.pop("license_files", None)
    if version < "2.3":  # PEP 685
        raw.pop("provides_extra", None)
    raw["metadata_version"] = _NEWEST


_VERSIONS = ("1.0", "1.1", "1.2", "2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6")
_NEWEST = "2.6"


def _shown(values: list[str]) -> str:
    return ", ".join(repr(value[:_VALUE]) for value in values[:3])


def direct_urls(requirements: Iterable[str]) -> tuple[str, ...]:
    """Those that name a URL of their own (``name @ URL``), which no index answers for."""
    found = []
    for text in requirements:
        try:
            if Requirement(text).url is not None:
                found.append(text)
        except InvalidRequirement:
            continue
    return tuple(found)
