"""A project that has a ``[project]`` table already: that table stays as it was written, and only what changes changes.

Comments, order and quotes of ``[project]`` are the author's; the old tool's tables go, the new one's come after.
"""

from __future__ import annotations

import tomlkit
from tomlkit.items import Array

from accord.migrate.globs import matches
from accord.migrate.licences import LICENCE_GLOBS, expression_of
from accord.migrate.words import persons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.migrate.model import Described, Item
    from accord.migrate.tree import Tree

__all__ = ["edited_project"]


def edited_project(tree: Tree, described: Described, dynamic: list[str], licence_words: str | None) -> str:
    """The text of ``pyproject.toml`` with ``[project]`` brought up to date: what was dynamic and is not any more, the
    licence as an expression, extras and entry points the old tool kept elsewhere."""
    text = tree.read("pyproject.toml") or ""
    document = tomlkit.parse(text)
    project: Any = document["project"]
    _dynamic(project, described, dynamic)
    _people(project)
    _licence(project, described, licence_words)
    _more(project, described)
    groups = document.get("dependency-groups")
    for name in [each for each in described.groups if groups is not None and each in groups]:
        _extend(document, ("dependency-groups", name), described.groups.pop(name))
    return tomlkit.dumps(document)


def _dynamic(project: Any, described: Described, dynamic: list[str]) -> None:
    before = [str(each) for each in project.get("dynamic", ())]
    left = [each for each in before if each in dynamic]
    if "version" in before and "version" not in dynamic:
        text = described.version.text if described.version else None
        if text is None:
            described.leave(
                "pyproject.toml [project]",
                "version",
                "it was not found by reading",
                "write it down, or say where it is",
            )
        project["version"] = text or "0.0.0"
    if "description" in before and described.description:
        project["description"] = described.description
    for each in before:
        if each not in ("version", "description") and each not in dynamic:
            described.leave(
                "pyproject.toml [project]",
                f"dynamic {each!r}",
                "only the old backend could tell it",
                "write it down",
            )
    if before and not left:
        del project["dynamic"]
    elif left != before:
        project["dynamic"] = left


def _people(project: Any) -> None:
    """Several names in one, which PEP 621 forbids (``"Ann, Bob"``), as several people."""
    for key in ("authors", "maintainers"):
        people = project.get(key)
        if people is None or not any("," in str(each.get("name", "")) for each in people):
            continue
        found = [person for each in people for person in persons(each.get("name"), each.get("email"))]
        table = tomlkit.array()
        for person in found:
            entry = tomlkit.inline_table()
            entry.update(
                {name: value for name, value in (("name", person.name), ("email", person.email)) if value}
            )
            table.append(entry)
        del project[key]
        project[key] = table.multiline(True)


def _licence(project: Any, described: Described, words: str | None) -> None:
    """``{file = …}`` and ``{text = …}`` are out of date (PEP 639): an expression and the files, where it is certain."""
    value = project.get("license")
    said = [str(each) for each in project.get("classifiers", ()) if str(each).startswith("License ::")]
    if isinstance(value, str) and not said:
        return
    text = value.get("text") if isinstance(value, dict) else value
    found = expression_of(str(text) if text and len(str(text)) < 80 else None, said, words)
    if found is None:
        if isinstance(value, dict) or said:
            described.leave(
                "pyproject.toml [project]",
                "license",
                "it does not say which licence of the SPDX list it is",
                'write license = "…" (an SPDX expression) and delete the License classifiers',
            )
        return
    if isinstance(value, dict) and value.get("file") and "license-files" not in project:
        path = str(value["file"])
        if not any(matches(path, glob) for glob in LICENCE_GLOBS):
            project["license-files"] = [path]
    if value is None:
        project["license"] = found
    else:
        project["license"] = found
    classifiers = project.get("classifiers")
    if isinstance(classifiers, Array):
        for number in reversed(
            [n for n, each in enumerate(classifiers) if str(each).startswith("License ::")]
        ):
            del classifiers[number]


def _more(project: Any, described: Described) -> None:
    """Extras and dependencies the old tool kept in a table of its own, which is gone."""
    for extra, items in described.optional.items():
        _extend(project, ("optional-dependencies", extra), items)
    if described.dependencies:
        _extend(project, ("dependencies",), described.dependencies)


def _extend(project: Any, keys: tuple[str, ...], items: list[Item]) -> None:
    holder = project
    for key in keys[:-1]:
        if key not in holder:
            holder[key] = tomlkit.table()
        holder = holder[key]
    if keys[-1] not in holder:
        holder[keys[-1]] = tomlkit.array()
    array = holder[keys[-1]]
    there = {str(each) for each in array if isinstance(each, str)}
    included = {each.get("include-group") for each in array if isinstance(each, dict)}
    for item in items:
        if item.include and item.text not in included:
            entry = tomlkit.inline_table()
            entry["include-group"] = item.text
            array.append(entry)
        elif not item.include and item.text not in there:
            array.append(item.text)
    if len(array) > 1:
        array.multiline(True)
