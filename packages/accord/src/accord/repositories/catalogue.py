"""The catalogue: the solver's provider over repositories (hot).

May know repositories by their port, candidates, the shelf; must not know how a page is fetched, how metadata is built
from an sdist, or where anything is installed.  Two ways lead to an answer:

* **warm**: the shelf has the page, still fresh (or the run is offline), compiled for this target: one row, no parsing,
  no threads, and nothing but this module and SQLite is imported;
* **cold**: the first miss starts a pool and a *crawl*.  A worker that has a page picks the version the solver would
  most likely choose, reads its metadata and sends further workers to the pages that it needs, so that by the time the
  solver asks, the answer is there.  What the solver decides never depends on what arrived first.
"""

from __future__ import annotations

import marshal
from _thread import allocate_lock

from accord.repositories.candidates import Groups, Target, Warm, compile_page, decide, file_of, group, older
from accord.repositories.shelf import PageRow, Shelf
from accord_core.errors import AccordError, RepositoryError
from accord_core.resolve.port import Unusable
from accord_core.resolve.universe import Universe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future, ThreadPoolExecutor

    from accord.io.reporting import Reporter
    from accord.repositories.candidates import Needs, Row
    from accord.repositories.merged import Sources
    from accord.repositories.port import Repository
    from accord_core.index.model import File
    from accord_core.resolve.port import Dependency

__all__ = ["Catalogue", "Direct", "Policy"]

_READ_AHEAD_AT = frozenset((5, 10, 20, 40, 60, 80, 100))  # versions tried before as many more are read ahead
_WORKERS = 24  # enough to hide a slow index, few enough that the solver's thread gets its turn


class Policy:
    """What may be chosen, fixed before solving.

    ``prerelease`` is the mode, ``prerelease_names`` the projects whose first-party specifiers name a pre-release.
    ``pins`` maps a project to the exact specifiers asked for it, which admit a yanked version (PEP 592).  ``cutoff``
    gives the instant from which uploads are not seen.  ``prefer`` maps a project to the version to try first.
    """

    __slots__ = (
        "cutoff",
        "may_build",
        "may_use_wheel",
        "pins",
        "prefer",
        "prerelease",
        "prerelease_names",
        "strategy",
    )

    def __init__(
        self,
        *,
        prerelease: str = "if-necessary-or-explicit",
        prerelease_names: frozenset[str] = frozenset(),
        pins: Mapping[str, tuple[str, ...]] | None = None,
        cutoff: Callable[[str], str | None] = lambda project: None,
        may_build: Callable[[str], bool] = lambda project: True,
        may_use_wheel: Callable[[str], bool] = lambda project: True,
        prefer: Mapping[str, str] | None = None,
        strategy: str = "highest",
    ) -> None:
        self.prerelease = prerelease
        self.prerelease_names = prerelease_names
        self.pins = pins or {}
        self.cutoff = cutoff
        self.may_build = may_build
        self.may_use_wheel = may_use_wheel
        self.prefer = prefer or {}
        self.strategy = strategy


class Direct:
    """A candidate given by URL, path or VCS reference: a universe of one, its needs known beforehand."""

    __slots__ = ("needs", "project", "url", "version")

    def __init__(self, project: str, version: str, url: str, needs: Needs) -> None:
        self.project = project
        self.version = version
        self.url = url
        self.needs = needs


class _Loaded:
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


class Catalogue:
    """Implements :class:`accord_core.resolve.port.Provider`.

    ``sdist_metadata`` is asked for the METADATA of an sdist that does not state it; it may build and may raise
    AccordError, which makes that version unusable.  ``now`` is the time in unix seconds.  ``offline`` takes pages as
    they are on the shelf, however old, and never asks a repository that is not local.
    """

    def __init__(
        self,
        shelf: Shelf,
        sources: Sources,
        target: Target,
        policy: Policy,
        *,
        now: float,
        reporter: Reporter,
        offline: bool = False,
        refresh: bool = False,
        direct: Mapping[str, Direct] | None = None,
        overrides: Mapping[str, tuple[tuple[str, tuple[str, ...], str], ...]] | None = None,
        excludes: frozenset[str] = frozenset(),
        no_deps: bool = False,
        sdist_metadata: Callable[[Repository, File], bytes] | None = None,
    ) -> None:
        self._shelf = shelf
        self._sources = sources
        self._target = target
        self._policy = policy
        self._now = now
        self._reporter = reporter
        self._offline = offline
        self._refresh = refresh
        self._direct = direct or {}
        self._overrides = overrides or {}
        self._excludes = excludes
        self._no_deps = no_deps
        self._sdist_metadata = sdist_metadata
        self._lock = allocate_lock()
        self._pool: ThreadPoolExecutor | None = None
        self._pages: dict[str, Future[_Loaded]] = {}
        self._needs: dict[tuple[str, str], Future[Needs | tuple[str, str]]] = {}
        self._loaded: dict[str, _Loaded] = {}
        self._hints: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._task = 0
        self.requests = 0

    # ------------------------------------------------------------ the provider's port

    def universe(self, project: str) -> Universe:
        return self._load(project).universe

    def dependencies(self, universe: Universe, index: int) -> Needs | Unusable:
        project, version = universe.project, universe.versions[index]
        if universe.direct is not None:
            needs: Needs | tuple[str, str] = self._direct[project].needs
        else:
            needs = self._needs_of(project, version)
        if isinstance(needs, tuple):
            return Unusable(needs[0], needs[1])
        if self._no_deps:
            return {"": ()}
        if self._overrides or self._excludes:
            needs = self._edited(needs)
        for dependency in needs.get("", ()):
            self.expect(*dependency)
        return needs

    def known(self, universe: Universe) -> tuple[int, ...]:
        if universe.direct is not None:
            return ()
        needs = self._loaded[universe.project].warm.needs
        index = {version: place for place, version in enumerate(universe.versions)}
        return tuple(index[version] for version in needs if version in index)

    def prefer(self, universe: Universe, allowed: int) -> int | None:
        wanted = self._policy.prefer.get(universe.project)
        return None if wanted is None else universe.index(wanted)

    def tried(self, universe: Universe, allowed: int, count: int) -> None:
        """Read ahead when a project is tried again and again: the next versions, more of them each time."""
        if self._pool is None or universe.direct is not None or count not in _READ_AHEAD_AT:
            return
        bits = allowed & (universe.absent - 1)
        for _ in range(count):
            if not bits:
                return
            index = (
                (bits & -bits).bit_length() - 1
                if self._policy.strategy == "lowest"
                else bits.bit_length() - 1
            )
            bits &= ~(1 << index)
            self._fetch_needs(universe.project, universe.versions[index], (), self._loaded[universe.project])

    # ------------------------------------------------------------ beyond solving

    def expect(self, project: str, extras: tuple[str, ...] = (), specifier: str = "") -> None:
        """A hint that ``project`` will be asked for.  Never blocks; starts nothing while all is warm."""
        if project in self._direct or project in self._loaded:
            return
        if self._pool is None:
            self._hints.setdefault(project, (specifier, extras))
        else:
            self._crawl(project, specifier, extras)

    def files(self, project: str, version: str) -> list[File]:
        """The files of a version on the page of its owner, those after the cutoff left out."""
        loaded = self._load(project)
        cutoff = self._policy.cutoff(project)
        rows = self._groups(loaded).rows(version)
        return [file_of(row) for row in rows if cutoff is None or older(row, cutoff)]

    def owner(self, project: str) -> Repository | None:
        """The repository that owns ``project``; None for a direct reference or a project nobody has."""
        return self._load(project).repository

    def status(self, project: str) -> tuple[str, str | None]:
        """Project status and its reason (PEP 792)."""
        return self._load(project).warm.status

    def yanked(self, project: str, version: str) -> str | None:
        """The reason (perhaps empty) when every file of a chosen version is yanked, else None."""
        rows = self._groups(self._load(project)).rows(version)
        if rows and all(row[4] for row in rows):
            return rows[0][5] or ""
        return None

    def is_yanked(self, project: str, index: int) -> bool:
        return bool(self._load(project).warm.yanked >> index & 1)

    def metadata_digest(self, project: str, version: str) -> tuple[str, str] | None:
        """``(file name, sha256 of METADATA)`` on which the answer for a version rests; checked again at install."""
        repository = self._load(project).repository
        if repository is None:
            return None
        row = self._shelf.metadata(repository.key, project, version)
        return None if row is None else (row[0], row[1])

    def reason(self, universe: Universe, mask: int) -> tuple[str, str]:
        """Why the versions in ``mask`` are not eligible: a stable code, and a clause after "x 1.0 …"."""
        loaded = self._load(universe.project)
        warm, policy, project = loaded.warm, self._policy, universe.project
        if warm.status[0] == "quarantined":
            return "project-quarantined", "is quarantined by its index" + (
                f": {warm.status[1]}" if warm.status[1] else ""
            )
        usable = self._usable(project, warm)
        if not mask & usable:
            return self._unusable_reason(loaded, universe, mask)
        cutoff = policy.cutoff(project)
        if cutoff is not None:
            seen = compile_page(self._groups(loaded), self._target, cutoff=cutoff)
            if not mask & (seen.wheels | seen.sdists):
                return "excluded-newer", f"was uploaded at or after {cutoff}, or does not say when"
        if not mask & usable & ~warm.yanked:
            return "only-yanked", "is yanked" + self._yank_words(loaded, universe, mask)
        return "only-prereleases", "is a pre-release"

    def close(self) -> None:
        """Stop the workers and remember what was learnt."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._reporter.finish(self._task)
            for project, page in self._pages.items():
                if page.done() and not page.cancelled() and page.exception() is None:
                    self._loaded.setdefault(project, page.result())
            self._pool = None
        for project, loaded in self._loaded.items():
            warm = loaded.warm
            if loaded.repository is not None and (warm.grown or loaded.universe.grown):
                self._shelf.put_warm(
                    loaded.repository.key, project, self._target.identity, loaded.digest, warm.pack()
                )
        self._shelf.flush()

    # ------------------------------------------------------------ loading pages

    def _load(self, project: str) -> _Loaded:
        loaded = self._loaded.get(project)
        if loaded is not None:
            return loaded
        direct = self._direct.get(project)
        if direct is not None:
            universe = Universe(project, (direct.version,), direct=direct.url)
            loaded = _Loaded(universe, Warm((direct.version,), {}, 1, 0, 0, 0, {}, {}), None, b"", Groups({}))
        else:
            if self._pool is None:
                loaded = self._from_shelf(project)
            if loaded is None:
                self._start()
                specifier, extras = self._hints.get(project, ("", ()))
                loaded = self._crawl(project, specifier, extras).result()
        self._loaded[project] = loaded
        return loaded

    def _from_shelf(self, project: str) -> _Loaded | None:
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
            try:
                warm = Warm.unpack(record)
            except (ValueError, EOFError, TypeError):
                return None
            return self._made(project, warm, repository, row.digest, None)
        return None

    def _made(
        self, project: str, warm: Warm, repository: Repository | None, digest: bytes, groups: Groups | None
    ) -> _Loaded:
        universe = Universe(
            project,
            warm.versions,
            source="" if repository is None else repository.key,
            spellings=warm.spellings,
            masks=warm.masks,
            missing=None if warm.versions else ("unknown" if repository is None else "empty"),
        )
        loaded = _Loaded(universe, warm, repository, digest, groups)
        universe.eligible = self._eligible(loaded)
        return loaded

    def _start(self) -> None:
        from concurrent.futures import ThreadPoolExecutor

        if self._pool is None:
            self._task = self._reporter.start("reading the index", None, "projects")
            self._pool = ThreadPoolExecutor(_WORKERS, "catalogue")
            for project, (specifier, extras) in self._hints.items():
                if project not in self._loaded:
                    self._crawl(project, specifier, extras)

    def _crawl(self, project: str, specifier: str, extras: tuple[str, ...]) -> Future[_Loaded]:
        assert self._pool is not None
        with self._lock:
            page = self._pages.get(project)
            if page is None:
                page = self._pages[project] = self._pool.submit(self._fetch_page, project, specifier, extras)
        return page

    def _fetch_page(self, project: str, specifier: str, extras: tuple[str, ...]) -> _Loaded:
        """In a worker: the page, then what the likeliest version needs, then hints for that."""
        loaded = self._from_shelf(project) or self._ask(project)
        self._reporter.advance(self._task, 1)
        try:
            universe = loaded.universe
            allowed = universe.mask(specifier) & universe.eligible
            preferred = self.prefer(universe, allowed)
            if allowed:
                if preferred is not None and allowed >> preferred & 1:
                    index = preferred
                elif self._policy.strategy == "lowest":
                    index = (allowed & -allowed).bit_length() - 1
                else:
                    index = allowed.bit_length() - 1
                self._fetch_needs(project, universe.versions[index], extras, loaded)
        except (RuntimeError, ValueError):
            pass  # the pool is closing, or a specifier nobody can read: the solver will say so if it matters
        return loaded

    def _ask(self, project: str) -> _Loaded:
        """Ask the repositories in order; the first that has the project owns it."""
        overlay = self._sources.overlay(project)
        for repository in self._sources.order(project):
            row = self._shelf.page(repository.key, project)
            blob: bytes | None = None
            if (
                row is None
                or repository.local
                or self._refresh
                or (row.expires <= self._now and not self._offline)
            ):
                row, groups = self._renew(repository, project, row)
            else:
                groups = None
            if row.digest is None:
                continue
            if groups is None:
                blob = self._shelf.groups(repository.key, project)
                if blob is None:
                    raise RepositoryError("catalogue-damaged", f"the catalogue lost the page of {project}")
                groups = Groups.unpack(blob)
            return self._compiled(project, repository, row, groups, overlay)
        groups = group(project, overlay)
        return self._made(project, compile_page(groups, self._target), None, b"", groups)

    def _renew(
        self, repository: Repository, project: str, row: PageRow | None
    ) -> tuple[PageRow, Groups | None]:
        with self._lock:
            self.requests += 1
        if row is None or row.digest is None:
            answer = repository.page(project, None, None)
        else:
            answer = repository.page(project, row.etag, row.modified)
        if answer.state == "unchanged" and row is not None:
            row.expires = answer.expires
            self._shelf.touch(repository.key, project, answer.expires)
            return row, None
        if answer.page is None:
            row = PageRow(None, None, answer.expires, None)
            self._shelf.put_page(repository.key, project, row, None)
            return row, None
        from hashlib import sha256

        groups = group(project, answer.page.files)
        packed = groups.pack()
        digest = sha256(packed).digest()
        status, why = answer.page.status, answer.page.status_reason
        row = PageRow(answer.etag, answer.last_modified, answer.expires, digest, status, why)
        self._shelf.put_page(repository.key, project, row, packed)
        return row, groups

    def _compiled(
        self, project: str, repository: Repository, row: PageRow, groups: Groups, overlay: tuple[File, ...]
    ) -> _Loaded:
        """Compile a page, keeping the needs already decided for versions whose files are the same."""
        assert row.digest is not None
        if overlay:
            merged = [file for version in groups.versions() for file in groups.files(version)]
            groups = group(project, [*merged, *overlay])
        warm = compile_page(groups, self._target, (row.status, row.reason))
        warm.grown = not overlay
        return self._made(project, warm, repository, b"" if overlay else row.digest, groups)

    def _groups(self, loaded: _Loaded) -> Groups:
        if loaded.groups is None:
            assert loaded.repository is not None
            blob = self._shelf.groups(loaded.repository.key, loaded.universe.project)
            if blob is None:
                raise RepositoryError(
                    "catalogue-damaged",
                    f"the catalogue lost the page of {loaded.universe.project}",
                    hint="run the command again, or accord cache clean",
                )
            loaded.groups = Groups.unpack(blob)
        return loaded.groups

    # ------------------------------------------------------------ eligibility

    def _usable(self, project: str, warm: Warm) -> int:
        usable = warm.wheels if self._policy.may_use_wheel(project) else 0
        return usable | (warm.sdists if self._policy.may_build(project) else 0)

    def _eligible(self, loaded: _Loaded) -> int:
        warm, policy, project = loaded.warm, self._policy, loaded.universe.project
        if warm.status[0] == "quarantined":
            return 0
        cutoff = policy.cutoff(project)
        if cutoff is not None and warm.versions:
            warm = compile_page(self._groups(loaded), self._target, warm.status, cutoff)
        usable = self._usable(project, warm)
        yanked = warm.yanked
        if yanked:
            for specifier in policy.pins.get(project, ()):
                yanked &= ~loaded.universe.mask(specifier)
        usable &= ~yanked
        final = usable & ~warm.pre
        mode = policy.prerelease
        if mode == "allow" or (mode.endswith("explicit") and project in policy.prerelease_names):
            return usable
        if mode.startswith("if-necessary") and not final:
            return usable
        return final

    def _unusable_reason(self, loaded: _Loaded, universe: Universe, mask: int) -> tuple[str, str]:
        project = universe.project
        groups, wanted = self._groups(loaded), []
        rows = [
            row
            for index, version in enumerate(universe.versions)
            if mask >> index & 1
            for row in groups.rows(version)
        ]
        refused: list[Row] = []
        for row in rows:
            if not self._target.python_fits(row[3]):
                wanted.append(row[3])
            else:
                refused.append(row)
        python = self._target.markers["python_full_version"]
        if wanted and not refused:
            return (
                "requires-python",
                f"needs Python {' or '.join(dict.fromkeys(wanted[-3:]))}, and this is {python}",
            )
        if any(row[10] is None for row in refused) and not self._policy.may_build(project):
            return (
                "no-compatible-wheel",
                f"has no wheel for this Python ({python}), and building it is not allowed",
            )
        if all(row[10] is None for row in refused):
            return "no-compatible-wheel", "has only an sdist, and building is not allowed"
        tags = sorted({row[10] for row in refused if row[10]})
        some = ", ".join(tags[:3]) + (", …" if len(tags) > 3 else "")
        return (
            "no-compatible-wheel",
            f"has no wheel for this Python and platform (CPython {python}), only {some}",
        )

    def _yank_words(self, loaded: _Loaded, universe: Universe, mask: int) -> str:
        for index, version in enumerate(universe.versions):
            if mask >> index & 1:
                for row in self._groups(loaded).rows(version):
                    if row[4] and row[5]:
                        return f" ({row[5]})"
        return ""

    # ------------------------------------------------------------ metadata

    def _needs_of(self, project: str, version: str) -> Needs | tuple[str, str]:
        loaded = self._load(project)
        known = loaded.warm.needs.get(version)
        if known is None:
            if self._pool is not None:
                known = self._fetch_needs(project, version, (), loaded).result()
            else:
                known = self._from_metadata_row(loaded, version)
                if known is None:
                    self._start()
                    known = self._fetch_needs(project, version, (), loaded).result()
        return known

    def _fetch_needs(
        self, project: str, version: str, extras: tuple[str, ...], loaded: _Loaded
    ) -> Future[Needs | tuple[str, str]]:
        key = (project, version)
        with self._lock:
            needs = self._needs.get(key)
            if needs is None:
                assert self._pool is not None
                needs = self._needs[key] = self._pool.submit(
                    self._read_needs, project, version, extras, loaded
                )
        return needs

    def _read_needs(
        self, project: str, version: str, extras: tuple[str, ...], loaded: _Loaded
    ) -> Needs | tuple[str, str]:
        """In a worker: what a version needs, then hints for each of those."""
        known = loaded.warm.needs.get(version) or self._from_metadata_row(loaded, version)
        if known is None:
            known = self._ask_metadata(loaded, version)
        if isinstance(known, dict) and not self._no_deps:
            try:
                for key in ("", *extras):
                    for name, wanted, specifier in known.get(key, ()):
                        if (
                            name not in self._excludes
                            and name not in self._direct
                            and name not in self._loaded
                        ):
                            self._crawl(name, specifier, wanted)
            except RuntimeError:
                pass  # the pool is closing
        return known

    def _from_metadata_row(self, loaded: _Loaded, version: str) -> Needs | tuple[str, str] | None:
        repository, project = loaded.repository, loaded.universe.project
        if repository is None or repository.local:
            return None
        row = self._shelf.metadata(repository.key, project, version)
        if row is None or row[0] not in {known[0] for known in self._groups(loaded).rows(version)}:
            return None
        requirements, extras = marshal.loads(row[3])  # noqa: S302 - our own cache
        return self._decided(loaded, version, row[2], requirements, extras)

    def _decided(
        self, loaded: _Loaded, version: str, python: str | None, requirements: list[str], extras: list[str]
    ) -> Needs | tuple[str, str]:
        needs = decide(loaded.universe.project, python, requirements, extras, self._target)
        loaded.warm.needs[version] = needs
        loaded.warm.grown = True
        return needs

    def _ask_metadata(self, loaded: _Loaded, version: str) -> Needs | tuple[str, str]:
        from hashlib import sha256

        from accord_core.archive.metadata import parse_metadata

        project = loaded.universe.project
        file, is_sdist = self._best_file(loaded, version)
        repository = loaded.repository or self._sources.order(project)[0]
        with self._lock:
            self.requests += 1
        try:
            body = None if is_sdist else repository.metadata(file)
            if body is None:
                if self._sdist_metadata is None:
                    return ("build-not-allowed", "has only an sdist, and nothing here may build it")
                body = self._sdist_metadata(repository, file)
            found = parse_metadata(body)
        except AccordError as error:
            if error.code in _FATAL or isinstance(error, RepositoryError):
                raise
            return (error.code, f"cannot be used: {error.message}")
        except ValueError as error:
            return ("metadata-invalid", f"has metadata that cannot be read ({error})")
        if loaded.repository is not None:
            self._shelf.put_metadata(
                repository.key,
                project,
                version,
                file.filename,
                sha256(body).hexdigest(),
                found.requires_python,
                marshal.dumps((list(found.requires_dist), list(found.provides_extra))),
            )
        return self._decided(
            loaded, version, found.requires_python, found.requires_dist, found.provides_extra
        )

    def _best_file(self, loaded: _Loaded, version: str) -> tuple[File, bool]:
        """The file whose metadata stands for the version: the wheel the target would get, else the sdist."""
        project = loaded.universe.project
        cutoff = self._policy.cutoff(project)
        best: tuple[tuple[object, ...], Row] | None = None
        sdist: Row | None = None
        for row in self._groups(loaded).rows(version):
            if not self._target.python_fits(row[3]) or (cutoff is not None and not older(row, cutoff)):
                continue
            if row[10] is None:
                sdist = sdist or row
                continue
            place = self._target.rank(row[10])
            if place is not None and self._policy.may_use_wheel(project):
                # announced metadata first: every wheel of a version is taken to need the same
                order = (not row[8], place)
                if best is None or order < best[0]:
                    best = (order, row)
        if best is not None:
            return file_of(best[1]), False
        if sdist is None:
            raise RepositoryError("no-usable-file", f"{project} {version} has no file for this target")
        return file_of(sdist), True

    def _edited(self, needs: Needs) -> Needs:
        """``needs`` with overrides put in the place of what they override, and excluded projects left out."""
        edited: Needs = {}
        for extra, dependencies in needs.items():
            kept: list[Dependency] = []
            for dependency in dependencies:
                if dependency[0] in self._excludes:
                    continue
                kept.extend(self._overrides.get(dependency[0], (dependency,)))
            edited[extra] = tuple(dict.fromkeys(kept))
        return edited


# Failures that are no property of one version: the person must hear of them, not get an older version quietly.
_FATAL = frozenset(("offline", "disk-full", "interrupted"))
