"""Installer: puts distributions into an environment, takes them out again, and leaves the records the standards ask for.

Each case has an environment of its own, made by hand, empty.  A place in it is written ``scheme:path``: ``purelib:demo/__init__.py``,
``scripts:demo``, ``data:share/demo.txt``, ``headers:demo/demo.h``; ``dist-info:`` is the folder of the one distribution installed, or of ``dist-info(name):``.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from accord_conformance.cases import Step
from accord_conformance.errors import SuiteError
from accord_conformance.judging import COMMON_WITNESSES, Finding, Witness, agree, shown
from accord_conformance.protocol import Answer
from accord_conformance.roles.client import CLIENT_WITNESSES
from accord_conformance.roles.role import Role
from accord_conformance.scene import COMMON_MAKERS, Scene, make_environment, purelib

__all__ = ["ROLE", "WITNESSES", "place"]

_RUN_SECONDS = 30
_PLACE = re.compile(r"(?P<scheme>[a-z-]+)(?:\((?P<name>[^)]+)\))?:(?P<path>.*)")


def _set_up(scene: Scene) -> None:
    make_environment(scene)


def _values(scene: Scene, step: Step) -> Mapping[str, Any]:
    """``wheels`` and ``sdists`` become ``{files...}``; ``names`` stay; ``index`` replaces the pages that are served."""
    values = dict(step.arguments)
    if "index" in values:
        COMMON_MAKERS["index"](scene, values.pop("index"))
    keys = [*values.pop("wheels", ()), *values.pop("sdists", ())]
    for key in keys:
        if key not in scene.made:
            raise SuiteError("installer", f"no wheel or sdist {key!r} is given")
    files = [str(scene.folder / "dist" / key / scene.made[key].filename) for key in keys]
    return {**values, "files": files}


def place(scene: Scene, where: str) -> Path:
    """The path of a place in the environment."""
    found = _PLACE.fullmatch(where)
    if found is None:
        raise SuiteError("installer", f"a place is written scheme:path, not {where!r}")
    env = Path(scene.values["env"])
    scheme = found["scheme"]
    if scheme == "dist-info":
        return _dist_info(env, found["name"]) / found["path"]
    folders = {
        "purelib": purelib(env),
        "scripts": env / "bin",
        "data": env,
        "headers": env / "include" / "site" / f"python3.{sys.version_info[1]}",
    }
    if scheme not in folders:
        raise SuiteError("installer", f"no scheme {scheme!r}: {', '.join(folders)}, dist-info")
    return folders[scheme] / found["path"]


def _dist_info(env: Path, name: str | None) -> Path:
    pattern = f"{name.replace('-', '_')}-*.dist-info" if name else "*.dist-info"
    found = sorted(purelib(env).glob(pattern))
    # Nothing, or too much, there: a path that does not exist is what witnesses report.
    return found[0] if len(found) == 1 else purelib(env) / f"({len(found)} dist-info folders)"


def _files(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Places where a file or folder must be."""
    for where in expected:
        there = place(scene, where).exists()
        yield Finding("files", f"{where} is there", "it is" if there else "it is not", there)


def _absent(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Places where nothing may be."""
    for where in expected:
        path = place(scene, where)
        there = path.exists() or path.is_symlink()
        yield Finding("absent", f"{where} is not there", "it is" if there else "it is not", not there)


def _text(scene: Scene, answer: Answer, expected: Mapping[str, str]) -> Iterable[Finding]:
    """The whole text of files, without white space around it."""
    for where, text in expected.items():
        yield agree(f"text {where}", text.strip(), _read(place(scene, where)))


def _matches(scene: Scene, answer: Answer, expected: Mapping[str, str]) -> Iterable[Finding]:
    """A pattern found in the text of files."""
    for where, pattern in expected.items():
        text = _read(place(scene, where))
        yield Finding(f"matches {where}", pattern, text, re.search(pattern, text, re.MULTILINE) is not None)


def _json(scene: Scene, answer: Answer, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """The document in JSON files."""
    for where, wanted in expected.items():
        text = _read(place(scene, where))
        try:
            yield agree(f"json {where}", wanted, json.loads(text))
        except ValueError:
            yield Finding(f"json {where}", shown(wanted), text, False)


def _modes(scene: Scene, answer: Answer, expected: Mapping[str, bool]) -> Iterable[Finding]:
    """Whether files may be executed."""
    for where, wanted in expected.items():
        path = place(scene, where)
        found = bool(path.stat().st_mode & 0o100) if path.exists() else "it is not there"
        yield agree(f"executable {where}", wanted, found)


def _prints(scene: Scene, answer: Answer, expected: Mapping[str, str]) -> Iterable[Finding]:
    """What programs in the environment, or Python code after ``-c``, print."""
    for command, wanted in expected.items():
        program, _, rest = command.partition(" ")
        target = str(Path(scene.values["env"]) / "bin" / program)
        arguments = [target, "-c", rest[3:]] if rest.startswith("-c ") else [target, *rest.split()]
        yield agree(f"prints {command}", wanted, _said(arguments, scene))


def _said(arguments: list[str], scene: Scene) -> str:
    try:
        done = subprocess.run(
            arguments,
            cwd=scene.folder / "project",
            env={"PATH": scene.environment["PATH"], "HOME": scene.environment["HOME"]},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_RUN_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"({error})"
    return done.stdout.strip() if done.returncode == 0 else f"(code {done.returncode}) {done.stderr.strip()}"


def _record(scene: Scene, answer: Answer, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """RECORD of what was installed: ``complete`` (every row is true, no file of the environment's package folder is missing), ``has`` rows' paths, ``lacks`` paths."""
    path = place(scene, expected.get("of", "dist-info:RECORD"))
    rows = list(csv.reader(_read(path).splitlines()))
    listed = {row[0]: row for row in rows if row}
    for name in expected.get("has", ()):
        yield Finding("record", f"{name} is listed", ", ".join(sorted(listed)), name in listed)
    for name in expected.get("lacks", ()):
        yield Finding("record", f"{name} is not listed", ", ".join(sorted(listed)), name not in listed)
    if expected.get("complete"):
        wrong = _untrue(listed, purelib(Path(scene.values["env"])))
        yield Finding("record", "every row is true", "; ".join(wrong) or "every row is true", not wrong)


def _untrue(listed: Mapping[str, list[str]], base: Path) -> list[str]:
    wrong = []
    for name, row in listed.items():
        path = base / name
        if not path.is_file():
            wrong.append(f"{name} is not there")
            continue
        if len(row) != 3:
            wrong.append(f"{name} has {len(row)} fields")
            continue
        data = path.read_bytes()
        if row[2] and row[2] != str(len(data)):
            wrong.append(f"{name} has {len(data)} bytes, not {row[2]}")
        algorithm, _, digest = row[1].partition("=")
        if digest:
            coded = base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest()).rstrip(b"=").decode()
            if coded != digest:
                wrong.append(f"{name} has another hash")
    return wrong


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError as error:
        return f"({path.name}: {error.strerror})"


WITNESSES: dict[str, Witness] = {
    **COMMON_WITNESSES,
    "files": _files,
    "absent": _absent,
    "text": _text,
    "matches": _matches,
    "json": _json,
    "executable": _modes,
    "prints": _prints,
    "record": _record,
    **CLIENT_WITNESSES,
}

ROLE = Role(
    name="installer",
    about="Puts distributions into an environment and takes them out again.",
    verbs={
        "install": ("wheels", "sdists", "requested"),  # files, without their dependencies
        "install-from-index": ("requirements", "index"),  # from {index} alone, without dependencies
        "install-with-dependencies": ("requirements", "index"),  # the same, with them
        "uninstall": ("names",),
    },
    set_up=_set_up,
    values=_values,
    witnesses=WITNESSES,
)
