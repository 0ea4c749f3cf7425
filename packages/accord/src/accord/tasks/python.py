"""Finding, listing and pinning interpreters, for ``accord python``.

Nothing is downloaded and nothing of an interpreter is changed; what one is like is asked of it once and remembered
(``accord.environments.interpreters``).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.io.files import write_atomic
from accord_core.errors import UsageError

if TYPE_CHECKING:
    from accord.environments.interpreters import Interpreter

__all__ = ["Pin", "find_python", "list_pythons", "pin_python", "project_request", "read_pin"]

PIN_FILE = ".python-version"


@dataclass(frozen=True, slots=True)
class Pin:
    """What was pinned where; ``before`` is what the file said."""

    path: str
    request: str
    before: str | None


def find_python(request: str | None, *, cache_dir: str) -> Interpreter:
    """The interpreter a request leads to: ``3.12``, ``cpython3.12``, a path, an environment, or ``None`` for the one
    a command without ``--python`` would take."""
    from accord.environments import interpreters

    return interpreters.find(request, cache_dir=cache_dir)


def list_pythons(*, cache_dir: str) -> tuple[Interpreter, ...]:
    """Every interpreter that is found on this machine, in the order they are preferred."""
    from accord.environments import interpreters

    return interpreters.find_all(cache_dir=cache_dir)


def read_pin(folder: str) -> str | None:
    """What ``.python-version`` in ``folder`` asks for: its first line that is no comment."""
    try:
        with open(os.path.join(folder, PIN_FILE), encoding="utf-8") as file:
            lines = [line.strip() for line in file]
    except (FileNotFoundError, NotADirectoryError):
        return None
    return next((line for line in lines if line and not line.startswith("#")), None)


def project_request(project_dir: str, request: str | None) -> str | None:
    """The interpreter a command in a project means: what was asked, else what is pinned there, else nothing."""
    return request or read_pin(project_dir)


def pin_python(folder: str, request: str, *, cache_dir: str) -> Pin:
    """Write ``request`` to ``.python-version`` in ``folder``, once an interpreter for it was found."""
    if "\n" in request or not request.strip():
        raise UsageError("usage", f"{request!r} is not a version or a path", hint="accord python pin 3.12")
    find_python(request, cache_dir=cache_dir)
    before = read_pin(folder)
    path = os.path.join(folder, PIN_FILE)
    write_atomic(path, f"{request.strip()}\n".encode())
    return Pin(path, request.strip(), before)
