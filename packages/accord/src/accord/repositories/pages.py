"""Pages of projects, from the shelf or from the repository that owns them, compiled for one target (hot).

Knows the shelf and repositories by their port; must not know the solver, threads or metadata.  Safe to use from any
thread, because it changes nothing but the shelf's queue.

Reading pages is most of a cold resolve and holds the interpreter lock, so copies of this process make the studies of
pages, on whatever processors there are, and a page that comes compressed is not even opened in this one
(``docs/decisions/0013-cold-resolve.md``).
"""

from __future__ import annotations

from accord.repositories.candidates import Target, Warm, compile_page
from accord.repositories.groups import Groups, kept_page, opened_page, read_page
from accord.repositories.shelf import PageRow, Shelf
from accord.repositories.study import Study, make_study, universe_of
from accord_core.errors import RepositoryError
from accord_core.index.model import Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.io.forks import Forks
    from accord.repositories.groups import Status
    from accord.repositories.merged import Sources
    from accord.repositories.policy import Policy
    from accord.repositories.port import RawPage, Repository
    from accord_core.index.model import File
    from accord_core.resolve.universe import Universe

__all__ = ["Loaded", "Pages"]

_OPEN_PAGES = 32  # pages whose files are at hand at a time; a large one takes some megabytes


class Loaded:
    """One project as loaded: its universe, its warm record and where both came from.

    ``files``: of some versions, each with its compressed tag set (None: an sdist); ``groups``: of all, while at hand.
    """

    __slots__ = ("digest", "files", "groups", "repository", "universe", "warm")

    def __init__(
        self,
        universe: Universe,
        warm: Warm,
        repository: Repository | None,
        digest: bytes,
        groups: Groups | None,
    ) -> None:
        self.universe = universe
        self.warm = warm
        self.repository = repository
        self.digest = digest
        self.groups = groups
        self.files: dict[str, list[tuple[File, str | None]]] = {}


class Pages:
    """``offline`` takes pages as they are on the shelf, however old; ``refresh`` takes none of them; ``now`` is in unix
    seconds.  ``requests`` counts the questions asked of repositories."""

    __slots__ = (
        "_forks",
        "_now",
        "_offline",
        "_open",
        "_policy",
        "_refresh",
        "_shelf",
        "_sources",
        "_target",
        "requests",
    )

    def __init__(
        self,
        shelf: Shelf,
        sources: Sources,
        target: Target,
        policy: Policy,
        *,
        now: float,
        offline: bool,
        refresh: bool,
    ) -> None:
        self._shelf = shelf
        self._sources = sources
        self._target = target
        self._policy = policy
        self._now = now
        self._offline = offline
        self._refresh = refresh
        self._forks: Forks | None = None
        self._open: list[Loaded] = []
        self.requests = 0

    def start(self) -> None:
        """Make ready to ask for many pages: before any thread is started."""
        from accord.io.forks import Forks

        def prepare() -> None:
            import accord.repositories.decode  # noqa: F401

        self._forks = Forks(self._study_kept, prepare=prepare)
        self._forks.start()

    def stop(self, *, at_once: bool = False) -> None:
        """No page will be asked for any more."""
        if self._forks is not None:
            self._forks.close(at_once=at_once)
            self._forks = None

    def from_shelf(self, project: str) -> Loaded | None:
        """The project if every source that must be asked for it is on the shelf and fresh, else None."""
        for repository in self._sources.order(project):
            found = self._shelf.page_and_warm(repository.key, project, self._target.identity)
            if found is None:
                return None
            row, record = found
            fresh = row.expires > self._now and not self._refresh
            if repository.local or not (fresh or self._offline):
                return None
            if row.digest is None:
                continue
            if record is None or self._sources.overlay(project):
                return None
            warm = _unpacked(record)
            if warm is None:
                return None
            return self._made(project, warm, repository, row.digest)
        return None

    def ask(self, project: str, specifier: str = "") -> Loaded:
        """Ask the repositories in order; the first that has the project owns it.  The files of the version that whoever
        needs ``specifier`` would most likely get are then at hand."""
        overlay = self._sources.overlay(project)
        for repository in self._sources.order(project):
            row = self._shelf.page(repository.key, project)
            study: Study | None = None
            if (
                row is None
                or repository.local
                or self._refresh
                or (row.expires <= self._now and not self._offline)
            ):
                row, study = self._renew(repository, project, row, specifier)
            if row.digest is None:
                continue
            if overlay:
                joined = self._joined(project, repository, row, overlay)
                if joined is None:  # what was kept is lost
                    row, study = self._renew(repository, project, None, specifier)
                    joined = self._joined(project, repository, row, overlay)
                if joined is None:
                    continue
                return joined
            if study is None:
                # The page is what it was, so what was made of it still holds.
                assert row.digest is not None
                found = self._shelf.page_and_warm(repository.key, project, self._target.identity)
                warm = None if found is None else _unpacked(found[1])
                if warm is not None:
                    return self._made(project, warm, repository, row.digest)
                study = self._again(repository.key, project, row.digest, specifier)
            if study is None:
                row, study = self._renew(repository, project, None, specifier)
            if row.digest is None or study is None:
                continue
            return self._learnt(project, repository, row.digest, study)
        groups = Groups(project, overlay)
        return self._made(project, compile_page(groups, self._target)[0], None, b"", groups)

    def files(self, loaded: Loaded, version: str) -> list[tuple[File, str | None]]:
        """The files of a version, in the order of the page, each with its compressed tag set; None for an sdist.

        Raises RepositoryError ``catalogue-damaged``.
        """
        found = loaded.files.get(version)
        return self.groups(loaded).tagged(version) if found is None else found

    def groups(self, loaded: Loaded) -> Groups:
        """The files of a loaded project.  Raises RepositoryError ``catalogue-damaged``."""
        groups = loaded.groups  # another thread may let go of them meanwhile
        if groups is None:
            assert loaded.repository is not None
            project = loaded.universe.project
            groups = self._kept(loaded.repository.key, project, loaded.digest)
            if groups is None:
                groups = self._found_again(loaded.repository, project)
            loaded.groups = groups
            self._open.append(loaded)
            if len(self._open) > _OPEN_PAGES:
                self._open.pop(0).groups = None
        return groups

    def _found_again(self, repository: Repository, project: str) -> Groups:
        """The files of a page that is lost, or that another accord has just replaced: asked for once more."""
        page = None
        if not self._offline or repository.local:
            self.requests += 1
            answer = repository.page(project, None, None)
            page = answer.raw or answer.page
        if page is None:
            raise RepositoryError(
                "catalogue-damaged",
                f"the catalogue lost the page of {project}",
                hint="run the command again with --refresh, or accord cache clean",
            )
        return read_page(project, page)[0]

    # ------------------------------------------------------------ asking and studying

    def _renew(
        self, repository: Repository, project: str, row: PageRow | None, specifier: str
    ) -> tuple[PageRow, Study | None]:
        """Ask for a page: what is known of it now, and its study unless it is the page we have."""
        self.requests += 1
        if row is None or row.digest is None:
            answer = repository.page(project, None, None)
        else:
            answer = repository.page(project, row.etag, row.modified)
        if answer.state == "unchanged" and row is not None:
            row.expires = answer.expires
            self._shelf.touch(repository.key, project, answer.expires)
            return row, None
        page = answer.raw or answer.page
        if page is None:
            row = PageRow(None, None, answer.expires, None)
            self._shelf.put_page(repository.key, project, row)
            return row, None
        digest, study = self._study(repository.key, project, specifier, page)
        row = PageRow(answer.etag, answer.last_modified, answer.expires, digest, *study.warm.status)
        self._shelf.put_page(repository.key, project, row)
        return row, study

    def _study(self, key: str, project: str, specifier: str, page: RawPage | Page) -> tuple[bytes, Study]:
        """Study a page that has just come, and keep it; its digest as kept, and the study."""
        found = None
        if self._forks is not None and not isinstance(page, Page):
            blob = kept_page(page)
            found = self._elsewhere(key, project, specifier, blob, page.most)
        if found is None:
            groups, status = read_page(project, page, hold=True)
            made = make_study(project, specifier, groups, status, self._target, self._policy)
            blob = kept_page(page)  # now that it can be read; it may have been asked for once more
            found = _digest(blob), self._shelf.keep(key, project, blob), made
        digest, kept, made = found
        if not kept:
            self._shelf.remember(key, project, blob)
        return digest, made

    def _study_kept(
        self, key: str, project: str, specifier: str, blob: bytes, most: int
    ) -> tuple[bytes, bool, tuple[object, ...]]:
        """The same of a page as kept, in a copy of this process: as values."""
        groups, status = opened_page(project, blob, most, hold=True)
        made = make_study(project, specifier, groups, status, self._target, self._policy)
        return _digest(blob), self._shelf.keep(key, project, blob), made.as_value()

    def _again(self, key: str, project: str, digest: bytes, specifier: str) -> Study | None:
        """The study of a page that was kept for another target; None where it cannot be read."""
        blob = self._shelf.kept(key, project, digest)
        if blob is None:
            return None
        studied = self._elsewhere(key, project, specifier, blob, 0)
        if studied is not None:
            return studied[2]
        found = _opened(project, blob)
        if found is None:
            return None
        return make_study(project, specifier, *found, self._target, self._policy)

    def _elsewhere(
        self, key: str, project: str, specifier: str, blob: bytes, most: int
    ) -> tuple[bytes, bool, Study] | None:
        """What :meth:`_study_kept` makes in a copy of this process; None where there is none, or it failed."""
        answer: Any = None if self._forks is None else self._forks.call(key, project, specifier, blob, most)
        if answer is None:
            return None
        digest, kept, value = answer
        return digest, kept, Study.of_value(*value)

    def _kept(self, key: str, project: str, digest: bytes) -> Groups | None:
        """The page on the shelf; None where there is none that can be read."""
        blob = self._shelf.kept(key, project, digest)
        found = None if blob is None else _opened(project, blob)
        return None if found is None else found[0]

    # ------------------------------------------------------------ what is made of it

    def _made(
        self,
        project: str,
        warm: Warm,
        repository: Repository | None,
        digest: bytes,
        groups: Groups | None = None,
    ) -> Loaded:
        loaded = Loaded(universe_of(project, warm, repository), warm, repository, digest, groups)
        loaded.universe.eligible = self._policy.eligible(
            loaded.universe, warm, self._target, lambda: self.groups(loaded)
        )
        return loaded

    def _learnt(self, project: str, repository: Repository, digest: bytes, study: Study) -> Loaded:
        study.warm.grown = True
        universe = universe_of(project, study.warm, repository, study.keys)
        universe.eligible = study.eligible
        loaded = Loaded(universe, study.warm, repository, digest, None)
        if study.version:
            loaded.files[study.version] = study.files
        return loaded

    def _joined(
        self, project: str, repository: Repository, row: PageRow, overlay: tuple[File, ...]
    ) -> Loaded | None:
        """The page of the owner and the person's own files, of which nothing is remembered; None without the page."""
        groups = None if row.digest is None else self._kept(repository.key, project, row.digest)
        if groups is None:
            return None
        groups = groups.with_files(overlay)
        warm, _ = compile_page(groups, self._target, (row.status, row.reason))
        return self._made(project, warm, repository, b"", groups)


def _digest(blob: bytes) -> bytes:
    from hashlib import sha256

    return sha256(blob).digest()


def _opened(project: str, blob: bytes) -> tuple[Groups, Status] | None:
    from accord.io.http.wire import ProtocolError

    try:
        return opened_page(project, blob)
    except (ValueError, EOFError, TypeError, ProtocolError):
        return None


def _unpacked(record: bytes | None) -> Warm | None:
    if record is None:
        return None
    try:
        return Warm.unpack(record)
    except (ValueError, EOFError, TypeError):
        return None
