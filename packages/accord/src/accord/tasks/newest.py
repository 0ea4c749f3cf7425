"""The newest version of a project that its index offers for one interpreter: the answer ``accord outdated`` needs.

Asks the indexes themselves each time (a conditional request where the cache below has the page), and looks at file
names and the page's own words only: no metadata is fetched.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from accord.repositories.merged import Stack
from accord.repositories.port import ABSENT
from accord.tasks.session import Session
from accord_core.index.filenames import split_sdist, split_wheel
from accord_core.project.versions import is_prerelease, normal, sort_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accord.io.reporting import Reporter
    from accord.repositories.candidates import Target
    from accord.repositories.port import Repository
    from accord.tasks.settings import ResolveSettings
    from accord_core.index.model import File

__all__ = ["IndexNewest", "newest_on_page"]


class IndexNewest:
    """:class:`accord.tasks.inspect_lock.Newest` over the indexes of a project and a command line.

    ``table`` is the project's ``[tool.accord]``.  Close it after use.
    """

    def __init__(
        self,
        project_dir: str | None,
        *,
        table: Mapping[str, Any] | None = None,
        python: str | None,
        settings: ResolveSettings,
        reporter: Reporter,
    ) -> None:
        self._session = Session(
            settings, python=python, project=table, project_dir=project_dir, reporter=reporter
        )
        self._lock = threading.Lock()
        self._stack: Repository | None = None
        self._reporter = reporter
        self._task = reporter.start("asking the index", None, "projects")

    def newest(self, name: str, *, prereleases: bool) -> str | None:
        with self._lock:
            # Rooms are made at their first use, and the session makes them for one thread only.
            if self._stack is None:
                self._stack = Stack(self._session.sources)
            target = self._session.target
        answer = self._stack.page(name, None, None)
        self._reporter.advance(self._task, 1)
        if answer.state == ABSENT or answer.page is None:
            return None
        return newest_on_page(
            name, answer.page.files, target, prereleases=prereleases, cutoff=self._session.cutoff(name)
        )

    def close(self) -> None:
        self._reporter.finish(self._task)
        self._session.close()


def newest_on_page(
    name: str, files: tuple[File, ...], target: Target, *, prereleases: bool, cutoff: str | None
) -> str | None:
    """The highest version with a file that ``target`` can use: not yanked, for its Python, a wheel with one of its
    tags or an sdist, uploaded before ``cutoff``."""
    best: tuple[bytes, str] | None = None
    for file in files:
        version = _version(name, file, target)
        if version is None or file.yanked or not target.python_fits(file.requires_python):
            continue
        if cutoff is not None and (file.upload_time is None or file.upload_time[:19] >= cutoff[:19]):
            continue
        if is_prerelease(version) and not prereleases:
            continue
        found = (sort_key(version), version)
        best = found if best is None or found > best else best
    return None if best is None else best[1]


def _version(name: str, file: File, target: Target) -> str | None:
    """The version of a file in normal form, or ``None`` if the target cannot use it or it has no version."""
    wheel = split_wheel(file.filename)
    if wheel is not None:
        if target.rank(f"{wheel.python}-{wheel.abi}-{wheel.platform}") is None:
            return None
        raw = wheel.version
    else:
        sdist = split_sdist(file.filename, name)
        if sdist is None:
            return None
        raw = sdist[1]
    try:
        return normal(raw)
    except ValueError:
        return None
