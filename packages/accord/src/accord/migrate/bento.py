"""``bento.info``, the description Bento had in 2009-2014, in its simple form: fields, one ``Library`` and executables."""

from __future__ import annotations

import re

from accord.migrate.model import Described, Extension, Item, Person, Readme, Version
from accord.migrate.requirement_text import requirement_item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.migrate.tree import Tree

__all__ = ["read_bento"]

_FIELDS = {"name", "version", "summary", "url", "downloadurl", "description", "author", "authoremail", "maintainer", "maintaineremail", "license", "platforms", "classifiers", "keywords", "installrequires", "buildrequires", "extrasourcefiles", "hookfile", "configpy", "useBackends".lower()}  # fmt: skip


def read_bento(tree: Tree) -> Described | None:
    """The project of ``bento.info``, None where there is none."""
    text = tree.read("bento.info")
    if text is None:
        return None
    into = Described(read=["bento.info"])
    fields, blocks = _parsed(text)
    into.name = fields.get("name", "").strip() or None
    into.version = Version(fields["version"].strip()) if fields.get("version") else None
    into.description = fields.get("summary", "").strip() or None
    if fields.get("description", "").strip():
        into.readme = Readme((), "text/x-rst", fields["description"].strip() + "\n")
    if fields.get("url"):
        into.urls["Homepage"] = fields["url"].strip()
    if fields.get("downloadurl"):
        into.urls["Download"] = fields["downloadurl"].strip()
    for role, people in (("author", into.authors), ("maintainer", into.maintainers)):
        if fields.get(role) or fields.get(f"{role}email"):
            people.append(
                Person(fields.get(role, "").strip() or None, fields.get(f"{role}email", "").strip() or None)
            )
    into.licence_text = fields.get("license", "").strip() or None
    into.classifiers = [Item(each) for each in _list(fields.get("classifiers", ""))]
    into.keywords = _list(fields.get("keywords", ""))
    _requirements(fields.get("installrequires", ""), into)
    into.files.sdist_include = _list(fields.get("extrasourcefiles", ""))
    for key, why in (
        ("platforms", "pyproject.toml has no such field"),
        ("hookfile", "hooks are code"),
        ("configpy", "Bento wrote this module at install"),
        ("buildrequires", "see [build-system] requires"),
        ("usebackends", "it is about Bento"),
    ):
        if fields.get(key):
            into.leave(
                "bento.info",
                f"{key}: {' '.join(fields[key].split())[:60]}",
                why,
                "see whether it is still needed",
            )
    for kind, name, inner in blocks:
        _block(kind, name, inner, into)
    return into


def _parsed(text: str) -> tuple[dict[str, str], list[tuple[str, str, list[str]]]]:
    """Fields at the margin with their indented lines, and the blocks (``Library:``, ``Executable: name``) with theirs."""
    fields: dict[str, str] = {}
    blocks: list[tuple[str, str, list[str]]] = []
    current: str | None = None
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        head = re.match(r"([A-Za-z]+)\s*:\s*(.*)", line)
        if head and not line[:1].isspace():
            key = head[1].lower()
            current = key if key in _FIELDS else None
            if current is not None:
                fields[key] = head[2]
            else:
                blocks.append((key, head[2].strip(), []))
        elif current is not None:
            fields[current] += f"\n{line.strip()}"
        elif blocks:
            blocks[-1][2].append(line)
    return fields, blocks


def _list(text: str) -> list[str]:
    return [part.strip() for line in text.splitlines() for part in line.split(",") if part.strip()]


def _requirements(text: str, into: Described) -> None:
    for each in _list(text):
        item = requirement_item(each)
        if item is None:
            into.leave(
                "bento.info",
                f"InstallRequires: {each}",
                "it is no requirement (PEP 508)",
                "write it in the form of the standard",
            )
        else:
            into.dependencies.append(item)


def _block(kind: str, name: str, lines: list[str], into: Described) -> None:
    inner, nested = _parsed_block(lines)
    if kind == "library":
        into.files.packages = [*(into.files.packages or ()), *_list(inner.get("packages", ""))]
        into.files.modules += _list(inner.get("modules", ""))
        _requirements(inner.get("installrequires", ""), into)
        for extension, values in nested:
            into.extensions.append(
                Extension(extension, tuple(_list(values.get("sources", ""))), _options(values), "bento.info")
            )
    elif kind == "executable" and inner.get("module") and inner.get("function"):
        into.scripts[name] = f"{inner['module'].strip()}:{inner['function'].strip()}"
    elif kind == "datafiles" and inner.get("files"):
        target = (
            inner.get("targetdir", "")
            .strip()
            .replace("$prefix/", "")
            .replace("$datadir", "share")
            .replace("$sitedir", "")
        )
        source = inner.get("srcdir", "").strip().strip("/.")
        names = ["/".join(filter(None, (source, each))) for each in _list(inner["files"])]
        if target and not target.startswith(("/", "$")):
            into.files.data_files.append((target.strip("/"), names))
        else:
            into.leave(
                "bento.info",
                f"DataFiles: {name}",
                "its target is a folder only Bento knew",
                "write it as [tool.accord.build] data",
            )
    else:
        into.leave(
            "bento.info",
            f"{kind}: {name}",
            "it is not in the simple form that is read here",
            "see whether it is still needed",
        )


def _options(values: dict[str, str]) -> tuple[tuple[str, list[str]], ...]:
    return tuple(
        (key, _list(values[key.replace("-", "")]))
        for key in ("include-dirs", "libraries")
        if values.get(key.replace("-", ""))
    )


def _parsed_block(lines: list[str]) -> tuple[dict[str, str], list[tuple[str, dict[str, str]]]]:
    fields: dict[str, str] = {}
    nested: list[tuple[str, dict[str, str]]] = []
    depth = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    here: dict[str, str] = fields
    current: str | None = None
    inner_depth = depth
    for line in lines:
        indent = len(line) - len(line.lstrip())
        head = re.match(r"([A-Za-z]+)\s*:\s*(.*)", line.strip())
        if head and head[1].lower() == "extension" and indent == depth:
            nested.append((head[2].strip(), {}))
            here, current, inner_depth = nested[-1][1], None, indent + 1
        elif head and (indent == depth or (here is not fields and indent >= inner_depth)):
            if indent == depth:
                here = fields
            current = head[1].lower()
            here[current] = head[2]
        elif current is not None:
            here[current] += f"\n{line.strip()}"
    return fields, nested
