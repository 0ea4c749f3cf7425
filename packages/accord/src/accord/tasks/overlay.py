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
from accord.tasks.resolving import resolve
from accord.tasks.session import Session
from accord.tasks.settings import ResolveSettings, Selection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accord.io.reporting import Reporter
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
) -> str:
    """The folder of an environment with ``requirements`` and what ``files`` name.

    ``base_env`` is an environment whose packages are seen behind those.  ``python`` is an interpreter, or a specifier
    as PEP 723 has it (``>=3.11``).  Raises ResolutionError, RepositoryError, BuildError, InstallError.
    """
    began = time.perf_counter()
    read = read_inputs(files, settings, words=requirements)
    with Session(read.settings, python=python, env=base_env, reporter=reporter) as session:
        key = _key(session, requirements, files, base_env)
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
            how = How(key=key, sealed=base_env is None and not renew, began=began, command="run")
            bring(session, env, lock, Selection(), how, os.getcwd())
            if base_env is not None:
                _see(env, base_env, key)
    return env


def _key(session: Session, requirements: Sequence[str], files: Sequence[str], base_env: str | None) -> str:
    digest = hashlib.sha256(session.interpreter.identity.encode())
    asked = sorted(
        (name, repr(value)) for name, value in session.settings.as_dict().items() if name not in _NO_MATTER
    )
    digest.update(repr((sorted(requirements), base_env, asked)).encode())
    for path in files:
        with open(path, "rb") as stream:
            digest.update(hashlib.sha256(stream.read()).digest())
    return digest.hexdigest()


_NO_MATTER = frozenset(("cache_dir", "offline", "refresh", "upgrade"))


def _see(env: str, base_env: str, key: str) -> None:
    """Let ``env`` see what ``base_env`` has, behind its own: a ``.pth`` file, as ``site`` documents them."""
    from accord.environments.apply import finish

    layout, base = layout_of(env), layout_of(base_env)
    path = os.path.join(layout.root, layout.site, "_accord_base.pth")
    text = f"import site; site.addsitedir({os.path.join(base.root, base.site)!r})\n"
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
    known = state.read(env)
    finish(layout, key, known["dists"] if known else {})
