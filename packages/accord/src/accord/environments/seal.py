"""An environment that is one link to a closure, and a private layer in front of it (hot for a known one).

    lib/pythonX.Y             one link to the closure's: site-packages, and what wheels put beside it
    bin, share, etc, include  the environment's own real folders: launchers written, files linked, settings copied
    .accord/compiled          what its Pythons compile

Whatever a tool writes below the environment (``ipykernel install --sys-prefix``, ``jupyter`` settings) lands in the
private layer; what it tries to write into site-packages is refused by the closure.
"""

from __future__ import annotations

import os

from accord.environments import state
from accord.environments.closures import FOLDER, Closure, closure_id, find_closure
from accord.environments.create import fill
from accord.environments.launchers import shebang
from accord.environments.layout import Layout, is_environment
from accord.io import files, links
from accord.io.digests import sha256
from accord.io.steps import step
from accord_core.errors import InstallError

__all__ = ["Sealed", "seal"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from accord.environments.interpreters import Interpreter
    from accord.environments.plan import Wanted
    from accord.io.reporting import Reporter


class Sealed:
    """What :func:`seal` did: ``closure`` (empty where sharing is not safe and the environment has a tree of its own),
    ``known`` (whether the closure was there), ``changed`` (whether the environment was)."""

    __slots__ = ("changed", "closure", "known")

    def __init__(self, closure: str, known: bool, changed: bool) -> None:
        self.closure = closure
        self.known = known
        self.changed = changed


def seal(
    env_dir: str,
    interpreter: Interpreter,
    key: str,
    make_wanted: Callable[[], Sequence[Wanted]],
    *,
    cache_dir: str,
    link_mode: str = "auto",
    conflicts: str = "refuse",
    command: str = "",
    reporter: Reporter | None = None,
) -> Sealed:
    """Make ``env_dir`` a sealed environment, or switch the one that is there.

    ``key`` is a digest of everything selected (wheels by hash, requested names, direct URLs, options); ``make_wanted``
    is called only if no closure for it exists (whether compiled files were asked for belongs into the key too), and
    returns every distribution with its entry.  A new environment appears by one rename; an existing one is switched by a
    transaction that ``undo`` takes back.  ``InstallError`` as ``apply`` and ``create`` raise.
    """
    root = os.path.abspath(env_dir)
    if state.unchanged(root, key):
        found = state.read(root)
        return Sealed(found["closure"] if found else "", True, False)
    path = f"{cache_dir}/{FOLDER}/{closure_id(key, interpreter)}"
    closure = find_closure(path)
    known = closure is not None
    if closure is None:
        from accord.environments import closures

        os.makedirs(f"{cache_dir}/{FOLDER}", exist_ok=True)
        wanted = make_wanted()
        if not closures.shareable(f"{cache_dir}/{FOLDER}"):
            from accord.environments.switch import unshared

            unshared(root, interpreter, wanted, key, link_mode, conflicts, command, reporter)
            return Sealed("", False, True)
        closure = closures.build(
            path,
            interpreter,
            wanted,
            link_mode=link_mode,
            conflicts=conflicts,
            reporter=reporter,
        )
    try:
        _put(root, interpreter, closure, key, link_mode, command, reporter)
        _note_use(closure.path, root)
    except OSError as error:
        raise files.refused(error, f"making the environment {root}") from error
    return Sealed(closure.path, known, True)


def _put(
    root: str,
    interpreter: Interpreter,
    closure: Closure,
    key: str,
    link_mode: str,
    command: str,
    reporter: Reporter | None,
) -> None:
    if is_environment(root):
        from accord.environments.switch import switch

        switch(root, interpreter, closure, key, link_mode, command, reporter)
        return
    if os.path.lexists(root) and (not os.path.isdir(root) or os.listdir(root)):
        raise InstallError(
            "folder-not-empty",
            f"{root} is not empty and no environment",
            hint="name another folder; Accord empties no folder it did not make",
        )
    above, name = os.path.split(root)
    os.makedirs(above, exist_ok=True)
    aside = f"{above}/.{name}.accord-{os.getpid()}-{os.urandom(4).hex()}"
    step("seal-aside")
    try:
        os.mkdir(aside)
        layout = Layout(aside, interpreter.paths, shown=root)
        fill(layout, interpreter, library=closure.library_path)
        layer(layout, closure, aside, link_mode)
        os.makedirs(layout.own(""), exist_ok=True)
        state.write(layout, key, closure.known, kind="sealed", closure=closure.path)
        step("seal-appear")
        os.rename(aside, root)
    except BaseException:
        files.remove_tree(aside)
        raise


def layer(layout: Layout, closure: Closure, base: str, link_mode: str) -> None:
    """Put the private layer below ``base``: folders, linked and copied files, scripts."""
    first = shebang(layout.python)
    os.makedirs(f"{base}/{layout.scripts}", exist_ok=True)
    for folder in closure.folders:
        try:
            os.mkdir(f"{base}/{folder}")
        except FileExistsError:
            pass
    if closure.linked or closure.copied:
        source = os.open(f"{closure.path}/tree", os.O_RDONLY | os.O_DIRECTORY)
        target = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if closure.linked:
                mode = links.choose(link_mode, f"{closure.path}/tree/{closure.linked[0]}", base)
                links.place(closure.linked, source, target, mode)
            links.place(closure.copied, source, target, "copy")
        finally:
            os.close(target)
            os.close(source)
    for path, text in closure.scripts:
        files.write_new(f"{base}/{path}", first + text, 0o755)


def _note_use(closure: str, root: str) -> None:
    """Who links to the closure, so that it is not collected while somebody does; and that it was used now."""
    try:
        os.makedirs(f"{closure}/users", exist_ok=True)
        name = sha256(os.fsencode(root)).hexdigest()[:16]
        files.write_atomic(f"{closure}/users/{name}", os.fsencode(root), sync=False)
        os.utime(f"{closure}/state")
    except OSError:
        pass  # a cache shared read-only has an upkeep of its own
