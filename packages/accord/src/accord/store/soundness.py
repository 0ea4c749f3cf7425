"""Whether the files of a folder are those that were put there, by digest and size."""

from __future__ import annotations

import hashlib
import os
import stat
from base64 import urlsafe_b64encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["faults_below", "file_matches", "spelled"]

_READ = 1 << 20


def faults_below(root: str, listed: Mapping[str, tuple[str, int]]) -> tuple[tuple[str, str], ...]:
    """``(path, kind)`` of every file of ``listed`` (``path → ("sha256=…", size)``) that is ``missing`` or ``changed``,
    and of every one that is ``foreign``: neither listed nor the manifest."""
    found = []
    for path, (hashed, size) in listed.items():
        kind = _check(f"{root}/{path}", hashed, size)
        if kind is not None:
            found.append((path, kind))
    known = {*listed, "manifest"}
    found += [(path, "foreign") for path in _walk(root) if path not in known]
    return tuple(found)


def _walk(root: str) -> list[str]:
    found: list[str] = []
    for folder, _, names in os.walk(root):
        prefix = folder[len(root) + 1 :]
        found.extend(f"{prefix}/{name}" if prefix else name for name in names)
    return found


def _check(path: str, hashed: str, size: int) -> str | None:
    try:
        status = os.lstat(path)
    except OSError:
        return "missing"
    if not stat.S_ISREG(status.st_mode) or status.st_size != size:
        return "changed"
    return None if file_matches(path, hashed) else "changed"


def file_matches(path: str, hashed: str) -> bool:
    """Whether the file has the digest ``algorithm=urlsafe base64`` as RECORD spells it."""
    algorithm, _, _ = hashed.partition("=")
    digest = hashlib.new(algorithm)
    try:
        with open(path, "rb") as file:
            while piece := file.read(_READ):
                digest.update(piece)
    except OSError:
        return False
    return spelled(algorithm, digest.digest()) == hashed


def spelled(algorithm: str, digest: bytes) -> str:
    """A digest as RECORD spells it."""
    return f"{algorithm}={urlsafe_b64encode(digest).decode().rstrip('=')}"
