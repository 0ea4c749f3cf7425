"""A project that outgrew its description: the same ``pyproject.toml`` for another backend, and that backend's own files.

Reads the folder through ``Tree``; what ``accord.migrate.outgrow`` says is put into the document, comments and all other
tables as they are.  Nothing is written here.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from accord.migrate.licences import LICENCE_GLOBS
from accord.migrate.model import Leftover
from accord.migrate.outgrow import outgrow
from accord.migrate.project import read_document
from accord_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from accord.migrate.outgrow import Outgrown
    from accord.migrate.tree import Tree

__all__ = ["outgrown_files"]

_BACKEND = "accord_backend"


def outgrown_files(tree: Tree, target: str) -> tuple[dict[str, str], tuple[Leftover, ...]]:
    """The new texts by path, ``pyproject.toml`` among them, and what has no counterpart over there.

    Raises UsageError ``migrate-not-described`` where accord does not build the project, ``migrate-file-exists`` where a
    file of ``target`` is there already; DocumentError ``toml-invalid``.
    """
    document = read_document(tree)
    if document.get("build-system", {}).get("build-backend") != _BACKEND:
        raise UsageError(
            "migrate-not-described",
            f"{tree.root} is not built by accord-backend, so there is no description to write {target}'s files from",
            hint="accord migrate makes one of setup.py",
        )
    base = "src" if tree.is_folder("src") else ""
    found = outgrow(document, target, files=tree.files(), packages=_packages(document, tree, base), base=base)
    there = [path for path in found.files if tree.is_file(path)]
    if there:
        raise UsageError(
            "migrate-file-exists",
            f"{there[0]} is there already",
            hint="move it away; what accord writes describes the whole project",
        )
    left = tuple(
        Leftover(next(iter(found.files)), note, f"this is the way of {target}", "look whether it suits you")
        for note in found.notes
    )
    licences = [] if "license-files" in document.get("project", {}) else _licences(tree)
    return {
        **found.files,
        "pyproject.toml": _document(tree.read("pyproject.toml") or "", found, licences),
    }, left


def _licences(tree: Tree) -> list[str]:
    """The files that accord's backend takes for licences without being told; others want to be told."""
    return [path for path in tree.listing("") if any(fnmatchcase(path, glob) for glob in LICENCE_GLOBS)]


def _packages(document: Mapping[str, Any], tree: Tree, base: str) -> tuple[str, ...]:
    """The top import packages and modules, as the backend finds them."""
    named = document.get("tool", {}).get("accord", {}).get("build", {}).get("modules")
    if named:
        return tuple(dict.fromkeys(str(name).partition(".")[0] for name in named))
    if base:
        tops = (path.removeprefix("src/").partition("/")[0] for path in tree.below("src"))
        return tuple(sorted({top.removesuffix(".py") for top in tops if "." not in top.removesuffix(".py")}))
    return (str(document.get("project", {}).get("name", "")).replace("-", "_").replace(".", "_"),)


def _document(text: str, found: Outgrown, licences: list[str]) -> str:
    """``pyproject.toml`` with the new tables; what no table of ours is stays as it stands."""
    import tomlkit

    document = tomlkit.parse(text)
    document["build-system"] = tomlkit.item(dict(found.build_system))
    if licences:
        project: Any = document["project"]
        project["license-files"] = licences
    for key in found.removed:
        *above, last = key.split(".")
        table: Any = document
        for part in above:
            table = table.get(part, {})
        table.pop(last, None)
    tool: Any = document.setdefault("tool", tomlkit.table(is_super_table=True))
    if not tool.get("accord", True):
        del tool["accord"]
    for name, table in found.tool.items():
        tool[name] = tomlkit.item(dict(table))
    return tomlkit.dumps(document)
