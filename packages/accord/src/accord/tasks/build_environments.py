"""Isolated environments for build backends: resolved like anything else, and shared while their requirements stay.

Implements ``accord.build.ports.BuildEnvironments`` with the resolver, the store and sealed environments: the second
build that asks for the same requirements gets the same closure, which no build can change.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from accord_core.errors import BuildError

if TYPE_CHECKING:
    from accord.build.ports import Python
    from accord.tasks.session import Session

__all__ = ["Isolated"]

FOLDER = "build-envs-v1"
_DEEPEST = 4  # a build requirement that must be built needs build requirements, and so on


class Isolated:
    """Environments below ``<cache>/build-envs-v1`` for one session; ``depth`` guards against builds without end."""

    def __init__(self, session: Session, depth: int = 0) -> None:
        self._session = session
        self._depth = depth

    def make(self, requirements: tuple[str, ...], python: Python) -> str:
        """See the port.  Raises BuildError ``build-requirement-loop`` when build requirements need each other built."""
        if self._depth >= _DEEPEST:
            raise BuildError(
                "build-requirement-loop",
                f"the build requirements need builds, {_DEEPEST} deep: {', '.join(requirements)}",
                hint="allow wheels for them, or name a version that has one",
            )
        from accord.tasks.asked import Asked, Wish
        from accord.tasks.locking import make_lock
        from accord.tasks.resolving import resolve
        from accord.tasks.sealing import seal_lock
        from accord_core.project.requirement import parse_requirement

        session = self._session.for_builds(self, self._depth + 1)
        wishes = []
        for text in requirements:
            requirement = parse_requirement(text)
            wishes.append(
                Wish(
                    requirement,
                    "[build-system] requires",
                    marker=requirement.marker,
                    reference=requirement.url,
                )
            )
        resolution = resolve(session, Asked(wishes, constraints=session.build_constraints()))
        try:
            lock = make_lock(resolution, session.target)
        finally:
            resolution.close()
        return seal_lock(session, lock, os.path.join(session.cache_dir, FOLDER))
