"""The quarantine and the policy of an index, for ``accord index``; and a scanner that is any program (``upkeep.scanning``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accord.tasks.index_folder import operator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accord.tasks.index_folder import Place

__all__ = ["change_policy", "policy", "reject", "release", "scan", "waiting"]

Record = dict[str, Any]
_AT_ONCE = 1_000


def policy(place: Place, name: str) -> Record:
    from accord.server.catalogue.indexes import index_named
    from accord.server.catalogue.policy import policy_of

    with place.opened() as parts, parts.database.read() as connection:
        return policy_of(index_named(connection, name)).as_dict()


def change_policy(place: Place, name: str, changes: Record) -> Record:
    """Change the words given.  Raises ``Refused``: ``index-policy``, ``no-such-index``."""
    from accord.server.catalogue import policy
    from accord.server.catalogue.indexes import index_named

    with place.opened() as parts, parts.database.write(operator()) as writing:
        return policy.change_policy(writing, index_named(writing.connection, name), changes).as_dict()


def waiting(place: Place, name: str) -> list[Record]:
    from accord.server.catalogue import quarantine
    from accord.server.catalogue.indexes import index_named

    with place.opened() as parts, parts.database.read() as connection:
        found = quarantine.waiting(connection, index_named(connection, name), limit=_AT_ONCE)
        return [one.as_dict() for one in found]


def release(place: Place, name: str, filename: str) -> Record:
    """Raises ``Refused``: ``not-in-quarantine``, ``project-closed``."""
    from accord.server.catalogue import quarantine
    from accord.server.catalogue.indexes import index_named

    with place.opened() as parts, parts.database.write(operator()) as writing:
        found = quarantine.release(writing, parts.storage, index_named(writing.connection, name), filename)
        return {**found.as_dict(), "state": "live"}


def reject(place: Place, name: str, filename: str, reason: str) -> Record:
    """Raises ``Refused("not-in-quarantine")``."""
    from accord.server.catalogue import quarantine
    from accord.server.catalogue.indexes import index_named

    with place.opened() as parts, parts.database.write(operator()) as writing:
        found = quarantine.reject(writing, index_named(writing.connection, name), filename, reason)
        return {**found.as_dict(), "state": "rejected", "reason": reason}


def scan(
    place: Place,
    name: str,
    program: Sequence[str],
    *,
    seconds: float,
    readable: Sequence[str],
    sandboxed: bool,
) -> list[Record]:
    """Ask ``program`` about each file that waits, and act on its verdict; ``readable`` are folders it may read as well.

    Raises ``UsageError("scanner-failed")`` where there is no sandbox, or the program cannot be started.
    """
    done: list[Record] = []
    with place.opened() as parts:
        from accord.server.catalogue import quarantine
        from accord.server.catalogue.indexes import index_named
        from accord.server.upkeep import scanning

        scanner = scanning.Scanner(tuple(program), tuple(readable), seconds, sandboxed)
        scanning.demand_usable(scanner)
        with parts.database.read() as connection:
            files = quarantine.waiting(connection, index_named(connection, name), limit=_AT_ONCE)
        for file in files:
            verdict = scanning.judge(parts.storage, file, scanner)
            scanning.carry_out(parts, f"{operator()} (scanner)", name, file.filename, verdict)
            done.append({**file.as_dict(), "state": verdict.state, "reason": verdict.reason})
    return done
