"""What is in an environment, whoever put it there.

Reads ``.dist-info`` folders (recording installed projects), and tolerates what older tools left: ``.egg-info`` folders
with ``installed-files.txt``, ``.egg-link`` files of ``setup.py develop``.  Reads names only; a file's contents where
they are asked for.
"""

from __future__ import annotations

import os

from accord.environments.layout import Layout, layout_of
from accord_core.errors import ArchiveError, InstallError
from accord_core.names import normalise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Installed", "files_of", "inside", "installed", "recorded"]

_KINDS = (".dist-info", ".egg-info", ".egg-link")


class Installed:
    """One installed distribution.

    ``name`` normalised, ``version`` as its folder says (empty where it does not), ``path`` of that folder or file,
    relative to the environment, ``kind`` ``dist-info``, ``egg-info``, ``egg-info-file`` or ``egg-link``.
    """

    __slots__ = ("kind", "name", "path", "root", "version")

    def __init__(self, root: str, path: str, name: str, version: str, kind: str) -> None:
        self.root = root
        self.path = path
        self.name = name
        self.version = version
        self.kind = kind

    @property
    def library(self) -> str:
        """The folder it lies in, to which the paths in its RECORD are relative; itself relative to the environment."""
        return self.path.rpartition("/")[0]

    def read(self, name: str) -> bytes | None:
        """A file of its folder; ``None`` where there is none."""
        try:
            with open(f"{self.root}/{self.path}/{name}", "rb") as file:
                return file.read()
        except OSError:
            return None

    @property
    def installer(self) -> str:
        """Who installed it, as INSTALLER says; empty where it does not."""
        return (self.read("INSTALLER") or b"").decode("utf-8", "replace").strip()

    def __repr__(self) -> str:
        return f"<Installed {self.name} {self.version} {self.path}>"


def installed(directory: str) -> tuple[Installed, ...]:
    """Every distribution in the environment's site-packages, by name; two entries where one is there twice."""
    return read_site(layout_of(directory))


def read_site(layout: Layout) -> tuple[Installed, ...]:
    """The same for a known layout."""
    found = []
    for library in layout.libraries:
        found += _read_library(layout.root, library)
    return tuple(sorted(found, key=lambda one: (one.name, one.path)))


def _read_library(root: str, library: str) -> list[Installed]:
    found: list[Installed] = []
    try:
        names = os.listdir(f"{root}/{library}")
    except FileNotFoundError:
        return found
    for folder in names:
        # pip keeps the old under ~name while it replaces a distribution.
        if folder.startswith("~") or not folder.endswith(_KINDS):
            continue
        stem, _, suffix = folder.rpartition(".")
        name, _, version = stem.partition("-")
        path = f"{library}/{folder}"
        kind = suffix
        if suffix == "egg-info":
            version = version.partition("-py")[0]
            if not os.path.isdir(f"{root}/{path}"):
                kind = "egg-info-file"
        found.append(Installed(root, path, normalise(name), version, kind))
    return found


def recorded(one: Installed) -> list[str]:
    """The paths RECORD lists, relative to the environment, whether they exist or not; none outside the environment.

    ``InstallError`` ``record-missing`` where nothing says what belongs to the distribution, ``record-damaged``.
    """
    if one.kind == "egg-link":
        return [one.path]
    data = one.read("RECORD" if one.kind == "dist-info" else "installed-files.txt")
    if one.kind == "egg-info-file" or data is None:
        raise InstallError(
            "record-missing",
            f"nothing says which files belong to {one.name} {one.version}",
            context=(f"found {one.path}", f"installed by {one.installer or 'an unknown tool'}"),
            hint="uninstall it with the tool that installed it, or make the environment anew: accord venv --clear",
        )
    if one.kind == "egg-info":
        # distutils and old pip: paths relative to the .egg-info folder itself.
        text = data.decode("utf-8", "surrogateescape")
        return inside(one.root, one.path, text.splitlines())
    # A first install reads no RECORD, and the archive rooms bring OpenSSL with them.
    from accord_core.archive.record import parse_record

    try:
        paths = list(parse_record(data))
    except ArchiveError as error:
        raise InstallError(
            "record-damaged",
            f"the RECORD of {one.name} {one.version} cannot be read: {error.message}",
            context=(f"found {one.path}",),
            hint="make the environment anew: accord venv --clear",
        ) from error
    return inside(one.root, one.library, paths)


def inside(root: str, base: str, paths: Iterable[str]) -> list[str]:
    """``paths`` of a RECORD, relative to ``base`` or absolute, as paths relative to the environment at ``root``; what lies outside
    of it is left out, and never Accord's to remove."""
    found = []
    for path in paths:
        if path.startswith("/"):
            within = os.path.normpath(path).partition(root + "/")
            if not within[0] and within[2]:
                found.append(within[2])
            continue
        if not path or (os.sep == "\\" and ":" in path):
            continue
        if path.startswith(("../", "./")) or "/../" in path:
            joined = os.path.normpath(f"{base}/{path}").replace(os.sep, "/")
            if joined.startswith("../") or joined in ("..", "."):
                continue
            found.append(joined)
        else:
            found.append(f"{base}/{path}")
    return found


def files_of(one: Installed) -> set[str]:
    """Everything of the distribution that is removed with it: what is recorded, and its own folder's files."""
    paths = set(recorded(one))
    if one.kind != "egg-link":
        for folder, _, names in os.walk(f"{one.root}/{one.path}"):
            inside = folder[len(one.root) + 1 :]
            paths.update(f"{inside}/{name}" for name in names)
    return paths
