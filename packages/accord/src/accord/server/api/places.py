"""Where an index answers: under its name, and the first one at the root as well.

Rooms give their routes as paths inside an index; :func:`everywhere` puts them at both places.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Route

from accord.server.accounts import attempts, principals
from accord.server.catalogue import indexes, visible
from accord.server.settings import DEFAULT_INDEX

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.settings import Settings

__all__ = ["everywhere", "index_of", "origin_of", "query_of", "slash"]


def everywhere(routes: Iterable[Route]) -> list[BaseRoute]:
    """Each route at the root, for the first index, and below ``/{index}``."""
    found: list[BaseRoute] = []
    for route in routes:
        methods = sorted(route.methods or ())
        found.append(Route(route.path, route.endpoint, methods=methods, name=route.name))
        found.append(Route("/{index}" + route.path, route.endpoint, methods=methods, name=route.name))
    return found


def index_of(connection: Connection, request: Request) -> IndexRow:
    """The index a request is about.  Raises ``Refused``: ``not-authenticated`` (401), ``no-such-index`` (404)."""
    name = request.path_params.get("index", DEFAULT_INDEX)
    found = indexes.find_index(connection, name)
    if found is not None:
        return found
    who = principals.authenticate(connection, request.headers.get("authorization"), attempts.instant())
    return visible.index_for(connection, who, name)


def origin_of(settings: Settings, request: Request) -> str:
    """The absolute URL below which the asked index answers, without a slash at its end: as the settings say, else as the
    client addressed the server.  What is made with the latter must not be given to anybody else."""
    root = settings.public_url or str(request.base_url)
    index = request.path_params.get("index")
    return root.rstrip("/") + (f"/{index}" if index else "")


def query_of(request: Request) -> str:
    """The query of a request as a redirect passes it on."""
    return f"?{request.url.query}" if request.url.query else ""


def slash(request: Request) -> Response:
    """To the same place with the slash that is missing at its end.  What stands before a colon is no scheme there."""
    return RedirectResponse(f"./{request.scope['path'].rpartition('/')[2]}/{query_of(request)}", 301)
