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

from accord.repositories.admission import Admitted
from accord.repositories.candidates import Target, Warm, decide
from accord.repositories.groups import Groups, fields_of, older
from accord.repositories.pages import Loaded, Pages
from accord.repositories.policy import unyanked
from accord_core.errors import AccordError, RepositoryError
from accord_core.resolve.port import Unusable
from accord_core.resolve.solver import Solver
from accord_core.resolve.universe import Universe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from accord.io.reporting import Reporter
    from accord.io.workers import Task, Workers
    from accord.repositories.candidates import Needs
    from accord.repositories.merged import Sources
    from accord.repositories.policy import Policy
    from accord.repositories.port import Repository
    from accord.repositories.shelf import Shelf
    from accord_core.index.model import File
    from accord_core.resolve.port import Dependency, Root
    from accord_core.resolve.solver import Solution

__all__ = ["Catalogue", "Direct"]

_READ_AHEAD_AT = frozenset((5, 10, 20, 40, 60, 80, 100))  # versions tried before as many more are read ahead
_WORKERS = 24  # enough to hide a slow index, few enough that the solver's thread gets its turn


class Direct:
    """A candidate given by URL, path or VCS reference: a universe of one, its needs known beforehand."""

    __slots__ = ("needs", "project", "url", "version")

    def __init__(self, project: str, version: str, url: str, needs: Needs) -> None:
        self.project = project
        self.version = version
        self.url = url
        self.needs = needs


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
        self._reporter = reporter
        self._source = Pages(shelf, sources, target, policy, now=now, offline=offline, refresh=refresh)
        self._direct = direct or {}
        self._overrides = overrides or {}
        self._excludes = excludes
        self._no_deps = no_deps
        self._sdist_metadata = sdist_metadata
        self._lock = allocate_lock()
        self._pool: Workers | None = None
        self._pages: dict[str, Task[Loaded]] = {}
        self._needs: dict[tuple[str, str], Task[Needs | tuple[str, str]]] = {}
        self._loaded: dict[str, Loaded] = {}
        self._hints: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._task = 0

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
            return dict.fromkeys(needs, ())
        if self._overrides or self._excludes:
            needs = self._edited(needs)
        if self._policy.prerelease not in ("allow", "disallow"):
            self._admit(self._policy.admission.learn(needs))
        for dependency in needs.get("", ()):
            self.expect(*dependency)
        return needs

    def _admit(self, projects: tuple[str, ...]) -> None:
        """Raise :class:`Admitted` if a pre-release of one of ``projects`` may be chosen now and could not be before."""
        changed = False
        for project in projects:
            loaded = self._loaded.get(project)  # of others nothing was decided yet
            if loaded is not None and loaded.universe.direct is None:
                before = loaded.universe.eligible
                changed = self._decide_eligible(project) != before or changed
        if changed:
            raise Admitted

    def _decide_eligible(self, project: str, *, admitted: bool = True) -> int:
        """Which versions may be chosen, decided anew; with ``admitted`` this is what counts from now on."""
        loaded = self._load(project)
        found = self._policy.eligible(
            loaded.universe,
            loaded.warm,
            self._target,
            lambda: self._source.groups(loaded),
            admitted=admitted,
        )
        if admitted:
            loaded.universe.eligible = found
        return found

    def solve(self, roots: tuple[Root, ...], strategy: str) -> Solution:
        """Solve with this provider; again whenever the pre-releases that may be chosen have changed
        (:mod:`accord.repositories.admission`).  Raises Unsolvable."""
        while True:
            try:
                solution = Solver(self, strategy=strategy).solve(roots)
            except Admitted:
                continue
            if not self._unfounded(solution):
                return solution

    def _unfounded(self, solution: Solution) -> bool:
        """Whether a pre-release was chosen that only a package may ask for, and none that was chosen does.  It cannot be
        chosen any more then: solve again."""
        chosen = [
            (loaded.universe, solution.pins[project].index)
            for project in self._policy.admission.asked
            if project in solution.pins
            and (loaded := self._load(project)).universe.direct is None
            and not self._decide_eligible(project, admitted=False) >> solution.pins[project].index & 1
        ]
        blocked = self._policy.admission.block(solution, chosen)
        for project in blocked:
            self._decide_eligible(project)
        return bool(blocked)

    def prefer(self, universe: Universe, allowed: int) -> int | None:
        return self._policy.preferred(universe, allowed, self._load(universe.project).warm)

    def tried(self, universe: Universe, allowed: int, count: int) -> None:
        """Read ahead when a project is tried again and again: the next versions, more of them each time.

        Only those with a wheel: what an sdist needs may take building it, and nothing is built on a guess.
        """
        if self._pool is None or universe.direct is not None or count not in _READ_AHEAD_AT:
            return
        bits = allowed & self._loaded[universe.project].warm.wheels
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
        """The files of a version on the page of its owner; those after the cutoff, and yanked ones beside usable others, left out."""
        from accord_core.index.model import File

        loaded = self._load(project)
        fields = loaded.warm.files.get(version)
        if fields is None:
            files = [file for file, _ in unyanked(list(self._source.files(loaded, version)), self._target)]
            loaded.warm.files[version] = [fields_of(file) for file in files]
            loaded.warm.grown = True
        else:
            files = [File(*row) for row in fields]  # type: ignore[arg-type]
        cutoff = self._policy.cutoff(project)
        return [file for file in files if cutoff is None or older((file, None, ""), cutoff)]

    def owner(self, project: str) -> Repository | None:
        """The repository that owns ``project``; None for a direct reference or a project nobody has."""
        return self._load(project).repository

    def status(self, project: str) -> tuple[str, str | None]:
        """Project status and its reason (PEP 792)."""
        return self._load(project).warm.status

    def yanked(self, project: str, version: str) -> str | None:
        """The reason (perhaps empty) when every file of a chosen version is yanked, else None."""
        files = self.files(project, version)
        if files and all(file.yanked for file in files):
            return files[0].yank_reason or ""
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
        return self._policy.reason(universe, mask, loaded.warm, self._target, self._source.groups(loaded))

    def abandon(self) -> None:
        """Stop at once, for an interrupt: workers that wait for an index or a build are not waited for, and end with
        the process.  What was learnt is not remembered."""
        if self._pool is not None:
            self._pool.close(wait=False)
            self._source.stop(at_once=True)
            self._reporter.finish(self._task)
            self._pool = None

    def close(self) -> None:
        """Stop the workers and remember what was learnt."""
        if self._pool is not None:
            self._pool.close()
            self._source.stop()
            self._reporter.finish(self._task)
            for project, page in self._pages.items():
                if page.done and not page.failed:
                    self._loaded.setdefault(project, page.result())
            self._pool = None
        for project, loaded in self._loaded.items():
            warm = loaded.warm
            if loaded.repository is not None and loaded.digest and (warm.grown or loaded.universe.grown):
                self._shelf.put_warm(
                    loaded.repository.key, project, self._target.identity, loaded.digest, warm.pack()
                )
        self._shelf.flush()

    # ------------------------------------------------------------ loading pages

    def _load(self, project: str) -> Loaded:
        loaded = self._loaded.get(project)
        if loaded is not None:
            return loaded
        direct = self._direct.get(project)
        if direct is not None:
            universe = Universe(project, (direct.version,), direct=direct.url)
            loaded = Loaded(
                universe, Warm((direct.version,), {}, 1, 0, 0, 0, {}, {}), None, b"", Groups(project, ())
            )
        else:
            if self._pool is None:
                loaded = self._source.from_shelf(project)
            if loaded is None:
                self._start()
                specifier, extras = self._hints.get(project, ("", ()))
                loaded = self._crawl(project, specifier, extras).result()
        self._loaded[project] = loaded
        if project in self._policy.admission.asked and direct is None:
            self._decide_eligible(project)  # it may have been read before they were asked for
        return loaded

    def _start(self) -> None:
        from accord.io.workers import Workers

        if self._pool is None:
            self._source.start()
            self._task = self._reporter.start("reading the index", None, "projects")
            self._pool = Workers(_WORKERS, "catalogue")
            for project, (specifier, extras) in self._hints.items():
                if project not in self._loaded:
                    self._crawl(project, specifier, extras)

    def _crawl(self, project: str, specifier: str, extras: tuple[str, ...]) -> Task[Loaded]:
        assert self._pool is not None
        with self._lock:
            page = self._pages.get(project)
            if page is None:
                page = self._pages[project] = self._pool.submit(self._fetch_page, project, specifier, extras)
        return page

    def _fetch_page(self, project: str, specifier: str, extras: tuple[str, ...]) -> Loaded:
        """In a worker: the page, then what the likeliest version needs, then hints for that."""
        loaded = self._source.from_shelf(project) or self._source.ask(project, specifier)
        self._reporter.advance(self._task, 1)
        try:
            universe = loaded.universe
            allowed = universe.mask(specifier) & universe.eligible
            if allowed:
                index = self._policy.pick(universe, allowed, loaded.warm)
                self._fetch_needs(project, universe.versions[index], extras, loaded)
        except (RuntimeError, ValueError):
            pass  # the pool is closing, or a specifier nobody can read: the solver will say so if it matters
        return loaded

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
        self, project: str, version: str, extras: tuple[str, ...], loaded: Loaded
    ) -> Task[Needs | tuple[str, str]]:
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
        self, project: str, version: str, extras: tuple[str, ...], loaded: Loaded
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

    def _from_metadata_row(self, loaded: Loaded, version: str) -> Needs | tuple[str, str] | None:
        repository, project = loaded.repository, loaded.universe.project
        if repository is None or repository.local:
            return None
        row = self._shelf.metadata(repository.key, project, version)
        if row is None:
            return None
        try:
            requirements, extras, identity = marshal.loads(row[3])  # noqa: S302 - our own cache
        except (ValueError, EOFError, TypeError):
            return None
        files = self._source.files(loaded, version)
        if not any(file.filename == row[0] and _identity(file) == identity for file, _ in files):
            return None
        return self._decided(loaded, version, row[2], requirements, extras)

    def _decided(
        self, loaded: Loaded, version: str, python: str | None, requirements: list[str], extras: list[str]
    ) -> Needs | tuple[str, str]:
        needs = decide(loaded.universe.project, python, requirements, extras, self._target)
        loaded.warm.needs[version] = needs
        loaded.warm.grown = True
        return needs

    def _ask_metadata(self, loaded: Loaded, version: str) -> Needs | tuple[str, str]:
        from hashlib import sha256

        from accord_core.archive.metadata import parse_metadata

        project = loaded.universe.project
        file, is_sdist = self._policy.best(
            project, version, self._source.files(loaded, version), self._target
        )
        repository = loaded.repository or self._sources.everything[0]  # any can read the person's own files
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
                marshal.dumps((list(found.requires_dist), list(found.provides_extra), _identity(file))),
            )
        return self._decided(
            loaded, version, found.requires_python, found.requires_dist, found.provides_extra
        )

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


def _identity(file: File) -> str:
    """What tells a file from another one uploaded under its name."""
    return file.sha256 or f"{file.url} {file.size}"


# Failures that are no property of one version: the person must hear of them, not get an older version quietly.
_FATAL = frozenset(("offline", "disk-full", "interrupted"))
