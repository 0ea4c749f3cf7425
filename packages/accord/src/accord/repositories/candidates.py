"""From a page to candidates: what of it a target can use, and what a version needs there (hot).

May know groups of files, tags, versions and markers; must not know where a page came from or where the result is kept.
:func:`compile_page` turns the groups of a page into a :class:`Warm` record for one target, which is all that a warm
resolve reads.
"""

from __future__ import annotations

import marshal

from accord.repositories.groups import older, split
from accord_core.errors import AccordError
from accord_core.index.filenames import few_tags
from accord_core.names import normalise
from accord_core.project.markers import evaluate_marker
from accord_core.project.requirement import parse_requirement
from accord_core.project.versions import is_prerelease, keyed, satisfies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from accord.repositories.groups import Groups
    from accord_core.resolve.port import Dependency

    Needs = dict[str, tuple[Dependency, ...]]

__all__ = ["Target", "Warm", "compile_page", "decide"]


_MOST_REQUIREMENTS = 10_000  # of one version; collections that need everything of a field have under 2,000
_MOST_EXTRAS = 5_000


class Target:
    """What versions are chosen for: PEP 508 ``markers``, wheel ``tags`` best first, and an ``identity`` (a digest).

    Answers are remembered: a page of two thousand versions has few distinct tags and ``Requires-Python`` values.
    """

    __slots__ = (
        "_markers_seen",
        "_pythons",
        "_pythons_seen",
        "_ranks",
        "_tags_seen",
        "identity",
        "markers",
        "tags",
    )

    def __init__(self, markers: dict[str, str], tags: tuple[str, ...], identity: str) -> None:
        self.markers = markers
        self.tags = tags
        self.identity = identity
        self._ranks: dict[str, int] | None = None
        self._pythons: frozenset[str] | None = None
        self._tags_seen: dict[str, int | None] = {}
        self._pythons_seen: dict[str, bool] = {}
        self._markers_seen: dict[str, bool] = {}

    def rank(self, tags: str) -> int | None:
        """The place of the best tag of a compressed set ``python-abi-platform`` among ours, or None: not usable (a set
        of too many tags is no wheel's: :func:`~accord_core.index.filenames.few_tags`)."""
        try:
            return self._tags_seen[tags]
        except KeyError:
            pass
        if self._ranks is None:
            self._ranks = {tag: place for place, tag in enumerate(self.tags)}
        if not few_tags(tags):
            self._tags_seen[tags] = None
            return None
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

    def same_python(self, tags: str) -> bool:
        """Whether a compressed set has a tag of this Python, whatever its platform."""
        if self._pythons is None:
            self._pythons = frozenset([tag.rpartition("-")[0] for tag in self.tags])
        if not few_tags(tags):
            return False
        python, abi, _ = tags.lower().split("-")
        if f"{python}-{abi}" in self._pythons:
            return True
        return any(f"{one}-{two}" in self._pythons for one in python.split(".") for two in abi.split("."))

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


class Warm:
    """One project for one target, ready to solve.  All masks are over ``versions``.

    ``wheels``: versions with a usable wheel; ``sdists``: with an sdist this Python may build; ``yanked``: all of whose
    usable files are yanked; ``pre``: pre-releases.  ``masks`` and ``needs`` grow as questions are answered:
    ``needs[version]`` is what :func:`decide` gave, or ``(code, reason)`` for a version that is not usable;
    ``files[version]`` the fields of the files of a version that was locked once.
    """

    __slots__ = (
        "files",
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
        files: dict[str, list[tuple[object, ...]]] | None = None,
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
        self.files = {} if files is None else files
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
                self.files,
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
) -> tuple[Warm, list[bytes]]:
    """The warm record of a page for ``target``, without any mask or need yet, and the sort keys of its versions.

    With ``cutoff`` (UTC, ``YYYY-MM-DDTHH:MM:SS…``) files uploaded then or later, and files that do not say when, are
    as if they were not there (PEP 700 "upload-time"); the versions stay, so that masks keep their meaning.
    """
    # By key: the normal form (as the page spells it first), what there is of it, and its spellings.
    found: dict[bytes, tuple[str, int, tuple[str, ...]]] = {}
    for raw, has in _survey(groups, target, cutoff).items():
        try:
            key, version = keyed(raw)
        except ValueError:
            continue
        known = found.get(key)
        found[key] = (version, has, (raw,)) if known is None else (known[0], known[1] | has, (*known[2], raw))
    keys = sorted(found)
    versions: list[str] = []
    spellings: dict[int, tuple[str, ...]] = {}
    wheels = sdists = yanked = pre = 0
    for index, key in enumerate(keys):
        version, has, spelt = found[key]
        versions.append(version)
        if spelt != (version,):
            spellings[index] = spelt
        if has & _WHEEL:
            wheels |= 1 << index
        if has & _SDIST:
            sdists |= 1 << index
        if has and not has & _KEPT:
            yanked |= 1 << index
        if not version.replace(".", "").isdigit() and is_prerelease(version):
            pre |= 1 << index
    return Warm(tuple(versions), spellings, wheels, sdists, yanked, pre, {}, {}, status), keys


# What there is of a version that the target can use: a wheel, an sdist, and one of either that is not yanked.
_WHEEL, _SDIST, _KEPT = 1, 2, 4
_SETTLED = _WHEEL | _KEPT  # another wheel changes nothing


def _survey(groups: Groups, target: Target, cutoff: str | None) -> dict[str, int]:
    """What there is of each version, by its version as written."""
    # A hundred thousand files of a cold resolve pass here, so what most of them share is found with few steps: a page
    # lists the wheels of a release beside each other, and once one of them can be had, the rest say nothing new.
    project = groups.project
    found: dict[str, int] = {}
    fits: dict[str | None, bool] = {}
    places: dict[str, int | None] = {}
    release, released, settled = (
        "\n",
        "",
        False,
    )  # how the last wheel's name began, its version, whether that is known
    for entry in groups.entries:
        filename = entry.filename
        raw, tags = released, None
        if filename.startswith(release) and filename.endswith(".whl"):
            if settled:
                continue
            tags = filename[len(release) : -4]
        if tags is None or tags.count("-") != 2:
            parts = split(filename, project)
            if parts is None:
                continue
            raw, tags = parts
            if tags is not None:
                release, released = filename[: filename.index("-") + len(raw) + 2], raw
        has = found.setdefault(raw, 0)
        python = entry.requires_python
        fit = fits.get(python)
        if fit is None:
            fit = fits[python] = target.python_fits(python)
        if fit and (cutoff is None or older((entry, tags, raw), cutoff)):
            if tags is None:
                has |= _SDIST if entry.yanked else _SDIST | _KEPT
            else:
                if tags not in places:
                    places[tags] = target.rank(tags)
                if places[tags] is not None:
                    has |= _WHEEL if entry.yanked else _WHEEL | _KEPT
            found[raw] = has
        if raw == released:
            settled = has & _SETTLED == _SETTLED
    return found


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
    requirements = tuple(requirements)
    if len(requirements) > _MOST_REQUIREMENTS or len(provided) > _MOST_EXTRAS:
        found = f"has {len(requirements):,} requirements and {len(provided):,} extras"
        most = f"{_MOST_REQUIREMENTS:,} and {_MOST_EXTRAS:,}"
        return ("metadata-invalid", f"{found}, where {most} are the most that is read")
    needs: dict[str, list[Dependency]] = {"": [], **{extra: [] for extra in provided}}
    for text in requirements:
        try:
            requirement = parse_requirement(text)
            marker = requirement.marker
            if marker is None or target.holds(marker):
                keys = [""]
            elif "extra" in marker:
                spoken = _spellable(marker)
                keys = [extra for extra in provided if extra in spoken and target.holds(marker, extra)]
            else:
                continue
        except (ValueError, KeyError, AccordError) as error:
            why = str(error).partition("\n")[0]
            return ("metadata-invalid", f"has metadata that cannot be read ({text[:200]!r}: {why[:200]})")
        # A direct reference is written as "@ URL": only a universe made for that very reference answers it.
        specifier = requirement.specifier if requirement.url is None else f"@ {requirement.url}"
        for key in keys:
            needs[key].append((requirement.name, requirement.extras, specifier))
    return {key: tuple(dict.fromkeys(value)) for key, value in needs.items()}


def _spellable(marker: str) -> str:
    """The text in which a normalised extra must occur for the marker to speak of it."""
    return marker.lower().replace("_", "-").replace(".", "-")
