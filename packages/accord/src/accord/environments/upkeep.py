"""Closures nobody links to any more, and what crashed builds left aside."""

from __future__ import annotations

import os
import time

from accord.environments.closures import FOLDER, discard, find_closure
from accord.io.files import remove_tree

__all__ = ["collect", "users"]

_ASIDE_SECONDS = 3_600.0


def users(closure: str) -> tuple[str, ...]:
    """The environments that link to the closure now; those that are gone or were switched are forgotten."""
    found = find_closure(closure)
    if found is None:
        return ()
    alive = []
    folder = f"{closure}/users"
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return ()
    for name in names:
        with open(f"{folder}/{name}", "rb") as file:
            env = os.fsdecode(file.read())
        if _same(f"{env}/{found.site}", found.site_path) or _remembers(env, closure):
            alive.append(env)
        else:
            os.unlink(f"{folder}/{name}")
    return tuple(alive)


def _same(one: str, other: str) -> bool:
    """Whether both lead to one place, by whichever link on the way."""
    return os.path.realpath(one) == os.path.realpath(other)


def _remembers(env: str, closure: str) -> bool:
    """Whether the environment's history could bring the closure back."""
    from accord.environments.transaction import entries

    for number in entries(env):
        for above, folders, names in os.walk(f"{env}/.accord/history/{number}/old"):
            for name in (*folders, *names):
                path = f"{above}/{name}"
                if os.path.islink(path) and os.path.realpath(path).startswith(
                    os.path.realpath(closure) + "/"
                ):
                    return True
    return False


def collect(cache_dir: str, *, older_than: float, dry_run: bool = False) -> int:
    """Remove closures no environment links to and nobody used for ``older_than`` seconds; their number."""
    root = f"{cache_dir}/{FOLDER}"
    now = time.time()
    removed = 0
    for name in _names(root):
        path = f"{root}/{name}"
        if name == "aside":
            _sweep(path, now)
            continue
        try:
            age = now - os.stat(f"{path}/state").st_mtime
        except OSError:
            age = now - os.stat(path).st_mtime
        if age > older_than and not users(path):
            removed += 1
            if not dry_run:
                discard(path)
    return removed


def _sweep(aside: str, now: float) -> None:
    for name in _names(aside):
        path = f"{aside}/{name}"
        if now - os.lstat(path).st_mtime > _ASIDE_SECONDS:
            remove_tree(path)


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
