"""What would have to change for an environment to hold what is wanted.  Computes; changes nothing."""

from __future__ import annotations

import os

from accord.environments import state
from accord.environments.installed import Installed, read_site
from accord.environments.layout import Layout, layout_of
from accord_core.errors import InstallError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from accord.store.compiled import CompiledFiles
    from accord.store.entry import Entry

__all__ = ["Plan", "Wanted", "plan"]


class Wanted:
    """One distribution to have.

    ``name`` normalised, ``version``; ``sha256`` of its wheel where that is known; ``entry`` its place in the store,
    which may be filled in after planning and must be before applying.  ``requested`` by the user (REQUESTED);
    ``direct_url`` the PEP 610 record of what came from no index, ``None`` for what did.  ``compiled`` is where files
    compiled for the environment's interpreter may be found; ``None`` where there are none.
    """

    __slots__ = ("compiled", "direct_url", "entry", "name", "requested", "sha256", "version")

    def __init__(
        self,
        name: str,
        version: str,
        *,
        sha256: str | None = None,
        entry: Entry | None = None,
        requested: bool = False,
        direct_url: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.sha256 = entry.sha256 if entry is not None else sha256
        self.entry = entry
        self.requested = requested
        self.direct_url = direct_url
        self.compiled: CompiledFiles | None = None

    def __repr__(self) -> str:
        return f"<Wanted {self.name} {self.version}>"


class Plan:
    """``add`` (new and replacing), ``remove`` (gone and replaced), ``keep``; ``replaced`` names are in both first.

    ``sealed``: the environment is a sealed one and becomes private, so that all of it is made anew.
    """

    __slots__ = ("_again", "_stamp", "add", "keep", "layout", "remove", "replaced", "sealed")

    def __init__(
        self,
        layout: Layout,
        add: tuple[Wanted, ...],
        remove: tuple[Installed, ...],
        keep: tuple[Installed, ...],
        *,
        sealed: bool = False,
        stamp: tuple[tuple[int, int], ...] = (),
        again: Callable[[], Plan] | None = None,
    ) -> None:
        self.sealed = sealed
        self._stamp = stamp
        self._again = again
        self.layout = layout
        self.add = add
        self.remove = remove
        self.keep = keep
        self.replaced = frozenset(one.name for one in add) & frozenset(one.name for one in remove)

    def current(self, *, healed: bool) -> Plan:
        """This plan if the environment is still the one it was made for, else one made now (the lock is held).

        ``healed``: a crash was just taken back.  ``InstallError`` ``environment-changed`` where the new plan needs
        wheels that were not fetched.
        """
        if self._again is None or (not healed and self._stamp == _stamp(self.layout)):
            return self
        found = self._again()
        if any(one.entry is None for one in found.add):
            raise InstallError(
                "environment-changed",
                f"something else changed {self.layout.shown} in the meantime",
                hint="run again",
            )
        return found

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.sealed and not self.add and not self.remove


def plan(
    directory: str,
    wanted: Sequence[Wanted],
    *,
    exact: bool = True,
    remove: Iterable[str] = (),
    reinstall: Iterable[str] = (),
) -> Plan:
    """How the environment in ``directory`` comes to hold ``wanted``.

    ``exact``: nothing else stays.  ``remove``: names (normalised) that go in any case; ``reinstall``: names that are
    replaced even if they are there.  ``InstallError`` ``environment-sealed`` where something is to be added to a sealed
    environment.  What another tool installed is kept if the version is the one wanted.
    """
    return plan_layout(layout_of(directory), wanted, exact=exact, remove=remove, reinstall=reinstall)


def plan_layout(
    layout: Layout,
    wanted: Sequence[Wanted],
    *,
    exact: bool = True,
    remove: Iterable[str] = (),
    reinstall: Iterable[str] = (),
) -> Plan:
    """The same for a known layout."""
    stamp = _stamp(layout)

    def again() -> Plan:
        return plan_layout(layout, wanted, exact=exact, remove=remove, reinstall=reinstall)

    remove, reinstall = tuple(remove), tuple(reinstall)
    if layout.link():
        if not exact:
            raise InstallError(
                "environment-sealed",
                f"{layout.shown} is sealed: it is what its lock says, and nothing is added to it",
                hint="change the lock and run accord sync --sealed, or make a private environment: accord sync",
            )
        return Plan(
            layout, tuple(sorted(wanted, key=lambda one: one.name)), read_site(layout), (), sealed=True
        )
    there: dict[str, list[Installed]] = {}
    for one in read_site(layout):
        there.setdefault(one.name, []).append(one)
    record = state.read(layout.root)
    known: state.Known = record["dists"] if record else {}
    anew = set(reinstall)
    leaving = set(remove)
    new, gone, keep = [], [], []
    for want in sorted(wanted, key=lambda one: one.name):
        found = there.pop(want.name, [])
        if len(found) == 1 and want.name not in anew and _is(found[0], want, known):
            keep.append(found[0])
        else:
            new.append(want)
            gone.extend(found)
    for name, found in there.items():
        (gone if exact or name in leaving else keep).extend(found)
    return Plan(layout, tuple(new), tuple(gone), tuple(keep), stamp=stamp, again=again)


def _stamp(layout: Layout) -> tuple[tuple[int, int], ...]:
    """What changes when a distribution comes or goes."""
    found = []
    for library in layout.libraries:
        try:
            status = os.lstat(f"{layout.root}/{library}")
        except OSError:
            return ()
        found.append((status.st_mtime_ns, status.st_ino))
    return tuple(found)


def _is(found: Installed, want: Wanted, known: state.Known) -> bool:
    ours = known.get(found.name)
    if ours is not None and want.sha256 is not None and found.path.endswith(f"/{ours[2]}"):
        try:
            status = os.stat(f"{found.root}/{found.path}/RECORD")
        except OSError:
            return False
        if (status.st_mtime_ns, status.st_size) == ours[3:]:
            return ours[1] == want.sha256
    if found.kind != "dist-info" or not _same_version(found.version, want.version):
        return False
    # Installed by another tool: the version stands for the file, unless one of the two came from no index.
    return want.direct_url is None and found.read("direct_url.json") is None


def _same_version(one: str, other: str) -> bool:
    if one == other:
        return True
    from accord_core.archive.wheel import same_version

    return same_version(one, other)
