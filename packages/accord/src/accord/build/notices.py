"""What a person should know of a build that went on all the same, as records with codes (hot).

A build is stopped at the walls of the sandbox; where it keeps to itself that it was, this says so.  Words and counts
only: who finds out is :mod:`accord.io.attempts`, and who tells is a reporter.
"""

from __future__ import annotations

__all__ = ["Notice", "Tally"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.build.shelter import Shelter
    from accord.io.reporting import Reporter


class Notice:
    """``code`` is one of docs/reference/errors.md, ``source`` what was built, ``count`` how many attempts, files or
    processes the ``message`` is about."""

    __slots__ = ("code", "count", "message", "source")

    def __init__(self, code: str, source: str, message: str, count: int) -> None:
        self.code = code
        self.source = source
        self.message = message
        self.count = count

    def __str__(self) -> str:
        return f"{self.source}: {self.message} [{self.code}]"


class Tally:
    """What came to light in the processes of one build."""

    __slots__ = ("left", "read", "tried")

    def __init__(self) -> None:
        self.tried = 0
        self.read: dict[str, None] = {}
        self.left = 0

    def add(self, shelter: Shelter) -> None:
        """What the process that ran in ``shelter`` did."""
        self.tried += shelter.tried
        self.read.update(dict.fromkeys(shelter.read))

    def tell(self, source: str, reporter: Reporter, who: str = "its build") -> list[Notice]:
        """Warn of what ``who`` did, where ``source`` was built; what was said."""
        notices = []
        if self.tried:
            message = f"{who} tried the network {_times(self.tried)} and was stopped"
            notices.append(Notice("build-tried-network", source, message, self.tried))
        if self.read:
            names = ", ".join(f"~/{name}" for name in self.read)
            lay = "decoys lay there" if len(self.read) > 1 else "a decoy lay there"
            message = f"{who} read or changed {names}; {lay}"
            notices.append(Notice("build-tried-home", source, message, len(self.read)))
        if self.left:
            one = self.left == 1
            message = (
                f"{who} left {self.left} process{'' if one else 'es'} running; "
                f"{'it was' if one else 'they were'} ended"
            )
            notices.append(Notice("build-left-running", source, message, self.left))
        for notice in notices:
            reporter.warn(str(notice))
        return notices


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
