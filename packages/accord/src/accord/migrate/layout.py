"""From the files an old build takes to ``[tool.accord.build]``: modules, what to leave out, data, scripts, headers.

Accord takes everything inside a package's folder, so what the old rules left out is named in ``wheel-exclude``.  What
cannot be said that way is a reason to keep the old backend, returned as a sentence.
"""

from __future__ import annotations

import posixpath

from accord.migrate.globs import matching
from accord.migrate.manifest import read_manifest, wheel_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.migrate.model import Described
    from accord.migrate.tree import Tree

__all__ = ["accord_build", "carried_globs"]

# Never in a wheel of accord's, whatever the folder holds (accord_backend.layout).
_LEFT_OUT = ("__pycache__/", ".git/", ".hg/", ".mypy_cache/", ".pytest_cache/", ".ruff_cache/")
_LEFT_OUT_SUFFIXES = (".pyc", ".pyo", ".orig", ".rej", "~", ".DS_Store", ".so", ".pyd")


def accord_build(described: Described, tree: Tree) -> tuple[dict[str, Any], list[str]]:
    """``[tool.accord.build]`` for what ``described`` builds, and the reasons why it cannot say all of it."""
    files = described.files
    reasons: list[str] = []
    wanted = old_files(described, tree)
    homes = {_home(place, path) for place, path in wanted.items()}
    if homes - {"", "src"}:
        strange = sorted(home or "folders of other names" for home in homes - {"", "src"})
        return {}, [f"its modules lie in {strange[0]}, not in src or beside pyproject.toml"]
    if len(homes) > 1:
        return {}, ["some of its modules are in src and some beside pyproject.toml"]
    base = next(iter(homes), None) or ("src" if not homes and tree.is_folder("src") else "")
    table: dict[str, Any] = {}
    modules = _above_declared(_roots(described, wanted), base, tree)
    if not wanted and not described.extensions:
        reasons.append("no module of it was found")
    if not _is_found(modules, base, described.name or "", tree):
        table["modules"] = modules
    _exclusions(table, modules, base, wanted, tree)
    sdist = _sdist(described, tree, set(wanted.values()))
    table.update(sdist)
    table.update(
        {key: paths for key, paths in (("scripts", files.scripts), ("headers", files.headers)) if paths}
    )
    data, trouble = _data_files(files.data_files)
    reasons += trouble
    if data:
        table["data"] = data
    return table, reasons


def old_files(described: Described, tree: Tree) -> dict[str, str]:
    """The code and data of the old wheel: path in the wheel to path in the tree."""
    if described.files.tool == "setuptools":
        return wheel_files(tree, described.files)
    from accord.migrate.folders import folder_files

    return folder_files(tree, described.files)


def _home(place: str, path: str) -> str | None:
    """The folder in front of ``place``, None where the tree names it otherwise."""
    if path == place:
        return ""
    return path[: -len(place) - 1] if path.endswith(f"/{place}") else None


def _roots(described: Described, wanted: dict[str, str]) -> list[str]:
    """The outermost import packages and modules."""
    if described.files.packages is not None and described.files.tool == "setuptools":
        packages = set(described.files.packages)
        roots = [each for each in sorted(packages) if each.rpartition(".")[0] not in packages]
        return [*roots, *described.files.modules]
    tops: dict[str, None] = {}
    for place in sorted(wanted):
        first = place.split("/")[0]
        tops[first.removesuffix(".py") if "/" not in place else first] = None
    # A folder without code of its own is a namespace: the packages in it are what is meant.
    found: list[str] = []
    for top in tops:
        found += _below_namespace(top, wanted)
    return found


def _above_declared(modules: list[str], base: str, tree: Tree) -> list[str]:
    """A package in a folder that has an ``__init__.py`` (a namespace of old, which declared itself) is that folder without
    the file: the backend takes a package with code above it for a mistake."""
    found: dict[str, None] = {}
    for module in modules:
        parts = module.split(".")
        tops = (".".join(parts[:length]) for length in range(1, len(parts)))
        found[
            next(
                (
                    top
                    for top in tops
                    if tree.is_file("/".join(filter(None, (base, *top.split("."), "__init__.py"))))
                ),
                module,
            )
        ] = None
    return list(found)


def _below_namespace(top: str, wanted: dict[str, str]) -> list[str]:
    if f"{top}/__init__.py" in wanted or f"{top}.py" in wanted:
        return [top]
    inner = sorted(
        {place.split("/")[1] for place in wanted if place.startswith(f"{top}/") and place.count("/") > 1}
    )
    if not inner or any(place.startswith(f"{top}/") and place.count("/") == 1 for place in wanted):
        return [top.replace("/", ".")]
    return [f"{top}.{each}" for each in inner]


def _is_found(modules: list[str], base: str, name: str, tree: Tree) -> bool:
    """Whether the backend finds just these modules by itself: the one of the project's name, alone in its ``src``."""
    own = name.lower().replace("-", "_").replace(".", "_")
    if [each.lower() for each in modules] != [own]:
        return False
    if not base:
        return not tree.is_folder("src")
    beside = [
        each
        for each in tree.listing("src")
        if each.endswith(".py") or (tree.is_folder(f"src/{each}") and not each.endswith(".egg-info"))
    ]
    return len(beside) == 1 and not tree.module_file(modules[0])


def _exclusions(
    table: dict[str, Any], modules: list[str], base: str, wanted: dict[str, str], tree: Tree
) -> None:
    """``wheel-exclude`` for what lies in the folders and was not in the old wheel."""
    taken = set(wanted.values())
    extra: list[str] = []
    roots = []
    for module in modules:
        folder = "/".join(filter(None, (base, *module.split("."))))
        if tree.is_folder(folder):
            roots.append(folder)
            extra += [path for path in tree.below(folder) if path not in taken and not _never(path)]
    globs = carried_globs(sorted(set(extra)), taken, roots)
    if globs:
        table["wheel-exclude"] = globs


def _never(path: str) -> bool:
    return any(part in f"{path}/" for part in _LEFT_OUT) or path.endswith(_LEFT_OUT_SUFFIXES)


def carried_globs(extra: list[str], taken: set[str], roots: list[str]) -> list[str]:
    """Few globs that match exactly ``extra`` and nothing of ``taken``: whole folders, then kinds of file, then files."""
    left = list(extra)
    found: list[str] = []
    while left:
        path = left[0]
        glob = next(
            (each for each in _candidates(path, roots) if not matching(tuple(taken), each)),
            path,
        )
        found.append(glob)
        matched = set(matching(tuple(left), glob)) | {path}
        left = [each for each in left if each not in matched]
    return found


def _candidates(path: str, roots: list[str]) -> list[str]:
    """Globs for a file, widest first: a folder above it (below its root), its kind in the root, its kind in its folder."""
    root = next((each for each in roots if path.startswith(f"{each}/")), posixpath.dirname(path))
    parts = path[len(root) + 1 :].split("/")
    found = ["/".join([root, *parts[:length], "**"]) for length in range(1, len(parts))]
    suffix = posixpath.splitext(path)[1]
    if suffix and suffix != ".py":
        found += [f"{root}/**/*{suffix}", f"{posixpath.dirname(path)}/*{suffix}"]
    return found


def _data_files(given: list[tuple[str, list[str]]]) -> tuple[dict[str, list[str]], list[str]]:
    found: dict[str, list[str]] = {}
    for folder, names in given:
        folder = folder.strip() if folder.startswith("/") else posixpath.normpath(folder or ".")
        if folder.startswith("/") or ".." in folder.split("/") or folder == ".":
            return {}, [f"data_files go to {folder}, which is no folder of the environment's own"]
        found.setdefault(folder, []).extend(posixpath.normpath(name) for name in names)
    return {folder: names for folder, names in found.items() if names}, []


def _sdist(described: Described, tree: Tree, taken: set[str]) -> dict[str, list[str]]:
    """What ``MANIFEST.in`` (or the tool's own words) puts into an sdist beside the modules."""
    files = described.files
    if files.tool != "setuptools":
        return {
            key: value
            for key, value in (("sdist-include", files.sdist_include), ("sdist-exclude", files.sdist_exclude))
            if value
        }
    manifest = read_manifest(tree)
    if manifest is None:
        return {}
    outside = [
        glob for glob in map(_usable, manifest.include)
        if glob and any(path not in taken and path not in ("setup.py", "setup.cfg", "MANIFEST.in", "pyproject.toml") for path in matching(tree.files(), glob))
    ]  # fmt: skip
    table: dict[str, list[str]] = {}
    if outside:
        table["sdist-include"] = outside
        if manifest.exclude:
            table["sdist-exclude"] = [glob for glob in map(_usable, manifest.exclude) if glob]
    return table


def _usable(glob: str) -> str:
    """A glob in the grammar of the backend (PEP 639), empty where it has no such form."""
    bare = posixpath.normpath(glob)
    names = bare.split("/")
    return (
        ""
        if ".." in names or bare in (".", "") or any("**" in name and name != "**" for name in names)
        else bare
    )
