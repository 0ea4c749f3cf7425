"""The journal of a transaction, and whether to believe one (hot).

Carrying a journal out renames whatever it names, so it is read as a stranger's file: an installer lays a wheel's data
over the whole environment, and one that is not Accord lets a wheel bring a journal of its own.  What is believed:

* its moves are of the three shapes that :class:`~accord.environments.transaction.Transaction` makes, between a path of
  the environment and the *same* path below Accord's own folder.  So none leads out of the environment or renames
  anything into something else;
* none of the folders on the way is a link;
* no distribution records it: what an installer placed is the distribution's, not ours.
"""

from __future__ import annotations

import os

from accord.environments import rows
from accord.environments.layout import OWN, layout_of
from accord_core.errors import InstallError

__all__ = ["dump_moves", "read_moves", "refuse_foreign"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Move = tuple[str, str]

_KIND = "accord-journal 2"
_DIGITS = 15  # of a transaction's number


def dump_moves(number: int, moves: Sequence[Move]) -> bytes:
    """The contents of a journal."""
    return rows.dump(_KIND, [(str(number),), *moves])


def is_number(name: str) -> bool:
    """Whether a folder of history is named as a transaction's is."""
    return name.isascii() and name.isdigit() and len(name) <= _DIGITS and name[0] != "0"


def read_moves(root: str, path: str) -> tuple[int, list[Move]] | None:
    """The number and moves in the journal at ``path`` of the environment at ``root``; ``None`` where there is none.

    ``InstallError`` ``journal-damaged`` for one that is no journal, or none of ours.
    """
    try:
        first, *found = rows.read(path, _KIND)
        number, moves = _checked(first, found)
        _refuse_links(root, moves)
    except FileNotFoundError:
        return None
    except (ValueError, IsADirectoryError) as error:
        raise _damaged(path, str(error)) from error
    refuse_foreign(root)
    return number, moves


def _checked(first: list[str], found: list[list[str]]) -> tuple[int, list[Move]]:
    if len(first) != 1 or not is_number(first[0]):
        raise ValueError("it has no number")
    moves = []
    for row in found:
        if len(row) != 2 or not _is_move(first[0], row[0], row[1]):
            raise ValueError("a move in it is none that Accord makes")
        moves.append((row[0], row[1]))
    return int(first[0]), moves


def _is_move(number: str, source: str, target: str) -> bool:
    """In from aside, out into this transaction's history, or back out of an older one's."""
    if target == f"{OWN}/history/{number}/old/{source}":
        return _is_plain(source)
    if not source.startswith(f"{OWN}/") or not source.endswith(f"/{target}") or not _is_plain(target):
        return False
    folder = source[len(OWN) + 1 : -len(target) - 1].split("/")
    if folder[0] == "txn":
        return len(folder) == 2 and folder[1].isalnum()
    return len(folder) == 3 and folder[0] == "history" and is_number(folder[1]) and folder[2] == "old"


def _is_plain(path: str) -> bool:
    parts = path.split("/")
    return "\0" not in path and not any(part in ("", ".", "..") for part in parts) and parts[0].lower() != OWN


def _refuse_links(root: str, moves: list[Move]) -> None:
    seen = {""}
    for move in moves:
        for path in move:
            folder = path.rpartition("/")[0]
            while folder not in seen:
                seen.add(folder)
                if os.path.islink(f"{root}/{folder}"):
                    raise ValueError("a move in it leads through a link")
                folder = folder.rpartition("/")[0]


def refuse_foreign(root: str) -> None:
    """``InstallError`` ``journal-foreign`` where a distribution has files in Accord's own folder: another tool placed
    them, and any journal may be one."""
    # Read only where there is a journal, or something to undo.
    from accord.environments.installed import read_site, recorded

    try:
        layout = layout_of(root)
    except InstallError:
        return  # a crash left no site-packages to look at
    for one in read_site(layout):
        try:
            paths = recorded(one)
        except InstallError:
            continue  # it records nothing that can be read
        if any(map(is_own, paths)):
            raise _foreign(one.name, one.version)


def is_own(path: str) -> bool:
    """Whether a path of the environment is Accord's own folder or in it."""
    return path[:1] == "." and path.partition("/")[0].lower() == OWN


def _foreign(name: str, version: str) -> InstallError:
    return InstallError(
        "journal-foreign",
        f"{name} {version} put files into {OWN}, where Accord keeps what it did to the environment",
        context=("no honest package does that, and Accord refuses such a wheel: another tool installed it",),
        hint="nothing was changed; make the environment anew: accord venv --clear",
    )


def _damaged(path: str, why: str) -> InstallError:
    return InstallError(
        "journal-damaged",
        f"{path} cannot be read, and it tells what a crash left half done",
        context=(why,),
        hint="make the environment anew: accord venv --clear",
    )
