"""How a change of the project is shown: what was written, what was locked, what became of the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accord.cli.render import lock_record, short_path, show_lock, show_sync, sync_record

if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.tasks.project_edit import EditOutcome

__all__ = ["show_edit"]


def show_edit(outcome: EditOutcome, context: Context) -> None:
    """The record, or one line for each requirement and the usual words about lock and environment."""
    if context.json:
        context.emit(
            {
                "project": outcome.path,
                "added": list(outcome.added),
                "removed": list(outcome.removed),
                "lock": None if outcome.lock is None else lock_record(outcome.lock),
                "sync": None if outcome.sync is None else sync_record(outcome.sync),
            }
        )
        return
    for sign, color, lines in (("+", "green", outcome.added), ("-", "red", outcome.removed)):
        for line in lines:
            context.say(f"{short_path(outcome.path)}: {context.paint_error(sign, color)} {line}")
    if outcome.lock is not None:
        show_lock(outcome.lock, context)
    if outcome.sync is not None:
        show_sync(outcome.sync, context)
