"""A stranger's program that is no build: run where builds run, in the sandbox or by the same policy in the open.

Combines ``accord.build.shelter`` with a session's settings.  The program sees the system, its interpreter and a copy of
what it is about; it writes below its scratch folder alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accord.build.notices import Tally
from accord.build.shelter import Shelters
from accord.tasks.build_policy import sandbox_policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accord.io.processes import Finished
    from accord.tasks.session import Session

__all__ = ["Sheltered", "shelters"]


def shelters(session: Session) -> Shelters:
    """The policy of a session: whether there is a sandbox, and what is said where there is none."""
    return Shelters(sandbox_policy(session), session.reporter)


class Sheltered:
    """A place for programs of the interpreter ``executable`` that work in ``folder``, which lies below ``scratch``.

    ``more`` are further folders they may read; ``label`` is how people call what they are about.  Their logs lie
    elsewhere: a link that one of them left below ``scratch`` would be followed here, with the person's own rights.
    """

    def __init__(
        self,
        session: Session,
        folder: str,
        scratch: str,
        executable: str,
        *,
        label: str,
        more: Sequence[str] = (),
    ) -> None:
        self._session = session
        self._folder, self._scratch = folder, scratch
        self._executable, self._label, self._more = executable, label, more
        self._shelters = shelters(session)

    def run(self, command: Sequence[str], *, cwd: str, log: str, timeout: float | None) -> Finished:
        """Run ``command`` (paths as they are outside) in ``cwd``, the folder of this place."""
        shelter = self._shelters.shelter(
            None,
            self._folder,
            self._scratch,
            own=False,
            python=self._session.interpreter,
            executable=self._executable,
            environ=self._session.environ,
            more=self._more,
        )
        done = shelter.run(
            [shelter.inside(word) for word in command],
            cwd=cwd,
            env=shelter.environment,
            log=log,
            timeout=timeout,
        )
        tally = Tally()
        tally.add(shelter)
        tally.tell(self._label, self._session.reporter, "it")
        return done
