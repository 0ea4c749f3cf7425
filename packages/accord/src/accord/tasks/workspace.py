"""Several projects in one repository: which there are (``[tool.accord.workspace]``), and in which order they are built.

A member that another one's ``build-system.requires`` names is built before it, and is what the other is built with.
Reads ``pyproject.toml`` files; builds nothing.
"""

from __future__ import annotations

import os

from accord.build.backend import read_build_system
from accord.tasks.build_facts import Facts, read_facts
from accord_core.errors import BuildError, UsageError, Where
from accord_core.names import normalise
from accord_core.project.requirement import parse_requirement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Member", "Space", "find_workspace", "in_order"]

_MOST = 1000  # folders that members may match


class Member:
    """A project of a workspace: its normalised ``name``, ``folder``, ``facts``, and the names of what it ``requires``
    to be built, and ``needs`` to run."""

    __slots__ = ("facts", "folder", "name", "needs", "requires")

    def __init__(
        self, name: str, folder: str, facts: Facts, requires: Iterable[str], needs: Iterable[str]
    ) -> None:
        self.name = name
        self.folder = folder
        self.facts = facts
        self.requires = frozenset(requires)
        self.needs = frozenset(needs)


class Space:
    """A workspace: the ``root`` folder, its ``tool`` table, and its ``members`` by name, in the order of their folders."""

    __slots__ = ("members", "root", "tool")

    def __init__(self, root: str, tool: dict[str, object], members: dict[str, Member]) -> None:
        self.root = root
        self.tool = tool
        self.members = members

    def pick(self, names: Sequence[str]) -> list[Member]:
        """The members of these names.  UsageError ``workspace-unknown-member``."""
        for name in names:
            if normalise(name) not in self.members:
                raise UsageError(
                    "workspace-unknown-member",
                    f"the workspace {self.root} has no member {name}",
                    hint=f"it has: {', '.join(self.members)}",
                )
        return [self.members[normalise(name)] for name in names]


def find_workspace(start: str, cache_dir: str | None) -> Space:
    """The workspace in or above the folder ``start``.

    Raises UsageError ``workspace-missing``; BuildError ``workspace-member-invalid``; those of reading the projects.
    """
    folder = os.path.abspath(start)
    while True:
        if os.path.isfile(os.path.join(folder, "pyproject.toml")):
            facts = read_facts(folder, cache_dir, buildable=False)
            table = facts.tool.get("workspace")
            if isinstance(table, dict):
                return Space(folder, facts.tool, _members(folder, table, cache_dir))
        above = os.path.dirname(folder)
        if above == folder:
            break
        folder = above
    raise UsageError(
        "workspace-missing",
        f"neither {start} nor a folder above it has a pyproject.toml with [tool.accord.workspace]",
        hint='write it at the root: [tool.accord.workspace] members = ["packages/*"]',
    )


def _members(root: str, table: dict[str, list[str]], cache_dir: str | None) -> dict[str, Member]:
    path = os.path.join(root, "pyproject.toml")
    left_out = _matching(root, table.get("exclude", []))
    found: dict[str, Member] = {}
    for folder in sorted(_matching(root, table["members"]) - left_out):
        if not os.path.isfile(os.path.join(folder, "pyproject.toml")):
            continue  # packages/* matches what is no project, too
        facts = read_facts(folder, cache_dir)
        if facts.name is None:
            raise _invalid(path, f"{folder} has no [project] name")
        name = normalise(facts.name)
        if name in found:
            raise _invalid(path, f"{found[name].folder} and {folder} are both called {name}")
        system = facts.system or read_build_system(folder, facts.name)
        found[name] = Member(name, folder, facts, _names(system.requires), _names(facts.dependencies))
    if not found:
        raise _invalid(path, "members match no folder with a pyproject.toml")
    return found


def _matching(root: str, patterns: Iterable[str]) -> set[str]:
    import glob

    found: set[str] = set()
    for pattern in patterns:
        for match in glob.iglob(pattern, root_dir=root, recursive=True):
            folder = os.path.join(root, match)
            if os.path.isdir(folder):
                found.add(os.path.normpath(folder))
            if len(found) > _MOST:
                raise _invalid(
                    os.path.join(root, "pyproject.toml"), f"{pattern!r} matches over {_MOST} folders"
                )
    return found


def _names(requirements: Iterable[str]) -> list[str]:
    return [parse_requirement(text).name for text in requirements]


def _invalid(path: str, reason: str) -> BuildError:
    return BuildError(
        "workspace-member-invalid",
        f"the workspace cannot be used: {reason}",
        where=Where(path, table="tool.accord.workspace", key="members"),
        hint="mend the project, or name its folder in exclude",
    )


def in_order(space: Space, wanted: Iterable[Member]) -> list[Member]:
    """``wanted`` and what of the workspace they are built with, each after what it needs.

    Raises BuildError ``workspace-cycle``.
    """
    done: list[Member] = []

    def visit(member: Member, above: tuple[str, ...]) -> None:
        if member in done:
            return
        if member.name in above:
            circle = " -> ".join((*above[above.index(member.name) :], member.name))
            raise BuildError(
                "workspace-cycle",
                f"to be built, members of the workspace need each other: {circle}",
                hint="one of them must be built with a published release of the other: pin it in build-system.requires",
            )
        for name in sorted(reachable(space, member.requires)):
            visit(space.members[name], (*above, member.name))
        done.append(member)

    for member in wanted:
        visit(member, ())
    return done


def reachable(space: Space, names: Iterable[str]) -> set[str]:
    """The members among ``names``, and those that they need to run."""
    found: set[str] = set()
    waiting = [name for name in names if name in space.members]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [other for other in space.members[name].needs if other in space.members]
    return found
