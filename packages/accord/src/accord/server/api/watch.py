"""Around every route: from where a request comes, and the ``RateLimit`` fields of its answer.

The client's address is the peer's.  ``X-Forwarded-For`` is believed as far as the proxies that wrote it are named in the
settings (``--trusted-proxy``): from the right, until an address that is none of them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING

from accord.server.accounts import rates
from accord.server.accounts.attempts import Attempt, attempt
from accord.server.catalogue.indexes import RESERVED
from accord.server.errors import Refused

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from accord.server.parts import Parts

__all__ = ["Watched"]

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Watched:
    """An ASGI application around another.  ``refuse`` makes an answer of a refusal."""

    def __init__(self, app: ASGIApp, parts: Parts, refuse: Callable[[Refused], Response]) -> None:
        self._app = app
        self._guard = parts.guard
        self._now = parts.now
        self._refuse = refuse
        self._proxies = [ipaddress.ip_network(text) for text in parts.settings.trusted_proxies]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        found = Attempt(client_address(scope, self._proxies), self._now(), self._guard)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and found.states:
                added = rates.headers(list(found.states.values()))
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)

        before = attempt.set(found)
        try:
            if _is_search(scope["path"]):
                self._guard.search(found)
            await self._app(scope, receive, answer)
        except Refused as refused:
            await self._refuse(refused)(scope, receive, answer)
        finally:
            attempt.reset(before)


def client_address(scope: Scope, proxies: list[_Network]) -> str:
    """Of whoever sent the request, as far as those who handed it on are trusted."""
    peer = _plain(scope["client"][0] if scope.get("client") else "")
    if not _among(peer, proxies):
        return peer
    handed = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
    for text in reversed(handed.decode("latin-1").split(",")):
        word = _plain(text.strip())
        try:
            ipaddress.ip_address(word)
        except ValueError:
            return peer  # nobody we trust wrote that
        peer = word
        if not _among(peer, proxies):
            return peer
    return peer


def _plain(address: str) -> str:
    """A server bound to ``[::]`` sees clients of IPv4 under addresses of IPv6."""
    if not address.lower().startswith("::ffff:"):
        return address
    try:
        found = ipaddress.IPv6Address(address).ipv4_mapped
    except ValueError:
        return address
    return address if found is None else str(found)


def _among(address: str, proxies: list[_Network]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in proxies if network.version == found.version)


def _is_search(path: str) -> bool:
    """``/search``, ``/INDEX/search``, ``/api/search``: not the page of a project of that name."""
    words = path.strip("/").split("/")
    return words[-1] == "search" and (
        len(words) == 1 or (len(words) == 2 and (words[0] == "api" or words[0] not in RESERVED))
    )
