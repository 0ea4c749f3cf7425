"""Importing what a wheel brings, in an environment of its own: the one check that runs code, and only when it is asked for.

The environment holds the wheel and what it asks for, and is kept as those of ``accord run`` are.  Each name is imported
by a fresh, isolated interpreter (``-I``), which may take a minute.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from accord.io import processes
from accord.io.scratch import scratch_folder
from accord.tasks.overlay import run_environment
from accord.tasks.run import environment_variables

if TYPE_CHECKING:
    from accord.checks.subjects import WheelSubject
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
    variables = {
        key: value
        for key, value in environment_variables(env, os.environ).items()
        if key in ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
    }
    found = {}
    with scratch_folder("accord-import-") as scratch:
        for name in importable(subject):
            finished = processes.run(
                [executable, "-I", "-c", _PROGRAM, name],
                cwd=scratch,
                env=variables,
                log=os.path.join(scratch, "log"),
                timeout=PATIENCE,
            )
            found[name] = _fault(finished)
    return found


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
    return last[0] if last else f"the interpreter ended with status {finished.status}"
