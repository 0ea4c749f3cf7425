"""Folders that last as long as a piece of work, and are gone afterwards however it ended.

Builds and downloads run in threads.  When the command is interrupted its main thread ends the process without
waiting for them, so it has to know what they would have removed: every open folder is written down here.  It knows
nothing of what lies in a folder; one that a killed process left is found by its place, by whoever owns that place.
"""

from __future__ import annotations

import os
import time

from accord.io.files import remove_tree

__all__ = ["forget_abandoned", "make", "remove", "remove_all", "scratch_folder"]

_TRIES = 5
_ABANDONED = 3 * 86_400  # seconds; longer than any build
_open: set[str] = set()


class scratch_folder:  # noqa: N801 - reads as the call it stands for; contextlib takes 4 ms to load
    """``with`` a folder of :func:`make`: it is removed at the end."""

    def __init__(self, prefix: str, above: str | None = None) -> None:
        self._asked = (prefix, above)
        self._path = ""

    def __enter__(self) -> str:
        self._path = make(*self._asked)
        return self._path

    def __exit__(self, *failure: object) -> None:
        remove(self._path)


def make(prefix: str, above: str | None = None) -> str:
    """A new folder in ``above`` (default: the system's place for temporary files); the caller sees to its removal."""
    if above is None:
        from tempfile import gettempdir

        above = gettempdir()
    path = os.path.join(os.path.abspath(above), prefix + os.urandom(8).hex())
    os.mkdir(path, 0o700)
    _open.add(path)
    return path


def remove(path: str) -> None:
    """Remove a folder of :func:`make` with all that is in it; one that is gone (it was given another name) is fine.

    A thread, or a process that is just being ended, may still write into it: it gets another name first, so that they do
    not find it any more, and is tried a few times.  That it cannot be removed is no failure of the work: it is left, as
    by a crash.
    """
    gone = f"{path}.gone"
    try:
        os.rename(path, gone)
    except OSError:  # it has another name already, or its place is shut
        gone = path
    for attempt in range(_TRIES):
        try:
            remove_tree(gone)
            break
        except OSError:
            time.sleep(0.01 * attempt)
    _open.discard(path)


def forget_abandoned(above: str, prefix: str = ".scratch-") -> None:
    """Remove the folders of :func:`make` in ``above`` whose work was killed together with Accord, days ago."""
    with os.scandir(above) as entries:
        old = [one.path for one in entries if one.name.startswith(prefix) and _is_abandoned(one)]
    for path in old:
        remove(path)


def _is_abandoned(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.stat(follow_symlinks=False).st_mtime < time.time() - _ABANDONED
    except OSError:  # its work has just ended
        return False


def remove_all(patience: float = 1.0) -> None:
    """Remove every open folder: for the main thread, when it ends the process under the feet of the others.

    They get ``patience`` seconds to do it themselves, which a build that was stopped does at once, and with it goes
    what libraries put elsewhere; one that waits for a server does not.
    """
    until = time.monotonic() + patience
    while _open and time.monotonic() < until:
        time.sleep(0.01)
    for path in tuple(_open):
        remove(path)
