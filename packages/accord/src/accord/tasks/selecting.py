"""From what a person selects to the extras, groups and packages of a lock (PEP 751 "packages.marker").

A group's packages stand in a lock beside the project's own, so "only this group" has no words in the standard; Accord
writes them down in ``[tool.accord]``, and a lock without that table cannot answer.  Hot.
"""

from __future__ import annotations

from accord_core.errors import DocumentError, UsageError

__all__ = ["Parts", "choose"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from accord.tasks.settings import Selection
    from accord_core.lock.model import Lock


class Parts:
    """``extras`` and ``groups`` to select by; ``names``, if not ``None``, are the only packages wanted."""

    __slots__ = ("extras", "groups", "names")

    def __init__(
        self, extras: tuple[str, ...], groups: tuple[str, ...], names: frozenset[str] | None
    ) -> None:
        self.extras = extras
        self.groups = groups
        self.names = names


def choose(lock: Lock, selection: Selection) -> Parts:
    """What of ``lock`` is selected.

    ``UsageError`` ``unknown-extra``, ``unknown-group`` for a name the lock does not have; ``DocumentError``
    ``lock-without-groups`` where it does not say what a group needs by itself.
    """
    _known("unknown-extra", selection.extras, lock.extras)
    _known("unknown-group", (*selection.groups, *selection.only_groups), lock.dependency_groups)
    if selection.only_groups:
        groups = _without(selection.only_groups, selection.no_groups)
        return Parts((), groups, _alone(lock, groups))
    groups = lock.dependency_groups if selection.all_groups else selection.groups
    extras = lock.extras if selection.all_extras else selection.extras
    groups = _without((*lock.default_groups, *groups), selection.no_groups)
    return Parts(tuple(dict.fromkeys(extras)), groups, None)


def _alone(lock: Lock, groups: tuple[str, ...]) -> frozenset[str]:
    tool = (lock.tool or {}).get("accord")
    known = tool.get("only-groups") if isinstance(tool, dict) else None
    if not isinstance(known, dict) or any(group not in known for group in groups):
        raise DocumentError(
            "lock-without-groups",
            "the lock does not say what a group needs by itself",
            hint="run accord lock; the table [tool.accord] of the lock was lost",
        )
    return frozenset(name for group in groups for name in known[group])


def _without(groups: Iterable[str], left_out: Iterable[str]) -> tuple[str, ...]:
    refused = frozenset(left_out)
    return tuple(dict.fromkeys(group for group in groups if group not in refused))


def _known(code: str, wanted: Iterable[str], known: tuple[str, ...]) -> None:
    for name in wanted:
        if name not in known:
            kind = code.removeprefix("unknown-")
            held = f"it has {', '.join(known)}" if known else f"it has no {kind}s"
            raise UsageError(code, f"the lock has no {kind} {name}", hint=held)
