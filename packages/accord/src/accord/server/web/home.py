"""The first page of the server and of each index: what this is, how to use it, what is new; and the search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from accord.server.accounts import principals
from accord.server.accounts.principals import ANYBODY
from accord.server.api import places
from accord.server.api.places import everywhere
from accord.server.catalogue import browsing, indexes, stacks
from accord.server.errors import Refused
from accord.server.web import install, render
from accord.server.web.visits import Visit
from accord.server.web.visits import reading as page
from accord_core.names import normalise

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.parts import Parts

__all__ = ["last_routes", "readable_stack", "routes"]

_NEW = 12
_PER_PAGE = 25


def routes(parts: Parts) -> list[BaseRoute]:
    return [
        page(parts, "/", home),
        Route("/static/{name}", static, methods=["GET"], name="web-static"),
        *everywhere([page(parts, "/search", search)]),
    ]


def last_routes(parts: Parts) -> list[BaseRoute]:
    """One segment is an index only where nothing else is called so: after all other routes."""
    return [page(parts, "/{index}/", home), page(parts, "/{index}", slash)]


def slash(visit: Visit) -> Response:
    with visit.parts.database.read() as connection:
        visit.index(connection)
    return places.slash(visit.request)


def static(request: Request) -> Response:
    """A file whose name has its digest, for ever."""
    found = render.assets().get(request.path_params["name"])
    if found is None:
        raise Refused(404, "no-such-page", "there is no such file")
    content_type, data = found
    return Response(
        data,
        headers={
            **render.SECURITY,
            "content-type": content_type,
            "cache-control": "max-age=31536000, immutable, public",
        },
    )


def readable_stack(visit: Visit, connection: Connection, index: IndexRow) -> tuple[IndexRow, ...]:
    """The index and those below it that the visitor may read."""
    return tuple(
        one
        for one in indexes.reading_order(connection, index)
        if principals.may(connection, visit.who, "read", one, None, visit.at)
    )


def home(visit: Visit) -> Response:
    serial = visit.parts.shelf.catch_up()
    with visit.parts.database.read() as connection:
        index = visit.index(connection)
        stack = readable_stack(visit, connection, index)
        by_id = {one.id: one for one in stack}
        new = [
            one
            for one in browsing.newest(connection, list(by_id), _NEW * 2)
            if (told := stacks.tell(connection, visit.who, index, one.name, visit.at)) is not None
            and told.row.index_id == one.index_id
        ]
        others = [
            one
            for one in indexes.indexes(connection)
            if one.id != index.id and principals.may(connection, visit.who, "read", one, None, visit.at)
        ]
        count = browsing.project_count(connection, list(by_id))
        everything = indexes.indexes(connection)
        public = principals.may(connection, ANYBODY, "read", index, None, visit.at)
    prefix = "" if visit.request.path_params.get("index") is None else f"/{index.name}"
    url = f"{visit.address}{prefix}"
    return visit.keep(
        "home.html",
        frozenset((one.id, None) for one in everything),
        serial,
        public=public,
        index=index,
        others=others,
        bases=stack[1:],
        new=new[:_NEW],
        count=count,
        changes=serial,
        simple=f"{url}/simple/",
        ways=install.set_up_lines(f"{url}/simple/", index.name),
        publish=install.publish_lines(f"{url}/legacy/"),
    )


def search(visit: Visit) -> Response:
    """Never kept: what is found depends on who asks."""
    asked = visit.query("q").strip()
    limits = visit.parts.settings.limits
    if len(asked.encode()) > limits.search_bytes:
        raise Refused(400, "search-too-long", f"a search has at most {limits.search_bytes} bytes")
    number = visit.query("page")
    at = min(int(number), 100) if number.isascii() and number.isdigit() and len(number) < 4 else 1
    parts = visit.parts
    parts.search.freshen()
    with parts.database.read() as connection:
        filling = parts.search.progress(connection)
        index = visit.index(connection)
        stack = readable_stack(visit, connection, index)
        by_id = {one.id: one for one in stack}
        order = [one.id for one in indexes.reading_order(connection, index)]

        def readable(index_id: int, name: str) -> bool:
            return principals.may(connection, visit.who, "read", by_id[index_id], name, visit.at)

        found = parts.search.find(connection, asked, order, frozenset(by_id), readable)
    pages = max(-(-len(found) // _PER_PAGE), 1)
    at = max(1, min(at, pages))
    exact = bool(found) and found[0].name == normalise(asked)
    return visit.show(
        "search.html",
        index=index,
        asked=asked,
        found=found[(at - 1) * _PER_PAGE : at * _PER_PAGE],
        total=len(found),
        page=at,
        pages=pages,
        exact=exact,
        filling=filling,
        suggestion=found[0] if found and found[0].near else None,
    )
