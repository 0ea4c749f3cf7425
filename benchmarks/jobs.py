"""The tools side by side: how each is asked to do a job, as plain command lines with a clean environment.

One class per tool; the recording of the snapshot and the benchmark rows both take their commands from here, so that
what is recorded is what is measured.  Knows the tools' command lines and nothing about timing.
"""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["DATA", "Accord", "Job", "Pip", "Uv", "clean_environ", "find_python", "recording", "write_project"]

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "data")
ROOT = os.path.dirname(HERE)


def _tool(name: str) -> str | None:
    """The tool beside this interpreter, in the checkout's environment, or on ``PATH``."""
    places = [os.path.dirname(sys.executable), os.path.join(ROOT, ".venv", "bin")]
    return shutil.which(name, path=os.pathsep.join([*places, os.environ.get("PATH", "")]))


def find_python(request: str) -> str:
    """The real path of the interpreter ``request`` (a path, or "3.12"): the first that starts, so that no tool pays
    for a launcher shim.  Looks on ``PATH`` and among pyenv's versions.  Raises ``RuntimeError`` where none starts."""
    if os.sep in request:
        places = [request]
    else:
        name = f"python{request}"
        places = [os.path.join(part, name) for part in os.environ.get("PATH", "").split(os.pathsep)]
        pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
        places += sorted(glob.glob(os.path.join(glob.escape(pyenv), "versions", f"{request}*", "bin", name)))
    question = "import os, sys; print(os.path.realpath(sys.executable))"
    for place in places:
        if os.path.exists(place):
            told = subprocess.run([place, "-I", "-c", question], capture_output=True, text=True, check=False)
            if told.returncode == 0:
                return told.stdout.strip()
    raise RuntimeError(f"no interpreter found for {request}; name one with --python PATH")


_FOREIGN = ("PIP_", "UV_", "ACCORD_", "PYTHON", "VIRTUAL_ENV", "CONDA_PREFIX")


def clean_environ(**more: str) -> dict[str, str]:
    """This process's environment without the settings of any tool: each is asked by flags and ``more`` alone."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
    return {**kept, "NO_COLOR": "1", **more}


@dataclass(frozen=True, slots=True)
class Job:
    """One process: ``command`` run with exactly ``environ`` in ``cwd`` (None: a scratch folder)."""

    name: str
    command: list[str]
    environ: dict[str, str] = field(default_factory=dict)
    cwd: str | None = None


@dataclass(frozen=True, slots=True)
class Uv:
    """uv with its own cache and index.  ``link`` is its ``--link-mode``; bytecode stays at its default, off."""

    index: str
    cache: str
    python: str
    link: str = "hardlink"

    @property
    def environ(self) -> dict[str, str]:
        return clean_environ(UV_CACHE_DIR=self.cache, UV_NO_CONFIG="1", UV_PYTHON_DOWNLOADS="never")

    def _job(self, name: str, *arguments: str, cwd: str | None = None) -> Job:
        tool = _tool("uv")
        if tool is None:
            raise RuntimeError("uv is not installed: python -m pip install uv")
        return Job(f"uv {name}", [tool, *arguments], self.environ, cwd)

    def version(self) -> Job:
        return self._job("version", "--version")

    def compile(self, source: str, output: str, *, offline: bool = False) -> Job:
        more = ["--offline"] if offline else []
        arguments = [
            source,
            "-o",
            output,
            "--python",
            self.python,
            "--default-index",
            self.index,
            "-q",
            *more,
        ]
        return self._job("compile", "pip", "compile", *arguments)

    def venv(self, folder: str) -> Job:
        return self._job("venv", "venv", folder, "--python", self.python, "-q")

    def sync(self, lock: str, folder: str, *, offline: bool = False) -> Job:
        return self._job("sync", "pip", "sync", lock, *self._into(folder, offline=offline))

    def install(self, requirement: str, folder: str, *, offline: bool = False) -> Job:
        return self._job("install", "pip", "install", requirement, *self._into(folder, offline=offline))

    def uninstall(self, name: str, folder: str) -> Job:
        return self._job("uninstall", "pip", "uninstall", name, "--python", folder, "-q")

    def project_lock(self, project: str) -> Job:
        arguments = ["--python", self.python, "--default-index", self.index, "-q"]
        return self._job("lock", "lock", *arguments, cwd=project)

    def project_sync(self, project: str, *, offline: bool = False) -> Job:
        more = ["--offline"] if offline else []
        arguments = ["--python", self.python, "--default-index", self.index, "--link-mode", self.link, "-q"]
        return self._job("project sync", "sync", *arguments, *more, cwd=project)

    def _into(self, folder: str, *, offline: bool) -> list[str]:
        more = ["--offline"] if offline else []
        return ["--python", folder, "--default-index", self.index, "--link-mode", self.link, "-q", *more]


@dataclass(frozen=True, slots=True)
class Pip:
    """The pip beside this interpreter, told to work on another one with ``--python``."""

    index: str
    cache: str
    python: str

    def _job(self, name: str, *arguments: str) -> Job:
        environ = clean_environ(PIP_CONFIG_FILE=os.devnull, PIP_DISABLE_PIP_VERSION_CHECK="1")
        general = ["--cache-dir", self.cache, "-q", "--no-input"]
        return Job(f"pip {name}", [sys.executable, "-m", "pip", *general, *arguments], environ)

    def version(self) -> Job:
        return self._job("version", "--version")

    def resolve(self, source: str, folder: str) -> Job:
        """A resolution for the environment ``folder`` that installs nothing."""
        arguments = ["install", "--dry-run", "-r", source, "--index-url", self.index]
        return self._job("resolve", "--python", folder, *arguments)

    def sync(self, lock: str, folder: str) -> Job:
        arguments = ["install", "--no-deps", "-r", lock, "--index-url", self.index]
        return self._job("install", "--python", folder, *arguments)

    def sync_bare(self, lock: str, folder: str) -> Job:
        """Like :meth:`sync` without compiling bytecode, as uv works by default."""
        job = self.sync(lock, folder)
        return Job("pip install --no-compile", [*job.command, "--no-compile"], job.environ)


@dataclass(frozen=True, slots=True)
class Accord:
    """The ``accord`` at the path ``tool``; by default this checkout's."""

    index: str
    cache: str
    python: str
    tool: str | None = None

    @staticmethod
    def present() -> str | None:
        """The path of this checkout's."""
        return _tool("accord")

    def _job(self, name: str, *arguments: str, cwd: str | None = None) -> Job:
        tool = self.tool or self.present()
        assert tool is not None, "asked for only when present()"
        environ = clean_environ(
            ACCORD_CACHE_DIR=self.cache, PIP_INDEX_URL=self.index, PIP_CONFIG_FILE=os.devnull
        )
        return Job(f"accord {name}", [tool, *arguments], environ, cwd)

    def version(self) -> Job:
        return self._job("version", "--version")

    def compile(self, source: str, output: str, *, offline: bool = False) -> Job:
        more = ["--offline"] if offline else []
        return self._job("compile", "pip", "compile", source, "-o", output, "--python", self.python, *more)

    def sync(
        self, lock: str, folder: str, *, sealed: bool = False, compiled: bool = False, offline: bool = False
    ) -> Job:
        more = ["--sealed"] * sealed + ["--compile-bytecode"] * compiled + ["--offline"] * offline
        return self._job("sync", "sync", "--lock", lock, "--env", folder, "--python", self.python, *more)

    def install(self, requirement: str, folder: str, *, offline: bool = False) -> Job:
        more = ["--offline"] if offline else []
        return self._job("install", "pip", "install", "--env", folder, requirement, *more)

    def uninstall(self, name: str, folder: str) -> Job:
        return self._job("uninstall", "pip", "uninstall", "--env", folder, name)

    def project_lock(self, project: str) -> Job:
        return self._job("lock", "lock", "--python", self.python, cwd=project)

    def project_sync(self, project: str, *, offline: bool = False) -> Job:
        more = ["--offline"] if offline else []
        return self._job("project sync", "sync", "--python", self.python, *more, cwd=project)


PROJECT = """\
[project]
name = "science-web"
version = "1.0"
requires-python = "==3.12.*"
dependencies = [
{dependencies}
]

[tool.uv]
environments = ["sys_platform == 'linux' and platform_machine == 'x86_64' and implementation_name == 'cpython'"]
"""


def write_project(folder: str) -> None:
    """A project with the science-web requirements as its dependencies, for the commands that work on projects."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(DATA, "science-web.in")) as stream:
        lines = [f'    "{line.strip()}",' for line in stream if line.strip()]
    with open(os.path.join(folder, "pyproject.toml"), "w") as stream:
        stream.write(PROJECT.format(dependencies="\n".join(lines)))


def recording(index: str, scratch: str, folder: str, python: str) -> Iterator[Job]:
    """The jobs whose questions make up the snapshot, each named for ``snapshot.py NAME``."""
    uv = Uv(index, os.path.join(scratch, "uv"), python)
    pip = Pip(index, os.path.join(scratch, "pip"), python)
    accord = Accord(index, os.path.join(scratch, "accord"), python)
    os.makedirs(os.path.join(folder, "locks"), exist_ok=True)
    names = ("science-web", "one-more", "airflow")

    def lock(tool: str, name: str) -> str:
        return os.path.join(folder, "locks", f"{tool}-{name}.txt")

    def named(name: str, job: Job) -> Job:
        return Job(name, job.command, job.environ, job.cwd)

    for name in names:
        yield named(f"uv-{name}", uv.compile(os.path.join(DATA, f"{name}.in"), lock("uv", name)))
    place = os.path.join(scratch, "env")
    yield named("uv-venv", uv.venv(place))
    yield named("pip-science-web", pip.resolve(os.path.join(DATA, "science-web.in"), place))
    for name in names[:2]:
        yield named(f"uv-{name}-wheels", uv.install(f"-r{lock('uv', name)}", place))
    write_project(os.path.join(scratch, "project"))
    yield named("uv-project", uv.project_lock(os.path.join(scratch, "project")))
    if accord.present():
        for name in names:
            yield named(
                f"accord-{name}", accord.compile(os.path.join(DATA, f"{name}.in"), lock("accord", name))
            )
            yield named(
                f"accord-{name}-pylock",
                accord.compile(
                    os.path.join(DATA, f"{name}.in"), os.path.join(folder, "locks", f"pylock.{name}.toml")
                ),
            )
