"""What lies in a folder, asked of the disk or of a list of paths.

Finding a project's files is done twice: over the tree, and over the list of files that are about to become an sdist,
to see that both give the same wheel.  So the finder asks a *tree*, of which there are two.  Paths are relative to
the project's root, with ``/``, and sorted, so that no order of a folder on disk reaches an archive.
"""

from __future__ import annotations

import errno
import os

from .errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, Union

    from .globs import Pattern

    Tree = Union["DiskTree", "ListTree"]

__all__ = ["DiskTree", "Limits", "ListTree", "matching", "on_disk", "walk"]

# Made by git, by Python and by the tools everybody runs, never by the author.
_LEFT_OUT_FOLDERS = frozenset((
    "__pycache__", ".git", ".hg", ".svn", ".bzr", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis",
    ".tox", ".nox", ".venv", ".ipynb_checkpoints",
))  # fmt: skip
_LEFT_OUT_SUFFIXES = (".pyc", ".pyo", ".orig", ".rej", "~", ".swp")
_LEFT_OUT_FILES = frozenset((".DS_Store", "Thumbs.db", ".git"))
# An extension module built in place for one interpreter has the interpreter in its name (PEP 3149).
_BUILT_SUFFIXES = (".so", ".pyd")
_BUILT_MARKS = (".cpython-", ".pypy", ".graalpy", ".abi3.", ".cp3")


class Limits:
    """How much of a tree is looked at: ``files`` in all, ``depth`` of folders."""

    files = 1_000_000
    depth = 100


class DiskTree:
    """The folder ``root``; every folder below it is read once."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._seen: dict[str, tuple[list[str], list[str], list[str]]] = {}

    def entries(self, folder: str) -> tuple[list[str], list[str], list[str]]:
        """``(folders, files, linked folders)`` in ``folder``, by name; empty for what is no folder."""
        known = self._seen.get(folder)
        if known is not None:
            return known
        folders: list[str] = []
        files: list[str] = []
        links: list[str] = []
        try:
            with os.scandir(os.path.join(self.root, folder)) as found:
                for entry in found:
                    if _leads_nowhere(entry):
                        continue
                    if entry.is_dir():
                        (links if entry.is_symlink() else folders).append(entry.name)
                    elif entry.is_file():
                        files.append(entry.name)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as fault:
            raise BackendError(
                "folder-unreadable",
                f"the folder {folder or '.'!r} cannot be read: {fault.strerror}",
                hint="make it readable, or move it out of the project",
            ) from None
        folders.sort()
        files.sort()
        self._seen[folder] = folders, files, links
        return folders, files, links


def _leads_nowhere(entry: os.DirEntry[str]) -> bool:
    """Whether it is a link to itself, by whatever way, which is no more than one to what is not there."""
    try:
        if entry.is_symlink():
            os.stat(entry.path)
    except OSError as fault:
        return fault.errno == errno.ELOOP
    return False


class ListTree:
    """The folders that a list of paths implies: what an sdist of these files unpacks to."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._folders: dict[str, tuple[set[str], set[str]]] = {"": (set(), set())}
        for path in paths:
            folder, _, name = path.rpartition("/")
            self._folder(folder)[1].add(name)

    def _folder(self, path: str) -> tuple[set[str], set[str]]:
        if path not in self._folders:
            self._folders[path] = set(), set()
            above, _, name = path.rpartition("/")
            self._folder(above)[0].add(name)
        return self._folders[path]

    def entries(self, folder: str) -> tuple[list[str], list[str], list[str]]:
        """As :meth:`DiskTree.entries`."""
        folders, files = self._folders.get(folder, ((), ()))
        return sorted(folders), sorted(files), []


def walk(tree: Tree, folder: str, exclude: tuple[Pattern, ...] = ()) -> list[str]:
    """The files below ``folder`` that an author made, without those that ``exclude`` matches, sorted.

    Raises ``BackendError`` ``folder-is-link`` or ``tree-too-large``.
    """
    found: list[str] = []
    _walk(tree, folder, [(pattern, _state(pattern, folder)) for pattern in exclude], found)
    found.sort()
    return found


def _state(pattern: Pattern, folder: str) -> frozenset[int]:
    state = pattern.start()
    for name in folder.split("/") if folder else ():
        state = pattern.step(state, name)
    return state


def _walk(tree: Tree, folder: str, exclude: list[tuple[Pattern, frozenset[int]]], found: list[str]) -> None:
    folders, files, links = tree.entries(folder)
    inside = f"{folder}/" if folder else ""
    found += [inside + name for name in files if not _left_out(name) and not _excluded(exclude, name)]
    if len(found) > Limits.files or inside.count("/") > Limits.depth:
        raise BackendError(
            "tree-too-large",
            f"more than {Limits.files:,} files, or folders more than {Limits.depth} deep, at {folder!r}",
            hint="is a folder of data inside the package? name it in wheel-exclude and sdist-exclude",
        )
    for name in sorted(links):
        if name not in _LEFT_OUT_FOLDERS and not _excluded(exclude, name):
            raise _linked(inside + name)
    for name in folders:
        if name in _LEFT_OUT_FOLDERS or name.endswith(".egg-info"):
            continue
        deeper = [(pattern, pattern.step(state, name)) for pattern, state in exclude] if exclude else exclude
        if not any(pattern.accepts(state) for pattern, state in deeper):
            _walk(tree, inside + name, deeper, found)


def _excluded(exclude: list[tuple[Pattern, frozenset[int]]], name: str) -> bool:
    return any(pattern.accepts(pattern.step(state, name)) for pattern, state in exclude)


def _linked(path: str) -> BackendError:
    return BackendError(
        "folder-is-link",
        f"{path} is a link to a folder, which an archive cannot hold",
        hint="copy the folder, or link its files one by one",
    )


def _left_out(name: str) -> bool:
    if name.endswith(_BUILT_SUFFIXES):
        return any(mark in name for mark in _BUILT_MARKS)
    return name.endswith(_LEFT_OUT_SUFFIXES) or name in _LEFT_OUT_FILES


def matching(tree: Tree, pattern: Pattern) -> list[str]:
    """The files that an include ``pattern`` matches, sorted; what git and Python make is no match."""
    found: list[str] = []
    start = _state(pattern, pattern.folder)
    if start:
        _match(tree, pattern, start, pattern.folder, found)
    found.sort()
    return found


def on_disk(root: str, text: str) -> list[str]:
    """What a pattern matches in the folder ``root`` now: steps make files after a project was read."""
    from .globs import Pattern

    return matching(DiskTree(root), Pattern(text))


def _match(tree: Tree, pattern: Pattern, state: frozenset[int], folder: str, found: list[str]) -> None:
    folders, files, links = tree.entries(folder)
    inside = f"{folder}/" if folder else ""
    found += [
        inside + name for name in files if pattern.accepts(pattern.step(state, name)) and not _left_out(name)
    ]
    if len(found) > Limits.files or inside.count("/") > Limits.depth:
        raise BackendError("tree-too-large", f"the pattern {pattern.text!r} matches too many files")
    for name in folders:
        deeper = pattern.step(state, name)
        if not deeper or name in _LEFT_OUT_FOLDERS or name.endswith(".egg-info"):
            continue
        if pattern.whole and pattern.accepts(deeper):
            found.extend(walk(tree, inside + name))
        else:
            _match(tree, pattern, deeper, inside + name, found)
    for name in links:
        if pattern.whole and pattern.accepts(pattern.step(state, name)):
            raise _linked(inside + name)
