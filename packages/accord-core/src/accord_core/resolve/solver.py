"""The solver: unit propagation, choice, conflict-driven learning over masks (hot module).

May know the port and universes; must not know files, markers, words.  One :class:`Solver` solves once.

State is kept in parallel lists indexed by node number, because attribute access on two hundred thousand small objects
is what a Python solver would otherwise spend its time on.  The legal order of a solve:

1. roots and constraints become incompatibilities of one term; propagate;
2. while a node is required and undecided: choose it, choose its version, add what that version needs, propagate;
   if the version is still possible decide it, else choose again;
3. on conflict: resolve it into an incompatibility that is a unit at an earlier level, jump back there, go on;
4. a conflict at level 0 leaves an incompatibility of no terms: :class:`Unsolvable`.
"""

from __future__ import annotations

from heapq import heappop, heappush

from accord_core.resolve.port import Unusable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from accord_core.resolve.port import Dependency, Provider, Root
    from accord_core.resolve.universe import Universe

    Term = tuple[int, int]

__all__ = ["Cause", "Pin", "Solution", "Solver", "Unsolvable", "solve"]

_WANTED, _NOT_WANTED = 1, 2  # the two values of an extra's node; "absent" is the highest bit here too

# After this many conflicts a project is chosen early: what is hard is best settled while there is room to move.
_EARLY = 5


class Cause:
    """Why an incompatibility holds.

    ``kind`` is ``requirement``, ``constraint``, ``dependency``, ``ineligible``, ``unusable`` or
    ``learned``; of the rest only what belongs to the kind is set.
    """

    __slots__ = ("dependency", "extra", "kind", "left", "node", "origin", "right", "unusable")

    def __init__(
        self,
        kind: str,
        *,
        node: int = -1,
        dependency: Dependency | None = None,
        origin: str = "",
        extra: str = "",
        unusable: Unusable | None = None,
        left: int = -1,
        right: int = -1,
    ) -> None:
        self.kind = kind
        self.node = node
        self.dependency = dependency
        self.origin = origin
        self.extra = extra
        self.unusable = unusable
        self.left = left
        self.right = right


class Pin:
    """One project of a solution: its universe, the index chosen, extras wanted, and what it needs."""

    __slots__ = ("dependencies", "extras", "index", "universe")

    def __init__(
        self,
        universe: Universe,
        index: int,
        extras: tuple[str, ...],
        dependencies: dict[str, tuple[Dependency, ...]],
    ) -> None:
        self.universe = universe
        self.index = index
        self.extras = extras
        self.dependencies = dependencies

    @property
    def version(self) -> str:
        return self.universe.versions[self.index]

    def edges(self) -> Iterable[Dependency]:
        """What this pin needs with the extras wanted of it."""
        yield from self.dependencies.get("", ())
        for extra in self.extras:
            yield from self.dependencies.get(extra, ())


class Solution:
    """Pins by project name, sorted; ``conflicts`` and ``decisions`` say what the search cost."""

    __slots__ = ("conflicts", "decisions", "pins")

    def __init__(self, pins: dict[str, Pin], decisions: int, conflicts: int) -> None:
        self.pins = pins
        self.decisions = decisions
        self.conflicts = conflicts


class Unsolvable(Exception):
    """No solution.  ``solver`` and ``incompatibility`` are the root of the tree of causes."""

    def __init__(self, solver: Solver, incompatibility: int) -> None:
        super().__init__("no set of versions satisfies what was asked")
        self.solver = solver
        self.incompatibility = incompatibility


class Solver:
    """See the module's docstring.  ``strategy`` is ``highest``, ``lowest`` or ``lowest-direct``."""

    def __init__(self, provider: Provider, *, strategy: str = "highest") -> None:
        self.provider = provider
        self.strategy = strategy
        # nodes
        self.names: list[str] = []
        self.extras: list[str] = []
        self.base: list[int] = []
        self.universes: list[Universe] = []
        self.full: list[int] = []
        self.absent: list[int] = []
        self.current: list[int] = []
        self.decided: list[int] = []
        self.direct: list[bool] = []
        self._history: list[list[tuple[int, int]]] = []
        self._watch: list[list[int]] = []
        self._activity: list[int] = []
        self._tried: list[int] = []
        self._node_of: dict[tuple[str, str], int] = {}
        self._extras_of: list[list[int]] = []
        self._dependencies: list[dict[int, dict[str, tuple[Dependency, ...]]]] = []
        self._merged: list[dict[tuple[str, Dependency], list[int]]] = []
        self._expanded: list[set[tuple[int, str]]] = []
        # incompatibilities
        self.terms: list[tuple[Term, ...]] = []
        self.causes: list[Cause] = []
        # search: (node, mask before, mask struck, cause or -1 for a decision, level)
        self._trail: list[tuple[int, int, int, int, int]] = []
        self._level = 0
        self._fresh: list[int] = []  # incompatibilities added or widened since the last propagation
        self._open: list[tuple[int, int, int]] = []
        self.decisions = 0
        self.conflicts = 0

    # ---------------------------------------------------------------- nodes

    def node(self, project: str, extra: str = "") -> int:
        """The node of a project or of one of its extras; made, and its universe asked for, on first use."""
        key = (project, extra)
        known = self._node_of.get(key)
        if known is not None:
            return known
        base = self.node(project) if extra else len(self.names)
        node = len(self.names)
        self._node_of[key] = node
        universe = self.universes[base] if extra else self.provider.universe(project)
        self.names.append(project)
        self.extras.append(extra)
        self.base.append(base)
        self.universes.append(universe)
        full = _WANTED | _NOT_WANTED if extra else universe.full
        self.full.append(full)
        self.absent.append(_NOT_WANTED if extra else universe.absent)
        self.current.append(full)
        self.decided.append(-1)
        self.direct.append(False)
        self._history.append([])
        self._watch.append([])
        self._activity.append(0)
        self._tried.append(0)
        self._extras_of.append([])
        self._dependencies.append({})
        self._merged.append({})
        self._expanded.append(set())
        if extra:
            self._extras_of[base].append(node)
        else:
            barred = universe.full & ~universe.eligible & ~universe.absent
            if barred:
                self._add(((node, barred),), Cause("ineligible", node=node))
        return node

    # ---------------------------------------------------------------- incompatibilities

    def _add(self, terms: tuple[Term, ...], cause: Cause) -> int:
        number = len(self.terms)
        self.terms.append(terms)
        self.causes.append(cause)
        for node, _ in terms:
            self._watch[node].append(number)
        self._fresh.append(number)
        return number

    def _add_requirement(self, root: Root) -> None:
        project, extras, specifier = root.dependency
        node = self.node(project)
        if root.kind == "constraint":
            bad = self.full[node] & ~self.universes[node].mask(specifier) & ~self.absent[node]
            if bad:
                self._add(((node, bad),), Cause("constraint", dependency=root.dependency, origin=root.origin))
            return
        self.direct[node] = True
        bad = self.full[node] & ~self.universes[node].mask(specifier)
        terms = () if bad == self.full[node] else ((node, bad),)
        self._add(terms, Cause("requirement", dependency=root.dependency, origin=root.origin))
        for extra in extras:
            wanted = self.node(project, extra)
            self._add(
                ((wanted, _NOT_WANTED),), Cause("requirement", dependency=root.dependency, origin=root.origin)
            )

    def _require(self, node: int, index: int, extra: str, dependency: Dependency) -> None:
        """Add "``node`` at ``index`` (with ``extra``) needs ``dependency``", or widen it if another version said so."""
        project, extras, specifier = dependency
        bit = 1 << index
        if project == self.names[node] and not self.universes[node].mask(specifier) & bit:
            # It excludes itself; another version with the same words may not, so there is nothing to merge.
            own = Cause("dependency", node=node, dependency=dependency, extra=extra)
            self._add(self._head(node, bit, extra), own)
            return
        merged = self._merged[node]
        key = (extra, dependency)
        numbers = merged.get(key)
        if numbers is not None:
            for number in numbers:
                terms = self.terms[number]
                if terms[0][1] & bit:
                    continue
                self.terms[number] = ((node, terms[0][1] | bit), *terms[1:])
                self._fresh.append(number)
            return
        target = self.node(project)
        head = self._head(node, bit, extra)
        numbers = []
        cause = Cause("dependency", node=node, dependency=dependency, extra=extra)
        universe = self.universes[target]
        if target != node:
            bad = universe.full & ~universe.mask(specifier)
            numbers.append(self._add(head if bad == universe.full else (*head, (target, bad)), cause))
        for name in extras:
            if target == node and name == extra:
                continue
            numbers.append(self._add((*head, (self.node(project, name), _NOT_WANTED)), cause))
        merged[key] = numbers

    def _head(self, node: int, bit: int, extra: str) -> tuple[Term, ...]:
        if not extra:
            return ((node, bit),)
        return (node, bit), (self.node(self.names[node], extra), _WANTED)

    def _expand(self, node: int, index: int) -> None:
        """Add what ``node`` at ``index`` needs, for itself and for each extra wanted of it."""
        known = self._dependencies[node]
        if index not in known:
            answer = self.provider.dependencies(self.universes[node], index)
            if isinstance(answer, Unusable):
                known[index] = {}
                self._add(((node, 1 << index),), Cause("unusable", node=node, unusable=answer))
                return
            known[index] = answer
        needs = known[index]
        done = self._expanded[node]
        for extra in (
            "",
            *(self.extras[other] for other in self._extras_of[node] if self.current[other] == _WANTED),
        ):
            if (index, extra) not in done:
                done.add((index, extra))
                for dependency in needs.get(extra, ()):
                    self._require(node, index, extra, dependency)

    # ---------------------------------------------------------------- propagation

    def _strike(self, node: int, struck: int, cause: int) -> None:
        before = self.current[node]
        after = before & ~struck
        self.current[node] = after
        self._history[node].append((len(self._trail), after))
        self._trail.append((node, before, struck, cause, self._level))
        absent = self.absent[node]
        if not after & absent and self.decided[node] < 0:
            self._offer(node, after)

    def _offer(self, node: int, mask: int) -> None:
        """Put a required node on the heap of choices; stale entries are skipped when they come up."""
        base = self.base[node]
        universe = self.universes[base]
        if universe.direct is not None:
            rank = 0
        elif not mask & (mask - 1):
            rank = 1
        elif self._activity[base] >= _EARLY:
            rank = 2
        else:
            rank = 3
        heappush(self._open, (rank, base, node))

    def _propagate(self, queue: list[int]) -> int:
        """Unit propagation from the nodes in ``queue``; the number of a satisfied incompatibility, or -1."""
        current, watch, all_terms = self.current, self._watch, self.terms
        while queue:
            changed = queue.pop()
            for number in reversed(watch[changed]):
                unit = -1
                struck = 0
                for node, mask in all_terms[number]:
                    now = current[node]
                    possible = now & mask
                    if not possible:
                        break
                    if possible != now:
                        if unit >= 0:
                            break
                        unit = node
                        struck = mask
                else:
                    if unit < 0:
                        return number
                    self._strike(unit, struck, number)
                    if unit not in queue:
                        queue.append(unit)
        return -1

    def _settle(self, queue: list[int]) -> bool:
        """Propagate, from ``queue`` and all incompatibilities added since; resolve conflicts.  True if one was met."""
        met = False
        while True:
            conflict = -1
            fresh = self._fresh
            while fresh:
                number = fresh.pop()
                terms = self.terms[number]
                if not terms:
                    raise Unsolvable(self, number)
                if any(not self.current[node] & mask for node, mask in terms):
                    continue
                loose = [(node, mask) for node, mask in terms if self.current[node] & ~mask]
                if not loose:
                    conflict = number
                    break
                if len(loose) == 1:
                    self._strike(loose[0][0], loose[0][1], number)
                    queue.append(loose[0][0])
            if conflict < 0:
                conflict = self._propagate(queue)
            if conflict < 0:
                if not fresh:
                    return met
                continue
            met = True
            queue.clear()
            learnt = self._resolve(conflict)
            fresh.append(learnt)

    # ---------------------------------------------------------------- conflicts

    def _satisfier(self, node: int, mask: int) -> int:
        """The first position of the trail after which ``node`` lies within ``mask``; -1 if it always did."""
        if not self.full[node] & ~mask:
            return -1
        for position, after in self._history[node]:
            if not after & ~mask:
                return position
        raise AssertionError("a term of a conflict is not satisfied")

    def _resolve(self, conflict: int) -> int:
        """Derive from ``conflict`` an incompatibility that is a unit after jumping back; jump back; its number."""
        self.conflicts += 1
        trail = self._trail
        derived = False
        while True:
            terms = self.terms[conflict]
            if not terms:
                raise Unsolvable(self, conflict)
            latest, pivot, pivot_mask, previous = -2, -1, 0, 0
            for node, mask in terms:
                position = self._satisfier(node, mask)
                if position > latest:
                    if latest >= 0:
                        previous = max(previous, trail[latest][4])
                    latest, pivot, pivot_mask = position, node, mask
                elif position >= 0:
                    previous = max(previous, trail[position][4])
            _, _, struck, cause, level = trail[latest]
            remainder = pivot_mask | struck
            if cause >= 0 and self.full[pivot] & ~remainder:
                position = self._satisfier(pivot, remainder)
                previous = max(previous, trail[position][4])
            if cause < 0 or previous < level:
                self._count(terms)
                self._back(previous)
                if derived:
                    for node, _ in terms:
                        self._watch[node].append(conflict)
                return conflict
            conflict = self._combine(conflict, cause, pivot)
            derived = True

    def _combine(self, left: int, right: int, pivot: int) -> int:
        """The resolvent of two incompatibilities on ``pivot``: its masks united, all others intersected."""
        merged = dict(self.terms[left])
        for node, mask in self.terms[right]:
            other = merged.get(node)
            if other is None:
                merged[node] = mask
            elif node == pivot:
                merged[node] = other | mask
            else:
                merged[node] = other & mask
        terms = tuple((node, mask) for node, mask in merged.items() if mask != self.full[node])
        self.terms.append(terms)
        self.causes.append(Cause("learned", left=left, right=right))
        return len(self.terms) - 1

    def _count(self, terms: tuple[Term, ...]) -> None:
        for node, _ in terms:
            self._activity[self.base[node]] += 1

    def _back(self, level: int) -> None:
        trail = self._trail
        touched = set()
        while trail and trail[-1][4] > level:
            node, before, _, cause, _ = trail.pop()
            self.current[node] = before
            self._history[node].pop()
            if cause < 0:
                self.decided[node] = -1
            touched.add(node)
        self._level = level
        for node in touched:
            if not self.current[node] & self.absent[node] and self.decided[node] < 0:
                self._offer(node, self.current[node])

    # ---------------------------------------------------------------- choices

    def _next(self) -> int:
        """The node to settle next, or -1 when nothing that is required is open."""
        heap = self._open
        while heap:
            _, base, node = heap[0]
            if self.current[node] & self.absent[node]:
                heappop(heap)
            elif node == base:
                if self.decided[node] < 0:
                    return node
                heappop(heap)
            else:
                index = self.decided[base]
                if index < 0:
                    if self.current[base] & self.absent[base]:
                        heappop(heap)
                        continue
                    return base
                if (index, self.extras[node]) in self._expanded[base]:
                    heappop(heap)
                    continue
                return node
        return -1

    def _choose(self, node: int) -> int:
        universe = self.universes[node]
        allowed = self.current[node]
        preferred = self.provider.prefer(universe, allowed)
        if preferred is not None and allowed >> preferred & 1:
            return preferred
        if self.strategy == "lowest" or (self.strategy == "lowest-direct" and self.direct[node]):
            return (allowed & -allowed).bit_length() - 1
        return allowed.bit_length() - 1

    def _settle_node(self, node: int) -> None:
        base = self.base[node]
        if node != base:
            self._expand(base, self.decided[base])
            self._settle([])
            return
        index = self._choose(node)
        self._tried[node] += 1
        if self._tried[node] > 1:
            self.provider.tried(self.universes[node], self.current[node], self._tried[node])
        self._expand(node, index)
        if self._settle([]) or not self.current[node] >> index & 1 or self.current[node] & self.absent[node]:
            return
        self.decisions += 1
        self._level += 1
        self.decided[node] = index
        bit = 1 << index
        before = self.current[node]
        self.current[node] = bit
        self._history[node].append((len(self._trail), bit))
        self._trail.append((node, before, before & ~bit, -1, self._level))
        self._settle([node])

    # ---------------------------------------------------------------- the whole

    def solve(self, roots: tuple[Root, ...], progress: Callable[[int], None] | None = None) -> Solution:
        """Solve for ``roots``.  Raises :class:`Unsolvable`; whatever the provider raises passes through."""
        for root in roots:
            self._add_requirement(root)
        self._settle([])
        while (node := self._next()) >= 0:
            self._settle_node(node)
            if progress is not None:
                progress(self.decisions)
        return self._solution(roots)

    def _solution(self, roots: tuple[Root, ...]) -> Solution:
        pins: dict[str, Pin] = {}
        waiting = [root.dependency for root in roots if root.kind == "requirement"]
        reached: dict[str, set[str]] = {}
        while waiting:
            project, extras, _ = waiting.pop()
            node = self._node_of[project, ""]
            needs = self._dependencies[node][self.decided[node]]
            seen = reached.get(project)
            if seen is None:
                seen = reached[project] = set()
                waiting.extend(needs.get("", ()))
            for extra in extras:
                if extra not in seen:
                    seen.add(extra)
                    waiting.extend(needs.get(extra, ()))
        for project in sorted(reached):
            node = self._node_of[project, ""]
            index = self.decided[node]
            pins[project] = Pin(
                self.universes[node], index, tuple(sorted(reached[project])), self._dependencies[node][index]
            )
        return Solution(pins, self.decisions, self.conflicts)


def solve(provider: Provider, roots: Iterable[Root], *, strategy: str = "highest") -> Solution:
    """Solve ``roots`` over ``provider``; see :class:`Solver`."""
    roots = tuple(roots)
    return Solver(provider, strategy=strategy).solve(roots)
