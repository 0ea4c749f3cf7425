"""Whether a stranger's source may be built at all: the person's policy, asked before anything runs."""

from __future__ import annotations

from accord_core.errors import BuildError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.build.ports import Buildable

__all__ = ["BuildPolicy"]


class BuildPolicy:
    """``only_binary`` holds normalised project names that must not be built, or ``:all:``.

    ``flag`` is how the person said so, for the words of a refusal (``--no-build``, ``--only-binary``).
    """

    __slots__ = ("flag", "only_binary")

    def __init__(self, only_binary: frozenset[str] = frozenset(), flag: str = "--only-binary") -> None:
        self.only_binary = only_binary
        self.flag = flag

    def check(self, source: Buildable) -> None:
        """Raise BuildError ``build-refused`` when ``source`` may not be built.  A person's own folder always may."""
        if source.own:
            return
        everything = ":all:" in self.only_binary
        # A source that promised no name cannot be told from one that is refused by name.
        if not everything and source.name not in self.only_binary and (source.name or not self.only_binary):
            return
        subject = source.name or source.label
        said = f"{self.flag} :all:" if everything and self.flag == "--only-binary" else self.flag
        if not everything:
            said = (
                f"{self.flag} {subject}"
                if source.name
                else f"{self.flag} names projects, and this one has no name"
            )
        raise BuildError(
            "build-refused",
            f"{source.label} must be built from source, which {said} forbids",
            hint=f"allow building {subject}, or choose a version that has a wheel for this Python and platform",
        )
