"""Everything asked of one resolve, read and put in one form, whatever document or flag it came from (hot).

Knows requirements and where they were written; opens nothing and decides no version.
"""

from __future__ import annotations

from accord_core.project.requirement import Requirement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Asked", "Wish"]


class Wish:
    """One requirement and its story.

    ``origin`` is where it was written (``requirements.in:3``, ``pyproject.toml [project.dependencies]``), and ``via``
    what an annotation calls it (``-r requirements.in``).  ``reference`` is the text of a direct reference, for which
    ``requirement`` may be None until its metadata tells the name.  ``selection`` says when it is wanted: ``""`` always,
    ``extra:NAME`` or ``group:NAME`` when that is selected.  ``hashes`` are ``algorithm:hex`` texts.
    """

    __slots__ = (
        "base",
        "editable",
        "hashes",
        "marker",
        "origin",
        "reference",
        "requirement",
        "selection",
        "via",
    )

    def __init__(
        self,
        requirement: Requirement | None,
        origin: str,
        *,
        via: str = "",
        reference: str | None = None,
        base: str = ".",
        marker: str | None = None,
        editable: bool = False,
        hashes: tuple[str, ...] = (),
        selection: str = "",
    ) -> None:
        self.requirement = requirement
        self.origin = origin
        self.via = via or origin
        self.reference = reference
        self.base = base
        self.marker = marker
        self.editable = editable
        self.hashes = hashes
        self.selection = selection


class Asked:
    """What is asked: wishes, constraints, overrides, excluded projects, and versions to keep if they fit, which are ``installed`` or only
    were chosen before."""

    __slots__ = (
        "constraints",
        "excludes",
        "inputs",
        "installed",
        "overrides",
        "prefer",
        "requires_python",
        "wishes",
    )

    def __init__(
        self,
        wishes: Iterable[Wish] = (),
        *,
        constraints: Iterable[Wish] = (),
        overrides: Iterable[Wish] = (),
        excludes: frozenset[str] = frozenset(),
        prefer: dict[str, str] | None = None,
        inputs: tuple[str, ...] = (),
        requires_python: str | None = None,
    ) -> None:
        self.wishes = list(wishes)
        self.constraints = list(constraints)
        self.overrides = list(overrides)
        self.excludes = excludes
        self.prefer = prefer or {}
        self.installed = False
        self.inputs = inputs
        self.requires_python = requires_python
