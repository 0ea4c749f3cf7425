"""Making an environment, and looking after one: its history, undoing, verifying.

Thin on purpose: ``accord.environments`` knows how, this module finds the interpreter and the folder and hands back
records.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from accord.io.files import refused
from accord.io.locks import FileLock
from accord.io.reporting import SILENT
from accord.tasks.folders import project_environment
from accord.tasks.python import choosing
from accord_core.errors import InstallError

if TYPE_CHECKING:
    from accord.environments.check import Problem
    from accord.environments.history import Change
    from accord.environments.interpreters import Interpreter
    from accord.io.reporting import Reporter
    from accord.tasks.session import Session

__all__ = ["compare", "heal", "look_back", "make", "take_back"]


def make(
    folder: str,
    *,
    python: str | None,
    cache_dir: str,
    clear: bool = False,
    system_site_packages: bool = False,
    prompt: str | None = None,
    project: str | None = None,
    reporter: Reporter = SILENT,
) -> Interpreter:
    """Make an environment in ``folder`` and return the interpreter it is for; one that is there is kept as it is.

    The Python is chosen as ``accord sync`` does it here, or at ``project``.  Nobody else makes one beside it or changes
    it meanwhile.  InstallError ``environment-other-python`` where the one that is there has another Python than is
    asked for.
    """
    from accord.environments.create import create
    from accord.environments.layout import is_environment
    from accord.tasks.turns import Turn

    root = os.path.abspath(folder)
    # A folder that is not there cannot be locked; the one that it will be in can.
    above = os.path.dirname(root)
    try:
        os.makedirs(above, exist_ok=True)
    except OSError as error:
        raise refused(error, f"making the environment {root}") from error
    with ExitStack() as held:
        held.enter_context(Turn(above, cache_dir, reporter, what=f"the environments in {above}"))
        kept = is_environment(root)
        if kept:
            held.enter_context(_locked(root, reporter))
        own = root if kept and not clear else None
        session = held.enter_context(choosing(python, cache_dir=cache_dir, start=project, env=own))
        interpreter = session.interpreter if own is None else _kept(root, session)
        create(root, interpreter, clear=clear, system_site_packages=system_site_packages, prompt=prompt)
    return interpreter


def _locked(root: str, reporter: Reporter) -> FileLock:
    from accord.environments.layout import OWN

    os.makedirs(f"{root}/{OWN}", exist_ok=True)
    return FileLock(f"{root}/{OWN}/lock", f"the environment {root}", on_wait=reporter.warn)


def _kept(root: str, session: Session) -> Interpreter:
    """The Python of the environment that is there; refused where ``session`` asks for another."""
    from accord.environments import interpreters

    there = interpreters.find(root, cache_dir=session.cache_dir)
    request = session.request
    if request is None:
        _refuse_forbidden(root, there, session)
        return there
    words = None if os.sep in request else interpreters.parse_request(request)
    wanted = session.interpreter
    if words.accepts(there) if words is not None else _same(there, wanted):
        return there
    raise InstallError(
        "environment-other-python",
        f"{root} is for {there.implementation} {there.version}, not for {request}",
        context=(f"its Python: {there.base_executable}", f"asked for: {wanted.base_executable}"),
        hint="accord venv --clear makes it anew for the other; without --python it stays as it is",
    )


def _refuse_forbidden(root: str, there: Interpreter, session: Session) -> None:
    """The project's own environment has to be for a Python that the project allows."""
    from accord.environments.interpreters import accepts

    required, project = session.requires_python, session.project_dir
    if project is None or required is None or root != project_environment(project):
        return
    if not accepts(there, required):
        raise InstallError(
            "environment-other-python",
            f"{root} is for {there.implementation} {there.version}, and its project requires {required}",
            hint="accord venv --clear makes it anew for a Python that is allowed",
        )


def _same(one: Interpreter, other: Interpreter) -> bool:
    return os.path.realpath(one.base_executable) == os.path.realpath(other.base_executable)


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
