"""The Simple API: the list of projects and their pages, negotiated, finished (PEP 503, 691).

``front`` answers from the shelf; what it does not find comes here, is made, and is put on the shelf.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from accord.server.accounts import principals
from accord.server.api.places import everywhere, index_of
from accord.server.catalogue import indexes, reading, visible
from accord.server.errors import Refused, no_such_project
from accord.server.pages import documents
from accord.server.pages.shelf import Finished, Packed, finish
from accord_core.index.negotiate import HTML, JSON, choose
from accord_core.names import normalise

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from accord.server.accounts.principals import Principal
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.parts import Parts

__all__ = ["pick", "routes"]

_PROJECT_AGE = 600
_ROOT_AGE = 60
_FORMATS = {JSON: JSON, HTML: HTML, "application/vnd.pypi.simple.latest+json": JSON, "application/vnd.pypi.simple.latest+html": HTML, "text/html": "text/html"}  # fmt: skip


def routes(parts: Parts) -> list[BaseRoute]:
    """``/simple/`` and ``/simple/NAME/`` of each index."""

    def root(request: Request) -> Response:
        serial = parts.shelf.catch_up()
        with parts.database.read() as connection:
            index = index_of(connection, request)
            who = _reader(parts, connection, request, index, None)
            hidden = visible.hidden_projects(connection, who, index, parts.now())
            made = finish(
                documents.root_documents(connection, index, hidden),
                frozenset(((index.id, None),)),
                serial=index.serial,
                max_age=_ROOT_AGE,
                packed=parts.settings.packed,
                partial=bool(hidden),
            )
            public = _anybody(parts, connection, index, None) and hidden == visible.hidden_projects(
                connection, principals.ANYBODY, index, parts.now()
            )
        return _answer(parts, request, made, serial, public=public)

    def project(request: Request) -> Response:
        asked = request.path_params["project"]
        name = normalise(asked)
        if name != asked:
            return RedirectResponse(
                f"../{name}/" + (f"?{request.url.query}" if request.url.query else ""), 301
            )
        serial = parts.shelf.catch_up()
        with parts.database.read() as connection:
            index = index_of(connection, request)
            who = _reader(parts, connection, request, index, name)
            sources = visible.sources_for(connection, who, index, name, parts.now())
            row = next(
                filter(None, (reading.find_project(connection, source, name) for source in sources)), None
            )
            if row is None:
                raise no_such_project(index.name, name)
            made = finish(
                documents.project_documents(connection, row),
                frozenset((source.id, name) for source in indexes.reading_order(connection, index)),
                serial=row.serial,
                max_age=_PROJECT_AGE,
                packed=parts.settings.packed,
            )
            source = next(one for one in sources if one.id == row.index_id)
            public = all(_anybody(parts, connection, one, name) for one in (index, source))
        return _answer(parts, request, made, serial, public=public)

    def slash(request: Request) -> Response:
        return RedirectResponse(request.url.path.rpartition("/")[2] + "/", 301)

    return everywhere(
        [
            Route("/simple/", root, name="simple-root"),
            Route("/simple/{project}/", project, name="simple-project"),
            Route("/simple", slash, name="simple-root-slash"),
            Route("/simple/{project}", slash, name="simple-project-slash"),
        ]
    )


def _reader(
    parts: Parts, connection: Connection, request: Request, index: IndexRow, project: str | None
) -> Principal:
    """Who reads, and may."""
    at = parts.now()
    who = principals.authenticate(connection, request.headers.get("authorization"), at)
    principals.demand(connection, who, "read", index, project, at)
    return who


def _anybody(parts: Parts, connection: Connection, index: IndexRow, project: str | None) -> bool:
    """Whether it needs no token to read this: what lies on the shelf needs none."""
    return principals.may(connection, principals.ANYBODY, "read", index, project, parts.now())


def _answer(parts: Parts, request: Request, page: Finished, serial: int, *, public: bool) -> Response:
    if public:
        parts.shelf.put(request.url.path, page, serial)
    wanted = request.query_params.get("format")
    chosen = pick(page, request.headers.get("accept"), request.headers.get("accept-encoding"), wanted)
    if chosen is None:
        raise Refused(
            406, "not-acceptable", "the page is there as JSON and as HTML, neither of which is asked for"
        )
    headers = dict(chosen.found)
    unchanged = matches(request.headers.get("if-none-match"), chosen.etag.decode())
    if unchanged:
        headers = dict(chosen.unchanged)
    answer = Response(b"" if unchanged else chosen.body, 304 if unchanged else 200)
    answer.raw_headers = list(headers.items())
    if not public:
        answer.headers["cache-control"] = "private, no-cache"
    return answer


@lru_cache(maxsize=1024)
def _form(accept: str | None, wanted: str | None) -> str | None:
    if wanted is not None:
        return _FORMATS.get(wanted)
    return choose(accept)


@lru_cache(maxsize=1024)
def _packings(accept_encoding: str | None) -> tuple[str, ...]:
    """The packings a client takes, best first."""
    if not accept_encoding:
        return ("",)
    taken: list[str] = []
    for part in accept_encoding.split(","):
        name, _, quality = part.strip().partition(";")
        if quality.replace(" ", "").lower() not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            taken.append(name.strip().lower())
    return (*(packing for packing in ("zstd", "gzip") if packing in taken or "*" in taken), "")


def pick(
    page: Finished, accept: str | None, accept_encoding: str | None, wanted: str | None = None
) -> Packed | None:
    """The form and packing to answer with, ``None`` for 406.  ``wanted`` is the value of ``?format=``."""
    form = _form(accept, wanted)
    if form is None:
        return None
    for packing in _packings(accept_encoding):
        found = page.forms.get((form, packing))
        if found is not None:
            return found
    return None


def matches(if_none_match: str | None, etag: str) -> bool:
    """Whether an ``If-None-Match`` names the ETag (RFC 9110 section 13.1.2: weak comparison)."""
    if if_none_match is None:
        return False
    if if_none_match == etag:
        return True
    return any(part.strip().removeprefix("W/") in (etag, "*") for part in if_none_match.split(","))
