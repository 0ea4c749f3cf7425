"""How often somebody may try: counted in windows, in the memory of a process, and over all processes in table ``rate``.

A count is kept here at once and brought to the table soon after (``save``), which tells what the others counted.  So the
limit of one process is exact; all together may go over it by what happens between two savings.  The counts of one
process never go down within a window, whatever the table says.

What clients are told is draft-ietf-httpapi-ratelimit-headers-10: ``RateLimit-Policy: "failed-address";q=30;w=300`` and
``RateLimit: "failed-address";r=29;t=120``.
"""

from __future__ import annotations

import ipaddress
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import postgresql, sqlite

from accord.server.database import tables
from accord.server.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Policy", "Rates", "State", "headers", "key_of", "too_many"]


@dataclass(frozen=True, slots=True)
class Policy:
    """``quota`` times in ``seconds``."""

    name: str
    quota: int
    seconds: int


@dataclass(frozen=True, slots=True)
class State:
    """What is left of a quota, until the window ends in ``reset`` seconds."""

    policy: Policy
    left: int
    reset: int


class Rates:
    """Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # (key, start of the window) -> [counted by all, of which not yet in the table, end of the window]
        self._counts: dict[tuple[str, int], list[int]] = {}

    def state(self, policy: Policy, key: str, at: int) -> State:
        """What is left, as far as this process knows."""
        start, reset = _window(policy, at)
        with self._lock:
            counted = self._counts.get((f"{policy.name}:{key}", start), [0])[0]
        return State(policy, max(policy.quota - counted, 0), reset)

    def count(self, policy: Policy, key: str, at: int) -> State:
        """One more."""
        start, reset = _window(policy, at)
        with self._lock:
            found = self._counts.setdefault(
                (f"{policy.name}:{key}", start), [0, 0, start + policy.seconds * 1_000_000]
            )
            found[0] += 1
            found[1] += 1
            return State(policy, max(policy.quota - found[0], 0), reset)

    def unsaved(self) -> bool:
        with self._lock:
            return any(found[1] for found in self._counts.values())

    def save(self, connection: Connection) -> dict[tuple[str, int], list[int]]:
        """Bring the counts to the table; hand what is answered to :meth:`saved` once that is committed."""
        with self._lock:
            waiting = {key: [0, found[1], found[2]] for key, found in self._counts.items() if found[1]}
        for key, found in waiting.items():
            found[0] = _add(connection, key, found[1])
        return waiting

    def saved(self, answered: dict[tuple[str, int], list[int]], at: int) -> None:
        with self._lock:
            for key, (total, added, _) in answered.items():
                found = self._counts[key]
                found[1] -= added
                found[0] = max(found[0], total + found[1])
            for key in [key for key, found in self._counts.items() if found[2] <= at and not found[1]]:
                del self._counts[key]


def count_now(connection: Connection, policy: Policy, key: str, at: int) -> State:
    """One more, in the block of what is counted, over all processes: exact."""
    start, reset = _window(policy, at)
    total = _add(connection, (f"{policy.name}:{key}", start), 1)
    return State(policy, policy.quota - total, reset)


def too_many(state: State) -> Refused:
    """The refusal for a quota that is used up."""
    return Refused(
        429,
        "rate-limited",
        f"too many times in {state.policy.seconds} seconds ({state.policy.name}: {state.policy.quota})",
        hint=f"try again in {state.reset} seconds",
        headers={"Retry-After": str(state.reset)},
    )


def headers(states: list[State]) -> list[tuple[bytes, bytes]]:
    """``RateLimit-Policy`` and ``RateLimit`` for what was counted for this answer."""
    policies = ", ".join(f'"{one.policy.name}";q={one.policy.quota};w={one.policy.seconds}' for one in states)
    lefts = ", ".join(f'"{one.policy.name}";r={max(one.left, 0)};t={one.reset}' for one in states)
    return [(b"ratelimit-policy", policies.encode()), (b"ratelimit", lefts.encode())]


def key_of(address: str) -> str:
    """What stands for whoever has an address: with IPv6 the network of 64 bits, which is one customer's."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:60]
    if found.version == 6 and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found if found.version == 4 else found.ipv4_mapped)


def _window(policy: Policy, at: int) -> tuple[int, int]:
    """``(start, seconds to its end)``"""
    length = policy.seconds * 1_000_000
    start = at - at % length
    return start, max(1, -(-(start + length - at) // 1_000_000))


def _adding(insert: Any) -> Any:
    """The statement that adds, in the words of one kind of database."""
    statement = insert(tables.rate)
    return statement.on_conflict_do_update(
        index_elements=[tables.rate.c.key, tables.rate.c.window],
        set_={"count": tables.rate.c.count + statement.excluded["count"]},
    ).returning(tables.rate.c.count)


_ADD = {"sqlite": _adding(sqlite.insert), "postgresql": _adding(postgresql.insert)}


def _add(connection: Connection, key: tuple[str, int], number: int) -> int:
    name, window = key
    total: int = connection.execute(
        _ADD[connection.dialect.name], {"key": name[:200], "window": window, "count": number}
    ).scalar_one()
    return total
