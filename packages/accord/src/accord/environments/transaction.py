"""A list of renames, a journal, and the way back (hot).

Every change of an environment is an ordered list of *moves* ``(from, to)``: paths relative to the environment, all on
its file system, no ``to`` existing before its move.  The old moves out into ``.accord/history/N/old/``, the new moves
in from ``.accord/txn/``.  So carrying a list out backwards undoes it, whether half of it had happened (recovery)
or all of it (undo); and because each rename is one step, the journal need not say how far things went: a move has
happened when ``to`` is there and ``from`` is not.

    1. the new is prepared aside; nothing in the environment has changed
    2. the journal is written                  killed from here on: recover() takes every move back
    3. the moves
    4. the journal is renamed into history     from here on the environment is the new one
"""

from __future__ import annotations

import os
import time

from accord.environments import rows
from accord.environments.journal import dump_moves, is_number, read_moves
from accord.environments.layout import OWN
from accord.io import files, inodes
from accord.io.locks import FileLock
from accord.io.steps import step
from accord_core.errors import InstallError

__all__ = ["KEPT", "Transaction", "entries", "read_info", "recover", "recover_locked"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Move = tuple[str, str]

KEPT = 10  # transactions that can be undone
_INFO = "accord-change 2"
_JOURNAL = f"{OWN}/journal"


class Transaction:
    """One change of the environment at ``root`` (absolute; its lock is held by the caller).

    Prepare the new under :meth:`aside`, collect ``moves``, then :meth:`commit`.  :meth:`abandon` if anything failed.
    """

    def __init__(self, root: str) -> None:
        recover_locked(root)
        self.root = root
        self.number = 1 + max(entries(root), default=0)
        if not is_number(str(self.number)):
            raise InstallError(
                "journal-damaged",
                f"{root}/{OWN}/history holds a change numbered {self.number - 1}",
                hint="Accord did not make it; make the environment anew: accord venv --clear",
            )
        self.moves: list[Move] = []
        self._folder = f"{OWN}/history/{self.number}"
        self._made: set[str] = set()
        # The name decides in which block group the file system starts looking for room: not always the same.
        self._aside = f"{OWN}/txn/{os.urandom(6).hex()}"

    def aside(self) -> str:
        """The absolute folder to prepare the new in; below it the paths the environment will have."""
        place = f"{self.root}/{self._aside}"
        if not os.path.isdir(place):
            os.makedirs(f"{self.root}/{OWN}/txn", exist_ok=True)
            inodes.scatter(f"{self.root}/{OWN}/txn")
            os.mkdir(place)
        return place

    def move_in(self, path: str) -> None:
        """``path``, prepared aside, takes its place."""
        self.moves.append((f"{self._aside}/{path}", path))

    def move_out(self, path: str) -> None:
        """``path`` leaves the environment and stays in history."""
        self.moves.append((path, f"{self._folder}/old/{path}"))

    def restore(self, source: str, path: str) -> None:
        """``source``, an old path in history, takes its place again."""
        self.moves.append((source, path))

    def commit(self, info: dict[str, Any]) -> int:
        """Carry the moves out and return the transaction's number.

        ``info`` (as :func:`read_info` returns it) goes into history.  If a move fails, those before it are taken back and the
        ``OSError`` is raised as an ``InstallError``; the environment is then as it was.
        """
        self._prepare(info)
        step("apply-journal")
        # Only what replaces something old must survive a power cut; the rest can be made again from the store.
        precious = any(source.startswith(OWN) is False for source, _ in self.moves)
        record = dump_moves(self.number, self.moves)
        files.write_atomic(f"{self.root}/{_JOURNAL}", record, sync=precious)
        step("apply-moves")
        try:
            carry_out(self.root, self.moves)
            step("apply-commit")
            os.rename(f"{self.root}/{_JOURNAL}", f"{self.root}/{self._folder}/moves")
        except OSError as error:
            recover_locked(self.root)
            raise files.refused(error, f"changing {self.root}") from error
        except InstallError:
            recover_locked(self.root)
            raise
        step("apply-clean")
        files.remove_tree(f"{self.root}/{OWN}/txn")
        self._forget_old()
        return self.number

    def _prepare(self, info: dict[str, Any]) -> None:
        os.makedirs(f"{self.root}/{self._folder}", exist_ok=True)
        values = {**info, "time": time.time()}
        files.write_new(f"{self.root}/{self._folder}/info", _dump_info(values))
        for _, target in self.moves:
            folder = target.rpartition("/")[0]
            if folder.startswith(self._folder) and folder not in self._made:
                os.makedirs(f"{self.root}/{folder}", exist_ok=True)
                self._made.add(folder)

    def _forget_old(self) -> None:
        for number in entries(self.root)[:-KEPT]:
            files.remove_tree(f"{self.root}/{OWN}/history/{number}")

    def abandon(self) -> None:
        """Throw the prepared away; nothing in the environment has changed."""
        files.remove_tree(f"{self.root}/{OWN}/txn")
        files.remove_tree(f"{self.root}/{self._folder}")


def carry_out(root: str, moves: list[Move]) -> None:
    """Rename in order.  ``InstallError`` ``file-in-the-way`` rather than replace anything."""
    for source, target in moves:
        step("apply-move")
        if os.path.lexists(f"{root}/{target}"):
            raise InstallError(
                "file-in-the-way",
                f"{target} is there and was not a moment ago",
                hint="something else is changing the environment; run again when it is done",
            )
        os.rename(f"{root}/{source}", f"{root}/{target}")


def entries(root: str) -> list[int]:
    """The numbers in history, oldest first."""
    try:
        names = os.listdir(f"{root}/{OWN}/history")
    except OSError:
        return []
    return sorted(int(name) for name in names if is_number(name) and _is_done(root, name))


def _is_done(root: str, name: str) -> bool:
    """Whether the journal was renamed into this folder of history; if not, a crash left the folder."""
    return os.path.lexists(f"{root}/{OWN}/history/{name}/moves")


def _dump_info(info: dict[str, Any]) -> bytes:
    found: list[tuple[str, ...]] = [
        ("time", repr(info["time"])),
        ("command", info["command"]),
        ("undoes", str(info.get("undoes", 0))),
    ]
    for kind in ("added", "removed"):
        found += [(kind, name, version) for name, version in info[kind]]
    return rows.dump(_INFO, found)


def read_info(root: str, number: int) -> dict[str, Any]:
    """What history says of a change: ``time`` (unix seconds), ``command``, ``undoes`` (a number, 0 for none), ``added``
    and ``removed`` (lists of name and version).  What it does not say is left out; nothing in it is acted upon but
    ``undoes``."""
    info: dict[str, Any] = {"added": [], "removed": []}
    try:
        for kind, *fields in rows.read(f"{root}/{OWN}/history/{number}/info", _INFO):
            if kind == "time":
                info["time"] = float(fields[0])
            elif kind == "command":
                info["command"] = fields[0]
            elif kind == "undoes" and is_number(fields[0]):
                info["undoes"] = int(fields[0])
            elif kind in ("added", "removed"):
                name, version = fields
                info[kind].append((name, version))
    except (OSError, ValueError, IndexError):
        return {}
    return info


def recover(root: str, on_wait: Callable[[str], None] | None = None) -> bool:
    """Take back what a killed transaction did; True if there was one.  May itself be killed and run again.

    Waits for an accord that is changing the environment at this moment: its journal is no crash's.
    """
    if not any(os.path.lexists(f"{root}/{OWN}/{name}") for name in ("journal", "txn")) and not _unfinished(
        root
    ):
        return False
    try:
        with FileLock(f"{root}/{OWN}/lock", f"the environment {root}", on_wait=on_wait):
            return recover_locked(root)
    except OSError as error:
        raise files.refused(error, f"taking back what a crash left in {root}") from error


def recover_locked(root: str) -> bool:
    """The same for a caller that holds the environment's lock."""
    journal = f"{root}/{_JOURNAL}"
    found = read_moves(root, journal)
    if found is None:
        # Killed before the first move, or after the last: nothing but leftovers.
        files.remove_tree(f"{root}/{OWN}/txn")
        for name in _unfinished(root):
            files.remove_tree(f"{root}/{OWN}/history/{name}")
        return False
    number, moves = found
    for source, target in reversed(moves):
        if os.path.lexists(f"{root}/{target}") and not os.path.lexists(f"{root}/{source}"):
            step("recover-move")
            os.makedirs(os.path.dirname(f"{root}/{source}"), exist_ok=True)
            os.rename(f"{root}/{target}", f"{root}/{source}")
    step("recover-clean")
    files.remove_tree(f"{root}/{OWN}/history/{number}")
    os.unlink(journal)
    files.remove_tree(f"{root}/{OWN}/txn")
    return True


def _unfinished(root: str) -> list[str]:
    """Folders of history that no journal was renamed into."""
    try:
        names = os.listdir(f"{root}/{OWN}/history")
    except OSError:
        return []
    return [name for name in names if not _is_done(root, name)]
