"""Isolated environments for build backends: resolved like anything else, made from the store, thrown away with the run.

Implements ``accord.build.ports.BuildEnvironments``.  An environment is shared by the builds of one run that ask for the
same requirements and by nothing else; its files are copies, so that a build running as root reaches neither the store
nor what another run will build with.
"""

from __future__ import annotations

import os
from _thread import allocate_lock
from typing import TYPE_CHECKING

from accord.environments import create as creating
from accord.environments.apply import apply_locked
from accord.environments.layout import layout_of
from accord.environments.plan import plan
from accord.io import scratch
from accord.tasks.asked import Asked, Wish
from accord.tasks.compiling import find_compiled
from accord.tasks.inputs import read_inputs
from accord.tasks.installing import How, chosen_of, wanted_of
from accord.tasks.locking import make_lock
from accord.tasks.resolving import resolve
from accord.tasks.settings import Selection
from accord_core.errors import BuildError
from accord_core.project.requirement import parse_requirement

if TYPE_CHECKING:
    from accord.build.ports import Python
    from accord.tasks.session import Session

__all__ = ["FOLDER", "Isolated"]

FOLDER = "build-envs-v1"
_DEEPEST = 4  # a build requirement that must be built needs build requirements, and so on


class Isolated:
    """Environments below ``<cache>/build-envs-v1`` for one run; ``depth`` guards against builds without end."""

    def __init__(self, session: Session, depth: int = 0) -> None:
        self._session = session
        self._depth = depth
        self._made: dict[tuple[str, ...], str] = {}
        self._lock = allocate_lock()

    def make(self, requirements: tuple[str, ...], python: Python) -> str:
        """See the port.  Raises BuildError ``build-requirement-loop`` when builds need builds without end."""
        if self._depth >= _DEEPEST:
            raise BuildError(
                "build-requirement-loop",
                f"the build requirements need builds, {_DEEPEST} deep: {', '.join(requirements)}",
                hint="allow wheels for them, or name a version that has one",
            )
        with self._lock:
            known = self._made.get(requirements)
            if known is None:
                known = self._made[requirements] = self._new(requirements)
        return known

    def _new(self, requirements: tuple[str, ...]) -> str:
        session = self._session.for_builds(self._depth + 1)
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
        limits = read_inputs((), session.settings.replace(constraints=session.settings.build_constraints))
        resolution = resolve(session, Asked(wishes, constraints=limits.asked.constraints))
        try:
            lock = make_lock(resolution, session.target)
        finally:
            resolution.close()
        chosen = chosen_of(session, lock, Selection())
        wanted = wanted_of(session, chosen, "/", How())
        find_compiled(session, wanted, compile_bytecode=False)
        folder = os.path.join(session.cache_dir, FOLDER)
        os.makedirs(folder, exist_ok=True)
        root = scratch.make("", folder)
        self._session.remove_at_end(root)
        creating.create(root, session.interpreter)
        apply_locked(plan(root, wanted), link_mode="copy", conflicts="last", command="build requirements")
        return os.path.join(root, layout_of(root).python)
