"""Environments for ``accord run``: of a script's own, or in front of a project's.

Such an environment is sealed and found by what was asked for: the second run of a script resolves nothing and asks
nobody.  Newer versions come with ``--upgrade``, never by themselves.
"""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING

from accord.environments import state
from accord.environments.layout import layout_of
from accord.io.locks import FileLock
from accord.tasks.inputs import read_inputs
from accord.tasks.installing import How, bring
from accord.tasks.locking import make_lock
from accord.tasks.project import check_python
from accord.tasks.resolving import resolve
from accord.tasks.session import Session
from accord.tasks.settings import ResolveSettings, Selection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accord.io.reporting import Reporter
    from accord.tasks.asked import Wish
    from accord.tasks.inputs import Inputs
    from accord.tasks.project import LoadedScript
    from accord_core.lock.model import Lock

__all__ = ["FOLDER", "run_environment"]

FOLDER = "run-envs-v1"


def run_environment(
    requirements: Sequence[str],
    *,
    files: Sequence[str],
    base_env: str | None,
    python: str | None,
    settings: ResolveSettings,
    reporter: Reporter,
    script: LoadedScript | None = None,
) -> str:
    """The folder of an environment with ``requirements``, what ``files`` name and what ``script`` asks for; the
    script's ``[tool.accord]`` counts as a project's does.

    ``base_env`` is an environment whose packages are seen behind those; ``python`` is an interpreter.  Raises
    ResolutionError, RepositoryError, BuildError, InstallError; UsageError ``python-not-allowed``.
    """
    began = time.perf_counter()
    read = read_inputs(files, settings, words=requirements)
    if script is not None:
        script.add_to(read.asked)
    with Session(
        read.settings,
        python=python,
        env=base_env,
        project=None if script is None else script.tool,
        project_dir=None if script is None else script.folder,
        requires_python=None if script is None else script.document.requires_python,
        reporter=reporter,
    ) as session:
        if script is not None:
            check_python(script.document, session)
        key = _key(session, read, base_env, "" if script is None else script.identity())
        folder = os.path.join(session.cache_dir, FOLDER)
        os.makedirs(folder, exist_ok=True)
        env = os.path.join(folder, key[:40])
        renew = settings.upgrade or settings.refresh
        with FileLock(f"{env}.lock", "an environment for accord run", on_wait=reporter.note):
            if not renew and state.unchanged(env, key):
                return env

            def lock() -> Lock:
                resolution = resolve(session, read.asked)
                try:
                    for line in resolution.warnings():
                        reporter.warn(line)
                    return make_lock(resolution, session.target, base=os.getcwd())
                finally:
                    resolution.close()

            # What is in front of another environment must be able to point to it, so it is a private one.
            how = How(
                key=key,
                sealed=base_env is None and not renew,
                link_mode=None if script is None else script.document.tool.link_mode,
                began=began,
                command="run",
            )
            bring(session, env, lock, Selection(), how, os.getcwd())
            if base_env is not None:
                _see(env, base_env, key)
    return env


def _key(session: Session, read: Inputs, base_env: str | None, script: str) -> str:
    """The digest of everything that was asked for: what files said, not their names, and no file is opened again (a
    pipe can be read once)."""
    settings = sorted(
        (name, repr(value)) for name, value in session.settings.as_dict().items() if name not in _NO_MATTER
    )
    asked = read.asked
    wishes = [
        sorted(_words(wish) for wish in several)
        for several in (asked.wishes, asked.constraints, asked.overrides)
    ]
    said = repr((wishes, sorted(asked.excludes), base_env, settings, script))
    return hashlib.sha256(session.interpreter.identity.encode() + said.encode()).hexdigest()


def _words(wish: Wish) -> str:
    requirement = None if wish.requirement is None else wish.requirement.as_tuple()
    stamp = "" if wish.reference is None else _stamp(wish.reference, wish.base, editable=wish.editable)
    return repr(
        (requirement, wish.reference, stamp, wish.base, wish.marker, wish.editable, sorted(wish.hashes))
    )


def _stamp(reference: str, base: str, *, editable: bool) -> str:
    """What tells a file that was built anew, or a folder that was changed, from the one of the same name before.  Of an
    ``editable`` one everything but its metadata is seen as it is anyhow."""
    from accord.io.urls import path_of

    path = os.path.join(base, path_of(reference.partition("#")[0]))
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # no path of this machine
        return ""
    if os.path.isfile(path):
        return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"
    from accord.build.treedigest import DECIDING, tree_digest

    if not editable:
        return tree_digest(path)
    return " ".join(
        _stamp(name, path, editable=True) for name in DECIDING if os.path.isfile(f"{path}/{name}")
    )


_NO_MATTER = frozenset(("build_sandbox", "cache_dir", "offline", "refresh", "upgrade"))


def _see(env: str, base_env: str, key: str) -> None:
    """Let ``env`` see what ``base_env`` has, behind its own: a ``.pth`` file, as ``site`` documents them."""
    from accord.environments.apply import finish

    layout, base = layout_of(env), layout_of(base_env)
    path = os.path.join(layout.root, layout.site, "_accord_base.pth")
    text = "".join(
        f"import site; site.addsitedir({os.path.join(base.root, library)!r})\n" for library in base.libraries
    )
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
    known = state.read(env)
    finish(layout, key, known["dists"] if known else {})
