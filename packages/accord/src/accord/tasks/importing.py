"""Importing what a wheel brings, in an environment of its own: the one check that runs code, and only when it is asked for.

The environment holds the wheel and what it asks for, and is kept as those of ``accord run`` are.  Each name is imported
by a fresh, isolated interpreter (``-I``) in the sandbox that builds run in, and may take a minute.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from accord.io.folders import cache_dir
from accord.io.scratch import scratch_folder
from accord.tasks.overlay import run_environment
from accord.tasks.session import Session
from accord.tasks.sheltered import Sheltered

if TYPE_CHECKING:
    from accord.checks.subjects import WheelSubject
    from accord.io import processes
    from accord.io.reporting import Reporter
    from accord.tasks.settings import ResolveSettings

__all__ = ["PATIENCE", "import_modules", "importable"]

PATIENCE = 60.0  # seconds for one name
_MOST = 20  # names of one wheel
_PROGRAM = "import importlib, sys; importlib.import_module(sys.argv[1])"


def importable(subject: WheelSubject) -> tuple[str, ...]:
    """The names to import: its top-level packages and modules, but no stubs and nothing that has no such name."""
    named = {top for top in subject.tops if top.isidentifier()}
    code = [path.replace("/", ".") for path in subject.library if path.endswith((".py", ".so", ".pyd"))]
    return tuple(sorted(name for name in named if any(path.startswith(f"{name}.") for path in code)))[:_MOST]


def import_modules(
    subject: WheelSubject, *, python: str | None, settings: ResolveSettings, reporter: Reporter
) -> dict[str, str]:
    """Every name of :func:`importable` with what went wrong, ``""`` where nothing did.

    Raises as ``run_environment`` does where the wheel cannot be installed.
    """
    env = run_environment(
        (_requirement(subject),),
        files=(),
        base_env=None,
        python=python,
        settings=settings,
        reporter=reporter,
    )
    executable = os.path.join(env, "bin", "python")
    found = {}
    os.makedirs(cache_dir(settings.cache_dir, os.environ), exist_ok=True)
    with (
        Session(settings, python=env, reporter=reporter) as session,
        scratch_folder("import-", session.cache_dir) as scratch,
        scratch_folder("import-log-", session.cache_dir) as logs,
    ):
        work = os.path.join(scratch, "work")
        os.mkdir(work)
        place = Sheltered(
            session, work, scratch, executable, label=os.path.basename(subject.path), more=_shared(env)
        )
        for name in importable(subject):
            finished = place.run(
                [executable, "-I", "-c", _PROGRAM, name],
                cwd=work,
                log=os.path.join(logs, "log"),
                timeout=PATIENCE,
            )
            found[name] = _fault(finished)
    return found


def _shared(env: str) -> tuple[str, ...]:
    """The folders that a sealed environment leads to."""
    library = os.path.join(env, "lib")
    links = (os.path.join(library, name) for name in os.listdir(library))
    return tuple(os.path.realpath(link) for link in links if os.path.islink(link))


def _requirement(subject: WheelSubject) -> str:
    """The wheel by its bytes: an environment that is kept must not be found again for another wheel of that path."""
    from pathlib import Path

    with open(subject.path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    name = subject.wheel.name if subject.wheel else ""
    return f"{name} @ {Path(subject.path).resolve().as_uri()}#sha256={digest}"


def _fault(finished: processes.Finished) -> str:
    if finished.timed_out:
        return f"it took more than {PATIENCE:.0f} seconds"
    if finished.status == 0:
        return ""
    last = finished.tail(1)
    # The sandbox tells a signal as shells do.
    status = finished.status if finished.status <= 128 else 128 - finished.status
    return last[0] if last else f"the interpreter ended with status {status}"
