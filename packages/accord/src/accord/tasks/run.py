"""``accord run``: a command in the project's environment, or a script in one of its own.

The program takes this process's place (``exec``), so that signals, exit status and terminal are its own; nothing of
Accord stays behind it.  Knows how a program is started, not how its environment comes about: that is
``tasks.sync`` and ``tasks.overlay``.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

from accord_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["environment_variables", "is_script", "replace_process", "resolve_program"]

NOT_FOUND = 127


def is_script(word: str) -> bool:
    """Whether ``accord run WORD`` means a Python file."""
    return word.endswith((".py", ".pyw")) and os.path.isfile(word)


def environment_variables(env: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of a program in ``env``: as ``activate`` sets them (``VIRTUAL_ENV``, ``PATH``; no
    ``PYTHONHOME``)."""
    variables = dict(environ)
    variables.pop("PYTHONHOME", None)
    variables["VIRTUAL_ENV"] = env
    variables["PATH"] = os.pathsep.join(filter(None, (_scripts(env), environ.get("PATH", ""))))
    return variables


def _scripts(env: str) -> str:
    return os.path.join(env, "Scripts" if sys.platform == "win32" else "bin")


def resolve_program(
    words: Sequence[str], env: str, environ: Mapping[str, str], *, base: str | None = None
) -> tuple[str, list[str]]:
    """The file to execute and its arguments: a Python file is run by the environment's Python, a name is looked up
    in the environment first, then in ``base``, the environment it lies over.

    ``UsageError`` ``command-not-found`` where there is no such program.
    """
    import shutil

    variables = environment_variables(env, environ)
    if is_script(words[0]):
        words = ("python", *words)
    program = shutil.which(words[0], path=_scripts(env))
    if program is None and base is not None:
        program = shutil.which(words[0], path=_scripts(base))
        if program is not None and _is_launcher(program):
            # Its first line leads to the Python below, which does not see what was laid over it.
            return os.path.join(_scripts(env), "python"), ["python", program, *words[1:]]
    program = program or shutil.which(words[0], path=variables["PATH"])
    if program is None:
        raise UsageError(
            "command-not-found",
            f"there is no program {words[0]} in {env} or on PATH",
            hint=f"accord add the package that brings it, or accord run --with PACKAGE {words[0]}",
        )
    return program, [words[0], *words[1:]]


def _is_launcher(path: str) -> bool:
    """Whether a program is a Python script by its first line."""
    with open(path, "rb") as file:
        first = file.readline(512)
    return first.startswith(b"#!") and b"python" in first


def replace_process(program: str, words: Sequence[str], variables: Mapping[str, str]) -> NoReturn:
    """Become ``program``.  Output that is still in buffers is written first; on Windows, where a process cannot be
    replaced, the program runs as a child and this process ends with its status."""
    sys.stdout.flush()
    sys.stderr.flush()
    if sys.platform == "win32":
        import subprocess

        raise SystemExit(subprocess.run([program, *words[1:]], env=dict(variables), check=False).returncode)
    os.execve(program, list(words), dict(variables))  # noqa: S606 - the point of the function
