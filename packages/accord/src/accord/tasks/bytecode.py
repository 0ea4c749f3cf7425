"""Byte-compiling an environment on request (``--compile-bytecode``): by its own Python, over all processors.

Left out by default: it costs many times what installing does, and Python compiles what is imported anyway.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from accord.environments.layout import layout_of
from accord.io import processes
from accord.io.scratch import scratch_folder
from accord_core.errors import InstallError

if TYPE_CHECKING:
    from accord.tasks.session import Session

__all__ = ["compile_environment"]


def compile_environment(session: Session, env_dir: str) -> None:
    """Compile everything in site-packages that is not compiled yet.  A file that does not compile is no failure:
    wheels carry templates and tests for other Pythons.  Raises InstallError ``compile-failed`` if Python cannot run.
    """
    layout = layout_of(env_dir)
    python = f"{layout.root}/{layout.scripts}/python"
    site = f"{layout.root}/{layout.site}"
    task = session.reporter.start("compiling", None, "files")
    try:
        with scratch_folder("accord-") as folder:
            # Not by subprocess alone: it starts workers of its own, which would outlive an interrupt.
            done = processes.run(
                [python, "-I", "-m", "compileall", "-q", "-q", "-j", "0", site],
                cwd=folder,
                env=os.environ,
                log=os.path.join(folder, "log"),
            )
            said = done.tail(3)
    except OSError as error:
        raise InstallError("compile-failed", f"the environment's Python does not start: {error}") from error
    finally:
        session.reporter.finish(task)
    if done.status not in (0, 1):
        raise InstallError(
            "compile-failed",
            f"compiling ended with status {done.status}",
            context=said,
            hint="leave out --compile-bytecode",
        )
