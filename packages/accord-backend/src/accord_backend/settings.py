"""Reading ``[tool.accord.build]``: which files go where, and where the version is written.

Every fault is told with its place and, where a key is nearly right, the right one.  Named files are looked for, so
that a table that ships nothing is found here and not by whoever installs the wheel.  Writes nothing.
"""

from __future__ import annotations

import os

from . import layout, rules
from .globs import Pattern, Unusable
from .trees import matching

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .project import Project
    from .tables import Table

__all__ = ["KEYS", "read", "version_source"]

KEYS = frozenset((
    "modules", "sdist-include", "sdist-exclude", "wheel-exclude", "version", "scripts", "headers", "data", "sboms",
))  # fmt: skip
_VERSION_KEYS = frozenset(("module", "attribute", "file", "git", "tag-prefix", "fallback"))
_MOST_PATTERNS = 1000  # in one list


def read(table: Table, result: Project) -> None:
    """Put what ``[tool.accord.build]`` says into ``result``."""
    _modules(table, result)
    result.sdist_include = _patterns(table, "sdist-include")
    result.sdist_exclude = _patterns(table, "sdist-exclude", hidden=True)
    result.wheel_exclude = _patterns(table, "wheel-exclude", hidden=True)
    result.scripts = _flat_names(table, "scripts", result)
    commands = {
        name for group in ("console_scripts", "gui_scripts") for name in result.entry_points.get(group, ())
    }
    for name in sorted(commands & {target for _, target in result.scripts}):
        table.fault("script-twice", "scripts", f"{name!r} is also a command of project.scripts")
    result.sboms = _flat_names(table, "sboms", result)
    result.headers = [
        pair for pattern in _patterns(table, "headers") for pair in _placed(table, "headers", pattern, result)
    ]
    _unique(table, "headers", result.headers)
    _data(table, result)


def _modules(table: Table, result: Project) -> None:
    result.modules = table.texts("modules") if "modules" in table.data else None
    for module in result.modules or ():
        if not layout.is_module_name(module):
            table.fault("module-invalid", "modules", f"{module!r} is not an import name")


def _patterns(table: Table, key: str, *, hidden: bool = False) -> tuple[Pattern, ...]:
    texts = table.texts(key)
    if len(texts) > _MOST_PATTERNS:
        table.fault("glob-invalid", key, f"up to {_MOST_PATTERNS} patterns")
        return ()
    found = []
    for text in texts:
        try:
            found.append(Pattern(text, hidden=hidden))
        except Unusable as fault:
            table.fault(fault.code, key, str(fault))
    return tuple(found)


def _files(table: Table, key: str, pattern: Pattern, result: Project) -> list[str]:
    """The files of a pattern that must match; none of them is a link to somewhere else."""
    found = matching(result.tree, pattern)
    if not found:
        table.fault("file-missing", key, f"no file matches {pattern.text!r}")
    root = os.path.realpath(result.root) + os.sep
    inside = []
    for path in found:
        if os.path.realpath(os.path.join(result.root, path)).startswith(root):
            inside.append(path)
        else:
            table.fault("path-outside", key, f"{path!r} is a link out of the project")
    return inside


def _flat_names(table: Table, key: str, result: Project) -> list[tuple[str, str]]:
    pairs = [
        (path, path.rpartition("/")[2])
        for pattern in _patterns(table, key)
        for path in _files(table, key, pattern, result)
    ]
    _unique(table, key, pairs)
    return pairs


def _placed(table: Table, key: str, pattern: Pattern, result: Project) -> list[tuple[str, str]]:
    # "assets/**" keeps the folders below assets: what stands before the first wildcard is where from, not where to.
    cut = len(pattern.folder) + 1 if pattern.folder else 0
    return [(path, path[cut:]) for path in _files(table, key, pattern, result)]


def _unique(table: Table, key: str, pairs: list[tuple[str, str]]) -> None:
    seen: dict[str, str] = {}
    for path, target in pairs:
        other = seen.setdefault(target, path)
        if other != path:
            table.fault("target-twice", key, f"{other!r} and {path!r} would both be installed as {target!r}")


def _data(table: Table, result: Project) -> None:
    inner = table.table("data")
    result.data = []
    for folder in inner.data:
        names = folder.split("/")
        if not all(names) or {".", ".."} & set(names) or "\\" in folder or ":" in folder:
            inner.fault(
                "path-outside",
                folder,
                f"{folder!r} must be a folder below the environment's, such as share/x",
            )
            continue
        for pattern in _patterns(inner, folder):
            pairs = _placed(inner, folder, pattern, result)
            result.data += [(path, f"{folder}/{target}") for path, target in pairs]
    _unique(table, "data", result.data)


def version_source(table: Table, dynamic: bool) -> dict[str, Any]:
    """The table ``version`` in ``[tool.accord.build]``, checked: exactly one of module, file and git."""
    if "version" not in table.data:
        if dynamic:
            table.fault(
                "version-source-missing", "version",
                "project.dynamic names version; say where it is: version = {module = 'spam'}, {file = 'VERSION'} or "
                "{git = true}",
            )  # fmt: skip
        return {}
    inner = table.table("version")
    if not isinstance(table.data["version"], dict):
        return {}
    if not dynamic:
        table.fault("version-twice", "version", "needs project.dynamic = ['version'] and no project.version")
    inner.only(*_VERSION_KEYS)
    found: dict[str, Any] = {}
    for key in ("module", "attribute", "file", "tag-prefix", "fallback"):
        value = inner.text(key)
        if value is not None:
            found[key] = value
    if inner.data.get("git", True) is not True:
        inner.fault("wrong-type", "git", "is true or left out")
    found.update({"git": True} if inner.data.get("git") is True else {})
    if len({"module", "file", "git"} & set(inner.data)) != 1:
        table.fault("version-source-invalid", "version", "give exactly one of module, file and git")
    for key, owner in (("attribute", "module"), ("tag-prefix", "git"), ("fallback", "git")):
        if key in inner.data and owner not in inner.data:
            inner.fault("version-source-invalid", key, f"belongs to {owner}")
    _version_texts(inner, found)
    return found


def _version_texts(inner: Table, found: dict[str, Any]) -> None:
    if "module" in found and not layout.is_module_name(found["module"]):
        inner.fault("module-invalid", "module", f"{found['module']!r} is not an import name")
    if "attribute" in found and not found["attribute"].isidentifier():
        inner.fault("version-source-invalid", "attribute", f"{found['attribute']!r} is not a name")
    if "fallback" in found and rules.normal_version(found["fallback"]) is None:
        inner.fault("version-invalid", "fallback", f"{found['fallback']!r} is not a version (PEP 440)")
    if any(sign in found.get("tag-prefix", "") for sign in "*?[\\") or found.get("tag-prefix", "").startswith(
        "-"
    ):
        inner.fault("version-source-invalid", "tag-prefix", "is plain text, and does not begin with '-'")
    if "file" in found:
        try:
            if Pattern(found["file"]).folder != found["file"].rpartition("/")[0] or "*" in found["file"]:
                raise Unusable("glob-invalid", "names one file, without wildcards")
        except Unusable as fault:
            inner.fault(fault.code, "file", str(fault))
