"""The Simple API: the list of projects, their pages, namespaces; negotiated, finished (PEP 503, 691, 752).

``front`` answers from the shelf; what it does not find comes here, is made, and is put on the shelf.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse
from starlette.routing import Route

from accord.server.accounts import principals
from accord.server.api.answers import Made, answer, demand_reading, matches, pick, serve
from accord.server.api.places import everywhere, index_of, origin_of, query_of, slash
from accord.server.catalogue import grants, reading, stacks
from accord.server.errors import Refused
from accord.server.pages import documents
from accord.server.pages.roots import Roots
from accord.server.pages.shelf import Place
from accord_core.index.negotiate import JSON
from accord_core.index.serialise import json_namespace, json_namespaces
from accord_core.names import normalise

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.catalogue.stacks import Told
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
            at = parts.now()
            who = demand_reading(parts, connection, request, index, None)
            stack = stacks.layers(connection, who, index, at)
            public = principals.may(connection, principals.ANYBODY, "read", index, None, at)
            if not public or stack != stacks.layers(connection, principals.ANYBODY, index, at):
                place = Place(
                    path, tuple((layer.index.id, layer.index.serial, layer.hidden) for layer in stack)
                )
                page = parts.shelf.find(place)
                if page is None:
                    page = documents.root_page(
                        connection, stack, max_age=_ROOT_AGE, packed=parts.settings.packed
                    )
                    parts.shelf.put(place, page, serial)
                return answer(request, page, public=False)
            found = roots.root(connection, index)
        if found.serial >= max(layer.index.serial for layer in stack):
            parts.shelf.put(path, found.page, serial)
        return answer(request, found.page, public=True)

    def project(request: Request) -> Response:
        asked = request.path_params["project"]
        name = normalise(asked)
        if name != asked:
            return RedirectResponse(f"../{name}/{query_of(request)}", 301)
        return serve(
            parts, request, lambda connection, index: _project(parts, request, connection, index, name)
        )

    def namespaces(request: Request) -> Response:
        return serve(parts, request, lambda connection, index: _namespaces(parts, request, connection, index))

    def namespace(request: Request) -> Response:
        asked = request.path_params["namespace"]
        name = normalise(asked)
        if name != asked:
            return RedirectResponse(f"./{name}", 301)
        return serve(
            parts, request, lambda connection, index: _namespace(parts, request, connection, index, name)
        )

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
) -> tuple[Told, bool]:
    """The project as the stack tells it to the sender, and whether anybody may read it.

    Raises ``Refused``: ``not-authenticated``, ``not-allowed``, ``no-such-index``, ``no-such-project``.
    """
    at = parts.now()
    who = demand_reading(parts, connection, request, index, name)
    told = stacks.tell(connection, who, index, name, at)
    if told is None:
        raise stacks.missing(connection, who, index, name, at)
    anybody = principals.ANYBODY
    public = principals.may(connection, anybody, "read", index, name, at) and (
        who is anybody or stacks.tell(connection, anybody, index, name, at) == told
    )
    return told, public


def _project(parts: Parts, request: Request, connection: Connection, index: IndexRow, name: str) -> Made:
    told, public = find_readable(parts, connection, request, index, name)
    # A page with absolute URLs is everybody's only where all reach the server under one address.
    absolute = any(reading.announces_provenance(connection, row) for row in told.rows)
    kept = parts.settings.public_url is not None or not absolute
    origin = origin_of(parts.settings, request)
    return Made(
        partial(documents.project_documents, connection, told, origin=origin),
        told.of,
        told.serial,
        _PROJECT_AGE,
        public,
        kept,
        (index.name, name),
        (told.rows, origin if absolute else None),
    )


def _namespaces(parts: Parts, request: Request, connection: Connection, index: IndexRow) -> Made:
    demand_reading(parts, connection, request, index, None)
    body = json_namespaces(grants.grants(connection, index))
    of = frozenset(((index.id, None),))
    return Made(lambda: {JSON: body}, of, index.serial, _PROJECT_AGE, index.public)


def _namespace(parts: Parts, request: Request, connection: Connection, index: IndexRow, name: str) -> Made:
    demand_reading(parts, connection, request, index, None)
    grant = grants.find_grant(connection, index, name)
    if grant is None:
        raise Refused(404, "no-such-namespace", f"{index.name} has no namespace {name}")
    body = json_namespace(name, parent=grant.parent, children=grant.children, owner=grant.owner)
    of = frozenset(((index.id, None),))
    return Made(lambda: {JSON: body}, of, index.serial, _PROJECT_AGE, index.public)
