"""``Python.h`` read once for many sources: the same bytes, never a stale header, and never a build that fails by it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from accord_backend.native import configure, precompiled, toolchain
from accord_backend.native.options import read_options

if TYPE_CHECKING:
    from tests.backend.native.conftest import Workshop

EXTENSION = """
[[tool.accord.extension]]
name = "spam._speed"
sources = ["src/spam/*.c*"]
undefines = ["NDEBUG"]
"""
GCC = shutil.which("gcc") or "gcc"
OTHER = "#include <Python.h>\nconst char *spam_{0}(PyObject *one) {{ assert(PyTuple_GET_SIZE(one)); Py_INCREF(one); return __FILE__; }}\n"
FILES = {f"src/spam/c{n}.c": OTHER.format(f"c{n}") for n in range(3)}  # and _speed.c is the fourth
CPLUS = {
    f"src/spam/p{n}.cpp": '#include <Python.h>\nextern "C" void spam_p%d(PyObject *one) { Py_INCREF(one); }\n'
    % n
    for n in range(2)
}
SIZED = """\
#define PY_SSIZE_T_CLEAN
#include <Python.h>
int spam_sized(PyObject *args) { const char *text; Py_ssize_t n; return PyArg_ParseTuple(args, "s#", &text, &n); }
"""
NOT_ME = {"precompile": "false"}


@pytest.fixture(autouse=True)
def _any_number(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sources share a header whatever the number of processors, and the compilers tell which they took."""
    monkeypatch.setattr(precompiled, "_PAYS", 2)
    monkeypatch.setattr(precompiled, "_processors", lambda: 1)
    monkeypatch.setenv("CPPFLAGS", "-H")


def plan(root: Path) -> list[dict[str, Any]]:
    record = configure.read_record(os.fspath(next(root.glob("build/accord-*"))))
    assert record is not None
    return [{**one, "units": [unit["source"] for extension in record["extensions"] for unit in extension["units"]
                              if unit.get("precompiled") == number]}
            for number, one in enumerate(record["precompiled"])]  # fmt: skip


def taken(log: str) -> int:
    """How many sources took a precompiled header, by what ``-H`` says."""
    said = log.split("\n[")  # ninja shows what a command says after its line
    return sum(" compile " in one and "\n! " in one and "Python.h.gch" in one for one in said)


def compiled(log: str) -> list[str]:
    return sorted(
        line.split(" compile ")[1] for line in log.splitlines() if line[:1] == "[" and " compile " in line
    )


def test_sources_that_begin_with_python_h_share_it_and_the_wheel_is_the_same(workshop: Workshop) -> None:
    root = workshop(files={**FILES, **CPLUS, "src/spam/sized.c": SIZED}, extension=EXTENSION, name="one")
    shared = workshop.build()
    assert taken(workshop.log(root)) == 4 + 2
    assert [one["language"] for one in plan(root)] == ["c", "c++"]
    workshop(files={**FILES, **CPLUS, "src/spam/sized.c": SIZED}, extension=EXTENSION, name="a longer name")
    alone = workshop.build(settings=NOT_ME)
    assert taken(workshop.log(Path.cwd())) == 0 and plan(Path.cwd()) == []
    assert shared.read_bytes() == alone.read_bytes()
    assert workshop.run(shared) == "42"


def test_what_is_defined_before_the_header_makes_another_header(workshop: Workshop) -> None:
    more = {f"src/spam/{name}.c": SIZED.replace("sized", name) for name in ("sized", "other")}
    root = workshop(files={**FILES, **more}, extension=EXTENSION)
    workshop.build()
    assert sorted(one["defines"] for one in plan(root)) == [[], ["PY_SSIZE_T_CLEAN="]]
    assert taken(workshop.log(root)) == 4 + 2


def test_the_settings_of_a_kept_folder_may_change(workshop: Workshop) -> None:
    root = workshop(files=FILES, extension=EXTENSION)
    first = workshop.build().read_bytes()
    assert workshop.build(settings=NOT_ME).read_bytes() == first
    assert taken(workshop.log(root)) == 0 and len(compiled(workshop.log(root))) == 4
    assert workshop.build().read_bytes() == first
    assert taken(workshop.log(root)) == 4


def thought_out(
    root: Path, sources: dict[str, str], *flags: str, jobs: int = 0, language: str = "c"
) -> list[list[str]]:
    """The sources that share, header by header, by a plan that nobody carries out."""
    (root / "Python.h").touch()
    units = []
    for name, text in sources.items():
        (root / name).write_text(text)
        units.append({"source": name, "language": language, "size": len(text)})
    extension = {"compile": {language: [f"-I{root}", "-g0", *flags]}, "units": units}
    record = {"folder": "build", "python": {"include": [os.fspath(root)]}, "extensions": [extension]}
    options = read_options({"jobs": str(jobs)})
    made = precompiled.plan(os.fspath(root), record, {"c": True, "c++": False}, options)
    return [[str(unit["source"]) for unit in units if unit.get("precompiled") == n] for n in range(len(made))]


def test_few_sources_read_it_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each processor has to get back what the header took."""
    monkeypatch.setattr(precompiled, "_PAYS", 5)
    for processors, least in ((1, 5), (2, 11), (4, 23)):
        monkeypatch.setattr(precompiled, "_processors", lambda processors=processors: processors)
        many = {f"c{n}.c": "#include <Python.h>\n" for n in range(least)}
        others = {f"o{n}.c": "#include <stdio.h>\n" for n in range(9)}
        (shared,) = thought_out(tmp_path, {**many, **others})
        assert set(shared) <= set(many) and len(shared) == 5 * processors
        del many["c0.c"]
        assert thought_out(tmp_path, {**many, **others}) == []


def test_one_source_for_each_other_processor_begins_without_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precompiled, "_PAYS", 1)
    monkeypatch.setattr(precompiled, "_processors", lambda: 3)
    sources = {f"c{n}.c": "#include <Python.h>\n" + "/* long */" * (n % 4) for n in range(5)}
    assert thought_out(tmp_path, sources) == [["c0.c", "c1.c", "c4.c"]], "the two longest begin"
    assert thought_out(tmp_path, sources, jobs=2) == [["c0.c", "c1.c", "c2.c", "c4.c"]]
    assert thought_out(tmp_path, sources, jobs=1) == [sorted(sources)]


@pytest.mark.parametrize(
    "flag",
    [
        "-g",
        "-ggdb3",
        "-flto=auto",
        "--coverage",
        "-fprofile-generate",
        "-frecord-gcc-switches",
        "-include",
        "@flags",
    ],
)
def test_flags_whose_objects_would_differ_do_without(flag: str, tmp_path: Path) -> None:
    sources = {f"c{n}.c": "#include <Python.h>\n" for n in range(3)}
    assert thought_out(tmp_path, sources, "-O1") == [sorted(sources)]
    assert thought_out(tmp_path, sources, "-O1", flag) == []
    assert thought_out(tmp_path, sources, language="c++") == [], "this compiler of C++ does not share"


def test_one_source_touched_one_compiled_and_with_the_header_of_before(workshop: Workshop) -> None:
    root = workshop(files=FILES, extension=EXTENSION)
    workshop.build()
    workshop.build()
    assert "no work to do" in workshop.log(root)
    path = root / "src/spam/c1.c"
    path.write_text(path.read_text() + "/* more */\n")
    workshop.build()
    log = workshop.log(root)
    assert compiled(log) == ["src/spam/c1.c"] and taken(log) == 1 and "] precompile" not in log


def test_the_folder_may_move_with_its_header(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = workshop(files=FILES, extension=EXTENSION)
    workshop.build()
    monkeypatch.chdir(tmp_path)
    moved = root.rename(tmp_path / "else where")
    monkeypatch.chdir(moved)
    workshop.build()
    assert "no work to do" in workshop.log(moved)
    (moved / "src/spam/_speed.c").write_text(workshop.SPEED.replace("42", "6"))
    assert workshop.run(workshop.build()) == "6" and taken(workshop.log(moved)) == 1


def test_other_flags_make_another_header(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    root = workshop(files=FILES, extension=EXTENSION)
    workshop.build()
    monkeypatch.setenv("CPPFLAGS", "-H -DANSWER=7")
    assert workshop.run(workshop.build()) == "7"
    log = workshop.log(root)
    assert log.count("] precompile ") == 1 and len(compiled(log)) == 4 and taken(log) == 4


@pytest.fixture
def headers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of Python's headers that may be changed."""
    facts = toolchain.python_facts()
    try:
        place = next(Path(path) for path in facts["include"] if Path(path, "Python.h").is_file())
    except StopIteration:
        pytest.skip("this machine lacks the headers of this Python: .ci/system installs what the tests need")
    copy = tmp_path / "the headers"
    shutil.copytree(place, copy)
    changed: Mapping[str, Any] = {**facts, "include": [os.fspath(copy), *facts["include"]]}
    monkeypatch.setattr(toolchain, "python_facts", lambda: changed)
    return copy


@pytest.mark.parametrize("processors", [1, 2])
def test_a_header_of_python_that_changed_is_read_again(
    processors: int, headers: Path, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by the one that does not wait: it could meet the old file."""
    monkeypatch.setattr(precompiled, "_PAYS", 1)
    monkeypatch.setattr(precompiled, "_processors", lambda: processors)
    answers = {"src/spam/c0.c": "#include <Python.h>\n#ifdef ADDED\nint spam_added = ADDED;\n#endif\n"}
    root = workshop(files={**FILES, **answers}, extension=EXTENSION)
    before = workshop.build()
    with open(headers / "object.h", "a") as file:
        file.write("\n#define ANSWER 8\n#define ADDED 9\n")
    after = workshop.build()
    assert workshop.run(after) == "8" and len(compiled(workshop.log(root))) == 4
    assert taken(workshop.log(root)) == {1: 4, 2: 3}[processors]
    assert before.read_bytes() != after.read_bytes() == workshop.build(settings=NOT_ME).read_bytes()


def test_a_header_of_the_system_counts_as_well(headers: Path, workshop: Workshop) -> None:
    (headers / "system").mkdir()
    (headers / "system/level.h").write_text("#define ANSWER 1\n")
    with open(headers / "object.h", "a") as file:
        file.write('\n#pragma GCC system_header\n#include "system/level.h"\n')
    root = workshop(files=FILES, extension=EXTENSION)
    assert workshop.run(workshop.build()) == "1"
    (headers / "system/level.h").write_text("#define ANSWER 2\n")
    assert workshop.run(workshop.build()) == "2" and taken(workshop.log(root)) == 4


def test_a_macro_that_came_after_configuring_is_respected(workshop: Workshop) -> None:
    """The record says that the source fits; the compiler finds that it does not, and reads the header itself."""
    root = workshop(files=FILES, extension=EXTENSION)
    workshop.build()
    (root / "src/spam/c1.c").write_text(SIZED.replace("spam_sized", "spam_c1"))
    (root / "src/spam/c2.c").write_text("#define NDEBUG 1\nint first;\n" + OTHER.format("c2"))
    kept = workshop.build().read_bytes()
    assert len(compiled(workshop.log(root))) == 2 and taken(workshop.log(root)) == 0
    shutil.rmtree(root / "build")
    assert workshop.build(settings=NOT_ME).read_bytes() == kept


def test_a_python_h_of_the_project_comes_first_as_ever(workshop: Workshop) -> None:
    own = {"own/Python.h": "#define ANSWER 3\n#include_next <Python.h>\n"}
    root = workshop('include-dirs = ["own"]\n', {**FILES, **own}, extension=EXTENSION)
    assert workshop.run(workshop.build()) == "3"
    (root / "own/Python.h").write_text("#define ANSWER 4\n#include_next <Python.h>\n")
    assert workshop.run(workshop.build()) == "4"


def test_a_fault_in_a_source_is_told_as_ever(workshop: Workshop) -> None:
    root = workshop(
        files={**FILES, "src/spam/c1.c": FILES["src/spam/c1.c"] + "int wrong = ;\n"}, extension=EXTENSION
    )
    shared = workshop.fault()
    assert plan(root) and shared.code == "compile-failed"
    alone = workshop.fault(settings=NOT_ME)
    assert shared.message.splitlines()[0] == alone.message.splitlines()[0]


BREAKING = """\
#!{python}
import os, sys
if any(word.endswith("-header") for word in sys.argv):
    {deed}
os.execv({gcc!r}, [{gcc!r}, *sys.argv[1:]])
"""
OUT = 'sys.argv[sys.argv.index("-o") + 1]'


@pytest.mark.parametrize(
    "deed",
    [
        f'open({OUT}, "w").write("half"); sys.exit(1)',
        f'open({OUT}, "w").write("gpch" * 100); sys.exit(0)',
    ],
)
@pytest.mark.usefixtures("compiler")
def test_a_header_that_cannot_be_made_costs_nothing_but_time(
    deed: str, workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = workshop(files=FILES, extension=EXTENSION)
    good = workshop.build().read_bytes()
    compiler = tmp_path / "gcc"
    compiler.write_text(BREAKING.format(python=sys.executable, deed=deed, gcc=GCC))
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", os.fspath(compiler))
    broken = workshop.build()
    assert len(plan(root)) == 1 and taken(workshop.log(root)) == 0
    assert broken.read_bytes() == good


def test_a_header_that_a_crash_left_empty_is_made_again(workshop: Workshop) -> None:
    root = workshop(files=FILES, extension=EXTENSION)
    first = workshop.build().read_bytes()
    (made,) = root.glob("build/accord-*/precompiled/*/Python.h.gch")
    made.write_bytes(b"")
    assert workshop.build().read_bytes() == first
    assert made.stat().st_size > 1_000_000


@pytest.mark.usefixtures("compiler")
def test_another_compiler_makes_its_own(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = workshop(files=FILES, extension=EXTENSION)
    workshop.build()
    compiler = tmp_path / "gcc"
    compiler.write_text('#!/bin/sh\nexec gcc -DANSWER=5 "$@"\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", os.fspath(compiler))
    assert workshop.run(workshop.build()) == "5"
    assert workshop.log(root).count("] precompile ") == 1 and taken(workshop.log(root)) == 4


FREE = "\nCopyright (C) 2022 Free Software Foundation, Inc."
GCC_12 = "gcc (Debian 12.2.0-14+deb12u1) 12.2.0" + FREE


@pytest.mark.parametrize(
    ("told", "fits"),
    [
        (GCC_12, True),
        ("cc (GCC) 13.2.1 20231205 (Red Hat 13.2.1-6)" + FREE, True),
        ("x86_64-conda-linux-gnu-cc (conda-forge gcc 14.1.0-0) 14.1.0" + FREE, True),
        ("gcc (Debian 10.2.1-6) 10.2.1 20210110" + FREE, False),
        ("Debian clang version 14.0.6\nTarget: x86_64-pc-linux-gnu", False),
        ("Apple clang version 15.0.0 (clang-1500.3.9.4)", False),
        ("Intel(R) oneAPI DPC++/C++ Compiler 2024.0.0 (2024.0.0.20231017)", False),
    ],
)
def test_which_compilers_share_headers_by_what_they_say(told: str, fits: bool) -> None:
    assert precompiled.fits(["cc"], "/usr/bin/cc", told) is fits


def test_which_compilers_share_headers_by_their_names(tmp_path: Path) -> None:
    for name in ("gcc-12", "x86_64-linux-gnu-g++-12", "c++", "cc"):
        assert precompiled.fits([name, "-m64"], f"/opt/{name}", GCC_12), name
        assert not precompiled.fits([name, "-g"], f"/opt/{name}", GCC_12), "its objects would differ"
    for name in ("ccache", "distcc", "clang"):
        assert not precompiled.fits([name, "gcc"], f"/opt/{name}", GCC_12), name
    (tmp_path / "ccache").touch()
    (tmp_path / "gcc").symlink_to("ccache")
    assert not precompiled.fits(["gcc"], os.fspath(tmp_path / "gcc"), GCC_12), (
        "it would not keep what it compiles"
    )


@pytest.mark.parametrize(
    ("source", "defines"),
    [
        ("#include <Python.h>\n", []),
        ('/* a\n * licence */\n\n// more\n#include "Python.h"\n', []),
        ("#define PY_SSIZE_T_CLEAN\n#include <Python.h>", ["PY_SSIZE_T_CLEAN="]),
        (" # define A 1 // one\n#\tdefine B\r\n  #  include  <Python.h>", ["A=1", "B="]),
        ("#define A 1 + 2\n#include <Python.h>", None),
        ("#define A(x) x\n#include <Python.h>", None),
        ("#define A \\\n 1\n#include <Python.h>", None),
        ("#undef NDEBUG\n#include <Python.h>", None),
        ("#ifdef X\n#include <Python.h>\n#endif", None),
        ("#include <stdio.h>\n#include <Python.h>", None),
        ("#pragma once\n#include <Python.h>", None),
        ("// continued \\\n#include <Python.h>\n#include <stdio.h>", None),
        ("/* never ended #include <Python.h>", None),
        ("int a;\n#include <Python.h>", None),
        ("", None),
    ],
)
def test_what_a_source_defines_before_it_includes_python_h(source: str, defines: list[str] | None) -> None:
    assert precompiled.defines_before(source) == defines


def test_a_source_of_nothing_but_comments_is_read_in_no_time() -> None:
    assert precompiled.defines_before("/* a */ " * 8192 + "/*" * 8192) is None
    assert precompiled.defines_before("//\\\n" * 16384) is None
    assert precompiled.defines_before("\n" * 65536) is None


def test_the_longest_source_is_compiled_first(workshop: Workshop) -> None:
    long = OTHER.format("c2") + "/* the longest of all */\n" * 40
    root = workshop(files={**FILES, "src/spam/c2.c": long}, extension=EXTENSION)
    workshop.build(settings={"jobs": "1", "precompile": "false"})
    lines = [line for line in workshop.log(root).splitlines() if " compile " in line]
    assert "compile src/spam/c2.c" in lines[0]
