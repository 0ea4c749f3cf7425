"""Yanked: still there for those who ask for exactly this version, offered to nobody else (PEP 592).

A release is yanked whole; a file that is yanked already keeps its reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from accord.server.database import tables
from accord.server.errors import Refused

if TYPE_CHECKING:
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.database import Writing

__all__ = ["set_yanked"]


def set_yanked(
    writing: Writing,
    index: IndexRow,
    project: str,
    version: str,
    *,
    yanked: bool,
    reason: str = "",
    most: int,
) -> int:
    """How many files changed; none is no error and no change.

    Raises ``Refused``: ``no-such-release`` (404), ``reason-too-long`` (400).
    """
    if len(reason.encode()) > most:
        raise Refused(400, "reason-too-long", f"a reason has at most {most} bytes")
    file = tables.file.c
    release_id = writing.connection.execute(
        select(tables.release.c.id)
        .join(tables.project, tables.project.c.id == tables.release.c.project_id)
        .where(
            tables.project.c.index_id == index.id,
            tables.project.c.name == project,
            tables.release.c.version == version,
            tables.release.c.published.is_not(None),
        )
    ).scalar()
    if release_id is None:
        raise Refused(404, "no-such-release", f"{index.name} has no release {version} of {project}")
    changed = (
        writing.connection.execute(
            update(tables.file)
            .where(
                file.release_id == release_id,
                file.state == "live",
                file.removed_serial.is_(None),
                file.yanked.is_(not yanked),
            )
            .values(yanked=yanked, yank_reason=(reason or None) if yanked else None)
            .returning(file.filename)
        )
        .scalars()
        .all()
    )
    for filename in sorted(changed):
        writing.changed(
            index.id,
            "yank" if yanked else "unyank",
            project=project,
            version=version,
            filename=filename,
            **({"reason": reason} if yanked and reason else {}),
        )
    return len(changed)
