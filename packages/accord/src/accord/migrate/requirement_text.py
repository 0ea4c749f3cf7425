"""One requirement as a document writes it, made from what another format says."""

from __future__ import annotations

from packaging.requirements import InvalidRequirement, Requirement

from accord.migrate.model import Item
from accord_core.project.markers import require_shallow

__all__ = ["join_marker", "requirement_item"]


def requirement_item(
    text: str, comment: str | None = None, above: tuple[str, ...] = (), marker: str | None = None
) -> Item | None:
    """The requirement, as written where it is one (PEP 508); None where it is not."""
    try:
        require_shallow(text)
        Requirement(text)
        if marker:
            text = join_marker(text, marker)
    except (InvalidRequirement, ValueError):
        return None
    return Item(" ".join(text.split()), comment, above)


def join_marker(text: str, marker: str) -> str:
    """``text`` under ``marker`` as well.  ``ValueError`` for what is no requirement or marker."""
    found = Requirement(text)
    mine = str(found.marker) if found.marker else ""
    head = text.rpartition(";")[0].strip() if mine else text.strip()
    parts = [f"({part})" if " or " in part else part for part in (mine, marker.strip()) if part]
    joined = f"{head}{' ' if found.url else ''}; {' and '.join(parts)}"
    Requirement(joined)
    return joined
