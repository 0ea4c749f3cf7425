"""What a resolve wants of a page, found in one go: a *study*.

May know groups of files, candidates and policy; must not know where a page came from or who asks.  Of a page of
megabytes a resolve wants a few kilobytes: the versions, which of them may be chosen, and the files of the one that most
likely is.  A study needs nothing but the page and what was settled before the first page came, so a copy of this
process can make it; ``as_value`` is how it comes back from there.
"""

from __future__ import annotations

from accord.repositories.candidates import Warm, compile_page
from accord.repositories.groups import fields_of
from accord_core.index.model import File
from accord_core.resolve.universe import Universe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from accord.repositories.candidates import Target
    from accord.repositories.groups import Groups, Status
    from accord.repositories.policy import Policy
    from accord.repositories.port import Repository

__all__ = ["Study", "make_study", "universe_of"]


class Study:
    """``warm``: the warm record, with ``keys`` of its versions and the mask of those ``eligible``; ``version``: the one
    most likely chosen (empty: none), and its ``files``, each with its compressed tag set (None: an sdist)."""

    __slots__ = ("eligible", "files", "keys", "version", "warm")

    def __init__(
        self,
        warm: Warm,
        keys: Sequence[bytes],
        eligible: int,
        version: str,
        files: list[tuple[File, str | None]],
    ) -> None:
        self.warm = warm
        self.keys = keys
        self.eligible = eligible
        self.version = version
        self.files = files

    def as_value(self) -> tuple[object, ...]:
        """All of it as a value ``marshal`` knows."""
        files = [(fields_of(file), tags) for file, tags in self.files]
        return self.warm.pack(), self.keys, self.eligible, self.version, files

    @classmethod
    def of_value(
        cls,
        warm: bytes,
        keys: Sequence[bytes],
        eligible: int,
        version: str,
        files: list[tuple[tuple[object, ...], str | None]],
    ) -> Study:
        made = [(File(*fields), tags) for fields, tags in files]  # type: ignore[arg-type]
        return cls(Warm.unpack(warm), keys, eligible, version, made)


def make_study(
    project: str, specifier: str, groups: Groups, status: Status, target: Target, policy: Policy
) -> Study:
    """Study a page for whoever needs ``project`` with ``specifier``."""
    warm, keys = compile_page(groups, target, status)
    universe = universe_of(project, warm, None, keys)
    eligible = policy.eligible(universe, warm, target, lambda: groups)
    version = ""
    try:
        allowed = universe.mask(specifier) & eligible
    except ValueError:  # a specifier nobody can read: the solver will say so if it matters
        allowed = 0
    files = []
    if allowed:
        index = policy.pick(universe, allowed, warm)
        version = universe.versions[index]
        files = groups.tagged(version, warm.spellings.get(index, (version,)))
    return Study(warm, keys, eligible, version, files)


def universe_of(
    project: str, warm: Warm, repository: Repository | None, keys: Sequence[bytes] | None = None
) -> Universe:
    """The universe of a warm record; what is eligible in it is not yet known."""
    return Universe(
        project,
        warm.versions,
        source="" if repository is None else repository.key,
        spellings=warm.spellings,
        masks=warm.masks,
        missing=None if warm.versions else ("unknown" if repository is None else "empty"),
        keys=keys,
    )
