"""Other people's build backends, as they are, through ``accord build`` in the sandbox: sdist, then the wheel from it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import accord_backend

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


CRATE = """\
[package]
name = "spam"
version = "1.0.0"
edition = "2021"
[lib]
crate-type = ["cdylib"]
"""
ANSWER = '#[no_mangle]\npub extern "C" fn answer() -> i64 { 42 }\n'
CFFI = '[tool.maturin]\nbindings = "cffi"\n'


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


def build(tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """``accord build`` of ``spam`` into ``dist``, both in ``tmp_path``."""
    cache = os.environ.get("ACCORD_CACHE_DIR", str(tmp_path / "cache"))
    words = ("build", "--no-progress", str(tmp_path / "spam"), "-o", str(tmp_path / "dist"), *options)
    return subprocess.run(
        [sys.executable, "-m", "accord", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ACCORD_CACHE_DIR": cache},
    )


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
    done = build(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "[build-" not in done.stderr, "an honest backend is accused"
    wheel, sdist = sorted(path.name for path in (tmp_path / "dist").glob("[!.]*"))
    assert sdist == "spam-1.0.tar.gz" or (backend == "maturin" and sdist.startswith("spam-1.0"))
    with zipfile.ZipFile(tmp_path / "dist" / wheel) as archive:
        names = archive.namelist()
    if backend != "maturin":
        assert "spam/__init__.py" in names
    compiled = any(name.startswith("spam/_speed") and name.endswith(".so") for name in names)
    assert compiled is (backend in ("setuptools-c", "meson", "scikit-build"))
    if not compiled and backend != "maturin":
        assert wheel == "spam-1.0-py3-none-any.whl"


@pytest.fixture
def crate(tmp_path: Path) -> Path:
    """A crate without dependencies, so that cargo needs no network: a function of C's, called by way of cffi."""
    if not rust():
        pytest.skip("there is no Rust toolchain here")
    if shutil.which("gcc") is None:
        pytest.skip("there is no gcc here, which rustc links with")
    root = tmp_path / "spam"
    for name, text in {"src/lib.rs": ANSWER, "Cargo.toml": CRATE}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def test_maturin_as_the_delegate_gets_what_it_asks_for(crate: Path, tmp_path: Path) -> None:
    """The frontend asks before maturin is there; cffi is what maturin would have asked for."""
    backend = Path(accord_backend.__file__).parents[1]
    system = (
        f'[build-system]\nrequires = []\nbuild-backend = "accord_backend"\nbackend-path = ["backend"]\n{CFFI}'
        '[tool.accord.backend]\ndelegate = "maturin"\n'
    )
    shutil.copytree(backend / "accord_backend", crate / "backend/accord_backend")
    (crate / "pyproject.toml").write_text(PROJECT + 'dependencies = ["cffi"]\n' + system, encoding="utf-8")
    done = build(tmp_path, "--wheel")
    assert done.returncode == 0, done.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert {"spam/__init__.py", "spam/libspam.so"} <= set(archive.namelist())


def test_a_crate_from_the_network_is_told_as_what_it_is(crate: Path, tmp_path: Path) -> None:
    if shutil.which("bwrap") is None:
        pytest.skip("there is no bubblewrap here")
    with (crate / "Cargo.toml").open("a", encoding="utf-8") as file:
        file.write('[dependencies]\nlibc = "0.2"\n')
    system = '[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n'
    (crate / "pyproject.toml").write_text(
        PROJECT + 'dependencies = ["cffi"]\n' + system + CFFI, encoding="utf-8"
    )
    done = build(tmp_path, "--wheel", "--sandbox", "require")
    assert done.returncode == 1
    assert "error[build-needs-network]" in done.stderr
    assert "build-network = ['spam']" in done.stderr and "the whole output is in" in done.stderr
    assert not (tmp_path / "dist").exists()
