"""Every outside number the archive rooms meet, with the largest value they accept.

The defaults leave room above the largest releases known (GPU libraries of several GiB, collections of 30,000
small files) and stop what only an attack needs.  Imports nothing: it is on the path of hot modules.
"""

from __future__ import annotations

__all__ = ["DEFAULT", "Limits"]


class Limits:
    """Frozen; sizes in bytes, names in bytes of UTF-8, ratios as unpacked : packed.

    ``entries``            members of one archive, folders included
    ``directory_bytes``    central directory of a zip
    ``comment_bytes``      comment at the end of a zip
    ``name_bytes``         one member name; ``component_bytes`` one part of it; ``depth`` its number of parts
    ``file_bytes``         one member unpacked; ``total_bytes`` all of them together
    ``file_ratio``         one member, looked at above ``file_ratio_floor`` bytes unpacked
    ``total_ratio``        the whole, looked at above ``total_ratio_floor`` bytes unpacked
    ``metadata_bytes``     METADATA, PKG-INFO, WHEEL or entry_points.txt unpacked
    ``record_bytes``       RECORD unpacked
    ``tail_bytes``         first range asked from the end of a remote wheel
    """

    __slots__ = (
        "comment_bytes",
        "component_bytes",
        "depth",
        "directory_bytes",
        "entries",
        "file_bytes",
        "file_ratio",
        "file_ratio_floor",
        "metadata_bytes",
        "name_bytes",
        "record_bytes",
        "tail_bytes",
        "total_bytes",
        "total_ratio",
        "total_ratio_floor",
    )

    comment_bytes: int
    component_bytes: int
    depth: int
    directory_bytes: int
    entries: int
    file_bytes: int
    file_ratio: int
    file_ratio_floor: int
    metadata_bytes: int
    name_bytes: int
    record_bytes: int
    tail_bytes: int
    total_bytes: int
    total_ratio: int
    total_ratio_floor: int

    def __init__(
        self,
        *,
        entries: int = 250_000,
        directory_bytes: int = 64 << 20,
        comment_bytes: int = 1024,
        name_bytes: int = 1024,
        component_bytes: int = 255,
        depth: int = 64,
        file_bytes: int = 8 << 30,
        total_bytes: int = 16 << 30,
        file_ratio: int = 300,
        file_ratio_floor: int = 16 << 20,
        total_ratio: int = 100,
        total_ratio_floor: int = 64 << 20,
        metadata_bytes: int = 16 << 20,
        record_bytes: int = 64 << 20,
        tail_bytes: int = 64 << 10,
    ) -> None:
        values = dict(locals())
        for name in self.__slots__:
            object.__setattr__(self, name, values[name])

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Limits are frozen: {name} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"Limits are frozen: {name} cannot be removed")


DEFAULT = Limits()
