"""Upload 2.0: the resources of PEP 694 (draft of 2026-07-29) and what may be done with each.

    POST   /upload/                        open a session            /upload/session/ID          GET status, DELETE cancels
    POST   …/ID/files                      begin a file              …/ID/TOKEN/FILE             GET status, DELETE deletes
    POST   …/ID/TOKEN/FILE/bytes           its bytes                 POST …/complete             accept it
    POST   …/ID/TOKEN/FILE/attestations    what is signed about it   (PEP 740)
    POST   …/ID/extend                     live longer               POST …/ID/publish           all of it, or nothing

Every request is authorised anew for uploading to the session's project.  Publishing and completing are done when they are
answered: nothing here is ever in the state ``processing``.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from accord.server.accounts import principals
from accord.server.api.bulk import Threads
from accord.server.api.places import everywhere, index_of
from accord.server.archives.attestations import disagree, provenance_of, read_attestations
from accord.server.archives.examine import examine
from accord.server.archives.filenames import read_filename
from accord.server.bodies import read_body
from accord.server.catalogue import blobs, policy, reading, session_files, sessions
from accord.server.errors import Refused, disk_full
from accord.server.incoming import forget_file
from accord.server.upload import protocol
from accord.server.upload.protocol import Links, respond
from accord.server.upload.receive import receive_bytes
from accord.server.upload.tidying import Tidying

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from accord.server.accounts.principals import Principal
    from accord.server.archives.examine import Examined
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.catalogue.session_files import SessionFile
    from accord.server.catalogue.sessions import Session
    from accord.server.parts import Parts

    Document = dict[str, Any]

__all__ = ["routes"]

_POLL_SECONDS = "1"


def routes(parts: Parts) -> list[BaseRoute]:
    """``/upload/…`` of each index."""
    room = _Room(parts)

    def with_document(
        work: Callable[[Request, Document], Response],
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                await run_in_threadpool(room.known, request)  # before a byte of the body is read
                document = await protocol.read_document(request, parts.settings.limits)
                return await run_in_threadpool(work, request, document)
            except Refused as fault:
                raise protocol.tell(fault) from fault.__cause__

        return endpoint

    def plain(work: Callable[[Request], Response]) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            try:
                return work(request)
            except Refused as fault:
                raise protocol.tell(fault) from fault.__cause__

        return endpoint

    async def receive(request: Request) -> Response:
        try:
            return await room.receive(request)
        except Refused as fault:
            raise protocol.tell(fault) from fault.__cause__

    async def attest(request: Request) -> Response:
        try:
            return await room.attest(request)
        except Refused as fault:
            raise protocol.tell(fault) from fault.__cause__

    here = "/upload/session/{session}"
    file = here + "/{token}/{file}"
    return everywhere(
        [
            Route("/upload/", with_document(room.open), methods=["POST"], name="upload-root"),
            Route(here, plain(room.status), methods=["GET"], name="upload-session"),
            Route(here, plain(room.cancel), methods=["DELETE"], name="upload-cancel"),
            Route(here + "/files", with_document(room.begin), methods=["POST"], name="upload-begin"),
            Route(here + "/extend", with_document(room.extend), methods=["POST"], name="upload-extend"),
            Route(here + "/publish", with_document(room.publish), methods=["POST"], name="upload-publish"),
            Route(file, plain(room.file_status), methods=["GET"], name="upload-file"),
            Route(file, plain(room.discard), methods=["DELETE"], name="upload-discard"),
            Route(file + "/complete", with_document(room.complete), methods=["POST"], name="upload-complete"),
            Route(file + "/bytes", receive, methods=["POST"], name="upload-bytes"),
            Route(file + "/attestations", attest, methods=["POST"], name="upload-attestations"),
        ]
    )


class _Room:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._limits = parts.settings.limits
        self._tidying = Tidying(parts)
        self._threads = Threads()

    # Who asks, and for what.

    def known(self, request: Request) -> None:
        """Raises ``Refused``: ``no-such-index``, ``not-authenticated``."""
        with self._parts.database.read() as connection:
            self._who(connection, request)

    def _who(self, connection: Connection, request: Request) -> tuple[IndexRow, Principal]:
        index = index_of(connection, request)
        at = self._parts.now()
        who = principals.authenticate(connection, request.headers.get("authorization"), at)
        if who.user_id is None:
            principals.demand(connection, who, "upload", None, None, at)
        return index, who

    def _session(self, connection: Connection, request: Request) -> tuple[IndexRow, Principal, Session]:
        """Raises ``Refused``: ``no-such-session`` (404), ``not-allowed`` (403)."""
        index, who = self._who(connection, request)
        at = self._parts.now()
        session = sessions.find_session(connection, index, request.path_params["session"], at)
        if session is None:
            raise Refused(404, "no-such-session", f"{index.name} has no upload session of that name")
        principals.demand(connection, who, "upload", index, session.project, at)
        # A name that is only reserved has no maintainers yet: it is for whoever reserved it.
        if (
            session.actor != who.actor
            and not self._joins(connection, who, index)
            and reading.find_project(connection, index, session.project) is None
        ):
            raise Refused(
                403,
                "project-name-reserved",
                f"the new name {session.project} is reserved by somebody else's upload session",
            )
        return index, who, session

    def _joins(self, connection: Connection, who: Principal, index: IndexRow) -> bool:
        return principals.may(connection, who, "admin", index, None, self._parts.now())

    def _file(
        self, connection: Connection, request: Request
    ) -> tuple[IndexRow, Principal, Session, SessionFile]:
        index, who, session = self._session(connection, request)
        found = session_files.find_upload(connection, session, request.path_params["file"])
        if found is None or request.path_params["token"] != session.preview:
            raise Refused(404, "no-such-session", "the upload session has no such file")
        return index, who, session, found

    # Sessions.

    def open(self, request: Request, document: Document) -> Response:
        self._tidying.now_and_then()
        project, display, version = protocol.asked_release(document, self._limits)
        links = Links(self._parts, request)
        at = self._parts.now()
        with self._parts.database.read() as connection:
            index, who = self._who(connection, request)
            principals.demand(connection, who, "upload", index, project, at)
            joining = self._joins(connection, who, index)
        with self._parts.database.write(who.actor) as writing:
            session, new = sessions.open_session(
                writing, index, project, display, version, self._limits, joining=joining
            )
            answer = protocol.session_document(writing.connection, session, links)
        if not new:
            raise Refused(
                409,
                "session-exists",
                f"there is an upload session of {project} {version} already",
                hint="go on with that one, or cancel it",
                headers={"Location": links.session(session)},
            )
        return respond(201, answer, location=links.session(session))

    def status(self, request: Request) -> Response:
        with self._parts.database.read() as connection:
            _, _, session = self._session(connection, request)
            return respond(200, protocol.session_document(connection, session, Links(self._parts, request)))

    def cancel(self, request: Request) -> Response:
        with self._parts.database.read() as connection:
            _, who, _ = self._session(connection, request)
        with self._parts.database.write(who.actor) as writing:
            _, _, session = self._session(writing.connection, request)
            sessions.cancel(writing, session, self._limits)
        self._tidying.release()
        return respond(204)

    def extend(self, request: Request, document: Document) -> Response:
        seconds = protocol.asked_seconds(document)
        with self._parts.database.read() as connection:
            _, who, _ = self._session(connection, request)
        with self._parts.database.write(who.actor) as writing:
            _, _, session = self._session(writing.connection, request)
            session = sessions.extend(writing, session, seconds, self._limits)
            return respond(
                200, protocol.session_document(writing.connection, session, Links(self._parts, request))
            )

    def publish(self, request: Request, _document: Document) -> Response:
        links = Links(self._parts, request)
        read = self._parts.storage.read
        with self._parts.database.read() as connection:
            _, who, session = self._session(connection, request)
            files = session_files.files_of(connection, session) if session.live else ()
        digests = {file.metadata_sha256 for file in files if file.metadata_sha256}
        metadata = {sha256: read(sha256) for sha256 in digests}  # before everybody else has to wait
        with self._parts.database.write(who.actor) as writing:
            index, _, session = self._session(writing.connection, request)
            # Who asks again, because the answer was lost, gets the same one again.
            if session.state != "published":
                session_files.publish_session(
                    writing, index, session, lambda sha256: metadata.get(sha256) or read(sha256), self._limits
                )
                _, _, session = self._session(writing.connection, request)
            answer = protocol.session_document(writing.connection, session, links)
        self._tidying.release()
        return respond(201, answer, location=links.session(session))

    # Files.

    def begin(self, request: Request, document: Document) -> Response:
        links = Links(self._parts, request)
        with self._parts.database.read() as connection:
            _, who, session = self._session(connection, request)
        filename, size, hashes, mechanism = protocol.asked_file(document, session, self._limits)
        with self._parts.database.write(who.actor) as writing:
            index, _, session = self._session(writing.connection, request)
            file = session_files.add_file(
                writing, index, session, filename, size, hashes, mechanism, self._limits
            )
        answer = protocol.file_document(session, file, links)
        return respond(202, answer, location=links.file(session, file), retry_after=_POLL_SECONDS)

    def file_status(self, request: Request) -> Response:
        with self._parts.database.read() as connection:
            _, _, session, file = self._file(connection, request)
        answer = protocol.file_document(session, file, Links(self._parts, request))
        return respond(200, answer, retry_after=_POLL_SECONDS)

    def complete(self, request: Request, _document: Document) -> Response:
        links = Links(self._parts, request)
        with self._parts.database.read() as connection:
            _, who, _, _ = self._file(connection, request)
        with self._parts.database.write(who.actor) as writing:
            _, _, session, file = self._file(writing.connection, request)
            fault = session_files.complete(writing, session, file)
            _, _, session, file = self._file(writing.connection, request)
        if fault is not None:
            raise fault
        return respond(201, protocol.file_document(session, file, links), location=links.file(session, file))

    def discard(self, request: Request) -> Response:
        with self._parts.database.read() as connection:
            _, who, _, _ = self._file(connection, request)
        with self._parts.database.write(who.actor) as writing:
            _, _, session, file = self._file(writing.connection, request)
            session_files.discard(writing, session, file)
        self._tidying.release()
        return respond(204)

    # Bytes.

    async def receive(self, request: Request) -> Response:
        """The mechanism ``http-post-bytes``."""
        file = await run_in_threadpool(self._demand_pending, request)
        said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if said != "application/octet-stream":
            raise Refused(415, "upload-media-type", "the bytes of a file are application/octet-stream")
        length = request.headers.get("content-length")
        if length is not None and length != str(file.size):
            raise Refused(
                400, "upload-size-disagrees", f"{length[:20]} bytes are coming, {file.size} were announced"
            )
        path = self._parts.incoming_path()
        await receive_bytes(request.stream(), path, file.size, file.hashes, self._parts.settings.limits)
        try:
            return await self._threads.run(self._received, request, path)
        finally:
            forget_file(path)

    async def attest(self, request: Request) -> Response:
        """Attestations of a file, before it is completed; those that came before are replaced."""
        await run_in_threadpool(self._demand_pending, request)
        said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if said != "application/json":
            raise Refused(415, "upload-media-type", "attestations are application/json")
        most = self._limits.provenance_bytes
        larger = Refused(413, "attestations-too-large", f"attestations have {most} bytes at most")
        body = await read_body(request, self._limits, most, larger)
        return await run_in_threadpool(self._attested, request, body)

    def _attested(self, request: Request, body: bytes) -> Response:
        database, storage = self._parts.database, self._parts.storage
        file = self._demand_pending(request)
        evidence = read_attestations(body, file.filename, self._limits, self._parts.trusted_root)
        if file.hashes.get("sha256", evidence.sha256) != evidence.sha256:
            raise disagree(file.filename)
        provenance = provenance_of(evidence)
        digest = hashlib.sha256(provenance).hexdigest()
        with disk_full():
            storage.put_bytes(digest, provenance)
        with blobs.entering(database, storage, [digest]):
            with database.read() as connection:
                _, who, _, _ = self._file(connection, request)
            with database.write(who.actor) as writing:
                file = self._still_pending(writing.connection, request)
                blobs.keep(writing, storage, digest)
                session_files.attested(writing, file, digest, evidence.sha256)
        if file.provenance_sha256 not in (None, digest):
            blobs.give_up(database, storage, [file.provenance_sha256])
        return respond(204)

    def _demand_pending(self, request: Request) -> SessionFile:
        with self._parts.database.read() as connection:
            return self._still_pending(connection, request)

    def _still_pending(self, connection: Connection, request: Request) -> SessionFile:
        _, _, session, file = self._file(connection, request)
        sessions.demand_live(session)
        if file.state != "pending":
            raise Refused(409, "file-closed", f"the upload of {file.filename} is {file.state}")
        return file

    def _received(self, request: Request, path: str) -> Response:
        storage = self._parts.storage
        file = self._demand_pending(request)
        with self._parts.database.read() as connection:
            index, _, _, _ = self._file(connection, request)
        found: Examined | Refused
        try:
            policy.demand_name(index, read_filename(file.filename, self._parts.settings.limits))
            found = examine(path, file.filename)
            policy.demand_file(index, found)
        except Refused as fault:
            found = fault
        digests = () if isinstance(found, Refused) else (found.sha256, found.metadata_sha256)
        with blobs.entering(self._parts.database, storage, digests):
            if not isinstance(found, Refused):
                with disk_full():
                    storage.put(found.sha256, path, {found.metadata_sha256: found.metadata})
            self._enter(request, found, digests)
        return respond(204)

    def _enter(self, request: Request, found: Examined | Refused, digests: tuple[str, ...]) -> None:
        with self._parts.database.read() as connection:
            _, who, _, _ = self._file(connection, request)
        with self._parts.database.write(who.actor) as writing:
            file = self._still_pending(writing.connection, request)
            blobs.keep(writing, self._parts.storage, *digests)
            session_files.received(writing, file, found)
