"""An index over HTTP: the Simple API behind the port.

Knows how a page is asked for and how long its answer holds; knows nothing of what is made of it.  Everything heavy is
imported with the first question.
"""

from __future__ import annotations

import time

from accord.io.urls import redact, without_credentials
from accord.repositories.port import ABSENT, FRESH, UNCHANGED, Answer, RawPage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from accord.io.http.client import Client, Response
    from accord.repositories.artifacts import Artifacts
    from accord_core.index.model import File

__all__ = ["HttpRepository"]


class HttpRepository:
    """``url`` is the root of a Simple repository, e.g. ``https://index.example/simple``; credentials in it are for the
    client to know and are no part of ``key``.  ``now`` gives unix seconds."""

    local = False

    def __init__(self, url: str, client: Client, *, now: Callable[[], float] = time.time) -> None:
        self.key = without_credentials(url).rstrip("/")
        self._client = client
        self._now = now
        self._artifacts: Artifacts | None = None
        self._noted = False

    def __repr__(self) -> str:
        return f"HttpRepository({self.key!r})"

    def page(self, project: str, etag: str | None, last_modified: str | None) -> Answer:
        from accord.io.freshness import expires_at
        from accord_core.index.negotiate import ACCEPT

        url = f"{self.key}/{project}/"
        answer = self._client.get(url, accept=ACCEPT, etag=etag, last_modified=last_modified, packed=True)
        expires = expires_at(answer.headers, self._now())
        self._note_silence(answer)
        if answer.status == 304 and (etag is not None or last_modified is not None):
            # A 304 may leave out what has not changed (RFC 9110 section 15.4.5).
            return Answer(
                UNCHANGED,
                etag=answer.etag or etag,
                last_modified=answer.last_modified or last_modified,
                expires=expires,
            )
        if answer.absent:
            return Answer(ABSENT, expires=expires)
        if answer.status != 200:
            from accord_core.errors import RepositoryError

            raise RepositoryError(
                "index-unexpected-status",
                f"{redact(url)} answered with status {answer.status}, which makes no sense for a page",
                hint="check the index URL and any proxy in between",
            )
        return Answer(
            FRESH,
            etag=answer.etag,
            last_modified=answer.last_modified,
            expires=expires,
            raw=self._raw(url, answer),
        )

    def _raw(self, url: str, answer: Response) -> RawPage:
        if answer.packed is None:
            return RawPage(answer.body, answer.content_type, answer.url)
        from accord_core.index.negotiate import ACCEPT

        def again() -> RawPage:
            # Opened by the client, so that damage is asked about again and then told in words.
            return self._raw(url, self._client.get(url, accept=ACCEPT))

        limits = self._client.limits
        return RawPage(
            answer.packed,
            answer.content_type,
            answer.url,
            packed=True,
            most=limits.opened(len(answer.packed), limits.body),
            again=again,
        )

    def metadata(self, file: File) -> bytes | None:
        return self._files().metadata(file)

    def fetch(self, file: File, into: str, progress: Callable[[int], None] | None) -> str:
        return self._files().fetch(file, into, progress)

    def _files(self) -> Artifacts:
        if self._artifacts is None:
            from accord.repositories.artifacts import Artifacts

            self._artifacts = Artifacts(self._client)
        return self._artifacts

    def _note_silence(self, answer: Response) -> None:
        from accord.io.freshness import UNSAID_SECONDS, says_nothing

        if not self._noted and says_nothing(answer.headers):
            self._noted = True
            self._client.note(
                f"{self.key} does not say how long its pages hold; they are used again for {UNSAID_SECONDS:.0f} s"
            )
