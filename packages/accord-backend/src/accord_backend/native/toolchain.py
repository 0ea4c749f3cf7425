"""What this machine builds with: the interpreter's facts, compilers and their flags, ninja, Cython, pkg-config.

The one room of the native half that asks the machine.  Everything found goes into the record that
:mod:`~accord_backend.native.configure` writes, so a person can read what was chosen and why.  ``CC``, ``CXX``, ``CPPFLAGS``,
``CFLAGS``, ``CXXFLAGS`` and ``LDFLAGS`` are honoured; of the flags Python itself was built with only those are taken that
say how code must behave beside it, none that name folders of the machine it was built on.
"""

from __future__ import annotations

import os
import shutil
import sys

from ..errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping, Sequence

    from .description import Extension

__all__ = [
    "NINJA", "VARIABLES", "Compiler", "captured", "check_free_threaded", "check_platform", "compiler", "find_ninja", "first_ninja", "inherited", "python_facts", "split",
    "stamp",
]  # fmt: skip

# Every variable that changes what is built: all of them are inputs of the configuration.
VARIABLES = (
    "CC", "CXX", "CPPFLAGS", "CFLAGS", "CXXFLAGS", "LDFLAGS", "PKG_CONFIG", "PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR",
    "PKG_CONFIG_SYSROOT_DIR", "CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "ARCHFLAGS",
    "MACOSX_DEPLOYMENT_TARGET", "_PYTHON_HOST_PLATFORM",
)  # fmt: skip
NINJA = "ninja>=1.10"
_NINJA_LEAST = (1, 10)
_FALLBACKS = {"c": ("cc", "gcc", "clang"), "c++": ("c++", "g++", "clang++")}
# Flags of Python's own build that a module has no use for: debug data, folders, profiles, plugins of that compiler.
_DROPPED = (
    "-g", "-I", "-L", "-Wl,-rpath", "-Wl,-z,pack-relative-relocs", "-ffile-prefix-map", "-fdebug-prefix-map",
    "-fmacro-prefix-map", "-fprofile", "-flto", "-ffat-lto", "-fuse-linker-plugin", "-specs", "-DOPENSSL",
    "-fdebug-default-version", "-W", "-std",
)  # fmt: skip
_KEPT = ("-Wl,", "-Wall", "-Wp,", "-Wa,")


class Compiler:
    """A compiler as a command (``["ccache", "gcc"]``), the ``path`` of its first word, and what it says it is."""

    __slots__ = ("command", "path", "version")

    def __init__(self, command: list[str], path: str) -> None:
        self.command = command
        self.path = path
        self.version = ""


def split(text: str) -> list[str]:
    """The words of a variable such as ``CFLAGS``, as a shell would read them."""
    import shlex

    try:
        return shlex.split(text)
    except ValueError as fault:
        raise BackendError("flags-unreadable", f"{text!r} cannot be split into arguments: {fault}") from None


def python_facts() -> dict[str, Any]:
    """What of the running interpreter decides a build.  ``gil`` is false for free-threaded builds."""
    import sysconfig

    variables = sysconfig.get_config_vars()
    includes = dict.fromkeys((sysconfig.get_path("include"), sysconfig.get_path("platinclude")))
    return {
        "implementation": sys.implementation.name,
        "version": "%d.%d.%d" % sys.version_info[:3],
        "minor": sys.version_info[1],
        "soabi": variables.get("SOABI") or "",
        "suffix": variables.get("EXT_SUFFIX") or variables.get("SO") or ".so",
        "gil": not variables.get("Py_GIL_DISABLED"),
        "debug": bool(variables.get("Py_DEBUG")),
        "bits": 64 if sys.maxsize > 2**32 else 32,
        "platform": sysconfig.get_platform(),
        "include": [path for path in includes if path],
        "flags": {
            "cc": variables.get("CC") or "cc",
            "cxx": variables.get("CXX") or "c++",
            "compile": variables.get("CFLAGS") or "",
            "pic": variables.get("CCSHARED") or "-fPIC",
            "link": variables.get("LDSHARED") or "cc -shared",
        },
    }


def check_platform(facts: Mapping[str, Any]) -> None:
    """Raises ``BackendError`` ``platform-unsupported`` where there is no compiler with gcc's manners."""
    if facts["platform"].startswith("win"):
        raise BackendError(
            "platform-unsupported",
            "extension modules are not built on Windows yet",
            hint="delegate to a backend that does: [tool.accord.backend] delegate = 'mesonpy'",
        )


def check_free_threaded(extension: Extension, facts: Mapping[str, Any]) -> None:
    """Raises ``BackendError`` ``free-threaded-refused`` for a module that says it does not work there."""
    if extension.free_threaded is False and not facts["gil"]:
        raise BackendError(
            "free-threaded-refused",
            f"{extension.name} says free-threaded = false, and this is a free-threaded Python {facts['version']}",
            hint="build with an interpreter that has the GIL",
        )


def inherited(words: Sequence[str]) -> list[str]:
    """The flags of Python's own build that its extension modules share."""
    kept = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in ("-I", "-L", "-isystem"):
            skip = True
        elif word.startswith("-") and (not word.startswith(_DROPPED) or word.startswith(_KEPT)):
            if not word.startswith(("-Wl,-rpath", "-Wl,-z,pack")):
                kept.append(word)
        elif kept and kept[-1] in ("-arch", "-isysroot", "-undefined"):
            kept.append(word)
    return list(kept)


def compiler(language: str, facts: Mapping[str, Any], environ: Mapping[str, str]) -> Compiler:
    """The compiler for ``"c"`` or ``"c++"``.  Raises ``BackendError`` ``compiler-missing``."""
    variable = "CC" if language == "c" else "CXX"
    named = environ.get(variable)
    own = facts["flags"]["cc" if language == "c" else "cxx"]
    candidates = [split(named)] if named else [split(own)[:1], *([name] for name in _FALLBACKS[language])]
    for command in candidates:
        path = shutil.which(command[0], path=environ.get("PATH")) if command else None
        if path is not None:
            return Compiler(command, path)
    package = ("gcc", "gcc") if language == "c" else ("g++", "gcc-c++")
    asked = f"{variable}={named!r} names no program" if named else "none of them is on PATH"
    raise BackendError(
        "compiler-missing",
        f"there is no compiler for {'C' if language == 'c' else 'C++'}: {asked}"
        f" ({', '.join(dict.fromkeys(command[0] for command in candidates if command))})",
        hint=f"Debian, Ubuntu: apt install {package[0]} libc6-dev; Fedora: dnf install {package[1]};"
        " macOS: xcode-select --install",
    )


def find_ninja(environ: Mapping[str, str]) -> str | None:
    """The path of a ninja that is new enough: on PATH, or the one the ``ninja`` wheel brought."""
    return next((place for place in _ninjas(environ) if _ninja_version(place) >= _NINJA_LEAST), None)


def first_ninja(environ: Mapping[str, str]) -> str | None:
    """The first ninja there is, whatever its version; no process is started."""
    return next(iter(_ninjas(environ)), None)


def _ninjas(environ: Mapping[str, str]) -> list[str]:
    path, beside = environ.get("PATH"), os.path.dirname(sys.executable)
    found = [
        shutil.which("ninja", path=path),
        shutil.which("ninja-build", path=path),
        shutil.which("ninja", path=beside),
    ]
    return [place for place in found if place is not None]


def _ninja_version(path: str) -> tuple[int, ...]:
    text = captured([path, "--version"])[1].strip()
    numbers = text.split(".")[:2]
    return tuple(int(number) for number in numbers) if all(number.isdigit() for number in numbers) else ()


def stamp(path: str) -> list[int]:
    """What changes when a file does, without reading it: time and size; empty where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return []
    return [status.st_mtime_ns, status.st_size]


def captured(
    command: Sequence[str], cwd: str | None = None, env: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Status and joined output of a program; status -1 where it cannot be started."""
    import subprocess

    try:
        done = subprocess.run(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )  # fmt: skip
    except OSError as fault:
        return -1, str(fault)
    return done.returncode, done.stdout.decode("utf-8", "replace")
