"""Other people's build backends, as they are, through ``accord build`` in the sandbox: sdist, then the wheel from it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.network, pytest.mark.slow]

PROJECT = '[project]\nname = "spam"\nversion = "1.0"\nrequires-python = ">=3.8"\n'
C = """
#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_speed", NULL, -1, NULL};
PyMODINIT_FUNC PyInit__speed(void) { return PyModule_Create(&module); }
"""
PURE = {"src/spam/__init__.py": "x = 1\n", "README.md": "spam\n"}
BACKENDS: dict[str, tuple[str, str, dict[str, str]]] = {
    "setuptools": ("setuptools>=77", "setuptools.build_meta", PURE),
    "hatchling": ("hatchling", "hatchling.build", PURE),
    "flit": ("flit_core>=3.11", "flit_core.buildapi", {**PURE, "src/spam/__init__.py": '"""Spam."""\n'}),
    "poetry": ("poetry-core>=2", "poetry.core.masonry.api", PURE),
    "pdm": ("pdm-backend", "pdm.backend", PURE),
    "uv": ("uv_build", "uv_build", PURE),
    "setuptools-c": (
        "setuptools>=77",
        "setuptools.build_meta",
        {
            **PURE,
            "src/spam/_speed.c": C,
            "setup.py": "from setuptools import Extension, setup\n"
            "setup(ext_modules=[Extension('spam._speed', ['src/spam/_speed.c'])])\n",
        },
    ),
    "meson": (
        "meson-python",
        "mesonpy",
        {
            **PURE,
            "src/spam/_speed.c": C,
            "meson.build": "project('spam', 'c', version: '1.0')\npy = import('python').find_installation(pure: false)\n"
            "py.extension_module('_speed', 'src/spam/_speed.c', subdir: 'spam', install: true)\n"
            "py.install_sources('src/spam/__init__.py', subdir: 'spam')\n",
        },
    ),
    "scikit-build": (
        "scikit-build-core",
        "scikit_build_core.build",
        {
            **PURE,
            "src/spam/_speed.c": C,
            "CMakeLists.txt": "cmake_minimum_required(VERSION 3.15)\nproject(spam LANGUAGES C)\n"
            "find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)\n"
            "python_add_library(_speed MODULE src/spam/_speed.c WITH_SOABI)\ninstall(TARGETS _speed DESTINATION spam)\n",
        },
    ),
    "maturin": (
        "maturin",
        "maturin",
        {
            "src/main.rs": "fn main() {}\n",
            "Cargo.toml": '[package]\nname = "spam"\nversion = "1.0.0"\nedition = "2021"\n',
        },
    ),
}


def rust() -> bool:
    """Whether there is a Rust toolchain: rustup leaves its ``cargo`` where none is installed."""
    if shutil.which("cargo") is None:
        return False
    return subprocess.run(["cargo", "--version"], capture_output=True, check=False).returncode == 0


def committed(folder: Path) -> None:
    """meson-python makes sdists of what git knows."""
    if shutil.which("git") is None:
        pytest.skip("there is no git here")
    who = ("-c", "user.name=x", "-c", "user.email=x@mail.example")
    for words in (("init", "-q"), ("add", "."), (*who, "commit", "-q", "-m", "x")):
        subprocess.run(["git", *words], cwd=folder, check=True)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_builds_as_it_is(backend: str, tmp_path: Path) -> None:
    requirement, module, files = BACKENDS[backend]
    if backend == "maturin" and not rust():
        pytest.skip("there is no Rust toolchain here")
    if backend in ("setuptools-c", "meson", "scikit-build", "maturin") and shutil.which("gcc") is None:
        pytest.skip("there is no gcc here")
    system = f'[build-system]\nrequires = ["{requirement}"]\nbuild-backend = "{module}"\n'
    more = '[tool.maturin]\nbindings = "bin"\n' if backend == "maturin" else ""
    description = 'description = "spam"\n' if backend == "flit" else ""
    for name, text in {**files, "pyproject.toml": PROJECT + description + system + more}.items():
        path = tmp_path / "spam" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if backend == "meson":
        committed(tmp_path / "spam")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "accord",
            "build",
            "--no-progress",
            str(tmp_path / "spam"),
            "-o",
            str(tmp_path / "dist"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ACCORD_CACHE_DIR": os.environ.get("ACCORD_CACHE_DIR", str(tmp_path / "cache"))},
    )
    assert done.returncode == 0, done.stderr
    sdist, wheel = sorted(os.listdir(tmp_path / "dist"), key=lambda name: name.endswith(".whl"))
    assert sdist == "spam-1.0.tar.gz" or (backend == "maturin" and sdist.startswith("spam-1.0"))
    with zipfile.ZipFile(tmp_path / "dist" / wheel) as archive:
        names = archive.namelist()
    if backend != "maturin":
        assert "spam/__init__.py" in names
    compiled = any(name.startswith("spam/_speed") and name.endswith(".so") for name in names)
    assert compiled is (backend in ("setuptools-c", "meson", "scikit-build"))
    if not compiled and backend != "maturin":
        assert wheel == "spam-1.0-py3-none-any.whl"
