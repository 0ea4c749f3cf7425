"""The wheel tags an interpreter accepts, best first, from what it told about itself.

The platform compatibility tags specification as ``packaging.tags`` implements it, which the tests hold this against in
every Python they find.  That module can only ask the interpreter it runs in, and costs 14 ms to import, in the moments
when a cold command does nothing else; it is asked about macOS alone.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["interpreter_tags", "musl_version", "platforms"]

_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_MANYLINUX = frozenset(
    ("x86_64", "aarch64", "ppc64", "ppc64le", "s390x", "loongarch64", "riscv64", "i686", "armv7l")
)
_LOADER_SECONDS = 10


def interpreter_tags(facts: Mapping[str, Any], executable: str) -> tuple[str, ...]:
    """Every tag, as ``cp312-cp312-manylinux_2_17_x86_64``, in order of preference.

    ``facts`` is what ``_facts.py`` printed; ``executable`` is read to tell musl from glibc.
    """
    major, minor = facts["version_info"][:2]
    where = list(platforms(facts, executable))
    name = facts["markers"]["implementation_name"]
    if name == "cpython":
        own = f"cp{major}{minor}"
        found = _cpython_tags(
            own, minor, _cpython_abis(facts, f"{major}{minor}"), where, facts["free_threaded"]
        )
    else:
        name = {"pypy": "pp", "graalpy": "graalpy"}.get(name, name)
        own = f"{name}{major}{minor}"
        found = [f"{own}-{abi}-{platform}" for abi in (*_generic_abis(facts), "none") for platform in where]
    pythons = [
        f"py{major}{minor}",
        f"py{major}",
        *(f"py{major}{older}" for older in range(minor - 1, -1, -1)),
    ]
    found += [f"{python}-none-{platform}" for python in pythons for platform in where]
    found.append(f"{'pp3' if name == 'pp' else own}-none-any")
    found += [f"{python}-none-any" for python in pythons]
    return tuple(dict.fromkeys(found))


def _cpython_tags(own: str, minor: int, abis: list[str], where: list[str], free_threaded: bool) -> list[str]:
    """Its own ABIs, the stable one (PEP 384; PEP 803 for a free-threaded build), none; the stable one of older Pythons."""
    stable = "abi3t" if free_threaded else "abi3"
    found = [f"{own}-{abi}-{platform}" for abi in (*abis, stable, "none") for platform in where]
    return found + [
        f"cp3{older}-{stable}-{platform}" for older in range(minor - 1, 1, -1) for platform in where
    ]


def _cpython_abis(facts: Mapping[str, Any], short: str) -> list[str]:
    threading = "t" if facts["free_threaded"] else ""
    if facts["debug"]:
        # Debug builds load release extensions too since 3.8.
        return [f"cp{short}{threading}d", f"cp{short}{threading}"]
    return [f"cp{short}{threading}"]


def _generic_abis(facts: Mapping[str, Any]) -> list[str]:
    # .pypy39-pp73-x86_64-linux-gnu.so → pypy39_pp73
    soabi = str(facts["ext_suffix"] or "").split(".")
    if len(soabi) < 3:
        return []
    parts = soabi[1].split("-")
    return ["_".join(parts[:2] if soabi[1].startswith("pypy") else parts[:3])]


def platforms(facts: Mapping[str, Any], executable: str) -> Iterator[str]:
    """The platform tags, best first."""
    system = facts["markers"]["platform_system"]
    if system == "Linux":
        yield from _linux(facts, executable)
    elif system == "Darwin":
        from packaging.tags import mac_platforms

        major, minor = (int(part) for part in [*facts["mac"].split("."), "0"][:2])
        yield from mac_platforms((major, minor), facts["markers"]["platform_machine"])
    else:
        yield _plain(facts["platform"])


def _plain(platform: str) -> str:
    return platform.replace("-", "_").replace(".", "_").replace(" ", "_")


def _linux(facts: Mapping[str, Any], executable: str) -> Iterator[str]:
    linux = _plain(facts["platform"])
    if not linux.startswith("linux_"):
        yield linux
        return
    if facts["is_32bit"]:
        linux = {"linux_x86_64": "linux_i686", "linux_aarch64": "linux_armv8l"}.get(linux, linux)
    arch = linux.removeprefix("linux_")
    archs = {"armv8l": ["armv8l", "armv7l"]}.get(arch, [arch])
    # What was built here comes first, as in packaging since release 26.
    for arch in archs:
        yield f"linux_{arch}"
    if facts["glibc"]:
        yield from _manylinux(facts, archs)
    else:
        musl = musl_version(executable)
        if musl is not None:
            for arch in archs:
                for minor in range(musl[1], -1, -1):
                    yield f"musllinux_{musl[0]}_{minor}_{arch}"


def _manylinux(facts: Mapping[str, Any], archs: list[str]) -> Iterator[str]:
    if facts["glibc"][0] != 2:
        return
    vetoes = {int(minor): answer for minor, answer in facts["manylinux"].items()}
    for arch in archs:
        if arch not in _MANYLINUX:
            continue
        # The oldest policy of each architecture: CentOS 5 for Intel, CentOS 7 for the rest (PEP 513, PEP 599).
        oldest = 5 if arch in ("x86_64", "i686") else 17
        for minor in range(facts["glibc"][1], oldest - 1, -1):
            if not vetoes.get(minor, True):
                continue
            yield f"manylinux_2_{minor}_{arch}"
            if minor in _LEGACY:
                yield f"{_LEGACY[minor]}_{arch}"


def musl_version(executable: str) -> tuple[int, int] | None:
    """The version of musl the executable is linked to, told by its loader; ``None`` for another C library."""
    loader = _loader(executable)
    if loader is None or "musl" not in loader:
        return None
    try:
        done = subprocess.run(
            [loader], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, timeout=_LOADER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    for line in done.stderr.decode("ascii", "replace").splitlines():
        word, _, version = line.partition(" ")
        parts = version.split(".")
        if word == "Version" and len(parts) >= 2 and parts[0].isdigit() and parts[1].isdigit():
            return int(parts[0]), int(parts[1])
    return None


def _loader(executable: str) -> str | None:
    """The program interpreter of an ELF file (PT_INTERP), or ``None``."""
    try:
        with open(executable, "rb") as file:
            head = file.read(64)
            if head[:4] != b"\x7fELF" or len(head) < 64:
                return None
            wide = head[4] == 2
            order: Any = "little" if head[5] == 1 else "big"
            table = int.from_bytes(head[32:40] if wide else head[28:32], order)
            at = 54 if wide else 42
            size = int.from_bytes(head[at : at + 2], order)
            count = int.from_bytes(head[at + 2 : at + 4], order)
            file.seek(table)
            headers = file.read(size * count)
            for start in range(0, len(headers), size or 1):
                header = headers[start : start + size]
                if int.from_bytes(header[:4], order) != 3:  # PT_INTERP
                    continue
                offset = int.from_bytes(header[8:16] if wide else header[4:8], order)
                length = int.from_bytes(header[32:40] if wide else header[16:20], order)
                file.seek(offset)
                return file.read(min(length, 4096)).rstrip(b"\0").decode("utf-8", "replace")
    except OSError:
        pass
    return None
