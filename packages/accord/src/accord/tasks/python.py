"""Finding, listing and pinning interpreters, for ``accord python``.

Nothing is downloaded and nothing of an interpreter is changed; what one is like is asked of it once and remembered
(``accord.environments.interpreters``).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.io.files import write_atomic
from accord.tasks.folders import ENVIRONMENT, PIN_FILE, find_project, read_pin
from accord_core.errors import UsageError

if TYPE_CHECKING:
    from accord.environments.interpreters import Interpreter
    from accord.tasks.session import Session

__all__ = ["Pin", "choosing", "find_python", "list_pythons", "pin_python"]


@dataclass(frozen=True, slots=True)
class Pin:
    """What was pinned where; ``before`` is what the file said."""

    path: str
    request: str
    before: str | None


def find_python(request: str | None, *, cache_dir: str, project: str | None = None) -> Interpreter:
    """The interpreter a request leads to: ``3.12``, ``cpython3.12``, a path, an environment, or ``None`` for the one
    a command without ``--python`` would take here (or in the project that ``project`` lies in)."""
    if request is not None:
        from accord.environments import interpreters

        return interpreters.find(request, cache_dir=cache_dir)
    with choosing(None, cache_dir=cache_dir, start=project, env=ENVIRONMENT) as session:
        return session.interpreter


def choosing(request: str | None, *, cache_dir: str, start: str | None, env: str | None) -> Session:
    """The session whose interpreter is the one for ``request`` at ``start`` (default: here): chosen as ``accord sync``
    does it in a project, by the nearest ``.python-version`` outside one.

    ``env`` is an environment whose own Python is meant where nobody asked; a relative one is the project's.
    """
    from accord.tasks.project import load_project
    from accord.tasks.session import Session
    from accord.tasks.settings import ResolveSettings

    settings = ResolveSettings(cache_dir=cache_dir)
    folder = os.path.abspath(start or ".")
    try:
        project = load_project(find_project(folder))
    except UsageError:
        return Session(settings, python=request, env=env and os.path.join(folder, env), project_dir=folder)
    return Session(
        settings,
        python=request,
        env=env and os.path.join(project.folder, env),
        project=project.tool,
        project_dir=project.folder,
        requires_python=project.document.requires_python,
    )


def list_pythons(*, cache_dir: str) -> tuple[Interpreter, ...]:
    """Every interpreter that is found on this machine, in the order they are preferred."""
    from accord.environments import interpreters

    return interpreters.find_all(cache_dir=cache_dir)


def pin_python(folder: str, request: str, *, cache_dir: str) -> Pin:
    """Write ``request`` to ``.python-version`` in ``folder``, once an interpreter for it was found."""
    if "\n" in request or not request.strip():
        raise UsageError("usage", f"{request!r} is not a version or a path", hint="accord python pin 3.12")
    find_python(request, cache_dir=cache_dir)
    before = read_pin(folder)
    path = os.path.join(folder, PIN_FILE)
    write_atomic(path, f"{request.strip()}\n".encode())
    return Pin(path, request.strip(), before)
