"""Compiled files for an environment that was installed without them.

A compiled file is no part of a transaction: Python adds them too, and makes them again where they are missing.
"""

from __future__ import annotations

import os

from accord.environments.layout import Layout, layout_of
from accord.io import files, links
from accord.store.compiled import source_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from accord.environments.plan import Wanted
    from accord.store.compiled import CompiledWheel
    from accord.store.entry import Entry

__all__ = ["complete"]


def complete(directory: str, wanted: Iterable[Wanted], *, link_mode: str = "auto") -> int:
    """Place the compiled files of ``wanted`` (with entries, all installed) that the environment has not; how many.

    Beside a source that is not the store's (another tool installed it, somebody edited it) none is placed.  A sealed
    environment is left alone.  ``InstallError`` as :func:`accord.io.files.refused` makes them.
    """
    layout = layout_of(directory)
    if layout.link():
        return 0
    placed = 0
    try:
        with layout.lock():
            # What is kept apart is compiled by Python itself.
            for want in wanted if len(layout.libraries) == 1 else ():
                found = want.compiled.find(want.entry) if want.compiled and want.entry else None
                if found is not None and want.entry is not None and found.files:
                    placed += _place(layout, want.entry, found, link_mode)
    except OSError as error:
        raise files.refused(error, f"adding compiled files to {layout.root}") from error
    return placed


def _place(layout: Layout, entry: Entry, found: CompiledWheel, link_mode: str) -> int:
    site = f"{layout.root}/{layout.site}"
    mode = links.choose(link_mode, f"{found.site}/{found.files[0]}", site)
    placed = 0
    source = os.open(found.site, os.O_RDONLY | os.O_DIRECTORY)
    target = os.open(site, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for path in found.files:
            module = source_of(path)
            if os.path.lexists(f"{site}/{path}") or not _same(
                f"{site}/{module}", f"{entry.path}/site/{module}"
            ):
                continue
            os.makedirs(f"{site}/{path.rpartition('/')[0]}", exist_ok=True)
            # Under another name first: a copy is not there at once, and a program may be running here.
            aside = f"{path}.{os.getpid():x}-{os.urandom(4).hex()}"
            links.place_as(path, aside, source, target, mode)
            os.replace(aside, path, src_dir_fd=target, dst_dir_fd=target)
            placed += 1
    finally:
        os.close(target)
        os.close(source)
    return placed


def _same(one: str, other: str) -> bool:
    """Whether two files have the same time and size, by which compiled files name their source."""
    try:
        first, second = os.stat(one), os.stat(other)
    except OSError:
        return False
    return (first.st_mtime_ns, first.st_size) == (second.st_mtime_ns, second.st_size)
