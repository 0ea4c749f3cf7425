"""Wheels and sdists as files, for ``accord wheel``: look inside, compare, verify, take apart, put together, retag.

Each function is one use case over files the user names; the work is ``accord.wheels``'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accord.wheels import compare, inspection, packing, tagging, textdiff, unpacking, verification
from accord.wheels.compare import IGNORABLE, Change, Comparison, Ignoring
from accord.wheels.contents import kind_of
from accord.wheels.inspection import Inspection
from accord.wheels.tagging import Retagging
from accord.wheels.tree import Folder, tree_of
from accord_core.archive.zipwriter import source_date
from accord_core.errors import AccordError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from accord.wheels.packing import Packed
    from accord.wheels.tagging import Retagged
    from accord.wheels.textdiff import TextDiff
    from accord.wheels.unpacking import Unpacked
    from accord.wheels.verification import Verification

__all__ = [
    "IGNORABLE",
    "Change",
    "Comparison",
    "Folder",
    "Inspection",
    "Retagging",
    "compare_files",
    "inspect_file",
    "pack_folder",
    "retag_files",
    "tree_of",
    "unpack_file",
    "verify_files",
    "write_page",
]


def inspect_file(path: str) -> Inspection:
    """What the wheel or sdist at ``path`` is and holds.  UsageError, ArchiveError."""
    return inspection.inspect(path)


def write_page(found: Inspection, output: str) -> None:
    """The inspection as one HTML page at ``output``.  Raises as ``write_output``."""
    from accord.io.outputs import write_output
    from accord.wheels.page import page

    write_output(output, page(found).encode("utf-8", "replace"))


def compare_files(
    old: str, new: str, *, ignore: Sequence[str] = (), text: bool = False
) -> tuple[Comparison, tuple[TextDiff, ...]]:
    """Two wheels or two sdists; ``ignore`` are names of :data:`IGNORABLE`.  Its errors have exit status 2, as those of
    ``cmp``: 1 is the answer that they differ."""
    try:
        found = compare.compare(old, new, ignoring=Ignoring(**dict.fromkeys(ignore, True)))
        return found, textdiff.text_diffs(found) if text else ()
    except AccordError as error:
        error.exit_status = 2
        raise


def verify_files(paths: Sequence[str], *, require: Sequence[str] = ()) -> tuple[Verification, ...]:
    """Each wheel against its RECORD and its name; ``require`` are digests (``sha256:HEX``) one of which each file
    must have."""
    digests = tuple(verification.parse_hash(text) for text in require)
    for path in paths:
        kind_of(path)  # a name that is none is said before the first large file is read
    return tuple(verification.verify(path, require=digests) for path in paths)


def unpack_file(path: str, into: str) -> Unpacked:
    """The wheel at ``path`` into ``into``/NAME-VERSION.  UsageError, ArchiveError, InstallError."""
    return unpacking.unpack(path, into)


def pack_folder(folder: str, into: str, *, build: str | None, environ: Mapping[str, str]) -> Packed:
    """A wheel of ``folder`` in ``into``; its moment is ``SOURCE_DATE_EPOCH`` of ``environ``, else 1980."""
    when = source_date(environ.get("SOURCE_DATE_EPOCH"))
    return packing.pack(folder, into, build=build, when=when)


def retag_files(paths: Sequence[str], wanted: Retagging, *, remove: bool) -> tuple[Retagged, ...]:
    """Each wheel under other tags, beside it.  Stops at the first that cannot be; those before it are done."""
    return tuple(tagging.retag(path, wanted, remove=remove) for path in paths)
