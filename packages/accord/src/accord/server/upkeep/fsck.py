"""Whether an index is what it says: rows, blobs, names, serials held against each other.

:func:`check` finds; with ``repair`` it also puts right what can be put right without guessing.  What cannot is explained:
bytes that are lost come back only by uploading the same file again, which is taken because its name and digest are known.
Blobs nobody points at are left alone for a grace time, because bytes are stored before the block that enters them.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from accord.server.archives.examine import examine
from accord.server.errors import Refused
from accord.server.upkeep import ledger
from accord.server.upkeep.needed import needed

if TYPE_CHECKING:
    from accord.server.parts import Parts
    from accord.server.upkeep.needed import Needed

__all__ = ["GRACE", "Fault", "check"]

GRACE = 86_400.0
"""Seconds a blob may lie there before a row points at it."""

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Fault:
    """``code`` names the kind of damage, ``subject`` what it is of, ``words`` say it, ``remedy`` what was done or is to be
    done.  ``repairable``: ``--repair`` can put it right; ``repaired``: it did."""

    code: str
    subject: str
    words: str
    remedy: str
    repairable: bool = False
    repaired: bool = False


def check(
    parts: Parts,
    *,
    repair: bool = False,
    digests: bool = True,
    grace: float = GRACE,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[Fault, ...]:
    """Every fault there is.  ``digests``: read all bytes, not only their sizes.  Raises ``Refused`` where the database or
    the storage does not answer."""
    found: list[Fault] = []
    tell("rows")
    for fault, mend in ledger.faults(parts.database):
        one = Fault(fault.code, fault.subject, fault.words, fault.remedy, repairable=mend is not None)
        if repair and mend is not None:
            with parts.database.write("system", even_read_only=True) as writing:
                mend(writing)
            one = replace(one, repaired=True)
        found.append(one)
    tell("blobs")
    found.extend(_blobs(parts, repair, digests))
    tell("orphans")
    found.extend(_orphans(parts, repair, grace))
    return tuple(found)


def _blobs(parts: Parts, repair: bool, digests: bool) -> Iterator[Fault]:
    """What rows point at: there, as large as they say, with the bytes their name says."""
    with parts.database.read() as connection:
        pointers = [one for one in needed(connection) if one.must]
    seen: dict[str, str | None] = {}  # what is wrong with a blob, once for all who point at it
    for one in pointers:
        if not _SHA256.match(one.sha256):
            yield Fault(
                "row-digest",
                one.subject,
                f"{one.table}.{one.column} is no digest",
                "restore the row from a copy",
            )
            continue
        if one.sha256 not in seen:
            seen[one.sha256] = _wrong(parts, one.sha256, digests)
            if seen[one.sha256] == "damaged" and repair:
                parts.storage.delete(one.sha256)
        wrong = seen[one.sha256]
        if wrong is None:
            size = parts.storage.size(one.sha256) if one.size is not None else None
            if one.size is not None and size != one.size:
                yield _size(parts, one, size, repair)
            continue
        yield _lost(parts, one, wrong, repair)


def _wrong(parts: Parts, sha256: str, digests: bool) -> str | None:
    if parts.storage.size(sha256) is None:
        return "missing"
    if not digests:
        return None
    running = hashlib.sha256()
    for piece in parts.storage.stream(sha256):
        running.update(piece)
    return None if running.hexdigest() == sha256 else "damaged"


def _size(parts: Parts, one: Needed, size: int | None, repair: bool) -> Fault:
    # The digest was right, so the row is wrong.
    if repair and size is not None:
        with parts.database.write("system", even_read_only=True) as writing:
            ledger.set_size(writing, one.table, one.sha256, size)
    return Fault(
        "row-size",
        one.subject,
        f"{one.table} says {one.size} bytes, its bytes are {size}",
        "the row says what the bytes are",
        repairable=True,
        repaired=repair and size is not None,
    )


def _lost(parts: Parts, one: Needed, wrong: str, repair: bool) -> Fault:
    code, words = f"blob-{wrong}", f"the bytes of {one.table}.{one.column} {one.sha256} are {wrong}"
    if one.table in ("upstream_page", "upstream_file"):
        if repair:
            with parts.database.write("system", even_read_only=True) as writing:
                ledger.forget_cached(writing, one)
        return Fault(code, one.subject, words, "it is fetched from upstream again", True, repair)
    if one.table == "file" and one.column == "metadata_sha256":
        again = _metadata(parts, one)
        if again is None:
            return Fault(code, one.subject, words, "the file itself has to come back first: upload it again")
        if repair:
            parts.storage.put_bytes(one.sha256, again)
        return Fault(code, one.subject, words, "taken from the file again", True, repair)
    thrown = "; the damaged bytes are thrown away" if repair and wrong == "damaged" else ""
    return Fault(
        code,
        one.subject,
        words,
        f"upload the same file again, or withdraw it, or restore the storage{thrown}",
    )


def _metadata(parts: Parts, one: Needed) -> bytes | None:
    """The core metadata of a file, from its bytes; ``None`` where they are not those the row names."""
    with parts.database.read() as connection:
        sha256 = ledger.file_of_metadata(connection, one)
    if sha256 is None or _wrong(parts, sha256, digests=True) is not None:
        return None
    path = parts.incoming_path()
    try:
        with open(path, "xb") as file:
            for piece in parts.storage.stream(sha256):
                file.write(piece)
        found = examine(path, one.subject)
    except Refused:
        return None
    finally:
        if os.path.exists(path):
            os.unlink(path)
    return found.metadata if found.metadata_sha256 == one.sha256 else None


def _orphans(parts: Parts, repair: bool, grace: float) -> Iterator[Fault]:
    """What lies in the storage and nobody points at."""
    before = parts.now() - int(grace * 1_000_000)
    listed = list(parts.storage.listing())  # before the rows are read: what is entered meanwhile is known
    with parts.database.read() as connection:
        known = {one.sha256 for one in needed(connection)}
    for blob in listed:
        if not _SHA256.match(blob.sha256):
            yield Fault(
                "blob-foreign",
                blob.sha256,
                "the storage holds something that is no blob",
                "take away what does not belong there",
            )
        elif blob.sha256 not in known and blob.at < before:
            if repair:
                _release(parts, blob.sha256)
            yield Fault(
                "blob-unknown",
                blob.sha256,
                f"nobody points at these {blob.size} bytes",
                "deleted" if repair else "--repair deletes them",
                True,
                repair,
            )


def _release(parts: Parts, sha256: str) -> None:
    with parts.database.write("system", even_read_only=True) as writing:
        writing.turn("blobs")  # whoever begins to point at a blob holds this turn
        if all(one.sha256 != sha256 for one in needed(writing.connection)):
            parts.storage.delete(sha256)
