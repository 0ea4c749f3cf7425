"""The store's size, its garbage, and whether what it holds is still what was put there.

Deleting an entry never breaks an environment: linked files live on, and sealed closures hold links of their own.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from accord.io.files import remove_tree
from accord.store.entry import Entry, load_entry
from accord.store.store import Store

__all__ = ["Collected", "Fault", "collect", "entries", "faults", "file_matches", "touch", "verify"]

_DAY = 86_400.0

_READ = 1 << 20


@dataclass(frozen=True, slots=True)
class Fault:
    """A file of an entry that is not what was unpacked: ``missing``, ``changed`` or ``foreign``."""

    sha256: str
    name: str
    version: str
    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class Collected:
    """What :func:`collect` removed and what is left; bytes are those of the unpacked wheels."""

    removed: int
    removed_bytes: int
    kept: int
    kept_bytes: int


def entries(store: Store) -> tuple[Entry, ...]:
    """Every readable entry, in order of digest."""
    found: list[Entry] = []
    for prefix in _names(store.root):
        if len(prefix) != 2:
            continue
        for rest in _names(f"{store.root}/{prefix}"):
            entry = load_entry(f"{store.root}/{prefix}/{rest}")
            if entry is not None:
                found.append(entry)
    return tuple(found)


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def touch(entry: Entry) -> None:
    """Note that the entry was used now."""
    try:
        os.utime(entry.path)
    except OSError:
        pass  # a store shared read-only has an upkeep of its own


def collect(
    store: Store, *, older_than: float | None = None, max_bytes: int | None = None, dry_run: bool = False
) -> Collected:
    """Throw away entries not used for ``older_than`` seconds, then the longest unused until ``max_bytes`` are left.

    Also removes what crashed processes left aside.  Waits for installs that are running.
    """
    now = time.time()
    with store.exclusive():
        _sweep_aside(store, now)
        known = sorted((_last_use(entry), entry.sha256, entry) for entry in entries(store))
        total = sum(entry.size for _, _, entry in known)
        removed = removed_bytes = 0
        for used, sha256, entry in known:
            old = older_than is not None and now - used > older_than
            large = max_bytes is not None and total > max_bytes
            if not old and not large:
                continue
            if not dry_run:
                store.discard(sha256)
            removed += 1
            removed_bytes += entry.size
            total -= entry.size
    return Collected(removed, removed_bytes, len(known) - removed, total)


def _last_use(entry: Entry) -> float:
    try:
        return os.stat(entry.path).st_mtime
    except OSError:
        return 0.0


def _sweep_aside(store: Store, now: float) -> None:
    for name in _names(f"{store.root}/aside"):
        path = f"{store.root}/aside/{name}"
        parts = name.split("-")
        alive = len(parts) == 3 and parts[1].isdigit() and _alive(int(parts[1]))
        try:
            age = now - os.stat(path).st_mtime
        except OSError:
            continue
        if not alive or age > _DAY:
            remove_tree(path)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


# -- verification --------------------------------------------------------------------------------------------


def faults(entry: Entry) -> tuple[Fault, ...]:
    """Every file of the entry that is missing, changed, or was not unpacked there."""
    listed = {f"site/{path}": (hashed, size) for path, hashed, size in entry.rows()}
    listed.update({row[2]: (row[3], row[4]) for row in entry.data})
    found = [
        _fault(entry, path, kind)
        for path, (hashed, size) in listed.items()
        if (kind := _check(f"{entry.path}/{path}", hashed, size))
    ]
    known = {*listed, "manifest"}
    found.extend(_fault(entry, path, "foreign") for path in _walk(entry.path) if path not in known)
    return tuple(found)


def _fault(entry: Entry, path: str, kind: str) -> Fault:
    return Fault(entry.sha256, entry.name, entry.version, path, kind)


def _walk(root: str) -> list[str]:
    found: list[str] = []
    for folder, _, names in os.walk(root):
        prefix = folder[len(root) + 1 :]
        found.extend(f"{prefix}/{name}" if prefix else name for name in names)
    return found


def _check(path: str, hashed: str, size: int) -> str | None:
    try:
        status = os.lstat(path)
    except OSError:
        return "missing"
    if not stat.S_ISREG(status.st_mode) or status.st_size != size:
        return "changed"
    return None if file_matches(path, hashed) else "changed"


def file_matches(path: str, hashed: str) -> bool:
    """Whether the file has the digest ``algorithm=urlsafe base64`` as RECORD spells it."""
    algorithm, _, wanted = hashed.partition("=")
    digest = hashlib.new(algorithm)
    try:
        with open(path, "rb") as file:
            while piece := file.read(_READ):
                digest.update(piece)
    except OSError:
        return False
    return urlsafe_b64encode(digest.digest()).decode().rstrip("=") == wanted


def verify(store: Store, *, repair: bool = False) -> tuple[Fault, ...]:
    """Check every entry.  With ``repair`` a damaged entry is thrown away: the next install fetches the wheel again."""
    found: list[Fault] = []
    for entry in entries(store):
        broken = faults(entry)
        found.extend(broken)
        if broken and repair:
            with store.exclusive():
                store.discard(entry.sha256)
    return tuple(found)
