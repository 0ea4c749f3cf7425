"""Run at the start of every Python in a sealed environment: compiled files go to the environment's own folder.

The text of this file stands in ``_accord.pth`` of a closure (site module, "a line that starts with import is
executed").  A closure is shared and immutable, so Python could not keep what it compiles beside the source, and would
compile everything at every start; nor may it, since one environment's compiled files are nothing another one should
run.  Understood by every Python from 3.8 on.  Costs about a third of a millisecond.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from _typeshed.importlib import PathEntryFinderProtocol


def _accord(site: str, prefix: str, closure: str) -> None:
    import os
    import sys
    from importlib.machinery import (
        BYTECODE_SUFFIXES,
        EXTENSION_SUFFIXES,
        SOURCE_SUFFIXES,
        ExtensionFileLoader,
        FileFinder,
        SourceFileLoader,
        SourcelessFileLoader,
    )

    inside = site + "/"
    # By closure: a compiled file names its source by time and size only, and another lock's file may share both.
    private = prefix + "/.accord/compiled/" + closure + "/"

    # What came into the closure compiled is read there, never written; what was compiled here goes before it, because
    # that happened where the other was no good (the source was put back by a repair, and has another time).
    compiled = os.path.isdir(inside + "__pycache__")
    privately = os.path.isdir(private)

    def own(path: str) -> str:
        # importlib asks for <folder>/__pycache__/<module>.<tag>.pyc; only those below site-packages are moved, all into
        # one folder: making two thousand of them was a tenth of the first import.
        if path.startswith(inside) and path.endswith(".pyc"):
            name = path[len(inside) :].replace("%", "%25").replace("/", "%2F")
            # 255 bytes are what a name may have; Python adds some while it writes.
            return private + (name if len(name) < 200 and name.isascii() else path[len(inside) :])
        return path

    class Loader(SourceFileLoader):
        def get_data(self, path: str) -> bytes:
            first, second = (own(path), path) if privately else (path, own(path))
            if compiled and first != second:
                try:
                    return SourceFileLoader.get_data(self, first)
                except OSError:
                    return SourceFileLoader.get_data(self, second)
            return SourceFileLoader.get_data(self, own(path))

        def set_data(self, path: str, data: ReadableBuffer, *, _mode: int = 0o666) -> None:
            SourceFileLoader.set_data(self, own(path), data, _mode=_mode)

    find = FileFinder.path_hook(
        (ExtensionFileLoader, EXTENSION_SUFFIXES),
        (Loader, SOURCE_SUFFIXES),
        (SourcelessFileLoader, BYTECODE_SUFFIXES),
    )

    def hook(path: str) -> PathEntryFinderProtocol:
        if path == site or path.startswith(inside):
            return find(path)
        raise ImportError(path)

    sys.path_hooks.insert(0, hook)
    sys.path_importer_cache.pop(site, None)
