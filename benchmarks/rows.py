"""What is measured: the groups of contenders, and the rows of the table that compare two of them.

Each group says precisely what lies between start and stop.  Checks are part of a group: an installation counts only
with as many distributions as its lock names, a resolution only with the versions its tool gave the first time.
Knows the tools through :mod:`benchmarks.jobs` and the snapshot through its address.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from benchmarks.environments import installed, pins, remove, whole
from benchmarks.jobs import DATA, HERE, Accord, Job, Pip, Uv, clean_environ, write_project
from benchmarks.measure import Contender, Fault, Group, run_job

__all__ = ["ROWS", "Bench", "Row"]

UV = "uv"
UV_PYLOCK = "uv pylock"
ACCORD = "accord"
SEALED = "accord sealed"
COMPILED = "accord compiled"
PIP = "pip"
HARD = "link mode hardlink (also what the default, clone, falls back to on ext4), bytecode off"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: ``ours`` over ``theirs`` of ``group``, by the median of ``what``, at most ``limit``.

    ``theirs`` names a tool; where it has several forms ("uv", "uv pylock"), the fastest is the one compared.
    Without ``theirs`` the limit is absolute, in the unit of ``what``.
    """

    name: str
    title: str
    group: str
    ours: str
    theirs: str | None
    limit: float
    what: str = "wall"


ROWS = (
    Row("sealed", "sealed environment, lock seen before, new place", "warm-install", SEALED, UV, 0.10),
    Row("private", "private environment, new, store filled", "warm-install", ACCORD, UV, 1.0),
    Row("private-compiled", "the same, compiled before (no limit is set)", "warm-install", COMPILED, UV, 0),
    Row("add-one", "one package added to the 158 (private)", "add-one", ACCORD, UV, 1.0),
    Row("cold-private", "cold install of the 158, private", "cold-install", ACCORD, UV, 1.0),
    Row("cold-sealed", "cold install of the 158, sealed", "cold-install", SEALED, UV, 1.0),
    Row("import-private", "first import of all top-level modules, private", "first-import", ACCORD, UV, 1.0),
    Row("import-sealed", "first import of all top-level modules, sealed", "first-import", SEALED, UV, 1.0),
    Row(
        "import-compiled",
        "the same, private, compiled before (no limit is set)",
        "first-import",
        COMPILED,
        UV,
        0,
    ),
    Row("resolve-158", "warm resolve of the 158, offline", "warm-resolve-158", ACCORD, UV, 1.0),
    Row("resolve-airflow", "warm resolve of airflow, offline", "warm-resolve-airflow", ACCORD, UV, 1.5),
    Row("cold-resolve", "cold resolve of the 158", "cold-resolve-158", ACCORD, UV, 1.0),
    Row("cold-airflow", "cold resolve of airflow (no limit is set)", "cold-resolve-airflow", ACCORD, UV, 0),
    Row("noop", "no-op sync of a project", "noop-sync", ACCORD, UV, 1.5),
    Row("version", "`accord --version` beside `python -I -c pass`", "version", ACCORD, "python", 2.0),
    Row(
        "memory", "peak memory of the airflow resolve, warm", "warm-resolve-airflow", ACCORD, None, 200, "rss"
    ),
    Row(
        "memory-cold",
        "peak memory of the airflow resolve, cold",
        "cold-resolve-airflow",
        ACCORD,
        None,
        200,
        "rss",
    ),
)


class Bench:
    """The working folder of one benchmark run: tools with their caches, inputs, and the groups made from them.

    ``folder`` lies on the file system that is measured; caches and environments are made below it.  ``accord`` is the
    one that is measured, by default this checkout's.
    """

    def __init__(
        self, folder: str, index: str, python: str, *, accord: str | None = None, with_pip: bool = True
    ) -> None:
        self.folder = folder
        self.uv = Uv(index, self.path("uv-cache"), python)
        self.accord = Accord(index, self.path("accord-cache"), python, accord)
        # A cache of its own: what was compiled once is linked whether a later command asks for it or not.
        self.compiled = Accord(index, self.path("accord-compiled-cache"), python, accord)
        self.pip = Pip(index, self.path("pip-cache"), python)
        self.python = python
        self.with_pip = with_pip
        self.first: dict[tuple[str, str], dict[str, str]] = {}
        self.modules = self.path("modules.json")

    def path(self, *parts: str) -> str:
        return os.path.join(self.folder, *parts)

    def data(self, name: str) -> str:
        return os.path.join(DATA, f"{name}.in")

    def run(self, *jobs: Job) -> None:
        for job in jobs:
            run_job(job, self.folder)

    # Things made once, by the first group that needs them.

    def uv_lock(self, name: str = "science-web") -> str:
        lock = self.path(f"uv-{name}.txt")
        if not os.path.exists(lock):
            self.run(self.uv.compile(self.data(name), lock))
        return lock

    def uv_pylock(self) -> str:
        lock = self.path("pylock.uv.toml")
        if not os.path.exists(lock):
            self.run(self.uv.compile(self.data("science-web"), lock))
        return lock

    def accord_lock(self, name: str = "science-web") -> str:
        lock = self.path(f"pylock.{name}.toml")
        if not os.path.exists(lock):
            self.run(self.accord.compile(self.data(name), lock))
        return lock

    def fill(self, label: str) -> None:
        """Have the 158 and the one more in the tool's cache (for "accord sealed" the closure of the 158 as well)."""
        done = self.path(f"filled {label}")
        if os.path.exists(done):
            return
        place = self.path("fill")
        self.gone(place)()
        if label == UV:
            self.run(self.uv.venv(place), self.uv.sync(self.uv_lock(), place))
            self.run(self.uv.install("humanize", place))
        elif label == UV_PYLOCK:
            self.run(self.uv.venv(place), self.uv.sync(self.uv_pylock(), place))
        elif label == PIP:
            self.run(self.uv.venv(place), self.pip.sync_bare(self.uv_lock(), place))
        elif label == ACCORD:
            self.run(self.accord.sync(self.accord_lock(), place), self.accord.install("humanize", place))
        elif label == COMPILED:
            self.run(self.compiled.sync(self.accord_lock(), place, compiled=True))
        else:
            self.run(self.accord.sync(self.accord_lock(), place, sealed=True))
        self.gone(place)()
        with open(done, "w"):
            pass

    def list_modules(self) -> None:
        """The import list, taken from an environment uv made, so that both tools import the same."""
        if os.path.exists(self.modules):
            return
        place = self.path("reference")
        self.run(self.uv.venv(place), self.uv.sync(self.uv_lock(), place))
        self.run(self.importing(place, "--list"))
        remove(place)

    def importing(self, place: str, *flags: str) -> Job:
        # matplotlib's font cache is no part of an installation: it is made once, outside.
        environ = clean_environ(MPLCONFIGDIR=self.path("matplotlib"))
        script = os.path.join(HERE, "imports.py")
        return Job("import", [os.path.join(place, "bin", "python"), script, *flags, self.modules], environ)

    # Building blocks of contenders.

    def gone(self, *places: str) -> Callable[[], None]:
        def clear() -> None:
            for place in places:
                remove(place)

        return clear

    def counts(self, place: str, expected: Callable[[], int]) -> Callable[[], None]:
        def check() -> None:
            found, wanted = whole(place), expected()
            if found != wanted:
                raise Fault(f"{place} has {found} distributions, {wanted} were asked for")

        return check

    def locked(self) -> int:
        return len(pins(self.uv_lock()))

    def resolved(self, tool: str, name: str, output: str) -> Callable[[], None]:
        def check() -> None:
            found = pins(output)
            first = self.first.setdefault((tool, name), found)
            if not found or found != first:
                raise Fault(
                    f"{output} names {len(found)} versions, the first time {len(first)}: not the same"
                )

        return check

    # The groups.

    def groups(self) -> list[Group]:
        return [
            self.version(),
            self.warm_resolve("158", "science-web", 15),
            self.cold_resolve("158", "science-web", 5),
            self.cold_resolve("airflow", "airflow", 2),
            self.warm_resolve("airflow", "airflow", 7),
            self.warm_install(),
            self.add_one(),
            self.noop(),
            self.first_import(),
            self.cold_install(),
        ]

    def version(self) -> Group:
        bare = Job("python", [sys.executable, "-I", "-c", "pass"], clean_environ())
        return Group(
            "version",
            "Saying the version",
            "one process, start to exit; `python` is the interpreter Accord runs on",
            21,
            [
                Contender("python", "-I -c pass", lambda: [bare]),
                Contender(ACCORD, "", lambda: [self.accord.version()]),
                Contender(UV, "", lambda: [self.uv.version()]),
            ],
        )

    def warm_resolve(self, short: str, name: str, rounds: int) -> Group:
        def contender(tool: str, given: Uv | Accord) -> Contender:
            output = self.path(f"warm-{tool}-{name}.txt")
            job = given.compile(self.data(name), output, offline=True)
            fill = given.compile(self.data(name), output)
            return Contender(
                tool,
                "--offline, cache filled, no earlier output",
                lambda: [job],
                prepare=self.gone(output),
                check=self.resolved(tool, name, output),
                setup=lambda: self.run(fill),
            )

        return Group(
            f"warm-resolve-{short}",
            f"Warm resolve, {name}.in",
            "one `pip compile IN -o requirements.txt --offline`, start to exit; the output is removed before each run",
            rounds,
            [contender(UV, self.uv), contender(ACCORD, self.accord)],
        )

    def cold_resolve(self, short: str, name: str, rounds: int) -> Group:
        cache, place = self.path("cold-cache"), self.path("cold-env")

        def contender(tool: str, given: Uv | Accord) -> Contender:
            output = self.path(f"cold-{tool}-{name}.txt")
            cold = replace(given, cache=cache)
            return Contender(
                tool,
                "empty cache, no earlier output",
                lambda: [cold.compile(self.data(name), output)],
                prepare=self.gone(cache, output),
                check=self.resolved(tool, name, output),
            )

        found = [contender(UV, self.uv), contender(ACCORD, self.accord)]
        if self.with_pip and short == "158":
            pip = replace(self.pip, cache=cache)
            clear = self.gone(cache, place)

            def emptied() -> None:
                clear()
                self.run(self.uv.venv(place))

            found.append(
                Contender(
                    PIP,
                    "`install --dry-run` into an empty environment, empty cache",
                    lambda: [pip.resolve(self.data(name), place)],
                    prepare=emptied,
                    most=1,
                )
            )
        return Group(
            f"cold-resolve-{short}",
            f"Cold resolve, {name}.in",
            "one `pip compile IN -o requirements.txt`, start to exit, with an empty cache and the local index",
            rounds,
            found,
        )

    def installers(self, place: str, *, cold: bool) -> list[Contender]:
        cache = self.path("cold-cache")
        uv, accord, pip = self.uv, self.accord, self.pip
        if cold:
            uv, accord, pip = (
                replace(uv, cache=cache),
                replace(accord, cache=cache),
                replace(pip, cache=cache),
            )
        offline = not cold

        def with_uv(lock: Callable[[], str]) -> Callable[[], list[Job]]:
            return lambda: [uv.venv(place), uv.sync(lock(), place, offline=offline)]

        def with_accord(*, sealed: bool) -> Callable[[], list[Job]]:
            return lambda: [accord.sync(self.accord_lock(), place, sealed=sealed, offline=offline)]

        def with_pip() -> list[Job]:
            return [uv.venv(place), pip.sync_bare(self.uv_lock(), place)]

        forms = [
            (UV, f"requirements.txt, {HARD}", with_uv(self.uv_lock)),
            (UV_PYLOCK, f"pylock.toml, {HARD}", with_uv(self.uv_pylock)),
            (ACCORD, "pylock.toml, private, default link mode, bytecode off", with_accord(sealed=False)),
            (SEALED, "pylock.toml, --sealed", with_accord(sealed=True)),
        ]
        if not cold:
            settings = "pylock.toml, private, default link mode, compiled for another environment before"
            again = self.compiled
            forms.append((COMPILED, settings, lambda: [again.sync(self.accord_lock(), place, offline=True)]))
        if self.with_pip:
            forms.append((PIP, "requirements.txt, --no-deps --no-compile, environment made by uv", with_pip))
        return [
            Contender(
                label,
                settings,
                jobs,
                prepare=self.gone(place, cache) if cold else self.gone(place),
                check=self.counts(place, self.locked),
                setup=partial(self.locks if cold else self.fill, label),
                most=1 if label == PIP else 1000,
            )
            for label, settings, jobs in forms
        ]

    def locks(self, label: str) -> None:
        """The tool's locks are there, naming the index of this run, before the first cold round."""
        if label.startswith(ACCORD):
            self.accord_lock()
        else:
            self.uv_lock()
            self.uv_pylock()

    def warm_install(self) -> Group:
        return Group(
            "warm-install",
            "Install of the 158, store filled, new environment",
            "every process from nothing to the filled environment: `uv venv` + `uv pip sync LOCK` beside one "
            "`accord sync --lock pylock.toml --env DIR`, all offline; the old environment is removed before, untimed",
            7,
            self.installers(self.path("env"), cold=False),
        )

    def cold_install(self) -> Group:
        return Group(
            "cold-install",
            "Install of the 158, empty cache, local index",
            "the same processes as the warm install with an empty cache: downloading, unpacking, assembling",
            3,
            self.installers(self.path("env"), cold=True),
        )

    def add_one(self) -> Group:
        def contender(
            tool: str, given: Uv | Accord, made: Callable[[str], list[Job]], settings: str
        ) -> Contender:
            place = self.path(f"add-{tool}")

            def setup() -> None:
                self.fill(tool)
                self.gone(place)()
                self.run(*made(place))

            def prepare() -> None:
                if len(installed(place)) > self.locked():
                    self.run(given.uninstall("humanize", place))

            return Contender(
                tool,
                settings,
                lambda: [given.install("humanize", place, offline=True)],
                prepare=prepare,
                check=self.counts(place, lambda: self.locked() + 1),
                setup=setup,
            )

        return Group(
            "add-one",
            "One package added to an environment of the 158",
            "one `pip install humanize --offline`, start to exit; it is uninstalled again before each run, untimed",
            11,
            [
                contender(
                    UV,
                    self.uv,
                    lambda place: [self.uv.venv(place), self.uv.sync(self.uv_lock(), place)],
                    HARD,
                ),
                contender(
                    ACCORD,
                    self.accord,
                    lambda place: [self.accord.sync(self.accord_lock(), place)],
                    "private",
                ),
            ],
        )

    def noop(self) -> Group:
        def contender(tool: str, given: Uv | Accord) -> Contender:
            project = self.path(f"project-{tool}")

            def setup() -> None:
                write_project(project)
                self.run(given.project_lock(project), given.project_sync(project))

            return Contender(
                tool,
                "project with .venv and lock in step, online",
                lambda: [given.project_sync(project)],
                setup=setup,
            )

        return Group(
            "noop-sync",
            "No-op sync of a project with the 158",
            "one `sync`, start to exit, where nothing is to be done; the index must not be asked",
            21,
            [contender(UV, self.uv), contender(ACCORD, self.accord)],
        )

    def first_import(self) -> Group:
        place = self.path("env")

        def contender(label: str, settings: str, made: Callable[[], list[Job]]) -> Contender:
            def setup() -> None:
                self.list_modules()
                self.fill(label)

            def prepare() -> None:
                self.gone(place)()
                self.run(*made())

            return Contender(label, settings, lambda: [self.importing(place)], prepare=prepare, setup=setup)

        lock = self.accord_lock
        return Group(
            "first-import",
            "First import after a warm install of the 158",
            "one process of the fresh environment's Python that imports every top-level module, bytecode written as "
            "Python does by default; the installation before it is not timed",
            3,
            [
                contender(UV, HARD, lambda: [self.uv.venv(place), self.uv.sync(self.uv_lock(), place)]),
                contender(ACCORD, "private", lambda: [self.accord.sync(lock(), place)]),
                contender(SEALED, "--sealed", lambda: [self.accord.sync(lock(), place, sealed=True)]),
                contender(
                    COMPILED,
                    "private, compiled for another environment before",
                    lambda: [self.compiled.sync(lock(), place)],
                ),
            ],
        )

    def same_versions(self, name: str) -> str | None:
        """A sentence on how the two resolvers' answers compare, once both have given one."""
        theirs, ours = self.first.get((UV, name)), self.first.get((ACCORD, name))
        if theirs is None or ours is None:
            return None
        odd = sorted(key for key in theirs.keys() | ours.keys() if theirs.get(key) != ours.get(key))
        if not odd:
            return f"{name}: both tools name the same {len(ours)} versions."
        shown = ", ".join(
            f"{key} ({theirs.get(key, '-')} uv, {ours.get(key, '-')} accord)" for key in odd[:20]
        )
        return f"{name}: {len(ours)} versions beside uv's {len(theirs)}; they differ in {len(odd)}: {shown}."

    def modules_listed(self) -> int:
        with open(self.modules) as stream:
            return len(json.load(stream))
