"""One requirement as people write it in a requirements file or on a command line: PEP 508, or a path, or a URL.

What is a path and what a name is decided by its looks, as pip does, without asking any file system.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from accord_core.errors import Where
from accord_core.index.filenames import split_wheel
from accord_core.names import normalise, valid
from accord_core.project.markers import normal_marker
from accord_core.project.requirement import Requirement, parse_requirement

__all__ = ["Entry", "check_constraint", "read_entry", "read_hash", "read_setting", "slip"]

_URL = re.compile(r"^([a-z][a-z0-9+.-]*://|file:)", re.IGNORECASE)
_NAMED = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*\s*(\[[^\]]*\])?\s*@")
_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")
_EXTRAS = re.compile(r"^(.+?)\[([^\[\]]*)\]$")
_MARKER = re.compile(r"\s;|;\s")
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz")
_HASHES = {"sha256": 64, "sha384": 96, "sha512": 128}  # the algorithms pip calls strong
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Entry:
    """One requirement of a file.

    ``requirement`` is None for a path or URL whose name only its metadata tells; ``location`` is that path or URL
    as written (None for an ordinary requirement), with ``extras`` and ``marker`` beside it.  ``hashes`` are
    ``algorithm:digest``.
    """

    text: str
    where: Where
    requirement: Requirement | None
    location: str | None = None
    extras: tuple[str, ...] = ()
    marker: str | None = None
    editable: bool = False
    constraint: bool = False
    hashes: tuple[str, ...] = ()
    config_settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """``requirements.in:3``, for people."""
        return self.where.path if self.where.line is None else f"{self.where.path}:{self.where.line}"


def read_entry(text: str, where: Where, *, editable: bool = False) -> Entry:
    """Read ``name>=1``, ``name @ URL``, ``./path[extra] ; marker``, ``git+https://…#egg=name``, ``x.whl``.

    Raises ``ValueError`` saying what is wrong with it.
    """
    text = text.strip()
    if _NAMED.match(text) and not _URL.match(text):
        requirement = parse_requirement(text)
        found = (requirement.url, requirement.extras, requirement.marker)
        return Entry(text, where, requirement, *found, editable=editable)
    location, marker = _split_marker(text)
    if not _is_location(location):
        if editable:
            if any(sign in location for sign in "<>=!~@"):
                raise ValueError("only a path or a URL can be editable")
            location = (
                f"./{location}"  # "-e src" is the directory src: an editable is never a name from an index
            )
        else:
            return Entry(text, where, parse_requirement(text))
    if marker is not None:
        marker = normal_marker(marker)
    extras: tuple[str, ...] = ()
    bracket = _EXTRAS.match(location)
    if bracket is not None and "#" not in location:
        location, extras = bracket[1], _extras(bracket[2])
    name, of_fragment = _name_in(location)
    extras = tuple(sorted({*extras, *of_fragment}))
    requirement_known = None
    if name is not None:
        requirement_known = Requirement(normalise(name), name, extras, "", marker, location)
    return Entry(text, where, requirement_known, location, extras, marker, editable=editable)


def _split_marker(text: str) -> tuple[str, str | None]:
    """A URL may hold semicolons, so there one counts only with a space beside it."""
    if _URL.match(text) or "+" in text.partition("://")[0]:
        pieces = _MARKER.split(text, maxsplit=1)
        return pieces[0].strip(), pieces[1].strip() if len(pieces) > 1 else None
    location, semicolon, marker = text.partition(";")
    return location.strip(), marker.strip() if semicolon else None


def _is_location(text: str) -> bool:
    if _URL.match(text):
        return True
    bare = text.partition("[")[0].strip()
    return (
        bare.startswith((".", "~/"))
        or "/" in bare
        or _DRIVE.match(bare) is not None
        or bare.lower().endswith(_ARCHIVES)
    )


def _extras(inside: str) -> tuple[str, ...]:
    names = [name.strip() for name in inside.split(",") if name.strip()]
    for name in names:
        if not valid(name):
            raise ValueError(f"{name!r} is not the name of an extra")
    return tuple(sorted({normalise(name) for name in names}))


def _name_in(location: str) -> tuple[str | None, tuple[str, ...]]:
    """The name a location tells: that of a wheel, or what ``#egg=name[extras]`` says (pip's fragment)."""
    if not _URL.match(location):
        last = location.replace("\\", "/").rpartition("/")[2]
        wheel = split_wheel(last)
        return (None if wheel is None else wheel.name), ()
    parts = urlsplit(location)
    egg = parse_qs(parts.fragment).get("egg", [""])[0]
    if egg:
        name, bracket, inside = egg.partition("[")
        if not valid(name):
            raise ValueError(f"#egg={egg} does not name a project")
        return name, _extras(inside.rstrip("]")) if bracket else ()
    wheel = split_wheel(unquote(parts.path.rpartition("/")[2]))
    return (None if wheel is None else wheel.name), ()


def read_hash(value: str) -> str:
    """The value of ``--hash``: ``algorithm:digest``.  Raises ``ValueError``."""
    algorithm, _, digest = value.partition(":")
    size = _HASHES.get(algorithm)
    if size is None:
        raise ValueError(f"--hash takes {', '.join(_HASHES)}, not {algorithm!r}")
    if len(digest) != size or not _HEX.issuperset(digest.lower()):
        raise ValueError(f"{digest!r} is not a {algorithm} digest: it has {size} hexadecimal digits")
    return f"{algorithm}:{digest.lower()}"


def read_setting(value: str) -> tuple[str, str]:
    """The value of ``--config-settings``: ``key=value``.  Raises ``ValueError``."""
    key, equals, setting = value.partition("=")
    if not key or not equals:
        raise ValueError(f"--config-settings takes key=value, not {value!r}")
    return key, setting


def check_constraint(entry: Entry) -> None:
    """Raise ``ValueError`` for what cannot limit anything: no name, editable, or with extras (pip's rule)."""
    if entry.requirement is None:
        raise ValueError("a constraint needs a name")
    if entry.editable:
        raise ValueError("a constraint cannot be editable")
    if entry.requirement.extras:
        raise ValueError("a constraint cannot have extras")


def slip(text: str) -> str | None:
    """A hint for the slips seen most, or None."""
    compact = text.partition(";")[0].replace(" ", "")
    if "^" in compact:
        return "'^1.2' is another tool's notation: write '>=1.2,<2'"
    if "=" in compact and not any(operator in compact for operator in ("==", ">=", "<=", "!=", "~=")):
        return "a version is fixed with '=='"
    return None
