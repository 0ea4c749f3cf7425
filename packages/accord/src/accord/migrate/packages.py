"""Finding packages as setuptools finds them (``find_packages``, ``find_namespace_packages``)."""

from __future__ import annotations

from fnmatch import fnmatchcase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.migrate.tree import Tree

__all__ = ["find_packages"]


def find_packages(
    tree: Tree,
    where: str,
    *,
    include: list[str] | None = None,
    exclude: list[str] | None = None,
    namespaces: bool = False,
) -> list[str]:
    """The packages below the folder ``where``, sorted; with ``namespaces`` every folder is one."""
    base = "" if where in ("", ".") else f"{where.rstrip('/')}/"
    folders: set[str] = set()
    inits: set[str] = set()
    for path in tree.below(base.rstrip("/")):
        folder, _, name = path[len(base) :].rpartition("/")
        if name == "__init__.py":
            inits.add(folder)
        while folder:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    found = []
    for folder in sorted(folders):
        parts = folder.split("/")
        if any("." in part for part in parts):
            continue
        above = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
        if not namespaces and not all(each in inits for each in above):
            continue
        package = ".".join(parts)
        if any(fnmatchcase(package, pattern) for pattern in include or ["*"]) and not any(
            fnmatchcase(package, pattern) for pattern in exclude or []
        ):
            found.append(package)
    return found
