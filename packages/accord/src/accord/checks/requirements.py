"""Checks of what a project asks for: its dependencies and those of its extras."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from accord.checks.model import ADVICE, ERROR, WARNING, Finding, Register
from accord.checks.subjects import Subject

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from accord.checks.facts import Dependency

__all__ = ["CHECKS"]

check = Register()
_ALL = ("project", "sdist", "wheel")


def _read(subject: Subject) -> Iterator[tuple[Dependency, Requirement]]:
    """The dependencies that can be read; what cannot, is reported elsewhere."""
    from packaging.requirements import InvalidRequirement, Requirement

    for dependency in subject.facts.dependencies if subject.facts else ():
        try:
            yield dependency, Requirement(dependency.text)
        except InvalidRequirement:
            continue


@check("dependency-url", "A dependency is a URL", ERROR, *_ALL)
def dependency_url(subject: Subject) -> Iterable[Finding]:
    """The public index refuses direct references (``name @ https://…``): what a release needs must be released itself.

    For a private index, ignore this check in ``[tool.accord.check]``.
    """
    for dependency, requirement in _read(subject):
        if requirement.url:
            yield Finding(
                f"{requirement.name} is asked for by its URL",
                dependency.where,
                "publish it and ask for a version; [tool.accord.sources] takes it from elsewhere while developing",
            )


@check("dependency-duplicate", "A dependency stands twice", WARNING, *_ALL)
def dependency_duplicate(subject: Subject) -> Iterable[Finding]:
    """Two lines for one project under the same condition are one too many: whoever changes one forgets the other."""
    from accord_core.names import normalise

    seen: set[tuple[str, str, str | None, tuple[str, ...]]] = set()
    for dependency, requirement in _read(subject):
        extras = tuple(sorted(requirement.extras))
        key = (normalise(requirement.name), str(requirement.marker or ""), dependency.extra, extras)
        if key in seen:
            yield Finding(f"{requirement.name} is asked for twice under one condition", dependency.where)
        seen.add(key)


@check("dependency-lower-bound", "A dependency has no lower bound", ADVICE, *_ALL)
def dependency_lower_bound(subject: Subject) -> Iterable[Finding]:
    """Resolvers may choose the oldest release there is. Say the oldest version that was tried."""
    from accord_core.names import normalise

    own = normalise(subject.facts.name) if subject.facts and subject.facts.name else ""
    named = []
    for dependency, requirement in _read(subject):
        low = any(one.operator in (">=", ">", "==", "===", "~=") for one in requirement.specifier)
        if (
            not low
            and not requirement.url
            and dependency.extra is None
            and normalise(requirement.name) != own
        ):
            named.append((dependency, requirement.name))
    if named:
        names = ", ".join(dict.fromkeys(name for _, name in named))
        yield Finding(f"any version does, however old, of {names}", named[0][0].where, "write NAME>=VERSION")


@check("dependency-cap", "A dependency shuts out versions to come", ADVICE, *_ALL)
def dependency_cap(subject: Subject) -> Iterable[Finding]:
    """A library that caps what it needs cannot be installed beside one that needs more, and nobody can lift the cap.

    An application pins in its lock. Cap only what is known to break.
    """
    for dependency, requirement in _read(subject):
        caps = [
            str(one)
            for one in requirement.specifier
            if one.operator in ("<", "<=", "~=", "===") or (one.operator == "==")
        ]
        if caps and dependency.extra is None:
            text = ", ".join(sorted(caps))
            yield Finding(f"{requirement.name} {text} shuts out versions to come", dependency.where)


CHECKS = tuple(check.checks)
