"""The documents of Upload 2.0 (PEP 694, draft of 2026-07-29): requests read, answers and links made; no states.

A request is JSON of our media type with ``meta.api-version`` 2.0; an answer is, too.  Failures are problem documents
(RFC 9457) with the PEP's members ``meta`` and ``errors`` besides Accord's own.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from packaging.version import InvalidVersion, Version
from starlette.responses import Response

from accord.server.bodies import read_body
from accord.server.catalogue import session_files
from accord.server.errors import Refused
from accord_core.index.filenames import split_sdist, split_wheel
from accord_core.names import normalise, valid

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request

    from accord.server.catalogue.session_files import SessionFile
    from accord.server.catalogue.sessions import Session
    from accord.server.limits import Limits
    from accord.server.parts import Parts

__all__ = [
    "MECHANISM",
    "MEDIA_TYPE",
    "Links",
    "asked_file",
    "asked_release",
    "asked_seconds",
    "file_document",
    "read_document",
    "respond",
    "session_document",
    "tell",
]

MEDIA_TYPE = "application/vnd.pypi.upload.v2+json"
MECHANISM = "http-post-bytes"
_META = {"api-version": "2.0"}
# hashlib's that have one length and that nobody can make collide ("at least one secure algorithm").
_WEAK = frozenset(("md5", "sha1"))
_HASHES = frozenset(name for name in hashlib.algorithms_guaranteed if not name.startswith("shake"))


class Links:
    """The absolute URLs of one index's upload rooms, as this client reaches it."""

    def __init__(self, parts: Parts, request: Request) -> None:
        index = request.path_params.get("index")
        base = parts.settings.public_url or str(request.base_url)
        self.base = base.rstrip("/") + (f"/{quote(index)}" if index else "")

    def session(self, session: Session) -> str:
        return f"{self.base}/upload/session/{session.public_id}"

    def stage(self, session: Session) -> str:
        return f"{self.base}/stage/{session.preview}/simple/"

    def file(self, session: Session, file: SessionFile) -> str:
        # "This URL MUST be cryptographically unguessable, and MUST use the same publishing session token."
        return f"{self.base}/upload/session/{session.public_id}/{session.preview}/{file.public_id}"


async def read_document(request: Request, limits: Limits) -> dict[str, Any]:
    """The JSON object of a request.  Raises ``Refused``: ``upload-media-type`` (415), ``upload-too-large`` (413),
    ``upload-document`` (400)."""
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said != MEDIA_TYPE:
        raise Refused(
            415,
            "upload-media-type",
            f"requests of Upload 2.0 are {MEDIA_TYPE}, not {said or 'without a type'}",
        )
    most = limits.json_bytes
    larger = Refused(413, "upload-too-large", f"the request is larger than {most} bytes")
    body = await read_body(request, limits, most, larger)
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise _invalid("the request is no JSON") from fault
    if not isinstance(document, dict) or not isinstance(document.get("meta"), dict):
        raise _invalid("the request is no object with a meta")
    version = document["meta"].get("api-version")
    if not isinstance(version, str) or version.partition(".")[0] != "2":
        raise _invalid(f"meta.api-version is {version!r}, this is version 2.0")
    return document


def _invalid(message: str) -> Refused:
    return Refused(400, "upload-document", message)


def asked_release(document: dict[str, Any], limits: Limits) -> tuple[str, str, str]:
    """``(normalised name, name as written, version in normal form)``.  Raises ``Refused("upload-document")``."""
    name, version = document.get("name"), document.get("version")
    if not isinstance(name, str) or len(name.encode()) > limits.name_bytes or not valid(name):
        raise _invalid(f"{name!r} is no name of a project")
    try:
        normal = (
            str(Version(version)) if isinstance(version, str) and len(version) <= limits.name_bytes else ""
        )
    except InvalidVersion:
        normal = ""
    if not normal:
        raise _invalid(f"{version!r} is no version (PEP 440)")
    return normalise(name), name, normal


def asked_seconds(document: dict[str, Any]) -> int:
    """``extend-for``, of which more than anybody grants counts as that: to ask for too much is no fault (PEP 694, "Extend a Session").

    Raises ``Refused("upload-document")``.
    """
    seconds = document.get("extend-for")
    if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 0:
        raise _invalid("extend-for is a number of seconds")
    return min(seconds, 1 << 31)


def asked_file(
    document: dict[str, Any], session: Session, limits: Limits
) -> tuple[str, int, dict[str, str], str]:
    """``(filename, size, hashes, mechanism)``.  Raises ``Refused``: ``upload-document``, ``upload-filename``,
    ``session-disagrees`` (400), ``upload-mechanism`` (422)."""
    filename, size = document.get("filename"), document.get("size")
    hashes, mechanism = document.get("hashes"), document.get("mechanism")
    if not isinstance(filename, str) or len(filename.encode()) > limits.filename_bytes:
        raise _invalid(f"filename is a text of at most {limits.filename_bytes} bytes")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise _invalid("size is a number of bytes")
    if not isinstance(mechanism, str):
        raise _invalid("mechanism is missing")
    _check_name(filename, session)
    if mechanism != MECHANISM:
        raise Refused(
            422, "upload-mechanism", f"this index takes files by {MECHANISM}, not {mechanism[:60]!r}"
        )
    return filename, size, _hashes(hashes), mechanism


def _check_name(filename: str, session: Session) -> None:
    wheel = split_wheel(filename)
    if wheel is not None and filename.endswith(".whl"):
        name, version = wheel.name, wheel.version
    else:
        split = split_sdist(filename, session.project) if filename.endswith(".tar.gz") else None
        if split is None or "/" in filename or not filename.isascii():
            raise Refused(
                400,
                "upload-filename",
                f"{filename!r} is no name of a wheel or of an sdist of {session.project}",
            )
        name, version = split
    try:
        normal = str(Version(version))
    except InvalidVersion as fault:
        raise Refused(400, "upload-filename", f"{filename!r} has no version in it") from fault
    if "/" in filename or not filename.isascii():
        raise Refused(400, "upload-filename", f"{filename!r} is no name for a file of an index")
    if (normalise(name), normal) != (session.project, session.version):
        raise Refused(
            400,
            "session-disagrees",
            f"{filename} is of {normalise(name)} {normal}, the session of {session.project} {session.version}",
        )


def _hashes(hashes: object) -> dict[str, str]:
    if not isinstance(hashes, dict) or not hashes:
        raise _invalid("hashes is an object of digests by the name of their algorithm")
    found: dict[str, str] = {}
    for name, digest in hashes.items():
        if name not in _HASHES:
            raise _invalid(f"hashes: {name[:40]!r} is no algorithm that is known here")
        length = hashlib.new(name, usedforsecurity=False).digest_size * 2
        if not isinstance(digest, str) or len(digest) != length or not _is_hex(digest):
            raise _invalid(f"hashes: the {name} is not {length} hexadecimal digits")
        found[name] = digest.lower()
    if _WEAK.issuperset(found):
        raise _invalid("hashes: at least one of a secure algorithm is needed, best sha256")
    return found


def _is_hex(text: str) -> bool:
    return all(letter in "0123456789abcdefABCDEF" for letter in text)


def _zulu(instant: int) -> str:
    return datetime.fromtimestamp(instant // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def session_document(connection: Connection, session: Session, links: Links) -> dict[str, Any]:
    """PEP 694, "Publishing Session", "Response Body"."""
    here = links.session(session)
    files: dict[str, Any] = {}
    for file in session_files.files_of(connection, session):
        files[file.filename] = {"status": file.state, "link": links.file(session, file)}
        if file.notices:
            files[file.filename]["notices"] = file.notices
    return {
        "meta": _META,
        "links": {
            "session": here,
            "upload": f"{here}/files",
            "publish": f"{here}/publish",
            "extend": f"{here}/extend",
            "stage": links.stage(session),
        },
        "mechanisms": [MECHANISM],
        "session-token": session.preview,
        "expires-at": _zulu(session.expires),
        "status": session.state,
        "files": files,
        "notices": list(session.notices),
    }


def file_document(session: Session, file: SessionFile, links: Links) -> dict[str, Any]:
    """PEP 694, "File Upload Session", "Response Body".  Files live as long as their session: there is no ``extend``."""
    here = links.file(session, file)
    return {
        "meta": _META,
        "links": {"file-upload-session": here, "complete": f"{here}/complete"},
        "status": file.state,
        "expires-at": _zulu(session.expires),
        "mechanism": {
            "identifier": file.mechanism,
            "file_url": f"{here}/bytes",
            "attestations_url": f"{here}/attestations",
        },
        "notices": file.notices,
    }


def respond(status: int, document: dict[str, Any] | None = None, **headers: str) -> Response:
    """An answer of the protocol; nobody keeps one."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()} | {"cache-control": "no-store"}
    if document is None:
        return Response(b"", status, sent)
    return Response(json.dumps(document).encode(), status, sent, media_type=MEDIA_TYPE)


def tell(fault: Refused) -> Refused:
    """The refusal with the PEP's extension members."""
    messages = fault.context or (fault.message,)
    fault.members = {
        **fault.members,
        "meta": _META,
        "errors": [{"source": fault.code, "message": message} for message in messages],
    }
    return fault
