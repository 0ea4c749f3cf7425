"""Sealed environments of the use cases: the same lock a second time is one link.

The closure is found by the digest of the lock's text and of the choices made from it, so a known one needs neither the
lock parsed nor the store looked at.
"""

from __future__ import annotations

import os
import time

from accord.environments import state
from accord.environments.layout import is_environment
from accord.environments.seal import seal
from accord.environments.transaction import recover
from accord.tasks.outcomes import SyncOutcome
from accord_core.errors import InstallError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from accord.environments.plan import Wanted
    from accord.tasks.installing import How
    from accord.tasks.project import LoadedProject
    from accord.tasks.session import Session
    from accord.tasks.settings import Selection
    from accord_core.lock.model import Lock

__all__ = ["bring_sealed"]


def bring_sealed(
    session: Session,
    env_dir: str,
    lock: Callable[[], Lock],
    selection: Selection,
    how: How,
    base: str,
    *,
    project: LoadedProject | None = None,
) -> SyncOutcome:
    """Make ``env_dir`` a sealed environment of what ``lock`` selects; see :func:`accord.tasks.installing.bring`."""
    created = not is_environment(env_dir)
    if not created:
        recover(env_dir)
    before = _versions(env_dir)

    def make_wanted() -> Sequence[Wanted]:
        from accord.tasks.installing import chosen_of, wanted_of

        wanted = wanted_of(session, chosen_of(session, lock(), selection), base, how)
        if project is not None and project.document.is_package and not selection.only_groups:
            from accord.tasks.own_project import editable_of

            wanted.append(editable_of(session, project, dry_run=how.dry_run))
        if not how.dry_run:
            from accord.tasks.compiling import find_compiled

            find_compiled(session, wanted, compile_bytecode=how.compile_bytecode)
        return wanted

    if how.dry_run:
        after = {one.name: one.version for one in make_wanted()}
    else:
        seal(
            env_dir,
            session.interpreter,
            how.key,
            make_wanted,
            cache_dir=session.cache_dir,
            link_mode=how.link_mode or "auto",
            conflicts=session.settings.conflicts,
            command=how.command,
            reporter=session.reporter,
        )
        if how.reinstall:
            _made_good(session, env_dir, make_wanted)
        after = _versions(env_dir)
    return SyncOutcome(
        env=os.path.abspath(env_dir),
        added=sorted((name, version) for name, version in after.items() if name not in before),
        removed=sorted((name, version) for name, version in before.items() if name not in after),
        replaced=sorted(
            (name, before[name], version)
            for name, version in after.items()
            if name in before and before[name] != version
        ),
        kept=sum(1 for name, version in after.items() if before.get(name) == version),
        seconds=time.perf_counter() - how.began,
        created=created,
        sealed=True,
        dry_run=how.dry_run,
    )


def _made_good(session: Session, env_dir: str, make_wanted: Callable[[], Sequence[Wanted]]) -> None:
    """A closure is never replaced while others link to it: what is not as installed is put back in it, from wheels
    that are fetched again where the store has lost them."""
    from accord.environments.check import verify

    if not verify(env_dir):
        return
    make_wanted()
    left = [problem for problem in verify(env_dir, repair=True, store=session.store) if not problem.repaired]
    if left:
        raise InstallError(
            "closure-damaged",
            f"{len(left)} files of {env_dir} are not as installed and could not be put back",
            context=tuple(f"{one.kind}: {one.path} of {one.name} {one.version}" for one in left[:10]),
            hint="accord cache verify --repair throws damaged wheels away; then run this again",
        )


def _versions(env_dir: str) -> dict[str, str]:
    known = state.read(env_dir)
    return {name: row[0] for name, row in known["dists"].items()} if known else {}
