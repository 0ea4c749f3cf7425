"""The store's size, its garbage, and whether what it holds is still what was put there; the same for what was compiled.

Deleting an entry never breaks an environment: linked files live on, and sealed closures hold links of their own.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from accord.io.files import remove_tree
from accord.store.compiled import FOLDER as COMPILED
from accord.store.compiled import CompiledWheel, load_compiled, put_away, source_of, stamp_of
from accord.store.entry import Entry, load_entry
from accord.store.soundness import faults_below
from accord.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "Collected",
    "Fault",
    "collect",
    "collect_compiled",
    "compiled_faults",
    "entries",
    "faults",
    "verify",
]

_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Fault:
    """A file of an entry that is not what was unpacked: ``missing``, ``changed`` or ``foreign``; or one that was
    compiled, which may be ``stale`` too: its source has another time or size by now."""

    sha256: str
    name: str
    version: str
    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class Collected:
    """What :func:`collect` removed and what is left; bytes are those of the wheels, unpacked and compiled."""

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


def collect(
    store: Store, *, older_than: float | None = None, max_bytes: int | None = None, dry_run: bool = False
) -> Collected:
    """Throw away entries not used for ``older_than`` seconds, then the longest unused until ``max_bytes`` are left.

    Also removes what crashed processes left aside.  One process collects at a time.
    """
    now = time.time()
    with store.exclusive():
        _sweep_aside(f"{store.root}/aside", now)
        sizes = _compiled_sizes(store)
        known = sorted((_last_use(entry.path), entry.sha256, entry) for entry in entries(store))
        sizes = {sha256: entry.size + sizes.get(sha256, 0) for _, sha256, entry in known}
        total = sum(sizes.values())
        removed = removed_bytes = 0
        for used, sha256, _ in known:
            old = older_than is not None and now - used > older_than
            large = max_bytes is not None and total > max_bytes
            if not old and not large:
                continue
            if not dry_run:
                store.discard(sha256)
            removed += 1
            removed_bytes += sizes[sha256]
            total -= sizes[sha256]
    return Collected(removed, removed_bytes, len(known) - removed, total)


def _last_use(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


def _sweep_aside(aside: str, now: float) -> None:
    for name in _names(aside):
        path = f"{aside}/{name}"
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


# -- compiled files ------------------------------------------------------------------------------------------


def _compiled(cache_dir: str) -> Iterator[tuple[str, CompiledWheel]]:
    """``(interpreter, what it compiled of one wheel)``."""
    above = f"{cache_dir}/{COMPILED}"
    for interpreter in _names(above):
        if interpreter == "aside":
            continue
        for prefix in _names(f"{above}/{interpreter}"):
            for rest in _names(f"{above}/{interpreter}/{prefix}"):
                found = load_compiled(f"{above}/{interpreter}/{prefix}/{rest}")
                if found is not None:
                    yield interpreter, found


def _compiled_sizes(store: Store) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for _, found in _compiled(os.path.dirname(store.root)):
        sizes[found.sha256] = sizes.get(found.sha256, 0) + sum(found.sizes)
    return sizes


def collect_compiled(
    store: Store,
    *,
    older_than: float | None = None,
    gone: Callable[[str, str], bool] = lambda interpreter, executable: False,
    dry_run: bool = False,
) -> int:
    """Throw away what was compiled of wheels that are not in the store any more (or were unpacked again), what nobody
    used for ``older_than`` seconds, and all of an interpreter that is ``gone``, which is asked with its name and
    executable.  How many wheels' files those were."""
    now = time.time()
    cache_dir = os.path.dirname(store.root)
    above = f"{cache_dir}/{COMPILED}"
    removed = 0
    with store.exclusive():
        _sweep_aside(f"{above}/aside", now)
        left = {interpreter: _is_gone(f"{above}/{interpreter}", gone) for interpreter in _names(above)}
        for interpreter, found in _compiled(cache_dir):
            entry = load_entry(store.path(found.sha256))
            old = older_than is not None and now - _last_use(found.path) > older_than
            if entry is not None and stamp_of(entry) == found.stamp and not old and not left[interpreter]:
                continue
            removed += 1
            if not dry_run:
                put_away(found.path, above)
        for interpreter, is_gone in left.items():
            if (
                not dry_run
                and interpreter != "aside"
                and (is_gone or not _holds_any(f"{above}/{interpreter}"))
            ):
                put_away(f"{above}/{interpreter}", above)
    return removed


def _is_gone(root: str, gone: Callable[[str, str], bool]) -> bool:
    try:
        with open(f"{root}/python", "rb") as file:
            executable = os.fsdecode(file.read())
    except OSError:
        return False
    return gone(os.path.basename(root), executable)


def _holds_any(root: str) -> bool:
    return any(_names(f"{root}/{prefix}") for prefix in _names(root))


def compiled_faults(found: CompiledWheel, entry: Entry) -> tuple[tuple[str, str], ...]:
    """``(path, kind)`` of every compiled file that is missing, changed, or stale: its source, of ``entry``, has another
    time or size; and of what else lies there."""
    faults = dict(faults_below(found.path, found.listed()))
    for path in found.files:
        if f"site/{path}" not in faults and not _is_of(f"{found.site}/{path}", entry, path):
            faults[f"site/{path}"] = "stale"
    return tuple((path.removeprefix("site/"), kind) for path, kind in faults.items())


def _is_of(compiled: str, entry: Entry, path: str) -> bool:
    """Whether a compiled file names the time and size its source has (PEP 552), so that Python will use it."""
    with open(compiled, "rb") as file:
        head = file.read(16)
    try:
        status = os.stat(f"{entry.path}/site/{source_of(path)}")
    except OSError:
        return False
    words = (int(status.st_mtime), status.st_size)
    return head[8:] == b"".join((word & 0xFFFFFFFF).to_bytes(4, "little") for word in words)


# -- verification --------------------------------------------------------------------------------------------


def faults(entry: Entry) -> tuple[Fault, ...]:
    """Every file of the entry that is missing, changed, or was not unpacked there."""
    listed = {f"site/{path}": (hashed, size) for path, hashed, size in entry.rows()}
    listed.update({row[2]: (row[3], row[4]) for row in entry.data})
    return tuple(_fault(entry, path, kind) for path, kind in faults_below(entry.path, listed))


def _fault(entry: Entry, path: str, kind: str) -> Fault:
    return Fault(entry.sha256, entry.name, entry.version, path, kind)


def verify(store: Store, *, repair: bool = False) -> tuple[Fault, ...]:
    """Check every entry, and what was compiled of it.  With ``repair`` what is damaged is thrown away: the next install
    fetches the wheel again; compiled files are made again when they are next asked for."""
    found: list[Fault] = []
    for entry in entries(store):
        broken = faults(entry)
        found.extend(broken)
        if broken and repair:
            with store.exclusive():
                store.discard(entry.sha256)
    cache_dir = os.path.dirname(store.root)
    for interpreter, compiled in _compiled(cache_dir):
        of = load_entry(store.path(compiled.sha256))
        if of is None or stamp_of(of) != compiled.stamp:
            continue  # never linked again, and collected
        wrong = compiled_faults(compiled, of)
        found.extend(_fault(of, f"{COMPILED}/{interpreter}: {path}", kind) for path, kind in wrong)
        if wrong and repair:
            with store.exclusive():
                put_away(compiled.path, f"{cache_dir}/{COMPILED}")
    return tuple(found)
