"""The same source built a second time, elsewhere and as somebody else, and what differs in words.

The second build has another path, user, home, host, umask, time zone, language, hash seed and file times.  What two
files differ in is told member by member: its contents with the first lines that differ, its mode, its time, its order,
how it is packed.  ``accord.wheels`` finds the differences; here they are put into words.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from accord.build.shelter import SandboxPolicy
from accord.wheels.compare import compare
from accord.wheels.contents import open_contents
from accord.wheels.textdiff import text_diffs
from accord_core.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from accord.build.products import Product
    from accord.build.workshop import BuildOptions
    from accord.wheels.compare import Change
    from accord.wheels.contents import Contents
    from accord.wheels.textdiff import TextDiff

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
_BINARY = 1 << 28  # bytes of a member that is compared byte by byte


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
            closed=policy.closed,
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
    found = compare(one, other)
    lines = [f"{each.path}: only in the first" for each in found.removed]
    lines += [f"{each.path}: only in the second" for each in found.added]
    texts = {each.path: each for each in text_diffs(found)}
    with open_contents(one) as before, open_contents(other) as after:
        for change in found.changed:
            lines += _told(change, texts.get(change.path), before, after)
    if found.container:
        lines = ["the members are the same; the archive around them is not (compression, or its header)"]
        if one.endswith(".gz") and _gzip_head(one) != _gzip_head(other):
            lines = ["the gzip header differs: it holds a time or a name"]
    more = len(lines) - _MEMBERS * _LINES
    if more > 0:
        lines = [*lines[: _MEMBERS * _LINES], f"… and {more} lines more"]
    return [f"{os.path.basename(one)}:", *(f"  {line}" for line in lines)]


def _told(change: Change, text: TextDiff | None, before: Contents, after: Contents) -> Iterator[str]:
    old, new = change.old, change.new
    assert old is not None and new is not None
    words = {
        "mode": f"mode {old.mode:o} and {new.mode:o}",
        "time": f"time {old.when} and {new.when}",
        "owner": f"owner {old.owner!r:.80} and {new.owner!r:.80}",
        "order": "stands at another place",
    }
    for what in change.what:
        if what == "content":
            yield from _contents(change, text, before, after)
        else:
            yield f"{change.path}: {words.get(what, what)}"


def _contents(change: Change, text: TextDiff | None, before: Contents, after: Contents) -> Iterator[str]:
    """Where the contents differ: the lines of a text, the section of a shared object, the byte of anything else; of what
    was too large to be read, only that they do."""
    if text is not None and text.lines:
        yield f"{change.path}: contents"
        lines = [line for line in text.lines[2:] if line[:1] in "+-"]  # below the two that name the file
        yield from (f"  {line:.160}" for line in lines[:_LINES])
        if len(lines) > _LINES:
            yield "  …"
        return
    assert change.old is not None and change.new is not None
    sizes = f"contents ({change.old.size} and {change.new.size} bytes)"
    # One member at a time: all of them at once might not fit into memory.
    one = before.read({change.old.path}, _BINARY).get(change.old.path)
    other = after.read({change.new.path}, _BINARY).get(change.new.path)
    if one is None or other is None:
        yield f"{change.path}: {sizes}"
        return
    section = _first_section(one, other) if one.startswith(b"\x7fELF") else None
    if section is not None:
        yield f"{change.path}: {sizes}, first in {section}"
        return
    pairs = enumerate(zip(one, other, strict=False))
    place = next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
    yield f"{change.path}: {sizes}, from byte {place}"


def _gzip_head(path: str) -> bytes:
    """Flags and time (RFC 1952, 2.3); what stands behind them depends on how it is compressed."""
    with open(path, "rb") as file:
        return file.read(8)[3:]


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
