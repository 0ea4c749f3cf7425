"""How a hook ended that did not end well, as the error a person gets.  Only loaded when one did."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from accord.build.causes import blocked, hint, told
from accord_core.errors import BuildError

if TYPE_CHECKING:
    from accord.build.hooks import Place
    from accord.build.limits import Limits
    from accord.build.shelter import Shelter
    from accord.io.processes import Finished

__all__ = ["ending"]

_HALTED = {
    "disk": ("build-disk-limit", "filled its folder with more than {limits.scratch_bytes} bytes"),
    "output": ("build-output-limit", "printed more than {limits.output.output_bytes} bytes"),
}


def ending(
    place: Place, hook: str, done: Finished, limit: float | None, limits: Limits, shelter: Shelter
) -> BuildError:
    """The error for a hook that was stopped, ran out of time or room, or failed."""
    label, tail = place.label, done.tail(limits.error_lines)
    if done.stopped:
        return BuildError("build-stopped", f"{label}: {hook} was stopped before it ended")
    log = f"the whole output is in {place.log}"
    if done.timed_out:
        return BuildError(
            "build-timeout",
            f"{label}: {hook} did not end within {limit:g} seconds",
            context=tail,
            hint=f"allow more time, or look at the whole output in {place.log}",
        )
    if done.halted:
        code, what = _HALTED[done.halted]
        return BuildError(
            code,
            f"{label}: {hook} {what.format(limits=limits)} and was ended",
            context=tail,
            hint=f"an honest build needs far less; {log}",
        )
    if shelter.broken(done, tail):
        return BuildError(
            "sandbox-unavailable",
            f"{label}: the sandbox cannot be had for this build",
            context=tail,
            hint="--sandbox off builds without one, if you trust what is built",
        )
    ended = f"signal {-done.status}" if done.status < 0 else f"exit status {done.status}"
    wall = (
        blocked(tail, name=place.name or place.label, home=os.path.expanduser("~"))
        if shelter.closed
        else None
    )
    if wall is not None:
        code, what, advice = wall
        return BuildError(code, f"{label}: {what} ({hook}, {ended})", context=tail, hint=f"{advice}; {log}")
    words, hinted = told(tail)
    return BuildError(
        "build-failed",
        f"{label}: {hook} failed ({ended})",
        context=words,
        hint=f"{hinted}; {log}" if hinted else hint(tail) or log,
    )
