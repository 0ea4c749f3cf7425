"""Making an environment, and looking after one: its history, undoing, verifying.

Thin on purpose: ``accord.environments`` knows how, this module finds the interpreter and the folder and hands back
records.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from accord.tasks.python import find_python

if TYPE_CHECKING:
    from accord.environments.history import Change
    from accord.environments.interpreters import Interpreter

__all__ = ["look_back", "make", "take_back"]


def make(
    folder: str,
    *,
    python: str | None,
    cache_dir: str,
    clear: bool = False,
    system_site_packages: bool = False,
    prompt: str | None = None,
) -> Interpreter:
    """Make an environment in ``folder`` and return the interpreter it is for; one that is there is kept as it is."""
    from accord.environments.create import create

    interpreter = find_python(python, cache_dir=cache_dir)
    create(
        os.path.abspath(folder),
        interpreter,
        clear=clear,
        system_site_packages=system_site_packages,
        prompt=prompt,
    )
    return interpreter


def look_back(folder: str) -> tuple[Change, ...]:
    """What was done to the environment, oldest first."""
    from accord.environments.history import history

    return history(folder)


def take_back(folder: str, *, redo: bool = False) -> Change:
    """Undo the last change of the environment that stands, or (``redo``) the last undo; the change it was about."""
    from accord.environments.history import undo

    return undo(folder, command="redo" if redo else "undo", redo=redo)
