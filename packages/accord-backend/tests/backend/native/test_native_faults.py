"""What a person is told: every fault of a table with its place, and a failed build by its first error and what to do."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import accord_backend
from accord_backend.errors import BackendError

if TYPE_CHECKING:
    from tests.backend.native.conftest import Workshop

E = "tool.accord.extension[0]"


@pytest.mark.parametrize(
    ("code", "place", "text"),
    [
        ("key-unknown", f"{E}.sourcez", "sourcez = []"),
        ("language-unknown", f"{E}.language", 'language = "fortran"'),
        ("path-outside", f"{E}.include-dirs", 'include-dirs = ["/usr/include"]'),
        ("path-outside", f"{E}.include-dirs", 'include-dirs = ["../x"]'),
        ("path-outside", f"{E}.depends", 'depends = ["C:/x"]'),
        ("define-invalid", f"{E}.defines", 'defines = ["1X"]'),
        ("define-invalid", f"{E}.defines", 'defines = ["X -DY"]'),
        ("define-invalid", f"{E}.undefines", 'undefines = ["X=1"]'),
        ("library-invalid", f"{E}.libraries", 'libraries = ["m -Wl,x"]'),
        ("pkg-config-invalid", f"{E}.pkg-config", 'pkg-config = ["--version"]'),
        ("argument-invalid", f"{E}.link-args", 'link-args = ["a\\nb"]'),
        ("limited-api-invalid", f"{E}.limited-api", 'limited-api = "3"'),
        ("limited-api-invalid", f"{E}.limited-api", 'limited-api = "cp39"'),
        ("wrong-type", f"{E}.limited-api", "limited-api = 3.9"),
        ("wrong-type", f"{E}.optional", 'optional = "yes"'),
        ("wrong-type", f"{E}.libraries", 'libraries = "m"'),
        ("wrong-type", f"{E}.cython-directives.x", "cython-directives = {x = []}"),
        ("wrong-type", f"{E}.when", "when = {}"),
        ("key-missing", f"{E}.when[0].marker", "[[tool.accord.extension.when]]\nlibraries = []"),
        ("marker-invalid", f"{E}.when[0].marker", "[[tool.accord.extension.when]]\nmarker = \"os == 'x'\""),
        ("key-unknown", f"{E}.when[0].name", "[[tool.accord.extension.when]]\nmarker = \"os_name == 'x'\"\nname = 'x'"),
        ("extension-twice", "tool.accord.extension[1].name", '[[tool.accord.extension]]\nname = "spam._speed"\nsources = ["a.c"]'),
        ("extension-name", "tool.accord.extension[1].name", '[[tool.accord.extension]]\nname = "a-b"\nsources = ["a.c"]'),
        ("extension-name", "tool.accord.extension[1].name", '[[tool.accord.extension]]\nname = "größe"\nsources = ["a.c"]'),
        ("key-missing", "tool.accord.extension[1].name", '[[tool.accord.extension]]\nsources = ["a.c"]'),
        ("key-missing", "tool.accord.extension[1].sources", '[[tool.accord.extension]]\nname = "a"'),
    ],
)  # fmt: skip
def test_each_fault_of_a_table_has_a_code_and_a_place(
    code: str, place: str, text: str, workshop: Workshop
) -> None:
    workshop(text + "\n")
    fault = workshop.fault()
    assert fault.code == "pyproject-invalid"
    assert [(one.code, one.place) for one in fault.faults] == [(code, place)]


def test_a_misspelt_key_is_answered_with_the_likeliest(workshop: Workshop) -> None:
    workshop('libaries = ["m"]\n')
    assert "did you mean 'libraries'?" in str(workshop.fault())


def test_an_array_of_tables_that_is_a_table(workshop: Workshop) -> None:
    workshop(extension='[tool.accord.extension]\nname = "x"\n')
    assert "[[tool.accord.extension]]" in str(workshop.fault())


def test_a_syntax_error_is_shown_by_its_place_and_without_the_rest(workshop: Workshop) -> None:
    noise = "".join(f"int unused_{n}(void) {{ int x; return nothing_{n}; }}\n" for n in range(200))
    workshop("", {"src/spam/_speed.c": workshop.SPEED + "int broken( {\n" + noise})
    fault = workshop.fault()
    assert fault.code == "compile-failed"
    assert fault.message.startswith("spam._speed: src/spam/_speed.c:9:13: ")
    assert re.search(r"command: \S*gcc ", fault.message) and "build.log" in fault.message
    assert len(str(fault).splitlines()) < 25


def test_the_first_error_and_not_a_warning_before_it(workshop: Workshop) -> None:
    source = workshop.SPEED + "static int unused(void) { int y; return y; }\nint z = undeclared_thing;\n"
    workshop("", {"src/spam/_speed.c": source})
    fault = workshop.fault()
    assert "src/spam/_speed.c:10:9: 'undeclared_thing' undeclared" in fault.message.splitlines()[0]


def test_an_error_in_a_header_names_the_header(workshop: Workshop) -> None:
    workshop("", {"src/spam/a.h": "\n\nint 1x;\n", "src/spam/_speed.c": '#include "a.h"\n' + workshop.SPEED})
    assert workshop.fault().message.startswith("spam._speed: src/spam/a.h:3:5: ")


@pytest.mark.parametrize(
    ("header", "code", "word"),
    [
        ("zlib-not-here.h", "header-missing", "include-dirs"),
        ("libpq-fe.h", "header-missing", "libpq-dev"),
    ],
)
def test_a_missing_header_says_what_to_install(header: str, code: str, word: str, workshop: Workshop) -> None:
    if os.path.exists(f"/usr/include/{header}"):
        pytest.skip("it is here")
    workshop("", {"src/spam/_speed.c": f"#include <{header}>\n" + workshop.SPEED})
    fault = workshop.fault()
    assert (fault.code, word in fault.hint, header in fault.message) == (code, True, True)


def test_a_missing_library_is_found_before_anything_is_compiled(workshop: Workshop) -> None:
    root = workshop('libraries = ["m", "nowhere"]\n')
    fault = workshop.fault()
    assert fault.code == "library-missing" and "libnowhere" in fault.message
    assert not list(root.glob("build/accord-*/objects"))


def test_a_missing_package_of_pkg_config_says_what_to_install(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PKG_CONFIG_LIBDIR", "/nowhere")
    workshop('pkg-config = ["zlib>=1.2"]\n')
    fault = workshop.fault()
    assert fault.code == "library-missing" and "zlib1g-dev" in fault.hint and "zlib-devel" in fault.hint


def test_an_undefined_name_at_link_time(workshop: Workshop) -> None:
    source = "int gone(void);\n#define ANSWER gone()\n" + workshop.SPEED
    workshop(
        'link-args = ["-Wl,-z,defs", "-Wl,--unresolved-symbols=report-all"]\n', {"src/spam/_speed.c": source}
    )
    fault = workshop.fault()
    assert fault.code == "link-failed"


def path_with(folder: Path, *programs: str) -> str:
    folder.mkdir()
    for program in programs:
        found = shutil.which(program)
        if found is None:
            pytest.skip(f"there is no {program} here")
        (folder / program).symlink_to(found)
    return os.fspath(folder)


@pytest.mark.parametrize(
    ("programs", "code", "hint"),
    [
        (("ninja",), "compiler-missing", "apt install gcc"),
        (("gcc", "as", "ld"), "ninja-missing", "pip install ninja"),
        (("gcc", "as", "ld", "ninja"), "pkg-config-missing", "apt install pkg-config"),
    ],
)
def test_a_missing_tool_says_what_to_install(
    programs: tuple[str, ...],
    code: str,
    hint: str,
    workshop: Workshop,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workshop('pkg-config = ["zlib"]\n' if code == "pkg-config-missing" else "")
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    monkeypatch.setenv("PATH", path_with(tmp_path / "bin", *programs))
    fault = workshop.fault()
    assert fault.code == code and hint in fault.hint


def test_ninja_is_asked_for_where_there_is_none_or_an_old_one(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop()
    assert accord_backend.get_requires_for_build_wheel() == []
    assert accord_backend.get_requires_for_build_sdist() == []
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    monkeypatch.setenv("PATH", path_with(tmp_path / "bin", "sh"))
    assert accord_backend.get_requires_for_build_wheel() == ["ninja>=1.10"]
    (tmp_path / "bin/ninja").write_text("#!/bin/sh\necho 1.8.2\n")
    (tmp_path / "bin/ninja").chmod(0o755)
    assert accord_backend.get_requires_for_build_editable() == ["ninja>=1.10"]


def test_a_compiler_that_is_named_and_not_there(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop()
    monkeypatch.setenv("CC", "no-such-compiler -O1")
    fault = workshop.fault()
    assert fault.code == "compiler-missing" and "CC=" in fault.message
    monkeypatch.setenv("CC", "gcc 'open")
    assert workshop.fault().code == "flags-unreadable"


@pytest.mark.parametrize(
    ("code", "sources"),
    [
        ("extension-sources-none", "src/none.c"),
        ("extension-sources-none", "src/**/*.f"),
        ("source-kind", "src/spam/*.py"),
    ],
)
def test_sources_that_are_none(code: str, sources: str, workshop: Workshop) -> None:
    workshop(extension=f'[[tool.accord.extension]]\nname = "spam._speed"\nsources = ["{sources}"]\n')
    assert workshop.fault().code == code


@pytest.mark.parametrize("settings", [{"jobs": "many"}, {"jobs": "1025"}, {"debug": "perhaps"}])
def test_settings_that_mean_nothing(settings: dict[str, str], workshop: Workshop) -> None:
    workshop()
    assert workshop.fault(settings=settings).code == "setting-invalid"


def test_settings_at_their_edge_and_of_others_pass(workshop: Workshop) -> None:
    workshop()
    assert workshop.build(settings={"jobs": "1024", "--global-option": "x", "verbose": "0"})


def test_a_build_folder_that_is_a_file(workshop: Workshop) -> None:
    workshop(files={"build": "a script"})
    fault = workshop.fault()
    assert fault.code == "build-dir-unusable" and "-C build-dir" in fault.hint


def test_an_optional_module_that_does_not_compile_is_left_out_and_said(
    workshop: Workshop, capfd: pytest.CaptureFixture[str]
) -> None:
    other = (
        '[[tool.accord.extension]]\nname = "spam._other"\nsources = ["src/spam/_other.c"]\noptional = true\n'
    )
    workshop(other, {"src/spam/_other.c": "#error not here\n"})
    found = workshop.members(workshop.build())
    assert [path for path in found if path.endswith(".so")] == [
        next(path for path in found if "_speed" in path)
    ]
    said = capfd.readouterr().err
    assert "spam._other is left out" in said and "_other.c:1:2: #error not here" in said


def test_an_optional_module_whose_library_is_missing_is_left_out(
    workshop: Workshop, capfd: pytest.CaptureFixture[str]
) -> None:
    workshop('optional = true\nlibraries = ["nowhere"]\n')
    assert not [path for path in workshop.members(workshop.build()) if path.endswith(".so")]
    assert "libnowhere" in capfd.readouterr().err


def test_a_required_module_that_fails_beside_an_optional_one_is_the_error(workshop: Workshop) -> None:
    other = (
        '[[tool.accord.extension]]\nname = "spam._other"\nsources = ["src/spam/_other.c"]\noptional = true\n'
    )
    workshop(other, {"src/spam/_other.c": "#error optional\n", "src/spam/_speed.c": "#error required\n"})
    assert "#error required" in workshop.fault().message


def test_python_without_headers(workshop: Workshop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import sysconfig

    workshop()
    monkeypatch.setattr(sysconfig, "get_path", lambda name: os.fspath(tmp_path))
    fault = workshop.fault()
    assert fault.code == "python-headers-missing" and re.search(r"(python|pypy)3-dev", fault.hint)


@pytest.mark.slow
def test_an_error_in_cython_is_shown_by_its_place(workshop: Workshop) -> None:
    pytest.importorskip("Cython")
    workshop(
        files={"src/spam/_speed.pyx": "def answer():\n    cdef int x = nothing_there\n    return x\n"},
        extension=workshop.EXTENSION.replace("_speed.c", "_speed.pyx"),
    )
    fault = workshop.fault()
    assert fault.code == "cython-failed"
    assert "src/spam/_speed.pyx:2:17: undeclared name not builtin: nothing_there" in fault.message


def test_a_project_that_needs_cython_where_there_is_none(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.metadata

    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    workshop(
        files={"src/spam/_speed.pyx": ""}, extension=workshop.EXTENSION.replace("_speed.c", "_speed.pyx")
    )
    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert workshop.fault().code == "cython-missing"


@pytest.mark.parametrize(
    ("name", "code"), [("no-such-distribution", "include-from-missing"), ("pip", "include-from-none")]
)
def test_headers_of_a_distribution_that_has_none(name: str, code: str, workshop: Workshop) -> None:
    workshop(f'include-from = ["{name}"]\n')
    assert workshop.fault().code == code


def test_the_error_type_is_the_backends_own(workshop: Workshop) -> None:
    workshop("optional = 1\n")
    assert isinstance(workshop.fault(), BackendError)
