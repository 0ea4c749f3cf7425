"""A file fetched whole or not at all.

It is hashed while it is read, written under a temporary name, and renamed when every check has passed; a connection
that breaks is taken up again where it broke (RFC 9110 section 14.2, with ``If-Range``).  Nothing half downloaded is
ever visible under its name, and nothing is left behind by a failure.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

from accord.io.files import refused
from accord.io.urls import last_component, redact
from accord_core.errors import RepositoryError
from accord_core.index.filenames import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from accord.io.http.client import Client
    from accord.io.http.wire import Connection, Head

__all__ = ["STRONG", "check_hashes", "chosen_hashes", "download"]

STRONG = ("sha512", "sha384", "sha256", "sha3_512", "sha3_384", "sha3_256", "blake2b", "blake2s")
_PROGRESS = 1024 * 1024  # bytes that count as moving on
_ACCEPTED = frozenset((*STRONG, "sha224", "sha1", "md5"))


def download(
    client: Client,
    url: str,
    into: str,
    name: str | None = None,
    *,
    hashes: Mapping[str, str],
    size: int | None = None,
    limit: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> str:
    """Fetch ``url`` into the folder ``into`` as ``name`` (default: the last component of its path); return the path.

    Every hash of a known algorithm is checked, and ``size`` if given; without one no more than ``limit`` bytes are
    taken (default: ``HttpLimits.download``).  ``progress`` is told the number of bytes of
    each piece (negative when a restart makes earlier pieces void).

    Raises RepositoryError ``hash-mismatch``, ``hash-unknown``, ``size-mismatch``, ``file-missing``, ``file-name``,
    ``answer-too-large``, and what :meth:`~accord.io.http.client.Client.get` raises.
    """
    filename = last_component(url) if name is None else name
    if not safe(filename):
        raise RepositoryError("file-name", f"{redact(url)} has no usable file name: {filename!r}")
    part = os.path.join(into, f".{filename[:80]}.{os.urandom(6).hex()}.part")
    handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o644)
    try:
        try:
            most = client.limits.download
            if size is not None:
                most = min(most, size)
            elif limit is not None:
                most = min(most, limit)
            transfer = _Transfer(client, url, handle, chosen_hashes(hashes, filename), size, most, progress)
            transfer.run()
            if transfer.spliced and not _agree(hashes, transfer.digests()):
                # Two halves of two different files: there was nothing to name the version by.
                transfer.restart()
                transfer.run()
        finally:
            os.close(handle)
        check_hashes(hashes, transfer.digests(), filename, redact(url))
        target = os.path.join(into, filename)
        os.replace(part, target)
    except BaseException:
        try:
            os.unlink(part)
        except OSError:
            pass  # the fault being raised says more
        raise
    return target


def chosen_hashes(hashes: Mapping[str, str], filename: str) -> tuple[str, ...]:
    """The algorithms to compute.  Raises RepositoryError ``hash-unknown`` where none of those given is known."""
    known = tuple(sorted(name for name in hashes if name in _ACCEPTED))
    if hashes and not known:
        raise RepositoryError(
            "hash-unknown",
            f"{filename} is announced with {', '.join(sorted(hashes))} only, which cannot be checked",
            hint="ask the index's operator to publish sha256",
        )
    return known


def _agree(expected: Mapping[str, str], got: Mapping[str, str]) -> bool:
    return all(expected[algorithm].lower() == digest for algorithm, digest in got.items())


def check_hashes(expected: Mapping[str, str], got: Mapping[str, str], filename: str, source: str) -> None:
    """Raises RepositoryError ``hash-mismatch`` for the first that differs."""
    for algorithm, digest in got.items():
        wanted = expected[algorithm].lower()
        if digest != wanted:
            raise RepositoryError(
                "hash-mismatch",
                f"{filename} is not the file it should be: its {algorithm} differs",
                context=(
                    f"expected {algorithm}:{wanted}",
                    f"got      {algorithm}:{digest}",
                    f"from {source}",
                ),
                hint="do not use it: the file was changed after the hash was written down, or damaged on the way",
            )


class _Transfer:
    """The state of one download over its attempts: what is written, what is hashed, and which version of the file."""

    def __init__(
        self,
        client: Client,
        url: str,
        handle: int,
        algorithms: tuple[str, ...],
        size: int | None,
        most: int,
        progress: Callable[[int], None] | None,
    ) -> None:
        self._client = client
        self._url = url
        self._handle = handle
        self._algorithms = algorithms
        self._size = size
        self._most = most
        self._progress = progress
        self._received = 0
        self._validator: str | None = None
        self.spliced = False  # whether halves were joined that nothing but the hash proves to belong together
        self._hashers = self._new_hashers()

    def run(self) -> None:
        from accord.io.http.failures import NETWORK_FAULTS, is_final, of_exception
        from accord.io.http.wire import TooLargeError

        attempt = 0
        while True:
            before = self._received
            try:
                self._client.exchange("GET", self._url, self._headers(), self._consume, once=True)
                break
            except RepositoryError as error:
                cause = error.__cause__
                if isinstance(cause, TooLargeError) and self._most == self._size:
                    raise self._size_mismatch("more than") from error
                if not isinstance(cause, NETWORK_FAULTS):
                    raise
                # A long file over a bad line is not given up while it grows.
                attempt = 1 if self._received >= before + _PROGRESS else attempt + 1
                if attempt > self._client.options.retries or is_final(cause):
                    raise of_exception(cause, self._url, attempt) from cause
                self._client.note(
                    f"{redact(self._url)}: {error.message}; going on at byte {self._received:,}"
                )
                self._client.wait(attempt)
        if self._size is not None and self._received != self._size:
            raise self._size_mismatch(f"{self._received:,} of")

    def _size_mismatch(self, what: str) -> RepositoryError:
        return RepositoryError(
            "size-mismatch",
            f"{redact(self._url)} has {what} the {self._size or 0:,} bytes its index announces",
            hint="do not use it: the file is not the one that was announced",
        )

    def digests(self) -> dict[str, str]:
        return {name: hasher.hexdigest() for name, hasher in self._hashers.items()}

    def _headers(self) -> list[tuple[str, str]]:
        # A file is hashed as it is stored: no content coding.
        headers = [("Accept-Encoding", "identity")]
        if self._received and (self._validator is not None or self._algorithms):
            headers.append(("Range", f"bytes={self._received}-"))
            if self._validator is not None:
                headers.append(("If-Range", self._validator))
        return headers

    def _consume(self, head: Head, connection: Connection, where: str) -> None:
        if head.status in {404, 410}:
            raise RepositoryError(
                "file-missing",
                f"{redact(where)} does not exist (status {head.status})",
                hint="the index page names it, but the file is gone; try again with --refresh",
            )
        if head.status == 206 and self._received and _continues(head, self._received):
            self.spliced = self.spliced or self._validator is None
        elif head.status in {200, 203}:
            self.restart()
        else:
            self.restart()
            raise OSError(f"the server answered {head.status} to a request for a range")
        if head.headers.get("content-encoding", "identity").lower() not in {"identity", ""}:
            raise RepositoryError(
                "index-protocol", f"{redact(where)} was sent compressed although that was not asked for"
            )
        self._validator = _validator(head)
        connection.stream(head, self._write, max(0, self._most - self._received))

    def _write(self, view: memoryview) -> None:
        for hasher in self._hashers.values():
            hasher.update(view)
        count, rest = len(view), view
        try:
            while rest:
                rest = rest[os.write(self._handle, rest) :]
        except OSError as error:
            # A full disk is no fault of the network, which OSError stands for around here, and no other try helps.
            raise refused(error, f"downloading {redact(self._url)}", RepositoryError) from None
        self._received += count
        if self._progress is not None:
            self._progress(count)

    def restart(self) -> None:
        """Begin at the first byte again."""
        self.spliced = False
        if self._received:
            if self._progress is not None:
                self._progress(-self._received)
            self._received = 0
            self._hashers = self._new_hashers()
            os.lseek(self._handle, 0, os.SEEK_SET)
            os.ftruncate(self._handle, 0)

    def _new_hashers(self) -> dict[str, Any]:
        return {name: hashlib.new(name, usedforsecurity=False) for name in self._algorithms}


def _continues(head: Head, received: int) -> bool:
    """RFC 9110 section 14.4: ``bytes first-last/complete``."""
    unit, _, rest = head.headers.get("content-range", "").strip().partition(" ")
    first = rest.partition("-")[0]
    return unit.lower() == "bytes" and first.isascii() and first.isdigit() and int(first) == received


def _validator(head: Head) -> str | None:
    """What names this version of the file for ``If-Range``: a strong ETag, or a date (RFC 9110 section 13.1.5)."""
    if head.headers.get("accept-ranges", "bytes").lower() == "none":
        return None
    etag = head.headers.get("etag")
    if etag is not None and not etag.startswith("W/"):
        return etag
    return head.headers.get("last-modified")
