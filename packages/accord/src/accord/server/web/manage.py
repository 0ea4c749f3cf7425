"""A project for those who own it: who has which role, what happened last, and yanking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response

from accord.server.accounts import principals, roles
from accord.server.api.places import everywhere
from accord.server.catalogue import browsing, life
from accord.server.catalogue.life import Part
from accord.server.errors import Refused
from accord.server.web.projects import look
from accord.server.web.visits import Visit, changing
from accord.server.web.visits import reading as page

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from accord.server.parts import Parts

__all__ = ["routes"]

_SHOWN = 50


def routes(parts: Parts) -> list[BaseRoute]:
    return everywhere([page(parts, "/project/{project}/manage/", manage)]) + everywhere(
        [changing(parts, "/project/{project}/manage/yank", yank)]
    )


def manage(visit: Visit) -> Response:
    if visit.session is None:
        return RedirectResponse(f"{visit.root}login?next={visit.request.url.path}", 303)
    with visit.parts.database.read() as connection:
        looked = look(visit, connection)
        principals.demand(connection, visit.who, "yank", looked.source, looked.project.name, visit.at)
        return visit.show(
            "manage.html",
            looked=looked,
            project=looked.project,
            release=browsing.preferred(looked.releases),
            newest=browsing.preferred(looked.releases),
            named=False,
            tab="manage",
            home=f"{visit.base}project/{looked.project.name}/",
            roles=roles.roles_in(connection, looked.source, looked.project.name),
            index_roles=roles.roles_in(connection, looked.source),
            changes=browsing.changes_of(connection, looked.source.id, looked.project.name, _SHOWN),
        )


def yank(visit: Visit) -> Response:
    """``yank`` or ``unyank`` a whole release of the index the project lies in."""
    wanted = visit.field("what")
    if wanted not in ("yank", "unyank"):
        raise Refused(400, "form-invalid", "the form does not say what to do")
    with visit.parts.database.read() as connection:
        looked = look(visit, connection)
    with visit.parts.database.write(visit.who.actor) as writing:
        principals.demand(writing.connection, visit.who, "yank", looked.source, looked.project.name, visit.at)
        part = Part(looked.source, looked.project.name, visit.field("version"))
        if wanted == "yank":
            life.yank(writing, part, visit.field("reason").strip(), visit.parts.settings.limits)
        else:
            life.unyank(writing, part)
    return RedirectResponse("./", 303)
