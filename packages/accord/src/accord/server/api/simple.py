"""The Simple API: the list of projects, their pages, namespaces; negotiated, finished (PEP 503, 691, 752).

``front`` answers from the shelf; what it does not find comes here, is made, and is put on the shelf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse
from starlette.routing import Route

from accord.server.accounts import principals
from accord.server.api.answers import Made, answer, demand_reading, matches, pick, serve
from accord.server.api.places import everywhere, index_of, origin_of
from accord.server.catalogue import grants, indexes, reading, visible
from accord.server.errors import Refused, no_such_project, unauthenticated
from accord.server.pages import documents
from accord.server.pages.roots import Roots
from accord.server.pages.shelf import finish
from accord_core.index.negotiate import JSON
from accord_core.index.serialise import json_namespace, json_namespaces
from accord_core.names import normalise

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.catalogue.reading import ProjectRow
    from accord.server.parts import Parts

__all__ = ["find_readable", "matches", "pick", "routes"]

_PROJECT_AGE = 600
_ROOT_AGE = 60


def routes(parts: Parts) -> list[BaseRoute]:
    """``/simple/``, ``/simple/NAME/``, ``/namespaces`` and ``/namespace/NAME`` of each index."""
    roots = Roots(max_age=_ROOT_AGE, packed=parts.settings.packed)

    def root(request: Request) -> Response:
        path = request.scope["path"]
        serial = parts.shelf.catch_up()
        with parts.database.read() as connection:
            index = index_of(connection, request)
            who = demand_reading(parts, connection, request, index, None)
            at = parts.now()
            hidden = visible.hidden_projects(connection, principals.ANYBODY, index, at)
            mine = visible.hidden_projects(connection, who, index, at) if hidden else hidden
            if mine != hidden:  # a list of one's own, kept by nobody
                listed = documents.root_documents(connection, index, mine)
                page = finish(listed, frozenset(), serial=index.serial, max_age=0, packed=False)
                return answer(request, page, public=False)
            found = roots.root(connection, index, partial=bool(hidden))
        if index.public and found.serial >= index.serial:
            parts.shelf.put(path, found.page, serial)
        return answer(request, found.page, public=index.public)

    def project(request: Request) -> Response:
        asked = request.path_params["project"]
        name = normalise(asked)
        if name != asked:
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"../{name}/{query}", 301)
        return serve(
            parts, request, lambda connection, index: _project(parts, request, connection, index, name)
        )

    def namespaces(request: Request) -> Response:
        return serve(parts, request, lambda connection, index: _namespaces(parts, request, connection, index))

    def namespace(request: Request) -> Response:
        asked = request.path_params["namespace"]
        name = normalise(asked)
        if name != asked:
            return RedirectResponse(name, 301)
        return serve(
            parts, request, lambda connection, index: _namespace(parts, request, connection, index, name)
        )

    def slash(request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(request.scope["path"].rpartition("/")[2] + "/" + query, 301)

    return everywhere(
        [
            Route("/simple/", root, name="simple-root"),
            # The standard's URLs are below the base URL of the API; the shorter ones are for people.
            Route("/simple/namespaces", namespaces, name="simple-namespaces"),
            Route("/simple/namespace/{namespace}", namespace, name="simple-namespace"),
            Route("/namespaces", namespaces, name="namespaces"),
            Route("/namespace/{namespace}", namespace, name="namespace"),
            Route("/simple/{project}/", project, name="simple-project"),
            Route("/simple", slash, name="simple-root-slash"),
            Route("/simple/{project}", slash, name="simple-project-slash"),
        ]
    )


def find_readable(
    parts: Parts, connection: Connection, request: Request, index: IndexRow, name: str
) -> tuple[ProjectRow, bool, frozenset[tuple[int, str | None]]]:
    """The project as the first index that has it tells it, whether anybody may read it, and what a page of it is made of.

    Raises ``Refused``: ``not-authenticated``, ``not-allowed``, ``no-such-project``.
    """
    who = demand_reading(parts, connection, request, index, name)
    at = parts.now()
    sources = indexes.reading_order(connection, index)
    for source in visible.sources_for(connection, who, index, name, at):
        row = reading.find_project(connection, source, name)
        if row is not None:
            public = all(
                principals.may(connection, principals.ANYBODY, "read", one, name, at)
                for one in (index, source)
            )
            return row, public, frozenset((each.id, name) for each in sources)
    if who.user_id is None and not all(source.public for source in sources):
        raise unauthenticated()  # whether or not the name is there: somebody who is known may see more
    raise no_such_project(index.name, name)


def _project(parts: Parts, request: Request, connection: Connection, index: IndexRow, name: str) -> Made:
    row, public, of = find_readable(parts, connection, request, index, name)
    # A page with absolute URLs is everybody's only where all reach the server under one address.
    kept = parts.settings.public_url is not None or not reading.announces_provenance(connection, row)
    made = documents.project_documents(connection, row, origin=origin_of(parts.settings, request))
    return Made(made, of, row.serial, _PROJECT_AGE, public, kept, (index.name, name))


def _namespaces(parts: Parts, request: Request, connection: Connection, index: IndexRow) -> Made:
    demand_reading(parts, connection, request, index, None)
    body = json_namespaces(grants.grants(connection, index))
    of = frozenset(((index.id, None),))
    return Made({JSON: body}, of, index.serial, _PROJECT_AGE, index.public)


def _namespace(parts: Parts, request: Request, connection: Connection, index: IndexRow, name: str) -> Made:
    demand_reading(parts, connection, request, index, None)
    grant = grants.find_grant(connection, index, name)
    if grant is None:
        raise Refused(404, "no-such-namespace", f"{index.name} has no namespace {name}")
    body = json_namespace(name, parent=grant.parent, children=grant.children, owner=grant.owner)
    of = frozenset(((index.id, None),))
    return Made({JSON: body}, of, index.serial, _PROJECT_AGE, index.public)
