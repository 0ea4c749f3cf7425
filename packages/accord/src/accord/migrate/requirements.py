"""Requirements files: wishes into dependencies and groups by the file's name, compiled ones into versions for the next lock.

The format is read as pip reads it (``accord_core.project.requirements_file``); each file keeps its own requirements, so
that what ``-r`` joins becomes an included group.
"""

from __future__ import annotations

import os
import posixpath
import re
from urllib.parse import unquote

from accord.migrate.comments import of_lines
from accord.migrate.model import Described, Item
from accord.migrate.recorded import Recorded, RecordedFile
from accord.migrate.requirement_text import requirement_item
from accord_core.errors import DocumentError
from accord_core.names import normalise
from accord_core.project.requirements_file import read_requirements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.migrate.tree import Tree
    from accord_core.project.requirements_file import Entry, RequirementsFile

__all__ = ["add_requirements", "requirement_files"]

_NAME = re.compile(
    r"(?:(?P<before>[a-z0-9]+)[-_.])?(?:requirements?|reqs?)(?:[-_.](?P<after>[a-z0-9_.-]+))?\.(?:txt|in)",
    re.IGNORECASE,
)
_MAIN = frozenset(
    ("base", "main", "prod", "production", "requirements", "common", "default", "install", "runtime", "core")
)
_GROUPS = {
    "tests": "test",
    "testing": "test",
    "development": "dev",
    "develop": "dev",
    "documentation": "docs",
    "doc": "docs",
}


def requirement_files(tree: Tree) -> dict[str, str]:
    """The requirements files of a project, with the group each stands for (``""``: the project itself)."""
    found: dict[str, str] = {}
    for path in tree.files():
        folder, name = posixpath.split(path)
        match = _NAME.fullmatch(name)
        if folder == "" and match:
            found[path] = _group(match["before"] or match["after"] or "")
        elif folder.lower() in ("requirements", "reqs", "requirement") and name.endswith((".txt", ".in")):
            found[path] = _group(name.rpartition(".")[0])
    for path in list(found):  # what was compiled from a .in says nothing that the .in does not
        if path.endswith(".txt") and f"{path[:-4]}.in" in found:
            found[path] = f"={found[path]}"
    return found


def _group(word: str) -> str:
    word = word.lower().replace("_", "-").strip("-.")
    if word in _MAIN or not word:
        return ""
    return _GROUPS.get(word, re.sub(r"[^a-z0-9.-]", "-", word))


def add_requirements(tree: Tree, into: Described, *, is_package: bool) -> bool:
    """Put what the files ask for into ``into``; whether there were any.

    For a package, ``requirements.txt`` is what somebody develops or deploys with: its dependencies are in its own
    description, so the file is only reported.
    """
    files = requirement_files(tree)
    before = {
        group: {_project(item.text): item.text for item in items if not item.include}
        for group, items in (("", into.dependencies), *into.groups.items())
    }
    for path, group in sorted(files.items(), key=lambda each: (each[0].count("/"), each[0])):
        try:
            found = read_requirements(os.path.join(tree.root, path), _Opener(tree, path, into))
        except DocumentError as error:
            for fault in error.faults or (error,):
                into.leave(
                    path if fault.where is None or fault.where.line is None else f"{path}:{fault.where.line}",
                    path,
                    fault.message,
                    "mend it, and migrate again",
                )
            continue
        if path in into.read:
            continue
        into.read.append(path)
        if group.startswith("=") or _is_compiled(found):
            into.pins += _pins(found)
            into.recorded += _recorded(found)
            if group.startswith("="):
                continue
        if is_package and not group:
            into.leave(
                path,
                "its requirements",
                "a package's dependencies are in its own description",
                "delete the file, or make a dependency group of it if people develop with it",
            )
            continue
        _wishes(tree, path, group, found, into, before.get(group, {}))
    return bool(files)


class _Opener:
    """Opens files of the project alone; one that is not there says nothing, and is told."""

    def __init__(self, tree: Tree, asked: str, into: Described) -> None:
        self.tree = tree
        self.asked = asked
        self.into = into

    def __call__(self, path: str) -> str:
        inside = self.tree.inside(path)
        text = self.tree.read(inside) if inside is not None else None
        if text is None:
            shown = os.path.relpath(path, self.tree.root) if inside is None else inside
            self.into.leave(
                self.asked,
                f"-r or -c {shown}",
                "it is not in the project",
                "add what it asked for, if it is still needed",
            )
            return ""
        return text


def _is_compiled(found: RequirementsFile) -> bool:
    """Whether every requirement is one version with hashes."""
    entries = found.requirements
    return bool(entries) and all(
        entry.hashes and entry.requirement is not None and entry.requirement.specifier.startswith("==")
        for entry in entries
    )


def _pins(found: RequirementsFile) -> list[str]:
    """The versions of a compiled file, for the next lock: it has hashes, and a lock needs the files' places too."""
    pins = []
    for entry in found.requirements:
        requirement = entry.requirement
        if (
            requirement is not None
            and requirement.specifier.startswith("==")
            and "*" not in requirement.specifier
        ):
            pins.append(
                f"{requirement.name}{requirement.specifier}"
                + (f"; {requirement.marker}" if requirement.marker else "")
            )
    return pins


def _recorded(found: RequirementsFile) -> list[Recorded]:
    """The digests of each pinned release."""
    return [
        Recorded(
            entry.where.path.rpartition("/")[2],
            entry.requirement.name,
            entry.requirement.specifier.lstrip("="),
            tuple(RecordedFile(digest) for digest in dict.fromkeys(entry.hashes)),
        )
        for entry in found.requirements
        if entry.hashes
        and entry.requirement is not None
        and re.fullmatch(r"==[^=*,]+", entry.requirement.specifier)
    ]


def _plain(text: str) -> str:
    return text.replace(" ", "").lower()


def _project(text: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", text)
    return normalise(match[0]) if match is not None else text


def _wishes(
    tree: Tree, path: str, group: str, found: RequirementsFile, into: Described, already: dict[str, str]
) -> None:
    """The requirements that stand in this very file; what another description put into the group before,
    ``already`` by name, counts."""
    comments = of_lines(tree.read(path) or "", "#")
    target = into.groups.setdefault(group, []) if group else into.dependencies
    there = {item.text for item in target}
    known = requirement_files(tree)
    for other in found.files[1:]:
        other_group = known.get(tree.inside(other) or "")
        if other_group and other_group.lstrip("=") != group:
            target.append(Item(other_group.lstrip("="), include=True))
            into.groups.setdefault(other_group.lstrip("="), [])
    for entry in found.entries:
        here = tree.inside(entry.where.path)
        if here != path and (here in known or (not entry.constraint and here is None)):
            continue
        item = _item(
            tree, entry, comments.at(entry.where.line or 0), comments.above(entry.where.line or 0), into, path
        )
        if item is None:
            continue
        wished = already.get(_project(item.text))
        if wished is not None and not entry.constraint:
            if _plain(wished) != _plain(item.text):
                into.leave(
                    f"{path}:{entry.where.line}",
                    item.text,
                    f"the group {group or 'of dependencies'} asks for {wished} already",
                    "choose one of them",
                )
        elif entry.constraint:
            if item not in into.constraints:
                into.constraints.append(item)
        elif item.text not in there:
            target.append(item)
    _options(found, path, into)


def _item(
    tree: Tree, entry: Entry, comment: str | None, above: tuple[str, ...], into: Described, path: str
) -> Item | None:
    where = f"{path}:{entry.where.line}"
    comment = None if comment and comment.startswith("via ") else comment
    if entry.location is None:
        return requirement_item(entry.text, comment, above)
    inside = tree.inside(entry.location.removeprefix("file://")) if "://" not in entry.location else None
    if inside == ".":
        return None  # the project itself
    if entry.requirement is None:
        name = _name_of(tree, inside)
        if name is None:
            into.leave(
                where,
                entry.text,
                "nobody but its own metadata knows its name",
                "write name @ URL, or name it in [tool.accord.sources]",
            )
            return None
    else:
        name = entry.requirement.raw_name
    extras = f"[{','.join(entry.extras)}]" if entry.extras else ""
    if inside is not None:
        into.sources.setdefault(name, []).append(
            {"path": inside, **({"editable": True} if entry.editable else {})}
        )
        return requirement_item(f"{name}{extras}", comment, above, entry.marker)
    url = entry.location.partition("#")[0]
    return requirement_item(
        f"{name}{extras} @ {url}" + (f" ; {entry.marker}" if entry.marker else ""), comment, above
    )


def _name_of(tree: Tree, folder: str | None) -> str | None:
    """The name of a project in a folder of ours, where its pyproject.toml says it."""
    import tomllib

    text = tree.read(f"{folder}/pyproject.toml") if folder else None
    try:
        name = tomllib.loads(text).get("project", {}).get("name") if text else None
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    return name if isinstance(name, str) else None


def _options(found: RequirementsFile, path: str, into: Described) -> None:
    options = found.options
    urls = [(options.index_url, True), *((url, False) for url in options.extra_index_urls)]
    for number, (url, default) in enumerate((each for each in urls if each[0]), 1):
        assert url is not None
        if re.search(r"://[^/@]+@", url):
            into.leave(
                path,
                "an index with a password",
                "passwords do not belong into pyproject.toml",
                "give it to keyring or netrc, and write [[tool.accord.index]] without it",
            )
            continue
        index = {"name": f"index-{number}", "url": unquote(url), **({"default": True} if default else {})}
        if not any(each["url"] == index["url"] for each in into.indexes):
            into.indexes.append(index)
    for name, value in (
        ("--find-links", options.find_links),
        ("--no-binary", options.no_binary),
        ("--only-binary", options.only_binary),
        ("--trusted-host", options.trusted_hosts),
        ("--pre", options.pre),
        ("--no-index", options.no_index),
    ):
        if value:
            into.leave(
                path,
                f"{name} {value if isinstance(value, tuple) else ''}".strip(),
                "it is an option of a command, not of a project",
                f"give {name} on the command line, or see [tool.accord]",
            )
