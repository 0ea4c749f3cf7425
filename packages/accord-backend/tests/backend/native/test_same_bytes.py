"""The same tree gives the same module, byte for byte: other folders, users' umasks, times, environments, orders on disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.backend.native.conftest import Workshop

EXTENSION = """
[[tool.accord.extension]]
name = "spam._speed"
sources = ["src/spam/*.c", "src/spam/*.cpp"]
include-dirs = ["include"]
"""
TELLING = """\
#undef NDEBUG
#include <Python.h>
#include "where.h"
extern "C" const char *place(void) { return where(); }
extern "C" Py_ssize_t size(PyObject *tuple) { return PyTuple_GET_SIZE(tuple); }
extern "C" const char *told(void) { assert(size(0) != 1); return __DATE__ __TIME__ __TIMESTAMP__ __FILE__; }
namespace { struct Hidden { Hidden() { Py_IsInitialized(); } } hidden; }
"""
FILES = {
    "src/spam/told.cpp": TELLING,
    "src/spam/more.c": "int spam_more(void) { return __COUNTER__; }\n",
    "include/where.h": "static inline const char *where(void) { return __FILE__; }\n",
}


def shifted(root: Path, seconds: int) -> None:
    for path in [root, *root.rglob("*")]:
        os.utime(path, (seconds, seconds))


@pytest.mark.parametrize("flags", ["", "-g", "-flto"])
def test_two_folders_two_umasks_two_times_one_wheel(
    flags: str, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    if flags:
        monkeypatch.setenv("CFLAGS", flags)
        monkeypatch.setenv("CXXFLAGS", flags)
    one = workshop(files=FILES, extension=EXTENSION, name="one")
    two = workshop(
        files=dict(reversed(FILES.items())), extension=EXTENSION, name="a much longer/name of a folder"
    )
    shifted(one, 1_000_000_000)
    shifted(two, 1_700_000_000)
    first = workshop.hook(one, umask=0o077, environ={"HOME": "/nowhere", "USER": "ann", "TZ": "UTC"})
    second = workshop.hook(
        two, umask=0, environ={"HOME": "/tmp", "USER": "bob", "TZ": "Asia/Tokyo", "LANG": "C.UTF-8"}
    )
    assert isinstance(first, Path) and isinstance(second, Path)
    assert workshop.members(first) == workshop.members(second)
    assert first.read_bytes() == second.read_bytes()


def test_no_folder_of_this_machine_is_in_the_module(workshop: Workshop) -> None:
    root = workshop(files=FILES, extension=EXTENSION)
    module = next(data for name, data in workshop.members(workshop.build()).items() if name.endswith(".so"))
    import sys
    import sysconfig

    for place in (os.fspath(root), sysconfig.get_path("include"), sys.prefix, os.path.expanduser("~")):
        assert os.fsencode(place) not in module
    assert b"src/spam/told.cpp" in module and b"include/where.h" in module
    assert b"python/cpython/tupleobject.h" in module, "an assertion in one of Python's own headers"
    assert b"Jan  1 1980" in module


def test_debug_data_name_no_folder_where_there_is_no_proc_either(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accord_backend.native import configure

    monkeypatch.setattr(configure, "CWD", "/nowhere")
    wheels = []
    for name in ("one", "two is longer"):
        workshop(files=FILES, extension=EXTENSION, name=name)
        wheels.append(workshop.build(settings={"debug": "true"}).read_bytes())
    assert wheels[0] == wheels[1]


def test_a_build_step_by_step_ends_where_a_clean_one_does(workshop: Workshop) -> None:
    root = workshop(files=FILES, extension=EXTENSION, name="one")
    workshop.build()
    (root / "src/spam/more.c").write_text("int spam_more(void) { return 5; }\n")
    grown = workshop.build().read_bytes()
    workshop(
        files={**FILES, "src/spam/more.c": "int spam_more(void) { return 5; }\n"},
        extension=EXTENSION,
        name="two",
    )
    assert workshop.build().read_bytes() == grown


def test_the_time_of_a_release_reaches_the_archive_and_not_the_module(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop(files=FILES, extension=EXTENSION)
    plain = workshop.build()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    dated = workshop.build()
    assert plain.read_bytes() != dated.read_bytes()
    assert workshop.members(plain) == workshop.members(dated)
