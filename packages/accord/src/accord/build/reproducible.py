"""The same source built a second time, elsewhere and as somebody else, and what differs in words.

The second build has another path, user, home, host, umask, time zone, language, hash seed and file times.  What two
files differ in is told member by member: its contents with the first lines that differ, its mode, its time, its order,
how it is packed.  Reads archives that were built here and checked before; decides nothing about them.
"""

from __future__ import annotations

import difflib
import os
import shutil
import tarfile
import zipfile
from typing import TYPE_CHECKING

from accord.build.shelter import SandboxPolicy
from accord_core.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from accord.build.products import Product
    from accord.build.workshop import BuildOptions

__all__ = ["VARIED", "check_same", "copy_tree", "explain", "varied"]

VARIED = {
    "TZ": "Asia/Kathmandu",
    "LANG": "C",
    "LC_ALL": "C.UTF-8",
    "PYTHONHASHSEED": "4711",
    "USER": "somebody",
    "LOGNAME": "somebody",
}
_TIME = 981_173_106  # 2001-02-03, for every file of the second tree
_LEFT_OUT = (
    ".accord", ".mypy_cache", ".nox", ".pytest_cache", ".ruff_cache", ".tox", ".venv", "__pycache__", "build", "dist",
    "node_modules", "venv",
)  # fmt: skip
_LINES = 6  # of one text that differs
_MEMBERS = 10  # that are shown
_TEXT = 1 << 20  # bytes of a member that is compared line by line


def varied(options: BuildOptions) -> BuildOptions:
    """``options`` for the second build."""
    policy = options.sandbox
    return options.replace(
        limits=options.limits.replace(umask=0o077),
        sandbox=SandboxPolicy(
            policy.mode,
            policy.network,
            policy.bwrap,
            place="/srv/elsewhere/second-build",
            user="somebody",
            uid="4711",
            host="elsewhere",
        ),
    )


def copy_tree(tree: str, target: str) -> str:
    """A copy of ``tree`` as ``target``, without what was built or installed there, every file of another day."""
    shutil.copytree(tree, target, symlinks=True, ignore=_ignored(tree))
    age(target)
    return target


def _ignored(tree: str) -> Callable[[str, list[str]], list[str]]:
    def ignore(folder: str, names: list[str]) -> list[str]:
        top = os.path.samefile(folder, tree)
        return [
            name
            for name in names
            if (name in _LEFT_OUT and (top or name == "__pycache__")) or name.endswith(".egg-info")
        ]

    return ignore


def age(tree: str) -> None:
    """Give every file below ``tree`` the time of another day."""
    for folder, _, files in os.walk(tree):
        for name in files:
            os.utime(os.path.join(folder, name), (_TIME, _TIME), follow_symlinks=False)


def check_same(first: Sequence[Product], second: Sequence[Product], label: str) -> None:
    """Raise BuildError ``build-not-reproducible`` where a file of ``second`` has not the bytes of the one of ``first``."""
    lines: list[str] = []
    for one, other in zip(first, second, strict=True):
        if one.filename != other.filename:
            lines.append(f"{one.filename}: the second build called it {other.filename}")
        elif one.sha256 != other.sha256:
            lines += explain(one.path, other.path)
    if lines:
        raise BuildError(
            "build-not-reproducible",
            f"{label}: built twice, it is not the same",
            context=tuple(lines),
            hint="what differs came from the place, user, time, language or order of files the build ran with",
        )


def explain(one: str, other: str) -> list[str]:
    """What the archives at ``one`` and ``other`` differ in, a line each; the first holds the name of the file."""
    read = _zip if one.endswith((".whl", ".zip")) else _tar
    before, after = read(one), read(other)
    lines = list(_differences(before, after))
    if not lines:
        lines = ["the members are the same; the archive around them is not (compression, or its header)"]
        if not one.endswith((".whl", ".zip")) and _gzip_head(one) != _gzip_head(other):
            lines = ["the gzip header differs: it holds a time or a name"]
    more = len(lines) - _MEMBERS * _LINES
    if more > 0:
        lines = [*lines[: _MEMBERS * _LINES], f"… and {more} lines more"]
    return [f"{os.path.basename(one)}:", *(f"  {line}" for line in lines)]


class _Member:
    """One member: ``data``, ``mode``, ``time``, and ``more`` (owner, how it is packed) to compare as it is."""

    __slots__ = ("data", "mode", "more", "time")

    def __init__(self, data: bytes, mode: int, time: object, more: object) -> None:
        self.data = data
        self.mode = mode
        self.time = time
        self.more = more


def _zip(path: str) -> dict[str, _Member]:
    with zipfile.ZipFile(path) as archive:
        return {
            one.filename: _Member(
                archive.read(one),
                one.external_attr >> 16,
                one.date_time,
                (one.compress_type, one.create_system, one.extra),
            )
            for one in archive.infolist()
        }


def _tar(path: str) -> dict[str, _Member]:
    found = {}
    with tarfile.open(path) as archive:
        for one in archive:
            file = archive.extractfile(one) if one.isreg() else None
            data = b"" if file is None else file.read()
            found[one.name] = _Member(
                data, one.mode, one.mtime, (one.uid, one.gid, one.uname, one.gname, one.linkname)
            )
    return found


def _gzip_head(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(10)


def _differences(before: dict[str, _Member], after: dict[str, _Member]) -> Iterator[str]:
    for name in sorted(before.keys() ^ after.keys()):
        yield f"{name}: only in the {'first' if name in before else 'second'}"
    if list(before) != list(after) and before.keys() == after.keys():
        place = next(i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b)
        yield f"order: member {place + 1} is {list(before)[place]} in the first, {list(after)[place]} in the second"
    for name, one in before.items():
        if name not in after:
            continue
        other = after[name]
        if one.data != other.data:
            yield from _contents(name, one.data, other.data)
        if one.mode != other.mode:
            yield f"{name}: mode {one.mode:o} and {other.mode:o}"
        if one.time != other.time:
            yield f"{name}: time {one.time} and {other.time}"
        if one.more != other.more:
            yield f"{name}: owner or packing {one.more!r:.80} and {other.more!r:.80}"


def _contents(name: str, one: bytes, other: bytes) -> Iterator[str]:
    if one.startswith(b"\x7fELF") and other.startswith(b"\x7fELF"):
        section = _first_section(one, other)
        yield f"{name}: contents ({len(one)} and {len(other)} bytes)" + (
            f", first in {section}" if section else ""
        )
        return
    try:
        first, second = one[:_TEXT].decode(), other[:_TEXT].decode()
    except UnicodeDecodeError:
        place = next(
            (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
        )
        yield f"{name}: contents ({len(one)} and {len(other)} bytes), from byte {place}"
        return
    yield f"{name}: contents"
    changes = difflib.unified_diff(first.splitlines(), second.splitlines(), lineterm="", n=0)
    for number, line in enumerate(line for line in changes if not line.startswith(("---", "+++", "@@"))):
        if number == _LINES:
            yield "  …"
            return
        yield f"  {line:.160}"


def _first_section(one: bytes, other: bytes) -> str | None:
    """The first section of a 64-bit little-endian ELF file whose bytes differ."""
    import struct

    def sections(data: bytes) -> list[tuple[str, bytes]]:
        offset, size, count, names = (
            struct.unpack_from("<Q", data, 40)[0],
            *struct.unpack_from("<HHH", data, 58),
        )
        heads = [struct.unpack_from("<IIQQQQ", data, offset + size * i) for i in range(count)]
        table = heads[names][4]
        found = []
        for name, kind, _, _, place, length in heads:
            start = table + name
            word = data[start : data.index(b"\0", start)].decode("ascii", "replace")
            found.append((word, b"" if kind == 8 else data[place : place + length]))
        return found

    try:
        pairs = zip(sections(one), sections(other), strict=False)
        return next((name for (name, a), (_, b) in pairs if a != b), None)
    except (struct.error, IndexError, ValueError):
        return None
