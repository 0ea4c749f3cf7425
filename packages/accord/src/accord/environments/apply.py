"""A plan carried out: the new prepared aside, the old moved out, the new moved in, and a way back.

The environment's lock is held from before the plan is checked until the state is written.
"""

from __future__ import annotations

import os
import stat

from accord.environments import state
from accord.environments.assemble import Assembly
from accord.environments.installed import Installed, files_of, recorded
from accord.environments.layout import OWN, Layout
from accord.environments.transaction import Transaction
from accord.io import files
from accord_core.errors import InstallError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from accord.environments.plan import Plan
    from accord.io.reporting import Reporter

__all__ = ["apply", "apply_locked"]


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
    before = state.read(layout.root)
    known: state.Known = dict(before["dists"]) if before else {}
    if plan.empty:
        state.write(layout, key, {one.name: known[one.name] for one in plan.keep if one.name in known})
        return 0
    change = Transaction(layout.root)
    try:
        leaving = _move_out(change, plan)
        assembly = Assembly(
            layout, change.aside(), link_mode=link_mode, conflicts=conflicts, reporter=reporter
        )
        assembly.run(plan.add)
        _MoveIn(change, plan, leaving).folder("")
        _keep_state(change, layout)
        number = change.commit(_info(plan, command))
    except BaseException:
        if not os.path.lexists(layout.own("journal")):
            change.abandon()
        raise
    kept = {one.name: known[one.name] for one in plan.keep if one.name in known}
    finish(layout, key, {**kept, **assembly.known})
    return number


def finish(layout: Layout, key: str, known: state.Known, *, kind: str = "private", closure: str = "") -> None:
    """Write the state of what now stands."""
    try:
        # Made now, so that the first import of a top-level module does not change the time of site-packages.
        os.makedirs(f"{layout.root}/{layout.site}/__pycache__", exist_ok=True)
    except OSError:
        pass  # an environment that cannot be written is checked the slow way
    state.write(layout, key, known, kind=kind, closure=closure)


def _keep_state(change: Transaction, layout: Layout) -> None:
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
        "command": command,
        "added": [(one.name, one.version) for one in plan.add],
        "removed": [(one.name, one.version) for one in plan.remove],
    }


# -- out -----------------------------------------------------------------------------------------------------


def _move_out(change: Transaction, plan: Plan) -> set[str]:
    """Move out what the plan removes; the paths moved.  What a kept distribution records too stays."""
    if not plan.remove:
        return set()
    layout = plan.layout
    leaving: set[str] = set()
    for one in plan.remove:
        leaving |= files_of(one, layout.site)
    for one in plan.keep:
        leaving.difference_update(_recorded_or_nothing(one, layout.site))
    for one in plan.remove:
        if one.kind == "egg-link":
            _drop_from_easy_install(change, layout, one, leaving)
    moved = set(Leaving(layout, leaving).paths())
    for path in sorted(moved):
        change.move_out(path)
    return moved


def _recorded_or_nothing(one: Installed, site: str) -> list[str]:
    try:
        return recorded(one, site)
    except InstallError:
        return []  # it stays, whatever it consists of


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


class Leaving:
    """Which renames take a set of files out: a folder goes in one piece if nothing but they is in it."""

    def __init__(self, layout: Layout, paths: set[str]) -> None:
        self._root = layout.root
        self._paths = paths
        self._folders = {""}
        for path in paths:
            folder = path.rpartition("/")[0]
            while folder not in self._folders:
                self._folders.add(folder)
                folder = folder.rpartition("/")[0]
        self._stay = {"", OWN, layout.scripts, "include"}
        folder = layout.site
        while folder:
            self._stay.add(folder)
            folder = folder.rpartition("/")[0]

    def paths(self) -> list[str]:
        return self._look("")[1]

    def _look(self, folder: str) -> tuple[bool, list[str]]:
        """Whether all of ``folder`` goes, and what of it."""
        whole = folder not in self._stay
        going: list[str] = []
        try:
            with os.scandir(f"{self._root}/{folder}") as found:
                children = [(child.name, child.is_dir(follow_symlinks=False)) for child in found]
        except FileNotFoundError:
            return False, []
        for name, is_folder in children:
            path = f"{folder}/{name}" if folder else name
            if not is_folder:
                gone, inside = path in self._paths, [path]
            elif name == "__pycache__":
                gone, inside = self._compiled(folder, path)
            elif path in self._folders:
                gone, inside = self._look(path)
            else:
                gone, inside = False, []
            if gone:
                going.append(path)
            else:
                whole = False
                if is_folder:
                    going.extend(inside)
        return whole, going

    def _compiled(self, folder: str, cache: str) -> tuple[bool, list[str]]:
        """The compiled files whose sources go; Python names them ``<module>.<tag>.pyc`` (PEP 3147)."""
        names = os.listdir(f"{self._root}/{cache}")
        prefix = f"{folder}/" if folder else ""
        going = [
            f"{cache}/{name}"
            for name in names
            if f"{cache}/{name}" in self._paths or f"{prefix}{name.partition('.')[0]}.py" in self._paths
        ]
        # An empty one goes with its folder; site-packages' own stays.
        return len(going) == len(names) and folder not in self._stay, going


# -- in ------------------------------------------------------------------------------------------------------


class _MoveIn:
    """Which renames bring the prepared in: a folder goes in one piece where there is none of its name."""

    def __init__(self, change: Transaction, plan: Plan, leaving: Iterable[str]) -> None:
        self._change = change
        self._plan = plan
        self._root = plan.layout.root
        self._aside = change.aside()
        self._leaving = set(leaving)

    def folder(self, folder: str) -> None:
        with os.scandir(f"{self._aside}/{folder}") as found:
            children = sorted((child.name, child.is_dir(follow_symlinks=False)) for child in found)
        for name, is_folder in children:
            path = f"{folder}/{name}" if folder else name
            try:
                there = None if path in self._leaving else os.lstat(f"{self._root}/{path}")
            except FileNotFoundError:
                there = None
            if there is None:
                self._change.move_in(path)
            elif is_folder and stat.S_ISDIR(there.st_mode):
                self.folder(path)
            elif is_folder or not _same(f"{self._aside}/{path}", f"{self._root}/{path}"):
                raise self._in_the_way(path)

    def _in_the_way(self, path: str) -> InstallError:
        site = self._plan.layout.site
        owner = next((one for one in self._plan.keep if path in _recorded_or_nothing(one, site)), None)
        ours = next(
            (one for one in self._plan.add if one.entry and self._provides(one.entry.files, path)), None
        )
        new = f"{ours.name} {ours.version}" if ours else "a script of what is installed"
        if owner is not None:
            return InstallError(
                "file-conflict",
                f"{new} and {owner.name} {owner.version}, which is installed, both provide {path}, and differ",
                hint="uninstall one of them first",
            )
        return InstallError(
            "file-in-the-way",
            f"{path} is in the way of {new} and belongs to no distribution",
            hint="move it away and run again; Accord replaces nothing it did not install",
        )

    def _provides(self, names: tuple[str, ...], path: str) -> bool:
        site = self._plan.layout.site
        return path.startswith(site + "/") and any(
            name == path[len(site) + 1 :] or name.startswith(path[len(site) + 1 :] + "/") for name in names
        )


def _same(one: str, other: str) -> bool:
    """Whether two files hold the same bytes."""
    first, second = os.lstat(one), os.lstat(other)
    if first.st_ino == second.st_ino and first.st_dev == second.st_dev:
        return True
    if first.st_size != second.st_size or not stat.S_ISREG(first.st_mode) or not stat.S_ISREG(second.st_mode):
        return False
    with open(one, "rb") as left, open(other, "rb") as right:
        while True:
            piece = left.read(1 << 20)
            if piece != right.read(1 << 20):
                return False
            if not piece:
                return True
