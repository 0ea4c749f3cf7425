"""A find-links page on the network: one page of links to files of any projects.

Read once per run, when the first project is asked for.  Offline it is left out, and the person is told.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from accord.io.urls import redact, without_credentials
from accord.repositories.artifacts import Artifacts
from accord.repositories.decode import parse
from accord.repositories.local import belongs, group_by_project
from accord.repositories.port import ABSENT, FRESH, Answer
from accord_core.errors import RepositoryError
from accord_core.index.model import Page
from accord_core.index.negotiate import ACCEPT

if TYPE_CHECKING:
    from collections.abc import Callable

    from accord.io.http.client import Client
    from accord_core.index.model import File

__all__ = ["LinkPage"]


class LinkPage:
    local = False

    def __init__(self, url: str, client: Client) -> None:
        self.key = without_credentials(url)
        self._client = client
        self._artifacts = Artifacts(client)
        self._lock = Lock()
        self._projects: dict[str, tuple[File, ...]] | None = None

    def page(self, project: str, etag: str | None, last_modified: str | None) -> Answer:
        files = self.files(project)
        return Answer(FRESH, Page(project, files)) if files else Answer(ABSENT)

    def files(self, project: str) -> tuple[File, ...]:
        """Raises RepositoryError ``find-links-missing``, and what asking for a page raises."""
        with self._lock:
            if self._projects is None:
                self._projects = self._read()
        return tuple([file for file in self._projects.get(project, ()) if belongs(file.filename, project)])

    def metadata(self, file: File) -> bytes | None:
        return self._artifacts.metadata(file)

    def fetch(self, file: File, into: str, progress: Callable[[int], None] | None) -> str:
        return self._artifacts.fetch(file, into, progress)

    def _read(self) -> dict[str, tuple[File, ...]]:
        if self._client.offline:
            self._client.note(
                f"{redact(self.key)} is left out: it is on the network, and --offline was asked for"
            )
            return {}
        answer = self._client.get(self.key, accept=ACCEPT)
        if answer.status != 200:
            raise RepositoryError(
                "find-links-missing",
                f"the page of links {redact(self.key)} does not exist (status {answer.status})",
                hint="check --find-links, PIP_FIND_LINKS and pip's configuration",
            )
        return group_by_project(parse(answer.body, answer.content_type, answer.url).files)
