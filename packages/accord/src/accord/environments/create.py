"""An empty environment, as ``python -m venv`` makes it (PEP 405), without starting the interpreter.

Adopts an existing one: what is there stays, what is missing is added.  Seeds nothing: Accord installs into an
environment from outside.
"""

from __future__ import annotations

import os
import sys

from accord.environments.activate import scripts
from accord.environments.layout import OWN, Layout, config_value, is_environment, open_config
from accord.io import files
from accord_core.errors import InstallError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.environments.interpreters import Interpreter

__all__ = ["create", "empty", "fill", "heal_config"]


def create(
    directory: str,
    interpreter: Interpreter,
    *,
    clear: bool = False,
    system_site_packages: bool = False,
    prompt: str | None = None,
) -> Layout:
    """Make an environment for ``interpreter`` in ``directory``, or adopt the one that is there.

    ``clear`` empties it first.  ``InstallError`` ``folder-not-empty`` for a folder that holds something else,
    ``environment-other-python`` for one made for another Python version, ``not-writable``, ``disk-full``.
    """
    root = os.path.abspath(directory)
    layout = Layout(root, interpreter.paths)
    try:
        if os.path.isfile(root) or (os.path.islink(root) and not os.path.isdir(root)):
            raise InstallError("folder-not-empty", f"{root} is a file", hint="name another folder")
        if clear and os.path.isdir(root):
            _refuse_foreign(root)
            empty(root, keep_lock=True)
        elif is_environment(root):
            _refuse_other(root, layout, interpreter)
        else:
            _refuse_foreign(root)
        os.makedirs(root, exist_ok=True)
        fill(layout, interpreter, system_site_packages=system_site_packages, prompt=prompt)
    except OSError as error:
        raise files.refused(error, f"making the environment {root}") from error
    return layout


def _refuse_foreign(root: str) -> None:
    if not os.path.isdir(root) or is_environment(root):
        return
    inside = [name for name in os.listdir(root) if name != OWN]
    if inside:
        raise InstallError(
            "folder-not-empty",
            f"{root} is not empty and no environment",
            context=(f"it holds {', '.join(sorted(inside)[:5])}",),
            hint="name another folder; Accord empties no folder it did not make",
        )


def _refuse_other(root: str, layout: Layout, interpreter: Interpreter) -> None:
    library = f"{root}/{os.path.dirname(layout.site)}"
    above = os.path.dirname(library)
    # A link that leads nowhere, because its closure is gone, says as well for which Python it was made.
    if os.path.isdir(above) and not os.path.lexists(library):
        others = [name for name in os.listdir(above) if name.startswith(("python", "pypy"))]
        if others:
            raise InstallError(
                "environment-other-python",
                f"{root} was made for {others[0]}, not for Python {interpreter.short}",
                hint="accord venv --clear makes it anew, or name its own Python with --python",
            )


def empty(root: str, *, keep_lock: bool = False) -> None:
    """Empty an environment: everything but the folder itself goes, ``.accord`` (history and all) included.

    ``keep_lock``: but for the lock, on which others may be waiting; they would go on with one that nobody else sees.
    """
    for name in os.listdir(root):
        if keep_lock and name == OWN and not os.path.islink(f"{root}/{name}"):
            for inside in os.listdir(f"{root}/{name}"):
                if inside != "lock":
                    files.remove_tree(f"{root}/{name}/{inside}")
        else:
            files.remove_tree(f"{root}/{name}")


def fill(
    layout: Layout,
    interpreter: Interpreter,
    *,
    system_site_packages: bool = False,
    prompt: str | None = None,
    library: str | None = None,
) -> None:
    """Write what an environment consists of into the existing folder ``layout.root``; what is there stays.

    ``library`` is an existing folder that holds a site-packages, for :attr:`Layout.library` to be a link to.
    """
    root = layout.root
    scripts_folder = f"{root}/{layout.scripts}"
    for folder in (scripts_folder, f"{root}/include/python{interpreter.short}"):
        os.makedirs(folder, exist_ok=True)
    if library is not None:
        os.makedirs(os.path.dirname(f"{root}/{layout.library}"), exist_ok=True)
        os.symlink(library, f"{root}/{layout.library}")
    elif not layout.link():
        os.makedirs(f"{root}/{layout.site}", exist_ok=True)
    if layout.site.startswith("lib/") and sys.maxsize > 2**32 and not os.path.lexists(f"{root}/lib64"):
        # As python -m venv does on 64-bit systems: some distributions' Pythons look for platlib there.
        _link("lib", f"{root}/lib64")
    _link_python(scripts_folder, interpreter)
    name = prompt or os.path.basename(layout.shown) or "venv"
    for file, text in scripts(layout.shown, name).items():
        _write_if_missing(f"{scripts_folder}/{file}", text.encode())
    if tuple(map(int, interpreter.short.split("."))) >= (3, 13):
        # As its own venv does from this version on.
        _write_if_missing(f"{root}/.gitignore", b"# Made by Accord, as by venv\n*\n")
    config = _config(layout, interpreter, system_site_packages, prompt)
    if not os.path.exists(f"{root}/pyvenv.cfg"):
        # Last: a folder without it is no environment yet.
        files.write_atomic(f"{root}/pyvenv.cfg", config.encode(), sync=False)
    else:
        heal_config(layout)


def heal_config(layout: Layout) -> None:
    """Have ``pyvenv.cfg`` name the Python that the environment's is a link to.

    ``python -m venv`` of another Python, on top, writes its own home there and leaves the link as it is; then the one
    runs with the other's standard library, or not at all.  Everything else that is written there stays.
    """
    path = f"{layout.root}/{layout.scripts}/python"
    folders = [folder for folder in _homes(path) if folder != f"{layout.root}/{layout.scripts}"]
    lines = open_config(layout.root)
    home = config_value(lines, "home")
    if not folders or home in folders:
        return
    if home is not None and os.path.realpath(home) in map(os.path.realpath, folders):
        return
    # As much of the version as the folder's name tells: what stands there is another Python's.
    version = os.path.basename(layout.library).lstrip("abcdefghijklmnopqrstuvwxyz").rstrip("t")
    healed = {"home": folders[0], "version": version, "executable": os.path.realpath(path)}
    if config_value(lines, "include-system-site-packages") is None:
        healed["include-system-site-packages"] = "false"  # site takes a missing line for "true"
    kept = [line for line in lines if line.partition("=")[0].strip().lower() not in healed]
    text = "".join(f"{line}\n" for line in [*(f"{key} = {value}" for key, value in healed.items()), *kept])
    files.write_atomic(f"{layout.root}/pyvenv.cfg", text.encode(), sync=False)


def _homes(path: str) -> list[str]:
    """The folder of each link's target on the way from ``path`` to a file; none where it is no link."""
    found: list[str] = []
    while os.path.islink(path) and len(found) < 40:  # as many as Linux follows
        path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))
        found.append(os.path.dirname(path))
    return found


def _config(layout: Layout, interpreter: Interpreter, system: bool, prompt: str | None) -> str:
    base = interpreter.base_executable
    lines = [
        f"home = {os.path.dirname(base)}",
        f"include-system-site-packages = {'true' if system else 'false'}",
        f"version = {interpreter.version}",
        f"executable = {os.path.realpath(base)}",
        f"implementation = {interpreter.markers['platform_python_implementation']}",
        "installer = accord",
    ]
    if prompt:
        lines.append(f"prompt = {prompt!r}")
    return "\n".join(lines) + "\n"


def _link_python(folder: str, interpreter: Interpreter) -> None:
    names = ["python", "python3", f"python{interpreter.short}"]
    if interpreter.implementation != "cpython":
        names += [interpreter.implementation, f"{interpreter.implementation}{interpreter.short}"]
    for number, name in enumerate(names):
        path = f"{folder}/{name}"
        if not os.path.lexists(path):
            _link(interpreter.base_executable if number == 0 else "python", path)


def _link(target: str, path: str) -> None:
    try:
        os.symlink(target, path)
    except FileExistsError:
        pass  # somebody makes the same environment


def _write_if_missing(path: str, data: bytes) -> None:
    try:
        files.write_new(path, data)
    except FileExistsError:
        pass
