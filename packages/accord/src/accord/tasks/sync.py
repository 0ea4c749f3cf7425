"""Syncing: an environment becomes exactly what a lock says (hot).

The use cases behind ``accord sync`` and ``accord pip sync``.  The first thing each does is to ask whether the last
command's result still stands, which costs a digest of two files and a handful of stats; only when it does not are the
rooms loaded that could change anything.
"""

from __future__ import annotations

import os
import time

from accord.environments import state
from accord.io.digests import sha256
from accord.io.folders import cache_dir
from accord.io.reporting import SILENT
from accord.tasks.folders import PIN_FILE, lock_path, project_environment, upwards
from accord.tasks.lockfile import load_lock, lock_bytes
from accord.tasks.outcomes import SyncOutcome
from accord.tasks.settings import ResolveSettings, Selection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from accord.io.reporting import Reporter
    from accord.tasks.project import LoadedProject
    from accord_core.lock.model import Lock

__all__ = ["sync_lock", "sync_project", "sync_requirements"]


def sync_lock(
    lock_file: str,
    env_dir: str,
    *,
    python: str | None = None,
    settings: ResolveSettings | None = None,
    selection: Selection | None = None,
    sealed: bool = False,
    link_mode: str | None = None,
    compile_bytecode: bool | None = None,
    reinstall: bool | Sequence[str] = False,
    dry_run: bool = False,
    reporter: Reporter = SILENT,
) -> SyncOutcome:
    """Make ``env_dir`` (created if it is not there) exactly what ``lock_file`` selects.

    Raises DocumentError, RepositoryError, StoreError, ArchiveError, BuildError, InstallError; the environment is then
    as it was.
    """
    began = time.perf_counter()
    settings, selection = settings or ResolveSettings(), selection or Selection()
    env_dir = os.path.abspath(env_dir)
    compile_bytecode = compile_bytecode or None
    body = lock_bytes(lock_file)
    key = _key(body, selection, python, sealed, link_mode, settings.conflicts)
    for suffix in _ENOUGH[compile_bytecode]:
        done = _nothing_to_do(
            env_dir, key + suffix, began, sealed=sealed, reinstall=reinstall, dry_run=dry_run
        )
        if done is not None:
            return done
    from accord.tasks.installing import How, bring
    from accord.tasks.session import Session

    with Session(settings, python=python, env=env_dir, reporter=reporter) as session:
        how = How(
            key=key + _SAID[compile_bytecode],
            sealed=sealed,
            link_mode=link_mode,
            compile_bytecode=bool(compile_bytecode),
            reinstall=reinstall,
            dry_run=dry_run,
            began=began,
        )
        base = os.path.dirname(os.path.abspath(lock_file))
        return bring(
            session, env_dir, lambda: load_lock(lock_file, session.cache_dir, body), selection, how, base
        )


def sync_project(
    project_dir: str,
    *,
    env: str | None = None,
    python: str | None = None,
    settings: ResolveSettings,
    selection: Selection,
    locked: bool = False,
    frozen: bool = False,
    sealed: bool = False,
    link_mode: str | None = None,
    compile_bytecode: bool | None = None,
    reinstall: bool | Sequence[str] = False,
    dry_run: bool = False,
    reporter: Reporter = SILENT,
) -> SyncOutcome:
    """Lock the project if it needs to be, and make its environment what the lock selects, the project included.

    ``locked`` raises DocumentError ``lock-outdated`` instead of locking; ``frozen`` takes the lock as it is.
    ``link_mode`` and ``compile_bytecode`` that are ``None`` are what the project says.
    """
    began = time.perf_counter()
    env_dir = os.path.abspath(env or project_environment(project_dir))
    path = lock_path(project_dir)
    quick = not (settings.upgrade or settings.refresh)
    if quick and os.path.exists(path):
        key = _project_key(project_dir, path, settings, selection, python, sealed, link_mode)
        keys = [key + suffix for suffix in _ENOUGH[compile_bytecode]]
        for stands in [*keys, *(key + _FROZEN for key in keys)] if frozen else keys:
            done = _nothing_to_do(env_dir, stands, began, sealed=sealed, reinstall=reinstall, dry_run=dry_run)
            if done is not None:
                return done
    from accord.tasks.installing import How, bring
    from accord.tasks.lock import lock_is_current, lock_loaded
    from accord.tasks.project import load_project
    from accord.tasks.restoring import Restored
    from accord.tasks.session import Session
    from accord.tasks.turns import Turn

    # The lock is written before files are fetched; where they cannot be had, lock and environment agree as before.
    with Turn(project_dir, cache_dir(settings.cache_dir), reporter), Restored(path) as restored:
        project = load_project(project_dir)
        with Session(
            settings,
            python=python,
            env=env_dir,
            project=project.tool,
            project_dir=project_dir,
            requires_python=project.document.requires_python,
            reporter=reporter,
        ) as session:
            if not frozen:
                outcome = lock_loaded(session, project, check=locked, dry_run=dry_run)
                restored.wrote(path)
                lock: Lock = outcome.lock  # type: ignore[assignment]
            else:
                lock = load_lock(path, session.cache_dir)
            key = ""
            if os.path.exists(path):
                key = _project_key(project_dir, path, settings, selection, python, sealed, link_mode)
                key += _SAID[compile_bytecode]
                if frozen and not lock_is_current(lock, project.digest(), session):
                    key += _FROZEN
            if compile_bytecode is None:
                compile_bytecode = bool(project.document.tool.compile_bytecode)
            how = How(
                key=key,
                sealed=sealed,
                link_mode=link_mode or project.document.tool.link_mode,
                compile_bytecode=compile_bytecode,
                reinstall=reinstall,
                dry_run=dry_run,
                began=began,
            )
            chosen = _with_defaults(selection, project)
            return bring(session, env_dir, lambda: lock, chosen, how, project.folder, project=project)


def sync_requirements(
    files: Sequence[str],
    env_dir: str,
    *,
    python: str | None = None,
    settings: ResolveSettings,
    selection: Selection,
    sealed: bool = False,
    link_mode: str | None = None,
    compile_bytecode: bool | None = None,
    reinstall: bool | Sequence[str] = False,
    dry_run: bool = False,
    reporter: Reporter = SILENT,
) -> SyncOutcome:
    """Make ``env_dir`` exactly what compiled files name: one ``pylock.toml``, or requirements with every pin.

    Raises UsageError ``lock-not-alone`` when a lock is given together with other files.
    """
    from accord_core.errors import UsageError

    locks = [path for path in files if path.endswith(".toml") and os.path.basename(path).startswith("pylock")]
    common = {
        "link_mode": link_mode,
        "compile_bytecode": bool(compile_bytecode),
        "reinstall": reinstall,
        "dry_run": dry_run,
        "reporter": reporter,
    }
    if locks:
        if len(files) > 1:
            raise UsageError("lock-not-alone", "a lock stands for everything; give it alone")
        return sync_lock(
            files[0],
            env_dir,
            python=python,
            settings=settings,
            selection=selection,
            sealed=sealed,
            **common,  # type: ignore[arg-type]
        )
    from accord.tasks.install import install

    return install(
        (),
        files=files,
        editable=(),
        env=env_dir,
        python=python,
        settings=settings.replace(no_deps=True),
        selection=selection,
        sealed=sealed,
        exact=True,
        **common,  # type: ignore[arg-type]
    )


def _with_defaults(selection: Selection, project: LoadedProject) -> Selection:
    """``selection`` with the project's default groups said outright, and "all" spelled out."""
    if selection.only_groups:
        return selection
    groups = list(project.groups if selection.all_groups else selection.groups)
    if selection.default_groups:
        groups += [name for name in project.document.default_groups if name not in groups]
    groups = [name for name in groups if name not in selection.no_groups]
    extras = project.extras if selection.all_extras else selection.extras
    return selection.replace(
        groups=tuple(groups), extras=extras, all_groups=False, all_extras=False, default_groups=False
    )


def _key(
    body: bytes,
    selection: Selection,
    python: str | None,
    sealed: bool,
    link_mode: str | None,
    *more: object,
) -> str:
    """The digest of everything an environment's content depends on."""
    words = repr((selection, python, sealed, link_mode, *more))
    return sha256(sha256(body).digest() + words.encode()).hexdigest()


def _project_key(
    project_dir: str,
    path: str,
    settings: ResolveSettings,
    selection: Selection,
    python: str | None,
    sealed: bool,
    link_mode: str | None,
) -> str:
    with open(os.path.join(project_dir, "pyproject.toml"), "rb") as stream:
        document = sha256(stream.read()).digest()
    pinned = upwards(os.path.abspath(project_dir), PIN_FILE)
    if pinned is not None:
        with open(os.path.join(pinned, PIN_FILE), "rb") as stream:
            document += stream.read(1024)
    said: Mapping[str, object] = settings.as_dict()
    asked = sorted((name, repr(value)) for name, value in said.items() if name not in _NO_MATTER)
    return _key(lock_bytes(path), selection, python, sealed, link_mode, project_dir, document, asked)


# What a frozen sync left is not what the project asks for, unless the lock was right.
_FROZEN = " frozen"
# What was said of compiling (``None``: nothing, so that the project's word counts, which is part of the key), and which
# of these is as good: an environment that is compiled is one, too, for who did not ask for it.
_SAID = {None: "", True: " compiled", False: " plain"}
_ENOUGH = {None: ("", " compiled"), True: (" compiled",), False: ("", " plain", " compiled")}
_NO_MATTER = frozenset(("cache_dir", "offline", "refresh"))


def _nothing_to_do(
    env_dir: str, key: str, began: float, *, sealed: bool, reinstall: object, dry_run: bool
) -> SyncOutcome | None:
    if reinstall or not state.unchanged(env_dir, key):
        return None
    known = state.read(env_dir)
    kept = len(known["dists"]) if known else 0
    return SyncOutcome(
        env=env_dir, kept=kept, seconds=time.perf_counter() - began, sealed=sealed, dry_run=dry_run
    )
