"""Small bodies (a form of a page, a JSON document) whole, within limits of size and of time; files have ``upload.receive``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

from accord.server.errors import Refused

if TYPE_CHECKING:
    from starlette.requests import Request

    from accord.server.limits import Limits

__all__ = ["read_body"]


async def read_body(request: Request, limits: Limits, most: int, larger: Refused) -> bytes:
    """All of it.

    Raises ``larger`` where there are more than ``most`` bytes, and ``Refused``: ``body-too-slow`` (408), ``body-broken-off``
    (400).
    """
    data = bytearray()
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for piece in request.stream():
                data += piece
                if len(data) > most:
                    raise larger
    except TimeoutError as fault:
        raise Refused(
            408,
            "body-too-slow",
            f"the request took more than {limits.body_seconds:g} seconds",
            headers={"Connection": "close"},
        ) from fault
    except ClientDisconnect as fault:
        raise Refused(
            400, "body-broken-off", "the request ends in the middle: the client went away"
        ) from fault
    return bytes(data)
