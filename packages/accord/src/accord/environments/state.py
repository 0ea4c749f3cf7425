"""Is there nothing to do? (hot)

After each change the environment keeps the caller's *key* (a digest of everything that was asked for: lock, Python,
options) beside a few stamps of its folders.  Adding, removing or replacing a distribution, with whatever tool, changes
the time of site-packages; so a handful of ``stat`` calls tell that the last command's result still stands.  A file
edited in place is not seen here: ``accord verify`` looks at contents.
"""

from __future__ import annotations

import marshal
import os

from accord.environments.layout import OWN, Layout, library_of
from accord.io import files

__all__ = ["Known", "read", "unchanged", "write"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    # name → (version, sha256 of the wheel, dist-info folder, RECORD's mtime in ns, RECORD's size)
    Known = dict[str, tuple[str, str, str, int, int]]
else:
    Known = dict

_FORMAT = 1


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
    try:
        with open(f"{env_dir}/{OWN}/state", "rb") as file:
            # Written by this module into the environment itself.
            state = marshal.loads(file.read())  # noqa: S302
    except (OSError, ValueError, EOFError, TypeError):
        return None
    if not isinstance(state, dict) or state.get("format") != _FORMAT:
        return None
    return state


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
    watched = [layout.site, layout.scripts, "pyvenv.cfg", f"{layout.scripts}/python"]
    state = {
        "format": _FORMAT,
        "key": key,
        "kind": kind,
        "closure": closure,
        "dists": dists,
        "stamps": _stamps(layout.root, watched),
    }
    try:
        files.write_atomic(layout.own("state"), marshal.dumps(state), sync=False)
    except OSError:
        pass
