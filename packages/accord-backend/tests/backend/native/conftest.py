"""Helpers of the native tests: a tree with a small C module, hooks in processes of their own, wheels taken apart."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import accord_backend
from accord_backend.errors import BackendError

HEAD = """\
[build-system]
requires = ["accord-backend"]
build-backend = "accord_backend"

[project]
name = "spam"
version = "1.0"
"""
EXTENSION = """
[[tool.accord.extension]]
name = "spam._speed"
sources = ["src/spam/_speed.c"]
"""
SPEED = """\
#include <Python.h>
#ifndef ANSWER
#define ANSWER 42
#endif
static PyObject *answer(PyObject *self, PyObject *unused) { return PyLong_FromLong(ANSWER); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_speed", NULL, 0, methods, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit__speed(void) { return PyModuleDef_Init(&module); }
"""
FILES = {"src/spam/__init__.py": "from ._speed import answer\n", "src/spam/_speed.c": SPEED}
SOURCE = os.fspath(Path(accord_backend.__file__).parents[1])

# What a compiler needs and this machine may lack, by the code of the fault that says so: then such a test is left out.
LACKED = {
    "compiler-missing": "gcc and g++"
    if not (
        any(map(shutil.which, ("gcc", "cc", "clang"))) and any(map(shutil.which, ("g++", "c++", "clang++")))
    )
    else "",
    "pkg-config-missing": "" if shutil.which("pkg-config") else "pkg-config",
    "python-headers-missing": ""
    if os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h"))
    else "the headers of this Python",
}


def skip_without(words: str) -> None:
    """Leave the test out where ``words``, a fault as told, are about something that this machine has not got."""
    for code, lacked in LACKED.items():
        if lacked and code in words:
            pytest.skip(f"this machine lacks {lacked}: .ci/system installs what the tests need")


class Workshop:
    """``workshop(extra, {path: text}, extension=…) -> root``: the project ``spam``, the working directory from then on.

    ``build`` and ``hook`` call the backend, here and in a process of its own; ``members`` and ``run`` look at the wheel.
    """

    EXTENSION = EXTENSION
    SPEED = SPEED
    SOURCE = SOURCE

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tmp_path = tmp_path
        self.monkeypatch = monkeypatch
        self.count = 0

    def __call__(
        self,
        extra: str = "",
        files: dict[str, str] | None = None,
        *,
        extension: str = EXTENSION,
        name: str = "tree",
    ) -> Path:
        root = self.tmp_path / name
        self.write(root, {**FILES, "pyproject.toml": HEAD + extension + extra, **(files or {})})
        self.monkeypatch.chdir(root)
        return root

    def write(self, root: Path, files: dict[str, str]) -> None:
        for path, content in files.items():
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(content, encoding="utf-8")

    def folder(self) -> Path:
        self.count += 1
        place = self.tmp_path / f"out{self.count}"
        place.mkdir()
        return place

    def build(self, hook: str = "build_wheel", settings: dict[str, str] | None = None) -> Path:
        """The archive that the hook makes of the working directory."""
        folder = self.folder()
        try:
            return folder / str(getattr(accord_backend, hook)(os.fspath(folder), settings))
        except BackendError as fault:
            skip_without(fault.code)
            raise

    def hook(
        self, root: Path, name: str = "build_wheel", *, python: str = sys.executable,
        environ: dict[str, str] | None = None, settings: dict[str, str] | None = None, check: bool = True, umask: int = -1,
    ) -> Path | str:  # fmt: skip
        """Call a hook as a frontend does, in a fresh process: the archive, or the words of its failure."""
        folder = self.folder()
        script = f"import accord_backend as b; print(b.{name}({os.fspath(folder)!r}, {settings!r}))"
        done = subprocess.run(
            [python, "-c", script], cwd=root, env={**os.environ, "PYTHONPATH": SOURCE, **(environ or {})},
            capture_output=True, text=True, check=False, umask=umask,
        )  # fmt: skip
        if done.returncode:
            skip_without(done.stderr)
            assert not check, done.stderr
            return done.stderr
        return folder / done.stdout.split("\n")[-2]

    def fault(self, hook: str = "build_wheel", settings: dict[str, str] | None = None) -> BackendError:
        with pytest.raises(BackendError) as caught:
            self.build(hook, settings)
        return caught.value

    def members(self, path: str | Path) -> dict[str, bytes]:
        """The files of a wheel by name."""
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def run(
        self, wheel: str | Path, code: str = "import spam; print(spam.answer())", python: str = sys.executable
    ) -> str:
        """What ``code`` prints with the wheel's files on ``sys.path``."""
        folder = self.folder()
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        done = subprocess.run(
            [python, "-c", code], env={**os.environ, "PYTHONPATH": os.fspath(folder)}, capture_output=True, text=True, check=True
        )  # fmt: skip
        return done.stdout.strip()

    def log(self, root: Path) -> str:
        """What ninja said the last time."""
        return next(root.glob("build/accord-*/build.log")).read_text()


@pytest.fixture
def compiler() -> None:
    """For a test whose compiler is started by something else than ``workshop``."""
    skip_without("compiler-missing")


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A place to build the project ``spam`` in, without the flags of whoever runs the tests."""
    for variable in ("SOURCE_DATE_EPOCH", "CC", "CXX", "CFLAGS", "CPPFLAGS", "CXXFLAGS", "LDFLAGS"):
        monkeypatch.delenv(variable, raising=False)
    return Workshop(tmp_path, monkeypatch)
