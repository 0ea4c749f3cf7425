"""One wheel into one folder, every byte checked on the way.

The archive rooms decide what is a wheel and verify each file against RECORD; this room decides where each file
lies in the store, writes it read-only, and writes the manifest last.  It never writes outside the folder it is
given and leaves the folder half full when it raises: the caller throws it away.
"""

from __future__ import annotations

import hashlib
import os

from accord.io.files import boot_id
from accord.io.steps import step
from accord.store.entry import Entry, record_path
from accord_core.archive.entrypoints import scripts
from accord_core.archive.wheel import open_wheel
from accord_core.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord_core.archive.central import Member
    from accord_core.archive.limits import Limits
    from accord_core.archive.wheel import Wheel

__all__ = ["changed", "unpack"]

_LARGE = 64 << 20  # members above this are written in pieces
_INSTALLER_WRITES = frozenset(
    ("RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json")
)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_SUFFIXES = (".py", ".so", ".pyd", ".pyi")


def unpack(
    wheel_path: str,
    sha256: str,
    into: str,
    *,
    filename: str,
    expect_metadata: str | None = None,
    limits: Limits | None = None,
) -> Entry:
    """Unpack the wheel into the existing, empty folder ``into`` and write its manifest there.

    ``sha256`` is the wheel's digest, already verified.  ``expect_metadata`` is the hex sha256 of the METADATA that
    was read before the wheel was there; ``StoreError`` ``metadata-changed`` if the wheel holds another.
    ``ArchiveError`` for everything a wheel may not be; ``OSError`` as the system gives them.
    """
    with open_wheel(wheel_path, filename=filename, **({} if limits is None else {"limits": limits})) as wheel:
        metadata_sha256 = hashlib.sha256(wheel.metadata_bytes()).hexdigest()
        if expect_metadata is not None and metadata_sha256 != expect_metadata:
            raise changed(filename, expect_metadata, metadata_sha256)
        metadata = wheel.metadata()
        points = scripts(wheel.entry_points())
        writer = _Writer(wheel, into)
        step("unpack-files")
        try:
            for member in wheel.members:
                writer.write(member)
        finally:
            writer.close()
        entry = Entry(
            into,
            sha256=sha256,
            filename=filename,
            name=wheel.name,
            raw_name=metadata.name,
            version=metadata.version,
            dist_info=wheel.dist_info,
            pure=wheel.wheel_file.root_is_purelib,
            dirs=tuple(sorted(writer.folders - {""})),
            files=tuple(writer.files),
            apart=tuple(writer.apart),
            record="".join(writer.lines).encode(),
            data=tuple(writer.data),
            scripts=tuple((p.name, p.module, p.attribute, p.group == "gui_scripts") for p in points),
            toplevel=_toplevel(writer.files, wheel.dist_info),
            metadata_sha256=metadata_sha256,
            size=sum(member.size for member in wheel.members),
            packed=os.stat(wheel_path).st_size,
            boot=boot_id(),
        )
    step("unpack-manifest")
    handle = os.open(into + "/manifest", _NEW, 0o444)
    try:
        data = entry.dumps()
        while data:
            data = data[os.write(handle, data) :]
    finally:
        os.close(handle)
    return entry


def changed(filename: str, expected: str, found: str) -> StoreError:
    """The error for a wheel whose METADATA are not those its index announced."""
    return StoreError(
        "metadata-changed",
        f"{filename} holds other metadata than its index gave for it",
        context=(f"METADATA from the index: sha256 {expected}", f"METADATA in the wheel: sha256 {found}"),
        hint="the index contradicts itself: report it to its operator; --no-core-metadata reads wheels instead",
    )


class _Writer:
    """Where members go, and what was written: ``folders`` and ``files`` of site-packages (``apart``: of its other half), RECORD ``lines``, ``data``."""

    def __init__(self, wheel: Wheel, into: str) -> None:
        self._wheel = wheel
        self._root = os.open(into, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._site = -1
        os.mkdir("site", 0o755, dir_fd=self._root)
        self._site = os.open("site", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._root)
        self.folders = {""}
        self._data_folders = {""}
        self.files: list[str] = []
        self.apart: list[str] = []
        self._own_library = "purelib" if wheel.wheel_file.root_is_purelib else "platlib"
        self.lines: list[str] = []
        self.data: list[tuple[str, str, str, str, int, bool]] = []
        self._own = {f"{wheel.dist_info}/{name}" for name in _INSTALLER_WRITES}

    def close(self) -> None:
        if self._site >= 0:
            os.close(self._site)
        os.close(self._root)

    def write(self, member: Member) -> None:
        name = member.name
        if name in self._own:
            return
        row = self._wheel.rows[name]
        hashed = f"{row.algorithm}={row.digest}"
        scheme, path = self._wheel.target(member)
        if scheme in ("purelib", "platlib"):
            self._folder(path, self._site, self.folders)
            mode = 0o555 if member.executable else 0o444
            self._put(member, path, self._site, mode)
            self.files.append(path)
            if scheme != self._own_library:
                self.apart.append(path)
            self.lines.append(f"{record_path(path)},{hashed},{member.size}\n")
            return
        source = f"data/{scheme}/{path}"
        self._folder(source, self._root, self._data_folders)
        runs = scheme == "scripts" or member.executable
        first = self._put(member, source, self._root, 0o555 if runs else 0o444)
        rewrite = scheme == "scripts" and first.startswith(b"#!python")
        self.data.append((scheme, path, source, hashed, member.size, rewrite))

    def _folder(self, path: str, root: int, made: set[str]) -> None:
        folder = path.rpartition("/")[0]
        if folder in made:
            return
        self._folder(folder, root, made)
        os.mkdir(folder, 0o755, dir_fd=root)
        made.add(folder)

    def _put(self, member: Member, path: str, root: int, mode: int) -> bytes:
        """Write the member and return its first bytes."""
        if member.size <= _LARGE:
            data = self._wheel.read(member)
            handle = os.open(path, _NEW, mode, dir_fd=root)
            try:
                written = os.write(handle, data)
                while written < len(data):
                    written += os.write(handle, memoryview(data)[written:])
            finally:
                os.close(handle)
            return data[:16]
        head = b""
        handle = os.open(path, _NEW, mode, dir_fd=root)
        try:
            for piece in self._wheel.stream(member):
                head = head or piece[:16]
                while piece:
                    piece = piece[os.write(handle, piece) :]
        finally:
            os.close(handle)
        return head


def _toplevel(files: list[str], dist_info: str) -> tuple[str, ...]:
    """The names at the top that can be imported: packages, modules, extension modules."""
    found = set()
    for path in files:
        top, slash, rest = path.partition("/")
        if slash:
            if top != dist_info and top.isidentifier() and rest.endswith(_SUFFIXES):
                found.add(top)
        elif top.endswith(_SUFFIXES):
            found.add(top.partition(".")[0])
    return tuple(sorted(found))
