"""Python files, parsed without being run: whether they are Python, what they define, whether they say their types.

The tree of a file is not kept, only what the checks ask of it.
"""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accord.checks.limits import Limits
    from accord.checks.subjects import File

__all__ = ["LOWEST", "Source", "lowest_python", "read_sources"]

_TESTS = re.compile(r"(^|/)tests?/")
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
    """Every ``.py`` file of ``library`` by its path there, but for tests: they may be wrong on purpose."""
    lowest = lowest_python(requires_python)
    running = (sys.version_info[0], sys.version_info[1])
    feature = min(max(lowest, LOWEST), running) if lowest is not None else None
    newer = lowest is not None and lowest > running  # what we cannot parse may be right there
    found: dict[str, Source] = {}
    total = 0
    for path, file in library.items():
        if not path.endswith(".py") or _TESTS.search(path):
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
    return _look(tree, b"globals()" in data)


def _look(tree: ast.Module, open_ended: bool) -> Source:
    """Over the statements, not the expressions: tables of data are most of what large modules hold."""
    names: set[str] = set()
    functions = annotated = 0
    queue: list[tuple[ast.stmt, bool]] = [(one, True) for one in tree.body]
    while queue:
        node, top = queue.pop()
        if isinstance(node, ast.Global):
            names.update(node.names)
        elif top:
            open_ended |= isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
            names.update(_bound(node))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            functions += 1
            annotated += node.returns is not None or any(one.annotation for one in node.args.args)
        inside = top and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        queue += [(one, inside) for one in _statements(node)]
    return Source(None if open_ended or "__getattr__" in names else frozenset(names), functions, annotated)


def _statements(node: ast.stmt) -> list[ast.stmt]:
    """The statements within one: bodies, other branches, handlers, cases."""
    found: list[ast.stmt] = []
    for field in ("body", "orelse", "finalbody"):
        found += getattr(node, field, ())
    for field in ("handlers", "cases"):
        for one in getattr(node, field, ()):
            found += one.body
    return found


def _bound(node: ast.stmt) -> set[str]:
    """The names a statement gives something to, those of the statements within it left out."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.For, ast.AsyncFor)):
        targets = [node.target]
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        targets = [item.optional_vars for item in node.items if item.optional_vars is not None]
    return {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
