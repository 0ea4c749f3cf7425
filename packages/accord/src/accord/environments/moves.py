"""From sets of files to renames: what leaves an environment, what comes in, and what stands in the way.

A folder moves in one piece where that moves nothing else: leaving, if everything in it leaves; coming, if there is
none of its name.  Looks at folders, changes nothing.
"""

from __future__ import annotations

import os
import stat

from accord.environments.installed import Installed, recorded
from accord.environments.journal import is_own, refuse_foreign
from accord.environments.layout import OWN, Layout
from accord_core.errors import InstallError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from accord.environments.plan import Wanted
    from accord.environments.transaction import Transaction

__all__ = ["Leaving", "MoveIn", "is_compiled", "recorded_or_nothing"]


def recorded_or_nothing(one: Installed) -> list[str]:
    """What a distribution that stays records; nothing where that cannot be told."""
    try:
        return recorded(one)
    except InstallError:
        return []


def is_compiled(path: str) -> bool:
    """Whether a path is that of a file Python compiled, which it compiles again where it is missing (PEP 3147)."""
    return path.endswith(".pyc") and path.rpartition("/")[0].endswith("__pycache__")


class Leaving:
    """Which renames take a set of files out: a folder goes in one piece if nothing but they is in it."""

    def __init__(self, layout: Layout, paths: set[str]) -> None:
        """``InstallError`` ``journal-foreign`` where any of them is in Accord's own folder."""
        if any(map(is_own, paths)):
            refuse_foreign(layout.root)
        self._root = layout.root
        self._paths = paths
        self._folders = {""}
        for path in paths:
            folder = path.rpartition("/")[0]
            while folder not in self._folders:
                self._folders.add(folder)
                folder = folder.rpartition("/")[0]
        self._stay = {"", OWN, layout.scripts, "include"}
        for folder in layout.libraries:
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


class MoveIn:
    """Which renames bring the prepared in: a folder goes in one piece where there is none of its name.  A compiled file
    that somebody left behind stands in nobody's way."""

    def __init__(
        self,
        change: Transaction,
        keep: tuple[Installed, ...],
        add: tuple[Wanted, ...],
        layout: Layout,
        leaving: Iterable[str],
    ) -> None:
        self._change = change
        self._keep = keep
        self._add = add
        self._libraries = layout.libraries
        self._root = layout.root
        self._aside = change.aside()
        self._leaving = set(leaving)

    def folder(self, folder: str) -> None:
        with os.scandir(f"{self._aside}/{folder}") as found:
            children = sorted((child.name, child.is_dir(follow_symlinks=False)) for child in found)
        # Compiled files before their sources: a program running here must not compile one in between.
        children.sort(key=lambda child: child[0] != "__pycache__")
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
            elif is_compiled(path) and stat.S_ISREG(there.st_mode):
                self._change.move_out(path)
                self._change.move_in(path)
            elif is_folder or not _same(f"{self._aside}/{path}", f"{self._root}/{path}"):
                raise self._in_the_way(path)

    def _in_the_way(self, path: str) -> InstallError:
        owner = next((one for one in self._keep if path in recorded_or_nothing(one)), None)
        ours = next((one for one in self._add if one.entry and self._provides(one.entry.files, path)), None)
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
        inside = [path[len(library) + 1 :] for library in self._libraries if path.startswith(library + "/")]
        return any(name == each or name.startswith(each + "/") for each in inside for name in names)


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
