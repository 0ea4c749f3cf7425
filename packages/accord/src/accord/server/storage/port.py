"""What the server asks of a place for blobs.

A blob is named by the SHA-256 of its bytes and never changes.  ``put`` is called once for each file received, after it was
examined; when it returns the bytes are durable.  ``link`` and ``path`` are called for each download: where there is a link
the client is sent there, where there is a path the file is sent by the web server itself, else ``stream`` is read.  Nothing
is deleted but by ``delete``.

A store that does not answer, or has no room, raises ``Refused`` with 503 (``server-storage-unavailable``) or 507
(``server-disk-full``) from any of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from accord.server.errors import Refused
from accord_core.errors import UsageError

__all__ = ["NOTHING", "BlobStore", "Stored", "missing", "storage_url_fault"]

NOTHING: Mapping[str, bytes] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Stored:
    """A blob as it lies there: its name, its size, and when it came (microseconds since 1970)."""

    sha256: str
    size: int
    at: int


class BlobStore(Protocol):
    def put(self, sha256: str, path: str, beside: Mapping[str, bytes] = NOTHING) -> None:
        """Keep the file at ``path``, which is moved away or stays, as the store likes, and small blobs ``beside`` it.  Known
        bytes are kept once, and replaced where what lies there has another size."""

    def put_bytes(self, sha256: str, data: bytes) -> None: ...

    def path(self, sha256: str) -> str | None:
        """A path below which the bytes lie on this machine, or ``None`` (also where there is no such blob)."""

    def link(self, sha256: str) -> str | None:
        """A URL under which a client gets the bytes for a while; ``None`` where the store has none to give."""

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

    def listing(self, beginning: str = "") -> Iterator[Stored]:
        """Everything there is, in no order; a name need not be a digest, if somebody else put it there.  ``beginning``, the
        first two letters of digests, leaves everything else away."""


def missing(sha256: str) -> Refused:
    """The answer where a blob is not there."""
    return Refused(
        500,
        "blob-missing",
        f"the storage has no blob {sha256}",
        hint="accord index fsck says what is missing",
    )


def storage_url_fault(words: str) -> UsageError:
    """The answer to a storage's URL that is none."""
    return UsageError(
        "server-storage-unknown", words, hint="file:///PATH or s3://BUCKET/PREFIX?endpoint=https://HOST"
    )
