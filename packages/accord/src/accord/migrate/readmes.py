"""Readmes that are made of several files."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.migrate.model import Described
    from accord.migrate.tree import Tree

__all__ = ["is_joined"]


def is_joined(described: Described, tree: Tree) -> bool:
    """Whether the readme is several files, one after the other."""
    readme = described.readme
    if readme is None or len(readme.files) < 2 or readme.text is None:
        return False
    texts = [tree.read(path) or "" for path in readme.files]
    return " ".join(texts).split() == readme.text.split()
