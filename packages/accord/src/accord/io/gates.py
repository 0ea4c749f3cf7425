"""A gate for a program that is started: it tells of itself, and waits until it is let on (hot).

What is to be looked at in a program's namespaces can be opened while it waits, so that nothing it does comes before.
bubblewrap is such a program (``--info-fd``, ``--block-fd``); :func:`accord.io.processes.run` stands at the gate.
"""

from __future__ import annotations

import os
import select

__all__ = ["TELLING", "WAITING", "Gate"]

TELLING, WAITING = 3, 4  # descriptors in the program
_MOST_TOLD = 1 << 12  # bytes
_PATIENCE = 10  # seconds for what it tells; it begins with that


class Gate:
    """Two pipes: on one the program tells of itself, at the other it waits."""

    __slots__ = ("_heard", "_held", "_theirs")

    def __init__(self) -> None:
        self._heard, telling = os.pipe()
        waiting, self._held = os.pipe()
        self._theirs = [telling, waiting]

    def actions(self) -> list[tuple[int, ...]]:
        """What gives the program its ends."""
        # By way of numbers that nothing has: neither may be put in the place of the other.
        aside = max(*self._theirs, WAITING) + 1
        there, places = (aside, aside + 1), (TELLING, WAITING)
        moves = [*zip(self._theirs, there, strict=True), *zip(there, places, strict=True)]
        actions: list[tuple[int, ...]] = [(os.POSIX_SPAWN_DUP2, *move) for move in moves]
        return [*actions, *((os.POSIX_SPAWN_CLOSE, number) for number in there)]

    def started(self) -> None:
        """The program has its ends, and only the program."""
        for number in self._theirs:
            os.close(number)
        self._theirs = []

    def hear(self) -> bytes:
        """What the program tells, a JSON object; less where it ends or takes too long."""
        events = select.poll()
        events.register(self._heard, select.POLLIN)
        said = b""
        while b"}" not in said and len(said) < _MOST_TOLD and events.poll(_PATIENCE * 1000):
            data = os.read(self._heard, _MOST_TOLD)
            if not data:
                break
            said += data
        return said

    def open(self) -> None:
        """Let the program on."""
        self.started()
        os.close(self._held)
        os.close(self._heard)
