"""The client's side of Upload 2.0 (PEP 694, draft of 2026-07-29): a session, its files, its end.

Each URL is the one the index gave; none is put together here.  Those that lead to another origin get no secret
(``desk``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from accord.io.urls import split
from accord.publish.desk import refusal
from accord_core.errors import RepositoryError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from accord.publish.desk import Answer, Desk
    from accord.publish.parcels import Parcel

__all__ = [
    "MECHANISM",
    "Opened",
    "PublishingSession",
    "close",
    "join",
    "joined",
    "open_session",
    "publish",
    "refresh",
    "upload",
]

MECHANISM = "http-post-bytes"
_POLLS = 1_200


@dataclass(frozen=True, slots=True)
class PublishingSession:
    """What the index says of a session.  ``files`` gives each file's state and URL; ``extend`` and ``stage`` are ``""``
    where the index has none."""

    url: str
    upload: str
    publish: str
    extend: str
    stage: str
    status: str
    expires: str
    mechanisms: tuple[str, ...]
    files: dict[str, tuple[str, str]]
    notices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """``session`` where one was opened; ``elsewhere`` is the URL of the one that is open for the release already; neither:
    there is no Upload 2.0 at that address, and ``answer`` is what was said there."""

    session: PublishingSession | None
    elsewhere: str
    answer: Answer


def open_session(desk: Desk, root: str, name: str, version: str) -> Opened:
    """Ask for a session.  Raises RepositoryError where an index that knows Upload 2.0 refuses one."""
    answer = desk.ask("POST", root, {"name": name, "version": version})
    if answer.status == 201 and answer.document.get("links"):
        return Opened(_session(answer, root), "", answer)
    location = answer.headers.get("location", "")
    if answer.status == 409 and location and answer.speaks_upload_2:
        return Opened(None, joined(root, location), answer)
    if answer.speaks_upload_2:
        raise refusal(answer, f"open a session for {name} {version}", root)
    return Opened(None, "", answer)


def join(desk: Desk, url: str) -> PublishingSession:
    """The session at ``url``."""
    answer = desk.ask("GET", url, again=True)
    if answer.status != 200:
        raise refusal(answer, "go on with the session", url)
    return _session(answer, url)


refresh = join


def upload(desk: Desk, session: PublishingSession, parcel: Parcel, progress: Callable[[int], None]) -> str:
    """Send one file and have it accepted; its URL.  Raises RepositoryError; then the file was deleted again, if it could be."""
    what = f"take {parcel.filename}"
    answer = desk.ask(
        "POST",
        session.upload,
        {
            "filename": parcel.filename,
            "size": parcel.size,
            "hashes": {"sha256": parcel.sha256},
            "mechanism": MECHANISM,
        },
    )
    if answer.status != 202:
        raise refusal(answer, what, session.upload)
    here = _link(answer.document, ("links", "file-upload-session"), session.upload)
    complete = _link(answer.document, ("links", "complete"), session.upload)
    file_url = _link(answer.document, ("mechanism", "file_url"), session.upload)
    try:
        _send_bytes(desk, parcel, file_url, progress, what)
        answer = desk.ask("POST", complete, {}, again=True)
        if answer.status not in (201, 202):
            raise refusal(answer, what, complete)
        _await(desk, here, answer, ("processing", "pending"), what)
    except RepositoryError:
        try:
            desk.ask("DELETE", here)
        except RepositoryError:
            pass  # the first failure is the one to tell
        raise
    return here


def _send_bytes(desk: Desk, parcel: Parcel, url: str, progress: Callable[[int], None], what: str) -> None:
    told = 0

    def count(size: int) -> None:
        nonlocal told
        told += size
        progress(size)

    def rewind() -> None:
        nonlocal told
        progress(-told)
        told = 0

    headers = [
        ("Content-Type", "application/octet-stream"),
        ("Accept", "application/problem+json, */*;q=0.1"),
    ]
    # The same bytes to the same place: sending them again changes nothing.
    answer = desk.send("POST", url, headers, parcel.body(count), again=True, rewind=rewind)
    if not 200 <= answer.status < 300:
        raise refusal(answer, what, url)


def publish(desk: Desk, session: PublishingSession, *, wait: bool) -> PublishingSession:
    """Publish it; the session as it is then: ``published``, or ``processing`` without ``wait``.  One that is being
    processed already is only waited for."""
    if session.status == "processing":
        if not wait:
            return session
        answer = desk.ask("GET", session.url, again=True)
    else:
        answer = desk.ask("POST", session.publish, {}, again=True)
    if answer.status not in (200, 201, 202):
        raise refusal(answer, "publish the release", session.publish)
    if answer.status == 202 and not wait:
        return join(desk, session.url)
    document = _await(desk, session.url, answer, ("processing",), "publish the release")
    found = _session(document, session.url)
    if found.status != "published":
        raise RepositoryError(
            "publish-failed",
            f"the index could not publish the release; the session is in the state {found.status!r}",
            context=found.notices,
            hint=f"put right what it says, then: accord publish --finish {session.url}",
        )
    return found


def close(desk: Desk, url: str) -> None:
    """Cancel the session: what was sent is thrown away."""
    answer = desk.ask("DELETE", url, again=True)
    if not 200 <= answer.status < 300 and answer.status != 404:
        raise refusal(answer, "cancel the session", url)


def _await(desk: Desk, url: str, answer: Answer, waiting: tuple[str, ...], what: str) -> Answer:
    """Ask until the state is none of ``waiting``, as slowly as the index asks for."""
    found = answer
    for _ in range(_POLLS):
        if found.status != 202 and found.document.get("status") not in (None, *waiting):
            break
        after = found.headers.get("retry-after", "")
        if found is not answer or answer.status == 202:
            desk.wait(float(after[:6]) if after.isdigit() else 1.0)
        found = desk.ask("GET", url, again=True)
        if found.status != 200:
            raise refusal(found, what, url)
    else:
        raise RepositoryError(
            "publish-processing",
            f"the index is still at work and does not {what} yet",
            hint="look again later",
        )
    if found.document.get("status") == "error" and "publish" not in what:
        notices = found.document.get("notices")
        said = [str(one) for one in notices] if isinstance(notices, list) else []
        raise RepositoryError("publish-refused", f"the index does not {what}", context=tuple(said[:20]))
    return found


def _link(document: dict[str, Any], path: tuple[str, str], base: str) -> str:
    inside = document.get(path[0])
    found = inside.get(path[1]) if isinstance(inside, dict) else None
    if not isinstance(found, str) or not found:
        raise RepositoryError(
            "publish-answer-invalid", f"the index's answer has no {'.'.join(path)} (PEP 694)", context=(base,)
        )
    return joined(base, found)


def joined(base: str, link: str) -> str:
    """Where a link of an answer leads.  Raises RepositoryError for what is no HTTP, or less safe than ``base``."""
    try:
        target = urljoin(base, link)
        scheme = split(target).scheme
    except (ValueError, UsageError) as fault:
        raise RepositoryError(
            "publish-answer-invalid",
            "the index's answer holds a link that is none",
            context=(f"from {base}",),
        ) from fault
    if split(base).scheme == "https" and scheme != "https":
        raise RepositoryError(
            "publish-answer-invalid",
            "the index leads from https: to http:",
            context=(f"from {base}",),
            hint="its operator must tell it how it is reached from outside (accord serve: --public-url)",
        )
    return target


def _optional(document: dict[str, Any], key: str, base: str) -> str:
    links = document.get("links")
    return _link(document, ("links", key), base) if isinstance(links, dict) and links.get(key) else ""


def _session(answer: Answer, base: str) -> PublishingSession:
    document = answer.document
    files: dict[str, tuple[str, str]] = {}
    said = document.get("files")
    for filename, file in said.items() if isinstance(said, dict) else ():
        if isinstance(file, dict):
            files[filename] = (str(file.get("status", "")), joined(base, str(file.get("link", ""))))
    mechanisms = document.get("mechanisms")
    notices = document.get("notices")
    return PublishingSession(
        _link(document, ("links", "session"), base),
        _link(document, ("links", "upload"), base),
        _link(document, ("links", "publish"), base),
        _optional(document, "extend", base),
        _optional(document, "stage", base),
        str(document.get("status", "")),
        str(document.get("expires-at", "")),
        tuple(map(str, mechanisms)) if isinstance(mechanisms, list) else (),
        files,
        tuple(map(str, notices))[:50] if isinstance(notices, list) else (),
    )
