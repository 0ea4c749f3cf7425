"""Which files belong to a project: its modules in ``src`` or beside ``pyproject.toml``, and files named by globs.

Everything inside a package folder is package data and travels, except what Python itself makes.  Paths are
relative to the project's root, with ``/``, sorted, so that no order of a folder on disk reaches an archive.
"""

from __future__ import annotations

import os

from .errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .project import Project

__all__ = ["is_executable", "matching", "module_files", "source_root"]

_LEFT_OUT_FOLDERS = frozenset(("__pycache__", ".git", ".hg", ".mypy_cache", ".pytest_cache", ".ruff_cache"))
_LEFT_OUT_SUFFIXES = (".pyc", ".pyo", ".orig", ".rej", "~")


def matching(root: str, pattern: str) -> list[str]:
    """The regular files below ``root`` that a glob (PEP 639: ``*``, ``?``, ``[]``, ``**``) matches, sorted."""
    import glob

    found = glob.glob(os.path.join(glob.escape(root), pattern), recursive=True)
    return sorted(os.path.relpath(path, root).replace(os.sep, "/") for path in found if os.path.isfile(path))


def source_root(project: Project) -> str:
    """``"src"`` or ``""``: the folder, relative to the root, that all the project's modules lie in.

    Raises ``BackendError`` ``module-missing`` or ``module-twice`` (a module in both places is a mistake that
    would otherwise show as stale code).
    """
    homes = []
    for module in project.modules:
        found = [base for base in ("src", "") if _find(project.root, base, module) is not None]
        if not found:
            raise BackendError(
                "module-missing",
                f"there is no import package or module {module!r} in {project.root}/src or {project.root}",
                hint="create it, or name yours: [tool.accord.build] modules = ['…']",
            )
        if len(found) > 1:
            raise BackendError(
                "module-twice",
                f"{module!r} is in src and beside pyproject.toml",
                hint="remove one of the two",
            )
        homes += found
    if len(set(homes)) > 1:
        raise BackendError(
            "module-twice",
            "some modules are in src and some beside pyproject.toml",
            hint="keep them together",
        )
    return homes[0]


def _find(root: str, base: str, module: str) -> str | None:
    place = "/".join(filter(None, (base, *module.split("."))))
    if os.path.isdir(os.path.join(root, place)):
        return place
    return place + ".py" if os.path.isfile(os.path.join(root, place + ".py")) else None


def module_files(project: Project) -> list[str]:
    """Every file of the project's modules, relative to the root, sorted."""
    base = source_root(project)
    found: set[str] = set()
    for module in project.modules:
        place = _find(project.root, base, module)
        assert place is not None
        if place.endswith(".py"):
            found.add(place)
        else:
            found.update(_walk(project.root, place))
    return sorted(found)


def _walk(root: str, folder: str) -> list[str]:
    found = []
    for entry in sorted(os.scandir(os.path.join(root, folder)), key=lambda entry: entry.name):
        path = f"{folder}/{entry.name}"
        if entry.is_dir():
            if entry.is_symlink():
                raise BackendError(
                    "folder-is-link",
                    f"{path} is a link to a folder, which an archive cannot hold",
                    hint="copy the folder, or link its files one by one",
                )
            if entry.name not in _LEFT_OUT_FOLDERS:
                found += _walk(root, path)
        elif entry.is_file() and not entry.name.endswith(_LEFT_OUT_SUFFIXES) and entry.name != ".DS_Store":
            found.append(path)
    return found


def is_executable(path: str) -> bool:
    """Whether the owner may execute the file: the one bit of its mode that means something elsewhere."""
    return bool(os.stat(path).st_mode & 0o100)
