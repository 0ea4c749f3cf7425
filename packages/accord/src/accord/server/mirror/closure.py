"""What requirements need, as far as an upstream's metadata say: every project, with every specifier it is asked under.

Nothing is solved.  A mirror serves many Pythons and platforms, so every version the rules let through counts, every marker
is taken for true, and an extra counts where somebody asks for it: rather a file too many than one that is missing.  Of
each version one wheel is read.  A version that is an sdist alone says nothing that can be known without building it; it
is reported.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

from accord.server.errors import Refused
from accord.server.mirror.entries import Entry, candidates, usable_files
from accord.server.mirror.rules import Rules
from accord.wheels.fields import read_fields
from accord_core.errors import AccordError
from accord_core.names import normalise

if TYPE_CHECKING:
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.mirror.asking import Upstreams

__all__ = ["Closure", "closure"]


@dataclass(slots=True)
class Closure:
    """``specifiers`` by project; ``unknown``: of what could not be known what it needs, and why."""

    specifiers: dict[str, list[str]] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)


class _Wish:
    __slots__ = ("extras", "specifiers")

    def __init__(self) -> None:
        self.extras: set[str] = set()
        self.specifiers: dict[str, None] = {}


def closure(
    upstreams: Upstreams,
    index: IndexRow,
    rules: Rules,
    requirements: Iterable[str],
    *,
    now: int,
    most: int,
    report: Callable[[str], None],
) -> Closure:
    """Raises ``Refused``: ``mirror-rules`` (a requirement that is none), ``mirror-too-large``."""
    found = Closure()
    wishes: dict[str, _Wish] = {}
    waiting: deque[str] = deque()
    pages: dict[str, dict[str, Entry]] = {}
    metadata: dict[str, tuple[str, ...]] = {}
    base = replace(rules, names=None, closure=None)

    def wish(requirement: Requirement) -> None:
        name = normalise(requirement.name)
        known = wishes.setdefault(name, _Wish())
        extras = set(map(normalise, requirement.extras))
        specifier = str(requirement.specifier)
        if specifier in known.specifiers and extras <= known.extras:
            return
        known.specifiers[specifier] = None
        known.extras |= extras
        if len(wishes) > most:
            raise Refused(400, "mirror-too-large", f"the requirements need more than {most} projects")
        if name not in waiting:
            waiting.append(name)

    for text in requirements:
        try:
            wish(Requirement(text))
        except InvalidRequirement as fault:
            raise Refused(400, "mirror-rules", f"{text!r} is no requirement of a project") from fault
    while waiting:
        name = waiting.popleft()
        known = wishes[name]
        if not base.takes_name(name):
            found.unknown[name] = "the rules leave it out"
            continue
        report(name)
        try:
            if name not in pages:
                page = upstreams.look(index, name)
                pages[name] = {} if page is None else usable_files(page, name, {}, now)
                if page is None:
                    found.unknown[name] = "upstream has no such project"
        except AccordError as fault:
            found.unknown[name] = fault.message
            continue
        narrowed = replace(base, closure={name: tuple(map(SpecifierSet, known.specifiers))})
        reasons, _ = narrowed.verdicts(name, candidates(pages[name]), now)
        taken = [entry for filename, entry in pages[name].items() if filename not in reasons]
        for text in _needs(upstreams, index, taken, metadata, found):
            needed = _counts(text, known.extras)
            if needed is not None:
                wish(needed)
    found.specifiers = {name: list(known.specifiers) for name, known in sorted(wishes.items())}
    return found


def _needs(
    upstreams: Upstreams,
    index: IndexRow,
    taken: list[Entry],
    metadata: dict[str, tuple[str, ...]],
    found: Closure,
) -> Iterable[str]:
    """The ``Requires-Dist`` of one wheel of each version."""
    by_version: dict[str, Entry] = {}
    for entry in taken:
        if entry.kind == "wheel" or entry.version not in by_version:
            by_version[entry.version] = entry
    for entry in by_version.values():
        filename = entry.file.filename
        if filename not in metadata:
            metadata[filename] = ()
            if entry.kind == "sdist":
                found.unknown[filename] = "an sdist, which would have to be built"
                continue
            try:
                body = upstreams.repository(index).metadata(entry.file)
            except AccordError as fault:
                found.unknown[filename] = fault.message
                continue
            metadata[filename] = tuple(read_fields(body or b"").all("Requires-Dist"))
        yield from metadata[filename]


def _counts(text: str, extras: set[str]) -> Requirement | None:
    """A dependency that somebody may need who asked for these extras."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return None
    if requirement.url is not None:
        return None
    marker = str(requirement.marker or "")
    if "extra" not in marker:
        return requirement
    words = {normalise(word) for word in marker.split('"')[1::2]}
    return requirement if words & extras else None
