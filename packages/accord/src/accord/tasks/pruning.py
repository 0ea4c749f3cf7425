"""What the cache holds and nobody has used for a while: removed, from the outside in.

Environments of scripts first, then the closures that only they linked to, then what was compiled, then wheels.
Private environments and sealed ones somebody made for themselves are no part of the cache and stay as they are.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.environments import upkeep as closures
from accord.io.files import refused, remove_tree
from accord.io.locks import FileLock
from accord.store import upkeep
from accord.store.store import Store
from accord.tasks.build_environments import FOLDER as BUILD_ENVIRONMENTS
from accord.tasks.cache import REMOVED
from accord.tasks.compiling import is_gone
from accord.tasks.overlay import FOLDER as RUN_ENVIRONMENTS
from accord_core.errors import InstallError

if TYPE_CHECKING:
    from accord.store.upkeep import Collected

__all__ = ["Pruned", "prune"]


@dataclass(frozen=True, slots=True)
class Pruned:
    """What went (or would): how many environments of scripts, closures, and wheels' compiled files; and the wheels."""

    environments: int
    closures: int
    compiled: int
    wheels: Collected


def prune(cache_dir: str, *, older_than: float | None, max_bytes: int | None, dry_run: bool) -> Pruned:
    """Remove what was not used for ``older_than`` seconds, then the longest unused wheels until ``max_bytes`` are left.

    What was compiled by an interpreter that is gone goes whatever its age, and so does what an interrupted
    :func:`accord.tasks.cache.clean` put out of sight.
    """
    store = Store(cache_dir)
    environments = sealed = 0
    if not dry_run:
        remove_tree(os.path.join(cache_dir, REMOVED))
    if older_than is not None:
        try:
            environments = _run_environments(cache_dir, older_than, dry_run)
            environments += _build_environments(cache_dir, older_than, dry_run)
            sealed = closures.collect(cache_dir, older_than=older_than, dry_run=dry_run)
        except OSError as error:
            raise refused(error, "pruning the cache") from error
    compiled = upkeep.collect_compiled(
        store,
        older_than=older_than,
        gone=lambda name, executable: is_gone(cache_dir, name, executable),
        dry_run=dry_run,
    )
    wheels = upkeep.collect(store, older_than=older_than, max_bytes=max_bytes, dry_run=dry_run)
    return Pruned(environments, sealed, compiled, wheels)


def _run_environments(cache_dir: str, older_than: float, dry_run: bool) -> int:
    """Environments that ``accord run`` made, which it has not started anything in for so long, and in which nothing
    that it started still runs.  The lock beside each is written at every start, so its time tells."""
    folder = f"{cache_dir}/{RUN_ENVIRONMENTS}"
    now = time.time()
    removed = 0
    for name in _names(folder):
        path = f"{folder}/{name}"
        if name.startswith("."):
            remove_tree(path)  # a prune that was killed
            continue
        env = path.removesuffix(".lock")
        if now - max(_time(env), _time(f"{env}.lock")) <= older_than:
            continue
        if path == env:
            removed += _remove(env, folder, dry_run)
        elif not dry_run and not os.path.lexists(env):
            _remove(path, folder, dry_run)
    return removed


def _build_environments(cache_dir: str, older_than: float, dry_run: bool) -> int:
    """Environments that nothing was built in for so long: the seal of each has the time of its last use.  What led to
    them leads nowhere then, and is forgotten too."""
    folder = f"{cache_dir}/{BUILD_ENVIRONMENTS}"
    now = time.time()
    removed = 0
    for name in _names(folder):
        root = f"{folder}/{name}"
        used = max(_time(root), _time(f"{root}.seal"))
        if "." in name or name == "asked" or now - used <= older_than:
            continue
        removed += 1
        if not dry_run:
            remove_tree(f"{root}.seal")  # first: an environment without a seal is none
            remove_tree(root)
            remove_tree(f"{root}.lock")
    for name in () if dry_run else _names(f"{folder}/asked"):
        path = f"{folder}/asked/{name}"
        if now - _time(path) > older_than:
            remove_tree(path)
    return removed


def _remove(path: str, folder: str, dry_run: bool) -> bool:
    env = path.removesuffix(".lock")
    if _in_use(env):
        return False
    if dry_run:
        return True
    try:
        with FileLock(f"{env}.lock", "an environment for accord run", timeout=0.0):
            aside = f"{folder}/.gone-{os.getpid()}-{os.urandom(4).hex()}"
            os.rename(path, aside)
            remove_tree(aside)
    except InstallError:
        return False  # somebody is making it anew
    return True


def _in_use(env: str) -> bool:
    """Whether a process of this machine was started in the environment, as far as the system tells."""
    sought = b"VIRTUAL_ENV=" + os.fsencode(env)
    for name in _names("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if sought in file.read().split(b"\0"):
                    return True
        except OSError:
            continue  # another user's, or ended
    return False


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _time(path: str) -> float:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return 0.0
