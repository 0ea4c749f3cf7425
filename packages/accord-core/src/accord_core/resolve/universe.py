"""A universe: the closed, ordered candidates of one project from one source, and masks over them (hot module).

May know version ordering and specifiers; must not know files, indexes or policy.  Eligibility (pre-releases, yanks,
``Requires-Python``, tags) is a mask handed in by the provider, because it belongs to a target, not to a version.
"""

from __future__ import annotations

from accord_core.project.versions import sort_key, specifier_mask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Universe"]


class Universe:
    """Candidates of ``project``, ascending; bit ``len(versions)`` of a mask means *absent*.

    ``eligible`` is the mask of versions that may be chosen, fixed before solving.  ``spellings`` gives, for a version
    index, the raw spellings ``===`` compares with (PEP 440, "Arbitrary equality").  ``masks`` maps a specifier's text
    to its mask and may be preloaded; ``grown`` says that masks were added to it since.  ``direct`` is the direct
    reference (URL) when this is a universe of one.  ``missing`` says why the universe is empty: ``"unknown"`` when no
    source has the project, ``"empty"`` when it has no candidate at all.  ``keys`` are the versions' sort keys, if known.
    """

    __slots__ = (
        "_keys",
        "absent",
        "direct",
        "eligible",
        "full",
        "grown",
        "masks",
        "missing",
        "project",
        "source",
        "spellings",
        "versions",
    )

    def __init__(
        self,
        project: str,
        versions: tuple[str, ...],
        *,
        eligible: int | None = None,
        source: str = "",
        spellings: dict[int, tuple[str, ...]] | None = None,
        masks: dict[str, int] | None = None,
        direct: str | None = None,
        missing: str | None = None,
        keys: Sequence[bytes] | None = None,
    ) -> None:
        self.project = project
        self.versions = versions
        self.source = source
        self.absent = 1 << len(versions)
        self.full = (self.absent << 1) - 1
        self.eligible = self.absent - 1 if eligible is None else eligible
        self.spellings = spellings or {}
        self.masks: dict[str, int] = {} if masks is None else masks
        self.grown = False
        self.direct = direct
        self.missing = missing
        self._keys = keys

    def mask(self, specifier: str) -> int:
        """The versions that satisfy ``specifier``, pre-releases included; never the absent bit.

        ``@ URL`` is a direct reference: all of a universe made for that URL, nothing of any other.
        """
        if not specifier:
            return self.absent - 1
        if specifier[0] == "@":
            return self.absent - 1 if self.direct == specifier[2:] else 0
        known = self.masks.get(specifier)
        if known is None:
            if self._keys is None:
                self._keys = [sort_key(version) for version in self.versions]
            known = specifier_mask(self.versions, self._keys, self.spellings, specifier)
            self.masks[specifier] = known
            self.grown = True
        return known

    def index(self, version: str) -> int | None:
        """The bit of ``version`` (PEP 440 normal form), or None."""
        try:
            return self.versions.index(version)
        except ValueError:
            return None

    def words(self, mask: int) -> str:
        """A mask in the words of a person: single versions, or runs written as bounds.

        Versions that may not be chosen anyway neither break a run nor keep it from being "all versions", unless the
        mask speaks of nothing else.
        """
        bits = mask & (self.absent - 1)
        counted = self.eligible if bits & self.eligible else self.absent - 1
        bits &= counted
        if bits == counted:
            return "all versions"
        places = [place for place in range(len(self.versions)) if counted >> place & 1]
        runs: list[str] = []
        at = 0
        while at < len(places):
            start = at
            while at < len(places) and bits >> places[at] & 1:
                at += 1
            if at > start:
                runs.append(self._run(places, start, at - 1))
            at += 1
        return ", ".join(runs) if len(runs) <= 6 else ", ".join([*runs[:3], "…", *runs[-2:]])

    def _run(self, places: list[int], first: int, last: int) -> str:
        versions = self.versions
        if first == last:
            return versions[places[first]]
        if first == 0:
            return f"<={versions[places[last]]}"
        if last == len(places) - 1:
            return f">={versions[places[first]]}"
        return f"{versions[places[first]]} to {versions[places[last]]}"
