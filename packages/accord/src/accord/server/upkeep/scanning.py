"""A scanner is told of each new file that waits, and what it says is done: by a job, which is tried again.

A scanner is a program or an address, which the operator names when the server is started, nobody over the network:

- a **program** is called with the path of one file and says by its status what it is: 0, nothing was found; 1, it must not
  be released, and the last line of its output says why; anything else, it does not know.  It reads what strangers made, so
  it is run in the sandbox: no network, no home, nothing writable but a folder of its own;
- an **address** (``http://``, ``https://``) is sent the bytes with their name and digest in ``X-Accord-Filename`` and
  ``X-Accord-SHA256``, and answers ``{"verdict": "release"}``, or ``{"verdict": "reject", "reason": "..."}``.

What it does not know goes on waiting for a person; the job that was given up says so, with the scanner's last words.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from accord.io.scratch import scratch_folder
from accord.server import jobs
from accord.server.catalogue import indexes, quarantine
from accord.server.catalogue.quarantine import SCAN
from accord.server.database import tables
from accord.server.errors import Refused
from accord_core.errors import AccordError, UsageError

if TYPE_CHECKING:
    from accord.server.catalogue.quarantine import Waiting
    from accord.server.parts import Parts
    from accord.server.storage import BlobStore

__all__ = ["Scanner", "Verdict", "carry_out", "demand_usable", "judge"]

_ACTOR = "scanner"
_REASON = 300  # letters of a scanner's last line
_OUTPUT = 1 << 20
_ANSWER = 64 << 10
_ROUND = 1_000  # files that wait, looked through at a time


@dataclass(frozen=True, slots=True)
class Scanner:
    """``command`` is a program with its arguments, or one address; ``readable`` are folders a program may read as well;
    ``seconds`` it has for one file."""

    command: tuple[str, ...]
    readable: tuple[str, ...] = ()
    seconds: float = 300.0
    sandboxed: bool = True

    @property
    def is_address(self) -> bool:
        return len(self.command) == 1 and self.command[0].startswith(("http://", "https://"))


@dataclass(frozen=True, slots=True)
class Verdict:
    """``state`` is what the file is now: ``live``, ``rejected``, or ``waits`` where the scanner does not know."""

    state: str
    reason: str = ""


def demand_usable(scanner: Scanner) -> None:
    """Raises ``UsageError("scanner-failed")`` where a program would have to run without a sandbox."""
    from accord.io import sandbox

    if scanner.is_address or not scanner.sandboxed:
        return
    why = sandbox.probe()
    if why is not None:
        raise UsageError(
            "scanner-failed",
            f"the scanner is not run: there is no sandbox here: {why}",
            hint="name an address instead, or run accord index quarantine scan elsewhere",
        )


def judge(storage: BlobStore, file: Waiting, scanner: Scanner) -> Verdict:
    """What the scanner says of one file.  Raises ``UsageError("scanner-failed")`` where it cannot be started."""
    return _sent(storage, file, scanner) if scanner.is_address else _run(storage, file, scanner)


def carry_out(parts: Parts, actor: str, index: str, filename: str, verdict: Verdict) -> None:
    """Do what was said.  Raises ``Refused``: ``not-in-quarantine``, ``project-closed``."""
    if verdict.state == "waits":
        return
    with parts.database.write(actor) as writing:
        here = indexes.index_named(writing.connection, index)
        if verdict.state == "live":
            quarantine.release(writing, parts.storage, here, filename)
        else:
            quarantine.reject(writing, here, filename, verdict.reason)


def _run(storage: BlobStore, file: Waiting, scanner: Scanner) -> Verdict:
    from accord.io import processes, sandbox

    with scratch_folder("accord-scan-") as folder:
        for sub in ("file", "home", "temporary"):
            os.mkdir(os.path.join(folder, sub))
        path = os.path.join(folder, "file", file.filename)
        with open(path, "wb") as out:
            out.writelines(storage.stream(file.sha256))
        command = [*scanner.command, path]
        if scanner.sandboxed:
            view = sandbox.View(
                home=os.path.join(folder, "home"),
                temporary=os.path.join(folder, "temporary"),
                readonly=(os.path.join(folder, "file"), *map(os.path.abspath, scanner.readable)),
            )
            command = sandbox.command(view, command, cwd="/")
        log = os.path.join(folder, "log")
        environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
        try:
            finished = processes.run(command, cwd=folder, env=environment, log=log, timeout=scanner.seconds)
        except OSError as fault:
            raise UsageError(
                "scanner-failed",
                f"the scanner cannot be started: {fault.strerror}: {scanner.command[0]}",
            ) from fault
        with open(log, "rb") as told:
            lines = told.read(_OUTPUT).decode("utf-8", "replace").strip().splitlines()
    last = lines[-1][:_REASON] if lines else ""
    if finished.status == 0:
        return Verdict("live")
    if finished.status == 1:
        return Verdict("rejected", last or "the scanner gave no reason")
    return Verdict("waits", last or f"the scanner ended with status {finished.status}")


def _sent(storage: BlobStore, file: Waiting, scanner: Scanner) -> Verdict:
    from accord.io.http import Client, HttpOptions
    from accord.io.http.sending import Body

    headers = (
        ("Content-Type", "application/octet-stream"),
        ("Accept", "application/json"),
        ("X-Accord-Filename", file.filename),
        ("X-Accord-SHA256", file.sha256),
    )
    body = Body(file.size, lambda: storage.stream(file.sha256))
    with Client(HttpOptions(timeout=scanner.seconds), user_agent="accord-index") as client:
        answer = client.send("POST", scanner.command[0], headers, body, limit=_ANSWER)
    if answer.status != 200:
        return Verdict("waits", f"the scanner answered {answer.status}")
    try:
        found = json.loads(answer.body)
        said = found["verdict"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return Verdict("waits", "the scanner's answer is no verdict")
    if said == "release":
        return Verdict("live")
    reason = found.get("reason")
    reason = reason[:_REASON] if isinstance(reason, str) else ""
    if said == "reject":
        return Verdict("rejected", reason or "the scanner gave no reason")
    return Verdict("waits", reason or "the scanner does not know")


def scanner_of(parts: Parts) -> Scanner | None:
    """The one this server was started with."""
    settings = parts.settings
    if not settings.scanner:
        return None
    return Scanner(settings.scanner, settings.scanner_reads, settings.limits.scanner_seconds)


def _scan(parts: Parts, arguments: dict[str, Any]) -> None:
    scanner = scanner_of(parts)
    if scanner is None:
        return  # a person looks, or a scanner that asks by itself
    index, filename = arguments["index"], arguments["filename"]
    try:
        with parts.database.read() as connection:
            file = quarantine.waiting_file(connection, indexes.index_named(connection, index), filename)
        verdict = judge(parts.storage, file, scanner)
        if verdict.state == "waits":
            raise AccordError("scanner-undecided", f"{filename} goes on waiting: {verdict.reason}")
        carry_out(parts, _ACTOR, index, filename, verdict)
    except Refused as refused:
        if refused.code != "not-in-quarantine":  # somebody was quicker
            raise


def _find(parts: Parts, _arguments: dict[str, Any]) -> None:
    """See that there is a job for each file that waits: the server had no scanner when it came, or was read in."""
    if scanner_of(parts) is None:
        return
    job, file = tables.job.c, tables.file.c
    with parts.database.write(_ACTOR) as writing:
        connection = writing.connection
        known = {
            (row.arguments["index"], row.arguments["filename"])
            for row in connection.execute(select(job.arguments).where(job.kind == SCAN))
        }
        rows = connection.execute(
            select(tables.index.c.name, file.filename)
            .join(tables.index, tables.index.c.id == file.index_id)
            .where(file.state == "quarantined")
            .order_by(file.id)
            .limit(_ROUND)
        )
        for index, filename in rows:
            if (index, filename) not in known:
                jobs.enqueue(writing, SCAN, index=index, filename=filename)


# A scanner may take minutes for a file, but nobody waits for what is tidied up; a mirror may take hours.
jobs.register(SCAN, _scan)
jobs.register("find-unscanned", _find, every=600)
