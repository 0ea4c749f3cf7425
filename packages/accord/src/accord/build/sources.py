"""Sources: what a direct reference, or an sdist of an index, was found to be, pinned to its bytes.

:class:`Sources` fetches; the classes it returns are values that can be built (they are ``Buildable``), recorded
beside an installation (``direct_url``, PEP 610) and written into a lock (``lock_entry``, PEP 751).  A wheel is the
exception: it needs no building, only to be read.  This module may ask the network through the injected client and
the git command, and writes below ``<cache>/archives-v1`` and ``<cache>/git-v1``.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from accord.build.cache import describe
from accord.build.git import Git
from accord.build.limits import DEFAULT, Limits
from accord.build.reference import Reference, public_url
from accord.build.wheels import read_wheel
from accord.io.files import write_atomic
from accord.io.reporting import SILENT
from accord.io.scratch import scratch_folder
from accord_core.archive.sdist import extract, pkg_info
from accord_core.errors import ArchiveError, BuildError
from accord_core.lock.model import Archive, Directory, Vcs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accord.build.ports import Downloader
    from accord.io.reporting import Reporter

__all__ = [
    "ArchiveSource",
    "DirectorySource",
    "GitSource",
    "SdistSource",
    "Source",
    "Sources",
    "WheelSource",
]

_CHUNK = 4  # bytes of a file's beginning that tell gzip from zip


class Source(Protocol):
    """What every pinned direct reference can say.

    ``direct_url`` is the content of ``direct_url.json`` (PEP 610).  ``lock_entry`` is the value of
    ``packages.vcs``, ``.archive`` or ``.directory`` (PEP 751), local paths relative to the folder ``base`` of the
    lock file, with ``/``.
    """

    @property
    def reference(self) -> Reference: ...
    def direct_url(self) -> dict[str, Any]: ...
    def lock_entry(self, base: str) -> Vcs | Archive | Directory: ...


@dataclass(frozen=True, slots=True)
class SdistSource:
    """An sdist of an index: the verified file at ``path``, whose name and version its page and name promised."""

    path: str
    sha256: str
    name: str
    version: str
    own: bool = False

    @property
    def label(self) -> str:
        return f"{self.name} {self.version} (sdist)"

    @property
    def key(self) -> str:
        return f"sdist:{self.sha256}"

    def pkg_info(self) -> bytes | None:
        return _pkg_info(self.path)

    def tree(self, into: str) -> str:
        os.makedirs(into, exist_ok=True)
        return extract(self.path, into)


@dataclass(frozen=True, slots=True)
class DirectorySource:
    """A folder of the user's own, built where it is."""

    reference: Reference
    version: str | None = None
    key: str | None = None
    own: bool = True

    @property
    def label(self) -> str:
        return f"{self.name or os.path.basename(self.path)} (from {self.path})"

    @property
    def name(self) -> str | None:
        return self.reference.name

    @property
    def path(self) -> str:
        assert self.reference.path is not None, "a directory has a path"
        return self.reference.path

    def pkg_info(self) -> bytes | None:
        """None: a PKG-INFO lying in a working tree may be of another day."""

    def tree(self, into: str) -> str:
        return below(self.path, self.reference.subdirectory, self.label)

    def direct_url(self) -> dict[str, Any]:
        info = {"editable": True} if self.reference.editable else {}
        return _with_subdirectory({"url": self.reference.url, "dir_info": info}, self.reference)

    def lock_entry(self, base: str) -> Directory:
        return Directory(
            path=_relative(self.path, base),
            editable=self.reference.editable or None,
            subdirectory=self.reference.subdirectory,
        )


@dataclass(frozen=True, slots=True)
class ArchiveSource:
    """A source archive by URL or path: the file at ``path``, named so that its kind can be told."""

    reference: Reference
    path: str
    sha256: str
    size: int
    version: str | None = None
    own: bool = False

    @property
    def label(self) -> str:
        return f"{self.name or 'archive'} (from {self.reference})"

    @property
    def name(self) -> str | None:
        return self.reference.name

    @property
    def key(self) -> str:
        return f"sdist:{self.sha256}" + (
            f"#{self.reference.subdirectory}" if self.reference.subdirectory else ""
        )

    def pkg_info(self) -> bytes | None:
        return _pkg_info(self.path) if self.reference.subdirectory is None else None

    def tree(self, into: str) -> str:
        os.makedirs(into, exist_ok=True)
        return below(extract(self.path, into), self.reference.subdirectory, self.label)

    def direct_url(self) -> dict[str, Any]:
        return _archive_url(self.reference, self.sha256)

    def lock_entry(self, base: str) -> Archive:
        return _archive_entry(self.reference, self.sha256, self.size, base)


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A wheel by URL or path: a universe of one, with the METADATA it answers with."""

    reference: Reference
    path: str
    sha256: str
    size: int
    name: str
    version: str
    tags: tuple[str, ...]
    metadata: bytes

    @property
    def label(self) -> str:
        return f"{self.name} {self.version} (from {self.reference})"

    def direct_url(self) -> dict[str, Any]:
        return _archive_url(self.reference, self.sha256)

    def lock_entry(self, base: str) -> Archive:
        return _archive_entry(self.reference, self.sha256, self.size, base)


@dataclass(frozen=True, slots=True)
class GitSource:
    """A commit of a repository; ``commit`` is full hex, and the cache holds it."""

    reference: Reference
    commit: str
    git: Git = field(repr=False, compare=False)
    version: str | None = None
    own: bool = False

    @property
    def label(self) -> str:
        return f"{self.name or 'repository'} (from {self.reference})"

    @property
    def name(self) -> str | None:
        return self.reference.name

    @property
    def key(self) -> str:
        return f"{replace(self.reference, revision=None).identity}@{self.commit}"

    def pkg_info(self) -> bytes | None:
        """None: a PKG-INFO that was committed may be of another day."""

    def tree(self, into: str) -> str:
        checkout = self.git.checkout(self.reference, self.commit, into)
        return below(checkout, self.reference.subdirectory, self.label)

    def direct_url(self) -> dict[str, Any]:
        info = {"vcs": "git", "commit_id": self.commit}
        if self.reference.revision:
            info["requested_revision"] = self.reference.revision
        return _with_subdirectory({"url": public_url(self.reference.url), "vcs_info": info}, self.reference)

    def lock_entry(self, base: str) -> Vcs:
        local = self.reference.path
        return Vcs(
            type="git",
            url=None if local else public_url(self.reference.url),
            path=_relative(local, base) if local else None,
            requested_revision=self.reference.revision,
            commit_id=self.commit,
            subdirectory=self.reference.subdirectory,
        )


class Sources:
    """Turns references into pinned sources.  Safe to use from several threads."""

    def __init__(
        self,
        cache_dir: str,
        client: Downloader,
        git: Git,
        *,
        limits: Limits = DEFAULT,
        reporter: Reporter = SILENT,
    ) -> None:
        self._folder = os.path.join(cache_dir, "archives-v1")
        self._client = client
        self._git = git
        self._limits = limits
        self._reporter = reporter

    def open(
        self, reference: Reference, *, size: int | None = None, commit: str | None = None
    ) -> DirectorySource | ArchiveSource | GitSource | WheelSource:
        """Fetch what ``reference`` names and pin it: :meth:`open_wheel` for a wheel, else :meth:`open_source`."""
        if reference.kind == "wheel":
            return self.open_wheel(reference, size=size)
        return self.open_source(reference, size=size, commit=commit)

    def open_source(
        self, reference: Reference, *, size: int | None = None, commit: str | None = None
    ) -> DirectorySource | ArchiveSource | GitSource:
        """Fetch the source tree ``reference`` names and pin it.

        A lock gives ``size`` in bytes, which is checked, and ``commit``, which is taken instead of asking what the
        revision means now; it is fetched when the source is built, unless what it builds to is cached.

        Raises BuildError: ``archive-kind-unknown``, ``archive-hash-mismatch``, ``archive-not-cached`` (offline),
        those of :class:`~accord.build.git.Git`; and the client's own errors.
        """
        if reference.kind == "git":
            return GitSource(reference, commit or self._git.resolve(reference), self._git)
        if reference.kind == "directory":
            return DirectorySource(reference)
        return ArchiveSource(reference, *self._file(reference, size))

    def open_wheel(self, reference: Reference, *, size: int | None = None) -> WheelSource:
        """Fetch the wheel ``reference`` names and read it.

        Raises as :meth:`open_source`, BuildError ``build-metadata-mismatch`` when it is another project's, and ArchiveError
        for an unsound wheel.
        """
        path, sha256, size = self._file(reference, size)
        facts = read_wheel(path)
        if reference.name not in (None, facts.name):
            raise BuildError(
                "build-metadata-mismatch",
                f"{reference} is {facts.name}, not {reference.name}",
                hint=f"write {facts.name} @ …, or name the right file",
            )
        return WheelSource(
            reference,
            path,
            sha256,
            size,
            name=facts.name,
            version=facts.version,
            tags=facts.filename.tags,
            metadata=facts.metadata,
        )

    def _file(self, reference: Reference, size: int | None) -> tuple[str, str, int]:
        """The archive's path on this disk, its sha256 and its size in bytes."""
        if reference.path is not None:
            _check_hashes(reference, reference.path)
        found = describe(reference.path or self._fetched(reference, size))
        return found.path, found.sha256, found.size

    def _fetched(self, reference: Reference, size: int | None) -> str:
        """The archive behind a URL, kept by its sha256; only one whose sha256 is known is not asked for again."""
        hashes = dict(reference.hashes)
        known = hashes.get("sha256") or (self._remembered(reference) if self._client.offline else None)
        if known:
            kept = self._kept(known)
            if kept is not None:
                return kept
        if self._client.offline:
            raise BuildError(
                "archive-not-cached",
                f"{reference} is not in the cache, and Accord is offline",
                hint="run once without --offline",
            )
        os.makedirs(self._folder, exist_ok=True)
        task = self._reporter.start(f"Fetching {reference}", size, "B")
        try:
            with scratch_folder(".new-", self._folder) as scratch:
                path = self._client.download(
                    reference.url,
                    scratch,
                    hashes=hashes,
                    size=size,
                    progress=lambda amount: self._reporter.advance(task, amount),
                )
                return self._keep(reference, path)
        finally:
            self._reporter.finish(task)

    def _keep(self, reference: Reference, path: str) -> str:
        name = os.path.basename(path)
        if reference.kind == "archive":
            name = _named_by_content(path, name, str(reference))
        digest = describe(path).sha256
        folder = os.path.join(self._folder, digest)
        os.makedirs(folder, exist_ok=True)
        os.replace(path, os.path.join(folder, name))
        write_atomic(self._pointer(reference), digest.encode())
        return os.path.join(folder, name)

    def _kept(self, digest: str) -> str | None:
        folder = os.path.join(self._folder, digest)
        try:
            names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
        except OSError:
            return None
        paths = [os.path.join(folder, name) for name in names]
        return next((path for path in paths if describe(path).sha256 == digest), None)

    def _pointer(self, reference: Reference) -> str:
        return os.path.join(
            self._folder, f"url-{hashlib.sha256(reference.identity.encode()).hexdigest()[:32]}"
        )

    def _remembered(self, reference: Reference) -> str | None:
        try:
            with open(self._pointer(reference), encoding="ascii") as file:
                digest = file.read(65)
        except (OSError, UnicodeDecodeError):
            return None
        return digest if len(digest) == 64 and digest.isalnum() else None


def below(tree: str, subdirectory: str | None, label: str) -> str:
    """The folder ``subdirectory`` of ``tree``; BuildError ``subdirectory-missing`` if it is none, or leads out."""
    if subdirectory is None:
        return tree
    root = os.path.realpath(tree)
    path = os.path.realpath(os.path.join(root, subdirectory))
    if not path.startswith(root + os.sep) or not os.path.isdir(path):
        raise BuildError(
            "subdirectory-missing",
            f"{label}: there is no folder {subdirectory!r} in it",
            hint="check #subdirectory=…",
        )
    return path


def _pkg_info(path: str) -> bytes | None:
    try:
        return pkg_info(path)
    except ArchiveError as error:
        if error.code == "sdist-metadata-missing":
            return None
        raise


def _named_by_content(path: str, name: str, label: str) -> str:
    """A file name whose ending says what the bytes are: URLs of archives often end in something else."""
    with open(path, "rb") as file:
        head = file.read(_CHUNK)
    if head.startswith(b"\x1f\x8b"):
        return name if name.endswith((".tar.gz", ".tgz")) else f"{name}.tar.gz"
    if head == b"PK\x03\x04":
        return name if name.endswith(".zip") else f"{name}.zip"
    raise BuildError(
        "archive-kind-unknown",
        f"{label} is neither a .tar.gz nor a .zip archive",
        hint="check that the URL leads to the archive and not to a page about it",
    )


def _check_hashes(reference: Reference, path: str) -> None:
    for algorithm, expected in reference.hashes:
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, algorithm).hexdigest()
        if found != expected:
            raise BuildError(
                "archive-hash-mismatch",
                f"{reference} is not the file that was meant",
                context=(f"expected {algorithm} {expected}", f"found    {algorithm} {found}"),
                hint="find out why it changed before you change the hash",
            )


def _archive_url(reference: Reference, sha256: str) -> dict[str, Any]:
    # "hash" is the older spelling of "hashes"; PEP 610's successor asks tools to write both.
    hashes: Mapping[str, str] = {**dict(reference.hashes), "sha256": sha256}
    info = {"hash": f"sha256={sha256}", "hashes": dict(sorted(hashes.items()))}
    return _with_subdirectory({"url": public_url(reference.url), "archive_info": info}, reference)


def _archive_entry(reference: Reference, sha256: str, size: int, base: str) -> Archive:
    return Archive(
        url=None if reference.path else public_url(reference.url),
        path=_relative(reference.path, base) if reference.path else None,
        size=size,
        hashes={**dict(reference.hashes), "sha256": sha256},
        subdirectory=reference.subdirectory,
    )


def _with_subdirectory(record: dict[str, Any], reference: Reference) -> dict[str, Any]:
    return {**record, "subdirectory": reference.subdirectory} if reference.subdirectory else record


def _relative(path: str, base: str) -> str:
    relative = os.path.relpath(path, base).replace(os.sep, "/")
    return relative if relative.startswith("../") or relative == "." else f"./{relative}"
