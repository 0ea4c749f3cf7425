"""What passes between us and a program before it begins: a gate it waits at, and texts it is handed (hot).

What is to be looked at in a program's namespaces can be opened while it waits, so that nothing it does comes before; and
what it is handed lies in no folder.  bubblewrap is such a program (``--info-fd``, ``--block-fd``, ``--file``);
:func:`accord.io.processes.run` stands at the gate.
"""

from __future__ import annotations

import os
import select

__all__ = ["HANDED", "TELLING", "WAITING", "Gate"]

TELLING, WAITING, HANDED = 3, 4, 5  # descriptors in the program; from the last on one for each text
_MOST_TOLD = 1 << 12  # bytes
_PATIENCE = 10  # seconds for what it tells; it begins with that

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Gate:
    """Pipes: on one the program tells of itself, at the next it waits, the others hold ``handed``, a page each at most."""

    __slots__ = ("_heard", "_held", "_theirs")

    def __init__(self, handed: Sequence[bytes]) -> None:
        self._heard, telling = os.pipe()
        waiting, self._held = os.pipe()
        self._theirs = [telling, waiting]
        for text in handed:
            reading, writing = os.pipe()
            os.write(writing, text)
            os.close(writing)
            self._theirs.append(reading)

    def actions(self) -> list[tuple[int, ...]]:
        """What gives the program its ends."""
        # By way of numbers that nothing has: none may be put in the place of another.
        count = len(self._theirs)
        aside = max(*self._theirs, TELLING + count) + 1
        actions: list[tuple[int, ...]] = []
        for at, number in enumerate(self._theirs):
            actions.append((os.POSIX_SPAWN_DUP2, number, aside + at))
        for at in range(count):
            actions.append((os.POSIX_SPAWN_DUP2, aside + at, TELLING + at))
            actions.append((os.POSIX_SPAWN_CLOSE, aside + at))
        return actions

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
