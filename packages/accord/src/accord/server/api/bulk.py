"""Threads of their own for what waits for the storage.

The threads that answer requests are few, and a store that hangs keeps each that asks it for as long as it is waited for.  So
files are sent by others: when all of these wait, downloads wait, and pages go on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

from anyio import CapacityLimiter, to_thread

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["in_bulk", "pieces_of"]

_THREADS = 32  # of one room
_KEY = "accord.bulk"


def in_bulk(handler: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that calls ``handler`` in one of those threads."""
    threads: list[CapacityLimiter] = []

    async def answer(request: Request) -> Response:
        if not threads:  # made where it is used: it belongs to that event loop
            threads.append(CapacityLimiter(_THREADS))
        request.scope[_KEY] = threads[0]
        return await to_thread.run_sync(handler, request, limiter=threads[0])

    return answer


async def pieces_of(request: Request, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """What an iterator gives that waits for the storage, asked in the same threads."""
    threads = request.scope.get(_KEY)
    while (piece := await to_thread.run_sync(next, pieces, None, limiter=threads)) is not None:
        yield piece
