"""A file of upstream, fetched once for however many ask, given to them while it comes, kept when its hash is right.

Whoever holds the lock of a file fetches it into a folder of its own; everybody else, in whatever process, reads what is
written there as it grows.  The end of it is held back until the whole is verified: of a file that is not what upstream's
page said nobody ever gets the last bytes, so that the transfer is broken and no client takes it for complete.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from accord.server.archives.attestations import check_provenance
from accord.server.catalogue import blobs
from accord.server.errors import Refused
from accord.server.mirror import facts, leaving
from accord_core.archive.metadata import parse_metadata
from accord_core.errors import AccordError, RepositoryError
from accord_core.names import normalise

if TYPE_CHECKING:
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.mirror.asking import Upstreams
    from accord.server.mirror.facts import Kept
    from accord.server.parts import Parts

__all__ = ["Broken", "Fetches"]

_PIECE = 1 << 20
_HELD = 1 << 16  # bytes at the end that wait for the verdict
_TICK = 0.02
_PATIENCE = 5.0
_PROVENANCE = "application/vnd.pypi.integrity.v1+json, application/json;q=0.5"
_WORDS = 500  # letters of a fault that are kept
_BUCKETS = 4  # hexadecimal digits of a digest that name its lock


class Broken(Exception):
    """A transfer that has begun and must not end as if it were whole."""


class Fetches:
    def __init__(self, parts: Parts, upstreams: Upstreams) -> None:
        self._parts = parts
        self._upstreams = upstreams
        # Not among what is being received, which others tidy; on the same file system as a storage folder.
        self._folder = os.path.join(parts.settings.data, "fetching")
        self._faults: dict[str, RepositoryError] = {}
        self._threads: set[threading.Thread] = set()
        os.makedirs(self._folder, mode=0o700, exist_ok=True)

    def close(self) -> None:
        """Wait for what is being fetched, a while: it begins anew when somebody asks again."""
        for thread in tuple(self._threads):
            thread.join(_PATIENCE)

    def metadata(self, index: IndexRow, project: str, file: Kept) -> None:
        """Have the core metadata of a file.  Raises ``Refused("upstream-unavailable")`` (503) or ``upstream-wrong`` (502)."""
        url, query, rest = file.url.partition("?")
        limit = self._parts.settings.limits.upstream_metadata_bytes
        body, fault = self._get(index, file, f"{url}.metadata{query}{rest}", limit)
        fault = fault or _metadata_fault(file, project, body)
        if fault is not None:
            # The wheel itself says the same; clients read it where no metadata are announced.
            self._note(index, project, file, shown=True, metadata_refused=fault)
            raise Refused(
                502,
                "upstream-wrong",
                f"upstream's metadata of {file.filename} are not those it announced",
                context=(fault,),
            )
        sha256 = hashlib.sha256(body).hexdigest()
        self._parts.storage.put_bytes(sha256, body)
        shown = sha256 != file.metadata_sha256
        self._note(index, project, file, shown=shown, metadata_sha256=sha256, metadata_stored=True)

    def provenance(self, index: IndexRow, project: str, file: Kept) -> None:
        """Have the provenance of a file, as new as ``upstream_provenance_seconds`` want it.  What upstream has is taken only
        if it is about this file; what is here already stays where it is not.  Raises as :meth:`metadata`."""
        assert file.provenance_url is not None
        limits = self._parts.settings.limits
        try:
            body, fault = self._get(
                index, file, file.provenance_url, limits.provenance_bytes, accept=_PROVENANCE
            )
            if fault is None:
                check_provenance(body, file.filename, file.sha256, limits, self._parts.trusted_root)
        except Refused as refused:
            if refused.code == "upstream-unavailable":
                if file.provenance_sha256 is not None:
                    return
                raise
            fault = refused.message
        fetched = self._parts.now()
        if fault is None:
            sha256 = hashlib.sha256(body).hexdigest()
            self._parts.storage.put_bytes(sha256, body)
            self._note(
                index, project, file, shown=False,
                provenance_sha256=sha256, provenance_fetched=fetched, provenance_refused=None,
            )  # fmt: skip
            return
        missing = file.provenance_sha256 is None
        self._note(index, project, file, shown=missing, provenance_fetched=fetched, provenance_refused=fault)
        if missing:
            raise Refused(
                502,
                "upstream-wrong",
                f"upstream's provenance of {file.filename} is not passed on",
                context=(fault,),
            )

    def wants_provenance(self, file: Kept) -> bool:
        """Whether upstream is asked for the provenance of a file before anybody is given it."""
        if file.provenance_url is None or not file.has_provenance:
            return False
        if file.provenance_sha256 is None or self._parts.storage.size(file.provenance_sha256) is None:
            return True
        old = self._parts.now() - self._parts.settings.limits.upstream_provenance_seconds * 1_000_000
        return (file.provenance_fetched or 0) <= old

    def _get(
        self, index: IndexRow, file: Kept, url: str, limit: int, *, accept: str = "*/*"
    ) -> tuple[bytes, str | None]:
        """A small file of upstream, or why it is none.  Raises ``Refused("upstream-unavailable")``."""
        try:
            answer = self._upstreams.client(index).get(url, accept=accept, limit=limit)
        except RepositoryError as fault:
            if fault.code == "answer-too-large":
                return b"", f"it is larger than {limit} bytes"
            raise _unavailable(file.filename, fault) from fault
        except AccordError as fault:  # no address at all
            return b"", fault.message[:_WORDS]
        return answer.body, None if answer.status == 200 else "upstream does not have it"

    def _note(self, index: IndexRow, project: str, file: Kept, *, shown: bool, **found: Any) -> None:
        """What came of asking; ``shown``: the page says something else now."""
        storage = self._parts.storage
        came = [found[name] for name in ("metadata_sha256", "provenance_sha256") if name in found]
        with self._parts.database.write("upstream") as writing:
            blobs.keep(writing, storage, *came)
            known = facts.find_file(writing.connection, index.id, project, file.filename)
            if known is None or known.sha256 != file.sha256:
                return  # it is another file by now
            said = replace(known, **found)
            facts.wrote(writing.connection, index.id, project, known, said)
            facts.show(writing.connection, index.id, project, said)
            if shown:
                writing.changed(index.id, "change-file", project=project, filename=file.filename)
        old = known.provenance_sha256
        if old not in (None, said.provenance_sha256):
            blobs.give_up(self._parts.database, storage, [old])

    def whole(self, index: IndexRow, project: str, file: Kept) -> None:
        """Have a file, before anything is answered.  Raises as :meth:`stream`."""
        for _ in self.stream(index, project, file):
            pass

    def stream(self, index: IndexRow, project: str, file: Kept) -> Iterator[bytes]:
        """The file as it comes.  Raises ``Refused`` before the first piece (503, 502), :class:`Broken` after it."""
        self._begin(index, project, file)
        begun = False
        for piece in self._follow(file):
            if piece is None:
                fault = self._faults.get(file.sha256)
                if begun:
                    raise Broken(file.filename)
                if fault is not None and fault.code in ("hash-mismatch", "size-mismatch"):
                    raise Refused(410, "file-blocked", f"{file.filename} is not what upstream announced")
                raise _unavailable(file.filename, fault)
            begun = True
            yield piece

    def _lock_path(self, sha256: str) -> str:
        return os.path.join(self._folder, f"{sha256[:_BUCKETS]}.lock")

    def _begin(self, index: IndexRow, project: str, file: Kept) -> None:
        """See to it that somebody fetches."""
        handle = os.open(self._lock_path(file.sha256), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return
        size = self._parts.storage.size(file.sha256)
        if size is not None:
            os.close(handle)
            self._stored(index, project, file, size)  # as some other index had it
            return
        folder = self._place(file.sha256)
        shutil.rmtree(folder, ignore_errors=True)  # what a killed process left
        os.makedirs(folder)
        self._faults.pop(file.sha256, None)
        thread = threading.Thread(target=self._fetch, args=(index, project, file, handle), daemon=True)
        self._threads.add(thread)
        thread.start()

    def _place(self, sha256: str) -> str:
        return os.path.join(self._folder, sha256)

    def _fetch(self, index: IndexRow, project: str, file: Kept, handle: int) -> None:
        folder = self._place(file.sha256)
        try:
            path = self._upstreams.client(index).download(
                file.url,
                folder,
                file.filename,
                hashes={"sha256": file.sha256},
                size=file.size,
                limit=self._parts.settings.limits.file_bytes,
            )
            size = os.path.getsize(path)
            self._parts.storage.put(file.sha256, path)
            self._stored(index, project, file, size)
        except RepositoryError as fault:
            self._faults[file.sha256] = fault
            if fault.code in ("hash-mismatch", "size-mismatch"):
                with self._parts.database.write("upstream") as writing:
                    leaving.block_file(
                        writing, index.id, project, file.filename, f"wrong bytes: {fault.message}"
                    )
        except AccordError as fault:
            self._faults[file.sha256] = RepositoryError(fault.code, fault.message)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(handle)
            self._threads.discard(threading.current_thread())

    def _stored(self, index: IndexRow, project: str, file: Kept, size: int) -> None:
        """Note that bytes are here: no change of what the index says, so that it gets no serial, unless upstream did not say
        how many they are."""
        with self._parts.database.write("upstream") as writing:
            known = facts.find_file(writing.connection, index.id, project, file.filename)
            if known is None or known.sha256 != file.sha256:
                return
            said = replace(known, stored=True, size=size)
            facts.wrote(writing.connection, index.id, project, known, said)
            if known.size is None:
                facts.show(writing.connection, index.id, project, said)
                writing.changed(index.id, "change-file", project=project, filename=file.filename)

    def _follow(self, file: Kept) -> Iterator[bytes | None]:
        """Pieces as they are written; ``None`` at the end of a fetch that failed."""
        handle: int | None = None
        running = hashlib.sha256()
        sent = 0
        try:
            while True:
                stored = self._parts.storage.size(file.sha256) is not None
                if handle is None:
                    if stored:
                        yield from self._parts.storage.stream(file.sha256)
                        return
                    handle = self._open(file.sha256)
                if handle is not None:
                    left = os.fstat(handle).st_size - sent - (0 if stored else _HELD)
                    while left > 0:
                        piece = os.pread(handle, min(left, _PIECE), sent)
                        if not piece:
                            break
                        running.update(piece)
                        sent += len(piece)
                        left -= len(piece)
                        if left <= 0 and stored and running.hexdigest() != file.sha256:
                            yield None  # the fetch began again meanwhile, with other bytes
                            return
                        yield piece
                    if stored:
                        return
                if self._idle(file.sha256) and self._parts.storage.size(file.sha256) is None:
                    yield None
                    return
                time.sleep(_TICK)
        finally:
            if handle is not None:
                os.close(handle)

    def _open(self, sha256: str) -> int | None:
        """The file being written, if it is there yet."""
        folder = self._place(sha256)
        try:
            names = os.listdir(folder)
            return os.open(os.path.join(folder, names[0]), os.O_RDONLY | os.O_CLOEXEC) if names else None
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _idle(self, sha256: str) -> bool:
        """Whether nobody fetches."""
        handle = os.open(self._lock_path(sha256), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            return True
        finally:
            os.close(handle)


def _metadata_fault(file: Kept, project: str, body: bytes) -> str | None:
    """Why bytes are not the core metadata upstream announced, or none of this file."""
    if not file.metadata_announced:
        same = hashlib.sha256(body).hexdigest() == file.metadata_sha256
        return None if same else "they have another hash than its page says"
    # Without a hash there is only this to hold them against.
    try:
        found = parse_metadata(body)
    except (AccordError, ValueError) as fault:
        return f"they cannot be read: {fault}"
    return None if normalise(found.name) == project else f"they are of {found.name[:100]}"


def _unavailable(filename: str, fault: RepositoryError | None) -> Refused:
    return Refused(
        503,
        "upstream-unavailable",
        f"upstream does not give {filename} now",
        context=() if fault is None else (fault.code,),
        hint="try again later",
        headers={"Retry-After": "15"},
    )
