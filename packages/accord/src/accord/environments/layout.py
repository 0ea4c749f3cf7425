"""Where things lie in an environment (hot).

    <env>/pyvenv.cfg, bin/, lib/pythonX.Y/site-packages/   as ``python -m venv`` makes them (PEP 405)
    <env>/.accord/
        lock        one accord at a time
        state       what the last command left, for the next one to see that nothing changed
        journal     only while a transaction runs, or after one was killed
        txn/*/      the new, prepared aside, under the paths it will have
        history/N/  moves, info, and the old under the paths it had

    (each a text of rows: :mod:`accord.environments.rows`)

Paths inside an environment are relative to it, with ``/``.
"""

from __future__ import annotations

import os
import sys

from accord.io.locks import FileLock
from accord_core.errors import InstallError

__all__ = ["OWN", "Layout", "config_value", "is_environment", "layout_of", "library_of", "open_config"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

OWN = ".accord"


def library_of(site: str) -> str:
    """What a sealed environment has as one link, by the path of its site-packages: the folder above it, which holds
    nothing else (``lib/pythonX.Y``).

    Not site-packages itself, for ``python -m venv`` on top of an environment refuses one that is a link, and ``find``
    would not look into it.  Where no folder is that Python's alone (``Lib/site-packages``), there is no other choice.
    """
    above = site.rpartition("/")[0]
    return above if "/" in above else site


class Layout:
    """The places of one environment.  ``root`` absolute; ``site``, ``scripts``, ``headers`` relative; ``data`` is ``""``.

    ``plat`` is the folder of wheels that say ``Root-Is-Purelib: false``: ``site``, but for an environment that keeps the
    two apart.  None of Accord's do, nor those of ``venv``, ``virtualenv`` and ``uv``.  ``shown`` is the path that is written into scripts: that of the finished environment, also while it is made aside.
    """

    __slots__ = ("data", "headers", "plat", "root", "scripts", "shown", "site")

    def __init__(
        self, root: str, paths: Mapping[str, str], *, shown: str | None = None, plat: str | None = None
    ) -> None:
        self.root = root
        self.shown = shown or root
        self.site = paths["purelib"]
        self.plat = plat or self.site
        self.scripts = paths["scripts"]
        self.headers = paths["headers"]
        self.data = paths["data"]

    def scheme(self, name: str, project: str) -> str:
        """The folder of a wheel's scheme, relative to the environment; headers have one per project."""
        if name in ("purelib", "platlib"):
            return self.library_for(name == "purelib")
        if name == "scripts":
            return self.scripts
        if name == "headers":
            return f"{self.headers}/{project}"
        return self.data

    def library_for(self, pure: bool) -> str:
        """The folder of what is for ``purelib``, or else for ``platlib``."""
        return self.site if pure else self.plat

    @property
    def libraries(self) -> tuple[str, ...]:
        """The folders that distributions are in: two where they are kept apart."""
        return (self.site,) if self.plat == self.site else (self.site, self.plat)

    def own(self, name: str) -> str:
        """The absolute path of one of Accord's own files."""
        return f"{self.root}/{OWN}/{name}"

    @property
    def library(self) -> str:
        """The path at which a sealed environment has its link: :func:`library_of`."""
        return library_of(self.site)

    def link(self) -> str:
        """The path, relative, of the link that makes the environment a sealed one; empty for a private one.
        (Site-packages itself, where an earlier Accord made it.)"""
        for path in (self.library, self.site):
            if os.path.islink(f"{self.root}/{path}"):
                return path
        return ""

    @property
    def python(self) -> str:
        """The environment's Python as scripts name it."""
        return f"{self.shown}/{self.scripts}/python"

    def lock(self, on_wait: Callable[[str], None] | None = None, timeout: float = 600.0) -> FileLock:
        """Held while the environment is changed.  ``InstallError`` ``locked`` after ``timeout`` seconds."""
        os.makedirs(f"{self.root}/{OWN}", exist_ok=True)
        return FileLock(self.own("lock"), f"the environment {self.shown}", on_wait=on_wait, timeout=timeout)


def is_environment(folder: str) -> bool:
    """Whether ``folder`` is a virtual environment (PEP 405: it has a ``pyvenv.cfg``)."""
    return os.path.isfile(f"{folder}/pyvenv.cfg")


def layout_of(folder: str) -> Layout:
    """The layout of an existing environment, told by its folders; no interpreter is asked.

    ``InstallError`` ``no-environment`` where there is none, ``environment-broken`` where site-packages cannot be told.
    """
    root = os.path.abspath(folder)
    if not is_environment(root):
        raise InstallError(
            "no-environment", f"{root} is no environment", hint=f"make one: accord venv {folder}"
        )
    if os.path.isdir(f"{root}/Lib/site-packages"):
        return Layout(
            root, {"purelib": "Lib/site-packages", "scripts": "Scripts", "headers": "Include", "data": ""}
        )
    try:
        names = sorted(name for name in os.listdir(f"{root}/lib") if name.startswith(("python", "pypy")))
    except OSError:
        names = []
    if len(names) > 1:
        names = _meant(root, names)
    if len(names) != 1:
        raise InstallError(
            "environment-broken",
            f"{root}/lib does not hold the folder of one Python",
            context=(f"found: {', '.join(names) or 'nothing'}",),
            hint="make it anew: accord venv --clear",
        )
    short = names[0].removeprefix("python").removeprefix("pypy").rstrip("t")
    paths = {
        "purelib": f"lib/{names[0]}/site-packages",
        "scripts": "bin",
        "headers": f"include/site/python{short}",
        "data": "",
    }
    return Layout(root, paths, plat=_kept_apart(root, names[0]))


def _kept_apart(root: str, name: str) -> str | None:
    """The folder of platlib, if it is not that of purelib: then what makes environments left out the link ``lib64``.

    A folder in its place does not tell.  Where an environment was copied and the link was followed, one lies there that no
    Python looks into; so the environment's own is asked.
    """
    if sys.maxsize < 2**32 or sys.platform in ("darwin", "win32") or os.path.islink(f"{root}/lib64"):
        return None
    from accord.environments import interpreters

    try:
        told: str = interpreters.describe(f"{root}/bin/python")["paths"]["platlib"]
    except InstallError:
        return None  # it does not start: whoever needs its Python says so
    return told if told == f"lib64/{name}/site-packages" else None


def _meant(root: str, names: list[str]) -> list[str]:
    """Which of several Pythons' folders is the environment's own, where it was made again on top of an older one.

    The one whose name, in ``bin``, leads where ``python`` does: ``venv`` leaves that as it was.  Where all do (``uv``
    replaces it) ``pyvenv.cfg`` says which is meant.
    """
    python = os.path.realpath(f"{root}/bin/python")
    same = [name for name in names if os.path.realpath(f"{root}/bin/{name}") == python]
    if len(same) == 1:
        return same
    lines = open_config(root)
    said = config_value(lines, "version") or config_value(lines, "version_info") or ""
    version = ".".join(said.split(".")[:2])
    return [name for name in names if name.removeprefix("python").removeprefix("pypy") == version] or names


def config_value(lines: list[str], key: str) -> str | None:
    """What ``pyvenv.cfg`` says for ``key``; ``None`` where it says nothing."""
    for line in lines:
        name, _, value = line.partition("=")
        if name.strip().lower() == key:
            return value.strip()
    return None


def open_config(root: str) -> list[str]:
    """The lines of ``pyvenv.cfg``; none where it cannot be read."""
    try:
        with open(f"{root}/pyvenv.cfg", encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []
