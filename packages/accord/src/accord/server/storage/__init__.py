"""Blobs by digest: what is uploaded, kept once whatever index or name it lies under."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from accord.server.storage.port import BlobStore
from accord_core.errors import UsageError

__all__ = ["BlobStore", "open_storage"]


def open_storage(url: str) -> BlobStore:
    """The store at a URL.  Raises ``UsageError("server-storage-unknown")``."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        from accord.server.storage.folder import FolderStore

        return FolderStore(unquote(parts.path))
    raise UsageError(
        "server-storage-unknown", f"no kind of storage has URLs like {url!r}", hint="file:///PATH"
    )
