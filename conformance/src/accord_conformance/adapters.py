"""Adapters: what turns the protocol into one tool's commands, a TOML file a tool.

    [tool]
    name = "pip"
    title = "pip"
    home = "https://pip.pypa.io/"
    requires = ["pip==26.3"]                         what its environment is made of; [] for the standard library's own
    unpublished = "lies in this checkout"            of a tool that no index has (its name there is nobody's, or another's): it is asked with --use alone
    version = ["{python}", "-m", "pip", "--version"]  prints a line with the version

    [roles.installer]
    unsupported = "no such option"                   a pattern: a failure that says so is no refusal
    environment.PIP_NO_INPUT = "1"
    install = [["{python}", "-m", "pip", "--python", "{target}", "install", "{files...}"]]     a verb: argument lists, run in order
    result.lock = {file = "pylock.toml", as = "text"}                                            what a verb gives as its value

    settings.without = ["index/uploads/*"]      cases about what is not the tool's part: it is not asked
    settings.serve = ["{bin}/server", "--port", "{port}"]            a server: serving.py has the other settings

    [roles.version-library]
    program = "packaging_versions.py"                beside the adapter; run with the tool's Python (python = "suite" for the suite's own)

``{python}`` and ``{bin}`` are the tool's own, ``{suite}`` is the suite's Python, ``{adapters}`` this adapter's folder; all other names are the role's (``roles``).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accord_conformance.errors import SuiteError
from accord_conformance.processes import LIMITS, Limits
from accord_conformance.protocol import Commands, Player, Program
from accord_conformance.reading import DATA, Table, read_toml
from accord_conformance.serving import Served
from accord_conformance.standards import ROLES

__all__ = ["Adapter", "Part", "player", "read_adapter", "read_adapters"]


@dataclass(frozen=True, slots=True)
class Part:
    """What a tool needs to play one role."""

    verbs: Mapping[str, Sequence[Sequence[Any]]]
    results: Mapping[str, Mapping[str, str]]
    environment: Mapping[str, str]
    unsupported: str
    program: str
    python: str
    settings: Mapping[str, Any]  # for the role itself
    note: str


@dataclass(frozen=True, slots=True)
class Adapter:
    """A tool."""

    name: str
    title: str
    home: str
    requires: tuple[str, ...]
    version: tuple[str, ...]
    parts: Mapping[str, Part]  # by role
    folder: Path
    unpublished: str = ""  # why nothing is installed for it, of a tool that is asked with --use alone


def read_adapters(folder: Path = DATA / "adapters") -> dict[str, Adapter]:
    """Every adapter in ``folder``, by the tool's name."""
    adapters = (read_adapter(path) for path in sorted(folder.glob("*.toml")))
    return {adapter.name: adapter for adapter in adapters}


def read_adapter(path: Path) -> Adapter:
    """One adapter; SuiteError for one out of form."""
    document = Table(path.name, read_toml(path))
    head = Table(f"{path.name} [tool]", document.take("tool", dict))
    parts = {
        role: _part(f"{path.name} [roles.{role}]", role, values)
        for role, values in document.take("roles", dict).items()
    }
    adapter = Adapter(
        head.take("name", str),
        head.take("title", str),
        head.take("home", str),
        head.texts("requires"),
        head.texts("version"),
        parts,
        path.parent.absolute(),  # commands run in folders of their own
        head.take("unpublished", str, ""),
    )
    head.done()
    document.done()
    return adapter


def _part(where: str, role: str, values: object) -> Part:
    if role not in ROLES:
        raise SuiteError(where, f"there is no such role: {', '.join(ROLES)}")
    table = Table(where, values)
    results = table.take("result", dict, {})
    environment = table.take("environment", dict, {})
    unsupported = table.take("unsupported", str, "")
    program, python = table.take("program", str, ""), table.one_of("python", ("tool", "suite"), "tool")
    settings, note = table.take("settings", dict, {}), table.take("note", str, "")
    verbs = table.rest()
    for verb, lists in verbs.items():
        if not isinstance(lists, list) or not all(isinstance(each, list) for each in lists):
            raise SuiteError(where, f"{verb!r} is a list of argument lists")
    return Part(verbs, results, environment, unsupported, program, python, settings, note)


def player(adapter: Adapter, role: str, bin_folder: Path, limits: Limits = LIMITS) -> Player:
    """What plays the tool, whose programs lie in ``bin_folder``, in a role."""
    part = adapter.parts[role]
    values = {
        "python": str(bin_folder / "python"),
        "bin": str(bin_folder),
        "suite": sys.executable,
        "adapters": str(adapter.folder),
    }
    if not part.program:
        commands = Commands(part.verbs, values, part.environment, part.results, part.unsupported, limits)
        return (
            Served(commands, values, part.settings, part.environment, limits)
            if "serve" in part.settings
            else commands
        )
    python = sys.executable if part.python == "suite" else values["python"]
    environment = {
        "PATH": f"{bin_folder}{os.pathsep}{os.defpath}",
        "PYTHONPATH": str(DATA / "speaking"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        **part.environment,
    }
    return Program([python, str(adapter.folder / part.program)], values, environment, limits)
