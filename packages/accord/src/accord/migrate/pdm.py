"""PDM: ``[project]`` is standard already; ``[tool.pdm]`` holds the build's files, the version, groups and sources."""

from __future__ import annotations

from accord.migrate.model import Described, Files, Item, Version
from accord.migrate.requirement_text import requirement_item
from accord.migrate.words import version_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.migrate.tree import Tree

__all__ = ["read_pdm"]

_SCRIPTS_TODO = "use your task runner, or accord run"


def read_pdm(tree: Tree, document: dict[str, Any]) -> Described:
    """What ``[tool.pdm]`` adds to the ``[project]`` table."""
    table = document.get("tool", {}).get("pdm", {})
    described = Described(old_backend="pdm", files=Files(tool="pdm"))
    described.name = document.get("project", {}).get("name")
    described.read.append("pyproject.toml")
    _version(tree, table, described)
    _files(tree, table.get("build", {}), described)
    for group, values in table.get("dev-dependencies", {}).items():
        described.groups[str(group)] = _items(group, values, described)
    if described.groups:
        described.default_groups = list(described.groups)
    for source in table.get("source", ()):
        index: dict[str, Any] = {"name": source.get("name", ""), "url": source.get("url", "")}
        if source.get("type") == "find_links":
            described.leave(
                "pyproject.toml [tool.pdm.source]",
                str(index["url"]),
                "it is a page of links, no index",
                "give it as --find-links",
            )
        elif index["url"]:
            described.indexes.append(index)
    for key, why, todo in (
        ("scripts", "commands of PDM are PDM's", _SCRIPTS_TODO),
        ("plugins", "plugins of PDM are PDM's", "nothing, unless one changed the build"),
        ("resolution", "rules for PDM's resolver", "see [tool.accord] overrides and excludes"),
        ("overrides", "rules for PDM's resolver", "see [tool.accord] overrides"),
        ("options", "options of PDM's commands", "nothing"),
        ("publish", "uploading has its own tools", "nothing"),
    ):
        if table.get(key):
            described.leave(f"pyproject.toml [tool.pdm.{key}]", key, why, todo)
    return described


def _items(group: str, values: Any, into: Described) -> list[Item]:
    found: list[Item] = []
    for each in values:
        text = str(each)
        if text.startswith("-e "):
            into.leave(
                f"pyproject.toml [tool.pdm.dev-dependencies] {group}",
                text,
                "an editable is no requirement",
                "name it in [tool.accord.sources] with editable = true",
            )
            continue
        item = requirement_item(text)
        if item is not None:
            found.append(item)
        else:
            into.leave(
                f"pyproject.toml [tool.pdm.dev-dependencies] {group}",
                text,
                "it is not a requirement (PEP 508)",
                "write it in the form of the standard",
            )
    return found


def _version(tree: Tree, table: dict[str, Any], into: Described) -> None:
    version = table.get("version", {})
    if not isinstance(version, dict):
        return
    match version.get("source"):
        case "scm":
            into.version = Version(git=True)
            for key in sorted(set(version) - {"source"}):
                into.leave(
                    "pyproject.toml [tool.pdm.version]",
                    f"{key} = {version[key]!r}",
                    "versions from git tags have no such option here",
                    "see [tool.accord.build] version",
                )
        case "file":
            from accord.migrate.constants import constants_of

            path = str(version.get("path", ""))
            value = (
                constants_of(tree, path).get("__version__")
                if path.endswith(".py")
                else (tree.read(path) or "").strip()
            )
            if isinstance(value, str) and value:
                into.version = version_from(tree, str(value), (path,))
        case "call":
            into.leave(
                "pyproject.toml [tool.pdm.version]",
                f"getter = {version.get('getter')!r}",
                "a description calls no code",
                "write the version down, or read it from a module or tag",
            )
            into.keep_old("its version is made by code")


def _files(tree: Tree, build: dict[str, Any], into: Described) -> None:
    files = into.files
    root = str(build.get("package-dir") or ("src" if tree.is_folder("src") else "")).strip("/")
    base = "" if root in ("", ".") else root
    files.exclude = [str(each) for each in build.get("excludes", ())]
    files.sdist_include = [str(each) for each in build.get("source-includes", ())]
    if build.get("includes"):
        names = [str(each).strip("/") for each in build["includes"]]
    else:
        names = [
            "/".join(filter(None, (base, each)))
            for each in tree.listing(base or ".")
            if tree.is_file("/".join(filter(None, (base, each, "__init__.py"))))
            and each not in ("tests", "test")
        ]
        if not names:
            names = [
                "/".join(filter(None, (base, each)))
                for each in tree.listing(base or ".")
                if each.endswith(".py") and each != "setup.py"
            ]
    files.packages = names
    files.package_dir = {each: base for each in names if not base or each.startswith(f"{base}/")}
    for key in ("run-setuptools", "custom-hook", "is-purelib"):
        if build.get(key):
            into.leave(
                "pyproject.toml [tool.pdm.build]",
                key,
                "it is code that takes part in the build",
                "describe what it makes: [[tool.accord.extension]] or [[tool.accord.step]]",
            )
            if key == "run-setuptools":
                into.keep_old("its build runs setup.py")
    for scheme, globs in (build.get("wheel-data") or {}).items():
        into.leave(
            "pyproject.toml [tool.pdm.build]",
            f"wheel-data.{scheme} = {globs!r}",
            "its form is PDM's own",
            "write it as scripts, headers or data of [tool.accord.build]",
        )
