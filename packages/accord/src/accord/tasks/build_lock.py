"""Build requirements pinned with hashes: ``pylock.build.toml`` (PEP 751) beside a project's ``pyproject.toml``.

It is a lock like any other, which pip and uv install.  A build takes what it says while that meets what the project
requires to be built; where it does not, the build resolves, or refuses under ``--locked``.
"""

from __future__ import annotations

import os

from accord.tasks.lockfile import load_lock, lock_bytes, write_lock
from accord_core.errors import BuildError, Where
from accord_core.project.requirement import parse_requirement
from accord_core.project.versions import satisfies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from accord.tasks.build_environments import Isolated
    from accord.tasks.session import Session
    from accord_core.lock.model import Lock

__all__ = ["NAME", "BuildLock", "find_build_lock", "write_build_lock"]

NAME = "pylock.build.toml"


class BuildLock:
    """The lock at ``path``; ``strict``: what it does not hold is an error and not resolved."""

    def __init__(self, path: str, cache_dir: str, *, strict: bool) -> None:
        from accord.io.digests import sha256

        body = lock_bytes(path)
        self.path = path
        self.base = os.path.dirname(path)
        self.digest = sha256(body).hexdigest()
        self.strict = strict
        self._lock = load_lock(path, cache_dir, body)

    def lock_for(self, session: Session, requirements: Iterable[str]) -> Lock | None:
        """The lock, where it holds everything of ``requirements``; else None, said once.

        Raises BuildError ``build-lock-outdated`` where it is strict.
        """
        lock = self._lock
        missing = [text for text in requirements if not _holds(lock, session, text)]
        if lock.environments and not any(map(session.target.holds, lock.environments)):
            missing = [f"Python {session.interpreter.version} on this platform"]
        if not missing:
            return lock
        if self.strict:
            raise BuildError(
                "build-lock-outdated",
                f"{NAME} does not hold {', '.join(missing)}",
                where=Where(self.path),
                hint="accord build --lock writes it anew",
            )
        session.reporter.warn(
            f"{NAME} does not hold {', '.join(missing)}, so build requirements are resolved"
        )
        return None


def _holds(lock: Lock, session: Session, text: str) -> bool:
    requirement = parse_requirement(text)
    if requirement.marker is not None and not session.target.holds(requirement.marker):
        return True
    for package in lock.packages:
        if package.name == requirement.name:
            if requirement.url is not None:
                return package.archive is not None or package.vcs is not None
            return package.version is not None and (
                not requirement.specifier or satisfies(package.version, requirement.specifier)
            )
    return False


def find_build_lock(project: str, cache_dir: str, *, strict: bool) -> BuildLock | None:
    """The lock of the project in the folder ``project``, where there is one.  BuildError ``build-lock-missing``."""
    path = os.path.join(project, NAME)
    if os.path.isfile(path):
        return BuildLock(path, cache_dir, strict=strict)
    if strict:
        raise BuildError(
            "build-lock-missing", f"{project} has no {NAME}", hint="accord build --lock writes it"
        )
    return None


def write_build_lock(session: Session, environments: Isolated, project: str) -> str:
    """Lock everything that the builds of this run required, for the project in the folder ``project``; the path."""
    from accord_core.lock.write import dumps

    texts = tuple(dict.fromkeys(text for requirements in environments.parts for text in requirements))
    lock = environments.resolved(session.for_builds(1), texts, base=project)
    path = os.path.join(project, NAME)
    write_lock(path, dumps(lock))
    return path
