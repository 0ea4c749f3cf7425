"""A wheel that links a library of its own is repaired by the real auditwheel, and imports where that library is gone."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from accord.cli.main import main
from accord.testing.archives import Part, wheel_parts, zip_bytes

pytestmark = [pytest.mark.network, pytest.mark.slow]

LIBRARY = "int odd_number(void) { return 41; }\n"
MODULE = """
#define PY_SSIZE_T_CLEAN
#include <Python.h>
int odd_number(void);
static PyObject *number(PyObject *self, PyObject *args) { return PyLong_FromLong(odd_number() + 1); }
static PyMethodDef methods[] = {{"number", number, METH_NOARGS, "42"}, {NULL, NULL, 0, NULL}};
static PyModuleDef_Slot slots[] = {{0, NULL}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "_odd", "Links libodd.", 0, methods, slots, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit__odd(void) { return PyModuleDef_Init(&module); }
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cache of its own, gone afterwards: auditwheel lies in a sealed environment, which nobody else can remove."""
    monkeypatch.setenv("ACCORD_CACHE_DIR", str(tmp_path / "cache"))
    yield
    assert main(["--quiet", "cache", "clean"]) == 0


def linked_wheel(folder: Path) -> str:
    """A linux wheel whose module links ``libodd.so.1`` in ``folder/lib``, which is on no system path."""
    library = folder / "lib" / "libodd.so.1"
    library.parent.mkdir()
    (folder / "odd.c").write_text(LIBRARY)
    (folder / "_odd.c").write_text(MODULE)
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-Wl,-soname,libodd.so.1", "-o", library, folder / "odd.c"], check=True
    )
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    include = sysconfig.get_path("include")
    target = folder / f"_odd{suffix}"
    subprocess.run(
        [
            "gcc",
            "-shared",
            "-fPIC",
            f"-I{include}",
            "-o",
            target,
            folder / "_odd.c",
            f"-l:{library.name}",
            f"-L{library.parent}",
        ],
        check=True,
    )
    tag = "cp{0}{1}-cp{0}{1}-linux_x86_64".format(*sys.version_info[:2])
    parts = wheel_parts(
        {f"odd/_odd{suffix}": target.read_bytes(), "odd/__init__.py": b"from odd._odd import number\n"},
        name="odd",
        wheel=f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: {tag}\n",
    )
    path = folder / f"odd-1.0-{tag}.whl"
    path.write_bytes(zip_bytes([Part(one.name, one.data, mode=0o100755) for one in parts]))
    return str(path)


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the wheel of this test is for x86-64")
def test_a_repaired_wheel_brings_what_it_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = linked_wheel(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    assert main(["wheel", "repair", path]) == 1
    assert "libodd.so.1" in capsys.readouterr().err
    assert list((tmp_path / "wheelhouse").iterdir()) == []

    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path / "lib"))
    assert main(["wheel", "repair", path]) == 0
    (made,) = (tmp_path / "wheelhouse").iterdir()
    said = capsys.readouterr()
    assert "manylinux" in made.name and made.name in said.out
    assert "odd.libs/libodd" in said.err
    assert main(["wheel", "repair", path, "-w", "again"]) == 0
    assert (tmp_path / "again" / made.name).read_bytes() == made.read_bytes()

    monkeypatch.delenv("LD_LIBRARY_PATH")
    (tmp_path / "lib" / "libodd.so.1").unlink()
    for wheel, works in ((path, False), (str(made), True)):
        site = tmp_path / ("new" if works else "old")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
        done = subprocess.run(
            [sys.executable, "-c", "import odd; print(odd.number())"],
            env={"PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode == 0 and done.stdout == "42\n") is works, done.stderr
    assert main(["wheel", "verify", str(made)]) == 0


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the wheel of this test is for x86-64")
def test_a_module_that_calls_nothing_of_the_c_library_runs_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The name of an abi3 module does not say for which C library it is, and nothing in this one does either."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "_odd.c").write_text(
        MODULE.replace("int odd_number(void);", "static int odd_number(void) { return 41; }")
    )
    include = f"-I{sysconfig.get_path('include')}"
    target = tmp_path / "_odd.abi3.so"
    options = ["-shared", "-fPIC", "-Wl,--as-needed", "-DPy_LIMITED_API=0x03080000", include]
    subprocess.run(["gcc", *options, "-o", str(target), "_odd.c"], check=True)
    parts = wheel_parts(
        {"odd/_odd.abi3.so": target.read_bytes(), "odd/__init__.py": b""},
        name="odd",
        wheel="Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: cp38-abi3-linux_x86_64\n",
    )
    path = tmp_path / "odd-1.0-cp38-abi3-linux_x86_64.whl"
    path.write_bytes(zip_bytes([Part(one.name, one.data, mode=0o100755) for one in parts]))
    assert main(["wheel", "repair", str(path)]) == 0, capsys.readouterr().err
    (made,) = (tmp_path / "wheelhouse").iterdir()
    assert "manylinux_2_17_x86_64" in made.name and "-cp38-abi3-" in made.name
