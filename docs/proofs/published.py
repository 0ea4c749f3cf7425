"""What projects published: the sdist and the best wheel of a release, from the index this machine is configured for.

For the proofs beside this module.  Files are kept by name in a folder that git ignores, so that a second run asks only for
what is missing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.repositories.merged import Stack
from accord_core.index.filenames import split_sdist, split_wheel
from accord_core.names import normalise
from accord_core.project.versions import normal

if TYPE_CHECKING:
    from accord.tasks.session import Session
    from accord_core.index.model import File

__all__ = ["Release", "fetch", "find_sdist", "read_list"]


@dataclass(frozen=True, slots=True)
class Release:
    """One release on disk: paths of its sdist and of the wheel that fits the session's Python best, if there is one."""

    name: str
    version: str
    sdist: str
    wheel: str | None


def read_list(path: str) -> list[tuple[str, ...]]:
    """The lines of a list, split at blanks, without comments."""
    with open(path, encoding="utf-8") as file:
        lines = [line.partition("#")[0].split() for line in file]
    return [tuple(words) for words in lines if words]


def find_sdist(session: Session, name: str, version: str) -> File:
    """The sdist of ``name`` ``version`` as the index announces it.  ``LookupError`` where it has none."""
    sdists = [file for file in _files(session, name) if _is_sdist(file, normalise(name), version)]
    if not sdists:
        raise LookupError(f"the index has no sdist of {name} {version}")
    return next((file for file in sdists if file.filename.endswith(".tar.gz")), sdists[0])


def fetch(session: Session, name: str, version: str, folder: str) -> Release:
    """Have the files of ``name`` ``version`` in ``folder``.  ``LookupError`` where the index has no such sdist."""
    sdist = find_sdist(session, name, version)
    best: tuple[int, File] | None = None
    for file in _files(session, name):
        wheel = split_wheel(file.filename)
        if wheel is None or not _is(wheel.version, version):
            continue
        rank = session.target.rank(f"{wheel.python}-{wheel.abi}-{wheel.platform}")
        if rank is not None and (best is None or rank < best[0]):
            best = rank, file
    return Release(
        normalise(name),
        version,
        _have(session, sdist, folder),
        None if best is None else _have(session, best[1], folder),
    )


def _files(session: Session, name: str) -> tuple[File, ...]:
    page = Stack(session.sources).page(normalise(name), None, None).page
    return () if page is None else page.files


def _is_sdist(file: File, project: str, version: str) -> bool:
    split = split_sdist(file.filename, project)
    return split is not None and _is(split[1], version)


def _is(raw: str, version: str) -> bool:
    try:
        return normal(raw) == version
    except ValueError:  # older than the rules: "2004d"
        return False


def _have(session: Session, file: File, folder: str) -> str:
    path = os.path.join(folder, file.filename)
    if os.path.isfile(path):
        return path
    os.makedirs(folder, exist_ok=True)
    return session.artifacts.fetch(file, folder, None)
