"""What was read from the sources of one subject, kept until it is checked again: a file that is the same says the same.

One file for each subject, Python and grammar, by the digests of the sources; what a subject has no more goes at the next
writing.  Knows nothing of what is kept but that ``marshal`` has a form for it; a cache that cannot be read or written is
none.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FOLDER", "Kept", "Said"]

FOLDER = "checks-v1"
_FORM = 1  # of what is kept, and of how it is found out

Said = tuple["frozenset[str] | None", int, int, str, "int | None"]


class Kept:
    """What is kept below ``cache_dir`` of the subject at ``path``, parsed as the Python ``feature`` reads it."""

    def __init__(self, cache_dir: str, path: str, feature: tuple[int, int] | None) -> None:
        key = repr((_FORM, sys.version, os.path.abspath(path), feature))
        self._path = os.path.join(cache_dir, FOLDER, hashlib.sha256(os.fsencode(key)).hexdigest())

    def load(self) -> dict[bytes, Said]:
        """By the digest of each source."""
        try:
            with open(self._path, "rb") as file:
                found = marshal.loads(file.read())  # noqa: S302 - our own cache
        except (OSError, ValueError, EOFError, TypeError):
            return {}
        return found if isinstance(found, dict) else {}

    def save(self, said: Mapping[bytes, Said]) -> None:
        from accord.io.files import write_atomic

        try:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            write_atomic(self._path, marshal.dumps(dict(said)), sync=False)
        except (OSError, ValueError):
            pass  # it is found out again
