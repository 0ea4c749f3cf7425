"""What pip was told: its configuration files and its variables (hot).

Files are found and read as ``pip config`` documents: global, then user, then the environment's own, then
``PIP_CONFIG_FILE``; a command's section beats ``[global]``; a variable beats every file.  ``configparser`` costs 8 ms,
more than everything else here together, so a reader of the part of its grammar that pip uses stands below, with
``configparser`` as its oracle in the tests.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["PipSettings", "config_files", "parse_ini", "read"]

_SECTIONS = ("global", "download", "install")  # later beats earlier
_MAX_BYTES = 1024 * 1024


class PipSettings:
    """Options by their long names, e.g. ``extra-index-url``; each with the place it was written in."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, tuple[str, str]]) -> None:
        self._values = values

    def get(self, name: str) -> tuple[str, str] | None:
        """``(value, origin)``, or None for what is not set or empty."""
        return self._values.get(name)

    def several(self, name: str) -> tuple[list[str], str]:
        """The words of a value that may be repeated, and their origin."""
        found = self._values.get(name)
        return ([], "") if found is None else (found[0].split(), found[1])


def read(environ: Mapping[str, str], prefix: str | None) -> PipSettings:
    """Files and variables together.  ``prefix`` is the root of the environment whose own ``pip.conf`` counts.

    A file that cannot be read or understood is left to pip to complain about.
    """
    values: dict[str, tuple[str, str]] = {}
    sections: dict[str, dict[str, tuple[str, str]]] = {name: {} for name in _SECTIONS}
    for path in config_files(environ, prefix):
        for section, options in _parse_file(path).items():
            if section in sections:
                for name, value in options.items():
                    sections[section][_long(name)] = (value, path)
    for section in _SECTIONS:
        values.update(sections[section])
    for name, value in environ.items():
        if name[:4] == "PIP_" and value and name not in {"PIP_CONFIG_FILE", "PIP_VERSION"}:
            values[_long(name[4:])] = (value, name)
    return PipSettings({name: each for name, each in values.items() if each[0].strip()})


def config_files(environ: Mapping[str, str], prefix: str | None) -> list[str]:
    """Every place pip looks, weakest first; the files need not exist."""
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return []
    basename = "pip.ini" if sys.platform == "win32" else "pip.conf"
    found = [os.path.join(folder, basename) for folder in _global_folders(environ)]
    if not (named and os.path.exists(named)):
        home = environ.get("HOME") or os.path.expanduser("~")
        found.append(os.path.join(home, "pip" if sys.platform == "win32" else ".pip", basename))
        found.append(os.path.join(_user_folder(environ, home), basename))
    if prefix:
        found.append(os.path.join(prefix, basename))
    if named:
        found.append(named)
    return found


def _global_folders(environ: Mapping[str, str]) -> list[str]:
    if sys.platform == "win32":
        return [os.path.join(environ.get("PROGRAMDATA", "C:\\ProgramData"), "pip")]
    if sys.platform == "darwin":
        return ["/Library/Application Support/pip"]
    given = environ.get("XDG_CONFIG_DIRS", "") or "/etc/xdg"
    return [*(os.path.join(folder, "pip") for folder in given.split(os.pathsep) if folder), "/etc"]


def _user_folder(environ: Mapping[str, str], home: str) -> str:
    if sys.platform == "win32":
        return os.path.join(environ.get("APPDATA") or os.path.join(home, "AppData", "Roaming"), "pip")
    if sys.platform == "darwin":
        native = os.path.join(home, "Library", "Application Support", "pip")
        if os.path.isdir(native):
            return native
    return os.path.join(environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "pip")


def _long(name: str) -> str:
    return name.lower().replace("_", "-").removeprefix("--")


def _parse_file(path: str) -> dict[str, dict[str, str]]:
    try:
        with open(path, "rb") as stream:
            text = stream.read(_MAX_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    return parse_ini(text.splitlines())


def parse_ini(lines: Iterable[str]) -> dict[str, dict[str, str]]:
    """Sections and their options as ``configparser.RawConfigParser`` reads them; option names in lower case.

    Lines that are no part of the grammar are stepped over, and options before the first section are nobody's.
    """
    sections: dict[str, dict[str, str]] = {}
    current: dict[str, list[str]] = {}
    collected: dict[str, dict[str, list[str]]] = {}
    option: list[str] | None = None
    indent = 0
    for line in lines:
        text = line.strip()
        if not text or text[0] in "#;":
            if not text and option is not None:
                option.append("")  # an empty line inside a value belongs to it; at its end it is cut off
            continue
        depth = len(line) - len(line.lstrip())
        if option is not None and depth > indent:
            option.append(text)
            continue
        indent = depth
        if text[0] == "[" and "]" in text:
            current = collected.setdefault(text[1 : text.rindex("]")], {})
            option = None
            continue
        at = min((place for mark in "=:" if (place := text.find(mark)) >= 0), default=-1)
        if at <= 0:
            option = None
            continue
        option = current[text[:at].rstrip().lower()] = [text[at + 1 :].strip()]
    for section, options in collected.items():
        sections[section] = {name: "\n".join(value).rstrip() for name, value in options.items()}
    return sections
