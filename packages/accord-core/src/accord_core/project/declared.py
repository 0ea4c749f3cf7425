"""A requirement somebody wrote down, and where."""

from __future__ import annotations

from dataclasses import dataclass

from accord_core.errors import Where
from accord_core.project.entry import slip
from accord_core.project.faults import Faults
from accord_core.project.positions import KeyPath
from accord_core.project.requirement import Requirement, parse_requirement

__all__ = ["Declared", "read_declared", "read_many", "reason"]


@dataclass(frozen=True, slots=True)
class Declared:
    """``requirement`` as understood, ``text`` as written, ``where`` it stands (a file, and table, key or line)."""

    requirement: Requirement
    text: str
    where: Where

    @property
    def name(self) -> str:
        return self.requirement.name


def read_declared(text: str, at: KeyPath, faults: Faults) -> Declared | None:
    """Read a requirement that stands at ``at``; None, and a fault noted, where it is none (PEP 508)."""
    try:
        requirement = parse_requirement(text)
    except ValueError as error:
        faults.add(
            "invalid-requirement", f"{text!r} is not a requirement: {reason(error)}", at, hint=_hint(text)
        )
        return None
    return Declared(requirement, text, faults.where(at))


def read_many(value: object, at: KeyPath, faults: Faults) -> tuple[Declared, ...]:
    """An array of requirements that stands at ``at``; None counts as absent."""
    if value is None:
        return ()
    if not isinstance(value, list):
        faults.wrong_type(value, "an array of requirements", at)
        return ()
    found = []
    for i, item in enumerate(value):
        if isinstance(item, str):
            found.append(read_declared(item, (*at, i), faults))
        else:
            faults.wrong_type(item, "a string", (*at, i))
    return tuple([one for one in found if one is not None])


def reason(error: ValueError) -> str:
    """The first line of what ``packaging`` says; the rest draws the text again."""
    first = str(error).strip().split("\n", 1)[0]
    return first[:1].lower() + first[1:]


def _hint(text: str) -> str | None:
    if text.strip().startswith(("./", "../", "/", "git+", "http://", "https://", "file:")):
        return "a path or URL needs a name before it: 'name @ …'"
    return slip(text)
