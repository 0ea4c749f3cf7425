"""``entry_points.txt`` (entry points specification, "File format") and the names a script may have.

Read without ``configparser``, which lower-cases nothing here but costs a start-up.  A script's name becomes a
file name in the folder every command is looked up in, so it is one plain part and never a name the environment
itself needs.
"""

from __future__ import annotations

from ..errors import ArchiveError

__all__ = ["EntryPoint", "check_script_name", "parse_entry_points", "scripts"]

_RESERVED_STEMS = ("python", "pythonw", "pypy", "pypyw", "graalpy")
_RESERVED = frozenset(("activate", "activate_this", "deactivate", "pyvenv"))
_LAUNCHER_SUFFIXES = (".exe", ".bat", ".cmd", ".ps1", ".csh", ".fish", ".nu", ".xsh", ".py", ".cfg", ".com")
_FORBIDDEN = frozenset('/\\*?"<>|')  # a colon may stand in a name ("Data model")


class EntryPoint:
    """``group``, ``name`` and the reference taken apart: ``module``, ``attribute`` ("" where there is none)."""

    __slots__ = ("attribute", "group", "module", "name")

    def __init__(self, group: str, name: str, module: str, attribute: str) -> None:
        self.group = group
        self.name = name
        self.module = module
        self.attribute = attribute

    def __repr__(self) -> str:
        return f"<EntryPoint {self.group} {self.name} = {self.module}:{self.attribute}>"


def parse_entry_points(data: bytes) -> tuple[EntryPoint, ...]:
    """Every entry point, in order.  Extras after the reference are dropped, as the specification asks.

    Raises ``ArchiveError``: ``entry-points-invalid`` (not UTF-8, no group, no ``=``, no object reference),
    ``entry-point-twice``, and for scripts those of :func:`check_script_name`.
    """
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise ArchiveError("entry-points-invalid", "entry_points.txt is not UTF-8") from None
    group = None
    found: dict[tuple[str, str], EntryPoint] = {}
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[" and line[-1] == "]":
            group = line[1:-1].strip()
            continue
        name, equals, reference = (part.strip() for part in line.partition("="))
        module, colon, attribute = (part.strip() for part in reference.partition("[")[0].partition(":"))
        script = group in ("console_scripts", "gui_scripts")
        if (
            not group
            or not equals
            or not name
            or not _is_dotted(module)
            or (colon and not _is_dotted(attribute))
        ):
            raise ArchiveError("entry-points-invalid", f"line {number} of entry_points.txt: {line[:200]!r}")
        if script:
            check_script_name(name)
            if not attribute:
                raise ArchiveError(
                    "entry-points-invalid", f"the script {name!r} names no function: {line[:200]!r}"
                )
        if (group, name) in found:
            raise ArchiveError("entry-point-twice", f"{name!r} is in the group {group} twice")
        found[group, name] = EntryPoint(group, name, module, attribute)
    return tuple(found.values())


def scripts(points: tuple[EntryPoint, ...]) -> tuple[EntryPoint, ...]:
    """Those that become launchers: groups ``console_scripts`` and ``gui_scripts``."""
    return tuple(point for point in points if point.group in ("console_scripts", "gui_scripts"))


def _is_dotted(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


def check_script_name(name: str) -> None:
    """Refuse a name that is a path (``script-name-path``) or the environment's own (``script-name-reserved``)."""
    drive = name[1:2] == ":"  # "c:spam" is a path elsewhere
    if name in ("", ".", "..") or drive or not _FORBIDDEN.isdisjoint(name) or not name.isprintable():
        raise ArchiveError(
            "script-name-path", f"{name!r} is a path or no file name; a script has a plain name"
        )
    stem = name.lower()
    for suffix in _LAUNCHER_SUFFIXES:
        stem = stem.removesuffix(suffix)
    bare = stem.rstrip("0123456789.t") if stem[:1] in "pg" else stem
    if stem in _RESERVED or stem in _RESERVED_STEMS or bare in _RESERVED_STEMS:
        raise ArchiveError(
            "script-name-reserved",
            f"a script named {name!r} would replace a part of the environment itself",
            hint="do not install this package; report it to the index",
        )
