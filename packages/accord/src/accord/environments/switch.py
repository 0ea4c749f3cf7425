"""An existing environment made sealed, switched to another closure, or made private again: one transaction each.

Site-packages leaves as a whole, whatever it is, and so does every file outside it that belongs to what was installed;
the user's own files in ``bin``, ``share`` and ``etc`` stay.  Where a link to a closure comes or goes it is the folder
above site-packages that does (:attr:`Layout.library`): what somebody else keeps there is in the way.
"""

from __future__ import annotations

import os

from accord.environments import state
from accord.environments.apply import finish, guarded, keep_state
from accord.environments.assemble import Assembly
from accord.environments.create import create, fill
from accord.environments.installed import read_site
from accord.environments.layout import Layout, layout_of
from accord.environments.moves import Leaving, MoveIn, recorded_or_nothing
from accord.environments.transaction import Transaction
from accord.io.urls import redact_all
from accord_core.errors import InstallError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from accord.environments.closures import Closure
    from accord.environments.interpreters import Interpreter
    from accord.environments.plan import Wanted
    from accord.io.reporting import Reporter

__all__ = ["install_all", "switch", "unshared"]


def switch(
    root: str,
    interpreter: Interpreter,
    closure: Closure,
    key: str,
    link_mode: str,
    command: str,
    reporter: Reporter | None,
) -> None:
    """Bring the environment at ``root`` to ``closure``."""
    from accord.environments.seal import layer

    layout = _same_python(root, interpreter)

    def prepare(change: Transaction) -> None:
        base = change.aside()
        layer(layout, closure, base, link_mode)
        os.makedirs(os.path.dirname(f"{base}/{layout.library}"), exist_ok=True)
        os.symlink(closure.library_path, f"{base}/{layout.library}")

    names = tuple((name, row[0]) for name, row in closure.known.items())
    with layout.lock(None if reporter is None else reporter.warn):
        _replace_all(layout, layout.library, prepare, names, command)
        finish(layout, key, closure.known, kind="sealed", closure=closure.path)


def unshared(
    root: str,
    interpreter: Interpreter,
    wanted: Sequence[Wanted],
    key: str,
    link_mode: str,
    conflicts: str,
    command: str,
    reporter: Reporter | None,
) -> None:
    """A sealed environment with a tree of its own, where nothing would keep root out of a shared one."""
    create(root, interpreter)
    layout = _same_python(root, interpreter)
    with layout.lock(None if reporter is None else reporter.warn):
        known = install_all(layout, wanted, link_mode, conflicts, command=command, reporter=reporter)
        finish(layout, key, known, kind="sealed")


def install_all(
    layout: Layout,
    wanted: Sequence[Wanted],
    link_mode: str,
    conflicts: str,
    *,
    command: str,
    reporter: Reporter | None,
) -> state.Known:
    """Replace whatever the environment holds by ``wanted``, placed as a private environment has them.  The caller
    holds the lock."""
    known: state.Known = {}

    def prepare(change: Transaction) -> None:
        assembly = Assembly(
            layout, change.aside(), link_mode=link_mode, conflicts=conflicts, reporter=reporter
        )
        assembly.run(wanted)
        known.update(assembly.known)

    names = tuple((one.name, one.version) for one in wanted)
    _replace_all(layout, layout.link() or layout.site, prepare, names, command)
    return known


def _replace_all(
    layout: Layout,
    whole: str,
    prepare: Callable[[Transaction], None],
    names: tuple[tuple[str, str], ...],
    command: str,
) -> None:
    """One transaction: all that is installed goes, the path ``whole`` in one piece, and what ``prepare`` puts aside
    comes."""
    change = Transaction(layout.root)
    with guarded(change):
        there = read_site(layout)
        leaving: set[str] = set()
        for one in there:
            leaving.update(recorded_or_nothing(one))
        # What goes in one piece, be it a link or a folder, is not gone through.
        inside = whole + "/"
        outside = {path for path in leaving if not path.startswith(inside)}
        _refuse_strangers(layout, whole, leaving)
        moved = set(Leaving(layout, outside).paths())
        if os.path.lexists(f"{layout.root}/{whole}"):
            moved.add(whole)
        for path in sorted(moved):
            change.move_out(path)
        prepare(change)
        MoveIn(change, (), (), layout, moved).folder("")
        keep_state(change, layout)
        before, after = {(one.name, one.version) for one in there}, set(names)
        change.commit(
            {
                "command": redact_all(command),
                "added": sorted(after - before),
                "removed": sorted(before - after),
            }
        )


def _refuse_strangers(layout: Layout, whole: str, leaving: set[str]) -> None:
    """``InstallError`` ``file-in-the-way`` where the folder ``whole`` holds what is neither site-packages nor installed."""
    if whole == layout.site or os.path.islink(f"{layout.root}/{whole}"):
        return
    beside = {
        path for path in leaving if path.startswith(whole + "/") and not path.startswith(layout.site + "/")
    }
    going = set(Leaving(layout, beside).paths())
    for name in sorted(os.listdir(f"{layout.root}/{whole}")):
        path = f"{whole}/{name}"
        if path != layout.site and path not in going:
            raise InstallError(
                "file-in-the-way",
                f"{path} belongs to no distribution, and a sealed environment has a link in the place of {whole}",
                hint="move it away and run again; Accord replaces nothing it did not install",
            )


def _same_python(root: str, interpreter: Interpreter) -> Layout:
    layout = Layout(root, interpreter.paths)
    if not layout.link() and not os.path.lexists(f"{root}/{layout.site}"):
        raise InstallError(
            "environment-other-python",
            f"{root} was not made for Python {interpreter.short}",
            hint="accord venv --clear makes it anew, or name its own Python with --python",
        )
    fill(layout, interpreter)
    if not os.path.islink(f"{root}/lib64") and len(layout_of(root).libraries) > 1:
        raise InstallError(
            "environment-apart",
            f"{root} keeps platlib apart from purelib, and a sealed environment is one tree",
            hint="accord venv --clear makes it anew, with both in one folder",
        )
    return layout
