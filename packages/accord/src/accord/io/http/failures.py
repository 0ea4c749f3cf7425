"""What goes wrong on the network, in words.

Turns an exception or a status into the coded :class:`~accord_core.errors.RepositoryError` a person reads: the host,
what happened, what to do.  URLs are shown without credentials.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accord.io.http.pool import ProxyRefusedError, ProxyUnreachableError
from accord.io.http.wire import ProtocolError, TooLargeError, TruncatedError
from accord.io.urls import redact, split
from accord_core.errors import RepositoryError

if TYPE_CHECKING:
    from accord.io.http.wire import Head

__all__ = ["NETWORK_FAULTS", "is_final", "of_exception", "of_status"]

NETWORK_FAULTS = (OSError, ProtocolError, TooLargeError, TruncatedError, ProxyRefusedError)
"""What an exchange may raise; OSError includes timeouts, resolution failures and TLS."""


def is_final(error: Exception) -> bool:
    """Whether trying again cannot help."""
    import socket
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError | TooLargeError):
        return True
    if isinstance(error, ProxyRefusedError):
        return error.status < 500
    if isinstance(error, ProxyUnreachableError):
        return isinstance(error.__cause__, Exception) and is_final(error.__cause__)
    return isinstance(error, socket.gaierror) and error.errno in {socket.EAI_NONAME, socket.EAI_FAMILY}


def of_exception(error: Exception, url: str, attempts: int) -> RepositoryError:
    host = split(url).netloc
    tried = "" if attempts <= 1 else f" ({attempts} attempts)"
    import ssl  # costs 10 ms, and most runs neither fail nor ask over https

    if isinstance(error, ssl.SSLCertVerificationError):
        return RepositoryError(
            "index-tls",
            f"the certificate of {host} is not trusted: {error.verify_message}",
            context=(f"asked for {redact(url)}",),
            hint="if your network has its own certificate authority, name its bundle with SSL_CERT_FILE or --cert",
        )
    if isinstance(error, ssl.SSLError):
        return RepositoryError(
            "index-tls",
            f"no secure connection to {host}: {error.reason or error}{tried}",
            context=(f"asked for {redact(url)}",),
            hint="check the index URL (http or https?) and any proxy in between",
        )
    if isinstance(error, ProxyUnreachableError):
        return RepositoryError(
            "proxy-unreachable",
            f"the proxy {error.proxy} cannot be reached: {_reason(error.__cause__)}{tried}",
            context=(f"asked for {redact(url)}",),
            hint="check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, or name this host in NO_PROXY",
        )
    if isinstance(error, TimeoutError):
        return RepositoryError(
            "index-timeout",
            f"{host} did not answer in time{tried}",
            context=(f"asked for {redact(url)}",),
            hint="try again, or give it longer with ACCORD_HTTP_TIMEOUT=SECONDS; --offline uses what is cached",
        )
    if isinstance(error, TooLargeError):
        return RepositoryError(
            "answer-too-large",
            f"{host} sent more than the limit of {error.limit:,} bytes",
            context=(f"asked for {redact(url)}",),
            hint="no honest answer to this question is that large; ask the index's operator",
        )
    if isinstance(error, TruncatedError) and not error.before_head:
        return RepositoryError(
            "download-truncated",
            f"{host} closed the connection before the answer was complete{tried}",
            context=(f"asked for {redact(url)}", f"{error.received:,} bytes had come"),
            hint="try again; nothing half downloaded was kept",
        )
    if isinstance(error, ProxyRefusedError) and error.status == 407:
        return _proxy_unauthorized(url)
    if isinstance(error, ProtocolError):
        return RepositoryError(
            "index-protocol",
            f"{host} did not answer in HTTP: {error}{tried}",
            context=(f"asked for {redact(url)}",),
            hint="check the index URL and any proxy in between",
        )
    return RepositoryError(
        "index-unreachable",
        f"{host} cannot be reached: {_reason(error)}{tried}",
        context=(f"asked for {redact(url)}",),
        hint="check the network, the index URL and the proxy settings; --offline uses what is cached",
    )


def _reason(error: BaseException | None) -> str:
    import socket

    if isinstance(error, socket.gaierror):
        return "its name is not known"
    if isinstance(error, TruncatedError):
        return "it closed the connection without an answer"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error)


def of_status(head: Head, url: str, attempts: int) -> RepositoryError:
    host = split(url).netloc
    asked = (f"asked for {redact(url)}",)
    if head.status in {401, 403}:
        what = "wants a user name and password" if head.status == 401 else "refuses access"
        return RepositoryError(
            "index-unauthorized",
            f"{host} {what} (status {head.status})",
            context=asked,
            hint="put credentials in .netrc, a keyring, or UV_INDEX_<NAME>_USERNAME and _PASSWORD, and check that they are valid",
        )
    if head.status == 407:
        return _proxy_unauthorized(url)
    tried = "" if attempts <= 1 else f" ({attempts} attempts)"
    if head.status == 429 or head.status >= 500:
        wait = head.headers.get("retry-after", "")
        return RepositoryError(
            "index-server-error",
            f"{host} cannot answer now: status {head.status} {head.reason}".rstrip() + tried,
            context=(*asked, f"it asks to wait {wait[:40]}") if wait else asked,
            hint="try again later; --offline uses what is cached",
        )
    return RepositoryError(
        "index-unexpected-status",
        f"{host} answered with status {head.status} {head.reason}".rstrip(),
        context=asked,
        hint="check the index URL: it usually ends in /simple/",
    )


def _proxy_unauthorized(url: str) -> RepositoryError:
    return RepositoryError(
        "proxy-unauthorized",
        "the proxy wants a user name and password (status 407)",
        context=(f"asked for {redact(url)}",),
        hint="put them in the proxy's URL: http://user:password@proxy:port",
    )
