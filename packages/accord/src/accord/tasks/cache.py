"""What the cache holds and how to be rid of it: sizes, cleaning, checking.  Pruning is :mod:`accord.tasks.pruning`.

Everything in the cache can be had again, so nothing here can lose anything but time; environments keep working,
because they have links of their own to the files they use (a sealed one has not: its closure is kept as long as
pruning has not found it unused).
"""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.io.files import refused, remove_tree
from accord.store import upkeep
from accord.store.store import Store
from accord_core.errors import StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accord.store.upkeep import Fault

__all__ = ["Part", "Removed", "clean", "parts", "remove_packages", "verify"]

# What the rooms keep below the cache folder, each under its name and the version of its form (``store-v1``); see
# docs/explanation/architecture.md, "Folders on disk".
PARTS = {
    "archives": "archives given by URL",
    "build-envs": "environments of builds",
    "builds": "built wheels and their metadata",
    "catalogue": "what is known of projects",
    "checks": "what sources were found to hold",
    "closures": "sealed environments",
    "compiled": "compiled files",
    "editables": "editable builds",
    "git": "clones of repositories",
    "interpreters": "what interpreters are like",
    "locks": "parsed locks",
    "pages": "index pages",
    "projects": "turns of commands in one project",
    "removed": "what is being removed",
    "run-envs": "environments of scripts",
    "sdists": "source distributions",
    "store": "unpacked wheels",
}
REMOVED = "removed-v1"
OWN = re.compile(r"(?P<name>[a-z-]+)-v[0-9]+(?:\.db(?:-wal|-shm|-journal)?)?(?:\.lock)?")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the cache: the bytes it takes on the disk (blocks, each file once) and how many files it has."""

    name: str
    words: str
    octets: int
    files: int


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed."""

    octets: int
    files: int


def parts(cache_dir: str) -> tuple[Part, ...]:
    """Every part of the cache that is there, with its size; files that are linked several times count once."""
    seen: set[tuple[int, int]] = set()
    found = []
    try:
        names = sorted(os.listdir(cache_dir))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    for name in names:
        octets, files = _measure(os.path.join(cache_dir, name), seen)
        found.append(Part(name, _holds(name), octets, files))
    return tuple(found)


def _holds(name: str) -> str:
    """What a part of the cache is for; ``other`` for what Accord did not put there.  Forms of older and newer versions
    of Accord are its own too."""
    own = OWN.fullmatch(name)
    return "other" if own is None else PARTS.get(own["name"], own["name"])


def _measure(path: str, seen: set[tuple[int, int]]) -> tuple[int, int]:
    octets = files = 0
    queue = [path]
    while queue:
        here = queue.pop()
        try:
            status = os.lstat(here)
            if os.path.isdir(here) and not os.path.islink(here):
                queue.extend(entry.path for entry in os.scandir(here))
                continue
        except OSError:
            continue  # somebody else prunes at the same time
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        octets += status.st_blocks * 512 if hasattr(status, "st_blocks") else status.st_size
        files += 1
    return octets, files


def clean(cache_dir: str, *, dry_run: bool) -> Removed:
    """Remove the cache.  ``UsageError`` ``not-a-cache`` for a folder that holds anything Accord did not put there;
    ``StoreError`` ``not-writable`` for one that somebody else made."""
    held = parts(cache_dir)
    foreign = [part.name for part in held if part.words == "other"]
    if foreign:
        raise UsageError(
            "not-a-cache",
            f"{cache_dir} holds files that are not Accord's: {', '.join(foreign[:5])}",
            hint="if it is the cache all the same, remove the folder by hand",
        )
    if held and not dry_run:
        try:
            _remove(cache_dir, [part.name for part in held])
        except OSError as error:
            failure = refused(error, "removing the cache", StoreError, path=cache_dir)
            if error.errno in (errno.EPERM, errno.EACCES):
                failure.hint = "run it as the user who made the cache; what root sealed only root can open"
            raise failure from error
    return Removed(sum(part.octets for part in held), sum(part.files for part in held))


def _remove(cache_dir: str, names: Sequence[str]) -> None:
    """Out of sight first, each part by one rename: half a sealed tree, or half a wheel, would be taken for a whole one by
    whoever comes after an interrupt.  What then lies in there goes with the next ``clean`` or ``prune``."""
    gone = os.path.join(cache_dir, REMOVED)
    os.makedirs(gone, exist_ok=True)
    for name in names:
        if name != REMOVED:
            os.rename(os.path.join(cache_dir, name), os.path.join(gone, f"{name}-{os.urandom(6).hex()}"))
    remove_tree(gone)


def remove_packages(cache_dir: str, names: Sequence[str], *, dry_run: bool) -> tuple[tuple[str, str], ...]:
    """Remove the unpacked wheels of ``names`` (normal form); what was removed as ``(name, version)``, sorted."""
    from accord_core.names import normalise

    store = Store(cache_dir)
    removed = []
    for entry in upkeep.entries(store):
        if normalise(entry.name) in names:
            removed.append((normalise(entry.name), entry.version))
            if not dry_run:
                store.discard(entry.sha256)
    return tuple(sorted(removed))


def verify(cache_dir: str, *, repair: bool) -> tuple[Fault, ...]:
    """Every file of the store that is not what its wheel says, and every compiled one that is not what was made of it.
    With ``repair`` a damaged wheel is thrown away, and fetched again when it is next wanted."""
    return upkeep.verify(Store(cache_dir), repair=repair)
