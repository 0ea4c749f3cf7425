"""A release becomes one that people see: with its first file that is visible, and with what that file says of itself.

Until then its row is only there for the files that wait (in quarantine) to point at, and has nothing to tell: no page, feed
or search may show the words of a file nobody may have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from sqlalchemy import bindparam, insert, update

from accord.server.database import tables
from accord_core.names import normalise

if TYPE_CHECKING:
    from accord.server.database import Writing
    from accord.wheels.fields import Fields

__all__ = ["publish"]

_PUBLISH = (
    update(tables.release)
    .where(tables.release.c.id == bindparam("release_id"))
    .values(published=bindparam("at"), summary=bindparam("words"), about=bindparam("fields"))
)
_DEPEND = insert(tables.dependency)


def publish(writing: Writing, release_id: int, fields: Fields) -> None:
    """Publish a release that is not yet; ``fields`` are those of the file it begins with."""
    connection = writing.connection
    connection.execute(
        _PUBLISH,
        {
            "release_id": release_id,
            "at": writing.at,
            "words": fields.first("Summary"),
            "fields": _about(fields),
        },
    )
    rows = [
        {"release_id": release_id, "position": position, "name": name, "requirement": text}
        for position, text in enumerate(fields.all("Requires-Dist"))
        if (name := _required_name(text)) is not None
    ]
    if rows:
        connection.execute(_DEPEND, rows)


def _about(fields: Fields) -> dict[str, list[str]]:
    """The fields of the metadata that pages show, but for the long description."""
    return {key: values for key, values in fields.grouped().items() if key != "Description"}


def _required_name(text: str) -> str | None:
    try:
        return normalise(Requirement(text).name)
    except InvalidRequirement:
        return None
