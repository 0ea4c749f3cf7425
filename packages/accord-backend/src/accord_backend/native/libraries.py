"""Libraries a module is linked to: pkg-config's answers, header folders of installed Python packages, link tests.

``pkg-config`` is asked with the folders that installed distributions declare (entry point group ``pkg_config``, as
numpy and pybind11 do) in front of the system's.  No code of those packages is run.
"""

from __future__ import annotations

import os
import re
import shutil
import sys

from ..errors import BackendError
from . import hints, toolchain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping, Sequence

__all__ = [
    "Packages",
    "Place",
    "check_present",
    "cython_version",
    "declared_folders",
    "include_folders",
    "query",
]

_INCLUDES = (
    "include",
    "_core/include",
    "core/include",
)  # below a package; numpy 2 and numpy 1 have the longer ones


class Packages:
    """What pkg-config said for several names together: arguments, and the ``.pc`` files they came from."""

    __slots__ = ("compile", "files", "link")

    def __init__(self) -> None:
        self.compile: list[str] = []
        self.link: list[str] = []
        self.files: list[str] = []


class Place:
    """The header folder of an installed distribution, and that distribution's version."""

    __slots__ = ("path", "version")

    def __init__(self, path: str, version: str) -> None:
        self.path = path
        self.version = version


def query(wanted: Sequence[str], environ: Mapping[str, str]) -> Packages:
    """Raises ``BackendError`` ``pkg-config-missing``, ``library-missing`` and ``library-version``."""
    result = Packages()
    if not wanted:
        return result
    tool = shutil.which(environ.get("PKG_CONFIG") or "pkg-config", path=environ.get("PATH"))
    if tool is None:
        raise BackendError(
            "pkg-config-missing",
            f"pkg-config, which finds {', '.join(wanted)}, is not on PATH",
            hint="Debian, Ubuntu: apt install pkg-config; Fedora: dnf install pkgconf; macOS: brew install pkgconf",
        )
    places = [*declared_folders(), *filter(None, [environ.get("PKG_CONFIG_PATH")])]
    env = {**environ, "PKG_CONFIG_PATH": os.pathsep.join(places)}
    for item in wanted:
        _one(result, tool, item, env)
    return result


def _one(result: Packages, tool: str, item: str, env: Mapping[str, str]) -> None:
    match = re.match(r"([\w.+-]+)\s*(?:(>=|<=|!=|=|<|>)\s*(.+))?$", item)
    assert match is not None
    name, operator, version = match.groups()
    status, answer = toolchain.captured([tool, "--modversion", name], env=env)
    if status:
        raise BackendError(
            "library-missing", f"pkg-config does not find {name}: {answer.strip().splitlines()[-1]}", hint=hints.for_package(name)
        )  # fmt: skip
    if operator and toolchain.captured([tool, "--exists", f"{name} {operator} {version}"], env=env)[0]:
        raise BackendError(
            "library-version", f"{name} is {answer.strip()} here, {item} is needed", hint=f"another version of it: {hints.for_package(name)}"
        )  # fmt: skip
    result.compile += toolchain.split(toolchain.captured([tool, "--cflags", name], env=env)[1].strip())
    result.link += toolchain.split(toolchain.captured([tool, "--libs", name], env=env)[1].strip())
    folder = toolchain.captured([tool, "--variable=pcfiledir", name], env=env)[1].strip()
    result.files.append(os.path.join(folder, f"{name}.pc"))


def declared_folders() -> list[str]:
    """Folders of ``.pc`` files that installed distributions name in the entry point group ``pkg_config``."""
    from importlib.metadata import distributions

    found = []
    for one in distributions():
        for point in one.entry_points:
            if point.group == "pkg_config":
                place = os.fspath(one.locate_file(point.value.replace(".", "/")))  # type: ignore[call-overload]
                if os.path.isdir(place):
                    found.append(place)
    return sorted(dict.fromkeys(found))


def include_folders(names: Sequence[str]) -> dict[str, Place]:
    """Where the headers of installed distributions lie.  Raises ``include-from-missing`` and ``include-from-none``.

    What counts is what the distribution's files say: an ``include`` folder of its import package, or a ``.pc`` file's.
    """
    if not names:
        return {}
    from importlib.metadata import PackageNotFoundError, distribution

    found = {}
    for name in names:
        try:
            one = distribution(name)
        except PackageNotFoundError:
            raise BackendError(
                "include-from-missing",
                f"include-from names {name}, which is not installed where the build runs",
                hint=f"add {name} to build-system.requires",
            ) from None
        package = re.sub(r"[-_.]+", "_", name)
        for inner in _INCLUDES:
            place = os.fspath(one.locate_file(f"{package}/{inner}"))  # type: ignore[call-overload]
            if os.path.isdir(place):
                found[name] = Place(os.path.realpath(place), one.version)
                break
        else:
            raise BackendError(
                "include-from-none",
                f"{name} {one.version} has no include folder in its package {package}",
                hint=f"if it ships a .pc file, name it: pkg-config = ['{name}']",
            )
    return found


def cython_version() -> str:
    """The version of the Cython beside this interpreter.  Raises ``BackendError`` ``cython-missing``."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("cython")
    except PackageNotFoundError:
        found = ""
    if not found or int(found.split(".")[0]) < 3:
        raise BackendError(
            "cython-missing",
            f"Cython 3 or newer is needed, {found or 'none'} is there for {sys.executable}",
            hint="build in an isolated environment, which gets it, or: python -m pip install 'cython>=3'",
        )
    return found


def check_present(
    root: str, compiler: Any, link: Sequence[str], after: Sequence[str], names: Sequence[str]
) -> None:
    """Raises ``library-missing`` for the first of ``libraries`` the linker does not find."""
    empty = ["-x", "c", os.devnull, "-x", "none", "-o", os.devnull]
    command = [*compiler.command, *link, *empty]
    if not toolchain.captured([*command, *after], cwd=root)[0]:
        return
    folders = [word for word in after if word.startswith("-L")]
    for name in names:
        status, answer = toolchain.captured([*command, *folders, f"-l{name}"], cwd=root)
        if status and re.search(
            rf"(cannot find|unable to find library|library not found for) -l{re.escape(name)}\b", answer
        ):
            raise BackendError(
                "library-missing", f"the linker does not find lib{name} (libraries = ['{name}'])", hint=hints.for_library(name)
            )  # fmt: skip
