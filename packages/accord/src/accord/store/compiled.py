"""What was compiled of stored wheels, once for each interpreter (hot to find).

    <cache>/compiled-v1/<interpreter>/python         the file that compiled, by which pruning tells whether it is gone
    <cache>/compiled-v1/<interpreter>/<2 hex>/<62>/  of the wheel with this digest
        manifest     a :class:`CompiledWheel` in ``marshal`` form
        site/        the compiled files, under the paths they have in site-packages
    <cache>/compiled-v1/aside/                       what is being made, and what is being thrown away

``<interpreter>`` is named by whoever knows interpreters; two of one name must compile alike.  Made by
:mod:`accord.store.compiling` from the files of the store and nothing else: what an environment's Python compiled is
never taken in, because nothing tells whether it was made from that source.  Everything here can be made again.
"""

from __future__ import annotations

import marshal
import os

from accord.io import files
from accord.store.entry import read_manifest, record_path

__all__ = [
    "FOLDER",
    "CompiledFiles",
    "CompiledWheel",
    "discard",
    "load_compiled",
    "record_of",
    "source_of",
    "stamp_of",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from accord.store.entry import Entry

FOLDER = "compiled-v1"
FORMAT = 1
_FIELDS = ("sha256", "stamp", "dirs", "files", "record", "sizes", "digests", "boot")


class CompiledWheel:
    """What one interpreter compiled of one wheel.

    ``sha256``   of the wheel
    ``stamp``    of the entry it was made from (:func:`stamp_of`): a wheel unpacked again has files of another time, and
                 compiled files name their source by its time
    ``dirs``     the ``__pycache__`` folders; those above them are the wheel's own
    ``files``    the compiled files, relative to site-packages; ``sizes`` of each, ``digests`` (sha256) joined
    ``record``   :func:`record_of` them, UTF-8
    ``boot``     the boot in which it was written, empty once it is known to be on the disk
    """

    __slots__ = ("path", *_FIELDS)

    path: str
    sha256: str
    stamp: int
    dirs: tuple[str, ...]
    files: tuple[str, ...]
    record: bytes
    sizes: tuple[int, ...]
    digests: bytes
    boot: str

    def __init__(self, path: str, **fields: object) -> None:
        self.path = path
        for name in _FIELDS:
            setattr(self, name, fields[name])

    @property
    def site(self) -> str:
        """The folder ``files`` are relative to."""
        return f"{self.path}/site"

    def listed(self) -> dict[str, tuple[str, int]]:
        """``path → ("sha256=…", size)`` of every file, relative to the folder."""
        from accord.store.soundness import spelled

        digests = [self.digests[at : at + 32] for at in range(0, len(self.digests), 32)]
        rows = zip(self.files, digests, self.sizes, strict=True)
        return {f"site/{path}": (spelled("sha256", digest), size) for path, digest, size in rows}

    def dumps(self) -> bytes:
        """The manifest."""
        return marshal.dumps((FORMAT, *(getattr(self, name) for name in _FIELDS)))


def load_compiled(path: str) -> CompiledWheel | None:
    """What lies in folder ``path``; ``None`` where there is nothing, or of another form, or a damaged one."""
    values = read_manifest(path, FORMAT, len(_FIELDS))
    return None if values is None else CompiledWheel(path, **dict(zip(_FIELDS, values, strict=True)))


def source_of(compiled: str) -> str:
    """The source of a compiled file: ``a/__pycache__/b.<tag>.pyc`` is made of ``a/b.py`` (PEP 3147)."""
    folder, _, name = compiled.rpartition("/")
    above = folder.rpartition("/")[0]
    module = name.removesuffix(".pyc").rpartition(".")[0] + ".py"
    return f"{above}/{module}" if above else module


def record_of(compiled: Iterable[str]) -> str:
    """RECORD's lines for compiled files as pip writes them: without digest, because Python may write them anew."""
    return "".join([f"{record_path(path)},,\n" for path in compiled])


def stamp_of(entry: Entry) -> int:
    """When the entry was unpacked, in whole seconds, which a restored cache keeps; 0 where it is gone."""
    try:
        return int(os.stat(f"{entry.path}/site").st_mtime)
    except OSError:
        return 0


class CompiledFiles:
    """What the interpreter named ``interpreter`` compiled, below a cache folder."""

    def __init__(self, cache_dir: str, interpreter: str) -> None:
        self.above = f"{cache_dir}/{FOLDER}"
        self.root = f"{self.above}/{interpreter}"
        self._boot: str | None = None

    def path(self, sha256: str) -> str:
        """Where what was compiled of a wheel is or would be."""
        return f"{self.root}/{sha256[:2]}/{sha256[2:]}"

    def find(self, entry: Entry) -> CompiledWheel | None:
        """What was compiled of ``entry``, or ``None``."""
        found = load_compiled(self.path(entry.sha256))
        if found is None or found.stamp != stamp_of(entry):
            return None
        if found.boot and found.boot != self.boot:
            return self._settle(found)
        return found

    @property
    def boot(self) -> str:
        if self._boot is None:
            self._boot = files.boot_id()
        return self._boot

    def _settle(self, found: CompiledWheel) -> CompiledWheel | None:
        """Written before the machine last started: a compiled file that a power cut left half written would not be
        compiled anew by Python, it would fail the import.  So every byte is looked at, once."""
        from accord.store.soundness import faults_below

        if faults_below(found.path, found.listed()):
            self.discard(found)
            return None
        found.boot = ""
        try:
            files.write_atomic(found.path + "/manifest", found.dumps(), mode=0o444)
        except OSError:
            pass  # a cache shared read-only: checked again next time
        return found

    def discard(self, found: CompiledWheel) -> None:
        """Throw away what was compiled of one wheel; environments keep the files they link."""
        put_away(found.path, self.above)


def discard(cache_dir: str, sha256: str) -> None:
    """Throw away what any interpreter compiled of the wheel."""
    above = f"{cache_dir}/{FOLDER}"
    try:
        names = os.listdir(above)
    except OSError:
        return
    for name in names:
        put_away(f"{above}/{name}/{sha256[:2]}/{sha256[2:]}", above)


def put_away(path: str, above: str) -> None:
    """Remove a folder below ``above``: it disappears in one rename."""
    aside = f"{above}/aside/gone-{os.getpid()}-{os.urandom(4).hex()}"
    try:
        if not os.path.lexists(path):
            return
        os.makedirs(f"{above}/aside", exist_ok=True)
        os.rename(path, aside)
    except OSError:
        return  # somebody else removes it, or a cache shared read-only
    files.remove_tree(aside)
