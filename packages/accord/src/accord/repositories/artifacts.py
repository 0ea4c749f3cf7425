"""Files and their metadata, wherever their URL leads: the part of the port that all repositories share.

Metadata is had the cheapest way that is sure: the announced ``.metadata`` file (PEP 658, 714), checked against its
hash; else a few ranges from the end of the wheel; else the whole wheel.  A page found over the network can name no
file of this machine (``accord_core.index.entries`` sees to that), so a ``file:`` URL here is the user's own.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from accord.io.urls import last_component, path_of, redact, split
from accord_core.errors import RepositoryError
from accord_core.index.filenames import WHEEL, kind, safe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from accord.io.http.client import Client
    from accord.io.http.wire import Connection, Head
    from accord_core.index.model import File

__all__ = ["Artifacts"]

_METADATA_BYTES = 16 * 1024 * 1024
_SMALL = (
    1024 * 1024
)  # a wheel of this size that comes whole although a range was asked for is read, not refused
_PIECE = 1024 * 1024


class Artifacts:
    """Reads files for one client.  ``client`` None means that nothing may come from the network."""

    def __init__(self, client: Client | None) -> None:
        self._client = client
        self._whole_only: set[tuple[str, str, int]] = set()

    def metadata(self, file: File) -> bytes | None:
        """See :meth:`accord.repositories.port.Repository.metadata`."""
        if kind(file.filename) != WHEEL:
            return None
        if _is_local(file):
            return self._local_metadata(file)
        if file.core_metadata is not False:
            found = self._announced(file)
            if found is not None:
                return found
        found = self._by_ranges(file)
        return self._from_whole(file) if found is None else found

    def fetch(self, file: File, into: str, progress: Callable[[int], None] | None) -> str:
        """See :meth:`accord.repositories.port.Repository.fetch`."""
        return self._fetch(file, into, progress, None)

    def _fetch(self, file: File, into: str, progress: Callable[[int], None] | None, limit: int | None) -> str:
        if _is_local(file):
            return _copy(file, into, progress)
        return self._network(file).download(
            file.url, into, file.filename, hashes=file.hashes, size=file.size, limit=limit, progress=progress
        )

    def _network(self, file: File) -> Client:
        if self._client is None:
            raise RepositoryError(
                "offline", f"{redact(file.url)} is needed, and nothing may come from the network here"
            )
        return self._client

    def _announced(self, file: File) -> bytes | None:
        url = _beside(file.url)
        answer = self._network(file).get(url, limit=_METADATA_BYTES)
        if answer.absent:
            self._network(file).note(
                f"{redact(url)} was announced and is not there; reading the wheel instead"
            )
            return None
        if isinstance(file.core_metadata, dict):
            _check(file.core_metadata, answer.body, f"{file.filename}.metadata", redact(url))
        return answer.body

    def _by_ranges(self, file: File) -> bytes | None:
        """METADATA from the end of the wheel; None when the server does not do ranges."""
        from accord_core.archive.limits import DEFAULT
        from accord_core.archive.remote import metadata_from_tail

        client, origin = self._network(file), split(file.url).origin
        if origin in self._whole_only:
            return None
        first = (
            (-DEFAULT.tail_bytes, None)
            if file.size is None
            else (max(0, file.size - DEFAULT.tail_bytes), None)
        )
        tail, total = self._range(client, file, first)
        if tail is None:
            self._whole_only.add(origin)
            client.note(
                f"{split(file.url).netloc} does not answer requests for ranges; wheels are read whole"
            )
            return None

        def read(offset: int, length: int) -> bytes:
            piece, _ = self._range(client, file, (offset, offset + length - 1))
            if piece is None:
                raise RepositoryError(
                    "index-protocol",
                    f"{split(file.url).netloc} answered one range of {file.filename} and not the next",
                    hint="try again",
                )
            return piece

        return metadata_from_tail(read, total, file.filename, tail=tail)

    def _range(self, client: Client, file: File, wanted: tuple[int, int | None]) -> tuple[bytes | None, int]:
        """The bytes and the size of the whole file; None where a range is not what was answered."""
        from accord.io.http.client import range_text

        def keep(head: Head, connection: Connection, where: str) -> tuple[bytes | None, int]:
            if head.status in {404, 410}:
                raise _missing(file)
            if head.status == 206:
                total = head.headers.get("content-range", "").rpartition("/")[2]
                if total.isascii() and total.isdigit() and len(total) < 18:
                    return connection.read(head, _METADATA_BYTES * 3), int(total)
            if head.status == 200 and int(_digits(head.headers.get("content-length"))) <= _SMALL:
                body = connection.read(head, _SMALL)
                first, last = wanted
                return (body[first:] if last is None else body[first : last + 1]), len(body)
            return None, 0

        headers = [("Range", "bytes=" + range_text(wanted)), ("Accept-Encoding", "identity")]
        return client.exchange("GET", file.url, headers, keep)

    def _from_whole(self, file: File) -> bytes:
        from accord.io.scratch import scratch_folder

        # Nobody asked for this file yet: what is not even announced may not fill the disk.
        limit = self._network(file).limits.whole
        with scratch_folder("accord-") as folder:
            return _read_metadata(self._fetch(file, folder, None, limit), file.filename)

    def _local_metadata(self, file: File) -> bytes:
        path = path_of(file.url)
        if file.core_metadata is not False:
            try:
                with open(path + ".metadata", "rb") as stream:
                    body = stream.read(_METADATA_BYTES)
            except FileNotFoundError:
                pass  # announced and not there: the wheel itself says it too
            else:
                if isinstance(file.core_metadata, dict):
                    _check(file.core_metadata, body, f"{file.filename}.metadata", path)
                return body
        try:
            return _read_metadata(path, file.filename)
        except FileNotFoundError as error:
            raise _missing(file) from error


def _is_local(file: File) -> bool:
    return file.url[:5].lower() == "file:"


def _beside(url: str) -> str:
    """``url + ".metadata"``, before any query (PEP 658: the URL of the file with the suffix added)."""
    path, mark, query = url.partition("?")
    return f"{path}.metadata{mark}{query}"


def _digits(text: str | None) -> str:
    return text if text and text.isascii() and text.isdigit() and len(text) < 18 else str(_SMALL + 1)


def _read_metadata(path: str, filename: str) -> bytes:
    from accord_core.archive.remote import metadata_from_tail

    with open(path, "rb") as stream:
        total = os.fstat(stream.fileno()).st_size

        def read(offset: int, length: int) -> bytes:
            stream.seek(offset)
            return stream.read(length)

        return metadata_from_tail(read, total, filename)


def _check(hashes: Mapping[str, str], body: bytes, name: str, source: str) -> None:
    from accord.io.http.download import check_hashes, chosen_hashes

    got = {
        algorithm: hashlib.new(algorithm, body, usedforsecurity=False).hexdigest()
        for algorithm in chosen_hashes(hashes, name)
    }
    check_hashes(hashes, got, name, source)


def _missing(file: File) -> RepositoryError:
    return RepositoryError(
        "file-missing",
        f"{file.filename} is on its index page, but not at {redact(file.url)}",
        hint="try again with --refresh; if that does not help, the index is broken",
    )


def _copy(file: File, into: str, progress: Callable[[int], None] | None) -> str:
    """The user's own file, copied and hashed; never linked, because what is fetched may be changed or deleted."""
    from accord.io.http.download import check_hashes, chosen_hashes

    source, name = path_of(file.url), file.filename or last_component(file.url)
    if not safe(name):
        raise RepositoryError("file-name", f"{name!r} is no usable file name")
    hashers = {
        algorithm: hashlib.new(algorithm, usedforsecurity=False)
        for algorithm in chosen_hashes(file.hashes, name)
    }
    part, target = os.path.join(into, f".{name[:80]}.{os.urandom(6).hex()}.part"), os.path.join(into, name)
    try:
        try:
            with open(source, "rb") as stream, open(part, "xb") as copy:
                while piece := stream.read(_PIECE):
                    for hasher in hashers.values():
                        hasher.update(piece)
                    copy.write(piece)
                    if progress is not None:
                        progress(len(piece))
        except FileNotFoundError as error:
            if os.path.exists(source):
                raise
            raise _missing(file) from error
        check_hashes(file.hashes, {key: each.hexdigest() for key, each in hashers.items()}, name, source)
        found = os.stat(part).st_size
        if file.size is not None and found != file.size:
            raise RepositoryError(
                "size-mismatch",
                f"{source} has {found:,} bytes where {file.size:,} are announced",
                hint="do not use it: the file is not the one that was announced",
            )
        os.replace(part, target)
    except BaseException:
        try:
            os.unlink(part)
        except OSError:
            pass  # the fault being raised says more
        raise
    return target
