"""The files of a wheel by the rules of Poetry, Flit and PDM: whole folders, less what is excluded."""

from __future__ import annotations

from accord.migrate.globs import matching

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.migrate.model import Files
    from accord.migrate.tree import Tree

__all__ = ["folder_files"]


def folder_files(tree: Tree, files: Files) -> dict[str, str]:
    """Path in the wheel to path in the tree.  ``files.packages`` are paths or globs in the tree, ``package_dir`` their bases."""
    found: dict[str, str] = {}
    for path in files.packages or ():
        base = files.package_dir.get(path, "")
        paths = tree.below(path) if tree.is_folder(path) else tuple(matching(tree.files(), path))
        for each in paths:
            if not each.endswith((".pyc", ".pyo")) and "__pycache__/" not in each:
                found[each[len(base) + 1 :] if base else each] = each
    gone = {path for glob in files.exclude for path in matching(tuple(found.values()), glob)}
    gone -= {path for glob in files.include for path in matching(tuple(gone), glob)}
    return {place: path for place, path in found.items() if path not in gone}
