"""The list of all projects, which changes with every upload, and what its making may cost.

A list of a hundred thousand projects takes a second to make.  Made anew for each upload it would be all a busy server does;
so its making is paid from an allowance: a tenth of the time that passes, and a quarter of a second in advance, so that
small lists are always new.  Meanwhile the former list is given out.  It is not a lie: it was one consistent view, and says
the serial it is of, in ``_last-serial`` and in ``X-PyPI-Last-Serial``; a mirror that goes by it comes back for the rest.

What must not wait does not: where anything but uploads and yanks happened (a project became private, a name was
withdrawn), the former list is not given out again.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from accord.server.accounts import principals
from accord.server.catalogue import indexes, stacks
from accord.server.database import tables
from accord.server.pages import documents

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.pages.shelf import Finished

__all__ = ["Root", "Roots"]

_SHARE = 0.1  # of the time of a processor
_ADVANCE = 0.25  # seconds
# What adds to the list, or changes nothing on it but a serial.  Whatever is not named here does not wait.
_MAY_WAIT = (
    *("add-file", "add-files", "change-file", "change-files", "create-project", "promote"),
    *("restore", "unyank", "yank"),
)


@dataclass(frozen=True, slots=True)
class Root:
    """``serial`` is that of the index's last change the list knows."""

    page: Finished
    serial: int


class Roots:
    """The lists of one process.  Safe to use from many threads."""

    def __init__(self, *, max_age: int, packed: bool) -> None:
        self._max_age = max_age
        self._packed = packed
        self._held: dict[int, Root] = {}
        self._turns: dict[int, threading.Lock] = {}
        self._owed = 0.0
        self._since = time.monotonic()
        self.made = 0

    def root(self, connection: Connection, index: IndexRow) -> Root:
        """The list of ``index`` and what it builds on, as anybody sees it: of the serial ``connection`` sees, or of an
        earlier one."""
        order = indexes.reading_order(connection, index)
        serial = max(source.serial for source in order)
        held = self._held.get(index.id)
        if held is not None and held.serial >= serial:
            return held
        turn = self._turns.setdefault(index.id, threading.Lock())
        if held is not None and self._later(connection, index.id, order, held):
            return held
        with turn:
            held = self._held.get(index.id)
            if held is None or held.serial < serial:
                held = self._make(connection, index, serial)
                self._held[index.id] = held
        return held

    def _later(self, connection: Connection, of: int, order: tuple[IndexRow, ...], held: Root) -> bool:
        """Whether the former list will do."""
        now = time.monotonic()
        self._owed = max(0.0, self._owed - (now - self._since) * _SHARE)
        self._since = now
        if self._owed <= _ADVANCE and not self._turns[of].locked():
            return False
        change = tables.change.c
        urgent = connection.execute(
            select(change.serial)
            .where(
                change.serial > held.serial,
                change.index_id.in_([source.id for source in order]),
                change.action.not_in(_MAY_WAIT),
            )
            .limit(1)
        ).first()
        return urgent is None

    def _make(self, connection: Connection, index: IndexRow, serial: int) -> Root:
        begun = time.thread_time()  # not the clock on the wall: others' work is not charged to the list
        stack = stacks.layers(connection, principals.ANYBODY, index, 0)
        page = documents.root_page(connection, stack, max_age=self._max_age, packed=self._packed)
        self._owed += time.thread_time() - begun
        self.made += 1
        return Root(page, serial)
