"""One command at a time in one project (hot).

An environment has a lock of its own, but ``pyproject.toml`` and ``pylock.toml`` are read, thought about and written, and
two who do that at once would lose what the first wrote.  The turn is taken before the first file is read and is the
kernel's to give back, so a killed command holds nothing.  It lies in the cache, because a project's folder is the
person's own; a task that calls another keeps the turn it has.
"""

from __future__ import annotations

import os

from accord.io.digests import sha256
from accord.io.files import forget_stale
from accord.io.locks import FileLock
from accord_core.errors import UsageError

__all__ = ["PATIENCE", "Turn"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from accord.io.reporting import Reporter

PATIENCE = 600.0  # seconds; ACCORD_LOCK_TIMEOUT says another number
FOLDER = "projects-v1"
_WRITTEN = ("pyproject.toml", "pylock.toml")
_held: dict[str, int] = {}


class Turn:
    """``with Turn(project_dir, cache_dir, reporter): …``; ``what`` is how whoever waits is told about it.  Raises InstallError ``locked`` after :data:`PATIENCE` seconds."""

    __slots__ = ("_cache_dir", "_key", "_lock", "_patience", "_project", "_reporter", "_what")

    def __init__(
        self,
        project_dir: str,
        cache_dir: str,
        reporter: Reporter,
        environ: Mapping[str, str] = os.environ,
        *,
        what: str | None = None,
    ) -> None:
        self._project = os.path.realpath(project_dir)
        self._cache_dir = cache_dir
        self._what = what or f"the project {self._project}"
        self._reporter = reporter
        self._patience = _patience(environ)
        self._key = sha256(os.fsencode(self._project)).hexdigest()[:16]
        self._lock: FileLock | None = None

    def __enter__(self) -> Turn:
        if not _held.get(self._key):
            self._lock = self._taken(of_folder=True) or self._taken(of_folder=False)
            if self._lock is not None:
                forget_stale(self._project, _WRITTEN)
        _held[self._key] = _held.get(self._key, 0) + 1
        return self

    def _taken(self, *, of_folder: bool) -> FileLock | None:
        place = os.path.join(self._cache_dir, FOLDER, self._key)
        lock = FileLock(
            self._project if of_folder else place,
            self._what,
            timeout=self._patience,
            on_wait=self._reporter.warn,
            note=place if of_folder else None,
        )
        try:
            if not of_folder:
                os.makedirs(os.path.dirname(place), exist_ok=True)
            return lock.__enter__()
        except OSError:
            return None  # some network file systems lock no folders; in a cache nobody can write to, nobody waits

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _held[self._key] -= 1
        if self._lock is not None:
            self._lock.__exit__(kind, error, trace)
            self._lock = None


def _patience(environ: Mapping[str, str]) -> float:
    said = environ.get("ACCORD_LOCK_TIMEOUT")
    if not said:
        return PATIENCE
    try:
        seconds = float(said)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UsageError(
            "usage",
            f"ACCORD_LOCK_TIMEOUT is a number of seconds, not {said!r}",
            hint="how long to wait for another accord in the same project",
        )
    return seconds
