"""Whether a source tree is the one it was: a digest of what a build could read there.

Of contents, not of times, because builds write files anew that say the same (``_version.py``).  What builds, tests and
version control leave in a tree is no part of it.
"""

from __future__ import annotations

import os

from accord.io.digests import sha256

__all__ = ["DECIDING", "TreeLimits", "tree_digest"]

DECIDING = (
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
)  # what an editable build depends on besides where it is
_LEFT_OUT = frozenset(
    (
        ".accord", ".git", ".hg", ".svn", ".mypy_cache", ".nox", ".pytest_cache", ".ruff_cache", ".tox", ".venv",
        "__pycache__", "node_modules",
    )
)  # fmt: skip
_LEFT_OUT_ON_TOP = frozenset(("build", "dist", "venv"))
_ENDINGS = (".egg-info", ".pyc")


class TreeLimits:
    """``files`` that are looked at, each with its content up to ``file_bytes`` and all together up to ``bytes``; of what
    is beyond, size and time count, and from one file too many on only that there are more."""

    __slots__ = ("bytes", "file_bytes", "files")

    def __init__(self, files: int = 50_000, file_bytes: int = 4_000_000, total: int = 128_000_000) -> None:
        self.files = files
        self.file_bytes = file_bytes
        self.bytes = total


_USUAL = TreeLimits()


def tree_digest(folder: str, limits: TreeLimits = _USUAL) -> str:
    """The hex sha256 of every path below ``folder``, what kind it is, whether it may be run and what it holds; links are
    not followed.  What cannot be read counts as such."""
    digest = sha256()
    left, room = limits.files, limits.bytes
    queue = [""]
    while queue:
        here = queue.pop()
        try:
            with os.scandir(os.path.join(folder, here)) as found:
                entries = sorted(found, key=lambda one: one.name)
        except OSError as error:
            digest.update(repr((here, error.errno)).encode())
            continue
        for entry in entries:
            name = entry.name
            if name in _LEFT_OUT or name.endswith(_ENDINGS) or (not here and _is_made(entry)):
                continue
            left -= 1
            if left < 0:
                digest.update(b"more")
                return digest.hexdigest()
            path = f"{here}/{name}" if here else name
            if entry.is_dir(follow_symlinks=False):
                queue.append(path)
                continue
            said, size = _file(entry, limits.file_bytes if room > 0 else 0)
            room -= size
            digest.update(repr((path, said)).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _is_made(entry: os.DirEntry[str]) -> bool:
    """Whether a name on top is of what builds make, and no package that is called so."""
    return entry.name in _LEFT_OUT_ON_TOP and not os.path.isfile(f"{entry.path}/__init__.py")


def _file(entry: os.DirEntry[str], most: int) -> tuple[object, int]:
    """What a file says, and how many bytes of it were read."""
    try:
        if entry.is_symlink():
            return os.readlink(entry.path), 0
        status = entry.stat(follow_symlinks=False)
        if not entry.is_file(follow_symlinks=False):
            return status.st_mode, 0
        executable = bool(status.st_mode & 0o111)
        if status.st_size > most:
            return (status.st_size, status.st_mtime_ns, executable), 0
        with open(entry.path, "rb") as file:
            data = file.read(most)
        return (sha256(data).digest(), executable), len(data)
    except OSError as error:
        return error.errno, 0
