"""The upload every client knows: one form, one file (``:action=file_upload``, the public index's legacy API).

Only the name, the version and the digests of the form are looked at, and held against the file: everything an index says
of a file comes from the file.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from accord.server.accounts import principals
from accord.server.api.places import everywhere, index_of
from accord.server.archives.examine import examine
from accord.server.catalogue import blobs
from accord.server.catalogue.publishing import publish_file
from accord.server.errors import Refused
from accord.server.upload.receive import receive_form
from accord_core.names import normalise

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from accord.server.archives.examine import Examined
    from accord.server.parts import Parts
    from accord.server.upload.receive import Form

__all__ = ["routes"]


def routes(parts: Parts) -> list[BaseRoute]:
    """``POST /legacy/`` of each index."""

    async def upload(request: Request) -> Response:
        await run_in_threadpool(_authenticated, parts, request)  # before a byte of the body is read
        path = parts.incoming_path()
        form = await receive_form(
            request.headers.get("content-type"), request.stream(), path, parts.settings.limits
        )
        try:
            return await run_in_threadpool(_publish, parts, request, form, path)
        finally:
            if os.path.exists(path):
                os.unlink(path)

    return everywhere([Route("/legacy/", upload, methods=["POST"], name="legacy-upload")])


def _authenticated(parts: Parts, request: Request) -> None:
    with parts.database.read() as connection:
        index_of(connection, request)
        who = principals.authenticate(connection, request.headers.get("authorization"), parts.now())
        if who.user_id is None:
            principals.demand(connection, who, "upload", None, None, parts.now())


def _publish(parts: Parts, request: Request, form: Form, path: str) -> Response:
    if form.first(":action") != "file_upload":
        raise Refused(400, "upload-form", "the form's :action is not file_upload")
    if not form.filename:
        raise Refused(400, "upload-form", "the form has no file (field content)")
    examined = examine(path, form.filename)
    _compare(form, examined)
    at = parts.now()
    with parts.database.read() as connection:  # before anything of it is kept
        index = index_of(connection, request)
        who = principals.authenticate(connection, request.headers.get("authorization"), at)
        principals.demand(connection, who, "upload", index, examined.name, at)
    digests = [examined.sha256]
    parts.storage.put(examined.sha256, path)
    if examined.serves_metadata:
        digests.append(examined.metadata_sha256)
        parts.storage.put_bytes(examined.metadata_sha256, examined.metadata)
    try:
        with parts.database.write(who.actor) as writing:
            blobs.keep(writing, parts.storage, *digests)
            published = publish_file(writing, index, examined)
            # Once more, now that it is entered: two people may make one new project at the same time, and one of them owns it.
            principals.demand(writing.connection, who, "upload", index, examined.name, at)
    except Refused:
        with parts.database.write("system") as writing:
            blobs.release(writing, parts.storage, digests)
        raise
    return PlainTextResponse("OK" if published.new else "OK: the same file was there already")


def _compare(form: Form, examined: Examined) -> None:
    """What the form says against what the file is; both values are shown."""
    told = form.first("name")
    if told is not None and normalise(told) != examined.name:
        raise Refused(
            400, "upload-form-disagrees", f"the form says name {told!r}, the file says {examined.display!r}"
        )
    for key, value in (
        ("sha256_digest", examined.sha256),
        ("md5_digest", examined.md5),
        ("blake2_256_digest", examined.blake2b_256),
    ):
        said = form.first(key)
        if said and said.lower() != value:
            raise Refused(
                400, "upload-form-disagrees", f"the form says {key} {said!r}, the file has {value!r}"
            )
