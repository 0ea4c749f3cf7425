"""One run of a task: the interpreter, the indexes, the store, each made when it is first needed (hot).

The only place where settings, project table and environment variables become working rooms.  Holds no decision of
any use case; a property that is not asked for costs nothing, so a warm resolve loads no HTTP, no store and no builder.
"""

from __future__ import annotations

import os
import time
from _thread import RLock

from accord.environments import interpreters
from accord.io.folders import cache_dir, config_dir
from accord.io.reporting import SILENT
from accord.tasks.folders import PIN_FILE, read_pin, upwards
from accord.tasks.settings import normal_names
from accord_core.errors import InstallError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from accord.build.frontend import Builder
    from accord.build.sources import SdistSource
    from accord.build.sources import Sources as Openers
    from accord.environments.interpreters import Interpreter
    from accord.io.http.client import Client
    from accord.io.reporting import Reporter
    from accord.repositories.artifacts import Artifacts
    from accord.repositories.candidates import Target
    from accord.repositories.merged import Sources
    from accord.repositories.port import Repository
    from accord.repositories.settings import IndexSettings
    from accord.repositories.shelf import Shelf
    from accord.store.store import Store
    from accord.tasks.settings import ResolveSettings
    from accord_core.index.model import File
    from accord_core.lock.model import Package

__all__ = ["Session"]

CATALOGUE = "catalogue-v3.db"

if TYPE_CHECKING:
    from functools import cached_property as once
else:

    class once:  # noqa: N801 - reads like the property it is
        """A property made at its first use, by one thread only: workers of a crawl may be the first to need one."""

        def __init__(self, make):
            self._make = make

        def __get__(self, session, owner=None):
            made = session.__dict__
            with session._making:
                name = self._make.__name__
                if name not in made:
                    made[name] = self._make(session)
            return made[name]


class Session:
    """``project`` is the ``[tool.accord]`` table of the project this run is about, or empty.

    ``python`` is what a person asked for (``3.12``, a path); ``env`` an environment whose Python is meant where nothing
    was asked.  ``options`` are index options found in requirement files.
    """

    def __init__(
        self,
        settings: ResolveSettings,
        *,
        python: str | None = None,
        env: str | None = None,
        project: Mapping[str, object] | None = None,
        project_dir: str | None = None,
        requires_python: str | None = None,
        reporter: Reporter = SILENT,
        environ: Mapping[str, str] = os.environ,
        now: float | None = None,
    ) -> None:
        self.settings = _with_table(settings, project or {})
        self.reporter = reporter
        self.environ = environ
        self.now = time.time() if now is None else now
        self.project = project or {}
        self.project_dir = project_dir
        self.requires_python = requires_python
        self.cache_dir = cache_dir(settings.cache_dir, environ)
        self._python = python
        self._env = env
        self._depth = 0
        self._scrap: list[str] = []
        self._making = RLock()
        # What to import while a Python that was not seen before describes itself.
        self.meanwhile: Callable[[], object] | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        made = self.__dict__
        if "client" in made:
            self.client.close()
        if "shelf" in made:
            self.shelf.close()
            del made["shelf"]
        if self._scrap:
            from accord.io import scratch

            for path in self._scrap:
                scratch.remove(path)
            self._scrap.clear()

    def remove_at_end(self, path: str) -> None:
        """Have a folder removed when the run ends."""
        self._scrap.append(path)

    def for_builds(self, depth: int) -> Session:
        """A session over the same indexes and store that resolves build requirements: nothing a person said about
        versions of their own dependencies counts there."""
        _ = (self.shelf, self.sources, self.store)  # made once, shared, and closed by this session
        own = Session.__new__(Session)
        own.__dict__.update(self.__dict__)
        own.settings = self.settings.replace(
            resolution="highest",
            prerelease="if-necessary-or-explicit",
            upgrade=False,
            no_deps=False,
            require_hashes=False,
            overrides=(),
            excludes=(),
            constraints=(),
        )
        own.__dict__.pop("builder", None)
        own._depth = depth
        return own

    # ------------------------------------------------------------ what is resolved for

    @once
    def interpreter(self) -> Interpreter:
        """The interpreter of this run: what was asked for, the project's pin, the environment's own, else the one at
        hand; and where nobody asked, one that the project allows.  InstallError ``interpreter-not-found``."""
        asked = self.request
        if asked is None and self._env is not None and os.path.isfile(os.path.join(self._env, "pyvenv.cfg")):
            asked = self._env
        try:
            found = interpreters.find(asked, cache_dir=self.cache_dir, meanwhile=self.meanwhile)
        except InstallError as error:
            if self.request is not None and self._python is None and self.settings.python_version is None:
                error.context += (f"asked for by {self._pin_file() or '[tool.accord] python'}",)
            raise
        wanted = self.requires_python
        if asked is None and wanted:
            from accord_core.project.versions import satisfies

            if not satisfies(found.version, wanted):
                found = interpreters.find(wanted, cache_dir=self.cache_dir)
        return found

    @once
    def request(self) -> str | None:
        """The Python that somebody asked for, if anybody did: the line, a ``.python-version``, the project's table."""
        return self._python or self.settings.python_version or self._pinned()

    def _pin_file(self) -> str | None:
        folder = None if self.project_dir is None else upwards(os.path.abspath(self.project_dir), PIN_FILE)
        return None if folder is None else os.path.join(folder, PIN_FILE)

    def _pinned(self) -> str | None:
        """What the nearest ``.python-version`` at or above the project, or ``[tool.accord] python``, asks for."""
        path = self._pin_file()
        if path is not None:
            return read_pin(os.path.dirname(path))
        said = self.project.get("python")
        return said if isinstance(said, str) else None

    @once
    def target(self) -> Target:
        from accord.repositories.candidates import Target

        found = self.interpreter
        return Target(found.markers, found.tags, found.identity)

    def choice(self, key: str) -> str | None:
        """A setting said on the command line, else in ``[tool.accord]``."""
        said = getattr(self.settings, key)
        if said is None:
            said = self.project.get(key.replace("_", "-"))
        return None if said is None else str(said)

    def cutoff(self, project: str) -> str | None:
        """The instant from which uploads of ``project`` are not seen."""
        for name, instant in self.settings.exclude_newer_packages:
            if name == project:
                return instant or None
        said = self.settings.exclude_newer
        if said is None and self.project.get("exclude-newer"):
            from accord.tasks.instants import read_instant

            said = read_instant(str(self.project["exclude-newer"]), self.now)
        return said

    # ------------------------------------------------------------ where things come from

    @once
    def shelf(self) -> Shelf:
        from accord.repositories.shelf import Shelf

        return Shelf(os.path.join(self.cache_dir, CATALOGUE), self.reporter.note)

    @once
    def store(self) -> Store:
        from accord.store.store import Store

        return Store(self.cache_dir, on_wait=self.reporter.note)

    @once
    def client(self) -> Client:
        from accord.io.http.client import Client
        from accord.repositories.settings import credentials

        return Client(
            self.indexes.http,
            credentials=credentials(self.indexes, self.environ, self.reporter.note),
            environ=self.environ,
            note=self.reporter.note,
        )

    @once
    def indexes(self) -> IndexSettings:
        from accord.repositories.settings import index_settings

        tables = self.project.get("index")
        return index_settings(
            self.settings,
            project_indexes=tables if isinstance(tables, list) else (),
            assignments=self._assignments(),
            project_dir=self.project_dir,
            environ=self.environ,
            config_dir=config_dir(self.environ),
            cache_dir=self.cache_dir,
            python=self.interpreter.executable,
            base_python=self.interpreter.base_executable,
        )

    def _assignments(self) -> dict[str, str]:
        """Projects that ``[tool.accord.sources]`` gives to an index by its name."""
        sources = self.project.get("sources")
        if not isinstance(sources, dict):
            return {}
        return {
            name: str(each["index"])
            for name, each in sources.items()
            if isinstance(each, dict) and "index" in each
        }

    def index_names(self) -> list[str]:
        """The indexes as a person may be shown them."""
        return [index.name or index.url for index in self.indexes.indexes]

    @once
    def sources(self) -> Sources:
        from accord.repositories.settings import repositories

        return repositories(self.indexes, self.client)

    @once
    def artifacts(self) -> Artifacts:
        """What fetches files by their URL, whichever index announced them."""
        from accord.repositories.artifacts import Artifacts

        return Artifacts(self.client)

    def expected_metadata(self, package: Package, file: File) -> str | None:
        """The sha256 of METADATA on which a resolve on this machine rested, to be held against the wheel's own."""
        if package.version is None or package.index is None:
            return None
        row = self.shelf.metadata(package.index, package.name, package.version)
        return row[1] if row is not None and row[0] == file.filename else None

    @once
    def openers(self) -> Openers:
        """What turns direct references into pinned sources."""
        from accord.build.git import Git
        from accord.build.sources import Sources

        git = Git(self.cache_dir, environ=self.environ, offline=self.settings.offline, reporter=self.reporter)
        return Sources(self.cache_dir, self.client, git, reporter=self.reporter)

    @once
    def builder(self) -> Builder:
        from accord.build.frontend import Builder
        from accord.tasks.build_environments import Isolated
        from accord.tasks.build_policy import build_options

        return Builder(
            self.cache_dir,
            Isolated(self, self._depth),
            self.interpreter,
            environ=self.environ,
            options=build_options(self),
            reporter=self.reporter,
        )

    def sdist_metadata(self, repository: Repository, file: File) -> bytes:
        """METADATA of an sdist of an index: read where PEP 643 lets it be trusted, else built."""
        return self.builder.metadata(self.sdist(repository, file)).data

    def sdist(self, repository: Repository, file: File) -> SdistSource:
        """An sdist of an index, fetched and verified; kept in the cache by its digest."""
        from accord.tasks.fetching import fetch_sdist

        return fetch_sdist(self, repository, file)


def _with_table(settings: ResolveSettings, table: Mapping[str, object]) -> ResolveSettings:
    """``settings`` with what ``[tool.accord] no-build`` forbids to build, besides what the command line does."""
    said = table.get("no-build")
    if not said:
        return settings
    names = (":all:",) if said is True else normal_names([str(one) for one in said])  # type: ignore[attr-defined]
    return settings.replace(only_binary=(*settings.only_binary, *names))
