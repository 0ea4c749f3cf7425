"""Environment maker: makes virtual environments as PEP 405 and the specification of virtual environments describe them.

Each case has a base Python of its own (``{base}``, its prefix ``{base_prefix}``), with what ``given.base`` puts into its folder of modules; ``given.user`` is
put into the user's, ``given.present`` (path: content) is in the target folder before.  The environment is to be made at ``{made}``, in the project's folder; what is
looked at in it is a path below it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from accord_conformance.cases import Step
from accord_conformance.judging import COMMON_WITNESSES, Finding, Witness, agree, shown
from accord_conformance.making.files import write_tree
from accord_conformance.making.installed import make_base
from accord_conformance.processes import said
from accord_conformance.protocol import Answer
from accord_conformance.roles.records import changes, filled, remember
from accord_conformance.roles.role import Role
from accord_conformance.scene import COMMON_MAKERS, Maker, Scene, purelib

__all__ = ["ROLE", "WITNESSES"]


def _set_up(scene: Scene) -> None:
    folder = scene.folder / "base"
    executable = make_base(folder, None, split=False)
    scene.values.update(
        base=str(executable),
        base_prefix=str(folder),
        made=str(scene.folder / "project" / ".venv"),
        python_version=f"{sys.version_info[0]}.{sys.version_info[1]}",
    )


def _base(scene: Scene, files: Mapping[str, Any]) -> None:
    """Files in the base Python's folder of modules."""
    write_tree(purelib(scene.folder / "base"), files)


def _user(scene: Scene, files: Mapping[str, Any]) -> None:
    """Files in the folder of modules of the user."""
    write_tree(purelib(scene.folder / "home" / ".local"), files)


def _present(scene: Scene, files: Mapping[str, Any]) -> None:
    """Files that are in the target folder already."""
    write_tree(Path(scene.values["made"]), files)


def _values(scene: Scene, step: Step) -> Mapping[str, Any]:
    # An environment in a folder that does not exist yet is asked for by its path.
    values: dict[str, Any] = dict(filled(scene, step.arguments))
    if "at" in values:
        scene.values["made"] = values["made"] = str(scene.folder / "project" / values.pop("at"))
    if "of" in values:
        values["base"] = str(scene.folder / "project" / values.pop("of"))
    remember(scene, Path(scene.values["made"]))
    return values


def _path(scene: Scene, name: str) -> Path:
    return Path(scene.values["made"]) / str(filled(scene, name))


def _files(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Paths where something must be."""
    for name in expected:
        there = _path(scene, name).exists()
        yield Finding("files", f"{name} is there", "it is" if there else "it is not", there)


def _absent(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Paths where nothing may be."""
    for name in expected:
        path = _path(scene, name)
        there = path.exists() or path.is_symlink()
        yield Finding("absent", f"{name} is not there", "it is" if there else "it is not", not there)


def _settings(scene: Scene) -> dict[str, str] | None:
    """pyvenv.cfg as the standard's reader sees it; None when there is none."""
    try:
        lines = _path(scene, "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def _config(scene: Scene, answer: Answer, expected: Mapping[str, str]) -> Iterable[Finding]:
    """Keys of pyvenv.cfg with their values."""
    found = _settings(scene)
    for key, wanted in filled(scene, expected).items():
        yield agree(f"pyvenv.cfg {key}", wanted, (found or {}).get(key))


def _config_form(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Keys that are on lines ``key = value`` of pyvenv.cfg; its reader passes over other lines."""
    try:
        lines = _path(scene, "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except OSError as error:
        yield Finding("pyvenv.cfg", "lines of key = value", str(error.strerror), False)
        return
    keys = [line.partition(" = ")[0].lower() for line in lines if " = " in line]
    for key in expected:
        yield Finding("pyvenv.cfg", f"a line {key} = value", "; ".join(lines), key in keys)


def _python(scene: Scene, answer: Answer, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """What expressions are worth in the environment's Python; sys, os, sysconfig and find (a module's file, or None) are there."""
    code = (
        "import importlib.util, json, os, sys, sysconfig\n"
        "def find(name):\n    spec = importlib.util.find_spec(name)\n    return spec and spec.origin\n"
        f"print(json.dumps([eval(each) for each in {list(expected)!r}]))"
    )
    # The standard names no binary, but for a layout that is typical.
    binary = next(
        (each for each in ("bin/python", "bin/python3") if _path(scene, each).exists()), "bin/python"
    )
    found = _run(scene, [str(_path(scene, binary)), "-c", code])
    try:
        values = json.loads(found)
    except ValueError:
        yield Finding("python", "it runs", found, False)
        return
    for (expression, wanted), value in zip(filled(scene, expected).items(), values, strict=True):
        yield Finding(f"python {expression}", shown(wanted), shown(value), value == wanted)


def _shell(scene: Scene, answer: Answer, expected: Mapping[str, str]) -> Iterable[Finding]:
    """What commands print in a shell that stands in the environment's folder."""
    for command, wanted in expected.items():
        found = _run(scene, ["/bin/sh", "-c", filled(scene, command)], folder=Path(scene.values["made"]))
        yield agree(f"shell {command}", filled(scene, wanted), found)


def _run(scene: Scene, arguments: list[str], folder: Path | None = None) -> str:
    environment = {"PATH": os.defpath, "HOME": scene.environment["HOME"], "LC_ALL": "C.UTF-8"}
    return said(arguments, folder or scene.folder / "home", environment)


def _unchanged(scene: Scene, answer: Answer, expected: bool) -> Iterable[Finding]:
    """The target folder is as it was."""
    found = changes(scene, Path(scene.values["made"]))
    yield Finding("unchanged", "nothing has changed", "; ".join(found) or "nothing has changed", not found)


WITNESSES: dict[str, Witness] = {
    **COMMON_WITNESSES,
    "files": _files,
    "absent": _absent,
    "config": _config,
    "config_form": _config_form,
    "python": _python,
    "shell": _shell,
    "unchanged": _unchanged,
}

_MAKERS: dict[str, Maker] = {
    "base": _base,
    "user": _user,
    "present": _present,
    "environment": COMMON_MAKERS["environment"],
}

ROLE = Role(
    name="environment-maker",
    about="Makes virtual environments.",
    verbs={
        "create": ("at", "of"),  # of {base}, at {made}
        "create-seeing": ("at", "of"),  # that sees what is installed in {base}
        "create-anew": ("at",),  # the folder is emptied first
    },
    makers=_MAKERS,
    set_up=_set_up,
    values=_values,
    witnesses=WITNESSES,
)
