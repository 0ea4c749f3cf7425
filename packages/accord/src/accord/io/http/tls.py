"""Whom we trust when a server shows a certificate.

The system's trust store is the default; a bundle or folder named by the person replaces it.  Knows ``ssl`` and files;
nothing of requests.
"""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

from accord_core.errors import UsageError

if TYPE_CHECKING:
    from accord.io.http.options import HttpOptions
    from accord.io.urls import Url

__all__ = ["is_trusted", "make_context"]


def make_context(options: HttpOptions, *, verify: bool) -> ssl.SSLContext:
    """A client context; Python's own floor, TLS 1.2, holds.  Raises UsageError ``tls-file`` for a file that cannot be used."""
    for path in (options.ca_file, options.ca_folder, options.client_certificate, options.client_key):
        if path is not None and not os.path.exists(path):
            raise UsageError(
                "tls-file",
                f"the certificate file {path} does not exist",
                hint="check --cert, SSL_CERT_FILE, SSL_CERT_DIR, PIP_CERT and REQUESTS_CA_BUNDLE",
            )
    try:
        if verify and (options.ca_file or options.ca_folder):
            context = ssl.create_default_context(cafile=options.ca_file, capath=options.ca_folder)
        elif verify:
            context = ssl.create_default_context()
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["http/1.1"])
        if options.client_certificate:
            context.load_cert_chain(options.client_certificate, options.client_key)
    except (ssl.SSLError, OSError) as error:
        raise UsageError(
            "tls-file",
            f"the certificates cannot be loaded: {error}",
            hint="they must be PEM; check --cert, --client-cert, SSL_CERT_FILE and their like",
        ) from error
    return context


def is_trusted(options: HttpOptions, url: Url) -> bool:
    """Whether the person named this host in ``--trusted-host``: its certificate is not checked."""
    for entry in options.trusted_hosts:
        host, _, port = entry.strip().lower().removeprefix("https://").rstrip("/").rpartition(":")
        if not host or not port.isdigit():
            host, port = entry.strip().lower().removeprefix("https://").rstrip("/"), ""
        if host.strip("[]") == url.host and (not port or int(port) == url.port):
            return True
    return False
