"""Hooks passed on to another backend, with and without its optional hooks, and with two real ones."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import accord_backend
from accord_backend.errors import BackendError

if TYPE_CHECKING:
    from tests.backend.native.conftest import Workshop

BACKEND = """
[build-system]
requires = []
build-backend = "accord_backend"
[tool.accord.backend]
delegate = "{}"
"""
SMALL = """\
import os, zipfile

class UnsupportedOperation(Exception):
    pass

def build_wheel(folder, settings=None, metadata=None):
    with zipfile.ZipFile(os.path.join(folder, "ham-1-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("ham.py", repr((settings, metadata)))
        wheel.writestr("ham-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: ham\\nVersion: 1\\n")
        wheel.writestr("ham-1.dist-info/RECORD", "")
        wheel.writestr("ham-1.dist-info/licenses/L", "mine")
    return "ham-1-py3-none-any.whl"

def build_sdist(folder, settings=None):
    raise UnsupportedOperation("no sdists from here")
"""
LARGE = """\
def get_requires_for_build_wheel(settings=None): return ["wheel-needs"]
def get_requires_for_build_sdist(settings=None): return ["sdist-needs"]
def get_requires_for_build_editable(settings=None): return [repr(settings)]
def prepare_metadata_for_build_wheel(folder, settings=None): return "wheel-info"
def prepare_metadata_for_build_editable(folder, settings=None): return "editable-info"
def build_editable(folder, settings=None, metadata=None): return repr((settings, metadata))
def build_wheel(folder, settings=None, metadata=None): return "a.whl"
def build_sdist(folder, settings=None): return "a.tar.gz"
class Inner:
    build_sdist = staticmethod(lambda folder, settings=None: "inner.tar.gz")
    build_wheel = staticmethod(lambda folder, settings=None, metadata=None: 3)
"""


@pytest.fixture
def delegating(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty tree whose backends ``small`` and ``large`` can be imported, as a frontend lets ``backend-path`` be."""
    root = tmp_path / "tree"
    backends = root / "backends"
    backends.mkdir(parents=True)
    (backends / "small_backend.py").write_text(SMALL)
    (backends / "large_backend.py").write_text(LARGE)
    monkeypatch.syspath_prepend(os.fspath(backends))
    monkeypatch.chdir(root)
    importlib.invalidate_caches()
    return root


def to(root: Path, delegate: str, more: str = "") -> None:
    (root / "pyproject.toml").write_text(BACKEND.format(delegate) + more)


def test_every_hook_reaches_a_backend_that_has_all(delegating: Path, out: str) -> None:
    to(delegating, "large_backend")
    settings = {"a": "b"}
    assert accord_backend.get_requires_for_build_wheel() == ["wheel-needs"]
    assert accord_backend.get_requires_for_build_sdist() == ["sdist-needs"]
    assert accord_backend.get_requires_for_build_editable(settings) == [repr(settings)]
    assert accord_backend.prepare_metadata_for_build_wheel(out) == "wheel-info"
    assert accord_backend.prepare_metadata_for_build_editable(out) == "editable-info"
    assert accord_backend.build_wheel(out) == "a.whl"
    assert accord_backend.build_sdist(out) == "a.tar.gz"
    assert accord_backend.build_editable(out, settings, "m") == repr((settings, "m"))


def test_a_backend_with_the_two_mandatory_hooks_behaves_as_pep_517_says(delegating: Path, out: str) -> None:
    to(delegating, "small_backend")
    assert accord_backend.get_requires_for_build_wheel() == []
    assert accord_backend.get_requires_for_build_sdist() == []
    name = accord_backend.prepare_metadata_for_build_wheel(out, {"a": "b"})
    assert name == "ham-1.dist-info"
    found = {path.relative_to(out).as_posix() for path in Path(out).rglob("*") if path.is_file()}
    assert found == {"ham-1.dist-info/METADATA", "ham-1.dist-info/licenses/L"}
    with pytest.raises(BackendError) as caught:
        accord_backend.build_editable(out)
    assert caught.value.code == "delegate-no-hook"
    with pytest.raises(accord_backend.UnsupportedOperation, match="no sdists from here"):
        accord_backend.build_sdist(out)


def test_an_object_in_a_module(delegating: Path, out: str) -> None:
    to(delegating, "large_backend:Inner")
    assert accord_backend.build_sdist(out) == "inner.tar.gz"
    with pytest.raises(BackendError) as caught:
        accord_backend.build_wheel(out)
    assert caught.value.code == "delegate-output"


def test_before_the_delegate_is_installed_its_distribution_is_asked_for(
    delegating: Path, out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mesonpy", None)
    monkeypatch.setitem(sys.modules, "scikit_build_core", None)
    monkeypatch.setenv("PATH", "/nowhere")
    to(delegating, "mesonpy")
    assert accord_backend.get_requires_for_build_wheel() == ["meson-python", "ninja"]
    to(delegating, "scikit_build_core.build")
    assert accord_backend.get_requires_for_build_wheel() == ["scikit-build-core", "cmake", "ninja"]
    with pytest.raises(BackendError) as caught:
        accord_backend.build_wheel(out)
    assert caught.value.code == "delegate-missing" and "pip install scikit-build-core" in caught.value.hint


def test_what_maturin_asks_for_because_of_its_own_table_is_asked_for_as_well(
    delegating: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "maturin", None)
    monkeypatch.setenv("MATURIN_NO_INSTALL_RUST", "1")
    cffi = [] if sys.implementation.name == "pypy" else ["cffi"]
    to(delegating, "maturin", '[tool.maturin]\nbindings = "cffi"\n')
    assert accord_backend.get_requires_for_build_wheel() == ["maturin", *cffi]
    to(delegating, "maturin", 'requires = ["maturin>=1.7"]\n[tool.maturin]\nbindings = "cffi"\n')
    assert accord_backend.get_requires_for_build_wheel() == ["maturin>=1.7", *cffi]
    for other in ('[tool.maturin]\nbindings = "bin"\n', "[other]\nx = 1\n"):
        to(delegating, "maturin", other)
        assert accord_backend.get_requires_for_build_wheel() == ["maturin"]
    to(delegating, "large_backend", 'requires = ["x"]\n[tool.maturin]\nbindings = "cffi"\n')
    assert accord_backend.get_requires_for_build_wheel() == ["x", "wheel-needs"]


def test_without_cargo_maturin_asks_for_what_fetches_one_unless_told_not_to(
    delegating: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "maturin", None)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("MATURIN_NO_INSTALL_RUST", raising=False)
    to(delegating, "maturin")
    assert accord_backend.get_requires_for_build_sdist() == ["maturin", "puccinialin"]
    monkeypatch.setenv("MATURIN_NO_INSTALL_RUST", "1")
    assert accord_backend.get_requires_for_build_sdist() == ["maturin"]


def test_requires_name_what_brings_a_delegate_that_is_not_known_here(delegating: Path) -> None:
    to(delegating, "no_such_backend", 'requires = ["no-such>=2"]\n')
    assert accord_backend.get_requires_for_build_wheel() == ["no-such>=2"]
    to(delegating, "large_backend", 'requires = ["large>=2"]\n')
    assert accord_backend.get_requires_for_build_wheel() == ["large>=2", "wheel-needs"]


def test_a_delegate_that_breaks_on_import_is_not_called_missing(delegating: Path, out: str) -> None:
    (delegating / "backends/broken_backend.py").write_text("import no_such_module_at_all\n")
    importlib.invalidate_caches()
    to(delegating, "broken_backend")
    with pytest.raises(BackendError) as caught:
        accord_backend.build_wheel(out)
    assert caught.value.code == "delegate-broken" and "no_such_module_at_all" in str(caught.value)
    to(delegating, "large_backend:Nobody")
    with pytest.raises(BackendError) as caught:
        accord_backend.build_wheel(out)
    assert caught.value.code == "delegate-broken"


@pytest.mark.parametrize(
    ("code", "key", "text"),
    [
        ("key-unknown", ".delegat", 'delegate = "x"\ndelegat = "y"'),
        ("key-missing", ".delegate", "requires = [] # delegate"),
        ("wrong-type", ".delegate", "delegate = 1"),
        ("delegate-invalid", ".delegate", 'delegate = "a b"'),
        ("delegate-invalid", ".delegate", 'delegate = "accord_backend.native"'),
        ("requirement-invalid", ".requires", 'delegate = "x"\nrequires = ["a b"]'),
    ],
)
def test_each_fault_of_the_table_has_a_code_and_a_place(
    code: str, key: str, text: str, delegating: Path, out: str
) -> None:
    (delegating / "pyproject.toml").write_text("[tool.accord.backend]\n" + text + "\n")
    with pytest.raises(BackendError) as caught:
        accord_backend.build_wheel(out)
    assert [(fault.code, fault.place) for fault in caught.value.faults] == [
        (code, "tool.accord.backend" + key)
    ]


def test_the_word_delegate_elsewhere_delegates_nothing(workshop: Workshop) -> None:
    workshop(
        '[project.urls]\ndelegate = "https://index.example"\n', {"src/spam/__init__.py": ""}, extension=""
    )
    assert workshop.build().name == "spam-1.0-py3-none-any.whl"


MESON = """\
project('spam', 'c', version: '1.0')
py = import('python').find_installation(pure: false)
py.install_sources(['src/spam/__init__.py'], subdir: 'spam')
py.extension_module('_speed', 'src/spam/_speed.c', subdir: 'spam', install: true)
"""
CMAKE = """\
cmake_minimum_required(VERSION 3.15...4.0)
project(spam LANGUAGES C)
find_package(Python REQUIRED COMPONENTS Interpreter Development.Module)
python_add_library(_speed MODULE src/spam/_speed.c WITH_SOABI)
install(TARGETS _speed DESTINATION spam)
"""


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize(
    ("delegate", "requires", "file", "text"),
    [
        ("mesonpy", ["meson-python", "ninja"], "meson.build", MESON),
        ("scikit_build_core.build", ["scikit-build-core", "cmake", "ninja"], "CMakeLists.txt", CMAKE),
    ],
)
@pytest.mark.usefixtures("compiler")
def test_a_real_backend_builds_a_c_module_through_us(
    delegate: str, requires: list[str], file: str, text: str, workshop: Workshop, tmp_path: Path
) -> None:
    root = workshop(f'[tool.accord.backend]\ndelegate = "{delegate}"\n', {file: text}, extension="")
    python = os.fspath(tmp_path / "venv/bin/python")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    environ = {"PATH": f"{tmp_path / 'venv/bin'}{os.pathsep}{os.environ['PATH']}"}
    asked = subprocess.run(
        [python, "-c", "import accord_backend as b; print(*b.get_requires_for_build_wheel())"],
        cwd=root, env={"PYTHONPATH": workshop.SOURCE, "PATH": "/nowhere"}, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert asked == requires
    subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *asked], check=True)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)  # meson makes sdists of what git knows
    subprocess.run(["git", "add", "."], cwd=root, check=True)
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@index.example", "commit", "-qm", "all"],
        cwd=root,
        check=True,
    )
    wheel = workshop.hook(root, python=python, environ=environ)
    assert isinstance(wheel, Path)
    assert workshop.run(wheel, python=python) == "42"
    sdist = workshop.hook(root, "build_sdist", python=python, environ=environ)
    assert isinstance(sdist, Path) and sdist.name == "spam-1.0.tar.gz"
    info = workshop.hook(root, "prepare_metadata_for_build_wheel", python=python, environ=environ)
    assert isinstance(info, Path) and (info / "METADATA").is_file()
    editable = workshop.hook(root, "build_editable", python=python, environ=environ)
    assert isinstance(editable, Path) and editable.suffix == ".whl"
