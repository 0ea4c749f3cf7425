"""Shared objects of a wheel, taken apart: what they need, which symbols, built for which machine.  Needs ``pyelftools``.

Reads bytes and runs nothing; an object that cannot be read has a ``fault`` and is empty otherwise.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any

from accord.checks.limits import DEFAULT_LIMITS, Limits

__all__ = ["Elf", "is_elf", "read_elf"]

_HOME = re.compile(rb"(?<![\w/.-])(?:/home/|/Users/|/root/)[\w.@+-]+(?:/[\w.@+-]+)+")
_MACHINES = {
    "EM_X86_64": "x86_64", "EM_386": "i686", "EM_AARCH64": "aarch64", "EM_ARM": "armv7l", "EM_PPC64": "ppc64le",
    "EM_S390": "s390x", "EM_RISCV": "riscv64", "EM_LOONGARCH": "loongarch64",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Elf:
    """``versions`` are ``(library, symbol version)`` as asked for; ``undefined`` the names of undefined symbols."""

    machine: str = ""
    needed: tuple[str, ...] = ()
    soname: str = ""
    run_paths: tuple[str, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    undefined: frozenset[str] = frozenset()
    defined: frozenset[str] = frozenset()
    homes: tuple[str, ...] = ()
    fault: str = ""


def is_elf(data: bytes) -> bool:
    return data[:4] == b"\x7fELF"


def read_elf(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Elf:
    """Take an object apart."""
    from elftools.common.exceptions import ELFError

    try:
        return _read(data, limits)
    except (
        ELFError,
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        OSError,
        TypeError,
        ValueError,
    ) as error:
        return Elf(fault=str(error) or type(error).__name__)


def _entries(section: Any) -> int:
    """How many symbols or versions a section claims to have."""
    count = section.num_versions if hasattr(section, "num_versions") else section.num_symbols
    return int(count())


def _read(data: bytes, limits: Limits) -> Elf:
    from elftools.elf.dynamic import DynamicSection
    from elftools.elf.elffile import ELFFile
    from elftools.elf.gnuversions import GNUVerNeedSection
    from elftools.elf.sections import SymbolTableSection

    file = ELFFile(io.BytesIO(data))
    needed, paths, soname = [], [], ""
    versions: list[tuple[str, str]] = []
    undefined: set[str] = set()
    defined: set[str] = set()
    if file.num_sections() > limits.binary_sections:
        raise ValueError(f"it has more than {limits.binary_sections:,} sections")
    for section in file.iter_sections():
        if (
            isinstance(section, (GNUVerNeedSection, SymbolTableSection))
            and _entries(section) > limits.binary_entries
        ):
            raise ValueError(f"{section.name} has more than {limits.binary_entries:,} entries")
        if isinstance(section, DynamicSection):
            tag: Any  # what a tag has depends on its kind
            for tag in section.iter_tags():
                if tag.entry.d_tag == "DT_NEEDED":
                    needed.append(tag.needed)
                elif tag.entry.d_tag in ("DT_RPATH", "DT_RUNPATH"):
                    paths += str(getattr(tag, "rpath", None) or getattr(tag, "runpath", "")).split(":")
                elif tag.entry.d_tag == "DT_SONAME":
                    soname = tag.soname
        elif isinstance(section, GNUVerNeedSection):
            for need, auxiliaries in section.iter_versions():
                versions += [(str(need.name), str(auxiliary.name)) for auxiliary in auxiliaries]
        elif isinstance(section, SymbolTableSection) and section.name == ".dynsym":
            for symbol in section.iter_symbols():
                names = undefined if symbol.entry.st_shndx == "SHN_UNDEF" else defined
                names.add(symbol.name)
    return Elf(
        _MACHINES.get(file.header.e_machine, str(file.header.e_machine)),
        tuple(needed),
        soname,
        tuple(path for path in paths if path),
        tuple(versions),
        frozenset(undefined),
        frozenset(defined),
        tuple(sorted({found.decode() for found in _HOME.findall(data)})),
    )
