"""Requests that change something: POST and DELETE, with bodies of any size.

Sent once: whether one may be sent again only its sender knows.  Redirects are answers like any other, because nobody
meant the body for elsewhere.  A server that has heard enough may answer before the body is over; its answer is read then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.io.http.failures import NETWORK_FAULTS, of_exception
from accord.io.http.pool import basic
from accord.io.http.wire import TooLargeError, TruncatedError
from accord.io.urls import redact, split
from accord_core.errors import RepositoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from accord.io.http.client import Client
    from accord.io.http.wire import Connection, Head
    from accord.io.urls import Url

__all__ = ["Body", "send"]


@dataclass(frozen=True, slots=True)
class Body:
    """``size`` bytes, which ``pieces()`` gives anew each time it is called."""

    size: int
    pieces: Callable[[], Iterable[bytes]]


def send(
    client: Client,
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    body: bytes | Body,
    *,
    auth: tuple[str, str] | None,
    limit: int | None,
) -> tuple[Head, bytes]:
    """Send one request; the head of its answer, whatever its status, and its body, at most ``limit`` bytes.

    Raises RepositoryError: ``offline``, ``index-unreachable``, ``index-timeout``, ``index-tls``, ``index-protocol``,
    ``download-truncated``, ``answer-too-large``, ``proxy-unreachable``, ``proxy-unauthorized``.
    """
    if client.offline:
        raise RepositoryError(
            "offline",
            f"{redact(url)} is needed, and --offline was asked for",
            hint="run the command without --offline",
        )
    parts = split(url)
    sent = body if isinstance(body, Body) else Body(len(body), lambda: (body,))
    lines = [*headers, *client.own_headers(parts, auth)]
    if method != "GET":
        lines.append(("Content-Length", str(sent.size)))
    try:
        return _exchange(client, method, parts, lines, sent, client.limits.body if limit is None else limit)
    except NETWORK_FAULTS as error:
        raise of_exception(error, url, 1) from error


def _exchange(
    client: Client, method: str, parts: Url, headers: list[tuple[str, str]], body: Body, limit: int
) -> tuple[Head, bytes]:
    pool = client.pool()
    target = parts.target
    proxy = pool.through(parts)
    if proxy is not None and parts.scheme == "http":
        target = f"http://{parts.netloc}{target}"
        if proxy.auth is not None:
            headers = [*headers, ("Proxy-Authorization", basic(proxy.auth))]
    with pool.connection(parts) as connection:
        connection.send(method, target, headers)
        head = _answer(connection, body)
        return head, connection.read(head, limit)


def _answer(connection: Connection, body: Body) -> Head:
    try:
        connection.send_body(body.pieces())
    except (BrokenPipeError, ConnectionResetError) as error:
        # It closed its ear; perhaps it said why.
        try:
            head = connection.head()
        except (OSError, TruncatedError, TooLargeError):
            raise error from None
        head.headers["connection"] = "close"
        return head
    return connection.head()
