"""The projects of ``reproducible.py``: this repository's own, and one small project said again for every backend.

A pure one (modules, a data file, a script, a readme that is not ASCII) and one in C (two sources, a header), each in the
words of its backend.  Knows files and what a backend needs installed; builds nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass

__all__ = ["BACKEND", "ROOT", "Shape", "runs", "shapes"]

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BACKEND = os.path.join(ROOT, "packages", "accord-backend", "src")
_PRODUCTS = {".venv", "__pycache__", "build", "dist", ".pytest_cache"}


@dataclass(frozen=True, slots=True)
class Shape:
    """One project: ``files`` by path, and how its backend is called.

    ``module`` is the build backend, ``requires`` what is installed for it, ``path`` where it is found besides;
    ``native`` says that its wheel belongs to one Python; ``git`` that the backend wants a repository; ``ours`` that
    accord-backend builds it.
    """

    name: str
    backend: str
    module: str
    requires: tuple[str, ...]
    files: dict[str, bytes]
    path: str = ""
    native: bool = False
    git: bool = False
    ours: bool = False


def shapes() -> list[Shape]:
    """All of them, ours first; maturin's only where there is a Rust toolchain."""
    found = [_own(f"packages/{name}") for name in ("accord-backend", "accord-core", "accord")]
    found.append(_own("examples/fast-count", native=True))
    found += [
        _ours("small, pure", _PURE),
        _ours("small, C", _C, _EXTENSION),
        _ours("small, Cython", _CYTHON, _PYX),
    ]
    found += [_pure(*words) for words in _PURE_BACKENDS]
    found += [
        _native("setuptools", "setuptools.build_meta", ("setuptools",), {"": _SETUPTOOLS}),
        _native("meson-python", "mesonpy", ("meson-python", "ninja"), {"meson.build": _MESON}, git=True),
        _native(
            "scikit-build-core",
            "scikit_build_core.build",
            ("scikit-build-core", "cmake", "ninja"),
            {"CMakeLists.txt": _CMAKE, "": _SCIKIT},
        ),
    ]
    if runs("cargo", "--version"):
        found.append(_rust())
    return found


def runs(*command: str) -> bool:
    """Whether there is such a program, and it ends well: rustup leaves its ``cargo`` where there is no Rust."""
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _own(folder: str, *, native: bool = False) -> Shape:
    """A project of this repository, as git lists it; without git, everything that is no product."""
    root = os.path.join(ROOT, folder)
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
        names = [os.fsdecode(name) for name in listed.split(b"\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = _walked(root)
    files = {
        name: _read(os.path.join(root, name)) for name in names if os.path.isfile(os.path.join(root, name))
    }
    needs = ("ninja",) if native else ()
    name = os.path.basename(folder)
    # accord-backend is built by the one in its own tree, as its pyproject.toml says.
    path = "src" if name == "accord-backend" else BACKEND
    return Shape(name, "accord-backend", "accord_backend", needs, files, path, native, ours=True)


def _walked(root: str) -> list[str]:
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - _PRODUCTS)
        found += [os.path.relpath(os.path.join(folder, name), root) for name in sorted(names)]
    return found


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _files(texts: dict[str, str]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in sorted(texts.items())}


def _project(requires: tuple[str, ...], module: str, more: str = "") -> str:
    quoted = ", ".join(f'"{one}"' for one in requires)
    return f'[build-system]\nrequires = [{quoted}]\nbuild-backend = "{module}"\n{_TABLE}{more}'


def _ours(name: str, texts: dict[str, str], more: str = "") -> Shape:
    needs = ("ninja", "cython") if "Cython" in name else ("ninja",) if more else ()
    table = _project(("accord-backend", *needs[1:]), "accord_backend", more)
    files = _files({**_COMMON, **texts, "pyproject.toml": table})
    return Shape(name, "accord-backend", "accord_backend", needs, files, BACKEND, bool(more), ours=True)


def _pure(requirement: str, module: str) -> Shape:
    table = _project((requirement,), module, _SCRIPT)
    files = _files({**_COMMON, **_PURE, "pyproject.toml": table})
    return Shape("small, pure", requirement, module, (requirement,), files)


def _native(
    backend: str, module: str, requires: tuple[str, ...], texts: dict[str, str], *, git: bool = False
) -> Shape:
    table = _project(requires[:1], module, texts.pop("", ""))
    files = _files({**_COMMON, **_C, **texts, "pyproject.toml": table})
    return Shape("small, C", backend, module, requires, files, native=True, git=git)


def _rust() -> Shape:
    table = _project(("maturin",), "maturin", '[tool.maturin]\nbindings = "bin"\n')
    cargo = '[package]\nname = "spam"\nversion = "1.0.0"\nedition = "2021"\n'
    lock = 'version = 3\n\n[[package]]\nname = "spam"\nversion = "1.0.0"\n'
    files = _files(
        {
            **{path: text for path, text in _COMMON.items() if not path.startswith("src/")},
            "pyproject.toml": table,
            "Cargo.toml": cargo,
            "Cargo.lock": lock,
            "src/main.rs": 'fn main() { println!("spam"); }\n',
        }
    )
    return Shape("small, Rust", "maturin", "maturin", ("maturin",), files, native=True)


_TABLE = """
[project]
name = "spam"
version = "1.0.0"
description = "Spam, for a proof"
readme = "README.md"
requires-python = ">=3.8"
license = "MIT"
license-files = ["LICENSE"]
"""
_SCRIPT = '[project.scripts]\nspam = "spam.main:main"\n'
_COMMON = {
    "README.md": "# Spam\n\nÜber.\n",
    "LICENSE": "The words of a licence.\n" * 40,
    "src/spam/__init__.py": '"""Spam."""\n\n__version__ = "1.0.0"\n',
}
_PURE = {
    "src/spam/main.py": "def main():\n    print('spam')\n",
    "src/spam/zebra.py": "value = 1\n" * 200,
    "src/spam/data/table.csv": "1,2\n" * 300,
    "src/spam/parts/__init__.py": "",
    "src/spam/parts/one.py": "import os\n",
}
_PURE_BACKENDS = (
    ("setuptools", "setuptools.build_meta"),
    ("hatchling", "hatchling.build"),
    ("flit_core", "flit_core.buildapi"),
    ("poetry-core", "poetry.core.masonry.api"),
    ("pdm-backend", "pdm.backend"),
    ("uv_build", "uv_build"),
)
_C = {
    "src/spam/part.h": "long part(long);\n",
    "src/spam/part.c": '#include "part.h"\nlong part(long n) { return n * 2; }\n',
    "src/spam/core.c": """\
#include <Python.h>
#include <assert.h>
#include "part.h"
static PyObject *twice(PyObject *self, PyObject *n) { long a = PyLong_AsLong(n); assert(a); return PyLong_FromLong(part(a)); }
static PyMethodDef methods[] = {{"twice", twice, METH_O, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_core", NULL, 0, methods, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit__core(void) { return PyModuleDef_Init(&module); }
""",
}
_EXTENSION = '[[tool.accord.extension]]\nname = "spam._core"\nsources = ["src/spam/*.c"]\n'
_CYTHON = {"src/spam/fast.pyx": "def twice(long n):\n    return n * 2\n"}
_PYX = '[[tool.accord.extension]]\nname = "spam.fast"\nsources = ["src/spam/fast.pyx"]\n'
_SETUPTOOLS = """\
[tool.setuptools]
ext-modules = [{name = "spam._core", sources = ["src/spam/core.c", "src/spam/part.c"], depends = ["src/spam/part.h"]}]
"""
_MESON = """\
project('spam', 'c', version: '1.0.0')
py = import('python').find_installation(pure: false)
py.install_sources('src/spam/__init__.py', subdir: 'spam')
py.extension_module('_core', 'src/spam/core.c', 'src/spam/part.c', install: true, subdir: 'spam')
"""
_SCIKIT = '[tool.scikit-build]\nwheel.packages = ["src/spam"]\n'
_CMAKE = """\
cmake_minimum_required(VERSION 3.15...4.0)
project(spam LANGUAGES C)
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
python_add_library(_core MODULE src/spam/core.c src/spam/part.c WITH_SOABI)
install(TARGETS _core DESTINATION spam)
"""
