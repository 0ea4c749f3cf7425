"""Pre-releases that packages ask for (hot).

A specifier that names a pre-release asks for them (PEP 440 "Handling of pre-releases"), and a package may need what only
a pre-release can give: ``azure-storage-queue==12.16.0b1``, or ``>=1.2.0b3`` of a project whose newest release is 1.1.
Nobody but its maker can write it otherwise.  Where a release satisfies the same specifier nothing is admitted: that a
bound was written when there were only pre-releases is no reason to take the next ones.

Which packages ask is known only when their metadata are read, and eligibility is fixed before solving.  So what is met
while solving is *admitted* and the solving begins anew (all that was read is at hand); and a pre-release that was chosen
although nobody who is chosen asks for it is *blocked*, and it begins anew once more.  Both sets only grow, so it ends;
what is admitted depends on the solver's own questions and not on what arrives first.

Knows specifiers and masks; must not know pages, files or why a version is otherwise eligible.
"""

from __future__ import annotations

from accord_core.project.versions import names_prerelease

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from accord.repositories.candidates import Needs
    from accord_core.resolve.solver import Solution
    from accord_core.resolve.universe import Universe

__all__ = ["Admission", "Admitted"]


class Admitted(Exception):
    """A pre-release was asked for that could not be chosen until now: solve again."""


class Admission:
    """``asked``: the specifiers by project that packages were seen to need and that name a pre-release."""

    __slots__ = ("_blocked", "asked")

    def __init__(self) -> None:
        self.asked: dict[str, set[str]] = {}
        self._blocked: set[tuple[str, str]] = set()

    def learn(self, needs: Needs) -> tuple[str, ...]:
        """Admit what ``needs`` ask for; the projects for which that is new."""
        found = {}
        for several in needs.values():
            for name, _, specifier in several:
                if _names_prerelease(specifier) and specifier not in self.asked.get(name, ()):
                    found[name] = self.asked.setdefault(name, set())
                    found[name].add(specifier)
        return tuple(found)

    def mask(self, universe: Universe, final: int) -> int:
        """The versions admitted and not blocked; ``final`` are those that may be chosen anyway."""
        found = 0
        for specifier in self.asked.get(universe.project, ()):
            asked = universe.mask(specifier)
            if not asked & final:
                found |= asked
        for project, version in self._blocked:
            if project == universe.project and (index := universe.index(version)) is not None:
                found &= ~(1 << index)
        return found

    def block(self, solution: Solution, chosen: Iterable[tuple[Universe, int]]) -> tuple[str, ...]:
        """Block those of ``chosen`` (index in its universe: all chosen only because they were admitted) that nothing in
        ``solution`` asks for; their projects."""
        blocked = []
        for universe, index in chosen:
            asked = any(
                name == universe.project
                and _names_prerelease(specifier)
                and universe.mask(specifier) >> index & 1
                for pin in solution.pins.values()
                for extra in ("", *pin.extras)
                for name, _, specifier in pin.dependencies.get(extra, ())
            )
            if not asked:
                self._blocked.add((universe.project, universe.versions[index]))
                blocked.append(universe.project)
        return tuple(blocked)


_known: dict[
    str, bool
] = {}  # a warm resolve of seven hundred projects meets a hundred thousand, and few different


def _names_prerelease(specifier: str) -> bool:
    known = _known.get(specifier)
    if known is None:
        try:
            # Nearly all are numbers and signs, which a look at letters tells; "@" begins a direct reference.
            known = (
                specifier[:1] != "@"
                and specifier.upper() != specifier.lower()
                and names_prerelease(specifier)
            )
        except ValueError:
            known = False
        _known[specifier] = known
    return known
