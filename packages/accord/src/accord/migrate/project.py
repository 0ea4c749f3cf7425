"""A folder's descriptions, read together: which formats there are, in which order they count, what they make."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field

from accord.migrate.bento import read_bento
from accord.migrate.buildout import add_buildout
from accord.migrate.conda_env import add_environment
from accord.migrate.flit import read_flit
from accord.migrate.locks import pins_of
from accord.migrate.model import Described, Files, Version
from accord.migrate.packages import find_packages
from accord.migrate.pdm import read_pdm
from accord.migrate.pipenv import add_pipfile
from accord.migrate.poetry import read_poetry
from accord.migrate.requirements import add_requirements
from accord.migrate.setup_cfg import read_setup_cfg
from accord.migrate.setup_py import read_setup_py
from accord.migrate.setup_run import merged
from accord.migrate.uv_lock import add_uv_table, translate_uv_lock
from accord.migrate.values import unknown_in
from accord.migrate.words import describe_words
from accord_core.errors import DocumentError, UsageError, Where
from accord_core.names import normalise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.migrate.tree import Tree

__all__ = ["Found", "describe", "read_document"]


@dataclass(slots=True)
class Found:
    """``kinds`` of what was read; ``replaced`` the tables of ``pyproject.toml`` that go; ``locks`` further files to
    write; ``needs_run`` says that only running ``setup.py`` tells the rest."""

    described: Described
    kinds: tuple[str, ...]
    replaced: tuple[str, ...] = ()
    locks: dict[str, str] = field(default_factory=dict)
    needs_run: bool = False
    has_project: bool = False


def describe(tree: Tree, kind: str | None = None, recorded: dict[str, Any] | None = None) -> Found:
    """Everything the project's files say, of one format if ``kind`` names it.

    UsageError ``migrate-nothing``; DocumentError of a reader.
    """
    document = read_document(tree)
    found = _main(tree, document, kind, recorded)
    kinds = list(found.kinds) if found is not None else []
    if found is None:
        found = _unbuilt(tree, document)
    _beside(tree, document, kind, found, kinds)
    if not kinds and kind is None and "project" in document:
        raise UsageError(
            "migrate-nothing",
            f"{tree.root} is described by [project] in its pyproject.toml already: there is nothing to do",
            hint="old files that no other tool reads can be deleted; --to meson-python or --to scikit-build-core leave "
            "accord's backend",
        )
    if not kinds:
        raise UsageError(
            "migrate-nothing",
            f"{tree.root} has nothing that could be migrated" + (f" of kind {kind}" if kind else ""),
            hint="accord reads setup.py, setup.cfg, requirements files, Poetry, Flit, PDM, Pipenv, uv.lock, "
            "environment.yml, bento.info and buildout.cfg",
        )
    found.kinds = tuple(kinds)
    return found


def _unbuilt(tree: Tree, document: dict[str, Any]) -> Found:
    """A project that says nothing of how it is built: what it has in ``[project]`` stays, else it is never built."""
    described = Described(old_backend="as-is" if "project" in document else "none", files=Files(tool="none"))
    project = document.get("project", {})
    described.name = project.get("name")
    described.dynamic = [str(each) for each in project.get("dynamic", ())]
    return Found(described, (), has_project="project" in document)


def _beside(tree: Tree, document: dict[str, Any], kind: str | None, found: Found, kinds: list[str]) -> None:
    """What lies beside the main description: wishes of developers, locks, environments of other tools."""
    described = found.described
    is_package = bool(kinds) or found.has_project
    known = _known_names(document, described)
    if kind in (None, "conda") and add_environment(tree, described, is_package=is_package, known=known):
        kinds.append("conda")
    if kind in (None, "buildout") and add_buildout(tree, described, is_package=is_package):
        kinds.append("buildout")
    if kind in (None, "pipenv") and add_pipfile(tree, described, is_package=is_package):
        kinds.append("pipenv")
    if kind in (None, "requirements") and add_requirements(tree, described, is_package=is_package):
        kinds.append("requirements")
    for name in ("poetry", "pdm"):
        if kind in (None, name):
            pins_of(tree, f"{name}.lock", described)
    if kind in (None, "uv") and (tree.is_file("uv.lock") or "uv" in document.get("tool", {})):
        kinds.append("uv")
        add_uv_table(tree, document, described)
        found.replaced = (*found.replaced, "tool.uv")
        lock = translate_uv_lock(tree, described)
        if lock is not None:
            found.locks["pylock.toml"] = lock
    if len(described.recorded) > tree.limits.recorded:
        raise DocumentError(
            "migrate-lock-invalid",
            f"the old locks hold more than {tree.limits.recorded:,} releases",
            where=Where(described.recorded[0].where),
            hint="delete what is no lock of this project",
        )
    if described.name is None and described.old_backend == "none":
        described.name = _name_of_folder(tree.root)
        described.version = Version("0.1.0")
    if described.version is None and described.old_backend == "none":
        described.version = Version("0.1.0")


def _known_names(document: dict[str, Any], described: Described) -> frozenset[str]:
    """Names that the project asks an index for in its own description."""
    project = document.get("project", {})
    texts = [str(each) for each in project.get("dependencies", ())]
    for several in project.get("optional-dependencies", {}).values():
        texts += [str(each) for each in several]
    texts += [str(each) for each in document.get("build-system", {}).get("requires", ())]
    lists = (described.dependencies, *described.optional.values(), *described.groups.values())
    texts += [item.text for items in lists for item in items if not item.include]
    found = (re.match(r"[A-Za-z0-9._-]+", text) for text in texts)
    return frozenset(normalise(match[0]) for match in found if match is not None)


def _name_of_folder(root: str) -> str:
    word = "".join(
        sign if sign.isascii() and sign.isalnum() else "-" for sign in root.rstrip("/").rpartition("/")[2]
    )
    return "-".join(part for part in word.split("-") if part) or "project"


def read_document(tree: Tree) -> dict[str, Any]:
    """``pyproject.toml`` of the tree as it stands, empty where there is none.  DocumentError ``toml-invalid``."""
    text = tree.read("pyproject.toml")
    if text is None:
        return {}
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DocumentError(
            "toml-invalid",
            f"pyproject.toml is no TOML: {error}",
            where=Where("pyproject.toml"),
            hint="mend it first",
        ) from error


_PDM = ("tool.pdm",)


def _main(
    tree: Tree, document: dict[str, Any], kind: str | None, recorded: dict[str, Any] | None
) -> Found | None:
    has_setup = tree.is_file("setup.py") or tree.is_file("setup.cfg")
    if (
        has_setup
        and kind in (None, "setuptools")
        and "project" not in document
        and not {"poetry", "flit"} & document.get("tool", {}).keys()
    ):
        found = _setuptools(tree, document, recorded)
        return _beside_bento(tree, kind, found)
    tool = document.get("tool", {})
    backend = str(document.get("build-system", {}).get("build-backend", ""))
    has_project = "project" in document
    for name, tables, reader in (
        ("poetry", ("tool.poetry",), read_poetry),
        ("flit", ("tool.flit",), read_flit),
        ("pdm", _PDM, read_pdm),
    ):
        if kind in (None, name) and (
            name in tool or (backend.startswith((f"{name}_", f"{name}.")) and has_project)
        ):
            described = reader(tree, document)
            return Found(described, (name,), tables, has_project=has_project)
    if kind in (None, "bento") and not has_project:
        bento = read_bento(tree)
        if bento is not None:
            return Found(bento, ("bento",))
    return None


def _beside_bento(tree: Tree, kind: str | None, found: Found) -> Found:
    """Of a project with both, ``setup.py`` counts, unless it leaves its very name to ``bento.info``."""
    if not tree.is_file("bento.info"):
        return found
    if kind is None and found.described.name is None:
        bento = read_bento(tree)
        if bento is not None and bento.name is not None:
            bento.leave(
                "setup.py", "the call of setup()", "it takes the name from bento.info", "delete setup.py"
            )
            return Found(bento, ("bento",))
    found.described.leave(
        "bento.info",
        "all of it",
        "setup.py describes the project too, and was read",
        "--from bento reads this instead; delete the one that is out of date",
    )
    return found


def _setuptools(tree: Tree, document: dict[str, Any], recorded: dict[str, Any] | None) -> Found:
    """``setup.py`` and ``setup.cfg`` as setuptools sees them: the words of ``setup.cfg`` over those of ``setup.py``."""
    described = Described()
    cfg = read_setup_cfg(tree, described)
    setup = read_setup_py(tree)
    from_cfg = cfg.words if cfg is not None else {}
    needs_run = False
    if setup is not None:
        described.read.append("setup.py")
        words = {key: value for key, value in setup.words.items() if key not in from_cfg}
        needs_run = setup.trouble is not None or any(
            unknown_in(value) is not None
            for key, value in words.items()
            if key not in ("cmdclass", "distclass")
        )
        if recorded is not None:
            words = merged(
                tree, words, {key: value for key, value in recorded.items() if key not in from_cfg}
            )
            needs_run = False
        elif setup.trouble is not None:
            described.leave(
                "setup.py", "the call of setup()", setup.trouble, "let accord run it (--run-setup)"
            )
            described.keep_old("setup.py cannot be read without running it")
        describe_words(words, setup.source, described)
    if cfg is not None:
        described.read.append("setup.cfg")
        describe_words(from_cfg, cfg.source, described)
        if cfg.foreign:
            described.leave(
                "setup.cfg",
                f"[{'], ['.join(cfg.foreign)}]",
                "they belong to other tools",
                "setup.cfg stays for them; many read pyproject.toml too",
            )
    _without_namespaces(described, {**(setup.words if setup is not None else {}), **from_cfg})
    described.build_requires += [
        str(each) for each in document.get("build-system", {}).get("requires", ()) if isinstance(each, str)
    ]
    _discover(tree, described)
    return Found(described, ("setuptools",), (), {}, needs_run)


def _discover(tree: Tree, described: Described) -> None:
    """Nothing was said of packages or modules: setuptools (61 and later) takes all that lies in ``src``."""
    files = described.files
    said = files.packages is not None or files.found or files.modules or files.package_dir
    by_others = any(each.startswith("pbr") for each in described.build_requires)
    if said or by_others or described.extensions or described.needs_old_backend:
        return
    packages = find_packages(tree, "src", namespaces=True)
    modules = [each[:-3] for each in tree.listing("src") if each.endswith(".py")]
    if packages or modules:
        files.packages, files.modules, files.package_dir = packages, modules, {"": "src"}


def _without_namespaces(described: Described, words: dict[str, Any]) -> None:
    """A declared namespace has no module of its own in a wheel: setuptools left its ``__init__.py`` out."""
    said = words.get("namespace_packages")
    names = said.replace(",", " ").split() if isinstance(said, str) else said
    if isinstance(names, (list, tuple)) and described.files.packages is not None:
        kept = [each for each in described.files.packages if each not in names]
        if kept != described.files.packages:
            described.files.packages, described.files.found = kept, None
