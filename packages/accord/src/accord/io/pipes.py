"""Values between processes of ours: ``marshal`` behind a length of four bytes.

Both ends of such a pipe are this program, so nothing is checked but that a value arrived whole.
"""

from __future__ import annotations

import marshal
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

__all__ = ["read_value", "write_value"]

_LENGTH = 4
_PIECE = 1024 * 1024  # room is made for a whole piece at each read, however little a pipe holds


def read_value(handle: int) -> object:
    """The next value from an open pipe; ``None`` at its end.  Raises OSError."""
    head = _exactly(handle, _LENGTH)
    if head is None:
        return None
    data = _exactly(handle, int.from_bytes(head, "little"))
    return None if data is None else marshal.loads(data)  # noqa: S302 - ours at both ends


def _exactly(handle: int, size: int) -> bytes | None:
    pieces = []
    while size:
        piece = os.read(handle, min(size, _PIECE))
        if not piece:
            return None
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def write_value(handle: int, value: Any) -> None:
    """Write a value that ``marshal`` knows to an open pipe.  Raises OSError."""
    data = marshal.dumps(value)
    left = memoryview(len(data).to_bytes(_LENGTH, "little") + data)
    while left:
        left = left[os.write(handle, left) :]
