"""Sealed trees: what one selection of wheels looks like for one interpreter, made once, shared, immutable (hot to find).

A closure is a folder ``<cache>/closures-v1/<id>/`` with

    state    what an environment needs of it, in ``marshal`` form
    tree/    under the paths an environment has: real folders, files linked from the store
    users/   one small file per environment that links to it, holding its path

``id`` is a digest of the caller's key (selected wheels and options) and the interpreter's identity.  Nobody may write
into ``tree``: its folders have no write permission, and where the process may set it, the immutable flag, which holds
for root too.  Where root could write all the same there is no sharing (see :func:`shareable`).
"""

from __future__ import annotations

import marshal
import os

from accord.environments.layout import Layout, library_of
from accord.io import files, inodes
from accord.io.digests import sha256
from accord.io.steps import step
from accord_core.errors import InstallError

__all__ = ["FOLDER", "Closure", "build", "closure_id", "find_closure", "shareable"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from accord.environments.interpreters import Interpreter
    from accord.environments.plan import Wanted
    from accord.io.reporting import Reporter

FOLDER = "closures-v1"
STARTUP = "_accord.pth"
_FORMAT = 1
# What is in a tree: 2 names itself in its start-up line, and is linked to above site-packages; 3 holds no wheel that
# was not held against what is reserved; 4 keeps compiled files in one folder.
_TREE = 4


class Closure:
    """A closure and what an environment in front of it consists of.

    ``path``     of the closure; ``site`` of site-packages relative to an environment and to ``path + "/tree"``
    ``folders``  to make in the environment, parents first; ``linked`` files to link there; ``copied`` files to copy:
                 settings, because programs write into them in place
    ``scripts``  ``(path, text without the first line)``: the first line names the environment's Python
    ``known``    what the environment's state remembers of the distributions
    ``guard``    ``"immutable"`` or ``"modes"``
    """

    __slots__ = ("copied", "folders", "guard", "known", "linked", "path", "scripts", "site")

    def __init__(self, path: str, values: dict[str, Any]) -> None:
        self.path = path
        self.site: str = values["site"]
        self.folders: tuple[str, ...] = values["folders"]
        self.linked: tuple[str, ...] = values["linked"]
        self.copied: tuple[str, ...] = values["copied"]
        self.scripts: tuple[tuple[str, bytes], ...] = values["scripts"]
        self.known: dict[str, tuple[str, str, str, int, int]] = values["known"]
        self.guard: str = values["guard"]

    @property
    def site_path(self) -> str:
        """The absolute site-packages."""
        return f"{self.path}/tree/{self.site}"

    @property
    def library_path(self) -> str:
        """The absolute folder that environments link to."""
        return f"{self.path}/tree/{library_of(self.site)}"


def closure_id(key: str, interpreter: Interpreter) -> str:
    """The name of the closure for the caller's ``key`` and this interpreter."""
    return sha256(f"{_TREE}\n{interpreter.identity}\n{key}".encode()).hexdigest()[:40]


def shareable(folder: str) -> bool:
    """Whether a tree below ``folder`` can be kept from being written to by this user: always, except for root where
    there is no immutable flag (a container, a network file system)."""
    return not hasattr(os, "geteuid") or os.geteuid() != 0 or inodes.available(folder)


def find_closure(path: str) -> Closure | None:
    """The closure in folder ``path``, or ``None``.

    One of an earlier boot is looked at once more (a power cut may have left it without contents); root takes one that
    only modes guard, whatever its state says (a cache restored within one boot), if it can be made immutable now.
    """
    values = _read(path)
    if values is None:
        return None
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if values["boot"] == files.boot_id() and (not root or inodes.protected(f"{path}/tree/{values['site']}")):
        return Closure(path, values)
    return _settle(path, values, root)


def _read(path: str) -> dict[str, Any] | None:
    try:
        with open(path + "/state", "rb") as file:
            # Written by this module into the user's own cache.
            values = marshal.loads(file.read())  # noqa: S302
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return values if isinstance(values, dict) and values.get("format") == _FORMAT else None


def _settle(path: str, values: dict[str, Any], root: bool) -> Closure | None:
    from accord.environments.check import tree_faults

    if values["boot"] != files.boot_id() and tree_faults(f"{path}/tree", values["site"]):
        discard(path)
        return None
    guard = guard_tree(f"{path}/tree")
    if root and guard != "immutable":
        return None
    values = {**values, "boot": files.boot_id(), "guard": guard}
    try:
        files.write_atomic(path + "/state", marshal.dumps(values), sync=False)
    except OSError:
        pass  # a cache shared read-only: looked at again next time
    return Closure(path, values)


def guard_tree(tree: str) -> str:
    """Close every folder of the tree for writing; ``"immutable"`` if for root too, else ``"modes"``."""
    immutable = True
    for _, folders, _, handle in os.fwalk(tree, topdown=False):
        for name in folders:
            child = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
            try:
                immutable = _close(child) and immutable
            finally:
                os.close(child)
    top = os.open(tree, os.O_RDONLY | os.O_DIRECTORY)
    try:
        immutable = _close(top) and immutable
    finally:
        os.close(top)
    return "immutable" if immutable else "modes"


def _close(handle: int) -> bool:
    try:
        os.fchmod(handle, 0o555)
    except PermissionError:
        pass  # immutable already
    return inodes.protect(handle)


def discard(path: str) -> None:
    """Remove a closure.  It disappears in one rename; an environment that still links to it is empty then."""
    aside = f"{os.path.dirname(path)}/aside/gone-{os.getpid()}-{os.urandom(4).hex()}"
    os.makedirs(os.path.dirname(aside), exist_ok=True)
    try:
        os.rename(path, aside)
    except FileNotFoundError:
        return
    files.remove_tree(aside)


# -- building ------------------------------------------------------------------------------------------------


def build(
    path: str,
    interpreter: Interpreter,
    wanted: Sequence[Wanted],
    *,
    link_mode: str = "auto",
    conflicts: str = "refuse",
    reporter: Reporter | None = None,
) -> Closure:
    """Make the closure at ``path``, which does not exist or is made by somebody else in the meantime.

    It appears by one rename.  ``InstallError`` as :class:`~accord.environments.assemble.Assembly` raises,
    ``disk-full``, ``not-writable``.
    """
    from accord.environments.assemble import Assembly

    above = os.path.dirname(path)
    aside = f"{above}/aside/{os.urandom(6).hex()}-{os.getpid()}-0"
    try:
        if not os.path.isdir(f"{above}/aside"):
            os.makedirs(f"{above}/aside", exist_ok=True)
            inodes.scatter(f"{above}/aside")
        step("closure-aside")
        tree = f"{aside}/tree"
        os.makedirs(tree)
        layout = Layout(tree, interpreter.paths)
        assembly = Assembly(
            layout, tree, link_mode=link_mode, write_scripts=False, conflicts=conflicts, reporter=reporter
        )
        assembly.run(wanted)
        files.write_new(f"{tree}/{layout.site}/{STARTUP}", startup_line(os.path.basename(path)), 0o444)
        values = _values(assembly, layout, wanted)
        if assembly.compiled:
            # How an environment's Python sees at its start that there is something to look for.
            os.makedirs(f"{tree}/{layout.site}/__pycache__", exist_ok=True)
        step("closure-guard")
        values["guard"] = guard_tree(tree)
        files.write_new(f"{aside}/state", marshal.dumps(values), 0o644)
        step("closure-appear")
        _appear(aside, path)
    except OSError as error:
        files.remove_tree(aside)
        raise files.refused(error, "making a sealed tree") from error
    except BaseException:
        files.remove_tree(aside)
        raise
    step("closure-appeared")
    found = find_closure(path)
    if found is None:
        raise InstallError("closure-gone", f"{path} was made and is gone", hint="run again")
    return found


def _appear(aside: str, path: str) -> None:
    try:
        os.rename(aside, path)
    except OSError:
        if _read(path) is not None:
            files.remove_tree(aside)  # somebody else was faster
            return
        if not os.path.isdir(path):
            raise
        discard(path)  # what is left of one that somebody removed without Accord
        os.rename(aside, path)


def _values(assembly: Any, layout: Layout, wanted: Sequence[Wanted]) -> dict[str, Any]:
    from accord.environments.assemble import entry_of, is_setting
    from accord.environments.launchers import body

    linked, copied, scripts = [], [], []
    shared = library_of(layout.site) + "/"
    for want in wanted:
        entry = entry_of(want)
        for name, module, attribute, _ in entry.scripts:
            scripts.append((f"{layout.scripts}/{name}", body(module, attribute)))
        for scheme, path, source, _, _, rewrite in entry.data:
            target = assembly.target(entry, scheme, path)
            if target.startswith(shared):
                continue  # reached through the environment's link
            if rewrite:
                with open(f"{entry.path}/{source}", "rb") as file:
                    scripts.append((target, file.read().partition(b"\n")[2]))
            elif is_setting(target):
                copied.append(target)
            else:
                linked.append(target)
    folders = set()
    for target in linked + copied:
        folder = target.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    return {
        "format": _FORMAT,
        "site": layout.site,
        # A file two wheels provide alike is listed once.
        "folders": tuple(sorted(folders)),
        "linked": tuple(dict.fromkeys(linked)),
        "copied": tuple(dict.fromkeys(copied)),
        "scripts": tuple(dict(scripts).items()),
        "known": assembly.known,
        "boot": files.boot_id(),
    }


def startup_line(name: str) -> bytes:
    """``_startup.py`` as the one line a ``.pth`` file may hold; ``name`` is the closure's."""
    place = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_startup.py")
    with open(place, encoding="utf-8") as file:
        code = file.read().partition('"""\n\n')[2].lstrip()
    # site executes the line inside a function of its own, where the folder is called sitedir.
    code += f"_accord(sitedir, sys.prefix, {name!r})\ndel _accord\n"
    return f"import sys; exec({code!r})\n".encode()
