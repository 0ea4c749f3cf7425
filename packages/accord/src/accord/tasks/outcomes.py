"""What the tasks that resolve and install hand back: records, which the command line renders as text or JSON.

Hot, because a no-op ``accord sync`` hands one back too.
"""

from __future__ import annotations

from accord.tasks.settings import Record

__all__ = ["CompileOutcome", "LockOutcome", "SyncOutcome", "unhashed", "write_report"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def unhashed(lock: Any) -> tuple[tuple[str, str], ...]:
    """Name and kind of what no lock can have a hash for, where other entries have one.

    pip asks for a hash of everything as soon as anything has one, so it refuses these (docs/decisions/0005-locks.md).
    """
    kinds = [
        (
            package.name,
            "git" if package.vcs is not None else "a folder" if package.directory is not None else "",
        )
        for package in lock.packages
    ]
    without = tuple((name, kind) for name, kind in kinds if kind)
    return without if len(without) < len(kinds) else ()


class SyncOutcome(Record):
    """What was done to an environment, or would be (``dry_run``).

    ``added`` and ``removed`` hold ``(name, version)``, ``replaced`` ``(name, old, new)`` (the same version twice for a
    reinstall), all sorted by name.  ``kept`` counts what stayed as it was.  ``created``: the environment was not there
    before.  ``seconds`` is wall clock.
    """

    __slots__ = ("added", "created", "dry_run", "env", "kept", "removed", "replaced", "sealed", "seconds")

    env: str
    added: tuple[tuple[str, str], ...]
    removed: tuple[tuple[str, str], ...]
    replaced: tuple[tuple[str, str, str], ...]
    kept: int
    seconds: float
    created: bool
    sealed: bool
    dry_run: bool

    def __init__(
        self,
        *,
        env: str,
        added: Sequence[tuple[str, str]] = (),
        removed: Sequence[tuple[str, str]] = (),
        replaced: Sequence[tuple[str, str, str]] = (),
        kept: int = 0,
        seconds: float = 0.0,
        created: bool = False,
        sealed: bool = False,
        dry_run: bool = False,
    ) -> None:
        self._fill(locals())

    @property
    def changed(self) -> bool:
        return bool(self.added or self.removed or self.replaced)


class LockOutcome(Record):
    """What became of a lock.  ``lock`` is an ``accord_core.lock.model.Lock``; ``added``, ``removed`` and ``replaced``
    compare it with the one that was there, in the shapes of :class:`SyncOutcome`.  ``written`` is false if the file
    was right already, or was only checked."""

    __slots__ = ("added", "lock", "path", "removed", "replaced", "seconds", "written")

    path: str
    lock: object
    added: tuple[tuple[str, str], ...]
    removed: tuple[tuple[str, str], ...]
    replaced: tuple[tuple[str, str, str], ...]
    seconds: float
    written: bool

    def __init__(
        self,
        *,
        path: str,
        lock: object,
        added: Sequence[tuple[str, str]] = (),
        removed: Sequence[tuple[str, str]] = (),
        replaced: Sequence[tuple[str, str, str]] = (),
        seconds: float = 0.0,
        written: bool = False,
    ) -> None:
        self._fill(locals())

    @property
    def changed(self) -> bool:
        return bool(self.added or self.removed or self.replaced)


class CompileOutcome(Record):
    """A compiled file: its ``text``, where it was written (``None``: nowhere), and how many packages it names."""

    __slots__ = ("lock", "packages", "path", "seconds", "text", "written")

    text: str
    path: str | None
    lock: object
    packages: int
    seconds: float
    written: bool

    def __init__(
        self,
        *,
        text: str,
        path: str | None = None,
        lock: object = None,
        packages: int = 0,
        seconds: float = 0.0,
        written: bool = False,
    ) -> None:
        self._fill(locals())


def write_report(path: str, text: str) -> None:
    """Write what was done where a person wants it; raises as ``write_output``."""
    from accord.io.outputs import write_output

    write_output(path, text.encode())
