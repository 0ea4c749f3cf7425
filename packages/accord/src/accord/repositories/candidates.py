"""From a page to candidates: which files belong to which version, and what of it a target can use (hot).

May know pages, file names, versions and markers; must not know where a page came from or where the result is kept.
Two steps, so that the expensive one is done once per page: :func:`group` puts the files of a page under their
versions, whatever the target; :func:`compile_page` turns the groups into a :class:`Warm` record for one target,
which is all that a warm resolve reads.
"""

from __future__ import annotations

import marshal

from accord_core.errors import AccordError
from accord_core.index.filenames import split_sdist, split_wheel
from accord_core.index.model import File
from accord_core.names import normalise
from accord_core.project.markers import evaluate_marker
from accord_core.project.requirement import parse_requirement
from accord_core.project.versions import is_prerelease, normal, satisfies, sort_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from accord_core.resolve.port import Dependency

    Row = tuple[Any, ...]
    Needs = dict[str, tuple[Dependency, ...]]

__all__ = ["Groups", "Target", "Warm", "compile_page", "decide", "file_of", "group", "older"]


class Target:
    """What versions are chosen for: PEP 508 ``markers``, wheel ``tags`` best first, and an ``identity`` (a digest).

    Answers are remembered: a page of two thousand versions has few distinct tags and ``Requires-Python`` values.
    """

    __slots__ = ("_markers_seen", "_pythons_seen", "_ranks", "_tags_seen", "identity", "markers", "tags")

    def __init__(self, markers: dict[str, str], tags: tuple[str, ...], identity: str) -> None:
        self.markers = markers
        self.tags = tags
        self.identity = identity
        self._ranks: dict[str, int] | None = None
        self._tags_seen: dict[str, int | None] = {}
        self._pythons_seen: dict[str, bool] = {}
        self._markers_seen: dict[str, bool] = {}

    def rank(self, tags: str) -> int | None:
        """The place of the best tag of a compressed set ``python-abi-platform`` among ours, or None: not usable."""
        try:
            return self._tags_seen[tags]
        except KeyError:
            pass
        if self._ranks is None:
            self._ranks = {tag: place for place, tag in enumerate(self.tags)}
        python, abi, platform = tags.lower().split("-")
        places = [
            place
            for one in python.split(".")
            for two in abi.split(".")
            for three in platform.split(".")
            if (place := self._ranks.get(f"{one}-{two}-{three}")) is not None
        ]
        best = min(places) if places else None
        self._tags_seen[tags] = best
        return best

    def python_fits(self, specifier: str | None) -> bool:
        """Whether ``Requires-Python`` admits the target; what cannot be read is no reason to refuse (as pip does)."""
        if not specifier:
            return True
        known = self._pythons_seen.get(specifier)
        if known is None:
            try:
                known = satisfies(self.markers["python_full_version"], specifier)
            except ValueError:
                known = True
            self._pythons_seen[specifier] = known
        return known

    def holds(self, marker: str, extra: str = "") -> bool:
        """Whether a marker holds with ``extra`` asked for.  Raises ValueError for what is no marker."""
        key = f"{extra} {marker}"
        known = self._markers_seen.get(key)
        if known is None:
            known = evaluate_marker(marker, self.markers, frozenset((extra,)) if extra else frozenset())
            self._markers_seen[key] = known
        return known


class Groups:
    """The files of a page under their versions (normal form, ascending), each a row: File's fields and its tags.

    ``pack`` gives bytes from which one version's rows can be had without reading the others'.
    """

    __slots__ = ("_blob", "_index", "_rows")

    def __init__(self, rows: dict[str, tuple[Row, ...]]) -> None:
        self._rows: dict[str, tuple[Row, ...]] = rows
        self._index: dict[str, tuple[int, int]] = {}
        self._blob = b""

    @classmethod
    def unpack(cls, blob: bytes) -> Groups:
        """Raises ValueError, EOFError or TypeError for bytes that ``pack`` did not make."""
        length = int.from_bytes(blob[:8], "little")
        found = cls({})
        found._index = marshal.loads(blob[8 : 8 + length])  # noqa: S302 - our own cache, not input
        found._blob = blob[8 + length :]
        return found

    def pack(self) -> bytes:
        chunks, index, at = [], {}, 0
        for version, rows in self._rows.items():
            chunk = marshal.dumps(rows)
            index[version] = (at, len(chunk))
            chunks.append(chunk)
            at += len(chunk)
        head = marshal.dumps(index)
        return b"".join((len(head).to_bytes(8, "little"), head, *chunks))

    def versions(self) -> list[str]:
        return list(self._rows or self._index)

    def rows(self, version: str) -> tuple[Row, ...]:
        found = self._rows.get(version)
        if found is None:
            place = self._index.get(version)
            if place is None:
                return ()
            chunk = self._blob[place[0] : place[0] + place[1]]
            found = self._rows[version] = marshal.loads(chunk)  # noqa: S302 - our own cache
        return found

    def files(self, version: str) -> list[File]:
        return [file_of(row) for row in self.rows(version)]


def file_of(row: Row) -> File:
    return File(row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8], None, row[9])


def group(project: str, files: Iterable[File]) -> Groups:
    """Files under their versions; names that are no wheel or sdist of ``project`` are left out, never an error."""
    found: dict[str, list[Row]] = {}
    normals: dict[str, str | None] = {}
    names: dict[str, bool] = {}
    for file in files:
        filename = file.filename
        wheel = split_wheel(filename)
        tags = None
        if wheel is not None:
            ours = names.get(wheel.name)
            if ours is None:
                ours = names[wheel.name] = normalise(wheel.name) == project
            if not ours:
                continue
            raw, tags = wheel.version, f"{wheel.python}-{wheel.abi}-{wheel.platform}"
        else:
            sdist = split_sdist(filename, project)
            if sdist is None:
                continue
            raw = sdist[1]
        try:
            version = normals[raw]
        except KeyError:
            try:
                version = normal(raw)
            except ValueError:
                version = None
            normals[raw] = version
        if version is None:
            continue
        row = (
            filename,
            file.url,
            file.hashes,
            file.requires_python,
            file.yanked,
            file.yank_reason,
            file.size,
            file.upload_time,
            file.core_metadata,
            file.provenance,
            tags,
            raw,
        )
        rows = found.get(version)
        if rows is None:
            found[version] = [row]
        else:
            rows.append(row)
    return Groups({version: tuple(found[version]) for version in sorted(found, key=sort_key)})


class Warm:
    """One project for one target, ready to solve.  All masks are over ``versions``.

    ``wheels``: versions with a usable wheel; ``sdists``: with an sdist this Python may build; ``yanked``: all of whose
    usable files are yanked; ``pre``: pre-releases.  ``masks`` and ``needs`` grow as questions are answered:
    ``needs[version]`` is what :func:`decide` gave, or ``(code, reason)`` for a version that is not usable.
    """

    __slots__ = (
        "grown",
        "masks",
        "needs",
        "pre",
        "sdists",
        "spellings",
        "status",
        "versions",
        "wheels",
        "yanked",
    )

    def __init__(
        self,
        versions: tuple[str, ...],
        spellings: dict[int, tuple[str, ...]],
        wheels: int,
        sdists: int,
        yanked: int,
        pre: int,
        masks: dict[str, int],
        needs: dict[str, Needs | tuple[str, str]],
        status: tuple[str, str | None] = ("active", None),
    ) -> None:
        self.versions = versions
        self.spellings = spellings
        self.wheels = wheels
        self.sdists = sdists
        self.yanked = yanked
        self.pre = pre
        self.masks = masks
        self.needs = needs
        self.status = status
        self.grown = False

    def pack(self) -> bytes:
        return marshal.dumps(
            (
                self.versions,
                self.spellings,
                self.wheels,
                self.sdists,
                self.yanked,
                self.pre,
                self.masks,
                self.needs,
                self.status,
            )
        )

    @classmethod
    def unpack(cls, blob: bytes) -> Warm:
        """Raises ValueError, EOFError or TypeError for bytes that ``pack`` did not make."""
        return cls(*marshal.loads(blob))  # noqa: S302 - our own cache, not input


def compile_page(
    groups: Groups,
    target: Target,
    status: tuple[str, str | None] = ("active", None),
    cutoff: str | None = None,
) -> Warm:
    """The warm record of a page for ``target``, without any mask or need yet.

    With ``cutoff`` (UTC, ``YYYY-MM-DDTHH:MM:SS…``) files uploaded then or later, and files that do not say when, are
    as if they were not there (PEP 700 "upload-time"); the versions stay, so that masks keep their meaning.
    """
    versions = tuple(groups.versions())
    spellings: dict[int, tuple[str, ...]] = {}
    wheels = sdists = yanked = pre = 0
    rank, fits = target.rank, target.python_fits
    for index, version in enumerate(versions):
        bit = 1 << index
        kept = False
        raws = None
        for row in groups.rows(version):
            tags = row[10]
            if row[11] != version:
                raws = True
            if not fits(row[3]) or (cutoff is not None and not older(row, cutoff)):
                continue
            if tags is None:
                sdists |= bit
            elif rank(tags) is not None:
                wheels |= bit
            else:
                continue
            kept = kept or not row[4]
        if raws:
            spellings[index] = tuple(dict.fromkeys(row[11] for row in groups.rows(version)))
        if (wheels | sdists) & bit and not kept:
            yanked |= bit
        if not version.replace(".", "").isdigit() and is_prerelease(version):
            pre |= bit
    return Warm(versions, spellings, wheels, sdists, yanked, pre, {}, {}, status)


def older(row: Row, cutoff: str) -> bool:
    """Whether a row's file was uploaded before ``cutoff``; seconds are what both sides always have."""
    return row[7] is not None and row[7][:19] < cutoff[:19]


def decide(
    project: str,
    requires_python: str | None,
    requirements: Iterable[str],
    extras: Iterable[str],
    target: Target,
) -> Needs | tuple[str, str]:
    """What a version needs on ``target``, by extra; or ``(code, reason)`` when it cannot be used at all.

    Markers are decided here, once.  A marker that holds without any extra puts its requirement under ``""``; one that
    holds with extra ``x`` only, under ``x``.
    """
    if not target.python_fits(requires_python):
        return ("requires-python", f"needs Python {requires_python}")
    provided = [normalise(extra) for extra in extras]
    needs: dict[str, list[Dependency]] = {"": [], **{extra: [] for extra in provided}}
    for text in requirements:
        try:
            requirement = parse_requirement(text)
            marker = requirement.marker
            if marker is None or target.holds(marker):
                keys = [""]
            elif "extra" in marker:
                keys = [
                    extra for extra in provided if extra in _spellable(marker) and target.holds(marker, extra)
                ]
            else:
                continue
        except (ValueError, KeyError, AccordError) as error:
            why = str(error).partition("\n")[0]
            return ("metadata-invalid", f"has metadata that cannot be read ({text!r}: {why})")
        # A direct reference is written as "@ URL": only a universe made for that very reference answers it.
        specifier = requirement.specifier if requirement.url is None else f"@ {requirement.url}"
        for key in keys:
            needs[key].append((requirement.name, requirement.extras, specifier))
    return {key: tuple(dict.fromkeys(value)) for key, value in needs.items()}


def _spellable(marker: str) -> str:
    """The text in which a normalised extra must occur for the marker to speak of it."""
    return marker.lower().replace("_", "-").replace(".", "-")
