"""The files of an archive as a tree of folders with sums.  Paths in, values out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accord.wheels.contents import File

__all__ = ["Folder", "tree_of"]


@dataclass(slots=True)
class Folder:
    """``size`` and ``packed`` are sums over ``count`` files, all those below included."""

    name: str
    size: int = 0
    packed: int = 0
    count: int = 0
    folders: dict[str, Folder] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)


def tree_of(files: Iterable[File]) -> Folder:
    """The root, named ``""``; folders and files in order of name."""
    root = Folder("")
    for file in sorted(files, key=lambda one: one.path):
        *parents, _ = file.path.split("/")
        folder = root
        _count(folder, file)
        for part in parents:
            folder = folder.folders.setdefault(part, Folder(part))
            _count(folder, file)
        folder.files.append(file)
    return root


def _count(folder: Folder, file: File) -> None:
    folder.size += file.size
    folder.packed += file.packed or 0
    folder.count += 1
