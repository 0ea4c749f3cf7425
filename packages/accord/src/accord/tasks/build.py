"""Building what a project publishes: the sdist, then the wheel from that sdist, looked at and put in place together (hot).

    source ─▶ tree ─▶ sdist ─▶ unpacked again ─▶ wheel ─▶ checked ─▶ dist/

A failing build leaves the output folder as it was.  ``accord_core`` reads, :mod:`accord.build` builds and checks; here
it is decided what is built from what.
"""

from __future__ import annotations

import os
import time

from accord.build.hooks import HookNotThere
from accord.build.workshop import Job, Workshop
from accord.io import scratch
from accord.io.digests import sha256
from accord.tasks.build_environments import Isolated
from accord.tasks.build_facts import read_facts
from accord.tasks.build_policy import build_options
from accord.tasks.build_subject import advise, require_description, require_project, tell_fallback
from accord.tasks.session import Session
from accord_core.errors import BuildError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from accord.build.backend import BuildSystem
    from accord.build.notices import Notice
    from accord.build.products import Product
    from accord.build.revision import Revision
    from accord.build.workshop import BuildOptions
    from accord.io.reporting import Reporter
    from accord.tasks.build_environments import LockedRequirements, Part
    from accord.tasks.build_facts import Facts
    from accord.tasks.settings import ResolveSettings

__all__ = ["BuildOutcome", "Built", "Wanted", "build", "build_members"]

FOLDER = "builds-v1"
_SDISTS = (".tar.gz", ".zip")


class Wanted:
    """What to build, and how: ``sdist`` and ``wheel`` (neither: both), ``output`` the folder (None: ``dist`` of the
    project, or beside the sdist), ``clear`` it; ``time_limit`` in seconds; ``reproducible``: twice, and the same both
    times; ``sbom``: a bill of materials inside the wheel; ``records``: that and the provenance beside; ``lock``: write ``pylock.build.toml``; ``locked``: demand it; ``echo`` is told
    what builds print."""

    __slots__ = (
        "clear",
        "echo",
        "lock",
        "locked",
        "output",
        "records",
        "reproducible",
        "sbom",
        "sdist",
        "time_limit",
        "wheel",
    )

    def __init__(
        self,
        *,
        sdist: bool = False,
        wheel: bool = False,
        output: str | None = None,
        clear: bool = False,
        time_limit: float | None = None,
        reproducible: bool = False,
        sbom: bool = False,
        records: bool = True,
        lock: bool = False,
        locked: bool = False,
        echo: Callable[[bytes], None] | None = None,
    ) -> None:
        self.sdist = sdist
        self.wheel = wheel
        self.output = output
        self.clear = clear
        self.time_limit = time_limit
        self.reproducible = reproducible
        self.sbom = sbom
        self.records = records
        self.lock = lock
        self.locked = locked
        self.echo = echo

    def takes(self, kind: str) -> bool:
        """Whether a product of this kind was asked for."""
        return (self.sdist if kind == "sdist" else self.wheel) or self.sdist == self.wheel


class Built:
    """What one source became; ``parts`` are the distributions it was built with, ``source`` where it was."""

    __slots__ = ("label", "parts", "products", "settings", "source")

    def __init__(
        self,
        source: str,
        label: str,
        products: Sequence[Product],
        parts: Sequence[Part],
        settings: Mapping[str, object],
    ) -> None:
        self.settings = settings
        self.source = source
        self.label = label
        self.products = tuple(products)
        self.parts = tuple(parts)


class BuildOutcome:
    """Everything that was built, in order; ``output`` the folder it lies in; ``sandbox`` whether it was built in
    one; ``records`` the documents written about it; ``lock`` the ``pylock.build.toml`` that was written; ``notices`` what
    people were warned of."""

    __slots__ = ("built", "lock", "notices", "output", "records", "sandbox", "seconds")

    def __init__(
        self,
        built: Sequence[Built],
        output: str,
        sandbox: bool,
        seconds: float,
        *,
        records: Sequence[str],
        notices: Sequence[Notice],
        lock: str | None,
    ) -> None:
        self.notices = tuple(notices)
        self.lock = lock
        self.records = tuple(records)
        self.built = tuple(built)
        self.output = output
        self.sandbox = sandbox
        self.seconds = seconds


def build(
    source: str,
    wanted: Wanted,
    *,
    python: str | None,
    settings: ResolveSettings,
    reporter: Reporter,
) -> BuildOutcome:
    """Build the project in the folder, or the sdist, ``source``.

    Raises BuildError; UsageError ``build-source-missing`` for what is neither; those of resolving and fetching what the
    build requires.
    """
    began = time.perf_counter()
    source = os.path.abspath(source)
    is_file = os.path.isfile(source)
    if is_file and (wanted.sdist or not source.endswith(_SDISTS)):
        raise UsageError(
            "build-source-invalid",
            f"{source} is a file: what can be built is a project's folder, or an sdist into a wheel",
            hint="accord build FOLDER, or accord build name-version.tar.gz",
        )
    if not is_file and not os.path.isdir(source):
        raise UsageError("build-source-missing", f"there is no {source} to build", hint="check the path")
    facts = None
    if not is_file:
        require_project(source)
        facts = read_facts(source, settings.cache_dir)
        require_description(source, facts)
    if wanted.lock:
        settings = settings.replace(upgrade=True)
    beside = os.path.dirname(source) if is_file else source
    if not (is_file and os.path.basename(beside) == "dist"):  # of an sdist in dist/ the wheel goes there, too
        beside = os.path.join(beside, "dist")
    output = os.path.abspath(wanted.output or beside)
    with Session(
        settings,
        python=python,
        project={} if facts is None else facts.tool,
        project_dir=None if is_file else source,
        requires_python=None if facts is None else facts.requires_python,
        reporter=reporter,
    ) as session:
        lock = None
        if (
            facts is not None
            and not wanted.lock
            and (wanted.locked or os.path.isfile(f"{source}/pylock.build.toml"))
        ):
            from accord.tasks.build_lock import find_build_lock

            lock = find_build_lock(source, session.cache_dir, strict=wanted.locked)
        bench = Bench(session, wanted, output, lock)
        with Held(output) as bench.meant:
            built = bench.archive(source) if facts is None else bench.project(source, facts)
            records = bench.put([built])
        written = None
        if wanted.lock and facts is not None:
            from accord.tasks.build_lock import write_build_lock

            written = write_build_lock(session, bench.environments, source)
        return bench.outcome([built], records, began, written)


def build_members(
    start: str,
    names: Sequence[str],
    wanted: Wanted,
    *,
    python: str | None,
    settings: ResolveSettings,
    reporter: Reporter,
) -> BuildOutcome:
    """Build the members called ``names`` (none: all) of the workspace in or above ``start``, each after those it is
    built with; what is only built for others is not put in place.

    Raises as :func:`build`; UsageError ``workspace-missing``, ``workspace-unknown-member``; BuildError
    ``workspace-member-invalid``, ``workspace-cycle``.
    """
    from accord.tasks.workspace import find_workspace, in_order

    if wanted.lock or wanted.locked:
        raise UsageError(
            "usage",
            "each project has a lock of its own for its build",
            hint="lock one at a time: accord build FOLDER --lock",
        )
    began = time.perf_counter()
    space = find_workspace(start, settings.cache_dir)
    picked = space.pick(names) if names else list(space.members.values())
    output = os.path.abspath(wanted.output or os.path.join(space.root, "dist"))
    with Session(
        settings, python=python, project=space.tool, project_dir=space.root, reporter=reporter
    ) as session:
        bench = Bench(session, wanted, output)
        built: list[Built] = []
        order = in_order(space, picked)
        with Held(output) as bench.meant:
            for number, member in enumerate(order):
                needed = any(member.name in later.requires | later.needs for later in order[number + 1 :])
                one = bench.project(member.folder, member.facts, wheel=needed)
                for product in one.products:
                    if product.kind == "wheel":
                        bench.environments.members[member.name] = (product.path, product.sha256, member.needs)
                if member in picked:
                    keep = [product for product in one.products if wanted.takes(product.kind)]
                    built.append(Built(one.source, one.label, keep, one.parts, one.settings))
            records = bench.put(built)
        return bench.outcome(built, records, began)


class Held:
    """The folder ``output`` made before anything is built, so that it can be closed to the builds, and known again; gone
    where nothing came to lie in it."""

    def __init__(self, output: str) -> None:
        self._output = output
        self._made = False

    def __enter__(self) -> tuple[int, int] | None:
        from accord.build.products import same_folder

        self._made = not os.path.lexists(self._output)
        os.makedirs(self._output, exist_ok=True)
        return same_folder(self._output)

    def __exit__(self, *failure: object) -> None:
        if self._made:
            try:
                os.rmdir(self._output)
            except OSError:
                pass  # it is in use


class Bench:
    """The builds of one run: they share interpreter, environments and policy; what they make goes to ``output``."""

    def __init__(
        self, session: Session, wanted: Wanted, output: str, lock: LockedRequirements | None = None
    ) -> None:
        self.session = session
        self.wanted = wanted
        self.output = output
        self.meant: tuple[int, int] | None = None
        self.began = time.time()
        self.revisions: dict[str, Revision | None] = {}
        self.environments = Isolated(session, lock=lock)
        self.options = build_options(session, output=output, time_limit=wanted.time_limit)
        self.workshop = self.make_workshop(self.options)
        self.environ: Mapping[str, str] = {}
        self.folder = os.path.join(session.cache_dir, FOLDER)
        os.makedirs(os.path.join(self.folder, "logs"), exist_ok=True)
        scratch.forget_abandoned(self.folder)

    def make_workshop(self, options: BuildOptions) -> Workshop:
        session = self.session
        return Workshop(
            self.environments,
            session.interpreter,
            environ=session.environ,
            options=options,
            reporter=session.reporter,
            echo=self.wanted.echo,
            meanwhile=_load,
        )

    def outcome(
        self, built: Sequence[Built], records: Sequence[str], began: float, lock: str | None = None
    ) -> BuildOutcome:
        """What became of the run that ``began`` then."""
        shop, took = self.workshop, time.perf_counter() - began
        closed, told = shop.shelters.closed, shop.notices
        return BuildOutcome(built, self.output, closed, took, records=records, notices=told, lock=lock)

    def project(self, tree: str, facts: Facts, *, wheel: bool = False) -> Built:
        """Build the person's own project in ``tree``; twice where that was asked for.  ``wheel``: one is needed,
        asked for or not."""
        if self.wanted.records:
            from accord.build.revision import revision

            # Before anything is built: what a build writes into its own tree is no change of the source.
            self.revisions[tree] = revision(tree, self.output, self.session.environ, above=self.folder)
        try:
            built = self._checked_project(tree, facts, wheel=wheel)
        except BuildError as error:
            advise(error, facts)
            raise
        tell_fallback(facts, built.label, self.session.reporter)
        return built

    def _checked_project(self, tree: str, facts: Facts, *, wheel: bool) -> Built:
        built = self._project(tree, facts, wheel=wheel)
        if self.wanted.reproducible:
            from accord.build.reproducible import check_same, copy_tree

            again = copy_tree(tree, os.path.join(self._scratch(), "copied", os.path.basename(tree)))
            check_same(built.products, self._twin()._project(again, facts, wheel=wheel).products, built.label)
        return built

    def _twin(self) -> Bench:
        """The same bench elsewhere, for the second build."""
        from accord.build.reproducible import VARIED, varied

        twin = Bench.__new__(Bench)
        twin.__dict__.update(self.__dict__)
        twin.options = varied(self.options)
        twin.workshop = self.make_workshop(twin.options)
        twin.workshop.notices = self.workshop.notices
        twin.environ = VARIED
        return twin

    def _project(self, tree: str, facts: Facts, *, wheel: bool) -> Built:
        label = facts.name or os.path.basename(tree)
        wanted, system = self.wanted, facts.system
        assert system is not None, "it is to be built"
        name = _normal(facts.name)
        if wanted.wheel and not wanted.sdist:
            products = [self._wheel(tree, label, name, own=True, system=system)]
        else:
            sdist, top = self._sdist(tree, label, name, system)
            products = [sdist]
            if wheel or wanted.takes("wheel"):
                products.append(self._from_sdist(top, label, sdist))
        from accord.build.products import check_promise

        for product in products:
            version = facts.version if product.kind == "sdist" or len(products) == 1 else products[0].version
            check_promise(product, name, version, label)
        return self._built(tree, label, products)

    def archive(self, path: str) -> Built:
        """Build a wheel of the sdist ``path``; twice where that was asked for."""
        built = self._archive(path)
        if self.wanted.reproducible:
            from accord.build.reproducible import check_same

            check_same(built.products, self._twin()._archive(path).products, built.label)
        return built

    def _archive(self, path: str) -> Built:
        from accord.build.products import check_sdist

        label = os.path.basename(path)
        sdist, top = check_sdist(path, label, self._scratch())
        return self._built(path, label, [self._from_sdist(top, label, sdist)])

    def _built(self, source: str, label: str, products: list[Product]) -> Built:
        parts = {
            part for product in products for part in self.environments.parts.get(product.requirements, ())
        }
        settings = self.options.settings_for(products[0].name)
        return Built(source, label, products, sorted(parts), settings)

    def put(self, built: Sequence[Built]) -> list[str]:
        """Put what was built in place, and the documents about it beside; the paths of those."""
        from accord.build.products import place

        records: dict[str, bytes] = {}
        if self.wanted.sbom or self.wanted.records:
            from accord.tasks.build_records import Times, records_of

            times = Times(self.began, time.time())
            for one in built:
                records |= records_of(
                    self.session, one, self.wanted, times=times, revision=self.revisions.get(one.source)
                )
        products = [product for one in built for product in one.products]
        return place(products, self.output, clear=self.wanted.clear, meant=self.meant, records=records)

    def _sdist(self, tree: str, label: str, name: str | None, system: BuildSystem) -> tuple[Product, str]:
        from accord.build.products import check_sdist

        path, requirements, seconds = self._run("sdist", tree, label, name, own=True, system=system)
        product, top = check_sdist(path, label, self._scratch())
        self._note(product, requirements, seconds)
        return product, top

    def _from_sdist(self, top: str, label: str, sdist: Product) -> Product:
        from accord.build.products import check_agree, check_promise

        wheel = self._wheel(top, label, sdist.name, own=False)
        wheel.origin = (sdist.filename, sdist.sha256)
        check_promise(wheel, sdist.name, sdist.version, label)
        check_agree(sdist, wheel, label)
        return wheel

    def _wheel(
        self, tree: str, label: str, name: str | None, *, own: bool, system: BuildSystem | None = None
    ) -> Product:
        path, requirements, seconds = self._run("wheel", tree, label, name, own=own, system=system)
        from accord.build.products import check_wheel

        product = check_wheel(path, label)
        self._note(product, requirements, seconds)
        return product

    def _note(self, product: Product, requirements: tuple[str, ...], seconds: float) -> None:
        product.requirements = requirements
        product.seconds = seconds
        product.sandbox = self.workshop.shelters.closed

    def _run(
        self, kind: str, tree: str, label: str, name: str | None, *, own: bool, system: BuildSystem | None
    ) -> tuple[str, tuple[str, ...], float]:
        """Have ``kind`` built of ``tree``: its path in a scratch folder, the build requirements, the seconds."""
        began = time.perf_counter()
        reporter = self.session.reporter
        # A tree that was unpacked lies in a scratch folder, which becomes the build's own.
        here = self._scratch() if own else os.path.dirname(tree)
        into = f"{here}/made-{kind}"
        os.mkdir(into)
        subject = os.fsencode(f"{label} {tree if own else label} {kind}")
        log = f"{self.folder}/logs/{sha256(subject).hexdigest()[:20]}.log"
        job = Job(kind, tree, here, log, label=label, name=name, own=own, system=system, environ=self.environ)
        if self.environ and not own:
            from accord.build.reproducible import age

            age(tree)
        task = reporter.start(f"Building the {kind} of {label}", None, "steps")
        try:
            made, requirements = self.workshop.perform(job, "build", into)
        except HookNotThere as error:
            raise BuildError(
                "build-output-invalid",
                f"{label}: its build backend has no build_{kind}",
                hint="choose a backend that follows PEP 517",
            ) from error
        finally:
            reporter.finish(task)
        return str(made), requirements, time.perf_counter() - began

    def _scratch(self) -> str:
        path = scratch.make(".scratch-", self.folder)
        self.session.remove_at_end(path)
        return path


def _normal(name: str | None) -> str | None:
    from accord_core.names import normalise

    return None if name is None else normalise(name)


def _load() -> None:
    """What reading a wheel takes, loaded while the backend works."""
    import accord.build.bill
    import accord.build.products
    import accord.build.provenance  # noqa: F401
    import accord_core.archive.wheel
    import accord_core.index.filenames
    import accord_core.project.versions  # noqa: F401
