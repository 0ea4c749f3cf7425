"""Pipenv: ``Pipfile`` into dependencies and groups, ``Pipfile.lock`` into a standard lock where its files can be named."""

from __future__ import annotations

import json
import tomllib

from accord.migrate.comments import of_lines
from accord.migrate.model import Described, Item
from accord.migrate.recorded import Recorded, RecordedFile, digest_of
from accord.migrate.requirement_text import join_marker, requirement_item
from accord_core.errors import DocumentError, Where
from accord_core.names import normalise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.migrate.tree import Tree

__all__ = ["add_pipfile"]

_MARKERS = (
    "os_name", "sys_platform", "platform_machine", "platform_python_implementation", "platform_release", "platform_system",
    "platform_version", "python_version", "python_full_version", "implementation_name", "implementation_version",
)  # fmt: skip


def add_pipfile(tree: Tree, into: Described, *, is_package: bool = False) -> bool:
    """Read ``Pipfile`` and ``Pipfile.lock``; whether there was one.  DocumentError ``pipfile-invalid``."""
    text = tree.read("Pipfile")
    if text is None:
        return False
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DocumentError(
            "pipfile-invalid", f"Pipfile is no TOML: {error}", where=Where("Pipfile"), hint="mend it first"
        ) from error
    into.read.append("Pipfile")
    comments = of_lines(text, "#")
    lines = _lines(text)
    for section, entries in document.items():
        if section in ("source", "requires", "scripts", "pipenv") or not isinstance(entries, dict):
            continue
        target = (
            into.wishes("pipenv", is_package=is_package)
            if section == "packages"
            else into.groups.setdefault("dev" if section == "dev-packages" else section, [])
        )
        for name, spec in entries.items():
            line = lines.get((section, name), 0)
            item = _item(name, spec, f"Pipfile:{line}", into)
            if item is not None:
                target.append(Item(item.text, comments.at(line), comments.above(line)))
    _sources(document, into)
    requires = document.get("requires", {})
    version = requires.get("python_full_version") or requires.get("python_version")
    if version and is_package:
        into.leave(
            "Pipfile",
            f"[requires] {version}",
            "which Pythons a package is for is in its own description",
            "nothing; accord -p chooses one",
        )
    elif version:
        into.requires_python = f"=={version}.*" if version.count(".") == 1 else f"=={version}"
    if document.get("scripts"):
        into.leave(
            "Pipfile", "[scripts]", "commands of Pipenv are Pipenv's", "use your task runner, or accord run"
        )
    for key in sorted(set(document.get("pipenv", {})) - {"allow_prereleases"}):
        into.leave("Pipfile", f"[pipenv] {key}", "it is an option of Pipenv's commands", "nothing")
    if document.get("pipenv", {}).get("allow_prereleases"):
        into.leave(
            "Pipfile",
            "allow_prereleases",
            "it is a rule for the resolver",
            'write [tool.accord] prerelease = "allow" if you mean it',
        )
    _lock(tree, into)
    return True


def _item(name: str, spec: Any, where: str, into: Described) -> Item | None:
    table = {"version": spec} if isinstance(spec, str) else dict(spec)
    extras = f"[{','.join(table['extras'])}]" if table.get("extras") else ""
    version = str(table.get("version", "*"))
    version = "" if version == "*" else version if version[:1] in "<>=!~" else f"=={version}"
    markers = [str(table["markers"])] if table.get("markers") else []
    markers += [f"{key} {_signed(str(table[key]))}" for key in _MARKERS if key in table]
    source: dict[str, Any] = {}
    for key in ("git", "path", "file"):
        if key in table:
            source = {
                "url"
                if key == "file" and "://" in str(table[key])
                else "path"
                if key != "git"
                else "git": table[key]
            }
    if source.get("git") and table.get("ref"):
        source["rev"] = table["ref"]
    if source.get("path") and table.get("editable"):
        source["editable"] = True
    if table.get("index"):
        source = {"index": table["index"]}
    if source.get("path") in (".", "./"):
        if table.get("extras"):
            into.leave(
                where,
                f"{name}{extras}",
                "extras of the project itself are chosen when it is installed",
                " ".join(("accord sync", *(f"--extra {each}" for each in table["extras"]))),
            )
        return None
    if source:
        into.sources.setdefault(name, []).append(source)
    text = f"{name}{extras}{version}"
    try:
        for marker in markers:
            text = join_marker(text, marker)
    except ValueError:
        text = ""
    item = requirement_item(text) if text else None
    if item is None:
        into.leave(
            where, f"{name} = {spec!r}", "it cannot be said as a requirement (PEP 508)", "write it by hand"
        )
    return item


def _signed(text: str) -> str:
    sign, _, value = text.partition(" ")
    value = value.strip().strip("'\"")
    return f'{sign} "{value}"' if value else text


def _sources(document: dict[str, Any], into: Described) -> None:
    for number, source in enumerate(document.get("source", ())):
        url = str(source.get("url", ""))
        if "${" in url or "@" in url.partition("://")[2].partition("/")[0]:
            into.leave(
                "Pipfile",
                f"source {source.get('name')!r}",
                "its URL holds a password or a variable",
                "write [[tool.accord.index]] without it, and give the password to keyring or netrc",
            )
            continue
        name = str(source.get("name", f"index-{number + 1}"))
        if name == "pypi":
            continue  # the default, whatever mirror of it this machine uses
        into.indexes.append({"name": name, "url": url, **({"default": True} if number == 0 else {})})


def _lines(text: str) -> dict[tuple[str, str], int]:
    import re

    found: dict[tuple[str, str], int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\[+([^\]]+)\]+", line)
        if head:
            section = head[1]
        elif match := re.match(r"[\"']?([A-Za-z0-9._-]+)[\"']?\s*=", line):
            found.setdefault((section, match[1]), number)
    return found


def _lock(tree: Tree, into: Described) -> None:
    """``Pipfile.lock`` has versions and hashes without the names of the files; its versions limit the next lock."""
    text = tree.read("Pipfile.lock", tree.limits.lock_bytes)
    if text is None:
        return
    into.read.append("Pipfile.lock")
    try:
        lock = json.loads(text)
    except ValueError as error:
        raise DocumentError(
            "migrate-lock-invalid",
            f"Pipfile.lock is no JSON: {error}",
            where=Where("Pipfile.lock"),
            hint="run accord lock",
        ) from error
    pins: dict[str, None] = {}
    for section, entries in lock.items() if isinstance(lock, dict) else ():
        if section.startswith("_") or not isinstance(entries, dict):
            continue
        for name, entry in entries.items():
            version = str(entry.get("version", ""))
            if version.startswith("==") and not {"git", "path", "file"} & entry.keys():
                pins[f"{name}{version}"] = None
                digests = [digest_of(str(each)) for each in entry.get("hashes", ())]
                files = tuple(RecordedFile(each) for each in dict.fromkeys(digests) if each is not None)
                into.recorded += (
                    [Recorded("Pipfile.lock", normalise(name), version[2:], files)] if files else []
                )
            elif entry.get("git") and entry.get("ref"):
                into.leave(
                    "Pipfile.lock",
                    f"{name} at commit {str(entry['ref'])[:12]}",
                    "a new lock asks the repository again",
                    "write the commit as rev in [tool.accord.sources] if it must be this one",
                )
    into.pins += [pin for pin in sorted(pins) if requirement_item(pin) is not None]
