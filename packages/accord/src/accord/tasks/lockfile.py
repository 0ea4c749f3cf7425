"""Locks on disk: read once, kept parsed by their digest, written whole or not at all (hot).

Parsing a large lock costs a fifth of a second; the parsed form is loaded in a few milliseconds and found by the digest
of the text, so it can never be another file's.
"""

from __future__ import annotations

import os

from accord.io import files
from accord.io.digests import sha256
from accord.io.reading import read_at_most
from accord_core.errors import UsageError
from accord_core.lock.compact import from_marshal, to_marshal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord_core.lock.model import Lock

__all__ = ["FOLDER", "load_lock", "lock_bytes", "write_lock"]

FOLDER = "locks-v1"
_LARGEST = 64 * 1024 * 1024  # bytes; a universal lock of 700 projects is two megabytes


def lock_bytes(path: str) -> bytes:
    """The text of a lock, as bytes.  Raises UsageError ``lock-not-found``, ``file-unreadable``."""
    try:
        body = read_at_most(path, _LARGEST)
    except FileNotFoundError as error:
        raise UsageError(
            "lock-not-found", f"there is no lock {path}", hint="accord lock writes one"
        ) from error
    except OSError as error:
        raise UsageError(
            "file-unreadable", f"{path} cannot be read: {error.strerror}", hint="check its permissions"
        ) from error
    if len(body) > _LARGEST:
        raise UsageError("lock-too-large", f"{path} is larger than {_LARGEST:,} bytes")
    return body


def load_lock(path: str, cache_dir: str, body: bytes | None = None) -> Lock:
    """The lock in the file ``path`` (or in ``body``, its text).  Raises DocumentError with every fault."""
    if body is None:
        body = lock_bytes(path)
    place = os.path.join(cache_dir, FOLDER, sha256(body).hexdigest())
    try:
        with open(place, "rb") as stream:
            lock = from_marshal(stream.read())
        if lock is not None:
            return lock
    except OSError:
        pass
    from accord_core.errors import DocumentError, Where
    from accord_core.lock.read import loads

    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError("document-not-utf8", f"{path} is not UTF-8 text", where=Where(path)) from error
    lock = loads(text, path)
    try:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        files.write_atomic(place, to_marshal(lock), sync=False)
    except OSError:
        pass  # parsed again next time
    return lock


def write_lock(path: str, text: str) -> None:
    """Put ``text`` in the place of the lock in one step: a reader sees the old file or the new one.  What is no file,
    a device or a pipe, is written into.  Raises as ``write_output``."""
    from accord.io.outputs import write_output

    write_output(path, text.encode())
