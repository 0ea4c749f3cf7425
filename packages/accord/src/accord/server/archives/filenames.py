"""What the name of an uploaded file says, and whether an index can have a file of that name.

Reads the name only, so it costs nothing and comes before everything else (PEP 427, PEP 625, platform compatibility tags).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)

from accord.server.errors import Refused
from accord.server.limits import DEFAULT, Limits
from accord_core.index.filenames import safe, split_wheel

__all__ = ["FileName", "read_filename"]

_PYTHON = re.compile(r"(py|cp|pp|ip|jy|graalpy)[0-9]+(_[0-9]+)?\Z")
_ABI = re.compile(r"[a-z0-9_]+\Z")
# What installers compute as the platforms of some machine; a wheel for any other is installed by nobody.
_PLATFORMS = (
    r"any",
    r"win32|win_(amd64|arm64|arm32|ia64)",
    r"macosx_[0-9]+_[0-9]+_(x86_64|arm64|universal2|universal|intel|i386|ppc|ppc64|fat|fat3|fat32|fat64)",
    r"(manylinux(1|2010|2014|_[0-9]+_[0-9]+)|musllinux_[0-9]+_[0-9]+|linux)_(?P<arch>[a-z0-9_]+)",
    r"ios_[0-9]+_[0-9]+_(arm64|x86_64)_(iphoneos|iphonesimulator)",
    r"android_[0-9]+_(arm64_v8a|armeabi_v7a|x86|x86_64)",
    r"(pyodide|pyemscripten|emscripten)_[0-9]+_[0-9]+(_[0-9]+)?_wasm32",
    r"(freebsd|openbsd|netbsd|dragonfly|solaris|sunos|aix|cygwin|mingw|haiku|wasi)_[a-z0-9_]+",
)
_PLATFORM = re.compile("|".join(f"(?:{one})" for one in _PLATFORMS))
_MACHINES = """x86_64 i686 aarch64 armv6l armv7l armv8l ppc ppc64 ppc64le s390x riscv64 loongarch64 mips mips64 mipsel"""
_LINUX = frozenset(_MACHINES.split())


@dataclass(frozen=True, slots=True)
class FileName:
    """``name`` is normalised, ``version`` in normal form; ``tags`` is empty for an sdist.  ``exact`` is the name the
    standards give such a file: normalised project, version in normal form."""

    filename: str
    kind: str  # sdist, wheel
    name: str
    version: str
    tags: str
    exact: str
    platforms: tuple[str, ...] = ()

    @property
    def stem(self) -> str:
        """Project and version as the file is named: what its top folder, or its ``.dist-info``, is called."""
        if self.kind == "sdist":
            return self.filename.removesuffix(".tar.gz")
        return "-".join(self.filename.split("-")[:2])


def read_filename(filename: str, limits: Limits = DEFAULT) -> FileName:
    """Raises ``Refused`` (400): ``upload-filename``, ``upload-name-too-long``, ``upload-platform-unknown``."""
    if len(filename.encode("utf-8", "replace")) > limits.filename_bytes:
        raise _too_long("the file's name", filename, limits.filename_bytes)
    if not filename.isascii() or not safe(filename) or " " in filename:
        raise Refused(400, "upload-filename", f"{filename!r} is no name for a file of an index")
    found = _wheel(filename) if filename.endswith(".whl") else _sdist(filename)
    for what, text in (("the project's name", found.name), ("the version", found.version)):
        if len(text) > limits.name_bytes:
            raise _too_long(what, text, limits.name_bytes)
    return found


def _too_long(what: str, text: str, most: int) -> Refused:
    return Refused(400, "upload-name-too-long", f"{what} is longer than {most} bytes: {text[:80]!r}…")


def _wheel(filename: str) -> FileName:
    parts = split_wheel(filename)
    if parts is None:
        raise Refused(400, "upload-filename", f"{filename!r} is no name of a wheel (PEP 427)")
    try:
        name, version, _, _ = parse_wheel_filename(filename)
    except InvalidWheelFilename as fault:
        raise Refused(
            400, "upload-filename", f"{filename!r} is no name of a wheel (PEP 427): {fault}"
        ) from fault
    platforms = tuple(parts.platform.split("."))
    for kind, pattern, texts in (
        ("Python", _PYTHON, parts.python.split(".")),
        ("ABI", _ABI, parts.abi.split(".")),
    ):
        for text in texts:
            if not pattern.match(text):
                raise _unknown(kind, text, filename)
    for text in platforms:
        match = _PLATFORM.fullmatch(text)
        if match is None or (match["arch"] or "x86_64") not in _LINUX:
            raise _unknown("platform", text, filename)
    tags = f"{parts.python}-{parts.abi}-{parts.platform}"
    build = f"-{parts.build}" if parts.build else ""
    exact = f"{_escaped(name)}-{version}{build}-{tags}.whl"
    return FileName(filename, "wheel", str(name), str(version), tags, exact, platforms)


def _sdist(filename: str) -> FileName:
    if not filename.endswith(".tar.gz"):
        raise Refused(
            400,
            "upload-filename",
            f"{filename!r} is neither a wheel (.whl) nor an sdist (.tar.gz, PEP 625)",
            hint="build it with a backend of today: accord build",
        )
    try:
        name, version = parse_sdist_filename(filename)
    except InvalidSdistFilename as fault:
        raise Refused(
            400, "upload-filename", f"{filename!r} is no name of an sdist (PEP 625): {fault}"
        ) from fault
    return FileName(filename, "sdist", str(name), str(version), "", f"{_escaped(name)}-{version}.tar.gz")


def _escaped(name: str) -> str:
    return name.replace("-", "_")


def _unknown(kind: str, text: str, filename: str) -> Refused:
    return Refused(
        400,
        "upload-platform-unknown",
        f"no installer knows the {kind} tag {text!r} of {filename}",
        hint="a wheel for Linux is named by auditwheel; see the platform compatibility tags",
    )
