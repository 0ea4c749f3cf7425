"""The paths of a lock, where the lock itself goes elsewhere.

A lock's paths are relative to its own folder (PEP 751 "packages.archive.path"), and a requirements file knows none: PEP
508 has URLs only, and pip reads nothing else after an ``@``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from accord.io.urls import file_url

if TYPE_CHECKING:
    from accord_core.lock.model import File, Lock, Package

__all__ = ["moved", "with_urls"]


def with_urls(lock: Lock, base: str) -> Lock:
    """``lock``, which stands in the folder ``base``, with a URL for each archive and repository it has by path."""

    def url(path: str) -> str:
        return file_url(os.path.normpath(os.path.join(base, path)))

    def changed(package: Package) -> Package:
        archive, vcs = package.archive, package.vcs
        if archive is not None and archive.url is None and archive.path is not None:
            package = package.replace(archive=archive.replace(url=url(archive.path), path=None))
        if vcs is not None and vcs.url is None and vcs.path is not None:
            package = package.replace(vcs=vcs.replace(url=url(vcs.path), path=None))
        return package

    return lock.replace(packages=tuple(changed(package) for package in lock.packages))


def moved(lock: Lock, base: str, to: str) -> Lock:
    """``lock``, which stands in the folder ``base``, as it must read in the folder ``to``."""
    base, to = os.path.abspath(base), os.path.abspath(to)
    if base == to:
        return lock

    def path(old: str) -> str:
        if os.path.isabs(old):
            return old
        new = os.path.relpath(os.path.join(base, old), to).replace(os.sep, "/")
        return new if new.startswith(".") else f"./{new}"

    def file(old: File) -> File:
        return old if old.path is None else old.replace(path=path(old.path))

    def changed(package: Package) -> Package:
        archive, vcs, directory = package.archive, package.vcs, package.directory
        if archive is not None and archive.path is not None:
            package = package.replace(archive=archive.replace(path=path(archive.path)))
        if vcs is not None and vcs.path is not None:
            package = package.replace(vcs=vcs.replace(path=path(vcs.path)))
        if directory is not None:
            package = package.replace(directory=directory.replace(path=path(directory.path)))
        if package.sdist is not None:
            package = package.replace(sdist=file(package.sdist))
        return package.replace(wheels=tuple(file(wheel) for wheel in package.wheels))

    return lock.replace(packages=tuple(changed(package) for package in lock.packages))
