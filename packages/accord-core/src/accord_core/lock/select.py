"""What to install from a lock in one environment (PEP 751 "Installation", step by step in its order).

The environment is given: marker values and tags, best first, of the interpreter installed for.  The lock is trusted
to be well formed (``read`` saw to that); what is decided here is only what the standard leaves to the installer.

This room is **hot**: the file names of two thousand wheels are looked at in a millisecond or two.
"""

from __future__ import annotations

from accord_core.errors import DocumentError, Where
from accord_core.lock.model import Archive, Directory, File, Package, Vcs
from accord_core.names import normalise
from accord_core.project.markers import evaluate_marker
from accord_core.project.versions import satisfies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from accord_core.lock.model import Lock

__all__ = ["Chosen", "rank_tags", "select", "wheel_rank"]

_NO_RANK = 1 << 60


class Chosen:
    """A package to install and where it comes from: ``kind`` names the field of the package that ``source`` is."""

    __slots__ = ("kind", "package", "source")

    def __init__(self, package: Package, kind: str, source: File | Archive | Vcs | Directory) -> None:
        self.package = package
        self.kind = kind  # "wheel", "sdist", "archive", "vcs" or "directory"
        self.source = source

    @property
    def name(self) -> str:
        return self.package.name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Chosen) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash((self.package.name, self.package.version, self.kind))

    def _content(self) -> tuple[object, ...]:
        return self.package, self.kind, self.source

    def __repr__(self) -> str:
        return f"Chosen({self.package.name!r}, {self.package.version!r}, {self.kind!r})"


def rank_tags(tags: Sequence[str]) -> dict[str, int]:
    """``("cp312-cp312-linux_x86_64", …)``, best first, as the place of each tag."""
    ranks: dict[str, int] = {}
    for place, tag in enumerate(tags):
        ranks.setdefault(tag, place)
    return ranks


def wheel_rank(
    filename: str, ranks: Mapping[str, int], seen: dict[str, int]
) -> tuple[int, int, tuple[int, ...]] | None:
    """How well a wheel fits, less is better; None where it does not.  ``seen`` remembers sets of tags.

    Of two wheels with the same best tag the higher build number wins (binary distribution format, "build tag").
    """
    parts = filename[:-4].rsplit("-", 3)
    if len(parts) != 4:
        return None
    head, python, abi, platform = parts
    compressed = f"{python}-{abi}-{platform}"
    place = seen.get(compressed)
    if place is None:
        place = _NO_RANK
        for one in python.lower().split("."):
            for two in abi.lower().split("."):
                for three in platform.lower().split("."):
                    place = min(place, ranks.get(f"{one}-{two}-{three}", _NO_RANK))
        seen[compressed] = place
    if place == _NO_RANK:
        return None
    build = head.split("-")[2:]
    if not build:
        return place, 1, ()
    digits = 0
    while digits < len(build[0]) and build[0][digits].isdigit():
        digits += 1
    # Less is better, so a greater number must be less, and so must a text that sorts later or goes on for longer.
    return place, -int(build[0][:digits] or 0), (*[-ord(sign) for sign in build[0][digits:]], 0)


def select(
    lock: Lock,
    markers: Mapping[str, str],
    tags: Sequence[str],
    extras: Iterable[str] = (),
    groups: Iterable[str] | None = None,
    *,
    path: str = "pylock.toml",
    no_build: bool = False,
    prefer_sdist: Callable[[str], bool] | None = None,
) -> tuple[Chosen, ...]:
    """The packages to install, in the lock's order.

    ``markers`` are all environment markers of the target, ``tags`` its wheel tags, best first.  ``groups`` None
    means the lock's ``default-groups``; an empty iterable means none.  ``no_build`` leaves sdists, trees and
    checkouts out of the question, ``prefer_sdist`` names projects whose sdist is wanted before any wheel.

    Raises ``DocumentError``: ``unknown-extra``, ``unknown-group``, ``lock-python-mismatch``,
    ``lock-environment-mismatch``, ``lock-ambiguous``, ``no-wheel``.
    """
    wanted_extras = frozenset([normalise(extra) for extra in extras])
    wanted_groups = frozenset(
        [normalise(group) for group in (lock.default_groups if groups is None else groups)]
    )
    _check_asked(lock, wanted_extras, () if groups is None else wanted_groups, path)
    python = markers["python_full_version"]
    if lock.requires_python is not None and not _python_fits(python, lock.requires_python):
        raise DocumentError(
            "lock-python-mismatch",
            f"{path} is for Python {lock.requires_python}, this is Python {python}",
            where=Where(path, key="requires-python"),
            hint="choose another interpreter with --python, or lock again with this one",
        )
    if lock.environments and not any(evaluate_marker(marker, markers) for marker in lock.environments):
        raise DocumentError(
            "lock-environment-mismatch",
            f"{path} was not made for this environment",
            where=Where(path, key="environments"),
            context=tuple(f"it is for: {marker}" for marker in lock.environments),
            hint="lock again for this platform, or universally",
        )
    packages: dict[str, Package] = {}
    for package in lock.packages:
        if package.marker is None or evaluate_marker(package.marker, markers, wanted_extras, wanted_groups):
            _check_package(package, packages.get(package.name), python, path)
            packages[package.name] = package
    ranks = rank_tags(tags)
    seen: dict[str, int] = {}
    return tuple([_choose(one, ranks, seen, path, no_build, prefer_sdist) for one in packages.values()])


def _check_asked(lock: Lock, extras: frozenset[str], groups: Iterable[str], path: str) -> None:
    """A misspelt extra would otherwise install nothing and say nothing."""
    for code, key, asked, known in (
        ("unknown-extra", "extras", extras, lock.extras),
        ("unknown-group", "dependency-groups", groups, (*lock.dependency_groups, *lock.default_groups)),
    ):
        known_names = {normalise(name) for name in known}
        for name in sorted(asked):
            if name not in known_names:
                offered = ", ".join(sorted(known)) or "none"
                raise DocumentError(
                    code,
                    f"{path} has no {'extra' if key == 'extras' else 'dependency group'} {name!r}",
                    where=Where(path, key=key),
                    hint=f"it has: {offered}",
                )


def _check_package(package: Package, other: Package | None, python: str, path: str) -> None:
    if package.requires_python is not None and not _python_fits(python, package.requires_python):
        raise DocumentError(
            "lock-python-mismatch",
            f"{package.name} {package.version or ''} is for Python {package.requires_python}, this is Python {python}",
            where=Where(path, table="packages", key=package.name),
            hint="lock again for this interpreter",
        )
    if other is not None:
        raise DocumentError(
            "lock-ambiguous",
            f"{path} selects {package.name} twice: {other.version or 'one'} and {package.version or 'another'}",
            where=Where(path, table="packages", key=package.name),
            context=tuple(
                f"{one.version or one.name} when {one.marker or 'always'}" for one in (other, package)
            ),
            hint="what you asked for contradicts itself: choose fewer extras or groups",
        )


def _python_fits(python: str, specifier: str) -> bool:
    if python.endswith("+"):
        python += "local"  # a build between tags calls itself "3.13.0+"
    return satisfies(python, specifier)


def _choose(
    package: Package,
    ranks: Mapping[str, int],
    seen: dict[str, int],
    path: str,
    no_build: bool,
    prefer_sdist: Callable[[str], bool] | None,
) -> Chosen:
    sources: tuple[tuple[str, File | Archive | Vcs | Directory | None], ...] = (
        ("vcs", package.vcs),
        ("directory", package.directory),
        ("archive", package.archive),
    )
    for kind, source in sources:
        if source is not None:
            if no_build and not (isinstance(source, Archive) and _names_wheel(source)):
                raise _must_build(package, path)
            return Chosen(package, kind, source)
    if package.sdist is not None and prefer_sdist is not None and not no_build and prefer_sdist(package.name):
        return Chosen(package, "sdist", package.sdist)
    best: tuple[tuple[int, int, tuple[int, ...]], File] | None = None
    for wheel in package.wheels:
        rank = wheel_rank(wheel.filename, ranks, seen)
        if rank is not None and (best is None or rank < best[0]):
            best = rank, wheel
    if best is not None:
        return Chosen(package, "wheel", best[1])
    if package.sdist is None:
        raise DocumentError(
            "no-wheel",
            f"{path} has no wheel of {package.name} {package.version or ''} for this interpreter and platform",
            where=Where(path, table="packages", key=package.name),
            context=(f"it has {len(package.wheels)} wheels, e.g. {package.wheels[0].filename}",),
            hint="lock again for this platform, or choose another interpreter with --python",
        )
    if no_build:
        raise _must_build(package, path)
    return Chosen(package, "sdist", package.sdist)


def _names_wheel(archive: Archive) -> bool:
    return File(url=archive.url, path=archive.path).filename.endswith(".whl")


def _must_build(package: Package, path: str) -> DocumentError:
    return DocumentError(
        "no-wheel",
        f"{package.name} {package.version or ''} would have to be built, and building is switched off",
        where=Where(path, table="packages", key=package.name),
        hint="allow building it, or lock a version that has a wheel for this platform",
    )
