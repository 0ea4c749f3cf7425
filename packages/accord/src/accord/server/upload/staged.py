"""A release before it is published, as an index installers can be pointed at (PEP 694, "Staged Previews").

``/stage/TOKEN/simple/`` has one project: what it will be when the session is published.  The token is all that is asked
for; it shows this and nothing else, so of an index that is not public only what is staged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from packaging.version import Version
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from accord.server.accounts import principals
from accord.server.api.bulk import in_bulk
from accord.server.api.files import send
from accord.server.api.places import everywhere, index_of, query_of, slash
from accord.server.catalogue import reading, session_files, sessions
from accord.server.clock import iso
from accord.server.errors import Refused
from accord_core.index.model import File, Page
from accord_core.index.negotiate import JSON, choose
from accord_core.index.serialise import html_page, html_projects, json_page, json_projects
from accord_core.names import normalise

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.catalogue.session_files import SessionFile
    from accord.server.catalogue.sessions import Session
    from accord.server.parts import Parts

__all__ = ["routes"]


def routes(parts: Parts) -> list[BaseRoute]:
    """``/stage/TOKEN/…`` of each index."""

    def staged(connection: Connection, request: Request) -> tuple[IndexRow, Session]:
        index = index_of(connection, request)
        found = sessions.find_preview(connection, index, request.path_params["token"], parts.now())
        if found is None:
            raise Refused(
                404, "no-such-stage", "there is no such preview: it was published, canceled, or has expired"
            )
        return index, found

    def root(request: Request) -> Response:
        with parts.database.read() as connection:
            _, session = staged(connection, request)
        names = [session.display]
        return _answer(request, json_projects(names), html_projects(names))

    def project(request: Request) -> Response:
        asked = request.path_params["project"]
        if normalise(asked) != asked:
            return RedirectResponse(f"../{normalise(asked)}/{query_of(request)}", 301)
        with parts.database.read() as connection:
            index, session = staged(connection, request)
            if asked != session.project:
                raise Refused(404, "no-such-project", f"this preview has {session.project} only")
            files, versions = _files(connection, index, session, parts.now())
        page = Page(session.project, tuple(files), api_version="1.4")
        return _answer(request, json_page(page, sorted(versions, key=Version)), html_page(page))

    def file(request: Request) -> Response:
        filename = request.path_params["filename"]
        plain = filename.removesuffix(".metadata")
        with parts.database.read() as connection:
            index, session = staged(connection, request)
            digests = _digests(connection, index, session, plain, parts.now())
        digest = digests[plain != filename]
        if digest is None or request.path_params["project"] != session.project:
            raise Refused(404, "no-such-file", f"this preview has no file {filename}")
        return send(parts, request, digest, filename, public=False)

    return everywhere(
        [
            Route("/stage/{token}/simple/", root, name="stage-root"),
            Route("/stage/{token}/simple", slash, name="stage-root-slash"),
            Route("/stage/{token}/simple/{project}/", project, name="stage-project"),
            Route("/stage/{token}/simple/{project}", slash, name="stage-project-slash"),
            Route("/stage/{token}/files/{project}/{filename}", in_bulk(file), name="stage-file"),
        ]
    )


def _answer(request: Request, json: bytes, html: bytes) -> Response:
    form = choose(request.headers.get("accept"))
    if form is None:
        raise Refused(406, "not-acceptable", "the page is there as JSON and as HTML")
    return Response(
        json if form == JSON else html,
        200,
        {"cache-control": "private, no-store", "vary": "Accept", "content-type": form},
    )


def _complete(connection: Connection, session: Session) -> list[SessionFile]:
    return [file for file in session_files.files_of(connection, session) if file.state == "completed"]


def _files(connection: Connection, index: IndexRow, session: Session, at: int) -> tuple[list[File], set[str]]:
    """What is published, where anybody may see it, and what is staged."""
    found: list[File] = []
    versions: set[str] = set()
    row = _public(connection, index, session, at)
    for there in () if row is None else reading.files_of(connection, row):
        versions.add(there.version)
        found.append(
            _entry(
                session.project,
                there.filename,
                there.sha256,
                there.size,
                there.uploaded,
                there.requires_python,
                there.metadata_sha256,
            )
        )
        found[-1].yanked, found[-1].yank_reason = there.yanked, there.yank_reason
    known = {file.filename for file in found}
    for file in _complete(connection, session):
        if file.filename in known:
            continue
        examined = file.found
        versions.add(session.version)
        found.append(
            _entry(
                session.project,
                file.filename,
                examined["sha256"],
                file.size,
                file.created,
                file.requires_python,
                file.metadata_sha256 if examined["serves_metadata"] else None,
            )
        )
    return found, versions


def _entry(
    project: str,
    filename: str,
    sha256: str,
    size: int,
    uploaded: int,
    requires_python: str | None,
    metadata_sha256: str | None,
) -> File:
    return File(
        filename,
        f"../../files/{project}/{quote(filename)}",
        {"sha256": sha256},
        requires_python,
        False,
        None,
        size,
        iso(uploaded),
        {"sha256": metadata_sha256} if metadata_sha256 else False,
    )


def _public(connection: Connection, index: IndexRow, session: Session, at: int) -> reading.ProjectRow | None:
    """The project as far as it is there and anybody may read it."""
    may = principals.may(connection, principals.ANYBODY, "read", index, session.project, at)
    return reading.find_project(connection, index, session.project) if may else None


def _digests(
    connection: Connection, index: IndexRow, session: Session, filename: str, at: int
) -> tuple[str | None, str | None]:
    """Of the file and of its metadata."""
    for file in _complete(connection, session):
        if file.filename == filename:
            return file.sha256, file.metadata_sha256 if file.found["serves_metadata"] else None
    row = _public(connection, index, session, at)
    for there in () if row is None else reading.files_of(connection, row):
        if there.filename == filename:
            return there.sha256, there.metadata_sha256
    return None, None
