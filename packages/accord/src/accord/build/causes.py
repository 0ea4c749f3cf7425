"""What the output of a failing build means, and what a person can do about it.  Only loaded when one failed.

Reads lines; knows the words of compilers, of Python, and of the kernel where the sandbox stands in the way.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["blocked", "hint", "told"]

# What a failing build usually means, by a line of its output, and what a person can do about it.
_CAUSES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), hint)
    for pattern, hint in (
        (
            r"No module named '?(?P<what>[\w.]+)'?",
            (
                "the project needs {what!r} to build and does not say so; choose a release with wheels, or install it and "
                "build with --no-build-isolation"
            ),
        ),
        (
            r"fatal error: (?P<what>Python\.h): No such file",
            "install the development headers of this Python (python3-dev on Debian)",
        ),
        (
            r"fatal error: (?P<what>[\w./+-]+): No such file",
            "install the system library that provides {what}, with its development files",
        ),
        (
            (
                r"(?P<what>gcc|g\+\+|cc|clang|cl\.exe|cmake|ninja|rustc|cargo|gfortran|pkg-config)'?:? "
                r"(?:(?:command )?not found|failed: No such file or directory)|"
                r"error: command '(?P<what2>[\w+-]+)' failed: No such file"
            ),
            "install {what}, which the build calls",
        ),
        (
            r"Do you have cargo in your PATH|Cargo, the Rust package manager, is not installed",
            "install a Rust toolchain, with cargo, which the build calls",
        ),
        (
            r"rustup could not choose a version of (?:cargo|rustc)",
            "give rustup a toolchain: rustup default stable",
        ),
        (
            r"requires rustc (?P<what>[\d.]*\d)",
            "the build needs Rust {what}, which is newer than the one here",
        ),
        (r"Microsoft Visual C\+\+ .* is required", "install the C++ build tools"),
        (
            r"use_2to3 is invalid|error in .* setup command: use_2to3",
            "this release is too old for this Python; choose a newer one",
        ),
        (r"MemoryError|Killed signal terminated program", "there was too little memory; try MAX_JOBS=1"),
        (r"No space left on device", "make room on the disk that holds the cache"),
    )
)

# What a program says that ran against the wall of the sandbox: the pattern, the code, what happened, what to do.
_WALLS: tuple[tuple[re.Pattern[str], str, str, str], ...] = tuple(
    (re.compile(pattern), code, what, advice)
    for pattern, code, what, advice in (
        (
            (
                r"Temporary failure in name resolution|Network is unreachable|Could not resolve host|"
                r"Name or service not known|No address associated with hostname|getaddrinfo|"
                r"nodename nor servname provided|\[Errno 101\]|\[Errno -[235]\]|"
                r"using offline mode \(--offline\)|--offline was specified"
            ),
            "build-needs-network",
            "its build wants the network, and the sandbox has none",
            "if you trust it: [tool.accord] build-network = [{name!r}], or --sandbox off",
        ),
        (
            r"Read-only file system",
            "build-writes-outside",
            "its build writes outside its own folder, and the sandbox does not let it",
            "a build has no business there; if you trust it: --sandbox off",
        ),
        (
            r"(?:No such file or directory|Permission denied|FileNotFoundError|PermissionError).*(?P<what>{home})",
            "build-reads-home",
            "its build looks into your home folder, which the sandbox hides",
            "a build has no business there; if you trust it: --sandbox off",
        ),
    )
)


# How Python prints a fault that our own backend has worded for a person (accord_backend.errors).
_OURS, _ADVICE = "accord_backend.errors.BackendError: ", "  hint: "


def told(lines: Sequence[str]) -> tuple[tuple[str, ...], str | None]:
    """The lines that tell what happened, and the hint among them.

    Of our own backend's faults these are its words alone: from where it was called helps nobody.  Others' are all told.
    """
    begin = max((at for at, line in enumerate(lines) if line.startswith(_OURS)), default=None)
    if begin is None:
        return tuple(lines), None
    words = [lines[begin].removeprefix(_OURS), *lines[begin + 1 :]]
    advice = [line.removeprefix(_ADVICE) for line in words if line.startswith(_ADVICE)]
    return tuple(line for line in words if not line.startswith(_ADVICE)), advice[-1] if advice else None


def hint(lines: Sequence[str]) -> str | None:
    """What the output means, from its last telling line."""
    for line in reversed(lines):
        for pattern, advice in _CAUSES:
            found = pattern.search(line)
            if found:
                groups = found.groupdict()
                return advice.format(what=groups.get("what") or groups.get("what2") or "")
    return None


def blocked(lines: Sequence[str], *, name: str, home: str) -> tuple[str, str, str] | None:
    """Code, message and hint where a build in the sandbox ran against its wall; None where it failed by itself."""
    for line in reversed(lines):
        for pattern, code, what, advice in _WALLS:
            if code == "build-reads-home":
                if home in ("", "/") or home not in line:
                    continue
                pattern = re.compile(pattern.pattern.replace("{home}", re.escape(home)))
            if pattern.search(line):
                return code, what, advice.format(name=name)
    return None
