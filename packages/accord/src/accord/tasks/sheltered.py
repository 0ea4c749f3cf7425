"""A stranger's program that is no build: run where builds run, in the sandbox or by the same policy in the open.

Combines ``accord.build.shelter`` with a session's settings.  The program sees the system, its interpreter and a copy of
what it is about; it writes below its scratch folder alone.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from accord.build.environ import build_environment
from accord.build.shelter import HOME, TEMPORARY, Shelters
from accord.io import processes, sandbox
from accord.tasks.build_policy import sandbox_policy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from accord.tasks.session import Session

__all__ = ["Sheltered", "shelters"]


def shelters(session: Session) -> Shelters:
    """The policy of a session: whether there is a sandbox, and what is said where there is none."""
    return Shelters(sandbox_policy(session), session.reporter)


class Sheltered:
    """A place for programs of the interpreter ``executable`` that work in ``folder``, which lies below ``scratch``.

    ``more`` are further folders they may read; ``environment`` are the variables they get.  Their logs lie elsewhere: a
    link that one of them left below ``scratch`` would be followed here, with the person's own rights.
    """

    def __init__(
        self, session: Session, folder: str, scratch: str, executable: str, more: Sequence[str] = ()
    ) -> None:
        policy = sandbox_policy(session)
        self._session = session
        self._folder, self._scratch = folder, scratch
        self._executable, self._more = executable, more
        self._shelters = shelters(session)
        home, temporary = self._rooms(scratch)
        closed = self._shelters.closed
        self.environment: Mapping[str, str] = build_environment(
            session.environ,
            python=executable,
            home=policy.home if closed else home,
            temporary=sandbox.TEMPORARY if closed else temporary,
            user=policy.user if closed else None,
            network=not closed,
        )

    def _rooms(self, folder: str) -> tuple[str, str]:
        found = os.path.join(folder, HOME), os.path.join(folder, TEMPORARY)
        for each in found:
            os.makedirs(each, mode=0o700)
        return found

    def run(
        self, command: Sequence[str], *, cwd: str, env: Mapping[str, str], log: str, timeout: float | None
    ) -> processes.Finished:
        """Run ``command`` (paths as they are outside) in ``cwd``, the folder of this place."""
        # Of a name that no program before could take: a link left in its place would be followed out here.
        room = os.path.join(self._scratch, f"room-{os.urandom(6).hex()}")
        self._rooms(room)
        shelter = self._shelters.shelter(
            None,
            self._folder,
            self._scratch,
            room,
            own=False,
            python=self._session.interpreter,
            executable=self._executable,
            environ=self.environment,
            home=self._session.environ.get("HOME", ""),
            more=self._more,
        )
        return processes.run(
            shelter.command([shelter.inside(word) for word in command]),
            cwd=None if shelter.closed else cwd,
            env=env,
            log=log,
            timeout=timeout,
            alone=shelter.closed,
        )
