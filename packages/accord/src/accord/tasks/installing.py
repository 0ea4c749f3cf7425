"""From a lock to an environment: choose, have everything in the store, plan, apply.

Combines lock, store and environments for every use case that installs.  Until the plan is applied nothing of the
environment is touched; applying is one transaction.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager

from accord.environments import create as creating
from accord.environments import interpreters
from accord.environments.apply import apply
from accord.environments.layout import OWN, is_environment
from accord.environments.plan import Wanted, plan
from accord.environments.transaction import recover
from accord.io.files import remove_tree
from accord.io.locks import FileLock
from accord.tasks.compiling import find_compiled
from accord.tasks.fetching import materialise
from accord.tasks.outcomes import SyncOutcome
from accord.tasks.settings import Record
from accord.tasks.turns import Turn
from accord_core.errors import DocumentError, InstallError, UsageError
from accord_core.lock.select import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TypeVar

    from accord.environments.plan import Plan
    from accord.tasks.project import LoadedProject
    from accord.tasks.session import Session
    from accord.tasks.settings import Selection
    from accord_core.lock.model import Lock
    from accord_core.lock.select import Chosen

    T = TypeVar("T")

__all__ = ["How", "bring", "chosen_of", "is_ready", "wanted_of"]


class How(Record):
    """How to install; ``key`` is what the no-op check will be asked with, ``began`` the start on perf_counter's clock."""

    __slots__ = (
        "began",
        "command",
        "compile_bytecode",
        "dry_run",
        "exact",
        "key",
        "link_mode",
        "reinstall",
        "requested",
        "sealed",
    )

    key: str
    sealed: bool
    link_mode: str | None
    compile_bytecode: bool
    reinstall: bool | Sequence[str]
    dry_run: bool
    exact: bool
    began: float
    requested: frozenset[str]
    command: str

    def __init__(
        self,
        *,
        key: str = "",
        sealed: bool = False,
        link_mode: str | None = None,
        compile_bytecode: bool = False,
        reinstall: bool | Sequence[str] = False,
        dry_run: bool = False,
        exact: bool = True,
        began: float = 0.0,
        requested: frozenset[str] = frozenset(),
        command: str = "sync",
    ) -> None:
        self._fill(locals())


def bring(
    session: Session,
    env_dir: str,
    lock: Callable[[], Lock],
    selection: Selection,
    how: How,
    base: str,
    *,
    project: LoadedProject | None = None,
) -> SyncOutcome:
    """Make ``env_dir`` what ``lock`` selects.  ``lock`` is called at most once; ``base`` is its folder."""
    if how.sealed:
        from accord.tasks.sealing import bring_sealed

        return bring_sealed(session, env_dir, lock, selection, how, base, project=project)
    created = not is_ready(session, env_dir)
    chosen = chosen_of(session, lock(), selection)
    wanted = wanted_of(session, chosen, base, how)
    if project is not None and project.document.is_package and not selection.only_groups:
        from accord.tasks.own_project import editable_of

        wanted.append(editable_of(session, project, dry_run=how.dry_run))
    return carry_out(session, env_dir, wanted, how, created=created)


def carry_out(
    session: Session,
    env_dir: str,
    wanted: Sequence[Wanted],
    how: How,
    *,
    created: bool,
    remove: Iterable[str] = (),
) -> SyncOutcome:
    """Plan and apply; with ``dry_run`` only plan.  The outcome names what changed.

    An environment that is to be ``created`` is made here, after everything that goes into it was fetched and built;
    if it cannot be filled, there is none.
    """
    again: Iterable[str] = ()
    if how.reinstall:
        again = [one.name for one in wanted] if how.reinstall is True else how.reinstall
    if how.dry_run and not is_environment(env_dir):
        return SyncOutcome(
            env=env_dir,
            added=[(one.name, one.version) for one in sorted(wanted, key=lambda one: one.name)],
            seconds=time.perf_counter() - how.began,
            created=True,
            dry_run=True,
        )
    if wanted and not how.dry_run:
        there = None if created else env_dir
        find_compiled(session, wanted, env=there, compile_bytecode=how.compile_bytecode)
    with _gone_if_failed(env_dir, created=created and not how.dry_run) as others:
        if created and not how.dry_run:
            above = os.path.dirname(env_dir)
            with Turn(above, session.cache_dir, session.reporter, what=f"the environments in {above}"):
                others += [env_dir] if is_environment(env_dir) else []
                creating.create(env_dir, session.interpreter)
        found = _when_settled(
            session, env_dir, lambda: plan(env_dir, wanted, exact=how.exact, reinstall=again, remove=remove)
        )
        if not how.dry_run:
            apply(
                found,
                key=how.key,
                link_mode=how.link_mode or "auto",
                conflicts=session.settings.conflicts,
                command=how.command,
                reporter=session.reporter,
            )
    if how.compile_bytecode and not how.dry_run:
        from accord.environments.compiled import complete

        kept = {one.name for one in found.keep}
        complete(env_dir, [one for one in wanted if one.name in kept], link_mode=how.link_mode or "auto")
    return _outcome(found, env_dir, how, created=created)


def _when_settled(session: Session, env_dir: str, look: Callable[[], T]) -> T:
    """What ``look`` sees of the environment: once more, when somebody who emptied it (``venv --clear``) is done."""
    try:
        return look()
    except InstallError:
        lock = os.path.join(env_dir, OWN, "lock")
        if not os.path.exists(lock):
            raise
        with FileLock(lock, f"the environment {env_dir}", on_wait=session.reporter.warn):
            return look()


@contextmanager
def _gone_if_failed(env_dir: str, *, created: bool) -> Iterator[list[str]]:
    """Where an environment could not be made, there is what was before: nothing, or an empty folder.  What is put into
    the list was made by somebody else."""
    others: list[str] = []
    was_there = os.path.lexists(env_dir)
    was_empty = was_there and os.path.isdir(env_dir) and not os.listdir(env_dir)
    try:
        yield others
    except BaseException:
        if others:
            raise
        if created and was_empty:
            creating.empty(env_dir)
        elif created and not was_there:
            remove_tree(env_dir)
        raise


def _outcome(found: Plan, env_dir: str, how: How, *, created: bool) -> SyncOutcome:
    gone = {one.name: one.version for one in found.remove}
    return SyncOutcome(
        env=env_dir,
        added=[(one.name, one.version) for one in found.add if one.name not in gone],
        removed=sorted((name, version) for name, version in gone.items() if name not in found.replaced),
        replaced=[(one.name, gone[one.name], one.version) for one in found.add if one.name in gone],
        kept=len(found.keep),
        seconds=time.perf_counter() - how.began,
        created=created,
        dry_run=how.dry_run,
    )


def is_ready(session: Session, env_dir: str) -> bool:
    """Whether ``env_dir`` is an environment of the session's interpreter; healed if the last change was cut off.
    Writes nothing else."""
    if not is_environment(env_dir):
        return False
    recover(env_dir)
    there = _when_settled(session, env_dir, lambda: interpreters.find(env_dir, cache_dir=session.cache_dir))
    wanted = session.interpreter
    return there.short == wanted.short and there.implementation == wanted.implementation


def chosen_of(session: Session, lock: Lock, selection: Selection) -> tuple[Chosen, ...]:
    """What of ``lock`` is to be installed for ``selection``."""
    settings, target = session.settings, session.target
    groups: Iterable[str] | None = selection.groups
    if not selection.groups and selection.default_groups:
        groups = None
    extras = lock.extras if selection.all_extras else selection.extras
    if selection.all_groups:
        groups = lock.dependency_groups
    if selection.only_groups:
        groups = selection.only_groups
    chosen = select(
        lock,
        target.markers,
        target.tags,
        extras,
        groups,
        no_build=settings.no_build,
        prefer_sdist=lambda name: not settings.may_use_wheel(name),
    )
    if selection.only_groups:
        chosen = _only(chosen, lock, selection.only_groups)
    return chosen


def _only(chosen: tuple[Chosen, ...], lock: Lock, groups: Sequence[str]) -> tuple[Chosen, ...]:
    """The packages that ``groups`` alone need, which the standard has no words for: Accord's own table says it."""
    tool = (lock.tool or {}).get("accord")
    known = tool.get("only-groups") if isinstance(tool, dict) else None
    if not isinstance(known, dict) or any(group not in known for group in groups):
        raise DocumentError(
            "lock-without-groups",
            "the lock does not say what a group needs by itself",
            hint="run accord lock; the table [tool.accord] of the lock was lost",
        )
    names = {name for group in groups for name in known[group]}
    return tuple(one for one in chosen if one.name in names)


def wanted_of(session: Session, chosen: Sequence[Chosen], base: str, how: How) -> list[Wanted]:
    """``chosen`` as distributions to have, each with its entry in the store unless this is a dry run."""
    if how.dry_run:
        return [
            Wanted(
                one.name,
                one.package.version or "0",
                sha256=getattr(one.source, "hashes", {}).get("sha256") if one.kind == "wheel" else None,
                direct_url={} if one.kind in ("vcs", "archive", "directory") else None,
            )
            for one in chosen
        ]
    return [
        Wanted(
            fetched.entry.name,
            fetched.entry.version,
            entry=fetched.entry,
            requested=fetched.chosen.name in how.requested,
            direct_url=fetched.direct_url,
        )
        for fetched in materialise(session, chosen, base)
    ]


def require_hashes(chosen: Sequence[Chosen]) -> None:
    """Raise UsageError ``hash-missing`` for a file without a strong hash (``--require-hashes``)."""
    bare = [
        one.name
        for one in chosen
        if not set(getattr(one.source, "hashes", {})) & {"sha256", "sha384", "sha512"}
    ]
    if bare:
        raise UsageError(
            "hash-missing",
            f"no hash is known for {', '.join(sorted(bare))}",
            hint="accord pip compile --generate-hashes writes them",
        )
