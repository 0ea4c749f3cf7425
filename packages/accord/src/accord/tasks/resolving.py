"""From what is asked to versions: one resolve for one target (hot).

Combines the documents' requirements, direct references, the catalogue and the solver.  The legal order: markers of
what is asked are decided; direct references are gathered, those of direct references included, until no new one is
found (their universes must be closed before the first bit is used); then the policy is fixed; then it is solved.
"""

from __future__ import annotations

from accord.repositories.catalogue import Catalogue, Direct
from accord.repositories.policy import Policy
from accord_core.errors import ResolutionError, UsageError
from accord_core.project.versions import names_prerelease
from accord_core.resolve.port import Root
from accord_core.resolve.solver import Unsolvable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from accord.tasks.asked import Asked, Wish
    from accord.tasks.references import Resolved
    from accord.tasks.session import Session
    from accord_core.index.model import File
    from accord_core.project.requirement import Requirement
    from accord_core.resolve.port import Dependency
    from accord_core.resolve.solver import Solution

__all__ = ["Resolution", "resolve"]

_STRATEGIES = ("highest", "lowest", "lowest-direct")
_PRERELEASES = ("disallow", "allow", "if-necessary", "explicit", "if-necessary-or-explicit")


class Resolution:
    """A solution with what is needed to write it down.

    ``roots`` are the wishes that hold on the target, each with its dependency; ``direct`` the direct references by
    project.  The catalogue stays open for files and reasons until :meth:`close`.
    """

    __slots__ = ("_catalogue", "_session", "direct", "roots", "solution")

    def __init__(
        self,
        solution: Solution,
        roots: list[tuple[Wish, Dependency]],
        direct: dict[str, Resolved],
        catalogue: Catalogue,
        session: Session,
    ) -> None:
        self._session = session
        self.solution = solution
        self.roots = roots
        self.direct = direct
        self._catalogue = catalogue

    def files(self, project: str) -> list[File]:
        """The files of the version chosen, in the order of the page."""
        return self._catalogue.files(project, self.solution.pins[project].version)

    def sha256(self, file: File) -> str:
        """The digest of a file whose index publishes none: of the local file, or of what is sent now."""
        from accord.store.store import file_sha256

        if file.url.startswith("file:"):
            from accord.io.urls import path_of

            return file_sha256(path_of(file.url))
        from accord.io.scratch import scratch_folder

        self._session.reporter.note(f"{file.filename} has no published hash; it is fetched to make one")
        with scratch_folder("accord-") as folder:
            return file_sha256(self._session.artifacts.fetch(file, folder, None))

    def index(self, project: str) -> str | None:
        """The URL of the index that owns the project."""
        owner = self._catalogue.owner(project)
        return None if owner is None else owner.key

    def metadata_digest(self, project: str) -> tuple[str, str] | None:
        return self._catalogue.metadata_digest(project, self.solution.pins[project].version)

    def selections(self) -> dict[str, frozenset[str]]:
        """For each project, the selections (:attr:`Wish.selection`) that lead to it."""
        found: dict[str, set[str]] = {name: set() for name in self.solution.pins}
        seen: set[tuple[str, str, str]] = set()
        waiting = [(wish.selection, dependency) for wish, dependency in self.roots]
        while waiting:
            selection, (name, extras, _) = waiting.pop()
            pin = self.solution.pins[name]
            found[name].add(selection)
            for extra in ("", *extras):
                if (selection, name, extra) not in seen:
                    seen.add((selection, name, extra))
                    waiting.extend((selection, needed) for needed in pin.dependencies.get(extra, ()))
        return {name: frozenset(value) for name, value in found.items()}

    def warnings(self) -> list[str]:
        """What a person should know of the choice: yanked versions, extras nobody provides, project status."""
        lines = []
        for name, pin in self.solution.pins.items():
            unknown = [extra for extra in pin.extras if extra not in pin.dependencies]
            if unknown:
                lines.append(f"{name} {pin.version} has no extra {', '.join(unknown)}")
            if name in self.direct:
                continue
            if self._catalogue.is_yanked(name, pin.index):
                reason = self._catalogue.yanked(name, pin.version)
                lines.append(f"{name} {pin.version} is yanked" + (f": {reason}" if reason else ""))
            status, why = self._catalogue.status(name)
            if status in ("archived", "deprecated"):
                lines.append(f"{name} is {status}" + (f": {why}" if why else ""))
        return lines

    def close(self) -> None:
        self._catalogue.close()


def resolve(session: Session, asked: Asked) -> Resolution:
    """Solve ``asked`` for the session's target.

    Raises ResolutionError with the story of the failure; RepositoryError when an index fails; BuildError when a
    direct reference cannot be built.
    """
    session.meanwhile = _meanwhile
    settings, target = session.settings, session.target
    strategy = _checked("--resolution", session.choice("resolution") or "highest", _STRATEGIES)
    prerelease = _checked(
        "--prerelease", session.choice("prerelease") or "if-necessary-or-explicit", _PRERELEASES
    )
    wishes = [wish for wish in asked.wishes if wish.marker is None or target.holds(wish.marker)]
    direct, roots = _directs(session, wishes, asked)
    overrides = _overrides(asked.overrides, session, direct)
    roots = _edited(roots, overrides, asked.excludes)
    limits = [wish for wish in asked.constraints if wish.marker is None or target.holds(wish.marker)]
    first_party = [(wish, _dependency(_named(wish))) for wish in limits if _named(wish).url is None]
    prefer = _preferred(asked, settings.upgrade)
    said = [dependency for _, dependency in (*roots, *first_party)]
    said += [dependency for several in overrides.values() for dependency in several]
    policy = Policy(
        prerelease=prerelease,
        prerelease_names=_prerelease_names(said),
        pins=_pins(said, prefer),
        cutoff=session.cutoff,
        may_build=settings.may_build,
        may_use_wheel=settings.may_use_wheel,
        prefer=prefer,
        installed=asked.installed,
        prefer_binary=settings.prefer_binary,
        strategy=strategy,
    )
    catalogue = Catalogue(
        session.shelf,
        session.sources,
        target,
        policy,
        now=session.now,
        reporter=session.reporter,
        offline=settings.offline,
        refresh=settings.refresh,
        direct={name: Direct(name, one.version, one.url, one.needs) for name, one in direct.items()},
        overrides=overrides,
        excludes=asked.excludes,
        no_deps=settings.no_deps,
        sdist_metadata=session.sdist_metadata,
    )
    try:
        for _, dependency in roots:
            catalogue.expect(*dependency)
        everything = [Root(dependency, wish.origin) for wish, dependency in roots]
        everything += [Root(dependency, wish.origin, "constraint") for wish, dependency in first_party]
        solution = catalogue.solve(tuple(everything), strategy)
    except Unsolvable as failure:
        from accord_core.resolve.explain import error

        try:
            raise _with_names(error(failure, catalogue.reason), session) from None
        finally:
            catalogue.close()
    except KeyboardInterrupt:
        catalogue.abandon()
        raise
    except BaseException:
        catalogue.close()
        raise
    return Resolution(solution, roots, direct, catalogue, session)


def _meanwhile() -> None:
    """A Python nobody has seen yet means an index nobody has read for it; what that takes loads while one waits."""
    import accord.io.http.pool
    import accord.repositories.decode  # noqa: F401


def _checked(flag: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise UsageError("usage", f"{flag} is one of {', '.join(known)}, not {value!r}")
    return value


def _named(wish: Wish) -> Requirement:
    requirement = wish.requirement
    if requirement is None:
        raise UsageError(
            "constraint-unnamed",
            f"a constraint must have a name: {wish.reference}",
            hint="write it as NAME @ URL",
        )
    return requirement


def _dependency(requirement: Requirement) -> Dependency:
    specifier = requirement.specifier if requirement.url is None else f"@ {requirement.url}"
    return requirement.name, requirement.extras, specifier


def _directs(
    session: Session, wishes: list[Wish], asked: Asked
) -> tuple[dict[str, Resolved], list[tuple[Wish, Dependency]]]:
    """The direct references among ``wishes`` and of those references, and every wish with its dependency."""
    if all(wish.reference is None for wish in wishes) and all(
        wish.requirement is None or wish.requirement.url is None
        for wish in (*asked.constraints, *asked.overrides)
    ):
        return {}, [(wish, _dependency(_named(wish))) for wish in wishes]
    from accord.tasks.references import gather

    return gather(session, wishes, asked)


def _prerelease_names(said: Iterable[Dependency]) -> frozenset[str]:
    return frozenset(
        name
        for name, _, specifier in said
        if specifier and specifier[0] != "@" and names_prerelease(specifier)
    )


def _pins(said: Iterable[Dependency], prefer: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Exact pins by project: only they admit a yanked version (PEP 592 "Installers").

    A version that was locked before is one: a yank is a warning then, and no upgrade behind anybody's back.
    """
    found: dict[str, tuple[str, ...]] = {name: (f"=={version}",) for name, version in prefer.items()}
    for name, _, specifier in said:
        if specifier.startswith("==") and "," not in specifier and "*" not in specifier:
            found[name] = (*found.get(name, ()), specifier)
    return found


def _preferred(asked: Asked, upgrade: bool | frozenset[str]) -> dict[str, str]:
    if upgrade is True:
        return {}
    if upgrade:
        return {name: version for name, version in asked.prefer.items() if name not in upgrade}
    return asked.prefer


def _edited(
    roots: list[tuple[Wish, Dependency]],
    overrides: dict[str, tuple[Dependency, ...]],
    excludes: frozenset[str],
) -> list[tuple[Wish, Dependency]]:
    """What is asked for is overridden and excluded like what anybody needs, but for direct references: those are as
    plain a word as an override."""
    return [
        (wish, other)
        for wish, dependency in roots
        if dependency[0] not in excludes
        for other in (
            (dependency,) if dependency[2].startswith("@") else overrides.get(dependency[0], (dependency,))
        )
    ]


def _overrides(
    wishes: list[Wish], session: Session, direct: dict[str, Resolved]
) -> dict[str, tuple[Dependency, ...]]:
    """What stands in for a project wherever it is needed; one whose marker does not hold stands for nothing."""
    found: dict[str, tuple[Dependency, ...]] = {}
    for wish in wishes:
        requirement = _named(wish)
        kept = found.setdefault(requirement.name, ())
        if wish.marker is None or session.target.holds(wish.marker):
            name, extras, specifier = _dependency(requirement)
            if requirement.url is not None:
                specifier = f"@ {direct[name].url}"
            found[name] = (*kept, (name, extras, specifier))
    return found


def _with_names(failure: ResolutionError, session: Session) -> ResolutionError:
    """Add which indexes were asked: for an unknown name that is the first question.  What a solver has no advice for
    is a fault of the files themselves."""
    if failure.hint is None:
        failure.hint = "choose another version or another index; the fault is in the files themselves"
    if failure.code == "unknown-project":
        asked = session.index_names()
        return ResolutionError(
            failure.code,
            failure.message,
            context=(*failure.context, f"asked: {', '.join(asked) or 'no index'}"),
            hint=failure.hint,
        )
    return failure
