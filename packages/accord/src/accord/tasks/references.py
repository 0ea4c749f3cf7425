"""Direct references of a resolve: gathered before it, because a universe must be closed before it is used.

Knows sources and builds by the session; decides no version.  Those that a direct reference's own metadata names are
gathered too; two different references for one project are an error that names both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.build.reference import Reference, parse_reference
from accord.build.sources import WheelSource
from accord.repositories.candidates import decide
from accord_core.archive.metadata import parse_metadata
from accord_core.errors import ResolutionError
from accord_core.lock.model import Archive, Directory, Package, Vcs
from accord_core.project.requirement import Requirement

if TYPE_CHECKING:
    from accord.build.sources import ArchiveSource, DirectorySource, GitSource
    from accord.repositories.candidates import Needs
    from accord.tasks.asked import Asked, Wish
    from accord.tasks.session import Session
    from accord_core.resolve.port import Dependency

    Opened = DirectorySource | ArchiveSource | WheelSource | GitSource

__all__ = ["Resolved", "gather"]


@dataclass(frozen=True, slots=True)
class Resolved:
    """A direct reference, pinned: what it is, where it is from, and what it needs on the target, by extra."""

    name: str
    version: str
    url: str
    needs: Needs
    source: Opened
    origin: str

    def package(
        self, version: str, marker: str | None, edges: tuple[dict[str, str], ...], base: str
    ) -> Package:
        """Its entry in a lock that stands in the folder ``base`` (PEP 751)."""
        entry = self.source.lock_entry(base)
        return Package(
            name=self.name,
            # the standard: "The version MUST NOT be included when it cannot be guaranteed to be consistent"
            version=None if isinstance(entry, Directory) else version,
            marker=marker,
            dependencies=edges,
            vcs=entry if isinstance(entry, Vcs) else None,
            archive=entry if isinstance(entry, Archive) else None,
            directory=entry if isinstance(entry, Directory) else None,
        )


def gather(
    session: Session, wishes: list[Wish], asked: Asked
) -> tuple[dict[str, Resolved], list[tuple[Wish, Dependency]]]:
    """All direct references reachable from ``wishes``, and the dependency each wish stands for.

    Raises ResolutionError ``conflicting-references``, and whatever opening or building a reference raises.
    """
    found: dict[str, Resolved] = {}
    roots: list[tuple[Wish, Dependency]] = []
    waiting: list[tuple[Reference, str]] = []
    for wish in wishes:
        if wish.reference is None:
            requirement = wish.requirement
            assert requirement is not None, "a wish has a requirement or a reference"
            roots.append((wish, (requirement.name, requirement.extras, requirement.specifier)))
            continue
        named = wish.requirement
        reference = parse_reference(
            wish.reference,
            base=wish.base,
            editable=wish.editable,
            name=named.name if named else None,
            extras=named.extras if named else (),
        )
        one = _open(session, reference, wish.origin, found, waiting)
        wish.requirement = named or Requirement(one.name, one.name, reference.extras)
        roots.append((wish, (one.name, wish.requirement.extras or reference.extras, f"@ {one.url}")))
    for wish in (*asked.constraints, *asked.overrides):
        requirement = wish.requirement
        holds = wish.marker is None or session.target.holds(wish.marker)
        if holds and requirement is not None and requirement.url is not None:
            reference = parse_reference(requirement.url, base=wish.base, name=requirement.name)
            _open(session, reference, wish.origin, found, waiting)
    while waiting:
        reference, origin = waiting.pop()
        _open(session, reference, origin, found, waiting)
    return found, roots


def _open(
    session: Session,
    reference: Reference,
    origin: str,
    found: dict[str, Resolved],
    waiting: list[tuple[Reference, str]],
) -> Resolved:
    known = found.get(reference.name or "")
    if known is not None and known.url == reference.identity:
        return known
    if reference.kind != "git" and reference.path is None and not reference.hashes:
        # Version specifiers, "Direct references".
        session.reporter.warn(f"no hash says which bytes {reference} must have: add #sha256=... to the URL")
    source = session.openers.open(reference)
    data = source.metadata if isinstance(source, WheelSource) else session.builder.metadata(source).data
    metadata = parse_metadata(data)
    from accord_core.names import normalise
    from accord_core.project.versions import normal

    name = normalise(metadata.name)
    if name in found:
        if found[name].url == reference.identity:
            return found[name]
        raise ResolutionError(
            "conflicting-references",
            f"{name} is asked for by two different references",
            context=(f"{found[name].source.reference} ({found[name].origin})", f"{reference} ({origin})"),
            hint="keep one of them",
        )
    needs = decide(
        name, metadata.requires_python, metadata.requires_dist, metadata.provides_extra, session.target
    )
    if isinstance(needs, tuple):
        raise ResolutionError(needs[0], f"{name} (from {reference}) {needs[1]}")
    needs = {
        extra: tuple(_pinned(each, waiting, name) for each in several) for extra, several in needs.items()
    }
    one = found[name] = Resolved(name, normal(metadata.version), reference.identity, needs, source, origin)
    return one


def _pinned(dependency: Dependency, waiting: list[tuple[Reference, str]], parent: str) -> Dependency:
    """A dependency by URL in the form that a universe of one answers to, its reference put on the list."""
    name, extras, specifier = dependency
    if not specifier.startswith("@ "):
        return dependency
    reference = parse_reference(specifier[2:], base="/", name=name)
    waiting.append((reference, parent))
    return name, extras, f"@ {reference.identity}"
