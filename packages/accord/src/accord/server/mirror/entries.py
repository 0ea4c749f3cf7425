"""The files of an upstream page that an index can have: with a hash, a version, and an age."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from accord.server.mirror.rules import Candidate
from accord_core.index.filenames import SDIST, WHEEL, kind, split_sdist, split_wheel

if TYPE_CHECKING:
    from accord_core.index.model import File, Page

__all__ = ["Entry", "candidates", "clean", "instant", "storable", "usable_files"]

_SHA256_LETTERS = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """A usable file of a page."""

    file: File
    kind: str
    version: str
    tags: str
    uploaded: int


def clean(page: Page) -> Page:
    """The same page, of texts every database takes."""
    page.name, page.status_reason = storable(page.name) or "", storable(page.status_reason)
    for file in page.files:
        file.requires_python = storable(file.requires_python)
        file.yank_reason, file.provenance = storable(file.yank_reason), storable(file.provenance)
    return page


def storable(text: str | None) -> str | None:
    """Without NUL and halves of characters, which JSON can say and databases cannot keep."""
    if text is None or (text.isascii() and "\0" not in text):
        return text
    return text.encode(errors="replace").decode().replace("\0", "\ufffd")


def usable_files(page: Page, project: str, seen: Mapping[str, int], now: int) -> dict[str, Entry]:
    """The files of a page that can be checked and named: with a SHA-256, and a version of this project.  ``seen``: when
    those were uploaded of which upstream does not say it, ``now`` if they are new."""
    found: dict[str, Entry] = {}
    for file in page.files:
        if len(file.hashes.get("sha256", "")) != _SHA256_LETTERS or len(file.filename) > 250:
            continue
        what = kind(file.filename)
        wheel = split_wheel(file.filename) if what == WHEEL else None
        sdist = split_sdist(file.filename, project) if what == SDIST else None
        written = wheel.version if wheel is not None else sdist[1] if sdist is not None else None
        try:
            version = None if written is None else str(Version(written))
        except InvalidVersion:
            continue
        if version is None:
            continue
        tags = "" if wheel is None else f"{wheel.python}-{wheel.abi}-{wheel.platform}"
        uploaded = instant(file.upload_time) or seen.get(file.filename, now)
        found.setdefault(
            file.filename, Entry(file, "wheel" if wheel is not None else "sdist", version, tags, uploaded)
        )
    return found


def candidates(entries: Mapping[str, Entry]) -> tuple[Candidate, ...]:
    """The same for the rules."""
    return tuple(
        Candidate(name, Version(entry.version), entry.file.hashes["sha256"], entry.uploaded)
        for name, entry in entries.items()
    )


def instant(text: str | None) -> int | None:
    """Microseconds of a PEP 700 ``upload-time``."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if found.tzinfo is None else round(found.timestamp() * 1_000_000)
