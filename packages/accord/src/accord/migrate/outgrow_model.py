"""What ``[[tool.accord.extension]]`` and ``[[tool.accord.step]]`` say, made ready for writing in another backend's words.

Globs are expanded by the names of the project's files, markers taken apart where both build systems can ask the same.
Values in, values out.  The description must be one the backend accepts; it is not checked here again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["REMOVED", "Addition", "Extension", "Outgrown", "Project", "matching", "read"]

REMOVED = ("tool.accord.extension", "tool.accord.step", "tool.accord.build", "tool.accord.backend")
_LISTS = (
    "sources", "depends", "include-dirs", "include-from", "defines", "undefines", "libraries", "library-dirs",
    "pkg-config", "compile-args", "link-args",
)  # fmt: skip
_LEFT_OUT = re.compile(r"(^|/)(__pycache__|\.[^/]+)(/|$)|\.(pyc|so|pyd)$")
_SIMPLE_MARKER = re.compile(r"""\s*(?:(\w+)\s*(==|!=)\s*(["'])([\w.]+)\3)\s*""")


@dataclass(frozen=True, slots=True)
class Outgrown:
    """What to write.  ``files`` are new texts by path; ``build_system`` replaces that table of ``pyproject.toml``, ``tool`` holds
    tables to set below ``tool``, ``removed`` dotted keys to take out; ``notes`` say what was not carried over."""

    files: Mapping[str, str]
    build_system: Mapping[str, Any]
    tool: Mapping[str, Any]
    removed: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Addition:
    """Entries of one ``when`` table, or of the extension itself (``condition`` empty)."""

    condition: tuple[tuple[str, str, str], ...]  # (marker name, == or !=, value), all of them
    lists: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Extension:
    name: str
    cplus: bool
    cython: bool
    limited: str | None
    directives: Mapping[str, str]
    additions: tuple[Addition, ...]  # the extension's own entries first

    @property
    def target(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def package(self) -> str:
        return self.name.rpartition(".")[0].replace(".", "/")

    def languages(self) -> set[str]:
        sources = [path for one in self.additions for path in one.lists["sources"]]
        found = {"cython" for path in sources if path.endswith(".pyx")}
        found |= {"cpp" for path in sources if re.search(r"\.(cc|cpp|cxx|c\+\+|C)$", path)}
        return found | ({"cpp"} if self.cplus else set()) | {"c"}


@dataclass(frozen=True, slots=True)
class Project:
    name: str
    version: str | None
    base: str
    modules: tuple[str, ...]  # files of the packages, relative to the root
    made: tuple[str, ...]  # what steps make inside the packages and no module is compiled from
    extensions: tuple[Extension, ...]
    steps: tuple[Mapping[str, Any], ...]
    files: tuple[str, ...]


def read(
    document: Mapping[str, Any], files: Sequence[str], packages: Sequence[str], base: str, notes: list[str]
) -> Project:
    accord = document.get("tool", {}).get("accord", {})
    extensions = tuple(_extension(table, files, notes) for table in accord.get("extension", ()))
    ours = {
        path
        for one in extensions
        for more in one.additions
        for key in ("sources", "depends")
        for path in more.lists[key]
    }
    prefix = f"{base}/" if base else ""
    tops = [prefix + name.replace(".", "/") for name in packages]
    steps = tuple(accord.get("step", ()))
    outputs = {path for step in steps for path in step["outputs"]}
    shipped = [
        path
        for path in sorted({*files, *outputs})
        if any(path.startswith(f"{top}/") or path == f"{top}.py" for top in tops)
        and not _LEFT_OUT.search(path)
        and (path not in ours or path.endswith(".pxd"))
    ]
    modules = tuple(path for path in shipped if path not in outputs)
    made = tuple(path for path in shipped if path in outputs)
    notes += [
        f"tool.accord.build.{key} has to be said again in the words of the other backend"
        for key in sorted(set(accord.get("build", {})) - {"modules", "sdist-include"})
    ]
    project = document["project"]
    return Project(
        project["name"], project.get("version"), base, modules, made, extensions, steps, tuple(sorted(files))
    )


def _extension(table: Mapping[str, Any], files: Sequence[str], notes: list[str]) -> Extension:
    name = table["name"]
    additions = [Addition((), _lists(table, files))]
    for when in table.get("when", ()):
        condition = _condition(when["marker"])
        if condition is None or when.get("build") is False:
            notes.append(f"{name}: the additions for {when['marker']!r} were not carried over")
        else:
            additions.append(Addition(condition, _lists(when, files)))
    if table.get("optional"):
        notes.append(f"{name}: optional was not carried over; the module is required now")
    if table.get("free-threaded") is not None:
        notes.append(f"{name}: free-threaded was not carried over; the module's own Py_mod_gil slot says it")
    sources = [path for one in additions for path in one.lists["sources"]]
    return Extension(
        name,
        table.get("language") == "c++",
        any(path.endswith(".pyx") for path in sources),
        table.get("limited-api"),
        {key: str(value) for key, value in table.get("cython-directives", {}).items()},
        tuple(additions),
    )


def _lists(table: Mapping[str, Any], files: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found = {key: tuple(table.get(key, ())) for key in _LISTS}
    for key in ("sources", "depends"):
        # What a step makes is not there to be matched; its name is written out.
        found[key] = tuple(
            dict.fromkeys(
                path
                for item in found[key]
                for path in (matching(item, files) or ([item] if "*" not in item else []))
            )
        )
    return found


def matching(pattern: str, files: Sequence[str]) -> list[str]:
    """The files a glob of the description matches, sorted."""
    known = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]+\])", pattern)
    text = "".join(
        known.get(part) or (part if part[:1] == "[" and part[-1:] == "]" else re.escape(part))
        for part in parts
    )
    return sorted(path for path in files if re.fullmatch(text, path))


def _condition(marker: str) -> tuple[tuple[str, str, str], ...] | None:
    """Comparisons joined by ``and`` that both build systems can say; ``None`` for any other marker."""
    found = []
    for part in re.split(r"\band\b", marker):
        match = _SIMPLE_MARKER.fullmatch(part)
        if match is None or match[1] not in (
            "sys_platform",
            "platform_system",
            "platform_machine",
            "os_name",
        ):
            return None
        found.append((match[1], match[2], match[4]))
    return tuple(found)
