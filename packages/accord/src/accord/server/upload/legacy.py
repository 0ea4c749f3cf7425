"""The upload every client knows: one form, one file (``:action=file_upload``, the public index's legacy API).

Everything an index says of a file comes from the file; the form is held against it (``comparing``).  The order is that of
what a request costs others: who may upload here at all is asked before a byte of the body is read, who may upload to this
project and whether there is room before the file is opened, and nothing is stored before all of it is good.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from accord.io.steps import step
from accord.server.accounts import principals
from accord.server.api.bulk import Threads
from accord.server.api.places import everywhere, index_of
from accord.server.archives.attestations import disagree, provenance_of, read_attestations
from accord.server.archives.examine import examine
from accord.server.archives.filenames import read_filename
from accord.server.catalogue import blobs, policy
from accord.server.catalogue.publishing import demand_project, name_fault, publish_file
from accord.server.database import tables
from accord.server.errors import Refused, disk_full
from accord.server.incoming import forget_file
from accord.server.upload.comparing import compare
from accord.server.upload.receive import demand_length, receive_form

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from accord.server.accounts.principals import Principal
    from accord.server.archives.examine import Examined
    from accord.server.archives.filenames import FileName
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.catalogue.publishing import Published
    from accord.server.parts import Parts
    from accord.server.upload.receive import Form

__all__ = ["routes"]

_UPLOADS_SOMETHING = select(tables.role.c.id).where(
    tables.role.c.index_id == bindparam("index_id"),
    tables.role.c.user_id == bindparam("user_id"),
    tables.role.c.role != "reader",
)


def routes(parts: Parts) -> list[BaseRoute]:
    """``POST /legacy/`` of each index."""

    threads = Threads()

    async def upload(request: Request) -> Response:
        await run_in_threadpool(_welcome, parts, request)  # before a byte of the body is read
        limits = parts.settings.limits
        demand_length(request.headers.get("content-length"), limits)
        path = parts.incoming_path()
        form = await receive_form(request.headers.get("content-type"), request.stream(), path, limits)
        try:
            return await threads.run(_publish, parts, request, form, path)
        finally:
            forget_file(path)

    return everywhere([Route("/legacy/", upload, methods=["POST"], name="legacy-upload")])


def _welcome(parts: Parts, request: Request) -> None:
    """Raises ``Refused`` for who can upload nothing here, whatever the file will be."""
    with parts.database.read() as connection:
        index = index_of(connection, request)
        who = principals.authenticate(connection, request.headers.get("authorization"), parts.now())
        if who.user_id is None or not _uploads_something(connection, who, index):
            principals.demand(connection, who, "upload", index, None, parts.now())


def _uploads_something(connection: Connection, who: Principal, index: IndexRow) -> bool:
    if who.admin or index.settings.get("creators") == "users":
        return True
    held = connection.execute(_UPLOADS_SOMETHING, {"index_id": index.id, "user_id": who.user_id}).first()
    return held is not None


def _publish(parts: Parts, request: Request, form: Form, path: str) -> Response:
    if form.first(":action") != "file_upload":
        raise Refused(400, "upload-form", "the form's :action is not file_upload")
    if not form.filename:
        raise Refused(400, "upload-form", "the form has no file (field content)")
    form.settle(path)
    step("upload-received")
    named = read_filename(form.filename, parts.settings.limits)
    index, who, new = _demand(parts, request, named, form.size)
    examined = examine(path, form.filename)
    policy.demand_file(index, examined)
    compare(form, examined)
    provenance = _provenance(parts, form, examined)
    if not new:  # then only the same bytes may come, and nothing is kept of others
        with parts.database.read() as connection:
            fault = name_fault(connection, index, examined.filename, examined.sha256)
        if fault is not None:
            raise fault
    beside = {examined.metadata_sha256: examined.metadata} if examined.serves_metadata else {}
    evidence = None
    if provenance is not None:
        evidence = hashlib.sha256(provenance).hexdigest()
        beside[evidence] = provenance
    digests = [examined.sha256, *beside]
    with blobs.entering(parts.database, parts.storage, digests):
        with disk_full():
            parts.storage.put(examined.sha256, path, beside)
        step("upload-enter")
        published = _enter(parts, index, who, examined, digests, evidence)
    step("upload-acknowledge")
    if evidence is not None and not published.new:
        blobs.give_up(parts.database, parts.storage, [evidence])
    if published.waits:
        return PlainTextResponse("OK: the file waits in quarantine, and is visible when it is released")
    return PlainTextResponse("OK" if published.new else "OK: the same file was there already")


def _provenance(parts: Parts, form: Form, examined: Examined) -> bytes | None:
    """What is kept of the form's attestations (PEP 740, "Upload endpoint changes")."""
    said = [text for text in form.fields.get("attestations", ()) if text]
    if not said:
        return None
    if len(said) > 1:
        raise Refused(400, "upload-form", "the form has two fields attestations")
    evidence = read_attestations(
        said[0].encode(), examined.filename, parts.settings.limits, parts.trusted_root
    )
    if evidence.sha256 != examined.sha256:
        raise disagree(examined.filename)
    return provenance_of(evidence)


def _enter(
    parts: Parts,
    index: IndexRow,
    who: Principal,
    examined: Examined,
    digests: list[str],
    provenance_sha256: str | None,
) -> Published:
    with parts.database.write(who.actor, together=True) as writing:
        blobs.keep(writing, parts.storage, *digests)
        published = publish_file(writing, index, examined, provenance_sha256=provenance_sha256)
        # Once more, now that it is entered: two people may make one new project at the same time, and one of them owns it.
        principals.demand(writing.connection, who, "upload", index, examined.name, writing.at)
        if published.new:
            most = parts.settings.limits.project_bytes
            policy.demand_room(writing.connection, index, examined.name, 0, most)
    return published


def _demand(parts: Parts, request: Request, named: FileName, size: int) -> tuple[IndexRow, Principal, bool]:
    """What can be known before the file is opened; the last is whether its name is new."""
    at = parts.now()
    with parts.database.read() as connection:
        index = index_of(connection, request)
        who = principals.authenticate(connection, request.headers.get("authorization"), at)
        principals.demand(connection, who, "upload", index, named.name, at)
        policy.demand_name(index, named)
        demand_project(connection, index, named.name, who.actor, at)
        new = name_fault(connection, index, named.filename, None) is None
        if new:
            most = parts.settings.limits.project_bytes
            policy.demand_room(connection, index, named.name, size, most)
    return index, who, new
