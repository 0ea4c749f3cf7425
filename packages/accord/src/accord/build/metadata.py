"""Metadata of a source without building it, where a standard says it can be trusted.

Two standards do: PEP 643 for the ``PKG-INFO`` of an sdist, PEP 621 for the ``[project]`` table of any tree.  Both
come down to "not listed as dynamic".  Whatever is not certain is ``None``, which means: build it.  The answer has
one form whatever its origin, the bytes of a METADATA file.  Reads bytes and tables; opens no file, runs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from accord_core.archive.metadata import Metadata, parse_metadata
from accord_core.errors import ArchiveError
from accord_core.names import normalise, valid

__all__ = ["SourceMetadata", "metadata_identity", "static_project_metadata", "trusted_static_metadata"]

# What a resolver reads; the rest may be dynamic.
_RESOLVED_KEYS = ("version", "dependencies", "optional-dependencies", "requires-python")


@dataclass(frozen=True, slots=True)
class SourceMetadata:
    """``data`` are the bytes of a METADATA file; ``name`` and ``version`` are read from it, in normal form.

    ``origin`` says how it was had: ``PKG-INFO`` (PEP 643), ``pyproject.toml`` (PEP 621), ``built`` (a hook wrote
    it) or ``wheel`` (a wheel holds it).
    """

    name: str
    version: str
    data: bytes
    origin: Literal["PKG-INFO", "pyproject.toml", "built", "wheel"]


def trusted_static_metadata(pkg_info: bytes) -> SourceMetadata | None:
    """The metadata of an sdist's ``PKG-INFO``, if PEP 643 lets it be trusted, else None.

    Trusted is Metadata-Version 2.2 or a later 2.x, with Name and Version, and none of Requires-Dist,
    Requires-Python, Provides-Extra (nor Name or Version) marked ``Dynamic``.
    """
    try:
        metadata = parse_metadata(pkg_info)
    except ArchiveError:
        return None
    if not metadata.is_static() or "name" in metadata.dynamic:
        return None
    identity = _identity(metadata)
    if identity is None or not all(_is_requirement(text) for text in metadata.requires_dist):
        return None
    return SourceMetadata(*identity, pkg_info, "PKG-INFO")


def metadata_identity(data: bytes) -> tuple[str, str] | None:
    """Name and version of METADATA bytes in normal form; None when either is missing or invalid."""
    try:
        return _identity(parse_metadata(data))
    except ArchiveError:
        return None


def _identity(metadata: Metadata) -> tuple[str, str] | None:
    from packaging.version import Version

    if not valid(metadata.name):
        return None
    try:
        return normalise(metadata.name), str(Version(metadata.version))
    except ValueError:  # InvalidVersion, and numbers of more digits than int() reads
        return None


def static_project_metadata(document: dict[str, Any], *, has_setup: bool) -> SourceMetadata | None:
    """METADATA made from the ``[project]`` table of ``pyproject.toml``, if nothing a resolver reads is dynamic.

    PEP 621 lets a backend fill only what ``dynamic`` lists.  Two backends of history did otherwise where
    ``dependencies`` is missing: Poetry with its own table, and setuptools with ``setup.py`` or ``setup.cfg``
    (``has_setup``); those are not certain, hence None.  So is a requirement that is not PEP 508 or that a backend
    would fill in (``{root:uri}``).
    """
    table = document.get("project")
    if not isinstance(table, dict):
        return None
    dynamic = table.get("dynamic", [])
    if not isinstance(dynamic, list) or any(key in dynamic for key in _RESOLVED_KEYS):
        return None
    if "dependencies" not in table and (has_setup or _has_poetry_table(document)):
        return None
    try:
        lines = _project_lines(table)
    except (TypeError, ValueError, AttributeError):
        return None
    if lines is None or any("\n" in line or "\r" in line for line in lines):
        return None
    data = ("\n".join(lines) + "\n").encode()
    identity = metadata_identity(data)
    return None if identity is None else SourceMetadata(*identity, data, "pyproject.toml")


def _project_lines(table: dict[str, Any]) -> list[str] | None:
    """Header lines of METADATA.  ValueError (of which packaging's errors are kinds) or TypeError: not certain."""
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    name, version = table.get("name"), table.get("version")
    if not isinstance(name, str) or not isinstance(version, str) or not valid(name):
        return None
    lines = ["Metadata-Version: 2.2", f"Name: {name}", f"Version: {Version(version)}"]
    if "requires-python" in table:
        lines.append(f"Requires-Python: {SpecifierSet(table['requires-python'])}")
    lines += [f"Requires-Dist: {_requirement(text, None)}" for text in _list(table.get("dependencies", []))]
    for extra, texts in table.get("optional-dependencies", {}).items():
        if not valid(extra):
            return None
        lines.append(f"Provides-Extra: {normalise(extra)}")
        lines += [f"Requires-Dist: {_requirement(text, normalise(extra))}" for text in _list(texts)]
    return lines


def _list(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError("not a list of strings")
    return value


def _requirement(text: str, extra: str | None) -> str:
    from packaging.markers import Marker
    from packaging.requirements import Requirement

    from accord_core.project.markers import require_shallow

    if "{" in text:
        raise ValueError("a backend fills this in")
    require_shallow(text)
    requirement = Requirement(text)
    if extra is not None:
        condition = f'extra == "{extra}"'
        requirement.marker = Marker(
            f"({requirement.marker}) and {condition}" if requirement.marker else condition
        )
    return str(requirement)


def _has_poetry_table(document: dict[str, Any]) -> bool:
    tool = document.get("tool")
    return (
        isinstance(tool, dict) and isinstance(tool.get("poetry"), dict) and "dependencies" in tool["poetry"]
    )


def _is_requirement(text: str) -> bool:
    from accord_core.project.requirement import parse_requirement

    try:
        parse_requirement(text)
    except ValueError:
        return False
    return True
