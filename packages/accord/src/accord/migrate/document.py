"""The one writer: a described project as ``pyproject.toml``.

A project without a ``[project]`` table gets the new tables in front, and what else its file holds stays as it was,
letter by letter; the table of the old tool goes.  What is written is read again and compared with what was meant.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from accord.migrate import backends
from accord.migrate.edited import edited_project
from accord.migrate.layout import accord_build
from accord.migrate.licences import LICENCE_GLOBS, expression_of
from accord.migrate.readmes import is_joined
from accord.migrate.remainder import only, remainder
from accord.migrate.toml_text import block_text, inline, items_lines, pair, quoted
from accord_core.errors import DocumentError, Where

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.migrate.model import Described
    from accord.migrate.tree import Tree

__all__ = ["Written", "write_document"]

_README_TYPES = {".md": "text/markdown", ".rst": "text/x-rst", ".txt": "text/plain"}


@dataclass(frozen=True, slots=True)
class Written:
    """``text`` of the new file, the backend that builds it, and why that is not the one asked for, if it is not."""

    text: str
    backend: str
    reasons: tuple[str, ...]


def write_document(
    described: Described,
    tree: Tree,
    *,
    backend: str | None,
    forced: bool,
    replaced: tuple[str, ...] = (),
    has_project: bool = False,
) -> Written:
    """The document of ``described`` for ``backend`` (None: the old one).

    ``forced`` takes the backend although it cannot say everything; what it cannot say is then among the leftovers.
    ``replaced`` are the tables of the old file that go (``tool.poetry``); with ``has_project`` its ``[project]`` stays and
    is only brought up to date.  DocumentError ``migrate-incomplete`` where
    no name was found, or what was written does not read back as meant.
    """
    if not described.name:
        raise DocumentError(
            "migrate-incomplete",
            "the project's name was not found",
            context=tuple(f"{left.where}: {left.what}: {left.why}" for left in described.leftovers[:10]),
            hint="let accord run setup.py (--run-setup), or give the name in setup.cfg",
        )
    wanted = (
        described.old_backend
        if described.old_backend in ("none", "as-is")
        else backend or described.old_backend
    )
    build, reasons = accord_build(described, tree) if wanted == "accord" else ({}, [])
    if wanted == "accord":
        reasons = [*described.needs_old_backend, *reasons, *_readme_reasons(described, tree)]
        if reasons and forced:
            for reason in reasons:
                described.leave(
                    "the old build", reason, "accord's description has no words for it", "see to it by hand"
                )
        elif reasons:
            wanted = described.old_backend
    writer = backends.writer(wanted, described, tree, build)
    system = writer.build_system()
    lines = [*system, ""] if system else []
    gone = ("build-system", "project", "dependency-groups", *replaced)
    if has_project:
        edited = edited_project(tree, described, writer.dynamic(), _licence_words(described, tree))
        lines += [only(edited, ("project", "dependency-groups")), ""]
    else:
        lines += _project(described, tree, writer)
    lines += _groups(
        described,
        headed=has_project and only(tree.read("pyproject.toml") or "", ("dependency-groups",)) != "",
    )
    lines += writer.tables()
    lines += _accord(described, writer.accord_tables())
    text = "\n".join(lines).rstrip("\n") + "\n"
    rest = remainder(tree, gone)
    if rest:
        text += "\n" + rest
    _checked(text, described, has_project)
    return Written(text, wanted, tuple(reasons))


def _checked(text: str, described: Described, has_project: bool) -> None:
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DocumentError(
            "migrate-incomplete",
            f"what was written is no TOML: {error}",
            where=Where("pyproject.toml"),
            hint="report it with the project's files",
        ) from error
    meant = [item.text for item in described.dependencies]
    if not has_project and data["project"].get("dependencies", []) != meant:
        raise DocumentError(
            "migrate-incomplete",
            "what was written does not read back as meant",
            where=Where("pyproject.toml"),
            hint="report it with the project's files",
        )


def _readme_reasons(described: Described, tree: Tree) -> list[str]:
    if is_joined(described, tree):
        assert described.readme is not None
        return [f"its readme is made of several files ({', '.join(described.readme.files)})"]
    return []


# ---------------------------------------------------------------- [project]


def _project(described: Described, tree: Tree, writer: backends.Writer) -> list[str]:
    found: list[str] = ["[project]", *_above(described, "name"), f"name = {quoted(described.name or '')}"]
    dynamic = writer.dynamic()
    if "version" not in dynamic:
        text = described.version.text if described.version else None
        if text is None:
            described.leave(
                "the old files",
                "version",
                "it was not found by reading",
                "write it down in pyproject.toml, or say where it is",
            )
            text = "0.0.0"
        found += [*_above(described, "version"), f"version = {quoted(text)}"]
    if described.description:
        found += pair("description", described.description)
    if "readme" not in dynamic:
        found += _readme(described, tree)
    if described.requires_python:
        found += [*_above(described, "requires-python"), *pair("requires-python", described.requires_python)]
    found += _licence(described, tree)
    for key, people in (("authors", described.authors), ("maintainers", described.maintainers)):
        tables = [{k: v for k, v in (("name", each.name), ("email", each.email)) if v} for each in people]
        if tables:
            found += pair(key, tables)
    if described.keywords:
        found += pair("keywords", described.keywords)
    if described.classifiers:
        found += [*_above(described, "classifiers"), *items_lines("classifiers", described.classifiers)]
    if described.dependencies:
        found += [*_above(described, "dependencies"), *items_lines("dependencies", described.dependencies)]
    if dynamic:
        found += pair("dynamic", dynamic)
    return [*found, *_project_tables(described)]


def _project_tables(described: Described) -> list[str]:
    found: list[str] = []
    if described.urls:
        found += [
            "",
            "[project.urls]",
            *(line for name, url in described.urls.items() for line in pair(name, url)),
        ]
    if described.optional:
        found += ["", *_above(described, "optional-dependencies"), "[project.optional-dependencies]"]
        for extra, items in described.optional.items():
            found += items_lines(extra, items)
    for table, points in (("scripts", described.scripts), ("gui-scripts", described.gui_scripts)):
        if points:
            found += [
                "",
                f"[project.{table}]",
                *(line for name, target in points.items() for line in pair(name, target)),
            ]
    for group, points in described.entry_points.items():
        found += [
            "",
            f"[project.entry-points.{_table_key(group)}]",
            *(line for name, target in points.items() for line in pair(name, target)),
        ]
    return [*found, ""]


def _table_key(name: str) -> str:
    from accord.migrate.toml_text import key

    return key(name)


def _above(described: Described, field: str) -> list[str]:
    return [f"# {line}" for line in described.comments.get(field, ())]


def _readme(described: Described, tree: Tree) -> list[str]:
    readme = described.readme
    if readme is None:
        return []
    if not readme.files:
        kind = readme.content_type or "text/x-rst"
        return [f"readme = {{text = {block_text(readme.text or '')}, content-type = {quoted(kind)}}}"]
    path = next((each for each in readme.files if "readme" in each.lower()), readme.files[0])
    if readme.text is not None:
        others = [each for each in readme.files if each != path]
        described.leave(
            "long_description",
            f"the readme, put together from {', '.join(readme.files)}"
            if others
            else f"the readme, cut out of {path}",
            "a readme is one file as it is",
            f"{path} alone is the readme now; put {', '.join(others) or 'what is wanted'} into it if it shall be seen there",
        )
    import os

    known = _README_TYPES.get(os.path.splitext(path)[1].lower())
    kind = (readme.content_type or known or "text/x-rst").strip()
    if kind == known:
        return [f"readme = {quoted(path)}"]
    return [f"readme = {inline({'file': path, 'content-type': kind})}"]


def _licence(described: Described, tree: Tree) -> list[str]:
    """``license`` and ``license-files``; the classifiers that say the same go (PEP 639)."""
    said = [item.text for item in described.classifiers if item.text.startswith("License ::")]
    text = described.licence_text
    expression = described.licence or expression_of(
        text, [each for each in said if each != "License :: OSI Approved"], _licence_words(described, tree)
    )
    found: list[str] = []
    if expression is not None:
        found.append(f"license = {quoted(expression)}")
        described.classifiers = [
            item for item in described.classifiers if not item.text.startswith("License ::")
        ]
    elif text or said:
        described.leave(
            "license", f"{text or said[0]!r}", "it does not say which licence of the SPDX list it is",
            'write license = "…" (an SPDX expression) and delete the License classifiers',
        )  # fmt: skip
    if described.licence_files is not None:
        matched = [glob for glob in described.licence_files if _matches(tree, glob)]
        if matched:
            found += pair("license-files", matched)
    return found


def _matches(tree: Tree, glob: str) -> bool:
    from accord.migrate.globs import matching

    return bool(matching(tree.files(), glob))


def _licence_words(described: Described, tree: Tree) -> str | None:
    from accord.migrate.globs import matching

    tops = [path for path in tree.files() if "/" not in path]
    for glob in described.licence_files or LICENCE_GLOBS[:2]:
        for path in matching(tops, glob):
            text = tree.read(path)
            if text:
                return text
    return None


# ---------------------------------------------------------------- groups, [tool.accord]


def _groups(described: Described, *, headed: bool = False) -> list[str]:
    """``[dependency-groups]``; ``headed`` where the table of the old file was carried over and stands right above."""
    if not described.groups:
        return []
    found = [] if headed else ["[dependency-groups]"]
    for name, items in described.groups.items():
        found += items_lines(name, items)
    return [*found, ""]


def _accord(described: Described, tables: list[str]) -> list[str]:
    """What accord alone reads: indexes, sources, constraints, and the backend's own tables."""
    top: list[str] = []
    if described.default_groups is not None and described.default_groups != ["dev"]:
        top += pair("default-groups", described.default_groups)
    if described.constraints:
        top += items_lines("constraints", described.constraints)
    found = ["[tool.accord]", *top, ""] if top else []
    if described.workspace:
        found += [
            "[tool.accord.workspace]",
            *(line for name, value in described.workspace.items() for line in pair(name, value)),
            "",
        ]
    for index in described.indexes:
        found += [
            "[[tool.accord.index]]",
            *(line for name, value in index.items() for line in pair(name, value)),
            "",
        ]
    sources = {name: each[0] for name, each in described.sources.items() if each}
    for name, each in described.sources.items():
        if len(each) > 1:
            described.leave(
                "sources",
                f"{name} has {len(each)} sources, chosen by marker",
                "[tool.accord.sources] has one for a name",
                "choose one, or write the others as direct references with markers",
            )
    if sources:
        found += [
            "[tool.accord.sources]",
            *(line for name, each in sources.items() for line in pair(name, each)),
            "",
        ]
    return [*found, *tables]
