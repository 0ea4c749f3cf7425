"""Blocks of several threads in one transaction, so that they wait for the disk together.

SQLite has one writer, and a commit waits for the disk: milliseconds in which nobody else can write.  So a block that ends
while others wait to begin leaves its transaction to the next one, and the last of them commits for all.  A block that fails
is undone by itself (a savepoint); nobody's block has ended before the disk has what was done in it.

Whoever enters such a block holds nothing that another block of that kind waits for: it would wait for ever.
"""

from __future__ import annotations

import threading
import time
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from accord.server.database.engine import Change

__all__ = ["Group", "Together"]

_MOST = 64  # blocks of one transaction
_SECONDS = 0.1  # other processes wait as well


@dataclass(slots=True)
class Group:
    """An open transaction.  ``changes``, the last ``serial``, and whether one ``rings``, are those of the blocks that ended well."""

    connection: Connection
    begun: float
    held: ExitStack
    changes: list[Change] = field(default_factory=list)
    serial: int = 0
    rings: bool = False
    blocks: int = 0
    failure: BaseException | None = None
    done: threading.Event = field(default_factory=threading.Event)


class Together:
    """Of one process.  ``begin`` gives a transaction that is committed when it is left; ``around`` is entered with a group
    before it is, and left after."""

    def __init__(
        self,
        begin: Callable[[], AbstractContextManager[Connection]],
        around: Callable[[Group], AbstractContextManager[None]],
    ) -> None:
        self._begin = begin
        self._around = around
        self._inside = threading.Lock()  # who has it is in a block
        self._counting = threading.Lock()
        self._waiting = 0
        self._group: Group | None = None

    @contextmanager
    def block(self) -> Iterator[Group]:
        """Raises what ``begin`` raises, and what the commit of the whole group raises."""
        with self._counting:
            self._waiting += 1
        with self._inside:
            with self._counting:
                self._waiting -= 1
            group = self._group or self._open()
            first: BaseException | None = None
            try:
                with group.connection.begin_nested():
                    try:
                        yield group
                    except BaseException as fault:
                        first = fault
                        raise
            except BaseException as fault:
                if _is_open(group.connection):
                    raise
                # A full disk undoes everything; what follows says only that there is nothing left to undo.
                group.failure = first or fault
                raise group.failure from None
            finally:
                self._leave(group)
        group.done.wait()
        if group.failure is not None:
            raise group.failure

    def _open(self) -> Group:
        with ExitStack() as held:
            connection = held.enter_context(self._begin())
            self._group = Group(connection, time.monotonic(), held.pop_all())
        return self._group

    def _leave(self, group: Group) -> None:
        """Leave the transaction to the next block if there is one, else end it."""
        group.blocks += 1
        late = group.blocks >= _MOST or time.monotonic() - group.begun > _SECONDS
        if self._waiting and not late and group.failure is None:
            return
        self._group = None
        try:
            if group.failure is not None:
                raise group.failure
            with self._around(group):
                group.held.close()
        except BaseException as fault:
            group.failure = fault
            with suppress(BaseException):  # it says what failed already
                group.held.__exit__(type(fault), fault, fault.__traceback__)
        group.done.set()


def _is_open(connection: Connection) -> bool:
    handle = connection.connection.dbapi_connection
    return handle is not None and bool(handle.in_transaction)
