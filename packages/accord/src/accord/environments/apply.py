"""A plan carried out: the new prepared aside, the old moved out, the new moved in, and a way back.

The environment's lock is held from before the plan is checked until the state is written.
"""

from __future__ import annotations

import os

from accord.environments import state
from accord.environments.assemble import Assembly
from accord.environments.create import heal_config
from accord.environments.installed import Installed, files_of
from accord.environments.layout import OWN, Layout
from accord.environments.moves import Leaving, MoveIn, recorded_or_nothing
from accord.environments.transaction import Transaction, entries, recover_locked
from accord.io import files
from accord.io.urls import redact_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from accord.environments.plan import Plan
    from accord.io.reporting import Reporter

__all__ = ["apply", "apply_locked", "finish", "guarded", "keep_state"]


def apply(
    plan: Plan,
    *,
    key: str = "",
    link_mode: str = "auto",
    conflicts: str = "refuse",
    command: str = "",
    reporter: Reporter | None = None,
) -> int:
    """Carry the plan out; the number of the transaction, 0 if there was nothing to do.

    ``key`` is what :func:`accord.environments.state.unchanged` will be asked with.  ``conflicts``: ``refuse``, or
    ``last`` to let the last of two wheels (by name) provide a file both have.  ``command`` is what history shows.
    ``InstallError``: ``file-conflict``, ``file-in-the-way``, ``record-missing``, ``record-damaged``, ``locked``,
    ``disk-full``, ``not-writable``; the environment is then as it was.
    """
    on_wait: Callable[[str], None] | None = None if reporter is None else reporter.warn
    root = plan.layout.root
    try:
        with plan.layout.lock(on_wait):
            return apply_locked(plan, key, link_mode, conflicts, command, reporter)
    except OSError as error:
        raise files.refused(error, f"changing the environment {root}") from error


def apply_locked(
    plan: Plan,
    key: str = "",
    link_mode: str = "auto",
    conflicts: str = "refuse",
    command: str = "",
    reporter: Reporter | None = None,
) -> int:
    """The same for a caller that holds the lock or made the environment aside, where nobody else can see it."""
    layout = plan.layout
    plan = plan.current(healed=recover_locked(layout.root))
    heal_config(layout)
    before = state.read(layout.root)
    known: state.Known = dict(before["dists"]) if before else {}
    if plan.sealed:
        from accord.environments.switch import install_all

        known = install_all(layout, plan.add, link_mode, conflicts, command=command, reporter=reporter)
        finish(layout, key, known)
        return entries(layout.root)[-1]
    if plan.empty:
        state.write(layout, key, {one.name: known[one.name] for one in plan.keep if one.name in known})
        return 0
    change = Transaction(layout.root)
    with guarded(change):
        leaving = _move_out(change, plan)
        assembly = Assembly(
            layout, change.aside(), link_mode=link_mode, conflicts=conflicts, reporter=reporter
        )
        assembly.run(plan.add)
        MoveIn(change, plan.keep, plan.add, layout, leaving).folder("")
        keep_state(change, layout)
        number = change.commit(_info(plan, command))
    kept = {one.name: known[one.name] for one in plan.keep if one.name in known}
    finish(layout, key, {**kept, **assembly.known})
    return number


class guarded:  # noqa: N801
    """``with guarded(change):`` throws away what was prepared if anything fails before the first move; after that the
    journal tells the way.  (A class: ``contextlib`` is a fifth of the start-up of an install of one package.)"""

    def __init__(self, change: Transaction) -> None:
        self._change = change

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is not None and not os.path.lexists(f"{self._change.root}/{OWN}/journal"):
            self._change.abandon()


def finish(layout: Layout, key: str, known: state.Known, *, kind: str = "private", closure: str = "") -> None:
    """Write the state of what now stands."""
    if not closure:
        for library in layout.libraries:
            compiled = f"{layout.root}/{library}/__pycache__"
            try:
                if known:
                    # Made now, so that the first import of a top-level module does not change the time of the folder.
                    os.makedirs(compiled, exist_ok=True)
                else:
                    os.rmdir(compiled)  # nothing is left that it could be of
            except OSError:
                pass  # an environment that cannot be written is checked the slow way
    state.write(layout, key, known, kind=kind, closure=closure)


def keep_state(change: Transaction, layout: Layout) -> None:
    """A copy of the present state goes into history: undo brings it back with the files."""
    try:
        with open(layout.own("state"), "rb") as file:
            data = file.read()
    except OSError:
        return
    folder = layout.own(f"history/{change.number}")
    os.makedirs(folder, exist_ok=True)
    files.write_new(f"{folder}/state", data)


def _info(plan: Plan, command: str) -> dict[str, object]:
    return {
        "command": redact_all(command),
        "added": [(one.name, one.version) for one in plan.add],
        "removed": [(one.name, one.version) for one in plan.remove],
    }


def _move_out(change: Transaction, plan: Plan) -> set[str]:
    """Move out what the plan removes; the paths moved.  What a kept distribution records too stays."""
    if not plan.remove:
        return set()
    layout = plan.layout
    leaving: set[str] = set()
    for one in plan.remove:
        leaving |= files_of(one)
    for one in plan.keep:
        leaving.difference_update(recorded_or_nothing(one))
    for one in plan.remove:
        if one.kind == "egg-link":
            _drop_from_easy_install(change, layout, one, leaving)
    moved = set(Leaving(layout, leaving).paths())
    for path in sorted(moved):
        change.move_out(path)
    return moved


def _drop_from_easy_install(change: Transaction, layout: Layout, one: Installed, leaving: set[str]) -> None:
    """``setup.py develop`` wrote the project's folder into easy-install.pth; take that line out."""
    path = f"{layout.site}/easy-install.pth"
    try:
        with open(f"{layout.root}/{path}", encoding="utf-8") as file:
            lines = file.read().splitlines()
        with open(f"{layout.root}/{one.path}", encoding="utf-8") as file:
            project = file.readline().strip()
    except OSError:
        return
    rest = [line for line in lines if line.strip() != project]
    if len(rest) == len(lines):
        return
    leaving.add(path)
    if rest:
        place = f"{change.aside()}/{path}"
        os.makedirs(os.path.dirname(place), exist_ok=True)
        files.write_atomic(place, ("\n".join(rest) + "\n").encode(), sync=False)
