"""Byte-compiling an environment on request (``--compile-bytecode``): by its own Python, over all processors.

Left out by default: it costs many times what installing does, and Python compiles what is imported anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accord.environments.layout import layout_of
from accord_core.errors import InstallError

if TYPE_CHECKING:
    from accord.tasks.session import Session

__all__ = ["compile_environment"]


def compile_environment(session: Session, env_dir: str) -> None:
    """Compile everything in site-packages that is not compiled yet.  A file that does not compile is no failure:
    wheels carry templates and tests for other Pythons.  Raises InstallError ``compile-failed`` if Python cannot run.
    """
    import subprocess

    layout = layout_of(env_dir)
    task = session.reporter.start("compiling", None, "files")
    try:
        done = subprocess.run(
            [
                f"{layout.root}/{layout.scripts}/python",
                "-I",
                "-m",
                "compileall",
                "-q",
                "-q",
                "-j",
                "0",
                f"{layout.root}/{layout.site}",
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise InstallError("compile-failed", f"the environment's Python does not start: {error}") from error
    finally:
        session.reporter.finish(task)
    if done.returncode not in (0, 1):
        raise InstallError(
            "compile-failed",
            f"compiling ended with status {done.returncode}",
            context=tuple(done.stderr.decode("utf-8", "replace").splitlines()[-3:]),
            hint="leave out --compile-bytecode",
        )
