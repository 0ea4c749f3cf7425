"""Blobs in an S3-compatible object store: ``s3://BUCKET/PREFIX?endpoint=URL``, by digest below the prefix.

Credentials come from the environment or the machine, as every S3 client has them (``AWS_ACCESS_KEY_ID`` …), never from
the URL, which stands in process lists.  Each answer of the store is waited for a bounded time; what it does not say in
that time is ``server-storage-unavailable``, and nothing that was to be stored is acknowledged.  Bytes are sent with their
SHA-256, so that the store refuses what was damaged on the way; what it gives out is never taken for whole unseen.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from accord.server.errors import Refused
from accord.server.storage.port import NOTHING, Stored, missing, storage_url_fault

if TYPE_CHECKING:
    from obstore.store import S3Store

__all__ = ["ObjectStore", "Options"]

_PIECE = 8 << 20  # of a stream, and of a multipart upload; one waits for so much at a time
_AT_ONCE = 4
_RETRIES = 3


@dataclass(frozen=True, slots=True)
class Options:
    """What the query of the URL may say.  ``endpoint``: of the store, unless it is Amazon's own; ``redirect``: seconds
    for which clients are sent to the store itself with a signed URL, 0 for never; ``timeout``: seconds the store is
    waited for; ``hosted``: whether the bucket is part of the host name."""

    endpoint: str = ""
    region: str = "us-east-1"
    redirect: int = 0
    timeout: int = 30
    hosted: bool = False

    @classmethod
    def parse(cls, query: str) -> Options:
        """Raises ``UsageError("server-storage-unknown")``."""
        found: dict[str, Any] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            if name in ("endpoint", "region"):
                found[name] = value
            elif name in ("redirect", "timeout") and value.isascii() and value.isdigit():
                found[name] = int(value)
            elif name == "hosted" and value in ("yes", "no"):
                found[name] = value == "yes"
            else:
                raise storage_url_fault(f"a storage's URL takes no {name}={value}")
        return cls(**found)


class ObjectStore:
    def __init__(self, url: str) -> None:
        """Raises ``UsageError``: ``server-storage-unknown``, ``extra-missing``."""
        parts = urlsplit(url)
        if not parts.netloc or "@" in parts.netloc:
            raise storage_url_fault("the URL of an object store is s3://BUCKET/PREFIX, without credentials")
        self._options = Options.parse(parts.query)
        self._store = _open(parts.netloc, unquote(parts.path).strip("/"), self._options)

    def put(self, sha256: str, path: str, beside: Mapping[str, bytes] = NOTHING) -> None:
        size = os.path.getsize(path)
        if self.size(sha256) != size:
            with _answers(), open(path, "rb") as file:
                self._store.put(_key(sha256), file, chunk_size=_PIECE, max_concurrency=_AT_ONCE)
            if self.size(sha256) != size:  # nothing is acknowledged that is not there
                raise _unavailable()
        for digest, data in beside.items():
            self.put_bytes(digest, data)

    def put_bytes(self, sha256: str, data: bytes) -> None:
        with _answers():
            self._store.put(_key(sha256), data, use_multipart=False)

    def path(self, sha256: str) -> str | None:
        return None

    def link(self, sha256: str) -> str | None:
        if not self._options.redirect:
            return None
        from obstore import sign

        return sign(self._store, "GET", _key(sha256), timedelta(seconds=self._options.redirect))

    def size(self, sha256: str) -> int | None:
        with _answers():
            try:
                return self._store.head(_key(sha256))["size"]
            except FileNotFoundError:
                return None

    def stream(self, sha256: str, *, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        if stop is None:
            stop = self.size(sha256)
            if stop is None:
                raise missing(sha256)
        while start < stop:
            end = min(start + _PIECE, stop)
            with _there(sha256):
                piece = bytes(self._store.get_range(_key(sha256), start=start, end=end))
                if len(piece) != end - start:
                    raise _unavailable()
            yield piece
            start += len(piece)

    def read(self, sha256: str) -> bytes:
        with _there(sha256):
            found = bytes(self._store.get(_key(sha256)).bytes())
        if hashlib.sha256(found).hexdigest() != sha256:
            raise missing(sha256)
        return found

    def delete(self, sha256: str) -> None:
        with _answers():
            self._store.delete(_key(sha256))

    def digests(self) -> Iterator[str]:
        for one in self.listing():
            yield one.sha256

    def listing(self, beginning: str = "") -> Iterator[Stored]:
        with _answers():
            for some in self._store.list(beginning or None, chunk_size=1000):
                for meta in some:
                    at = int(meta["last_modified"].timestamp() * 1_000_000)
                    yield Stored(meta["path"].rpartition("/")[2], meta["size"], at)


def _key(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


def _open(bucket: str, prefix: str, options: Options) -> S3Store:
    from accord_core.errors import UsageError

    try:
        from obstore.store import S3Store
    except ModuleNotFoundError as absent:
        raise UsageError(
            "extra-missing",
            f"an object store needs {absent.name}, which is not installed",
            hint="pip install 'accord[server-s3]'",
        ) from absent
    config: dict[str, Any] = {"region": options.region, "checksum_algorithm": "SHA256"}
    config["virtual_hosted_style_request"] = options.hosted
    if options.endpoint:
        config["endpoint"] = options.endpoint
    return S3Store(
        bucket,
        prefix=prefix or None,
        config=config,  # type: ignore[arg-type]
        client_options={
            "allow_http": options.endpoint.startswith("http://"),
            "timeout": timedelta(seconds=options.timeout),
            "connect_timeout": timedelta(seconds=min(5, options.timeout)),
        },
        retry_config={"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=options.timeout)},
    )


@contextmanager
def _answers() -> Iterator[None]:
    """What the store says, in the server's words."""
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, OSError) as fault:
        raise _unavailable() from fault


def _unavailable() -> Refused:
    return Refused(
        503,
        "server-storage-unavailable",
        "the storage of the files does not answer as it should",
        hint="nothing was changed; try again",
        headers={"Retry-After": "10"},
    )


@contextmanager
def _there(sha256: str) -> Iterator[None]:
    """The same, of a blob that must be there."""
    with _answers():
        try:
            yield
        except FileNotFoundError as fault:
            raise missing(sha256) from fault
