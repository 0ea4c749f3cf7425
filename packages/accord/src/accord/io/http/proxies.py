"""Which proxy a request goes through, from the variables everybody knows.

Knows the conventions of ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` (lower-case spellings win);
opens nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accord.io.urls import Url, redact, split
from accord_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["proxy_for"]


def proxy_for(url: Url, environ: Mapping[str, str], explicit: str | None = None) -> Url | None:
    """The proxy for ``url``, or None.  Raises UsageError ``proxy-unsupported`` for one that is not http or https."""
    named = explicit
    if named is None:
        if _bypassed(url, environ.get("no_proxy") or environ.get("NO_PROXY") or ""):
            return None
        # In a CGI process HTTP_PROXY is a header the client sent, not a setting ("httpoxy").
        upper = url.scheme.upper() + "_PROXY"
        cgi = upper == "HTTP_PROXY" and "REQUEST_METHOD" in environ
        named = (
            environ.get(f"{url.scheme}_proxy")
            or ("" if cgi else environ.get(upper, ""))
            or environ.get("all_proxy")
            or environ.get("ALL_PROXY")
        )
    if not named:
        return None
    if "://" not in named:
        named = "http://" + named
    scheme = named.partition("://")[0].lower()
    if scheme not in {"http", "https"} or (scheme == "https" and url.scheme == "https"):
        raise UsageError(
            "proxy-unsupported",
            f"the proxy {redact(named)} cannot be used for {url.scheme}: URLs",
            hint="Accord speaks to plain http: proxies (CONNECT for https:); set NO_PROXY for hosts to be reached directly",
        )
    return split(named)


def _bypassed(url: Url, no_proxy: str) -> bool:
    for entry in no_proxy.replace(" ", ",").split(","):
        entry = entry.strip().lower()
        if not entry:
            continue
        if entry == "*" or entry in {url.host, f"{url.host}:{url.port}", url.netloc}:
            return True
        host, _, port = entry.rpartition(":")
        if host and port.isdigit() and "]" not in port:
            if int(port) != url.port:
                continue
            entry = host
        entry = entry.replace("[", "").replace("]", "")  # an IPv6 address, as it stands in a URL
        if "/" in entry and _in_network(url.host, entry):
            return True
        if entry == url.host:
            return True
        suffix = entry.removeprefix("*").lstrip(".")
        if suffix and (url.host == suffix or url.host.endswith("." + suffix)):
            return True
    return False


def _in_network(host: str, network: str) -> bool:
    from ipaddress import ip_address, ip_network

    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False
