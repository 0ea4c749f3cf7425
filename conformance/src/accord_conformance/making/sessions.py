"""A server's side of Upload 2.0 (PEP 694, draft of 2026-07-29), for uploaders: it follows the draft, and can be slow or fail where the case says so.

Keys of ``given.sessions``, all optional: ``publish_polls`` and ``file_polls`` (202, and processing for that many looks), ``publish_fails`` (the deferred publication ends
in error that many times), ``file_fails`` (completion of the named file fails, once), ``file_fails_later`` (the same after 202), ``begin_status`` (what beginning any file is answered with), ``create_status``, ``publish_status``,
``attestations`` (files have an attestations_url), ``mechanisms``, ``open`` (a session of that name and version is there already), ``taken`` (file names published already),
``stage`` (previews), ``challenge`` (401 without credentials), ``gone`` (the status of a session that ended is 404), ``decided`` (a deferred publication is over before anybody looks), ``extend``.

Addresses have no pattern: each is a token of its own.  ``log`` keeps what was done: (what, request).
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from accord_conformance.names import hex_digest
from accord_conformance.reading import Table
from accord_conformance.site import Reply, Request

__all__ = ["MEDIA_TYPE", "File", "Sessions", "wrong_hashes"]

MEDIA_TYPE = "application/vnd.pypi.upload.v2+json"
_META = {"api-version": "2.0"}
_WHEN = "2099-01-01T00:00:00Z"
ROOT = "/upload/"


@dataclass(slots=True)
class File:
    """A file upload session."""

    filename: str
    asked: Mapping[str, Any]
    status: str = "pending"
    data: bytes = b""
    attestations: Any = None
    polls: int = 0
    urls: dict[str, str] = field(default_factory=dict)


class Sessions:
    """One publishing session at a time is enough: a case sends one release."""

    def __init__(self, site: str, values: Mapping[str, Any]) -> None:
        self._site = site
        table = Table("sessions", values)
        self._publish_polls, self._file_polls = (
            table.take("publish_polls", int, 0),
            table.take("file_polls", int, 0),
        )
        self._publish_fails = table.take("publish_fails", int, 0)
        self._file_fails, self._fails_later = (
            table.take("file_fails", str, ""),
            table.take("file_fails_later", str, ""),
        )
        self._refused = {key: table.take(f"{key}_status", int, 0) for key in ("create", "begin", "publish")}
        self._attested = table.take("attestations", bool, False)
        self._mechanisms = table.texts("mechanisms", ("http-post-bytes",))
        self._taken = table.texts("taken", ())
        self._stage, self._challenge = table.take("stage", bool, False), table.take("challenge", bool, False)
        self._gone, self._extend = table.take("gone", bool, False), table.take("extend", bool, False)
        self._decided = table.take("decided", bool, False)
        self.log: list[tuple[str, Request]] = []
        self.files: list[File] = []  # every one that was begun
        self.looks: list[float] = []  # when somebody looked at a file that was processing
        self.early: list[str] = []  # files that were not completed when publication was first asked for
        self.status = ""  # of the session; "" before there is one
        self.failed_at = (
            0  # how many requests there were when a deferred publication was first told to have failed
        )
        self._polls = 0
        self._paths: dict[str, tuple[str, File | None]] = {ROOT: ("root", None)}
        self._urls: dict[str, str] = {}
        if table.take("open", bool, False):
            self._open()
        table.done()

    def answer(self, request: Request) -> Reply | None:
        """The answer, or None for a path that is none of this server's."""
        what, file = self._paths.get(request.path.partition("?")[0], ("", None))
        if not what:
            return _problem(404, "nothing is here") if request.path.startswith("/upload") else None
        self.log.append((f"{request.method} {what}", request))
        if self._challenge and not request.headers.get("authorization"):
            refused = _problem(401, "who are you?")
            return Reply(401, refused.type, refused.body, {"WWW-Authenticate": 'Basic realm="suite"'})
        method = getattr(self, f"_{request.method.lower()}_{what}", None)
        if method is None:
            return _problem(405, f"no {request.method} here")
        answered = method(request) if file is None else method(request, file)
        assert isinstance(answered, Reply)
        return answered

    def _url(self, what: str, file: File | None = None) -> str:
        path = f"/{secrets.token_urlsafe(12)}/{secrets.token_urlsafe(9)}"
        self._paths[path] = (what, file)
        return self._site + path

    def _open(self) -> None:
        self.status = "open"
        self._urls = {name: self._url(name) for name in ("session", "publish", "upload")}
        if self._extend:
            self._urls["extend"] = self._url("extend")
        if self._stage:
            self._urls["stage"] = self._url("stage")

    def _session(self, status: int) -> Reply:
        files = {
            each.filename: {"status": each.status, "link": each.urls["file-upload-session"]}
            for each in self.files
            if each.status != "canceled"
        }
        body: dict[str, Any] = {"meta": _META, "links": self._urls, "mechanisms": list(self._mechanisms)}
        body |= {"expires-at": _WHEN, "status": self.status, "files": files}
        body |= {"notices": ["the index could not do it this time"]} if self.status == "error" else {}
        body |= {"session-token": self._urls["stage"].rpartition("/")[2]} if self._stage else {}
        return _json(status, body, {"Location": self._urls["session"]})

    def _post_root(self, request: Request) -> Reply:
        asked = _read(request)
        if asked is None or not all(isinstance(asked.get(key), str) for key in ("name", "version")):
            return _problem(400, "name and version are wanted, as " + MEDIA_TYPE)
        if self._refused["create"]:
            return _problem(self._refused["create"], "no session is created")
        if self.status in ("open", "processing", "error"):
            refused = _problem(409, "there is a session")
            return Reply(409, refused.type, refused.body, {"Location": self._urls["session"]})
        self._open()
        return self._session(201)

    def _get_session(self, request: Request) -> Reply:
        if self._gone and self.status in ("published", "canceled"):
            return _problem(404, "that session is over")
        if self.status == "processing":
            self._polls += 1
            if self._polls >= self._publish_polls:
                self._publish_fails -= 1
                self.status = "error" if self._publish_fails >= 0 else "published"
                if self.status == "error":
                    self.failed_at = self.failed_at or len(self.log)
        for file in self.files:
            self._look(file)
        return self._session(200)

    def _delete_session(self, request: Request) -> Reply:
        if self.status not in ("open", "error"):
            return _problem(409, f"it is {self.status}")
        self.status = "canceled"
        return Reply(204, MEDIA_TYPE, b"")

    def _post_publish(self, request: Request) -> Reply:
        wrong = [each.filename for each in self.files if each.status not in ("completed", "canceled")]
        self.early = self.early or wrong
        if _read(request) is None:
            return _problem(400, "that is no request of version 2.0")
        if wrong or self.status not in ("open", "error"):
            return _problem(409, f"not completed: {', '.join(wrong)}; the session is {self.status}")
        if self._refused["publish"]:
            return _problem(self._refused["publish"], "it is not published")
        self._polls, self.status = 0, "processing" if self._publish_polls else "published"
        answered = self._session(202 if self._publish_polls else 201)
        self.status = "published" if self._decided else self.status
        return answered

    def _post_extend(self, request: Request) -> Reply:
        return self._session(200)

    def _post_upload(self, request: Request) -> Reply:
        asked = _read(request)
        if asked is None or any(key not in asked for key in ("filename", "size", "hashes", "mechanism")):
            return _problem(400, "filename, size, hashes and mechanism are wanted")
        if self._refused["begin"]:
            return _problem(self._refused["begin"], "that file is not taken")
        if asked["mechanism"] not in self._mechanisms:
            return _problem(422, f"no mechanism {asked['mechanism']}")
        live = {each.filename for each in self.files if each.status != "canceled"}
        if asked["filename"] in live or asked["filename"] in self._taken:
            return _problem(409, f"{asked['filename']} is there")
        file = File(asked["filename"], asked)
        names = ("file-upload-session", "complete", "bytes", "attestations", "extend")
        file.urls = {
            name: self._url("longer" if name == "extend" else name.replace("-", "_"), file) for name in names
        }
        self.files.append(file)
        return self._file(202, file)

    def _file(self, status: int, file: File) -> Reply:
        extend = ("extend",) if self._extend else ()
        links = {name: file.urls[name] for name in ("file-upload-session", "complete", *extend)}
        chosen = file.asked["mechanism"]
        where = {"file_url": file.urls["bytes"]}
        where |= {"attestations_url": file.urls["attestations"]} if self._attested else {}
        # The example has the URLs in the mechanism itself, the text in a map of the mechanism's name: either is found.
        mechanism = {"identifier": chosen, **where, chosen: where}
        body = {
            "meta": _META,
            "links": links,
            "status": file.status,
            "expires-at": _WHEN,
            "mechanism": mechanism,
        }
        return _json(status, body, {"Location": links["file-upload-session"], "Retry-After": "1"})

    def _post_bytes(self, request: Request, file: File) -> Reply:
        if file.status != "pending":
            return _problem(409, f"it is {file.status}")
        file.data = request.body
        return Reply(200, MEDIA_TYPE, b"")

    def _post_attestations(self, request: Request, file: File) -> Reply:
        if file.status != "pending":
            return _problem(409, f"it is {file.status}")
        try:
            file.attestations = json.loads(request.body)
        except ValueError:
            return _problem(400, "no JSON")
        return Reply(200, MEDIA_TYPE, b"")

    def _post_longer(self, request: Request, file: File) -> Reply:
        return self._file(200, file)

    def _post_complete(self, request: Request, file: File) -> Reply:
        if file.status != "pending":
            return _problem(409, f"it is {file.status}")
        hashes = file.asked["hashes"]
        true = isinstance(hashes, dict) and hashes and not wrong_hashes(hashes, file.data)
        if not true or len(file.data) != file.asked["size"] or file.filename == self._file_fails:
            self._file_fails, file.status = "", "error"
            return _problem(400, "the file is not as it was said to be")
        file.status = "processing" if self._file_polls else "completed"
        return self._file(202 if self._file_polls else 201, file)

    def _get_file_upload_session(self, request: Request, file: File) -> Reply:
        if file.status == "processing":
            self.looks.append(time.monotonic())
        self._look(file)
        return self._file(200, file)

    def _look(self, file: File) -> None:
        """Somebody looks at a file, or at all of the session's."""
        if file.status == "processing":
            file.polls += 1
            if file.polls >= self._file_polls:
                failed = file.filename == self._fails_later
                self._fails_later = "" if failed else self._fails_later
                file.status = "error" if failed else "completed"

    def _delete_file_upload_session(self, request: Request, file: File) -> Reply:
        if file.status == "processing":
            return _problem(409, "it is processing")
        file.status = "canceled"
        return Reply(204, MEDIA_TYPE, b"")


def wrong_hashes(hashes: Mapping[str, Any], data: bytes) -> list[str]:
    """Those of ``hashes`` (name: hexadecimal digest, in letters of either case) that are not the data's, or that hashlib does not know."""
    return [
        name
        for name, value in hashes.items()
        if not (true := hex_digest(name, data)) or true != str(value).lower()
    ]


def _read(request: Request) -> dict[str, Any] | None:
    """A request of version 2.0; None for anything else."""
    try:
        asked = json.loads(request.body)
        fine = request.headers.get("content-type", "") == MEDIA_TYPE and asked["meta"]["api-version"] == "2.0"
    except (ValueError, KeyError, TypeError):
        return None
    return asked if fine else None


def _json(status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
    return Reply(status, MEDIA_TYPE, json.dumps(body).encode(), headers)


def _problem(status: int, title: str) -> Reply:
    body = {"type": "about:blank", "status": status, "title": title, "meta": _META}
    body["errors"] = [{"source": "suite", "message": title}]
    return Reply(status, "application/problem+json", json.dumps(body).encode())
