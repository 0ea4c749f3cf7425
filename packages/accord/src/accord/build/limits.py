"""Every outside number of a build, in one place."""

from __future__ import annotations

from dataclasses import dataclass, field

from accord.io.processes import ProcessLimits

__all__ = ["DEFAULT", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what a source tree and its backend may hand us: bytes, counts and seconds.

    ``hook_seconds`` bounds a hook that should only describe (requirements, metadata) when no time limit was asked
    for; building itself has no limit unless asked, because a large extension may take an hour honestly.
    """

    pyproject_bytes: int = 2 << 20
    metadata_bytes: int = 16 << 20
    hook_result_bytes: int = 1 << 20
    build_requirements: int = 200
    requirement_length: int = 4096
    wheel_bytes: int = 8 << 30
    hook_seconds: float = 1800.0
    error_lines: int = 25
    url_length: int = 8192
    git_seconds: float = 1800.0
    output: ProcessLimits = field(default_factory=ProcessLimits)


DEFAULT = Limits()
