"""Finding and adding entries (hot to find; adding loads the archive rooms).

An entry appears by one rename of a folder unpacked aside, so whoever sees it sees it whole; two processes that add
the same wheel both unpack it, one rename wins, and the other's copy is thrown away.  What a power cut may have left
half written is found out at the next use: an entry remembers the boot it was written in, and one from an earlier
boot is checked once against its RECORD, as are entries that came from another machine with a restored cache.
"""

from __future__ import annotations

import os

from accord.io import files, inodes
from accord.io.locks import FileLock
from accord.io.steps import step
from accord.store.entry import Entry, load_entry
from accord_core.errors import StoreError

__all__ = ["FOLDER", "Store", "file_sha256", "require_name"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from accord_core.archive.limits import Limits

FOLDER = "store-v1"
_HEX = frozenset("0123456789abcdef")
_READ = 1 << 20


class Store:
    """The store below a cache folder.  Safe for any number of processes and threads at once."""

    def __init__(self, cache_dir: str, *, on_wait: Callable[[str], None] | None = None) -> None:
        self.root = os.path.join(cache_dir, FOLDER)
        self._on_wait = on_wait
        self._boot: str | None = None

    def path(self, sha256: str) -> str:
        """Where the entry of a wheel is or would be.  ``StoreError`` ``digest-invalid`` for what is no sha256."""
        if len(sha256) != 64 or not _HEX.issuperset(sha256):
            raise StoreError("digest-invalid", f"{sha256!r} is not a sha256 digest in lower-case hex")
        return f"{self.root}/{sha256[:2]}/{sha256[2:]}"

    def find(self, sha256: str) -> Entry | None:
        """The entry of the wheel with this digest, or ``None``."""
        entry = load_entry(self.path(sha256))
        if entry is None or entry.sha256 != sha256:
            return None
        if entry.boot and entry.boot != self.boot:
            return self._settle(entry)
        return entry

    @property
    def boot(self) -> str:
        if self._boot is None:
            self._boot = files.boot_id()
        return self._boot

    def _settle(self, entry: Entry) -> Entry | None:
        """An entry written before the machine last started: is all of it on the disk?"""
        from accord.store.upkeep import faults

        if faults(entry):
            self.discard(entry.sha256)
            return None
        entry.boot = ""
        try:
            files.write_atomic(entry.path + "/manifest", entry.dumps(), mode=0o444)
        except OSError:
            pass  # a store shared read-only: checked again next time
        return entry

    def exclusive(self) -> FileLock:
        """Held while entries are thrown away."""
        self.prepare()
        return FileLock(f"{self.root}/lock", "the store", on_wait=self._on_wait, family=StoreError)

    def prepare(self) -> None:
        """Make the store's own folders.  ``StoreError`` where they cannot be written."""
        try:
            if not os.path.isdir(f"{self.root}/aside"):
                os.makedirs(f"{self.root}/aside", exist_ok=True)
                inodes.scatter(f"{self.root}/aside")
        except OSError as error:
            raise files.refused(error, "making the store", StoreError, path=self.root) from error

    def add(
        self,
        wheel_path: str,
        sha256: str | None = None,
        *,
        filename: str | None = None,
        expect_metadata: str | None = None,
        limits: Limits | None = None,
    ) -> Entry:
        """Unpack the wheel unless it is there, and return its entry.

        ``sha256`` is what the file must have (``StoreError`` ``hash-mismatch``); ``filename`` the wheel's real name
        where the file has another; ``expect_metadata`` the hex sha256 of METADATA learnt early (``metadata-changed``).
        ``ArchiveError`` for a wheel that is not one; ``StoreError`` ``disk-full``, ``not-writable``.
        """
        name = filename or os.path.basename(wheel_path)
        found = file_sha256(wheel_path)
        if sha256 is not None and found != sha256:
            raise StoreError(
                "hash-mismatch",
                f"{name} is not the file that was asked for",
                context=(f"expected sha256 {sha256}", f"found    sha256 {found}"),
                hint="download it again; if it stays, the index or the lock is wrong",
            )
        entry = self.find(found)
        if entry is not None:
            require_name(entry, name)
            if expect_metadata is not None and entry.metadata_sha256 != expect_metadata:
                from accord.store.unpack import changed

                raise changed(name, expect_metadata, entry.metadata_sha256)
            return entry
        return self._unpack(wheel_path, found, name, expect_metadata, limits)

    def _unpack(
        self, wheel_path: str, sha256: str, filename: str, expect_metadata: str | None, limits: Limits | None
    ) -> Entry:
        from accord.store.unpack import unpack

        self.prepare()
        target = self.path(sha256)
        aside = f"{self.root}/aside/{sha256[:16]}-{os.getpid()}-{os.urandom(4).hex()}"
        step("store-aside")
        try:
            try:
                os.makedirs(os.path.dirname(target), exist_ok=True)
                os.mkdir(aside)
                entry = unpack(
                    wheel_path,
                    sha256,
                    aside,
                    filename=filename,
                    expect_metadata=expect_metadata,
                    limits=limits,
                )
                step("store-appear")
                entry.path = target
                self._appear(aside, target)
            except OSError as error:
                raise files.refused(error, f"unpacking {filename}", StoreError) from error
        except BaseException:
            files.remove_tree(aside)
            raise
        step("store-appeared")
        return entry

    def _appear(self, aside: str, target: str) -> None:
        try:
            os.rename(aside, target)
        except OSError:
            if load_entry(target) is None:
                # A folder without a readable manifest is nothing anybody uses: put it away and take its place.
                if not os.path.isdir(target):
                    raise
                files.remove_tree(target)
                os.rename(aside, target)
            else:
                files.remove_tree(aside)

    def discard(self, sha256: str) -> None:
        """Throw an entry away.  It disappears in one rename; environments keep the files they link."""
        from accord.store import compiled

        path = self.path(sha256)
        aside = f"{self.root}/aside/gone-{os.getpid()}-{os.urandom(4).hex()}"
        try:
            os.makedirs(f"{self.root}/aside", exist_ok=True)
            # First what was made of it: compiled from a damaged source, it must not outlive that.
            compiled.discard(os.path.dirname(self.root), sha256)
            os.rename(path, aside)
        except FileNotFoundError:
            return
        except OSError as error:
            raise files.refused(error, "removing from the store", StoreError, path=path) from error
        files.remove_tree(aside)


def require_name(entry: Entry, filename: str) -> None:
    """Refuse an entry that is not the wheel ``filename`` names: as a wheel of that name is refused when it is unpacked.

    A digest finds an entry whatever name it is asked for under, and what is accepted must not depend on what was there.
    ``ArchiveError`` ``wheel-name-invalid``, ``wheel-dist-info-disagrees``.
    """
    if filename != entry.filename:
        from accord_core.archive.wheel import check_dist_info

        check_dist_info(entry.dist_info, filename)


def file_sha256(path: str) -> str:
    """The hex sha256 of a file.  ``StoreError`` ``wheel-unreadable`` where it cannot be read."""
    import hashlib

    digest = hashlib.sha256()
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise StoreError("wheel-unreadable", f"{path} cannot be read: {error.strerror}") from error
    try:
        while piece := os.read(handle, _READ):
            digest.update(piece)
    finally:
        os.close(handle)
    return digest.hexdigest()
