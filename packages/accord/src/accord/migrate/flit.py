"""Flit: the old ``[tool.flit.metadata]`` tables, and the ``[project]`` table of newer projects.

Flit takes the version and the description from the module; here the version stays there, and the description, which no
other backend finds, is written down.
"""

from __future__ import annotations

import ast

from accord.migrate.cased import CasedParser
from accord.migrate.constants import constants_of
from accord.migrate.model import Described, Files, Item, Person, Readme, Version
from accord.migrate.requirement_text import requirement_item
from accord.migrate.words import put_entry_point, version_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.migrate.tree import Tree

__all__ = ["module_facts", "read_flit"]


def read_flit(tree: Tree, document: dict[str, Any]) -> Described:
    """A Flit project.  Where it has a ``[project]`` table, only what that leaves to Flit is filled in."""
    table = document.get("tool", {}).get("flit", {})
    described = Described(old_backend="flit", files=Files(tool="flit"))
    described.read.append("pyproject.toml")
    metadata = table.get("metadata", {})
    project = document.get("project", {})
    module = str(
        metadata.get("module")
        or table.get("module", {}).get("name")
        or str(project.get("name", "")).replace("-", "_")
    )
    if metadata:
        _old_metadata(tree, metadata, module, described)
        _old_tables(table, described)
    else:
        described.name = project.get("name")
    path = _module(tree, module, described)
    if path is None:
        described.leave(
            "pyproject.toml",
            f"module {module}",
            "it was not found beside pyproject.toml or in src",
            "name it in [tool.accord.build] modules",
        )
    else:
        version, said = module_facts(tree, path)
        dynamic = project.get("dynamic", ())
        if metadata or "version" in dynamic:
            described.version = version
        if metadata or "description" in dynamic:
            described.description = said
    sdist = table.get("sdist", {})
    files = described.files
    files.sdist_include = [_glob(tree, str(each)) for each in sdist.get("include", ())]
    files.sdist_exclude = [_glob(tree, str(each)) for each in sdist.get("exclude", ())]
    data = table.get("external-data", {}).get("directory")
    if data:
        files.data_files += _external(tree, str(data).strip("/"))
    return described


def _glob(tree: Tree, text: str) -> str:
    bare = text.strip("/")
    return f"{bare}/**" if tree.is_folder(bare) else bare


def _external(tree: Tree, folder: str) -> list[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for path in tree.below(folder):
        inside = path[len(folder) + 1 :].rpartition("/")[0]
        found.setdefault(inside, []).append(path)
    return list(found.items())


def _module(tree: Tree, module: str, described: Described) -> str | None:
    place = module.replace(".", "/")
    for base in ("", "src"):
        path = "/".join(filter(None, (base, place)))
        if tree.is_file(f"{path}/__init__.py"):
            described.files.packages, described.files.package_dir = [path], {path: base}
            return f"{path}/__init__.py"
        if tree.is_file(f"{path}.py"):
            described.files.packages, described.files.package_dir = [f"{path}.py"], {f"{path}.py": base}
            return f"{path}.py"
    return None


def module_facts(tree: Tree, path: str) -> tuple[Version | None, str | None]:
    """The version and the first line of the docstring of a module, read and not imported."""
    text = tree.read(path) or ""
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError):
        return None, None
    said = ast.get_docstring(module)
    value = constants_of(tree, path).get("__version__")
    if value is None:
        value = _imported(tree, path, module)
    version = None
    if isinstance(value, str):
        version = version_from(tree, str(value), tuple(getattr(value, "origins", ())))
    return version, said.split("\n\n")[0].replace("\n", " ").strip() if said else None


def _imported(tree: Tree, path: str, module: ast.Module) -> Any:
    """``from .version import __version__``."""
    folder = path.rpartition("/")[0]
    for node in module.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == "__version__" and node.module:
                    inner = node.module if node.level else node.module.partition(".")[2]
                    other = f"{folder}/{inner.replace('.', '/')}.py"
                    return constants_of(tree, other).get(alias.name)
    return None


def _old_metadata(tree: Tree, metadata: dict[str, Any], module: str, into: Described) -> None:
    into.name = str(metadata.get("dist-name") or module)
    for role, people in (("author", into.authors), ("maintainer", into.maintainers)):
        if metadata.get(role) or metadata.get(f"{role}-email"):
            people.append(Person(metadata.get(role), metadata.get(f"{role}-email")))
    if metadata.get("home-page"):
        into.urls["Homepage"] = str(metadata["home-page"])
    into.urls.update({str(label): str(url) for label, url in metadata.get("urls", {}).items()})
    into.requires_python = metadata.get("requires-python")
    into.licence_text = metadata.get("license")
    into.classifiers = [Item(str(each)) for each in metadata.get("classifiers", ())]
    keywords = str(metadata.get("keywords", ""))
    into.keywords = [each.strip() for each in keywords.split(",") if each.strip()]
    readme = metadata.get("description-file")
    if readme:
        into.readme = Readme((str(readme),))
    into.dependencies += _items(metadata.get("requires", ()), "requires", into)
    for extra, values in metadata.get("requires-extra", {}).items():
        into.optional[str(extra)] = _items(values, f"requires-extra.{extra}", into)
    if metadata.get("dev-requires"):
        into.optional["dev"] = [
            *into.optional.get("dev", ()),
            *_items(metadata["dev-requires"], "dev-requires", into),
        ]
    if metadata.get("entry-points-file"):
        _entry_points_file(tree, str(metadata["entry-points-file"]), into)
    elif tree.is_file("entry_points.txt"):
        _entry_points_file(tree, "entry_points.txt", into)


def _items(values: Any, key: str, into: Described) -> list[Item]:
    found: list[Item] = []
    for each in values:
        item = requirement_item(str(each))
        if item is None:
            into.leave(
                "pyproject.toml [tool.flit.metadata]",
                f"{key}: {each}",
                "it is not a requirement (PEP 508)",
                "write it in the form of the standard",
            )
        else:
            found.append(item)
    return found


def _old_tables(table: dict[str, Any], into: Described) -> None:
    for name, target in table.get("scripts", {}).items():
        put_entry_point(into, "console_scripts", str(name), str(target))
    for group, points in table.get("entrypoints", {}).items():
        for name, target in points.items():
            put_entry_point(into, str(group), str(name), str(target))


def _entry_points_file(tree: Tree, path: str, into: Described) -> None:
    parser = CasedParser(delimiters=("=",))
    parser.read_string(tree.read(path) or "")
    for group in parser.sections():
        for name, target in parser.items(group):
            put_entry_point(into, group, name, target)
    into.read.append(path)
