"""Where a project's modules are: in ``src`` or beside ``pyproject.toml``, found without configuration.

The rules, in the order they are tried (docs/reference/build-backend.md says them to people):

1. ``modules`` in ``[tool.accord.build]`` names them.
2. ``src/`` holds something importable: everything importable in it is the project's.
3. Beside ``pyproject.toml``: the package, module or stubs package of the project's name.
4. Else the only thing importable there, where names that projects give to tests, documentation and tools never count.
   Two candidates are an error that lists them: a guess would ship the wrong code.

A folder without ``__init__.py`` is a namespace (PEP 420) and is looked into: what it holds is what the project
provides, and other distributions may lay theirs beside it.
"""

from __future__ import annotations

import os

from . import rules
from .errors import BackendError
from .trees import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    from .globs import Pattern
    from .project import Project
    from .trees import DiskTree, ListTree

    Tree = Union[DiskTree, ListTree]

__all__ = [
    "Home",
    "find_modules",
    "import_names",
    "is_module_name",
    "module_files",
    "module_sources",
    "source_root",
]

_STUBS = "-stubs"
_NEVER_FOUND = frozenset((
    "__main__", "__pycache__", "asv_bench", "assets", "bench", "benchmark", "benchmarks", "bin", "build", "ci", "conf",
    "config", "conftest", "demo", "demos", "dist", "doc", "docs", "documentation", "dodo", "example", "examples",
    "experiments", "fabfile", "fixtures", "hooks", "htmlcov", "integration", "mkdocs", "node_modules", "notebooks",
    "noxfile", "pavement", "profiling", "release", "requirements", "samples", "sandbox", "script", "scripts", "setup",
    "site", "tasks", "test", "testing", "tests", "third_party", "tool", "tools", "tutorial", "tutorials", "typings",
    "util", "utils", "vendor", "venv", "env", "virtualenv", "website", "wscript",
))  # fmt: skip
_DEEPEST = 20  # names of a namespace


class Home:
    """What was found: ``base`` (``"src"`` or ``""``) and for each module its import name and its place.

    ``places`` maps import names, dotted, to paths relative to the root: a folder, or a ``.py`` or ``.pyi`` file.
    """

    __slots__ = ("base", "places")

    def __init__(self, base: str, places: dict[str, str]) -> None:
        self.base = base
        self.places = places


def is_module_name(text: str) -> bool:
    """Whether ``text`` is a dotted import name, or that of a stubs package (PEP 561: ``spam-stubs``)."""
    first, dot, rest = text.partition(".")
    if first.endswith(_STUBS):
        first = first[: -len(_STUBS)]
    return all(part.isidentifier() for part in (first + dot + rest).split("."))


def find_modules(project: Project, tree: Tree | None = None) -> Home:
    """The project's modules, on the disk or in another ``tree``.

    Raises ``BackendError``: ``module-missing``, ``module-twice``, ``modules-ambiguous``, ``module-inside-package``.
    """
    if tree is not None:
        return _found(project, tree)
    if project.home is None:
        project.home = _found(project, project.tree)
    return project.home


def _found(project: Project, tree: Tree) -> Home:
    if project.modules is not None:
        return _named(tree, project.modules)
    own = rules.file_name_part(project.name)
    inside = _candidates(tree, "src", own)
    if inside:
        twin = _place(tree, "", own)
        if own in inside and twin is not None:
            raise BackendError(
                "module-twice", f"{own!r} is in src and beside pyproject.toml", hint="remove one of the two"
            )
        return Home("src", {name: f"src/{place}" for name, place in inside.items()})
    return Home("", _flat(project, tree, own))


def _flat(project: Project, tree: Tree, own: str) -> dict[str, str]:
    dotted = project.name.lower().replace("-", "_")
    for name in dict.fromkeys((dotted, own)):
        place = _place(tree, "", name)
        if place is not None:
            return _outermost(tree, place)
    found = _candidates(tree, "", own)
    regular = {name: place for name, place in found.items() if _is_regular(tree, place)}
    chosen = regular or found
    if len(chosen) == 1:
        return chosen
    if not chosen and project.extensions:
        return {}  # a project of extension modules alone
    if not chosen:
        raise BackendError(
            "module-missing",
            f"there is no import package or module {own!r} in src or beside pyproject.toml, and nothing else that "
            "could be the project's code",
            hint="create it, or name yours: [tool.accord.build] modules = ['…'] ([] for a project without any)",
        )
    listed = ", ".join(sorted(chosen))
    raise BackendError(
        "modules-ambiguous",
        f"none of the importable names beside pyproject.toml is the project's name {own!r}, and there is more "
        f"than one: {listed}",
        hint=f"say which: [tool.accord.build] modules = [{', '.join(map(repr, sorted(chosen)))}]",
    )


def _outermost(tree: Tree, place: str) -> dict[str, str]:
    # "acme.spam" below an acme/__init__.py (a namespace in the manner before PEP 420) cannot go without it.
    names = place.split("/")
    for number in range(1, len(names)):
        above = "/".join(names[:number])
        if _is_regular(tree, above):
            return {".".join(names[:number]): above}
    return {".".join((*names[:-1], names[-1].partition(".py")[0])): place}


def _named(tree: Tree, modules: list[str]) -> Home:
    bases: dict[str, str] = {}
    places: dict[str, str] = {}
    for module in modules:
        found = [
            (base, place)
            for base in ("src", "")
            for place in [_place(tree, base, module, exact=True)]
            if place
        ]
        if not found:
            raise BackendError(
                "module-missing",
                f"there is no import package or module {module!r} in src or beside pyproject.toml",
                hint="create it, or correct [tool.accord.build] modules",
            )
        if len(found) > 1:
            raise BackendError(
                "module-twice",
                f"{module!r} is in src and beside pyproject.toml",
                hint="remove one of the two",
            )
        base, place = found[0]
        names = place.split("/")[bool(base) : -1]
        for number in range(1, len(names) + 1):
            above = "/".join(([base] if base else []) + names[:number])
            if _is_regular(tree, above):
                raise BackendError(
                    "module-inside-package",
                    f"{module!r} lies inside the package {'.'.join(names[:number])!r}, without which it cannot be "
                    "imported",
                    hint=f"name {'.'.join(names[:number])!r} in [tool.accord.build] modules, or delete its "
                    "__init__.py to make it a namespace",
                )
        bases[base] = module
        places[module] = place
    if len(bases) > 1:
        raise BackendError(
            "module-twice",
            f"some modules are in src ({bases['src']}) and some beside pyproject.toml ({bases['']})",
            hint="keep them together",
        )
    return Home("".join(bases), places)


def _place(tree: Tree, base: str, module: str, *, exact: bool = False) -> str | None:
    """Where a module of a dotted name is: a folder with code in it, else a file.

    The case of letters does not count, as it does not in the names of projects, but for a name somebody wrote (``exact``).
    """
    folder = base
    *above, last = module.split(".")
    for name in above:
        match = _same(tree.entries(folder)[0], name, exact)
        if match is None:
            return None
        folder = f"{folder}/{match}" if folder else match
    inside = f"{folder}/" if folder else ""
    folders, files, links = tree.entries(folder)
    match = _same(folders + links, last, exact)
    if match is not None and (match in links or _has_code(tree, inside + match, 0)):
        return inside + match
    for suffix in (".py", ".pyi"):
        match = _same(files, last + suffix, exact)
        if match is not None:
            return inside + match
    return None


def _same(names: list[str], wanted: str, exact: bool) -> str | None:
    if wanted in names or exact:
        return wanted if wanted in names else None
    return next((name for name in names if name.lower() == wanted.lower()), None)


def _candidates(tree: Tree, base: str, own: str) -> dict[str, str]:
    """Everything importable at the top of ``base``: ``{import name: path relative to base}``."""
    found: dict[str, str] = {}
    folders, files, links = tree.entries(base)
    for name in folders + links:
        identifier = name[: -len(_STUBS)] if name.endswith(_STUBS) else name
        if identifier.isidentifier() and _may_be_found(identifier, own):
            place = f"{base}/{name}" if base else name
            if name in links or _has_code(tree, place, 0):
                found[name] = name
    for name in files:
        stem, suffix = os.path.splitext(name)
        if suffix in (".py", ".pyi") and stem.isidentifier() and _may_be_found(stem, own):
            found.setdefault(stem, name)
    return found


def _may_be_found(name: str, own: str) -> bool:
    return name.lower() == own or (name.lower() not in _NEVER_FOUND and not name.lower().startswith("test_"))


def _is_regular(tree: Tree, place: str) -> bool:
    """A module, a package with ``__init__``, or a stubs package: what is never a namespace."""
    if place.endswith((".py", ".pyi")):
        return True
    files = tree.entries(place)[1]
    return "__init__.py" in files or "__init__.pyi" in files


def _has_code(tree: Tree, folder: str, depth: int) -> bool:
    folders, files, _ = tree.entries(folder)
    if any(name.endswith((".py", ".pyi")) for name in files):
        return True
    return depth < _DEEPEST and any(
        name.isidentifier() and name != "__pycache__" and _has_code(tree, f"{folder}/{name}", depth + 1)
        for name in folders
    )


def source_root(project: Project) -> str:
    """``"src"`` or ``""``: the folder, relative to the root, that all the project's modules lie in."""
    return find_modules(project).base


def module_files(project: Project, tree: Tree | None = None) -> list[str]:
    """Every file of the project's modules, relative to the root, sorted; ``wheel-exclude`` is not asked."""
    return _files(project, tree, ())


def module_sources(project: Project, tree: Tree | None = None) -> list[tuple[str, str]]:
    """What a wheel holds of the modules: ``(path relative to the root, path in the wheel)``, sorted."""
    home = find_modules(project, tree)
    cut = len(home.base) + 1 if home.base else 0
    return [(path, path[cut:]) for path in _files(project, tree, project.wheel_exclude)]


def _files(project: Project, tree: Tree | None, exclude: tuple[Pattern, ...]) -> list[str]:
    source = project.tree if tree is None else tree
    found: set[str] = set()
    for place in find_modules(project, tree).places.values():
        if place.endswith((".py", ".pyi")):
            if not any(pattern.matches(place) for pattern in exclude):
                found.add(place)
        else:
            found.update(walk(source, place, exclude))
    return sorted(found)


def import_names(project: Project) -> tuple[list[str], list[str]]:
    """The import names and the namespaces that the wheel provides (PEP 794), each as short as it can be, sorted.

    Names that begin with an underscore are marked private.  Stubs packages are not importable and have none.
    """
    names: set[str] = set()
    spaces: set[str] = set()
    for module, place in find_modules(project).places.items():
        if not module.partition(".")[0].endswith(_STUBS):
            parts = module.split(".")
            spaces.update(".".join(parts[:number]) for number in range(1, len(parts)))
            _collect(project.tree, module, place, names, spaces)
    marked = [f"{name}; private" if name.rpartition(".")[2].startswith("_") else name for name in names]
    return sorted(marked), sorted(spaces)


def _collect(tree: Tree, module: str, place: str, names: set[str], spaces: set[str]) -> None:
    if _is_regular(tree, place):
        names.add(module)
        return
    spaces.add(module)
    folders, files, links = tree.entries(place)
    for name in folders + links:
        if name.isidentifier() and _has_code(tree, f"{place}/{name}", 0):
            _collect(tree, f"{module}.{name}", f"{place}/{name}", names, spaces)
    for name in files:
        stem, suffix = os.path.splitext(name)
        if suffix == ".py" and stem.isidentifier():
            names.add(f"{module}.{stem}")
