"""What changed between two releases: the metadata, the files, and the lines of those that are text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accord.server.api.places import everywhere
from accord.server.catalogue import browsing, reading
from accord.server.errors import Refused
from accord.server.web import contents
from accord.server.web.projects import look
from accord.server.web.visits import Visit
from accord.server.web.visits import reading as page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from accord.server.catalogue.reading import FileRow
    from accord.server.parts import Parts

__all__ = ["pair", "routes"]


def routes(parts: Parts) -> list[BaseRoute]:
    return everywhere([page(parts, "/project/{project}/compare/", compare)])


def compare(visit: Visit) -> Response:
    """``?old=``, ``?new=``; left away: the newest release and the one before it.  ``?kind=``: ``wheel``, ``sdist``."""
    with visit.parts.database.read() as connection:
        looked = look(visit, connection)
        rows = reading.files_of(connection, looked.project)
    there = [one for one in looked.releases if one.files]
    newest = browsing.preferred(looked.releases)
    new = visit.query("new") or (newest.version if newest else "")
    place = next((number for number, one in enumerate(there) if one.version == new), 0)
    old = visit.query("old") or (there[place + 1].version if place + 1 < len(there) else new)
    kind = visit.query("kind") if visit.query("kind") in ("wheel", "sdist") else ""
    values: dict[str, Any] = {
        "looked": looked,
        "project": looked.project,
        "newest": newest,
        "release": newest,
        "named": False,
        "tab": "compare",
        "home": f"{visit.base}project/{looked.project.name}/",
        "there": there,
        "old": old,
        "new": new,
        "kind": kind,
    }
    if not there or old == new:
        return visit.show("compare.html", **values, files=None, difference=None)
    for version in (old, new):
        looked.release(version)
    files = pair(
        [one for one in rows if one.version == old], [one for one in rows if one.version == new], kind
    )
    if files is None:
        raise Refused(
            404,
            "nothing-to-compare",
            f"{old} and {new} have no file of one kind",
            hint="choose the other kind, or other versions",
        )
    found = contents.difference(visit.parts, *files)
    return visit.show("compare.html", **values, files=files, difference=found)


def pair(old: Sequence[FileRow], new: Sequence[FileRow], kind: str) -> tuple[FileRow, FileRow] | None:
    """The two files to compare: wheels of the same tags, then sdists, then any two wheels."""
    for wanted in ("wheel", "sdist"):
        if kind in ("", wanted):
            for one in new:
                for other in old:
                    if one.kind == other.kind == wanted and one.tags == other.tags:
                        return other, one
    if kind in ("", "wheel"):
        wheels = [[one for one in side if one.kind == "wheel"] for side in (old, new)]
        if all(wheels):
            return wheels[0][0], wheels[1][0]
    return None
