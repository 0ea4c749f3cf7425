"""Environments for one script or one run: ``accord run script.py`` (PEP 723) and ``accord run --with PACKAGE``.

What was resolved for a set of requirements is kept as a lock below the cache folder and used again, so that a script
runs with what it ran with before until somebody says ``--upgrade``.  A script's environment is sealed; one laid over
another environment is private, because it holds the one line that leads to what is below.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from accord.environments.layout import layout_of
from accord.io.files import write_atomic
from accord.io.folders import cache_dir
from accord.tasks.inputs import read_inputs
from accord.tasks.locking import make_lock
from accord.tasks.resolving import resolve
from accord.tasks.session import Session
from accord.tasks.settings import Selection
from accord.tasks.sync import sync_lock
from accord_core.lock.write import dumps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accord.io.reporting import Reporter
    from accord.tasks.settings import ResolveSettings

__all__ = ["FOLDER", "run_environment"]

FOLDER = "runs-v1"
BASE = "_accord_base.pth"


def run_environment(
    requirements: Sequence[str],
    *,
    files: Sequence[str] = (),
    base_env: str | None,
    python: str | None,
    settings: ResolveSettings,
    reporter: Reporter,
) -> str:
    """The folder of an environment with ``requirements`` and what ``files`` name, made ready.

    With ``base_env`` what is installed there can be imported too, behind what is asked for here.  Raises what
    resolving and installing raise; an environment that was there is then as it was.
    """
    folder = os.path.join(
        cache_dir(settings.cache_dir), FOLDER, _key(requirements, files, base_env, python, settings)
    )
    lock = os.path.join(folder, "pylock.toml")
    env = os.path.join(folder, "env")
    asked = python if python is not None or base_env is None else base_env
    if settings.upgrade or settings.refresh or not os.path.isfile(lock):
        _write_lock(lock, requirements, files, asked, settings, reporter)
    sync_lock(
        lock,
        env,
        python=asked,
        settings=settings.replace(upgrade=False, refresh=False),
        selection=Selection(),
        sealed=base_env is None,
        reporter=reporter,
    )
    if base_env is not None:
        _lay_over(env, base_env)
    return env


def _key(
    requirements: Sequence[str],
    files: Sequence[str],
    base_env: str | None,
    python: str | None,
    settings: ResolveSettings,
) -> str:
    """A digest of everything the environment depends on; what only says how to get it does not count."""
    contents = []
    for path in files:
        with open(path, "rb") as file:
            contents.append((os.path.abspath(path), file.read()))
    plain = settings.replace(upgrade=False, refresh=False, offline=False, cache_dir=None)
    base = None if base_env is None else os.path.abspath(base_env)
    words = repr((tuple(requirements), contents, base, python, plain))
    return hashlib.sha256(words.encode()).hexdigest()[:32]


def _write_lock(
    path: str,
    requirements: Sequence[str],
    files: Sequence[str],
    python: str | None,
    settings: ResolveSettings,
    reporter: Reporter,
) -> None:
    read = read_inputs(files, settings, words=requirements)
    with Session(read.settings, python=python, reporter=reporter) as session:
        resolution = resolve(session, read.asked)
        try:
            lock = make_lock(resolution, session.target, base=os.path.dirname(path))
        finally:
            resolution.close()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write_atomic(path, dumps(lock).encode())


def _lay_over(env: str, base_env: str) -> None:
    """Let ``env`` see the site folder of ``base_env``, its .pth files (editable installs) included."""
    over, under = layout_of(env), layout_of(base_env)
    path = f"{over.root}/{over.site}/{BASE}"
    line = f"import site; site.addsitedir({f'{under.root}/{under.site}'!r})\n"
    if not os.path.exists(path):
        write_atomic(path, line.encode())
