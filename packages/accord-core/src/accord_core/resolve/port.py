"""The port through which the solver asks for the world (hot module).

``Provider`` is implemented by the catalogue of repositories, by ``accord.testing`` and by anyone who embeds the
solver.  The solver calls from one thread.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from accord_core.resolve.universe import Universe
else:
    Protocol = object

__all__ = ["Dependency", "Provider", "Root", "Unusable"]

# What a version needs, decided for the provider's target: (project, extras, specifier).  ``project`` is normalised,
# ``extras`` are normalised and sorted, ``specifier`` is the text as a universe's ``mask`` takes it ("" for any).
Dependency = tuple[str, tuple[str, ...], str]


class Root:
    """One thing asked for: a dependency and where it was written, e.g. ``requirements.in:3``."""

    __slots__ = ("dependency", "kind", "origin")

    def __init__(self, dependency: Dependency, origin: str, kind: str = "requirement") -> None:
        self.dependency = dependency
        self.origin = origin
        self.kind = kind  # "requirement" or "constraint"


class Unusable:
    """A version turned out to be no candidate: its metadata is invalid, or it could not be had or built.

    ``code`` is the stable code of the failure, ``reason`` a clause that completes "x 1.0 …".
    """

    __slots__ = ("code", "reason")

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        self.reason = reason


class Provider(Protocol):
    def universe(self, project: str) -> Universe:
        """The closed universe of ``project``.  Called once per project; may block.

        A project that no source has is an empty universe with ``missing`` set, not an exception; an index that
        cannot be reached raises.
        """

    def dependencies(self, universe: Universe, index: int) -> dict[str, tuple[Dependency, ...]] | Unusable:
        """What ``universe.versions[index]`` needs: key ``""`` always, other keys when that extra is wanted.

        Called at most once per version; may block.
        """

    def prefer(self, universe: Universe, allowed: int) -> int | None:
        """The index to try first among ``allowed``, or None to let the strategy decide.  Called at every choice."""

    def tried(self, universe: Universe, allowed: int, count: int) -> None:
        """A hint: ``count`` versions were tried already and ``allowed`` may be tried next.  Must not block."""
