"""A wheel that stands for itself: built here, or named by path or URL.

Its file name and its METADATA must tell one story (name and version); what they tell is what a universe of one
answers other people's specifiers with.  Contents are verified by the store, not here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from accord.build.metadata import metadata_identity
from accord_core.archive.wheel import open_wheel
from accord_core.errors import ArchiveError, Where
from accord_core.index.filenames import WheelName, split_wheel

__all__ = ["WheelFacts", "read_wheel"]


@dataclass(frozen=True, slots=True)
class WheelFacts:
    """``name`` (normalised) and ``version`` (normal form) of the wheel at ``path``, its tags, its METADATA bytes."""

    path: str
    name: str
    version: str
    filename: WheelName
    metadata: bytes


def read_wheel(path: str) -> WheelFacts:
    """Read what the wheel at ``path`` says of itself.

    Raises ArchiveError: those of ``accord_core.archive.wheel``, ``wheel-name-invalid`` for a file name that is none
    of a wheel, ``metadata-incomplete`` for METADATA without a valid name and version.
    """
    name = os.path.basename(path)
    filename = split_wheel(name)
    if filename is None:
        raise ArchiveError(
            "wheel-name-invalid",
            f"{name!r} is not the name of a wheel",
            where=Where(path),
            hint="a wheel is called name-version-python-abi-platform.whl",
        )
    with open_wheel(path) as wheel:
        wheel.metadata()
        data = wheel.metadata_bytes()
    identity = metadata_identity(data)
    if identity is None:
        raise ArchiveError(
            "metadata-incomplete", f"the METADATA of {name} have no valid name and version", where=Where(path)
        )
    return WheelFacts(path, *identity, filename, data)
