"""What the server asks of a place for blobs.

A blob is named by the SHA-256 of its bytes and never changes.  ``put`` is called once for each file received, after it was
examined; when it returns the bytes are durable.  ``path`` is called for each download: where it gives a path the file is
sent by the web server itself, else ``stream`` is read.  Nothing is deleted but by ``delete``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

__all__ = ["BlobStore"]


class BlobStore(Protocol):
    def put(self, sha256: str, path: str) -> None:
        """Keep the file at ``path``, which is moved away or stays, as the store likes.  Known bytes are kept once."""

    def put_bytes(self, sha256: str, data: bytes) -> None: ...

    def path(self, sha256: str) -> str | None:
        """A path below which the bytes lie on this machine, or ``None`` (also where there is no such blob)."""

    def size(self, sha256: str) -> int | None:
        """Its size, ``None`` where there is no such blob."""

    def stream(self, sha256: str, *, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from ``start`` to before ``stop``.  Raises ``Refused("blob-missing")``."""

    def read(self, sha256: str) -> bytes:
        """All of a small blob.  Raises ``Refused("blob-missing")``."""

    def delete(self, sha256: str) -> None:
        """Forget it; no error where there is none."""

    def digests(self) -> Iterator[str]:
        """Every blob there is, in no order."""
