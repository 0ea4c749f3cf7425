"""Threads of their own for what waits for the storage.

The threads that answer requests are few, and a store that hangs keeps each that asks it for as long as it is waited for.  So
files are sent, and received ones stored, by others: when all of these wait, files wait, and pages go on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

from anyio import CapacityLimiter, to_thread

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["Threads", "in_bulk", "pieces_of"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
_THREADS = 32  # of one room
_KEY = "accord.bulk"


class Threads:
    """So many at a time; who comes later waits without one."""

    def __init__(self, most: int = _THREADS) -> None:
        self._most = most
        self._limiter: CapacityLimiter | None = None

    @property
    def limiter(self) -> CapacityLimiter:
        """Made where it is used first: it belongs to that event loop."""
        if self._limiter is None:
            self._limiter = CapacityLimiter(self._most)
        return self._limiter

    async def run(self, function: Callable[[*Ts], T], *arguments: *Ts) -> T:
        return await to_thread.run_sync(function, *arguments, limiter=self.limiter)


def in_bulk(handler: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that calls ``handler`` in one of those threads."""
    threads = Threads()

    async def answer(request: Request) -> Response:
        request.scope[_KEY] = threads.limiter
        return await threads.run(handler, request)

    return answer


async def pieces_of(request: Request, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """What an iterator gives that waits for the storage, asked in the same threads."""
    threads = request.scope.get(_KEY)
    while (piece := await to_thread.run_sync(next, pieces, None, limiter=threads)) is not None:
        yield piece
