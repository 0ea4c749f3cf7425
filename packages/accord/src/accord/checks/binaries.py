"""Checks of compiled code in wheels: whether it keeps what the tags of the wheel promise.

The limits of manylinux and musllinux are those of ``auditwheel``, the stable ABI is that of ``abi3info``; both are data
that their projects keep, and come with the extra ``check``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from accord.checks.elf import Elf, is_elf, read_elf
from accord.checks.model import ADVICE, ERROR, WARNING, Finding, Register, listed
from accord.checks.subjects import File, WheelSubject

__all__ = ["CHECKS"]

check = Register()
_NEEDS = ("elftools",)
_SMALLEST = 4096  # bytes; a script of Python or a shell is smaller than any program of a compiler
_OBJECT = re.compile(r"\.so(\.\d+)*$")
_SUFFIX = re.compile(r"\.(?:cpython-|cp)(\d+)(t?)-[\w-]+\.(?:so|pyd)$")  # Linux and macOS, Windows
_POLICY = re.compile(r"(?P<name>(?:manylinux|musllinux)_\d+_\d+)_(?P<machine>\w+)")
_OLD_POLICIES = {
    "manylinux1_": "manylinux_2_5_",
    "manylinux2010_": "manylinux_2_12_",
    "manylinux2014_": "manylinux_2_17_",
}
_PYTHON_API = re.compile(r"_?Py[A-Z_]\w*")


def _candidates(subject: WheelSubject) -> list[File]:
    """Files that may be shared objects or programs of Linux; a wheel for any platform has no programs."""
    scripts = f"{subject.dist_info.removesuffix('.dist-info')}.data/scripts/"
    special = subject.tags is not None and subject.tags.platform != "any"
    return [
        file
        for path, file in subject.files.items()
        if (_OBJECT.search(path) or (special and path.startswith(scripts) and file.size > _SMALLEST))
        and file.size <= subject.limits.binary_bytes
    ]


def _has_objects(subject: WheelSubject) -> bool:
    return bool(_candidates(subject))


def _objects(subject: WheelSubject) -> dict[str, Elf]:
    """The shared objects of the wheel by path, read once for all checks."""
    kept = subject.__dict__.get("objects")
    if kept is None:
        kept = {}
        for file in _candidates(subject):
            data = file.read()
            if is_elf(data):
                kept[file.path] = read_elf(data, subject.limits)
        subject.__dict__["objects"] = kept
    found: dict[str, Elf] = kept
    return found


def _policy_tags(subject: WheelSubject) -> dict[str, str]:
    """``{"manylinux_2_17": "x86_64"}`` of the platforms in the name."""
    found = {}
    for platform in subject.tags.platform.lower().split(".") if subject.tags else ():
        for old, new in _OLD_POLICIES.items():
            platform = platform.replace(old, new)
        match = _POLICY.fullmatch(platform)
        if match:
            found[match["name"]] = match["machine"]
    return found


@check(
    "elf-unreadable", "A shared object cannot be read", ERROR, "wheel", needs=_NEEDS, concerns=_has_objects
)
def elf_unreadable(subject: WheelSubject) -> Iterable[Finding]:
    """It begins like a shared object of Linux and is none, so no Python can load it."""
    for path, elf in _objects(subject).items():
        if elf.fault:
            yield Finding(f"{path} cannot be read: {elf.fault}", subject.where(path))


@check(
    "elf-machine",
    "Compiled code is for another machine than the wheel",
    ERROR,
    "wheel",
    needs=_NEEDS,
    concerns=_has_objects,
)
def elf_machine(subject: WheelSubject) -> Iterable[Finding]:
    """The platform in the wheel's name says where it can be installed; there its code must run."""
    platforms = _linux(subject)
    for path, elf in _objects(subject).items():
        if elf.machine and platforms and not any(one.endswith(_aliases(elf.machine)) for one in platforms):
            yield Finding(
                f"{path} is for {elf.machine}",
                subject.where(path),
                "rebuild it, or give the wheel the platform it is for",
            )


def _linux(subject: WheelSubject) -> list[str]:
    return [
        one for one in (subject.tags.platform.lower().split(".") if subject.tags else ()) if "linux" in one
    ]


def _aliases(machine: str) -> tuple[str, ...]:
    more = {
        "armv7l": ("_armv6l", "_armv7l", "_armv8l"),
        "i686": ("_i686", "_i386"),
        "ppc64le": ("_ppc64le", "_ppc64"),
    }
    return more.get(machine, (f"_{machine}",))


@check(
    "elf-policy", "Compiled code needs more than the wheel's platform promises", ERROR, "wheel",
    needs=("elftools", "auditwheel"), concerns=_has_objects,
)  # fmt: skip
def elf_policy(subject: WheelSubject) -> Iterable[Finding]:
    """``manylinux_2_17`` promises that a system with glibc 2.17 can load it (PEP 600, 656): no newer symbols, no libraries
    but those of the policy. It fails on other people's machines. ``accord wheel repair`` finds the right tag, and takes
    libraries into the wheel.
    """
    own = {path.rpartition("/")[2] for path in subject.files} | {
        elf.soname for elf in _objects(subject).values()
    }
    for name, machine in _policy_tags(subject).items():
        policy = _policy(name)
        if policy is None or machine not in policy["symbol_versions"]:
            continue
        for path, elf in _objects(subject).items():
            yield from _against(subject, path, elf, (name, machine, policy), own)


def _policy(name: str) -> dict[str, Any] | None:
    from importlib.resources import files

    family = name.partition("_")[0]
    text = files("auditwheel.policy").joinpath(f"{family}-policy.json").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(text)
    return next((one for one in found if one["name"] == name), None)


def _against(
    subject: WheelSubject, path: str, elf: Elf, promise: tuple[str, str, dict[str, Any]], own: set[str]
) -> Iterable[Finding]:
    name, machine, policy = promise
    allowed = policy["symbol_versions"][machine]
    high: dict[str, list[str]] = {}
    for library, version in elf.versions:
        family, _, number = version.rpartition("_")
        if library not in own and family in allowed and number not in allowed[family]:
            high.setdefault(family, []).append(number)
    if high:
        versions = ", ".join(
            f"{family}_{max(numbers, key=_number)}" for family, numbers in sorted(high.items())
        )
        yield Finding(
            f"{path} needs {versions}, more than {name} has",
            subject.where(path),
            "build it in an older image, or give it the tag it earns",
        )
    loader = re.compile(r"ld-linux.*|libpython.*|ld-musl.*|ld64.*")
    musl = name.startswith("musllinux")
    outside = [
        library
        for library in elf.needed
        if library not in own
        and library not in policy["lib_whitelist"]
        and not loader.fullmatch(library)
        and not (musl and library.startswith("libc."))
    ]
    if outside:
        yield Finding(
            f"{path} needs {listed(outside)}, which {name} does not promise",
            subject.where(path),
            "accord wheel repair takes libraries into the wheel",
        )


def _number(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))


@check(
    "elf-abi3",
    "Compiled code leaves the stable ABI",
    ERROR,
    "wheel",
    needs=("elftools", "abi3info"),
    concerns=_has_objects,
)
def elf_abi3(subject: WheelSubject) -> Iterable[Finding]:
    """A wheel tagged ``cp39-abi3`` promises to run on 3.9 and everything after; a function from outside the stable ABI, or
    one that came later, breaks that promise on the first Python without it.
    """
    if subject.tags is None or "abi3" not in subject.tags.abi.lower().split("."):
        return
    lowest = min(
        (int(one[3:]) for one in subject.tags.python.split(".") if re.fullmatch(r"cp3\d+", one)), default=None
    )
    if lowest is None:
        return
    own = {symbol for elf in _objects(subject).values() for symbol in elf.defined}
    stable = _stable_abi()
    for path, elf in _objects(subject).items():
        used = {one for one in elf.undefined if _PYTHON_API.fullmatch(one)} - own
        outside = sorted(one for one in used if one not in stable)
        later = sorted(one for one in used if one in stable and stable[one] > (3, lowest))
        if outside:
            yield Finding(f"{path} uses {listed(outside)}, not of the stable ABI", subject.where(path))
        if later:
            since = max(stable[one] for one in later)
            yield Finding(
                f"{path} uses {listed(later)}, newer than 3.{lowest}",
                subject.where(path),
                f"tag it cp{since[0]}{since[1]}-abi3, or build with Py_LIMITED_API of 3.{lowest}",
            )


def _stable_abi() -> dict[str, tuple[int, int]]:
    """Every symbol of the stable ABI and the version it came with."""
    import abi3info

    found: dict[str, tuple[int, int]] = {}
    for table in (abi3info.FUNCTIONS, abi3info.DATAS):
        for symbol, entry in table.items():
            found[symbol.name] = (entry.added.major, entry.added.minor)
    return found


@check("extension-suffix", "An extension module has the suffix of another Python", ERROR, "wheel")
def extension_suffix(subject: WheelSubject) -> Iterable[Finding]:
    """``.cpython-312-….so`` is imported by CPython 3.12 alone, whatever the tags of the wheel say."""
    if subject.tags is None:
        return
    pythons, abis = subject.tags.python.lower().split("."), subject.tags.abi.lower().split(".")
    if not any(re.fullmatch(r"cp\d+", one) for one in pythons):
        return  # none-tagged and PyPy wheels may hold modules for several
    for path in subject.library:
        found = _SUFFIX.search(path)
        if found:
            own = f"cp{found[1]}{found[2]}"
            if "abi3" in abis or (own not in abis and "none" not in abis):
                yield Finding(f"{path} is for {own}, the wheel for {subject.tags.abi}", subject.where(path))


@check(
    "elf-run-path",
    "Compiled code looks for libraries on the builder's machine",
    WARNING,
    "wheel",
    needs=_NEEDS,
    concerns=_has_objects,
)
def elf_run_path(subject: WheelSubject) -> Iterable[Finding]:
    """An absolute ``RPATH`` leads to a folder that others do not have, or that somebody else may fill. ``$ORIGIN`` is the way."""
    for path, elf in _objects(subject).items():
        absolute = [
            one for one in elf.run_paths if not one.startswith("$ORIGIN") and not one.startswith("${ORIGIN}")
        ]
        if absolute:
            yield Finding(
                f"{path} looks for libraries in {listed(absolute)}",
                subject.where(path),
                "patchelf --set-rpath '$ORIGIN'",
            )


@check(
    "elf-home",
    "Compiled code holds paths of its builder's home",
    ADVICE,
    "wheel",
    needs=_NEEDS,
    concerns=_has_objects,
)
def elf_home(subject: WheelSubject) -> Iterable[Finding]:
    """Paths of a home folder tell who built it and keep two builds from being the same. ``-ffile-prefix-map``, or for Rust
    ``--remap-path-prefix``, takes them out.
    """
    for path, elf in _objects(subject).items():
        if elf.homes:
            yield Finding(f"{path} holds {listed(elf.homes, 1)}", subject.where(path))


CHECKS = tuple(check.checks)
