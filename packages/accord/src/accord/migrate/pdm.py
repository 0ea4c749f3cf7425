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


_OF_BUILD = (
    "includes", "excludes", "source-includes", "package-dir", "is-purelib", "run-setuptools", "setup-script", "wheel-data",
    "custom-hook", "editable-backend",
)  # fmt: skip
_TOLD = (
    ("scripts", "commands of PDM are PDM's", _SCRIPTS_TODO),
    ("plugins", "plugins of PDM are PDM's", "nothing, unless one changed the build"),
    ("resolution", "rules for PDM's resolver", "see [tool.accord] overrides and excludes"),
    ("overrides", "rules for PDM's resolver", "see [tool.accord] overrides"),
    ("options", "options of PDM's commands", "nothing"),
    ("publish", "uploading has its own tools", "nothing"),
)
_READ = frozenset(
    ("version", "build", "dev-dependencies", "source", *_OF_BUILD, *(each[0] for each in _TOLD))
)


def read_pdm(tree: Tree, document: dict[str, Any]) -> Described:
    """What ``[tool.pdm]`` adds to the ``[project]`` table; of the build only where PDM's backend is the one that builds."""
    table = document.get("tool", {}).get("pdm", {})
    project = document.get("project", {})
    builds = str(document.get("build-system", {}).get("build-backend", "")).startswith("pdm.")
    described = Described(
        old_backend="pdm" if builds else "as-is" if "project" in document else "none",
        files=Files(tool="pdm" if builds else "none"),
    )
    described.name = project.get("name")
    described.read.append("pyproject.toml")
    if builds:
        if "version" not in project:  # an sdist has it written down, whatever it was made from
            _version(tree, table, described)
        old = {key: table[key] for key in _OF_BUILD if key in table}  # where pdm-pep517 had them before 1.0
        _files(tree, {**old, **table.get("build", {})}, described)
        described.files.found = old
    described.dynamic = [str(each) for each in project.get("dynamic", ())]
    for group, values in table.get("dev-dependencies", {}).items():
        described.groups[str(group)] = _items(group, values, described)
    if described.groups:
        described.default_groups = list(described.groups)
    for source in table.get("source", ()):
        _source(source, described)
    for key, why, todo in _TOLD:
        if table.get(key):
            described.leave(f"pyproject.toml [tool.pdm.{key}]", key, why, todo)
    if table.get("distribution") is False:
        described.leave(
            "pyproject.toml [tool.pdm]",
            "distribution = false",
            "a project that is never built needs no [build-system]",
            "delete [build-system] from pyproject.toml",
        )
    for key in sorted(set(table) - _READ - {"distribution"}):
        described.leave(
            "pyproject.toml [tool.pdm]", key, "accord has no such setting", "see whether it is still needed"
        )
    return described


def _source(source: dict[str, Any], into: Described) -> None:
    url = str(source.get("url", ""))
    if source.get("type") == "find_links":
        into.leave(
            "pyproject.toml [tool.pdm.source]",
            url,
            "it is a page of links, no index",
            "give it as --find-links",
        )
        return
    if "${" in url or "@" in url.partition("://")[2].partition("/")[0] or source.get("password"):
        into.leave(
            "pyproject.toml [tool.pdm.source]",
            f"source {source.get('name')!r}",
            "it holds a password or a variable",
            "write [[tool.accord.index]] without it, and give the password to keyring or netrc",
        )
        return
    if url:
        into.indexes.append({"name": source.get("name", ""), "url": url})
    others = sorted(set(source) - {"name", "url", "type"})
    if others:
        into.leave(
            "pyproject.toml [tool.pdm.source]",
            f"{source.get('name')!r}: {', '.join(others)}",
            "an index has no such option here",
            "name the projects of an index in [tool.accord.sources] if it is about them",
        )


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
            into.version = _from_file(tree, str(version.get("path", "")))
        case None if version.get("use_scm"):  # as pdm-pep517 had it before 1.0
            into.version = Version(git=True)
        case None if version.get("from"):
            into.version = _from_file(tree, str(version["from"]))
        case "call":
            into.leave(
                "pyproject.toml [tool.pdm.version]",
                f"getter = {version.get('getter')!r}",
                "a description calls no code",
                "write the version down, or read it from a module or tag",
            )
            into.keep_old("its version is made by code")


def _from_file(tree: Tree, path: str) -> Version | None:
    from accord.migrate.constants import constants_of

    is_module = path.endswith(".py")
    value = constants_of(tree, path).get("__version__") if is_module else (tree.read(path) or "").strip()
    return version_from(tree, value, (path,)) if isinstance(value, str) and value else None


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
    hook = str(build.get("custom-hook") or build.get("setup-script") or "pdm_build.py")
    runs_setup = build.get("run-setuptools")
    if runs_setup or build.get("custom-hook") or build.get("setup-script") or tree.is_file(hook):
        into.leave(
            "pyproject.toml [tool.pdm.build]",
            "run-setuptools" if runs_setup else hook,
            "it is code that takes part in the build",
            "describe what it makes: [[tool.accord.extension]] or [[tool.accord.step]]",
        )
        into.keep_old("its build runs setup.py" if runs_setup else f"its build hook {hook}")
    for key in sorted(set(build) - set(_OF_BUILD) - {"hooks"}):
        into.leave(
            "pyproject.toml [tool.pdm.build]", key, "accord has no such setting", "see [tool.accord.build]"
        )
    for scheme, globs in (build.get("wheel-data") or {}).items():
        into.leave(
            "pyproject.toml [tool.pdm.build]",
            f"wheel-data.{scheme} = {globs!r}",
            "its form is PDM's own",
            "write it as scripts, headers or data of [tool.accord.build]",
        )
