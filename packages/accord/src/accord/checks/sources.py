"""Python files, parsed without being run: whether they are Python, what they define, whether they say their types.

The tree of a file is not kept, only what the checks ask of it.
"""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from accord.checks.kept import Kept

if TYPE_CHECKING:
    from accord.checks.kept import Said
    from accord.checks.limits import Limits
    from accord.checks.subjects import File

__all__ = ["LOWEST", "Source", "lowest_python", "read_sources"]

_TESTS = re.compile(r"(^|/)tests?/")
_WORTH = 1 << 20  # bytes, from which on copies of the process pay
_BATCH = 1 << 17  # bytes for a copy at a time: short enough to be waited for
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

    def said(self) -> Said:
        """What makes it again; it was not skipped."""
        return self.names, self.functions, self.annotated, self.fault, self.line


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
    library: Mapping[str, File],
    requires_python: str | None,
    limits: Limits,
    *,
    cache_dir: str | None = None,
    subject: str = "",
) -> dict[str, Source]:
    """Every ``.py`` file of ``library`` by its path there, but for tests: they may be wrong on purpose.  What was found out
    is kept in ``cache_dir`` for the ``subject`` at that path."""
    lowest = lowest_python(requires_python)
    running = (sys.version_info[0], sys.version_info[1])
    feature = min(max(lowest, LOWEST), running) if lowest is not None else None
    newer = lowest is not None and lowest > running  # what we cannot parse may be right there
    found: dict[str, Source] = {}
    looked_at: list[tuple[str, File]] = []
    total = 0
    for path, file in library.items():
        if not path.endswith(".py") or _TESTS.search(path):
            continue
        total += file.size
        found[path] = Source(skipped=True)
        if file.size <= limits.source_bytes and total <= limits.sources_bytes:
            looked_at.append((path, file))
    files = [file for _, file in looked_at]
    kept = Kept(cache_dir, subject, feature) if cache_dir and _size(files) >= _WORTH else None
    parsed = _parse_all(files, feature) if kept is None else _parse_new(files, feature, kept)
    for (path, _), source in zip(looked_at, parsed, strict=True):
        if not (source.fault and newer):
            found[path] = source
    return found


def _size(files: Sequence[File]) -> int:
    return sum(file.size for file in files)


def _parse_new(files: Sequence[File], feature: tuple[int, int] | None, kept: Kept) -> list[Source]:
    """Each of ``files``, parsed where nothing is ``kept`` of its content."""
    known = kept.load()
    digests = [sha256(file.read()).digest() for file in files]
    missing = {digest: file for digest, file in zip(digests, files, strict=True) if digest not in known}
    fresh = dict(zip(missing, _parse_all(list(missing.values()), feature), strict=True))
    said = {digest: known.get(digest) or fresh[digest].said() for digest in digests}
    if said.keys() != known.keys():
        kept.save(said)
    return [Source(*said[digest]) for digest in digests]


def _parse_all(files: Sequence[File], feature: tuple[int, int] | None) -> list[Source]:
    """Each of ``files`` parsed, on all processors where there is enough of it."""
    if _size(files) < _WORTH:
        return [_parse(file.read(), feature) for file in files]
    from accord.io.forks import Forks
    from accord.io.parallel import default_width, spread

    batches: list[list[int]] = []
    room = 0
    for number, file in enumerate(files):
        if room <= 0:
            batches.append([])
            room = _BATCH
        batches[-1].append(number)
        room -= file.size
    found: dict[int, Source] = {}
    interrupted: list[BaseException] = []

    def parse(batch: list[int]) -> None:
        data = [files[number].read() for number in batch]
        said = forks.call(data, feature)
        if interrupted:
            return
        if not isinstance(said, list):  # no copy can be had: the work is done here
            said = _parse_batch(data, feature)
        found.update(zip(batch, (Source(*one) for one in said), strict=True))

    def parse_or_end(batch: list[int]) -> None:
        try:
            parse(batch)
        except BaseException as error:  # Ctrl-C: nobody waits for what the copies are at
            interrupted.append(error)
            forks.kill()
            raise

    forks = Forks(_parse_batch)
    forks.start()
    finished = False
    try:
        spread(parse_or_end, batches, default_width())
        finished = True
    finally:
        forks.close(at_once=not finished)
    return [found[number] for number in range(len(files))]


def _parse_batch(batch: list[bytes], feature: tuple[int, int] | None) -> list[Said]:
    """What a copy of this process answers."""
    return [_parse(data, feature).said() for data in batch]


def _parse(data: bytes, feature: tuple[int, int] | None) -> Source:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data, feature_version=feature)
        return _look(tree, b"globals()" in data)
    except SyntaxError as error:
        fault = error.msg
        if "codec can't decode" in fault or "utf-8" in fault.lower():
            fault = f"it is not UTF-8 and names no other encoding ({fault})"
        return Source(fault=fault, line=error.lineno)
    except (ValueError, RecursionError, MemoryError) as error:
        return Source(fault=str(error) or type(error).__name__)


def _look(tree: ast.Module, open_ended: bool) -> Source:
    """Over the statements, not the expressions: tables of data are most of what large modules hold."""
    names: set[str] = set()
    functions = annotated = 0
    queue: list[tuple[ast.stmt, bool]] = [(one, True) for one in tree.body]
    while queue:
        node, top = queue.pop()
        kind = type(node)
        if isinstance(node, ast.Global):
            names.update(node.names)
        elif top:
            open_ended |= isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
            names.update(_bound(node))
        if kind not in _NESTING:
            continue
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            functions += 1
            annotated += node.returns is not None or any(one.annotation for one in node.args.args)
        inside = top and kind not in _SCOPES
        found = _statements(node)
        # What is in a function or class is looked into for functions and ``global`` only.
        queue += [(one, inside) for one in found if inside or type(one) in _TELLING]
    return Source(None if open_ended or "__getattr__" in names else frozenset(names), functions, annotated)


_SCOPES = frozenset((ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
_NESTING = _SCOPES | {
    ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match,
}  # fmt: skip
_TELLING = _NESTING | {ast.Global}


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
