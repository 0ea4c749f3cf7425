"""Is everything in an environment still what was installed?  And putting it back from the store where it is not.

Compares with RECORD (recording installed projects): every listed file with a digest, wherever it lies in the
environment.  What RECORD does not list (compiled files, the user's own) is nobody's business here.
"""

from __future__ import annotations

import os

from accord.environments import state
from accord.environments.installed import Installed, inside, read_site
from accord.environments.launchers import launcher, rewritten
from accord.environments.layout import Layout, layout_of
from accord.environments.transaction import recover_locked
from accord.io import files, inodes
from accord.store.soundness import file_matches
from accord_core.archive.record import parse_record
from accord_core.errors import ArchiveError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from accord.store.entry import Entry
    from accord.store.store import Store

__all__ = ["Problem", "tree_faults", "verify"]


class Problem:
    """A file that is not as installed: ``name`` and ``version`` of its distribution, ``path`` relative to the
    environment, ``kind`` (``missing``, ``changed``, ``unreadable`` for a RECORD), ``repaired``."""

    __slots__ = ("kind", "name", "path", "repaired", "version")

    def __init__(self, name: str, version: str, path: str, kind: str) -> None:
        self.name = name
        self.version = version
        self.path = path
        self.kind = kind
        self.repaired = False

    def __repr__(self) -> str:
        return f"<Problem {self.name} {self.path} {self.kind}>"


def verify(directory: str, *, repair: bool = False, store: Store | None = None) -> tuple[Problem, ...]:
    """Every file of every distribution against its RECORD; a crashed transaction is taken back first.

    ``repair`` puts back what is missing or changed from the entries of ``store``, for what Accord installed.  An
    entry that is itself damaged (a hard-linked file edited in place is one file) repairs nothing: fetch the wheel
    again, then repair.  Sealed environments are repaired in their closure, for all who share it.  An environment that
    this user may only read is compared as it lies, without a turn: whoever may write is the one to take a crash back.
    """
    layout = layout_of(directory)
    if not repair and not os.access(layout.root, os.W_OK):
        return _check_all(layout)
    with layout.lock():
        recover_locked(layout.root)
        found = _check_all(layout)
        if repair and store is not None and found:
            _repair(layout, found, store)
    return found


def _check_all(layout: Layout) -> tuple[Problem, ...]:
    return tuple(problem for one in read_site(layout) for problem in _check(layout, one))


def _rows(one: Installed) -> Iterator[tuple[str, str, int | None]]:
    """``(path relative to the environment, "sha256=…" or "", size)``; raises ``ArchiveError``."""
    for row in parse_record(one.read("RECORD") or b"").values():
        for path in inside(one.root, one.library, (row.path,)):
            yield path, f"{row.algorithm}={row.digest}" if row.digest else "", row.size


def _check(layout: Layout, one: Installed) -> list[Problem]:
    if one.kind != "dist-info":
        return []
    found = []
    try:
        for path, hashed, size in _rows(one):
            if not hashed:
                continue
            place = f"{layout.root}/{path}"
            try:
                status = os.stat(place)
            except OSError:
                found.append(Problem(one.name, one.version, path, "missing"))
                continue
            if (size is not None and status.st_size != size) or not file_matches(place, hashed):
                found.append(Problem(one.name, one.version, path, "changed"))
    except ArchiveError:
        found.append(Problem(one.name, one.version, f"{one.path}/RECORD", "unreadable"))
    return found


def tree_faults(tree: str, site: str) -> bool:
    """Whether any file RECORDs list below ``tree/site`` is missing or has another size.  What a power cut leaves is
    files without contents; contents are not read."""
    layout = Layout(tree, {"purelib": site, "scripts": "bin", "headers": "include", "data": ""})
    for one in read_site(layout):
        try:
            for path, hashed, size in _rows(one):
                if hashed and os.stat(f"{tree}/{path}").st_size != size:
                    return True
        except (OSError, ArchiveError):
            return True
    return False


# -- repairing -----------------------------------------------------------------------------------------------


def _repair(layout: Layout, problems: Sequence[Problem], store: Store) -> None:
    record = state.read(layout.root)
    known: state.Known = record["dists"] if record else {}
    for problem in problems:
        row = known.get(problem.name)
        entry = store.find(row[1]) if row is not None else None
        if entry is not None and problem.kind != "unreadable":
            problem.repaired = _put_back(layout, problem, entry)


def _put_back(layout: Layout, problem: Problem, entry: Entry) -> bool:
    for library in layout.libraries:
        path = problem.path.removeprefix(library + "/")
        hashed = next((hashed for name, hashed, _ in entry.rows() if name == path), None)
        if hashed is not None:
            return _copy_back(f"{entry.path}/site/{path}", hashed, f"{layout.root}/{problem.path}")
    for scheme, path, source, hashed, _, rewrite in entry.data:
        folder = layout.scheme(scheme, entry.raw_name)
        if problem.path != (f"{folder}/{path}" if folder else path):
            continue
        if not rewrite:
            return _copy_back(f"{entry.path}/{source}", hashed, f"{layout.root}/{problem.path}")
        if not file_matches(f"{entry.path}/{source}", hashed):
            return False
        with open(f"{entry.path}/{source}", "rb") as file:
            return _write_back(layout, problem, rewritten(file.read(), layout.python))
    for name, module, attribute, _ in entry.scripts:
        if problem.path == f"{layout.scripts}/{name}":
            return _write_back(layout, problem, launcher(layout.python, module, attribute))
    return False


def _write_back(layout: Layout, problem: Problem, data: bytes) -> bool:
    files.write_atomic(f"{layout.root}/{problem.path}", data, mode=0o755, sync=False)
    return True


def _copy_back(source: str, hashed: str, target: str) -> bool:
    """Replace ``target`` by a copy of ``source``: a file of its own, so that the next edit in place stays here."""
    if not file_matches(source, hashed):
        return False
    folder = os.path.dirname(target)
    os.makedirs(folder, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        mode = os.fstat(handle).st_mode & 0o7777
        guarded = inodes.release(handle)
        os.fchmod(handle, mode | 0o300)
        try:
            with open(source, "rb") as file:
                files.write_atomic(target, file.read(), mode=os.stat(source).st_mode & 0o777, sync=False)
        finally:
            os.fchmod(handle, mode)
            if guarded:
                inodes.protect(handle)
    finally:
        os.close(handle)
    return True
