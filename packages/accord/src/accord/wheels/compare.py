"""Two wheels, or two sdists, difference by difference: files, their modes, times and order, and the metadata.

What is compared is what was meant before what was written: a wheel's special folders are one and the same under two
versions, the folder of an sdist is left out, requirements are compared as requirements where that is asked for.  It
reads both archives once and prints nothing; two files that are the same byte for byte are not opened at all.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from accord.wheels.contents import File, kind_of, open_contents, sha256_of
from accord.wheels.documents import compare_documents
from accord.wheels.limits import DEFAULT
from accord_core.errors import UsageError

if TYPE_CHECKING:
    from accord.wheels.contents import Contents
    from accord.wheels.documents import FieldChange
    from accord.wheels.limits import Limits

__all__ = ["IGNORABLE", "LOOSE", "Change", "Comparison", "Ignoring", "compare"]

IGNORABLE = ("times", "modes", "order", "packing", "owners", "generator", "record", "spelling")


@dataclass(frozen=True, slots=True)
class Ignoring:
    """What is no difference.

    ``times``, ``modes``, ``order`` and ``owners`` of members; ``packing``: how they are packed; ``generator``: the
    Generator of WHEEL, Metadata-Version and Dynamic, which say who wrote the metadata and how; ``record``: RECORD,
    which differs when anything does; ``spelling``: two ways to write one requirement, name, version or list.
    """

    times: bool = False
    modes: bool = False
    order: bool = False
    packing: bool = False
    owners: bool = False
    generator: bool = False
    record: bool = False
    spelling: bool = False


LOOSE = Ignoring(*[True] * len(IGNORABLE))


@dataclass(frozen=True, slots=True)
class Change:
    """A member on one side only, or on both with ``what`` differs: ``content``, ``mode``, ``time``, ``order``,
    ``packing``, ``owner``, ``kind``.  ``path`` is the common one (``*.dist-info/WHEEL`` of two versions)."""

    path: str
    what: tuple[str, ...]
    old: File | None
    new: File | None

    def as_dict(self) -> dict[str, object]:
        return {
            "path": self.path,
            "what": list(self.what),
            "old": None if self.old is None else self.old.as_dict(),
            "new": None if self.new is None else self.new.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """``identical_bytes``: the two files are the same.  ``same``: nothing differs that was not to be ignored.

    ``container`` says that no member differs and the files do: in how they are packed, or in headers of the archive.
    """

    old: str
    new: str
    kind: str
    identical_bytes: bool
    added: tuple[Change, ...] = ()
    removed: tuple[Change, ...] = ()
    changed: tuple[Change, ...] = ()
    metadata: tuple[FieldChange, ...] = ()
    container: bool = False

    @property
    def same(self) -> bool:
        return not (self.added or self.removed or self.changed or self.metadata or self.container)

    def as_dict(self) -> dict[str, object]:
        return {
            "old": self.old,
            "new": self.new,
            "kind": self.kind,
            "identical_bytes": self.identical_bytes,
            "same": self.same,
            "added": [change.as_dict() for change in self.added],
            "removed": [change.as_dict() for change in self.removed],
            "changed": [change.as_dict() for change in self.changed],
            "metadata": [change.as_dict() for change in self.metadata],
            "container": self.container,
        }


def compare(old: str, new: str, *, ignoring: Ignoring = Ignoring(), limits: Limits = DEFAULT) -> Comparison:
    """Compare two wheels or two sdists.

    Raises ``UsageError`` ``kinds-differ``, and as ``open_contents`` does.
    """
    kind = kind_of(old)
    if kind_of(new) != kind:
        raise UsageError(
            "kinds-differ", f"{old} and {new} are a wheel and an sdist", hint="compare two of one kind"
        )
    if sha256_of(old) == sha256_of(new):
        return Comparison(old, new, kind, True)
    with open_contents(old, limits) as before, open_contents(new, limits) as after:
        one, other = _Side(before, ignoring), _Side(after, ignoring)
        removed = tuple(
            Change(path, (), file, None) for path, file in one.files.items() if path not in other.files
        )
        added = tuple(
            Change(path, (), None, file) for path, file in other.files.items() if path not in one.files
        )
        metadata = compare_documents(
            before, after, generator=ignoring.generator, spelling=ignoring.spelling, limits=limits
        )
        changed = _changed(one, other, ignoring)
        if ignoring.spelling or ignoring.generator:
            # Documents were compared for what they say, which is all that is asked of them here.
            changed = tuple(left for change in changed if (left := _without_content(change)) is not None)
    nothing = not (added or removed or changed or metadata)
    container = nothing and ignoring == Ignoring()
    return Comparison(old, new, kind, False, added, removed, changed, metadata, container)


_DOCUMENTS = frozenset(
    ("*.dist-info/METADATA", "*.dist-info/WHEEL", "*.dist-info/entry_points.txt", "PKG-INFO")
)


def _without_content(change: Change) -> Change | None:
    if change.path not in _DOCUMENTS or "content" not in change.what:
        return change
    left = tuple(what for what in change.what if what != "content")
    return replace(change, what=left) if left else None


class _Side:
    """One of the two: its files by the path they have in common with the other side's, and what they hold."""

    def __init__(self, contents: Contents, ignoring: Ignoring) -> None:
        special = _special(contents)
        self.files = {_common(file.path, special): file for file in contents.files}
        self.digests = {_common(path, special): digest for path, digest in contents.digests().items()}
        if ignoring.record:
            for path in [path for path in self.files if path.endswith(".dist-info/RECORD")]:
                del self.files[path]


def _special(contents: Contents) -> dict[str, str]:
    """What the special folders of a wheel are called whatever its version is."""
    if contents.kind != "wheel":
        return {}
    stem = "-".join(contents.filename.split("-")[:2])
    return {f"{stem}.dist-info": "*.dist-info", f"{stem}.data": "*.data"}


def _common(path: str, special: dict[str, str]) -> str:
    top, slash, rest = path.partition("/")
    return f"{special[top]}/{rest}" if slash and top in special else path


def _changed(one: _Side, other: _Side, ignoring: Ignoring) -> tuple[Change, ...]:
    both = [path for path in one.files if path in other.files]
    moved = set() if ignoring.order else _moved(both, [path for path in other.files if path in one.files])
    found = []
    for path in both:
        old, new = one.files[path], other.files[path]
        what = []
        if (old.kind, old.target) != (new.kind, new.target):
            what.append("kind")
        elif one.digests.get(path) != other.digests.get(path):
            what.append("content")
        if old.mode != new.mode and not ignoring.modes:
            what.append("mode")
        if old.when != new.when and not ignoring.times:
            what.append("time")
        if old.owner != new.owner and not ignoring.owners:
            what.append("owner")
        if (
            not ignoring.packing
            and "content" not in what
            and (old.packed, old.method) != (new.packed, new.method)
        ):
            what.append("packing")
        if path in moved:
            what.append("order")
        if what:
            found.append(Change(path, tuple(what), old, new))
    return tuple(found)


def _moved(before: list[str], after: list[str]) -> set[str]:
    """The fewest members whose moving explains the new order: those outside a longest common run."""
    place = {path: number for number, path in enumerate(after)}
    sequence = [place[path] for path in before]
    ends: list[int] = []  # of increasing runs by length, the smallest last element
    at: list[int] = []  # which member that is
    previous = [-1] * len(sequence)
    for number, value in enumerate(sequence):
        length = bisect_left(ends, value)
        previous[number] = at[length - 1] if length else -1
        ends[length : length + 1] = [value]
        at[length : length + 1] = [number]
    kept = set()
    number = at[-1] if at else -1
    while number >= 0:
        kept.add(before[number])
        number = previous[number]
    return set(before) - kept
