"""Files that a use case changes on its way are put back when it does not get to its end (hot).

What can be taken back by a rename is taken back there (an environment's transaction); this is for the few files that a
person sees and that are written before the last thing that can fail: ``pyproject.toml`` and the lock.
"""

from __future__ import annotations

import os

from accord.io.files import write_atomic

__all__ = ["Restored"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


class Restored:
    """Puts files back as they were if the block fails or is interrupted, also those that were not there."""

    def __init__(self, *paths: str) -> None:
        self._before: dict[str, tuple[bytes, int] | None] = {}
        for path in paths:
            try:
                with open(path, "rb") as file:
                    self._before[path] = (file.read(), os.fstat(file.fileno()).st_mode & 0o7777)
            except FileNotFoundError:
                self._before[path] = None

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            return
        for path, before in self._before.items():
            self._put_back(path, before)

    def _put_back(self, path: str, before: tuple[bytes, int] | None) -> None:
        if before is None:
            if os.path.exists(path):
                os.unlink(path)
            return
        data, mode = before
        with open(path, "rb") as file:
            if file.read() == data:
                return
        write_atomic(os.path.realpath(path), data, mode=mode)
