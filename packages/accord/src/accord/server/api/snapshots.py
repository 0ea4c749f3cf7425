"""The past: ``/@SERIAL/simple/…`` and ``/@2026-11-01T00:00:00Z/simple/…``, also below the name of an index.

What an index said at a serial it says for ever, so caches keep it; an old lock, made against such an address, resolves to
the same files again.  What was withdrawn since is gone from the past as well, and says so: 410, with the cause.  Pages of the
past are made when they are asked for and do not lie on the shelf, where there are as many as there are changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse
from starlette.routing import Route

from accord.server.accounts import principals
from accord.server.api.answers import answer, demand_reading
from accord.server.api.bulk import in_bulk
from accord.server.api.files import gone, send, send_provenance
from accord.server.api.places import everywhere, index_of, origin_of, query_of, slash
from accord.server.catalogue import history, stacks
from accord.server.errors import Refused
from accord.server.pages import documents
from accord.server.pages.shelf import finish
from accord_core.names import normalise

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from accord.server.accounts.principals import Principal
    from accord.server.catalogue.history import Moment, Then
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.catalogue.reading import FileRow
    from accord.server.parts import Parts

__all__ = ["routes"]

_FOREVER = 31_536_000
_SOON = 60


def routes(parts: Parts) -> list[BaseRoute]:
    """``/@WHEN/simple/``, ``/@WHEN/simple/NAME/``, ``/@WHEN/files/NAME/FILENAME`` of each index."""

    def root(request: Request) -> Response:
        at = parts.now()
        with parts.database.read() as connection:
            index, who, when, public = _asked(parts, connection, request, None)
            names = history.names_then(connection, who, index, when.serial, at)
            public = public and names == history.names_then(
                connection, principals.ANYBODY, index, when.serial, at
            )
            order = history.order_then(connection, index, when.serial)
        serial = max(source.serial for source in order)
        made = documents.root_documents(names, serial)
        return _answer(parts, request, made, serial, public=public, settled=when.settled)

    def project(request: Request) -> Response:
        asked = request.path_params["project"]
        name = normalise(asked)
        if name != asked:
            return RedirectResponse(f"../{name}/{query_of(request)}", 301)
        with parts.database.read() as connection:
            _, then, when, public = _then(parts, connection, request, name)
        # An absolute URL is everybody's only where all reach the server under one address.
        origin = None
        if parts.settings.public_url:
            origin = f"{origin_of(parts.settings, request)}/@{request.path_params['when']}"
        made = documents.written(
            then.row,
            then.files,
            then.versions,
            serial=then.serial,
            namespaces=(),
            origin=origin,
        )
        settled = when.settled and then.whole
        return _answer(parts, request, made, then.serial, public=public, settled=settled)

    def found(request: Request, filename: str) -> tuple[FileRow, bool]:
        name = normalise(request.path_params["project"])
        with parts.database.read() as connection:
            index, then, _, public = _then(parts, connection, request, name)
            row = next((row for row in then.files if row.filename == filename), None)
            if row is None:
                gone(connection, then.rows, filename)
                raise Refused(404, "no-such-file", f"{index.name} had no file {filename} of {name} then")
        return row, public

    def file(request: Request) -> Response:
        filename = request.path_params["filename"]
        plain = filename.removesuffix(".metadata")
        row, public = found(request, plain)
        digest = row.sha256 if plain == filename else row.metadata_sha256
        if digest is None:
            raise Refused(404, "no-such-file", f"{filename} is not announced")
        size = row.size if plain == filename else None
        return send(parts, request, digest, filename, size=size, public=public)

    def provenance(request: Request) -> Response:
        row, public = found(request, request.path_params["filename"])
        return send_provenance(parts, request, row, public=public)

    return everywhere(
        [
            Route("/@{when}/simple/", root, name="snapshot-root"),
            Route("/@{when}/simple/{project}/", project, name="snapshot-project"),
            Route("/@{when}/files/{project}/{filename}", in_bulk(file), name="snapshot-file"),
            Route(
                "/@{when}/integrity/{project}/{version}/{filename}/provenance",
                provenance,
                name="snapshot-provenance",
            ),
            Route("/@{when}/simple", slash, name="snapshot-root-slash"),
            Route("/@{when}/simple/{project}", slash, name="snapshot-project-slash"),
        ]
    )


def _asked(
    parts: Parts, connection: Connection, request: Request, name: str | None
) -> tuple[IndexRow, Principal, Moment, bool]:
    """The index as it is, who reads, the moment, and whether anybody may read this today."""
    at = parts.now()
    index = index_of(connection, request)
    who = demand_reading(parts, connection, request, index, name)
    when = history.moment(connection, request.path_params["when"], at)
    return index, who, when, principals.may(connection, principals.ANYBODY, "read", index, name, at)


def _then(
    parts: Parts, connection: Connection, request: Request, name: str
) -> tuple[IndexRow, Then, Moment, bool]:
    at = parts.now()
    index, who, when, public = _asked(parts, connection, request, name)
    then = history.tell_then(connection, who, index, name, when.serial, at)
    if then is None:
        raise stacks.missing(connection, who, index, name, at)
    anybody = principals.ANYBODY
    if who is not anybody:
        public = public and then == history.tell_then(connection, anybody, index, name, when.serial, at)
    return index, then, when, public


def _answer(
    parts: Parts, request: Request, made: dict[str, bytes], serial: int, *, public: bool, settled: bool
) -> Response:
    page = finish(made, frozenset(), serial=serial, max_age=_SOON, packed=parts.settings.packed)
    found = answer(request, page, public=public)
    if settled:
        # What is withdrawn, or becomes private, goes from the past as well, and so from caches that many share.
        shared = "public, s-maxage=600" if public else "private"
        found.headers["cache-control"] = f"max-age={_FOREVER}, immutable, {shared}"
    return found
