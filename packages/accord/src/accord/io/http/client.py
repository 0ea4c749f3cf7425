"""One client for all that is asked of indexes: thread-safe, patient within limits, and discreet.

May know HTTP, credentials and the clock; must not know what an answer means.  A question is a GET or HEAD, so it may be
asked again; what changes something is sent once (:meth:`Client.send`), and its sender decides.  Creating a client costs nothing and touches nothing: sockets, TLS and the rest are
imported when the first request is made.
"""

from __future__ import annotations

import os
import time

from accord.io.http.options import DEFAULT_LIMITS, HttpLimits, HttpOptions
from accord.io.urls import Url, join, redact, split, without_credentials
from accord_core.errors import RepositoryError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypeVar

    from accord.io.credentials import Credentials
    from accord.io.http.pool import Pool
    from accord.io.http.sending import Body
    from accord.io.http.wire import Connection, Head

    Result = TypeVar("Result")

__all__ = ["Client", "Response"]

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_RETRIED = frozenset((408, 425, 429, 500, 502, 503, 504, 520, 522, 524))
_ANSWERS = frozenset((200, 203, 206, 304, 404, 410, 416))
_LONGEST_BACKOFF = 8.0


class Response:
    """An answer kept in memory.  ``headers`` has lower-case names; ``body`` is decoded; ``url`` is where it was found
    after redirects, without credentials; ``packed`` the body still in gzip, if it came so and was to stay so: then
    ``body`` is empty.  ``status`` is one of 200, 203, 206, 304, 404, 410, 416; of what was sent, any."""

    __slots__ = ("body", "headers", "packed", "status", "url")

    def __init__(
        self, status: int, headers: dict[str, str], body: bytes, url: str, packed: bytes | None = None
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.url = url
        self.packed = packed

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    @property
    def etag(self) -> str | None:
        return self.headers.get("etag")

    @property
    def last_modified(self) -> str | None:
        return self.headers.get("last-modified")

    @property
    def absent(self) -> bool:
        """There is no such thing (404, 410)."""
        return self.status in {404, 410}


class Client:
    """``environ`` is read for proxies only.  ``sleep`` and ``jitter`` (a number in [0, 1)) are there to be replaced by
    programs that embed the client and by tests; ``note`` is told what only ``--verbose`` shows."""

    def __init__(
        self,
        options: HttpOptions | None = None,
        *,
        credentials: Credentials | None = None,
        environ: Mapping[str, str] | None = None,
        limits: HttpLimits = DEFAULT_LIMITS,
        user_agent: str = "accord",
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] | None = None,
        note: Callable[[str], None] | None = None,
    ) -> None:
        self.options = options or HttpOptions()
        self.limits = limits
        self.note = note or _silent
        self._credentials = credentials
        self._environ = os.environ if environ is None else environ
        self._user_agent = user_agent
        self._sleep = sleep
        self._jitter = jitter or _fraction_of_now
        self._pool: Pool | None = None

    @property
    def offline(self) -> bool:
        return self.options.offline

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close idle connections; the client may be used again."""
        if self._pool is not None:
            self._pool.close()

    def get(
        self,
        url: str,
        *,
        accept: str | None = None,
        etag: str | None = None,
        last_modified: str | None = None,
        byte_range: tuple[int, int | None] | None = None,
        limit: int | None = None,
        packed: bool = False,
    ) -> Response:
        """Ask for ``url`` and keep the answer in memory, at most ``limit`` bytes of it; ``packed`` leaves one that
        comes in gzip as it is, for whoever opens it to hold against the limits.

        ``etag`` and ``last_modified`` make the question conditional.  ``byte_range`` is ``(first, last)``, both
        included, ``last`` None for "to the end"; ``(-n, None)`` means the last n bytes.  A server may ignore a range
        and answer 200 with everything.

        Raises RepositoryError: ``offline``, ``index-unreachable``, ``index-timeout``, ``index-tls``,
        ``index-unauthorized``, ``index-server-error``, ``index-unexpected-status``, ``index-protocol``,
        ``download-truncated``, ``answer-too-large``, ``index-redirect``.
        """
        headers: list[tuple[str, str]] = []
        if accept is not None:
            headers.append(("Accept", accept))
        if etag is not None:
            headers.append(("If-None-Match", etag))
        elif last_modified is not None:
            headers.append(("If-Modified-Since", last_modified))
        if byte_range is not None:
            headers.append(("Range", "bytes=" + range_text(byte_range)))
        else:
            headers.append(("Accept-Encoding", "gzip"))
        most = self.limits.body if limit is None else limit

        def keep(head: Head, connection: Connection, where: str) -> Response:
            body = connection.read(head, most)
            encoding = head.headers.get("content-encoding")
            if not encoding or not body:
                return Response(head.status, head.headers, body, where)
            if packed and encoding == "gzip":
                return Response(head.status, head.headers, b"", where, body)
            from accord.io.http.decoding import decode

            return Response(head.status, head.headers, decode(body, encoding, self.limits, most), where)

        return self.exchange("GET", url, headers, keep)

    def head(self, url: str) -> Response:
        """Status and headers of ``url``, no body.  Raises as :meth:`get`."""

        def keep(head: Head, connection: Connection, where: str) -> Response:
            return Response(head.status, head.headers, connection.read(head, 0), where)

        return self.exchange("HEAD", url, [], keep)

    def download(
        self,
        url: str,
        into: str,
        name: str | None = None,
        *,
        hashes: Mapping[str, str] | None = None,
        size: int | None = None,
        limit: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> str:
        """Fetch a file into the folder ``into`` and return its path; see :mod:`accord.io.http.download`."""
        from accord.io.http.download import download

        return download(self, url, into, name, hashes=hashes or {}, size=size, limit=limit, progress=progress)

    def send(
        self,
        method: str,
        url: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes | Body = b"",
        *,
        auth: tuple[str, str] | None = None,
        limit: int | None = None,
    ) -> Response:
        """Send a request that may change something, once; see :mod:`accord.io.http.sending`."""
        from accord.io.http.sending import send

        head, data = send(self, method, url, headers, body, auth=auth, limit=limit)
        return Response(head.status, head.headers, data, without_credentials(url))

    def pool(self) -> Pool:
        """The connections of this client."""
        return self._pool or self._make_pool()

    def own_headers(self, parts: Url, auth: tuple[str, str] | None) -> list[tuple[str, str]]:
        """What every request says."""
        return self._own(parts, auth)

    def exchange(
        self,
        method: str,
        url: str,
        headers: list[tuple[str, str]],
        consume: Callable[[Head, Connection, str], Result],
        *,
        once: bool = False,
    ) -> Result:
        """Ask, follow redirects, answer a demand for credentials, try again while that can help.

        ``consume`` is given the head of an answer whose status is one a :class:`Response` may have, the connection to
        read the body from, and the URL; when it raises a fault of the network the question is asked again, unless
        ``once``: then the fault comes out at once, coded, for a caller who knows better where to go on.
        """
        if self.options.offline:
            raise RepositoryError(
                "offline",
                f"{redact(url)} is needed and is not in the cache, and --offline was asked for",
                hint="run the command once without --offline",
            )
        from accord.io.http.failures import NETWORK_FAULTS, is_final, of_exception

        most = self.options.retries + 1
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._follow(method, url, headers, consume, attempt, most)
            except _Again as again:
                wait = again.wait
                self.note(f"{redact(url)}: status {again.status}, asking again")
            except NETWORK_FAULTS as error:
                if once or attempt >= most or is_final(error):
                    raise of_exception(error, url, attempt) from error
                wait = None
                self.note(f"{redact(url)}: {error}; asking again")
            self.wait(attempt, wait)

    def wait(self, attempt: int, asked: float | None = None) -> None:
        """Sleep before attempt ``attempt + 1``: as long as the server asked, or doubled each time, half of it by chance."""
        longest = min(self.options.backoff * 2 ** (attempt - 1), _LONGEST_BACKOFF)
        self._sleep(longest * (0.5 + 0.5 * self._jitter()) if asked is None else asked)

    def _follow(
        self,
        method: str,
        url: str,
        headers: list[tuple[str, str]],
        consume: Callable[[Head, Connection, str], Result],
        attempt: int,
        most: int,
    ) -> Result:
        where, parts = url, split(url)
        auth = parts.auth
        for _ in range(self.limits.redirects + 1):
            found = self._ask(method, where, parts, auth, headers, consume, attempt, most)
            if not isinstance(found, _Redirect):
                return found
            where = self._redirected(where, found.location)
            # A user name in the URL is for that origin alone; one in a Location is the server's idea, not ours.
            target = split(where)
            auth = auth if target.origin == parts.origin else None
            parts = target
        raise RepositoryError(
            "index-redirect",
            f"{redact(url)} redirects more than {self.limits.redirects} times",
            hint="check the index URL",
        )

    def _redirected(self, where: str, location: str) -> str:
        """The target of a redirect; never from https to http, never out of HTTP."""
        target = without_credentials(join(where, location))
        try:
            parts = split(target)
        except UsageError as error:
            raise RepositoryError(
                "index-redirect",
                f"{split(where).netloc} redirects to something that is no http: or https: URL",
                context=(f"from {redact(where)}",),
            ) from error
        if split(where).scheme == "https" and parts.scheme == "http":
            raise RepositoryError(
                "index-redirect",
                f"{split(where).netloc} redirects from https: to http:, which anybody on the way could read and change",
                context=(f"from {redact(where)}", f"to {redact(target)}"),
                hint="ask the index's operator; name the http: URL yourself if you mean it",
            )
        return target

    def _ask(
        self,
        method: str,
        url: str,
        parts: Url,
        auth: tuple[str, str] | None,
        headers: list[tuple[str, str]],
        consume: Callable[[Head, Connection, str], Result],
        attempt: int,
        most: int,
    ) -> Result | _Redirect:
        from accord.io.http.failures import of_status

        if auth is None and self._credentials is not None:
            auth = self._credentials.known(url)
        for challenged in (False, True):
            found = self._once(method, url, parts, [*headers, *self._own(parts, auth)], consume)
            if not isinstance(found, _Refused):
                return found
            head = found.head
            if head.status == 401 and not challenged and self._credentials is not None:
                better = self._credentials.challenged(without_credentials(url), auth)
                if better is not None:
                    auth = better
                    continue
            break
        if head.status in _RETRIED and attempt < most:
            wait = _retry_after(head.headers.get("retry-after"))
            if wait is None or wait <= self.limits.retry_after:
                raise _Again(head.status, wait)
        raise of_status(head, url, attempt)

    def _once(
        self,
        method: str,
        url: str,
        parts: Url,
        headers: list[tuple[str, str]],
        consume: Callable[[Head, Connection, str], Result],
    ) -> Result | _Redirect | _Refused:
        """One question on one connection.  A kept connection that turns out dead is replaced once, silently."""
        from accord.io.http.wire import TooLargeError, TruncatedError

        pool = self.pool()
        target = parts.target
        proxy = pool.through(parts)
        if proxy is not None and parts.scheme == "http":
            target = f"http://{parts.netloc}{target}"
            if proxy.auth is not None:
                from accord.io.http.pool import basic

                headers = [*headers, ("Proxy-Authorization", basic(proxy.auth))]
        for fresh in (False, True):
            with_old = False
            try:
                with pool.connection(parts, fresh=fresh) as connection:
                    with_old = connection.used
                    connection.send(method, target, headers)
                    head = connection.head()
                    with_old = False
                    if head.status in _ANSWERS:
                        return consume(head, connection, without_credentials(url))
                    location = head.headers.get("location")
                    try:
                        connection.read(head, 65536)  # so that the connection can be kept
                    except TooLargeError:
                        pass  # not worth reading: the connection is closed instead
                    if head.status in _REDIRECTS and location:
                        return _Redirect(location)
                    return _Refused(head)
            except (ConnectionError, TruncatedError) as error:
                early = not isinstance(error, TruncatedError) or error.before_head
                if not (with_old and early) or fresh:
                    raise
        raise AssertionError("the loop returns or raises")

    def _own(self, parts: Url, auth: tuple[str, str] | None) -> list[tuple[str, str]]:
        found = [("Host", parts.netloc), ("User-Agent", self._user_agent)]
        if auth is not None:
            from accord.io.http.pool import basic

            found.append(("Authorization", basic(auth)))
        return found

    def _make_pool(self) -> Pool:
        from accord.io.http.pool import Pool

        # Two threads may both get here first; dict.setdefault on the instance is atomic, so that they share one.
        made: Pool = self.__dict__.setdefault("_made_pool", Pool(self.options, self.limits, self._environ))
        self._pool = made
        return made


class _Again(Exception):
    """The server cannot answer now; ``wait`` in seconds if it said how long."""

    def __init__(self, status: int, wait: float | None) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.wait = wait


class _Redirect:
    __slots__ = ("location",)

    def __init__(self, location: str) -> None:
        self.location = location


class _Refused:
    __slots__ = ("head",)

    def __init__(self, head: Head) -> None:
        self.head = head


def range_text(byte_range: tuple[int, int | None]) -> str:
    """``first-last`` of a Range header (RFC 9110 section 14.1.2)."""
    first, last = byte_range
    if first < 0:
        return str(first)
    return f"{first}-" if last is None else f"{first}-{last}"


def _retry_after(value: str | None) -> float | None:
    """Seconds (RFC 9110 section 10.2.3), or None where nothing readable is said."""
    if not value:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _fraction_of_now() -> float:
    """Chance enough to keep clients from marching in step; not for secrets."""
    return time.perf_counter_ns() % 1009 / 1009


def _silent(text: str) -> None:
    """Nobody listens."""
