"""Repositories that are folders: an index as a tree of pages, and a folder of wheels (hot).

A ``file:`` index has a folder per project with an ``index.html`` or ``index.json`` in it; where there is no page, the
files in the folder are the page.  A find-links folder holds wheels and sdists of any projects.  A project that is
missing is simply not there.  Asking costs a few system calls, so nothing is remembered between runs; the state of the
folder serves as ETag.
"""

from __future__ import annotations

import os

from accord.io.urls import file_url, path_of, quoted
from accord.repositories.port import ABSENT, FRESH, UNCHANGED, Answer
from accord_core.index.filenames import SDIST, WHEEL, kind, safe, sdist_suffix, split_sdist, split_wheel
from accord_core.index.model import File, Page
from accord_core.names import normalise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from accord.io.http.client import Client
    from accord.repositories.artifacts import Artifacts

__all__ = ["FindLinks", "LocalIndex", "belongs", "files_of_folder", "group_by_project"]

_PAGES = (("index.json", "application/vnd.pypi.simple.v1+json"), ("index.html", "text/html"))


class _Local:
    """What both kinds share: files are read through :class:`~accord.repositories.artifacts.Artifacts`."""

    local = True

    def __init__(self, url: str, client: Client | None) -> None:
        self.path = os.path.abspath(os.path.expanduser(path_of(url)))
        self.key = file_url(self.path)
        self._client = client
        self._artifacts: Artifacts | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.key!r})"

    def metadata(self, file: File) -> bytes | None:
        return self._files().metadata(file)

    def fetch(self, file: File, into: str, progress: Callable[[int], None] | None) -> str:
        return self._files().fetch(file, into, progress)

    def _files(self) -> Artifacts:
        if self._artifacts is None:
            from accord.repositories.artifacts import Artifacts

            self._artifacts = Artifacts(self._client)
        return self._artifacts


class LocalIndex(_Local):
    """An index below the folder a ``file:`` URL or a path names.  Links on its pages may lead to the network, which
    is what ``client`` is for."""

    def __init__(self, url: str, client: Client | None = None) -> None:
        super().__init__(url, client)
        self._folders: dict[str, str] | None = None

    def page(self, project: str, etag: str | None, last_modified: str | None) -> Answer:
        folder = os.path.join(self.path, project)
        answer = self._answer(project, folder, etag)
        if answer is None:
            other = self._other_spelling(project)
            answer = None if other is None else self._answer(project, os.path.join(self.path, other), etag)
        return Answer(ABSENT) if answer is None else answer

    def _answer(self, project: str, folder: str, etag: str | None) -> Answer | None:
        for name, content_type in _PAGES:
            path = os.path.join(folder, name)
            try:
                state = os.stat(path)
            except (FileNotFoundError, NotADirectoryError):
                continue
            tag = f'"{state.st_mtime_ns:x}-{state.st_size:x}-{state.st_ino:x}"'
            if tag == etag:
                return Answer(UNCHANGED, etag=tag)
            return Answer(FRESH, _read_page(path, content_type), etag=tag)
        try:
            files = files_of_folder(folder)
        except (FileNotFoundError, NotADirectoryError):
            return None
        found = tuple([file for file in files if belongs(file.filename, project)])
        tag = _folder_tag(found, folder)
        return Answer(UNCHANGED, etag=tag) if tag == etag else Answer(FRESH, Page(project, found), etag=tag)

    def _other_spelling(self, project: str) -> str | None:
        """A folder whose name normalises to ``project``: some trees are named as the projects spell themselves."""
        if self._folders is None:
            try:
                self._folders = {normalise(name): name for name in os.listdir(self.path)}
            except OSError:
                self._folders = {}
        name = self._folders.get(project)
        return None if name == project else name


class FindLinks(_Local):
    """A folder of wheels and sdists, read once: the first question lists it, later ones look up."""

    def __init__(self, url: str, client: Client | None = None) -> None:
        super().__init__(url, client)
        self._projects: dict[str, tuple[File, ...]] | None = None

    def page(self, project: str, etag: str | None, last_modified: str | None) -> Answer:
        files = self.files(project)
        if not files:
            return Answer(ABSENT)
        tag = _folder_tag(files, self.path)
        return Answer(UNCHANGED, etag=tag) if tag == etag else Answer(FRESH, Page(project, files), etag=tag)

    def files(self, project: str) -> tuple[File, ...]:
        if self._projects is None:
            try:
                listed = files_of_folder(self.path)
            except (FileNotFoundError, NotADirectoryError):
                listed = []
            self._projects = group_by_project(listed)
        return tuple([file for file in self._projects.get(project, ()) if belongs(file.filename, project)])


def files_of_folder(folder: str) -> list[File]:
    """The wheels and sdists in a folder, by name; nothing else, and no folders below.  Raises OSError."""
    with os.scandir(folder) as entries:
        found = [
            entry.name
            for entry in entries
            if kind(entry.name) is not None and safe(entry.name) and entry.is_file()
        ]
    prefix = file_url(folder).rstrip("/") + "/"
    return [File(name, prefix + quoted(name), {}) for name in sorted(found)]


def group_by_project(files: Iterable[File]) -> dict[str, tuple[File, ...]]:
    """Files by every project whose they may be: a wheel has one, an old sdist's name can be cut in several places."""
    found: dict[str, list[File]] = {}
    for file in files:
        for name in _projects_of(file.filename):
            found.setdefault(name, []).append(file)
    return {name: tuple(each) for name, each in found.items()}


def _projects_of(filename: str) -> list[str]:
    if kind(filename) == WHEEL:
        wheel = split_wheel(filename)
        return [] if wheel is None else [normalise(wheel.name)]
    suffix = sdist_suffix(filename)
    if suffix is None:
        return []
    parts = filename[: -len(suffix)].split("-")
    return list(dict.fromkeys(normalise("-".join(parts[:end])) for end in range(1, len(parts))))


def belongs(filename: str, project: str) -> bool:
    """Whether the file is one of ``project``'s; ``foo-bar-1.0.tar.gz`` is not version ``bar-1.0`` of ``foo``."""
    if kind(filename) == SDIST:
        parts = split_sdist(filename, project)
        return parts is not None and _begins_a_version(parts[1])
    wheel = split_wheel(filename)
    return wheel is not None and normalise(wheel.name) == project


def _begins_a_version(text: str) -> bool:
    return text[:1].isdigit() or (text[:1] in {"v", "V"} and text[1:2].isdigit())


def _folder_tag(files: Iterable[File], folder: str) -> str:
    """Changes when a file comes, goes, or is replaced by another."""
    import hashlib

    digest = hashlib.sha256()
    for file in files:
        try:
            state = os.stat(os.path.join(folder, file.filename))
        except OSError:
            continue
        digest.update(f"{file.filename}\0{state.st_mtime_ns}\0{state.st_size}\n".encode())
    return f'"{digest.hexdigest()[:32]}"'


def _read_page(path: str, content_type: str) -> Page:
    from accord_core.index.parse import parse_page

    with open(path, "rb") as stream:
        return parse_page(stream.read(), content_type, file_url(path))
