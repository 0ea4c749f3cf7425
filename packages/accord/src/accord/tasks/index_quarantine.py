"""The quarantine and the policy of an index, for ``accord index``; and a scanner that is any program.

A scanner is called with the path of one file and says by its status what it is: 0, nothing was found; 1, it must not be
released, and the last line of its output says why; anything else, it does not know, and the file goes on waiting.  It reads
what strangers made, so it is run in the sandbox: no network, no home, nothing writable but a folder of its own.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from accord.io.scratch import scratch_folder
from accord.tasks.index_folder import operator
from accord_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accord.server.catalogue.quarantine import Waiting
    from accord.server.storage import BlobStore
    from accord.tasks.index_folder import Place

__all__ = ["change_policy", "policy", "reject", "release", "scan", "waiting"]

Record = dict[str, Any]
_AT_ONCE = 1_000
_REASON = 300  # letters of a scanner's last line


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
        found = quarantine.release(writing, index_named(writing.connection, name), filename)
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
    from accord.io import sandbox
    from accord.server.catalogue import quarantine
    from accord.server.catalogue.indexes import index_named

    why = sandbox.probe() if sandboxed else None
    if why is not None:
        raise UsageError(
            "scanner-failed",
            f"the scanner is not run: there is no sandbox here: {why}",
            hint="--without-sandbox runs it as you, on files of strangers",
        )
    done: list[Record] = []
    with place.opened() as parts:
        with parts.database.read() as connection:
            files = quarantine.waiting(connection, index_named(connection, name), limit=_AT_ONCE)
        for file in files:
            verdict, reason = _asked(parts.storage, file, program, seconds, readable, sandboxed=sandboxed)
            if verdict != "waits":
                with parts.database.write(f"{operator()} (scanner)") as writing:
                    index = index_named(writing.connection, name)
                    if verdict == "live":
                        quarantine.release(writing, index, file.filename)
                    else:
                        quarantine.reject(writing, index, file.filename, reason)
            done.append({**file.as_dict(), "state": verdict, "reason": reason})
    return done


def _asked(
    storage: BlobStore,
    file: Waiting,
    program: Sequence[str],
    seconds: float,
    readable: Sequence[str],
    *,
    sandboxed: bool,
) -> tuple[str, str]:
    """``(live | rejected | waits, why)``."""
    from accord.io import processes, sandbox

    with scratch_folder("accord-scan-") as folder:
        for sub in ("file", "home", "temporary"):
            os.mkdir(os.path.join(folder, sub))
        path = os.path.join(folder, "file", file.filename)
        with open(path, "wb") as out:
            out.writelines(storage.stream(file.sha256))
        command = [*program, path]
        if sandboxed:
            view = sandbox.View(
                home=os.path.join(folder, "home"),
                temporary=os.path.join(folder, "temporary"),
                readonly=(os.path.join(folder, "file"), *map(os.path.abspath, readable)),
            )
            command = sandbox.command(view, command, cwd="/")
        log = os.path.join(folder, "log")
        try:
            finished = processes.run(
                command, cwd=folder, env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"}, log=log, timeout=seconds
            )
        except OSError as fault:
            raise UsageError(
                "scanner-failed", f"the scanner cannot be started: {fault.strerror}: {program[0]}"
            ) from fault
        with open(log, "rb") as told:
            lines = told.read(1 << 20).decode("utf-8", "replace").strip().splitlines()
    last = lines[-1][:_REASON] if lines else ""
    if finished.status == 0:
        return "live", ""
    if finished.status == 1:
        return "rejected", last or "the scanner gave no reason"
    return "waits", last or f"the scanner ended with status {finished.status}"
