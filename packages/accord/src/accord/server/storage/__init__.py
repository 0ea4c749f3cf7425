"""Blobs by digest: what is uploaded, kept once whatever index or name it lies under."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from accord.server.storage.port import BlobStore, Stored, storage_url_fault

__all__ = ["BlobStore", "Stored", "open_storage"]


def open_storage(url: str) -> BlobStore:
    """The store at a URL.  Raises ``UsageError("server-storage-unknown")``, for an object store also ``"extra-missing"``."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        from accord.server.storage.folder import FolderStore

        return FolderStore(unquote(parts.path))
    if parts.scheme == "s3":
        from accord.server.storage.objects import ObjectStore

        return ObjectStore(url)
    raise storage_url_fault(f"no kind of storage has URLs like {parts.scheme}:…")
