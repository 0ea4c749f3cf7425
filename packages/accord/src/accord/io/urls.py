"""URLs, taken apart and made safe to show (hot).

May know the syntax of URLs (RFC 3986) and nothing of what they lead to.  ``urllib.parse`` costs 9 ms and is asked
only for what is rare.  Whatever is shown to a person goes through :func:`redact`.
"""

from __future__ import annotations

import os

from accord_core.errors import UsageError

__all__ = [
    "Url",
    "file_url",
    "join",
    "last_component",
    "path_of",
    "quoted",
    "redact",
    "redact_all",
    "split",
    "without_credentials",
]

_PORTS = {"http": 80, "https": 443}
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-~+!")
# Characters that would end a request line or a header, or that no URL may hold (RFC 3986 section 2).
_FORBIDDEN = frozenset(map(chr, range(0x21))) | {"\x7f"}


class Url:
    """``host`` is lower-case without brackets, ``port`` is always a number for http and https, ``target`` is path and
    query as they go on the request line, ``auth`` is the decoded ``(user, password)`` or None."""

    __slots__ = ("auth", "host", "port", "scheme", "target")

    def __init__(self, scheme: str, host: str, port: int, target: str, auth: tuple[str, str] | None) -> None:
        self.scheme = scheme
        self.host = host
        self.port = port
        self.target = target
        self.auth = auth

    @property
    def origin(self) -> tuple[str, str, int]:
        return (self.scheme, self.host, self.port)

    @property
    def netloc(self) -> str:
        """Host and, unless it is the scheme's own, port: as in ``Host:`` and in messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def split(url: str) -> Url:
    """An ``http`` or ``https`` URL taken apart.  Raises UsageError ``url-invalid``."""
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in _PORTS:
        raise _invalid(url, "it is no http: or https: URL")
    if not _FORBIDDEN.isdisjoint(url):
        raise _invalid(url, "it holds a space or a control character")
    rest = rest.partition("#")[0]
    end = len(rest)
    for mark in "/?":
        at = rest.find(mark, 0, end)
        if at >= 0:
            end = at
    authority, target = rest[:end], rest[end:]
    if not target.startswith("/"):
        target = "/" + target
    userinfo, at_sign, netloc = authority.rpartition("@")
    host, port = _host_and_port(url, netloc, _PORTS[scheme])
    if not target.isascii():
        from urllib.parse import quote

        target = quote(target, safe="/?&=%:@!$'()*+,;~-._#")
    return Url(scheme, host, port, target, _userinfo(userinfo) if at_sign else None)


def _host_and_port(url: str, netloc: str, default: int) -> tuple[str, int]:
    if netloc.startswith("["):
        host, bracket, rest = netloc[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise _invalid(url, "its address in brackets is not closed")
        port = rest[1:]
    else:
        host, _, port = netloc.partition(":")
    if not host or (port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536)):
        raise _invalid(url, "its host or port is not one")
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise _invalid(url, "its host is no name") from error
    return host.lower(), int(port) if port else default


def _userinfo(text: str) -> tuple[str, str]:
    user, _, password = text.partition(":")
    if "%" in text:
        from urllib.parse import unquote

        return unquote(user), unquote(password)
    return user, password


def _invalid(url: str, why: str) -> UsageError:
    return UsageError(
        "url-invalid", f"{redact(url)} cannot be used: {why}", hint="check how the URL is written"
    )


def redact(url: str) -> str:
    """The URL as it may be shown: any user name and password replaced by ``****``."""
    bare = without_credentials(url)
    if bare == url:
        return url
    scheme, _, rest = bare.partition("://")
    return f"{scheme}://****@{rest}"


def redact_all(text: str) -> str:
    """A command line as it may be shown and written down: :func:`redact` for every URL in it, however it is wrapped
    (``--index-url=…``, ``name=…``, ``package @ git+…``).  The user that ssh needs, without a password, is no secret,
    nor is ``user:password``, which hints say."""
    if "@" not in text or "://" not in text:
        return text
    first, *rest = text.split("://")
    shown = [first]
    for piece in rest:
        end = min((at for mark in "/?#'\" \t\n" if (at := piece.find(mark)) >= 0), default=len(piece))
        user, at_sign, host = piece[:end].rpartition("@")
        known = user == "user:password" or (shown[-1].endswith("ssh") and ":" not in user)
        if at_sign and not known:
            piece = f"****@{host}{piece[end:]}"
        shown.append(piece)
    return "://".join(shown)


def without_credentials(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if not separator or "@" not in rest:
        return url
    end = min((at for mark in "/?#" if (at := rest.find(mark)) >= 0), default=len(rest))
    authority = rest[:end]
    if "@" not in authority:
        return url
    return f"{scheme}://{authority.rpartition('@')[2]}{rest[end:]}"


def join(base: str, reference: str) -> str:
    """``reference`` as found in an answer from ``base`` (RFC 3986 section 5)."""
    from urllib.parse import urljoin

    return urljoin(base, reference)


def last_component(url: str) -> str:
    """The last component of the path, percent-decoded: a file's name."""
    path = url.partition("#")[0].partition("?")[0]
    return _unquote(path.rstrip("/").rpartition("/")[2])


def path_of(url: str) -> str:
    """The local path a ``file:`` URL names (RFC 8089), or the text itself where it is no URL.

    Raises UsageError ``url-invalid`` for a ``file:`` URL on another host.
    """
    if url[:5].lower() != "file:":
        return url
    rest = url[5:].partition("#")[0]
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host.lower() not in {"", "localhost"}:
            raise _invalid(url, f"a file: URL names a file of this machine, not of {host}")
        rest = slash + path
    path = _unquote(rest.partition("?")[0])
    if os.name == "nt":
        return path.lstrip("/").replace("/", "\\")
    return path


def file_url(path: str) -> str:
    """The ``file:`` URL of an absolute path."""
    slashed = path.replace("\\", "/") if os.name == "nt" else path
    return "file://" + quoted(slashed if slashed.startswith("/") else "/" + slashed)


def quoted(path: str) -> str:
    """A path percent-encoded where it must be."""
    if _PLAIN.issuperset(path):
        return path
    from urllib.parse import quote

    return quote(path, safe="/+!~")


def _unquote(text: str) -> str:
    if "%" not in text:
        return text
    from urllib.parse import unquote

    return unquote(text)
