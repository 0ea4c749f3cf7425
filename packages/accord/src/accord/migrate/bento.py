"""``bento.info``, the description Bento had in 2009-2014, in its simple form: fields, one ``Library`` and executables."""

from __future__ import annotations

import re

from accord.migrate.model import Described, Extension, Item, Person, Readme, Version
from accord.migrate.requirement_text import requirement_item
from accord_core.errors import DocumentError, Where

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.migrate.tree import Tree

__all__ = ["read_bento"]

_FIELDS = frozenset(
    """name version summary url downloadurl description descriptionfromfile author authoremail maintainer maintaineremail
    license platforms classifiers keywords installrequires buildrequires extrasourcefiles hookfile configpy
    metatemplatefile metatemplatefiles usebackends recurse subento""".split()  # noqa: SIM905 - read as words
)
_TOLD = (
    ("platforms", "pyproject.toml has no such field"),
    ("hookfile", "hooks are code"),
    ("configpy", "Bento wrote this module at install"),
    ("metatemplatefile", "Bento wrote this module at install"),
    ("metatemplatefiles", "Bento wrote this module at install"),
    ("buildrequires", "see [build-system] requires"),
    ("usebackends", "it is about Bento"),
)


def read_bento(tree: Tree) -> Described | None:
    """The project of ``bento.info``, with the libraries of the folders it recurses into; None where there is none."""
    text = tree.read("bento.info")
    if text is None:
        return None
    into = Described()
    fields = _described(text, "", tree, into, set())
    _identity(fields, into)
    _requirements(fields.get("installrequires", ""), into)
    into.files.sdist_include = _list(fields.get("extrasourcefiles", ""))
    return into


def _identity(fields: dict[str, str], into: Described) -> None:
    into.name = fields.get("name", "").strip() or None
    into.version = Version(fields["version"].strip()) if fields.get("version") else None
    into.description = fields.get("summary", "").strip() or None
    if fields.get("descriptionfromfile", "").strip():
        into.readme = Readme((fields["descriptionfromfile"].strip(),))
    elif fields.get("description", "").strip():
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


def _described(text: str, folder: str, tree: Tree, into: Described, seen: set[str]) -> dict[str, str]:
    """The fields of the file in ``folder``; its libraries, and those below it, go ``into`` the record."""
    path = "/".join(filter(None, (folder, "bento.info")))
    if path.count("/") > tree.limits.nested:
        raise DocumentError(
            "migrate-tree-too-large",
            f"bento.info recurses into more than {tree.limits.nested} folders below each other",
            where=Where(path),
            hint="no project does; look at Recurse",
        )
    seen.add(path)
    into.read.append(path)
    fields, blocks = _parsed(text)
    for key, why in _TOLD:
        if fields.get(key):
            what = f"{key}: {' '.join(fields[key].split())[:60]}"
            into.leave(path, what, why, "see whether it is still needed")
    flags = {
        name: _parsed_block(inner)[0].get("default", "").strip().lower() == "true"
        for kind, name, inner in blocks
        if kind == "flag"
    }
    for kind, name, inner in blocks:
        if kind == "flag":
            state = "true" if flags[name] else "false"
            into.leave(
                path, f"Flag: {name}", f"a description has no switches; it is read as {state}", "nothing"
            )
        else:
            _block(kind, name, _chosen(inner, flags, path, into), folder, path, into)
    for each in _list(fields.get("recurse", "") or fields.get("subento", "")):
        inner_folder = "/".join(filter(None, (folder, each.strip("./"))))
        below = tree.read(f"{inner_folder}/bento.info")
        if below is None:
            into.leave(path, f"Recurse: {each}", "it has no bento.info", "nothing, unless it was forgotten")
        elif f"{inner_folder}/bento.info" not in seen:
            _described(below, inner_folder, tree, into, seen)
    return fields


def _chosen(lines: list[str], flags: dict[str, bool], path: str, into: Described) -> list[str]:
    """The lines of a block that hold: ``if flag(x):`` as the flag is by itself, any other condition as not met, and told."""
    found: list[str] = []
    condition: tuple[int, bool] | None = None
    shift = 0
    for line in lines:
        indent = len(line) - len(line.lstrip())
        head = re.fullmatch(r"if\s+(.*?)\s*:|else\s*:", line.strip())
        if condition is not None and indent > condition[0] and head is None:
            shift = shift or indent - condition[0]
            if condition[1]:
                found.append(line[shift:])
            continue
        if head is None:
            condition, shift = None, 0
            found.append(line)
        elif head[1] is None:
            condition, shift = (indent, condition is not None and not condition[1]), 0
        else:
            flag = re.fullmatch(r"(not\s+)?flag\((\w+)\)", head[1])
            if flag is None or flag[2] not in flags:
                into.leave(path, head[0], "it asks something only Bento knew", "add what is below it by hand")
            holds = flag is not None and flags.get(flag[2], False) is (flag[1] is None) and flag[2] in flags
            condition, shift = (indent, holds), 0
    return found


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


def _block(kind: str, name: str, lines: list[str], folder: str, path: str, into: Described) -> None:
    inner, nested = _parsed_block(lines)
    package = folder.replace("/", ".")
    if kind == "library":
        packages = [".".join(filter(None, (package, each))) for each in _list(inner.get("packages", ""))]
        into.files.packages = [*(into.files.packages or ()), *packages]
        for each in _list(inner.get("modules", "")):
            into.files.modules.append(".".join(filter(None, (package, each.replace("/", ".")))))
        _requirements(inner.get("installrequires", ""), into)
        for nested_kind, extension, values in nested:
            if nested_kind != "extension":
                into.leave(
                    path,
                    f"{nested_kind}: {extension}",
                    "a library of compiled code for several extensions has no description here",
                    "name its sources in each extension that needs it",
                )
                continue
            sources = tuple(
                "/".join(filter(None, (folder, each))) for each in _list(values.get("sources", ""))
            )
            full = ".".join(filter(None, (package, extension)))
            into.extensions.append(Extension(full, sources, _options(values), path))
    elif kind == "executable" and inner.get("module") and inner.get("function"):
        into.scripts[name] = f"{inner['module'].strip()}:{inner['function'].strip()}"
    elif kind == "datafiles" and inner.get("files"):
        _data(name, inner, folder, path, into)
    else:
        into.leave(
            path,
            f"{kind}: {name}",
            "it is not in the simple form that is read here",
            "see whether it is still needed",
        )


def _data(name: str, inner: dict[str, str], folder: str, path: str, into: Described) -> None:
    """Files with a place: below the prefix as data, below a package of their own name as what the package has anyway."""
    target = inner.get("targetdir", "").strip().replace("$prefix/", "").replace("$datadir", "share")
    source = (inner.get("sourcedir") or inner.get("srcdir") or "").strip().strip("/.")
    files = _list(inner["files"])
    if target.startswith("$sitedir/") and target.removeprefix("$sitedir/").strip("/") == source:
        for each in files:
            into.files.package_data.setdefault(source.replace("/", "."), []).append(each)
    elif target and not target.startswith(("/", "$")):
        names = ["/".join(filter(None, (folder, source, each))) for each in files]
        into.files.data_files.append((target.strip("/"), names))
    else:
        into.leave(
            path,
            f"DataFiles: {name}",
            "its target is a folder only Bento knew",
            "write it as [tool.accord.build] data",
        )


def _options(values: dict[str, str]) -> tuple[tuple[str, list[str]], ...]:
    return tuple(
        (key, _list(values[key.replace("-", "")]))
        for key in ("include-dirs", "libraries")
        if values.get(key.replace("-", ""))
    )


def _parsed_block(lines: list[str]) -> tuple[dict[str, str], list[tuple[str, str, dict[str, str]]]]:
    fields: dict[str, str] = {}
    nested: list[tuple[str, str, dict[str, str]]] = []
    depth = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    here: dict[str, str] = fields
    current: str | None = None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        head = re.match(r"([A-Za-z]+)\s*:\s*(.*)", line.strip())
        if head and indent == depth and head[1].lower() in ("extension", "compiledlibrary"):
            nested.append((head[1].lower(), head[2].strip(), {}))
            here, current = nested[-1][2], None
        elif head and (indent == depth or here is not fields):
            if indent == depth:
                here = fields
            current = head[1].lower()
            here[current] = f"{here[current]}\n{head[2]}" if current in here else head[2]
        elif current is not None:
            here[current] += f"\n{line.strip()}"
    return fields, nested
