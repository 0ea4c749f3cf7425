"""Making an environment, and looking after one: its history, undoing, verifying.

Thin on purpose: ``accord.environments`` knows how, this module finds the interpreter and the folder and hands back
records.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from accord.tasks.python import find_python

if TYPE_CHECKING:
    from accord.environments.check import Problem
    from accord.environments.history import Change
    from accord.environments.interpreters import Interpreter

__all__ = ["compare", "heal", "look_back", "make", "take_back"]


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


def heal(folder: str) -> bool:
    """Take back what a killed command did to the environment, before anybody is told what is in it."""
    from accord.environments.layout import OWN
    from accord.environments.transaction import recover

    # The journal alone: what is only prepared aside changes nothing, and a reader does not wait for its writer.
    return os.path.lexists(os.path.join(folder, OWN, "journal")) and recover(os.path.abspath(folder))


def look_back(folder: str) -> tuple[Change, ...]:
    """What was done to the environment, oldest first."""
    from accord.environments.history import history

    heal(folder)
    return history(folder)


def take_back(folder: str, *, redo: bool = False) -> Change:
    """Undo the last change of the environment that stands, or (``redo``) the last undo; the change it was about."""
    from accord.environments.history import undo

    return undo(folder, command="redo" if redo else "undo", redo=redo)


def compare(folder: str, *, repair: bool, cache_dir: str) -> tuple[Problem, ...]:
    """Every file of the environment that is not as it was installed; with ``repair`` put back from the store what can
    be (each problem says whether it was)."""
    from accord.environments.check import verify
    from accord.store.store import Store

    return verify(folder, repair=repair, store=Store(cache_dir) if repair else None)
