"""Python files, parsed without being run: whether they are Python, what they define, whether they say their types.

The tree of a file is not kept, only what the checks ask of it.
"""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accord.checks.limits import Limits
    from accord.checks.subjects import File

__all__ = ["LOWEST", "Source", "lowest_python", "read_sources"]

LOWEST = (3, 7)  # what ``ast`` can be asked about


@dataclass(frozen=True, slots=True)
class Source:
    """``names`` are what the module defines on its top level, None where that cannot be told (``import *``,
    ``__getattr__``); ``functions`` and ``annotated`` count; ``fault`` and ``line`` say why it cannot be parsed;
    ``skipped`` that it was beyond a limit."""

    names: frozenset[str] | None = None
    functions: int = 0
    annotated: int = 0
    fault: str = ""
    line: int | None = None
    skipped: bool = False


def lowest_python(requires_python: str | None) -> tuple[int, int] | None:
    """The lowest minor version of Python 3 that a specifier lets in; None where it says nothing, or lets Python 2 in."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        wanted = SpecifierSet(requires_python or "")
    except InvalidSpecifier:
        return None
    if not requires_python or any(wanted.contains(f"2.{minor}.99") for minor in (6, 7)):
        return None
    for minor in range(60):
        if any(wanted.contains(f"3.{minor}.{micro}") for micro in (0, 5, 10, 20, 99)):
            return (3, minor)
    return None


def read_sources(
    library: Mapping[str, File], requires_python: str | None, limits: Limits
) -> dict[str, Source]:
    """Every ``.py`` file of ``library`` by its path there."""
    lowest = lowest_python(requires_python)
    running = (sys.version_info[0], sys.version_info[1])
    feature = min(max(lowest, LOWEST), running) if lowest is not None else None
    newer = lowest is not None and lowest > running  # what we cannot parse may be right there
    found: dict[str, Source] = {}
    total = 0
    for path, file in library.items():
        if not path.endswith(".py"):
            continue
        total += file.size
        if file.size > limits.source_bytes or total > limits.sources_bytes:
            found[path] = Source(skipped=True)
        else:
            source = _parse(file.read(), feature)
            found[path] = Source(skipped=True) if source.fault and newer else source
    return found


def _parse(data: bytes, feature: tuple[int, int] | None) -> Source:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data, feature_version=feature)
    except SyntaxError as error:
        fault = error.msg
        if "codec can't decode" in fault or "utf-8" in fault.lower():
            fault = f"it is not UTF-8 and names no other encoding ({fault})"
        return Source(fault=fault, line=error.lineno)
    except (ValueError, RecursionError, MemoryError) as error:
        return Source(fault=str(error) or type(error).__name__)
    functions = annotated = 0
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            functions += 1
            annotated += node.returns is not None or any(one.annotation for one in node.args.args)
    return Source(_names(tree), functions, annotated)


def _names(tree: ast.Module) -> frozenset[str] | None:
    """What stands on the top level, also below ``if``, ``try`` and ``with``."""
    names: set[str] = set()
    queue: list[ast.stmt] = list(tree.body)
    while queue:
        node = queue.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                if alias.name == "*":
                    return None
                names.add(alias.asname or alias.name.partition(".")[0])
        else:
            for part in ast.walk(node):
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                    names.add(part.id)
                elif isinstance(part, ast.Global):
                    names.update(part.names)
            queue += [one for one in ast.iter_child_nodes(node) if isinstance(one, ast.stmt)]
            queue += [inner for one in getattr(node, "handlers", ()) for inner in one.body]
    if "__getattr__" in names or "globals" in {
        part.id for part in ast.walk(tree) if isinstance(part, ast.Name)
    }:
        return None
    return frozenset(names)
