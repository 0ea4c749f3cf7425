"""Reading ``[[tool.accord.extension]]``: what a project says of its extension modules, checked and typed.

The tables describe, they do not script: there is nothing in them to run and nothing that asks the machine, so they
mean the same everywhere and other tools can read them.  Values in, records and faults out; no file is touched here
(what the globs match is found when the build is configured, because a step may write sources first).
"""

from __future__ import annotations

import re

from ..globs import outside
from . import markers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping

    from ..tables import Table

__all__ = ["GRAMMARS", "KEYS", "LANGUAGES", "LISTS", "Extension", "kind_of", "read_extensions", "resolved"]

LANGUAGES = ("c", "c++", "cython")
LISTS = (
    "sources", "depends", "include-dirs", "include-from", "defines", "undefines", "libraries", "library-dirs",
    "pkg-config", "compile-args", "link-args",
)  # fmt: skip
KEYS = (
    "name", "language", "optional", "limited-api", "free-threaded", "cython-directives", "when", *LISTS,
)  # fmt: skip
_GLOBS = ("sources", "depends")
_FOLDERS = ("include-dirs", "library-dirs")
_KINDS = {
    ".c": "c", ".cc": "c++", ".cpp": "c++", ".cxx": "c++", ".c++": "c++", ".C": "c++", ".pyx": "cython",
}  # fmt: skip
_MACRO = re.compile(r"[A-Za-z_]\w*(?:\([\w, .]*\))?(?:=.*)?", re.ASCII)
_LIMITED = re.compile(r"3\.([0-9]{1,2})")
_PACKAGE = re.compile(r"([A-Za-z0-9][\w.+-]*)\s*(?:(>=|<=|!=|=|<|>)\s*([\w.+:~-]+))?", re.ASCII)
_LIBRARY = re.compile(r"[\w.+:-]+", re.ASCII)
GRAMMARS = (
    ("defines", "define-invalid", _MACRO, "NAME or NAME=VALUE"),
    ("undefines", "define-invalid", _MACRO, "NAME"),
    ("libraries", "library-invalid", _LIBRARY, "the name of a library, without 'lib' and '-l'"),
    ("pkg-config", "pkg-config-invalid", _PACKAGE, "a pkg-config name, such as 'zlib' or 'zlib>=1.2'"),
)


class Extension:
    """One extension module.  ``lists`` holds every array of :data:`LISTS` by its key; ``when`` the additions by marker.

    ``limited_api`` is the minor version of ``limited-api`` (``9`` for ``"3.9"``), ``free_threaded`` what the module
    says of interpreters without a GIL (``None``: nothing), ``built`` false where a marker took the module out.
    """

    __slots__ = (
        "built", "directives", "free_threaded", "language", "limited_api", "lists", "name", "optional", "when",
    )  # fmt: skip

    name: str
    language: str | None
    lists: dict[str, list[str]]
    optional: bool
    limited_api: int | None
    free_threaded: bool | None
    directives: dict[str, str]
    when: list[tuple[str, dict[str, list[str]], bool]]
    built: bool

    @property
    def path(self) -> str:
        """Where the module lies in a wheel, without its suffix: ``spam/_speed``."""
        return self.name.replace(".", "/")

    def everywhere(self, key: str) -> list[str]:
        """The entries of one array for all platforms together: what an sdist must hold."""
        return list(
            dict.fromkeys([*self.lists[key], *(item for _, more, _ in self.when for item in more[key])])
        )


def kind_of(path: str) -> str | None:
    """``"c"``, ``"c++"``, ``"cython"`` by the suffix of a source, ``None`` for what is none."""
    return _KINDS.get(path[path.rfind(".") :]) if "." in path else None


def read_extensions(accord: Table) -> tuple[Extension, ...]:
    """The extensions of ``tool.accord`` in the order written; faults go to the table."""
    found = []
    names: set[str] = set()
    for table in accord.tables("extension"):
        extension = _extension(table)
        if extension.name in names:
            table.fault("extension-twice", "name", f"{extension.name!r} is described once more")
        names.add(extension.name)
        found.append(extension)
    return tuple(found)


def _extension(table: Table) -> Extension:
    table.only(*KEYS)
    result = Extension()
    result.name = _name(table)
    result.language = table.text("language")
    if result.language is not None and result.language not in LANGUAGES:
        table.fault(
            "language-unknown", "language", f"{result.language!r} is not one of {', '.join(LANGUAGES)}"
        )
    result.lists = _lists(table)
    if not table.data.get("sources") and not any(
        isinstance(more, dict) and more.get("sources") for more in _raw_list(table.data.get("when"))
    ):
        table.fault("key-missing", "sources", "is required: globs of the files to compile")
    result.optional = bool(table.flag("optional"))
    result.free_threaded = table.flag("free-threaded")
    result.limited_api = _limited(table)
    result.directives = _directives(table)
    result.when = [_when(more) for more in table.tables("when")]
    result.built = True
    return result


def _raw_list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _name(table: Table) -> str:
    name = table.text("name")
    if "name" not in table.data:
        table.fault("key-missing", "name", "is required: the dotted import name")
    elif name is not None and not all(part.isidentifier() for part in name.split(".")):
        table.fault("extension-name", "name", f"{name!r} is not an import name")
    elif name is not None and not name.isascii():
        table.fault("extension-name", "name", f"{name!r}: use ASCII letters, linkers know no others")
    return name or ""


def _lists(table: Table) -> dict[str, list[str]]:
    lists = {key: table.globs(key) if key in _GLOBS else table.texts(key) for key in LISTS}
    for key in _FOLDERS:
        for path in lists[key]:
            if outside(path):
                table.fault(
                    "path-outside", key, f"{path!r} must lie inside the project; write it relative, with /"
                )
    for key, code, grammar, what in GRAMMARS:
        for item in lists[key]:
            if not grammar.fullmatch(item) or (key == "undefines" and "=" in item):
                table.fault(code, key, f"{item!r} is not {what}")
    for key in ("compile-args", "link-args"):
        for item in lists[key]:
            if "\n" in item or not item:
                table.fault("argument-invalid", key, f"{item!r} cannot be an argument of a compiler")
    return lists


def _limited(table: Table) -> int | None:
    text = table.text("limited-api")
    if text is None:
        return None
    match = _LIMITED.fullmatch(text)
    if match is None or int(match[1]) < 2:
        table.fault(
            "limited-api-invalid", "limited-api", f"{text!r} is not a Python from '3.2' on, such as '3.9'"
        )
        return None
    return int(match[1])


def _directives(table: Table) -> dict[str, str]:
    inner = table.table("cython-directives")
    found = {}
    for key, value in inner.data.items():
        if isinstance(value, (bool, int, str)) and re.fullmatch(r"[\w.]+", key):
            found[key] = str(value)
        else:
            inner.fault("wrong-type", key, "must be true, false, a number or a string")
    return found


def _when(table: Table) -> tuple[str, dict[str, list[str]], bool]:
    table.only(*("marker", "build", *LISTS))
    marker = table.text("marker")
    if "marker" not in table.data:
        table.fault("key-missing", "marker", "is required: on which platforms the additions count")
    elif marker is not None:
        problem = markers.problem(marker)
        if problem:
            table.fault("marker-invalid", "marker", f"{marker!r}: {problem}")
    built = table.flag("build")
    return marker or "", _lists(table), built is None or built


def resolved(extension: Extension, environment: Mapping[str, str]) -> Extension:
    """The extension for one platform: what its matching ``when`` tables add comes after what all have."""
    result = Extension()
    for slot in Extension.__slots__:
        setattr(result, slot, getattr(extension, slot))
    result.lists = {key: list(items) for key, items in extension.lists.items()}
    for marker, more, built in extension.when:
        if markers.evaluate(marker, environment):
            result.built = result.built and built
            for key, items in more.items():
                result.lists[key] += items
    return result
