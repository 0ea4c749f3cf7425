"""One index we talk to: who we are to it, questions with their answers, and refusals in plain words.

A secret goes to the origin (scheme, host, port) of the index only, and over plain HTTP to this machine only, unless the
host is trusted by name.  Nothing here shows one.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accord.io.http.client import Response
from accord.io.urls import redact, split, without_credentials
from accord_core.errors import RepositoryError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from accord.io.credentials import Credentials
    from accord.io.http.client import Client
    from accord.io.http.sending import Body

__all__ = ["MEDIA_TYPE", "Answer", "Desk", "refusal"]

MEDIA_TYPE = "application/vnd.pypi.upload.v2+json"
_ANSWER_BYTES = 4 * 1024 * 1024
_LONGEST_WAIT = 60.0
_WAITS = 5
_LOCAL = frozenset(("localhost", "127.0.0.1", "::1"))
# An index that cannot answer now.  Where a proxy says so, the request may have been carried out all the same.
_LATER = frozenset((429, 503))
_PERHAPS = frozenset((502, 504))


@dataclass(frozen=True, slots=True)
class Answer:
    """``document`` is the JSON object of the answer, empty where there is none; ``text`` what else it says."""

    status: int
    headers: dict[str, str]
    document: dict[str, Any]
    text: str

    @property
    def speaks_upload_2(self) -> bool:
        """Whether this comes from an index that knows Upload 2.0: its media type, or a problem with its ``meta``."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        meta = self.document.get("meta")
        version = meta.get("api-version") if isinstance(meta, dict) else None
        return kind == MEDIA_TYPE or (isinstance(version, str) and version.partition(".")[0] == "2")

    @property
    def code(self) -> str:
        """Accord's own code of a problem, if that is what the index is."""
        found = self.document.get("code")
        return found if isinstance(found, str) else ""

    @property
    def words(self) -> tuple[str, ...]:
        """What the index says, for a person: a problem's detail and its single errors (RFC 9457, PEP 694)."""
        said: list[str] = []
        for key in ("detail", "details", "title"):
            if isinstance(self.document.get(key), str):
                said.append(self.document[key])
                break
        errors = self.document.get("errors")
        for error in errors if isinstance(errors, list) else ():
            message = error.get("message") if isinstance(error, dict) else None
            if isinstance(message, str) and message not in said:
                said.append(message)
        if not said and self.text:
            said.append(self.text)
        return tuple(line[:500] for line in said[:20])


class Desk:
    """``auth`` is what was said outright (a token, a user and password); else ``credentials`` are asked.

    ``sleep`` is there to be replaced.
    """

    def __init__(
        self,
        client: Client,
        url: str,
        *,
        auth: tuple[str, str] | None,
        credentials: Credentials | None,
        sleep: Callable[[float], None] = time.sleep,
        note: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.url = without_credentials(url)
        self._client = client
        self._origin = split(url).origin
        self._credentials = credentials
        self._auth = auth or split(url).auth or (credentials.known(self.url) if credentials else None)
        self._said = auth is not None
        self._sleep = sleep
        self._note = note
        self._asked_keyring = False

    def check_safe(self) -> None:
        """Raises UsageError ``publish-insecure`` where a secret would go over a wire anybody can read."""
        scheme, host, port = self._origin
        trusted = self._client.options.trusted_hosts
        if (
            scheme == "http"
            and host not in _LOCAL
            and host not in trusted
            and f"{host}:{port}" not in trusted
        ):
            raise UsageError(
                "publish-insecure",
                f"{redact(self.url)} is plain HTTP: everybody on the way could read the token",
                hint="use https:, or --trusted-host HOST if you know the way there",
            )

    def ask(
        self,
        method: str,
        url: str,
        document: dict[str, Any] | None = None,
        *,
        again: bool = False,
    ) -> Answer:
        """One request of Upload 2.0; ``again`` as in :meth:`send`."""
        body = b"" if document is None else json.dumps({"meta": {"api-version": "2.0"}, **document}).encode()
        headers = [("Accept", f"{MEDIA_TYPE}, application/problem+json;q=0.9")]
        if document is not None:
            headers.append(("Content-Type", MEDIA_TYPE))
        return self.send(method, url, headers, body, again=again, later=True)

    def send(
        self,
        method: str,
        url: str,
        headers: list[tuple[str, str]],
        body: bytes | Body = b"",
        *,
        again: bool = False,
        later: bool = False,
        rewind: Callable[[], None] = lambda: None,
    ) -> Answer:
        """``again``: it may be repeated whatever became of it; ``later``: only where the index says it did nothing yet.
        ``rewind`` is called before a body is sent once more.  Raises RepositoryError as ``Client.send``."""
        self.check_safe()
        for attempt in range(1, _WAITS + 1):
            last = attempt == _WAITS
            try:
                found = self._once(method, url, headers, body, rewind)
            except RepositoryError as fault:
                if (
                    last
                    or not again
                    or fault.code not in ("index-unreachable", "index-timeout", "download-truncated")
                ):
                    raise
                self._note(f"{redact(url)}: {fault.message}; asking again")
                self._client.wait(attempt)
            else:
                if last or not (
                    (found.status in _LATER and (again or later)) or (found.status in _PERHAPS and again)
                ):
                    return found
                wait = _seconds(found.headers.get("retry-after"))
                if wait is not None and wait > _LONGEST_WAIT:
                    return found
                self._note(f"{redact(url)}: status {found.status}, asking again")
                self._client.wait(attempt, wait)
            rewind()
        raise AssertionError("the last attempt returns or raises")

    def _once(
        self,
        method: str,
        url: str,
        headers: list[tuple[str, str]],
        body: bytes | Body,
        rewind: Callable[[], None],
    ) -> Answer:
        ours = split(url).origin == self._origin
        found = self._client.send(
            method, url, headers, body, auth=self._auth if ours else None, limit=_ANSWER_BYTES
        )
        if found.status == 401 and ours and not self._said and not self._asked_keyring and self._credentials:
            self._asked_keyring = True
            better = self._credentials.challenged(self.url, self._auth)
            if better is not None:
                self._auth = better
                rewind()
                found = self._client.send(method, url, headers, body, auth=better, limit=_ANSWER_BYTES)
        return _answer(found)

    def wait(self, seconds: float) -> None:
        self._sleep(min(max(seconds, 0.05), _LONGEST_WAIT))

    @property
    def has_secret(self) -> bool:
        return self._auth is not None


def _answer(found: Response) -> Answer:
    document: dict[str, Any] = {}
    text = ""
    if "json" in found.content_type:
        try:
            parsed = json.loads(found.body)
        except (ValueError, RecursionError):
            parsed = None
        if isinstance(parsed, dict):
            document = parsed
    elif found.content_type.partition(";")[0].strip().lower() in ("text/plain", ""):
        text = found.body.decode("utf-8", "replace").strip()
    elif b"<title>" in found.body[:4096].lower():
        # The reason old indexes give stands in the title of a page.
        start = found.body.lower().index(b"<title>") + len(b"<title>")
        text = found.body[start : start + 500].partition(b"<")[0].decode("utf-8", "replace").strip()
    return Answer(found.status, found.headers, document, text)


def _seconds(value: str | None) -> float | None:
    value = (value or "").strip()
    return float(value[:9]) if value.isascii() and value.isdigit() else None


def refusal(answer: Answer, what: str, url: str) -> RepositoryError:
    """The error of an answer that is no success; ``what`` was to be done, in words that follow "to"."""
    host = split(url).netloc
    status = answer.status
    context = (*answer.words, *((f"its code is {answer.code}",) if answer.code else ()))
    if status == 401:
        code, said = "publish-unauthorized", f"{host} wants to know who you are, or does not know your token"
        hint = "give a token: --token, ACCORD_PUBLISH_TOKEN, a keyring, .netrc or .pypirc; check that it is for this index"
    elif status == 403:
        code, said = "publish-forbidden", f"{host} does not let you {what}"
        hint = "the token must be allowed to upload to this project; ask one of its owners, or the index's operator"
    elif status == 409:
        code, said = "publish-conflict", f"{host} has something else there already, so it does not {what}"
        hint = "a name once used stays used: publish a new version; --skip-existing leaves out files that are there"
    elif status == 413:
        code, said = "publish-too-large", f"{host} finds it too large to {what}"
        hint = "make the file smaller, or ask the index's operator for a higher limit"
    elif status == 429:
        wait = answer.headers.get("retry-after", "")
        code, said = "publish-limited", f"{host} has had too many requests from you to {what}"
        hint = f"try again in {wait[:20]} seconds" if wait else "try again later"
    elif status >= 500:
        code, said = "publish-unavailable", f"{host} cannot {what} now (status {status})"
        hint = "try again later; with --resume where a session was left open"
    elif 300 <= status < 400:
        code, said = "publish-redirected", f"{host} sends us elsewhere instead of letting us {what}"
        location = answer.headers.get("location", "")
        context = (*context, f"to {redact(location)[:200]}") if location else context
        hint = "nothing is sent to where nobody said; correct the address of the index (often: a slash at its end)"
    elif status == 404:
        code, said = "publish-no-such-place", f"{host} has nothing at the address used to {what}"
        hint = "check the address of the index: it is that of its uploads, not of its pages"
    else:
        code, said = "publish-refused", f"{host} refuses to {what} (status {status})"
        hint = "what the index says is above; accord check shows what most indexes refuse"
    return RepositoryError(code, said, context=context, hint=hint)
