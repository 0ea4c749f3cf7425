"""Which files setuptools puts into a wheel, from its rules: packages, package data, ``MANIFEST.in``.

Only what an old build would take is worked out here, so that the new description takes the same; nothing is built.
"""

from __future__ import annotations

import posixpath

from accord.migrate.globs import matches, matching

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.migrate.model import Files
    from accord.migrate.tree import Tree

__all__ = ["Manifest", "package_folder", "read_manifest", "wheel_files"]

_NEVER = ("__pycache__/", ".git/", ".hg/", ".svn/")


class Manifest:
    """The files of ``MANIFEST.in``; ``include`` and ``exclude`` are its lines as globs from the root."""

    __slots__ = ("exclude", "files", "include")

    def __init__(self, files: set[str], include: list[str], exclude: list[str]) -> None:
        self.files = files
        self.include = include
        self.exclude = exclude


def read_manifest(tree: Tree) -> Manifest | None:
    """The commands of ``MANIFEST.in``, obeyed in their order; None where there is none."""
    text = tree.read("MANIFEST.in")
    if text is None:
        return None
    found: set[str] = set()
    include: list[str] = []
    exclude: list[str] = []
    for line in text.replace("\\\n", " ").splitlines():
        words = line.partition("#")[0].split()
        if len(words) < 2:
            continue
        command, *rest = words
        for pattern in _globs(command, rest):
            if command in ("include", "recursive-include", "graft", "global-include"):
                found.update(matching(tree.files(), pattern))
                include.append(pattern)
            else:
                found.difference_update(matching(tuple(found), pattern))
                exclude.append(pattern)
    return Manifest(found, list(dict.fromkeys(include)), list(dict.fromkeys(exclude)))


def _globs(command: str, rest: list[str]) -> list[str]:
    """A command's arguments as globs from the root."""
    rest = [each.strip("/") for each in rest]
    match command:
        case "include" | "exclude":
            return rest
        case "recursive-include" | "recursive-exclude":
            return [f"{rest[0]}/**/{each}" if rest[0] not in ("", ".") else f"**/{each}" for each in rest[1:]]
        case "graft" | "prune":
            return [f"{rest[0]}/**"]
        case "global-include" | "global-exclude":
            return [f"**/{each}" for each in rest]
    return []


def package_folder(package: str, files: Files) -> str:
    """The folder of a package, from ``package_dir`` (the longest entry that holds counts)."""
    parts = package.split(".")
    tail: list[str] = []
    while parts:
        name = ".".join(parts)
        if name in files.package_dir:
            return posixpath.normpath("/".join([files.package_dir[name], *tail]) or ".")
        tail.insert(0, parts.pop())
    root = files.package_dir.get("", "")
    return posixpath.normpath("/".join(filter(None, (root, *package.split(".")))))


def wheel_files(tree: Tree, files: Files) -> dict[str, str]:
    """What setuptools puts into a wheel beside metadata and compiled modules: path in the wheel to path in the tree."""
    found: dict[str, str] = {}
    packages = files.packages or []
    for module in files.modules:
        path = (
            posixpath.normpath("/".join(filter(None, (files.package_dir.get("", ""), *module.split(".")))))
            + ".py"
        )
        if tree.is_file(path):
            found[module.replace(".", "/") + ".py"] = path
    folders = {package: package_folder(package, files) for package in packages}
    for package, folder in folders.items():
        inside = package.replace(".", "/")
        for path in tree.below(folder):
            name = path[len(folder) + 1 :] if folder != "." else path
            if "/" not in name and name.endswith(".py") and not (folder == "." and name == "setup.py"):
                found[f"{inside}/{name}"] = path
    for package, folder in folders.items():
        for path in _data(tree, package, folder, files, folders):
            name = path[len(folder) + 1 :] if folder != "." else path
            found[f"{package.replace('.', '/')}/{name}"] = path
    return found


def _data(tree: Tree, package: str, folder: str, files: Files, folders: dict[str, str]) -> list[str]:
    """The data files of one package."""
    below = tree.below(folder)
    found: set[str] = set()
    for key in ("", package):
        for pattern in files.package_data.get(key, ()):
            found.update(matching(below, f"{folder}/{pattern}" if folder != "." else pattern))
    if not files.package_data.get(package) and not files.package_data.get(""):
        found.update(matching(below, f"{folder}/py.typed"))
        found.update(path for path in matching(below, f"{folder}/*.pyi"))
    if files.include_package_data:
        found.update(
            path for path in _manifested(tree) if path in below and _nearest(path, folders) == package
        )
    found = {
        path
        for path in found
        if not any(part in f"{path}/" for part in _NEVER) and not path.endswith((".pyc", ".pyo"))
    }
    for key in ("", package):
        for pattern in files.exclude_package_data.get(key, ()):
            found = {path for path in found if not matches(path, f"{folder}/{pattern}")}
    return sorted(found)


def _nearest(path: str, folders: dict[str, str]) -> str | None:
    """The package that is the nearest above a file: it alone takes the file."""
    best: str | None = None
    for package, folder in folders.items():
        if path.startswith(f"{folder}/") and (best is None or len(folder) > len(folders[best])):
            best = package
    return best


def _manifested(tree: Tree) -> set[str]:
    """What counts as part of the sdist: ``MANIFEST.in``, and what an sdist's own list says where this is one."""
    manifest = read_manifest(tree)
    found = set(manifest.files) if manifest is not None else set()
    for path in tree.files():
        if path.endswith(".egg-info/SOURCES.txt") and path.count("/") <= 2:
            listed = {line.strip() for line in (tree.read(path) or "").splitlines()}
            found |= {each for each in listed if tree.is_file(each)} - _excluded(tree, manifest)
    return found


def _excluded(tree: Tree, manifest: Manifest | None) -> set[str]:
    return {
        path for pattern in (manifest.exclude if manifest else ()) for path in matching(tree.files(), pattern)
    }
