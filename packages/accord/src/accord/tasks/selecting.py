"""From what a person selects to the extras and dependency groups of a lock (PEP 751 "packages.marker").

A lock's ``default-groups`` are what an installer takes unasked (PEP 751): what the project itself needs.  The groups a
project names as its defaults (``dev``) are another thing: Accord adds them in the project, no other installer does.
Hot.
"""

from __future__ import annotations

from accord_core.errors import UsageError

__all__ = ["choose"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from accord.tasks.settings import Selection
    from accord_core.lock.model import Lock


def choose(
    lock: Lock, selection: Selection, *, project_groups: Iterable[str] = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The extras and the groups to select in ``lock``; ``project_groups`` are the project's own default groups.

    ``UsageError`` ``unknown-extra``, ``unknown-group`` for a name the lock does not have.
    """
    extras = lock.extras if selection.all_extras else selection.extras
    _known("extra", selection.extras, lock.extras)
    _known("group", (*selection.groups, *selection.only_groups), lock.dependency_groups)
    if selection.only_groups:
        # The project's own dependencies hang on the synthetic default groups, which are left out here.
        return (), _without(selection.only_groups, selection.no_groups)
    groups = list(lock.default_groups)
    if selection.default_groups:
        groups += [group for group in project_groups if group in lock.dependency_groups]
    groups += lock.dependency_groups if selection.all_groups else selection.groups
    return tuple(dict.fromkeys(extras)), _without(groups, selection.no_groups)


def _without(groups: Iterable[str], left_out: Iterable[str]) -> tuple[str, ...]:
    refused = frozenset(left_out)
    return tuple(dict.fromkeys(group for group in groups if group not in refused))


def _known(kind: str, wanted: Iterable[str], known: tuple[str, ...]) -> None:
    for name in wanted:
        if name not in known:
            held = f"it has {', '.join(known)}" if known else f"it has no {kind}s"
            raise UsageError(f"unknown-{kind}", f"the lock has no {kind} {name}", hint=held)
