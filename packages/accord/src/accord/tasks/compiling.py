"""Compiled files for what is installed: where those of an interpreter are, and having them made (hot to find).

What was compiled before is linked into every new environment, because that costs little and saves the first import.
It is made only when a person asks (``--compile-bytecode``), before anything of the environment changes.
"""

from __future__ import annotations

import os

from accord.environments import interpreters
from accord.store.compiled import FOLDER, CompiledFiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from accord.environments.interpreters import Interpreter
    from accord.environments.plan import Wanted
    from accord.tasks.session import Session

__all__ = ["find_compiled", "interpreter_name", "is_gone"]


def interpreter_name(interpreter: Interpreter) -> str:
    """Under what name the store keeps what the interpreter compiled.

    Not by its magic number alone: an environment of another kind (conda's) is an interpreter of its own, whose standard
    library people change, and what is done in one must not reach what another imports.
    """
    return f"{interpreter.cache_tag}-{interpreter.magic}-{interpreter.identity[:16]}"


def find_compiled(
    session: Session, wanted: Sequence[Wanted], *, env: str | None = None, compile_bytecode: bool
) -> None:
    """Tell ``wanted`` (with their entries) where their compiled files are; with ``compile_bytecode`` have those made that
    are not there.  They are the session's interpreter's, or those of the environment ``env``, which is there: its own
    Python counts, not another one of the same version.  Where nothing was ever compiled this is one look.  Raises
    StoreError as :func:`accord.store.compiling.compile_wheels`."""
    if not compile_bytecode and not os.path.isdir(f"{session.cache_dir}/{FOLDER}"):
        return
    interpreter = session.interpreter
    if env is not None:
        interpreter = interpreters.find(os.path.abspath(env), cache_dir=session.cache_dir)
    if not interpreter.cache_tag:
        return  # a Python that keeps no compiled files
    place = CompiledFiles(session.cache_dir, interpreter_name(interpreter))
    if compile_bytecode:
        from accord.store.compiling import compile_wheels

        entries = [one.entry for one in wanted if one.entry is not None]
        compile_wheels(place, entries, interpreter.real, reporter=session.reporter)
    elif not os.path.isdir(place.root):
        return
    for one in wanted:
        one.compiled = place


def is_gone(cache_dir: str, name: str, executable: str) -> bool:
    """Whether the interpreter that compiled under ``name`` is gone, or is another one by now."""
    from accord_core.errors import AccordError

    try:
        found = interpreters.inspect(executable, cache_dir=cache_dir)
    except AccordError:
        return True
    return interpreter_name(found) != name
