"""Files that a use case changes on its way are put back when it does not get to its end (hot).

What can be taken back by a rename is taken back there (an environment's transaction); this is for the few files that a
person sees and that are written before the last thing that can fail: ``pyproject.toml`` and the lock.  A file that
somebody else has written meanwhile is theirs, and stays.
"""

from __future__ import annotations

import os

from accord.io.files import replace_if
from accord_core.errors import AccordError

__all__ = ["Restored"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


class Restored:
    """Puts files back as they were if the block fails or is interrupted, also those that were not there."""

    def __init__(self, *paths: str) -> None:
        self._before: dict[str, tuple[bytes, int] | None] = {}
        self._ours: dict[str, list[bytes | None]] = {}
        for path in paths:
            try:
                with open(path, "rb") as file:
                    self._before[path] = (file.read(), os.fstat(file.fileno()).st_mode & 0o7777)
            except FileNotFoundError:
                self._before[path] = None

    def __enter__(self) -> Restored:
        return self

    def wrote(self, path: str, data: bytes | None = None) -> None:
        """``path`` now holds (``data``, else what is there) because of us: anything else was not written by us."""
        self._ours.setdefault(path, []).append(_content(path) if data is None else data)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            return
        for path, before in self._before.items():
            if not self._put_back(path, before) and isinstance(error, AccordError):
                error.context += (
                    f"{path} was changed by somebody else meanwhile and is left as it is: see what of it is to stay",
                )

    def _put_back(self, path: str, before: tuple[bytes, int] | None) -> bool:
        there = _content(path)
        if there == (None if before is None else before[0]):
            return True
        if path in self._ours and there not in self._ours[path]:
            return False
        if before is None:
            os.unlink(path)
            return True
        return replace_if(path, there, before[0], mode=before[1])


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
