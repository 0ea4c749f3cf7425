"""What a lock says: the tree of its packages, why each is there, and what is newer.

Reads ``pylock.toml`` (PEP 751) and the lists of the project beside it; never resolves.  ``packages.dependencies`` is
"for informational purposes", which is exactly what a tree is.  Which versions an index has is asked through the
small port :class:`Newest`, so that nothing here knows where files come from.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from accord.tasks.folders import PROJECT_FILE
from accord.tasks.lockfile import lock_bytes
from accord.tasks.trees import Edge, Node, paths_to
from accord_core.errors import DocumentError, UsageError, Where
from accord_core.lock.read import loads
from accord_core.project.versions import is_prerelease, sort_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from accord_core.lock.model import Lock

__all__ = [
    "LIMITS",
    "Limits",
    "Newest",
    "Outdated",
    "lock_nodes",
    "outdated",
    "project_node",
    "read_lock",
    "why",
]


@dataclass(frozen=True, slots=True)
class Limits:
    """How many ways to a package ``accord why`` tells (more are the same chains over again), and how many questions
    are asked of an index at once."""

    paths: int = 12
    questions: int = 16


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Outdated:
    """A locked package and the newest version there is; ``asked`` is what the project itself asks for."""

    name: str
    locked: str
    newest: str
    asked: str | None

    def as_dict(self) -> dict[str, object]:
        return {"name": self.name, "locked": self.locked, "newest": self.newest, "asked": self.asked}


class Newest(Protocol):
    """Tells the newest version of a project that its index offers."""

    def newest(self, name: str, *, prereleases: bool) -> str | None:
        """The version in normal form; ``None`` where no index has the project.  Asked once for each name, from
        several threads; may raise ``RepositoryError``.  Yanked files and files for other Pythons do not count."""


def read_lock(path: str) -> Lock:
    """The lock at ``path``; ``UsageError`` ``lock-not-found`` where there is none, ``DocumentError`` if it is broken."""
    try:
        text = lock_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise DocumentError("invalid-lock", f"{path} is not UTF-8", where=Where(path)) from error
    return loads(text, path)


def lock_nodes(lock: Lock) -> dict[str, Node]:
    """The packages of a lock with what each needs; a name that is locked in several versions is one node."""
    versions: dict[str, list[str]] = {}
    needs: dict[str, dict[str, str]] = {}
    for package in lock.packages:
        versions.setdefault(package.name, []).append(package.version or _source_words(package))
        edges = needs.setdefault(package.name, {})
        for dependency in package.dependencies:
            edges.setdefault(canonicalize_name(str(dependency.get("name", ""))), "")
    return {
        name: Node(
            name,
            name,
            " | ".join(dict.fromkeys(versions[name])),
            tuple(Edge(target, needs[name][target]) for target in sorted(needs[name])),
        )
        for name in sorted(versions)
    }


def _source_words(package: Any) -> str:
    """What to say instead of a version that the lock need not name (a source tree, a repository)."""
    if package.vcs is not None:
        return str(package.vcs.commit_id)[:12]
    return "(directory)" if package.directory is not None else "(archive)"


def project_node(project_dir: str) -> Node:
    """The project itself, with everything it asks for; ``asked`` says from which extra or group."""
    data = _pyproject(project_dir)
    project = data.get("project", {})
    edges: dict[str, list[str]] = {}
    for words, entries in _lists(data):
        for entry in entries:
            try:
                requirement = Requirement(entry) if isinstance(entry, str) else None
            except InvalidRequirement:
                requirement = None
            if requirement is None:
                continue
            asked = f"{_extras(requirement)}{requirement.specifier}"
            if requirement.marker is not None:
                asked += f" ; {requirement.marker}"
            edges.setdefault(canonicalize_name(requirement.name), []).append(
                " ".join(filter(None, (asked.strip(), words)))
            )
    name = canonicalize_name(str(project.get("name", os.path.basename(project_dir))))
    needs = tuple(
        Edge(target, ", ".join(filter(None, edges[target]))) for target in sorted(edges) if target != name
    )
    return Node(name, name, str(project.get("version", "")), needs)


def accord_table(project_dir: str) -> Mapping[str, Any]:
    """The ``[tool.accord]`` table of a project as it is written; empty where there is none."""
    table = _pyproject(project_dir).get("tool", {}).get("accord", {})
    return table if isinstance(table, dict) else {}


def _pyproject(project_dir: str) -> dict[str, Any]:
    path = os.path.join(project_dir, PROJECT_FILE)
    try:
        with open(path, "rb") as file:
            return tomllib.loads(file.read().decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DocumentError("toml-invalid", f"{path} is not TOML: {error}", where=Where(path)) from error


def _lists(data: Mapping[str, Any]) -> Iterable[tuple[str, Sequence[Any]]]:
    project = data.get("project", {})
    yield "", project.get("dependencies", ())
    for extra, entries in project.get("optional-dependencies", {}).items():
        yield f"(extra {extra})", entries
    for group, entries in data.get("dependency-groups", {}).items():
        yield f"(group {group})", entries


def _extras(requirement: Requirement) -> str:
    return f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""


def why(
    nodes: Mapping[str, Node], root: Node, name: str, *, limits: Limits = LIMITS
) -> tuple[tuple[Edge, ...], ...]:
    """The ways from the project to ``name`` (normal form), the shortest first, each beginning with the project.

    ``UsageError`` ``not-locked`` if the lock has no such package.
    """
    if name not in nodes:
        raise UsageError("not-locked", f"{name} is not in the lock", hint="accord tree shows what is")
    return paths_to({**nodes, root.name: root}, [root.name], name, limit=limits.paths)


def outdated(
    lock: Lock, root: Node | None, source: Newest, *, names: Sequence[str] = ()
) -> tuple[Outdated, ...]:
    """The locked packages (all, or ``names``) for which ``source`` has something newer; sorted by name.

    What was locked from a URL, a repository or a folder has no newer version by number and is left out.
    """
    from accord.io.parallel import spread

    asked = {} if root is None else {edge.target: edge.asked for edge in root.needs}
    held = [
        (package.name, package.version)
        for package in lock.packages
        if package.version is not None
        and package.vcs is None
        and package.archive is None
        and package.directory is None
        and (not names or package.name in names)
    ]
    newest: dict[tuple[str, str], str | None] = {}

    def ask(one: tuple[str, str]) -> None:
        newest[one] = source.newest(one[0], prereleases=is_prerelease(one[1]))

    spread(ask, held, LIMITS.questions)
    found = []
    for one in sorted(held):
        new = newest[one]
        if new is not None and sort_key(new) > sort_key(one[1]):
            found.append(Outdated(one[0], one[1], new, asked.get(one[0])))
    return tuple(found)
