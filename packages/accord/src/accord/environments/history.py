"""What was done to an environment, and undoing it.

Each transaction leaves its moves in ``.accord/history/N``; undoing is a transaction whose moves are those of N,
reversed: it costs a rename for each rename, fetches nothing, and can itself be undone.
"""

from __future__ import annotations

import os

from accord.environments import state
from accord.environments.journal import read_moves
from accord.environments.layout import OWN, layout_of
from accord.environments.moves import is_compiled
from accord.environments.transaction import Transaction, entries, read_info
from accord.io import files
from accord_core.errors import InstallError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Change", "history", "undo"]


class Change:
    """One transaction: ``number``, ``time`` (unix seconds), ``command``, ``added`` and ``removed`` as ``(name,
    version)``, ``undoes`` (the number it undid, 0 for none), ``undone`` (whether it was)."""

    __slots__ = ("added", "command", "number", "removed", "time", "undoes", "undone")

    def __init__(self, number: int, info: dict[str, Any], undone: bool) -> None:
        self.number = number
        self.time: float = info.get("time", 0.0)
        self.command: str = info.get("command", "")
        self.added: tuple[tuple[str, str], ...] = tuple(info.get("added", ()))
        self.removed: tuple[tuple[str, str], ...] = tuple(info.get("removed", ()))
        self.undoes: int = info.get("undoes", 0)
        self.undone = undone

    def __repr__(self) -> str:
        return f"<Change {self.number} +{len(self.added)} -{len(self.removed)}>"


def history(directory: str) -> tuple[Change, ...]:
    """What can be looked back on, oldest first."""
    root = layout_of(directory).root
    infos = {number: read_info(root, number) for number in entries(root)}
    undone = {info.get("undoes", 0) for info in infos.values()}
    return tuple(Change(number, info, number in undone) for number, info in infos.items())


def undo(directory: str, *, command: str = "undo", redo: bool = False) -> Change:
    """Take back the last change that was not yet taken back; with ``redo`` take back the last undo.

    Returns the change that was undone.  ``InstallError`` ``nothing-to-undo``; ``undo-conflict`` where something else
    changed what would have to move; ``locked``; ``journal-damaged`` and ``journal-foreign`` for a history that is not
    Accord's.
    """
    layout = layout_of(directory)
    try:
        with layout.lock():
            change = Transaction(layout.root)
            try:
                chosen = _choose(directory, redo)
                _reverse(change, chosen)
                number = change.commit(
                    {
                        "command": command,
                        "added": chosen.removed,
                        "removed": chosen.added,
                        "undoes": chosen.number,
                        "redone": redo,
                    }
                )
            except BaseException:
                if not os.path.lexists(layout.own("journal")):
                    change.abandon()
                raise
            _restore_state(layout.root, chosen.number, number)
    except OSError as error:
        raise files.refused(error, f"changing the environment {layout.root}") from error
    return chosen


def _choose(directory: str, redo: bool) -> Change:
    changes = history(directory)
    if redo:
        # Only an undo that nothing followed can be taken back.
        candidates = changes[-1:] if changes and changes[-1].undoes else ()
    else:
        candidates = tuple(one for one in changes if not one.undone and not _is_undo(one, changes))
    if not candidates:
        raise InstallError(
            "nothing-to-undo",
            f"there is nothing to {'redo' if redo else 'undo'} in {directory}",
            hint="accord history shows what was done",
        )
    return candidates[-1]


def _is_undo(one: Change, changes: tuple[Change, ...]) -> bool:
    """An undo, and not the redo of one: that stands for the change itself."""
    by_number = {other.number: other for other in changes}
    depth = 0
    while one.undoes:
        depth += 1
        following = by_number.get(one.undoes)
        if following is None:
            break
        one = following
    return depth % 2 == 1


def _reverse(change: Transaction, chosen: Change) -> None:
    root = change.root
    found = read_moves(root, f"{root}/{OWN}/history/{chosen.number}/moves")
    if found is None:
        raise _conflict(chosen, "its record is gone")
    back = []
    leaving: set[str] = set()
    for source, target in reversed(found[1]):
        if not os.path.lexists(f"{root}/{target}"):
            if _made_again(target):
                continue
            raise _conflict(chosen, f"{target} is gone")
        if source.startswith(f"{OWN}/"):
            leaving.update((target, *_compiled(root, target)))
        elif not is_compiled(source) or os.path.isdir(f"{root}/{os.path.dirname(source)}"):
            back.append((target, source))
    # Whatever is in the way of compiled files was compiled since.
    leaving.update(path for _, path in back if _made_again(path) and os.path.lexists(f"{root}/{path}"))
    for path in sorted(leaving):
        if os.path.dirname(path) not in leaving:  # with its folder, where that goes whole
            change.move_out(path)
    for old, path in back:
        if os.path.lexists(f"{root}/{path}") and path not in leaving:
            raise _conflict(chosen, f"{path} is in the way")
        change.restore(old, path)


def _made_again(path: str) -> bool:
    """Whether a path holds nothing but compiled files, which people remove and Python makes again."""
    return "__pycache__" in path.split("/")


def _compiled(root: str, path: str) -> list[str]:
    """Compiled files of a single module: they name its source by time and size only, and the old one may share both."""
    folder, _, name = path.rpartition("/")
    if not name.endswith(".py"):
        return []
    cache = f"{folder}/__pycache__"
    try:
        names = os.listdir(f"{root}/{cache}")
    except OSError:
        return []
    return [f"{cache}/{one}" for one in names if one.partition(".")[0] == name[:-3]]


def _conflict(chosen: Change, why: str) -> InstallError:
    return InstallError(
        "undo-conflict",
        f"change {chosen.number} cannot be undone: {why}",
        context=("the environment was changed by something else since",),
        hint="accord sync brings it to the lock",
    )


def _restore_state(root: str, undone: int, number: int) -> None:
    """The state from before the change stands again, with the stamps of now; the present one goes beside the undo."""
    layout = layout_of(root)
    present = state.read(root)
    if present is not None:
        files.write_atomic(f"{root}/{OWN}/history/{number}/state", state.dump(present), sync=False)
    before = state.read_file(f"{root}/{OWN}/history/{undone}/state")
    if before is not None:
        state.write(layout, before["key"], before["dists"], kind=before["kind"], closure=before["closure"])
    else:
        state.write(layout, "", {})
