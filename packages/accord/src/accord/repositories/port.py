"""The port between whoever needs projects and whatever has them (hot).

An index over HTTP, a folder, a stack of several, a fake in memory: each is a :class:`Repository`, and the contract
tests run over all of them.  The port knows pages and files; it says nothing of caches, which belong to the caller.
"""

from __future__ import annotations

__all__ = ["ABSENT", "FRESH", "UNCHANGED", "Answer", "RawPage", "Repository"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from accord_core.index.model import File, Page
else:
    Protocol = object

FRESH = "fresh"
UNCHANGED = "unchanged"
ABSENT = "absent"


class RawPage:
    """A page as it came: ``body``, in gzip if ``packed``, and the URL it is from.  Packed, a page is a tenth of itself,
    and most pages are never looked at again.

    ``most``: bytes that it may have when opened; 0 if it was opened once before.  ``again``: asks for it once more, for
    a body that cannot be opened; the repository then says what is wrong with it.
    """

    __slots__ = ("again", "body", "content_type", "most", "packed", "url")

    def __init__(
        self,
        body: bytes,
        content_type: str,
        url: str,
        *,
        packed: bool = False,
        most: int = 0,
        again: Callable[[], RawPage] | None = None,
    ) -> None:
        self.body = body
        self.content_type = content_type
        self.url = url
        self.packed = packed
        self.most = most
        self.again = again

    def open(self) -> bytes:
        """The page itself.  Raises RepositoryError where it can be asked for again, else ProtocolError or
        TooLargeError."""
        if not self.packed:
            return self.body
        from accord.io.http.decoding import gunzip
        from accord.io.http.wire import ProtocolError, TooLargeError

        try:
            return gunzip(self.body, self.most)
        except (ProtocolError, TooLargeError):
            if self.again is None:
                raise
            other, self.again = self.again(), None
            self.body, self.packed, self.most = other.body, other.packed, 0
            return self.open()


class Answer:
    """What a repository says about a project.

    ``state`` is ``fresh`` (``page`` is there), ``unchanged`` (the page the caller has, named by ``etag`` or
    ``last_modified``, still holds; ``page`` is None) or ``absent`` (no such project).  ``expires`` is the time in
    unix seconds until which the answer may be used without asking; 0: ask each time.  ``raw`` is the page before it was
    read, from repositories that have it so; ``page`` then reads it when it is first asked for, and raises what reading
    raises.
    """

    __slots__ = ("_page", "etag", "expires", "last_modified", "raw", "state")

    def __init__(
        self,
        state: str,
        page: Page | None = None,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        expires: float = 0.0,
        raw: RawPage | None = None,
    ) -> None:
        self.state = state
        self._page = page
        self.etag = etag
        self.last_modified = last_modified
        self.expires = expires
        self.raw = raw

    @property
    def page(self) -> Page | None:
        if self._page is None and self.raw is not None:
            from accord.repositories.decode import parse

            self._page = parse(self.raw.open(), self.raw.content_type, self.raw.url)
        return self._page

    def __repr__(self) -> str:
        return f"Answer({self.state!r}, {self._page!r}, expires={self.expires:.0f})"


class Repository(Protocol):
    """Where projects are kept.  Every method may be called from any thread, at any time, any number of times.

    ``key`` identifies the repository for caches and locks: its URL without credentials.  ``local`` says that asking
    costs no network, so that nothing needs to be remembered between runs.
    """

    key: str
    local: bool

    def page(self, project: str, etag: str | None, last_modified: str | None) -> Answer:
        """The page of ``project`` (a normalised name).

        A project that is not here is the state ``absent``, never an error.  ``unchanged`` is answered only when
        ``etag`` or ``last_modified`` was given.  Raises RepositoryError when it cannot be known.
        """

    def metadata(self, file: File) -> bytes | None:
        """METADATA of a wheel, the cheapest way there is, as it was announced and not yet held against the wheel.

        None for an sdist.  ``file`` is from a page of this repository, or one of the person's own files (``file:``).
        Raises RepositoryError or ArchiveError.
        """

    def fetch(self, file: File, into: str, progress: Callable[[int], None] | None) -> str:
        """The file, whole and of the announced hashes and size, in the folder ``into``; its path.

        It appears there under its own name only when it is complete.  ``progress`` is told bytes as they come.
        ``file`` is as for :meth:`metadata`.  Raises RepositoryError.
        """
