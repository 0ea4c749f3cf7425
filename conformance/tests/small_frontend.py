"""A small build frontend that follows the standard, save for one fault that is named: what the suite must find.

Plays the role in this process; hooks run in processes of their own, in an environment of the standard library's venv, filled by pip.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from accord_conformance.protocol import Answer, Request

__all__ = ["SmallFrontend"]

_SETUPTOOLS = {"requires": ["setuptools"], "build-backend": "setuptools.build_meta:__legacy__"}
_CALL = """
import importlib, json, os, sys
call = json.loads(sys.argv[1])
sys.path[:1] = []
sys.path[call["at"]:call["at"]] = call["path"]
module, _, attributes = call["backend"].partition(":")
found = importlib.import_module(module)
for name in attributes.split(".") if attributes else []:
    found = getattr(found, name)
if call["strict"]:
    found.UnsupportedOperation
for hook, arguments in call["hooks"]:
    if call["anew"]:
        sys.modules.pop(module)
        found = importlib.import_module(module)
    function = getattr(found, hook, None)
    value = function(**arguments) if function else "(no such hook)"
with open(call["answer"], "w") as stream:
    json.dump(value, stream)
"""


class _Wrong(Exception):
    """What is asked for cannot be done."""


def _filtered(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    """The member as the data filter has it; none where the filter refuses it."""
    try:
        return tarfile.data_filter(member, folder)
    except tarfile.FilterError:
        return None


class _Build:
    """One source tree, its environment and its backend."""

    def __init__(
        self, fault: str, values: Mapping[str, Any], work: Path, environment: Mapping[str, str]
    ) -> None:
        self.fault = fault
        self.values = values
        self.work = work
        self.environment = dict(environment)
        self.settings = self._settings(values.get("config", []))
        source = Path(values["source"])
        self.tree = self._unpacked(source) if source.is_file() else source
        self.system = self._system()
        self.path = [self._inside(each) for each in self.system.get("backend-path", [])]
        if fault == "looks for the backend in the tree":
            self.path.append(str(self.tree))
        self.said = ""
        venv.create(work / "env", with_pip=False, symlinks=True, clear=True)
        if fault != "ignores requires":
            self.install(self.system["requires"])

    def _settings(self, config: list[str]) -> dict[str, Any] | None:
        found: dict[str, Any] = {}
        for text in config[1::2]:
            key, _, value = text.partition("=")
            if key in found and self.fault != "lets the last setting win":
                found[key] = [*(found[key] if isinstance(found[key], list) else [found[key]]), value]
            else:
                found[key] = value
        return None if self.fault == "drops settings" else found or None

    def _unpacked(self, source: Path) -> Path:
        folder = self.work / "unpacked" / "here"
        trusting = self.fault == "unpacks whatever there is"
        with tarfile.open(source, "r:gz") as archive:
            if self.fault == "leaves out in silence what leads outside":
                members = [each for each in archive if _filtered(each, str(folder)) is not None]
            else:
                members = archive.getmembers()
            try:
                archive.extractall(folder, members, filter="fully_trusted" if trusting else "data")
            except tarfile.FilterError as error:
                raise _Wrong(str(error)) from error
        if self.fault == "makes every file a program":
            for path in folder.rglob("*"):
                path.chmod(0o755)
        return next(path for path in sorted(folder.iterdir()) if (path / "pyproject.toml").exists())

    def _system(self) -> dict[str, Any]:
        path = self.tree / "pyproject.toml"
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        except tomllib.TOMLDecodeError as error:
            raise _Wrong(str(error)) from error
        system = document.get("build-system")
        if system is None or (self.fault == "prefers setup.py" and (self.tree / "setup.py").exists()):
            return dict(_SETUPTOOLS)
        if self.fault == "does not mind a missing requires":
            system.setdefault("requires", [])
        requires = system.get("requires")
        if not isinstance(requires, list) or not all(isinstance(each, str) for each in requires):
            raise _Wrong("build-system.requires is a list of strings")
        return {**_SETUPTOOLS, **system} if "build-backend" not in system else dict(system)

    def _inside(self, folder: str) -> str:
        path = (self.tree / folder).resolve()
        if not path.is_relative_to(self.tree.resolve()) and self.fault != "lets backend-path lead outside":
            raise _Wrong(f"backend-path leads outside: {folder}")
        return str(path)

    def install(self, requirements: list[str]) -> None:
        if self.fault == "drops what has a marker":
            requirements = [each for each in requirements if ";" not in each]
        if not requirements:
            return
        python = str(self.work / "env" / "bin" / "python")
        pip = [sys.executable, "-m", "pip", "-q", "--python", python, "install", "--no-cache-dir"]
        done = subprocess.run(
            [*pip, "--index-url", self.values["index"], *requirements],
            env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise _Wrong(done.stderr)

    def call(self, *hooks: str, **arguments: Any) -> Any:
        """The value of the last of ``hooks``, called in a new process with ``arguments`` and the settings."""
        answer = self.work / "answer.json"
        answer.unlink(missing_ok=True)
        calls = [(hook, {"config_settings": self.settings}) for hook in hooks[:-1]]
        calls.append((hooks[-1], {**arguments, "config_settings": self.settings}))
        asked = {
            "backend": self.system["build-backend"],
            "path": self.path,
            "at": 99 if self.fault == "puts backend-path last" else 0,
            "hooks": calls,
            "anew": self.fault == "loads the backend anew in one process",
            "strict": self.fault == "wants UnsupportedOperation",
            "answer": str(answer),
        }
        programs = self.work / "env" / "bin"
        environment = dict(self.environment)
        if self.fault != "leaves programs off PATH":
            environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
        if self.fault == "lets the target environment in":
            environment["PYTHONPATH"] = self.values["purelib"]
        done = subprocess.run(
            [str(programs / "python"), "-c", _CALL, json.dumps(asked)],
            cwd=self.work if self.fault == "runs hooks elsewhere" else self.tree,
            env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip
        self.said = (done.stderr + done.stdout).decode(
            "utf-8", "strict" if self.fault == "wants UTF-8" else "replace"
        )
        if self.fault == "goes by the exit code" and done.returncode == 0 and not answer.exists():
            return ""
        if self.fault == "passes over failures" and not answer.exists():
            return ""
        if self.fault == "takes noise for success" and b"\xff" in done.stdout and not answer.exists():
            return ""
        if not answer.exists():
            raise _Wrong(self.said)
        if self.fault == "takes what is printed for the answer" and done.stdout:
            return done.stdout.decode().splitlines()[-1]
        return json.loads(answer.read_text())

    def requirements(self, kind: str) -> None:
        if self.fault == "forgets the settings of requirements":
            settings, self.settings = self.settings, None
        found = self.call(f"get_requires_for_build_{kind}")
        if self.fault == "forgets the settings of requirements":
            self.settings = settings
        if found == "(no such hook)":
            if self.fault == "wants every hook":
                raise _Wrong("the backend has no get_requires hook")
            found = []
        if self.fault != "ignores what hooks require":
            self.install(found)


class SmallFrontend:
    """The player: ``fault`` is one of those above and below, or none."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault

    def ask(self, request: Request) -> Answer:
        work = request.folder.parent / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        try:
            said = self._do(request, work)
        except (_Wrong, UnicodeDecodeError) as error:
            return Answer("refused", message=str(error))
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return Answer("done", message=said)

    def close(self) -> None:
        """Nothing stays."""

    def _do(self, request: Request, work: Path) -> str:
        values = request.values
        if request.do == "uninstall":
            if self.fault != "leaves editables in place":
                self._uninstall(Path(values["purelib"]))
            return ""
        build = _Build(self.fault, values, work, request.environment)
        if request.do == "build-sdist":
            build.requirements("sdist")
            build.call("build_sdist", sdist_directory=values["out"])
        elif request.do in ("build-wheel", "build", "build-unisolated"):
            self._wheel(build, Path(values["out"]))
        else:
            self._install(build, "editable" if request.do == "install-editable" else "wheel")
        return f"Creating an environment...\n{build.said}"

    def _wheel(self, build: _Build, out: Path) -> None:
        if self.fault in ("calls all hooks in one process", "loads the backend anew in one process"):
            build.call("get_requires_for_build_wheel", "build_wheel", wheel_directory=str(out))
            return
        build.requirements("wheel")
        name = build.call("build_wheel", wheel_directory=str(out))
        if name and not (out / name).is_file():
            raise _Wrong(f"there is no {name}")

    def _install(self, build: _Build, kind: str) -> None:
        build.requirements(kind)
        metadata, wheels = build.work / "metadata", build.work / "wheels"
        metadata.mkdir()
        wheels.mkdir()
        prepared = build.call(f"prepare_metadata_for_build_{kind}", metadata_directory=str(metadata))
        more = {}
        if prepared == "(no such hook)" and self.fault == "wants metadata prepared":
            raise _Wrong("the backend prepares no metadata")
        if prepared != "(no such hook)":
            more["metadata_directory"] = str(metadata / prepared)
            if self.fault == "hands on half of the metadata":
                (metadata / prepared / "probe-decided.txt").unlink()
            if self.fault == "writes into the prepared metadata":
                (metadata / prepared / "METADATA").write_text(
                    "Metadata-Version: 2.2\nName: other\nVersion: 1.0\n"
                )
        name = build.call(f"build_{kind}", wheel_directory=str(wheels), **more)
        source = Path(build.values["source"])
        if self.fault == "keeps the editable wheel":
            shutil.copy(wheels / name, build.values["cache"])
        self._unpack(wheels / name, Path(build.values["purelib"]), source, kind)

    def _unpack(self, wheel: Path, purelib: Path, source: Path, kind: str) -> None:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(purelib)
        home = next(purelib.glob("*.dist-info"))
        url = {"url": source.as_uri(), "dir_info": {"editable": kind == "editable"}}
        if self.fault == "does not say editable":
            url["dir_info"] = {}
        (home / "direct_url.json").write_text(json.dumps(url))
        program = purelib.parents[2] / "bin" / "demo"
        program.write_text(f"#!{program.parent / 'python'}\nimport demo\ndemo.main()\n")
        program.chmod(0o755)

    def _uninstall(self, purelib: Path) -> None:
        for path in [*purelib.glob("_demo.pth"), *purelib.glob("*.dist-info")]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if self.fault != "leaves programs in place":
            (purelib.parents[2] / "bin" / "demo").unlink()
