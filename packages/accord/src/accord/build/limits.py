"""Every outside number of a build, in one place (hot)."""

from __future__ import annotations

import os

from accord.io.processes import ProcessLimits

__all__ = ["DEFAULT", "Limits"]

OUTPUT = ProcessLimits()


class Limits:
    """Bounds of what a source tree and its backend may hand us, and of what they may use: bytes, counts and seconds.

    ``hook_seconds`` bounds a hook that should only describe (requirements, metadata) when no time limit was asked
    for; building itself has no limit unless asked, because a large extension may take an hour honestly.
    ``memory_bytes`` bounds what one process of a build may fill (None: as much as the machine has), ``scratch_bytes``
    what a build may leave on the disk, ``file_bytes`` one file of it.  ``umask`` is that of the build's processes.
    """

    __slots__ = (
        "build_requirements", "error_lines", "file_bytes", "git_seconds", "hook_result_bytes", "hook_seconds",
        "memory_bytes", "metadata_bytes", "output", "pyproject_bytes", "requirement_length", "scratch_bytes", "umask",
        "url_length", "wheel_bytes",
    )  # fmt: skip

    def __init__(
        self,
        *,
        pyproject_bytes: int = 2 << 20,
        metadata_bytes: int = 16 << 20,
        hook_result_bytes: int = 1 << 20,
        build_requirements: int = 200,
        requirement_length: int = 4096,
        wheel_bytes: int = 8 << 30,
        file_bytes: int = 32 << 30,
        scratch_bytes: int = 64 << 30,
        memory_bytes: int | None = None,
        hook_seconds: float = 1800.0,
        error_lines: int = 25,
        url_length: int = 8192,
        git_seconds: float = 1800.0,
        umask: int = 0o022,
        output: ProcessLimits = OUTPUT,
    ) -> None:
        self.pyproject_bytes = pyproject_bytes
        self.metadata_bytes = metadata_bytes
        self.hook_result_bytes = hook_result_bytes
        self.build_requirements = build_requirements
        self.requirement_length = requirement_length
        self.wheel_bytes = wheel_bytes
        self.file_bytes = file_bytes
        self.scratch_bytes = scratch_bytes
        self.memory_bytes = memory_bytes
        self.hook_seconds = hook_seconds
        self.error_lines = error_lines
        self.url_length = url_length
        self.git_seconds = git_seconds
        self.umask = umask
        self.output = output

    def replace(self, **changes: object) -> Limits:
        """The same limits with some changed."""
        return Limits(**{**{name: getattr(self, name) for name in self.__slots__}, **changes})

    def for_processes(self) -> dict[str, int]:
        """The limits the kernel holds each process of a build to, by their names in ``resource``."""
        memory = self.memory_bytes
        if memory is None and hasattr(os, "sysconf"):
            memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        limits = {"RLIMIT_CORE": 0, "RLIMIT_FSIZE": self.file_bytes}
        # RLIMIT_DATA and not RLIMIT_AS: what a runtime only reserves (Go, Java, sanitizers) does not count.
        return limits if memory is None else {**limits, "RLIMIT_DATA": memory}


DEFAULT = Limits()
