"""``uv.lock`` and ``[tool.uv]``: the lock as a standard one, uv's own table as ``[tool.accord]``.

uv.lock says of each package what it depends on and under which marker, not when it is installed at all; that follows
by walking from the project through its groups and extras, conditions joined along the way.
"""

from __future__ import annotations

import tomllib

from accord.migrate.locks import (
    TooTangled,
    checked_version,
    directory_source,
    either,
    git_source,
    hash_of,
    joined,
    lock_file,
    pin_packages,
    write_lock,
)
from accord.migrate.recorded import recorded_in_toml
from accord_core.errors import DocumentError, Where
from accord_core.lock.model import Archive, Package
from accord_core.names import normalise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.migrate.model import Described
    from accord.migrate.tree import Tree

__all__ = ["add_uv_table", "translate_uv_lock"]

Node = tuple[str, str, str]  # name, version, extra
_MOST_STEPS = 200_000


def translate_uv_lock(tree: Tree, into: Described) -> str | None:
    """``pylock.toml`` for ``uv.lock``; None, with a leftover, where it cannot be without resolving again."""
    text = tree.read("uv.lock", tree.limits.lock_bytes)
    if text is None:
        return None
    into.read.append("uv.lock")
    try:
        lock = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DocumentError(
            "migrate-lock-invalid",
            f"uv.lock is no TOML: {error}",
            where=Where("uv.lock"),
            hint="run accord lock",
        ) from error
    packages = [each for each in lock.get("package", ()) if "registry" in each.get("source", {})]
    into.recorded += recorded_in_toml({"package": packages}, "uv.lock")
    try:
        checked_version(lock, "version", ("1",), "uv")
        text = _translated(lock)
    except TooTangled as error:
        into.leave("uv.lock", "the lock", str(error), "see what is said of the old lock's versions")
        pin_packages([each for each in packages if "version" in each], "uv.lock", into)
        return None
    _unlocked_members(lock, text, into)
    return text


def _unlocked_members(lock: dict[str, Any], text: str, into: Described) -> None:
    """Members of a workspace that the project at its root does not need: their own packages are locked nowhere now."""
    there = {each.get("name") for each in tomllib.loads(text).get("packages", ())}
    own = {each["name"] for each in lock.get("package", ()) if _is_own(each)}
    others = sorted(set(lock.get("manifest", {}).get("members", ())) - there - own)
    if others:
        into.leave(
            "uv.lock",
            f"members {', '.join(others)}",
            "the project at the root of the workspace does not need them, and a lock is of one project",
            "run accord lock in the folder of each that is to have a lock",
        )


def _translated(lock: dict[str, Any]) -> str:
    if lock.get("conflicts"):
        raise TooTangled(
            "its groups or extras conflict with each other, which a standard lock has no markers for"
        )
    packages: dict[tuple[str, str], dict[str, Any]] = {
        (each["name"], each.get("version", "")): each for each in lock.get("package", ())
    }
    names: dict[str, list[str]] = {}
    for name, version in packages:
        names.setdefault(name, []).append(version)
    own = [each for each in packages.values() if _is_own(each)]
    if len(own) > 1:
        raise TooTangled("it locks several projects of a workspace together")
    if not own:
        several = lock.get("manifest", {}).get("members", ())
        raise TooTangled(
            f"it is of a workspace of {len(several)} projects with none at its root"
            if several
            else "it names no project of its own"
        )
    (root,) = own
    terms = _walk(root, packages, names)
    groups, extras = list(root.get("dev-dependencies", {})), list(root.get("optional-dependencies", {}))
    found = [
        _package(packages[key], _marker(packages[key], either(terms[key])))
        for key in sorted(terms)
        if packages[key] is not root
    ]
    return write_lock(
        found,
        requires_python=lock.get("requires-python"),
        groups=groups,
        extras=extras,
        default_groups=[each for each in groups if each == "dev"],
    )


def _is_own(package: dict[str, Any]) -> bool:
    return _folder(package) == "."


def _marker(package: dict[str, Any], reached: str | None) -> str | None:
    """When it is installed: reached, and in the part of the world this version is for."""
    forks = package.get("resolution-markers", ())
    return joined(
        reached, " or ".join(f"({each})" if " and " in each else each for each in forks) if forks else None
    )


def _walk(
    root: dict[str, Any], packages: dict[tuple[str, str], dict[str, Any]], names: dict[str, list[str]]
) -> dict[tuple[str, str], set[frozenset[str]]]:
    """For each package the conditions under which some way from the project leads to it."""
    reached: dict[Node, set[frozenset[str]]] = {}
    todo: list[tuple[dict[str, Any], frozenset[str]]] = [
        (each, frozenset()) for each in root.get("dependencies", ())
    ]
    for key, word in (("dev-dependencies", "dependency_groups"), ("optional-dependencies", "extras")):
        for name, entries in root.get(key, {}).items():
            todo += [(each, frozenset((f"'{name}' in {word}",))) for each in entries]
    steps = 0
    while todo:
        steps += 1
        if steps > _MOST_STEPS:
            raise TooTangled("its packages depend on each other in too many ways")
        edge, term = todo.pop()
        name = edge["name"]
        versions = [edge["version"]] if "version" in edge else names.get(name, [])
        if len(versions) != 1:
            raise TooTangled(f"{name} is in it {len(versions)} times, and it is not said which is meant")
        here = term | {edge["marker"]} if "marker" in edge else term
        for extra in ("", *edge.get("extra", ())):
            node = (name, versions[0], extra)
            known = reached.setdefault(node, set())
            if any(other <= here for other in known):
                continue
            known -= {other for other in known if here < other}
            known.add(here)
            package = packages[name, versions[0]]
            if package is root:
                continue
            inner = (
                package.get("optional-dependencies", {}).get(extra, ())
                if extra
                else package.get("dependencies", ())
            )
            todo += [(each, here) for each in inner]
    found: dict[tuple[str, str], set[frozenset[str]]] = {}
    for (name, version, _), terms in reached.items():
        found.setdefault((name, version), set()).update(terms)
    return found


def _package(package: dict[str, Any], marker: str | None) -> Package:
    source = package.get("source", {})
    common: dict[str, Any] = {"name": package["name"], "version": package.get("version"), "marker": marker}
    if "git" in source:
        vcs = git_source(source["git"])
        if vcs is None:
            raise TooTangled(f"{package['name']} comes from a repository without a commit")
        return Package(**common, vcs=vcs)
    if "editable" in source or "directory" in source:
        path = source.get("editable") or source.get("directory")
        return Package(
            **{**common, "version": None}, directory=directory_source(path, editable="editable" in source)
        )
    if "url" in source:
        file = (package.get("wheels") or [package.get("sdist", {})])[0]
        return Package(**common, archive=Archive(url=source["url"], hashes=hash_of(file.get("hash", ""))))
    if "registry" not in source:
        raise TooTangled(f"{package['name']} comes from {', '.join(source) or 'nowhere'}")
    sdist = package.get("sdist")
    return Package(
        **common,
        index=source["registry"],
        sdist=_file(sdist) if sdist else None,
        wheels=tuple(_file(each) for each in package.get("wheels", ())),
    )


def _file(entry: dict[str, Any]) -> Any:
    if "url" not in entry:
        raise TooTangled("it holds files of a local folder")
    return lock_file(
        entry["url"],
        hash_of(entry.get("hash", "")),
        size=entry.get("size"),
        upload_time=_time(entry.get("upload-time")),
    )


def _time(value: Any) -> str | None:
    from accord_core.lock.model import utc_time

    if value is None:
        return None
    return utc_time(value if isinstance(value, str) else value.isoformat())


_INDEX_KEYS = ("name", "url", "publish-url", "default", "explicit")


def add_uv_table(tree: Tree, document: dict[str, Any], into: Described) -> None:
    """``[tool.uv]``: indexes, sources, workspace, constraints and groups; the rest is reported."""
    from accord.migrate.requirement_text import requirement_item

    table = document.get("tool", {}).get("uv", {})
    for index in table.get("index", ()):
        into.indexes.append({key: index[key] for key in _INDEX_KEYS if key in index})
        _others(index, _INDEX_KEYS, f"index {index.get('name', '')}".strip(), into)
    members = _members(tree)
    for name, source in table.get("sources", {}).items():
        found = [
            _source(name, one, members, into) for one in (source if isinstance(source, list) else [source])
        ]
        if any(found):
            into.sources[name] = [one for one in found if one]
    workspace = table.get("workspace", {})
    if workspace.get("members"):
        into.workspace = {key: list(workspace[key]) for key in ("members", "exclude") if workspace.get(key)}
    for text in table.get("constraint-dependencies", ()):
        item = requirement_item(str(text))
        if item is not None:
            into.constraints.append(item)
    for text in table.get("dev-dependencies", ()):
        item = requirement_item(str(text))
        if item is not None:
            into.groups.setdefault("dev", []).append(item)
    known = {
        "index", "sources", "constraint-dependencies", "dev-dependencies", "default-groups", "package", "workspace",
    }  # fmt: skip
    if isinstance(table.get("default-groups"), list):
        into.default_groups = [str(each) for each in table["default-groups"]]
    for key in sorted(set(table) - known):
        into.leave(
            f"pyproject.toml [tool.uv] {key}",
            key,
            "accord has no such setting, or gives it another name",
            "see [tool.accord]",
        )


_SOURCE_KEYS = ("index", "path", "editable", "git", "rev", "tag", "branch", "subdirectory", "url")


def _source(name: str, source: dict[str, Any], members: dict[str, str], into: Described) -> dict[str, Any]:
    """A source in accord's words; a member of the workspace is the folder it lies in, the project itself is none."""
    _others(source, (*_SOURCE_KEYS, "workspace"), f"sources.{name}", into)
    found = {key: value for key, value in source.items() if key in _SOURCE_KEYS}
    if source.get("workspace"):
        folder = members.get(normalise(name))
        if folder is None:
            what = f"sources.{name} = {{ workspace = true }}"
            into.leave(
                "pyproject.toml [tool.uv]", what, "uv.lock does not say where it lies", "give its path"
            )
        elif folder != ".":
            found |= {"path": folder, "editable": True}
    return found


def _others(table: dict[str, Any], known: tuple[str, ...], what: str, into: Described) -> None:
    others = sorted(set(table) - set(known))
    if others:
        into.leave(
            "pyproject.toml [tool.uv]",
            f"{what}: {', '.join(others)}",
            "accord has no such setting, or gives it another name",
            "see [tool.accord]",
        )


def _members(tree: Tree) -> dict[str, str]:
    """The folders of a workspace's members, by name, as ``uv.lock`` has them."""
    try:
        lock = tomllib.loads(tree.read("uv.lock", tree.limits.lock_bytes) or "")
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}  # translating the lock tells it
    return {each["name"]: folder for each in lock.get("package", ()) if (folder := _folder(each)) is not None}


def _folder(package: dict[str, Any]) -> str | None:
    source = package.get("source", {})
    return next((str(source[kind]) for kind in ("editable", "virtual", "directory") if kind in source), None)
