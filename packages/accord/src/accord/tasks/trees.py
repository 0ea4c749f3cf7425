"""Dependency trees as data: who needs whom, with what, from the roots down or from a package up.

Knows nothing of environments or locks: both give it :class:`Node` tables, and the command line draws what comes
back.  A package that was shown with its dependencies once is shown without them afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Branch", "Edge", "Node", "grow", "invert", "paths_to", "roots"]


@dataclass(frozen=True, slots=True)
class Edge:
    """``target`` (a name) is needed; ``asked`` says how (``>=2``, ``[extra]``), empty where it is not known."""

    target: str
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A package with what it needs, in order."""

    name: str
    label: str
    version: str
    needs: tuple[Edge, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of a tree.  ``repeated``: its dependencies were shown above.  ``missing``: needed, but not there."""

    name: str
    label: str
    version: str
    asked: str
    branches: tuple[Branch, ...]
    repeated: bool = False
    missing: bool = False

    def as_dict(self) -> dict[str, object]:
        """The record ``--json`` prints."""
        return {
            "name": self.name,
            "version": self.version or None,
            "asked": self.asked or None,
            "repeated": self.repeated,
            "missing": self.missing,
            "dependencies": [branch.as_dict() for branch in self.branches],
        }


def roots(nodes: Mapping[str, Node]) -> tuple[str, ...]:
    """The names nothing else needs, and one of each circle that nothing outside it needs; sorted."""
    needed = {edge.target for node in nodes.values() for edge in node.needs if edge.target != node.name}
    found = sorted(set(nodes) - needed)
    reached = _reach(nodes, found)
    for name in sorted(nodes):
        if name not in reached:
            found.append(name)
            reached |= _reach(nodes, [name])
    return tuple(sorted(found))


def _reach(nodes: Mapping[str, Node], start: Iterable[str]) -> set[str]:
    reached: set[str] = set()
    queue = list(start)
    while queue:
        name = queue.pop()
        if name in reached or name not in nodes:
            continue
        reached.add(name)
        queue.extend(edge.target for edge in nodes[name].needs)
    return reached


def invert(nodes: Mapping[str, Node]) -> dict[str, Node]:
    """The same packages, each with those that need it, in order of name."""
    back: dict[str, list[Edge]] = {name: [] for name in nodes}
    for name in sorted(nodes):
        for edge in nodes[name].needs:
            if edge.target in back:
                back[edge.target].append(Edge(name, edge.asked))
    return {name: Node(name, node.label, node.version, tuple(back[name])) for name, node in nodes.items()}


def grow(
    nodes: Mapping[str, Node],
    start: Sequence[str],
    *,
    depth: int | None = None,
    prune: Iterable[str] = (),
    repeat: bool = False,
) -> tuple[Branch, ...]:
    """The trees below ``start``: to ``depth`` levels, without ``prune`` and what hangs on it.  With ``repeat``
    dependencies are shown each time; circles end all the same."""
    shown: set[str] = set()
    cut = frozenset(prune)

    def branch(edge: Edge, above: tuple[str, ...]) -> Branch:
        node = nodes.get(edge.target)
        if node is None:
            return Branch(edge.target, edge.target, "", edge.asked, (), missing=True)
        again = node.name in above or (node.name in shown and not repeat)
        needs = tuple(one for one in node.needs if one.target not in cut)
        if again or not needs or (depth is not None and len(above) >= depth):
            return Branch(node.name, node.label, node.version, edge.asked, (), repeated=again and bool(needs))
        shown.add(node.name)
        below = tuple(branch(one, (*above, node.name)) for one in needs)
        return Branch(node.name, node.label, node.version, edge.asked, below)

    return tuple(branch(Edge(name), ()) for name in start if name not in cut)


def paths_to(
    nodes: Mapping[str, Node], start: Iterable[str], target: str, *, limit: int
) -> tuple[tuple[Edge, ...], ...]:
    """Up to ``limit`` ways from the roots to ``target``, the shortest first, each without circles."""
    found: list[tuple[Edge, ...]] = []
    level: list[tuple[Edge, ...]] = [(Edge(name),) for name in start]
    visits: dict[str, int] = {}
    while level and len(found) < limit:
        following: list[tuple[Edge, ...]] = []
        for path in level:
            last = path[-1].target
            if last == target:
                found.append(path)
                continue
            # A package on the way is followed as often as paths are wanted: more cannot show anything new.
            visits[last] = visits.get(last, 0) + 1
            if visits[last] > limit or last not in nodes:
                continue
            passed = {edge.target for edge in path}
            following.extend((*path, edge) for edge in nodes[last].needs if edge.target not in passed)
        level = following
    return tuple(found[:limit])
