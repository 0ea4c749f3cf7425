"""What may be chosen, and why the rest may not (hot).

Eligibility is one mask per project and run, fixed before solving (DESIGN, decision 2): usable files, yanks, pre-releases
and the cutoff of uploads.  Knows candidates and what a person said; must not know where pages come from.
"""

from __future__ import annotations

from accord.repositories.admission import Admission
from accord.repositories.candidates import Target, Warm, compile_page
from accord.repositories.groups import older
from accord_core.errors import RepositoryError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from accord.repositories.groups import Groups, Row
    from accord_core.index.model import File
    from accord_core.resolve.universe import Universe

__all__ = ["Policy", "unyanked"]


class Policy:
    """What may be chosen, fixed before solving.

    ``prerelease`` is the mode, ``prerelease_names`` the projects whose first-party specifiers name a pre-release;
    ``admission`` holds what packages ask for, learnt while solving.
    ``pins`` maps a project to the exact specifiers asked for it, which admit a yanked version (PEP 592).  ``cutoff``
    gives the instant from which uploads are not seen.  ``prefer`` maps a project to the version to try first,
    which is ``installed`` or only was chosen before: an installed pre-release is accepted (version specifiers, "Handling of
    pre-releases").  ``prefer_binary`` tries versions with a usable wheel before newer ones without.  ``strategy`` is the solver's.
    """

    __slots__ = (
        "admission",
        "cutoff",
        "installed",
        "may_build",
        "may_use_wheel",
        "pins",
        "prefer",
        "prefer_binary",
        "prerelease",
        "prerelease_names",
        "strategy",
    )

    def __init__(
        self,
        *,
        prerelease: str = "if-necessary-or-explicit",
        prerelease_names: frozenset[str] = frozenset(),
        pins: Mapping[str, tuple[str, ...]] | None = None,
        cutoff: Callable[[str], str | None] = lambda project: None,
        may_build: Callable[[str], bool] = lambda project: True,
        may_use_wheel: Callable[[str], bool] = lambda project: True,
        prefer: Mapping[str, str] | None = None,
        installed: bool = False,
        prefer_binary: bool = False,
        strategy: str = "highest",
    ) -> None:
        self.admission = Admission()
        self.prerelease = prerelease
        self.prerelease_names = prerelease_names
        self.pins = pins or {}
        self.cutoff = cutoff
        self.may_build = may_build
        self.may_use_wheel = may_use_wheel
        self.prefer = prefer or {}
        self.installed = installed
        self.prefer_binary = prefer_binary
        self.strategy = strategy

    def preferred(self, universe: Universe, allowed: int, warm: Warm) -> int | None:
        """The version to try first among ``allowed``, or None where the strategy decides."""
        wanted = self.prefer.get(universe.project)
        if wanted is not None:
            index = universe.index(wanted)
            if index is not None and allowed >> index & 1:
                return index
        if self.prefer_binary and universe.direct is None and allowed & warm.wheels:
            return self.end(allowed & warm.wheels)
        return None

    def pick(self, universe: Universe, allowed: int, warm: Warm) -> int:
        """The version most likely chosen among ``allowed``, which is not empty."""
        preferred = self.preferred(universe, allowed, warm)
        return self.end(allowed) if preferred is None else preferred

    def end(self, mask: int) -> int:
        """The end of a mask where the strategy begins."""
        return (mask & -mask).bit_length() - 1 if self.strategy == "lowest" else mask.bit_length() - 1

    def usable(self, project: str, warm: Warm) -> int:
        """The versions with a file that the target can use and the person allows."""
        usable = warm.wheels if self.may_use_wheel(project) else 0
        return usable | (warm.sdists if self.may_build(project) else 0)

    def eligible(
        self,
        universe: Universe,
        warm: Warm,
        target: Target,
        groups: Callable[[], Groups],
        *,
        admitted: bool = True,
    ) -> int:
        """The versions that may be chosen, with or without those that are only ``admitted``.  ``groups`` is asked for the
        files only where a cutoff needs them."""
        project = universe.project
        if warm.status[0] == "quarantined":
            return 0
        cutoff = self.cutoff(project)
        if cutoff is not None and warm.versions:
            warm, _ = compile_page(groups(), target, warm.status, cutoff)
        usable = self.usable(project, warm)
        yanked = warm.yanked
        if yanked:
            for specifier in self.pins.get(project, ()):
                yanked &= ~universe.mask(specifier)
        usable &= ~yanked
        final = usable & ~warm.pre
        mode = self.prerelease
        if mode == "allow" or (mode.endswith("explicit") and project in self.prerelease_names):
            return usable
        if mode.startswith("if-necessary") and not final:
            return usable
        if admitted and mode != "disallow":
            final |= usable & self.admission.mask(universe, final)
        if self.installed and mode != "disallow" and project in self.prefer:
            index = universe.index(self.prefer[project])
            if index is not None:
                final |= usable & 1 << index
        return final

    def best(
        self, project: str, version: str, files: Iterable[tuple[File, str | None]], target: Target
    ) -> tuple[File, bool]:
        """The file whose metadata stands for a version, and whether it is an sdist: the wheel the target would get, else a
        wheel that the same Python would get elsewhere, else the sdist.

        Every wheel of a version is taken to need the same, so one for another platform saves building the sdist, which
        asks for headers and compilers long before anybody wants to install anything.  ``files`` come with their
        compressed tag sets.  Raises RepositoryError ``no-usable-file``.
        """
        cutoff = self.cutoff(project)
        files = unyanked(list(files), target)
        best: tuple[tuple[bool, int], File] | None = None
        sdist: File | None = None
        elsewhere: File | None = None
        allowed = self.may_use_wheel(project)
        for file, tag in files:
            late = cutoff is not None and not older((file, None, ""), cutoff)
            if late or not target.python_fits(file.requires_python):
                continue
            if tag is None:
                sdist = sdist or file
            elif not allowed:
                continue
            elif (place := target.rank(tag)) is not None:
                order = (not file.core_metadata, place)  # announced metadata first
                if best is None or order < best[0]:
                    best = (order, file)
            elif best is None and elsewhere is None and file.core_metadata and target.same_python(tag):
                elsewhere = file
        found = elsewhere if best is None else best[1]
        if found is not None:
            return found, False
        if sdist is None:
            raise RepositoryError("no-usable-file", f"{project} {version} has no file for this target")
        return sdist, True

    def reason(
        self, universe: Universe, mask: int, warm: Warm, target: Target, groups: Groups
    ) -> tuple[str, str]:
        """Why the versions in ``mask`` may not be chosen: a stable code, and a clause after "x 1.0 …"."""
        project = universe.project
        if warm.status[0] == "quarantined":
            cause = f": {warm.status[1]}" if warm.status[1] else ""
            return "project-quarantined", f"is quarantined by its index{cause}"
        usable = self.usable(project, warm)
        rows = [
            row
            for index, version in enumerate(universe.versions)
            if mask >> index & 1
            for row in groups.rows(version)
        ]
        if not mask & usable:
            return self._unusable(project, target, rows)
        cutoff = self.cutoff(project)
        if cutoff is not None:
            seen, _ = compile_page(groups, target, cutoff=cutoff)
            if not mask & (seen.wheels | seen.sdists):
                return "excluded-newer", f"was uploaded at or after {cutoff}, or does not say when"
        if not mask & usable & ~warm.yanked:
            why = _yank_reason(universe, mask, groups)
            return "only-yanked", "is yanked" + (f" ({why})" if why else "")
        return "only-prereleases", "is a pre-release"

    def _unusable(self, project: str, target: Target, rows: list[Row]) -> tuple[str, str]:
        pythons = [
            row[0].requires_python or "" for row in rows if not target.python_fits(row[0].requires_python)
        ]
        refused = [row[1] for row in rows if target.python_fits(row[0].requires_python)]
        python = target.markers["python_full_version"]
        if pythons and not refused:
            asked = " or ".join(dict.fromkeys(pythons[-3:]))
            return "requires-python", f"needs Python {asked}, and this is {python}"
        if None in refused and not self.may_build(project):
            return (
                "no-compatible-wheel",
                f"has no wheel for this Python ({python}), and building it is not allowed",
            )
        if None not in refused and not self.may_use_wheel(project):
            return "no-compatible-wheel", "has no sdist, and its wheels are not to be used (--no-binary)"
        tags = sorted({tags for tags in refused if tags})
        some = ", ".join(tags[:3]) + (", …" if len(tags) > 3 else "")
        return "no-compatible-wheel", f"has no wheel for this Python and platform ({python}), only {some}"


def unyanked(files: list[tuple[File, str | None]], target: Target) -> list[tuple[File, str | None]]:
    """``files`` of one version, with their compressed tag sets, without the yanked ones if the target can use another (PEP 592)."""
    kept = [pair for pair in files if not pair[0].yanked]
    if len(kept) == len(files):
        return files
    usable = any(
        (tag is None or target.rank(tag) is not None) and target.python_fits(file.requires_python)
        for file, tag in kept
    )
    return kept if usable else files


def _yank_reason(universe: Universe, mask: int, groups: Groups) -> str | None:
    for index, version in enumerate(universe.versions):
        if mask >> index & 1:
            for file in groups.files(version):
                if file.yanked and file.yank_reason:
                    return file.yank_reason
    return None
