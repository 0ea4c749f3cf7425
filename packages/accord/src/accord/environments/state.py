"""Is there nothing to do? (hot)

After each change the environment keeps the caller's *key* (a digest of everything that was asked for: lock, Python,
options) beside a few stamps of its folders.  Adding, removing or replacing a distribution, with whatever tool, changes
the time of site-packages; so a handful of ``stat`` calls tell that the last command's result still stands.  A file
edited in place is not seen here: ``accord verify`` looks at contents.
"""

from __future__ import annotations

import os

from accord.environments import rows
from accord.environments.layout import OWN, Layout, library_of
from accord.io import files

__all__ = ["Known", "dump", "read", "read_file", "unchanged", "write"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    # name → (version, sha256 of the wheel, dist-info folder, RECORD's mtime in ns, RECORD's size)
    Known = dict[str, tuple[str, str, str, int, int]]
else:
    Known = dict

_KIND = "accord-state 2"


def unchanged(env_dir: str, key: str) -> bool:
    """Whether the environment is exactly what the last command left, and that was asked for with ``key``."""
    state = read(env_dir)
    if state is None or state["key"] != key or os.path.lexists(f"{env_dir}/{OWN}/journal"):
        return False
    site = state["stamps"][0][0]
    if state["closure"] and not os.path.islink(f"{env_dir}/{library_of(site)}"):
        return False  # linked to its closure as an earlier Accord did it: to be made anew
    return bool(_stamps(env_dir, [path for path, *_ in state["stamps"]]) == state["stamps"])


def read(env_dir: str) -> dict[str, Any] | None:
    """The state: ``key``, ``stamps``, ``dists`` (:data:`Known`), ``kind``; ``None`` where there is none to trust."""
    return read_file(f"{env_dir}/{OWN}/state")


def read_file(path: str) -> dict[str, Any] | None:
    """The same of a file: the state itself, or one that history keeps."""
    stamps: list[tuple[str, int, int]] = []
    dists: Known = {}
    try:
        (key, kind, closure), *found = rows.read(path, _KIND)
        for row in found:
            if len(row) == 3:
                stamps.append((row[0], int(row[1]), int(row[2])))
            else:
                name, version, sha256, dist_info, time, size = row
                dists[name] = (version, sha256, dist_info, int(time), int(size))
    except (OSError, ValueError):
        return None
    if not stamps:
        return None
    return {"key": key, "kind": kind, "closure": closure, "stamps": stamps, "dists": dists}


def dump(state: dict[str, Any]) -> bytes:
    """The contents of the file."""
    found: list[tuple[str, ...]] = [(state["key"], state["kind"], state["closure"])]
    found += [(path, str(time), str(inode)) for path, time, inode in state["stamps"]]
    for name, (version, sha256, dist_info, time, size) in state["dists"].items():
        found.append((name, version, sha256, dist_info, str(time), str(size)))
    return rows.dump(_KIND, found)


def _stamps(root: str, paths: list[str]) -> list[tuple[str, int, int]]:
    found = []
    for path in paths:
        try:
            status = os.stat(f"{root}/{path}")
        except OSError:
            found.append((path, 0, 0))
            continue
        found.append((path, status.st_mtime_ns, status.st_ino))
    return found


def write(layout: Layout, key: str, dists: Known, *, kind: str = "private", closure: str = "") -> None:
    """Remember what now stands.  Never raises for an environment that cannot be written: it is only slower then."""
    watched = [*layout.libraries, layout.scripts, "pyvenv.cfg", f"{layout.scripts}/python"]
    state = {
        "key": key,
        "kind": kind,
        "closure": closure,
        "dists": dists,
        "stamps": _stamps(layout.root, watched),
    }
    try:
        files.write_atomic(layout.own("state"), dump(state), sync=False)
    except OSError:
        pass
