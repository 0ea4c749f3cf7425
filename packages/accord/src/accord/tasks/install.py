"""Installing into an environment as pip does: resolve around what is there, add, upgrade, uninstall.

The use cases behind ``accord pip install`` and ``accord pip uninstall``.
"""

from __future__ import annotations

import os
import time

from accord.environments.installed import installed
from accord.environments.transaction import recover
from accord.io.digests import sha256
from accord.io.reporting import SILENT
from accord.tasks.inputs import read_inputs
from accord.tasks.installing import (
    How,
    bring,
    carry_out,
    chosen_of,
    is_ready,
    require_hashes,
    wanted_of,
)
from accord.tasks.locking import make_lock
from accord.tasks.outcomes import SyncOutcome
from accord.tasks.resolving import resolve
from accord.tasks.session import Session
from accord.tasks.settings import ResolveSettings, Selection
from accord_core.errors import InstallError, UsageError
from accord_core.names import normalise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from accord.io.reporting import Reporter
    from accord.tasks.inputs import Inputs
    from accord_core.lock.model import Lock

__all__ = ["install", "uninstall"]


def install(
    requirements: Sequence[str],
    *,
    files: Sequence[str] = (),
    editable: Sequence[str] = (),
    env: str,
    python: str | None = None,
    settings: ResolveSettings,
    selection: Selection | None = None,
    sealed: bool = False,
    link_mode: str | None = None,
    compile_bytecode: bool = False,
    reinstall: bool | Sequence[str] = False,
    exact: bool = False,
    dry_run: bool = False,
    reporter: Reporter = SILENT,
) -> SyncOutcome:
    """Install what is asked for into ``env``, made if it is not there; what is there stays while it fits.

    With ``exact`` everything else goes.  Raises as ``sync_lock`` and ResolutionError.
    """
    began = time.perf_counter()
    if sealed and not exact:
        raise UsageError(
            "usage",
            "pip install adds to an environment, and to a sealed one nothing is ever added",
            hint="accord pip sync --sealed FILE makes one of what FILE names, accord sync --sealed of a project",
        )
    selection = selection or Selection()
    locks = [path for path in files if os.path.basename(path).startswith("pylock") and path.endswith(".toml")]
    if locks:
        return _from_lock(
            locks,
            requirements,
            files,
            env,
            How(
                link_mode=link_mode,
                compile_bytecode=compile_bytecode,
                reinstall=reinstall,
                dry_run=dry_run,
                exact=exact,
                began=began,
                command=f"pip install -r {locks[0]}",
            ),
            python=python,
            settings=settings,
            selection=selection,
            reporter=reporter,
        )
    read = read_inputs(
        files, settings, words=requirements, editable=editable, selection=selection, as_pip=True
    )
    with Session(read.settings, python=python, env=env, reporter=reporter) as session:
        created = not is_ready(session, env)
        asked_names = _asked_names(read)
        if not exact and not created:
            read.asked.prefer = _there(env, settings, asked_names)
            read.asked.installed = True
        resolution = resolve(session, read.asked)
        try:
            for line in resolution.warnings():
                reporter.warn(line)
            lock = make_lock(resolution, session.target, base=os.getcwd())
        finally:
            resolution.close()
        if read.require_hashes or any(wish.hashes for wish in read.asked.wishes):
            lock = _with_hashes(lock, read)
        how = How(
            sealed=sealed,
            link_mode=link_mode,
            compile_bytecode=compile_bytecode,
            reinstall=reinstall,
            dry_run=dry_run,
            exact=exact,
            began=began,
            requested=frozenset(name for name in asked_names if name),
            command=_command("install", requirements, files, editable),
        )
        chosen = chosen_of(session, lock, Selection())
        if read.require_hashes:
            require_hashes(chosen)
        if sealed:
            return _sealed(session, env, lock, how)
        return carry_out(session, env, wanted_of(session, chosen, os.getcwd(), how), how, created=created)


def _sealed(session: Session, env: str, lock: Lock, how: How) -> SyncOutcome:
    """A sealed environment of what was resolved, found again by the lock that this would be."""
    from accord.tasks.sealing import bring_sealed
    from accord_core.lock.write import dumps

    words = repr((how.link_mode, how.compile_bytecode, sorted(how.requested)))
    key = sha256((dumps(lock) + words).encode()).hexdigest()
    return bring_sealed(session, env, lambda: lock, Selection(), how.replace(key=key), os.getcwd())


def _from_lock(
    locks: list[str],
    requirements: Sequence[str],
    files: Sequence[str],
    env: str,
    how: How,
    *,
    python: str | None,
    settings: ResolveSettings,
    selection: Selection,
    reporter: Reporter,
) -> SyncOutcome:
    from accord.tasks.lockfile import load_lock

    if len(files) > 1 or requirements:
        raise UsageError("lock-not-alone", "a lock stands for everything; give it alone")
    with Session(settings, python=python, env=env, reporter=reporter) as session:
        lock = load_lock(locks[0], session.cache_dir)
        return bring(session, env, lambda: lock, selection, how, os.path.dirname(os.path.abspath(locks[0])))


def uninstall(
    names: Sequence[str], *, env: str, dry_run: bool = False, reporter: Reporter = SILENT
) -> SyncOutcome:
    """Take distributions out of ``env``, whoever installed them.  A name that is not there is InstallError
    ``not-installed``, and nothing is changed."""
    began = time.perf_counter()
    recover(env)
    there = {one.name: one for one in installed(env)}
    wanted = [normalise(name) for name in names]
    missing = [name for name in wanted if name not in there]
    if missing:
        raise InstallError(
            "not-installed",
            f"{', '.join(missing)} is not installed in {env}",
            hint="accord pip list shows what is",
        )
    with Session(ResolveSettings(), env=env, reporter=reporter) as session:
        how = How(exact=False, dry_run=dry_run, began=began, command=_command("uninstall", names, (), ()))
        return carry_out(session, env, (), how, created=False, remove=wanted)


def _asked_names(read: Inputs) -> set[str]:
    return {wish.requirement.name for wish in read.asked.wishes if wish.requirement is not None}


def _there(env: str, settings: ResolveSettings, asked: set[str]) -> dict[str, str]:
    """Installed versions to keep; with ``--upgrade`` those of what is asked for are let go, as pip does it."""
    prefer = {one.name: one.version for one in installed(env) if one.version}
    if settings.upgrade is True:
        for name in asked:
            prefer.pop(name, None)
    return prefer


def _with_hashes(lock: Lock, read: Inputs) -> Lock:
    """``lock`` with only those files whose hash the requirement files name.

    Raises UsageError ``hash-missing``, ``hash-mismatch-index`` when the index offers no file with a named hash.
    """
    named: dict[str, set[str]] = {}
    for wish in read.asked.wishes:
        if wish.requirement is not None and wish.hashes:
            named.setdefault(wish.requirement.name, set()).update(wish.hashes)
    packages = []
    for package in lock.packages:
        allowed = named.get(package.name)
        if allowed is None:
            if package.wheels or package.sdist:
                raise UsageError(
                    "hash-missing",
                    f"{package.name} {package.version} has no hash in the requirement files, and others have",
                    hint="accord pip compile --generate-hashes writes them all",
                )
            packages.append(package)
            continue
        wheels = tuple(file for file in package.wheels if _allowed(file.hashes, allowed))
        sdist = (
            package.sdist if package.sdist is not None and _allowed(package.sdist.hashes, allowed) else None
        )
        if not wheels and sdist is None and (package.wheels or package.sdist):
            raise UsageError(
                "hash-mismatch",
                f"no file of {package.name} {package.version} has a hash that the requirement files name",
                context=tuple(sorted(allowed)[:4]),
                hint="compile the file again; if the version is the same, find out why its files changed",
            )
        packages.append(package.replace(wheels=wheels, sdist=sdist))
    return lock.replace(packages=tuple(packages))


def _allowed(hashes: object, allowed: set[str]) -> bool:
    assert isinstance(hashes, dict)
    return any(f"{name}:{value}" in allowed for name, value in hashes.items())


def _command(verb: str, *words: Sequence[str]) -> str:
    return " ".join(["pip", verb, *(word for several in words for word in several)])
