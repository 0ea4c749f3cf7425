"""The request that is being answered, for the rooms below the routes: from where it comes, and what is counted for it.

``api.watch`` puts an :class:`Attempt` in a context variable before a route is called, and threads that answer it see the
same one.  So no route can forget to say from where a credential came, and ``principals`` can note each use.  What is done
outside a request (``accord index``, a job) has none.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from accord.server import clock

if TYPE_CHECKING:
    from accord.server.accounts.guard import Guard
    from accord.server.accounts.rates import State

__all__ = ["Attempt", "address", "attempt", "instant"]


@dataclass(slots=True)
class Attempt:
    """``address`` is the client's, behind the proxies that are trusted; ``at`` when it asked.  ``noted`` is what stands in
    the audit already, ``states`` what the answer's ``RateLimit`` tells."""

    address: str
    at: int
    guard: Guard
    noted: set[tuple[str, str, bool]] = field(default_factory=set)
    states: dict[str, State] = field(default_factory=dict)


attempt: ContextVar[Attempt | None] = ContextVar("accord_attempt", default=None)


def address() -> str:
    """Of the client that asks; empty outside a request."""
    found = attempt.get()
    return "" if found is None else found.address


def instant() -> int:
    """When the request came; now, outside of one."""
    found = attempt.get()
    return clock.now() if found is None else found.at
