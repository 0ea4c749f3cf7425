"""What credentials were used for, on its way into the audit: a line in a file at once, a row of the database soon after.

The line is written before the request goes on, so a process that is killed loses none: the next one to open the folder
enters what was left (a line may then stand in the audit twice, never not at all).  What is alike is entered as one row with
a count.  A line that cannot be written, or rows that cannot be entered for so long that too many wait, refuse the request:
nothing is done unseen (TOB-PYPI26-4, -14).
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, or_, update

from accord.server.database import tables
from accord.server.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Use", "Uses", "enter"]

_BETWEEN_LAST_USED = 60_000_000


@dataclass(frozen=True, slots=True)
class Use:
    """``token`` is the public identifier of one, empty for another credential."""

    actor: str
    token: str
    address: str
    action: str
    subject: str
    outcome: str


Batch = dict[Use, list[int]]
"""``[first instant, last instant, count]`` of each."""


class Uses:
    """The files of one process in ``folder``, and what is in them in memory.  Safe to use from many threads."""

    def __init__(self, folder: str, *, most: int) -> None:
        self._folder = folder
        self._most = most
        self._lock = threading.Lock()
        self._batch: Batch = {}
        self._away: Batch = {}  # taken, and neither entered nor back: it waits as well
        self._file: tuple[int, str] | None = None

    def note(self, use: Use, at: int) -> None:
        """Raises ``Refused("audit-unavailable")`` (503) where it cannot be kept."""
        line = json.dumps([at, use.actor, use.token, use.address, use.action, use.subject, use.outcome])
        with self._lock:
            waiting = len(self._batch) + len(self._away)
            if waiting >= self._most and use not in self._batch and use not in self._away:
                raise _unavailable()
            try:
                if self._file is None:
                    self._file = self._open()
                data = line.encode() + b"\n"
                if os.write(self._file[0], data) != len(data):
                    raise _unavailable()
            except OSError as fault:
                raise _unavailable() from fault
            _merge(self._batch, use, [at, at, 1])

    def crowded(self) -> bool:
        """Whether half of what may wait does."""
        return len(self._batch) * 2 > self._most

    def take(self) -> tuple[Batch, tuple[int, str] | None]:
        """What is to be entered, and its file, for :meth:`done` or :meth:`back`."""
        with self._lock:
            taken = self._batch, self._file
            if self._batch:
                self._away = self._batch
                self._batch, self._file = {}, None
            return taken

    def done(self, file: tuple[int, str] | None) -> None:
        """It was entered: the file has served."""
        with self._lock:
            self._away = {}
        if file is not None:
            os.unlink(file[1])
            os.close(file[0])

    def back(self, batch: Batch, file: tuple[int, str] | None) -> None:
        """It could not be entered: it waits, in a file that holds all of it."""
        if not batch:
            return
        with self._lock:
            newer, self._batch, self._away = self._batch, batch, {}
            for use, times in newer.items():
                _merge(self._batch, use, times)
            if self._file is None:
                self._file = file
                return
            new, self._file = self._file, file
            assert file is not None
            with open(new[1], "rb") as lines:
                os.write(file[0], lines.read())
            os.unlink(new[1])
            os.close(new[0])

    def left_over(self) -> tuple[Batch, list[tuple[int, str]]]:
        """What processes left that are gone, with their files."""
        batch: Batch = {}
        files: list[tuple[int, str]] = []
        if not os.path.isdir(self._folder):
            return batch, files
        for name in sorted(os.listdir(self._folder)):
            path = os.path.join(self._folder, name)
            try:
                handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            except FileNotFoundError:
                continue  # it was just entered
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(handle)  # somebody lives and writes
                continue
            if not os.fstat(handle).st_nlink:
                os.close(handle)
                continue
            files.append((handle, path))
            with open(path, "rb") as lines:
                for line in lines:
                    try:
                        at, *words = json.loads(line)
                    except ValueError:
                        continue  # the process was killed in the middle of it, before it answered
                    _merge(batch, Use(*words), [at, at, 1])
        return batch, files

    def close(self) -> None:
        """Let go of the file; what is in it stays for the next process if it was not entered."""
        with self._lock:
            if self._file is not None:
                os.close(self._file[0])
                self._file = None

    def _open(self) -> tuple[int, str]:
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        path = os.path.join(self._folder, f"{os.getpid()}-{secrets.token_hex(4)}")
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        return handle, path


def enter(connection: Connection, batch: Batch) -> None:
    """Rows of the audit; and when each token was used last, to the minute."""
    if not batch:
        return
    connection.execute(
        insert(tables.audit),
        [
            {
                "at": first,
                "actor": use.actor,
                "address": use.address,
                "action": use.action,
                "subject": use.subject,
                "outcome": use.outcome,
                "detail": {
                    **({"token": use.token} if use.token else {}),
                    **({"count": count, "last": last} if count > 1 else {}),
                },
            }
            for use, (first, last, count) in batch.items()
        ],
    )
    newest: dict[str, int] = {}
    for use, (_, last, _) in batch.items():
        if use.token and use.outcome == "allowed":
            newest[use.token] = max(last, newest.get(use.token, 0))
    columns = tables.token.c
    for token, last in newest.items():
        connection.execute(
            update(tables.token)
            .where(
                columns.public_id == token,
                or_(columns.last_used.is_(None), columns.last_used <= last - _BETWEEN_LAST_USED),
            )
            .values(last_used=last)
        )


def _merge(batch: Batch, use: Use, times: list[int]) -> None:
    found = batch.get(use)
    if found is None:
        batch[use] = list(times)
        return
    found[0] = min(found[0], times[0])
    found[1] = max(found[1], times[1])
    found[2] += times[2]


def _unavailable() -> Refused:
    return Refused(
        503,
        "audit-unavailable",
        "what is done here must be written down, and it cannot be",
        hint="tell the operator of this index",
        headers={"Retry-After": "30"},
    )
