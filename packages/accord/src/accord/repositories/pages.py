"""Pages of projects, from the shelf or from the repository that owns them, compiled for one target (hot).

Knows the shelf and repositories by their port; must not know the solver, threads or metadata.  Safe to use from any
thread, because it changes nothing but the shelf's queue.
"""

from __future__ import annotations

from accord.repositories.candidates import Target, Warm, compile_page
from accord.repositories.groups import Groups, group, kept_page, opened_page
from accord.repositories.shelf import PageRow, Shelf
from accord_core.errors import RepositoryError
from accord_core.resolve.universe import Universe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.repositories.merged import Sources
    from accord.repositories.policy import Policy
    from accord.repositories.port import Repository
    from accord_core.index.model import File

__all__ = ["Loaded", "Pages"]

_OPEN_PAGES = 32  # pages whose files are at hand at a time; a large one takes some megabytes


class Loaded:
    """One project as loaded: its universe, its warm record and where both came from."""

    __slots__ = ("digest", "groups", "repository", "universe", "warm")

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


class Pages:
    """``offline`` takes pages as they are on the shelf, however old; ``refresh`` takes none of them; ``now`` is in unix
    seconds.  ``requests`` counts the questions asked of repositories."""

    __slots__ = (
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
        self._open: list[Loaded] = []
        self.requests = 0

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
            return self.made(project, warm, repository, row.digest, None)
        return None

    def made(
        self, project: str, warm: Warm, repository: Repository | None, digest: bytes, groups: Groups | None
    ) -> Loaded:
        universe = Universe(
            project,
            warm.versions,
            source="" if repository is None else repository.key,
            spellings=warm.spellings,
            masks=warm.masks,
            missing=None if warm.versions else ("unknown" if repository is None else "empty"),
        )
        loaded = Loaded(universe, warm, repository, digest, groups)
        universe.eligible = self._policy.eligible(universe, warm, self._target, lambda: self.groups(loaded))
        return loaded

    def ask(self, project: str) -> Loaded:
        """Ask the repositories in order; the first that has the project owns it."""
        overlay = self._sources.overlay(project)
        for repository in self._sources.order(project):
            row = self._shelf.page(repository.key, project)
            groups: Groups | None = None
            if (
                row is None
                or repository.local
                or self._refresh
                or (row.expires <= self._now and not self._offline)
            ):
                row, groups = self._renew(repository, project, row)
            if row.digest is None:
                continue
            if groups is None and not overlay:
                # The page is what it was, so what was made of it still holds.
                found = self._shelf.page_and_warm(repository.key, project, self._target.identity)
                warm = None if found is None else _unpacked(found[1])
                if warm is not None:
                    return self.made(project, warm, repository, row.digest, None)
            if groups is None:
                groups = self._kept(repository, project)
            if groups is None:
                row, groups = self._renew(repository, project, None)
                if row.digest is None or groups is None:
                    continue
            return self._compiled(project, repository, row, groups, overlay)
        groups = group(project, overlay)
        return self.made(project, compile_page(groups, self._target), None, b"", groups)

    def _renew(
        self, repository: Repository, project: str, row: PageRow | None
    ) -> tuple[PageRow, Groups | None]:
        self.requests += 1
        if row is None or row.digest is None:
            answer = repository.page(project, None, None)
        else:
            answer = repository.page(project, row.etag, row.modified)
        if answer.state == "unchanged" and row is not None:
            row.expires = answer.expires
            self._shelf.touch(repository.key, project, answer.expires)
            return row, None
        raw = answer.raw
        if raw is not None:
            from accord.repositories.decode import read

            page = read(raw)
            groups, status = group(project, page.entries, page.make), page.status
        elif answer.page is not None:
            groups = group(project, answer.page.files)
            status = answer.page.status, answer.page.status_reason
        else:
            row = PageRow(None, None, answer.expires, None)
            self._shelf.put_page(repository.key, project, row, None)
            return row, None
        from hashlib import sha256

        blob = kept_page(raw, groups)
        row = PageRow(answer.etag, answer.last_modified, answer.expires, sha256(blob).digest(), *status)
        self._shelf.put_page(repository.key, project, row, blob)
        return row, groups

    def _compiled(
        self, project: str, repository: Repository, row: PageRow, groups: Groups, overlay: tuple[File, ...]
    ) -> Loaded:
        assert row.digest is not None
        if overlay:
            groups = groups.with_files(project, overlay)
        warm = compile_page(groups, self._target, (row.status, row.reason))
        warm.grown = not overlay
        return self.made(project, warm, repository, b"" if overlay else row.digest, groups)

    def groups(self, loaded: Loaded) -> Groups:
        """The files of a loaded project.  Raises RepositoryError ``catalogue-damaged``."""
        groups = loaded.groups  # another thread may let go of them meanwhile
        if groups is None:
            groups = self._opened(loaded)
        if groups is None:
            raise RepositoryError(
                "catalogue-damaged",
                f"the catalogue lost the page of {loaded.universe.project}",
                hint="run the command again with --refresh, or accord cache clean",
            )
        return groups

    def _opened(self, loaded: Loaded) -> Groups | None:
        """The groups of a page that was let go, opened again; only the last few stay open."""
        assert loaded.repository is not None
        groups = loaded.groups = self._kept(loaded.repository, loaded.universe.project)
        self._open.append(loaded)
        if len(self._open) > _OPEN_PAGES:
            self._open.pop(0).groups = None
        return groups

    def _kept(self, repository: Repository, project: str) -> Groups | None:
        """The page on the shelf; None where there is none that can be read."""
        blob = self._shelf.groups(repository.key, project)
        if blob is None:
            return None
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
